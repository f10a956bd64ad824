"""A page of another site shows its clerk points and what comes as it comes; others get nothing."""

from __future__ import annotations

import json
import socket
import threading
import urllib.request
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
WORLD = f"""
from datetime import date
from django.utils import timezone
from uptake.directory.scope import EVERYTHING
from uptake.events.connect import connect
from uptake.events.keys import make_key
from uptake.events.widget_keys import make_widget_key
from uptake.programme.publish import publish
now = timezone.now()
rule = {{"rule": "orders", "version": 1, "from": "2026-01-01", "on": "order.processed", "points": 10}}
book = {{"programme": {{}}, "rules": [rule], "levels": [{{"name": "Apprentice", "at": 10}}]}}
publish(rulebook=book, organization=cast.beiyuan, in_force_date=date(2026, 1, 1), by=EVERYTHING, now=now)
erp = connect(slug="orders", kind="api", name="ERP", organization=cast.beiyuan, by=EVERYTHING, now=now)
_, events = make_key(connection=erp, by=EVERYTHING, now=now)
key, widget = make_widget_key(connection=erp, by=EVERYTHING, now=now, allowed_origins=[{SITE!r}])
print(json.dumps({{"events": events, "widget": widget, "key": key.pk}}))
"""
ENDED = """
import json
from datetime import timedelta
from django.utils import timezone
from uptake.directory.models import Identity
from uptake.web.widget.token import Claim, sign
lin = Identity.objects.get(external_id="lin-at-beiyuan")
print(json.dumps(sign(Claim({key}, lin.person_id, lin.company_id, timezone.now() - timedelta(seconds=5)))))
"""
BODY = """<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>ERP</title>
<meta http-equiv="Content-Security-Policy" content="style-src 'none'; script-src {server}; connect-src 'self' {server}">
<link rel="icon" href="data:,"></head><body><h1>Order</h1><button>Post</button>
<script src="{server}/widget/v1.js" {settings}></script></body></html>"""
WATCH = """window.answers = []; const ask = window.fetch;
window.fetch = async (...asked) => {
    const told = String(asked[0]).includes("/widget/me");
    try { const answer = await ask(...asked); if (told) window.answers.push(answer.status); return answer; }
    catch (failed) { if (told) window.answers.push(0); throw failed; }
};"""
"""What the page is answered; 0 where the browser lets it read nothing."""
OWN = 'data-uptake-token-url="/uptake-token"'


def _ask(front: Front, path: str, key: str, content: Any) -> Any:
    """As the host's server asks."""
    headers = {"Authorization": f"Bearer {front.world[key]}", "Content-Type": "application/json"}
    request = urllib.request.Request(front.server.url + path, json.dumps(content).encode(), headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def site(front: Front) -> Iterator[dict[str, str]]:
    """Pages of an ERP at two origins; what its script is told may be set."""
    told = {"settings": OWN, "language": "en"}

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/uptake-token":
                given = _ask(front, "/api/v1/widget/tokens", "widget", {"person": "lin-at-beiyuan"})
                sent, kind = json.dumps(given).encode(), "application/json"
            else:
                sent, kind = BODY.format(server=front.server.url, **told).encode(), "text/html; charset=utf-8"
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", PORT), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield told
    server.shutdown()


def order(front: Front, number: str) -> None:
    from datetime import UTC, datetime

    done = {
        "event": "order.processed", "key": number, "at": datetime.now(UTC).isoformat(),
        "person": "lin-at-beiyuan", "object": number,
    }  # fmt: skip
    assert _ask(front, "/api/v1/events", "events", done)["counts"]["new"] == 1


def badge(page: Page) -> Any:
    return page.locator("#uptake-widget .b")


def test_the_page_shows_points_and_a_toast_as_they_come(front: Front, site: dict[str, str]) -> None:
    with front.tab() as (page, _):
        page.context.clear_cookies()
        page.goto(f"{SITE}/orders/1")
        expect(badge(page)).to_have_accessible_name("0 points")
        order(front, "SO-1")
        toast = page.locator("#uptake-widget .t").filter(has_text="+10")
        expect(toast).to_contain_text("SO-1")
        expect(page.locator("#uptake-widget [role=status]")).to_contain_text("+10 points")
        expect(badge(page)).to_contain_text("Apprentice")
        assert toast.get_by_role("link").get_attribute("href", timeout=2000) == f"{front.server.url}/points/#award-1"

        badge(page).focus()
        page.keyboard.press("Enter")
        panel = page.locator("#uptake-widget [role=dialog]")
        expect(panel).to_be_focused()
        expect(panel).to_contain_text("Next best step")
        expect(toast).to_have_count(0)
        page.keyboard.press("Tab")
        expect(panel.get_by_role("link", name="Why?").first).to_be_focused()
        page.keyboard.press("Escape")
        expect(panel).to_be_hidden()
        expect(badge(page)).to_be_focused()
        assert page.context.cookies() == []
        assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
        assert badge(page).evaluate("(one) => getComputedStyle(one).display") == "flex", "styled, whatever the policy"

        badge(page).click()
        panel.get_by_role("button", name="Hide for today").click()
        expect(badge(page)).to_have_count(0)
        page.reload()
        page.wait_for_timeout(500)
        expect(badge(page)).to_have_count(0)


def test_where_no_stream_passes_it_asks_and_it_speaks_chinese(front: Front, site: dict[str, str]) -> None:
    site["language"] = "zh-CN"
    with front.tab() as (page, faults):
        faults.away = True  # the stream is cut below
        page.clock.install()
        page.route("**/widget/stream", lambda route: route.abort())
        page.goto(f"{SITE}/orders/1")
        expect(badge(page)).to_have_accessible_name("10 积分, Apprentice")
        order(front, "SO-2")
        for _ in range(20):
            page.clock.run_for(21_000)
            page.wait_for_timeout(300)
            if page.locator("#uptake-widget .t").count():
                break
        expect(page.locator("#uptake-widget .t")).to_contain_text("SO-2")
        badge(page).click()
        expect(page.locator("#uptake-widget [role=dialog]")).to_contain_text("打开我的积分")
    site["language"] = "en"


def test_in_quiet_hours_the_figures_go_on_and_nothing_pops_up(front: Front, site: dict[str, str]) -> None:
    site["settings"] = f'{OWN} data-uptake-quiet="00:00-23:59"'
    with front.tab() as (page, _):
        page.goto(f"{SITE}/orders/1")
        expect(badge(page)).to_contain_text("20")
        order(front, "SO-3")
        expect(badge(page)).to_contain_text("30")
        expect(page.locator("#uptake-widget .t")).to_have_count(0)
        expect(page.locator("#uptake-widget [role=status]")).to_be_empty()
    site["settings"] = OWN


def test_a_page_of_another_origin_and_an_ended_token_show_nothing(front: Front, site: dict[str, str]) -> None:
    token = inside(
        ENDED.replace("{key}", str(front.world["key"])),
        data=front.server.data,
        database_url=front.server.environment["UPTAKE_DATABASE_URL"],
    )
    for address, settings, refused in ((STRANGER, OWN, 0), (SITE, f'data-uptake-token="{token}"', 401)):
        site["settings"] = settings
        with front.tab() as (page, faults):
            faults.away = True  # the refusal is told on the console
            page.add_init_script(WATCH)
            page.goto(f"{address}/orders/1")
            for _ in range(100):  # the page's policy forbids what wait_for_function does
                if page.evaluate("window.answers.length"):
                    break
                page.wait_for_timeout(100)
            assert page.evaluate("window.answers[0]") == refused
            page.wait_for_timeout(300)
            expect(badge(page)).to_have_count(0)
    site["settings"] = OWN
