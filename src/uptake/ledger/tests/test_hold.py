"""Points are reserved for a redemption and the reservation ends once: settled, released, timed out; and refunded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from uptake.ledger.balances import Points, entries_of, expiring_of, lifetime_of, totals
from uptake.ledger.hold import AlreadyResolved, InDebt, MoreThanHeld, NotSettled, UnknownHold
from uptake.ledger.models import Hold, Lot
from uptake.ledger.post import KeyConflict, NotEnoughPoints
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
    refunds,
    releases,
    settles,
)

pytestmark = pytest.mark.django_db


def expiring(day: int) -> list[tuple[int, int]]:
    """(last day, points) of Lin's unspent lots that expire."""
    found = expiring_of(book=BEIYUAN, owners=[LIN], now=at(day))[LIN]
    return [((last - DAY_0).days, unspent) for last, unspent in found]


def test_a_hold_draws_lots_in_spend_order() -> None:
    earns("never", 5)
    earns("later", 5, last=20)
    earns("soon", 5, last=9)
    earns("soon-but-newer", 5, last=9, day=1)

    holds("r", 12, day=1)

    held = dict(Lot.objects.values_list("key", "held"))
    assert held == {"soon": 5, "soon-but-newer": 5, "later": 2, "never": 0}
    assert points(1) == Points(available=8, held=12)
    assert_ledger_holds()


@pytest.mark.parametrize(
    ("part", "then"),
    [
        pytest.param(None, Points(available=2), id="whole"),
        pytest.param(3, Points(available=7), id="a part, the rest goes back"),
        pytest.param(0, Points(available=10), id="nothing, all goes back"),
    ],
)
def test_a_hold_is_settled(part: int | None, then: Points) -> None:
    earns("a", 10)
    holds("r", 8)

    settles("r", part)

    assert points() == then
    assert totals(book=BEIYUAN).redeemed == 10 - then.available
    assert_ledger_holds()


def test_more_than_held_is_not_settled() -> None:
    earns("a", 10)
    holds("r", 4)

    with pytest.raises(MoreThanHeld):
        settles("r", 5)

    assert points() == Points(available=6, held=4)


@pytest.mark.parametrize(
    ("day", "asked", "refusal"),
    [
        pytest.param(0, 11, NotEnoughPoints, id="more than available"),
        pytest.param(6, 10, NotEnoughPoints, id="expired since, though no job ran"),
    ],
)
def test_points_one_does_not_have_are_not_held(day: int, asked: int, refusal: type[Exception]) -> None:
    earns("a", 5)
    earns("b", 5, last=5)
    earns("c", 90, ready=30)

    with pytest.raises(refusal):
        holds("r", asked, day=day)

    assert not Hold.objects.exists()


def test_whoever_owes_points_holds_none() -> None:
    earns("a", 5)
    holds("r", 5)
    settles("r")
    loses("a", 5)

    with pytest.raises(InDebt):
        holds("s", 0)


@pytest.mark.parametrize("first", [settles, releases], ids=["settled", "released"])
@pytest.mark.parametrize("second", [settles, releases], ids=["settle", "release"])
def test_a_hold_ends_once(first: Callable[..., Any], second: Callable[..., Any]) -> None:
    earns("a", 5)
    holds("r", 5)
    first("r", key="one")
    before = points()

    with pytest.raises(AlreadyResolved):
        second("r", key="two")

    assert points() == before
    assert_ledger_holds()


def test_a_hold_that_timed_out_is_not_settled_any_more_though_no_job_ran() -> None:
    earns("a", 5)
    holds("r", 5, out=14)

    assert points(13) == Points(held=5)
    with pytest.raises(AlreadyResolved):
        settles("r", day=14)

    assert points(14) == Points(available=5)


def test_what_returns_to_an_expired_lot_lives_seven_more_days() -> None:
    earns("a", 10, last=10)
    holds("r", 6, day=9)

    releases("r", day=14)

    assert points(14) == Points(available=6)
    assert lifetime_of(book=BEIYUAN, owners=[LIN], now=at(14))[LIN].expired == 4
    assert expiring(14) == [(21, 6)]
    assert points(22) == Points()
    assert_ledger_holds()


def test_what_returns_in_time_keeps_its_own_last_date() -> None:
    earns("a", 10, last=10)
    holds("r", 6, day=9)

    releases("r", day=10)

    assert expiring(10) == [(10, 10)]


def test_a_timed_out_hold_returns_with_grace_at_its_own_instant_however_late_one_looks() -> None:
    earns("a", 10, last=10)
    holds("r", 6, day=9, out=15)

    assert expiring(15) == [(22, 6)]
    assert expiring(19) == [(22, 6)]
    assert points(23) == Points()


def test_a_refund_restores_the_same_lots_or_gives_thirty_days() -> None:
    earns("never", 5)
    earns("soon", 5, last=9)
    holds("r", 8)
    settles("r", day=2)

    refunds("r", day=12)

    assert points(12) == Points(available=10)
    assert expiring(12) == [(42, 5)]
    assert totals(book=BEIYUAN).redeemed == 0
    assert_ledger_holds()


def test_a_refund_of_a_part_settled_gives_back_that_part_only() -> None:
    earns("a", 10)
    holds("r", 8)
    settles("r", 3)

    assert refunds("r").points == 3

    assert points() == Points(available=10)
    assert_ledger_holds()


def test_only_what_was_settled_is_refunded_and_once() -> None:
    earns("a", 10)
    holds("open", 1)
    holds("released", 1)
    releases("released")
    holds("settled", 1)
    settles("settled")
    refunds("settled", key="one")

    for key, refusal in [("open", NotSettled), ("released", NotSettled), ("settled", AlreadyResolved)]:
        with pytest.raises(refusal):
            refunds(key, key=f"two-{key}")

    assert_ledger_holds()


def test_what_comes_back_pays_debt_first() -> None:
    earns("a", 10)
    holds("r", 10)
    loses("a", 7)

    releases("r")

    assert points() == Points(available=3)
    assert_ledger_holds()


def test_what_nobody_held_is_unknown() -> None:
    for deed in (settles, releases, refunds):
        with pytest.raises(UnknownHold):
            deed("nowhere")


def test_every_deed_on_a_hold_is_done_once_per_key() -> None:
    earns("a", 10)
    earns("b", 10, owner=HUA)

    for _ in range(2):
        holds("r", 6)
        settles("r", 4, day=1)
        refunds("r", day=2)

    assert points(2) == Points(available=10)
    assert [entry.kind for entry in entries_of(book=BEIYUAN, owner=LIN)] == ["refunded", "settled", "held", "granted"]
    with pytest.raises(KeyConflict):
        holds("r", 5)
    with pytest.raises(KeyConflict):
        holds("r", 6, owner=HUA)
    with pytest.raises(KeyConflict):
        settles("r", 5)
    assert settles("r", 4, day=30).replayed
