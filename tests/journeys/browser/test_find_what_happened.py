"""What happened is found by clicking, as docs/how-to/find-what-happened.md tells: silence, its last step, farming."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.browser.watched import PHONE, Front

pytestmark = pytest.mark.browser

WORLD = """
from datetime import timedelta
from django.utils import timezone
from tests.cast import person, place
from uptake.directory.models import Kind
from uptake.directory.scope import EVERYTHING
from uptake.events.connect import connect
from uptake.events.happening import Happening
from uptake.events.models import EventType
from uptake.events.record import record
from uptake.insight.feed.refresh import refresh

now = timezone.now()
for name, label in (("auth.login", "Log-in"), ("label.print_failed", "Label printing failed"),
                    ("stock.moved", "Stock moved")):
    EventType.objects.update_or_create(
        name=name, defaults={"label_en": label, "category": "stock", "counts_as_active": True, "created_at": now}
    )

def company(name, slug, people):
    # A company with its source, and so many people in a warehouse.
    made = place(kind=Kind.COMPANY, name=name, slug=slug, parent=cast.park)
    link = connect(slug=f"erp-{slug}", kind="api", name=f"ERP of {name}", organization=made, by=EVERYTHING, now=now)
    staff = [person(name=f"{name.split()[0]} {n}", at=made, email=f"{n}@{slug}.example") for n in range(people)]
    return link, staff

def did(link, staff, event, back, minutes=0):
    return [
        Happening(event=event, key=f"{event}-{day}-{minutes}-{one.pk}", person=f"p{one.pk}", person_email=one.email,
                  at=now - timedelta(days=day, hours=2) + timedelta(minutes=minutes), history_only=day > 3)
        for day in back for one in staff
    ]

COMPANIES = (("Huaxin Chemicals", "huaxin", 30), ("Fulin Timber", "fulin", 24), ("Lantai Foods", "lantai", 1))
for name, slug, first in COMPANIES:
    link, staff = company(name, slug, 7)
    deeds = did(link, staff, "auth.login", range(first, 55))
    if slug == "fulin":
        deeds += did(link, staff, "label.print_failed", [first], 5)
        for day in range(1, 30):
            deeds.append(Happening(event="erp.synced", key=f"night-{day}", at=now - timedelta(days=day)))
    if slug == "lantai":
        deeds += did(link, staff[:6], "stock.moved", range(1, 10), 5)
        for turn in range(6):
            deeds += did(link, staff[6:], "stock.moved", range(1, 10), 10 + turn)
    record(deeds, connection=link, now=now)
refresh(now=now)
print(json.dumps({}))
"""

OPENED = """
[...document.querySelectorAll("main details")].filter((one) => one.querySelector(":scope > .u-pop")).map((one) => {
    one.open = true;
    const told = one.querySelector(":scope > .u-pop").getBoundingClientRect();
    const seen = [told.width, told.left >= 0 && told.right <= innerWidth, document.documentElement.scrollWidth];
    one.open = false;
    return seen;
})
"""


def go(page: Page, *names: str) -> None:
    """Opens an entry of the menu, and of the one below it."""
    for name in names:
        page.locator(".u-side").get_by_role("link", name=name, exact=True).click()


def test_silence_is_told_from_missing_data_and_leads_to_the_last_step(front: Front) -> None:
    with front.tab("ren") as (page, _):
        page.goto("/overview/")
        go(page, "Activity", "Silent people")
        expect(page.locator(".u-meter")).to_contain_text("Huaxin Chemicals")
        expect(page.locator("#list")).not_to_contain_text("Huaxin")

        page.locator("tbody tr", has_text="Fulin Timber").first.get_by_role("link", name="Fulin Timber").click()
        expect(page.locator(".u-verdict-q")).to_contain_text("7 of the 7 people who ever began are silent")
        failed = page.locator("tbody tr", has_text="Label printing failed").first
        failed.get_by_role("link", name="7", exact=True).click()
        expect(page.locator("h2").first).to_have_text("7 people behind this number")

        page.get_by_role("link", name="Fulin 0", exact=True).click()
        events = page.locator("section", has=page.get_by_role("heading", name="Events", exact=True))
        expect(events.locator("tbody tr").first).to_contain_text("Label printing failed")


def test_a_company_without_data_says_since_when(front: Front) -> None:
    with front.tab("ren") as (page, _):
        page.goto("/activity/huaxin/")
        expect(page.locator(".u-call.warn")).to_contain_text("no data since")
        expect(page.get_by_role("link", name="Silent 0")).to_be_visible()
        expect(page.locator("#list tbody tr").first).to_contain_text("No data since")


def test_who_does_far_more_than_the_others_stands_on_top(front: Front) -> None:
    with front.tab("ren") as (page, _):
        page.goto("/overview/")
        go(page, "Activity", "Questions")
        page.locator("select[name=event]").select_option(label="Stock moved")
        expect(page.locator(".u-words-q")).to_contain_text("Stock moved")
        page.locator("tbody tr", has_text="Whole period").get_by_role("link").first.click()
        expect(page.locator("h2").first).to_have_text("7 people behind this number")

        page.get_by_role("columnheader").get_by_role("link", name="Events", exact=True).click()
        expect(page).to_have_url(re.compile("sort=-events"))
        expect(page.locator("tbody tr").first).to_contain_text("Lantai 6")


def test_what_opens_on_the_phone_lies_on_the_screen(front: Front) -> None:
    with front.tab("ren", size=PHONE) as (page, _):
        for address in ("/activity/ask/trends/", "/activity/lantai/"):
            page.goto(address)
            opened = page.evaluate(OPENED)
            assert len(opened) >= 2
            assert all(wide > 200 and inside and whole <= PHONE["width"] for wide, inside, whole in opened), opened
