"""Readers follow a bookmark and never pass an event that is not visible yet."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection as database
from django.db import connections, transaction

from tests.cast import NOW, Cast, build_cast
from uptake.directory.scope import EVERYTHING
from uptake.events.decide import accept
from uptake.events.models import Connection, Event
from uptake.events.read import START, Position, corrections_after, events_after, move_bookmark, positions_of, waiting
from uptake.events.record import record
from uptake.events.tests.world import connection_of, said


def read_all(position: Position, limit: int = 2) -> tuple[list[str], Position]:
    keys = []
    while page := list(events_after(position, limit=limit)):
        keys += [one.key for one in page]
        position = Position(page[-1].txid, page[-1].id)
    return keys, position


@pytest.mark.django_db(transaction=True)
def test_every_event_is_read_once_in_pages(transactional_cast: Cast) -> None:
    erp = connection_of(transactional_cast.beiyuan)
    record([said(f"{n}") for n in range(5)], connection=erp, now=NOW)
    record([said("late", at=NOW.replace(year=2027))], connection=erp, now=NOW)
    keys, position = read_all(START)
    assert keys == ["0", "1", "2", "3", "4", "late"]
    move_bookmark("programme", events=position, now=NOW)
    assert positions_of("programme") == (position, START)
    assert waiting("programme") == 0
    accept(event=Event.objects.get(key="late"), by=EVERYTHING, now=NOW)
    record([said("more")], connection=erp, now=NOW)
    assert waiting("programme") == 1
    assert read_all(position)[0] == ["more"]
    [correction] = corrections_after(START, limit=10)
    assert correction.kind == "accepted"
    assert not corrections_after(Position(correction.txid, correction.id), limit=10)


@pytest.mark.django_db(transaction=True)
def test_an_open_transaction_is_waited_for_and_nothing_is_skipped(transactional_cast: Cast) -> None:
    if database.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time; the gap is PostgreSQL's")
    erp = connection_of(transactional_cast.beiyuan)
    written, go_on = threading.Event(), threading.Event()

    def slow_sender() -> None:
        try:
            with transaction.atomic():
                record([said("slow")], connection=Connection.objects.get(pk=erp.pk), now=NOW)
                written.set()
                go_on.wait(30)
        finally:
            connections.close_all()

    record([said("before")], connection=erp, now=NOW)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(slow_sender)
        assert written.wait(30)
        record([said("after")], connection=erp, now=NOW)
        first, position = read_all(START)
        go_on.set()
        slow.result()
    rest, _position = read_all(position)
    slow_id, after_id = (Event.objects.get(key=key).pk for key in ("slow", "after"))
    assert slow_id < after_id, "the slow sender took its id first: a reader by id would have passed it"
    assert first == ["before"]
    assert rest == ["slow", "after"]


@pytest.mark.django_db(transaction=True)
def test_readers_beside_many_writers_see_everything_once(transactional_cast: Cast) -> None:
    erp = connection_of(transactional_cast.beiyuan)
    writers, each = (6, 15) if database.vendor == "postgresql" else (2, 10)
    done = threading.Event()

    def write(number: int) -> None:
        try:
            mine = Connection.objects.get(pk=erp.pk)
            for turn in range(each):
                record([said(f"{number}-{turn}-{n}") for n in range(3)], connection=mine, now=NOW)
        finally:
            connections.close_all()

    def read() -> list[str]:
        keys: list[str] = []
        position = START
        try:
            while True:
                last_turn = done.is_set()
                more, position = read_all(position, limit=7)
                keys += more
                if last_turn:
                    return keys
        finally:
            connections.close_all()

    with ThreadPoolExecutor(writers + 1) as pool:
        reading = pool.submit(read)
        for writing in [pool.submit(write, number) for number in range(writers)]:
            writing.result()
        done.set()
        keys = reading.result()
    assert len(keys) == len(set(keys)) == writers * each * 3


@pytest.fixture
def transactional_cast(transactional_db: None) -> Cast:
    return build_cast()
