"""The ranking as people read it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.cast import Cast, person
from uptake.directory.models import Membership, Person
from uptake.programme.merit import Gain, note_merit
from uptake.programme.merits.keep_boards import keep_boards

pytestmark = pytest.mark.django_db


def gained(cast: Cast, who: Person, points: int, *, company: int | None = None) -> None:
    now = timezone.now()
    note_merit([Gain(company or cast.beiyuan.pk, who.pk, now.date(), points, now)], now=now)
    keep_boards(now=now)


@pytest.fixture
def browser(cast: Cast) -> Client:
    return cast.sign_in(cast.lin)


def test_one_reads_the_board_of_the_own_company_and_finds_oneself(cast: Cast, browser: Client) -> None:
    gained(cast, cast.hua, 7)
    gained(cast, cast.lin, 5)
    gained(cast, cast.mo, 99, company=cast.qinghe.pk)
    page = browser.get("/boards/").content.decode()
    assert "You are number 2 of 2 with 5 points." in page
    assert "Hua Jing" in page
    assert "Mo Yun" not in page


def test_a_department_of_five_is_the_first_choice_of_those_who_belong_to_it(cast: Cast, browser: Client) -> None:
    for number in range(4):
        gained(cast, person(name=f"Worker {number}", at=cast.purchasing), 3)
    gained(cast, cast.ke, 50)
    page = browser.get("/boards/").content.decode()
    assert "selected>Purchasing" in page
    assert "4 people have points here." in page
    assert cast.ke.name not in page
    small = browser.get("/boards/?at=beiyuan-finance").content.decode()
    assert "selected>Beiyuan Precision" in small


def test_without_points_one_is_told_how_to_earn(cast: Cast, browser: Client) -> None:
    page = browser.get("/boards/").content.decode()
    assert "Nobody has earned points in this period" in page


@pytest.mark.parametrize("query", ["?period=nonsense&on=2026-13-45", "?at=qinghe", "?on=9999-01-01&period=week"])
def test_nonsense_in_the_address_shows_the_plain_page(cast: Cast, browser: Client, query: str) -> None:
    answer = browser.get(f"/boards/{query}")
    assert answer.status_code == 200
    assert "Qinghe" not in answer.content.decode()


def test_a_period_before_is_one_click_away(cast: Cast, browser: Client) -> None:
    now = timezone.now()
    earlier = now - timedelta(days=40)
    note_merit([Gain(cast.beiyuan.pk, cast.lin.pk, earlier.date(), 8, earlier)], now=earlier)
    keep_boards(now=now)
    page = browser.get(f"/boards/?period=month&on={earlier:%Y-%m-%d}").content.decode()
    assert "You are number 1 of 1 with 8 points." in page
    assert 'rel="next"' in page


def test_one_hides_the_name_and_shows_it_again(cast: Cast, browser: Client) -> None:
    gained(cast, cast.lin, 5)
    hua = cast.sign_in(cast.hua)
    browser.post("/boards/name/", {"hidden": "1"})
    assert "Lin Fang" not in hua.get("/boards/").content.decode()
    browser.post("/boards/name/", {"hidden": "0"})
    assert "Lin Fang" in hua.get("/boards/").content.decode()


def test_who_belongs_nowhere_is_told_so(cast: Cast) -> None:
    Membership.objects.filter(person=cast.lin).delete()
    assert "You belong to no company yet" in cast.sign_in(cast.lin).get("/boards/").content.decode()
