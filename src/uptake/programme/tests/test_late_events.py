"""What late events earn is the same whether their date is folded whole or only what is left of its caps is asked."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from itertools import count
from typing import Any, NamedTuple
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.cast import NOW, Cast
from uptake.events.happening import Happening
from uptake.events.models import Connection
from uptake.events.record import record
from uptake.ledger.models import Account
from uptake.ledger.verify import verify
from uptake.programme import consider
from uptake.programme.consider import consider_new_events
from uptake.programme.gather import Bucket, UsedRow
from uptake.programme.models import Award
from uptake.programme.tests.world import Desk

pytestmark = pytest.mark.django_db(transaction=True)

RULES: list[dict[str, Any]] = [
    {
        "rule": "orders",
        "version": 1,
        "from": "2026-01-01",
        "on": "order.processed",
        "points": {"per": "lines", "each": 2},
        "cap": [{"points": 30, "every": "day"}],
    },
    {
        "rule": "diligence",
        "version": 1,
        "from": "2026-01-01",
        "on": ["order.processed", "order.checked"],
        "points": 3,
        "when": [{"fact": "lines", "op": "gte", "value": 4}],
        "cap": [{"times": 3, "every": "day"}, {"points": 8, "every": "day"}],
    },
]
CAME = (timedelta(days=1, hours=1), timedelta(days=21), timedelta(days=31))
"""How long after the first date three deliveries come: one in time, two when its awards stand already."""


class Late(NamedTuple):
    """One event of a person on one of two dates, and the delivery it comes with."""

    minute: int
    lines: int
    name: str
    tomorrow: bool
    history_only: bool
    delivery: int


events = st.lists(
    st.builds(
        Late,
        minute=st.integers(0, 5),
        lines=st.integers(0, 40),
        name=st.sampled_from(["order.processed", "order.checked"]),
        tomorrow=st.booleans(),
        history_only=st.integers(0, 7).map(lambda chance: chance == 0),
        delivery=st.integers(0, 2),
    ),
    min_size=1,
    max_size=10,
)
CUT = [Late(minute, 6, "order.processed", False, False, delivery=2) for minute in (5, 0)]
"""The later of two comes first: considered one by one, it would take what the earlier has a claim to."""
numbers = count()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=events, limit=st.integers(1, 6), at_once=st.booleans())
@example(told=CUT, limit=1, at_once=False)
def test_late_events_find_what_a_whole_refold_would_leave_them(
    cast: Cast, told: list[Late], limit: int, at_once: bool
) -> None:
    day = NOW - timedelta(days=120 - 2 * next(numbers))  # dates of its own for each world
    balances = {who: _available(cast, who) for who in ("lin", "hua")}

    short = _earned(cast, "lin", told, day, limit, at_once, nullcontext())
    whole = _earned(cast, "hua", told, day, limit, at_once, _always_refolding())

    assert short == whole
    grown = {who: _available(cast, who) - before for who, before in balances.items()}
    assert grown["lin"] == grown["hua"] == sum(points for points, *_ in short.values())
    assert verify().holds


def test_shortcut_is_taken(cast: Cast) -> None:
    """Or the comparison above would compare a refold with itself."""
    told = [Late(0, 20, "order.processed", False, False, delivery) for delivery in (0, 1, 2)]

    with patch.object(consider, "_refold", side_effect=AssertionError("A date was folded whole")):
        short = _earned(cast, "lin", told, NOW - timedelta(days=60), 10, False, nullcontext())

    assert [short[str(number), "orders"][0] for number in range(3)] == [10, 10, 10]


def _earned(
    cast: Cast,
    who: str,
    told: list[Late],
    day: datetime,
    limit: int,
    at_once: bool,
    how: AbstractContextManager[Any],
) -> dict[tuple[str, str], tuple[int, list[str], dict[str, Any]]]:
    """Tells the deliveries, and considers after each or only after the last; the awards by event and rule."""
    connection = _connection(cast)
    with how:
        for delivery, later in enumerate(CAME):
            now = day + later
            happenings = [
                Happening(
                    one.name,
                    f"{who} {day:%F} {number}",
                    day + timedelta(days=int(one.tomorrow), minutes=one.minute),
                    cast.identities[who].external_id,
                    facts={"lines": one.lines},
                    history_only=one.history_only,
                )
                for number, one in enumerate(told)
                if one.delivery == delivery
            ]
            fates = record(happenings, connection=connection, now=now)
            assert all(fate.fate == "new" for fate in fates)
            if not at_once or delivery == 2:
                while consider_new_events(now=now + timedelta(hours=1), limit=limit):
                    pass
    rows = Award.objects.filter(person=cast.people()[who], event__key__startswith=f"{who} {day:%F} ")
    return {
        (key.split()[-1], rule): (points, reasons, explanation)
        for key, rule, points, reasons, explanation in rows.values_list(
            "event__key", "rule", "points", "reasons", "explanation"
        )
    }


def _always_refolding() -> AbstractContextManager[Any]:
    """Every date is folded whole: nothing counts as settled, and an award of the far future stands everywhere."""
    plain = consider._consider

    def unsettled(ids: Any, **how: Any) -> None:
        plain(ids, **{**how, "settled": False})

    def taken(buckets: Any) -> dict[Bucket, list[UsedRow]]:
        return {bucket: [UsedRow("", 0, 0, NOW + timedelta(days=999))] for bucket in buckets}

    return patch.multiple(consider, _consider=unsettled, used_in=taken)


def _connection(cast: Cast) -> Connection:
    """Nothing is too late for it, as for an import that earns."""
    if not Connection.objects.filter(slug="orders").exists():
        Desk(cast, RULES)
    Connection.objects.filter(slug="orders").update(lateness_days=32767)
    return Connection.objects.get(slug="orders")


def _available(cast: Cast, who: str) -> int:
    code = f"person/{cast.people()[who].pk}/available"
    return sum(Account.objects.filter(book=cast.beiyuan.pk, code=code).values_list("balance", flat=True))
