"""Keys of connections: made and shown once, stored hashed, revoked within seconds."""

from __future__ import annotations

import hmac
import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import urlsplit

from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.viewer import Deed, NotAllowed, Viewer
from uptake.events.models import BROWSER, ApiKey, Connection

FORM = re.compile(r"upk_([0-9a-f]{12})_[A-Za-z0-9_-]{43}|upb_([0-9a-f]{16})")
"""upk_<prefix>_<secret> of programs; upb_<prefix> of web pages, which is no secret and can be shown again."""
BELIEVED_FOR = timedelta(seconds=3)
"""How long an answer about a key is believed before the record is asked again."""
REMEMBERED = 4096
NO_HASH = "0" * 64


class NotAnOrigin(ValueError):
    """Not of the form https://host or https://host:port, nor "*"."""


class OriginsNeeded(ValueError):
    """A key of web pages names the pages that may use it, each by its origin."""


@dataclass(frozen=True, slots=True)
class Authenticated:
    """A valid key and the connection it opens."""

    key_id: int
    connection: Connection
    allowed_origins: tuple[str, ...]
    last_used_at: datetime | None


@transaction.atomic
def make_key(
    *, connection: Connection, by: Viewer, now: datetime, label: str = "", allowed_origins: Iterable[str] = ()
) -> tuple[ApiKey, str]:
    """(key, secret): the secret is shown now and never again. Raises NotAllowed, NotAnOrigin, OriginsNeeded.

    A key without origins is for servers only: browsers that name their origin are refused. "*" allows every page.
    Of a connection for web pages the key is no secret, and it must name its origins.
    """
    if not by.may(Deed.MANAGE_DATA, connection.organization):
        raise NotAllowed
    origins = sorted({origin_of(origin) for origin in allowed_origins})
    if connection.kind == BROWSER:
        if not origins or "*" in origins:
            raise OriginsNeeded
        prefix = secrets.token_hex(8)
        secret = f"upb_{prefix}"
    else:
        prefix = secrets.token_hex(6)
        secret = f"upk_{prefix}_{secrets.token_urlsafe(32)}"
    key = ApiKey.objects.create(
        connection=connection,
        prefix=prefix,
        hash=_hash(secret),
        label=label[:100],
        allowed_origins=origins,
        created_at=now,
        created_by_id=by.user_id,
    )
    _note("key.made", key, by, now)
    return key, secret


@transaction.atomic
def revoke_key(*, key: ApiKey, by: Viewer, now: datetime) -> ApiKey:
    """The key opens nothing from now on (other processes notice within seconds). Repeating it changes nothing."""
    key = ApiKey.objects.select_for_update(of=("self",)).select_related("connection__organization").get(pk=key.pk)
    if not by.may(Deed.MANAGE_DATA, key.connection.organization):
        raise NotAllowed
    if key.revoked_at is None:
        key.revoked_at = now
        key.save(update_fields=["revoked_at"])
        _note("key.revoked", key, by, now)
        transaction.on_commit(forget)
    return key


def authenticate(*, secret: str, now: datetime) -> Authenticated | None:
    """The connection a secret opens, or None. Asks the record at most every few seconds for the same secret."""
    told, answer = remembered(secret=secret, now=now)
    if told:
        return answer
    answer = _look_up(secret)
    with _lock:
        _memory[_hash(secret)] = (now, answer)
        while len(_memory) > REMEMBERED:
            _memory.popitem(last=False)
    return answer


def remembered(*, secret: str, now: datetime) -> tuple[bool, Authenticated | None]:
    """(whether there is a fresh answer, the answer), without asking the database."""
    with _lock:
        kept = _memory.get(_hash(secret))
    if kept is None or not timedelta(0) <= now - kept[0] < BELIEVED_FOR:
        return False, None
    return True, kept[1]


def origins_allowed() -> frozenset[str]:
    """All origins that some valid key allows: what a browser's first question, which names no key, is answered by."""
    rows = ApiKey.objects.valid().exclude(allowed_origins=[]).values_list("allowed_origins", flat=True)
    return frozenset(origin for origins in rows for origin in origins)


def note_use(*, key_ids: Iterable[int], now: datetime) -> None:
    """Keeps when keys were last used; the caller asks about once a minute for each."""
    ApiKey.objects.filter(pk__in=sorted(set(key_ids))).update(last_used_at=now)


def forget() -> None:
    """Drops what this process remembers of keys."""
    with _lock:
        _memory.clear()


_memory: OrderedDict[str, tuple[datetime, Authenticated | None]] = OrderedDict()
_lock = threading.Lock()


def _look_up(secret: str) -> Authenticated | None:
    form = FORM.fullmatch(secret)
    if form is None:
        return None
    named = ApiKey.objects.valid().select_related("connection__organization__company")
    key = named.filter(prefix=form[1] or form[2]).first()
    if not hmac.compare_digest(_hash(secret), key.hash if key else NO_HASH) or key is None:
        return None
    return Authenticated(key.pk, key.connection, tuple(key.allowed_origins), key.last_used_at)


def _hash(secret: str) -> str:
    # A fast hash is enough: the secret has 256 random bits, nobody can try them.
    return sha256(secret.encode(errors="replace")).hexdigest()


def origin_of(text: str) -> str:
    """An origin as browsers write it, in small letters; "*" as it is. Raises NotAnOrigin."""
    text = text.strip()
    if text == "*":
        return text
    parts = urlsplit(text)
    if (
        parts.scheme not in {"http", "https"}
        or not parts.hostname
        or text.lower() != f"{parts.scheme}://{parts.netloc}".lower()
    ):
        raise NotAnOrigin(text)
    return text.lower()


def _note(deed: str, key: ApiKey, by: Viewer, now: datetime) -> None:
    note(
        deed=deed,
        actor=by,
        organization=key.connection.organization,
        subject=f"{key.connection.slug} {key}",
        details={"key": key.pk, "label": key.label, "origins": key.allowed_origins},
        now=now,
    )
