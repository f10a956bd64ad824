"""What goes wrong between systems loses nothing, doubles nothing, and pays nobody twice."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.db import connections

from tests.cast import NOW, Cast
from uptake.connectors.models import BadRecord, Pull, PullStream
from uptake.connectors.pull.connect_system import SettingMissing, change_system
from uptake.connectors.pull.pace import rest
from uptake.connectors.pull.pull_due import pull_connection
from uptake.connectors.pull.read_page import TakenOver
from uptake.connectors.pull.secrets import opened
from uptake.connectors.pull.steer import read_again, try_again, understand_again
from uptake.connectors.pull.tests.stub import OFFSET, PASSWORD, SESSION, USER, Fault, Stub, answer, declaration, running
from uptake.connectors.pull.tests.world import desk, objects
from uptake.directory.models import Identity
from uptake.directory.scope import EVERYTHING
from uptake.events.connect import pause
from uptake.events.models import Event, Quarantine
from uptake.events.record import ConnectionPaused
from uptake.notify.models import Delivery, Mail, Message
from uptake.notify.subscribe import make_webhook

pytestmark = pytest.mark.django_db(transaction=True)
LONG_BEFORE = NOW - timedelta(days=3)


@pytest.fixture
def stub() -> Iterator[Stub]:
    with running() as made:
        yield made


def fill(stub: Stub, count: int, *, every: timedelta = timedelta(minutes=1), start: datetime = LONG_BEFORE) -> None:
    for number in range(1, count + 1):
        stub.add(number, start + every * number)


def all_once(count: int) -> dict[str, int]:
    return {f"ISSUE-{number}": 1 for number in range(1, count + 1)}


@pytest.mark.parametrize("query", [None, OFFSET])
@pytest.mark.parametrize("every", [timedelta(minutes=1), timedelta(0)])
@pytest.mark.parametrize("most", [1000, 2])
def test_every_record_comes_once_whatever_the_order_allows(
    cast: Cast, stub: Stub, query: str | None, every: timedelta, most: int
) -> None:
    """Pages of 3, of equal instants too, asked by key or by offset, of a server that gives less than it is asked."""
    fill(stub, 10, every=every)
    stub.most = most
    world = desk(cast, stub, declaration(query=query) if query else None)
    world.ask()
    world.ask()
    assert objects() == all_once(10)
    assert BadRecord.objects.count() == 0


def test_a_record_that_moves_while_it_is_read_is_not_lost(cast: Cast, stub: Stub) -> None:
    fill(stub, 9)
    moved = stub.rows[1]  # read already, in the first page; 5 comes later now than it did
    still = stub.rows[4]

    def edit(_stub: Stub) -> None:
        for number, row in enumerate((moved, still)):
            row["updated_on"] = f"2026-05-12T0{number}:00:00Z"

    stub.before_page = [lambda _stub: None, edit]
    world = desk(cast, stub)
    world.ask()
    assert objects() == {**all_once(9), "ISSUE-2": 2}


def test_a_late_commit_is_found_by_the_overlap_and_a_very_late_one_at_night(cast: Cast, stub: Stub) -> None:
    stub.add(1, NOW)
    world = desk(cast, stub)
    world.ask()
    stub.add(2, NOW - timedelta(minutes=4))
    world.later(minutes=1)
    world.ask()
    assert objects() == all_once(2)
    stub.add(3, NOW - timedelta(hours=40))
    world.later(minutes=1)
    world.ask()
    assert objects() == all_once(2)
    world.later(hours=17)  # 03:00 of the next day in Linjiang
    stub.add(4, world.now)
    world.ask()
    world.ask()
    assert objects() == all_once(4)


def test_a_clock_an_hour_ahead_is_flagged_and_leads_us_past_nothing(cast: Cast, stub: Stub) -> None:
    stub.add(1, NOW + timedelta(hours=1))
    world = desk(cast, stub)
    world.ask()
    assert list(Quarantine.objects.values_list("reason", flat=True)) == ["future"]
    world.later(minutes=10)
    stub.add(2, world.now)  # the clock was put right
    world.ask()
    assert objects() == all_once(2)
    assert Quarantine.objects.count() == 1


def test_a_clock_an_hour_behind_loses_nothing(cast: Cast, stub: Stub) -> None:
    world = desk(cast, stub)
    for number in range(1, 4):
        stub.add(number, world.now - timedelta(hours=1))
        world.ask()
        world.later(minutes=10)
    assert objects() == all_once(3)


def test_a_storm_of_429_is_obeyed_without_waiting_in_line(cast: Cast, stub: Stub) -> None:
    fill(stub, 7)
    world = desk(cast, stub)
    for seconds in (4, 36, 120):
        stub.faults = [answer(429, Retry_After=str(seconds))]
        asked = len(stub.asked)
        assert world.due() == 0
        assert len(stub.asked) - asked <= 2
        assert world.again().next_at == world.now + timedelta(seconds=seconds)
        assert world.due() == 0, "it is left alone until then"
        world.later(seconds=seconds)
    assert world.due() == 7
    assert objects() == all_once(7)
    assert world.again().attention is None


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (answer(500), "unreachable"),
        (answer(200, b'{"issues": [{"id": 1, "upd'), "broken_answer"),
        (answer(200, b'{"issues": []', Content_Length="4000"), "unreachable"),
        (answer(200, b'{"issues": [], "total_count": 7}'), "truncated"),
        (answer(200, b"<html>maintenance</html>"), "broken_answer"),
    ],
)
def test_a_broken_or_truncated_answer_is_asked_for_again(cast: Cast, stub: Stub, fault: Fault, code: str) -> None:
    fill(stub, 7)
    world = desk(cast, stub)
    good: Fault = lambda _stub: None  # noqa: E731
    stub.faults = [good, fault]
    world.due()
    failed = world.again()
    assert failed.failure is not None
    assert (failed.failure["code"], failed.failures, failed.attention) == (code, 1, None)
    assert objects() == all_once(3), "the page before is kept"
    world.later(minutes=2)
    world.due()
    assert objects() == all_once(7)
    assert (world.again().failures, world.again().failure) == (0, None)


def test_a_server_that_restarts_is_asked_again_ever_more_seldom(cast: Cast, stub: Stub) -> None:
    fill(stub, 2)
    world = desk(cast, stub)
    pauses = []
    for _attempt in range(6):
        stub.faults = [answer(502)]
        world.due()
        pauses.append((world.again().next_at - world.now).total_seconds())
        world.now = world.again().next_at
    assert pauses == [120, 240, 480, 600, 600, 600]
    world.due()
    assert objects() == all_once(2)


def test_an_expired_session_is_renewed_once(cast: Cast, stub: Stub) -> None:
    fill(stub, 7)
    world = desk(cast, stub, declaration(sign_in=SESSION))

    def expire(stub: Stub) -> None:
        stub.sessions.clear()

    stub.faults = [lambda _stub: None, lambda _stub: None, lambda stub: (401, {}, b"") if not expire(stub) else None]  # type: ignore[func-returns-value]
    world.ask()
    assert objects() == all_once(7)
    assert stub.sign_ins == 2


def test_a_refused_sign_in_needs_attention_and_is_told_once(cast: Cast, stub: Stub) -> None:
    fill(stub, 2)
    world = desk(cast, stub, declaration(sign_in=SESSION))
    make_webhook(
        organization=cast.park, name="Ops", address="https://ops.example/", about=["alerts"], by=EVERYTHING, now=NOW
    )
    stub.refuse_sign_in = True
    world.due()
    refused = world.again()
    assert refused.attention is not None
    assert refused.attention["code"] == "sign_in_refused"
    asked = len(stub.asked)
    world.later(days=1)
    world.due()
    assert len(stub.asked) == asked, "it is not asked any more"
    told = Message.objects.filter(kind="connection.needs_attention")
    assert {one.person_id for one in told} == {cast.ren.pk, cast.an.pk}
    assert Mail.objects.filter(topic="connections").count() == told.count() == 2
    assert [one.kind for one in Delivery.objects.all()] == ["connection.needs_attention"]
    stub.refuse_sign_in = False
    try_again(pull=refused, by=EVERYTHING, now=world.now)
    world.due()
    assert objects() == all_once(2)


def test_a_wrong_password_that_answers_200_is_not_taken_for_silence(cast: Cast, stub: Stub) -> None:
    fill(stub, 2)
    stub.anonymous = True
    world = desk(cast, stub)
    world.due()
    attention = world.again().attention
    assert attention is not None
    assert attention["code"] == "anonymous"
    assert not PullStream.objects.filter(read_at__isnull=False).exists()


def test_what_is_forbidden_is_final_and_stops_only_its_stream(cast: Cast, stub: Stub) -> None:
    fill(stub, 2)
    text = declaration().replace("  - name: issues", FORBIDDEN_STREAM + "  - name: issues")
    world = desk(cast, stub, text)
    world.due()
    state = PullStream.objects.get(name="secret")
    assert state.attention is not None
    assert state.attention["code"] == "forbidden"
    assert objects() == all_once(2)
    world.later(hours=1)
    world.due()
    assert stub.asked.count("/secret") == 1


FORBIDDEN_STREAM = """  - name: secret
    request: {address: /secret}
    order: {time: at, id: id}
    tellings: [{event: x, key: "{{id}}"}]
"""


def test_one_bad_record_is_set_aside_with_all_it_said_and_understood_later(cast: Cast, stub: Stub) -> None:
    fill(stub, 2)
    stub.add(3, LONG_BEFORE + timedelta(hours=1), title={"a": 1}, kind="odd")
    stub.rows.append({"id": 4, "updated_on": "yesterday"})
    fill_more = LONG_BEFORE + timedelta(hours=2)
    stub.add(5, fill_more)
    text = declaration().replace('object: "ISSUE-{{id}}"', 'object: "ISSUE-{{id}}"\n        kind: "{{kind}}"')
    world = desk(cast, stub, text)
    world.ask()
    bad = {one.record_id or one.raw["id"]: one for one in BadRecord.objects.all()}
    assert {key: one.code for key, one in bad.items()} == {"3": "kind", 4: "time"}
    assert bad["3"].raw["title"] == {"a": 1}
    assert set(objects()) == {"ISSUE-1", "ISSUE-2", "ISSUE-5"}
    world.ask()
    assert BadRecord.objects.count() == 2, "the same one is kept once"
    change_system(pull=world.again(), by=EVERYTHING, now=world.now, declaration=declaration())
    assert understand_again(pull=world.again(), by=EVERYTHING, now=world.now) == (1, 1)
    assert "ISSUE-3" in objects()


def test_what_happened_before_it_was_connected_is_history_unless_asked(cast: Cast, stub: Stub) -> None:
    stub.add(1, NOW - timedelta(days=2))
    stub.add(2, NOW + timedelta(minutes=1))
    world = desk(cast, stub)
    world.later(minutes=2)
    world.ask()
    assert dict(Event.objects.values_list("object", "history_only")) == {"ISSUE-1": True, "ISSUE-2": False}
    paying = desk(cast, stub, slug="paying", earn_history=True)
    paying.later(minutes=2)
    paying.ask()
    assert set(Event.objects.filter(source="paying").values_list("history_only", flat=True)) == {False}


def test_side_effects_earn_nothing_unless_asked(cast: Cast, stub: Stub) -> None:
    stub.add(1, NOW)
    text = declaration().replace("event: issue.changed", "event: issue.changed\n        kind: side_effect")
    for slug, earn in (("plain", False), ("asked", True)):
        desk(cast, stub, text, slug=slug, side_effects_earn=earn).ask()
    assert dict(Event.objects.values_list("source", "history_only")) == {"plain": True, "asked": False}


def test_times_that_name_no_zone_are_of_the_connection(cast: Cast, stub: Stub) -> None:
    stub.rows.append({"id": 1, "updated_on": "2026-05-12T09:00:00", "author": None})
    desk(cast, stub, timezone="Asia/Tokyo").ask()
    assert Event.objects.get().happened_at.isoformat() == "2026-05-12T00:00:00+00:00"


def test_who_is_not_known_is_kept_under_the_name_of_the_system(cast: Cast, stub: Stub) -> None:
    stub.add(1, LONG_BEFORE, "stranger")
    stub.add(2, LONG_BEFORE, None)
    desk(cast, stub).ask()
    stranger = Identity.objects.get(source="tracker")
    assert (stranger.external_id, stranger.person) == ("stranger", None)
    assert Event.objects.filter(identity__isnull=True).count() == 1


def test_paused_it_asks_nothing_and_read_again_it_doubles_nothing(cast: Cast, stub: Stub) -> None:
    fill(stub, 4)
    world = desk(cast, stub)
    pause(connection=world.pull.connection, by=EVERYTHING, now=NOW)
    world.due()
    with pytest.raises(ConnectionPaused):
        world.ask()
    assert stub.asked == []
    world.pull.connection.paused_at = None
    world.pull.connection.save()
    world.ask()
    stub.add(5, LONG_BEFORE - timedelta(days=20))
    world.later(hours=1)
    world.ask()
    assert objects() == all_once(4)
    read_again(pull=world.again(), since=NOW - timedelta(days=25), by=EVERYTHING, now=world.now)
    world.due()
    assert objects() == all_once(5)


SWEEP = """sweep:
      request: {address: /ids, query: {after: '{id}', limit: '{limit}'}}
      id: "@"
      event: issue.vanished
      object: "ISSUE-{{id}}"
"""


def test_what_is_deleted_is_found_by_a_sweep_and_is_nobodys(cast: Cast, stub: Stub) -> None:
    fill(stub, 30)
    world = desk(cast, stub, declaration(more=SWEEP, page=7))
    world.ask()
    del stub.rows[4]
    world.later(days=1)
    world.ask()
    gone = Event.objects.get(name="issue.vanished")
    assert (gone.object, gone.identity, gone.history_only) == ("ISSUE-5", None, True)
    world.later(days=1)
    world.ask()
    assert Event.objects.filter(name="issue.vanished").count() == 1
    del stub.rows[:20]
    world.later(days=1)
    world.ask()
    assert Event.objects.filter(name="issue.vanished").count() == 1, "that most are gone is not believed"
    attention = PullStream.objects.get().attention
    assert attention is not None
    assert attention["code"] == "too_many_gone"


@pytest.mark.parametrize(("took", "left"), [(0, 10), (3, 7), (8, 5), (60, 5), (-4, 10)])
def test_it_is_asked_from_beginning_to_beginning_but_a_slow_one_has_half_the_time_in_peace(
    took: int, left: int
) -> None:
    assert rest(10, timedelta(seconds=took)) == timedelta(seconds=left)


def test_our_own_pace_is_kept(cast: Cast, stub: Stub) -> None:
    fill(stub, 30)
    world = desk(cast, stub, declaration(extra="per_second: 1\nburst: 4"))
    world.due()
    first = len(stub.asked)
    assert first <= 5
    assert world.again().next_at > world.now, "the rest comes when the bucket has filled"
    for _turn in range(40):
        world.later(seconds=2)
        world.due()
    assert objects() == all_once(30)


def test_the_password_is_sealed_and_stands_nowhere_else(cast: Cast, stub: Stub) -> None:
    stub.anonymous = False
    world = desk(cast, stub)
    kept = bytes(world.again().secrets)
    assert PASSWORD.encode() not in kept
    stub.faults = [answer(500, f"password={PASSWORD}".encode())]
    world.due()
    with database.cursor() as cursor:
        cursor.execute("SELECT details FROM directory_auditentry")
        audit = str(cursor.fetchall())
    assert PASSWORD not in audit + str(world.again().failure) + world.again().declaration + str(world.again().settings)


def test_a_password_does_not_follow_to_another_address(cast: Cast, stub: Stub) -> None:
    stub.anonymous = False
    world = desk(cast, stub)
    elsewhere = {"address": "http://127.0.0.1:9", "user": USER}

    with pytest.raises(SettingMissing, match="password"):
        change_system(pull=world.again(), by=EVERYTHING, now=world.now, settings=elsewhere)

    assert world.again().settings["address"] == stub.address
    same = change_system(pull=world.again(), by=EVERYTHING, now=world.now, declaration=declaration(), every_seconds=9)
    assert opened(same.secrets) == {"password": PASSWORD}
    new = change_system(
        pull=world.again(), by=EVERYTHING, now=world.now, settings=elsewhere, secrets={"password": "another"}
    )
    assert opened(new.secrets) == {"password": "another"}


def dies_before(statement: int, deed: Callable[[], Any]) -> bool:
    """Does the deed in a process that is killed before its n-th statement; whether it was."""
    connections.close_all()
    if database.vendor == "postgresql":
        pooled: Any = database
        pooled.close_pool()
    child = os.fork()
    if child == 0:
        done = 0

        def count(execute: Callable[..., Any], *words: Any) -> Any:
            nonlocal done
            done += 1
            if done == statement:
                os.kill(os.getpid(), signal.SIGKILL)
            return execute(*words)

        try:
            with database.execute_wrapper(count):
                deed()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def test_kill_9_between_pages_and_before_every_commit_loses_and_doubles_nothing(cast: Cast, stub: Stub) -> None:
    """Killed again and again, a few statements further each time, in the midst of a run of four pages."""
    fill(stub, 10)
    world = desk(cast, stub)
    deaths = 0
    for statement in range(2, 200, 5):
        if not dies_before(statement, world.ask):
            break
        deaths += 1
        kept = objects()
        assert all(count == 1 for count in kept.values())
        state = PullStream.objects.filter(pull=world.pull).first()
        read = 0 if state is None else state.records
        assert sum(kept.values()) == read, "the cursor and the events are committed together"
    assert deaths >= 3
    world.ask()
    assert objects() == all_once(10)


def test_a_runner_that_was_overtaken_writes_no_more(cast: Cast, stub: Stub) -> None:
    fill(stub, 10)
    world = desk(cast, stub)
    looks = 0

    def clock() -> datetime:
        nonlocal looks
        looks += 1
        if looks == 4:  # after the first page
            Pull.objects.filter(pk=world.pull.pk).update(attempt=99)
        return world.now

    with pytest.raises(TakenOver):
        pull_connection(pull_id=world.pull.pk, clock=clock)
    assert objects() == all_once(3)
    world.ask()
    assert objects() == all_once(10)
