"""How many actors get from one step to the next: ordered, strict or in any order, within a window from the entry.

counts[k] = actors whose reported run did step k (unordered: k+1 different steps). avg_seconds and median_seconds are
those of the hop from the step before, None where nobody made it. With a breakdown, by_value has the same of each
value, "" for none, "__other__" for the values beyond the limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from uptake.activity.asking import Asked, Span
from uptake.activity.columns import Array
from uptake.activity.funnels import (
    KEYS,
    SECOND,
    Actors,
    Called,
    Plan,
    Runs,
    both_reported,
    only_keys,
    read_plan,
    read_step,
    runs_behind,
)
from uptake.activity.question import Selector, read_yes

NAME = "funnel"
SELECTOR = Selector()
__all__ = ["KEYS", "NAME", "SELECTOR", "Funnel", "actors", "answer"]


@dataclass(frozen=True)
class Funnel:
    """One number per step."""

    counts: tuple[int, ...]
    from_start: tuple[float | None, ...]
    """Of those at the first step; a share from 0 to 1."""
    from_previous: tuple[float | None, ...]
    avg_seconds: tuple[float | None, ...]
    median_seconds: tuple[float | None, ...]
    actors_by_step: tuple[Actors, ...]
    counted: dict[str, Any]
    by_value: dict[str, dict[str, Any]] | None = None
    compare: dict[str, Any] | None = None

    def to_arrow(self) -> pa.Table:
        """Columns step, people, average_seconds, median_seconds (and value, first, where there is a breakdown)."""
        whole = {"counts": self.counts, "avg_seconds": self.avg_seconds, "median_seconds": self.median_seconds}
        rows = [
            (value, step, one["counts"][step], one["avg_seconds"][step], one["median_seconds"][step])
            for value, one in (self.by_value if self.by_value is not None else {"": whole}).items()
            for step in range(len(self.counts))
        ]
        names = ("value", "step", "people", "average_seconds", "median_seconds")
        types = (pa.string(), pa.int64(), pa.int64(), pa.float64(), pa.float64())
        table = pa.table(
            {
                name: pa.array([row[k] for row in rows], kind)
                for k, (name, kind) in enumerate(zip(names, types, strict=True))
            }
        )
        return table if self.by_value is not None else table.drop_columns(["value"])


def answer(asked: Asked) -> Funnel:
    """The funnel of the question's range."""
    plan = read_plan(asked.question)
    span = asked.span()
    whole, by_value = _measured(asked, plan, span)
    compare = None
    then = asked.compared(span) if span is not None else None
    if then is not None:
        before, before_by_value = _measured(asked, plan, then)
        compare = {"from": then.first.isoformat(), "to": then.last.isoformat(), **before}
        if before_by_value is not None:
            compare["by_value"] = before_by_value
    counted = asked.counted(span) | {
        "order": plan.order, "window_seconds": plan.window / SECOND, "steps": len(plan.steps),
    }  # fmt: skip
    return Funnel(**whole, counted=counted, by_value=by_value, compare=compare)


def actors(asked: Asked, number: Mapping[str, Any]) -> Array:
    """{"step": k}: who did step k (from 0); with "dropped": true, who did the one before and not k. "value": of those
    under a value of the breakdown."""
    only_keys(number, "step", "dropped", "value")
    plan = read_plan(asked.question)
    dropped = read_yes(number.get("dropped", False), "dropped")
    step = read_step(number.get("step"), "step", 1 if dropped else 0, plan)
    span = asked.span()
    if span is None:
        return np.zeros(0, np.int32)
    runs, called = runs_behind(asked, plan, span, number)
    there = runs.did(plan.needed_before(step)) & ~runs.did(step) if dropped else runs.did(step)
    return called.codes(runs.actor[there])


def _measured(
    asked: Asked, plan: Plan, span: Span | None
) -> tuple[dict[str, Any], dict[str, dict[str, Any]] | None]:  # fmt: skip
    if span is None:
        return _numbers(plan, None, None), None if plan.breakdown is None else {}
    whole, by_value = both_reported(asked, plan, span)
    groups = None if by_value is None else by_value.by_value()
    return _numbers(plan, whole.runs, whole.called), None if groups is None else {
        text: _numbers(plan, runs, whole.called) for text, runs in groups.items()
    }


def _numbers(plan: Plan, runs: Runs | None, called: Called | None) -> dict[str, Any]:
    steps = range(len(plan.steps))
    if runs is None or called is None:
        nothing = (None,) * len(steps)
        empty: dict[str, Any] = {"counts": (0,) * len(steps), "actors_by_step": ((),) * len(steps)}
        return empty | dict.fromkeys(("from_start", "from_previous", "avg_seconds", "median_seconds"), nothing)
    did = [runs.did(k) for k in steps]
    counts = [int(one.sum()) for one in did]
    hops = [runs.seconds(plan.needed_before(k), k) if k else did[0][:0] for k in steps]
    return {
        "counts": tuple(counts),
        "from_start": tuple(counts[k] / counts[0] if counts[0] else None for k in steps),
        "from_previous": tuple(
            counts[k] / counts[plan.needed_before(k)] if k and counts[plan.needed_before(k)] else None for k in steps
        ),
        "avg_seconds": tuple(int(hop.sum()) / len(hop) / SECOND if len(hop) else None for hop in hops),
        "median_seconds": tuple(float(np.median(hop)) / SECOND if len(hop) else None for hop in hops),
        "actors_by_step": tuple(Actors(runs.actor[one], called) for one in did),
    }
