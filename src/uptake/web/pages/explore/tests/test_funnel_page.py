"""A funnel is put together in the address; every number of it opens the people it counts."""

from __future__ import annotations

import html
import json
import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import LazySettings
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from tests.cast import Cast, person
from uptake.insight.metrics.tests.world import ZONE, happen
from uptake.web.pages.explore.kinds.steps import Step, exclusions_of, steps_of

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/activity/ask/funnel/"
TWO = "step=order.created&as=&step=order.processed&as="


@pytest.fixture(autouse=True)
def own_log(settings: LazySettings, tmp_path: Path) -> None:
    settings.DATA = tmp_path


@pytest.fixture
def lively(cast: Cast) -> Cast:
    """Lin and Hua enter an order, Lin processes it the next day; Ke counts stock before processing one."""
    today = timezone.now().astimezone(ZONE).date()
    for number in range(5):
        person(name=f"Buyer {number}", at=cast.purchasing)
    ago = [today - timedelta(days=number) for number in range(4)]
    deeds = [
        ("lin", "order.created", ago[3]),
        ("hua", "order.created", ago[3]),
        ("ke", "order.created", ago[3]),
        ("ke", "stock.counted", ago[2]),
        ("lin", "order.processed", ago[2]),
        ("ke", "order.processed", ago[1]),
        ("hua", "stock.counted", ago[1]),
    ]
    happen(cast, deeds, today)
    return cast


def text_of(browser: Client, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200, answer.headers
    return html.unescape(answer.content.decode())


def test_bars_losses_and_the_worst_step_are_told_in_words(lively: Cast) -> None:
    page = text_of(lively.sign_in(lively.ren), f"{PAGE}?{TWO}&step=stock.counted&as=")

    assert "How many people did order.created → order.processed → stock.counted, in this order, within 14 days" in page
    assert re.findall(r"[\d.]+%\" height=\"100%\"", page) == [
        '100.0%" height="100%"',
        '66.7%" height="100%"',
        '0.0%" height="100%"',
    ]
    assert "1 stops here" in page
    assert "2 stop here · largest loss" in page
    assert "The largest loss: 2 of 2 stop after “order.processed”, before “stock.counted”." in page
    assert "Of the 2 who stop here, 2 did “order.processed” last in the period." in page


def test_every_number_opens_as_many_people_as_it_counts(lively: Cast) -> None:
    browser = lively.sign_in(lively.ren)
    page = text_of(browser, f"{PAGE}?{TWO}&by=department")

    links = re.findall(
        r'<a(?: class="lk")? href="(/[^"]+/people/[^"]+)"(?: class="out")?>(\d+)(?: stops? here[^<]*)?</a>', page
    )

    assert len(links) > 6
    for address, count in links:
        behind = text_of(browser, address)
        assert re.search(rf"\b{count} (person|people) behind this number", behind), (address, count)


def test_the_charts_open_people_too(lively: Cast) -> None:
    browser = lively.sign_in(lively.ren)
    page = text_of(browser, f"{PAGE}?{TWO}&every=month")
    charts = [json.loads(one) for one in re.findall(r'data-chart-values="\w+">(.*?)</script>', page, re.DOTALL)]
    links = {link for chart in charts for link in chart["links"] if link}

    counts = [
        (parse_qs(urlsplit(one).query)["of"][0], int(re.findall(r"(\d+) p\w+ behind", text_of(browser, one))[0]))
        for one in links
    ]

    assert sum(count for of, count in counts if of == "over_time") == 3
    assert sum(count for of, count in counts if of == "time") == 2


def test_who_did_something_else_in_between_is_not_counted(lively: Cast) -> None:
    page = text_of(lively.sign_in(lively.ren), f"{PAGE}?{TWO}&without=stock.counted&between=1-2")

    assert "Without stock.counted in between." in page
    assert re.findall(r'<div class="s">([^<]+)</div>', page) == ["1 of 1", "1 of 1"]


def test_orders_are_counted_instead_of_people(lively: Cast) -> None:
    page = text_of(lively.sign_in(lively.ren), f"{PAGE}?{TWO}&count=object")

    assert "How many objects went through order.created → order.processed" in page
    assert "/people/?" not in page


def test_without_a_choice_there_is_a_funnel_all_the_same(lively: Cast) -> None:
    assert "How many people did order.created → " in text_of(lively.sign_in(lively.ren), PAGE)


def test_who_sees_totals_is_told_of_no_few(lively: Cast) -> None:
    page = text_of(lively.sign_in(lively.hua), f"{PAGE}?{TWO}")

    assert "Groups of 1 to 4 people are not told to those who see totals." in page
    assert re.findall(r'<b class="out">(.+?)</b>', page) == ["< 5", "< 5"]
    assert "/people/?" not in page
    assert "last in the period" not in page


def test_what_the_form_leaves_blank_is_taken_out_of_the_address(lively: Cast) -> None:
    sent = (
        "step=order.created&or=stock.counted&as=&step=order.processed&or=&as=optional&step=&or=&as=&without=&between="
    )

    answer = lively.sign_in(lively.ren).get(f"{PAGE}?days=7&{sent}")

    assert answer.status_code == 302
    kept = QueryDict(urlsplit(answer.headers["Location"]).query)
    assert kept.getlist("step") == ["order.created|stock.counted", "order.processed"]
    assert kept.getlist("as") == ["", "optional"]
    assert kept["days"] == "7"
    assert not {"or", "without", "between"} & kept.keys()
    text_of(lively.sign_in(lively.ren), answer.headers["Location"])


def test_steps_are_moved_and_removed_by_links(lively: Cast) -> None:
    page = text_of(lively.sign_in(lively.ren), f"{PAGE}?{TWO}")

    down = re.search(r'href="([^"]+)" aria-label="Move step 1 down"', page)
    away = re.search(r'href="([^"]+)" aria-label="Remove step 1"', page)

    assert down is not None
    assert away is not None
    assert QueryDict(down[1][1:]).getlist("step") == ["order.processed", "order.created"]
    assert QueryDict(away[1][1:]).getlist("step") == ["order.processed"]


def test_a_change_of_the_period_keeps_all_steps(lively: Cast) -> None:
    page = text_of(lively.sign_in(lively.ren), f"{PAGE}?{TWO}")

    week = next(one for one in re.findall(r'href="(\?[^"]+)"', page) if "days=7" in one)

    assert QueryDict(week[1:]).getlist("step") == ["order.created", "order.processed"]


@pytest.mark.parametrize(
    ("query", "steps"),
    [
        ("step=a|b&as=", [Step(("a", "b"))]),
        ("step=a&as=optional&step=b&as=optional", [Step(("a",)), Step(("b",), "optional")]),
        ("step=&as=&step=a&as=first", [Step(("a",), "first")]),
        ("step=a&as=magic&step=||", [Step(("a",))]),
        ("step=a|a|&or=b", [Step(("a", "b"))]),
        ("", []),
    ],
)
def test_steps_in_the_address(query: str, steps: list[Step]) -> None:
    assert steps_of(QueryDict(query)) == steps


@pytest.mark.parametrize(("bounds", "between"), [("1-2", "1-2"), ("2-1", ""), ("1-9", ""), ("x", ""), ("", "")])
def test_bounds_of_exclusions_in_the_address(bounds: str, between: str) -> None:
    found = exclusions_of(QueryDict(f"without=a&between={bounds}&without=&between="), steps=3)

    assert [(one.names, one.between) for one in found] == [(("a",), between)]
