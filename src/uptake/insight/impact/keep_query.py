"""Keeps how a series is read from a database, and whether a job does so every night."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.models import Organization
from uptake.directory.place import settings_at
from uptake.directory.viewer import Deed, NotAllowed, Viewer
from uptake.events.models import Connection
from uptake.insight.impact.models import MANAGING, Series, SeriesQuery

NIGHT_HOUR = 3


@dataclass(frozen=True)
class Asked:
    """One SELECT and the columns of the day, the place (empty: the whole place) and the value."""

    query: str
    day: str
    place: str
    value: str


@transaction.atomic
def keep_query(
    *, series: Series, connection: Connection, asked: Asked, nightly: bool, by: Viewer, now: datetime
) -> SeriesQuery:
    """From now on; saying the same again changes nothing. Raises NotAllowed."""
    if not may_ask(series, connection, by):
        raise NotAllowed
    Series.objects.select_for_update().get(pk=series.pk)
    kept = SeriesQuery.objects.filter(series=series).first() or SeriesQuery(series=series)
    said = {**asdict(asked), "connection_id": connection.pk}
    same = kept.pk is not None and nightly == (kept.next_at is not None)
    if same and all(getattr(kept, name) == value for name, value in said.items()):
        return kept
    for name, value in said.items():
        setattr(kept, name, value)
    kept.next_at = next_night(series.organization, now) if nightly else None
    kept.kept_at, kept.kept_by_id, kept.failure = now, by.user_id, None
    kept.save()
    details = {"id": series.pk, "connection": connection.slug, "nightly": nightly}
    note(
        deed="series.query_kept", actor=by, organization=series.organization, subject=series.name,
        details=details, now=now,
    )  # fmt: skip
    return kept


@transaction.atomic
def stop_nights(*, series: Series, by: Viewer, now: datetime) -> None:
    """The job reads it no more. Safe to repeat. Raises NotAllowed."""
    if not any(by.may(deed, series.organization) for deed in MANAGING):
        raise NotAllowed
    if SeriesQuery.objects.filter(series=series, next_at__isnull=False).update(next_at=None, failure=None):
        details = {"id": series.pk, "nightly": False}
        note(
            deed="series.query_kept", actor=by, organization=series.organization, subject=series.name,
            details=details, now=now,
        )  # fmt: skip


def may_ask(series: Series, connection: Connection, by: Viewer) -> bool:
    """Whether the viewer keeps figures at the series' place, manages the connection's data, and the two places lie
    one within the other."""
    place, other = series.organization.path, connection.organization.path
    kin = place.startswith(other) or other.startswith(place)
    return kin and by.may(Deed.MANAGE_DATA, connection.organization) and _keeps(series.organization, by)


def next_night(place: Organization, now: datetime) -> datetime:
    """The next three in the morning at the place."""
    local = now.astimezone(ZoneInfo(settings_at(place).at(now).zone))
    night = local.replace(hour=NIGHT_HOUR, minute=0, second=0, microsecond=0)
    return night if night > local else night + timedelta(days=1)


def _keeps(place: Organization, by: Viewer) -> bool:
    return any(by.may(deed, place) for deed in MANAGING)
