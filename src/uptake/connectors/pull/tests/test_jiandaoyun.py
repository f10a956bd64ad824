"""Jiandaoyun, against a stand-in written from its documentation: what is pushed and what is read is one event."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from tests.cast import NOW, Cast
from uptake.connectors.models import BadRecord, KnownRecord, PullStream
from uptake.connectors.pull.declaration import BadDeclaration, Webhook, read_yaml
from uptake.connectors.pull.presets import preset
from uptake.connectors.pull.tests.jdy_stub import APP, ENTRY, KEY, SECRET, SLOW, Jdy, iso, pushed, running_jdy
from uptake.connectors.pull.tests.test_hard_cases import dies_before
from uptake.connectors.pull.tests.world import Desk, desk
from uptake.connectors.pull.webhook import NotProven, proven
from uptake.directory.scope import EVERYTHING
from uptake.events.connect import pause
from uptake.events.models import Conflict, Event

pytestmark = pytest.mark.django_db(transaction=True)
BEFORE = NOW - timedelta(days=3)
VECTOR = '{"op":"data_create","data":{"_id":"1","中":"文"}}'.encode()


@pytest.fixture
def jdy() -> Iterator[Jdy]:
    with running_jdy() as made:
        yield made


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes pushes and who reads the log look at the clock of the tests."""
    monkeypatch.setattr("uptake.web.hooks.views.timezone.now", lambda: NOW)


def connected(cast: Cast, jdy: Jdy, secret: str = SECRET) -> Desk:
    text = preset("jiandaoyun").text
    settings = {"address": jdy.address, "app_id": APP, "entry_id": ENTRY}
    return desk(cast, jdy, text, slug="jdy", settings=settings, secrets={"key": KEY, "push_secret": secret})  # type: ignore[arg-type]


def push(op: str, row: dict[str, Any], at: datetime = NOW, slug: str = "jdy", secret: str = SECRET) -> Any:
    query, body, headers = pushed(op, row, at, secret)
    browser = Client(enforce_csrf_checks=True)
    return browser.post(f"/api/v1/hooks/{slug}?{query}", body, content_type="application/json", headers=headers)


def told() -> list[tuple[str, str, str]]:
    rows = Event.objects.filter(source="jdy").select_related("identity").order_by("key")
    return sorted((one.name, one.object[-2:], one.identity.external_id if one.identity else "") for one in rows)


def test_the_documented_signature_is_that_of_the_bytes_as_they_came() -> None:
    hook = preset("jiandaoyun").declaration.webhook
    assert hook is not None
    at = datetime.fromtimestamp(1498586609, UTC)
    said = {"x-jdy-signature": "a9cc0c201bbd6406fbbe847e516524365694fa87"}
    query = {"nonce": "0f5ade", "timestamp": "1498586609"}

    def holds(query: dict[str, str] = query, body: bytes = VECTOR, secret: str = "test-secret", **more: Any) -> bool:
        try:
            proven(hook, secret, query=query, body=body, **{"headers": said, "now": at, **more})
        except NotProven:
            return False
        return True

    assert holds()
    assert holds(now=at + timedelta(minutes=5)), "at the edge of the window"
    wrong = {
        "the same in other writing": holds(body=VECTOR.replace(b":{", b": {")),
        "another nonce": holds({**query, "nonce": "0f5adf"}),
        "another secret": holds(secret="test-secreT"),
        "no secret": holds(secret=""),
        "no signature": holds(headers={}),
        "too late": holds(now=at + timedelta(seconds=301)),
        "too early": holds(now=at - timedelta(seconds=301)),
        "another time": holds({**query, "timestamp": "1498586610"}),
        "no time": holds({"nonce": "0f5ade"}),
    }
    assert not [name for name, held in wrong.items() if held]


@pytest.mark.parametrize("kind", ["hmac_sha256", "token"])
def test_other_proofs_hold_too(kind: str) -> None:
    said = "s3cret" if kind == "token" else hmac.new(b"s3cret", b"{}", hashlib.sha256).hexdigest()
    hook = Webhook(kind=kind, header="X-Proof", secret="push", streams={"x": ""})
    proven(hook, "s3cret", query={}, headers={"x-proof": said}, body=b"{}", now=NOW)
    with pytest.raises(NotProven):
        proven(hook, "s3cret", query={}, headers={"x-proof": said[:-1]}, body=b"{}", now=NOW)


def test_a_push_that_proves_nothing_is_not_taken_and_tells_nothing_of_who_is_there(cast: Cast, jdy: Jdy) -> None:
    row = jdy.add(1, BEFORE)
    connected(cast, jdy)
    answers = [
        push("data_create", row, secret="guessed"),
        push("data_create", row, slug="nowhere"),
        push("data_create", row, at=NOW - timedelta(minutes=6)),
        Client().post("/api/v1/hooks/jdy", b"{}", content_type="application/json"),
    ]
    assert {(one.status_code, one.content) for one in answers} == {(401, b'{"error": "not_proven"}')}
    assert Client().get("/api/v1/hooks/jdy").status_code == 405
    assert told() == []


def test_what_is_pushed_again_or_read_later_is_one_event(cast: Cast, jdy: Jdy) -> None:
    world = connected(cast, jdy)
    first = jdy.add(1, NOW - timedelta(minutes=2))
    assert push("data_create", first).json() == {"new": 1}
    assert push("data_create", first).json() == {"new": 0}, "sent again"
    jdy.add(2, NOW - timedelta(minutes=1), "hua")  # a bulk import: it is not pushed
    world.ask()
    first |= {"updateTime": iso(NOW), "updater": {"name": "Hua", "username": "hua"}}
    assert push("data_update", first).json() == {"new": 1}
    world.later(days=1)
    world.ask()
    assert told() == [("form.created", "01", "lin"), ("form.created", "02", "hua"), ("form.updated", "01", "hua")]
    assert not Conflict.objects.exists()
    assert not BadRecord.objects.exists()


def test_what_was_changed_or_deleted_without_a_push_is_found_at_night(cast: Cast, jdy: Jdy) -> None:
    for number in range(1, 131):
        jdy.add(number, BEFORE)
    world = connected(cast, jdy)
    world.ask()
    assert Event.objects.filter(source="jdy").count() == 130
    jdy.rows[4] |= {"updateTime": iso(NOW), "updater": {"name": "Hua", "username": "hua"}}
    pushed_away, unseen = jdy.rows.pop(9), jdy.rows.pop(9)
    pushed_away |= {"deleter": {"name": "Hua", "username": "hua"}, "deleteTime": iso(NOW)}
    assert push("data_remove", pushed_away).json() == {"new": 1}
    world.later(days=1)
    world.ask()
    assert [one for one in told() if one[0] != "form.created"] == [
        ("form.removed", "0a", "hua"),
        ("form.removed", "0b", ""),
        ("form.updated", "05", "hua"),
    ]
    assert push("data_remove", unseen).json() == {"new": 0}, "what was found to be gone is not removed again"
    assert set(KnownRecord.objects.filter(vanished_at__isnull=False).values_list("record_id", flat=True)) == {
        pushed_away["_id"],
        unseen["_id"],
    }


def test_a_trial_other_forms_and_what_cannot_be_understood(cast: Cast, jdy: Jdy) -> None:
    connected(cast, jdy)
    assert push("connection_test", {}).json() == {"new": 0}
    assert push("data_create", {**jdy.add(1, BEFORE), "entryId": "another"}).json() == {"new": 0}
    assert push("data_create", {"_id": "2", "entryId": ENTRY}).json() == {"new": 0}
    assert BadRecord.objects.get().raw["_id"] == "2"
    assert told() == []


def test_a_push_is_refused_while_it_is_paused_and_to_be_sent_again_while_the_database_is_busy(
    cast: Cast, jdy: Jdy, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, row = connected(cast, jdy), jdy.add(1, BEFORE)

    def busy(**_words: Any) -> int:
        raise OperationalError("database is locked")

    with monkeypatch.context() as here:
        here.setattr("uptake.web.hooks.views.take_webhook", busy)
        answer = push("data_create", row)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    pause(connection=world.pull.connection, by=EVERYTHING, now=NOW)
    assert push("data_create", row).status_code == 403
    assert told() == []


def test_kill_9_during_a_push_loses_and_doubles_nothing(cast: Cast, jdy: Jdy) -> None:
    connected(cast, jdy)
    deaths, number, row = 0, 1, jdy.add(1, BEFORE)
    for statement in range(1, 120, 4):
        if dies_before(statement, lambda: push("data_create", row)):
            deaths += 1
            state = PullStream.objects.filter(name="forms").first()
            assert Event.objects.filter(source="jdy").count() == (state.records if state else 0)
            continue
        break
    assert deaths >= 2
    assert push("data_create", row).status_code == 200
    assert told() == [("form.created", f"{number:02x}", "lin")]


def test_too_often_is_obeyed_although_it_is_told_as_400(cast: Cast, jdy: Jdy) -> None:
    jdy.add(1, BEFORE)
    jdy.faults = [SLOW]
    world = connected(cast, jdy)
    world.ask()
    pull = world.again()
    assert (pull.attention, pull.failure["code"] if pull.failure else "") == (None, "slow_down")
    assert pull.next_at >= NOW + timedelta(seconds=60)
    world.later(minutes=5)
    world.ask()
    assert len(told()) == 1


def test_sign_ins_are_read_in_order_although_the_log_tells_the_newest_first(
    cast: Cast, jdy: Jdy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uptake.connectors.pull.jiandaoyun._now", lambda: NOW)
    for number in range(450):
        jdy.sign_in(number, NOW - timedelta(days=100) + timedelta(minutes=number))
    jdy.sign_in(450, NOW - timedelta(hours=1), "hua", "failure")
    world = connected(cast, jdy)
    world.pull.history_from = NOW - timedelta(days=120)
    world.pull.save()
    world.ask()
    assert Event.objects.filter(source="jdy", name="auth.login").count() == 450
    assert Event.objects.get(name="auth.login_failed").history_only
    world.ask()
    assert Event.objects.filter(source="jdy").count() == 451
    jdy.audited = False
    jdy.add(1, BEFORE)
    world.later(minutes=5)
    world.ask()
    stopped = PullStream.objects.get(name="sign_ins").attention
    assert stopped is not None
    assert stopped["code"] == "forbidden"
    assert Event.objects.filter(name="form.created").count() == 1, "the forms go on"


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("kind: sha1", "kind: md5", "webhook kind"),
        ("{nonce}:{body}:{secret}:{timestamp}", "{nonce}:{timestamp}", "webhook over"),
        ('    forms: "(op', '    elsewhere: "(op', "webhook streams"),
        ("gone: \"op == 'data_remove'\"", 'gone: "op =="', "webhook gone"),
    ],
)
def test_a_mistake_in_what_is_declared_of_a_push_is_said_with_its_place(old: str, new: str, where: str) -> None:
    text = preset("jiandaoyun").text
    assert old in text
    with pytest.raises(BadDeclaration) as refusal:
        read_yaml(text.replace(old, new))
    assert refusal.value.where == where
