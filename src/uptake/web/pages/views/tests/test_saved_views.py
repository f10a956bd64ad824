"""Saved views: a page of questions opens again as it was, for those who still may see its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from tests.cast import Cast
from uptake.insight.models import SavedView

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_log(settings: LazySettings, tmp_path: Path) -> None:
    settings.DATA = tmp_path


def saved(browser: Client, query: str = "every=week&where=amount:gt:2", **more: object) -> SavedView:
    given = {"name": "Weekly", "kind": "trends", "query": query, **more}
    answer = browser.post("/activity/views/save", given)
    assert answer.status_code == 302
    return SavedView.objects.order_by("-pk")[0]


def test_it_opens_as_it_was_with_its_place(cast: Cast) -> None:
    browser = cast.sign_in(cast.wei)
    assert "Save view" in browser.get("/activity/ask/trends/").content.decode()
    view = saved(browser, "every=week&where=amount:gt:2&page=3")

    assert "Weekly" in browser.get("/activity/views/").content.decode()
    opened = browser.get(f"/activity/views/{view.pk}/")
    assert opened.headers["Location"] == "/activity/ask/trends/?every=week&where=amount%3Agt%3A2&at=beiyuan"


def test_a_shared_one_is_found_by_the_role(cast: Cast) -> None:
    saved(cast.sign_in(cast.ren), "at=beiyuan", roles=["committee"])

    assert "Weekly" in cast.sign_in(cast.ke).get("/activity/views/").content.decode()
    assert "Weekly" not in cast.sign_in(cast.hua).get("/activity/views/").content.decode()
    assert "Weekly" not in cast.sign_in(cast.mo).get("/activity/views/").content.decode()


@pytest.mark.parametrize(("who", "own", "other"), [("wei", "beiyuan", "qinghe"), ("mo", "qinghe", "beiyuan")])
def test_one_of_the_park_opens_for_the_readers_own_place(cast: Cast, who: str, own: str, other: str) -> None:
    saved(cast.sign_in(cast.ren), "at=linjiang&every=week", roles=["coach", "manager"])
    browser = cast.sign_in(cast.people()[who])
    listed = browser.get("/activity/views/").content.decode()
    assert "Weekly" in listed
    assert "your place" in listed

    opened = browser.get(f"/activity/views/{SavedView.objects.get().pk}/", follow=True)

    assert opened.redirect_chain == [(f"/activity/ask/trends/?at={own}&every=week", 302)]
    assert other.capitalize() not in opened.content.decode()
    assert browser.post(f"/activity/views/{SavedView.objects.get().pk}/delete").status_code == 404


def test_a_place_one_no_longer_sees_is_said_in_friendly_words(cast: Cast) -> None:
    wei = cast.sign_in(cast.wei)
    view = saved(wei, "at=beiyuan")
    cast.wei.role_assignments.update(organization=cast.qinghe)

    answer = wei.get(f"/activity/views/{view.pk}/")

    assert answer.status_code == 404
    page = answer.content.decode()
    assert "This view cannot be opened any more" in page
    assert "Beiyuan" not in page
    assert "Beiyuan" not in wei.get("/activity/views/").content.decode()


def test_a_kind_of_question_that_is_gone(cast: Cast) -> None:
    hua = cast.sign_in(cast.hua)
    view = saved(hua)
    SavedView.objects.update(page="crystal-ball")

    assert "Its kind of question is no longer there." in hua.get(f"/activity/views/{view.pk}/").content.decode()
    assert hua.get("/activity/views/").status_code == 200


def test_it_is_renamed_shared_and_deleted_by_its_owner(cast: Cast) -> None:
    hua, ke = cast.sign_in(cast.hua), cast.sign_in(cast.ke)
    view = saved(hua)
    address = f"/activity/views/{view.pk}"

    hua.post(f"{address}/change", {"name": "By week", "roles": ["committee"]})
    assert "By week" in ke.get("/activity/views/").content.decode()
    assert ke.post(f"{address}/delete").status_code == 404
    assert ke.post(f"{address}/change", {"name": "x"}).status_code == 404
    hua.post(f"{address}/delete")
    assert not SavedView.objects.exists()


@pytest.mark.parametrize(
    ("more", "status"),
    [({"kind": "magic"}, 404), ({"query": "at=qinghe"}, 404), ({"name": " "}, 302), ({"roles": ["employee"]}, 302)],
)
def test_what_is_not_saved(cast: Cast, more: dict[str, object], status: int) -> None:
    given = {"name": "Weekly", "kind": "trends", "query": "", **more}

    assert cast.sign_in(cast.hua).post("/activity/views/save", given).status_code == status
    assert not SavedView.objects.exists()
