"""Who fell silent stands in a list to call, regular users who stopped lately first; no silence without data."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.utils import timezone

from tests.cast import BEIYUAN_MARKS, Cast, person
from uptake.directory.models import Membership
from uptake.insight.metrics.tests.world import ZONE, happen

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/activity/ask/silence/"


@pytest.fixture(autouse=True)
def own_log(settings: LazySettings, tmp_path: Path) -> None:
    settings.DATA = tmp_path


@pytest.fixture
def today() -> date:
    return timezone.now().astimezone(ZONE).date()


@pytest.fixture
def quiet(cast: Cast, today: date) -> Cast:
    """Lin came every day and stopped 40 days ago; Hua came now and then and stopped 25 days ago; Ke and Mo come."""
    for number in range(5):
        person(name=f"Buyer {number}", at=cast.purchasing)
    deeds = [("lin", "order.created", today - timedelta(days=back)) for back in range(41, 60)]
    deeds += [("lin", "label.failed", today - timedelta(days=40))]
    deeds += [("hua", "stock.counted", today - timedelta(days=back)) for back in (25, 33, 41)]
    deeds += [(who, "order.created", today - timedelta(days=back)) for who in ("ke", "mo") for back in range(0, 60, 2)]
    happen(cast, deeds, today)
    return cast


def test_regular_users_come_first_with_what_they_did_last(quiet: Cast) -> None:
    page = quiet.sign_in(quiet.ren).get(PAGE).content.decode()

    assert "2 of the 4 people who ever began are silent (50%)." in page or "(50.0%)" in page
    assert page.index("Lin Fang") < page.index("Hua Jing")
    assert "label.failed" in page
    assert "Ke " not in page[page.index('id="list"') :]
    assert "Data comes from 2 of 2 companies." in page


def test_a_fixed_number_of_days_may_be_the_measure(quiet: Cast) -> None:
    page = quiet.sign_in(quiet.ren).get(PAGE + "?silent=30").content.decode()

    assert "has done nothing for more than 30 days" in page
    assert "Lin Fang" in page
    assert "Hua Jing" not in page[page.index('id="list"') :]


def test_who_left_is_not_silent(quiet: Cast, today: date) -> None:
    Membership.objects.filter(person=quiet.lin).update(until_date=today - timedelta(days=5))

    page = quiet.sign_in(quiet.ren).get(PAGE).content.decode()

    assert "Lin Fang" not in page
    assert "1 of the 3 people" in page


def test_no_silence_is_claimed_where_no_data_comes(cast: Cast, today: date) -> None:
    deeds = [("lin", "order.created", today - timedelta(days=back)) for back in range(30, 50)]
    happen(cast, [*deeds, ("mo", "order.created", today)], today)
    browser = cast.sign_in(cast.ren)

    careful = browser.get(PAGE).content.decode()
    all_the_same = browser.get(PAGE + "?untold=1").content.decode()

    assert "Data comes from 1 of 2 companies." in careful
    assert "Lin Fang" not in careful
    assert "Nobody is silent." in careful
    assert "Lin Fang" in all_the_same


def test_the_list_is_searched_narrowed_and_taken_along_as_it_stands(quiet: Cast) -> None:
    browser = quiet.sign_in(quiet.ren)

    searched = browser.get(PAGE + "?q=hua").content.decode()
    elsewhere = browser.get(f"{PAGE}?company={quiet.qinghe.pk}").content.decode()
    sheet = browser.get(PAGE + "export.csv?sort=name").content.decode("utf-8-sig").splitlines()

    assert "Lin Fang" not in searched[searched.index('id="list"') :]
    assert "Hua Jing" in searched
    assert "Nobody fits" in elsewhere
    assert sheet[0].startswith("Name,Staff number,Company,Department,Silent for (working days),Last active")
    assert [line.partition(",")[0] for line in sheet[1:]] == ["Hua Jing", "Lin Fang"]
    assert sheet[2].endswith("label.failed")


def test_the_people_behind_are_those_of_the_list(quiet: Cast) -> None:
    page = quiet.sign_in(quiet.ren).get(PAGE + 'people/?number={"tail":["order.created","label.failed"]}')

    nobody = quiet.sign_in(quiet.ren).get(PAGE + 'people/?number={"last":"stock.counted"}').content.decode()

    assert page.status_code == 200
    assert "Hua Jing" in nobody
    assert "Lin Fang" not in nobody


def test_a_coach_sees_the_own_company_and_a_manager_no_names(quiet: Cast) -> None:
    coach = quiet.sign_in(quiet.wei).get(PAGE).content.decode()
    manager = quiet.sign_in(quiet.hua).get(PAGE).content.decode()
    other = quiet.sign_in(quiet.mo).get(PAGE)

    assert "Lin Fang" in coach
    assert "You see totals here." in manager
    assert "Lin Fang" not in manager
    assert not [mark for mark in BEIYUAN_MARKS if mark in other.content.decode()]


def test_a_company_without_data_is_told_so_instead_of_silence(cast: Cast, today: date) -> None:
    deeds = [("lin", "order.created", today - timedelta(days=back)) for back in range(30, 50)]
    happen(cast, [*deeds, ("mo", "order.created", today)], today)
    browser = cast.sign_in(cast.ren)

    page = browser.get(PAGE + "?at=beiyuan").content.decode()
    all_the_same = browser.get(PAGE + "?at=beiyuan&untold=1").content.decode()
    sheet = browser.get(PAGE + "export.csv?at=beiyuan").content.decode("utf-8-sig").splitlines()

    assert "Nobody is called silent here: no data since" in page
    assert "Lin Fang" not in page
    assert "Lin Fang" in all_the_same
    assert len(sheet) == 1
