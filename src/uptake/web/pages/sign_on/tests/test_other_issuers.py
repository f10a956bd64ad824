"""Signing in by an issuer that others wrote: oidc-provider-mock, with its own pages and keys."""

from __future__ import annotations

import re

import httpx
import pytest
from django.test import Client
from oidc_provider_mock import User as Account  # type: ignore[import-untyped]
from oidc_provider_mock import run_server_in_thread

from tests.cast import NOW, Cast
from uptake.directory.models import User
from uptake.directory.scope import EVERYTHING
from uptake.directory.sign_on.models import Protocol
from uptake.directory.sign_on.set_up import Setup, set_up

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.mark.parametrize(("verified", "comes_in"), [(True, True), (False, False)])
def test_a_person_comes_in_by_its_pages(cast: Cast, verified: bool, comes_in: bool) -> None:
    account = Account(sub="lin", claims={"email": "lin@beiyuan.example", "email_verified": verified})
    with run_server_in_thread(port=0, user_claims=[account]) as server:
        address = f"http://localhost:{server.server_port}"
        setup = Setup("Mock", "Mock", address=address, client="c", secret="s", email_claim="email", plain=True)
        way = set_up(protocol=Protocol.OIDC, organization=cast.beiyuan, setup=setup, by=EVERYTHING, now=NOW)
        client = Client()
        away = client.get(f"/account/with/{way.slug}/")["Location"]
        with httpx.Client(trust_env=False, timeout=30) as browser:
            page = browser.get(away)
            assert re.search(r"<form", page.text), page.text
            back = browser.post(away, data={"sub": "lin"})
        answer = client.get(back.headers["Location"].removeprefix("http://testserver"))

    assert answer.status_code == (302 if comes_in else 403)
    signed_in = client.session.get("_auth_user_id")
    assert (signed_in is not None and User.objects.get(pk=signed_in).person == cast.lin) == comes_in
