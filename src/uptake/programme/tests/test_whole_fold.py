"""The fold of the whole rulebook says what the model says: at every step of every case file, and of random stories.

The model knows nothing of the product and computes everything anew; the product's fold is given the same events and
the same closed awards.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uptake.basics.business_day import start_of
from uptake.programme.boards import Earned, board
from uptake.programme.evaluate import DayRules, Outcome
from uptake.programme.kept import Kept, kept_of, kept_to_plain, needs_of
from uptake.programme.lot_dates import lot_dates
from uptake.programme.person_fold import Folded, Keeping, Seasons, Special, Step, Stood, fold_person
from uptake.programme.rulebook import Rulebook
from uptake.programme.rulebook_reading import parse_rulebook
from uptake.programme.rulebook_refusals import RulebookRefused
from uptake.programme.rulebook_writing import to_file
from uptake.programme.standing import JudgedEvent, Standing
from uptake.programme.tests.model.folding import Closed
from uptake.programme.tests.model.intake import Canon, Event
from uptake.programme.tests.model.lots import NEVER, Ledger
from uptake.programme.tests.model.play import World, exact, played
from uptake.programme.tests.model.reading import read
from uptake.programme.tests.test_model import rulebooks, stories

pytestmark = pytest.mark.once

OWN = Path(__file__).parent / "cases"
DESIGN = Path(__file__).resolve().parents[5] / "shared" / "design" / "cases" / "points"
FILES = sorted([*OWN.glob("*.json"), *DESIGN.glob("*.json")])


class Beside:
    """The product's fold of a model's world, person by person."""

    def __init__(self, world: World, rulebook: Rulebook) -> None:
        self.world, self.rulebook = world, rulebook
        ids = sorted({event.id for event in world.store.events.values()} | {key[0] for key in world.closed})
        self.ids = {one: number for number, one in enumerate(ids, start=1)}
        self.names = {number: one for one, number in self.ids.items()}
        self.rules_on = lru_cache(maxsize=None)(lambda day: DayRules(rulebook, day))

    def judged(self, event: Event, person: str | None) -> JudgedEvent:
        world = self.world
        who = world.people.get(person or "")
        told = {
            name: float(value) if isinstance(value, Decimal) and value == Decimal(repr(float(value))) else value
            for name, value in event.facts.items()
        }
        return JudgedEvent(
            self.ids[event.id], event.name, event.at, event.source, event.key, event.date, told,
            history_only=event.history_only,
            reversed=event not in world.fold.events,
            late=event.accepted_late,
            standing=Standing(who.on(event.date, "department"), who.on(event.date, "role"), who.tenure(event.date))
            if who
            else Standing(),
            object=event.object,
            joined_at=event.mapped_at,
        )  # fmt: skip

    def stood(self, closed: Closed) -> Stood:
        award = closed.award
        course = tuple(Step(self.order(canon), points, part) for canon, points, part in closed.course)
        return Stood(
            self.judged(award.event, award.person), award.rank, award.lineage, 0, award.points, closed.part,
            award.codes, {}, course,
        )  # fmt: skip

    def order(self, canon: Canon) -> Any:
        found = [self.ids[event.id] for event in self.world.fold.events if event.canon == canon]
        return (*canon, *(found or [0]))

    def folded(self, person: str, start: Kept | None = None, keeping: Keeping | None = None) -> Folded:
        """`start`: only what comes behind that place is given."""
        world, programme = self.world, self.rulebook.programme
        out = [one for one in world.store.events.values() if not one.waits]
        own = [self.judged(one, person) for one in out if world.store.person_of(one) == person]
        others = [self.judged(one, None) for one in out if world.store.person_of(one) != person]
        own, others = ([one for one in some if start is None or one.order > start.until] for some in (own, others))
        keys = {
            (self.ids[key[0]], key[1]): closed
            for key, closed in world.closed.items()
            if start is None or self.judged(closed.award.event, None).order > start.until
        }
        ends = [(world.book.programme.calendar.start(day), day) for day in programme.season_ends]
        return fold_person(
            own,
            self.rules_on,
            others=others,
            stood={key: self.stood(closed) for key, closed in keys.items() if closed.award.person == person},
            settled=[key for key, closed in keys.items() if closed.award.person != person],
            leave=_leave(world.people[person].told),
            seasons=Seasons(
                self.rulebook.levels,
                programme.levels_from == "season",
                tuple((at, day) for at, day in ends if at <= world.clock),
            ),
            specials=[Special(one.at, one.key, one.date, one.points) for one in world.grants if one.person == person],
            start=start,
            keeping=keeping,
        )

    def compare_kept(self) -> None:
        """From every place that can be kept on, the fold says what it says from empty."""
        keeping = Keeping(needs_of(self.rulebook), [date(2026, 6, day) for day in range(2, 8)])
        for person in self.world.people:
            whole = self.folded(person, keeping=keeping)
            for kept in whole.kept:
                read = kept_of(json.loads(json.dumps(kept_to_plain(kept))))
                assert read == kept
                later = self.folded(person, start=read, keeping=keeping)
                assert _later(later, kept) == _later(whole, kept)
                assert (later.level, later.points) == (whole.level, whole.points)
                assert list(later.kept) == [one for one in whole.kept if one.until > kept.until]

    def compare(self) -> None:
        earned = [
            Earned(one.person, one.points, one.at) for one in self.world.grants if self.on_board(one.date, one.person)
        ]
        for person in self.world.people:
            folded = self.folded(person)
            standing = [one for one in folded.outcomes if not one.event.reversed]
            model = {key: award for key, award in self.world.fold.awards.items() if award.person == person}
            assert {self.key(one): (one.points, one.reasons) for one in standing} == {
                key: (award.points, award.codes) for key, award in model.items()
            }
            assert {self.key(one): folded.closings[one.key] for one in standing if one.key in folded.closings} == {
                key: award.closes_at for key, award in model.items() if key not in self.world.closed
            }
            assert folded.level == self.world.fold.levels[person] or not self.rulebook.levels
            if self.rulebook.levels:
                courses = {self.key(one): folded.courses[one.key] for one in standing if one.key in folded.courses}
                assert {key: _steps(course) for key, course in courses.items()} == {
                    key: _steps(
                        [Step(self.order(canon), points, part) for canon, points, part in self.world.fold.course[key]]
                    )
                    for key in model
                    if key in self.world.fold.course
                }
            json.dumps([one.explanation for one in standing])
            earned += [
                Earned(person, one.points, one.event.at) for one in standing if self.on_board(one.event.date, person)
            ]
        if self.world.board_asked:
            assert [list(place) for place in board(earned)] == self.world.board_now()

    def key(self, outcome: Outcome) -> Any:
        return (self.names[outcome.event.id], outcome.rule)

    def on_board(self, day: date, person: str) -> bool:
        asked = self.world.board_asked
        if not asked or not date.fromisoformat(asked["from"]) <= day < date.fromisoformat(asked["until"]):
            return False
        wanted = asked.get("department")
        return not wanted or self.world.people[person].on(day, "department") == wanted


def _leave(told: dict[str, Any]) -> set[date]:
    found = set()
    for span in told.get("leave", ()):
        day, until = date.fromisoformat(span["from"]), date.fromisoformat(span["until"])
        while day < until:
            found.add(day)
            day += timedelta(days=1)
    return found


def _steps(course: Sequence[Step]) -> list[Step]:
    """The course without the steps at which nothing changed."""
    found: list[Step] = []
    for step in course:
        if not found or found[-1][1:] != step[1:]:
            found.append(step)
    return found


def _later(folded: Folded, kept: Kept) -> list[Any]:
    """What is told of the events behind a place."""
    outcomes = [one for one in folded.outcomes if one.event.order > kept.until]
    return [(one[1:], folded.closings.get(one.key), folded.courses.get(one.key)) for one in outcomes]


def load(file: Path) -> dict[str, Any]:
    case: dict[str, Any] = json.loads(file.read_text(), parse_float=Decimal)
    return case


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_step_of_a_case_file_is_as_the_model_says(file: Path) -> None:
    case = exact(load(file))
    if case["expected"].get("error"):
        with pytest.raises(RulebookRefused):
            parse_rulebook(case["rulebook"])
        return
    rulebook = parse_rulebook(case["rulebook"])

    for name, seed in [(None, 0), *((name, 1) for name in case["also"])]:
        played(case, name, seed, watch=lambda world: Beside(world, rulebook).compare())
    played(case, watch=lambda world: Beside(world, rulebook).compare_kept())


@given(case=stories())
@settings(max_examples=30)
def test_every_step_of_a_random_story_is_as_the_model_says(case: dict[str, Any]) -> None:
    rulebook = parse_rulebook(exact(case["rulebook"]))

    played(case, watch=lambda world: Beside(world, rulebook).compare())


@given(case=stories())
@settings(max_examples=30)
def test_what_is_kept_says_what_the_whole_says(case: dict[str, Any]) -> None:
    rulebook = parse_rulebook(exact(case["rulebook"]))

    played(case, watch=lambda world: Beside(world, rulebook).compare_kept())


@given(
    plain=rulebooks(),
    day=st.dates(date(2023, 12, 1), date(2028, 3, 31)),
    after=st.integers(0, 40),
    expires=st.sampled_from(["never", {"days": 0}, {"days": 45}, {"end_of": "month"}, {"end_of": "year"}]),
    month=st.integers(1, 12),
)
def test_points_can_be_spent_when_the_model_says(
    plain: dict[str, Any], day: date, after: int, expires: Any, month: int
) -> None:
    plain["programme"] |= {"fiscal_year_start": month, "timezone": "Europe/Berlin", "day_start": "02:30"}
    plain["rules"][0] |= {"available_after_days": after, "expires": expires}
    plain = exact(plain)
    rulebook = parse_rulebook(plain)
    ledger = Ledger(read(plain).programme)
    at = start_of(day, "Europe/Berlin")
    lot = ledger.open("k", "lin", day, at, after, read(plain).rules[0].expires, ())

    found = lot_dates(rulebook.programme, rulebook.rules[0], day)

    assert found.available_from == (lot.begins_at if after else None)
    assert (found.last_date or NEVER) == lot.last
    assert found.expires_at == (lot.dies_at if expires != "never" else None)


@given(rulebooks())
def test_whole_rulebook_written_and_read_is_the_same(plain: dict[str, Any]) -> None:
    rulebook = parse_rulebook(exact(plain))

    assert parse_rulebook(to_file(rulebook)) == rulebook
