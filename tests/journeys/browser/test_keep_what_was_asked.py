"""A question is saved as a view, shared, opened by another role and deleted; a segment is made and narrows all."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.browser.watched import Front

pytestmark = pytest.mark.browser

WORLD = """
from datetime import timedelta
from django.utils import timezone
from tests.cast import person
from uptake.directory.scope import EVERYTHING
from uptake.events.connect import connect
from uptake.events.happening import Happening
from uptake.events.models import EventType
from uptake.events.record import record
from uptake.insight.feed.refresh import refresh

now = timezone.now()
for name, label in (("auth.login", "Log-in"), ("order.created", "Order entered")):
    EventType.objects.create(name=name, label_en=label, category="orders", counts_as_active=True, created_at=now)
link = connect(slug="erp", kind="api", name="ERP", organization=cast.beiyuan, by=EVERYTHING, now=now)
staff = [person(name=f"Clerk {n}", at=cast.purchasing, email=f"{n}@clerk.example") for n in range(6)]
record(
    [
        Happening(event=event, key=f"{event}-{n}-{back}", person=f"c{n}", person_email=one.email,
                  at=now - timedelta(days=back, hours=1), history_only=True)
        for n, one in enumerate(staff) for event in ("auth.login", "order.created")
        for back in ((1, 8, 40) if event == "auth.login" or n < 4 else (40,))
    ],
    connection=link, now=now,
)
refresh(now=now)
print(json.dumps({}))
"""


def test_a_view_is_saved_shared_opened_by_another_role_and_deleted(front: Front) -> None:
    with front.tab("ren") as (page, _):
        page.goto("/activity/ask/trends/?at=beiyuan")
        page.locator("select[name=event]").select_option(label="Order entered")
        expect(page.locator(".u-words-q")).to_contain_text("Order entered")
        page.locator(".u-save summary").click()
        page.get_by_label("Name of the view").fill("Orders at Beiyuan")
        page.locator(".u-save").get_by_label("Coach").check()
        page.locator(".u-save").get_by_role("button", name="Save view").click()
        expect(page.locator(".u-words-q")).to_contain_text("Order entered")

    with front.tab("wei") as (page, _):
        page.goto("/activity/views/")
        expect(page.get_by_role("button", name="Yes, delete view")).to_have_count(0)
        page.get_by_role("link", name="Orders at Beiyuan").click()
        expect(page).to_have_url(re.compile("/activity/ask/trends/.*event=order.created"))
        expect(page.locator(".u-words-q")).to_contain_text("Order entered per day at Beiyuan Precision")

    with front.tab("ren") as (page, _):
        page.goto("/activity/views/")
        row = page.locator("tbody tr", has_text="Orders at Beiyuan")
        expect(row).to_contain_text("Coach")
        row.locator("summary[aria-label^=Delete]").click()
        row.get_by_role("button", name="Yes, delete view").click()
        expect(page.get_by_text("No view yet")).to_be_visible()

    with front.tab("wei") as (page, _):
        page.goto("/activity/views/")
        expect(page.get_by_text("No view yet")).to_be_visible()


def test_a_segment_is_made_by_clicking_and_narrows_every_question(front: Front) -> None:
    with front.tab("ren") as (page, _):
        page.goto("/activity/segments/?at=beiyuan")
        page.get_by_role("link", name="Make segment").first.click()
        page.get_by_label("Add a condition").wait_for()
        page.wait_for_load_state("load")  # the script that sends the form has come
        page.get_by_label("Add a condition").select_option(label="stopped doing")
        page.locator("select[name=c0_event]").select_option(label="Order entered")
        page.get_by_role("button", name="Show who belongs").click()
        expect(page.locator(".u-count")).to_have_text("2 people")
        expect(page.locator(".u-names")).to_contain_text("Clerk 4")
        page.get_by_label("Name of the segment").fill("Stopped orders")
        page.get_by_role("button", name="Save segment").click()
        expect(page.locator("h2").first).to_have_text("2 people belong")

        page.get_by_role("link", name="Ask about it").click()
        expect(page.locator(".u-kinds .on")).to_have_text("Trends")
        expect(page.locator("tr", has_text="Whole period")).to_contain_text("2")
        for address in [tab.get_attribute("href") or "" for tab in page.locator(".u-kinds a").all()]:
            page.goto(address)
            expect(page.locator(".u-words-q")).to_contain_text("Only of the segment “Stopped orders”.")

        page.goto("/activity/segments/?at=beiyuan")
        page.get_by_role("link", name="Stopped orders").click()
        page.get_by_role("button", name="Freeze to a list").click()
        expect(page.locator(".u-head")).to_contain_text("list of")
