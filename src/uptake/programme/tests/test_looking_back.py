"""Rules that look beyond a date: what they read again, and that batches and delay do not matter."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

import pytest

from tests.cast import NOW, Cast
from uptake.programme import consider
from uptake.programme.gather import Gathered, gather
from uptake.programme.models import Award
from uptake.programme.tests.world import RULES, Desk

pytestmark = pytest.mark.django_db(transaction=True)

DAY = timedelta(days=1)
A_WEEK = [{**RULES[0], "cap": [{"points": 15, "every": "week"}]}]
EVER = [{**RULES[0], "cap": [{"points": 205, "every": "ever"}]}]
PAUSED = [{**RULES[0], "cap": [], "cooldown_seconds": 3600}]
FIRST = [{**RULES[0], "cap": [], "when": [{"history": "first", "within_days": 3}]}]


def points(*keys: str) -> list[int]:
    found = dict(Award.objects.filter(event__key__in=keys).values_list("event__key", "points"))
    return [found[key] for key in keys]


@pytest.mark.parametrize(("rules", "granted"), [(A_WEEK, 10), (EVER, 5)], ids=["a week", "ever"])
def test_only_what_can_still_change_is_read_again(
    rules: list[dict[str, Any]], granted: int, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(cast, rules)
    for number in range(20):
        desk.processed(f"old {number}", NOW - (130 - 5 * number) * DAY, now=NOW - (130 - 5 * number) * DAY)
    read: list[int] = []

    def gathered(ids: Collection[int]) -> dict[int, Gathered]:
        read.extend(ids)
        return gather(ids)

    monkeypatch.setattr(consider, "gather", gathered)

    desk.processed("new", NOW)

    assert points("new") == [granted]
    assert 0 < len(set(read)) < 10


@pytest.mark.parametrize("at_once", [True, False])
def test_however_many_are_considered_at_once(cast: Cast, at_once: bool) -> None:
    desk = Desk(cast, A_WEEK)

    tuesday = NOW - (NOW.weekday() + 6) * DAY
    for number, key in enumerate("abcd"):
        at = tuesday + number * 2 * DAY
        desk.processed(key, at, now=at, consider=not at_once)
    desk.consider()

    assert points(*"abcd") == [10, 5, 0, 10]


def test_what_came_in_time_counts_as_such_however_late_it_is_considered(cast: Cast) -> None:
    desk = Desk(cast, PAUSED)
    at = NOW - 40 * DAY
    desk.processed("second", at + timedelta(minutes=30), now=at + DAY)
    desk.processed("first", at, now=at + 2 * DAY, consider=False)
    desk.consider(NOW)

    assert points("first", "second") == [10, 0]
    assert Award.objects.get(event__key="second").reasons == ["cooldown"]


def test_an_earlier_event_takes_the_first_place(cast: Cast) -> None:
    desk = Desk(cast, FIRST)
    desk.processed("b", NOW - DAY)
    before = points("b")
    desk.processed("a", NOW - 2 * DAY, now=NOW)

    assert before == [10]
    assert points("a", "b") == [10, 0]
    told: dict[str, Any] = Award.objects.get(event__key="b").explanation["condition"]
    assert told["history"] == "first"
