"""Funnels again, slow and plain: every chain of events is tried, as the definitions say it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from uptake.activity.tests.oracle import Act

Wanted = Callable[[Act], bool]


@dataclass(frozen=True)
class Asked:
    """A funnel: which events serve each step, the window in seconds, what may not happen in between."""

    steps: Sequence[Wanted]
    window: float
    order: str = "ordered"
    exclusions: Sequence[tuple[Wanted, int, int]] = ()
    ignored: Wanted = field(default=lambda act: False)
    optional: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Run:
    entry: datetime
    times: tuple[datetime | None, ...]
    """By step; None: not done. Unordered: sorted, without None."""
    depth: int
    tainted: bool = False

    @property
    def arrival(self) -> datetime:
        found = self.times[self.depth - 1]
        assert found is not None
        return found


def reported(acts: Sequence[Act], asked: Asked) -> Run | None:
    """The run of one person that counts; None: nowhere in the funnel."""
    found = list(_attempts(acts, asked))
    if not found:
        return None
    deepest = max(run.depth for run in found)
    clean = [run for run in found if run.depth == deepest and not run.tainted]
    if not clean:
        return None
    latest_first = sorted(clean, key=lambda run: run.entry, reverse=asked.order != "unordered")
    return min(latest_first, key=lambda run: run.arrival)


def by_bucket(acts: Sequence[Act], asked: Asked, bucket: Callable[[datetime], str]) -> dict[str, Run]:
    """The run that counts among the attempts that began in each bucket."""
    if reported(acts, asked) is None:
        return {}
    found = {}
    attempts = list(_attempts(acts, asked))
    for label in {bucket(run.entry) for run in attempts}:
        own = [run for run in attempts if bucket(run.entry) == label]
        deepest = max(run.depth for run in own)
        clean = [run for run in own if run.depth == deepest and not run.tainted]
        if clean:
            found[label] = min(clean, key=lambda run: run.arrival)
    return found


def _attempts(acts: Sequence[Act], asked: Asked) -> Iterator[Run]:
    ordered = sorted(acts, key=lambda act: act.at)
    for at, together in groupby(ordered, key=lambda act: act.at):
        starters = list(together)
        if asked.order == "unordered":
            if any(step(act) for act in starters for step in asked.steps):
                yield _any_order(ordered, asked, at)
        else:
            chains = list(_chains(ordered, asked, at))
            if chains:
                yield _attempt(ordered, asked, at, chains)


def _chains(ordered: Sequence[Act], asked: Asked, start: datetime) -> Iterator[tuple[datetime | None, ...]]:
    """The times of every chain of different events that begins at `start` with the first step, of any length."""
    inside = [act for act in ordered if 0 <= (act.at - start).total_seconds() <= asked.window]

    def follow(
        step: int, used: frozenset[int], times: tuple[datetime | None, ...]
    ) -> Iterator[tuple[datetime | None, ...]]:
        if any(time is not None for time in times) and times[-1] is not None:
            yield times
        if step == len(asked.steps):
            return
        now = next((time for time in reversed(times) if time is not None), start)
        for index, act in enumerate(inside):
            if index in used or act.at < now or not asked.steps[step](act) or (step == 0 and act.at != start):
                continue
            if (
                asked.order == "strict"
                and step
                and any(now < other.at < act.at and not asked.ignored(other) for other in ordered)
            ):
                continue
            yield from follow(step + 1, used | {index}, (*times, act.at))
        if step in asked.optional:
            yield from follow(step + 1, used, (*times, None))

    return follow(0, frozenset(), ())


def _attempt(ordered: Sequence[Act], asked: Asked, start: datetime, chains: list[tuple[datetime | None, ...]]) -> Run:
    depth = max(len(chain) for chain in chains)
    far = [chain for chain in chains if len(chain) == depth]
    never = datetime.max.replace(tzinfo=start.tzinfo)
    arrival = min(chain[-1] or never for chain in far)
    best = min(
        (chain for chain in far if chain[-1] == arrival), key=lambda chain: tuple(time or never for time in chain)
    )
    tainted = False
    for excluded, after, before in asked.exclusions:
        if len(best) <= after:
            continue
        since, until = best[after], best[before] if len(best) > before else None
        assert since is not None
        for act in ordered:
            if excluded(act) and act.at > since:
                inside = (act.at - start).total_seconds() <= asked.window
                tainted = tainted or (act.at < until if until is not None else inside)
    return Run(start, best + (None,) * (len(asked.steps) - depth), depth, tainted)


def _any_order(ordered: Sequence[Act], asked: Asked, start: datetime) -> Run:
    inside = [act for act in ordered if 0 <= (act.at - start).total_seconds() <= asked.window]
    best: tuple[datetime, ...] = ()

    def fill(index: int, free: frozenset[int], times: tuple[datetime, ...]) -> None:
        nonlocal best
        if (-len(times), times) < (-len(best), best):
            best = times
        if index == len(inside):
            return
        for step in free:
            if asked.steps[step](inside[index]):
                fill(index + 1, free - {step}, (*times, inside[index].at))
        fill(index + 1, free, times)

    fill(0, frozenset(range(len(asked.steps))), ())
    whole = len(best) == len(asked.steps)
    for excluded, _, _ in asked.exclusions:
        for act in ordered:
            until = act.at < best[-1] if whole else (act.at - start).total_seconds() <= asked.window
            if excluded(act) and act.at > start and until:
                return Run(start, (start,), 1)
    return Run(start, best, len(best))
