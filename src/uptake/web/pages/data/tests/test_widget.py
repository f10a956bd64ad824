"""Who manages data makes keys of the widget on the page of a connection, sees them once, and revokes them."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.utils import timezone

from tests.cast import NOW, Cast
from uptake.directory.scope import EVERYTHING
from uptake.events.connect import connect
from uptake.events.models import Connection, WidgetKey
from uptake.events.widget_keys import opened_by

pytestmark = pytest.mark.django_db
PAGE = "/data/connections/erp/widget"


@pytest.fixture
def erp(cast: Cast) -> Connection:
    return connect(slug="erp", kind="api", name="ERP", organization=cast.beiyuan, by=EVERYTHING, now=NOW)


def test_a_key_is_made_for_named_pages_shown_once_and_revoked(cast: Cast, erp: Connection) -> None:
    ren = cast.sign_in(cast.ren)
    assert "No key yet" in ren.get(PAGE).content.decode()
    assert PAGE in ren.get("/data/connections/erp").content.decode()

    made = ren.post(PAGE, {"label": "ERP server", "origins": "https://ERP.example\nhttps://erp.example:8443"})

    secret = re.search(r"upw_[0-9a-f]{12}_[\w-]{43}", made.content.decode())
    assert secret is not None
    key = opened_by(secret=secret[0], now=timezone.now())
    assert key is not None
    assert key.allowed_origins == ["https://erp.example", "https://erp.example:8443"]
    again = ren.get(PAGE).content.decode()
    assert secret[0] not in again
    assert str(key) in again
    assert "/widget/v1.js" in again
    ren.post(f"{PAGE}/{key.pk}/revoke")
    assert opened_by(secret=secret[0], now=timezone.now()) is None
    assert "Revoked" in ren.get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("origins", "said"),
    [("", "This field is required"), ("*", "Name the pages one by one"), ("erp.example", "is not an address like")],
)
def test_pages_are_named_rightly_or_it_is_said_what_is_wrong(
    cast: Cast, erp: Connection, origins: str, said: str
) -> None:
    answer = cast.sign_in(cast.ren).post(PAGE, {"origins": origins})
    assert said in answer.content.decode()
    assert not WidgetKey.objects.exists()


def test_others_find_no_such_page(cast: Cast, erp: Connection) -> None:
    assert Client().get(PAGE).status_code == 302
    for who in (cast.lin, cast.hua, cast.mo, cast.wei):
        assert cast.sign_in(who).get(PAGE).status_code == 403
    connect(slug="portal", kind="browser", name="Portal", organization=cast.beiyuan, by=EVERYTHING, now=NOW)
    assert cast.sign_in(cast.ren).get("/data/connections/portal/widget").status_code == 404
