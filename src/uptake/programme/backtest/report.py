"""The report of a back-test as plain values: what two rulebooks would have paid, and whom the change touches.

Pure: values in, values out. People are numbers; who may know their names is for the page to say.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from uptake.programme.backtest.tally import Tally
from uptake.programme.rulebook import Rulebook
from uptake.statistics.inequality import gini, theil

FORMAT = 1
BINS = (-30, -20, -10, -2, 2, 10, 20)
"""Borders, in percent, between the groups of people by their change: 8 groups, from "≤ −30%" to "≥ +20%"."""
LARGEST = 20
MUCH = 10
"""Percent from which on a loss is told."""
DAYS_OF_MONTH = 30


class Who(NamedTuple):
    """Where a person belonged on the last date: ids of company and department (0: none), and the role."""

    company: int
    department: int
    role: str


@dataclass(frozen=True)
class Compared:
    """What the report is made of."""

    draft: Rulebook
    in_force: Rulebook | None
    after: Tally
    before: Tally | None
    who: Mapping[int, Who]
    """Everybody who counts: those who belong there and those who earned anything."""
    departments: Mapping[int, str]
    events: int
    sample: int | None
    """How many people were drawn, if not everybody counts."""
    hashes: tuple[str, str]
    """Of the draft and of the rulebook in force ("": none)."""


def report_of(compared: Compared) -> dict[str, Any]:
    """The report. Points are whole numbers of the whole time; shares are from 0 to 1."""
    after, before = compared.after, compared.before
    people = sorted(compared.who)
    had = {person: before.points.get(person, 0) if before else 0 for person in people}
    gets = {person: after.points.get(person, 0) for person in people}
    changes = {person: gets[person] - had[person] for person in people}
    days = (after.until - after.since).days
    return {
        "format": FORMAT,
        "from": after.since,
        "until": after.until,
        "days": days,
        "draft": compared.hashes[0],
        "in_force": compared.hashes[1],
        "sample": compared.sample,
        "people": len(people),
        "events": compared.events,
        "cost": {
            "before": sum(had.values()),
            "after": sum(gets.values()),
            "before_a_month": _monthly(sum(had.values()), days),
            "after_a_month": _monthly(sum(gets.values()), days),
        },
        "change": _change(had, gets),
        "departments": _groups(compared, had, gets, by_role=False),
        "roles": _groups(compared, had, gets, by_role=True),
        "largest": _largest(changes, had, gets),
        "caps": {"before": _caps(before, had), "after": _caps(after, gets)},
        "gini": {"before": _rounded(gini(list(had.values()))), "after": _rounded(gini(list(gets.values())))},
        "theil": {"before": _rounded(theil(list(had.values()))), "after": _rounded(theil(list(gets.values())))},
        "rules": _rules(compared),
        "by_day": _days(before, after),
        "gaming": {"fastest": _fastest(after), "edges": _edges(after)},
        "dated": _dated(compared.draft),
        "each": [[person, had[person], gets[person]] for person in people if had[person] or gets[person]],
    }


def _monthly(points: int, days: int) -> int:
    return round(points * DAYS_OF_MONTH / days) if days else 0


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(max(value, 0.0), 4)


def percent(before: int, after: int) -> float:
    """The change in percent of what it was; who had nothing gains 100 or nothing."""
    if before:
        return 100 * (after - before) / before
    return 100.0 if after else 0.0


def _change(had: Mapping[int, int], gets: Mapping[int, int]) -> dict[str, Any]:
    bins = [0] * (len(BINS) + 1)
    more = fewer = same = much = 0
    for person, before in had.items():
        after = gets[person]
        if not before and not after:
            continue
        share = percent(before, after)
        bins[_bin(share)] += 1
        more += after > before
        fewer += after < before
        same += after == before
        much += share < -MUCH
    return {"more": more, "fewer": fewer, "same": same, "lose_much": much, "bins": bins}


def _bin(share: float) -> int:
    """The outer groups have their borders; ±2 is the middle."""
    if share >= BINS[-1]:
        return len(BINS)
    if share <= BINS[0]:
        return 0
    return min(bisect_right(BINS, share), len(BINS) - 1)


def _groups(
    compared: Compared, had: Mapping[int, int], gets: Mapping[int, int], *, by_role: bool
) -> list[dict[str, Any]]:
    members: dict[Any, list[int]] = defaultdict(list)
    for person, who in compared.who.items():
        members[who.role if by_role else who.department].append(person)
    found = []
    for key, people in members.items():
        before, after = sum(had[one] for one in people), sum(gets[one] for one in people)
        found.append(
            {
                "id": key,
                "name": key if by_role else compared.departments.get(key, ""),
                "people": len(people),
                "before": before,
                "after": after,
                "lose_much": sum(percent(had[one], gets[one]) < -MUCH for one in people if had[one]),
            }
        )
    return sorted(found, key=lambda one: (-one["after"], -one["before"], str(one["name"]), str(one["id"])))


def _largest(changes: Mapping[int, int], had: Mapping[int, int], gets: Mapping[int, int]) -> dict[str, Any]:
    ranked = sorted(changes, key=lambda person: (changes[person], person))
    lose = [[one, had[one], gets[one]] for one in ranked[:LARGEST] if changes[one] < 0]
    gain = [[one, had[one], gets[one]] for one in reversed(ranked[-LARGEST:]) if changes[one] > 0]
    return {"gain": gain, "lose": lose}


def _caps(tally: Tally | None, points: Mapping[int, int]) -> dict[str, Any]:
    earning = sum(value > 0 for value in points.values())
    rules = tally.rules.values() if tally else ()
    return {
        "people": tally.clipped_people if tally else 0,
        "of": earning,
        "events": sum(one.clipped for one in rules),
        "points": sum(one.lost for one in rules),
    }


def _rules(compared: Compared) -> list[dict[str, Any]]:
    titles: dict[str, str] = {}
    for rulebook in (compared.in_force, compared.draft):
        for rule in rulebook.rules if rulebook else ():
            titles[rule.rule] = rule.title or rule.rule
    found = []
    for lineage, title in titles.items():
        found.append(
            {
                "rule": lineage,
                "title": title,
                "before": asdict(compared.before.rules[lineage])
                if compared.before and lineage in compared.before.rules
                else None,
                "after": asdict(compared.after.rules[lineage]) if lineage in compared.after.rules else None,
                "stays": _rule_stays(compared, lineage),
            }
        )
    return found


def _rule_stays(compared: Compared, lineage: str) -> str:
    """new, gone, changed or same."""
    before = [one for one in compared.in_force.rules if one.rule == lineage] if compared.in_force else []
    after = [one for one in compared.draft.rules if one.rule == lineage]
    if not before:
        return "new"
    if not after:
        return "gone"
    return "same" if _wording(before[-1]) == _wording(after[-1]) else "changed"


def _wording(rule: Any) -> tuple[Any, ...]:
    left_out = {"version", "from_date", "until_date", "title"}
    return tuple(getattr(rule, name) for name in rule.__slots__ if name not in left_out)


def _days(before: Tally | None, after: Tally) -> list[list[Any]]:
    days = sorted({*after.days, *(before.days if before else ())})
    return [[day, before.days.get(day, 0) if before else 0, after.days.get(day, 0)] for day in days]


def _fastest(tally: Tally) -> list[dict[str, Any]]:
    return [
        {"a_minute": round(rate, 2), "person": person, "points": points, "date": day, "rule": rule, "events": events}
        for rate, person, points, day, rule, events in sorted(tally.fastest, reverse=True)
    ]


def _edges(tally: Tally) -> list[dict[str, Any]]:
    found = [
        {"rule": rule, "days": one.days, "edge_days": one.edge_days}
        for rule, one in tally.rules.items()
        if one.edge_days
    ]
    return sorted(found, key=lambda one: (-one["edge_days"] / one["days"], one["rule"]))


def _dated(rulebook: Rulebook) -> list[str]:
    """Multipliers that have dates: outside of them they change nothing here."""
    return [one.multiplier for one in rulebook.multipliers if one.from_date or one.until_date]


def stake_of(told: Mapping[str, Any], person: int) -> tuple[int, int] | None:
    """(points before, points after) of one person over the whole time; None: nothing either way."""
    found: Sequence[Sequence[int]] = told["each"]
    return next(((before, after) for one, before, after in found if one == person), None)
