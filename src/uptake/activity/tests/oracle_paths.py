"""Slow and plain: paths, transitions, sessions, silence and trends by lists of events, to compare the folds with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any

from uptake.activity.tests.oracle import Act, bucket_of, buckets

Walk = list[tuple[str, datetime]]


def histories(acts: Sequence[Act]) -> dict[str, list[Act]]:
    """Everybody's events in time order; at one instant in the order of arrival."""
    people = sorted({act.person for act in acts if act.person is not None})
    return {who: sorted((act for act in acts if act.person == who), key=lambda act: act.at) for who in people}


def walks(acts: Sequence[Act], gap: timedelta) -> list[tuple[str, Walk]]:
    """Cut where the gap is reached; runs of a node are one, with the time of the last."""
    found: list[tuple[str, Walk]] = []
    for who, events in histories(acts).items():
        pieces: list[list[Act]] = []
        for act in events:
            if pieces and act.at - pieces[-1][-1].at < gap:
                pieces[-1].append(act)
            else:
                pieces.append([act])
        for piece in pieces:
            walk: Walk = []
            for act in piece:
                if walk and walk[-1][0] == act.event:
                    walk.pop()
                walk.append((act.event, act.at))
            found.append((who, walk))
    return found


def shortened(walk: Walk, start: str | None, end: str | None, most: int) -> Walk:
    """What is kept of a walk; nothing, where it has not what is asked for."""
    names = [name for name, _ in walk]
    if start is not None:
        if start not in names:
            return []
        walk = walk[names.index(start) :]
        names = [name for name, _ in walk]
    if end is not None:
        if end not in names:
            return []
        walk = walk[: names.index(end) + 1]
    if len(walk) <= most:
        return walk
    if start is not None and end is not None:
        half = most // 2
        return [*walk[:half], ("...", walk[half][1]), *walk[len(walk) - half :]]
    return walk[-most:] if end is not None else walk[:most]


def paths(
    acts: Sequence[Act], *, gap: timedelta, most: int, start: str | None, end: str | None, limit: int, people: bool
) -> dict[str, Any]:
    kept = [(who, short) for who, walk in walks(acts, gap) if (short := shortened(walk, start, end, most))]
    passed: dict[tuple[int, str, str], list[tuple[str, float]]] = {}
    for who, walk in kept:
        for place, ((first, before), (then, after)) in enumerate(pairwise(walk), start=1):
            passed.setdefault((place, first, then), []).append((who, (after - before).total_seconds()))
    weight = {edge: len({who for who, _ in done}) if people else len(done) for edge, done in passed.items()}
    heaviest = sorted(weight, key=lambda edge: (-weight[edge], edge))[:limit]
    while dangling := [
        edge for edge in heaviest if edge[0] > 1 and not any((e[0] + 1, e[2]) == edge[:2] for e in heaviest)
    ]:
        heaviest = [edge for edge in heaviest if edge not in dangling]
    stands = [(place, name, who, place == len(walk)) for who, walk in kept for place, (name, _) in enumerate(walk, 1)]
    steps = []
    for place, name in sorted({one[:2] for one in stands}):
        here = [(who, last) for at, node, who, last in stands if (at, node) == (place, name)]
        count = (lambda several: len(set(several))) if people else len
        steps.append({
            "step": place, "node": f"{place}_{name}",
            "reached": count([who for who, _ in here]),
            "continued": count([who for who, last in here if not last]),
            "dropped": count([who for who, last in here if last]),
        })  # fmt: skip
    return {
        "edges": [
            [f"{e[0]}_{e[1]}", f"{e[0] + 1}_{e[2]}", weight[e], sum(s for _, s in passed[e]) / len(passed[e])]
            for e in heaviest
        ],
        "steps": sorted(steps, key=lambda row: (row["step"], -row["reached"], row["node"])),
        "walks": len(kept),
        "people": len({who for who, _ in kept}),
    }


def transitions(
    acts: Sequence[Act], *, gap: timedelta | None, collapse: bool, people: bool, steps: int
) -> dict[str, Any]:
    pieces: list[tuple[str, list[str]]] = []
    for who, events in histories(acts).items():
        for number, act in enumerate(events):
            if number == 0 or (gap is not None and act.at - events[number - 1].at >= gap):
                pieces.append((who, []))
            if not (collapse and pieces[-1][1][-1:] == [act.event]):
                pieces[-1][1].append(act.event)
    done = [(who, first, then) for who, names in pieces for first, then in pairwise(["path_start", *names, "path_end"])]
    counts = Counter((first, then) for _, first, then in (set(done) if people else done))
    names = sorted({name for _, walk in pieces for name in walk})
    shares = [
        [sum(walk[step : step + 1] == [name] for _, walk in pieces) / len(pieces) for step in range(steps)]
        for name in names
    ]
    over = [[sum(len(walk) <= step for _, walk in pieces) / len(pieces) for step in range(steps)]] if pieces else []
    found: dict[str, Any] = {
        "edges": sorted([first, then, times] for (first, then), times in counts.items()),
        "walks": len(pieces),
        "people": len({who for who, _ in pieces}),
    }
    if steps and pieces:
        found["step_matrix"] = {"nodes": [*names, "path_end"], "shares": shares + over}
    return found


def sessions_of(events: Sequence[Act], timeout: timedelta, longest: timedelta) -> list[list[Act]]:
    found: list[list[Act]] = []
    for act in events:
        if found and act.at - found[-1][-1].at <= timeout and act.at - found[-1][0].at <= longest:
            found[-1].append(act)
        else:
            found.append([act])
    return found


def by_duration(acts: Sequence[Act], timeout: timedelta, bins: Sequence[int]) -> list[tuple[int, int]]:
    """(sessions, people) of each bin."""
    found = []
    for low, high in zip([0, *bins], [*bins, 10**9], strict=True):
        whose = [
            who
            for who, events in histories(acts).items()
            for one in sessions_of(events, timeout, timedelta(hours=24))
            if low <= (one[-1].at - one[0].at).total_seconds() < high
        ]
        found.append((len(whose), len(set(whose))))
    return found


def sessions(acts: Sequence[Act], timeout: timedelta, longest: timedelta) -> dict[str, Any]:
    own = {who: sessions_of(events, timeout, longest) for who, events in histories(acts).items()}
    every = [one for several in own.values() for one in several]
    lasted = [(one[-1].at - one[0].at).total_seconds() for one in every]
    return {
        "sessions": len(every),
        "people": len(own),
        "average_seconds": sum(lasted) / len(lasted) if every else None,
        "median_seconds": median(lasted) if every else None,
        "bounces": sum(sum(act.event == "$pageview" for act in one) <= 1 for one in every),
        "durations": lasted,
        "session_number_of_event": [
            next(number for number, one in enumerate(own[act.person], 1) if any(act is other for other in one))
            for act in acts
            if act.person is not None
        ],
    }


def silence(
    acts: Sequence[Act], *, at: datetime, days: float | None, zone: str, tail: int, off: set[date], ignored: set[str]
) -> dict[str, Any]:
    timeout, longest = timedelta(minutes=30), timedelta(hours=24)
    own = histories([act for act in acts if act.at <= at and act.event not in ignored])
    silent: dict[str, list[str]] = {}
    for who, events in own.items():
        if days is not None:
            quiet = at - events[-1].at > timedelta(days=days)
        else:
            today = Act(who, "", at).local(zone).date()
            active = sorted({act.local(zone).date() for act in events})
            since = [active[-1] + timedelta(days=number) for number in range(1, (today - active[-1]).days + 1)]
            working = [day for day in since if day.weekday() < 5 and day not in off]
            gaps = [(then - day).days for day, then in pairwise(active)]
            quiet = len(working) > 10 and (not gaps or len(since) > 3 * median(gaps))
        if quiet:
            names: list[str] = []
            for act in sessions_of(events, timeout, longest)[-1]:
                if names[-1:] != [act.event]:
                    names.append(act.event)
            silent[who] = names[-tail:]
    last = Counter(names[-1] for names in silent.values())
    did = Counter(name for events in own.values() for name in {act.event for act in events})
    ends = Counter(one[-1].event for events in own.values() for one in sessions_of(events, timeout, longest))
    return {
        "silent": silent,
        "last_event": [[name, times] for name, times in sorted(last.items(), key=lambda pair: (-pair[1], pair[0]))],
        "last_rate": {name: round(times / did[name], 4) for name, times in last.items()},
        "people": len(own),
        "lift": {name: (times / len(silent)) / (ends[name] / ends.total()) for name, times in last.items()},
    }


def trend(
    acts: Sequence[Act], names: set[str], count: str, first: date, last: date, *, zone: str, interval: str,
    week_start: str,
) -> dict[str, Any]:  # fmt: skip
    starts = buckets(first, last, interval, week_start)
    every: list[tuple[Any, str]] = []
    for who, events in histories(acts).items():
        for number, one in enumerate(sessions_of(events, timedelta(minutes=30), timedelta(hours=24))):
            for place, act in enumerate(one):
                if act.event in names and first <= act.local(zone).date() <= last:
                    unit: Any = {"people": who, "sessions": (who, number)}.get(count, (who, number, place))
                    every.append((unit, bucket_of(act.local(zone), interval, week_start)))
    values = [len({unit for unit, start in every if start == wanted}) for wanted in starts]
    so_far = [len({unit for unit, start in every if start <= wanted}) for wanted in starts]
    return {"values": values, "total": len({unit for unit, _ in every}), "cumulative": so_far}
