"""A page of another site loads the collector's script: what it sends arrives, once, and only if the reader lets it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.browser.watched import Front
from tests.server import inside

pytestmark = pytest.mark.browser


def _free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port: int = door.getsockname()[1]
        return port


PORT = _free_port()
SITE = f"http://localhost:{PORT}"
STRANGER = f"http://127.0.0.1:{PORT}"
"""The same pages under another name: another origin."""
KEY = "upb_0123456789abcdef"
WORLD = f"""
import os
from hashlib import sha256
from django.utils import timezone
from uptake.directory.scope import EVERYTHING
from uptake.events.connect import allow_page_events, connect
from uptake.events.keys import make_key
from uptake.events.models import ApiKey
now = timezone.now()
portal = connect(slug="portal", kind="browser", name="Portal", organization=cast.beiyuan, by=EVERYTHING, now=now)
allow_page_events(connection=portal, names=["report.opened", "order.sent"], by=EVERYTHING, now=now)
key, _ = make_key(connection=portal, by=EVERYTHING, now=now, allowed_origins=[{SITE!r}])
ApiKey.objects.filter(pk=key.pk).update(prefix={KEY[4:]!r}, hash=sha256({KEY.encode()!r}).hexdigest())
print(json.dumps({{}}))
"""
ARRIVED = """
import json
from uptake.events.models import Event
print(json.dumps([
    {"event": one.name, "person": one.identity and one.identity.external_id, "object": one.object,
     "facts": {name: str(value) for name, value in one.facts.items()}, "history_only": one.history_only}
    for one in Event.objects.filter(source="portal").select_related("identity").order_by("id")
]))
"""
BODY = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Reports</title>
<link rel="icon" href="data:,">
<script defer src="{server}/collector/v1.js" data-uptake-key="{key}" {settings}></script></head>
<body data-uptake-person="lin-at-beiyuan">
<button data-uptake-event="report.opened" data-uptake-object="R-1" data-uptake-rows="12" data-uptake-order-no="007">Open
report</button>
<button onclick="history.pushState({{}}, '', '/reports/42?token=secret')">Next view</button>
<form data-uptake-event="order.sent" onsubmit="event.preventDefault()"><button>Send order</button></form>
<a href="/away.html">Leave</a></body></html>"""
SETTINGS = {"ignoring": 'data-uptake-dnt="ignore"', "storing": "data-uptake-store"}


@pytest.fixture(scope="module")
def site(front: Front) -> Iterator[None]:
    """Pages of another site, at two origins; the settings of the script are named by the path."""

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            settings = SETTINGS.get(self.path.strip("/").partition("?")[0], "")
            text = BODY.format(server=front.server.url, key=KEY, settings=settings)
            sent = ("<!doctype html><title>Away</title>" if self.path == "/away.html" else text).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", PORT), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield
    server.shutdown()


def arrived(front: Front) -> list[dict[str, Any]]:
    found = inside(ARRIVED, data=front.server.data, database_url=front.server.environment["UPTAKE_DATABASE_URL"])
    assert isinstance(found, list), "the code prints a list"
    return found


def until(front: Front, number: int) -> list[dict[str, Any]]:
    """The events of the site, once there are so many of them."""
    for _ in range(20):
        found = arrived(front)
        if len(found) >= number:
            break
        time.sleep(0.5)
    return found


def sent(page: Page) -> None:
    """Waits until the script was answered about everything it had to say."""
    page.wait_for_function("window.told >= window.wanted")


def listen(page: Page, wanted: int) -> None:
    """Counts what the script was answered about, from the first line of the page on."""
    page.add_init_script(
        f"window.told = 0; window.wanted = {wanted}; document.addEventListener('uptake:sent',"
        " (told) => { if (told.detail.status === 200) window.told += told.detail.events.length; });"
    )


def test_views_and_named_events_arrive_without_a_cookie_and_without_points(front: Front, site: None) -> None:
    before = len(arrived(front))
    with front.tab() as (page, _):
        page.context.clear_cookies()
        listen(page, 4)
        page.goto(f"{SITE}/reports?session=secret#top")
        page.get_by_role("button", name="Open report").click()
        page.get_by_role("button", name="Next view").click()
        page.get_by_role("button", name="Send order").click()
        sent(page)
        assert page.context.cookies() == []
        assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]

    came = arrived(front)[before:]
    first, opened, second, order = sorted(
        came,
        key=lambda one: ["/reports", "report.opened", "/reports/42", "order.sent"].index(
            one["event"] if one["event"] != "$pageview" else one["facts"]["path"]
        ),
    )
    assert {one["person"] for one in came} == {"lin-at-beiyuan"}
    assert {one["history_only"] for one in came} == {True}
    assert first["facts"]["url"] == f"{SITE}/reports"
    assert first["facts"]["title"] == "Reports"
    assert (opened["object"], opened["facts"]["rows"], opened["facts"]["order_no"]) == ("R-1", "12", "007")
    assert (second["facts"]["url"], second["facts"]["referrer"]) == (f"{SITE}/reports/42", f"{SITE}/reports")
    assert order["event"] == "order.sent"
    assert len({one["facts"]["visit"] for one in came}) == 1


def test_a_page_that_is_left_at_once_sends_by_beacon(front: Front, site: None) -> None:
    before = len(arrived(front))
    with front.tab() as (page, _):
        page.goto(f"{SITE}/quick")
        page.get_by_role("button", name="Open report").click()
        page.get_by_role("link", name="Leave").click()
        page.wait_for_url("**/away.html")
        came = until(front, before + 2)[before:]

    assert sorted(one["event"] for one in came) == ["$pageview", "report.opened"]


@pytest.mark.parametrize("said", ["doNotTrack", "globalPrivacyControl"])
def test_who_asks_not_to_be_tracked_is_not(front: Front, site: None, said: str) -> None:
    before = len(arrived(front))
    value = '"1"' if said == "doNotTrack" else "true"
    with front.tab() as (page, _):
        page.add_init_script(f"Object.defineProperty(Navigator.prototype, '{said}', {{ get: () => {value} }})")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{SITE}/reports")
        page.get_by_role("button", name="Open report").click()
        page.evaluate("uptake.track('report.opened'); uptake.flush()")
        page.goto(f"{SITE}/away.html")
        assert not [one for one in asked if "/collect" in one and "collector" not in one]

        listen(page, 1)
        page.goto(f"{SITE}/ignoring")
        sent(page)

    came = arrived(front)[before:]
    assert [one["facts"]["path"] for one in came] == ["/ignoring"]


def test_while_the_server_is_away_it_tries_again_and_arrives_once(front: Front, site: None) -> None:
    before = len(arrived(front))
    with front.tab() as (page, faults):
        listen(page, 2)
        page.goto(f"{SITE}/reports")
        page.wait_for_function("window.told === 1")
        faults.away = True
        front.server.kill()
        page.evaluate(
            "window.failed = 0; document.addEventListener('uptake:sent', (told) => {"
            " if (!told.detail.status) window.failed++; })"
        )
        page.get_by_role("button", name="Open report").click()
        page.wait_for_function("window.failed > 0")
        assert page.evaluate("localStorage.length") == 0
        front.server.start()
        page.wait_for_function("window.told === 2", timeout=60_000)
        faults.away = False

    assert sorted(one["event"] for one in arrived(front)[before:]) == ["$pageview", "report.opened"]


def test_what_could_not_be_sent_outlives_the_page_only_where_the_site_allows(front: Front, site: None) -> None:
    before = len(arrived(front))
    with front.tab() as (page, faults):
        listen(page, 1)
        page.goto(f"{SITE}/storing")
        sent(page)
        faults.away = True
        front.server.kill()
        page.get_by_role("button", name="Open report").click()
        page.wait_for_function("localStorage.length === 1")
        page.goto("about:blank")
        front.server.start()
        faults.away = False
        page.goto(f"{SITE}/storing")
        page.wait_for_function("window.told >= 2")
        page.wait_for_function("localStorage.length === 0")

    came = [one["event"] for one in arrived(front)[before:]]
    assert sorted(came) == ["$pageview", "$pageview", "report.opened"]


def test_a_page_of_another_site_is_refused(front: Front, site: None) -> None:
    before = len(arrived(front))
    with front.tab() as (page, faults):
        faults.away = True  # the refusal is told on the console
        page.add_init_script("document.addEventListener('uptake:sent', (told) => { window.told = told.detail; })")
        page.goto(f"{STRANGER}/reports")
        page.wait_for_function("window.told")
        assert page.evaluate("[told.status, told.answer]") == [0, None]
    assert len(arrived(front)) == before


def test_it_can_be_watched_on_the_page_that_tries_it_out(front: Front, site: None) -> None:
    with front.tab("ren") as (page, _):
        page.goto("/data/connections/portal")
        page.get_by_label("Web pages that may use it").fill(front.server.url)
        page.get_by_role("button", name="Make key").click()
        expect(page.locator("#snippet")).to_contain_text(f"{front.server.url}/collector/v1.js")
        page.get_by_role("link", name="Try it out").click()
        rows = page.locator("[data-demo-sent] tr")
        expect(rows).to_have_count(1)
        expect(rows.first).to_contain_text("$pageview")
        expect(rows.first).to_contain_text("new")
        page.get_by_role("button", name="report.opened").click()
        page.get_by_role("button", name="An event that is not allowed").click()
        expect(rows).to_have_count(3)
        expect(page.locator("[data-demo-sent]")).to_contain_text("not among those that web pages may send")
        page.get_by_role("button", name="Go to another view").click()
        expect(rows).to_have_count(4)
        expect(rows.first).to_contain_text("#view-2")
