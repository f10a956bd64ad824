"""What a company owes in points: how many are out, when they expire, how fast they are redeemed, what budgets hold."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.db.models import F, Sum

from uptake.directory.models import Kind, Organization
from uptake.ledger.balances import Totals, balances_of, totals
from uptake.ledger.models import Lot
from uptake.programme.rewards.fund_budget import budget_of
from uptake.programme.rewards.models import OPEN, BudgetChange, GrantState, Redemption, SpecialGrant, State
from uptake.programme.rewards.terms import terms_of

MONTHS: Final = 12
PACE_DAYS: Final = 90
"""Redemption is forecast at the pace of so many days."""


@dataclass(frozen=True, slots=True)
class Month:
    """One month ahead. The points that expire assume that nothing more is redeemed."""

    first: date
    expiring: int
    redeemed: int
    """At the pace so far, until nothing is left."""


@dataclass(frozen=True, slots=True)
class Budget:
    """The budget of one department (or of the company itself)."""

    place: Organization
    given: int
    spent: int
    waiting: int
    """Asked for and not decided."""
    left: int

    @property
    def otherwise(self) -> int:
        """What challenges and prizes took out of it, and what those who left brought in: below 0, it went out."""
        return self.left - self.given + self.spent


@dataclass(frozen=True, slots=True)
class Liability:
    """The picture of one company at an instant."""

    totals: Totals
    never_expiring: int
    living_on: int
    """Of those that expire, what every deed of the owner lets live longer; the months are for those who do nothing."""
    months: tuple[Month, ...]
    pace: int
    """Points redeemed in the last 90 days."""
    waiting: int
    """Open redemptions."""
    budgets: tuple[Budget, ...]

    @property
    def outstanding(self) -> int:
        """What people could still spend: available, pending and reserved."""
        return self.totals.available + self.totals.pending + self.totals.held


def liability_of(company: Organization, *, now: datetime) -> Liability:
    """The picture of a company now; a handful of queries."""
    terms = terms_of(company, now)
    standing = totals(book=company.pk)
    unspent = Lot.objects.filter(book=company.pk).annotate(left=F("available") + F("pending")).filter(left__gt=0)
    by_month: dict[date, int] = defaultdict(int)
    never = 0
    for day, points in unspent.values_list("last_date").annotate(sum=Sum("left")).order_by("last_date"):
        if day is None:
            never += points
        else:
            by_month[max(day, terms.today).replace(day=1)] += points
    living_on = unspent.filter(inactive_days__isnull=False).aggregate(sum=Sum("left", default=0))["sum"]
    since = now - timedelta(days=PACE_DAYS)
    settled = Redemption.objects.filter(company=company, state=State.FULFILLED, resolved_at__gt=since)
    pace = settled.aggregate(sum=Sum("points", default=0))["sum"]
    return Liability(
        totals=standing,
        never_expiring=never,
        living_on=living_on,
        months=tuple(_months(terms.today, by_month, pace, standing.available + standing.pending)),
        pace=pace,
        waiting=Redemption.objects.filter(company=company, state__in=OPEN, times_out_at__gt=now).count(),
        budgets=tuple(budgets_of(company)),
    )


def _months(today: date, by_month: dict[date, int], pace: int, left: int) -> list[Month]:
    found = []
    first = today.replace(day=1)
    for _ in range(MONTHS):
        redeemed = min(left, round(pace * 30 / PACE_DAYS))
        left -= redeemed
        found.append(Month(first, by_month.get(first, 0), redeemed))
        first = (first + timedelta(days=32)).replace(day=1)
    return found


def budgets_of(company: Organization) -> list[Budget]:
    """The budgets of the company and of its departments, in the order of the tree."""
    places = list(
        Organization.objects.filter(company=company, kind__in=(Kind.COMPANY, Kind.DEPARTMENT)).order_by("path")
    )
    given = dict(
        BudgetChange.objects.filter(company=company).values_list("department").annotate(Sum("points")).order_by()
    )
    asked: dict[tuple[int, str], int] = {
        (place, state): points
        for place, state, points in SpecialGrant.objects.filter(company=company)
        .values_list("department", "state")
        .annotate(Sum("points"))
        .order_by()
    }
    left = balances_of(book=company.pk, codes=[budget_of(place) for place in places])
    return [
        Budget(
            place,
            given.get(place.pk, 0),
            asked.get((place.pk, GrantState.APPROVED), 0),
            asked.get((place.pk, GrantState.ASKED), 0),
            left[budget_of(place)],
        )
        for place in places
        if place.closed_at is None or left[budget_of(place)]
    ]
