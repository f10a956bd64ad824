"""Paths are drawn from step to step, and every way and every cell opens the people who went it."""

from __future__ import annotations

import html
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from tests.cast import Cast, person
from uptake.insight.metrics.tests.world import ZONE, happen

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/activity/ask/paths/"


@pytest.fixture(autouse=True)
def own_log(settings: LazySettings, tmp_path: Path) -> None:
    settings.DATA = tmp_path


@pytest.fixture
def lively(cast: Cast) -> Cast:
    """At one noon Lin and Hua enter an order, then Lin processes it; on another day Mo counts stock elsewhere."""
    today = timezone.now().astimezone(ZONE).date()
    for number in range(5):
        person(name=f"Buyer {number}", at=cast.purchasing)
    day = today - timedelta(days=1)
    deeds = [
        ("lin", "order.created", day),
        ("hua", "order.created", day),
        ("lin", "order.processed", day),
        ("mo", "stock.counted", day),
    ]
    happen(cast, deeds, today)
    return cast


def text_of(browser: Client, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def drawn(page: str) -> dict[str, Any]:
    found = re.search(r'data-chart-values="ways">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    spec: dict[str, Any] = json.loads(found[1])
    return spec


def test_ways_go_on_or_leave(lively: Cast) -> None:
    page = text_of(lively.sign_in(lively.wei), PAGE)

    spec = drawn(page)
    assert {(one["source"], one["target"], one["value"]) for one in spec["links"]} == {
        ("1_order.created", "2_order.processed", 1),
        ("1_order.created", "2/leave", 1),
        ("2_order.processed", "3/leave", 1),
    }
    assert {one["name"]: one["tone"] for one in spec["nodes"]}["Leave"] == "c6"
    assert spec["heads"] == ["Step 1", "Step 2", "Step 3"]
    assert "Read: Of every 100 sessions, 100 start with “order.created”." in page


def test_every_way_opens_the_people_who_went_it(lively: Cast) -> None:
    browser = lively.sign_in(lively.ren)
    page = text_of(browser, f"{PAGE}?count=people")
    spec = drawn(page)

    doors = [(one["href"], one["value"]) for one in spec["links"]]
    cells = re.findall(r'<a href="([^"]+of=matrix[^"]+)" aria-label="[^"]*: (\d+),', page)

    assert len(doors) == 4
    assert len(cells) >= 6
    for address, count in [*doors, *cells]:
        assert re.search(rf"\b{count} (person|people) behind", text_of(browser, address)), address


def test_what_follows_an_event(lively: Cast) -> None:
    page = text_of(lively.sign_in(lively.ren), f"{PAGE}?start=order.created&length=3")

    assert "Which events follow “order.created” at" in page
    assert "Of every 100 sessions at “order.created”, 50 go on to “order.processed”, 50 end there." in page
    assert all("stock.counted" not in one["source"] for one in drawn(page)["links"])


def test_what_leads_to_an_event(lively: Cast) -> None:
    page = text_of(lively.sign_in(lively.ren), f"{PAGE}?end=order.processed")

    assert "Which events lead to “order.processed” at" in page
    assert {one["source"] for one in drawn(page)["links"]} <= {"1_order.created", "2_order.processed"}


def test_steps_may_be_categories(lively: Cast) -> None:
    from uptake.events.models import EventType

    EventType.objects.filter(name__startswith="order.").update(category="orders")

    page = text_of(lively.sign_in(lively.ren), f"{PAGE}?steps_are=category")

    assert {one["name"] for one in drawn(page)["nodes"]} == {"Orders", "stock.counted", "Leave"}
    assert "Which categories of events follow each other" in page


def test_who_sees_totals_only_is_told_no_ways(lively: Cast) -> None:
    page = text_of(lively.sign_in(lively.hua), PAGE)

    assert "You see totals here. This question would tell of single people." in page
    assert "order.processed" not in page.split("</form>")[-1]


def test_the_table_can_be_taken_along(lively: Cast) -> None:
    browser = lively.sign_in(lively.ren)

    text = browser.get(f"{PAGE}export.csv").content.decode("utf-8-sig")

    assert text.splitlines()[0] == "Step,From,To,Sessions,Share,Mean time"
    assert any(line.startswith("1 → 2,order.created,order.processed,1,") for line in text.splitlines())
