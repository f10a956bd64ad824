"""What event clients of other makers send: how they are answered, what is kept, and what is said of their mistakes."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.cast import Cast, build_cast
from uptake.connectors.models import IntakeProblem
from uptake.directory.models import Person
from uptake.directory.scope import EVERYTHING
from uptake.events import keys
from uptake.events.connect import connect, pause
from uptake.events.keys import make_key
from uptake.events.models import BROWSER, ApiKey, Connection, Event
from uptake.web.api import intake, problems
from uptake.web.api.door import IntakeDoor
from uptake.web.api.writer import drain_writer

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime.now(UTC).replace(microsecond=0)
ORIGIN = "https://erp.example"


@dataclass
class Vendor:
    """A connection of Beiyuan with a key, and a way to send as a client does."""

    cast: Cast
    connection: Connection
    key: ApiKey
    secret: str

    def send(self, path: str, content: Any = b"", *, method: str = "POST", **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        body = content if isinstance(content, bytes) else json.dumps(content).encode()

        async def sending() -> httpx.Response:
            door: Any = IntakeDoor(_nothing_behind)
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app=door), base_url="http://uptake") as client:
                return await client.request(method, path, content=body, headers=named)

        return asyncio.run(sending())

    def track(self, *items: dict[str, Any], secret: str = "", **headers: str) -> httpx.Response:
        basic = base64.b64encode(f"{secret or self.secret}:".encode()).decode()
        return self.send("/in/segment/v1/batch", {"batch": list(items)}, authorization=f"Basic {basic}", **headers)

    def problems(self) -> dict[str, IntakeProblem]:
        problems.write_down()
        return {one.code: one for one in IntakeProblem.objects.filter(key=self.key)}


async def _nothing_behind(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b"behind the door"})


@pytest.fixture
def vendor(transactional_db: None) -> Iterator[Vendor]:
    problems.write_down()
    cast = build_cast()
    connection = connect(slug="crm", kind="api", name="CRM", organization=cast.beiyuan, by=EVERYTHING, now=NOW)
    key, secret = make_key(connection=connection, by=EVERYTHING, now=NOW)
    keys.forget()
    intake.forget_origins()
    yield Vendor(cast, connection, key, secret)
    drain_writer()


def item(number: int = 1, **what: Any) -> dict[str, Any]:
    return {
        "type": "track",
        "event": "Order Confirmed",
        "userId": "lin",
        "messageId": f"m-{number}",
        "timestamp": NOW.isoformat(),
        "properties": {"n": number},
        **what,
    }


def test_each_protocol_is_answered_as_its_clients_expect(vendor: Vendor) -> None:
    key, at = vendor.secret, NOW.isoformat()
    capture = {"event": "x", "distinct_id": "lin", "uuid": "u-1", "timestamp": at}
    said = base64.b64encode(json.dumps({"type": "track", "event": "x", "distinct_id": "lin"}).encode()).decode()
    table: list[tuple[str, str, Any, dict[str, str], Any]] = [
        ("POST", "/in/segment/v1/t", item(1, writeKey=key), {}, {"success": True}),
        ("POST", "/in/posthog/batch/", {"api_key": key, "batch": [capture]}, {}, {"status": "Ok"}),
        (
            "POST",
            "/in/posthog/i/v1/analytics/events",
            {"batch": [{**capture, "uuid": "u-2"}]},
            {"authorization": f"Bearer {key}"},
            {"results": {"u-2": {"result": "ok"}}},
        ),
        ("POST", "/in/posthog/flags/?v=2", {"token": "x"}, {}, {}),
        (
            "POST",
            "/in/umami/api/send",
            {"type": "event", "payload": {"website": key, "name": "x"}},
            {},
            {"cache": "", "sessionId": "", "visitId": ""},
        ),
        (
            "POST",
            "/in/matomo/matomo.php",
            {"requests": ["?idsite=1&rec=1&action_name=x&url=http%3A%2F%2Fa%2Fb"], "token_auth": key},
            {},
            {"status": "success", "tracked": 1, "invalid": 0},
        ),
        ("POST", f"/in/sensors/sa?key={key}", f"data={said}".encode(), {}, {"success": True}),
        (
            "POST",
            "/in/cloudevents",
            {"specversion": "1.0", "id": "1", "source": "/erp", "type": "x", "subject": "lin"},
            {"authorization": f"Bearer {key}"},
            {"success": True},
        ),
    ]
    for method, path, content, headers, wanted in table:
        answer = vendor.send(path, content, method=method, **headers)
        assert (answer.status_code, answer.json()) == (200, wanted), path
    picture = vendor.send(f"/in/matomo/matomo.php?idsite=1&rec=1&action_name=y&key={key}", method="GET")
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/gif")
    assert Event.objects.filter(source="crm").count() == 8


def test_one_bad_message_does_not_keep_the_others_away_and_is_told_on_the_page_of_the_key(vendor: Vendor) -> None:
    answer = vendor.track(item(1), {"type": "track", "userId": "lin@beiyuan.example"}, item(2, event="x" * 300))

    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert list(Event.objects.values_list("key", "name")) == [("m-1", "Order Confirmed")]
    told = vendor.problems()
    assert {code: one.count for code, one in told.items()} == {"bad_item": 1, "rejected": 1}
    sample: Any = told["rejected"].sample
    assert (sample["person"], sample["facts"]) == ("li…", {"n": "#"})


def test_the_same_again_with_other_words_is_a_conflict_on_the_page_and_no_second_event(vendor: Vendor) -> None:
    for event in ("A", "A", "B"):
        assert vendor.track(item(1, event=event)).status_code == 200
    assert Event.objects.count() == 1
    assert {code: one.count for code, one in vendor.problems().items()} == {"conflict": 1}


@pytest.mark.parametrize(("minutes_wrong", "minutes_stored"), [(0, 0), (4, 4), (-4, -4), (61, 1), (-180, 0)])
def test_a_clock_that_is_far_off_is_put_right_and_one_that_is_nearly_right_is_believed(
    vendor: Vendor, minutes_wrong: int, minutes_stored: int
) -> None:
    now = datetime.now(UTC).replace(microsecond=0)  # the clock that is right is the server's, at this moment
    theirs = now + timedelta(minutes=minutes_wrong)
    for _time in range(2):
        vendor.track(item(1, timestamp=theirs.isoformat(), sentAt=(theirs + timedelta(seconds=1)).isoformat()))

    (stored,) = Event.objects.all()
    assert stored.happened_at == now + timedelta(minutes=minutes_stored)
    assert vendor.problems() == {}


def test_what_cannot_be_read_or_opened_is_refused_with_code_and_message(vendor: Vendor) -> None:
    unreadable = vendor.send("/in/segment/v1/batch", b"{oh", authorization=f"Bearer {vendor.secret}")
    assert unreadable.status_code == 400
    assert unreadable.json()["code"] == "unreadable"
    nobody = vendor.track(item(), secret="upk_000000000000_" + "x" * 43)
    assert nobody.status_code == 401
    assert set(nobody.json()) == {"code", "message"}
    pages = connect(slug="shop", kind=BROWSER, name="Shop", organization=vendor.cast.beiyuan, by=EVERYTHING, now=NOW)
    _key, secret = make_key(connection=pages, by=EVERYTHING, now=NOW, allowed_origins=[ORIGIN])
    assert vendor.track(item(), secret=secret).status_code == 403
    assert vendor.send("/in/nobody/v1/batch", b"{}").text == "behind the door"
    assert {code: one.count for code, one in vendor.problems().items()} == {"unreadable": 1}


def test_a_paused_connection_and_a_sender_that_is_too_fast_are_told_when_to_come_again(
    vendor: Vendor, settings: Any
) -> None:
    settings.INTAKE_EVENTS_PER_SECOND = 0.1
    statuses = [vendor.track(item(number)).status_code for number in range(3)]
    slow = vendor.track(item(4))
    assert statuses == [200, 429, 429]
    assert int(slow.headers["retry-after"]) > 0
    assert vendor.problems()["too_fast"].count == 3
    pause(connection=vendor.connection, by=EVERYTHING, now=NOW)
    keys.forget()
    waiting = vendor.track(item(5))
    assert (waiting.status_code, waiting.headers["retry-after"]) == (503, "60")


def test_a_browser_is_let_in_from_the_pages_of_its_key_describes_nobody_and_earns_nothing(vendor: Vendor) -> None:
    _key, secret = make_key(connection=vendor.connection, by=EVERYTHING, now=NOW, allowed_origins=[ORIGIN])
    asked = vendor.send(
        "/in/posthog/e/", method="OPTIONS", origin=ORIGIN, access_control_request_headers="content-type, x-posthog"
    )
    assert (asked.status_code, asked.headers["access-control-allow-headers"]) == (204, "content-type, x-posthog")
    named = {"type": "identify", "userId": "lin", "messageId": "i", "traits": {"email": "mo@qinghe.example"}}

    assert vendor.track(item(), named, secret=secret, origin=ORIGIN).headers["access-control-allow-origin"] == ORIGIN
    assert vendor.track(item(2), secret=secret, origin="https://other.example").status_code == 403
    assert list(Event.objects.values_list("name", "history_only")) == [("Order Confirmed", True)]


def test_an_identify_says_whose_events_these_are(vendor: Vendor) -> None:
    lin = Person.objects.get(pk=vendor.cast.lin.pk)
    lin.email = "lin@beiyuan.example"
    lin.save()
    vendor.track({"type": "identify", "userId": "u-77", "messageId": "i", "traits": {"email": "LIN@beiyuan.example"}})
    vendor.track(item(userId="u-77"))

    assert {event.identity.person_id for event in Event.objects.select_related("identity") if event.identity} == {
        lin.pk
    }


@pytest.mark.parametrize("group", ["beiyuan", "qinghe", "acme"])
def test_a_group_never_takes_an_event_to_a_company_of_somebody_else(vendor: Vendor, group: str) -> None:
    vendor.track(item(context={"groupId": group}))
    (event,) = Event.objects.all()
    assert event.facts["group"] == group
    assert event.company_id == vendor.cast.beiyuan.pk
