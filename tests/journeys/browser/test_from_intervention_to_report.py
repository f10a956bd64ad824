"""From what was registered to its report by clicking: a planted effect is found, a planted nothing is not."""

from __future__ import annotations

import io
from pathlib import Path

import openpyxl
import pypdf
import pytest
from playwright.sync_api import Page, expect

from tests.journeys.browser.watched import PHONE, Front

pytestmark = pytest.mark.browser

WORLD = """
from uptake.directory.scope import EVERYTHING
from uptake.events.models import EventType
from uptake.insight.impact.register import lock
from uptake.insight.impact.tests.test_interventions import BEFORE, START, registered, shops, work
starts = shops(cast)
halves = {slug: START if int(slug[-2:]) % 4 < 2 else None for slug in starts}
for name, planted, label in (("order.created", 0.2, "Order entered"), ("order.closed", 0.0, "Order closed")):
    EventType.objects.create(name=name, label_en=label, label_zh=label, created_at=BEFORE)
    work(cast, starts, planted, name=name)
for title, event, begin in (("Coaching", "order.created", starts), ("Leaflet", "order.closed", halves)):
    made = registered(cast, begin, title=title, event=event, smallest=0.1)
    lock(intervention=made, by=EVERYTHING, now=BEFORE)
print(json.dumps({}))
"""


def test_the_planted_effect_is_found_by_clicking_and_its_report_is_the_same_everywhere(front: Front) -> None:
    with front.tab("hua") as (page, _):
        evaluated(page, "Coaching")

        expect(page.locator(".u-head .u-tag")).to_have_text("Rose")
        expect(page.locator("main")).to_contain_text("It raised “People a working day: Order entered”.")
        effect = page.locator(".u-lead-figure b").first.inner_text()
        assert 10 < float(effect.removeprefix("+").split()[0]) < 30, effect
        for picture in ("course", "study", "placebo", "left-out", "calendar"):
            drawn = page.locator(f"#impact-{picture}")
            drawn.scroll_into_view_if_needed()
            expect(drawn.locator("svg").first).to_be_visible()
        said = printed(page)
        assert effect in said
        assert "It raised" in said
        with page.expect_download() as taken:
            page.get_by_role("link", name="XLSX").click()
        sheet = openpyxl.load_workbook(io.BytesIO(Path(taken.value.path()).read_bytes())).active
        assert sheet is not None
        assert effect in {str(cell) for row in sheet.iter_rows(values_only=True) for cell in row}


def test_the_planted_nothing_is_not_found(front: Front) -> None:
    with front.tab("hua") as (page, _):
        evaluated(page, "Leaflet")

        expect(page.locator(".u-head .u-tag")).to_have_text("No change that matters")
        expect(page.locator("main")).to_contain_text("did not change by as much as matters")
        assert "It raised" not in page.locator("main").inner_text()
        assert "It raised" not in printed(page)


def test_a_reader_sees_the_same_in_chinese_on_the_phone_and_cannot_evaluate(front: Front) -> None:
    with front.tab("shu", language="zh-hans", size=PHONE) as (page, _):
        for title, word in (("Coaching", "上升"), ("Leaflet", "没有有意义的变化")):
            page.goto("/impact/")
            page.get_by_role("link", name=title).click()
            expect(page.locator(".u-head .u-tag")).to_have_text(word)
            assert page.get_by_role("button", name="立即评估").count() == 0


def evaluated(page: Page, title: str) -> None:
    """From the list to the report, as whoever manages the company does it."""
    page.goto("/overview/")
    page.locator(".u-side").get_by_role("link", name="Impact").click()
    page.locator("#list").get_by_role("link", name=title).click()
    page.get_by_role("button", name="Evaluate now").click()
    expect(page.locator("main h1")).to_have_text(title)
    expect(page.locator(".u-head .u-tag")).not_to_have_text("Locked")


def printed(page: Page) -> str:
    with page.expect_download() as taken:
        page.get_by_role("link", name="PDF").click()
    pages = pypdf.PdfReader(io.BytesIO(Path(taken.value.path()).read_bytes())).pages
    return " ".join(" ".join(one.extract_text() for one in pages).split())
