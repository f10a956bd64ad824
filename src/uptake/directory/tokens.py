"""Access tokens of logins: made and shown once, stored hashed, with an end, revoked at once; they only let one ask."""

from __future__ import annotations

import hmac
import re
import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.models import AccessToken, Organization, User
from uptake.directory.viewer import NotAllowed, Viewer

FORM = re.compile(r"upt_([0-9a-f]{12})_[A-Za-z0-9_-]{43}")
LONGEST_DAYS = 365
MOST = 20
"""Valid tokens of one login."""
USE_KEPT = timedelta(minutes=1)
"""How often it is written down that a token was used."""
NO_HASH = "0" * 64


class TooLong(ValueError):
    """A token ends after 1 to 365 days."""


class TooMany(Exception):
    """The login has as many valid tokens as it may have."""


@transaction.atomic
def make_token(*, by: Viewer, days: int, now: datetime, label: str = "") -> tuple[AccessToken, str]:
    """(token, secret) for the login that asks: the secret is shown now and never again.

    Raises NotAllowed (nobody is signed in), TooLong, TooMany.
    """
    if by.user_id is None:
        raise NotAllowed
    if not 1 <= days <= LONGEST_DAYS:
        raise TooLong(days)
    user = User.objects.select_for_update(of=("self",)).get(pk=by.user_id)
    if AccessToken.objects.valid(now).filter(user=user).count() >= MOST:
        raise TooMany
    prefix = secrets.token_hex(6)
    secret = f"upt_{prefix}_{secrets.token_urlsafe(32)}"
    token = AccessToken.objects.create(
        user=user,
        prefix=prefix,
        hash=_hash(secret),
        label=label[:100],
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    _note("token.made", token, by, now)
    return token, secret


@transaction.atomic
def revoke_token(*, token: AccessToken, by: Viewer, now: datetime) -> AccessToken:
    """The token opens nothing from now on. Repeating it changes nothing. Raises NotAllowed for another's."""
    token = AccessToken.objects.select_for_update(of=("self",)).get(pk=token.pk)
    if token.user_id != by.user_id:
        raise NotAllowed
    if token.revoked_at is None:
        token.revoked_at = now
        token.save(update_fields=["revoked_at"])
        _note("token.revoked", token, by, now)
    return token


def opened_by(*, secret: str, now: datetime) -> User | None:
    """The login a secret asks for; None for one that opens nothing, has ended, or whose login is closed."""
    form = FORM.fullmatch(secret)
    if form is None:
        return None
    token = AccessToken.objects.valid(now).select_related("user__person").filter(prefix=form[1]).first()
    if not hmac.compare_digest(_hash(secret), token.hash if token else NO_HASH) or token is None:
        return None
    if token.last_used_at is None or now - token.last_used_at >= USE_KEPT:
        AccessToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token.user


def _hash(secret: str) -> str:
    # A fast hash is enough: the secret has 256 random bits, nobody can try them.
    return sha256(secret.encode(errors="replace")).hexdigest()


def _note(deed: str, token: AccessToken, by: Viewer, now: datetime) -> None:
    details = {"token": token.pk, "label": token.label, "ends": token.expires_at.date().isoformat()}
    # At a place of whom it belongs to, so that who audits the place can read it.
    paths = [*by.places, *(grant.path for grant in by.grants)]
    place = Organization.objects.filter(path__in=paths).order_by("path").first()
    note(deed=deed, actor=by, organization=place, subject=str(token), details=details, now=now)
