"""Searches companies for signs of gaming, once a business date, and puts the points behind them on hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q

from uptake.basics.business_day import Clock
from uptake.directory.models import Kind, Organization
from uptake.directory.place import settings_at
from uptake.insight.gaming.circles import circles_of
from uptake.insight.gaming.hollow import hollow_of
from uptake.insight.gaming.models import Finding, Search
from uptake.insight.gaming.record_of import silenced
from uptake.insight.gaming.told import told_of
from uptake.insight.gaming.window import Found, found_in
from uptake.ledger.balances import points_of
from uptake.ledger.close import closed_books
from uptake.ledger.hold import hold
from uptake.ledger.models import Lot
from uptake.notify.tell import Telling, tell
from uptake.statistics.gaming.thresholds import Threshold

WINDOW_DAYS = 28
AT_ONCE = 60
COMPANIES_AT_ONCE = 12
Thresholds = Callable[[Organization, date], Sequence[Threshold]]
"""From which amounts on rules pay at a company on a date: rules are not known here, whoever calls brings them."""


def find_due(*, now: datetime, thresholds: Thresholds | None = None) -> int:
    """Every company not yet searched up to its yesterday; how many findings there are more."""
    searched = dict(Search.objects.values_list("company_id", "last"))
    due: dict[tuple[date, Clock], list[Organization]] = defaultdict(list)
    companies_open = Organization.objects.filter(kind=Kind.COMPANY).open().exclude(pk__in=closed_books())
    for company in companies_open.order_by("pk"):
        clock = settings_at(company)
        last = clock.date_of(now) - timedelta(days=1)
        if searched.get(company.pk, date.min) < last:
            due[last, clock].append(company)
    found = 0
    for (last, _clock), companies in due.items():
        for start in range(0, len(companies), COMPANIES_AT_ONCE):
            found += len(_search(companies[start : start + COMPANIES_AT_ONCE], last, now, thresholds))
    return found


def find_signs(
    *, company: Organization, last: date, now: datetime, thresholds: Thresholds | None = None
) -> list[Finding]:
    """The findings of the 28 days up to `last` that were not known, their points on hold; the people are told.

    Known is what is being looked at, and what overlaps a finding of the same sort that has its outcome. What earned
    nothing is no finding, and a detector that was too often wrong says nothing.
    """
    return _search([company], last, now, thresholds)


def _search(
    companies: Sequence[Organization], last: date, now: datetime, thresholds: Thresholds | None
) -> list[Finding]:
    """The same of companies of one clock, read together: small companies are many."""
    first = last - timedelta(days=WINDOW_DAYS - 1)
    quiet = silenced()
    tolds = told_of(companies, first, last)
    hollow, circles = hollow_of(list(tolds.values()), first, last), circles_of(companies, last)
    made = []
    for company in companies:
        told = tolds.get(company.pk)
        signs = found_in(told, thresholds(company, last) if thresholds else ()) if told else []
        signs += hollow.get(company.pk, []) + circles.get(company.pk, [])
        for sign in (one for one in signs if one.detector not in quiet and one.events):
            with transaction.atomic():
                one = _keep(company, sign, first, last, now)
            if one is not None:
                made.append(one)
    Search.objects.bulk_create(
        [Search(company=company, last=last) for company in companies],
        update_conflicts=True,
        unique_fields=["company"],
        update_fields=["last"],
    )
    return made


def _keep(company: Organization, sign: Found, first: date, last: date, now: datetime) -> Finding | None:
    first = sign.first or first
    same = Finding.objects.filter(company=company, person_id=sign.person, detector=sign.detector)
    if same.filter(Q(outcome=None) | Q(last__gte=first)).exists():
        return None
    owner = str(sign.person)
    at_stake = earned_by(company.pk, owner, sign.events, sign.lots)
    if not at_stake:
        return None
    points = points_of(book=company.pk, owners=[owner], now=now)[owner]
    held = 0 if points.debt else min(points.available, at_stake)
    made = Finding.objects.create(
        company=company,
        person_id=sign.person,
        detector=sign.detector,
        first=first,
        last=last,
        numbers=dict(sign.numbers),
        events=list(sign.events),
        points=at_stake,
        held=held,
        found_at=now,
    )
    if held:
        hold(
            book=company.pk,
            key=made.hold,
            owner=owner,
            points=held,
            cause=made.hold,
            now=now,
            reason="review",
            explanation={"finding": made.pk, "detector": made.detector},
        )
        content = {"finding": made.pk, "points": held}
        tell(
            [Telling(person_id=made.person_id, key=f"gaming.held/{made.pk}", kind="gaming.held", content=content)],
            now=now,
        )
    return made


def earned_by(book: int, owner: str, events: Sequence[int], lots: Sequence[str] = ()) -> int:
    """The points of a person that events gave by rules, or that are in these lots, and that were not taken back."""
    total = 0
    for start in range(0, len(lots), AT_ONCE):
        rows = Lot.objects.filter(book=book, owner=owner, key__in=lots[start : start + AT_ONCE])
        total += sum(amount - back for amount, back in rows.values_list("amount", "reversed"))
    for start in range(0, len(events), AT_ONCE):
        keys = Q(pk__in=())
        for event in events[start : start + AT_ONCE]:
            # As a range: the index of keys answers it, which LIKE could not.
            keys |= Q(key__gte=f"award/{event}/", key__lt=f"award/{event}0")
        for amount, back in Lot.objects.filter(keys, book=book, owner=owner).values_list("amount", "reversed"):
            total += amount - back
    return total
