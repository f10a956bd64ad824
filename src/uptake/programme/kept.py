"""What is kept of all a person did up to a place of event time, so that a fold can begin there, not at the beginning.

Pure, and a cache only: a fold that begins at such a place gives for everything behind it what a fold from empty gives,
as long as nothing before the place changes. Bounded by what rules ask for, not by how much happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from uptake.basics.canonical import canonical_json
from uptake.programme.conditions.history import HistoryCondition
from uptake.programme.evaluate import asked_of_rule
from uptake.programme.rulebook import Rulebook
from uptake.programme.rulebook_writing import condition_to_file

Order = tuple[datetime, str, str, int]
"""The canonical order: (at, source, key), then the id."""

Tally = Mapping[str, Mapping[date, int]]
"""How many events on which dates, by object ("": whatever it is). Where no number of dates limits the question, all of
them are told under the date of the last."""

MOST_OBJECTS = 2000
"""With more than these in the tallies nothing is kept: reading and writing it would cost what folding does."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What rules may ask of what lies behind a place."""

    histories: tuple[HistoryCondition, ...] = ()
    cooldowns: Mapping[str, int] = field(default_factory=dict)
    """The longest, in seconds, by lineage."""

    def __or__(self, other: Needs) -> Needs:
        histories = {history_key(one): one for one in (*self.histories, *other.histories)}
        longest = dict(self.cooldowns)
        for lineage, seconds in other.cooldowns.items():
            longest[lineage] = max(seconds, longest.get(lineage, 0))
        return Needs(tuple(histories.values()), longest)


def needs_of(rulebook: Rulebook) -> Needs:
    """What any version of any rule of the rulebook may ask."""
    asked = [
        asked_of_rule(condition, rule)
        for rule in rulebook.rules
        for condition in (*rule.when, *(one for multiplier in rulebook.multipliers for one in multiplier.when))
    ]
    needs = Needs(tuple(one for one in asked if isinstance(one, HistoryCondition)))
    for rule in rulebook.rules:
        if rule.cooldown_seconds:
            needs |= Needs((), {rule.rule: rule.cooldown_seconds})
    return needs | Needs()


@lru_cache(maxsize=4096)
def history_key(asked: HistoryCondition) -> str:
    """Names the events that a question about history means; questions that differ only in what they ask share it."""
    where = [condition_to_file(one) for one in asked.where]
    return canonical_json([sorted(asked.of), asked.within_days, asked.same_object, where]).decode()


class RunSoFar(NamedTuple):
    """A streak: its length, the unit told of last, freezes used by month."""

    week_start: str
    run: int
    last: date | None
    used: Mapping[tuple[int, int], int]


class LevelSoFar(NamedTuple):
    """The level, what counts towards it, the first date of the season, and what the latest dates brought of it."""

    rank: int
    counted: int
    season: date
    recent: Mapping[date, int]


@dataclass(frozen=True, slots=True)
class Kept:
    """All that later events need of those up to a place."""

    until: Order
    """The last event that is in it."""
    day: date
    """The business date of that event."""
    used: Mapping[tuple[str, date], Mapping[str, tuple[int, int]]] = field(default_factory=dict)
    """Points and paid awards by lineage, of each period that is not over on the date."""
    granted_at: Mapping[str, tuple[datetime, ...]] = field(default_factory=dict)
    """When paid awards were, of lineages with a cooldown and no longer ago than it takes."""
    runs: Mapping[str, RunSoFar] = field(default_factory=dict)
    tallies: Mapping[str, Tally] = field(default_factory=dict)
    level: LevelSoFar | None = None

    @property
    def small(self) -> bool:
        return sum(len(tally) for tally in self.tallies.values()) <= MOST_OBJECTS


def kept_to_plain(kept: Kept) -> dict[str, Any]:
    """As plain JSON."""
    at, *rest = kept.until
    plain: dict[str, Any] = {
        "until": [_instant(at), *rest],
        "day": kept.day.isoformat(),
        "used": [
            [every, begin.isoformat(), {lineage: list(taken) for lineage, taken in used.items()}]
            for (every, begin), used in kept.used.items()
        ],
        "granted": {lineage: [_instant(one) for one in found] for lineage, found in kept.granted_at.items()},
        "runs": {
            key: [one.week_start, one.run, one.last and one.last.isoformat(), _months(one.used)]
            for key, one in kept.runs.items()
        },
        "tallies": {
            key: {thing: {day.isoformat(): found for day, found in dates.items()} for thing, dates in tally.items()}
            for key, tally in kept.tallies.items()
        },
    }
    if kept.level is not None:
        recent = {day.isoformat(): points for day, points in kept.level.recent.items()}
        plain["level"] = [kept.level.rank, kept.level.counted, kept.level.season.isoformat(), recent]
    return plain


def kept_of(plain: Mapping[str, Any]) -> Kept:
    """The same, read."""
    level = plain.get("level")
    return Kept(
        order_of(plain),
        day_of(plain),
        {
            (every, date.fromisoformat(begin)): {lineage: (taken[0], taken[1]) for lineage, taken in used.items()}
            for every, begin, used in plain["used"]
        },
        {lineage: tuple(datetime.fromisoformat(one) for one in found) for lineage, found in plain["granted"].items()},
        {
            key: RunSoFar(
                week_start, run, last and date.fromisoformat(last), {(year, month): n for year, month, n in used}
            )
            for key, (week_start, run, last, used) in plain["runs"].items()
        },
        {
            key: {
                thing: {date.fromisoformat(day): found for day, found in dates.items()}
                for thing, dates in tally.items()
            }
            for key, tally in plain["tallies"].items()
        },
        None
        if level is None
        else LevelSoFar(
            level[0],
            level[1],
            date.fromisoformat(level[2]),
            {date.fromisoformat(day): points for day, points in level[3].items()},
        ),
    )


def order_of(plain: Mapping[str, Any]) -> Order:
    """Of a plain one, the place alone."""
    at, source, key, event_id = plain["until"]
    return (datetime.fromisoformat(at), source, key, event_id)


def day_of(plain: Mapping[str, Any]) -> date:
    return date.fromisoformat(plain["day"])


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _months(used: Mapping[tuple[int, int], int]) -> Iterable[list[int]]:
    return [[year, month, number] for (year, month), number in sorted(used.items()) if number]
