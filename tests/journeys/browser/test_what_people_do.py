"""What people do in the pages, from the sign-in to the points, each told as one journey."""

from __future__ import annotations

import json
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Page, expect

from tests.cast import PASSWORD
from tests.journeys.browser.watched import DESKTOP, PHONE, Front, available, has_points, sign_in

pytestmark = pytest.mark.browser

WORLD = """
from datetime import date
from django.utils import timezone
from uptake.directory.scope import EVERYTHING
from uptake.programme.publish import publish
rule = {"rule": "orders", "version": 1, "from": "2026-01-01", "on": "order.processed", "points": 10, "title": "Orders"}
publish(rulebook={"rules": [rule]}, organization=cast.beiyuan, in_force_date=date(2026, 1, 1), by=EVERYTHING,
        now=timezone.now())
print(json.dumps({name: who.pk for name, who in cast.people().items()}))
"""
RULEBOOK = {
    "rules": [
        {"rule": "dye", "version": 1, "from": "2026-01-01", "on": "lot.dyed", "points": 7, "title": "Dyed in time"}
    ]
}
TOASTS = """
document.addEventListener("DOMContentLoaded", () => new MutationObserver((changes) => {
    for (const change of changes) for (const node of change.addedNodes)
        if (node.classList?.contains("u-toast")) window.told(node.innerText);
}).observe(document.body, { childList: true, subtree: true }));
"""


def make_key(page: Page, slug: str) -> str:
    """Connects a source of Beiyuan by the pages, and makes a key; its secret as the page shows it."""
    page.goto("/data/connections/new")
    page.get_by_label("Name", exact=True).fill(f"Source {slug}")
    page.get_by_label("Whose events come in").select_option(label="Beiyuan Precision")
    page.get_by_label("Short name").fill(slug)
    page.get_by_role("button", name="Add connection").click()
    page.get_by_label("What it is for").fill("the journey")
    page.get_by_role("button", name="Make key").click()
    return page.locator("#key").inner_text().strip()


def post(front: Front, secret: str, key: str, *, person: str, at: datetime | None = None) -> str:
    """Sends one processed order as business software would; the fate it is answered with."""
    event = {"event": "order.processed", "key": key, "at": (at or datetime.now(UTC)).isoformat(), "person": person}
    asked = urllib.request.Request(
        f"{front.server.url}/api/v1/events",
        data=json.dumps({"events": [{**event, "object": key}]}).encode(),
        headers={"Authorization": f"Bearer {secret}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(asked, timeout=20) as answer:
        return str(json.loads(answer.read())["fates"][0]["fate"])


def test_an_award_comes_to_the_open_page_once_even_when_the_line_breaks(front: Front) -> None:
    with front.tab("ren") as (page, _):
        secret = make_key(page, "orders")

    with front.tab() as (page, faults):
        sign_in(page, "lin", "not-the-password")
        expect(page.get_by_role("alert")).to_contain_text("not correct")
        expect(page).to_have_url(f"{front.server.url}/account/login/")
        told: list[str] = []
        page.expose_function("told", lambda text: told.append(text))
        page.add_init_script(TOASTS)
        sign_in(page, "lin")
        page.get_by_role("link", name="My points").first.click()
        expect(page.locator("[data-live]")).to_have_attribute("data-live-state", "on")
        before = available(page)

        assert post(front, secret, "SO-1", person="lin-at-beiyuan") == "new"

        toast = page.locator(".u-toast")
        expect(toast).to_contain_text("+10")
        expect(toast.get_by_role("link", name="Why?")).to_have_attribute("href", "/points/#award-1")
        expect(page.locator("#available")).to_have_text(str(before + 10))

        faults.away = True
        front.server.kill()
        expect(page.locator("[data-live]")).to_have_attribute("data-live-state", "off")
        front.server.start()
        assert post(front, secret, "SO-2", person="lin-at-beiyuan") == "new"
        expect(page.locator("#available")).to_have_text(str(before + 20), timeout=30_000)
        faults.away = False
        page.reload()
        expect(page.locator("[data-live]")).to_have_attribute("data-live-state", "on")
        assert post(front, secret, "SO-3", person="lin-at-beiyuan") == "new"
        expect(page.locator(".u-toast")).to_contain_text("SO-3")
        expect(page.locator("#available")).to_have_text(str(before + 30))
        assert [[f"SO-{n}" for n in (1, 2, 3) if f"SO-{n}" in one] for one in told] == [["SO-1"], ["SO-2"], ["SO-3"]]


def test_a_file_becomes_points_and_can_be_taken_back(front: Front, tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    days = [f"2026-05-{day:02}" for day in (11, 12, 13)]
    rows = [f"B002,order.processed,{day} 09:00,IM-{day},{100 + n}" for n, day in enumerate(days)]
    file.write_text("\n".join(["staff,event,time,order,amount", *rows, "B002,order.processed,someday,IM-4,1"]) + "\n")

    def imported(page: Page) -> None:
        page.goto("/data/imports/")
        page.locator("#file").set_input_files(file)
        page.get_by_label("Whose events are these?").select_option(label="Beiyuan Precision")
        page.get_by_role("button", name="Upload file").click()
        expect(page.get_by_role("cell", name="IM-2026-05-11")).to_be_visible()
        page.locator("select[name=name]").first.select_option("event")
        page.get_by_label("Time (needed)").select_option("time")
        page.get_by_label("Person", exact=True).select_option("staff")
        page.get_by_label("What stands in the column of the person").select_option("staff_number")
        page.get_by_label("What it was about").select_option("order")
        page.get_by_label("Keep amount as a fact").check()
        page.locator("input[name=earn][value=yes]").check()
        page.get_by_role("button", name="Check file").click()
        expect(page.get_by_text("What the first rows say")).to_be_visible()
        expect(page.get_by_text("someday")).to_be_visible()
        page.get_by_role("button", name="Import and earn points").click()
        expect(page.get_by_role("heading", name="Control totals")).to_be_visible(timeout=30_000)

    def figures(page: Page) -> dict[str, str]:
        told = page.locator(".u-kpi").all_inner_texts()
        return {lines[0]: lines[1] for lines in (one.splitlines() for one in told)}

    with front.tab("ren") as (page, _):
        imported(page)
        assert list(figures(page).values()) == ["4", "3", "0", "1", "1", "3"], (
            "read, new, there, rejected, people, objects"
        )
        expect(page.get_by_text("Sum of amount")).to_be_visible()
        first = page.url
        with front.tab("hua") as (hers, _):
            has_points(hers, 30)
        imported(page)
        again = figures(page)
        assert (again["New"], again["There already"]) == ("0", "3")
        page.goto(first)
        page.locator("summary", has_text="Undo import").click()
        page.get_by_role("button", name="Yes, undo import").click()
        expect(page.get_by_text("Undone on")).to_be_visible()
    with front.tab("hua") as (hers, _):
        has_points(hers, 0)


def test_what_waits_counts_once_somebody_decided(front: Front) -> None:
    with front.tab("ren") as (page, _):
        secret = make_key(page, "late-orders")
        assert post(front, secret, "LA-1", person="ke-elsewhere", at=datetime.now(UTC) - timedelta(days=60)) != "new"
        assert post(front, secret, "LA-2", person="ke-elsewhere") == "new"

        page.goto("/data/people/")
        row = page.get_by_role("row").filter(has_text="ke-elsewhere")
        row.get_by_text("Say who it is").click()
        row.get_by_label("Find a person").fill("Ke Ming")
        row.get_by_role("button", name="Find a person").click()
        row.get_by_role("button", name="It is Ke Ming").click()
        expect(page.get_by_text("ke-elsewhere is Ke Ming, also in past events.")).to_be_visible()
        with front.tab("ke") as (theirs, _):
            has_points(theirs, 10)

        page.goto("/data/quarantine/?reason=late")
        page.get_by_label("Choose event LA-1").check()
        page.get_by_label("Note for the audit log").fill("The line was down.")
        page.get_by_role("button", name="Accept chosen events").click()
        expect(page.get_by_role("status").first).to_be_visible()
        expect(page.get_by_label("Choose event LA-1")).to_have_count(0)
        with front.tab("ke") as (theirs, _):
            has_points(theirs, 20)


def test_a_rulebook_is_checked_published_and_read_by_those_it_is_for(front: Front) -> None:
    with front.tab("mo") as (theirs, _):
        theirs.goto("/rules/")
        expect(theirs.get_by_text("No rules are in force here")).to_be_visible()
    with front.tab("ren", expected={(422, "/rules/publish/")}) as (page, _):
        page.goto("/rules/publish/")
        page.get_by_label("For", exact=True).select_option(label="Qinghe Textile")
        page.get_by_label("First date in force").fill("2026-01-01")
        page.get_by_label("Rulebook", exact=True).fill('{"rules": [{"rule": "dye", "streak": 3}]}')
        page.get_by_role("button", name="Check rulebook").click()
        expect(page.get_by_role("alert").first).to_be_visible()
        page.get_by_label("Rulebook", exact=True).fill(json.dumps(RULEBOOK))
        page.get_by_role("button", name="Check rulebook").click()
        expect(page.get_by_role("article")).to_contain_text("Dyed in time")
        expect(page.get_by_role("article")).to_contain_text("+7")
        page.get_by_role("button", name="Publish rulebook").click()
        expect(page.get_by_text("Rulebook 1 is published")).to_be_visible()
    with front.tab("mo") as (theirs, _):
        theirs.goto("/rules/")
        expect(theirs.get_by_role("article")).to_contain_text("Dyed in time")


def test_five_wrong_passwords_lock_the_sign_in(front: Front) -> None:
    with front.tab(expected={(429, "/account/login/")}) as (page, _):
        for n in range(5):
            sign_in(page, "shu", f"wrong {n}")
            expect(page.locator("[role=alert], .u-empty")).to_be_visible()
        expect(page.get_by_role("heading", name="Too many wrong passwords")).to_be_visible()
        sign_in(page, "shu")
        expect(page.get_by_role("heading", name="Too many wrong passwords")).to_be_visible()


def test_the_second_step_is_set_up_and_asked_for(front: Front) -> None:
    def code(secret: str) -> str:
        """What an authenticator app shows in this half minute (RFC 6238)."""
        return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))

    with front.tab() as (page, _):
        sign_in(page, "wei")
        page.goto("/account/")
        page.get_by_role("link", name="Switch on").click()
        page.fill("input[name=password]", PASSWORD)
        page.get_by_role("button", name="Confirm").click()
        secret = page.locator("code.u-hash").inner_text().strip()
        assert page.locator("img.u-qr").evaluate("(one) => one.naturalWidth") > 0, "the QR code is drawn"
        page.fill("input[name=code]", code(secret))
        page.get_by_role("button", name="Switch on").click()
        page.goto("/account/")
        expect(page.locator("dd .u-dot.good")).to_have_text("On")
    with front.tab() as (page, _):
        sign_in(page, "wei")
        expect(page.get_by_role("heading", name="Second step")).to_be_visible()
        page.fill("input[name=code]", "000000")
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator(".u-wrong, [role=alert]").first).to_be_visible()
        page.fill("input[name=code]", code(secret))
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator(".u-me").first).to_contain_text("Wei Qiang")


def test_language_and_theme_stay_over_pages_and_sign_in(front: Front) -> None:
    def kept(page: Page) -> tuple[Any, Any]:
        return page.locator("html").get_attribute("lang"), page.locator("html").get_attribute("data-bs-theme")

    with front.tab() as (page, _):
        page.goto("/account/login/")
        with page.expect_response("**/account/theme"):
            page.get_by_role("button", name="Switch light or dark").click()
        page.get_by_role("button", name="中文").click()
        expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
        assert kept(page) == ("zh-Hans", "dark")
        sign_in(page, "an")
        for item in page.locator(".u-side .u-nav a").all_inner_texts():
            page.locator(".u-side .u-nav a", has_text=item).first.click()
            expect(page.locator(".u-side .u-nav > li > a.on")).to_contain_text(item)
            assert kept(page) == ("zh-Hans", "dark")
        page.locator(".u-side").get_by_role("button", name="English").click()
        expect(page.locator("html")).to_have_attribute("lang", "en")
        assert kept(page) == ("en", "dark")


def test_the_phone_is_walked_by_its_tabs_or_its_menu(front: Front) -> None:
    with front.tab("lin", size=PHONE) as (page, _):
        page.goto("/")
        tabs = page.locator(".u-tabs a")
        for name in ("Ranking", "Rewards", "Rules", "Points"):
            tabs.filter(has_text=name).click()
            address = {"Ranking": "boards"}.get(name, name.lower())
            expect(page).to_have_url(f"{front.server.url}/{address}/")
            expect(page.locator(".u-tabs a.on")).to_contain_text(name)
        page.get_by_role("button", name="Menu").click()
        page.locator("#menu .u-nav a").filter(has_text="Events").click()
        expect(page).to_have_url(f"{front.server.url}/events/")
    with front.tab("ren", size=PHONE) as (page, _):
        page.goto("/")
        for name, address in (("Data", "/data/"), ("People & roles", "/people/"), ("Audit log", "/audit/")):
            page.get_by_role("button", name="Menu").click()
            page.locator("#menu .u-nav a").filter(has_text=name).click()
            expect(page).to_have_url(f"{front.server.url}{address}")
            expect(page.locator("#menu")).to_be_hidden()


def test_the_keyboard_reaches_the_content_first_and_shows_where_it_is(front: Front) -> None:
    with front.tab("lin", size=DESKTOP) as (page, _):
        page.goto("/points/")
        page.keyboard.press("Tab")
        skip = page.locator(".u-skip")
        expect(skip).to_be_focused()
        expect(skip).to_be_in_viewport()
        page.keyboard.press("Enter")
        expect(page.locator("#main")).to_be_focused()
        for _step in range(4):
            page.keyboard.press("Tab")
            outline = page.evaluate(
                "() => { const s = getComputedStyle(document.activeElement);"
                " return [document.activeElement.tagName, s.outlineStyle, s.boxShadow] }"
            )
            assert outline[1] != "none" or outline[2] != "none", outline
