"""Points that those who began were given, from their start on."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta

from django.db.models import F, Q, Sum

from uptake.directory.models import Membership
from uptake.directory.place import settings_at
from uptake.insight.impact.models import Intervention, departments_of
from uptake.ledger.models import Lot

AT_ONCE = 500


def points_given(intervention: Intervention, *, last: date) -> int:
    """Points granted for what people of a department did from its start up to `last`, less what was taken back.

    Where people were drawn by lot: for what those did who were drawn to begin."""
    return sum(points_by_department(intervention, last=last).values())


def points_by_department(intervention: Intervention, *, last: date) -> dict[str, int]:
    """The same by the slug of each department that began."""
    clock = settings_at(intervention.organization)
    end = clock.start_of(last + timedelta(days=1))
    stays: dict[tuple[str, int, datetime, datetime], list[str]] = defaultdict(list)
    for place in departments_of(slug for slug, day in intervention.starts.items() if day):
        start = date.fromisoformat(intervention.starts[place.slug])
        rows = Membership.objects.filter(organization__path__startswith=place.path, from_date__lte=last)
        rows = rows.filter(Q(until_date__isnull=True) | Q(until_date__gt=start))
        if intervention.by_people:
            rows = rows.filter(person__in=intervention.drawn_people.filter(begins=True).values("person"))
        for person, since, until in rows.values_list("person_id", "from_date", "until_date"):
            begins = clock.start_of(max(start, since))
            ends = end if until is None else min(end, clock.start_of(until))
            stays[(place.slug, place.company_id or place.pk, begins, ends)].append(str(person))
    totals: dict[str, int] = defaultdict(int)
    for (slug, book, begins, ends), owners in stays.items():
        for at in range(0, len(owners), AT_ONCE):
            lots = Lot.objects.filter(
                book=book,
                owner__in=owners[at : at + AT_ONCE],
                renews=None,
                happened_at__gte=begins,
                happened_at__lt=ends,
            )
            totals[slug] += lots.aggregate(points=Sum(F("amount") - F("reversed")))["points"] or 0
    return dict(totals)
