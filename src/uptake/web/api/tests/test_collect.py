"""What web pages send under a key everybody can read: what is taken, what is refused, and that it earns nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from django.test import Client

from tests.cast import Cast, build_cast
from uptake.directory.models import Identity
from uptake.directory.scope import EVERYTHING
from uptake.events import keys
from uptake.events.connect import NotAName, allow_page_events, connect, pause
from uptake.events.happening import Happening
from uptake.events.keys import NotAnOrigin, OriginsNeeded, make_key, revoke_key
from uptake.events.models import ApiKey, Conflict, Connection, Event, EventType, Quarantine
from uptake.events.record import record
from uptake.web.api import collect, intake
from uptake.web.api.bucket import Buckets
from uptake.web.api.door import PAGES, PATH, IntakeDoor
from uptake.web.api.limits import MAX_PAGE_BODY, MAX_PAGE_EVENTS
from uptake.web.api.writer import drain_writer

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime.now(UTC).replace(microsecond=0)
SITE = "https://portal.example"


@dataclass
class Portal:
    """A connection for web pages of Beiyuan with its key, and a way to send."""

    cast: Cast
    connection: Connection
    key: ApiKey
    public: str

    def send(
        self,
        *events: Any,
        sent_at: datetime | None = None,
        raw: bytes | None = None,
        method: str = "POST",
        public: str | None = None,
        path: str = PAGES,
        **headers: str,
    ) -> httpx.Response:
        """Sends as the script does: text/plain, the key in the address."""
        content: dict[str, Any] = {"events": list(events)}
        if sent_at is not None:
            content["sent_at"] = sent_at.isoformat()
        named = {"origin": SITE, "content-type": "text/plain", **headers}
        named = {name.replace("_", "-"): value for name, value in named.items() if value}

        async def sending() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app=DOOR), base_url="http://uptake") as client:
                body = json.dumps(content).encode() if raw is None else raw
                address = f"{path}?key={self.public if public is None else public}"
                return await client.request(method, address, content=body, headers=named)

        return asyncio.run(sending())


async def _nothing_behind(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})


DOOR: Any = IntakeDoor(_nothing_behind)


@pytest.fixture
def portal(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Portal]:
    cast = build_cast()
    connection = connect(
        slug="portal", kind="browser", name="Portal", organization=cast.beiyuan, by=EVERYTHING, now=NOW
    )
    allow_page_events(connection=connection, names=["report.opened"], by=EVERYTHING, now=NOW)
    key, public = make_key(connection=connection, by=EVERYTHING, now=NOW, allowed_origins=[SITE])
    keys.forget()
    intake.forget_origins()
    monkeypatch.setattr(collect, "_of_visitors", Buckets(5.0, float(MAX_PAGE_EVENTS)))
    yield Portal(cast, connection, key, public)
    drain_writer()


def view(key: str = "1", **what: Any) -> dict[str, Any]:
    return {"event": "$pageview", "key": key, "at": NOW.isoformat(), "facts": {"path": "/orders"}, **what}


def test_page_views_and_allowed_events_come_in_for_the_person_named(portal: Portal) -> None:
    answer = portal.send(view(person="b001"), view("2", event="report.opened", object="r-1", person=None))

    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == SITE
    assert answer.json()["counts"]["new"] == 2
    seen, opened = Event.objects.order_by("key")
    assert (seen.name, seen.source, seen.identity.external_id if seen.identity else "") == (
        "$pageview",
        "portal",
        "b001",
    )
    assert (opened.name, opened.object, opened.identity) == ("report.opened", "r-1", None)
    assert seen.company == opened.company == portal.cast.beiyuan


def test_nothing_of_it_can_earn_points_whatever_it_says(portal: Portal) -> None:
    portal.send(view(person="b001"))
    record([Happening("report.opened", "2", NOW, "b001", history_only=False)], connection=portal.connection, now=NOW)

    assert set(Event.objects.values_list("history_only", flat=True)) == {True}


def test_sent_again_it_changes_nothing(portal: Portal) -> None:
    clock = datetime.now(UTC) + timedelta(hours=8, seconds=10)
    happened = (clock - timedelta(minutes=1)).isoformat()
    portal.send(view(at=happened), sent_at=clock)
    again = portal.send(view(at=happened), sent_at=clock - timedelta(seconds=9))

    assert again.json()["fates"][0]["fate"] == "replayed"
    assert Event.objects.count() == 1
    assert not Conflict.objects.exists()


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ({"event": "points.stolen"}, "not among those"),
        ({"company": "qinghe"}, "Web pages may not send: company"),
        ({"history_only": False}, "Web pages may not send: history_only"),
        ({"revision": 2}, "Web pages may not send: revision"),
        ({"person_email": "hua@beiyuan.example"}, "Web pages may not send: person_email"),
        ({"at": (NOW - timedelta(days=8)).isoformat()}, "more than 7 days ago"),
        ({"at": "yesterday"}, "ISO 8601"),
        ({"facts": []}, "facts must be an object"),
    ],
)
def test_what_a_page_may_not_say_is_rejected_alone(portal: Portal, what: dict[str, Any], reason: str) -> None:
    answer = portal.send(view("odd", **what), view("fine"))

    odd, fine = answer.json()["fates"]
    assert (odd["fate"], fine["fate"]) == ("rejected", "new")
    assert reason in odd["reason"]
    assert list(EventType.objects.filter(name="points.stolen")) == []


def test_the_error_of_the_browser_s_clock_falls_out_and_the_future_is_now(portal: Portal) -> None:
    wrong = timedelta(days=300)
    portal.send(view("late", at=(NOW + wrong - timedelta(minutes=5)).isoformat()), sent_at=NOW + wrong)
    portal.send(view("future", at=(NOW + timedelta(days=30)).isoformat()))

    times = dict(Event.objects.values_list("key", "happened_at"))
    assert timedelta(minutes=4) < datetime.now(UTC) - times["late"] < timedelta(minutes=10)
    assert timedelta(0) <= datetime.now(UTC) - times["future"] < timedelta(minutes=5)
    assert not Quarantine.objects.exists()


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://portal.example", ""])
def test_pages_of_other_origins_and_programs_are_refused(portal: Portal, origin: str) -> None:
    answer = portal.send(view(), origin=origin)

    assert answer.status_code == 403
    assert answer.json()["error"] == "wrong_origin"
    assert "access-control-allow-origin" not in answer.headers
    assert not Event.objects.exists()


def test_the_key_opens_nothing_else_and_no_other_key_opens_this(portal: Portal) -> None:
    erp = connect(slug="erp", kind="api", name="ERP", organization=portal.cast.beiyuan, by=EVERYTHING, now=NOW)
    _key, secret = make_key(connection=erp, by=EVERYTHING, now=NOW, allowed_origins=[SITE])

    as_program = portal.send(
        view(), path=PATH, authorization=f"Bearer {portal.public}", content_type="application/json"
    )
    as_page = portal.send(view(), public=secret)

    assert (as_program.status_code, as_program.json()["error"]) == (403, "page_key")
    assert (as_page.status_code, as_page.json()["error"]) == (403, "not_a_page_key")
    assert portal.send(view(), public="upb_0000000000000000").status_code == 401
    assert portal.send(view(), public="").status_code == 401
    assert not Event.objects.exists()


def test_a_revoked_key_and_a_paused_connection_take_nothing(portal: Portal) -> None:
    pause(connection=portal.connection, by=EVERYTHING, now=NOW)
    keys.forget()
    assert portal.send(view()).json()["error"] == "connection_paused"
    revoke_key(key=portal.key, by=EVERYTHING, now=NOW)
    keys.forget()
    assert portal.send(view()).status_code == 401


def test_too_much_is_refused_before_it_is_read(portal: Portal) -> None:
    assert portal.send(raw=b"x" * (MAX_PAGE_BODY + 1)).status_code == 413
    assert portal.send(*[view(str(n)) for n in range(MAX_PAGE_EVENTS + 1)]).status_code == 413
    assert portal.send(raw=b"{").status_code == 400
    assert portal.send(raw=b"[]").status_code == 400
    assert portal.send(method="GET").status_code == 405


def test_a_visitor_who_sends_too_fast_waits(portal: Portal) -> None:
    assert portal.send(*[view(str(n)) for n in range(MAX_PAGE_EVENTS)]).status_code == 200

    answer = portal.send(view("more"))

    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.headers["access-control-allow-origin"] == SITE


def test_a_page_may_ask_before_it_sends(portal: Portal) -> None:
    assert portal.send(method="OPTIONS").status_code == 204
    intake.forget_origins()
    assert portal.send(method="OPTIONS", origin="https://evil.example").status_code == 403


def test_django_s_own_view_answers_the_same(portal: Portal) -> None:
    answer = Client().post(
        f"{PAGES}?key={portal.public}",
        json.dumps({"events": [view()]}),
        content_type="text/plain",
        headers={"origin": SITE},
    )
    assert answer.status_code == 200
    assert Event.objects.count() == 1


def test_a_key_of_pages_is_no_secret_and_names_its_pages(portal: Portal) -> None:
    assert portal.public == str(portal.key)
    for origins in ([], ["*"], [SITE, "*"]):
        with pytest.raises(OriginsNeeded):
            make_key(connection=portal.connection, by=EVERYTHING, now=NOW, allowed_origins=origins)
    with pytest.raises(NotAnOrigin):
        make_key(connection=portal.connection, by=EVERYTHING, now=NOW, allowed_origins=["portal.example/x"])


@pytest.mark.parametrize("name", ["uptake.login", "x" * 201, "a\0b"])
def test_names_that_are_none_are_not_allowed(portal: Portal, name: str) -> None:
    with pytest.raises(NotAName):
        allow_page_events(connection=portal.connection, names=[name], by=EVERYTHING, now=NOW)
    portal.connection.refresh_from_db()
    assert portal.connection.page_events == ["report.opened"]


def test_people_that_a_page_names_are_not_made(portal: Portal) -> None:
    portal.send(view(person="stranger"))

    assert Identity.objects.get(external_id="stranger").person is None
