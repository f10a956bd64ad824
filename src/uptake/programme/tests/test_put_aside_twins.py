"""A company that was put aside and caught up has what it would have if nothing had failed: told twice, compared."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest

from tests.cast import LONG_AGO, NOW, Cast, build_cast, person, place
from uptake.directory.models import Identity, Kind, Membership, Organization, Person
from uptake.directory.scope import EVERYTHING
from uptake.events.happening import Happening
from uptake.events.identify import identify
from uptake.events.models import Batch, Connection
from uptake.events.moved import follow_moved
from uptake.events.record import record
from uptake.events.withdraw import withdraw
from uptake.ledger.models import Account
from uptake.ledger.verify import verify
from uptake.programme import consider
from uptake.programme.consider import catch_up_due, consider_new_events
from uptake.programme.models import Award, MeritChange, PersonLevel, PutAside
from uptake.programme.post_differences import insert_awards, post
from uptake.programme.publish import publish
from uptake.programme.throwaway import throwaway_database

pytestmark = [pytest.mark.django_db, pytest.mark.once]

PLAIN: dict[str, Any] = {
    "rules": [
        {
            "rule": "orders", "version": 1, "from": "2026-01-01", "on": "order.processed", "points": {"per": "lines"},
            "cap": [{"points": 40, "every": "day"}], "title": "Order processed",
        },
        {
            "rule": "first", "version": 1, "from": "2026-01-01", "on": "order.processed", "points": 5,
            "cap": [{"times": 1, "every": "week"}], "title": "First of the week",
        },
    ],
}  # fmt: skip
LOOKING_BACK: dict[str, Any] = {
    **PLAIN,
    "reversals": [{"event": "order.cancelled", "undoes": ["order.processed"]}],
    "levels": [{"name": "bronze", "at": 20}, {"name": "silver", "at": 60}],
}
COMPANIES = ("beiyuan", "qinghe", "dongshan")
STEPS = 40


@dataclass
class Story:
    """A random story, the same for the same seed; only the last argument says whether anything fails in it."""

    rulebook: dict[str, Any]
    seed: int
    fails: bool
    pace: timedelta
    now: datetime = NOW
    told: list[Happening] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    seen_aside: int = 0

    def run(self) -> dict[str, Any]:
        chance = random.Random(self.seed)
        self._begin()
        for _step in range(STEPS):
            self.now += self.pace * chance.randint(1, 10)
            self._something(chance)
            self.broken = {one for one in COMPANIES if chance.random() < 0.35}
            if chance.random() < 0.7:
                self._consider()
        self.broken = set()
        self.now += timedelta(hours=2)
        self._consider()
        assert not PutAside.objects.exists()
        assert verify().holds
        return state()

    def _consider(self) -> None:
        with self._planted():
            while consider_new_events(now=self.now):
                pass
            catch_up_due(now=self.now + timedelta(hours=1))
            self.seen_aside += PutAside.objects.failed().count()

    @contextmanager
    def _planted(self) -> Iterator[None]:
        """Writing awards of a broken company fails."""
        ids = set(Organization.objects.filter(slug__in=self.broken).values_list("pk", flat=True)) if self.fails else ()

        def inserting(awards: Any, now: datetime) -> None:
            assert not any(one.company_id in ids for one in awards), "planted"
            insert_awards(awards, now)

        def posting(differences: Any, now: datetime) -> None:
            assert not any({one.award.company_id, one.former_company} & set(ids) for one in differences), "planted"
            post(differences, now)

        with patch.object(consider, "insert_awards", inserting), patch.object(consider, "post", posting):
            yield

    def _begin(self) -> None:
        self.cast: Cast = build_cast()
        dongshan = place(kind=Kind.COMPANY, name="Dongshan Glass", slug="dongshan", parent=self.cast.park)
        self.homes = {"beiyuan": self.cast.beiyuan, "qinghe": self.cast.qinghe, "dongshan": dongshan}
        for slug, home in self.homes.items():
            Organization.objects.filter(pk=home.pk).update(slug=slug)
        people = [self.cast.lin, self.cast.hua, self.cast.mo, person(name="Tan Wen", at=dongshan)]
        self.people: list[Person] = people
        publish(
            rulebook=self.rulebook, organization=self.cast.park, in_force_date=date(2020, 1, 1), by=EVERYTHING, now=NOW
        )
        self.group = Connection.objects.create(
            slug="group", kind="api", name="Group", organization=self.cast.park, created_at=NOW
        )
        for number, who in enumerate(people):
            Identity.objects.create(
                source="group", external_id=f"p{number}", company=self.cast.park, person=who, first_seen_at=NOW
            )
        Identity.objects.create(source="group", external_id="p9", company=self.cast.park, first_seen_at=NOW)

    def _something(self, chance: random.Random) -> None:
        what = chance.random()
        if what < 0.6:
            self._record([self._happening(chance) for _ in range(chance.randint(1, 4))], chance.random() < 0.2)
        elif what < 0.72 and self.told:
            before = chance.choice(self.told)
            again = Happening(
                before.event, before.key, before.at, before.person, before.object, {"lines": chance.randint(0, 30)},
                company=chance.choice([before.company, *COMPANIES]), revision=before.revision + 1,
            )  # fmt: skip
            self._record([again], False)
        elif what < 0.84:
            identity = chance.choice(list(Identity.objects.filter(source="group").order_by("pk")))
            if identity.person_id is not None:
                identify(identity=identity, person=None, by=EVERYTHING, now=self.now)
                identity.refresh_from_db()
            identify(identity=identity, person=chance.choice(self.people), by=EVERYTHING, now=self.now)
        elif what < 0.94:
            who = chance.choice(self.people)
            Membership.objects.filter(person=who).delete()
            Membership.objects.create(person=who, organization=self.homes[chance.choice(COMPANIES)], from_date=LONG_AGO)
            follow_moved(person=who, by=EVERYTHING, now=self.now)
        else:
            batches = list(Batch.objects.filter(corrections__isnull=True).order_by("pk"))
            if batches:
                withdraw(batch=chance.choice(batches), by=EVERYTHING, now=self.now)

    def _happening(self, chance: random.Random) -> Happening:
        thing = f"O{chance.randint(1, 12)}"
        return Happening(
            chance.choice(["order.processed"] * 4 + ["order.cancelled"]),
            f"k{len(self.told)}-{chance.randint(0, 10**9)}",
            self.now - timedelta(minutes=chance.randint(0, 2000)),
            f"p{chance.choice([0, 1, 2, 3, 9])}",
            thing,
            {"lines": chance.randint(1, 30)},
            company=chance.choice([None, None, *COMPANIES]),
        )

    def _record(self, happenings: list[Happening], in_batch: bool) -> None:
        batch = None
        if in_batch:
            batch = Batch.objects.create(connection=self.group, created_at=self.now)
        record(happenings, connection=self.group, now=self.now, batch=batch)
        self.told += happenings


def state() -> dict[str, Any]:
    """What stands: awards, levels, balances and what boards are told, but for when and in how many steps it came."""
    names = dict(Organization.objects.values_list("pk", "name"))
    gains: dict[Any, int] = {}
    for row in MeritChange.objects.all():
        key = (row.company_id, row.person_id, row.date)
        gains[key] = gains.get(key, 0) + row.points
    return {
        "awards": {
            (one.event.key, one.event.revision, one.rule): (
                one.person.name, names[one.company_id], one.date, one.points, one.reasons, one.explanation, one.version,
            )
            for one in Award.objects.select_related("event", "person")
        },
        "levels": {
            (one.person.name, names[one.company_id]): (one.rank, one.points)
            for one in PersonLevel.objects.select_related("person").exclude(rank=-1, points=0)
        },
        "balances": {
            (names[one.book], one.code): one.balance for one in Account.objects.filter(balance__gt=0)
        },
        "boards": {key: points for key, points in gains.items() if points},
    }  # fmt: skip


@pytest.mark.parametrize("seed", [100, 105, 109, 112])
@pytest.mark.parametrize(
    ("rulebook", "pace"),
    [(PLAIN, timedelta(minutes=1)), (PLAIN, timedelta(hours=1)), (LOOKING_BACK, timedelta(minutes=1))],
    ids=["plain", "plain, within weeks", "looking back"],
)
def test_it_comes_to_what_it_would_have_been(rulebook: dict[str, Any], seed: int, pace: timedelta) -> None:
    told = []
    for fails in (False, True):
        with throwaway_database():
            story = Story(rulebook, seed, fails, pace)
            told.append(story.run())
            assert (story.seen_aside > 0) == fails, "a story that fails is one in which somebody is put aside"
    assert told[1] == told[0]
