"""How often the database is asked for one event, when events come in batches: the budget is six times."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cast import NOW, Cast
from uptake.directory.scope import EVERYTHING
from uptake.events.happening import Happening
from uptake.events.models import Connection
from uptake.events.record import record
from uptake.programme.consider import consider_new_events
from uptake.programme.publish import publish

pytestmark = pytest.mark.django_db(transaction=True)

BUDGET = 6
BATCH = 20


def rulebook(rules: int, *, everything: bool = False) -> dict[str, Any]:
    found: list[dict[str, Any]] = [
        {
            "rule": f"rule {number}", "version": 1, "from": "2026-01-01", "on": "order.processed", "points": 1 + number,
            "cap": [{"times": 9, "every": "day"}],
        }
        for number in range(rules)
    ]  # fmt: skip
    if not everything:
        return {"rules": found}
    found[0] |= {"streak": {"every": "day", "length": 3}}
    return {
        "rules": found,
        "reversals": [{"event": "order.cancelled", "undoes": ["order.processed"]}],
        "levels": [{"name": "bronze", "at": 10}, {"name": "silver", "at": 100}],
    }


@pytest.mark.parametrize("everything", [False, True], ids=["plain", "levels, a streak and reversals"])
def test_round_trips_for_an_event_depend_neither_on_rules_nor_on_history(cast: Cast, everything: bool) -> None:
    desk = Connection.objects.create(
        slug="orders", kind="api", name="Orders", organization=cast.beiyuan, created_at=NOW
    )
    told = 0

    def trips(at: Any, count: int) -> int:
        nonlocal told
        happenings = []
        for number in range(count):
            told += 1
            who = cast.identities[("lin", "hua", "ke")[number % 3]].external_id
            happenings.append(Happening("order.processed", f"o{told}", at + timedelta(minutes=number), who, f"O{told}"))
        with CaptureQueriesContext(connection) as asked:
            record(happenings, connection=desk, now=at + timedelta(hours=1))
            consider_new_events(now=at + timedelta(hours=1))
        return len(asked)

    begin: dict[str, Any] = {"organization": cast.beiyuan, "by": EVERYTHING, "now": NOW}
    publish(rulebook=rulebook(2, everything=everything), in_force_date=date(2020, 1, 1), **begin)
    trips(NOW, BATCH)
    two_rules = trips(NOW + timedelta(hours=2), BATCH)
    after = NOW + timedelta(days=1)
    publish(rulebook=rulebook(10, everything=everything), in_force_date=after.date(), **begin)
    trips(after, BATCH)
    ten_rules = trips(after + timedelta(hours=2), BATCH)
    for day in range(2, 7):
        trips(NOW + timedelta(days=day), 40)
    with_history = trips(NOW + timedelta(days=7), BATCH)

    assert max(two_rules, ten_rules, with_history) <= BUDGET * BATCH
    assert ten_rules <= two_rules + BATCH // 2, "not more for each rule"
    assert with_history <= ten_rules + BATCH // 2, "not more with history"
