"""The figures of the data area: how many events came today and in the last hour, and what waits for a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max
from django.utils import timezone

from uptake.basics.business_day import start_of
from uptake.connectors.models import ImportRun, Probe
from uptake.directory.models import Identity
from uptake.directory.scope import Viewer
from uptake.events.models import Conflict, Event, Quarantine

SHOWN_AT_MOST = 1000
"""Waiting things are counted up to this; more are shown as "1,000+"."""


@dataclass(frozen=True)
class Rates:
    """Events received by source since midnight of the viewer's zone and in the last hour."""

    today: dict[str, int]
    last_hour: dict[str, int]


def rates(sources: list[str], now: datetime) -> Rates:
    """How many events came in by each of these sources. Reads only the events received today."""
    midnight = start_of(timezone.localtime(now).date(), timezone.get_current_timezone_name())
    return Rates(_since(midnight, sources), _since(now - timedelta(hours=1), sources))


def _since(at: datetime, sources: list[str]) -> dict[str, int]:
    first = _first_id_since(at)
    if first is None or not sources:
        return {}
    counted = Event.objects.filter(pk__gte=first, source__in=sources).values_list("source").annotate(n=Count("pk"))
    return dict(counted.order_by())


def _first_id_since(at: datetime) -> int | None:
    """The id of the first event received at or after an instant: ids grow with time, so it is found by halving."""
    high = Event.objects.aggregate(last=Max("pk"))["last"]
    if high is None:
        return None
    low = 0  # every event with an id up to `low` came before `at`
    while low < high:
        middle = (low + high + 1) // 2
        found = Event.objects.filter(pk__lte=middle).order_by("-pk").values_list("received_at", flat=True).first()
        if found is not None and found >= at:
            high = middle - 1
        else:
            low = middle
    return Event.objects.filter(pk__gt=low).order_by("pk").values_list("pk", flat=True).first()


def waiting(viewer: Viewer) -> dict[str, Any]:
    """What waits for a decision where the viewer looks, each counted up to SHOWN_AT_MOST."""
    kinds = {
        "quarantined": Quarantine.objects.visible_to(viewer).waiting().order_by(),
        "conflicts": Conflict.objects.visible_to(viewer).unseen().order_by(),
        "unmapped": Identity.objects.visible_to(viewer).unresolved().order_by(),
        "down": Probe.objects.visible_to(viewer).standing().filter(up=False).order_by(),
        "imports": ImportRun.objects.visible_to(viewer).filter(state="failed").order_by(),
    }
    return {name: rows.values("pk")[:SHOWN_AT_MOST].count() for name, rows in kinds.items()}
