"""The frame around every page: who sees which menu, in which language and theme, and under which content policy."""

from __future__ import annotations

import pytest
from django.test import Client, RequestFactory
from django.urls import NoReverseMatch, resolve, reverse
from pytest_django import DjangoAssertNumQueries

from tests.cast import Cast
from uptake.web.errors import broken
from uptake.web.menu import ITEMS, menu_for

pytestmark = pytest.mark.django_db


def menu_of(client: Client) -> str:
    page = client.get("/account/").content.decode()
    return page[page.index('<nav aria-label="Main">') : page.index("</nav>")]


@pytest.mark.parametrize(
    ("who", "sees", "lacks"),
    [
        ("lin", ["/points/", "/rules/"], ["/overview/", "/jobs/", "/audit/", "/people/"]),
        ("hua", ["/points/", "/people/"], ["/jobs/", "/audit/", "/data/"]),
        ("shu", ["/points/", "/audit/"], ["/jobs/", "/people/", "/data/"]),
        ("ren", ["/points/", "/people/", "/audit/"], ["/jobs/"]),
        ("an", ["/points/", "/people/", "/audit/", "/jobs/"], []),
    ],
)
def test_each_sees_the_menu_of_the_own_deeds(cast: Cast, who: str, sees: list[str], lacks: list[str]) -> None:
    menu = menu_of(cast.sign_in(cast.people()[who]))

    for item in ITEMS:
        try:
            address = reverse(item.url)
        except NoReverseMatch:
            continue
        assert (f'href="{address}"' in menu) or address not in sees, f"{who} should see {address}"
        assert not (f'href="{address}"' in menu and address in lacks), f"{who} must not see {address}"
    assert 'href="/points/"' in menu


@pytest.mark.parametrize(
    ("who", "address", "marked"),
    [
        ("hua", "/activity/ask/silence/", ["Activity", "Questions"]),
        ("ren", "/activity/ask/silence/", ["Activity", "Silent people"]),
        ("hua", "/activity/ask/funnel/", ["Activity", "Questions"]),
        ("ren", "/activity/linjiang/", ["Activity", "Companies & people"]),
    ],
)
def test_the_item_a_page_belongs_to_is_marked(cast: Cast, who: str, address: str, marked: list[str]) -> None:
    request = RequestFactory().get(address)
    request.resolver_match = resolve(address)

    entries = menu_for(cast.viewer(cast.people()[who]), request)

    assert [str(one.item.name) for item in entries for one in (item, *item.below) if one.here] == marked


def test_a_page_has_a_strict_policy_and_no_style_or_script_of_its_own(cast: Cast) -> None:
    response = cast.sign_in(cast.lin).get("/account/")

    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert "unsafe-eval" not in policy
    assert "frame-ancestors 'none'" in policy
    assert 'name="htmx-config"' in response.content.decode()
    assert '"allowEval":false' in response.content.decode()


def test_the_chosen_language_is_kept_on_the_device_and_in_the_login(cast: Cast) -> None:
    client = cast.sign_in(cast.lin)

    client.post("/account/language", {"language": "zh-hans", "next": "/account/"})

    assert 'lang="zh-Hans"' in client.get("/account/").content.decode()
    assert cast.login(cast.lin).language == "zh-hans"
    other_device = cast.sign_in(cast.lin)
    assert 'lang="zh-Hans"' in other_device.get("/account/").content.decode()


def test_the_chosen_theme_is_drawn_by_the_server(cast: Cast) -> None:
    client = cast.sign_in(cast.lin)
    assert 'data-bs-theme="light"' in client.get("/account/").content.decode()

    client.post("/account/theme", {"theme": "dark", "next": "/account/"})

    assert 'data-bs-theme="dark"' in client.get("/account/").content.decode()
    assert 'data-bs-theme="dark"' in cast.sign_in(cast.lin).get("/account/").content.decode()


@pytest.mark.parametrize(
    ("address", "fields"),
    [("/account/language", {"language": "klingon"}), ("/account/theme", {"theme": "neon"}), ("/account/theme", {})],
)
def test_a_choice_that_does_not_exist_is_refused(cast: Cast, address: str, fields: dict[str, str]) -> None:
    client = cast.sign_in(cast.lin)

    assert client.post(address, fields).status_code == 400
    assert client.get(address).status_code == 405


def test_a_switch_leads_back_to_the_page_but_never_elsewhere(cast: Cast) -> None:
    client = cast.sign_in(cast.lin)

    assert client.post("/account/theme", {"theme": "dark", "next": "/rules/?v=1"})["Location"] == "/rules/?v=1"
    assert client.post("/account/theme", {"theme": "dark", "next": "https://evil.example/"})["Location"] == "/"
    assert client.post("/account/theme", {"theme": "dark", "next": "//evil.example/"})["Location"] == "/"


def test_who_is_not_signed_in_is_asked_to(client: Client) -> None:
    assert client.get("/")["Location"].startswith("/account/login/?next=")
    assert client.get("/points/")["Location"] == "/account/login/?next=/points/"


def test_the_front_door_leads_an_employee_to_the_own_points(cast: Cast) -> None:
    assert cast.sign_in(cast.lin).get("/")["Location"] == "/points/"


def test_the_switcher_lists_only_places_one_sees(cast: Cast) -> None:
    ren = cast.sign_in(cast.ren).get("/account/").content.decode()
    mo = cast.sign_in(cast.mo).get("/account/").content.decode()

    assert "?at=beiyuan" in ren
    assert "?at=qinghe" in ren
    assert "Beiyuan" not in mo


def test_an_unknown_address_gets_a_page_in_style(cast: Cast) -> None:
    response = cast.sign_in(cast.lin).get("/no/such/page/")

    assert response.status_code == 404
    assert "There is nothing at this address" in response.content.decode()


def test_a_page_that_is_not_ones_own_says_which_right_is_missing_and_who_gives_it(cast: Cast) -> None:
    response = cast.sign_in(cast.lin).get("/jobs/")

    assert response.status_code == 403
    page = response.content.decode()
    assert "It needs the right to run the platform." in page
    assert "A platform administrator can give you a role" in page


def test_a_form_from_elsewhere_gets_a_page_that_says_nothing_was_changed(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    cast.sign_in(cast.lin, client)

    response = client.post("/account/theme", {"theme": "dark"})

    assert response.status_code == 403
    assert "The form was not accepted" in response.content.decode()
    assert cast.login(cast.lin).theme == ""


def test_a_page_that_breaks_says_so_with_a_code_and_asks_nothing_of_the_database(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    request = RequestFactory().get("/points/", headers={"Cookie": "uptake_theme=dark"})

    with django_assert_num_queries(0):
        response = broken(request)

    assert response.status_code == 500
    assert b"This page could not be made" in response.content
    assert b'data-bs-theme="dark"' in response.content
