"""Replays a rulebook over what happened on the last days, beside the one in force. Reads only."""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from uptake.directory.leave import days_of_leave
from uptake.directory.models import Organization
from uptake.programme.backtest.read import (
    Did,
    Scope,
    belonging,
    companies_of,
    deeds,
    drawn,
    names_of_departments,
    people_of,
    undoing_events,
)
from uptake.programme.backtest.replay import as_of, in_force_on, names_of, replay, seasons_of
from uptake.programme.backtest.report import Compared, Who, report_of
from uptake.programme.backtest.tally import Tally
from uptake.programme.evaluate import DayRules
from uptake.programme.in_force import parsed, rulebook_version_on
from uptake.programme.reversals import value_of
from uptake.programme.rulebook import Rulebook
from uptake.programme.rulebook_writing import hash_of
from uptake.programme.standing import JudgedEvent

Progress = Callable[[int, int], bool]
"""Told (events replayed, of how many) after every portion; False: stop."""


class Stopped(Exception):
    """Whoever asked for the back-test called it off."""


def back_test(
    *,
    organization: Organization,
    rulebook: Rulebook,
    until: date,
    days: int,
    sample: int | None = None,
    most_events: int | None = None,
    seed: int = 0,
    progress: Progress = lambda _done, _total: True,
) -> dict[str, Any]:
    """The report (see `report_of`) on the dates [until − days, until) of a company or a park.

    `sample`: draws at most so many people, and `most_events` fewer still until they did not do more than that; the
    same ones for the same `seed`. Both rulebooks are asked as they read, as if in force all the time.
    Raises Stopped.
    """
    since, today = until - timedelta(days=days), until - timedelta(days=1)
    version = rulebook_version_on(organization, until)
    standing = parsed(version.pk, version.sha256) if version is not None else None
    after = _Side(as_of(rulebook, today), since, until)
    before = _Side(in_force_on(standing, until), since, until) if standing is not None else None
    sides = [side for side in (before, after) if side is not None]
    scope = scope_of(companies_of(organization, today), [side.rulebook for side in sides], since, until)
    people = people_of(scope)
    members = belonging(scope.companies, today)
    chosen: set[int] | None = None
    if sample is not None:
        chosen = drawn({**dict.fromkeys(members, 0), **people}, sample, most_events, seed)
        people = {person: count for person, count in people.items() if person in chosen}
    total = sum(people.values())
    done = 0
    if not progress(0, total):
        raise Stopped
    replayed = _Replayed(scope, sides)
    with _no_collecting():
        for portion in deeds(scope, people, asks_person=replayed.asks_person, with_object=replayed.with_object):
            replayed.add(portion)
            done += sum(len(one.events) for one in portion)
            if not progress(min(done, total), total):
                raise Stopped
    who = _everybody(members, people, chosen, scope.companies, today)
    return report_of(
        Compared(
            draft=after.rulebook,
            in_force=before.rulebook if before else None,
            after=after.tally,
            before=before.tally if before else None,
            who=who,
            departments=names_of_departments(one.department for one in who.values()),
            events=done,
            sample=len(who) if chosen is not None else None,
            hashes=(hash_of(rulebook), version.sha256 if version else ""),
        )
    )


def scope_of(companies: Sequence[int], rulebooks: Collection[Rulebook], since: date, until: date) -> Scope:
    """What must be read so that these rulebooks can judge the dates [since, until)."""
    reach = [None if one.counts_ever else one.looks_back_days for one in rulebooks]
    known = None if None in reach else since - timedelta(days=max((one for one in reach if one is not None), default=0))
    return Scope(
        companies,
        known,
        until,
        frozenset(name for one in rulebooks for name in names_of(one)),
        frozenset(entry.event for one in rulebooks for entry in one.reversals),
    )


class _Side:
    """One of the two rulebooks with its figures."""

    def __init__(self, rulebook: Rulebook, since: date, until: date) -> None:
        self.rulebook = rulebook
        self.tally = Tally(since, until)
        self.rules_on = lru_cache(maxsize=None)(lambda day: DayRules(rulebook, day))
        self.seasons = seasons_of(rulebook, until)


class _Replayed:
    """Judges portion after portion by all sides."""

    def __init__(self, scope: Scope, sides: Sequence[_Side]) -> None:
        self.sides = sides
        self.asks_person = any(side.rulebook.asks_person for side in sides)
        self.streaks = any(rule.streak for side in sides for rule in side.rulebook.rules)
        self.with_object = any(side.rulebook.looks_back for side in sides)
        self.undoing: dict[tuple[str, str, Hashable], list[JudgedEvent]] = defaultdict(list)
        self.same_of: dict[str, set[str]] = defaultdict(set)
        entries = {entry for side in sides for entry in side.rulebook.reversals}
        for event in undoing_events(scope):
            for entry in entries:
                value = value_of(event, entry.same) if entry.event == event.name else None
                if value is not None:
                    for name in entry.undoes:
                        self.undoing[name, entry.same, value].append(event)
                        self.same_of[name].add(entry.same)

    def add(self, portion: Sequence[Did]) -> None:
        leave = days_of_leave({one.person for one in portion}) if self.streaks else {}
        for one in portion:
            others = self._others(one.events) if self.undoing else ()
            for side in self.sides:
                outcomes = replay(
                    one.events,
                    side.rules_on,
                    looks_back=side.rulebook.looks_back,
                    others=others,
                    leave=leave.get(one.person, ()),
                    seasons=side.seasons,
                )
                side.tally.add(one.person, outcomes)
                if side.rulebook.looks_back:
                    for event in one.events:
                        event.part, event.level, event.history = 0, -1, None

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


def _everybody(
    members: dict[int, Who], people: Iterable[int], chosen: set[int] | None, companies: Sequence[int], day: date
) -> dict[int, Who]:
    """Those who belong there and those who did anything, as far as they were drawn."""
    missing = set(people) - set(members)
    who = members | (
        {one: found for one, found in belonging(companies, day, missing).items() if one in missing} if missing else {}
    )
    return who if chosen is None else {person: found for person, found in who.items() if person in chosen}


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
