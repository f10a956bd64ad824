"""Ask for a reward: its points are held and its place in the stock is taken in one transaction, once per key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from django.db import IntegrityError, connection, transaction
from django.db.models import F, Q

from uptake.directory.models import Organization
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
from uptake.programme.turns import Turn, see_turn_end, take_turn, wait_for_turn

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
    asked = _Asked(company, by.person_id, key, content, now)
    try:
        with transaction.atomic():
            if take_turn(Turn.SPENDING, by.person_id):
                return _redeem(reward, asked, wish, leave_from_date)
        see_turn_end(Turn.SPENDING, by.person_id)
        asked.refuse_at_once(reward)
        with transaction.atomic():
            wait_for_turn(Turn.SPENDING, by.person_id)
            return _redeem(reward, asked, wish, leave_from_date)
    except IntegrityError:
        # The same key for another reward in this very moment: that one won.
        known = asked.known()
        if known is None:
            raise
        return known


_GLANCE = """
SELECT r.id, r.company_id, r.price, r.stock, r.taken, r.hidden, r.level, r.per_person, r.from_date, r.until_date,
       EXISTS (SELECT 1 FROM rewards_redemption m WHERE m.company_id = r.company_id AND m.key = %s) AS known,
       EXISTS (SELECT 1 FROM rewards_redemption m WHERE m.reward_id = r.id AND m.times_out_at <= %s
               AND m.state IN ({open})) AS due
FROM rewards_reward r WHERE r.id = %s
"""
"""A reward as it stands, whether the key was used, and whether somebody's time is over who has a place in its stock."""


@dataclass
class _Asked:
    """What one person asks for, and how things stand for them."""

    company: Organization
    person: int
    key: str
    content: str
    now: datetime

    @cached_property
    def terms(self) -> Terms:
        return terms_of(self.company, self.now)

    def known(self) -> Redeemed | None:
        """The redemption of this key. Raises Conflict where the key was used with other content."""
        row = Redemption.objects.filter(company=self.company, key=self.key).select_related("reward").first()
        if row is None:
            return None
        if row.fingerprint != self.content:
            raise Conflict(f"Key {self.key!r} was used with other content")
        return Redeemed(row, replayed=True)

    def is_known_or_others_are_due(self, reward: Reward) -> bool:
        """Whether the key was used, or somebody's time is over whose place in the stock is still taken."""
        used = Q(company=self.company, key=self.key)
        return Redemption.objects.filter(used | self._due(reward)).exists()

    def due(self, reward: Reward) -> list[Redemption]:
        """Requests whose time is over, and whose place in the stock is still taken."""
        return list(Redemption.objects.filter(self._due(reward)).order_by("pk"))

    def refuse_at_once(self, reward: Reward) -> None:
        """Tells whoever cannot have it without waiting for those who can: it is true at this instant."""
        marks = ", ".join(["%s"] * len(OPEN))
        at = connection.ops.adapt_datetimefield_value(self.now)
        (seen,) = Reward.objects.raw(_GLANCE.format(open=marks), [self.key, at, *map(str, OPEN), reward.pk])
        if (refusal := self.refusal(seen)) and not (seen.known or seen.due):  # type: ignore[attr-defined]  # of the query
            raise refusal

    def refusal(self, reward: Reward) -> Refusal | None:
        """The first reason in the order of the rules."""
        if reward.hidden or (reward.is_for_a_time and not reward.is_on_offer(self.terms.today)):
            return NotOnOffer()
        points = points_of(book=self.company.pk, owners=[str(self.person)], now=self.now)[str(self.person)]
        if points.debt:
            return InDebt()
        if reward.level and not reaches(
            reward.level, person=self.person, company=self.company.pk, rulebook=self.terms.rulebook, now=self.now
        ):
            return LevelTooLow()
        if reward.per_person is not None:
            has = Redemption.objects.filter(reward=reward, person_id=self.person, state__in=TAKEN)
            if has.exclude(state__in=OPEN, times_out_at__lte=self.now).count() >= reward.per_person:
                return LimitReached()
        if reward.left is not None and reward.left <= 0:
            return OutOfStock()
        if points.available < reward.price:
            return NotEnoughPoints()
        return None

    def _due(self, reward: Reward) -> Q:
        return Q(reward=reward, state__in=OPEN, times_out_at__lte=self.now)


def _redeem(reward: Reward, asked: _Asked, wish: str, leave_from_date: date | None) -> Redeemed:
    now = asked.now
    asked.refuse_at_once(reward)
    locked = Reward.objects.select_for_update(no_key=True).get(pk=reward.pk)
    locked.company = asked.company
    if asked.is_known_or_others_are_due(locked):
        if known := asked.known():
            return known
        time_out_rows(locked, asked.due(locked), now)
    if refusal := asked.refusal(locked):
        raise refusal
    terms = asked.terms  # only now: of fifty who ask at once, forty-nine do not need them
    row = Redemption.objects.create(
        company=asked.company,
        person_id=asked.person,
        reward=locked,
        key=asked.key,
        fingerprint=asked.content,
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
        row, deed=State.REQUESTED, key="request", content=asked.content, by=None, points=row.price, at=now, now=now
    )
    record_deed(row, "reward.requested", now)
    if locked.with_codes and not locked.needs_approval:
        settle_redemption(row, by=None, key="at once", content=content_of("at once"), points=row.price, now=now)
    return Redeemed(row, replayed=False)


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
