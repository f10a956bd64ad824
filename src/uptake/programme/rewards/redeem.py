"""Ask for a reward: its points are held and its place in the stock is taken in one transaction, once per key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet

from uptake.directory.viewer import NotAllowed, Viewer
from uptake.ledger.again import again_where_lost
from uptake.ledger.balances import points_of
from uptake.ledger.hold import InDebt as LedgerInDebt
from uptake.ledger.hold import hold
from uptake.ledger.post import NotEnoughPoints as LedgerNotEnough
from uptake.programme.rewards.level import reaches
from uptake.programme.rewards.models import OPEN, TAKEN, Redemption, Reward, State
from uptake.programme.rewards.refusals import (
    Conflict,
    InDebt,
    LevelTooLow,
    LimitReached,
    NotEnoughPoints,
    NotOnOffer,
    OutOfStock,
    Refusal,
)
from uptake.programme.rewards.resolve import settle_redemption
from uptake.programme.rewards.steps import content_of, record_deed, time_out_rows, write_step
from uptake.programme.rewards.terms import Terms, terms_of

LONGEST_KEY = 200
LONGEST_WISH = 500


@dataclass(frozen=True, slots=True)
class Redeemed:
    """What became of a request."""

    redemption: Redemption
    replayed: bool


@again_where_lost
def redeem(
    *, reward: Reward, by: Viewer, key: str, now: datetime, wish: str = "", leave_from_date: date | None = None
) -> Redeemed:
    """The viewer asks for the reward, for themselves. What is paid by a code and needs no approval is given at once.

    The same key with the same content answers what it answered before. Raises NotAllowed for one who does not belong
    to the company, Conflict, NotOnOffer, and then in this order InDebt, LevelTooLow, LimitReached, OutOfStock,
    NotEnoughPoints.
    """
    assert 0 < len(key) <= LONGEST_KEY, "A key is a short text"
    company = reward.company
    if by.person_id is None or not any(place.startswith(company.path) for place in by.places):
        raise NotAllowed
    content = content_of("redeem", by.person_id, reward.pk, wish, leave_from_date)
    try:
        # Whoever cannot have it is told so without waiting for those who can: it is true at this instant.
        if refusal := _refused_at_once(reward, by.person_id, key, content, now):
            raise refusal
        return _redeem(reward, by.person_id, key, content, now, wish, leave_from_date)
    except IntegrityError:
        # The same key for another reward in this very moment: that one won.
        known = _known(reward, key, content)
        if known is None:
            raise
        return known


def _refused_at_once(reward: Reward, person: int, key: str, content: str, now: datetime) -> Refusal | None:
    """Why it is refused as things stand; None where it may succeed, or was asked for before."""
    found = Reward.objects.select_related("company").get(pk=reward.pk)
    refusal = _refusal(found, person, terms_of(found.company, now), now)
    if refusal is None or _known(found, key, content) or _due(found, now).exists():
        return None
    return refusal


def _redeem(
    reward: Reward, person: int, key: str, content: str, now: datetime, wish: str, leave_from_date: date | None
) -> Redeemed:
    with transaction.atomic():
        locked = Reward.objects.select_for_update(no_key=True, of=("self",)).select_related("company").get(pk=reward.pk)
        if known := _known(locked, key, content):
            return known
        terms = terms_of(locked.company, now)
        time_out_rows(locked, list(_due(locked, now).order_by("pk")), now)
        if refusal := _refusal(locked, person, terms, now):
            raise refusal
        row = Redemption.objects.create(
            company=locked.company,
            person_id=person,
            reward=locked,
            key=key,
            fingerprint=content,
            price=locked.price,
            wish=wish[:LONGEST_WISH],
            leave_from_date=leave_from_date,
            requested_at=now,
            times_out_at=terms.times_out_at,
        )
        Reward.objects.filter(pk=locked.pk).update(taken=F("taken") + 1)
        locked.taken += 1
        _hold(row, terms, now)
        write_step(
            row, deed=State.REQUESTED, key="request", content=content, by=None, points=row.price, at=now, now=now
        )
        record_deed(row, "reward.requested", now)
        if locked.with_codes and not locked.needs_approval:
            settle_redemption(row, by=None, key="at once", content=content_of("at once"), points=row.price, now=now)
    return Redeemed(row, replayed=False)


def _due(reward: Reward, now: datetime) -> QuerySet[Redemption]:
    """Requests whose time is over, and whose place in the stock is still taken."""
    return Redemption.objects.filter(reward=reward, state__in=OPEN, times_out_at__lte=now)


def _known(reward: Reward, key: str, content: str) -> Redeemed | None:
    """The redemption of this key. Raises Conflict where the key was used with other content."""
    row = Redemption.objects.filter(company_id=reward.company_id, key=key).select_related("reward").first()
    if row is None:
        return None
    if row.fingerprint != content:
        raise Conflict(f"Key {key!r} was used with other content")
    return Redeemed(row, replayed=True)


def _refusal(reward: Reward, person: int, terms: Terms, now: datetime) -> Refusal | None:
    """The first reason in the order of the rules."""
    if not reward.is_on_offer(terms.today):
        return NotOnOffer()
    points = points_of(book=reward.company_id, owners=[str(person)], now=now)[str(person)]
    if points.debt:
        return InDebt()
    if reward.level and not reaches(
        reward.level, person=person, company=reward.company_id, rulebook=terms.rulebook, now=now
    ):
        return LevelTooLow()
    if reward.per_person is not None:
        has = Redemption.objects.filter(reward=reward, person_id=person, state__in=TAKEN)
        if has.exclude(state__in=OPEN, times_out_at__lte=now).count() >= reward.per_person:
            return LimitReached()
    if reward.left is not None and reward.left <= 0:
        return OutOfStock()
    if points.available < reward.price:
        return NotEnoughPoints()
    return None


def _hold(row: Redemption, terms: Terms, now: datetime) -> None:
    try:
        hold(
            book=row.company_id,
            key=row.hold,
            owner=str(row.person_id),
            points=row.price,
            cause=row.hold,
            now=now,
            times_out_at=row.times_out_at,
            grace=terms.grace_of_time_out,
            reason=f"reward/{row.reward_id}",
            explanation={"redemption": row.pk, "reward": row.reward_id, "price": row.price},
        )
    except LedgerInDebt as refused:
        raise InDebt from refused
    except LedgerNotEnough as refused:
        raise NotEnoughPoints from refused
