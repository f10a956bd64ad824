"""Slow and plain: retention, lifecycle, stickiness and criteria again, by sets of days over lists of events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from uptake.activity.tests.oracle import Act, bucket_of, buckets

Passes = Callable[[Act], bool]


def people_of(acts: Sequence[Act]) -> dict[str, list[Act]]:
    """Everybody's events, earliest first."""
    found: dict[str, list[Act]] = {}
    for act in sorted(acts, key=lambda one: one.at):
        if act.person is not None:
            found.setdefault(act.person, []).append(act)
    return found


def intervals_after(first: date, count: int, interval: str, week_start: str) -> list[str]:
    """The labels of so many whole intervals from the one that holds the date."""
    reach = {"hour": 2, "day": 1, "week": 7, "month": 31, "quarter": 92}[interval]
    return buckets(first, first + timedelta(days=reach * (count + 1)), interval, week_start)[:count]


def retention(
    acts: Sequence[Act],
    labels: Sequence[str],
    *,
    zone: str,
    interval: str,
    week_start: str,
    starts: Passes,
    named: Passes,
    returns: Passes,
    mode: str = "recurring",
    least: int = 1,
    cumulative: bool = False,
    ranges: Sequence[tuple[int, int]] | None = None,
    value: Callable[[Act], str] = lambda _: "",
) -> dict[str, list[list[int]]]:
    """The triangle of each value of the breakdown (of everybody, without one)."""
    count = len(labels)

    def where(act: Act) -> str:
        return bucket_of(act.local(zone), interval, week_start)

    cohorts: dict[str, list[tuple[str, int]]] = {}
    back: dict[str, set[int]] = {}
    for person, own in people_of(acts).items():
        times = [where(act) for act in own if returns(act)]
        back[person] = {i for i, label in enumerate(labels) if times.count(label) >= least}
        begun = [act for act in own if starts(act)]
        if mode == "recurring":
            defining = []
            for label in labels:
                defining += [act for act in begun if where(act) == label][:1]
        elif mode == "first_time":
            defining = begun[:1]
        elif mode == "first_in_range":
            defining = [act for act in begun if where(act) in labels][:1]
        else:
            by_name = [act for act in own if named(act)]
            defining = [act for act in by_name if act.at == by_name[0].at and starts(act)][:1]
        for act in defining:
            if where(act) in labels:
                cohorts.setdefault(value(act), []).append((person, labels.index(where(act))))
    if ranges is not None:
        columns = [(0, 0), *ranges]
    else:
        columns = [(k, count if cumulative and k else k) for k in range(count)]
    triangles = {}
    for text, members in cohorts.items():
        triangles[text] = [
            [
                sum(
                    1 for person, row in members
                    if row == i and (low == 0 or any(i + low <= j <= i + high for j in back[person]))
                )
                for low, high in columns
                if i + low < count
            ]
            for i in range(count)
        ]  # fmt: skip
    return triangles


def lifecycle(
    active: dict[str, list[datetime]], first: date, last: date, *, interval: str, week_start: str
) -> dict[str, Any]:
    """States per interval; `active` has everybody's local times of all history."""
    labels = buckets(first, last, interval, week_start)
    before = bucket_of(datetime.fromisoformat(labels[0]) - timedelta(hours=1), interval, week_start)
    found: dict[str, Any] = {"starts": labels}
    for state in ("new", "returning", "resurrecting", "dormant"):
        found[state] = [0] * len(labels)
    for times in active.values():
        when = {bucket_of(at, interval, week_start) for at in times}
        for i, (label, previous) in enumerate(zip(labels, [before, *labels], strict=False)):
            if label in when:
                state = "new" if min(when) == label else "returning" if previous in when else "resurrecting"
                found[state][i] += 1
            elif previous in when:
                found["dormant"][i] += 1
    return found


def stickiness(
    active: dict[str, list[datetime]],
    first: date,
    last: date,
    *,
    interval: str,
    week_start: str,
    together: int,
    enough: Callable[[int], bool],
) -> list[int]:
    labels = buckets(first, last, interval, week_start)
    bars = [0] * -(-len(labels) // together)
    for times in active.values():
        inside = [at for at in times if first <= at.date() <= last]
        groups = [labels.index(bucket_of(at, interval, week_start)) // together for at in inside]
        days = sum(1 for group in set(groups) if enough(groups.count(group)))
        if days:
            bars[days - 1] += 1
    return bars
