"""Keys of the widget: made and shown once, stored hashed, revoked at once; each names the pages it may be shown in."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.viewer import Deed, NotAllowed, Viewer
from uptake.events.keys import NotAnOrigin, OriginsNeeded, origin_of
from uptake.events.models import BROWSER, Connection, WidgetKey

FORM = re.compile(r"upw_([0-9a-f]{12})_[A-Za-z0-9_-]{43}")
USE_KEPT = timedelta(minutes=1)
"""How often it is written down that a key was used."""
NO_HASH = "0" * 64
OWN = "uptake"
"""The kind of the connection by which our own modules record."""

__all__ = ["NotAnOrigin", "NotKnown", "OriginsNeeded", "make_widget_key", "opened_by", "revoke_widget_key"]


class NotKnown(Exception):
    """A connection whose ids of people nobody can vouch for: web pages say themselves who somebody is."""


@transaction.atomic
def make_widget_key(
    *, connection: Connection, by: Viewer, now: datetime, allowed_origins: Iterable[str], label: str = ""
) -> tuple[WidgetKey, str]:
    """(key, secret): the secret is shown now and never again; it belongs on a server.

    Raises NotAllowed, NotAnOrigin, OriginsNeeded (none named, or "*"), NotKnown.
    """
    if not by.may(Deed.MANAGE_DATA, connection.organization):
        raise NotAllowed
    if connection.kind in (BROWSER, OWN):
        raise NotKnown
    origins = sorted({origin_of(origin) for origin in allowed_origins})
    if not origins or "*" in origins:
        raise OriginsNeeded
    prefix = secrets.token_hex(6)
    secret = f"upw_{prefix}_{secrets.token_urlsafe(32)}"
    key = WidgetKey.objects.create(
        connection=connection,
        prefix=prefix,
        hash=_hash(secret),
        label=label[:100],
        allowed_origins=origins,
        created_at=now,
        created_by_id=by.user_id,
    )
    _note("widget_key.made", key, by, now)
    return key, secret


@transaction.atomic
def revoke_widget_key(*, key: WidgetKey, by: Viewer, now: datetime) -> WidgetKey:
    """The key and the tokens given out for it open nothing from now on. Repeating it changes nothing."""
    key = WidgetKey.objects.select_for_update(of=("self",)).select_related("connection__organization").get(pk=key.pk)
    if not by.may(Deed.MANAGE_DATA, key.connection.organization):
        raise NotAllowed
    if key.revoked_at is None:
        key.revoked_at = now
        key.save(update_fields=["revoked_at"])
        _note("widget_key.revoked", key, by, now)
    return key


def opened_by(*, secret: str, now: datetime) -> WidgetKey | None:
    """The key of a secret, with its connection; None for one that opens nothing or whose connection is paused."""
    form = FORM.fullmatch(secret)
    if form is None:
        return None
    key = WidgetKey.objects.valid().select_related("connection__organization").filter(prefix=form[1]).first()
    if not hmac.compare_digest(_hash(secret), key.hash if key else NO_HASH) or key is None:
        return None
    if key.last_used_at is None or now - key.last_used_at >= USE_KEPT:
        WidgetKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return key


def _hash(secret: str) -> str:
    # A fast hash is enough: the secret has 256 random bits, nobody can try them.
    return sha256(secret.encode(errors="replace")).hexdigest()


def _note(deed: str, key: WidgetKey, by: Viewer, now: datetime) -> None:
    note(
        deed=deed,
        actor=by,
        organization=key.connection.organization,
        subject=f"{key.connection.slug} {key}",
        details={"key": key.pk, "label": key.label, "origins": key.allowed_origins},
        now=now,
    )
