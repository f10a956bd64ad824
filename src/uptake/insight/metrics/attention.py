"""What needs somebody: companies that use the tools much less, sources gone quiet, rows that wait for a decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from uptake.directory.models import Identity, Organization
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


def notices(viewer: Viewer, parts: Sequence[Part], below: Organization, now: datetime) -> list[Notice]:
    """What needs attention at a place, the most pressing first; of the parts, those given."""
    found = [*_falling(parts)]
    found += _quiet_sources(viewer, below, now)
    waiting = Quarantine.objects.visible_to(viewer).waiting().count() if viewer.may(Deed.MANAGE_DATA, below) else 0
    if waiting:
        found.append(Notice(Matter.QUARANTINE, number=waiting))
    unmapped = Identity.objects.unresolved_for(viewer).count() if viewer.may(Deed.MANAGE_DATA, below) else 0
    if unmapped:
        found.append(Notice(Matter.UNMAPPED, number=unmapped))
    order = list(Matter)
    return sorted(found, key=lambda notice: order.index(notice.matter))


def _falling(parts: Sequence[Part]) -> list[Notice]:
    silent, falling = [], []
    for part in parts:
        before, now = part.daily_active.before or 0, part.daily_active.now or 0
        change = part.daily_active.change
        if part.hidden or before < PEOPLE_BEFORE or change is None:
            continue
        if not part.events.now:
            silent.append(Notice(Matter.SILENT, part.place, part.place.name, now, before))
        elif change < DROP:
            falling.append(Notice(Matter.DROP, part.place, part.place.name, now, before))
    falling.sort(key=lambda notice: notice.number - notice.before)
    return silent[:LISTED] + falling[:LISTED]


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
