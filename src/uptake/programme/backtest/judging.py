"""Judges what portions of people did, by one or two rulebooks; what a back-test does in one process or in several."""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from uptake.directory.leave import days_of_leave
from uptake.programme.backtest.read import Scope, deeds, undoing_events
from uptake.programme.backtest.replay import replay, seasons_of
from uptake.programme.backtest.tally import Tally
from uptake.programme.evaluate import DayRules
from uptake.programme.reversals import value_of
from uptake.programme.rulebook import Rulebook
from uptake.programme.standing import JudgedEvent


@dataclass(frozen=True)
class Asked:
    """What is asked: whose events, by which rulebooks, and whose dates [since, until) count. Plain values."""

    scope: Scope
    rulebooks: tuple[Rulebook, ...]
    since: date
    until: date


@dataclass(frozen=True)
class Judged:
    """How many events a portion had, and the figures of each rulebook."""

    events: int
    tallies: Sequence[Tally]


class _Side:
    """One of the rulebooks, ready to be asked."""

    def __init__(self, rulebook: Rulebook, until: date) -> None:
        self.rulebook = rulebook
        self.rules_on = lru_cache(maxsize=None)(lambda day: DayRules(rulebook, day))
        self.seasons = seasons_of(rulebook, until)


class Judging:
    """Judges portion after portion by all rulebooks."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.sides = [_Side(rulebook, asked.until) for rulebook in asked.rulebooks]
        self.asks_person = any(side.rulebook.asks_person for side in self.sides)
        self.streaks = any(rule.streak for side in self.sides for rule in side.rulebook.rules)
        self.with_object = any(side.rulebook.looks_back for side in self.sides)
        self.undoing: dict[tuple[str, str, Hashable], list[JudgedEvent]] = defaultdict(list)
        self.same_of: dict[str, set[str]] = defaultdict(set)
        entries = {entry for side in self.sides for entry in side.rulebook.reversals}
        for event in undoing_events(asked.scope):
            for entry in entries:
                value = value_of(event, entry.same) if entry.event == event.name else None
                if value is not None:
                    for name in entry.undoes:
                        self.undoing[name, entry.same, value].append(event)
                        self.same_of[name].add(entry.same)

    def judge(self, people: Sequence[int]) -> Judged:
        """What these people did, judged by all rulebooks."""
        with _no_collecting():
            portion = deeds(self.asked.scope, people, asks_person=self.asks_person, with_object=self.with_object)
            tallies = [Tally(self.asked.since, self.asked.until) for _ in self.sides]
            leave = days_of_leave({one.person for one in portion}) if self.streaks else {}
            for one in portion:
                others = self._others(one.events) if self.undoing else ()
                for side, tally in zip(self.sides, tallies, strict=True):
                    outcomes = replay(
                        one.events,
                        side.rules_on,
                        looks_back=side.rulebook.looks_back,
                        others=others,
                        leave=leave.get(one.person, ()),
                        seasons=side.seasons,
                    )
                    tally.add(one.person, outcomes)
                    if side.rulebook.looks_back:
                        for event in one.events:
                            event.part, event.level, event.history = 0, -1, None
            return Judged(sum(len(one.events) for one in portion), tallies)

    def _others(self, events: Iterable[JudgedEvent]) -> list[JudgedEvent]:
        """The events that undo some of these, and those that undo them in turn."""
        found: dict[int, JudgedEvent] = {}
        waiting = list(events)
        while waiting:
            event = waiting.pop()
            for same in self.same_of.get(event.name, ()):
                value = value_of(event, same)
                for other in self.undoing.get((event.name, same, value), ()) if value is not None else ():
                    if other.id not in found:
                        found[other.id] = other
                        waiting.append(other)
        return list(found.values())


@contextmanager
def _no_collecting() -> Iterator[None]:
    """Portions make millions of objects and no cycles that outlive them: looking for those costs a quarter."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
