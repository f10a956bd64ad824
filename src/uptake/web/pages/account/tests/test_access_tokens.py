"""Access tokens on the own account page: shown once, listed without the secret, revoked by their owner."""

from __future__ import annotations

import re

import pytest

from tests.cast import Cast
from uptake.directory.models import AccessToken

pytestmark = pytest.mark.django_db


def test_a_token_is_shown_once(cast: Cast) -> None:
    browser = cast.sign_in(cast.wei)

    page = browser.post("/account/tokens/", {"label": "Notebook", "days": "30"}).content.decode()

    found = re.search(r"upt_[0-9a-f]{12}_[\w-]{43}", page)
    assert found
    later = browser.get("/account/tokens/")
    assert found[0] not in later.content.decode()
    assert "Notebook" in later.content.decode()
    assert "no-store" in later.headers["Cache-Control"]
    token = AccessToken.objects.get()
    assert (token.expires_at - token.created_at).days == 30


def test_a_token_is_revoked_by_its_owner_alone(cast: Cast) -> None:
    cast.sign_in(cast.wei).post("/account/tokens/", {"days": "90"})
    token = AccessToken.objects.get()
    address = f"/account/tokens/{token.pk}/revoke"

    assert cast.sign_in(cast.an).post(address).status_code == 404
    cast.sign_in(cast.wei).post(address)
    token.refresh_from_db()
    assert token.revoked_at is not None
    assert "Revoked" in cast.sign_in(cast.wei).get("/account/tokens/").content.decode()


@pytest.mark.parametrize("days", ["", "7000", "x"])
def test_how_long_it_lasts_is_chosen_from_a_list(cast: Cast, days: str) -> None:
    cast.sign_in(cast.wei).post("/account/tokens/", {"days": days})

    assert not AccessToken.objects.exists()


def test_who_sees_no_figures_is_offered_none(cast: Cast) -> None:
    page = cast.sign_in(cast.lin).get("/account/tokens/").content.decode()

    assert "Make token" not in page
    assert cast.sign_in(cast.lin).get("/account/").status_code == 200
