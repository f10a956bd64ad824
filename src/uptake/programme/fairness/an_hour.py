"""What the best hour of each role could earn by a rulebook, before it is published.

An hour is filled with one sort of what the role did lately, as its events are on average, by the minutes an honest deed
of that name takes (`exploit.effort`); the rulebook judges it with all its caps. The best sort counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from uptake.events.models import EventQuerySet
from uptake.programme.conditions.history import HistoryCondition
from uptake.programme.conditions.list import Condition
from uptake.programme.evaluate import DayRules, Used, judge
from uptake.programme.exploit.effort import minutes_of
from uptake.programme.gather import gather, standings_of
from uptake.programme.rulebook import Rulebook
from uptake.programme.standing import JudgedEvent

LATEST = 5_000
"""Of so many of the latest events the samples are taken."""
SAMPLE = 20
HOUR = 60


@dataclass(frozen=True, slots=True)
class BestHour:
    """points: of the best hour of a role, by events of that `name`; less: under four fifths of the best's."""

    points: float
    name: str
    less: bool


def best_hours(
    rulebook: Rulebook, today: date, role_of: Mapping[int, str], shown: Collection[str], events: EventQuerySet
) -> dict[str, BestHour]:
    """By role, of those that may be shown. events: those that rules listen to, of people of `role_of`.

    Rules and multipliers that ask what somebody did before (streaks, counts) are left out: one hour says nothing of
    them.
    """
    from uptake.statistics.fairness import measures, triggers

    told = replace(
        rulebook,
        rules=tuple(one for one in rulebook.rules if one.streak is None and _of_an_hour(one.when)),
        multipliers=tuple(one for one in rulebook.multipliers if _of_an_hour(one.when)),
    )
    rules = DayRules(told, today)
    hours: dict[str, dict[str, tuple[float, float]]] = defaultdict(dict)
    for (role, name), sample in _samples(role_of, shown, events).items():
        most = max(1, int(HOUR / minutes_of(name)))
        points = _earned(rules, _filled(sample, most, today))
        hours[role][name] = (points / most, float(most))
    best = measures.earnability(hours)
    less = {one.group for one in triggers.of_earnability(best)}
    return {
        role: BestHour(points, max(sorted(acts), key=lambda name: acts[name][0] * acts[name][1]), role in less)
        for role, points in best.items()
        if (acts := hours[role])
    }


@dataclass(slots=True)
class OneHour(Used):
    """What the hour itself took of the caps so far. It lies whole in one day, week, month and year, and nothing was
    granted before it."""

    paid_at: defaultdict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))

    def of(self, every: str, day: date) -> Used:
        return self

    def near(self, lineage: str, at: datetime, seconds: int) -> bool:
        return any(abs((at - paid).total_seconds()) < seconds for paid in self.paid_at[lineage])


def _earned(rules: DayRules, events: list[JudgedEvent]) -> int:
    """Points of all rules for the events of the hour, in their order."""
    hour, points = OneHour(), 0
    for event in events:
        for question in rules.by_name.get(event.name, ()):
            given, _reasons, _explanation = judge(event, question, hour)
            hour.add(question.rule.rule, given)
            if given > 0:
                hour.paid_at[question.rule.rule].append(event.at)
            points += given
    return points


def _of_an_hour(when: Iterable[Condition]) -> bool:
    return not any(isinstance(one, HistoryCondition) for one in when)


def _samples(
    role_of: Mapping[int, str], shown: Collection[str], events: EventQuerySet
) -> dict[tuple[str, str], list[JudgedEvent]]:
    chosen: dict[tuple[str, str], list[int]] = defaultdict(list)
    for pk, person, name in events.order_by("-pk").values_list("pk", "identity__person_id", "name")[:LATEST]:
        role = role_of.get(person or 0)
        if role in shown and len(chosen[role or "", name]) < SAMPLE:
            chosen[role or "", name].append(pk)
    gathered = gather([pk for keys in chosen.values() for pk in keys])
    standings = standings_of({bucket for one in gathered.values() if (bucket := one.bucket) is not None})
    return {
        key: [
            gathered[pk].judged(late=False, standing=standings[bucket])
            for pk in keys
            if (bucket := gathered[pk].bucket) is not None
        ]
        for key, keys in chosen.items()
    }


def _filled(sample: list[JudgedEvent], most: int, today: date) -> list[JudgedEvent]:
    """An hour of one person on one date with so many events like those of the sample."""
    if not sample:
        return []
    begin = sample[0].at
    return [
        replace(
            sample[nth % len(sample)], id=nth + 1, key=str(nth), at=begin + timedelta(minutes=HOUR * nth / most),
            date=today, history_only=False, object=str(nth), reversed=False,
        )
        for nth in range(most)
    ]  # fmt: skip
