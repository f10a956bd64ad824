"""A rule reads as plain sentences made from the rule itself."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.utils.translation import override

from uptake.programme.changes import changes_of
from uptake.programme.conditions.compare import OPERATORS, ORDER, PRESENCE, TEXT
from uptake.programme.explain import award_sentence
from uptake.programme.rulebook import Rulebook
from uptake.programme.rulebook_reading import parse_rulebook
from uptake.programme.rulebook_refusals import RulebookRefused
from uptake.programme.sentences import (
    Labels,
    cap_sentence,
    condition_clause,
    level_sentences,
    refusal_sentence,
    rule_sentence,
    rule_sentences,
)

LABELS = Labels(events={"order.processed": "Order processed"}, facts={"lines": "Order lines"})
RULE: dict[str, Any] = {"rule": "a", "version": 1, "from": "2026-01-01", "on": "order.processed", "points": 5}

SENTENCES: list[tuple[dict[str, Any], str]] = [
    ({}, "5 points for each “Order processed”. In force from 1 Jan 2026."),
    ({"points": 1}, "1 point for each “Order processed”. In force from 1 Jan 2026."),
    (
        {"on": ["order.processed", "stock.moved", "stock.counted"], "until": "2026-07-01"},
        "5 points for each “Order processed”, “stock.moved” or “stock.counted”. "
        "In force from 1 Jan 2026 to 30 Jun 2026.",
    ),
    (
        {"points": {"per": "lines"}},
        "For each “Order processed”: 1 point for every 1 of “Order lines”. In force from 1 Jan 2026.",
    ),
    (
        {"points": {"per": "lines", "each": Decimal("2.5"), "points": 3, "whole_units": True, "min": 1, "max": 2000}},
        "For each “Order processed”: 3 points for every 2.5 of “Order lines”. Only whole steps of 2.5 count. "
        "At least 1 and at most 2,000 points each time. In force from 1 Jan 2026.",
    ),
    (
        {"when": [{"fact": "lines", "op": "gte", "value": 5}, {"person": "role", "value": ["clerk", "buyer"]}]},
        "5 points for each “Order processed”. Only if “Order lines” is at least 5, and the person's role is one of "
        "“clerk” or “buyer”. In force from 1 Jan 2026.",
    ),
    (
        {"when": [{"person": "tenure_days", "op": "lt", "value": 30}]},
        "5 points for each “Order processed”. Only if the person joined less than 30 days before. "
        "In force from 1 Jan 2026.",
    ),
    (
        {
            "points": {
                "per": "lines",
                "steps": [{"at_least": 20, "points": 8}, {"at_least": 1, "points": 1}],
                "max": 5,
            },
            "available_after_days": 7,
            "expires": {"days": 90},
        },
        "For each “Order processed”, by “Order lines”: 1 point from 1, 8 points from 20. At most 5 points each time. "
        "The points can be spent 7 days later. They can be spent for 90 more days. In force from 1 Jan 2026.",
    ),
    (
        {"expires": {"end_of": "year"}},
        "5 points for each “Order processed”. They expire at the end of the fiscal year. In force from 1 Jan 2026.",
    ),
    (
        {
            "cap": [
                {"times": 1, "every": "day"},
                {"points": 50, "every": "day", "role": "clerk", "from": "2026-02-01", "until": "2026-03-01"},
            ]
        },
        "5 points for each “Order processed”. At most 1 time a day. Whoever is “clerk”: at most 50 points a day. "
        "This limit holds from 1 Feb 2026 to 28 Feb 2026. In force from 1 Jan 2026.",
    ),
]


@pytest.mark.parametrize(("changed", "sentence"), SENTENCES)
def test_rule_reads_so_in_english(changed: dict[str, Any], sentence: str) -> None:
    (rule,) = parse_rulebook({"rules": [{**RULE, **changed}]}).rules

    with override("en"):
        assert rule_sentence(rule, LABELS) == sentence


def test_rule_tells_what_it_shares_with_its_rulebook() -> None:
    rulebook = parse_rulebook(
        {
            "programme": {"expires": {"end_of": "month"}},
            "rules": [RULE, {**RULE, "rule": "b", "title": "Stock"}, {**RULE, "rule": "c"}],
            "groups": [
                {"group": "g", "rules": ["a", "b"], "cap": [{"points": 1, "every": "day", "role": "clerk"}]},
                {"group": "h", "rules": ["b", "c"], "cap": [{"points": 2, "every": "day"}]},
            ],
            "person_cap": [{"times": 3, "every": "day"}],
            "multipliers": [
                {
                    "multiplier": "Summer",
                    "factor": Decimal("1.5"),
                    "from": "2026-06-01",
                    "until": "2026-09-01",
                    "when": [{"person": "role", "value": "clerk"}],
                },
                {"multiplier": "Other", "factor": 2, "on": "stock.moved"},
            ],
        }
    )

    with override("en"):
        assert rule_sentence(rulebook.rules[0], LABELS, rulebook) == (
            "5 points for each “Order processed”. Whoever is “clerk”, together with “Stock”: at most 1 point a day. "
            "All rules together: at most 3 times a day. “Summer”: points × 1.5. Only if the person's role is “clerk”. "
            "This holds from 1 Jun 2026 to 31 Aug 2026. They expire at the end of the month. "
            "In force from 1 Jan 2026."
        )


def test_stacking_is_said_where_multipliers_concern_the_rule_and_shows_in_the_differences() -> None:
    def book(programme: dict[str, Any], on: str) -> Rulebook:
        several = [{"multiplier": name, "factor": 2, "on": on} for name in ("Summer", "Counting")]
        return parse_rulebook({"programme": programme, "rules": [RULE], "multipliers": several})

    stacked = {"stacking": {"at_most": Decimal("2.5")}}
    said = "Multipliers that hold at once are multiplied, together by at most 2.5."
    with override("en"):
        concerned = book(stacked, RULE["on"])
        assert said in rule_sentences(concerned.rules[0], LABELS, concerned)
        others = book(stacked, "stock.moved")
        assert said not in rule_sentences(others.rules[0], LABELS, others)
        (changed,) = changes_of(book({}, RULE["on"]), concerned, date(2026, 6, 1), LABELS).rules
        assert [part.text for part in changed.after if not part.same] == [said]


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("every", ["day", "week", "month", "ever"])
@pytest.mark.parametrize("unit", ["points", "times"])
@pytest.mark.parametrize("role", [{}, {"role": "clerk"}])
def test_every_cap_has_words(unit: str, every: str, role: dict[str, str], language: str) -> None:
    rulebook = parse_rulebook({"rules": [RULE], "person_cap": [{unit: 77, "every": every, **role}]})
    (cap,) = rulebook.person_cap

    with override(language):
        sentences = {cap_sentence(cap), cap_sentence(cap, "others"), cap_sentence(cap, all_rules=True)}

    assert len(sentences) == 3
    assert all("77" in sentence and "%(" not in sentence for sentence in sentences)


HISTORY = [
    ({"history": "first"}, "there was no such event before"),
    ({"history": "first", "value": False, "of": ["a", "b"]}, "there was “a” or “b” before"),
    (
        {"history": "first", "within_days": 1, "same": "object"},
        "there was no such event of the same object on the same day before",
    ),
    (
        {"history": "count", "op": "lt", "value": 3, "within_days": 7},
        "the count of such event within 7 days before is less than 3",
    ),
    (
        {"history": "days_since", "op": "gte", "value": 30, "of": "a"},
        "the number of days since the last “a” before is at least 30",
    ),
    ({"person": "level", "op": "gte", "value": "gold"}, "the person's level is at least “gold”"),
]


@pytest.mark.parametrize(("condition", "clause"), HISTORY)
def test_question_about_what_came_before_reads_so(condition: dict[str, Any], clause: str) -> None:
    levels = [{"name": "gold", "at": 10}]
    (rule,) = parse_rulebook({"rules": [{**RULE, "when": [condition]}], "levels": levels}).rules

    with override("en"):
        assert condition_clause(rule.when[0], LABELS) == clause


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
        parse_rulebook({"rules": [{**RULE, "strike": {}}]})

    with override("en"):
        assert refusal_sentence(refused.value) == "rules[0].strike: “strike” is not a key of the rulebook."


WHOLE = {
    "programme": {"levels_from": "season", "season_ends": ["2026-07-01"]},
    "levels": [{"name": "bronze", "at": 1}, {"name": "gold", "at": 100}],
    "reversals": [
        {"event": "cancel", "undoes": ["order", "move"], "fraction": "part"},
        {"event": "void", "undoes": ["order"], "same": "invoice"},
        {"event": "back", "undoes": ["move"]},
    ],
    "rules": [
        {
            "rule": "a", "version": 1, "from": "2026-01-01", "on": ["order"], "points": 5,
            "streak": {"every": "day", "length": 5, "freezes_per_month": 1},
            "when": [{"person": "level", "op": "gte", "value": "gold"}],
        },
        {
            "rule": "b", "version": 1, "from": "2026-01-01", "on": ["order"], "points": 5,
            "streak": {"every": "week", "length": 2, "working_days": False},
        },
    ],
}  # fmt: skip


def test_streaks_reversals_and_levels_are_said() -> None:
    rulebook = parse_rulebook(WHOLE)

    with override("en"):
        days, weeks = (rule_sentences(rule, Labels(), rulebook) for rule in rulebook.rules)
        levels = level_sentences(rulebook)

    assert days[1:-1] == [
        "Only if the person's level is at least “gold”.",
        "It pays for every 5 working days in a row on which it happens.",
        "Days off and leave neither count nor break the row.",
        "1 missed day a month is forgiven.",
        "“cancel” takes back the part “part” of what “order” of the same object earned before.",
        "“void” takes back what “order” with the same “invoice” earned before.",
    ]
    assert weeks[1] == "It pays for every 2 weeks in a row in which it happens."
    assert levels == [
        "Levels: “bronze” from 1 point, “gold” from 100 points.",
        "Points of the season count.",
        "A level never falls within a season; at its end by one at most, if the points reach less.",
    ]


@pytest.mark.parametrize(
    ("codes", "explanation", "said"),
    [
        (
            ["streak"],
            {"streak": {"every": "day", "length": 5}},
            "It keeps the streak, which pays at every 5th day in a row.",
        ),
        (
            ["partial_reversal"],
            {"factors": [{"what": "fixed", "points": 9}, {"what": "part_reversed", "part": "1/3", "left": 6}]},
            "The rule gives 9 points each time. 33.3 % of it was undone, which leaves 6 points.",
        ),
        (
            ["partial_reversal"],
            {"factors": [{"what": "fixed", "points": 9}], "part": "0.5", "closed": {"points": 9}},
            "The rule gives 9 points each time. When its time closed, it stood at 9 points. "
            "Since then 50 % of the event was undone; 5 points are left.",
        ),
    ],
)
def test_awards_of_streaks_and_parts_are_explained(codes: list[str], explanation: dict[str, Any], said: str) -> None:
    with override("en"):
        assert award_sentence(5, codes, explanation, Labels()) == said
