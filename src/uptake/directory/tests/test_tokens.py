"""Access tokens: they open while they are valid and the login is, are kept hashed, and belong to one login."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.cast import NOW, Cast
from uptake.directory.models import AccessToken, AuditEntry
from uptake.directory.scope import EVERYTHING, NotAllowed
from uptake.directory.tokens import MOST, TooLong, TooMany, make_token, opened_by, revoke_token

pytestmark = pytest.mark.django_db


def test_a_token_opens_its_login_until_it_ends(cast: Cast) -> None:
    token, secret = make_token(by=cast.viewer(cast.wei), days=30, now=NOW, label="Notebook")

    assert opened_by(secret=secret, now=NOW) == cast.login(cast.wei)
    assert opened_by(secret=secret, now=NOW + timedelta(days=29, hours=23)) is not None
    assert opened_by(secret=secret, now=NOW + timedelta(days=30)) is None
    assert secret not in "".join(map(str, AccessToken.objects.values_list().get()))
    assert (token.label, token.expires_at) == ("Notebook", NOW + timedelta(days=30))


@pytest.mark.parametrize("secret", ["", "upt_", "upt_0123456789ab_" + "x" * 43, "upk_0123456789ab_" + "x" * 43])
def test_what_is_no_token_opens_nothing(cast: Cast, secret: str) -> None:
    assert opened_by(secret=secret, now=NOW) is None


def test_the_secret_must_be_whole(cast: Cast) -> None:
    _token, secret = make_token(by=cast.viewer(cast.wei), days=1, now=NOW)
    other = "A" if secret[-1] != "A" else "B"

    assert opened_by(secret=secret[:-1] + other, now=NOW) is None
    assert opened_by(secret=secret[:-1], now=NOW) is None


def test_revoked_and_closed_open_nothing(cast: Cast) -> None:
    token, secret = make_token(by=cast.viewer(cast.wei), days=1, now=NOW)
    _other, second = make_token(by=cast.viewer(cast.wei), days=1, now=NOW)

    for _ in range(2):
        revoke_token(token=token, by=cast.viewer(cast.wei), now=NOW)
    assert opened_by(secret=secret, now=NOW) is None
    assert opened_by(secret=second, now=NOW) is not None

    login = cast.login(cast.wei)
    login.is_active = False
    login.save()
    assert opened_by(secret=second, now=NOW) is None


def test_each_sees_and_revokes_the_own_only(cast: Cast) -> None:
    token, _secret = make_token(by=cast.viewer(cast.wei), days=1, now=NOW)

    assert list(AccessToken.objects.visible_to(cast.viewer(cast.wei))) == [token]
    assert not AccessToken.objects.visible_to(cast.viewer(cast.an)).exists()
    with pytest.raises(NotAllowed):
        revoke_token(token=token, by=cast.viewer(cast.an), now=NOW)


def test_making_and_revoking_are_written_down_without_the_secret(cast: Cast) -> None:
    token, secret = make_token(by=cast.viewer(cast.hua), days=1, now=NOW)
    revoke_token(token=token, by=cast.viewer(cast.hua), now=NOW)

    entries = list(AuditEntry.objects.filter(deed__startswith="token.").order_by("pk"))
    assert [(entry.deed, entry.actor_name, entry.organization) for entry in entries] == [
        ("token.made", "Hua Jing", cast.beiyuan),
        ("token.revoked", "Hua Jing", cast.beiyuan),
    ]
    assert secret not in str([(entry.subject, entry.details) for entry in entries])


def test_use_is_kept_to_the_minute(cast: Cast) -> None:
    token, secret = make_token(by=cast.viewer(cast.wei), days=1, now=NOW)

    for seconds in (0, 30, 61):
        opened_by(secret=secret, now=NOW + timedelta(seconds=seconds))
        if seconds == 30:
            token.refresh_from_db()
            assert token.last_used_at == NOW
    token.refresh_from_db()
    assert token.last_used_at == NOW + timedelta(seconds=61)


def test_how_long_how_many_and_whose(cast: Cast) -> None:
    wei = cast.viewer(cast.wei)
    for days in (0, 366):
        with pytest.raises(TooLong):
            make_token(by=wei, days=days, now=NOW)
    with pytest.raises(NotAllowed):
        make_token(by=EVERYTHING, days=1, now=NOW)
    for _ in range(MOST):
        make_token(by=wei, days=1, now=NOW)
    with pytest.raises(TooMany):
        make_token(by=wei, days=1, now=NOW)
    make_token(by=wei, days=1, now=NOW + timedelta(days=2))
