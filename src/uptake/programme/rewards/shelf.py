"""What is on offer to one person now: what it costs, what is missing, why not. A few queries whatever the number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from uptake.directory.models import Organization
from uptake.ledger.balances import Points, points_of
from uptake.programme.rewards.level import lies_within, rank_of
from uptake.programme.rewards.models import OPEN, TAKEN, Redemption, Reward, Standing, Wait
from uptake.programme.rewards.terms import Terms, terms_of


@dataclass(frozen=True, slots=True)
class OnShelf:
    """One reward as one person sees it."""

    reward: Reward
    why_not: str
    """The code of the refusal a request would meet; empty: none."""
    missing: int
    """Points missing to its price."""
    has: int
    """How many the person asked for or got."""
    wait: Wait | None = None
    """Their place in the waiting line."""

    @property
    def is_kept(self) -> bool:
        return self.wait is not None and self.wait.standing == Standing.KEPT


@dataclass(frozen=True, slots=True)
class Shelf:
    """All that is on offer, the cheapest first."""

    points: Points
    items: tuple[OnShelf, ...]
    terms: Terms


@dataclass(frozen=True, slots=True)
class Known:
    """What was read of the person already."""

    points: Points
    terms: Terms
    rank: int
    """Of the level."""


def shelf(
    company: Organization, person: int, *, now: datetime, reward: Reward | None = None, known: Known | None = None
) -> Shelf:
    """What the person can ask for at the company; with `reward`, only that one, also if it is not on offer."""
    owner = str(person)
    terms = known.terms if known else terms_of(company, now)
    points = known.points if known else points_of(book=company.pk, owners=[owner], now=now)[owner]
    rows = Reward.objects.filter(company=company).on_offer(terms.today).order_by("price", "pk")
    rewards = [reward] if reward else list(rows.select_related("picture"))
    counted = Redemption.objects.filter(person_id=person, reward__in=[one.pk for one in rewards], state__in=TAKEN)
    counted = counted.exclude(state__in=OPEN, times_out_at__lte=now)
    has = dict(counted.values_list("reward").annotate(Count("pk")).order_by())
    rank = known.rank if known else -1
    if known is None and any(one.level for one in rewards):
        rank = rank_of(person=person, company=company.pk, now=now)
    waits: dict[int, Wait] = {}
    if any(one.has_line for one in rewards):
        lined = Wait.objects.in_line().filter(person_id=person, reward__in=[one.pk for one in rewards])
        current = lined.exclude(standing=Standing.KEPT, kept_until__lte=now)
        waits = {one.reward_id: one for one in current}
    items = tuple(_seen(one, points, has.get(one.pk, 0), rank, terms, waits.get(one.pk)) for one in rewards)
    return Shelf(points, items, terms)


def _seen(reward: Reward, points: Points, has: int, rank: int, terms: Terms, wait: Wait | None) -> OnShelf:
    kept = wait is not None and wait.standing == Standing.KEPT
    why_not = next(_reasons(reward, points, has, rank, terms, kept), "")
    return OnShelf(reward, why_not, max(0, reward.price - points.available), has, wait)


def _reasons(reward: Reward, points: Points, has: int, rank: int, terms: Terms, kept: bool) -> Iterator[str]:
    if not reward.is_on_offer(terms.today):
        yield "not_on_offer"
    if points.debt:
        yield "in_debt"
    if reward.level and not lies_within(reward.level, rank, terms.rulebook):
        yield "level_too_low"
    if reward.per_person is not None and has >= reward.per_person:
        yield "limit_reached"
    if reward.left is not None and reward.left <= 0 and not kept:
        yield "out_of_stock"
    if points.available < reward.price:
        yield "not_enough_points"
