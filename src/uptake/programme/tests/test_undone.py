"""Events that undo others: found across people, before or after, in few queries whatever the history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cast import NOW, Cast
from uptake.directory.scope import EVERYTHING
from uptake.events.happening import Happening
from uptake.events.models import Batch, Connection
from uptake.events.record import record
from uptake.events.withdraw import withdraw
from uptake.programme.consider import consider_new_events
from uptake.programme.models import Award, ReversalMark
from uptake.programme.publish import publish
from uptake.programme.tests.world import RULES, Desk

pytestmark = pytest.mark.django_db(transaction=True)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
REVERSALS = [
    {"event": "order.cancelled", "undoes": ["order.processed"], "fraction": "part"},
    {"event": "order.restored", "undoes": ["order.cancelled"]},
    {"event": "invoice.void", "undoes": ["order.processed"], "same": "lines"},
]


class Undoing(Desk):
    def __init__(self, cast: Cast, **keys: Any) -> None:
        super().__init__(cast)
        self.change(cast, NOW + DAY, **keys)

    def change(self, cast: Cast, at: datetime, **keys: Any) -> None:
        publish(
            rulebook={"rules": RULES, "reversals": REVERSALS, **keys},
            organization=cast.beiyuan,
            in_force_date=(at + DAY).date(),
            by=EVERYTHING,
            now=at,
        )

    def said(
        self,
        name: str,
        key: str,
        thing: str,
        at: datetime,
        *,
        who: str = "hua",
        batch: Batch | None = None,
        **facts: Any,
    ) -> None:
        external = self.cast.identities[who].external_id if who in self.cast.identities else who
        happening = Happening(name, key, at, external, thing, facts)
        record([happening], connection=self.connection, now=at, batch=batch)
        self.consider(at)


def points(*keys: str) -> list[int]:
    found = dict(Award.objects.filter(event__key__in=keys).values_list("event__key", "points"))
    return [found[key] for key in keys]


LATER = NOW + 3 * DAY


def test_what_somebody_else_undoes_is_taken_back_and_restored(cast: Cast) -> None:
    desk = Undoing(cast)
    desk.processed("a", LATER, now=LATER)
    desk.said("order.cancelled", "x", "a", LATER + HOUR, who="nobody we know")
    gone = points("a")
    desk.said("order.restored", "y", "a", LATER + 2 * HOUR)

    assert gone == [0]
    assert points("a") == [10]


def test_what_undoes_may_come_first_and_names_a_fact(cast: Cast) -> None:
    desk = Undoing(cast)
    desk.said("invoice.void", "v", "", LATER + HOUR, lines=10)
    desk.processed("a", LATER, now=LATER + 2 * HOUR)
    desk.processed("b", LATER + 2 * HOUR, now=LATER + 2 * HOUR)

    assert points("a", "b") == [0, 10]


def test_a_part_scales_what_has_closed(cast: Cast) -> None:
    desk = Undoing(cast)
    desk.processed("a", LATER, now=LATER, lines=7)
    later = LATER + 40 * DAY
    desk.said("order.cancelled", "x", "a", later, part=0.5)
    once = points("a")
    desk.said("order.cancelled", "z", "a", later + DAY, part=0.5)

    assert once == [4]
    assert points("a") == [0]
    assert Award.objects.get(event__key="a").explanation["closed"]["points"] == 7


def test_an_undone_import_undoes_nothing(cast: Cast) -> None:
    desk = Undoing(cast)
    batch = Batch.objects.create(connection=desk.connection, label="cancelled", created_at=NOW)
    desk.processed("a", LATER, now=LATER)
    desk.said("order.cancelled", "x", "a", LATER + HOUR, batch=batch)
    gone = points("a")
    withdraw(batch=batch, by=EVERYTHING, now=LATER + 2 * HOUR)
    desk.consider(LATER + 2 * HOUR)

    assert gone == [0]
    assert points("a") == [10]


def test_events_that_came_before_the_rule_are_found(cast: Cast) -> None:
    desk = Desk(cast)
    desk.processed("a", NOW, now=NOW)
    desk = Undoing(cast)
    desk.said("order.cancelled", "x", "a", LATER)

    assert points("a") == [0]


def test_another_companys_event_undoes_nothing_here(cast: Cast) -> None:
    desk = Undoing(cast)
    desk.processed("a", LATER, now=LATER)
    theirs = Connection.objects.create(
        slug="theirs", kind="api", name="Theirs", organization=cast.qinghe, created_at=NOW
    )
    record([Happening("order.cancelled", "x", LATER + HOUR, "mo", "a", {})], connection=theirs, now=LATER + HOUR)
    desk.consider(LATER + HOUR)

    assert points("a") == [10]


def queries_of_one_more(desk: Undoing, number: int) -> Sequence[dict[str, str]]:
    at = LATER + 2 * DAY + number * HOUR
    desk.processed(f"one more {number}", at, now=at, consider=False)
    record([Happening("order.cancelled", f"x {number}", at, None, "old 1", {})], connection=desk.connection, now=at)
    with CaptureQueriesContext(connection) as seen:
        consider_new_events(now=at)
    return seen.captured_queries


def test_how_much_happened_before_asks_for_no_more_queries(cast: Cast) -> None:
    desk = Undoing(cast)
    for number in range(3):
        desk.processed(f"old {number}", LATER, now=LATER)
    few = queries_of_one_more(desk, 1)
    for number in range(3, 30):
        at = LATER + HOUR
        desk.processed(f"old {number}", at, now=at, consider=False)
        record(
            [Happening("order.cancelled", f"c {number}", at, None, f"old {number}", {})],
            connection=desk.connection,
            now=at,
        )
    desk.consider(LATER + DAY)
    many = queries_of_one_more(desk, 2)

    assert len(many) <= len(few)


def test_a_rulebook_without_reversals_keeps_no_marks(cast: Cast) -> None:
    desk = Desk(cast)
    desk.processed("a", NOW, now=NOW)

    assert not ReversalMark.objects.exists()
