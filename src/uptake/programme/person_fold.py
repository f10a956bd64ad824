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
from uptake.programme.levels import NONE, after_event, after_season, reached
from uptake.programme.periods import BEGINNING, period_of
from uptake.programme.reversals import reversed_parts
from uptake.programme.rulebook import Level, Reversal, RuleVersion
from uptake.programme.standing import JudgedEvent
from uptake.programme.streaks import Run, is_workday, run_key

Order = tuple[datetime, str, str, int]
"""The canonical order: (at, source, key), then the id."""
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
    """Special points: they raise the level from when they were given."""

    at: datetime
    key: str
    date: date
    points: int


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


_BEGINNING: Order = (datetime.min.replace(tzinfo=UTC), "", "", 0)


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
) -> Folded:
    """All awards of one person, whatever order the events came in.

    `events`: all of the person that are out of quarantine; those withdrawn or superseded say so. `others`: events of
    other people that may undo some of these, or be undone with them. `stood`: the awards that have closed. `leave`:
    dates the person was away. `settled`: awards of these events that stand for somebody else. `granted`:
    (rule, points, paid awards) of events that are not given, as they are long closed; they count in caps for ever.
    Nothing given is changed but the events' part, level and history.
    """
    mine = {event.id: event for event in events}
    stood = stood or {}
    # Awards that stand stay where they are, even where the event has become another's.
    kept = {award.event.id: award.event for award in stood.values() if award.event.id not in mine}
    own = sorted([*mine.values(), *kept.values()], key=lambda event: event.order)
    known = {event.id: event for event in (*others, *own) if not event.reversed}
    standing = sorted(known.values(), key=lambda event: event.order)
    parts = reversed_parts(standing, lambda event: reversals_on(rules_on, event))
    world = _World(rules_on, stood, frozenset(settled), frozenset(kept), leave, parts, tuple(granted))
    if seasons is None or not seasons.levels:
        record = _Record(world)
        for event in own:
            record.add(event, parts.get(event.id, 0), NONE)
        return Folded(record.outcomes, record.closings, NONE, {})
    return _Walk(own, standing, world, seasons, specials).folded()


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


class _Record:
    """One pass over a person's events in canonical order; is the `Before` that rules are judged by."""

    def __init__(self, world: _World, until: Order | None = None, known: Mapping[int, Fraction] | None = None) -> None:
        """`until`, `known`: the pass ends there, where these parts were undone; closed awards are as they were then."""
        self.world = world
        self.rules_on = world.rules_on
        parts = world.parts
        self.outcomes: list[Outcome] = []
        self.closings: dict[Key, datetime] = {}
        self.history = History()
        self._worth: dict[Key, int] = {}
        self._stood_of: dict[int, list[Stood]] = defaultdict(list)
        self._used: dict[tuple[str, date], Used] = defaultdict(Used)
        self._granted_at: dict[str, list[datetime]] = defaultdict(list)
        self._runs: dict[Hashable, Run] = {}
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
        elif event.part > award.part and PARTIAL_REVERSAL not in reasons:
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
            self._runs[key] = Run(
                rule.streak.every,
                rule.streak.working_days,
                rules.rulebook.programme.week_start,
                self._works_on,
                lambda day: self._freezes_on(rule.rule, day),
            )
        run = self._runs[key].keep(event.date)
        return run > 0 and run % rule.streak.length == 0

    def _works_on(self, day: date) -> bool:
        rules = self.rules_on(day)
        return day not in self.world.leave and (rules is None or is_workday(rules.rulebook.programme, day))

    def _freezes_on(self, lineage: str, day: date) -> int:
        rules = self.rules_on(day)
        version = rules.version_of(lineage) if rules else None
        return version.streak.freezes_per_month if version and version.streak else 0


class _Walk:
    """The level along event time: after each event, the fold of all events up to it tells what the points reach."""

    def __init__(
        self,
        own: Sequence[JudgedEvent],
        standing: Sequence[JudgedEvent],
        world: _World,
        seasons: Seasons,
        specials: Sequence[Special],
    ) -> None:
        self.own, self.standing, self.world = own, standing, world
        self.seasons, self.specials = seasons, specials
        self.before: dict[int, int] = {}
        """The level before each event."""
        self.courses: dict[Key, list[Step]] = {}
        self.stood_of: dict[int, list[Stood]] = defaultdict(list)
        for award in world.stood.values():
            self.stood_of[award.event.id].append(award)

    def folded(self) -> Folded:
        level, points = self._walk()
        record = self._pass(self.own, self.world.parts, None)
        courses = {key: tuple(steps) for key, steps in self.courses.items()}
        return Folded(record.outcomes, record.closings, level, courses, points)

    def _walk(self) -> tuple[int, int]:
        """Fills `before` and `courses`; gives the level and the points at the end.

        What an event adds is judged after what came before. Only where something is undone, or an award that stands
        was worth something else at this place, all up to here is folded anew.
        """
        levels = self.seasons.levels
        level = reached(levels, 0)
        points = _Points(self.seasons.of_season)
        record, parts = _Record(self.world, _BEGINNING, {}), dict[int, Fraction]()
        turns = sorted({step.since for one in self.world.stood.values() for step in one.course[1:]})
        mine = {event.id for event in self.own}
        before = _BEGINNING
        for order, what in self._steps():
            if isinstance(what, JudgedEvent):
                self.before[what.id] = level
                now = self._parts_until(order, mine) if self._undoes(what) else parts
                turned = bisect_right(turns, before) < bisect_right(turns, order)
                if now != parts or turned or not self._as_now(what, order):
                    parts = now
                    own = [event for event in self.own if event.order <= order and not event.reversed]
                    record = self._pass(own, parts, order)
                    points.replace(record.outcomes)
                    self._note(record.outcomes, order, parts)
                elif what.id in mine:
                    record.add(what, parts.get(what.id, 0), level)
                    self._note(points.add(record.outcomes), order, parts)
                before = order
            elif isinstance(what, Special):
                points.give(what)
            if isinstance(what, date):
                level = after_season(levels, level, points.counted)
                points.begin(what)
            else:
                level = after_event(levels, level, points.counted)
        return level, points.counted

    def _steps(self) -> list[tuple[Order, JudgedEvent | Special | date]]:
        """All that may move the level, in order of time; season ends before events of their instant."""
        mine = {event.id for event in self.own if not event.reversed}
        steps: list[tuple[int, Order, JudgedEvent | Special | date]] = []
        steps += [
            (1, event.order, event)
            for event in self.standing
            if event.id in mine or any(entry.event == event.name for entry in reversals_on(self.world.rules_on, event))
        ]
        steps += [(2, (special.at, "", special.key, 0), special) for special in self.specials]
        steps += [(0, (at, "", "", 0), day) for at, day in self.seasons.ends]
        steps.sort(key=lambda step: (step[1][0], step[0], step[1]))
        return [(order, what) for _, order, what in steps]

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

    def _pass(self, own: Sequence[JudgedEvent], known: Mapping[int, Fraction], until: Order | None) -> _Record:
        record = _Record(self.world, until, known)
        for event in own:
            record.add(event, known.get(event.id, 0), self.before.get(event.id, NONE))
        return record


@dataclass(slots=True)
class _Points:
    """What counts towards the level: all points, or those earned on dates of the season."""

    of_season: bool
    season: date = date.min
    seen: int = 0
    counted: int = 0
    earned: list[tuple[date, int]] = field(default_factory=list)
    special: list[tuple[date, int]] = field(default_factory=list)

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
        for day, points in (*self.earned, *self.special):
            self._count(day, points)
