"""Modules stand side by side by company, with the people behind; small numbers are hidden from who sees totals."""

from __future__ import annotations

import csv
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import LazySettings
from django.utils import timezone

from tests.cast import BEIYUAN_MARKS, Cast, person
from uptake.events.models import EventType
from uptake.insight.metrics.keep_segment import make_segment
from uptake.insight.metrics.matrix import _median
from uptake.insight.metrics.tests.world import ZONE, happen

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/activity/ask/matrix/"


@pytest.fixture(autouse=True)
def own_log(settings: LazySettings, tmp_path: Path) -> None:
    settings.DATA = tmp_path


@pytest.fixture
def lively(cast: Cast) -> Cast:
    today = timezone.now().astimezone(ZONE).date()
    for number in range(5):
        person(name=f"Buyer {number}", at=cast.purchasing)
    yesterday = today - timedelta(days=1)
    deeds = [(who, "order.created", yesterday) for who in ("lin", "hua", "mo")]
    happen(cast, [*deeds, ("lin", "stock.counted", yesterday)], today)
    for name, own in (("order.created", "orders"), ("stock.counted", "stock")):
        EventType.objects.filter(name=name).update(category=own, counts_as_active=True)
    return cast


def test_shares_of_the_active_people_by_company(lively: Cast) -> None:
    text = lively.sign_in(lively.ren).get(PAGE + "export.csv").content.decode("utf-8-sig")

    sheet = list(csv.reader(text.splitlines()))
    orders, stock = (sheet[0].index(name) for name in ("Orders", "Stock"))
    beiyuan = next(line for line in sheet if line[0].startswith("Beiyuan"))
    qinghe = next(line for line in sheet if line[0].startswith("Qinghe"))
    assert (beiyuan[1], beiyuan[orders], beiyuan[orders + 1]) == ("2", "1.0", "2")
    assert (beiyuan[stock], beiyuan[stock + 1]) == ("0.5", "1")
    assert (qinghe[1], qinghe[orders], qinghe[stock]) == ("1", "1.0", "0.0")


def test_a_cell_opens_its_people(lively: Cast) -> None:
    browser = lively.sign_in(lively.ren)

    page = browser.get(PAGE).content.decode()
    of = quote(f"{lively.beiyuan.pk}:stock", safe="")
    behind = browser.get(f"{PAGE}people/?of={of}&number=%7B%7D").content.decode()

    assert f"of={of}&amp;number=" in page
    assert "Lin Fang" in behind
    assert "Hua Jing" not in behind


def test_columns_sort_the_companies(lively: Cast) -> None:
    page = lively.sign_in(lively.ren).get(PAGE + "?sort=-active").content.decode()
    rising = lively.sign_in(lively.ren).get(PAGE + "?sort=active").content.decode()

    order = [text[text.index("u-matrix") :] for text in (page, rising)]
    assert order[0].index("Beiyuan") < order[0].index("Qinghe")
    assert order[1].index("Qinghe") < order[1].index("Beiyuan")


def test_who_sees_totals_finds_small_numbers_hidden_and_no_doors(lively: Cast) -> None:
    page = lively.sign_in(lively.hua).get(PAGE).content.decode()
    sheet = lively.sign_in(lively.hua).get(PAGE + "export.csv").content.decode("utf-8-sig")

    assert "/people/?" not in page
    assert ",1," not in sheet
    assert ",2," not in sheet


@pytest.mark.parametrize("of", ["", "x", "1:stock", "99999999999999999999:stock"])
def test_nothing_of_another_company_is_opened(lively: Cast, of: str) -> None:
    of = of.replace("1:", f"{lively.beiyuan.pk}:") if of == "1:stock" else of
    browser = lively.sign_in(lively.mo)
    for address in (PAGE, f"{PAGE}people/?of={quote(of)}&number=%7B%7D"):
        text = browser.get(address).content.decode()
        assert not [mark for mark in BEIYUAN_MARKS if mark in text]


def test_the_median_is_of_five_companies_or_more_with_five_people() -> None:
    assert _median([(10, (1,))] * 4 + [(4, (4,))], 1) == (None,)
    assert _median([(10, (n,)) for n in (1, 2, 3, 9, 10)], 1) == (0.3,)


def test_conditions_and_segments_narrow_the_table_and_the_people_behind(lively: Cast) -> None:
    browser = lively.sign_in(lively.ren)
    segment = make_segment(
        name="Counters", organization=lively.park, by=lively.viewer(lively.ren), now=timezone.now(),
        criteria={"match": "all", "criteria": [{"kind": "performed", "event": "stock.counted", "days": 30}]},
    )  # fmt: skip

    def row(more: str) -> tuple[str, str]:
        text = browser.get(f"{PAGE}export.csv?{more}").content.decode("utf-8-sig")
        heads, *lines = csv.reader(text.splitlines())
        beiyuan = next(line for line in lines if line[0].startswith("Beiyuan"))
        return beiyuan[1], beiyuan[heads.index("Orders") + 1]

    of = quote(f"{lively.beiyuan.pk}:orders", safe="")
    behind = browser.get(f"{PAGE}people/?segment={segment.pk}&of={of}&number=%7B%7D").content.decode()

    assert row("") == ("2", "2")
    assert row(f"segment={segment.pk}") == ("1", "1")
    assert row("where=amount:gt:3") == ("0", "0")
    assert "Lin Fang" in behind
    assert "Hua Jing" not in behind
    assert "You see totals here." not in browser.get(f"{PAGE}?segment={segment.pk}").content.decode()
