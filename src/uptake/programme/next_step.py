"""The one deed that pays most for a person now: what they did lately is tried by the fold that pays, and not kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import Count, Sum

from uptake.directory.leave import days_of_leave
from uptake.directory.models import Organization
from uptake.directory.place import settings_at
from uptake.events.models import Event
from uptake.programme.gather import Bucket, gather, standings_of
from uptake.programme.in_force import RulebooksInForce
from uptake.programme.lanes import judged_of
from uptake.programme.models import Award
from uptake.programme.person_fold import fold_person
from uptake.programme.rulebook import RuleVersion
from uptake.programme.standing import UNKNOWN, JudgedEvent

RECENT_DAYS = 30
"""What a person did in so many days is what they could do next."""
LONGEST_DAYS = 62
"""Of history that is folded: the month before counts, what lies further back hardly does."""
MOST_NAMES = 12
TRIED = -1
"""The id of the deed that was not done."""


@dataclass(frozen=True, slots=True)
class NextStep:
    """A deed done now, as the person last did it, and what it would pay."""

    event: str
    points: int
    rules: tuple[RuleVersion, ...]
    """Those that would pay, the one that pays most first."""


def next_step(person: int, company: Organization, *, now: datetime) -> NextStep | None:
    """None: nothing the person did lately would pay now. A fixed number of queries."""
    today = settings_at(company).date_of(now)
    books = RulebooksInForce([company.pk])
    found = books.on(company.pk, today)
    if found is None:
        return None
    rules = found[1].at(now)
    samples = _samples(person, company.pk, set(rules.by_name), now)
    if not samples:
        return None
    window = books.window(company.pk)
    days = 0 if not window.looks_back else LONGEST_DAYS if window.days is None else min(window.days, LONGEST_DAYS)
    since = today - timedelta(days=days)
    gathered = [one for one in gather(_events(person, since)).values() if not one.withheld]
    gathered = [one for one in gathered if one.company == company.pk and one.person == person]
    buckets = {Bucket(person, company.pk, one.date) for one in gathered} | {Bucket(person, company.pk, today)}
    standings = standings_of(buckets)
    leave = days_of_leave([person]).get(person, set()) if window.streaks else set()
    granted = _granted(person, company.pk, since) if window.counts_ever else []
    best: NextStep | None = None
    for name, facts in samples.items():
        done = [judged_of(one, standings.get(Bucket(person, company.pk, one.date), UNKNOWN)) for one in gathered]
        tried = JudgedEvent(
            id=TRIED,
            name=name,
            at=now,
            source="",
            key="next",
            date=today,
            facts=facts,
            object="next step",
            standing=standings[Bucket(person, company.pk, today)],
        )
        folded = fold_person(
            [*(replace(one) for one in done), tried],
            lambda day: _rules_on(books, company.pk, day),
            leave=leave,
            granted=granted,
        )
        paying = sorted((one for one in folded.outcomes if one.event.id == TRIED and one.points), key=_most)
        points = sum(one.points for one in paying)
        if points and (best is None or points > best.points):
            versions = [rules.version_of(one.rule) for one in paying]
            best = NextStep(name, points, tuple(one for one in versions if one is not None))
    return best


def _most(one: Any) -> tuple[int, int]:
    return (-one.points, one.rank)


def _rules_on(books: RulebooksInForce, company: int, day: Any) -> Any:
    found = books.on(company, day)
    return found[1] if found else None


def _events(person: int, since: date) -> list[int]:
    begin = datetime(since.year, since.month, since.day, tzinfo=UTC) - timedelta(days=1)
    rows = Event.objects.filter(identity__person_id=person, happened_at__gte=begin, business_date__gte=since)
    return list(rows.values_list("pk", flat=True))


def _granted(person: int, company: int, since: date) -> list[tuple[str, int, int]]:
    """(rule, points, paid awards) of what lies before."""
    rows = Award.objects.filter(person_id=person, company_id=company, date__lt=since, points__gt=0).order_by()
    return list(rows.values_list("rule").annotate(Sum("points"), Count("pk")))


def _samples(person: int, company: int, names: set[str], now: datetime) -> dict[str, Mapping[str, Any]]:
    """The facts of the latest event of each of these names that the person did lately."""
    rows = Event.objects.filter(
        identity__person_id=person,
        company_id=company,
        happened_at__gte=now - timedelta(days=RECENT_DAYS),
        happened_at__lte=now,
        name__in=names,
        quarantine__isnull=True,
    )
    found: dict[str, Mapping[str, Any]] = {}
    for name, facts in rows.order_by("-happened_at").values_list("name", "facts")[:1000]:
        if name not in found:
            found[name] = facts
            if len(found) == MOST_NAMES:
                break
    return found
