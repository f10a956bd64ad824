"""The fold gives the same whatever the order of arrival, never more than a cap, and explains itself."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from uptake.programme.evaluate import DayRules, Outcome, Used, fold, half_up, plain
from uptake.programme.explain import award_sentence
from uptake.programme.rulebook_reading import parse_rulebook
from uptake.programme.sentences import Labels
from uptake.programme.standing import JudgedEvent, Standing

DAY = date(2026, 6, 1)
START = datetime(2026, 6, 1, tzinfo=UTC)
RULEBOOK = parse_rulebook(
    {
        "rules": [
            {
                "rule": "lines",
                "version": 1,
                "from": "2026-01-01",
                "on": "order.processed",
                "points": {"per": "lines", "each": 2},
                "cap": [{"points": 20, "every": "day"}, {"times": 4, "every": "day"}],
            },
            {
                "rule": "clerks",
                "version": 1,
                "from": "2026-01-01",
                "on": ["order.processed", "stock.moved"],
                "points": 3,
                "when": [{"fact": "lines", "op": "gte", "value": 3}],
                "cap": [{"points": 7, "every": "day", "role": "clerk"}],
            },
        ]
    }
)
RULES = DayRules(RULEBOOK, DAY)


@st.composite
def days(draw: st.DrawFn) -> list[JudgedEvent]:
    count = draw(st.integers(0, 12))
    return [
        JudgedEvent(
            id=number,
            name=draw(st.sampled_from(["order.processed", "stock.moved", "other"])),
            at=START + timedelta(minutes=draw(st.integers(0, 5))),
            source=draw(st.sampled_from("ab")),
            key=str(number),
            date=DAY,
            facts={"lines": draw(st.integers(-2, 30))},
            history_only=draw(st.booleans()) and draw(st.booleans()),
            reversed=draw(st.booleans()) and draw(st.booleans()),
            standing=Standing(role="clerk"),
        )
        for number in range(count)
    ]


def by_key(outcomes: list[Outcome]) -> dict[Any, Any]:
    return {one.key: (one.points, one.reasons, one.explanation) for one in outcomes}


@given(days(), st.randoms(use_true_random=False))
def test_order_of_arrival_does_not_matter(events: list[JudgedEvent], chance: Any) -> None:
    shuffled = list(events)
    chance.shuffle(shuffled)

    assert by_key(fold(RULES, shuffled)) == by_key(fold(RULES, events))


@given(days())
def test_caps_hold_and_every_outcome_can_be_written_down(events: list[JudgedEvent]) -> None:
    outcomes = fold(RULES, events)

    lines = [one.points for one in outcomes if one.rule == "lines"]
    assert sum(lines) <= 20
    assert sum(points > 0 for points in lines) <= 4
    assert sum(one.points for one in outcomes if one.rule == "clerks") <= 7
    assert all((one.points == 0) <= bool(one.reasons) for one in outcomes)
    assert json.loads(json.dumps([one.explanation for one in outcomes]))[: len(outcomes)] is not None


@given(days(), st.integers(0, 12))
def test_adding_the_last_ones_is_folding_them_all(events: list[JudgedEvent], cut: int) -> None:
    """The quick way of considering: what came before is known by what it takes of the caps."""
    ordered = sorted(events, key=lambda event: event.order)
    before = fold(RULES, ordered[:cut])
    used = Used()
    for one in before:
        used.add(one.rule, one.points)

    assert by_key([*before, *fold(RULES, ordered[cut:], used)]) == by_key(fold(RULES, events))


@given(days())
def test_reversed_events_are_as_if_they_had_never_been(events: list[JudgedEvent]) -> None:
    never = [event for event in events if not event.reversed]

    outcomes = by_key(fold(RULES, events))

    assert {key: outcomes[key] for key in by_key(fold(RULES, never))} == by_key(fold(RULES, never))


def test_explanation_names_rule_factors_caps_and_when_there_is_room_again() -> None:
    first = JudgedEvent(1, "order.processed", START, "", "a", DAY, {"lines": 31})
    second = JudgedEvent(2, "order.processed", START, "", "b", DAY, {"lines": 15})

    told = fold(RULES, [first, second])[2]

    assert (told.points, told.reasons) == (4, ("cap_day",))
    assert told.explanation == {
        "rule": "lines",
        "version": 1,
        "factors": [{"what": "per", "fact": "lines", "value": 15, "each": 2, "points": 1}],
        "base": "7.5",
        "before_caps": 8,
        "caps": [
            {"cap": {"points": 20, "every": "day"}, "used": 16, "room": 4, "clipped": True},
            {"cap": {"times": 4, "every": "day"}, "used": 1, "room": 3},
        ],
        "next": "2026-06-02",
    }


@given(st.fractions(min_value=0, max_value=10**6))
def test_rounding_is_to_the_nearest_and_a_half_goes_up(exact: Any) -> None:
    assert -1 < 2 * (exact - half_up(exact)) < 1 or 2 * (half_up(exact) - exact) == 1


@given(st.integers() | st.decimals(allow_nan=False, allow_infinity=False, places=6))
def test_numbers_are_written_down_exactly(number: Any) -> None:
    assert Decimal(plain(number)) == number


def test_what_is_shared_and_multiplied_is_told() -> None:
    rulebook = parse_rulebook(
        {
            "rules": [
                {"rule": "a", "version": 1, "from": "2026-01-01", "on": "x", "points": 10},
                {
                    "rule": "b",
                    "version": 1,
                    "from": "2026-01-01",
                    "on": "x",
                    "points": {"per": "n", "steps": [{"at_least": 5, "points": 4}]},
                },
            ],
            "groups": [{"group": "both", "rules": ["a", "b"], "cap": [{"points": 18, "every": "day"}]}],
            "person_cap": [{"points": 16, "every": "day"}],
            "multipliers": [{"multiplier": "Summer", "factor": Decimal("1.4"), "on": "x"}],
        }
    )
    one = JudgedEvent(1, "x", START, "", "a", DAY, {"n": 7})

    first, second = fold(DayRules(rulebook, DAY), [one])

    assert (first.points, first.reasons) == (14, ("multiplier",))
    assert (second.points, second.reasons) == (2, ("multiplier", "group_cap_day", "person_cap_day"))
    with override("en"):
        assert award_sentence(second.points, second.reasons, second.explanation, Labels()) == (
            "“n” is 7, and from 5 on it makes 4 points. “Summer” makes it 1.4 times as much: 5.6. "
            "“both” together: Of 18 points a day, 14 were used. All rules together: Of 16 points a day, 14 were used. "
            "So 2 points count. There is room again from 2 Jun 2026."
        )


STACKED = {
    "programme": {"stacking": {"at_most": Decimal("2.5")}},
    "rules": [{"rule": "a", "version": 1, "from": "2026-01-01", "on": "x", "points": 10}],
    "multipliers": [
        {"multiplier": "Summer", "factor": Decimal("1.4")},
        {"multiplier": "Counting", "factor": 2, "on": "x"},
        {"multiplier": "Others", "factor": 3, "on": "y"},
    ],
}


def test_stacked_factors_are_told_one_by_one_and_then_the_ceiling() -> None:
    (outcome,) = fold(DayRules(parse_rulebook(STACKED), DAY), [JudgedEvent(1, "x", START, "", "a", DAY)])

    assert (outcome.points, outcome.reasons) == (25, ("multiplier",))
    with override("en"):
        assert award_sentence(outcome.points, outcome.reasons, outcome.explanation, Labels()) == (
            "The rule gives 10 points each time. “Counting” makes it 2 times as much: 20. "
            "“Summer” makes it 1.4 times as much: 28. All multipliers together make at most 2.5 times as much: 25."
        )
    with override("zh-hans"):
        assert "合计最多 2.5 倍：25" in award_sentence(25, outcome.reasons, outcome.explanation, Labels())


def test_stacked_factors_below_the_ceiling_say_nothing_of_it() -> None:
    book = {**STACKED, "programme": {"stacking": {"at_most": 3}}}

    (outcome,) = fold(DayRules(parse_rulebook(book), DAY), [JudgedEvent(1, "x", START, "", "a", DAY)])

    assert outcome.points == 28
    assert [one["what"] for one in outcome.explanation["factors"]] == ["fixed", "multiplier", "multiplier"]


def test_rank_is_the_place_among_the_rules_in_force() -> None:
    later = {"rule": "a", "version": 1, "from": "2026-07-01", "on": "x", "points": 1}
    rules = DayRules(parse_rulebook({"rules": [later, {**later, "rule": "b", "from": "2026-01-01"}]}), DAY)

    (outcome,) = fold(rules, [JudgedEvent(1, "x", START, "", "a", DAY)])

    assert rules.rules[outcome.rank].rule == outcome.rule == "b"
