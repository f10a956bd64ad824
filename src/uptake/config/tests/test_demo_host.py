"""The demo's ERP posts to the intake like a stranger and shows its clerk what came of it; elsewhere it is not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from tests.cast import Cast
from uptake.config.demo.widget import HOST_FILE, open_host
from uptake.directory.models import Identity
from uptake.directory.scope import EVERYTHING
from uptake.events.connect import connect
from uptake.events.models import Event, WidgetKey
from uptake.web.api.writer import drain_writer

pytestmark = pytest.mark.django_db(transaction=True)
URL = urlsplit("http://testserver")


@pytest.fixture
def demo(cast: Cast, settings: Any, tmp_path: Path) -> Iterator[Path]:
    """A demo whose ERP knows Lin as b001."""
    settings.DEMO, settings.DATA = True, tmp_path
    now = timezone.now()
    connect(slug="erp-beiyuan", kind="api", name="ERP", organization=cast.beiyuan, by=EVERYTHING, now=now)
    Identity.objects.create(
        source="erp-beiyuan", external_id="b001", company=cast.beiyuan, person=cast.lin, first_seen_at=now
    )
    open_host(tmp_path, URL, now)
    yield tmp_path
    drain_writer()


def test_what_is_posted_is_an_event_of_its_clerk_and_the_page_gets_a_token(cast: Cast, demo: Path) -> None:
    client = Client()
    page = client.get("/demo/erp/").content.decode()
    assert 'data-uptake-token-url="/demo/erp/token"' in page
    assert "upw_" not in page

    answer = client.post("/demo/erp/receipts", {"number": "GR-1"})

    assert (answer.status_code, answer.json()["fate"]) == (200, "new")
    event = Event.objects.get(source="erp-beiyuan")
    assert (event.name, event.object, event.identity and event.identity.person) == (
        "goods_receipt.posted",
        "GR-1",
        cast.lin,
    )
    token = client.get("/demo/erp/token").json()["token"]
    headers = {"authorization": f"Bearer {token}", "referer": "http://testserver/demo/erp/"}
    assert client.get("/api/v1/widget/me", headers=headers).status_code == 200


def test_started_again_it_keeps_its_keys_and_nobody_else_reads_them(demo: Path) -> None:
    file = demo / HOST_FILE
    before = file.read_text()
    open_host(demo, URL, timezone.now())
    assert file.read_text() == before
    assert WidgetKey.objects.count() == 1
    assert file.stat().st_mode & 0o077 == 0
    assert set(json.loads(before)) == {"events", "widget", "person", "name"}


def test_the_sign_in_page_leads_there_in_a_demo_only(demo: Path, settings: Any) -> None:
    (demo / "demo-logins.json").write_text('[{"username": "lin"}]')
    assert "/demo/erp/" in Client().get("/account/login/").content.decode()
    settings.DEMO = False
    assert "/demo/erp/" not in Client().get("/account/login/").content.decode()
    for address, method in (("", "get"), ("token", "get"), ("receipts", "post")):
        assert getattr(Client(), method)(f"/demo/erp/{address}").status_code == 404
