"""What the detectors are given, and which events stand behind a sign."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.cast import NOW, TODAY, Cast, person
from uptake.directory.models import Identity
from uptake.events.models import Event
from uptake.insight.gaming.record_of import Record
from uptake.insight.gaming.told import told_of
from uptake.insight.gaming.window import found_in
from uptake.statistics.gaming.thresholds import Threshold

pytestmark = pytest.mark.django_db
FIRST, LAST = TODAY - timedelta(days=28), TODAY - timedelta(days=1)


class Floor:
    """Ten people of purchasing who each do twenty different things a day, on five days."""

    def __init__(self, cast: Cast) -> None:
        self.company = cast.beiyuan
        self.who: list[Identity] = []
        self.rows: list[Event] = []
        for nth in range(10):
            one = person(name=f"P{nth}", at=cast.purchasing, email=f"p{nth}@beiyuan.example")
            self.who.append(
                Identity.objects.create(
                    source="floor", external_id=str(nth), company=cast.beiyuan, person=one, first_seen_at=NOW
                )
            )
        for nth in range(10):
            for day in range(5):
                for turn in range(20):
                    minutes = turn * 20 + (nth * 7 + turn * turn * 13) % 17
                    self.add(nth, day, minutes, "order.created", f"O-{nth}-{day}-{turn}", {"lines": turn})

    def add(self, nth: int, day: int, minutes: float, name: str, about: str, facts: dict[str, Any]) -> int:
        begin = datetime(2026, 5, 4, 0, 30, tzinfo=UTC) + timedelta(days=day)
        self.rows.append(
            Event(
                source="floor", key=str(len(self.rows)), fingerprint="0" * 64, name=name, identity=self.who[nth],
                company=self.company, happened_at=begin + timedelta(minutes=minutes), received_at=NOW, tzdb="2026a",
                business_date=date(2026, 5, 4) + timedelta(days=day), object=about, facts=facts,
            )
        )  # fmt: skip
        return len(self.rows) - 1

    def found(self, *thresholds: Threshold) -> list[tuple[str, int, list[int]]]:
        """(detector, number of the person, numbers of the events)."""
        made = Event.objects.bulk_create(self.rows)
        number = {one.pk: at for at, one in enumerate(made)}
        people = [one.person_id for one in self.who]
        return [
            (one.detector, people.index(one.person), sorted(number[pk] for pk in one.events))
            for one in found_in(told_of([self.company], FIRST, LAST)[self.company.pk], thresholds)
        ]


def test_ordinary_work_shows_nothing(cast: Cast) -> None:
    assert Floor(cast).found() == []


def test_made_and_cancelled_at_once_again_and_again(cast: Cast) -> None:
    floor, expected = Floor(cast), []
    for turn in range(14):
        about = f"LOOP-{turn}"
        expected.append(floor.add(3, turn % 5, 420 + turn * 9, "order.created", about, {"lines": turn + 40}))
        expected.append(floor.add(3, turn % 5, 420 + turn * 9 + 4, "order.cancelled", about, {}))
    # An ordinary cancellation, two days later, is no part of it.
    floor.add(3, 4, 700, "order.cancelled", "O-3-1-1", {})

    assert ("A", 3, sorted(expected)) in floor.found()


def test_the_same_about_the_same_object_again_and_again(cast: Cast) -> None:
    floor, expected = Floor(cast), []
    for day in range(3):
        for turn in range(6):
            facts = {"lines": 1, "direction": "in" if turn % 2 else "out"}
            one = floor.add(5, day, 450 + turn * 31 + day * 3, "stock.moved", f"SM-{day}", facts)
            expected += [one] if turn else []
    # Of another amount it is another thing.
    for turn in range(6):
        floor.add(6, 0, 450 + turn * 31, "stock.moved", "SM-9", {"lines": turn})

    assert floor.found() == [("A2", 5, expected)]


def test_amounts_just_over_what_a_rule_pays_from(cast: Cast) -> None:
    floor, at = Floor(cast), Threshold(frozenset({"order.created"}), "lines", 10)
    expected = [
        floor.add(7, turn % 5, 420 + turn * 7, "order.created", f"PAD-{turn}", {"lines": 10 + turn % 2})
        for turn in range(30)
    ]
    honest = [
        at for at, row in enumerate(floor.rows) if row.identity == floor.who[7] and row.facts["lines"] in (10, 11)
    ]

    found = [one for one in floor.found(at) if one[0] == "G"]

    assert found == [("G", 7, sorted({*expected, *honest}))]


def test_work_at_night_where_nobody_works_unless_one_always_did(cast: Cast) -> None:
    floor = Floor(cast)
    odd = [floor.add(nth, day, 720 + turn * 17, "part.made", f"N-{nth}-{day}-{turn}", {})
           for nth in (2, 4) for day in range(5) for turn in range(6)]  # fmt: skip
    for day in range(-40, -30):
        floor.add(4, day, 740, "part.made", f"B-{day}", {})

    assert floor.found() == [("C", 2, odd[:30])]


def test_approving_what_one_made_oneself(cast: Cast) -> None:
    floor, expected = Floor(cast), []
    for nth in range(10):
        for turn in range(8):
            made, minutes = f"O-{nth if nth == 6 else (nth + 1) % 10}-1-{turn}", 420 + turn * 11 + nth
            one = floor.add(nth, 2, minutes, "order.approved", made, {})
            expected += [one] if nth == 6 else []

    assert floor.found() == [("S", 6, expected)]


def test_only_the_window_of_the_company_and_only_people(cast: Cast) -> None:
    floor = Floor(cast)
    for turn in range(8):
        floor.add(5, -40, 450 + turn * 31, "stock.moved", "SM-1", {"lines": 1})

    assert floor.found() == []


@pytest.mark.once
@pytest.mark.parametrize(
    ("confirmed", "reviewed", "silent"), [(0, 9, False), (6, 10, True), (7, 10, False), (69, 100, True)]
)
def test_a_detector_under_seventy_percent_falls_silent(confirmed: int, reviewed: int, silent: bool) -> None:
    assert Record("A", reviewed, confirmed).silent is silent
