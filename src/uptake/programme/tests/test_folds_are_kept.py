"""What folds keep: the next one reads only what is new, and nothing kept survives what changes it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any

import orjson
import pytest

from tests.cast import NOW, Cast
from uptake.directory.scope import EVERYTHING
from uptake.events.happening import Happening
from uptake.events.models import Connection
from uptake.events.record import record
from uptake.programme import consider
from uptake.programme.gather import Gathered, gather
from uptake.programme.models import Award, KeptFold, PersonLevel
from uptake.programme.publish import publish
from uptake.programme.tests.world import RULES, Desk
from uptake.programme.verify_kept import problems_of

pytestmark = pytest.mark.django_db(transaction=True)

DAY = timedelta(days=1)
BEGAN = NOW - 30 * DAY
BOOK: dict[str, Any] = {
    "rules": [
        {**RULES[0], "cap": [{"points": 15, "every": "day"}]},
        {
            "rule": "fifth day", "version": 1, "from": "2026-01-01", "on": "order.processed", "points": 7,
            "streak": {"every": "day", "length": 5, "working_days": False},
        },
        {
            "rule": "first", "version": 1, "from": "2026-01-01", "on": "order.processed", "points": 1,
            "when": [{"history": "first"}],
        },
    ],
    "levels": [{"name": "bronze", "at": 0}, {"name": "silver", "at": 60}, {"name": "gold", "at": 200}],
    "reversals": [{"event": "order.cancelled", "undoes": ["order.processed"]}],
}  # fmt: skip


class Remembering(Desk):
    """Beiyuan with levels, a streak and reversals; Lin worked for twelve days."""

    def __init__(self, cast: Cast, days: int = 12) -> None:
        self.cast = cast
        self.connection = Connection.objects.create(
            slug="orders", kind="api", name="Orders", organization=cast.beiyuan, created_at=BEGAN
        )
        self.follow(BOOK, date(2020, 1, 1))
        for number in range(days):
            self.worked(number)

    def follow(self, book: dict[str, Any], since: date) -> None:
        at = BEGAN + 11 * DAY
        publish(rulebook=book, organization=self.cast.beiyuan, in_force_date=since, by=EVERYTHING, now=at)

    def worked(self, day: int, key: str = "", **more: Any) -> None:
        at = BEGAN + day * DAY
        self.processed(key or f"day {day}", at, now=more.pop("now", at), **more)

    def cancelled(self, what: str, at: datetime) -> None:
        happening = Happening(
            "order.cancelled", f"cancel {what}", at, self.cast.identities["lin"].external_id, what, {}
        )
        record([happening], connection=self.connection, now=at)
        self.consider(at)

    def stands(self) -> tuple[list[tuple[str, str, int]], tuple[int, int]]:
        level = PersonLevel.objects.get(person=self.cast.lin)
        awards = Award.objects.order_by("happened_at", "event__key", "rule")
        return list(awards.values_list("event__key", "rule", "points")), (level.rank, level.points)


def test_a_new_event_reads_no_earlier_one(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Remembering(cast)
    read: list[int] = []

    def gathered(ids: Collection[int]) -> dict[int, Gathered]:
        read.extend(ids)
        return gather(ids)

    monkeypatch.setattr(consider, "gather", gathered)
    desk.worked(12)

    assert len(set(read)) == 1
    (_, level) = desk.stands()
    assert level == (1, 13 * 10 + 2 * 7 + 1)
    assert problems_of(cast.beiyuan.pk) == []


@pytest.mark.parametrize("change", ["late", "before another of its day", "other levels", "cancelled long after"])
def test_what_changes_the_past_is_as_if_nothing_had_been_kept(change: str, cast: Cast) -> None:
    desk = Remembering(cast)

    def changed() -> None:
        if change == "late":
            desk.worked(1, "late", now=BEGAN + 4 * DAY, lines=9)
        elif change == "before another of its day":
            desk.worked(12)
            desk.processed("earlier", BEGAN + 12 * DAY - timedelta(hours=1), now=BEGAN + 12 * DAY, lines=8)
        elif change == "other levels":
            book = {**BOOK, "levels": [{"name": "bronze", "at": 0}, {"name": "silver", "at": 500}]}
            desk.follow(book, (BEGAN + 13 * DAY).date())
        else:
            desk.cancelled("day 3", BEGAN + 12 * DAY)
        desk.worked(13)

    changed()
    kept = desk.stands()
    assert problems_of(cast.beiyuan.pk) == []
    KeptFold.objects.all().delete()
    desk.worked(14)
    KeptFold.objects.all().delete()

    assert [one for one in desk.stands()[0] if one[0] != "day 14"] == kept[0]


def test_a_kept_number_that_is_wrong_is_found(cast: Cast) -> None:
    Remembering(cast)
    row = KeptFold.objects.get()
    places = orjson.loads(row.places)
    places[-1]["level"][1] += 1
    KeptFold.objects.update(places=orjson.dumps(places).decode())

    (problem,) = problems_of(cast.beiyuan.pk)
    assert problem.invariant == "I13"
