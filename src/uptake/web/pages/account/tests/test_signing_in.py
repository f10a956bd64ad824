"""Signing in: by name or e-mail, locked out after failures, with a second step, and never by oneself."""

from __future__ import annotations

import json
import re

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from axes.models import AccessAttempt
from django.conf import LazySettings
from django.core import mail
from django.core.cache import cache
from django.test import Client

from tests.cast import PASSWORD, Cast

pytestmark = pytest.mark.django_db
LOGIN = "/account/login/"


@pytest.fixture(autouse=True)
def _fresh_rate_limits(settings: LazySettings) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    settings.LANGUAGE_CODE = "en"  # what is read by those who are not signed in and ask for nothing
    cache.clear()


def sign_in(client: Client, login: str, password: str = PASSWORD) -> int:
    return client.post(LOGIN, {"login": login, "password": password}).status_code


@pytest.mark.parametrize("login", ["lin", "lin@beiyuan.example", "LIN@beiyuan.example"])
def test_one_signs_in_by_name_or_by_e_mail(cast: Cast, client: Client, login: str) -> None:
    assert sign_in(client, login) == 302
    assert client.get("/points/").status_code == 200


def test_a_wrong_password_says_so_and_stays(cast: Cast, client: Client) -> None:
    response = client.post(LOGIN, {"login": "lin", "password": "wrong"})

    assert response.status_code == 200
    assert 'role="alert"' in response.content.decode()
    assert client.get("/points/").status_code == 302


def test_five_failures_lock_the_name_out_with_the_time_of_the_next_try(cast: Cast, client: Client) -> None:
    statuses = [sign_in(client, "lin", f"wrong {n}") for n in range(5)]

    assert statuses == [200, 200, 200, 200, 429]
    response = client.post(LOGIN, {"login": "lin", "password": PASSWORD})
    assert response.status_code == 429, "the right password does not open it either"
    assert 800 <= int(response["Retry-After"]) <= 901
    assert re.search(r"locked until \d\d:\d\d", response.content.decode())
    assert sign_in(Client(), "LIN") == 429, "capitals give no new tries"


def test_others_sign_in_while_one_is_locked_out(cast: Cast, client: Client) -> None:
    for n in range(5):
        sign_in(client, "lin", f"wrong {n}")

    assert sign_in(Client(), "hua") == 302


def test_signing_in_forgets_earlier_failures(cast: Cast, client: Client) -> None:
    for n in range(3):
        sign_in(client, "lin", f"wrong {n}")

    assert sign_in(client, "lin") == 302
    assert not AccessAttempt.objects.exists()


def test_nobody_signs_up(client: Client) -> None:
    response = client.post(
        "/account/signup/", {"email": "new@x.example", "password1": "long-enough-1", "password2": "long-enough-1"}
    )

    assert "Logins are given, not taken" in response.content.decode()


def test_a_closed_login_opens_nothing(cast: Cast, client: Client) -> None:
    user = cast.login(cast.lin)
    user.is_active = False
    user.save(update_fields=["is_active"])

    sign_in(client, "lin")

    assert client.get("/points/").status_code == 302


def test_a_forgotten_password_is_reset_by_a_link_that_works_once(cast: Cast, client: Client) -> None:
    assert client.post("/account/password/reset/", {"email": "lin@beiyuan.example"}).status_code == 302
    link = re.search(r"https?://[^/\s]+(/account/password/reset/key/\S+)", str(mail.outbox[0].body))
    assert link is not None
    form = client.get(link.group(1), follow=True)
    address = form.redirect_chain[-1][0]

    done = client.post(address, {"password1": "ninety-nine-nuts", "password2": "ninety-nine-nuts"}, follow=True)

    assert "Your password is changed" in done.content.decode()
    assert sign_in(Client(), "lin", "ninety-nine-nuts") == 302
    assert "This link no longer works" in Client().get(link.group(1), follow=True).content.decode()


def test_an_unknown_address_is_answered_like_a_known_one_and_gets_no_mail(cast: Cast, client: Client) -> None:
    response = client.post("/account/password/reset/", {"email": "nobody@x.example"}, follow=True)

    assert "If the address belongs to a login" in response.content.decode()
    assert mail.outbox == []


def test_whoever_chose_a_password_by_a_link_can_switch_the_second_step_on(cast: Cast, client: Client) -> None:
    client.post("/account/password/reset/", {"email": "lin@beiyuan.example"})
    link = re.search(r"https?://[^/\s]+(/account/password/reset/key/\S+)", str(mail.outbox[0].body))
    assert link is not None
    address = client.get(link.group(1), follow=True).redirect_chain[-1][0]
    client.post(address, {"password1": "ninety-nine-nuts", "password2": "ninety-nine-nuts"})
    sign_in(client, "lin", "ninety-nine-nuts")
    activate = "/account/2fa/totp/activate/"
    client.post("/account/reauthenticate/", {"password": "ninety-nine-nuts", "next": activate})

    assert 'src="data:image/svg+xml' in client.get(activate).content.decode()


def test_the_second_step_is_switched_on_asked_for_and_switched_off(cast: Cast) -> None:
    client = Client()
    sign_in(client, "lin")
    activate = "/account/2fa/totp/activate/"
    assert client.get(activate)["Location"].startswith("/account/reauthenticate/"), "the password is asked once more"
    client.post("/account/reauthenticate/", {"password": PASSWORD, "next": activate})
    page = client.get(activate).content.decode()
    found = re.search(r'<code class="mono u-hash">(\w+)</code>', page)
    assert found is not None
    assert 'src="data:image/svg+xml' in page
    secret = found.group(1)
    code = format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))

    client.post(activate, {"code": code})

    assert ">On<" in client.get("/account/").content.decode()
    codes = re.findall(r"<li>([\w-]+)</li>", client.get("/account/2fa/recovery-codes/").content.decode())
    assert len(codes) == 10
    other = Client()
    assert other.post(LOGIN, {"login": "lin", "password": PASSWORD})["Location"].startswith("/account/2fa/authenticate")
    assert other.get("/points/").status_code == 302, "the password alone opens nothing"
    other.post("/account/2fa/authenticate/", {"code": codes[0]})
    assert other.get("/points/").status_code == 200
    third = Client()
    third.post(LOGIN, {"login": "lin", "password": PASSWORD})
    third.post("/account/2fa/authenticate/", {"code": codes[0]})
    assert third.get("/points/").status_code == 302, "a recovery code opens once"


@pytest.mark.parametrize(
    "address",
    ["/account/", "/account/password/change/", "/account/2fa/", "/account/logout/", "/account/2fa/totp/activate/"],
)
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_pages_of_the_account_render_in_both_languages(cast: Cast, address: str, language: str) -> None:
    client = Client(headers={"Accept-Language": language})
    client.cookies["django_language"] = language
    sign_in(client, "lin")

    response = client.get(address, follow=True)

    assert response.status_code == 200
    assert f'lang="{"zh-Hans" if language == "zh-hans" else "en"}"' in response.content.decode()


def test_the_demo_log_ins_stand_on_the_page_of_a_demo_only(client: Client, settings: LazySettings) -> None:
    row = {"username": "ren", "password": "in-the-open", "name": "Ren Hao", "organization": "Linjiang"}
    file = settings.DATA / "demo-logins.json"
    file.write_text(json.dumps([row | {"role_en": "Park operator", "role_zh": "园区运营"}]))
    try:
        assert "in-the-open" not in client.get(LOGIN).content.decode()

        settings.DEMO = True
        client.cookies["django_language"] = "en"

        page = client.get(LOGIN).content.decode()
        assert 'name="password" value="in-the-open"' in page
        assert "Park operator" in page
    finally:
        file.unlink()
