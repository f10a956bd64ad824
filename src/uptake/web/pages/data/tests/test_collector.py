"""A connection for web pages shows the lines to paste, says what pages may send, and can be tried out."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from tests.cast import NOW, Cast
from uptake.directory.models import Person
from uptake.directory.scope import EVERYTHING
from uptake.events.connect import connect
from uptake.events.keys import make_key
from uptake.events.models import ApiKey, Connection


@pytest.fixture
def portal(cast: Cast) -> Connection:
    return connect(slug="portal", kind="browser", name="Portal", organization=cast.beiyuan, by=EVERYTHING, now=NOW)


def signed_in(cast: Cast, person: Person) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(cast.login(person), backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_it_is_chosen_when_a_source_is_connected(cast: Cast) -> None:
    client = signed_in(cast, cast.ren)
    client.post(
        reverse("data:connection_new"),
        {"name": "Portal", "organization": cast.beiyuan.pk, "slug": "portal", "kind": "browser"},
    )
    assert Connection.objects.get().kind == "browser"

    refused = client.post(
        reverse("data:connection_new"),
        {"name": "x", "organization": cast.beiyuan.pk, "slug": "x", "kind": "uptake"},
    )
    assert "Select a valid choice" in refused.text
    assert Connection.objects.count() == 1


def test_the_lines_to_paste_stand_there_as_long_as_the_key_does(cast: Cast, portal: Connection) -> None:
    client = signed_in(cast, cast.ren)
    address = reverse("data:connection", args=["portal"])
    assert "Make a key first" in client.get(address).text

    made = client.post(reverse("data:key_new", args=["portal"]), {"origins": "https://portal.example"})
    key = ApiKey.objects.get()

    for answer in (made, client.get(address)):
        lines = re.search(r'id="snippet"[^>]*>(.*?)</pre>', answer.text, re.DOTALL)
        assert lines is not None
        assert "src=&quot;http" in lines[1].replace('"', "&quot;")
        assert "/collector/v1.js" in lines[1]
        assert f'data-uptake-key="{key}"' in lines[1]
    client.post(reverse("data:key_revoke", args=["portal", key.pk]))
    assert "Make a key first" in client.get(address).text


@pytest.mark.parametrize(
    ("origins", "said"),
    [("", "This field is required"), ("*", "one by one"), ("portal.example", "not an address like https://host")],
)
def test_a_key_names_its_pages(cast: Cast, portal: Connection, origins: str, said: str) -> None:
    answer = signed_in(cast, cast.ren).post(reverse("data:key_new", args=["portal"]), {"origins": origins})

    assert said in answer.text
    assert not ApiKey.objects.exists()


def test_what_pages_may_send_is_said_line_by_line(cast: Cast, portal: Connection) -> None:
    client = signed_in(cast, cast.ren)
    address = reverse("data:page_events", args=["portal"])

    client.post(address, {"names": "report.opened\r\n\r\n order.shown \r\nreport.opened"})
    portal.refresh_from_db()
    assert portal.page_events == ["order.shown", "report.opened"]
    assert "order.shown\nreport.opened</textarea>" in client.get(reverse("data:connection", args=["portal"])).text

    refused = client.post(address, {"names": "uptake.login"})
    assert "uptake.login cannot be the name of an event." in refused.text
    portal.refresh_from_db()
    assert portal.page_events == ["order.shown", "report.opened"]


def test_it_can_be_tried_where_a_key_allows_our_own_pages(cast: Cast, portal: Connection) -> None:
    client = signed_in(cast, cast.ren)
    address = reverse("data:collector_demo", args=["portal"])
    make_key(connection=portal, by=EVERYTHING, now=NOW, allowed_origins=["https://portal.example"])
    assert "that allows http://testserver." in client.get(address).text

    key, _public = make_key(connection=portal, by=EVERYTHING, now=NOW, allowed_origins=["http://testserver"])
    portal.page_events = ["report.opened"]
    portal.save()
    text = client.get(address, {"person": "b001"}).text
    assert f'data-uptake-key="{key}"' in text
    assert 'data-uptake-event="report.opened"' in text
    assert 'data-uptake-person="b001"' in text


def test_connections_of_programs_have_none_of_it(cast: Cast) -> None:
    connect(slug="erp", kind="api", name="ERP", organization=cast.beiyuan, by=EVERYTHING, now=NOW)
    client = signed_in(cast, cast.ren)

    assert client.get(reverse("data:collector_demo", args=["erp"]))["Location"] == reverse(
        "data:connection", args=["erp"]
    )
    assert client.post(reverse("data:page_events", args=["erp"]), {"names": "x"}).status_code == 404


def test_who_does_not_manage_the_data_sees_nothing(cast: Cast, portal: Connection) -> None:
    for person in (cast.lin, cast.hua, cast.mo):
        client = signed_in(cast, person)
        assert client.get(reverse("data:collector_demo", args=["portal"])).status_code in {403, 404}
        assert client.post(reverse("data:page_events", args=["portal"]), {"names": "x"}).status_code in {403, 404}
    portal.refresh_from_db()
    assert portal.page_events == []
