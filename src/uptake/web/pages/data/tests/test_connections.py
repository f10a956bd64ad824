"""Who manages data connects sources, makes keys that are shown once, and takes them away; nobody else sees them."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from tests.cast import NOW, QINGHE_MARKS, Cast
from uptake.directory.models import Kind, Organization, Person, Role, RoleAssignment
from uptake.directory.scope import EVERYTHING
from uptake.events.connect import connect
from uptake.events.happening import Happening
from uptake.events.keys import authenticate, make_key
from uptake.events.models import ApiKey, Connection
from uptake.events.record import record


@pytest.fixture
def erp(cast: Cast) -> Connection:
    return connect(slug="erp", kind="api", name="ERP here", organization=cast.beiyuan, by=EVERYTHING, now=NOW)


def signed_in(cast: Cast, person: Person) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(cast.login(person), backend="django.contrib.auth.backends.ModelBackend")
    return client


def manages_beiyuan(cast: Cast, person: Person) -> None:
    """An operator's role at one company: the narrowest that manages data."""
    RoleAssignment.objects.create(
        person=person, role=Role.OPERATOR, organization=cast.beiyuan, from_date=NOW.date(), given_at=NOW
    )


def test_a_connection_is_added_with_a_short_name_made_from_its_name(cast: Cast) -> None:
    client = signed_in(cast, cast.ren)
    answer = client.post(
        reverse("data:connection_new"), {"name": "ERP of Beiyuan", "organization": cast.beiyuan.pk, "slug": ""}
    )
    made = Connection.objects.get(slug="erp-of-beiyuan")
    assert answer["Location"] == reverse("data:connection", args=[made.slug])
    assert (made.kind, made.organization) == ("api", cast.beiyuan)


def test_a_taken_or_missing_short_name_is_said_beside_its_field(cast: Cast, erp: Connection) -> None:
    client = signed_in(cast, cast.ren)
    taken = client.post(reverse("data:connection_new"), {"name": "x", "organization": cast.qinghe.pk, "slug": "erp"})
    assert "Another connection has this short name." in taken.text
    chinese = client.post(reverse("data:connection_new"), {"name": "北元", "organization": cast.qinghe.pk, "slug": ""})
    assert "Type a short name" in chinese.text
    assert Connection.objects.count() == 1


def test_a_key_is_shown_once_and_opens_the_connection(cast: Cast, erp: Connection) -> None:
    client = signed_in(cast, cast.ren)
    made = client.post(
        reverse("data:key_new", args=["erp"]), {"label": "server", "origins": "https://a.example\nhttps://b.example"}
    )
    found = re.search(r'id="key">(upk_[0-9a-f]{12}_[\w-]{43})<', made.text)
    assert found is not None
    assert "no-store" in made["Cache-Control"]
    opened = authenticate(secret=found[1], now=NOW)
    assert opened is not None
    assert opened.connection == erp
    assert opened.allowed_origins == ("https://a.example", "https://b.example")
    again = client.get(reverse("data:connection", args=["erp"]))
    assert found[1] not in again.text
    assert ApiKey.objects.get().prefix in again.text
    assert "curl -X POST http://testserver/api/v1/events" in again.text


def test_what_is_no_origin_makes_no_key(cast: Cast, erp: Connection) -> None:
    answer = signed_in(cast, cast.ren).post(reverse("data:key_new", args=["erp"]), {"origins": "not an address"})
    assert "is not an address like https://host." in answer.text
    assert not ApiKey.objects.exists()


def test_a_revoked_key_opens_nothing_and_a_paused_connection_says_so(cast: Cast, erp: Connection) -> None:
    key, secret = make_key(connection=erp, by=EVERYTHING, now=NOW)
    client = signed_in(cast, cast.ren)
    client.post(reverse("data:key_revoke", args=["erp", key.pk]))
    assert authenticate(secret=secret, now=NOW) is None
    client.post(reverse("data:connection_pause", args=["erp"]), {"do": "pause"})
    assert Connection.objects.get().paused_at is not None
    assert "Paused" in client.get(reverse("data:home")).text
    client.post(reverse("data:connection_pause", args=["erp"]), {"do": "resume"})
    assert Connection.objects.get().paused_at is None


def test_the_list_counts_what_came_today_and_in_the_last_hour(cast: Cast, erp: Connection) -> None:
    from datetime import timedelta

    from django.utils import timezone

    from uptake.web.pages.data.figures import rates

    now = timezone.now()
    for number, back in enumerate((timedelta(days=3), timedelta(hours=2), timedelta(minutes=5), timedelta())):
        record([Happening(event="seen", key=str(number), at=now - back)], connection=erp, now=now - back)
    assert rates(["erp"], now).last_hour == {"erp": 2}
    assert rates(["erp"], now - timedelta(days=1)).last_hour == {"erp": 3}, "all that came since an hour before that"
    assert rates([], now).today == {}
    assert rates(["other"], now).last_hour == {}


def test_only_who_manages_data_opens_the_area_and_sees_only_the_own_places(cast: Cast, erp: Connection) -> None:
    connect(slug="qh", kind="api", name="MES of Qinghe", organization=cast.qinghe, by=EVERYTHING, now=NOW)
    manages_beiyuan(cast, cast.ke)
    client = signed_in(cast, cast.ke)
    page = client.get(reverse("data:home"))
    assert "ERP here" in page.text
    for text in (page.text, client.get(reverse("data:connection_new")).text, client.get(reverse("data:imports")).text):
        assert not any(mark in text for mark in QINGHE_MARKS)
    assert client.get(reverse("data:connection", args=["qh"])).status_code == 404
    assert client.post(reverse("data:key_new", args=["qh"])).status_code == 404
    assert client.post(reverse("data:connection_pause", args=["qh"])).status_code == 404
    for person in (cast.lin, cast.hua, cast.mo, cast.wei, cast.shu):
        for name in ("data:home", "data:imports", "data:quarantine", "data:conflicts", "events:catalogue"):
            assert signed_in(cast, person).get(reverse(name)).status_code == 403
        assert signed_in(cast, person).post(reverse("data:key_new", args=["erp"])).status_code == 403
    assert not ApiKey.objects.exists()


def test_an_empty_house_says_what_to_do_first(cast: Cast) -> None:
    assert Organization.objects.filter(kind=Kind.COMPANY).exists()
    assert "Nothing is connected yet" in signed_in(cast, cast.ren).get(reverse("data:home")).text
