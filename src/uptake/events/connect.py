"""Makes, pauses and resumes connections: the configured links to outside systems."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core.validators import validate_slug
from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.models import Organization
from uptake.directory.viewer import Deed, NotAllowed, Viewer
from uptake.events.happening import MAX_NAME
from uptake.events.models import BROWSER, Connection

MOST_LATENESS = 32767
OWN = "uptake"
"""The kind, and the beginning of the slugs, of what our own modules record by; it cannot be paused."""


class SlugTaken(Exception):
    """Another connection has this slug."""


class UnknownZone(ValueError):
    """Not the IANA name of a zone."""


class NotAName(ValueError):
    """Not a name that events of others may have."""


@transaction.atomic
def connect(
    *,
    slug: str,
    kind: str,
    name: str,
    organization: Organization,
    by: Viewer,
    now: datetime,
    timezone: str = "",
    lateness_days: int = 7,
) -> Connection:
    """Makes a connection; saying the same again gives the one there is. Raises SlugTaken, UnknownZone, NotAllowed.

    ValidationError (Django's) for a slug of other characters than letters, digits, "-" and "_".
    """
    if not by.may(Deed.MANAGE_DATA, organization):
        raise NotAllowed
    if timezone and timezone not in zoneinfo.available_timezones():
        raise UnknownZone(timezone)
    validate_slug(slug)
    if kind != OWN and (slug == OWN or slug.startswith(f"{OWN}-")):
        raise SlugTaken
    assert 0 <= lateness_days <= MOST_LATENESS, "lateness is between none and what the column holds"
    connection, made = Connection.objects.get_or_create(
        slug=slug,
        defaults={
            "kind": kind,
            "name": name,
            "organization": organization,
            "timezone": timezone,
            "lateness_days": lateness_days,
            "created_at": now,
        },
    )
    if not made:
        if (connection.kind, connection.organization_id) != (kind, organization.pk):
            raise SlugTaken
        return connection
    _note("connection.made", connection, by, now, {"kind": kind})
    return connection


@transaction.atomic
def allow_page_events(*, connection: Connection, names: Iterable[str], by: Viewer, now: datetime) -> Connection:
    """From now on (within seconds) web pages may send these events beside page views, and no others.

    Raises NotAllowed, NotAName. Repeating it changes nothing.
    """
    wanted = sorted({name.strip() for name in names if name.strip()})
    for name in wanted:
        if len(name) > MAX_NAME or not name.isprintable() or name.startswith("uptake."):
            raise NotAName(name)
    assert connection.kind == BROWSER, "only web pages are told what they may send"
    connection = Connection.objects.select_for_update(of=("self",)).select_related("organization").get(pk=connection.pk)
    if not by.may(Deed.MANAGE_DATA, connection.organization):
        raise NotAllowed
    if connection.page_events != wanted:
        was, connection.page_events = connection.page_events, wanted
        connection.save(update_fields=["page_events"])
        _note("connection.page_events", connection, by, now, {"was": was, "now": wanted})
    return connection


@transaction.atomic
def pause(*, connection: Connection, by: Viewer, now: datetime) -> Connection:
    """From now on (within seconds) nothing comes in by this connection. Repeating it changes nothing."""
    return _set_paused(connection, now, "connection.paused", by, now)


@transaction.atomic
def resume(*, connection: Connection, by: Viewer, now: datetime) -> Connection:
    """Takes events again. Repeating it changes nothing."""
    return _set_paused(connection, None, "connection.resumed", by, now)


def _set_paused(connection: Connection, at: datetime | None, deed: str, by: Viewer, now: datetime) -> Connection:
    connection = Connection.objects.select_for_update(of=("self",)).select_related("organization").get(pk=connection.pk)
    if connection.kind == OWN or not by.may(Deed.MANAGE_DATA, connection.organization):
        raise NotAllowed
    if (connection.paused_at is None) == (at is None):
        return connection
    connection.paused_at = at
    connection.save(update_fields=["paused_at"])
    _note(deed, connection, by, now, {})
    return connection


def _note(deed: str, connection: Connection, by: Viewer, now: datetime, details: dict[str, Any]) -> None:
    note(
        deed=deed,
        actor=by,
        organization=connection.organization,
        subject=connection.slug,
        details={"connection": connection.pk, **details},
        now=now,
    )
