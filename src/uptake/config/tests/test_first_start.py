"""A fresh installation lets its first administrator in by a link that works once, and nobody else."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from tests.cast import Cast
from uptake.config.command import main
from uptake.config.first_administrator import FILE, first_sign_in
from uptake.config.options import address
from uptake.config.serving import configuration, make_ready, parse_bind
from uptake.directory.models import User
from uptake.directory.scope import Deed, viewer_of

NOW = datetime(2026, 5, 13, 2, 0, tzinfo=UTC)
GOOD = "seven-hundred-nuts"


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(settings, "DATA", tmp_path)
    return tmp_path


def path_of(link: str) -> str:
    return link.partition("://")[2].partition("/")[1] + link.partition("://")[2].partition("/")[2]


def choose_password(link: str) -> Client:
    browser = Client()
    form = browser.get(path_of(link), follow=True)
    browser.post(form.request["PATH_INFO"], {"password1": GOOD, "password2": GOOD})
    return browser


@pytest.mark.django_db
def test_the_link_makes_an_administrator_who_may_do_everything(data: Path) -> None:
    found = first_sign_in(now=NOW)
    assert found is not None
    link, file = found

    choose_password(link)

    admin = User.objects.get()
    assert admin.check_password(GOOD)
    viewer = viewer_of(admin, today=NOW.date())
    assert all(viewer.may(deed) for deed in Deed)
    assert file.stat().st_mode & 0o777 == 0o600
    assert link in file.read_text()


@pytest.mark.django_db
def test_the_link_works_once() -> None:
    found = first_sign_in(now=NOW)
    assert found is not None
    choose_password(found[0])

    again = Client().get(path_of(found[0]), follow=True).content.decode()

    assert 'name="password1"' not in again


@pytest.mark.django_db
def test_a_second_start_gives_a_link_again_but_no_second_administrator() -> None:
    first_sign_in(now=NOW)
    first_sign_in(now=NOW)

    assert User.objects.count() == 1


@pytest.mark.django_db
def test_nothing_is_given_once_somebody_can_sign_in(data: Path) -> None:
    found = first_sign_in(now=NOW)
    assert found is not None
    choose_password(found[0])

    assert first_sign_in(now=NOW) is None
    assert not (data / FILE).exists()


@pytest.mark.django_db
def test_nothing_is_given_where_people_are_already(cast: Cast) -> None:
    assert first_sign_in(now=NOW) is None


@pytest.mark.parametrize(
    ("bind", "host", "port"),
    [("127.0.0.1:8000", "127.0.0.1", 8000), ("[::1]:80", "::1", 80), ("0.0.0.0:65535", "0.0.0.0", 65535)],
)
def test_an_address_to_listen_on_is_read(bind: str, host: str, port: int) -> None:
    assert parse_bind(bind) == (host, port)


@pytest.mark.parametrize("bind", ["8000", ":8000", "localhost", "localhost:", "localhost:x", "localhost:70000"])
def test_what_is_no_address_is_refused(bind: str) -> None:
    with pytest.raises(ValueError, match="must look like"):
        parse_bind(bind)


@pytest.mark.once
@pytest.mark.parametrize("command", ["serve", "demo"])
def test_where_another_server_listens_a_start_ends_at_once_and_says_so(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("UPTAKE_DEMO", "no")
    monkeypatch.setenv("UPTAKE_DATA", str(settings.DATA))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("UPTAKE_BIND", f"127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(SystemExit) as ended:
            main([command, "--json"])

    assert ended.value.code == 1
    assert "already in use" in json.loads(capsys.readouterr().out.splitlines()[-1])["error"]


@pytest.mark.once
@pytest.mark.parametrize(
    ("url", "bind", "opened"),
    [
        ("", "127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("", "127.0.0.1:8451", "http://127.0.0.1:8451"),
        ("", "0.0.0.0:8451", "http://127.0.0.1:8451"),
        ("", "[::]:80", "http://[::1]:80"),
        ("https://uptake.example.org/", "127.0.0.1:8451", "https://uptake.example.org"),
    ],
)
def test_links_name_the_address_that_listens_unless_another_is_set(
    url: str, bind: str, opened: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPTAKE_URL", url)
    monkeypatch.setenv("UPTAKE_BIND", bind)

    assert address() == opened


def test_the_server_trusts_no_proxy_and_names_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = configuration("127.0.0.1", 8000)
    assert (bare.proxy_headers, bare.server_header, bare.access_log, bare.workers) == (False, False, False, 1)

    monkeypatch.setenv("UPTAKE_PROXIES", "10.0.0.1")
    assert configuration("127.0.0.1", 8000).proxy_headers
    assert settings.SECURE_PROXY_SSL_HEADER is None


def test_what_cannot_be_loaded_ahead_does_not_keep_the_server_from_starting(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    frozen: list[bool] = []
    monkeypatch.setattr("uptake.config.serving.gc.freeze", lambda: frozen.append(True))
    make_ready()
    assert not caplog.records

    monkeypatch.setattr("uptake.insight.feed.where.location", lambda: 1 / 0)
    make_ready()

    assert "Not everything could be loaded ahead: ZeroDivisionError" in caplog.text
    assert len(frozen) == 2
