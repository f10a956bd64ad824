"""Searches companies for signs of gaming, once a business date, and puts the points behind them on hold."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q

from uptake.basics.business_day import business_date
from uptake.directory.models import Kind, Organization
from uptake.directory.place import settings_at
from uptake.insight.gaming.models import Finding, Search
from uptake.insight.gaming.record_of import silenced
from uptake.insight.gaming.window import Found, found_in
from uptake.ledger.balances import points_of
from uptake.ledger.hold import hold
from uptake.ledger.models import Lot
from uptake.notify.tell import Telling, tell

WINDOW_DAYS = 28
AT_ONCE = 60


def find_due(*, now: datetime) -> int:
    """Every company not yet searched up to its yesterday; how many findings there are more."""
    searched = dict(Search.objects.values_list("company_id", "last"))
    found = 0
    for company in Organization.objects.filter(kind=Kind.COMPANY).open().order_by("pk"):
        last = business_date(now, *settings_at(company)) - timedelta(days=1)
        if searched.get(company.pk, date.min) < last:
            found += len(find_signs(company=company, last=last, now=now))
    return found


def find_signs(*, company: Organization, last: date, now: datetime) -> list[Finding]:
    """The findings of the 28 days up to `last` that were not known, their points on hold; the people are told.

    Known is what is being looked at, and what overlaps a finding of the same sort that has its outcome. What earned
    nothing is no finding, and a detector that was too often wrong says nothing.
    """
    first = last - timedelta(days=WINDOW_DAYS - 1)
    quiet = silenced()
    signs = [one for one in found_in(company, first, last) if one.detector not in quiet and one.events]
    made = []
    for sign in signs:
        with transaction.atomic():
            one = _keep(company, sign, first, last, now)
        if one is not None:
            made.append(one)
    Search.objects.update_or_create(company=company, defaults={"last": last})
    return made


def _keep(company: Organization, sign: Found, first: date, last: date, now: datetime) -> Finding | None:
    same = Finding.objects.filter(company=company, person_id=sign.person, detector=sign.detector)
    if same.filter(Q(outcome=None) | Q(last__gte=first)).exists():
        return None
    owner = str(sign.person)
    at_stake = earned_by(company.pk, owner, sign.events)
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


def earned_by(book: int, owner: str, events: tuple[int, ...] | list[int]) -> int:
    """The points of a person that events gave by rules and that were not taken back."""
    total = 0
    for start in range(0, len(events), AT_ONCE):
        keys = Q(pk__in=())
        for event in events[start : start + AT_ONCE]:
            # As a range: the index of keys answers it, which LIKE could not.
            keys |= Q(key__gte=f"award/{event}/", key__lt=f"award/{event}0")
        for amount, back in Lot.objects.filter(keys, book=book, owner=owner).values_list("amount", "reversed"):
            total += amount - back
    return total
