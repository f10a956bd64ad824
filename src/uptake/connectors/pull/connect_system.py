"""Connects a system that is asked, and changes what it is asked with. Secrets go in here and never come out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from uptake.connectors.models import Pull
from uptake.connectors.pull.declaration import BadDeclaration, Declaration, read_yaml
from uptake.connectors.pull.engines import ENGINES
from uptake.connectors.pull.opening import inbox
from uptake.connectors.pull.protocol import SignInRefused
from uptake.connectors.pull.secrets import opened, sealed
from uptake.directory.audit import note
from uptake.directory.models import Organization
from uptake.directory.viewer import Deed, NotAllowed, Viewer
from uptake.events.connect import connect

KIND = "system"


class SettingMissing(ValueError):
    """A setting that is needed was not given; its name."""


@transaction.atomic
def connect_system(
    *,
    slug: str,
    name: str,
    organization: Organization,
    declaration: str,
    settings: Mapping[str, str],
    secrets: Mapping[str, str],
    by: Viewer,
    now: datetime,
    preset: str = "",
    timezone: str = "",
    history_from: datetime | None = None,
    earn_history: bool = False,
    side_effects_earn: bool = False,
    every_seconds: int | None = None,
) -> Pull:
    """Makes a connection whose system is asked from now on. Saying the same again gives the one there is.

    Raises NotAllowed, SlugTaken, UnknownZone, BadDeclaration, SettingMissing.
    """
    read = read_yaml(declaration)[0]
    _complete(read, settings, secrets)
    connection = connect(slug=slug, kind=KIND, name=name, organization=organization, by=by, now=now, timezone=timezone)
    pull, made = Pull.objects.get_or_create(
        connection=connection,
        defaults={
            "preset": preset,
            "declaration": declaration,
            "settings": dict(settings),
            "secrets": sealed(secrets) if secrets else b"",
            "activated_at": now,
            "history_from": history_from,
            "earn_history": earn_history,
            "side_effects_earn": side_effects_earn,
            "every_seconds": every_seconds or read.every_seconds,
            "next_at": now,
            "tokens": read.burst,
            "tokens_at": now,
            "created_by_id": by.user_id,
        },
    )
    if made:
        if read.engine in ("folder", "sql"):
            inbox(slug).mkdir(parents=True, exist_ok=True, mode=0o770)
        _note("system.connected", pull, by, now, {"preset": preset, "engine": read.engine})
    return pull


@transaction.atomic
def change_system(
    *,
    pull: Pull,
    by: Viewer,
    now: datetime,
    declaration: str | None = None,
    settings: Mapping[str, str] | None = None,
    secrets: Mapping[str, str] | None = None,
    every_seconds: int | None = None,
) -> Pull:
    """Changes the declaration, settings or secrets (those given; empty secrets stay) and asks again at once.

    Secrets stay only where they go to the same place in the same way: else whoever may change an address could have
    a password sent to himself that he was never shown. Raises NotAllowed, BadDeclaration, SettingMissing.
    """
    pull = taken(pull, by)
    read = read_yaml(pull.declaration if declaration is None else declaration)[0]
    kept = _kept(pull) if leads_as_before(pull, read, settings) else {}
    changed = {
        name
        for name, is_, was in (
            ("declaration", declaration, pull.declaration),
            ("settings", settings and dict(settings), pull.settings),
            ("every_seconds", every_seconds, pull.every_seconds),
        )
        if is_ is not None and is_ != was
    }
    given = {name: text for name, text in (secrets or {}).items() if text}
    if given:
        changed.add("secrets")
    kept |= given
    pull.secrets = sealed(kept)
    pull.declaration = pull.declaration if declaration is None else declaration
    pull.settings = pull.settings if settings is None else dict(settings)
    pull.every_seconds = every_seconds or pull.every_seconds
    _complete(read, pull.settings, kept)
    look_again(pull, now)
    pull.who = ""
    pull.save()
    if changed:
        _note("system.changed", pull, by, now, {"changed": sorted(changed)})
    return pull


def leads_as_before(pull: Pull, read: Declaration, settings: Mapping[str, str] | None) -> bool:
    """Whether secrets go where they went."""
    if settings is not None and dict(settings) != pull.settings:
        return False
    try:
        before = read_yaml(pull.declaration)[0]
    except BadDeclaration:
        return False
    return (read.engine, read.sign_in) == (before.engine, before.sign_in)


def look_again(pull: Pull, now: datetime) -> None:
    """Forgets why it was not asked; whoever asks at this moment may write no more."""
    pull.attention, pull.attention_at, pull.failure, pull.failures = None, None, None, 0
    pull.next_at = now
    pull.attempt += 1
    pull.streams.filter(attention__isnull=False).update(attention=None, attention_at=None)


def taken(pull: Pull, by: Viewer) -> Pull:
    """The connection as it stands now, locked. Raises NotAllowed."""
    locked = Pull.objects.select_for_update(of=("self",)).select_related("connection__organization").get(pk=pull.pk)
    if not by.may(Deed.MANAGE_DATA, locked.connection.organization):
        raise NotAllowed
    return locked


def _kept(pull: Pull) -> dict[str, str]:
    try:
        return opened(pull.secrets)
    except SignInRefused:
        return {}  # the installation's secret is another one: what is given now takes their place


def _complete(read: Declaration, settings: Mapping[str, str], secrets: Mapping[str, str]) -> None:
    if read.engine not in ENGINES:
        raise BadDeclaration("engine", f"one of {', '.join(ENGINES)}")
    for one in read.settings:
        given = secrets if one.secret else settings
        if not one.optional and not one.default and not given.get(one.name):
            raise SettingMissing(one.name)


def _note(deed: str, pull: Pull, by: Viewer, now: datetime, details: dict[str, object]) -> None:
    connection = pull.connection
    note(
        deed=deed,
        actor=by,
        organization=connection.organization,
        subject=connection.slug,
        details={"connection": connection.pk, **details},
        now=now,
    )
