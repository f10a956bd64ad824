"""How many people could redeem anything: points that buy nothing reach nobody, however fairly they fall."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q

from uptake.directory.models import Organization
from uptake.ledger.balances import points_of
from uptake.programme.rewards.models import Reward
from uptake.programme.rewards.terms import terms_of


@dataclass(frozen=True, slots=True)
class Affordable:
    """The cheapest reward that is there to be had, and how many of the people have the points for it now."""

    price: int
    able: int
    people: int

    @property
    def share(self) -> float:
        return self.able / self.people


def affordable(company: Organization, people: Collection[int], now: datetime) -> Affordable | None:
    """Of these people; None where nothing is on offer, all is gone, or nobody is asked of.

    What only a level may ask for counts only where nothing else is on offer.
    """
    there = Reward.objects.filter(company=company).on_offer(terms_of(company, now).today)
    there = there.filter(Q(stock__isnull=True) | Q(stock__gt=F("taken"))).order_by("price")
    prices = there.values_list("price", flat=True)
    price = prices.filter(level="").first()
    price = prices.first() if price is None else price
    if price is None or not people:
        return None
    points = points_of(book=company.pk, owners=[str(one) for one in people], now=now)
    return Affordable(price, sum(one.available >= price for one in points.values()), len(people))
