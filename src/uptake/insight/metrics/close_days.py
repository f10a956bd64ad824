"""Writes down once a day what the days that are over came to, and what has changed since it was written down last."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q

from uptake.activity.log import ActivityLog
from uptake.activity.summaries.days_of_places import days_of_places
from uptake.directory.models import Kind, Organization
from uptake.directory.place import settings_at, settings_of
from uptake.directory.viewer import ids_of
from uptake.events.models import Bookmark, Correction, CorrectionKind, Event, EventQuerySet
from uptake.events.read import Position, move_bookmark, positions_of
from uptake.insight.feed.refresh import positions
from uptake.insight.feed.rows import up_to
from uptake.insight.feed.where import activity_log, store
from uptake.insight.models import DayFigure, Why

READER = "figures"
ROWS = 1000
IDS_PER_QUERY = 900
KINDS: Mapping[str, Why] = {
    CorrectionKind.ACCEPTED: Why.LATE,
    CorrectionKind.IDENTIFIED: Why.IDENTITY,
    CorrectionKind.PLACED: Why.PLACED,
    CorrectionKind.WITHDRAWN: Why.UNDONE,
    CorrectionKind.ERASED: Why.ERASED,
}
"""What a correction is called as a reason. A declined event never counted, and a move changes departments only."""

Day = tuple[int, date]
"""A place and a business date."""


def close_days(*, now: datetime, log: ActivityLog | None = None) -> int:
    """Once a day (of the installation's zone): gives how many figures were written. Safe to repeat.

    The log is asked first and the record afterwards only up to where the log had read, so that every reason found is
    one of what was counted."""
    today = settings_at(None).date_of(now)
    row = Bookmark.objects.filter(pk=READER).first()
    was = settings_at(None).date_of(row.moved_at) if row is not None and row.moved_at else date.min
    if was >= today or not store().exists():
        return 0
    read_to = positions(store().manifest().position)
    places = list(Organization.objects.filter(kind__in=(Kind.PARK, Kind.COMPANY)))
    figures = days_of_places(log or activity_log(), _above(places))
    ends = {place: clock.date_of(now) for place, clock in settings_of(places).items()}
    changed = _changed(figures, ends, was, today)
    with transaction.atomic():
        why = _reasons({key for key, (_told, first) in changed.items() if not first}, positions_of(READER), read_to)
        rows = _rows(changed, figures, why, today, now)
        DayFigure.objects.bulk_create(
            rows,
            batch_size=ROWS,
            update_conflicts=True,
            unique_fields=["organization", "day", "as_of"],
            update_fields=["events", "people", "why", "taken_at"],
        )
        move_bookmark(READER, now=now, events=read_to[0], corrections=read_to[1])
    return len(rows)


def _above(places: Iterable[Organization]) -> dict[int, int]:
    """Company → its park; 0: none."""
    several = list(places)
    parks = {one.pk for one in several if one.kind == Kind.PARK}
    return {
        one.pk: next((key for key in reversed(ids_of(one.path)) if key in parks), 0)
        for one in several
        if one.kind == Kind.COMPANY
    }


def _changed(
    figures: Mapping[Day, tuple[int, int]], ends: Mapping[int, date], was: date, today: date
) -> dict[Day, tuple[tuple[int, int] | None, bool]]:
    """The days that are over and differ from what was told last: what was told (None: never), and whether this is the
    first telling. A day that was over when this last ran (on `was`) and has no row was told as nothing, unless it lies
    before the first one told of its place."""
    told: dict[Day, tuple[int, int]] = {}
    since: dict[int, date] = {}
    versions = DayFigure.objects.filter(as_of__lte=today).order_by("as_of")
    for place, day, events, people in versions.values_list("organization_id", "day", "events", "people").iterator():
        told[place, day] = (events, people)
        since[place] = min(day, since.get(place, day))
    found: dict[Day, tuple[tuple[int, int] | None, bool]] = {}
    for key in figures.keys() | told.keys():
        place, day = key
        if place not in ends or day >= ends[place]:
            continue
        before = told.get(key)
        if before != figures.get(key, (0, 0)):
            late = before is None and place in since and since[place] < day < was
            found[key] = ((0, 0) if late else before, before is None and not late)
    return found


def _rows(
    changed: Mapping[Day, tuple[tuple[int, int] | None, bool]],
    figures: Mapping[Day, tuple[int, int]],
    why: Mapping[Day, set[Why]],
    today: date,
    now: datetime,
) -> list[DayFigure]:
    rows = []
    for (place, day), (before, first) in sorted(changed.items()):
        events, people = figures.get((place, day), (0, 0))
        own = [] if first else sorted(one.value for one in why.get((place, day), set()) or {Why.COUNTING})
        if not first and before == (0, 0):
            rows.append(_row(place, day, min(day + timedelta(days=1), today - timedelta(days=1)), (0, 0), [], now))
        rows.append(_row(place, day, today, (events, people), own, now))
    return rows


def _row(place: int, day: date, as_of: date, told: tuple[int, int], why: list[str], now: datetime) -> DayFigure:
    return DayFigure(organization_id=place, day=day, as_of=as_of, events=told[0], people=told[1], why=why, taken_at=now)


def _reasons(
    days: Collection[Day], since: tuple[Position, Position], until: tuple[Position, Position]
) -> dict[Day, set[Why]]:
    """Why these days changed: from the events and corrections between two positions."""
    found: dict[Day, set[Why]] = defaultdict(set)
    if not days:
        return found
    parks = _above(Organization.objects.filter(kind__in=(Kind.PARK, Kind.COMPANY)))
    dates = sorted({day for _place, day in days})

    def note(events: EventQuerySet, why: Why) -> None:
        rows = events.filter(business_date__range=(dates[0], dates[-1])).placed()
        for place, day in rows.values_list("place_id", "business_date").distinct().order_by():  # type: ignore[misc]
            for key in ((place, day), (parks.get(place or 0, 0), day)):
                if key in days:
                    found[key].add(why)

    note(Event.objects.filter(up_to(until[0])).exclude(up_to(since[0])), Why.LATE)
    said: dict[Why, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    corrections = Correction.objects.filter(up_to(until[1]), kind__in=KINDS).exclude(up_to(since[1]))
    for kind, event, identity, batch, person in corrections.values_list(
        "kind", "event_id", "identity_id", "batch_id", "person_id_was"
    ).iterator():
        own = said[Why.ERASED if person is not None and kind == CorrectionKind.WITHDRAWN else KINDS[kind]]
        for name, value in (("pk", event), ("identity", identity), ("batch", batch)):
            if value is not None:
                own[name].add(value)
    for why, named in said.items():
        for name, values in named.items():
            listed = sorted(values)
            for start in range(0, len(listed), IDS_PER_QUERY):
                note(Event.objects.filter(Q((f"{name}__in", listed[start : start + IDS_PER_QUERY]))), why)
    return found
