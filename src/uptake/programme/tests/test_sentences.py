"""A rule reads as plain sentences made from the rule itself."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.utils.translation import override

from uptake.programme.conditions.compare import OPERATORS, ORDER, PRESENCE, TEXT
from uptake.programme.rulebook_reading import parse_rulebook
from uptake.programme.rulebook_refusals import RulebookRefused
from uptake.programme.sentences import Labels, refusal_sentence, rule_sentence

LABELS = Labels(events={"order.processed": "Order processed"}, facts={"lines": "Order lines"})
RULE: dict[str, Any] = {"rule": "a", "version": 1, "from": "2026-01-01", "on": "order.processed", "points": 5}

SENTENCES: list[tuple[dict[str, Any], str]] = [
    ({}, "5 points for each “Order processed”. In force from Jan. 1, 2026."),
    ({"points": 1}, "1 point for each “Order processed”. In force from Jan. 1, 2026."),
    (
        {"on": ["order.processed", "stock.moved", "stock.counted"], "until": "2026-07-01"},
        "5 points for each “Order processed”, “stock.moved” or “stock.counted”. "
        "In force from Jan. 1, 2026 to June 30, 2026.",
    ),
    (
        {"points": {"per": "lines"}},
        "For each “Order processed”: 1 point for every 1 of “Order lines”. In force from Jan. 1, 2026.",
    ),
    (
        {"points": {"per": "lines", "each": Decimal("2.5"), "points": 3, "whole_units": True, "min": 1, "max": 2000}},
        "For each “Order processed”: 3 points for every 2.5 of “Order lines”. Only whole steps of 2.5 count. "
        "At least 1 and at most 2,000 points each time. In force from Jan. 1, 2026.",
    ),
    (
        {"when": [{"fact": "lines", "op": "gte", "value": 5}, {"person": "role", "value": ["clerk", "buyer"]}]},
        "5 points for each “Order processed”. Only if “Order lines” is at least 5, and the person's role is one of "
        "“clerk” or “buyer”. In force from Jan. 1, 2026.",
    ),
    (
        {"when": [{"person": "tenure_days", "op": "lt", "value": 30}]},
        "5 points for each “Order processed”. Only if the person joined less than 30 days before. "
        "In force from Jan. 1, 2026.",
    ),
    (
        {
            "cap": [
                {"times": 1, "every": "day"},
                {"points": 50, "every": "day", "role": "clerk", "from": "2026-02-01", "until": "2026-03-01"},
            ]
        },
        "5 points for each “Order processed”. At most 1 time a day. Whoever is “clerk”: at most 50 points a day. "
        "This limit holds from Feb. 1, 2026 to Feb. 28, 2026. In force from Jan. 1, 2026.",
    ),
]


@pytest.mark.parametrize(("changed", "sentence"), SENTENCES)
def test_rule_reads_so_in_english(changed: dict[str, Any], sentence: str) -> None:
    (rule,) = parse_rulebook({"rules": [{**RULE, **changed}]}).rules

    with override("en"):
        assert rule_sentence(rule, LABELS) == sentence


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("asked", ["fact", "department", "role", "tenure_days"])
@pytest.mark.parametrize("op", OPERATORS)
def test_every_condition_has_words(op: str, asked: str, language: str) -> None:
    value: Any = {"value": 5} if op in ORDER or asked == "tenure_days" else {"value": "x"}
    condition: dict[str, Any] = {"fact": "lines"} if asked == "fact" else {"person": asked}
    if (asked == "tenure_days" and op in TEXT) or (asked in ("department", "role") and op in ORDER):
        pytest.skip("no such condition")
    condition |= {"op": op} | ({} if op in PRESENCE else value)
    (rule,) = parse_rulebook({"rules": [{**RULE, "when": [condition]}]}).rules

    with override(language):
        sentence = rule_sentence(rule, LABELS)

    assert "%(" not in sentence
    if op not in PRESENCE:
        assert str(value["value"]) in sentence


def test_refusal_reads_as_a_sentence_with_its_place() -> None:
    with pytest.raises(RulebookRefused) as refused:
        parse_rulebook({"rules": [{**RULE, "streak": {}}]})

    with override("en"):
        assert refusal_sentence(refused.value) == "rules[0].streak: “streak” is not built yet."
