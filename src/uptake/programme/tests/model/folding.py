"""The fold: what every event earns under every rule, and the level along event time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from math import prod

from uptake.programme.tests.model.asking import Asked, Person, run_at, unit_of, worth
from uptake.programme.tests.model.dates import DAY
from uptake.programme.tests.model.intake import Canon, Event, Id, Store, parts
from uptake.programme.tests.model.reading import Cap, Rule, Rulebook

Key = tuple[Id, str]
"""(event revision, lineage)."""


@dataclass(frozen=True)
class Award:
    """What one rule gives a person for one event."""

    event: Event
    lineage: str
    rank: int
    person: str
    points: int
    codes: tuple[str, ...]
    closes_at: datetime

    @property
    def key(self) -> Key:
        return (self.event.id, self.lineage)


@dataclass(frozen=True)
class Closed:
    """An award that stands: as it was at closing, the part then reversed, and what it was worth along event time."""

    award: Award
    part: Fraction
    course: tuple[tuple[Canon, int, Fraction], ...]
    """(up to which event, points, part reversed) for each step of event time known at closing."""


@dataclass(frozen=True)
class Grant:
    """Special points, given at an instant."""

    key: str
    person: str
    at: datetime
    date: date
    points: int


def half_up(exact: Fraction) -> int:
    return int((exact + Fraction(1, 2)) // 1)


def scaled(grant: int, part: Fraction, part_then: Fraction) -> int:
    """A closed award after its event's reversed part has changed."""
    return 0 if part_then == 1 else half_up(grant * (1 - part) / (1 - part_then))


@dataclass
class Fold:
    """Everything computed from what is stored and what is closed; nothing is kept from the fold before."""

    book: Rulebook
    people: Mapping[str, Person]
    store: Store
    closed: Mapping[Key, Closed]
    grants: Sequence[Grant]
    now: datetime
    events: list[Event] = field(init=False)
    parts: dict[Id, Fraction] = field(init=False)
    awards: dict[Key, Award] = field(init=False)
    levels: dict[str, int] = field(init=False)
    course: dict[Key, list[tuple[Canon, int, Fraction]]] = field(init=False)

    def __post_init__(self) -> None:
        self.events = self.store.standing()
        self.parts = parts(self.book, self.events)
        self.awards, self.levels, self.course = {}, {}, {}
        for person in self.people.values():
            before = self._walk(person)
            self.awards |= self._fold(person, self.events, self.parts, before)
        for key, award in self.awards.items():
            if not self.book.levels:
                self.course[key] = [(award.event.canon, award.points, self.parts[key[0]])]

    def _walk(self, person: Person) -> dict[Id, int]:
        """The level before each event of the person, along event time; leaves the level now and the courses."""
        before: dict[Id, int] = {}
        level = self.book.reached(0)
        if not self.book.levels:
            self.levels[person.id] = level
            return before
        undo = {entry.event for entry in self.book.reversals}
        calendar = self.book.programme.calendar
        steps: list[tuple[datetime, int, Canon, object]] = [
            (event.at, 1, event.canon, event)
            for event in self.events
            if event.name in undo or self.store.person_of(event) == person.id or self._closed_for(event, person)
        ]
        steps += [(grant.at, 2, (grant.at, "", grant.key), grant) for grant in self.grants if grant.person == person.id]
        ends = {day: calendar.start(day) for day in self.book.programme.season_ends}
        steps += [(at, 0, (at, "", ""), day) for day, at in ends.items() if at <= self.now]
        awards: dict[Key, Award] = {}
        granted: list[Grant] = []
        season = date.min
        for _at, _order, canon, step in sorted(steps, key=lambda one: one[:3]):
            if isinstance(step, Event):
                before[step.id] = level
                until = [event for event in self.events if event.canon <= canon]
                reversed_parts = parts(self.book, until)
                awards = self._fold(person, until, reversed_parts, before, canon)
                for key, award in awards.items():
                    self.course.setdefault(key, []).append((canon, award.points, reversed_parts[key[0]]))
            elif isinstance(step, Grant):
                granted.append(step)
            since = season if self.book.programme.levels_from == "season" else date.min
            points = sum(award.points for award in awards.values() if award.event.date >= since)
            points += sum(grant.points for grant in granted if grant.date >= since)
            if isinstance(step, date):
                level -= self.book.reached(points) < level
                season = step
            else:
                level = max(level, self.book.reached(points))
        self.levels[person.id] = level
        return before

    def _closed_for(self, event: Event, person: Person) -> bool:
        return any(key[0] == event.id and closed.award.person == person.id for key, closed in self.closed.items())

    def _fold(
        self,
        person: Person,
        events: Sequence[Event],
        reversed_parts: Mapping[Id, Fraction],
        levels: Mapping[Id, int],
        until: Canon | None = None,
    ) -> dict[Key, Award]:
        """All awards of a person from these events: the closed ones as they stand, the others in canonical order."""
        stand = self._standing_awards(person, reversed_parts, until)
        given = list(stand.values())
        awards = {key: award for key, award in stand.items() if key[0] in reversed_parts}
        kept: dict[tuple[str, object], dict[date, Id]] = {}
        past: list[Event] = []
        for event in events:
            if self.store.person_of(event) != person.id:
                continue
            history = [one for one in past if reversed_parts[one.id] < 1]
            past.append(event)
            asked = Asked(event, person, levels.get(event.id, -1), history, self.book)
            for rank, lineage in enumerate(self.book.lineages):
                rule = self.book.in_force(lineage, event.date)
                if rule is None or event.name not in rule.on:
                    continue
                code = self._refusal(asked, rule, reversed_parts[event.id], kept)
                if (event.id, lineage) in self.closed:
                    continue
                points, codes = (0, [code]) if code else self._price(asked, rule, reversed_parts[event.id], given)
                award = self._award(asked, rule, rank, points, codes)
                awards[award.key] = award
                given.append(award)
        return awards

    def _standing_awards(
        self, person: Person, reversed_parts: Mapping[Id, Fraction], until: Canon | None
    ) -> dict[Key, Award]:
        """The closed awards of the person: what they are worth now, or were up to an event of the past."""
        found: dict[Key, Award] = {}
        for key, closed in self.closed.items():
            award = closed.award
            if award.person != person.id or key[0] not in self.parts:
                continue
            grant, part_then, part = award.points, closed.part, self.parts[key[0]]
            if until is not None and key[0] in reversed_parts:
                known = [step for step in closed.course if step[0] <= until]
                if known:
                    _, grant, part_then = known[-1]
                part = reversed_parts[key[0]]
            codes = award.codes
            late = ("late",) if "late" in codes else ()
            if part == 1 and part_then < 1:
                codes = (*late, "reversed")
            elif grant and part > part_then and "partial_reversal" not in codes:
                codes = (*codes, "partial_reversal")
            found[key] = Award(
                award.event, award.lineage, award.rank, person.id, scaled(grant, part, part_then), codes,
                award.closes_at,
            )  # fmt: skip
        return found

    def _refusal(
        self, asked: Asked, rule: Rule, part: Fraction, kept: dict[tuple[str, object], dict[date, Id]]
    ) -> str | None:
        """Step 1. Also notes the unit of a streak that the event keeps."""
        if part == 1:
            return "reversed"
        passes = all(asked.holds(condition, rule.on) for condition in rule.when)
        milestone = True
        if rule.streak and passes:
            units = kept.setdefault((rule.lineage, rule.run_key), {})
            unit = unit_of(self.book, rule, asked.event.date)
            first = units.setdefault(unit, asked.event.id) == asked.event.id
            run = run_at(self.book, asked.person, rule, units, unit)
            milestone = first and run > 0 and run % rule.streak.length == 0
        if asked.event.history_only:
            return "history_only"
        if not passes:
            return "condition"
        return None if milestone else "streak"

    def _price(self, asked: Asked, rule: Rule, part: Fraction, given: Sequence[Award]) -> tuple[int, list[str]]:
        """Steps 2 to 5, beside what is given already (closed awards of any time, others of earlier events)."""
        event = asked.event
        base, code = worth(rule, event)
        if code:
            return 0, [code]
        gap = timedelta(seconds=rule.cooldown)
        if any(one.lineage == rule.lineage and one.points > 0 and abs(event.at - one.event.at) < gap for one in given):
            return 0, ["cooldown"]
        codes = []
        factors = [
            multiplier.factor
            for multiplier in self.book.multipliers
            if multiplier.fits(event.date, event.name)
            and all(asked.holds(condition, rule.on) for condition in multiplier.when)
        ]
        most = self.book.programme.stacked_at_most
        factor = max(factors, default=Fraction(1)) if most is None else min(most, prod(factors, start=Fraction(1)))
        if factor > 1:
            codes.append("multiplier")
        if part > 0:
            codes.append("partial_reversal")
        points = half_up(base * factor * (1 - part))
        if points == 0:
            return 0, [*codes, "zero"]
        for prefix, lineages, cap in self._caps(asked.person, rule, event.date):
            period = self._period(event.date, cap)
            there = [
                one
                for one in given
                if one.points > 0 and one.lineage in lineages and self._period(one.event.date, cap) == period
            ]
            if cap.points is not None:
                room = min(points, max(0, cap.points - sum(one.points for one in there)))
            else:
                assert cap.times is not None
                room = 0 if len(there) >= cap.times else points
            if room < points:
                codes.append(f"{prefix}cap_{cap.every}")
                points = room
        return points, codes

    def _period(self, day: date, cap: Cap) -> date | None:
        return self.book.programme.calendar.period(day, cap.every)

    def _caps(self, person: Person, rule: Rule, day: date) -> list[tuple[str, Sequence[str], Cap]]:
        """All caps that fit, in their order: the rule's, the groups', the person's."""
        role = person.on(day, "role")
        found: list[tuple[str, Sequence[str], Cap]] = [("", (rule.lineage,), cap) for cap in rule.cap]
        for group in self.book.groups:
            if rule.lineage in group.rules:
                found += [("group_", group.rules, cap) for cap in group.cap]
        found += [("person_", self.book.lineages, cap) for cap in self.book.person_cap]
        return [one for one in found if one[2].fits(day, role)]

    def _award(self, asked: Asked, rule: Rule, rank: int, points: int, codes: list[str]) -> Award:
        event, programme = asked.event, self.book.programme
        caps = [cap for _prefix, _lineages, cap in self._caps(asked.person, rule, event.date)]
        ends = [programme.calendar.end(event.date, cap.every) for cap in caps if cap.every != "ever"]
        end = max([event.date + DAY, *ends])
        closes_at = programme.calendar.start(end + programme.lateness_days * DAY)
        late = event.accepted_late or (event.mapped_at is not None and closes_at <= event.mapped_at)
        if late and not event.history_only:
            codes = ["late", *codes]
        return Award(event, rule.lineage, rank, asked.person.id, points, tuple(codes), closes_at)
