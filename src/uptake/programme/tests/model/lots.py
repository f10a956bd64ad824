"""Where points are: lots that mature and expire, what is held and spent, what is taken back, what is owed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from uptake.programme.tests.model.dates import DAY, Calendar, month_after
from uptake.programme.tests.model.reading import Expiry, Programme

NEVER = date.max
GRACE_BACK, GRACE_REFUND = 7, 30


@dataclass(eq=False)
class Lot:
    """Points of one award, or given back after their lot had expired. `last` is the last date they can be used."""

    person: str
    last: date
    begins_at: datetime
    order: tuple[Any, ...]
    """Canonical order, then rule, where last date and begin do not tell."""
    dies_at: datetime
    pending: int = 0
    available: int = 0
    expired: int = 0
    absorbed: int = 0
    """Of the expired, what was taken back later (nothing moved)."""
    inactive_days: int | None = None
    """Every deed by the last date postpones it to so many days later."""
    held: dict[str, int] = field(default_factory=dict)
    spent: dict[str, int] = field(default_factory=dict)

    @property
    def spend_order(self) -> tuple[Any, ...]:
        return (self.last, self.begins_at, self.order)


@dataclass
class Redemption:
    key: str
    person: str
    reward: str | None
    times_out_at: datetime
    state: str = "requested"


@dataclass
class Ledger:
    """The lots of everybody, in the order in which things happened."""

    programme: Programme
    lots: dict[Any, Lot] = field(default_factory=dict)
    debts: dict[str, int] = field(default_factory=dict)
    redemptions: dict[str, Redemption] = field(default_factory=dict)
    active: dict[str, list[date]] = field(default_factory=dict)
    """The dates on which each person did something, as far as it is known."""

    @property
    def calendar(self) -> Calendar:
        return self.programme.calendar

    def of(self, person: str) -> list[Lot]:
        """The lots of a person in spend order."""
        return sorted((lot for lot in self.lots.values() if lot.person == person), key=lambda lot: lot.spend_order)

    def open(
        self, key: Any, person: str, day: date, at: datetime, after_days: int, expires: Expiry, order: tuple[Any, ...]
    ) -> Lot:
        """The lot of this key, made if it is not there yet."""
        if key not in self.lots:
            begin = day + after_days * DAY
            begins_at = self.calendar.start(begin) if after_days else at
            lot = self._make(key, person, self._last_date(begin, expires), begins_at, order)
            if expires and expires[0] == "inactive_days":
                lot.inactive_days = expires[1]
                self._live_on(lot)
        return self.lots[key]

    def learn(self, active: dict[str, list[date]], now: datetime) -> None:
        """Lots live on by what is known of their person now; what expired for want of it is valid again."""
        self.active = active
        for lot in self.lots.values():
            if lot.inactive_days is None:
                continue
            was_dead = lot.dies_at <= now
            self._live_on(lot)
            if was_dead and lot.dies_at > now:
                points = lot.expired - lot.absorbed
                lot.expired -= points
                self._becomes_available(lot, points)

    def _live_on(self, lot: Lot) -> None:
        assert lot.inactive_days
        for day in self.active.get(lot.person, []):
            if day <= lot.last:
                lot.last = max(lot.last, day + lot.inactive_days * DAY)
        lot.dies_at = self.calendar.start(lot.last + DAY)

    def _make(self, key: Any, person: str, last: date, begins_at: datetime, order: tuple[Any, ...]) -> Lot:
        dies_at = datetime.max.replace(tzinfo=UTC) if last == NEVER else self.calendar.start(last + DAY)
        self.lots[key] = Lot(person, last, begins_at, order, dies_at)
        return self.lots[key]

    def _last_date(self, begin: date, expires: Expiry) -> date:
        if expires is None:
            return NEVER
        how, what = expires
        if how in ("days", "inactive_days"):
            return begin + int(what) * DAY
        after = month_after(begin)
        while what == "year" and after.month != self.programme.fiscal_year_start:
            after = month_after(after)
        return after - DAY

    def increase(self, lot: Lot, points: int, now: datetime) -> None:
        if lot.dies_at <= now:
            lot.expired += points
        elif lot.begins_at > now:
            lot.pending += points
        else:
            self._becomes_available(lot, points)

    def _becomes_available(self, lot: Lot, points: int) -> None:
        """What becomes available pays the debt first."""
        paid = min(points, self.debts.get(lot.person, 0))
        self.debts[lot.person] = self.debts.get(lot.person, 0) - paid
        lot.available += points - paid

    def take_back(self, lot: Lot, points: int) -> None:
        """Own lot's remaining, its expired part, other available lots in spend order, debt."""
        for part in ("available", "pending"):
            taken = min(points, getattr(lot, part))
            setattr(lot, part, getattr(lot, part) - taken)
            points -= taken
        absorbed = min(points, lot.expired - lot.absorbed)
        lot.absorbed += absorbed
        points -= absorbed
        for other in self.of(lot.person):
            taken = min(points, other.available)
            other.available -= taken
            points -= taken
        self.debts[lot.person] = self.debts.get(lot.person, 0) + points

    def pass_time(self, until: datetime, others: list[tuple[datetime, Callable[[], None]]]) -> None:
        """What time alone does up to and including an instant; `others` happen last at theirs."""
        while True:
            instants = [lot.begins_at for lot in self.lots.values() if lot.pending]
            instants += [lot.dies_at for lot in self.lots.values() if lot.pending or lot.available]
            instants += [one.times_out_at for one in self.redemptions.values() if one.state == "requested"]
            instants += [at for at, _deed in others]
            now = min(instants, default=None)
            if now is None or now > until:
                return
            every = sorted(self.lots.values(), key=lambda lot: lot.spend_order)
            for lot in every:
                if lot.pending and lot.begins_at <= now:
                    matured, lot.pending = lot.pending, 0
                    self._becomes_available(lot, matured)
            for lot in every:
                if lot.dies_at <= now:
                    lot.expired += lot.available + lot.pending
                    lot.available = lot.pending = 0
            for redemption in list(self.redemptions.values()):
                if redemption.state == "requested" and redemption.times_out_at <= now:
                    self.resolve(redemption, "timed_out", now)
            for at, deed in [one for one in others if one[0] <= now]:
                deed()
                others.remove((at, deed))

    def hold(self, redemption: Redemption, points: int) -> None:
        self.redemptions[redemption.key] = redemption
        for lot in self.of(redemption.person):
            taken = min(points, lot.available)
            if taken:
                lot.available -= taken
                lot.held[redemption.key] = taken
                points -= taken

    def held(self, redemption: Redemption) -> int:
        return sum(lot.held.get(redemption.key, 0) for lot in self.of(redemption.person))

    def resolve(self, redemption: Redemption, state: str, now: datetime, spend: int = 0) -> None:
        """Spends a part of what is held, in spend order, and gives the rest back."""
        redemption.state = state
        for lot in self.of(redemption.person):
            held = lot.held.pop(redemption.key, 0)
            spent = min(held, spend)
            if spent:
                lot.spent[redemption.key] = spent
                spend -= spent
            self._give_back(lot, held - spent, now, GRACE_BACK, redemption.key)

    def refund(self, redemption: Redemption, now: datetime) -> None:
        redemption.state = "refunded"
        for lot in self.of(redemption.person):
            self._give_back(lot, lot.spent.pop(redemption.key, 0), now, GRACE_REFUND, redemption.key)

    def _give_back(self, lot: Lot, points: int, now: datetime, grace: int, cause: str) -> None:
        if not points:
            return
        if lot.dies_at <= now:
            last = self.calendar.date_of(now) + grace * DAY
            lot = self._make(("given back", len(self.lots), cause), lot.person, last, now, lot.order)
        self._becomes_available(lot, points)

    def balances(self, person: str) -> dict[str, int]:
        lots = self.of(person)
        return {
            "available": sum(lot.available for lot in lots),
            "pending": sum(lot.pending for lot in lots),
            "held": sum(sum(lot.held.values()) for lot in lots),
            "debt": self.debts.get(person, 0),
            "expired": sum(lot.expired for lot in lots),
            "redeemed": sum(sum(lot.spent.values()) for lot in lots),
        }

    def expiring(self, person: str) -> list[list[Any]]:
        found: dict[date, int] = {}
        for lot in self.of(person):
            if lot.last != NEVER and lot.available + lot.pending:
                found[lot.last] = found.get(lot.last, 0) + lot.available + lot.pending
        return [[day.isoformat(), points] for day, points in sorted(found.items())]
