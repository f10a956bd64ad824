"""Any story of grants, take-backs, holds and passing time ends as a plain model in memory says; every promise holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from uptake.ledger.balances import Points, expiring_of, lifetime_of, points_of
from uptake.ledger.elapse import expire, mature, time_out
from uptake.ledger.grant import Grant, MoreThanGranted, Taking, grant, take_back
from uptake.ledger.hold import AlreadyResolved, Grace, InDebt, MoreThanHeld, NotSettled, hold, refund, release, settle
from uptake.ledger.post import NotEnoughPoints, Refusal
from uptake.ledger.postpone import Active, postpone
from uptake.ledger.tests.world import BEIYUAN, DAY_0, HUA, LIN, at, start
from uptake.ledger.verify import verify

# ── the model: everything a person has, in plain lists; days are whole numbers ───────────────────────────────────────


@dataclass
class Lot:
    key: str
    ready: int
    last: int | None
    granted: int = 0
    reversed: int = 0
    free: int = 0
    """Available or, before `ready`, pending."""
    expired: int = 0
    expired_reversed: int = 0
    staying: int | None = None
    """Every deed by `last` makes it so many days after the deed."""

    def gone(self, day: int) -> bool:
        return self.last is not None and day > self.last


@dataclass
class Reserved:
    points: int
    draws: list[tuple[Lot, int]]
    out: int | None
    state: str = "open"
    settled: list[tuple[Lot, int]] = field(default_factory=list)


class Refused(Exception):
    def __init__(self, what: type[Refusal]) -> None:
        self.what = what


@dataclass
class Person:
    lots: list[Lot] = field(default_factory=list)
    holds: dict[str, Reserved] = field(default_factory=dict)
    debt: int = 0
    redeemed: int = 0
    day: int = 0
    did: set[int] = field(default_factory=set)
    """Days on which something was done, as far as it is known."""

    # what a person sees
    def seen(self) -> Points:
        return Points(
            available=sum(lot.free for lot in self.lots if lot.ready <= self.day),
            pending=sum(lot.free for lot in self.lots if lot.ready > self.day),
            held=sum(hold.points for hold in self.holds.values() if hold.state == "open"),
            debt=self.debt,
        )

    def lot(self, key: str) -> Lot:
        return next(lot for lot in self.lots if lot.key == key)

    def in_order(self) -> list[Lot]:
        usable = [lot for lot in self.lots if lot.free and lot.ready <= self.day]
        return sorted(usable, key=lambda lot: (10**6 if lot.last is None else lot.last, lot.ready, lot.key))

    def pay(self, lot: Lot, points: int) -> None:
        paid = min(self.debt, points)
        lot.free -= paid
        self.debt -= paid

    # time, day by day: mature, expire, time out
    def reach(self, day: int) -> None:
        while self.day < day:
            self.day += 1
            for lot in sorted(self.lots, key=lambda lot: lot.key):
                if lot.ready == self.day:
                    self.pay(lot, lot.free)
            for lot in self.lots:
                if lot.gone(self.day):
                    lot.expired += lot.free
                    lot.free = 0
            for key in sorted(self.holds):
                reserved = self.holds[key]
                if reserved.state == "open" and reserved.out == self.day:
                    reserved.state = "timed out"
                    self.give_back(reserved.draws, 7, f"time/{key}")

    def give_back(self, parts: list[tuple[Lot, int]], days: int, key: str) -> None:
        for number, (lot, points) in enumerate(parts):
            if lot.gone(self.day):
                lot = Lot(f"{lot.key}~{key}{number}", self.day, self.day + days)
                self.lots.append(lot)
            lot.free += points
            self.pay(lot, points)

    def lives_until(self, last: int, staying: int) -> int:
        for day in sorted(self.did):
            last = max(last, day + staying) if day <= last else last
        return last

    def does_something(self, day: int) -> None:
        self.did.add(day)
        for lot in sorted(self.lots, key=lambda lot: lot.key):
            if lot.staying is None or lot.last is None:
                continue
            was_gone = lot.gone(self.day)
            lot.last = self.lives_until(lot.last, lot.staying)
            if was_gone and not lot.gone(self.day):
                back = lot.expired - lot.expired_reversed
                lot.expired -= back
                lot.free += back
                self.pay(lot, back)

    # deeds
    def grant(self, key: str, points: int, ready: int, last: int | None, staying: int | None) -> None:
        lot = next((lot for lot in self.lots if lot.key == key), None)
        if lot is None:
            lot = Lot(key, ready, last, staying=staying)
            self.lots.append(lot)
        lot.granted += points
        if lot.gone(self.day):
            lot.expired += points
        else:
            lot.free += points
            if lot.ready <= self.day:
                self.pay(lot, points)

    def take_back(self, key: str, points: int) -> None:
        lot = self.lot(key)
        if points > lot.granted - lot.reversed:
            raise Refused(MoreThanGranted)
        lot.reversed += points
        own = min(points, lot.free)
        lot.free -= own
        points -= own
        unmoved = min(points, lot.expired - lot.expired_reversed)
        lot.expired_reversed += unmoved
        points -= unmoved
        for other in self.in_order():
            part = min(points, other.free)
            other.free -= part
            points -= part
        self.debt += points

    def hold(self, key: str, points: int, out: int | None) -> None:
        if self.debt:
            raise Refused(InDebt)
        if points > self.seen().available:
            raise Refused(NotEnoughPoints)
        draws = []
        left = points
        for lot in self.in_order():
            part = min(left, lot.free)
            if part:
                draws.append((lot, part))
                lot.free -= part
                left -= part
        self.holds[key] = Reserved(points, draws, out)

    def settle(self, key: str, points: int | None, end: str) -> None:
        reserved = self.holds[key]
        if reserved.state != "open":
            raise Refused(AlreadyResolved)
        points = reserved.points if points is None else points
        if points > reserved.points:
            raise Refused(MoreThanHeld)
        rest = []
        for lot, drawn in reserved.draws:
            part = min(points, drawn)
            points -= part
            if part:
                reserved.settled.append((lot, part))
                self.redeemed += part
            if drawn > part:
                rest.append((lot, drawn - part))
        reserved.state = end
        self.give_back(rest, 7, end)

    def refund(self, key: str) -> None:
        reserved = self.holds[key]
        if reserved.state == "refunded":
            raise Refused(AlreadyResolved)
        if reserved.state != "settled":
            raise Refused(NotSettled)
        reserved.state = "refunded"
        self.redeemed -= sum(part for _, part in reserved.settled)
        self.give_back(reserved.settled, 30, "refund")


# ── the machine: the same deed at the doors and in the model ─────────────────────────────────────────────────────────

owners = st.sampled_from([LIN, HUA])
amounts = st.integers(1, 30)


class Story(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.people = {LIN: Person(), HUA: Person()}
        self.day = 0
        self.tick = 0
        self.number = 0
        self.done: list[tuple[Any, dict[str, Any]]] = []

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    @initialize(owner=owners, points=amounts)
    def first(self, owner: str, points: int) -> None:
        self.grants(owner=owner, points=points, cooling=0, lasts=3, again=False, stays=True)

    def now(self) -> datetime:
        self.tick += 1
        return at(self.day) + timedelta(seconds=self.tick)

    def fresh(self) -> str:
        self.number += 1
        return f"k{self.number:04}"

    def both(self, whose: str, modelled: Any, door: Any, **asked: Any) -> None:
        """Do it in the model and at the door; both refuse, for the same reason, or neither does."""
        person = self.people[whose]
        refusal = None
        try:
            modelled(person)
        except Refused as refused:
            refusal = refused.what
        if refusal is None:
            door(**asked)
            self.done.append((door, asked))
            return
        with pytest.raises(refusal), transaction.atomic():
            door(**asked)

    @rule(
        owner=owners,
        points=amounts,
        cooling=st.integers(0, 4),
        lasts=st.none() | st.integers(0, 6),
        again=st.booleans(),
        stays=st.booleans(),
    )
    def grants(self, owner: str, points: int, cooling: int, lasts: int | None, again: bool, stays: bool) -> None:
        person = self.people[owner]
        own = [lot.key for lot in person.lots if lot.granted]
        key = own[points % len(own)] if again and own else self.fresh()
        ready = self.day + cooling
        last = None if lasts is None else ready + lasts
        staying = lasts if stays and lasts else None
        if last is not None and staying is not None:
            last = person.lives_until(last, staying)
        now = self.now()
        item = Grant(
            book=BEIYUAN,
            key=self.fresh(),
            lot=key,
            owner=owner,
            points=points,
            cause="event/1",
            happened_at=at(0),
            event_key=key,
            available_from=start(ready),
            last_date=None if last is None else DAY_0 + timedelta(days=last),
            expires_at=None if last is None else start(last + 1),
            inactive_days=staying,
        )
        self.both(owner, lambda p: p.grant(key, points, ready, last, staying), grant, grants=[item], now=now)

    @rule(owner=owners, ago=st.integers(0, 6))
    def something_is_done(self, owner: str, ago: int) -> None:
        """It may come to be known some days later."""
        self.did(owner, max(0, self.day - ago))

    @precondition(lambda self: any(self.thought_gone(person) for person in self.people.values()))
    @rule(data=st.data())
    def what_was_thought_gone_is_kept(self, data: st.DataObject) -> None:
        """A deed comes to be known without which points have expired."""
        owner = data.draw(st.sampled_from([one for one, person in self.people.items() if self.thought_gone(person)]))
        lot = data.draw(st.sampled_from(self.thought_gone(self.people[owner])), label="lot")
        assert lot.last is not None
        self.did(owner, lot.last)

    def thought_gone(self, person: Person) -> list[Lot]:
        return [
            lot
            for lot in person.lots
            if lot.staying and lot.expired and lot.last is not None and lot.last < self.day <= lot.last + lot.staying
        ]

    def did(self, owner: str, day: int) -> None:
        """Told are the runs of all days that are known from this one on."""
        person = self.people[owner]
        runs = []
        for staying in sorted({lot.staying for lot in person.lots if lot.staying is not None}):
            known = sorted({one for one in person.did if one >= day} | {day})
            while known:
                first = last = known.pop(0)
                while known and known[0] <= last + staying:
                    last = known.pop(0)
                begins, ends = DAY_0 + timedelta(days=first), DAY_0 + timedelta(days=last + staying)
                runs.append(Active(BEIYUAN, owner, staying, begins, ends, start(last + staying + 1), "event/9"))
        self.both(owner, lambda p: p.does_something(day), postpone, runs=runs, now=self.now())

    @precondition(lambda self: any(lot.granted for p in self.people.values() for lot in p.lots))
    @rule(data=st.data(), points=amounts, whole=st.booleans())
    def takes_back(self, data: st.DataObject, points: int, whole: bool) -> None:
        places = [(o, lot) for o, p in self.people.items() for lot in p.lots if lot.granted]
        owner, lot = data.draw(st.sampled_from(places), label="lot")
        if whole:
            points = max(1, lot.granted - lot.reversed)
        item = Taking(book=BEIYUAN, key=self.fresh(), lot=lot.key, points=points, cause="event/2")
        self.both(owner, lambda p: p.take_back(lot.key, points), take_back, takings=[item], now=self.now())

    @rule(owner=owners, points=st.integers(0, 30), out=st.none() | st.integers(1, 5))
    def reserves(self, owner: str, points: int, out: int | None) -> None:
        key = self.fresh()
        until = None if out is None else self.day + out
        self.both(
            owner,
            lambda p: p.hold(key, points, until),
            hold,
            book=BEIYUAN,
            key=key,
            owner=owner,
            points=points,
            cause="request/1",
            now=self.now(),
            times_out_at=None if until is None else start(until),
            grace=None if until is None else self.grace(until, 7),
        )

    def grace(self, day: int, days: int) -> Grace:
        return Grace(DAY_0 + timedelta(days=day + days), start(day + days + 1))

    @precondition(lambda self: any(p.holds for p in self.people.values()))
    @rule(data=st.data(), deed=st.sampled_from(["settle", "settle part", "release", "refund"]), part=amounts)
    def resolves(self, data: st.DataObject, deed: str, part: int) -> None:
        places = [(o, key) for o, p in self.people.items() for key in p.holds]
        owner, key = data.draw(st.sampled_from(places), label="hold")
        asked: dict[str, Any] = {
            "book": BEIYUAN,
            "key": self.fresh(),
            "hold": key,
            "cause": "request/2",
            "now": self.now(),
            "grace": self.grace(self.day, 30 if deed == "refund" else 7),
        }
        if deed == "refund":
            self.both(owner, lambda p: p.refund(key), refund, **asked)
        elif deed == "release":
            self.both(owner, lambda p: p.settle(key, 0, "released"), release, **asked)
        else:
            points = part if deed == "settle part" else None
            self.both(owner, lambda p: p.settle(key, points, "settled"), settle, **asked, points=points)

    @rule(days=st.integers(1, 4))
    def time_passes(self, days: int) -> None:
        self.day += days
        for person in self.people.values():
            person.reach(self.day)

    @rule(job=st.sampled_from([mature, expire, time_out]))
    def a_job_runs(self, job: Any) -> None:
        job(now=self.now())

    @precondition(lambda self: self.done)
    @rule(data=st.data())
    def a_deed_is_repeated(self, data: st.DataObject) -> None:
        door, asked = data.draw(st.sampled_from(self.done), label="deed")
        door(**(asked | {"now": self.now()}))

    @invariant()
    def everybody_has_what_the_model_says(self) -> None:
        owners = list(self.people)
        now = at(self.day) + timedelta(seconds=self.tick)
        seen = points_of(book=BEIYUAN, owners=owners, now=now)
        life = lifetime_of(book=BEIYUAN, owners=owners, now=now)
        expiring = expiring_of(book=BEIYUAN, owners=owners, now=now)
        for owner, person in self.people.items():
            assert seen[owner] == person.seen()
            assert not (seen[owner].debt and seen[owner].available)
            assert life[owner].redeemed == person.redeemed
            assert life[owner].expired == sum(lot.expired for lot in person.lots)
            assert life[owner].net == sum(lot.granted - lot.reversed for lot in person.lots)
            dates: dict[Any, int] = {}
            for lot in person.lots:
                if lot.last is not None and lot.free:
                    last = DAY_0 + timedelta(days=lot.last)
                    dates[last] = dates.get(last, 0) + lot.free
            assert expiring[owner] == sorted(dates.items())

    @invariant()
    def the_ledger_holds(self) -> None:
        report = verify()
        assert report.holds, report.problems


@pytest.mark.django_db
class TestStory(Story.TestCase):  # type: ignore[misc, valid-type]
    settings = settings(
        max_examples=25,
        stateful_step_count=25,
        deadline=None,
        phases=[Phase.generate],
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
