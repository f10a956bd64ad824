"""The guard-rail of streaks: what pays without a bound is found, with the most it can pay in a year."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.utils.translation import override

from uptake.programme.evaluate import DayRules
from uptake.programme.person_fold import fold_person
from uptake.programme.rulebook_reading import parse_rulebook
from uptake.programme.standing import JudgedEvent
from uptake.programme.streak_bounds import OpenStreak, open_streaks, streak_sentence
from uptake.programme.templates.list import TEMPLATES

pytestmark = pytest.mark.once

DAY = date(2026, 6, 1)
STREAK: dict[str, Any] = {
    "rule": "row", "version": 1, "from": "2026-01-01", "on": "auth.login", "points": 10, "title": "In a row",
    "streak": {"every": "day", "length": 5},
}  # fmt: skip
EVERY_DAY = {"streak": {"every": "day", "length": 5, "working_days": False}}
BOUNDED = "bounded"


def most(change: dict[str, Any], **book: Any) -> Any:
    found = open_streaks(parse_rulebook({"rules": [{**STREAK, **change}], **book}), DAY)
    return found[0].most_a_year if found else BOUNDED


CASES: list[tuple[dict[str, Any], dict[str, Any], Any]] = [
    ({}, {}, 530),  # 261 working days in the year from 1 June 2026
    (EVERY_DAY, {}, 730),
    ({"streak": {"every": "week", "length": 4}}, {}, 140),
    ({"until": "2026-09-01"}, {}, BOUNDED),
    ({"cap": [{"times": 1, "every": "week"}]}, {}, BOUNDED),
    ({"cap": [{"points": 50, "every": "month"}]}, {}, BOUNDED),
    ({"cap": [{"points": 500, "every": "ever"}]}, {}, BOUNDED),
    ({"cap": [{"points": 4, "every": "day"}]}, {}, 212),  # a streak pays once a day anyhow
    ({"cap": [{"points": 50, "every": "month", "role": "clerk"}]}, {}, 530),  # others have no limit
    ({"cap": [{"points": 50, "every": "month", "until": "2026-09-01"}]}, {}, 530),
    ({"cap": [{"points": 50, "every": "month", "until": "2026-09-01"}], "until": "2026-09-01"}, {}, BOUNDED),
    ({}, {"groups": [{"group": "g", "rules": ["row"], "cap": [{"points": 50, "every": "week"}]}]}, BOUNDED),
    ({}, {"person_cap": [{"points": 50, "every": "week"}]}, BOUNDED),
    ({"points": {"per": "lines"}}, {}, None),
    ({"points": {"per": "lines"}, "until": "2026-09-01"}, {}, None),
    ({"points": {"per": "lines"}, "cap": [{"times": 1, "every": "month"}]}, {}, None),
    ({"points": {"per": "lines"}, "cap": [{"points": 9, "every": "month"}]}, {}, BOUNDED),
    ({"points": {"per": "lines", "max": 3}}, {}, 159),
    ({"points": {"per": "lines", "steps": [{"at_least": 1, "points": 2}, {"at_least": 9, "points": 5}]}}, {}, 265),
    ({}, {"multipliers": [{"multiplier": "a", "factor": 2}, {"multiplier": "b", "factor": 3}]}, 1590),
    ({}, {"multipliers": [{"multiplier": "a", "factor": 2, "on": "other"}]}, 530),
    # nine working days: the rows that meet them twice meet the year 52 times
    ({}, {"multipliers": [{"multiplier": "a", "factor": 2, "from": "2026-12-01", "until": "2026-12-12"}]}, 540),
    (
        {},
        {
            "programme": {"stacking": {"at_most": 4}},
            "multipliers": [{"multiplier": "a", "factor": 2}, {"multiplier": "b", "factor": 3}],
        },
        2120,
    ),
    ({"points": 0}, {}, BOUNDED),
]


@pytest.mark.parametrize(("change", "book", "expected"), CASES)
def test_what_bounds_a_streak_and_what_does_not(change: dict[str, Any], book: dict[str, Any], expected: Any) -> None:
    assert most(change, **book) == expected


def test_versions_that_are_over_are_not_told_and_coming_ones_are() -> None:
    rules = [
        {**STREAK, "cap": [{"times": 1, "every": "week"}]},
        {**STREAK, "version": 2, "from": "2026-08-01"},
        {**STREAK, "rule": "gone", "until": "2026-03-01"},
    ]

    assert [(one.rule, one.version) for one in open_streaks(parse_rulebook({"rules": rules}), DAY)] == [("row", 2)]


@pytest.mark.parametrize("length", [1, 2, 5, 7])
@pytest.mark.parametrize("working_days", [True, False])
def test_nobody_gets_more_in_a_year_than_is_told(length: int, working_days: bool) -> None:
    """By the fold itself: somebody who is there on every date, having begun some days before."""
    streak = {"every": "day", "length": length, "working_days": working_days}
    book = parse_rulebook({"rules": [{**STREAK, "streak": streak}]})
    begin = datetime(2026, 6, 1, 9, tzinfo=UTC)
    events = [
        JudgedEvent(number + 10, "auth.login", begin + timedelta(days=number), "", str(number), DAY + timedelta(number))
        for number in range(-9, 365)
    ]

    found = fold_person(events, lambda day: DayRules(book, day))
    paid = sum(one.points for one in found.outcomes if one.event.date >= DAY)

    assert 0 <= most({"streak": streak}) - paid <= 10


def test_it_is_said_in_both_languages() -> None:
    with override("en"):
        assert streak_sentence(OpenStreak("row", 1, "In a row", 1530)) == (
            "“In a row” pays for a streak without end: up to 1,530 points a year to a person who never misses."
        )
        assert "nothing bounds" in streak_sentence(OpenStreak("row", 1, "", None))
    with override("zh-hans"):
        assert "一年最多可得 1,530 积分" in streak_sentence(OpenStreak("row", 1, "In a row", 1530))


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda one: one.slug)
def test_templates_pay_for_no_streak_without_a_bound(template: Any) -> None:
    assert open_streaks(parse_rulebook(template.rulebook), DAY) == []
