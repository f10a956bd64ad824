"""Points are granted: available or pending, to a new lot or an old one, once per key, debt first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.db import IntegrityError

from uptake.ledger.balances import Lifetime, Points, entries_by_key, lifetime_of, points_of, totals
from uptake.ledger.grant import Taking, grant, granting, take_back
from uptake.ledger.models import Account, Entry, Lot, Transfer
from uptake.ledger.post import KeyConflict, NotEnoughPoints
from uptake.ledger.tests.world import BEIYUAN, HUA, LIN, QINGHE, a_grant, assert_ledger_holds, at, earns, loses, points
from uptake.ledger.tests.world import holds as lin_holds
from uptake.ledger.tests.world import settles as lin_settles

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("given", "day", "then"),
    [
        pytest.param({}, 0, Points(available=10), id="available at once"),
        pytest.param({"ready": 3}, 2, Points(pending=10), id="pending before its day"),
        pytest.param({"ready": 3}, 3, Points(available=10), id="available on its day though no job ran"),
        pytest.param({"last": 5}, 5, Points(available=10), id="usable through the last date"),
        pytest.param({"last": 5}, 6, Points(), id="gone the day after though no job ran"),
        pytest.param({"ready": 3, "last": 5}, 6, Points(), id="matured and expired unseen"),
    ],
)
def test_a_lot_is_pending_available_or_expired_by_its_dates(given: dict[str, Any], day: int, then: Points) -> None:
    earns("a", 10, **given)
    assert points(day) == then
    assert_ledger_holds()


def test_a_batch_grants_to_many_people_in_two_books_and_only_there() -> None:
    grants = [a_grant(f"a{n}", n + 1, owner=f"p{n % 3}", book=(BEIYUAN, QINGHE)[n % 2]) for n in range(12)]

    results = grant(grants, now=at(0))

    assert [result.points for result in results] == list(range(1, 13))
    assert totals(book=BEIYUAN).issued == 36
    assert totals(book=QINGHE).issued == 42
    answer = points_of(book=BEIYUAN, owners=["p0", "p1", "p2", "nobody"], now=at(0))
    assert {owner: found.available for owner, found in answer.items()} == {"p0": 8, "p1": 16, "p2": 12, "nobody": 0}
    assert_ledger_holds()


@pytest.mark.parametrize("expected", [1, 9])
def test_new_lots_are_granted_part_after_part_as_they_are_together(expected: int) -> None:
    loses_more_than_there_is = Taking(book=BEIYUAN, key="back", lot="old", points=10, cause="event/2")
    earns("old", 10)
    lin_holds("r", 6)
    take_back([loses_more_than_there_is], now=at(0))
    parts = [[a_grant("a", 10), a_grant("b", 5, owner=HUA)], [a_grant("q", 3, book=QINGHE)], [a_grant("c", 1)]]

    with granting({(BEIYUAN, LIN), (BEIYUAN, HUA), (QINGHE, LIN)}, lots=expected, now=at(1)) as grant_new:
        for part in parts:
            grant_new(part)

    assert points(1) == Points(available=5, held=6), "6 pay what Lin owes"
    assert points_of(book=BEIYUAN, owners=[HUA], now=at(1))[HUA].available == 5
    assert totals(book=QINGHE).issued == 3
    assert [again.replayed for again in grant([item for part in parts for item in part], now=at(2))] == [True] * 4
    assert_ledger_holds()


def test_what_is_there_is_refused_where_only_new_lots_are_granted() -> None:
    earns("a", 10)

    with pytest.raises(IntegrityError), granting({(BEIYUAN, LIN)}, lots=1, now=at(1)) as grant_new:
        grant_new([a_grant("a", 10)])

    assert points(1).available == 10
    assert_ledger_holds()


def test_the_same_key_with_the_same_content_is_granted_once_in_a_batch_and_later() -> None:
    first = grant([a_grant("a", 10), a_grant("a", 10), a_grant("b", 5)], now=at(0))
    later = replace(a_grant("a", 10), available_from=at(4), happened_at=at(4), explanation={"n": 1})

    again = grant([later], now=at(4))

    assert [result.replayed for result in first] == [False, True, False]
    assert again[0].replayed
    assert points(4).available == 15
    assert Transfer.objects.count() == 2


@pytest.mark.parametrize("changed", [{"points": 11}, {"owner": HUA}, {"cause": "event/9"}, {"lot": "z"}])
@pytest.mark.parametrize("in_one_batch", [True, False])
def test_the_same_key_with_other_content_is_refused_and_nothing_is_written(
    changed: dict[str, Any], in_one_batch: bool
) -> None:
    other = replace(a_grant("a", 10), **changed)
    if not in_one_batch:
        earns("a", 10)
    before = Entry.objects.count()

    with pytest.raises(KeyConflict):
        grant([a_grant("b", 1), *([a_grant("a", 10)] if in_one_batch else []), other], now=at(0))

    assert Entry.objects.count() == before


def test_one_key_may_stand_in_two_books() -> None:
    grant([a_grant("a", 1), a_grant("a", 2, book=QINGHE)], now=at(0))

    assert totals(book=QINGHE).available == 2
    assert_ledger_holds()


def test_debt_is_paid_before_anything_becomes_available() -> None:
    earns("a", 100)
    lin_holds("r", 80)
    lin_settles("r")
    loses("a", 100)
    assert points() == Points(debt=80)

    grant([a_grant("b", 50), a_grant("c", 50)], now=at(1))

    assert points(1) == Points(available=20)
    assert lifetime_of(book=BEIYUAN, owners=[LIN], now=at(1))[LIN] == Lifetime(200, 100, 80, 0)
    assert_ledger_holds()


def test_pending_points_pay_debt_only_when_they_mature() -> None:
    earns("a", 30)
    lin_holds("r", 30)
    lin_settles("r")
    loses("a", 30)

    earns("b", 50, ready=4)

    assert points(3) == Points(pending=50, debt=30)
    assert points(4) == Points(available=20)


def test_an_increase_keeps_the_dates_of_its_lot() -> None:
    earns("a", 10, last=5)

    earns("a", 7, key="a+", last=90)

    lot = Lot.objects.get(key="a")
    assert (lot.amount, lot.last_date) == (17, a_grant("a", 1, last=5).last_date)
    assert points(6) == Points()


def test_an_increase_of_an_expired_lot_expires_at_once_and_pays_no_debt() -> None:
    earns("old", 10, last=2)
    earns("b", 5)
    lin_holds("r", 15)
    lin_settles("r")
    loses("b", 5)

    earns("old", 4, key="old+", now=at(3))

    assert points(3) == Points(debt=5)
    assert totals(book=BEIYUAN).expired == 4
    assert_ledger_holds()


def test_a_budget_pays_until_it_is_empty() -> None:
    from uptake.ledger.move import move

    move(book=BEIYUAN, key="f", source="programme/issued", target="budget/3", points=30, cause="request/1", now=at(0))
    earns("s", 20, paid_from="budget/3")

    with pytest.raises(NotEnoughPoints) as refusal:
        earns("t", 20, paid_from="budget/3")

    assert (refusal.value.has, refusal.value.needs) == (10, 20)
    assert points().available == 20
    loses("s", 20, paid_to="budget/3")
    assert totals(book=BEIYUAN).budgets == 30
    assert_ledger_holds()


def test_a_grant_tells_its_cause_and_its_explanation() -> None:
    earns("a", 10, explanation={"rule": "orders", "factors": ["1.5", 2], "cap": None}, reason="award")

    entry = entries_by_key(book=BEIYUAN, keys=["a"])["a"]

    assert (entry.reason, entry.cause, entry.points, entry.lot) == ("award", "event/1", 10, "a")
    assert entry.explanation == {"rule": "orders", "factors": ["1.5", 2], "cap": None}
    assert [(part.source, part.target, part.amount) for part in entry.parts] == [
        ("programme/issued", "person/lin/available", 10)
    ]


def test_an_explanation_with_a_binary_float_is_refused() -> None:
    with pytest.raises(TypeError):
        earns("a", 10, explanation={"factor": 1.5})


def test_the_issuing_account_is_never_written_to(django_assert_num_queries: Any) -> None:
    earns("a", 10)
    grants = [a_grant(f"b{n}", 1, owner=f"p{n}") for n in range(300)]

    with django_assert_num_queries(20, exact=False):
        grant(grants, now=at(0))

    assert Account.objects.get(code="programme/issued").balance == 0


def test_ledger_time_never_goes_back() -> None:
    earns("a", 1, day=5)
    earns("b", 1, day=3, now=at(3))
    earns("c", 1, day=5)

    posted = list(Transfer.objects.order_by("seq").values_list("posted_at", flat=True))

    assert posted == sorted(set(posted))
    assert posted[0] == at(5)
    assert_ledger_holds()


AWKWARD = ["tab\there", "line\nline\r\nline", "back\\slash \\N \\.", "\\N", "quote ' \" and 点", "\u2028 end"]


@pytest.mark.parametrize("text", AWKWARD)
def test_texts_are_kept_as_they_are(text: str) -> None:
    told = {text: text, "inside": [{"again": text}]}

    grant([a_grant("a", 10), a_grant("b", 10, reason=text, cause=text, source=text, explanation=told)], now=at(0))

    lot = Lot.objects.get(key="b")
    transfer = Transfer.objects.get(lot=lot)
    assert (lot.source, transfer.reason, transfer.cause, transfer.explanation) == (text, text, text, told)
    assert_ledger_holds()


def test_points_earned_in_the_moment_in_which_others_come_back_to_a_lot_that_expired() -> None:
    earns("a", 10, last=5)
    lin_holds("request", 4, out=8)

    earns("b", 7, day=10)  # the hold timed out on day 8: its points live on in a lot of their own, made just now

    assert points(10).available == 11
    assert_ledger_holds()
