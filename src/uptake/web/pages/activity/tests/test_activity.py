"""The drill from park to events, for those who may go down it, and the doors that stay shut for others."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.utils import timezone

from tests.cast import BEIYUAN_MARKS, Cast, person
from uptake.directory.models import AuditEntry
from uptake.insight.metrics.tests.world import ZONE, happen

# On PostgreSQL the feed reads only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def own_log(settings: LazySettings, tmp_path: Path) -> None:
    settings.DATA = tmp_path


@pytest.fixture
def lively(cast: Cast) -> Cast:
    today = timezone.now().astimezone(ZONE).date()
    for number in range(5):
        person(name=f"Buyer {number}", at=cast.purchasing)
    deeds = [("lin", "order.created", today - timedelta(days=number)) for number in (1, 2, 3)]
    happen(cast, [*deeds, ("mo", "order.created", today - timedelta(days=1))], today)
    return cast


def test_one_can_drill_from_the_park_to_the_events(lively: Cast) -> None:
    browser = lively.sign_in(lively.ren)

    park = browser.get("/activity/", follow=True).content.decode()
    company = browser.get("/activity/beiyuan/").content.decode()
    department = browser.get("/activity/beiyuan-purchasing/").content.decode()
    one = browser.get(f"/activity/people/{lively.lin.pk}/").content.decode()

    assert 'href="/activity/beiyuan/"' in park
    assert 'href="/activity/beiyuan-purchasing/"' in company
    assert f'href="/activity/people/{lively.lin.pk}/"' in department
    assert "BY-4500" in one


def test_opening_a_person_is_written_down_and_said(lively: Cast) -> None:
    page = lively.sign_in(lively.wei).get(f"/activity/people/{lively.lin.pk}/").content.decode()

    assert "audit log" in page
    entry = AuditEntry.objects.get(deed="person.opened")
    assert (entry.actor_name, entry.subject) == (lively.wei.name, lively.lin.name)


def test_a_manager_sees_totals_and_no_single_person(lively: Cast) -> None:
    browser = lively.sign_in(lively.hua)

    page = browser.get("/activity/beiyuan/").content.decode()

    assert "Lin Fang" not in page
    assert "Single people are not shown to you" in page
    assert browser.get(f"/activity/people/{lively.lin.pk}/").status_code == 404
    assert "Lin Fang" not in browser.get("/activity/beiyuan-purchasing/export.csv").content.decode()


def test_a_small_department_is_not_shown_to_who_sees_totals_only(lively: Cast) -> None:
    page = lively.sign_in(lively.hua).get("/activity/beiyuan-finance/").content.decode()

    assert "Too few people to be shown" in page


def test_everybody_may_see_the_own_activity_and_it_is_not_written_down(lively: Cast) -> None:
    answer = lively.sign_in(lively.lin).get(f"/activity/people/{lively.lin.pk}/")

    assert answer.status_code == 200
    assert not AuditEntry.objects.filter(deed="person.opened").exists()


@pytest.mark.parametrize(
    "address", ["/activity/beiyuan/", "/activity/beiyuan-purchasing/", "/activity/beiyuan/export.xlsx"]
)
def test_nobody_of_another_company_gets_in(lively: Cast, address: str) -> None:
    assert lively.sign_in(lively.mo).get(address).status_code == 404
    own = lively.sign_in(lively.mo).get("/activity/", follow=True).content.decode()
    assert not [mark for mark in BEIYUAN_MARKS if mark in own]


def test_people_can_be_searched_narrowed_and_sorted(lively: Cast) -> None:
    browser = lively.sign_in(lively.wei)

    found = browser.get("/activity/beiyuan/?q=lin").content.decode()
    inactive = browser.get("/activity/beiyuan/?state=none&sort=name").content.decode()

    assert "Lin Fang" in found
    assert "Buyer 1" not in found
    assert "Buyer 1" in inactive
    assert "Lin Fang" not in inactive


def test_a_list_leaves_the_house_as_the_page_shows_it(lively: Cast) -> None:
    text = lively.sign_in(lively.ren).get("/activity/linjiang/export.csv").content.decode()

    assert "Beiyuan Precision" in text
    assert "Qinghe Textile" in text
    assert lively.sign_in(lively.ren).get("/activity/linjiang/export.pdf").status_code == 404


def test_people_are_told_apart_by_where_they_stand(lively: Cast) -> None:
    browser = lively.sign_in(lively.wei)

    page = browser.get("/activity/beiyuan/").content.decode()
    none = browser.get("/activity/beiyuan/?state=none").content.decode()
    regular = browser.get("/activity/beiyuan/?state=regular&sort=-state").content.decode()
    sheet = browser.get("/activity/beiyuan-purchasing/export.csv").content.decode()

    assert "Regular 1<" in page
    assert "Silent 0<" in page
    assert '<span class="u-dot off">Not started</span>' in none
    assert "Lin Fang" not in none
    assert '<span class="u-dot good">Regular</span>' in regular
    assert "Buyer 1" not in regular
    assert "Buyer 1,,Purchasing,Not started,0,0," in sheet


def test_where_no_data_comes_nobody_is_called_silent(cast: Cast) -> None:
    today = timezone.now().astimezone(ZONE).date()
    deeds = [("lin", "order.created", today - timedelta(days=back)) for back in range(30, 50)]
    happen(cast, [*deeds, ("mo", "order.created", today)], today)
    browser = cast.sign_in(cast.ren)

    company = browser.get("/activity/beiyuan/?state=silent").content.decode()
    park = browser.get("/activity/linjiang/").content.decode()
    people = browser.get("/activity/beiyuan-purchasing/export.csv").content.decode("utf-8-sig")
    places = browser.get("/activity/linjiang/export.csv").content.decode("utf-8-sig")

    assert "Silent 0<" in company
    assert "Beiyuan Precision: no data since" in company
    assert "no data since" in park[park.index('id="list"') :]
    assert "Silent" not in people
    assert "No data since" in people
    assert [line.endswith(",") for line in places.splitlines()[1:]] == [False, True], "only Qinghe sends"
