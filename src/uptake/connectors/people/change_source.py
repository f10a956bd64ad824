"""Adds a source of people and changes how it is asked. Secrets and keys go in here and never come out."""

from __future__ import annotations

import hmac
import re
import secrets as random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import transaction

from uptake.connectors.people.models import PeopleSource, Sort
from uptake.connectors.pull.protocol import SignInRefused
from uptake.connectors.pull.secrets import opened, sealed
from uptake.directory.audit import note
from uptake.directory.models import Kind, Organization
from uptake.directory.viewer import Deed, NotAllowed, Viewer

FORM = re.compile(r"ups_([0-9a-f]{12})_[A-Za-z0-9_-]{43}")
NO_HASH = "0" * 64
USE_KEPT = timedelta(minutes=1)


class NameMissing(ValueError):
    """A source needs a name."""


class NotACompany(ValueError):
    """A source speaks of one open company."""


def may_set_up(by: Viewer, company: Organization) -> bool:
    """Whether the viewer may say where people come from: it reaches into the network, and closes every login there.

    Who only manages people may look, run it and confirm.
    """
    return by.may(Deed.MANAGE_DATA, company) and by.may(Deed.MANAGE_PEOPLE, company)


@transaction.atomic
def add_source(
    *,
    company: Organization,
    sort: Sort,
    name: str,
    settings: Mapping[str, str],
    secrets: Mapping[str, str],
    by: Viewer,
    now: datetime,
    every_seconds: int = 3600,
) -> tuple[PeopleSource, str]:
    """(source, key): the key is that of SCIM, shown now and never again; else empty. What is asked begins paused, so
    that nobody comes or goes before somebody looked at the preview. Raises NotAllowed, NameMissing, NotACompany.
    """
    if not may_set_up(by, company):
        raise NotAllowed
    name = " ".join(name.split())[:100]
    if not name:
        raise NameMissing
    if company.kind != Kind.COMPANY or company.closed_at is not None:
        raise NotACompany
    source = PeopleSource.objects.create(
        company=company,
        sort=sort,
        name=name,
        settings=dict(settings),
        secrets=sealed(secrets) if secrets else b"",
        every_seconds=every_seconds,
        paused_at=None if sort == Sort.SCIM else now,
        created_at=now,
        created_by_id=by.user_id,
    )
    _note("people_source.made", source, by, now, sort=str(sort))
    return source, new_key(source=source, by=by, now=now) if sort == Sort.SCIM else ""


@transaction.atomic
def change_source(
    *,
    source: PeopleSource,
    name: str,
    settings: Mapping[str, str],
    secrets: Mapping[str, str],
    by: Viewer,
    now: datetime,
) -> PeopleSource:
    """Another name, other settings, other secrets (empty ones stay, but never follow to another address).

    Raises NotAllowed, NameMissing.
    """
    source = _locked(source)
    if not may_set_up(by, source.company):
        raise NotAllowed
    name = " ".join(name.split())[:100]
    if not name:
        raise NameMissing
    try:
        kept = opened(source.secrets) if dict(settings) == source.settings else {}
    except SignInRefused:
        kept = {}
    kept |= {key: text for key, text in secrets.items() if text}
    source.name, source.settings, source.secrets = name, dict(settings), sealed(kept) if kept else b""
    _look_again(source, now)
    source.save()
    _note("people_source.changed", source, by, now)
    return source


@transaction.atomic
def new_key(*, source: PeopleSource, by: Viewer, now: datetime) -> str:
    """A new key for a source of SCIM, shown now and never again; the one before opens nothing any more."""
    source = _locked(source)
    if not may_set_up(by, source.company) or source.sort != Sort.SCIM:
        raise NotAllowed
    prefix = random.token_hex(6)
    secret = f"ups_{prefix}_{random.token_urlsafe(32)}"
    source.token_prefix, source.token_hash, source.token_used_at = prefix, _hash(secret), None
    source.save(update_fields=["token_prefix", "token_hash", "token_used_at"])
    _note("people_source.token_made", source, by, now)
    return secret


def opened_by(*, secret: str, now: datetime) -> PeopleSource | None:
    """The source of SCIM a key opens; None for one that opens nothing, or whose source is paused."""
    form = FORM.fullmatch(secret)
    if form is None:
        return None
    sources = PeopleSource.objects.filter(sort=Sort.SCIM, paused_at__isnull=True, company__closed_at__isnull=True)
    source = sources.select_related("company").filter(token_prefix=form[1]).first()
    if not hmac.compare_digest(_hash(secret), source.token_hash if source else NO_HASH) or source is None:
        return None
    if source.token_used_at is None or now - source.token_used_at >= USE_KEPT:
        PeopleSource.objects.filter(pk=source.pk).update(token_used_at=now)
    return source


@transaction.atomic
def pause(*, source: PeopleSource, by: Viewer, now: datetime) -> PeopleSource:
    """It is not asked, and its key opens nothing, until resumed. Raises NotAllowed."""
    source = _managed(source, by)
    if source.paused_at is None:
        source.paused_at, source.next_at, source.attempt = now, None, source.attempt + 1
        source.save(update_fields=["paused_at", "next_at", "attempt"])
        _note("people_source.paused", source, by, now)
    return source


@transaction.atomic
def resume(*, source: PeopleSource, by: Viewer, now: datetime) -> PeopleSource:
    """Asks it now and from now on, whatever stopped it. Raises NotAllowed."""
    source = _managed(source, by)
    was_paused = source.paused_at is not None
    source.paused_at = None
    _look_again(source, now)
    source.save()
    if was_paused:
        _note("people_source.resumed", source, by, now)
    return source


@transaction.atomic
def confirm(*, source: PeopleSource, keys: Sequence[str], by: Viewer, now: datetime) -> PeopleSource:
    """A person says that these may leave, though they are many; it is asked again at once. Raises NotAllowed.

    It holds for these people only: if others would leave by then, it stops again.
    """
    source = _managed(source, by)
    source.confirmed = sorted(set(keys))
    _look_again(source, now)
    source.save()
    _note("people_source.confirmed", source, by, now, leaves=len(source.confirmed))
    return source


def _look_again(source: PeopleSource, now: datetime) -> None:
    source.attention, source.attention_at, source.failures = None, None, 0
    source.attempt += 1
    if source.sort != Sort.SCIM and source.paused_at is None:
        source.next_at = now


def _locked(source: PeopleSource) -> PeopleSource:
    return PeopleSource.objects.select_for_update(of=("self",)).select_related("company").get(pk=source.pk)


def _managed(source: PeopleSource, by: Viewer) -> PeopleSource:
    source = _locked(source)
    if not by.may(Deed.MANAGE_PEOPLE, source.company):
        raise NotAllowed
    return source


def _hash(secret: str) -> str:
    # A fast hash is enough: the secret has 256 random bits, nobody can try them.
    return sha256(secret.encode(errors="replace")).hexdigest()


def _note(deed: str, source: PeopleSource, by: Viewer, now: datetime, **details: object) -> None:
    note(
        deed=deed,
        actor=by,
        organization=source.company,
        subject=source.name,
        details={"source": source.pk, **details},
        now=now,
    )
