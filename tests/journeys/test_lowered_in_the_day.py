"""A rule is lowered in the middle of a day: what happened before is judged as before, whenever it comes in.

Beiyuan lives through the day as it goes. Qinghe is told the same from empty: first the rulebooks, then all that
happened, in any order and with copies. Both must come to the same.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

import pytest

from tests.cast import NOW, TODAY, Cast
from uptake.directory.models import Organization, Person
from uptake.directory.scope import EVERYTHING
from uptake.events.happening import Happening
from uptake.events.identify import identify
from uptake.events.models import Connection, Event
from uptake.events.record import record
from uptake.jobs.whole_ledger import verify_everything
from uptake.ledger.models import Account, Lot
from uptake.programme import verify_kept
from uptake.programme.consider import consider_new_events
from uptake.programme.explain import explain_event
from uptake.programme.governance.lower_at_once import lower_at_once
from uptake.programme.merits.keep_boards import keep_boards
from uptake.programme.merits.models import Score
from uptake.programme.models import Award, KeptFold, PersonLevel, RulebookVersion
from uptake.programme.publish import publish
from uptake.programme.sentences import Labels

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO_AT = datetime(2025, 1, 1, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
T = NOW + 2 * HOUR
"""Noon, when the rule is lowered."""
END = T + timedelta(days=3)
ORDERS: dict[str, Any] = {
    "rule": "orders", "version": 1, "from": "2026-01-01", "on": "order.processed", "points": {"per": "lines"},
    "cap": [{"points": 100, "every": "day"}],
}  # fmt: skip
PLAIN: dict[str, Any] = {"rules": [ORDERS]}
WHOLE: dict[str, Any] = {
    "rules": [
        ORDERS,
        {
            "rule": "second day", "version": 1, "from": "2026-01-01", "on": "order.processed", "points": 7,
            "streak": {"every": "day", "length": 2},
        },
        {
            "rule": "now and then", "version": 1, "from": "2026-01-01", "on": "order.processed", "points": 1,
            "cooldown_seconds": 3600,
        },
    ],
    "levels": [{"name": "bronze", "at": 0}, {"name": "silver", "at": 70}, {"name": "gold", "at": 95}],
    "reversals": [{"event": "order.cancelled", "undoes": ["order.processed"]}],
}  # fmt: skip


class Deed(NamedTuple):
    """An order of some lines, or a cancellation, and when it comes in."""

    key: str
    at: datetime
    lines: int = 0
    comes: datetime | None = None
    cancels: str = ""


STORY = [
    Deed("yesterday", T - 24 * HOUR, 10),
    Deed("a", T - 90 * MINUTE, 20),
    Deed("b", T - 60 * MINUTE, 30),
    Deed("c", T - 1 * MINUTE, 5),
    Deed("d", T, 20),
    Deed("e", T + 30 * MINUTE, 30),
    Deed("late from before", T - 30 * MINUTE, 40, comes=T + 40 * MINUTE),
    Deed("late from after", T + 10 * MINUTE, 8, comes=T + 50 * MINUTE),
    Deed("void", T + HOUR, cancels="b"),
    Deed("tomorrow", T + 24 * HOUR, 90),
]


class Company:
    """One company with one person at work, and what it comes to."""

    def __init__(self, cast: Cast, company: Organization, worker: Person, name: str, book: dict[str, Any]) -> None:
        self.company, self.worker, self.name = company, worker, name
        self.external = cast.identities[name].external_id
        self.connection = Connection.objects.filter(slug="orders").first() or Connection.objects.create(
            slug="orders", kind="api", name="Orders", organization=cast.park, created_at=LONG_AGO_AT
        )
        publish(rulebook=book, organization=company, in_force_date=date(2020, 1, 1), by=EVERYTHING, now=LONG_AGO_AT)

    def tell(self, deed: Deed, now: datetime, *, who: str | None = None) -> None:
        name = "order.cancelled" if deed.cancels else "order.processed"
        thing = f"{self.name} {deed.cancels or deed.key}"
        happening = Happening(
            name, f"{self.name} {deed.key}", deed.at, who or self.external, thing, {"lines": deed.lines},
            company=self.company.slug,
        )  # fmt: skip
        record([happening], connection=self.connection, now=now)

    def event(self, key: str) -> Event:
        return Event.objects.get(key=f"{self.name} {key}")

    def points(self, rule: str = "orders") -> dict[str, int]:
        rows = Award.objects.filter(company=self.company, rule=rule)
        return {key.removeprefix(f"{self.name} "): points for key, points in rows.values_list("event__key", "points")}

    def comes_to(self) -> dict[str, Any]:
        rows = Award.objects.filter(company=self.company).order_by("happened_at", "rule")
        awards = []
        for one in rows.select_related("event", "rulebook"):
            told = {name: value for name, value in one.explanation.items() if name != "course"}
            lots = Lot.objects.filter(book=self.company.pk, key__startswith=f"award/{one.event_id}/{one.rule}/")
            stands = sum(lot.amount - lot.reversed for lot in lots)
            key = one.event.key.removeprefix(self.name)
            awards.append((key, one.rule, one.version, one.rulebook.number, one.points, one.reasons, told, stands))
        accounts = Account.objects.filter(book=self.company.pk, code__startswith=f"person/{self.worker.pk}/")
        scores = Score.objects.filter(person=self.worker).order_by("period", "starts", "place_id")
        return {
            "awards": awards,
            "balances": {one.code.rsplit("/", 1)[1]: one.balance for one in accounts if one.balance},
            "level": list(PersonLevel.objects.filter(person=self.worker).values_list("rank", "points")),
            "boards": sorted(scores.filter(place=self.company).values_list("period", "starts", "points")),
        }


def lower(cast: Cast, **more: int) -> RulebookVersion:
    lower_at_once(
        organization=cast.beiyuan, rule="orders", title="Less", why="A script.", by=cast.viewer(cast.ke), now=T,
        **more,
    )  # fmt: skip
    return RulebookVersion.objects.get(organization=cast.beiyuan, number=2)


def lived(cast: Cast, book: dict[str, Any], **more: int) -> Company:
    """Beiyuan's days as they went: each event is considered when it comes in."""
    company = Company(cast, cast.beiyuan, cast.lin, "lin", book)
    steps: list[tuple[datetime, Deed | None]] = [(deed.comes or deed.at, deed) for deed in STORY]
    for now, deed in sorted([*steps, (T, None)], key=lambda step: (step[0], step[1] is not None)):
        if deed is None:
            lower(cast, **more)
            continue
        company.tell(deed, now)
        consider_new_events(now=now)
    return company


def told_again(cast: Cast, book: dict[str, Any], seed: int) -> Company:
    """Qinghe's, from empty: the rulebooks of Beiyuan, then all that happened, shuffled and some of it twice."""
    company = Company(cast, cast.qinghe, cast.mo, "mo", book)
    version = RulebookVersion.objects.get(organization=cast.beiyuan, number=2)
    assert version.in_force_at is not None
    publish(
        rulebook=version.file, organization=cast.qinghe, in_force_date=TODAY, by=EVERYTHING, now=version.in_force_at,
        at_once=True,
    )  # fmt: skip
    chance = Random(seed)
    deeds = [*STORY, *chance.sample(STORY, 4)]
    chance.shuffle(deeds)
    for deed in deeds:
        company.tell(deed, END)
        if chance.random() < 0.4:
            consider_new_events(now=END)
    consider_new_events(now=END)
    return company


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("more", [{"points": 25, "per_day": 60}, {}], ids=["lowered", "off"])
@pytest.mark.parametrize("book", [PLAIN, WHOLE], ids=["a date alone", "looking back"])
def test_told_from_empty_the_day_comes_to_what_it_came_to(
    cast: Cast, book: dict[str, Any], more: dict[str, int], seed: int
) -> None:
    ours = lived(cast, book, **more)
    theirs = told_again(cast, book, seed)
    consider_new_events(now=END)
    while keep_boards(now=END):
        pass

    assert ours.comes_to()["boards"]
    assert theirs.comes_to() == ours.comes_to()
    report = verify_everything()
    assert report.holds, report.problems
    assert KeptFold.objects.exists() is (book is WHOLE)
    assert [verify_kept.problems_of(one.company.pk) for one in (ours, theirs)] == [[], []]


def test_the_limits_of_its_own_instant_judge_each_event_and_nothing_is_taken_back(cast: Cast) -> None:
    ours = lived(cast, WHOLE, points=25, per_day=60)
    before = ours.points()

    # Before noon 100 a day: 20 + 40 + 5, and 30 of an order that was cancelled. After noon at most 25 each, and 60 a
    # day of which 65 were used.
    assert before == {
        "yesterday": 10, "a": 20, "b": 0, "late from before": 40, "c": 5, "d": 0, "late from after": 0, "e": 0,
        "tomorrow": 25,
    }  # fmt: skip
    ours.tell(Deed("void a", T + 2 * HOUR, cancels="late from before"), END)
    consider_new_events(now=END)

    # 25 are used before noon; after noon there is room for 20, 8 and 7.
    assert {key: points for key, points in ours.points().items() if points != before[key]} == {
        "late from before": 0, "d": 20, "late from after": 8, "e": 7,
    }  # fmt: skip
    assert verify_kept.problems_of(cast.beiyuan.pk) == []


def test_who_is_known_after_the_day_has_closed_gets_what_the_rule_of_the_instant_left(cast: Cast) -> None:
    ours = Company(cast, cast.beiyuan, cast.lin, "lin", PLAIN)
    ours.tell(Deed("a", T - HOUR, 70), T - HOUR)
    ours.tell(Deed("unknown, before", T - MINUTE, 20), T - MINUTE, who="somebody")
    consider_new_events(now=T - MINUTE)
    lower(cast, per_day=90)
    ours.tell(Deed("unknown, after", T + MINUTE, 20), T + MINUTE, who="somebody")
    consider_new_events(now=T + MINUTE)
    later = T + timedelta(days=20)

    identity = ours.event("unknown, after").identity
    assert identity is not None
    identify(identity=identity, person=cast.lin, by=EVERYTHING, now=later)
    consider_new_events(now=later)

    assert ours.points() == {"a": 70, "unknown, before": 20, "unknown, after": 0}
    assert verify_everything().holds


def test_what_was_paid_to_a_clock_that_runs_ahead_stays_and_the_rest_is_lowered(cast: Cast) -> None:
    ours = Company(cast, cast.beiyuan, cast.lin, "lin", PLAIN)
    ours.tell(Deed("ahead", T + 3 * MINUTE, 10), T)
    consider_new_events(now=T)

    version = lower(cast)
    ours.tell(Deed("again", T + 4 * MINUTE, 10), T + MINUTE)
    ours.tell(Deed("before", T + 2 * MINUTE, 5), T + 5 * MINUTE)
    consider_new_events(now=T + 5 * MINUTE)

    assert version.in_force_at == T + 3 * MINUTE + timedelta(microseconds=1)
    assert ours.points() == {"ahead": 10, "before": 5}


def test_lowered_twice_each_part_of_the_day_has_its_rules_and_says_so(cast: Cast) -> None:
    ours = Company(cast, cast.beiyuan, cast.lin, "lin", PLAIN)
    lower(cast, points=8)
    lower_at_once(
        organization=cast.beiyuan, rule="orders", title="Off", why="Again.", by=cast.viewer(cast.ke), now=T + HOUR
    )
    for hours, key in enumerate(("first", "second", "third")):
        ours.tell(Deed(key, T - MINUTE + hours * HOUR, 10), END)
    consider_new_events(now=END)

    assert ours.points() == {"first": 10, "second": 8}
    codes = [explain_event(ours.event(key), Labels()).code for key in ("first", "second", "third")]
    assert codes == ["awarded", "awarded", "no_rule"]


def test_what_the_park_lowers_holds_in_its_companies_from_the_same_instant(cast: Cast) -> None:
    connection_of = Company(cast, cast.park, cast.ren, "ren", PLAIN)
    connection_of.company, connection_of.external = cast.qinghe, cast.identities["mo"].external_id
    file = {"rules": [{**ORDERS, "cap": [{"points": 15, "every": "day"}]}]}
    publish(rulebook=file, organization=cast.park, in_force_date=TODAY, by=EVERYTHING, now=T, at_once=True)
    for key, at in (("before", T - MINUTE), ("after", T + MINUTE)):
        connection_of.tell(Deed(key, at, 20), END)
    consider_new_events(now=END)

    assert connection_of.points() == {"before": 20, "after": 0}
