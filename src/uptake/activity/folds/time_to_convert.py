"""How long actors take from one step of a funnel to another: a histogram, and the average.

k bins are asked for or ⌈∛n⌉ of n actors; their width is ⌈(longest - shortest) / k⌉ whole seconds, or a minute where
all took equally long; there are k + 1 of them, half-open, from the shortest on.
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
    KEYS as FUNNEL_KEYS,
)
from uptake.activity.funnels import SECOND, Plan, Runs, both_reported, only_keys, read_hop, read_plan, runs_behind
from uptake.activity.question import QuestionRefused, Selector, read_whole, shown

NAME = "time_to_convert"
SELECTOR = Selector()
KEYS = FUNNEL_KEYS | {"from_step", "to_step", "bins"}
MOST_BINS = 1000
ALL_ALIKE = 60
"""Seconds: the width of the bins where all took equally long."""


@dataclass(frozen=True)
class TimeToConvert:
    """bins: (seconds at which the bin starts, people); by_value: {value: {"bins", "average_seconds"}}."""

    bins: tuple[tuple[float, int], ...]
    average_seconds: float | None
    counted: dict[str, Any]
    by_value: dict[str, dict[str, Any]] | None = None
    compare: dict[str, Any] | None = None

    def to_arrow(self) -> pa.Table:
        """Columns from_seconds, people (and value, first, where there is a breakdown)."""
        groups = self.by_value if self.by_value is not None else {"": {"bins": self.bins}}
        rows = [(value, start, people) for value, one in groups.items() for start, people in one["bins"]]
        table = pa.table(
            {
                "value": pa.array([row[0] for row in rows], pa.string()),
                "from_seconds": pa.array([row[1] for row in rows], pa.float64()),
                "people": pa.array([row[2] for row in rows], pa.int64()),
            }
        )
        return table if self.by_value is not None else table.drop_columns(["value"])


def answer(asked: Asked) -> TimeToConvert:
    """The times of those who got from the one step to the other."""
    plan = read_plan(asked.question)
    hop = read_hop(asked.question, plan)
    bins = _bins(asked)
    span = asked.span()
    counted = asked.counted(span) | {"order": plan.order, "window_seconds": plan.window / SECOND}
    if span is None:
        return TimeToConvert((), None, counted, None if plan.breakdown is None else {})
    whole, by_value = _measured(asked, plan, span, hop, bins)
    compare = None
    then = asked.compared(span)
    if then is not None:
        before, before_by_value = _measured(asked, plan, then, hop, bins)
        compare = {"from": then.first.isoformat(), "to": then.last.isoformat(), **before}
        if before_by_value is not None:
            compare["by_value"] = before_by_value
    return TimeToConvert(**whole, counted=counted, by_value=by_value, compare=compare)


def actors(asked: Asked, number: Mapping[str, Any]) -> Array:
    """{"from_seconds": a, "to_seconds": b}: who took at least a and less than b (without b: or more)."""
    only_keys(number, "from_seconds", "to_seconds", "value")
    plan = read_plan(asked.question)
    start, to = read_hop(asked.question, plan)
    low = _seconds(number.get("from_seconds", 0), "from_seconds")
    high = _seconds(number["to_seconds"], "to_seconds") if "to_seconds" in number else None
    span = asked.span()
    if span is None:
        return np.zeros(0, np.int32)
    runs, called = runs_behind(asked, plan, span, number)
    took = runs.when[:, to] - runs.when[:, start]
    there = runs.did(start) & runs.did(to) & (took >= low)
    if high is not None:
        there &= took < high
    return called.codes(runs.actor[there])


def _bins(asked: Asked) -> int | None:
    value = asked.question.own.get("bins")
    return None if value is None else read_whole(value, "bins", 1, MOST_BINS)


def _seconds(value: Any, key: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise QuestionRefused(key, "seconds", shown(value))
    return round(value * SECOND)


def _measured(
    asked: Asked, plan: Plan, span: Span, hop: tuple[int, int], bins: int | None
) -> tuple[dict[str, Any], dict[str, dict[str, Any]] | None]:
    whole, by_value = both_reported(asked, plan, span)
    groups = None if by_value is None else by_value.by_value()
    return _histogram(whole.runs, hop, bins), None if groups is None else {
        text: _histogram(runs, hop, bins) for text, runs in groups.items()
    }


def _histogram(runs: Runs, hop: tuple[int, int], bins: int | None) -> dict[str, Any]:
    took = runs.seconds(*hop)
    if not len(took):
        return {"bins": (), "average_seconds": None}
    count = bins or next(k for k in range(1, len(took) + 1) if k**3 >= len(took))
    shortest, longest = int(took.min()), int(took.max())
    width = (-(-(longest - shortest) // (count * SECOND)) or ALL_ALIKE) * SECOND
    people = np.bincount((took - shortest) // width, minlength=count + 1).tolist()
    return {
        "bins": tuple(((shortest + k * width) / SECOND, people[k]) for k in range(count + 1)),
        "average_seconds": int(took.sum()) / len(took) / SECOND,
    }
