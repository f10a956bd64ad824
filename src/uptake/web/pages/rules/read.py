"""The rules in force as cards: the sentence, what is paid, the caps and what a person used of them today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext, ngettext

from uptake.programme.rulebook import Expiry, PointsBySteps, PointsPer, Rulebook, RuleVersion
from uptake.programme.sentences import (
    Labels,
    cap_sentence,
    condition_sentences,
    cooldown_sentences,
    joined_sentences,
    points_sentences,
    shared_sentences,
    spending_sentences,
    streak_sentences,
)
from uptake.web import numbers

Used = Mapping[str, tuple[int, int]]
"""(points, paid awards) of today by rule lineage."""


@dataclass(frozen=True)
class CapLine:
    """A cap in words, and what is used of it today (None where it does not concern the reader)."""

    words: str
    used: int | None
    most: int

    @property
    def state(self) -> str:
        assert self.used is not None
        return gettext("%(used)s of %(most)s today") % {
            "used": numbers.full(min(self.used, self.most)),
            "most": numbers.full(self.most),
        }


@dataclass(frozen=True)
class Card:
    """One rule as it stands on the page."""

    rule: RuleVersion
    title: str
    sentence: str
    pays: str
    """+10, or what is paid for a unit."""
    unit: str
    caps: Sequence[CapLine]
    today: str
    """Where there is no cap: how often it paid today."""


def cards_of(rulebook: Rulebook, day: date, labels: Labels, used: Used | None) -> list[Card]:
    """The rules in force on `day`, in the order in which they are asked. `used` is None for who earns nothing here."""
    return [card_of(rule, labels, used, rulebook) for rule in rulebook.in_force(day)]


def card_of(rule: RuleVersion, labels: Labels, used: Used | None, rulebook: Rulebook) -> Card:
    points, times = (used or {}).get(rule.rule, (0, 0))
    caps = [
        CapLine(
            cap_sentence(cap).rstrip(".。"),
            None if used is None or cap.role or cap.every != "day" else (times if cap.times else points),
            cap.limit,
        )
        for cap in rule.cap
    ]
    today = ""
    if used is not None and not rule.cap and times:
        today = ngettext("%(n)s time today", "%(n)s times today", times) % {"n": numbers.full(times)}
    sentence = joined_sentences(
        [
            *points_sentences(rule, labels),
            *condition_sentences(rule.when, labels),
            *streak_sentences(rule),
            *cooldown_sentences(rule),
            *shared_sentences(rule, rulebook, labels),
            *spending_sentences(rule, rulebook),
        ]
    )
    if isinstance(rule.points, PointsPer):
        pays, unit = f"+{exact(rule.points.points)}", unit_of(rule.points, labels)
    elif isinstance(rule.points, PointsBySteps):
        lowest, highest = (exact(step[1]) for step in (rule.points.steps[0], rule.points.steps[-1]))
        pays = f"+{lowest}" if lowest == highest else f"+{lowest}–{highest}"
        unit = gettext("by %(fact)s") % {"fact": labels.fact(rule.points.per)}
    else:
        pays, unit = numbers.signed(rule.points), ""
    return Card(rule, rule.title or rule.rule, sentence, pays, unit, caps, today)


def validity_of(expiry: Expiry) -> str:
    """How long points can be spent where a rule says nothing else."""
    if expiry.days is not None:
        told = ngettext("%(n)s day from when they can be spent", "%(n)s days from when they can be spent", expiry.days)
        return told % {"n": numbers.full(expiry.days)}
    if expiry.inactive_days is not None:
        told = ngettext(
            "until one has done nothing for %(n)s day",
            "until one has done nothing for %(n)s days",
            expiry.inactive_days,
        )
        return told % {"n": numbers.full(expiry.inactive_days)}
    if expiry.end_of == "month":
        return gettext("until the end of the month, where a rule says nothing else")
    if expiry.end_of == "year":
        return gettext("until the end of the fiscal year, where a rule says nothing else")
    return gettext("Points do not expire")


def exact(number: object) -> str:
    text = format(number, "f") if not isinstance(number, int) else str(number)
    return numbers.full(float(text) if "." in text else int(text), len(text.partition(".")[2].rstrip("0")))


def unit_of(points: PointsPer, labels: Labels) -> str:
    """× order lines; per 1,000 of amount."""
    if points.each == 1:
        return gettext("× %(fact)s") % {"fact": labels.fact(points.per)}
    return gettext("per %(each)s of %(fact)s") % {"each": exact(points.each), "fact": labels.fact(points.per)}
