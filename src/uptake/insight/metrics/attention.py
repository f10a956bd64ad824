"""What needs somebody: companies from which no data comes or that use the tools much less, sources gone quiet, rows
that wait for a decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from functools import lru_cache
from typing import Any

from django.db import connection

from uptake.directory.models import Identity, Kind, Organization
from uptake.directory.scope import Deed, Viewer
from uptake.events.models import Connection, Quarantine
from uptake.insight.metrics.usage import Part

DROP = -0.15
"""A company is named when its daily active people fell by more than this share of what they were."""
PEOPLE_BEFORE = 3
"""… and were at least so many before, as one person more or less is no news."""
QUIET = timedelta(hours=36)
LISTED = 2


class Matter(Enum):
    """Kinds of things that need attention, the most pressing first."""

    NO_DATA = "no_data"
    SILENT = "silent"
    DROP = "drop"
    QUARANTINE = "quarantine"
    UNMAPPED = "unmapped"
    QUIET_SOURCE = "quiet_source"


@dataclass(frozen=True)
class Notice:
    """One matter with what its sentence needs; the page words it."""

    matter: Matter
    place: Organization | None = None
    name: str = ""
    number: float = 0
    before: float = 0
    since: datetime | None = None
    day: date | None = None
    """The last day of which the data is there."""


def notices(
    viewer: Viewer, parts: Sequence[Part], below: Organization, now: datetime, untold: Mapping[int, date | None]
) -> list[Notice]:
    """What needs attention at a place, the most pressing first; of the parts, those given. What waits is that of the
    place's own company; at a park, all that the viewer may decide.

    `untold`: the companies (ids) from which no data comes, and since when; of these no drop is told."""
    found = [*_falling(parts, untold)]
    named = {notice.place.path for notice in found if notice.matter == Matter.NO_DATA and notice.place}
    found += [one for one in _quiet_sources(viewer, below, now) if one.place is None or one.place.path not in named]
    narrowed = None if below.kind == Kind.PARK else below
    path = narrowed.path if narrowed else ""
    waiting = _number(*_waiting(viewer, path)) if viewer.may(Deed.MANAGE_DATA, below) else 0
    if waiting:
        found.append(Notice(Matter.QUARANTINE, narrowed, number=waiting))
    unmapped = _number(*_unmapped(viewer, path)) if viewer.may(Deed.MANAGE_DATA, below) else 0
    if unmapped:
        found.append(Notice(Matter.UNMAPPED, narrowed, number=unmapped))
    order = list(Matter)
    return sorted(found, key=lambda notice: order.index(notice.matter))


@lru_cache(maxsize=200)
def _waiting(viewer: Viewer, path: str) -> tuple[str, tuple[Any, ...]]:
    """What waits in quarantine of a company (empty: anywhere), as a statement: making it costs more than asking it."""
    rows = Quarantine.objects.visible_to(viewer).waiting()
    rows = rows.filter(event__company__path__startswith=path) if path else rows
    return rows.values("pk").query.sql_with_params()


@lru_cache(maxsize=200)
def _unmapped(viewer: Viewer, path: str) -> tuple[str, tuple[Any, ...]]:
    """Identities of a company (empty: of any) that are nobody's, as a statement."""
    rows = Identity.objects.unresolved_for(viewer)
    rows = rows.filter(company__path__startswith=path) if path else rows
    return rows.values("pk").query.sql_with_params()


def _number(statement: str, given: tuple[Any, ...]) -> int:
    """How many rows a statement gives."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM ({statement}) AS found", given)  # noqa: S608 - made by Django
        return int(cursor.fetchone()[0])


def _falling(parts: Sequence[Part], untold: Mapping[int, date | None]) -> list[Notice]:
    silent, falling = [], []
    missing: dict[int, Notice] = {}
    for part in parts:
        before, now = part.daily_active.before or 0, part.daily_active.now or 0
        change = part.daily_active.change
        if part.hidden or before < PEOPLE_BEFORE or change is None:
            continue
        fell = not part.events.now or change < DROP
        own = part.place.kind == Kind.COMPANY
        key = part.place.pk if own else part.place.company_id
        if fell and key in untold:
            company = part.place if own else part.place.company
            assert company is not None, "what has a company's number has the company"
            missing[company.pk] = Notice(Matter.NO_DATA, company, company.name, day=untold[company.pk])
        elif not part.events.now:
            silent.append(Notice(Matter.SILENT, part.place, part.place.name, now, before))
        elif change < DROP:
            falling.append(Notice(Matter.DROP, part.place, part.place.name, now, before))
    falling.sort(key=lambda notice: notice.number - notice.before)
    return list(missing.values())[:LISTED] + silent[:LISTED] + falling[:LISTED]


def _quiet_sources(viewer: Viewer, below: Organization, now: datetime) -> list[Notice]:
    if not viewer.may(Deed.MANAGE_DATA, below):
        return []
    quiet = (
        Connection.objects.visible_to(viewer)
        .filter(organization__path__startswith=below.path, paused_at=None, last_event_at__lt=now - QUIET)
        .exclude(kind="file")
        .select_related("organization")
        .order_by("last_event_at")
    )
    return [Notice(Matter.QUIET_SOURCE, one.organization, one.name, since=one.last_event_at) for one in quiet[:LISTED]]
