"""A company stands beside the park's median, and learns of no other company by it."""

from __future__ import annotations

import csv
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from tests.cast import QINGHE_MARKS, Cast, person, place
from uptake.directory.models import Kind, Organization
from uptake.directory.scope import EVERYTHING
from uptake.events.connect import connect
from uptake.events.happening import Happening
from uptake.events.models import EventType
from uptake.events.record import record
from uptake.insight.feed.refresh import refresh
from uptake.insight.metrics.tests.world import ZONE, happen, noon
from uptake.insight.metrics.usage import staff_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def own_log(settings: LazySettings, tmp_path: Path) -> None:
    settings.DATA = tmp_path


@pytest.fixture
def lively(cast: Cast) -> Cast:
    """Five companies of six people, of whom five log in and two enter an order, beside Beiyuan and Qinghe."""
    now = timezone.now()
    today = now.astimezone(ZONE).date()
    for number in range(6):
        person(name=f"Buyer {number}", at=cast.purchasing)
    happen(cast, [(who, "auth.login", today - timedelta(days=1)) for who in ("lin", "hua", "ke", "mo")], today)
    for number in range(5):
        company = place(kind=Kind.COMPANY, name=f"Company {number}", slug=f"company-{number}", parent=cast.park)
        link = connect(slug=f"erp-{number}", kind="api", name="ERP", organization=company, by=EVERYTHING, now=now)
        people = [person(name=f"One {number}-{n}", at=company, email=f"{n}@{number}.example") for n in range(6)]
        record(
            [
                Happening(event=event, key=f"{event}-{n}", at=noon(today - timedelta(days=1)) + timedelta(minutes=n),
                          person=f"p{n}", person_email=one.email)
                for n, one in enumerate(people)
                for event in [*(["auth.login"] if n < 5 else []), *(["order.created"] if n < 2 else [])]
            ],
            connection=link, now=now,
        )  # fmt: skip
    refresh(now=now)
    return cast


def sheet(browser: Client, kind: str, more: str) -> list[dict[str, str]]:
    text = browser.get(f"/activity/ask/{kind}/export.csv?compare=park&{more}").content.decode("utf-8-sig")
    return list(csv.DictReader(text.splitlines()))


def test_a_manager_sees_the_median_for_as_many_people_and_no_other_company(lively: Cast) -> None:
    today = timezone.now().astimezone(ZONE).date()
    browser = lively.sign_in(lively.hua)

    page = browser.get("/activity/ask/trends/?compare=park&days=7").content.decode()
    trends = sheet(browser, "trends", "days=7")
    steps = "step=auth.login&as=&step=order.created&as=&days=7"
    of_ren = sheet(lively.sign_in(lively.ren), "funnel", steps)

    staff = staff_of([lively.beiyuan], today)[lively.beiyuan.pk]
    yesterday = next(row for row in trends if row["Day"].startswith((today - timedelta(days=1)).isoformat()))
    assert yesterday["People"] == "< 5", "three people are few"
    assert yesterday["People, median of the park"] == "–", "where the own number is hidden, so is the median"
    before = next(row for row in trends if row["Day"].startswith((today - timedelta(days=3)).isoformat()))
    assert float(before["People, median of the park"]) == 0
    assert [round(float(row["Of the first step, median of the park"]), 2) for row in of_ren] == [1, 0.4]
    wanted = round(5 / 6 * staff, 1)
    seen = sheet(lively.sign_in(lively.wei), "active", "days=7")
    assert float(seen[-2]["On the day, median of the park"]) == wanted
    assert "Median of the park: of its companies with at least 5 people" in page
    assert not [mark for mark in (*QINGHE_MARKS, "Company 1", "One 1-") if mark in page]


def test_sessions_stand_beside_the_park(lively: Cast) -> None:
    today = timezone.now().astimezone(ZONE).date()
    browser = lively.sign_in(lively.ren)

    rows = sheet(browser, "sessions", "at=company-0&days=7")
    page = browser.get("/activity/ask/sessions/?compare=park&at=company-0&days=7").content.decode()
    small = lively.sign_in(lively.hua).get("/activity/ask/sessions/?compare=park&days=7").content.decode()

    yesterday = next(row for row in rows if row["Day"].startswith((today - timedelta(days=1)).isoformat()))
    assert (yesterday["Sessions"], float(yesterday["Sessions, median of the park"])) == ("5", 5)
    assert "median of the park: 1.4" in page, "actions in a session"
    assert "median of the park: 1.4" not in small, "where the own figure is hidden, so is the median"


def test_the_median_of_modules_is_hidden_where_the_own_number_is(lively: Cast) -> None:
    for name, own in (("auth.login", "access"), ("order.created", "orders")):
        EventType.objects.filter(name=name).update(category=own, counts_as_active=True)

    def medians(who: str) -> dict[str, str]:
        text = lively.sign_in(lively.people()[who]).get("/activity/ask/matrix/export.csv").content.decode("utf-8-sig")
        heads, *rows = csv.reader(text.splitlines())
        found = next((row for row in rows if row[0] == "Median of the park"), [""] * len(heads))
        return {name: found[heads.index(name)] for name in ("Access", "Orders")}

    assert medians("wei") == {"Access": "1.0", "Orders": "0.4"}
    assert medians("hua") == {"Access": "", "Orders": "0.4"}, "three people of Beiyuan logged in"


def test_too_few_companies_make_no_median(lively: Cast) -> None:
    Organization.objects.filter(slug__in=["company-0", "company-1"]).update(closed_at=timezone.now())
    browser = lively.sign_in(lively.ren)

    for kind in ("trends", "active", "funnel", "retention", "lifecycle", "stickiness", "sessions"):
        page = browser.get(f"/activity/ask/{kind}/?compare=park&days=7").content.decode()
        assert "There is no median of the park: it takes at least 5 companies with 5 people each." in page, kind
