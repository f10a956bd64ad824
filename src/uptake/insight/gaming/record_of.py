"""How often each detector was right, which are silent for it, and which events stand under suspicion."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Q

from uptake.directory.models import Organization
from uptake.events.models import Event
from uptake.insight.gaming.models import Finding, Outcome, Verdict
from uptake.statistics.gaming.detectors import silent

DETECTORS = ("A", "A2", "B", "C", "D", "F", "G", "H", "R", "S")
IDS_AT_ONCE = 900


@dataclass(frozen=True, slots=True)
class Record:
    """Of a detector: its findings with an outcome that tells, how many were real, and whether it is silent for it."""

    detector: str
    reviewed: int
    confirmed: int

    @property
    def precision(self) -> float | None:
        return self.confirmed / self.reviewed if self.reviewed else None

    @property
    def silent(self) -> bool:
        return silent(self.confirmed, self.reviewed)


def records() -> list[Record]:
    """Of every detector, over all companies; what could not be told counts neither way."""
    told = Outcome.objects.exclude(verdict=Verdict.UNCLEAR).order_by().values_list("finding__detector")
    counts = {
        name: (reviewed, real)
        for name, reviewed, real in told.annotate(
            reviewed=Count("finding_id"), real=Count("finding_id", filter=Q(verdict=Verdict.REAL))
        )
    }
    return [Record(name, *counts.get(name, (0, 0))) for name in DETECTORS]


def silenced() -> set[str]:
    """Detectors whose ten or more reviewed findings were confirmed in under 70 %."""
    return {one.detector for one in records() if one.silent}


def flagged(company: Organization, first: date, last: date) -> set[int]:
    """Ids of the events in [first, last] behind findings that are real or still being looked at.

    company: or a place above: then of all companies below.
    """
    rows = Finding.objects.filter(Q(company=company) | Q(company__path__startswith=company.path))
    rows = rows.filter(first__lte=last, last__gte=first).filter(Q(outcome=None) | Q(outcome__verdict=Verdict.REAL))
    ids = sorted({event for events in rows.values_list("events", flat=True) for event in events})
    kept: set[int] = set()
    for start in range(0, len(ids), IDS_AT_ONCE):
        piece = Event.objects.filter(pk__in=ids[start : start + IDS_AT_ONCE], business_date__range=(first, last))
        kept |= set(piece.values_list("pk", flat=True))
    return kept


def flagged_days(company: Organization, first: date, last: date) -> set[tuple[int, date]]:
    """The same as (person, business date): on which days whose events are under suspicion."""
    ids = sorted(flagged(company, first, last))
    days: set[tuple[int, date]] = set()
    for start in range(0, len(ids), IDS_AT_ONCE):
        rows = Event.objects.filter(pk__in=ids[start : start + IDS_AT_ONCE], identity__person__isnull=False)
        days |= {(person or 0, day) for person, day in rows.values_list("identity__person_id", "business_date")}
    return days
