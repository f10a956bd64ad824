"""Adds up what a rulebook gave, person by person: by rule and day, at the caps, and what would be worth gaming.

Pure: values in, values out; holds figures only, never the events.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, timedelta
from heapq import heappush, heappushpop
from typing import Any

from uptake.programme.evaluate import CAPS, Outcome

CLIPPED = frozenset(CAPS)
BURST = timedelta(minutes=10)
"""How long the best minutes of a person are."""
FASTEST = 10


Burst = tuple[float, int, int, date, str, int]
"""(points a minute, person, points, date, rule that gave most, events) of the best minutes of a person's day."""


@dataclass(slots=True)
class OfRule:
    """What one rule gave to everybody."""

    points: int = 0
    paid: int = 0
    """Events that were given points."""
    asked: int = 0
    people: int = 0
    """How many were given any."""
    clipped: int = 0
    """Events that a cap cut."""
    clipped_people: int = 0
    lost: int = 0
    """Points that caps cut."""
    days: int = 0
    """Days of a person on which it paid."""
    edge_days: int = 0
    """Those of them after which a daily limit of its own had nothing left."""


OF_RULE = tuple(one.name for one in fields(OfRule))


@dataclass
class Tally:
    """The figures of one rulebook over the dates [since, until)."""

    since: date
    until: date
    points: dict[int, int] = field(default_factory=dict)
    """By person, those with points."""
    rules: defaultdict[str, OfRule] = field(default_factory=lambda: defaultdict(OfRule))
    days: Counter[date] = field(default_factory=Counter)
    clipped_people: int = 0
    paid: int = 0
    fastest: list[Burst] = field(default_factory=list)
    """The most of `FASTEST` people-days."""
    bursts: list[Burst] = field(default_factory=list)
    """Each that was among the fastest when it came, in that order: what a tally that takes this one in must hear."""

    def add(self, person: int, outcomes: Iterable[Outcome]) -> None:
        """The outcomes of everything one person did at one company."""
        total = 0
        of_rule: dict[str, list[int]] = {}
        days: defaultdict[tuple[str, date], bool] = defaultdict(bool)
        given: defaultdict[date, list[Outcome]] = defaultdict(list)
        clipped = False
        since, until = self.since, self.until
        for one in outcomes:
            day = one.event.date
            if day < since or day >= until:
                continue
            rule = one.rule
            sums = of_rule.get(rule)
            if sums is None:
                sums = of_rule[rule] = [0, 0, 0, 0, 0]
            sums[0] += 1
            points = one.points
            cut = bool(one.reasons) and not CLIPPED.isdisjoint(one.reasons)
            if cut:
                sums[3] += 1
                sums[4] += int(one.explanation.get("before_caps", points)) - points
                clipped = True
            if points:
                sums[1] += points
                sums[2] += 1
                total += points
                self.days[day] += points
                given[day].append(one)
                days[rule, day] |= cut or _at_edge(one)
        for rule, (asked, points, paid, cuts, lost) in of_rule.items():
            kept = self.rules[rule]
            kept.asked += asked
            kept.points += points
            kept.paid += paid
            kept.clipped += cuts
            kept.lost += lost
            kept.people += paid > 0
            kept.clipped_people += cuts > 0
            self.paid += paid
        for (rule, _), edge in days.items():
            self.rules[rule].days += 1
            self.rules[rule].edge_days += edge
        if total:
            self.points[person] = self.points.get(person, 0) + total
        self.clipped_people += clipped
        for day, found in given.items():
            if len(found) > 1:
                self._burst(person, day, found)

    def take_in(self, other: Tally) -> None:
        """Adds the figures of other people. Taken in one after the other, parts make the same whole as all at once.

        Nothing that the other left out of its bursts could be among the fastest here: it has heard fewer of them.
        """
        for person, points in other.points.items():
            self.points[person] = self.points.get(person, 0) + points
        for rule, told in other.rules.items():
            kept = self.rules[rule]
            for name in OF_RULE:
                setattr(kept, name, getattr(kept, name) + getattr(told, name))
        self.days.update(other.days)
        self.clipped_people += other.clipped_people
        self.paid += other.paid
        for burst in other.bursts:
            if not self._too_slow(burst[0]):
                self._keep(burst)

    def _burst(self, person: int, day: date, given: Sequence[Outcome]) -> None:
        """Notes the best ten minutes of the day, if they are among the best of all."""
        ranked = sorted(given, key=lambda one: one.event.at)
        best, best_from, best_to = 0, 0, 0
        running, first = 0, 0
        for last, one in enumerate(ranked):
            running += one.points
            while one.event.at - ranked[first].event.at > BURST:
                running -= ranked[first].points
                first += 1
            if running > best and last > first:
                best, best_from, best_to = running, first, last
        rate = best / (BURST.total_seconds() / 60)
        if not best or self._too_slow(rate):
            return
        inside = ranked[best_from : best_to + 1]
        by_rule: Counter[str] = Counter()
        for one in inside:
            by_rule[one.rule] += one.points
        self._keep((rate, person, best, day, by_rule.most_common(1)[0][0], len({one.event.id for one in inside})))

    def _too_slow(self, rate: float) -> bool:
        return len(self.fastest) >= FASTEST and rate <= self.fastest[0][0]

    def _keep(self, burst: Burst) -> None:
        self.bursts.append(burst)
        if len(self.fastest) < FASTEST:
            heappush(self.fastest, burst)
        else:
            heappushpop(self.fastest, burst)


def _at_edge(outcome: Outcome) -> bool:
    """Whether a daily limit of the rule's own was used up exactly by this award."""
    caps: list[dict[str, Any]] | None = outcome.explanation.get("caps")
    if not caps:
        return False
    for told in caps:
        cap = told["cap"]
        if cap["every"] == "day" and "whose" not in told and cap.get("times") != 1:  # once a day is no edge
            taken = 1 if "times" in cap else outcome.points
            if told["room"] == taken:
                return True
    return False
