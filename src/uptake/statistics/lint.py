"""What a report's text must not say: bare percentages for changes of rates, causes under a weak grade, and the like.

It reads finished text, English or Chinese, whoever wrote it: templates, translators, a person's own summary.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from uptake.statistics.result import Grade

CHANGE = (
    r"(?:rose|fell|grew|increas\w+|decreas\w+|improv\w+|declin\w+|raised|lowered|up|down|gain\w*"
    r"|提高|提升|增加|增长|上升|下降|降低|减少)"
)
PERCENT = re.compile(
    rf"{CHANGE}[^.。%]{{0,40}}?[+-]?\d[\d.,]*\s?%(?!\s*(?:relative|of\s+what|interval))"
    r"|(?<![\w.])[+-]\d[\d.,]*\s?%(?!\s*(?:relative|of\s+what|interval))",
    re.IGNORECASE,
)
POINTS = re.compile(r"percentage point|个百分点|\bpp\b", re.IGNORECASE)
RELATIVE = re.compile(r"relative|相对|×|\bx\d", re.IGNORECASE)
CAUSE = re.compile(
    r"\b(?:raised|lowered|caused?|led to|thanks to|because of|due to|drove|boosted|effect of|made)\b"
    r"|导致|使得|得益于|归功于|带来了|因为|促使|拉动",
    re.IGNORECASE,
)
DENIED = re.compile(
    r"cannot be told|not established|cause is not|cannot tell|nothing is said of causes"
    r"|无法判断|不能说明|原因未|未确立",
    re.IGNORECASE,
)
COMPOSITE = re.compile(
    r"\b(?:activity|engagement|usage)\b[^.。]{0,25}[+-]\s?\d[\d.,]*\s?%|活跃度[^.。]{0,12}[+-]?\d[\d.,]*\s?%",
    re.IGNORECASE,
)
MONEY = re.compile(r"\bROI\b|return on investment|投资回报|[¥$€]\s?\d|\d\s?(?:yuan|元|万元)", re.IGNORECASE)
INTERVAL = re.compile(r"interval|\bCI\b|区间", re.IGNORECASE)
P_VALUE = re.compile(r"\bp\s*[=<＝]\s*(0?\.\d+)", re.IGNORECASE)
SENTENCE = re.compile(r"(?<=[.。!?！？])\s+|(?<=[。！？])|\n+")


@dataclass(frozen=True, slots=True)
class Finding:
    """`code` says which rule; `text` is the sentence that breaks it."""

    code: str
    text: str


def linted(
    text: str, *, grade: Grade | None = None, p_floor: float = 0.0, group_sizes: tuple[int, ...] = ()
) -> tuple[Finding, ...]:
    """Findings in the order of the text. grade: of the result the text is about; p_floor: what permutation can reach.

    Rules: BARE_PERCENT, CAUSE_UNDER_GRADE, COMPOSITE, MONEY_WITHOUT_INTERVAL, P_BELOW_FLOOR, SMALL_GROUP.
    """
    found: list[Finding] = []
    weak = grade in (Grade.C, Grade.D, Grade.NONE)
    for sentence in filter(None, (part.strip() for part in SENTENCE.split(text))):
        if COMPOSITE.search(sentence):
            found.append(Finding("COMPOSITE", sentence))
        elif PERCENT.search(sentence) and not POINTS.search(sentence) and not RELATIVE.search(sentence):
            found.append(Finding("BARE_PERCENT", sentence))
        if weak and CAUSE.search(sentence) and not DENIED.search(sentence):
            found.append(Finding("CAUSE_UNDER_GRADE", sentence))
        if MONEY.search(sentence) and not INTERVAL.search(sentence):
            found.append(Finding("MONEY_WITHOUT_INTERVAL", sentence))
        found += [Finding("P_BELOW_FLOOR", sentence) for p in P_VALUE.findall(sentence) if float(p) < p_floor]
    found += [Finding("SMALL_GROUP", str(size)) for size in group_sizes if size < 10]
    return tuple(found)
