"""What a run would bring: the live fold over the events of a span, beside what they have earned. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from django.db.models import Sum

from uptake.directory.leave import days_of_leave
from uptake.directory.models import Organization
from uptake.directory.place import settings_at
from uptake.programme.backtest.back_test import scope_of
from uptake.programme.backtest.read import deeds, people_of, portions_of, undoing_events
from uptake.programme.backtest.replay import in_force_on, replay, seasons_of
from uptake.programme.evaluate import DayRules, Outcome
from uptake.programme.gather import many
from uptake.programme.in_force import at_place, parsed
from uptake.programme.models import Award, RulebookVersion
from uptake.programme.retroactive.models import RetroactiveLine, RetroactiveRun, RunState
from uptake.programme.reversals import value_of
from uptake.programme.rulebook import Rulebook
from uptake.programme.standing import JudgedEvent


@dataclass(frozen=True, slots=True)
class Reckoned:
    """One event with what it earned and what the chosen rulebook gives."""

    event: int
    person: int
    date: date
    rule: str
    before: int
    after: int
    points: int


def rulebook_of(version: RulebookVersion) -> Rulebook:
    """The rules of a published rulebook as if they had always been in force."""
    return in_force_on(parsed(version.pk, version.sha256), version.in_force_date)


def reckon(
    *, company: Organization, version: RulebookVersion, since: date, until: date, names: Collection[str] = ()
) -> list[Reckoned]:
    """What must be given so that nobody has less than the rulebook gives for the dates [since, until).

    Per person the sum of the gain is what the chosen rulebook gives more for all these events together, earlier runs
    counted; it lies on the events that gain, in canonical order. Nobody loses.
    """
    judged = _judged(company, version, since, until, frozenset(names))
    earned = _earned(judged)
    found: list[Reckoned] = []
    for person, events in sorted(judged.items()):
        rows = [(event, rule, earned.get((person, event.id), 0), points) for event, rule, points in events]
        left = sum(points - before for _, _, before, points in rows)
        for event, rule, before, points in rows:
            part = min(left, points - before)
            if part > 0:
                left -= part
                found.append(Reckoned(event.id, person, event.date, rule, before, points, part))
    return found


def reckon_back(run: RetroactiveRun, version: RulebookVersion) -> list[Reckoned]:
    """What a posted run gave too much, by what the rulebook gives for its events now. Never more than it gave."""
    judged = _judged(run.organization, version, run.from_date, run.until_date, frozenset(run.names))
    earned = _earned(judged, without=run)
    taken = dict(
        RetroactiveLine.objects.filter(run__corrects=run, run__state=RunState.EXECUTED)
        .values_list("event_id")
        .annotate(Sum("points"))
    )
    should: dict[int, int] = defaultdict(int)
    for person, events in judged.items():
        should[person] = max(0, sum(points - earned.get((person, event.id), 0) for event, _, points in events))
    found: list[Reckoned] = []
    now_given = {(person, event.id): points for person, events in judged.items() for event, _, points in events}
    for line in run.lines.order_by("person_id", "date", "event_id"):
        has = line.points - taken.get(line.event_id, 0)
        keeps = min(has, should[line.person_id])
        should[line.person_id] -= keeps
        if has > keeps:
            after = now_given.get((line.person_id, line.event_id), 0)
            found.append(
                Reckoned(line.event_id, line.person_id, line.date, line.rule, line.before + has, after, has - keeps)
            )
    return found


Judged = Mapping[int, Sequence[tuple[JudgedEvent, str, int]]]
"""By person, in canonical order: (event, the rule that gives most, points of all rules)."""


def _judged(
    company: Organization, version: RulebookVersion, since: date, until: date, names: Collection[str]
) -> Judged:
    rulebook = at_place(rulebook_of(version), settings_at(company))
    scope = scope_of([company.pk], [rulebook], since, until)
    rules_on = lru_cache(maxsize=None)(lambda day: DayRules(rulebook, day))
    seasons = seasons_of(rulebook, until)
    undoing = _Undoing(rulebook, undoing_events(scope))
    streaks = any(rule.streak for rule in rulebook.rules)
    found: dict[int, list[tuple[JudgedEvent, str, int]]] = {}
    people = people_of(scope)
    for some in portions_of(people):
        portion = deeds(scope, some, asks_person=rulebook.asks_person, with_object=rulebook.looks_back)
        leave = days_of_leave({one.person for one in portion}) if streaks else {}
        for did in portion:
            outcomes = replay(
                did.events,
                rules_on,
                looks_back=rulebook.looks_back,
                others=undoing.of(did.events),
                leave=leave.get(did.person, ()),
                seasons=seasons,
            )
            found[did.person] = _by_event(outcomes, since, until, names)
    return found


def _by_event(
    outcomes: Iterable[Outcome], since: date, until: date, names: Collection[str]
) -> list[tuple[JudgedEvent, str, int]]:
    events: dict[int, JudgedEvent] = {}
    points: dict[int, int] = defaultdict(int)
    most: dict[int, tuple[int, str]] = {}
    for one in outcomes:
        event = one.event
        if not since <= event.date < until or (names and event.name not in names):
            continue
        events[event.id] = event
        points[event.id] += one.points
        most[event.id] = max(most.get(event.id, (-1, "")), (one.points, one.rule), key=lambda pair: pair[0])
    ordered = sorted(events.values(), key=lambda event: event.order)
    return [(event, most[event.id][1], points[event.id]) for event in ordered]


def _earned(judged: Judged, without: RetroactiveRun | None = None) -> dict[tuple[int, int], int]:
    """What each event has earned its person: awards, and what other posted runs gave and took."""
    ids = [event.id for events in judged.values() for event, _, _ in events]
    found: dict[tuple[int, int], int] = defaultdict(int)
    awards = Award.objects.filter(event_id__in=many(ids)).values_list("person_id", "event_id", "points")
    for person, event, points in awards:
        found[person, event] += points
    lines = RetroactiveLine.objects.filter(event_id__in=many(ids), run__state=RunState.EXECUTED)
    for person, event, points, run, corrects in lines.values_list(
        "person_id", "event_id", "points", "run_id", "run__corrects_id"
    ):
        if without is None or without.pk not in (run, corrects):
            found[person, event] += points if corrects is None else -points
    return found


class _Undoing:
    """Finds the events, of anybody, that undo some of these, and those that undo them in turn."""

    def __init__(self, rulebook: Rulebook, events: Iterable[JudgedEvent]) -> None:
        self.found: dict[tuple[str, str, Hashable], list[JudgedEvent]] = defaultdict(list)
        self.same_of: dict[str, set[str]] = defaultdict(set)
        for event in events:
            for entry in rulebook.reversals:
                value = value_of(event, entry.same) if entry.event == event.name else None
                if value is not None:
                    for name in entry.undoes:
                        self.found[name, entry.same, value].append(event)
                        self.same_of[name].add(entry.same)

    def of(self, events: Iterable[JudgedEvent]) -> list[JudgedEvent]:
        known: dict[int, JudgedEvent] = {}
        waiting = list(events)
        while waiting:
            event = waiting.pop()
            for same in self.same_of.get(event.name, ()):
                value = value_of(event, same)
                for other in self.found.get((event.name, same, value), ()) if value is not None else ():
                    if other.id not in known:
                        known[other.id] = other
                        waiting.append(other)
        return list(known.values())
