"""Points are taken back: from their own lot, its expired part, other lots in spend order, and then as debt."""

from __future__ import annotations

from typing import Any

import pytest

from uptake.ledger.balances import Points, entries_of, totals
from uptake.ledger.grant import MoreThanGranted, Taking, take_back
from uptake.ledger.models import Lot
from uptake.ledger.post import KeyConflict, UnknownLot
from uptake.ledger.tests.world import (
    BEIYUAN,
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


def spent(n: int, day: int = 0) -> None:
    holds(f"spend{n}{day}", n, day=day)
    settles(f"spend{n}{day}", day=day)


@pytest.mark.parametrize(
    ("world", "asked", "found", "left"),
    [
        pytest.param([("a", 10, {})], 4, (4, 0, 0, 0), Points(available=6), id="own lot"),
        pytest.param([("a", 10, {"ready": 9})], 4, (4, 0, 0, 0), Points(pending=6), id="own lot while pending"),
        pytest.param([("a", 10, {"last": 3})], 4, (0, 4, 0, 0), Points(), id="expired: nothing moves"),
        pytest.param(
            [("a", 10, {"last": 3}), ("b", 5, {})], 10, (0, 10, 0, 0), Points(available=5), id="expired spares others"
        ),
        pytest.param(
            [("a", 10, {}), 10, ("b", 6, {}), ("c", 6, {"last": 30})],
            8,
            (0, 0, 8, 0),
            Points(available=4),
            id="other lots, earliest expiry first",
        ),
        pytest.param([("a", 10, {}), 10, ("b", 6, {})], 10, (0, 0, 6, 4), Points(debt=4), id="the rest is debt"),
        pytest.param(
            [("a", 10, {}), 10, ("b", 6, {"ready": 9})],
            10,
            (0, 0, 0, 10),
            Points(pending=6, debt=10),
            id="others' pending points are spared",
        ),
        pytest.param(
            [("a", 10, {"last": 3}), 6, ("b", 1, {})],
            10,
            (0, 4, 1, 5),
            Points(debt=5),
            id="expired, others and debt",
        ),
    ],
)
def test_points_are_taken_in_order(
    world: list[Any], asked: int, found: tuple[int, int, int, int], left: Points
) -> None:
    for step in world:
        if isinstance(step, int):
            spent(step)
        else:
            earns(step[0], step[1], **step[2])

    taken = loses("a", asked, day=5)

    assert (taken.own, taken.expired, taken.others, taken.debt) == found
    assert points(5) == left
    assert_ledger_holds()


def test_the_loss_falls_on_the_points_worth_least_to_keep() -> None:
    earns("a", 10)
    spent(10)
    earns("never", 5)
    earns("soon", 5, last=9)
    earns("later", 5, last=20)

    loses("a", 7, day=1)

    assert dict(Lot.objects.values_list("key", "available")) == {"a": 0, "never": 5, "soon": 0, "later": 3}


def test_held_points_are_not_touched() -> None:
    earns("a", 10)
    holds("r", 10)

    loses("a", 10)

    assert points() == Points(held=10, debt=10)
    releases("r")
    assert points() == Points()
    assert_ledger_holds()


def test_a_lot_is_taken_back_at_most_whole() -> None:
    earns("a", 10)
    loses("a", 4, key="x1")

    with pytest.raises(MoreThanGranted) as refusal:
        loses("a", 7, key="x2")

    assert (refusal.value.left, refusal.value.asked) == (6, 7)
    loses("a", 6, key="x3")
    with pytest.raises(MoreThanGranted):
        loses("a", 1, key="x4")
    earns("a", 3, key="again")
    loses("a", 3, key="x5")
    assert points() == Points()
    assert_ledger_holds()


def test_the_expired_part_answers_for_one_reversal_only() -> None:
    earns("a", 10, last=3)
    spent(6)

    first = loses("a", 3, day=5, key="x1")
    second = loses("a", 3, day=5, key="x2")

    assert (first.expired, first.debt) == (3, 0)
    assert (second.expired, second.debt) == (1, 2)
    assert_ledger_holds()


def test_the_same_key_takes_once_and_answers_the_same() -> None:
    earns("a", 10, last=3)
    earns("b", 1)
    spent(6)
    first = loses("a", 9, day=5)

    again = loses("a", 9, day=6)

    assert again.replayed
    assert (again.own, again.expired, again.others, again.debt) == (first.own, first.expired, first.others, first.debt)
    with pytest.raises(KeyConflict):
        loses("a", 8, day=6)


def test_a_batch_takes_back_in_the_order_given_or_not_at_all() -> None:
    earns("a", 10)
    earns("b", 10, owner=HUA)
    takings = [Taking(book=BEIYUAN, key=f"x-{lot}", lot=lot, points=4, cause="event/2") for lot in ("a", "b", "a")]

    results = take_back(takings, now=at(1))

    assert [result.replayed for result in results] == [False, False, True]
    with pytest.raises(UnknownLot):
        take_back(
            [
                Taking(book=BEIYUAN, key="y", lot="a", points=1, cause="event/3"),
                Taking(book=BEIYUAN, key="z", lot="nowhere", points=1, cause="event/3"),
            ],
            now=at(1),
        )
    assert (points(1).available, points(1, HUA).available) == (6, 6)


def test_a_take_back_of_expired_points_is_told_although_nothing_moved() -> None:
    earns("a", 10, last=3)

    loses("a", 10, day=5, explanation={"because": "cancelled"})

    newest = entries_of(book=BEIYUAN, owner=LIN)[0]
    assert (newest.kind, newest.points, newest.unmoved, newest.parts) == ("taken_back", 10, 10, ())
    assert newest.explanation == {"because": "cancelled"}
    assert totals(book=BEIYUAN).expired == 10


def test_points_that_paid_debt_are_owed_again_when_they_are_taken_back() -> None:
    earns("a", 30)
    spent(30)
    loses("a", 30)
    earns("b", 50)
    assert points() == Points(available=20)

    loses("b", 50)

    assert points() == Points(debt=30)
    refunds("spend300")
    assert points() == Points()
    assert_ledger_holds()


def test_a_grant_after_a_take_back_in_another_order_ends_the_same() -> None:
    earns("a", 10)
    spent(5)
    loses("a", 10)

    earns("b", 3)
    earns("c", 4)

    assert points() == Points(available=2)
