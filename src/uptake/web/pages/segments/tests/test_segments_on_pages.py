"""Segments on their pages: chosen, looked at, saved, used in questions, frozen, deleted; by those who see people."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from tests.cast import Cast, person
from uptake.directory.models import AuditEntry
from uptake.insight.metrics.tests.world import ZONE, happen
from uptake.insight.models import Segment
from uptake.web.pages.explore.kinds.kind import Kind
from uptake.web.pages.explore.kinds.list import KINDS

pytestmark = pytest.mark.django_db(transaction=True)
NEW = "/activity/segments/new/?at=beiyuan&match=all&c0_kind=performed&c0_event=order.created&c0_days=30"


@pytest.fixture(autouse=True)
def own_log(settings: LazySettings, tmp_path: Path) -> None:
    settings.DATA = tmp_path


@pytest.fixture
def lively(cast: Cast) -> Cast:
    today = timezone.now().astimezone(ZONE).date()
    deeds = [(who, "order.created", today - timedelta(days=1)) for who in ("lin", "hua", "mo")]
    happen(cast, [*deeds, ("ke", "stock.counted", today - timedelta(days=1))], today)
    return cast


def criteria_on(page: str) -> str:
    found = re.search(r'name="criteria" value="([^"]*)"', page)
    assert found, "the form offers nothing to save"
    return unescape(found[1])


def saved(browser: Client, address: str = NEW, **more: object) -> Segment:
    criteria = criteria_on(browser.get(address).content.decode())
    answer = browser.post(address, {"name": "Buyers", "criteria": criteria, **more})
    assert answer.status_code == 302, answer.content.decode()[:2000]
    return Segment.objects.order_by("-pk")[0]


def test_one_looks_at_who_belongs_before_saving(lively: Cast) -> None:
    page = lively.sign_in(lively.wei).get(NEW).content.decode()

    assert "2 people" in page
    assert "Lin Fang" in page
    assert "Mo Yun" not in page
    assert "did order.created in the last 30 days" in page
    assert not Segment.objects.exists()


def test_a_saved_one_lists_its_people_and_goes_out_as_a_file(lively: Cast) -> None:
    browser = lively.sign_in(lively.wei)
    one = saved(browser)

    page = browser.get(f"/activity/segments/{one.pk}/").content.decode()
    rows = browser.get(f"/activity/segments/{one.pk}/export.csv").content.decode("utf-8-sig").splitlines()

    assert "2 people belong" in page
    assert "Hua Jing" in page
    assert [row.partition(",")[0] for row in rows] == ["Name", "Hua Jing", "Lin Fang"]
    assert "Buyers" in browser.get("/activity/segments/").content.decode()


def test_questions_are_narrowed_to_it(lively: Cast) -> None:
    browser = lively.sign_in(lively.wei)
    one = saved(browser)
    address = "/activity/ask/trends/?at=beiyuan"

    assert "3 different people" in browser.get(address).content.decode()
    page = browser.get(f"{address}&segment={one.pk}").content.decode()
    assert "2 different people" in page
    assert "Only of the segment “Buyers”." in page
    assert f'<option value="{one.pk}" selected>Buyers</option>' in page

    browser.post(f"/activity/segments/{one.pk}/freeze")
    assert "2 different people" in browser.get(f"{address}&segment={one.pk}").content.decode()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_page_of_questions_takes_it_live_and_static(lively: Cast, kind: Kind) -> None:
    browser = lively.sign_in(lively.ren)
    one = saved(browser)
    address = f"/activity/ask/{kind.name}/?at=beiyuan&segment={one.pk}"

    for _ in range(2):
        answer = browser.get(address)
        assert answer.status_code == 200
        assert "No answer to this question" not in answer.content.decode()
        browser.post(f"/activity/segments/{one.pk}/freeze")


@pytest.mark.parametrize("who", ["hua", "ren", "wei"])
def test_a_segment_that_is_not_ones_own_is_left_out_and_said(lively: Cast, who: str) -> None:
    for number in range(5):
        person(name=f"Buyer {number}", at=lively.purchasing)
    one = saved(lively.sign_in(lively.shu), roles=["auditor"])

    page = lively.sign_in(lively.people()[who]).get(f"/activity/ask/trends/?at=beiyuan&segment={one.pk}")

    assert "There is no such segment for you here" in page.content.decode()


def test_one_of_a_company_is_not_offered_for_the_park(lively: Cast) -> None:
    browser = lively.sign_in(lively.ren)
    one = saved(browser)

    assert "Buyers" in browser.get("/activity/ask/trends/?at=beiyuan-purchasing").content.decode()
    page = browser.get(f"/activity/ask/trends/?at=linjiang&segment={one.pk}").content.decode()
    assert "There is no such segment for you here" in page


def test_it_is_edited_with_the_conditions_it_has(lively: Cast) -> None:
    browser = lively.sign_in(lively.wei)
    one = saved(browser)

    form = browser.get(f"/activity/segments/{one.pk}/edit/", follow=True)
    page = form.content.decode()
    assert '<option value="order.created" selected>' in page
    assert criteria_on(page) == criteria_on(browser.get(NEW).content.decode())

    address = form.request["PATH_INFO"] + "?at=beiyuan&match=any&c0_kind=not_performed&c0_event=order.created&c0_days=9"
    criteria = criteria_on(browser.get(address).content.decode())
    browser.post(address, {"name": "Not buyers", "criteria": criteria, "roles": ["coach"]})

    one.refresh_from_db()
    assert (one.name, one.roles) == ("Not buyers", "|coach|")
    assert one.criteria["criteria"] == [{"kind": "not_performed", "event": "order.created", "days": 9}]
    assert AuditEntry.objects.get(deed="segment.changed").subject == "Not buyers"
    assert "Ke Ming" in browser.get(f"/activity/segments/{one.pk}/").content.decode()


def test_only_who_may_change_it_freezes_and_deletes_it(lively: Cast) -> None:
    one = saved(lively.sign_in(lively.wei), roles=["auditor"])
    shu = lively.sign_in(lively.shu)

    assert "Delete segment" not in shu.get(f"/activity/segments/{one.pk}/").content.decode()
    for deed in ("freeze", "delete"):
        assert shu.post(f"/activity/segments/{one.pk}/{deed}").status_code == 404
    assert shu.get(f"/activity/segments/{one.pk}/edit/").status_code == 404

    lively.sign_in(lively.wei).post(f"/activity/segments/{one.pk}/delete")
    assert not Segment.objects.exists()


def test_companies_are_segments_of_the_park(lively: Cast) -> None:
    browser = lively.sign_in(lively.ren)
    address = "/activity/segments/new/?at=linjiang&of=company&match=all&c0_kind=performed&c0_event=stock.counted"

    one = saved(browser, address)

    page = browser.get(f"/activity/segments/{one.pk}/").content.decode()
    assert "1 company belongs" in page
    assert "Beiyuan Precision" in browser.get(f"/activity/segments/{one.pk}/export.csv").content.decode()
    narrowed = browser.get(f"/activity/ask/trends/?at=linjiang&segment={one.pk}").content.decode()
    assert "3 different people" in narrowed


def test_what_is_missing_is_said_and_nothing_is_saved(lively: Cast) -> None:
    browser = lively.sign_in(lively.wei)

    page = browser.get("/activity/segments/new/?at=beiyuan&c0_kind=stopped&c0_days=7&c0_recent_days=30")
    assert "These conditions cannot be evaluated" in page.content.decode()
    page = browser.get("/activity/segments/new/?at=beiyuan&c0_kind=performed&c2_kind=in")
    assert "Condition 2 is not complete yet." in page.content.decode()
    page = browser.get("/activity/segments/new/?at=beiyuan&c0_kind=property&c0_property=amount&c0_cond=eq")
    assert "Condition 1 is not complete yet." in page.content.decode()
    wrong = browser.post(NEW, {"name": "x", "criteria": '{"criteria": [{"kind": "dreamt"}]}'})
    assert wrong.status_code == 422
    assert "These conditions cannot be evaluated" in wrong.content.decode()
    assert "Give the segment a name." in browser.post(NEW, {"name": " ", "criteria": "{}"}).content.decode()
    assert browser.post(NEW, {"name": "x", "criteria": "["}).status_code == 404
    assert not Segment.objects.exists()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("c0_kind=regularly&c0_event=order.created", "in at least 3 of the last 4 spans of 7 days"),
        ("c0_kind=first_time", "did anything for the first time in the last 30 days"),
        ("c0_kind=started", "in the last 30 days, but not earlier in the last 60"),
        ("c0_kind=restarted", "came back to anything in the last 14 days, after none earlier in the last 60"),
        ("c0_kind=stopped", "did anything earlier in the last 60 days, but not in the last 30"),
        ("c0_kind=not_performed&c0_days=", "never did anything"),
        ("c0_kind=performed&c0_op=lte&c0_count=2&c0_days=", "ever did anything, at most 2 times"),
        ("c0_kind=property&c0_property=amount&c0_cond=gt&c0_value=10", "amount &gt; 10"),
        ("c0_kind=performed&c3_kind=in&c3_in=source:erp-beiyuan&match=any", "or are in erp-beiyuan"),
    ],
)
def test_every_condition_has_its_words(lively: Cast, query: str, words: str) -> None:
    page = lively.sign_in(lively.wei).get(f"/activity/segments/new/?at=beiyuan&{query}").content.decode()

    assert words in page
    assert "cannot be evaluated" not in page


def test_who_sees_totals_only_has_no_segments(lively: Cast) -> None:
    browser = lively.sign_in(lively.hua)

    assert browser.get("/activity/segments/").status_code == 403
    assert browser.get("/activity/segments/new/").status_code == 403
    assert "/activity/segments/" not in browser.get("/activity/ask/trends/").content.decode()
    assert lively.sign_in(lively.wei).get("/activity/segments/new/?at=qinghe").status_code == 404
