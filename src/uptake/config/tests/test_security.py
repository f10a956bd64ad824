"""The installation is closed by default: cookies, headers, limits, files and logs."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import caches
from django.test import Client

from tests.cast import PASSWORD, Cast
from uptake.config import options
from uptake.config.access import logged
from uptake.config.redacted_log import RedactedFormatter
from uptake.config.secrets import secret_key, write_secret

SIGN_IN = "/account/login/"


def settings_with(**environment: str) -> dict[str, object]:
    """What the settings are in a process whose environment says this."""
    names = [
        *("SESSION_COOKIE_SECURE", "SESSION_COOKIE_HTTPONLY", "SESSION_COOKIE_SAMESITE", "CSRF_COOKIE_SECURE"),
        *("CSRF_COOKIE_SAMESITE", "LANGUAGE_COOKIE_SECURE", "SECURE_HSTS_SECONDS", "SECURE_PROXY_SSL_HEADER"),
        *("DEBUG", "ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "DEMO"),
    ]
    asked = (
        "import json; from uptake.config import settings as found;"
        f"print(json.dumps({{name: getattr(found, name) for name in {names}}}))"
    )
    clean = {name: value for name, value in os.environ.items() if not name.startswith("UPTAKE_")}
    printed = subprocess.run(
        [sys.executable, "-c", asked],
        env={**clean, "UPTAKE_DATA": str(settings.DATA), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, object] = json.loads(printed.stdout)
    return found


def test_https_makes_every_cookie_secure_and_sends_hsts() -> None:
    found = settings_with(UPTAKE_URL="https://uptake.example.org")

    assert found["SESSION_COOKIE_SECURE"]
    assert found["CSRF_COOKIE_SECURE"]
    assert found["LANGUAGE_COOKIE_SECURE"]
    assert found["SECURE_HSTS_SECONDS"] == 31536000
    assert found["CSRF_TRUSTED_ORIGINS"] == ["https://uptake.example.org"]
    assert "uptake.example.org" in found["ALLOWED_HOSTS"]  # type: ignore[operator]


def test_by_default_nothing_is_open() -> None:
    found = settings_with()

    assert found["DEBUG"] is False
    assert found["DEMO"] is False
    assert found["SECURE_PROXY_SSL_HEADER"] is None, "a header anyone can send says nothing about https"
    assert found["SESSION_COOKIE_HTTPONLY"]
    assert found["SESSION_COOKIE_SAMESITE"] == found["CSRF_COOKIE_SAMESITE"] == "Lax"
    assert "*" not in found["ALLOWED_HOSTS"]  # type: ignore[operator]


@pytest.mark.django_db
def test_every_answer_carries_the_headers() -> None:
    answer = Client().get(SIGN_IN)

    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "camera=()" in answer["Permissions-Policy"]
    assert answer["Cross-Origin-Opener-Policy"] == answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert "private" in answer["Cache-Control"]


@pytest.mark.django_db
def test_a_form_from_elsewhere_is_refused() -> None:
    assert Client(enforce_csrf_checks=True).post(SIGN_IN, {"login": "lin", "password": PASSWORD}).status_code == 403


@pytest.mark.django_db
def test_nobody_signs_up_by_themselves() -> None:
    browser = Client()

    browser.post("/account/signup/", {"email": "eve@example.org", "password1": PASSWORD, "password2": PASSWORD})

    assert "sessionid" not in browser.cookies or "_auth_user_id" not in browser.session


def try_to_sign_in(browser: Client, login: str, password: str) -> bool:
    browser.post(SIGN_IN, {"login": login, "password": password})
    return "_auth_user_id" in browser.session


@pytest.mark.django_db
@pytest.mark.parametrize("by", ["username", "email"])
def test_after_five_wrong_passwords_the_right_one_is_refused_too(cast: Cast, by: str) -> None:
    login = getattr(cast.login(cast.lin), by)
    assert try_to_sign_in(Client(), login, PASSWORD)

    for _attempt in range(5):
        assert not try_to_sign_in(Client(), login, "wrong")

    assert not try_to_sign_in(Client(), login, PASSWORD)
    assert try_to_sign_in(Client(), cast.login(cast.hua).username, PASSWORD), "others are not locked out"


@pytest.mark.django_db
def test_password_resets_of_one_address_are_limited(cast: Cast) -> None:
    browser = Client()

    answers = [
        browser.post("/account/password/reset/", {"email": cast.login(cast.lin).email}).status_code for _ in range(5)
    ]

    assert answers[0] == 302
    assert answers[-1] == 429


@pytest.mark.django_db
def test_one_address_cannot_try_many_names(cast: Cast) -> None:
    browser = Client()

    answers = [
        browser.post(SIGN_IN, {"login": f"name{number}", "password": "wrong"}).status_code for number in range(40)
    ]

    assert 429 in answers


def test_limits_are_kept_where_all_processes_see_them() -> None:
    assert settings.CACHES["default"]["BACKEND"].endswith("DatabaseCache")
    assert set(caches) == {"default", "own"}


def test_the_log_has_no_secrets_even_in_tracebacks() -> None:
    record = logging.LogRecord("uptake", logging.ERROR, "", 0, "key %s", ("upk_abc123",), None)
    try:
        raise ValueError("postgresql://uptake:hunter2@db/uptake")
    except ValueError:
        record.exc_info = sys.exc_info()

    line = RedactedFormatter("{message}", style="{").format(record)

    assert "abc123" not in line
    assert "hunter2" not in line
    assert "Traceback" in line
    assert settings.LOGGING["formatters"]["line"]["()"].endswith("RedactedFormatter")


def test_the_access_log_shows_no_query(caplog: pytest.LogCaptureFixture) -> None:
    async def application(scope: object, receive: object, send: object) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[operator]

    async def nothing(*_message: object) -> dict[str, object]:
        return {}

    scope = {"type": "http", "method": "GET", "path": "/people/", "query_string": b"q=Lin"}
    with caplog.at_level(logging.INFO, "uptake.access"):
        asyncio.run(logged(application)(scope, nothing, nothing))  # type: ignore[arg-type]

    assert next(record.getMessage() for record in caplog.records).startswith("GET /people/ 200 ")
    assert "Lin" not in caplog.text


def test_secrets_and_the_data_folder_are_readable_by_their_owner_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPTAKE_DATA", str(tmp_path / "deep" / "data"))

    folder = options.data_folder()
    key = secret_key(folder)
    write_secret(folder / "link.txt", "one")
    write_secret(folder / "link.txt", "two")

    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "secret.key").stat().st_mode & 0o777 == 0o600
    assert (folder / "link.txt").stat().st_mode & 0o777 == 0o600
    assert (folder / "link.txt").read_text() == "two"
    assert len(key) > 60
    assert secret_key(folder) == key


@pytest.mark.django_db
def test_the_health_page_says_nothing_but_that_it_is_well() -> None:
    answer = Client().get("/healthz")

    assert answer.status_code == 200
    assert answer.json() == {"status": "ok"}
