"""Events over HTTP: what is taken, what is refused and why, and that nobody's data harms anybody else's."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from django.db import OperationalError
from django.test import AsyncClient, Client

from tests.cast import Cast, build_cast
from uptake.directory.scope import EVERYTHING
from uptake.events import keys
from uptake.events.connect import connect, pause
from uptake.events.keys import make_key, revoke_key
from uptake.events.models import ApiKey, Connection, Event
from uptake.events.record import record
from uptake.web.api import body, intake
from uptake.web.api.door import PATH, IntakeDoor
from uptake.web.api.limits import MAX_BODY, MAX_EVENTS, MAX_UNPACKED
from uptake.web.api.urls import REFUSALS
from uptake.web.api.writer import Writer, drain_writer

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime.now(UTC).replace(microsecond=0)


@dataclass
class Erp:
    """A connection of Beiyuan with a key, and a way to send."""

    cast: Cast
    connection: Connection
    key: ApiKey
    secret: str

    def send(self, content: Any = None, *, raw: Any = None, method: str = "POST", **headers: str) -> httpx.Response:
        """Sends JSON (or raw bytes, or an async iterator of them) through the door."""
        named = {
            "authorization": f"Bearer {self.secret}",
            "content-type": "application/json",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }

        async def sending() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app=DOOR), base_url="http://uptake") as client:
                given = json.dumps(content).encode() if raw is None else raw
                return await client.request(method, PATH, content=given, headers=named)

        return asyncio.run(sending())


async def _nothing_behind(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b"behind the door"})


DOOR: Any = IntakeDoor(_nothing_behind)


@pytest.fixture
def erp(transactional_db: None) -> Iterator[Erp]:
    cast = build_cast()
    connection = connect(slug="erp", kind="api", name="ERP", organization=cast.beiyuan, by=EVERYTHING, now=NOW)
    key, secret = make_key(connection=connection, by=EVERYTHING, now=NOW, allowed_origins=["https://erp.example"])
    keys.forget()
    intake.forget_origins()
    yield Erp(cast, connection, key, secret)
    drain_writer()


def event(key: str = "1", **what: Any) -> dict[str, Any]:
    return {"event": "order.processed", "key": key, "at": NOW.isoformat(), **what}


def counts(response: httpx.Response) -> dict[str, int]:
    return {fate: count for fate, count in response.json()["counts"].items() if count}


def test_the_fate_of_each_event_comes_back_in_order_after_the_commit(erp: Erp) -> None:
    # A key that pages may show never pays, and what never pays does not wait for its time.
    _key, erp.secret = make_key(connection=erp.connection, by=EVERYTHING, now=NOW)
    told = erp.send(
        [
            event("a", person=17, object=4500, facts={"n": 1}),
            event("a", person="17", object="4500", facts={"n": 1.0}),
            event("a"),
            event("b", at=(NOW + timedelta(days=1)).isoformat()),
            event("c", at="2026-05-13T10:00:00"),
            event("d", at="2020-05-13T10:00:00+08:00", history_only=True),
        ]
    )
    assert told.status_code == 200
    assert [one["fate"] for one in told.json()["fates"]] == [
        *("new", "replayed", "conflict", "quarantined", "rejected", "new")
    ]
    assert [one["key"] for one in told.json()["fates"]] == ["a", "a", "a", "b", "c", "d"]
    assert told.json()["fates"][3]["reason"] == "future"
    assert told.json()["fates"][4]["reason"] == "at names no time zone."
    assert counts(told) == {"new": 2, "replayed": 1, "conflict": 1, "quarantined": 1, "rejected": 1}
    assert Event.objects.count() == 3


@pytest.mark.parametrize(("origins", "paid"), [([], True), (["https://erp.example"], False), (["*"], False)])
def test_what_comes_by_a_key_that_pages_can_show_is_counted_and_never_paid(
    erp: Erp, origins: list[str], paid: bool
) -> None:
    _key, erp.secret = make_key(connection=erp.connection, by=EVERYTHING, now=NOW, allowed_origins=origins)

    told = erp.send([event("a"), event("b", history_only=True), event("c", at=(NOW + timedelta(days=1)).isoformat())])

    # What never pays is never quarantined for its time.
    assert counts(told) == ({"new": 2, "quarantined": 1} if paid else {"new": 3})
    assert list(Event.objects.order_by("key").values_list("history_only", flat=True)) == [not paid, True, not paid]


@pytest.mark.parametrize("wrap", [lambda one: one, lambda one: [one], lambda one: {"events": [one]}])
def test_one_a_list_and_events_are_all_taken(erp: Erp, wrap: Any) -> None:
    assert counts(erp.send(wrap(event()))) == {"new": 1}


def test_one_event_by_itself_says_conflict_and_rejected_by_status_too(erp: Erp) -> None:
    assert erp.send(event()).status_code == 200
    assert erp.send(event()).status_code == 200
    assert erp.send(event(person="other")).status_code == 409
    assert erp.send(event(key="")).status_code == 422
    assert erp.send([event(person="other"), event(key="")]).status_code == 200


def test_nothing_is_fine_too(erp: Erp) -> None:
    assert erp.send([]).json() == {
        "counts": {"new": 0, "replayed": 0, "conflict": 0, "quarantined": 0, "rejected": 0},
        "fates": [],
    }


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ({"fact": {}}, "Unknown field: fact."),
        ({"event": None}, "event is missing."),
        ({"event": 7}, "event must be text."),
        ({"key": None}, "key is missing."),
        ({"key": ["1"]}, "key must be text."),
        ({"at": None}, "at is missing."),
        ({"at": 1763773200}, "at must be a time in ISO 8601."),
        ({"at": "yesterday"}, "at must be a time in ISO 8601 with its zone, such as 2026-05-13T09:30:00+08:00."),
        ({"person": {"id": 1}}, "person must be text."),
        ({"object": 1.5}, "object must be text."),
        ({"facts": [1]}, "facts must be an object."),
        ({"company": "qinghe"}, "company qinghe is not at or below this connection's place."),
        ({"company": 1.5}, "company must be text."),
        ({"revision": "2"}, "revision must be a whole number from 1."),
        ({"revision": 0}, "revision must be a whole number from 1."),
        ({"history_only": 1}, "history_only must be true or false."),
        (
            {"facts": {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": {}}}}}}}}}},
            "facts are nested deeper than 8 levels.",
        ),
        ({"facts": {"a": "x" * 70_000}}, "facts are larger than 65536 bytes."),
        ({"facts": {"a": "\0"}}, "facts holds a NUL character."),
    ],
)
def test_a_bad_event_is_rejected_by_itself_in_words(erp: Erp, what: dict[str, Any], reason: str) -> None:
    told = erp.send([event("good"), {**event("bad"), **what}, event("fine")])
    assert [one["fate"] for one in told.json()["fates"]] == ["new", "rejected", "new"]
    assert told.json()["fates"][1]["reason"] == reason


@pytest.mark.parametrize(
    ("raw", "error", "more"),
    [
        (b"", "empty_body", {}),
        (b"[{]", "malformed_json", {"line": 1, "column": 3}),
        (b'[{"key": NaN}]', "malformed_json", {}),
        (b'[{"key": "\\ud800"}]', "malformed_json", {}),
        (b'{"a": 1e999}', "malformed_json", {}),
        (b'"text"', "not_events", {}),
        (b"[" * 5000, "malformed_json", {}),
        (b'[{"facts": 123456789012345678901234567890' + b"0" * 5000 + b"}]", "malformed_json", {}),
        (b'{"events": {}}', "not_events", {}),
        (b'{"events": [], "more": 1}', "unknown_field", {}),
        (b"[{}, {}, 7]", "not_an_event", {"index": 2}),
        (b"\xff\xfe", "malformed_json", {}),
    ],
)
def test_what_is_no_list_of_events_is_refused_as_a_whole(
    erp: Erp, raw: bytes, error: str, more: dict[str, int]
) -> None:
    told = erp.send(raw=raw)
    assert (told.status_code, told.json()["error"]) == (400, error)
    assert {name: told.json()[name] for name in more} == more
    assert told.json()["detail"].endswith(".")
    assert not Event.objects.exists()


def test_numbers_keep_every_digit(erp: Erp) -> None:
    raw = b'{"event":"e","key":"1","at":"2020-01-01T00:00:00Z","facts":' + (
        b'{"a":12345678901234567890.25,"b":18446744073709551617,"c":1.5E-7,"d":0.1,"e":1E3,"f":[0.12345678901234567]}}'
    )
    erp.send(raw=raw)
    assert Event.objects.get().facts == {
        "a": Decimal("12345678901234567890.25"),
        "b": 18446744073709551617,
        "c": Decimal("0.00000015"),
        "d": Decimal("0.1"),
        "e": 1000,
        "f": [Decimal("0.12345678901234567")],
    }


def test_gzip_is_unpacked_in_pieces_also_of_several_members(erp: Erp) -> None:
    packed = gzip.compress(b'[{"event":"e","key":"1",') + gzip.compress(b'"at":"2026-05-13T00:00:00Z"}]')

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(packed), 7):
            yield packed[start : start + 7]

    assert erp.send(raw=pieces(), content_encoding="gzip").status_code == 200
    for broken in (packed[:-4], b"no gzip", packed[:12] + b"\0\0\0" + packed[15:]):
        told = erp.send(raw=broken, content_encoding="gzip")
        assert (told.status_code, told.json()["error"]) == (400, "malformed_gzip")


def test_a_gzip_bomb_is_cut_at_the_limit(erp: Erp, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = gzip.compress(b" " * 300_000_000)
    assert len(bomb) < MAX_BODY
    unpacked = []
    feed = body._Gunzip.feed

    def watched(self: Any, chunk: bytes) -> bytes:
        part = feed(self, chunk)
        unpacked.append(len(part))
        return part

    monkeypatch.setattr(body._Gunzip, "feed", watched)
    told = erp.send(raw=bomb, content_encoding="gzip")
    assert (told.status_code, told.json()["limit"]) == (413, MAX_UNPACKED)
    assert sum(unpacked) <= MAX_UNPACKED


def test_a_body_is_refused_before_it_is_read_or_as_soon_as_it_passes_the_limit(erp: Erp) -> None:
    read = []

    async def endless() -> AsyncIterator[bytes]:
        while True:
            read.append(1_000_000)
            yield b" " * 1_000_000

    async def pushed(length: str) -> int:
        status = []

        async def receive() -> dict[str, Any]:
            read.append(1_000_000)
            return {"type": "http.request", "body": b" " * 1_000_000, "more_body": True}

        async def send(message: Any) -> None:
            status.append(message.get("status"))

        named = {"authorization": f"Bearer {erp.secret}", "content-type": "application/json", "content-length": length}
        headers = [(name.encode(), value.encode()) for name, value in named.items() if value]
        await DOOR({"type": "http", "path": PATH, "method": "POST", "headers": headers}, receive, send)
        return int(status[0])

    assert asyncio.run(pushed(str(MAX_BODY + 1))) == 413
    assert not read
    assert asyncio.run(pushed("")) == 413
    assert sum(read) <= MAX_BODY + 1_000_000


def test_too_many_events_are_refused_with_the_limit(erp: Erp) -> None:
    told = erp.send(raw=b"[" + b",".join([b"{}"] * (MAX_EVENTS + 1)) + b"]")
    assert (told.status_code, told.json()["limit"], told.json()["sent"]) == (413, MAX_EVENTS, MAX_EVENTS + 1)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content_type": "text/plain"}, 415),
        ({"content_type": ""}, 415),
        ({"content_type": "application/json; charset=gbk"}, 415),
        ({"content_type": "Application/JSON; charset=UTF-8"}, 200),
        ({"content_encoding": "br"}, 415),
        ({"content_encoding": "identity"}, 200),
        ({"authorization": ""}, 401),
        ({"authorization": "Basic abc"}, 401),
        ({"authorization": "Bearer upk_0123456789ab_" + "x" * 43}, 401),
        ({"origin": "https://erp.example"}, 200),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
    ],
)
def test_headers_decide_who_may_send_what(erp: Erp, headers: dict[str, str], status: int) -> None:
    told = erp.send(event(), **headers)
    assert told.status_code == status
    assert ("www-authenticate" in told.headers) == (status == 401)
    allowed = headers.get("origin") if status == 200 else None
    assert told.headers.get("access-control-allow-origin") == allowed
    assert Event.objects.exists() == (status == 200)


def test_a_page_may_ask_before_it_sends(erp: Erp) -> None:
    asked = {"origin": "https://erp.example", "access_control_request_method": "POST", "authorization": ""}
    told = erp.send(raw=b"", method="OPTIONS", **asked)
    assert told.status_code == 204
    assert told.headers["access-control-allow-origin"] == "https://erp.example"
    assert "Authorization" in told.headers["access-control-allow-headers"]
    assert erp.send(raw=b"", method="OPTIONS", **{**asked, "origin": "https://evil.example"}).status_code == 403
    assert erp.send(raw=b"", method="GET").status_code == 405


def test_a_revoked_key_and_a_paused_connection_are_refused(erp: Erp) -> None:
    assert erp.send(event()).status_code == 200
    pause(connection=erp.connection, by=EVERYTHING, now=NOW)
    keys.forget()
    assert (told := erp.send(event("2"))).status_code == 403
    assert told.json()["error"] == "connection_paused"
    revoke_key(key=erp.key, by=EVERYTHING, now=NOW)
    assert erp.send(event("3")).status_code == 401
    assert Event.objects.count() == 1


def test_who_sends_too_fast_is_told_when_to_come_again(erp: Erp, settings: Any) -> None:
    settings.INTAKE_EVENTS_PER_SECOND = 2
    assert erp.send([event(str(n)) for n in range(20)]).status_code == 200
    told = erp.send([event(str(n)) for n in range(20, 30)])
    assert told.status_code == 429
    assert told.headers["retry-after"] == "5"
    assert Event.objects.count() == 20


def test_a_full_queue_asks_to_come_again(erp: Erp, monkeypatch: pytest.MonkeyPatch) -> None:
    full = Writer(most_waiting=3)
    full._waiting = 3
    monkeypatch.setattr(intake, "the_writer", lambda _most: full)
    told = erp.send(event())
    assert (told.status_code, told.json()["error"]) == (503, "queue_full")
    assert int(told.headers["retry-after"]) >= 1
    full.drain()
    assert erp.send(event()).json()["error"] == "stopping"


def test_many_requests_at_once_share_commits_and_each_gets_its_own_answer(
    erp: Erp, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = []
    together = Writer._write_together

    def counted(self: Writer, jobs: Any) -> Any:
        commits.append(len(jobs))
        return together(self, jobs)

    monkeypatch.setattr(Writer, "_write_together", counted)
    other = connect(slug="mes", kind="api", name="MES", organization=erp.cast.qinghe, by=EVERYTHING, now=NOW)
    _key, other_secret = make_key(connection=other, by=EVERYTHING, now=NOW)

    async def all_at_once() -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=DOOR), base_url="http://uptake") as client:
            return await asyncio.gather(
                *[
                    client.post(
                        PATH,
                        json=[event(f"{n}-{i}") for i in range(1 + n % 3)],
                        headers={"authorization": f"Bearer {other_secret if n % 2 else erp.secret}"},
                    )
                    for n in range(60)
                ]
            )

    told = asyncio.run(all_at_once())
    for n, one in enumerate(told):
        assert [fate["key"] for fate in one.json()["fates"]] == [f"{n}-{i}" for i in range(1 + n % 3)]
        assert counts(one) == {"new": 1 + n % 3}
    assert Event.objects.filter(source="mes").count() + Event.objects.filter(source="erp").count() == 120
    assert sum(commits) == 60
    assert len(commits) < 30


def test_one_request_that_cannot_be_written_does_not_take_the_others_with_it(
    erp: Erp, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = record

    def fragile(happenings: Any, **named: Any) -> Any:
        if any(one.key == "poison" for one in happenings):
            whole(happenings, **named)
            raise OperationalError("the disk is full")
        return whole(happenings, **named)

    monkeypatch.setattr("uptake.web.api.writer.record", fragile)

    async def all_at_once() -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=DOOR), base_url="http://uptake") as client:
            headers = {"authorization": f"Bearer {erp.secret}"}
            sent = [client.post(PATH, json=[event(key)], headers=headers) for key in ("a", "poison", "b")]
            return await asyncio.gather(*sent)

    told = asyncio.run(all_at_once())
    assert [one.status_code for one in told] == [200, 503, 200]
    assert set(Event.objects.values_list("key", flat=True)) >= {"a", "b"}


def test_what_waits_is_written_before_the_writer_ends(erp: Erp) -> None:
    async def send_and_stop() -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=DOOR), base_url="http://uptake") as client:
            headers = {"authorization": f"Bearer {erp.secret}"}
            sent = [asyncio.create_task(client.post(PATH, json=event(str(n)), headers=headers)) for n in range(30)]
            await asyncio.sleep(0.05)
            await asyncio.get_running_loop().run_in_executor(None, drain_writer)
            return await asyncio.gather(*sent)

    told = asyncio.run(send_and_stop())
    taken = [one for one in told if one.status_code == 200]
    assert {one.status_code for one in told} <= {200, 503}
    assert Event.objects.count() >= len(taken)


def test_the_use_of_a_key_is_noted(erp: Erp) -> None:
    erp.send(event())
    drain_writer()
    erp.key.refresh_from_db()
    assert erp.key.last_used_at is not None


def test_what_is_not_intake_goes_on_to_django(erp: Erp) -> None:
    async def asked(path: str) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=DOOR), base_url="http://uptake") as client:
            return await client.get(path)

    for path in ("/", "/api/v1/openapi.json", "/api/v1/events/", "/api/v1/eventsx"):
        assert asyncio.run(asked(path)).content == b"behind the door"


def test_django_s_own_view_answers_the_same(erp: Erp) -> None:
    async def sent() -> Any:
        return await AsyncClient().post(
            PATH,
            json.dumps(event()),
            content_type="application/json",
            headers={"authorization": f"Bearer {erp.secret}"},
        )

    assert asyncio.run(sent()).json()["counts"]["new"] == 1


def test_the_api_is_described(erp: Erp) -> None:
    described = Client().get("/api/v1/openapi.json").json()
    deed = described["paths"]["/api/v1/events"]["post"]
    assert set(deed["responses"]) == {"200", *(str(status) for status in REFUSALS)}
    one, many, wrapped = deed["requestBody"]["content"]["application/json"]["schema"]["oneOf"]
    assert {"event", "key", "at"} == set(one["required"])
    assert many["items"] == one == wrapped["properties"]["events"]["items"]
