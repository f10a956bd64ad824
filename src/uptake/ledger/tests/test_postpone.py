"""Lots that expire by inactivity live on with the deeds of their owner, whenever these come to be known."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import permutations
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from uptake.ledger.balances import expiring_of, lifetime_of
from uptake.ledger.elapse import expire
from uptake.ledger.models import Entry, Lot
from uptake.ledger.postpone import Active, postpone
from uptake.ledger.tests.world import (
    BEIYUAN,
    DAY_0,
    HUA,
    LIN,
    assert_ledger_holds,
    at,
    earns,
    holds,
    loses,
    points,
    settles,
    start,
)
from uptake.ledger.verify import verify

pytestmark = pytest.mark.django_db


def run(first: int, last: int | None = None, *, days: int = 7, owner: str = LIN) -> Active:
    """A run of days on which the owner did something."""
    end = DAY_0 + timedelta(days=(first if last is None else last) + days)
    begin = DAY_0 + timedelta(days=first)
    return Active(BEIYUAN, owner, days, begin, end, start((end - DAY_0).days + 1), "event/9")


def staying(lot: str, given: int, **more: Any) -> None:
    """A grant whose lot lives seven days after the last deed."""
    day = more.get("day", 0)
    earns(lot, given, last=day + 7, inactive_days=7, **more)


def dates() -> dict[str, date | None]:
    return dict(Lot.objects.values_list("key", "last_date"))


def day_of(number: int) -> date:
    return DAY_0 + timedelta(days=number)


def test_a_deed_by_the_last_date_postpones_and_one_after_it_does_not() -> None:
    staying("a", 10)
    staying("b", 5, day=3)
    earns("fixed", 1, last=7)

    assert postpone([run(8)], now=at(8)) == 1  # b was alive on day 8, a was not
    assert dates() == {"a": day_of(7), "b": day_of(15), "fixed": day_of(7)}
    assert postpone([run(8)], now=at(8)) == 0
    assert points(8).available == 5


def test_only_lots_of_the_same_owner_and_policy_live_on() -> None:
    staying("mine", 10)
    staying("hers", 10, owner=HUA)
    earns("longer", 10, last=30, inactive_days=30)

    postpone([run(5)], now=at(5))

    assert dates() == {"mine": day_of(12), "hers": day_of(7), "longer": day_of(30)}


def test_a_run_is_many_deeds_at_once() -> None:
    staying("a", 10)

    postpone([run(2, 20)], now=at(20))

    assert dates() == {"a": day_of(27)}
    assert expiring_of(book=BEIYUAN, owners=[LIN], now=at(20)) == {LIN: [(day_of(27), 10)]}


@pytest.mark.parametrize("order", list(permutations((5, 12, 18))))
def test_the_order_in_which_deeds_come_to_be_known_does_not_matter(order: tuple[int, ...]) -> None:
    """All of them are told again with those that were known before, as their reader does."""
    staying("a", 10)
    known: list[int] = []
    while expire(now=at(19)):
        pass
    for one in order:
        known.append(one)
        runs: list[Active] = []
        for day in sorted(known):
            if runs and day_of(day) <= runs[-1].last_date:
                runs[-1] = run((runs[-1].first - DAY_0).days, day)
            else:
                runs.append(run(day))
        postpone(runs, now=at(19))

    assert dates() == {"a": day_of(25)}
    assert points(19).available == 10
    assert lifetime_of(book=BEIYUAN, owners=[LIN], now=at(19))[LIN].expired == 0
    assert_ledger_holds()


def test_points_that_a_late_deed_makes_valid_again_are_on_record_and_may_expire_again() -> None:
    staying("a", 10)
    while expire(now=at(9)):
        pass
    assert points(9).available == 0

    postpone([run(6)], now=at(9))
    assert points(9).available == 10
    (entry,) = Entry.objects.filter(kind="revived")
    assert (entry.points, entry.cause, entry.owner) == (10, "event/9", LIN)

    while expire(now=at(14)):
        pass
    assert points(14).available == 0
    assert Entry.objects.filter(kind="expired").count() == 2
    assert_ledger_holds()


def test_what_comes_alive_pays_debt_first_and_leaves_what_was_taken_back() -> None:
    staying("a", 10)
    earns("spent", 6, last=2)
    holds("h", 6, day=1)
    settles("h", day=1)
    while expire(now=at(9)):
        pass
    loses("a", 3, day=9)  # had expired: nothing moves
    loses("spent", 6, day=9)

    assert points(9).debt == 6
    postpone([run(7)], now=at(9))

    assert (points(9).available, points(9).debt) == (1, 0)
    assert Lot.objects.get(key="a").expired == 3
    assert_ledger_holds()


def test_a_lot_that_is_due_and_was_not_expired_yet_is_moved_without_a_trace() -> None:
    staying("a", 10)

    postpone([run(6)], now=at(9))

    assert not Entry.objects.filter(kind__in=("expired", "revived")).exists()
    assert points(9).available == 10


@pytest.mark.parametrize(
    "change",
    [
        "last_date = '2026-06-02', expires_at = '2026-06-03 00:00:00+00'",  # shorter
        "inactive_days = 9",
        "inactive_days = NULL",
        "last_date = NULL, expires_at = NULL",
    ],
)
def test_the_database_refuses_to_shorten_a_lot_or_to_change_its_policy(change: str) -> None:
    staying("a", 10)

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE ledger_lot SET {change}")


def test_the_database_refuses_to_lengthen_a_lot_that_has_its_date_for_good() -> None:
    earns("a", 10, last=7)

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_lot SET last_date = '2026-07-02', expires_at = '2026-07-03 00:00:00+00'")


def test_verify_finds_points_that_expired_too_early() -> None:
    staying("a", 10)
    while expire(now=at(9)):
        pass
    Lot.objects.update(last_date=day_of(20), expires_at=start(21))  # as no door would do it

    assert [(one.invariant, one.what) for one in verify().problems] == [
        ("I6", "Lot a expired before its last date was over")
    ]


def test_one_statement_whatever_the_number_of_lots(django_assert_num_queries: Any) -> None:
    for number in range(20):
        staying(f"lot-{number}", 1)

    with django_assert_num_queries(4):  # the savepoint, the head, the lots, the savepoint's end
        postpone([run(5)], now=at(5))
