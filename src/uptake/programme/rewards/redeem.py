"""Ask for a reward: its points are held and its place in the stock is taken in one transaction, once per key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any, Final

from django.db import IntegrityError, connection, transaction
from django.db.models import F, Q

from uptake.directory.models import Organization
from uptake.directory.viewer import NotAllowed, Viewer
from uptake.ledger.again import again_where_lost
from uptake.ledger.balances import STANDING, Points, points_of, standing_from
from uptake.ledger.hold import InDebt as LedgerInDebt
from uptake.ledger.hold import hold
from uptake.ledger.post import NotEnoughPoints as LedgerNotEnough
from uptake.programme.rewards.level import reaches
from uptake.programme.rewards.line import fetch, is_kept_for, lapse
from uptake.programme.rewards.models import OPEN, TAKEN, Redemption, Reward, Standing, State, Wait
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
from uptake.programme.turns import NUMBERS, Turn, wait_for_turn

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
            seen = asked.look_in_turn(reward)
            if seen is None:
                return _redeem(reward, asked, wish, leave_from_date)
        asked.refuse_at_once(seen)
        with transaction.atomic():
            wait_for_turn(Turn.SPENDING, by.person_id)
            return _redeem(reward, asked, wish, leave_from_date)
    except IntegrityError:
        # The same key for another reward in this very moment: that one won.
        known = asked.known()
        if known is None:
            raise
        return known


_TERMS: Final = (
    "price",
    "stock",
    "taken",
    "hidden",
    "level",
    "per_person",
    "from_date",
    "until_date",
    "kept",
    "has_line",
)
_GLANCE: Final = f"""SELECT {", ".join(_TERMS)}, known, due, {STANDING}
FROM rewards_glance(%s, %s, %s, %s, %s, %s, %s)"""  # noqa: S608 - our own words


@dataclass(frozen=True, slots=True)
class _Seen:
    """How things stand at an instant."""

    reward: Reward
    points: Points
    known: bool
    """The key was used."""
    due: bool
    """Somebody's time is over who has a place in the stock."""


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
        return Redemption.objects.filter(used | self._due(reward)).exists() or self._lapsed(reward)

    def due(self, reward: Reward) -> list[Redemption]:
        """Requests whose time is over, and whose place in the stock is still taken."""
        return list(Redemption.objects.filter(self._due(reward)).order_by("pk"))

    def look_in_turn(self, reward: Reward) -> _Seen | None:
        """None where it is this person's turn now, until the transaction ends; else how things stand once the turn of
        another request of theirs is over. One statement: fifty taps on one button make one redemption, and the other
        forty-nine must cost as good as nothing."""
        return self._glance(reward, in_turn=True) if connection.vendor == "postgresql" else None

    def look(self, reward: Reward) -> _Seen:
        """How things stand at this instant, nothing locked."""
        if connection.vendor == "postgresql" and (seen := self._glance(reward, in_turn=False)):
            return seen
        used = Redemption.objects.filter(company=self.company, key=self.key).exists()
        overdue = Redemption.objects.filter(self._due(reward)).exists()
        stands = Reward.objects.get(pk=reward.pk)
        return _Seen(stands, self.points(), used, overdue or self._lapsed(stands))

    def _glance(self, reward: Reward, *, in_turn: bool) -> _Seen | None:
        asked: list[Any] = [
            int(Turn.SPENDING),
            self.person % NUMBERS,
            reward.pk,
            str(self.person),
            self.key,
            self.now,
            in_turn,
        ]
        with connection.cursor() as cursor:
            cursor.execute(_GLANCE, asked)
            row = cursor.fetchone()
        if row is None:
            return None
        end = len(_TERMS)
        terms = dict(zip(_TERMS, row[:end], strict=True))
        points = standing_from(row[end + 2 :]) or self.points()
        return _Seen(Reward(id=reward.pk, company_id=reward.company_id, **terms), points, *row[end : end + 2])

    def points(self) -> Points:
        return points_of(book=self.company.pk, owners=[str(self.person)], now=self.now)[str(self.person)]

    def refuse_at_once(self, seen: _Seen) -> None:
        """Tells whoever cannot have it without waiting for those who can: it is true at this instant."""
        if (refusal := self.refusal(seen.reward, seen.points)) and not (seen.known or seen.due):
            raise refusal

    def refusal(self, reward: Reward, points: Points) -> Refusal | None:
        """The first reason in the order of the rules."""
        if reward.hidden or (reward.is_for_a_time and not reward.is_on_offer(self.terms.today)):
            return NotOnOffer()
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
        if reward.left is not None and reward.left <= 0 and not is_kept_for(reward, self.person, self.now):
            return OutOfStock()
        if points.available < reward.price:
            return NotEnoughPoints()
        return None

    def _lapsed(self, reward: Reward) -> bool:
        """Whether a piece is kept for somebody whose days are over."""
        late = Wait.objects.filter(reward=reward, standing=Standing.KEPT, kept_until__lte=self.now)
        return bool(reward.kept) and late.exists()

    def _due(self, reward: Reward) -> Q:
        return Q(reward=reward, state__in=OPEN, times_out_at__lte=self.now)


def _redeem(reward: Reward, asked: _Asked, wish: str, leave_from_date: date | None) -> Redeemed:
    now = asked.now
    asked.refuse_at_once(asked.look(reward))
    locked = Reward.objects.select_for_update(no_key=True).get(pk=reward.pk)
    locked.company = asked.company
    if asked.is_known_or_others_are_due(locked):
        if known := asked.known():
            return known
        time_out_rows(locked, asked.due(locked), now)
        lapse(locked, now)
    if refusal := asked.refusal(locked, asked.points()):
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
    fetch(locked, asked.person, now)
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
