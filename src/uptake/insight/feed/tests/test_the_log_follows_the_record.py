"""The activity log says what the record says: after new events, corrections, moves, crashes, and two refreshes at once.

The tests commit for real: on PostgreSQL a reader sees nothing of a transaction that is still open.
"""

from __future__ import annotations

import os
import random
import threading
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection as database

from tests.cast import NOW, Cast, build_cast
from uptake.activity import ask
from uptake.activity.summaries.people import people
from uptake.directory.models import Identity, Membership, PersonKind
from uptake.directory.scope import EVERYTHING
from uptake.events.connect import connect
from uptake.events.decide import accept, decline
from uptake.events.happening import Happening
from uptake.events.identify import identify
from uptake.events.models import Batch, Connection, Event, EventType, Quarantine
from uptake.events.record import record
from uptake.events.withdraw import withdraw
from uptake.insight.feed import refresh as feed
from uptake.insight.feed.check import check
from uptake.insight.feed.refresh import rebuild, refresh
from uptake.insight.feed.where import activity_log, store

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(transactional_db: None, settings: LazySettings, tmp_path: Path) -> Cast:
    """The cast, a connection of the park's, and a folder of our own for the log."""
    settings.DATA = tmp_path
    return build_cast()


@pytest.fixture
def erp(world: Cast) -> Connection:
    made = connect(organization=world.park, kind="api", name="ERP", slug="erp", by=EVERYTHING, now=NOW)
    return made[0] if isinstance(made, tuple) else made


def happening(key: str, *, person: str | None = "lin", at: datetime = NOW, **more: Any) -> Happening:
    more.setdefault("event", "order.processed")
    return Happening(key=key, at=at - timedelta(hours=1), person=person, **more)


def table() -> list[dict[str, Any]]:
    return activity_log().to_arrow().sort_by("event_id").to_pylist()


def right() -> None:
    found = check()
    assert found.right, found.examples


def known(erp: Connection, external_id: str) -> Identity:
    return Identity.objects.get(source=erp.slug, external_id=external_id)


def test_new_events_enter_and_reading_twice_adds_nothing(world: Cast, erp: Connection) -> None:
    record([happening("1", company="beiyuan"), happening("2", person=None, company="qinghe")], connection=erp, now=NOW)

    assert refresh(now=NOW) >= 2
    assert refresh(now=NOW) == 0

    assert [(row["person"] < 0, row["company"]) for row in table()] == [
        (True, world.beiyuan.pk),
        (False, world.qinghe.pk),
    ]
    right()


def test_an_unresolved_identity_is_nobody_until_it_is_given_a_person(world: Cast, erp: Connection) -> None:
    record([happening("1", company="beiyuan")], connection=erp, now=NOW)
    refresh(now=NOW)
    question = {"analysis": "pv_uv", "event_sel": {}}
    assert (ask(activity_log(), question)["total_pv"], ask(activity_log(), question)["total_uv"]) == (1, 0)

    identify(identity=known(erp, "lin"), person=world.lin, by=EVERYTHING, now=NOW)
    refresh(now=NOW)

    assert (ask(activity_log(), question)["total_pv"], ask(activity_log(), question)["total_uv"]) == (1, 1)
    assert table()[0]["department"] == world.purchasing.pk
    right()

    identify(identity=known(erp, "lin"), person=None, by=EVERYTHING, now=NOW)
    identify(identity=known(erp, "lin"), person=world.ke, by=EVERYTHING, now=NOW)
    refresh(now=NOW)

    assert [(row["person"], row["department"]) for row in table()] == [(world.ke.pk, world.finance.pk)]
    right()


def test_a_quarantined_event_waits_and_enters_when_it_is_accepted(world: Cast, erp: Connection) -> None:
    fates = record([happening("1", at=NOW + timedelta(days=40)), happening("2", at=NOW + timedelta(days=40))],
                   connection=erp, now=NOW)  # fmt: skip
    assert {fate.fate for fate in fates} == {"quarantined"}
    refresh(now=NOW)
    assert table() == []

    accept(event=Event.objects.get(pk=fates[0].event_id or 0), by=EVERYTHING, now=NOW)
    decline(event=Event.objects.get(pk=fates[1].event_id or 0), by=EVERYTHING, now=NOW)
    refresh(now=NOW)

    assert [row["event_id"] for row in table()] == [fates[0].event_id]
    right()


def test_an_undone_import_is_gone_and_what_it_had_superseded_stands_again(world: Cast, erp: Connection) -> None:
    batch = Batch.objects.create(connection=erp, created_at=NOW)
    first = record([happening("1", person="lin", facts={"amount": 1})], connection=erp, now=NOW)
    record([happening("2", person="hua"), happening("1", person="hua", facts={"amount": 2}, revision=2)],
           connection=erp, now=NOW, batch=batch)  # fmt: skip
    refresh(now=NOW)
    assert len(table()) == 2
    right()

    withdraw(batch=batch, by=EVERYTHING, now=NOW)
    refresh(now=NOW)

    assert [row["event_id"] for row in table()] == [first[0].event_id]
    right()


def test_a_new_revision_takes_the_place_of_the_old_one_also_with_another_person(world: Cast, erp: Connection) -> None:
    record([happening("1", person="lin", facts={"amount": 1})], connection=erp, now=NOW)
    refresh(now=NOW)
    record([happening("1", person="mo", facts={"amount": 2}, revision=2)], connection=erp, now=NOW)
    refresh(now=NOW)

    assert len(table()) == 1
    assert table()[0]["person"] == -known(erp, "mo").pk
    right()


def test_the_department_follows_the_memberships(world: Cast, erp: Connection) -> None:
    record([happening("1", company="beiyuan")], connection=erp, now=NOW)
    identify(identity=known(erp, "lin"), person=world.lin, by=EVERYTHING, now=NOW)
    refresh(now=NOW)
    assert table()[0]["department"] == world.purchasing.pk

    Membership.objects.filter(person=world.lin).update(organization=world.finance)
    refresh(now=NOW + timedelta(seconds=5))
    assert table()[0]["department"] == world.purchasing.pk, "it is looked at once a minute"
    refresh(now=NOW + timedelta(minutes=2))

    assert table()[0]["department"] == world.finance.pk
    right()


def test_machines_and_bookkeeping_are_no_activity(world: Cast, erp: Connection) -> None:
    record([happening("1"), happening("2", person="ke"), happening("3", person="ke", event="login.failed")],
           connection=erp, now=NOW)  # fmt: skip
    for name, who in (("lin", world.lin), ("ke", world.ke)):
        identify(identity=known(erp, name), person=who, by=EVERYTHING, now=NOW)
    refresh(now=NOW)
    assert _active() == {world.lin.pk: 1, world.ke.pk: 2}

    EventType.objects.update_or_create(name="login.failed", defaults={"counts_as_active": False, "created_at": NOW})
    world.lin.kind = PersonKind.MACHINE
    world.lin.save()
    refresh(now=NOW)

    assert _active() == {world.ke.pk: 1}


def _active() -> dict[int, int]:
    found = people(activity_log(), first=date(2026, 1, 1), last=date(2026, 12, 31))
    return {row.person: row.events for row in found.rows}


def test_declared_properties_have_columns_and_can_be_asked_about(world: Cast, erp: Connection) -> None:
    record([happening("1", facts={"amount": 5})], connection=erp, now=NOW)
    refresh(now=NOW)
    EventType.objects.update_or_create(
        name="order.processed", defaults={"properties": {"amount": {"type": "number"}}, "created_at": NOW}
    )
    record([happening("2", facts={"amount": 7.5}), happening("3", facts={"amount": 1})], connection=erp, now=NOW)
    refresh(now=NOW)
    where = [{"property": "amount", "op": "gte", "value": 5}]

    assert ask(activity_log(), {"analysis": "pv_uv", "event_sel": {"where": where}})["total_pv"] == 2
    right()
    rebuild(now=NOW)
    assert ask(activity_log(), {"analysis": "pv_uv", "event_sel": {"where": where}})["total_pv"] == 2
    assert not store().manifest().properties["amount"].spilled


@pytest.mark.parametrize("seed", range(6))
def test_step_by_step_is_the_same_as_made_again_after_any_history(
    world: Cast, erp: Connection, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Random happenings and corrections, refreshed now and then in small pages, against one rebuild."""
    monkeypatch.setattr(feed, "PAGE", 3)
    chance = random.Random(seed)
    cast = [*world.people().values(), None]
    batches = [Batch.objects.create(connection=erp, created_at=NOW) for _ in range(3)]
    now = NOW
    for step in range(30):
        now += timedelta(minutes=chance.choice([0, 0, 2]))
        kind = chance.choice(["record", "record", "identify", "decide", "withdraw", "move", "refresh"])
        if kind == "record":
            _record_some(chance, erp, batches, now)
        elif kind == "identify":
            _identify_one(chance, erp, cast, now)
        elif kind == "decide":
            _decide_one(chance, now)
        elif kind == "withdraw" and step > 12:
            withdraw(batch=chance.choice(batches), by=EVERYTHING, now=now)
        elif kind == "move":
            _move_one(chance, world)
        else:
            refresh(now=now)
    while refresh(now=now + timedelta(minutes=5)):
        pass
    refresh(now=now + timedelta(minutes=10))
    right()
    stepwise = table()

    rebuild(now=now)

    assert table() == stepwise
    assert len({row["event_id"] for row in stepwise}) == len(stepwise)


def _record_some(chance: random.Random, erp: Connection, batches: list[Batch], now: datetime) -> None:
    standing = [batch for batch in batches if Batch.objects.standing().filter(pk=batch.pk).exists()]
    happenings = [
        happening(
            str(chance.randrange(12)),
            person=chance.choice(["lin", "hua", "mo", "x", None]),
            at=now + timedelta(days=chance.choice([-20, -3, 0, 0, 40])),
            revision=chance.choice([1, 1, 2, 3]),
            company=chance.choice([None, "beiyuan", "qinghe"]),
            facts={"amount": chance.randrange(3)},
        )
        for _ in range(chance.randrange(1, 6))
    ]
    record(happenings, connection=erp, now=now, batch=chance.choice([None, *standing]))


def _identify_one(chance: random.Random, erp: Connection, cast: list[Any], now: datetime) -> None:
    identities = list(Identity.objects.filter(source=erp.slug).order_by("pk"))
    if identities:
        identity = chance.choice(identities)
        identify(identity=identity, person=None if identity.person_id else chance.choice(cast), by=EVERYTHING, now=now)


def _decide_one(chance: random.Random, now: datetime) -> None:
    waiting = list(Quarantine.objects.exclude(event__corrections__kind__in=["accepted", "declined"]).order_by("pk"))
    if waiting:
        chance.choice([accept, decline])(event=chance.choice(waiting).event, by=EVERYTHING, now=now)


def _move_one(chance: random.Random, world: Cast) -> None:
    Membership.objects.filter(person=chance.choice([world.lin, world.hua])).update(
        organization=chance.choice([world.purchasing, world.receiving, world.finance, world.beiyuan])
    )


def test_a_crash_before_the_renaming_leaves_rows_and_bookmark_as_they_were(
    world: Cast, erp: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    record([happening("1")], connection=erp, now=NOW)
    refresh(now=NOW)
    before, position = table(), store().manifest().position
    record([happening("2")], connection=erp, now=NOW)

    def die(source: Any, target: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(os, "replace", die)
        with pytest.raises(KeyboardInterrupt):
            refresh(now=NOW)

    assert (table(), store().manifest().position) == (before, position)
    refresh(now=NOW)
    assert len(table()) == 2
    right()


def test_two_refreshes_at_once_add_nothing_twice(world: Cast, erp: Connection) -> None:
    record([happening(str(number)) for number in range(50)], connection=erp, now=NOW)
    failures: list[BaseException] = []

    def run() -> None:
        try:
            refresh(now=NOW)
        except BaseException as failure:
            failures.append(failure)
        finally:
            database.close()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not failures
    assert len(table()) == 50
    right()


def test_check_names_what_differs(world: Cast, erp: Connection) -> None:
    record([happening("1"), happening("2")], connection=erp, now=NOW)
    refresh(now=NOW)
    record([happening("3")], connection=erp, now=NOW)
    assert check().waiting == 1

    with store().writing() as writer:
        writer.clear()
        writer.publish(position=store().manifest().position)

    found = check()
    assert (found.right, found.missing, found.rows, found.events) == (False, 2, 0, 2)
    assert "is missing" in found.examples[0]
