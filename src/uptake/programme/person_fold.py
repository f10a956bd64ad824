"""The fold of all that one person did: rules that look beyond a date, awards that stand, levels along event time.

Pure: values in, values out. Each award is judged by `evaluate.judge`, after what came before it in canonical order and
beside the awards that have closed, which count wherever they lie.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

from uptake.programme.evaluate import (
    LATE,
    PARTIAL_REVERSAL,
    REVERSED,
    DayRules,
    Key,
    Outcome,
    Used,
    half_up,
    judge,
)
from uptake.programme.history import History
from uptake.programme.kept import Kept, LevelSoFar, Needs, Order, RunSoFar, Tally
from uptake.programme.levels import NONE, after_decision, after_event, after_season, reached
from uptake.programme.periods import BEGINNING, EVERY, month_after, period_of
from uptake.programme.reversals import reversed_parts, value_of
from uptake.programme.rulebook import Level, Reversal, RuleVersion
from uptake.programme.standing import JudgedEvent
from uptake.programme.streaks import Run, is_workday, run_key

RulesOn = Callable[[date], DayRules | None]


class Step(NamedTuple):
    """What an award was worth from a place of event time on."""

    since: Order
    points: int
    part: Fraction


@dataclass(frozen=True, slots=True)
class Stood:
    """An award that stands since it closed: as it was then, with the part of its event that was undone by then."""

    event: JudgedEvent
    rank: int
    rule: str
    version: int
    points: int
    part: Fraction
    reasons: tuple[str, ...]
    explanation: dict[str, Any]
    course: tuple[Step, ...] = ()
    """How it came to be along event time, as known at closing; only where there are levels."""

    def worth(self, part: Fraction) -> int:
        """The points now that this part of its event is undone."""
        return scaled(self.points, part, self.part)

    def worth_at(self, order: Order, part: Fraction) -> int:
        """The points as of a place of event time, with the part undone there."""
        points, then = self.points, self.part
        for step in self.course:
            if step.since > order:
                break
            points, then = step.points, step.part
        return scaled(points, part, then)


def scaled(granted: int, part: Fraction, then: Fraction) -> int:
    """What is left of a closed award when `part` of its event is undone, of which `then` was at closing."""
    return 0 if then == 1 else half_up(Fraction(granted) * (1 - part) / (1 - then))


class Special(NamedTuple):
    """Special points: they raise the level from when they were given. Below 0: a decision took them."""

    at: datetime
    key: str
    date: date
    points: int
    reach: int | None = None
    """Of a decision about points earned by pretence: the level moves at once to what so many points reach."""
    falls: bool = False
    """Whether it falls to it, or rises."""


class Folded(NamedTuple):
    """What a person's record comes to."""

    outcomes: list[Outcome]
    """By event in canonical order; of closed awards as they stand now."""
    closings: dict[Key, datetime]
    level: int
    """The rank now; -1: none."""
    courses: dict[Key, tuple[Step, ...]]
    """How each award came to be along event time; empty where there are no levels."""
    points: int = 0
    """What counts towards the level; 0 where there are none."""
    kept: Sequence[Kept] = ()
    """What was asked to be kept, by place in canonical order."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """Up to which places what happened is to be kept: all before each of these dates, and all there is."""

    needs: Needs
    dates: Sequence[date] = ()


_BEGINNING: Order = (datetime.min.replace(tzinfo=UTC), "", "", 0)
_END: Order = (datetime.max.replace(tzinfo=UTC), "", "", 0)


@dataclass(frozen=True, slots=True)
class Seasons:
    """What levels need: their points, whether all points count or the season's, and when seasons ended."""

    levels: tuple[Level, ...] = ()
    of_season: bool = False
    ends: tuple[tuple[datetime, date], ...] = ()
    """(its start, first date after the season), those that have come, rising."""


def fold_person(
    events: Iterable[JudgedEvent],
    rules_on: RulesOn,
    *,
    others: Iterable[JudgedEvent] = (),
    stood: Mapping[Key, Stood] | None = None,
    leave: Collection[date] = (),
    seasons: Seasons | None = None,
    specials: Sequence[Special] = (),
    settled: Collection[Key] = (),
    granted: Iterable[tuple[str, int, int]] = (),
    start: Kept | None = None,
    keeping: Keeping | None = None,
) -> Folded:
    """All awards of one person, whatever order the events came in.

    `events`: all of the person that are out of quarantine; those withdrawn or superseded say so. `others`: events of
    other people that may undo some of these, or be undone with them. `stood`: the awards that have closed. `leave`:
    dates the person was away. `settled`: awards of these events that stand for somebody else. `granted`:
    (rule, points, paid awards) of events that are not given, as they are long closed; they count in caps for ever.
    `start`: what was kept of all events up to a place; then only later ones are given, here and in all else. `keeping`:
    what of this fold is to be kept. Nothing given is changed but the events' part, level and history.
    """
    mine = {event.id: event for event in events}
    stood = stood or {}
    # Awards that stand stay where they are, even where the event has become another's.
    kept = {award.event.id: award.event for award in stood.values() if award.event.id not in mine}
    own = sorted([*mine.values(), *kept.values()], key=lambda event: event.order)
    known = {event.id: event for event in (*others, *own) if not event.reversed}
    standing = sorted(known.values(), key=lambda event: event.order)
    parts = reversed_parts(standing, lambda event: reversals_on(rules_on, event))
    world = _World(rules_on, stood, frozenset(settled), frozenset(kept), leave, parts, tuple(granted), start)
    shelf = _Shelf(keeping.needs, _places(own, standing, world, keeping.dates)) if keeping else _Shelf(Needs(), ())
    if seasons is None or not seasons.levels:
        record = _Record(world)
        shelf.begin(with_levels=False)
        for event in own:
            shelf.pass_by(event.order, record)
            record.add(event, parts.get(event.id, 0), NONE)
        shelf.pass_by(None, record)
        return Folded(record.outcomes, record.closings, NONE, {}, 0, shelf.kept())
    return _Walk(own, standing, world, seasons, specials, shelf).folded()


def _places(
    own: Sequence[JudgedEvent], standing: Sequence[JudgedEvent], world: _World, dates: Iterable[date]
) -> list[JudgedEvent]:
    """The last event of each stretch that can be kept: what comes later undoes nothing in it, and never did.

    Where something does, the stretch ends before it.
    """
    days = [event.date for event in own]
    if any(later < earlier for earlier, later in pairwise(days)):
        return []  # the clock of the company was changed: dates do not rise with time
    ties = list(_ties(standing, world))
    found: dict[Order, JudgedEvent] = {}
    for day in (*dates, date.max):
        before: date | None = day
        while before is not None:
            place = bisect_left(days, before)
            if not place:
                break
            until = own[place - 1].order
            before = min((day for since, then, day in ties if since <= until < then), default=None)
            if before is None:
                found[until] = own[place - 1]
    return [found[order] for order in sorted(found)]


def _ties(standing: Sequence[JudgedEvent], world: _World) -> Iterable[tuple[Order, Order, date]]:
    """(place, later place that has to do with it, date of the first) of all that must not be parted."""
    reach: dict[Hashable, list[JudgedEvent]] = defaultdict(list)
    entries = {entry for event in standing for entry in reversals_on(world.rules_on, event)}
    undone = {(name, entry.same) for entry in entries for name in entry.undoes}
    sames: dict[str, list[str]] = defaultdict(list)
    for name, same in undone:
        sames[name].append(same)
    for event in standing if entries else ():
        for entry in reversals_on(world.rules_on, event):
            value = value_of(event, entry.same) if entry.event == event.name else None
            if value is not None:
                for name in entry.undoes:
                    for one in reach.get((name, entry.same, value), ()):
                        yield one.order, event.order, one.date
        for same in sames.get(event.name, ()):
            value = value_of(event, same)
            if value is not None:
                reach[event.name, same, value].append(event)
    for award in world.stood.values():
        if not award.course:
            continue
        event = award.event
        yield event.order, award.course[-1].since, event.date
        if (award.course[-1].points, award.course[-1].part) != (award.points, award.part):
            yield event.order, _END, event.date


def reversals_on(rules_on: RulesOn, event: JudgedEvent) -> Sequence[Reversal]:
    """The reversals of the rulebook in force on the event's date."""
    rules = rules_on(event.date)
    return rules.rulebook.reversals if rules else ()


@dataclass(frozen=True, slots=True)
class _World:
    """What every pass over the person's events is told."""

    rules_on: RulesOn
    stood: Mapping[Key, Stood]
    settled: frozenset[Key]
    kept: frozenset[int]
    """Events that are no longer the person's, but whose closed awards are."""
    leave: Collection[date]
    parts: Mapping[int, Fraction]
    granted: Sequence[tuple[str, int, int]]
    start: Kept | None = None


class _Record:
    """One pass over a person's events in canonical order; is the `Before` that rules are judged by."""

    def __init__(self, world: _World, until: Order | None = None, known: Mapping[int, Fraction] | None = None) -> None:
        """`until`, `known`: the pass ends there, where these parts were undone; closed awards are as they were then."""
        self.world = world
        self.rules_on = world.rules_on
        parts = world.parts
        self.outcomes: list[Outcome] = []
        self.closings: dict[Key, datetime] = {}
        start = world.start
        self.history = History(start.tallies if start else None)
        self._worth: dict[Key, int] = {}
        self._stood_of: dict[int, list[Stood]] = defaultdict(list)
        self._used: dict[tuple[str, date], Used] = defaultdict(Used)
        self._granted_at: dict[str, list[datetime]] = defaultdict(list)
        self._runs: dict[str, Run] = {}
        if start is not None:
            for period, taken in start.used.items():
                for lineage, (points, times) in taken.items():
                    self._used[period].add(lineage, points, times)
            for lineage, instants in start.granted_at.items():
                self._granted_at[lineage] = list(instants)
        for lineage, points, times in world.granted:
            self._used["ever", BEGINNING].add(lineage, points, times)
        for key, award in world.stood.items():
            event = award.event
            self._stood_of[event.id].append(award)
            if event.reversed:
                continue
            if until is not None and known is not None and event.order <= until:
                points = award.worth_at(until, known.get(event.id, Fraction(0)))
            else:
                points = award.worth(parts.get(event.id, Fraction(0)))
            self._worth[key] = points
            self._count(award.rule, event, points)

    def add(self, event: JudgedEvent, part: Fraction | int, level: int) -> None:
        """The next event of the person: what each rule gives for it."""
        event.part, event.level, event.history = part, level, self.history
        rules = self.rules_on(event.date) if event.id not in self.world.kept else None
        if rules is not None and rules.earlier:
            rules = rules.at(event.at)
        for question in rules.by_name.get(event.name, ()) if rules else ():
            assert rules is not None
            rule = question.rule
            points, reasons, explanation = judge(event, question, self)
            if (event.id, rule.rule) in self.world.stood or (event.id, rule.rule) in self.world.settled:
                continue  # asked all the same: it keeps a streak
            closing = rules.closing(question, event.standing.role)
            late = event.late or (event.joined_at is not None and event.joined_at >= closing)
            if late and not event.history_only:
                reasons = (LATE, *reasons)
            self._count(rule.rule, event, points)
            outcome = Outcome(event, question.rank, rule.rule, rule.version, points, reasons, explanation)
            self.closings[outcome.key] = closing
            self.outcomes.append(outcome)
        for award in self._stood_of.get(event.id, ()):
            self.outcomes.append(self._closed(event, award))
        if rules and part != 1 and not event.reversed:
            self.history.add(event)

    def _closed(self, event: JudgedEvent, award: Stood) -> Outcome:
        """A closed award: it stands, but for what its own event lost since."""
        reasons, explanation = award.reasons, award.explanation
        if event.reversed or (event.part == 1 and award.part < 1):
            reasons = (*((LATE,) if LATE in reasons else ()), REVERSED)
        elif award.points and event.part > award.part and PARTIAL_REVERSAL not in reasons:
            reasons = (*reasons, PARTIAL_REVERSAL)
        points = 0 if event.reversed else self._worth[event.id, award.rule]
        return Outcome(event, award.rank, award.rule, award.version, points, reasons, explanation)

    def _count(self, lineage: str, event: JudgedEvent, points: int) -> None:
        """Notes what an award takes of all periods its date lies in."""
        if points <= 0:
            return
        for every in ("day", "week", "month", "ever"):
            self.of(every, event.date).add(lineage, points)
        insort(self._granted_at[lineage], event.at)

    # What rules ask of it

    def of(self, every: str, day: date) -> Used:
        rules = self.rules_on(day)
        week_start = rules.rulebook.programme.week_start if rules else "monday"
        return self._used[every, period_of(day, every, week_start)]

    def near(self, lineage: str, at: datetime, seconds: int) -> bool:
        granted = self._granted_at[lineage]
        place = bisect_left(granted, at)
        gap = timedelta(seconds=seconds)
        return any(abs(one - at) < gap for one in granted[max(0, place - 1) : place + 1])

    def milestone(self, rule: RuleVersion, event: JudgedEvent) -> bool:
        assert rule.streak is not None
        key = run_key(rule)
        if key not in self._runs:
            rules = self.rules_on(event.date)
            assert rules is not None
            kept = self.world.start.runs.get(key) if self.world.start else None
            self._runs[key] = Run(
                rule.streak.every,
                rule.streak.working_days,
                kept.week_start if kept else rules.rulebook.programme.week_start,
                self._works_on,
                lambda day: self._freezes_on(rule.rule, day),
            )
            if kept:
                self._runs[key].begin(kept)
        run = self._runs[key].keep(event.date)
        return run > 0 and run % rule.streak.length == 0

    def runs_so_far(self) -> dict[str, RunSoFar]:
        kept = dict(self.world.start.runs) if self.world.start else {}
        return kept | {key: run.so_far() for key, run in self._runs.items()}

    def used_so_far(self, outcomes: Sequence[Outcome], day: date) -> dict[tuple[str, date], dict[str, tuple[int, int]]]:
        """What the periods that are not over on a date have taken, by these outcomes and what came before all."""
        found: dict[tuple[str, date], Used] = defaultdict(Used)
        start = self.world.start
        for period, taken in start.used.items() if start else ():
            if _goes_on(*period, day):
                for lineage, (points, times) in taken.items():
                    found[period].add(lineage, points, times)
        for lineage, points, times in self.world.granted:
            found["ever", BEGINNING].add(lineage, points, times)
        for one in outcomes:
            if one.points > 0:
                rules = self.rules_on(one.event.date)
                week_start = rules.rulebook.programme.week_start if rules else "monday"
                for every in EVERY:
                    begin = period_of(one.event.date, every, week_start)
                    if _goes_on(every, begin, day):
                        found[every, begin].add(one.rule, one.points)
        return {
            period: {lineage: (points, used.times[lineage]) for lineage, points in used.points.items()}
            for period, used in found.items()
        }

    def granted_so_far(
        self, outcomes: Sequence[Outcome], cooldowns: Mapping[str, int], until: datetime
    ) -> dict[str, tuple[datetime, ...]]:
        """When paid awards were that may still be too near to what comes."""
        found: dict[str, list[datetime]] = defaultdict(list)
        for lineage, instants in self.world.start.granted_at.items() if self.world.start else ():
            found[lineage] = list(instants)
        for one in outcomes:
            if one.points > 0:
                found[one.rule].append(one.event.at)
        since = {lineage: until - timedelta(seconds=seconds) for lineage, seconds in cooldowns.items()}
        near = {lineage: tuple(at for at in found.get(lineage, ()) if at > since[lineage]) for lineage in cooldowns}
        return {lineage: instants for lineage, instants in near.items() if instants}

    def _works_on(self, day: date) -> bool:
        rules = self.rules_on(day)
        return day not in self.world.leave and (rules is None or is_workday(rules.rulebook.programme, day))

    def _freezes_on(self, lineage: str, day: date) -> int:
        rules = self.rules_on(day)
        version = rules.version_of(lineage) if rules else None
        return version.streak.freezes_per_month if version and version.streak else 0


def _goes_on(every: str, begin: date, day: date) -> bool:
    """Whether a period that began on this date may hold the date or later ones."""
    if every == "ever":
        return True
    if every == "month":
        return day < month_after(begin)
    return day < begin + timedelta(days=7 if every == "week" else 1)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a pass knew at a place."""

    outcomes: int
    runs: dict[str, RunSoFar]
    tallies: dict[str, Tally]


class _Shelf:
    """Keeps what a pass knows at some places."""

    def __init__(self, needs: Needs, places: Sequence[JudgedEvent]) -> None:
        self.needs, self.places = needs, places
        self.levels: dict[Order, tuple[LevelSoFar, dict[date, int]]] = {}
        self.with_levels = False
        self._seen: list[_Seen] = []
        self._record: _Record | None = None

    def begin(self, *, with_levels: bool) -> None:
        """A pass begins; what another has seen is forgotten."""
        self.with_levels, self._seen = with_levels, []

    def pass_by(self, order: Order | None, record: _Record) -> None:
        """The next event comes (None: none), of all that was added to the record."""
        self._record = record
        while len(self._seen) < len(self.places):
            place = self.places[len(self._seen)]
            if order is not None and order <= place.order:
                return
            tallies = record.history.tallies(self.needs.histories, place.date)
            self._seen.append(_Seen(len(record.outcomes), record.runs_so_far(), tallies))

    def kept(self) -> list[Kept]:
        record = self._record
        found: list[Kept] = []
        for place, seen in zip(self.places, self._seen, strict=True):
            assert record is not None
            outcomes = record.outcomes[: seen.outcomes]
            level: LevelSoFar | None = None
            if self.with_levels:
                level, earned = self.levels[place.order]
                if earned != _by_date(outcomes):
                    continue  # along event time it came about otherwise than it stands: nobody may begin here
            found.append(
                Kept(
                    place.order,
                    place.date,
                    record.used_so_far(outcomes, place.date),
                    record.granted_so_far(outcomes, self.needs.cooldowns, place.at),
                    seen.runs,
                    seen.tallies,
                    level,
                )
            )
        return found


def _by_date(outcomes: Iterable[Outcome]) -> dict[date, int]:
    found: dict[date, int] = defaultdict(int)
    for one in outcomes:
        if one.points:
            found[one.event.date] += one.points
    return dict(found)


class _Walk:
    """The level along event time: after each event, the fold of all events up to it tells what the points reach."""

    def __init__(
        self,
        own: Sequence[JudgedEvent],
        standing: Sequence[JudgedEvent],
        world: _World,
        seasons: Seasons,
        specials: Sequence[Special],
        shelf: _Shelf,
    ) -> None:
        self.own, self.standing, self.world, self.shelf = own, standing, world, shelf
        self.seasons, self.specials = seasons, specials
        self.before: dict[int, int] = {}
        """The level before each event."""
        self.courses: dict[Key, list[Step]] = {}
        self.stood_of: dict[int, list[Stood]] = defaultdict(list)
        for award in world.stood.values():
            self.stood_of[award.event.id].append(award)

    def folded(self) -> Folded:
        level, points, record = self._walk()
        if record is None:
            record = self._pass(self.own, self.world.parts, None, self.shelf)
        courses = {key: tuple(steps) for key, steps in self.courses.items()}
        return Folded(record.outcomes, record.closings, level, courses, points, self.shelf.kept())

    def _walk(self) -> tuple[int, int, _Record | None]:
        """Fills `before` and `courses`; gives the level and the points at the end, and the pass if one was enough.

        What an event adds is judged after what came before. Only where something is undone, or an award that stands
        was worth something else at this place, all up to here is folded anew.
        """
        levels = self.seasons.levels
        start = self.world.start.level if self.world.start else None
        level = start.rank if start else reached(levels, 0)
        points = _Points.after(self.seasons.of_season, start)
        record, parts = _Record(self.world, _BEGINNING, {}), dict[int, Fraction]()
        turns = sorted({step.since for one in self.world.stood.values() for step in one.course[1:]})
        mine = {event.id for event in self.own}
        straight = not any(event.reversed for event in self.own)
        self.shelf.begin(with_levels=True)
        before = _BEGINNING
        for kind, order, what in self._steps():
            self._keep_levels((order[0], kind, order), level, points)
            if isinstance(what, JudgedEvent):
                self.before[what.id] = level
                now = self._parts_until(order, mine) if self._undoes(what) else parts
                turned = bisect_right(turns, before) < bisect_right(turns, order)
                if now != parts or turned or not self._as_now(what, order):
                    parts, straight = now, False
                    own = [event for event in self.own if event.order <= order and not event.reversed]
                    record = self._pass(own, parts, order)
                    points.replace(record.outcomes)
                    self._note(record.outcomes, order, parts)
                elif what.id in mine:
                    if straight:
                        self.shelf.pass_by(order, record)
                    record.add(what, parts.get(what.id, 0), level)
                    self._note(points.add(record.outcomes), order, parts)
                before = order
            elif isinstance(what, Special):
                points.give(what)
            if isinstance(what, date):
                level = after_season(levels, level, points.counted)
                points.begin(what)
            elif isinstance(what, Special) and what.reach is not None:
                level = after_decision(levels, level, points.counted, what.reach, falls=what.falls)
            else:
                level = after_event(levels, level, points.counted)
        self._keep_levels(None, level, points)
        if straight:
            self.shelf.pass_by(None, record)
        return level, points.counted, record if straight else None

    def _steps(self) -> list[tuple[int, Order, JudgedEvent | Special | date]]:
        """All that may move the level, in order of time; season ends before events of their instant."""
        mine = {event.id for event in self.own if not event.reversed}
        steps: list[tuple[int, Order, JudgedEvent | Special | date]] = []
        steps += [
            (1, event.order, event)
            for event in self.standing
            if event.id in mine or any(entry.event == event.name for entry in reversals_on(self.world.rules_on, event))
        ]
        since = self.world.start.until[0] if self.world.start else None
        steps += [
            (2, (special.at, "", special.key, 0), special)
            for special in self.specials
            if since is None or special.at >= since
        ]
        steps += [(0, (at, "", "", 0), day) for at, day in self.seasons.ends if since is None or at > since]
        steps.sort(key=lambda step: (step[1][0], step[0], step[1]))
        return steps

    def _keep_levels(self, key: tuple[datetime, int, Order] | None, level: int, points: _Points) -> None:
        """Keeps the level at the places that lie before a step (None: at all that are left)."""
        shelf = self.shelf
        for place in shelf.places[len(shelf.levels) :]:
            if key is not None and (place.at, 1, place.order) >= key:
                return
            shelf.levels[place.order] = (points.so_far(level, place.date), points.earned_by_date())

    def _undoes(self, event: JudgedEvent) -> bool:
        return any(entry.event == event.name for entry in reversals_on(self.world.rules_on, event))

    def _parts_until(self, order: Order, mine: Collection[int]) -> dict[int, Fraction]:
        """What is undone of the person's events as of a place of event time."""
        standing = [event for event in self.standing if event.order <= order]
        parts = reversed_parts(standing, lambda event: reversals_on(self.world.rules_on, event))
        return {event_id: part for event_id, part in parts.items() if event_id in mine}

    def _as_now(self, event: JudgedEvent, order: Order) -> bool:
        """Whether what stands of the event's awards was worth at its place what it is worth now."""
        part = self.world.parts.get(event.id, Fraction(0))
        return all(one.worth_at(order, Fraction(0)) == one.worth(part) for one in self.stood_of.get(event.id, ()))

    def _note(self, outcomes: Iterable[Outcome], order: Order, parts: Mapping[int, Fraction]) -> None:
        for outcome in outcomes:
            course = self.courses.setdefault(outcome.key, [])
            step = Step(order, outcome.points, parts.get(outcome.event.id, Fraction(0)))
            if not course or course[-1][1:] != step[1:]:
                course.append(step)

    def _pass(
        self,
        own: Sequence[JudgedEvent],
        known: Mapping[int, Fraction],
        until: Order | None,
        shelf: _Shelf | None = None,
    ) -> _Record:
        record = _Record(self.world, until, known)
        if shelf is not None:
            shelf.begin(with_levels=True)
        for event in own:
            if shelf is not None:
                shelf.pass_by(event.order, record)
            record.add(event, known.get(event.id, 0), self.before.get(event.id, NONE))
        if shelf is not None:
            shelf.pass_by(None, record)
        return record


RECENT = timedelta(days=3)
"""A season's first date and the instant it begins are told by two clocks: this far they may lie apart."""


@dataclass(slots=True)
class _Points:
    """What counts towards the level: all points, or those earned on dates of the season."""

    of_season: bool
    season: date = date.min
    seen: int = 0
    counted: int = 0
    before: list[tuple[date, int]] = field(default_factory=list)
    """What was kept from before the first event."""
    earned: list[tuple[date, int]] = field(default_factory=list)
    special: list[tuple[date, int]] = field(default_factory=list)

    @classmethod
    def after(cls, of_season: bool, kept: LevelSoFar | None) -> _Points:
        if kept is None:
            return cls(of_season)
        rest = kept.counted - sum(kept.recent.values())
        return cls(of_season, kept.season, 0, kept.counted, [(kept.season, rest), *kept.recent.items()])

    def so_far(self, level: int, day: date) -> LevelSoFar:
        """What must be kept of it, should all that follows be of this date or later."""
        recent: dict[date, int] = defaultdict(int)
        for one, points in (*self.before, *self.earned, *self.special) if self.of_season else ():
            if one > self.season and one > day - RECENT:
                recent[one] += points
        return LevelSoFar(level, self.counted, self.season, dict(recent))

    def earned_by_date(self) -> dict[date, int]:
        found: dict[date, int] = defaultdict(int)
        for day, points in self.earned:
            if points:
                found[day] += points
        return dict(found)

    def add(self, outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
        """Counts those that are new and gives them."""
        fresh = outcomes[self.seen :]
        self.seen = len(outcomes)
        for one in fresh:
            self.earned.append((one.event.date, one.points))
            self._count(one.event.date, one.points)
        return fresh

    def replace(self, outcomes: Sequence[Outcome]) -> None:
        self.earned = [(one.event.date, one.points) for one in outcomes]
        self.seen = len(outcomes)
        self._count_again()

    def give(self, special: Special) -> None:
        self.special.append((special.date, special.points))
        self._count(special.date, special.points)

    def begin(self, season: date) -> None:
        """Of the season that begins only what is dated in it counts."""
        self.season = season
        self._count_again()

    def _count(self, day: date, points: int) -> None:
        if not self.of_season or day >= self.season:
            self.counted += points

    def _count_again(self) -> None:
        self.counted = 0
        for day, points in (*self.before, *self.earned, *self.special):
            self._count(day, points)
