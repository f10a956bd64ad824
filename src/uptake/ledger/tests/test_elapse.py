"""What time alone does: each step once, at its own instant, however often and however late it is done."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module

import pytest
from django.db import connection

from uptake.ledger.balances import Points, entries_of, points_of
from uptake.ledger.elapse import expire, mature, time_out
from uptake.ledger.models import Deadline, Entry, Transfer
from uptake.ledger.tests.world import (
    BEIYUAN,
    HUA,
    LIN,
    assert_ledger_holds,
    at,
    earns,
    holds,
    points,
    releases,
    settles,
    start,
)

pytestmark = pytest.mark.django_db


def test_lots_mature_and_expire_at_their_boundary_though_the_job_is_late() -> None:
    earns("a", 10, ready=3, last=5)

    assert expire(now=at(20)) == 0, "nothing is available that could expire: maturing is first"
    mature(now=at(20))

    steps = [(entry.kind, entry.effective_at) for entry in entries_of(book=BEIYUAN, owner=LIN)]
    assert steps == [("expired", start(6)), ("matured", start(3)), ("granted", at(0))]
    assert_ledger_holds()


def test_what_was_done_is_not_done_again() -> None:
    earns("a", 10, ready=3, last=5)
    earns("b", 10, last=5, owner=HUA)
    for day in (4, 4, 6, 6, 7):
        mature(now=at(day))
        expire(now=at(day))
        time_out(now=at(day))

    assert Entry.objects.filter(kind="expired").count() == 2
    assert Entry.objects.filter(kind="matured").count() == 1
    assert_ledger_holds()


def test_before_the_boundary_nothing_happens_and_at_the_boundary_it_does() -> None:
    earns("a", 10, last=5)

    assert expire(now=start(6) - timedelta(microseconds=1)) == 0
    assert expire(now=start(6)) == 1
    assert points(6) == Points()


def test_the_jobs_go_through_everybody_in_pieces() -> None:
    for number in range(7):
        earns(f"a{number}", 10, owner=f"p{number}", last=2)

    pieces = [expire(now=at(3), limit=3) for _ in range(4)]

    assert pieces == [3, 3, 1, 0]


def test_holds_time_out_once() -> None:
    earns("a", 10)
    holds("r", 4, out=14)

    assert time_out(now=at(13)) == 0
    assert time_out(now=at(14)) == 1
    assert time_out(now=at(14)) == 0

    assert points(14) == Points(available=10)
    assert_ledger_holds()


def test_only_open_holds_that_time_out_are_awaited() -> None:
    earns("a", 10)
    for key, out in (("settled", 20), ("released", 20), ("late", 5), ("open", 20), ("endless", None)):
        holds(key, 1, out=out)
    settles("settled", day=1)
    releases("released", day=1)
    time_out(now=at(6))

    awaited = Deadline.objects.values_list("hold__key", "book", "owner", "at")

    assert list(awaited) == [("open", BEIYUAN, LIN, start(20))]
    assert_ledger_holds()

    # As of the day on which deadlines came to stand apart.
    Deadline.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(import_module("uptake.ledger.migrations.0004_deadlines_of_open_holds").OPEN)
    assert list(awaited.all()) == [("open", BEIYUAN, LIN, start(20))]
    assert time_out(now=at(20)) == 1


def test_looking_ahead_writes_nothing() -> None:
    earns("a", 10, ready=3, last=5)
    before = Transfer.objects.count()

    for day in range(8):
        points_of(book=BEIYUAN, owners=[LIN, HUA], now=at(day))

    assert Transfer.objects.count() == before


def test_at_one_instant_lots_mature_then_expire_then_holds_time_out() -> None:
    earns("a", 10, last=5)
    holds("r", 4, out=6)
    earns("b", 1, ready=6)

    time_out(now=start(6))

    kinds = [entry.kind for entry in entries_of(book=BEIYUAN, owner=LIN)][:3]
    assert kinds[::-1] == ["matured", "expired", "timed_out"]
    assert points(6) == Points(available=5), "what comes back to a lot that just expired has days of grace"
    assert_ledger_holds()
