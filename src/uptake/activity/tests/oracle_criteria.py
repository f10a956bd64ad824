"""Slow and plain: who belongs, told event by event from the wording of the criteria."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from uptake.activity.tests.oracle import Act


def belongs(own: Sequence[Act], part: dict[str, Any], as_of: datetime | date, zone: str) -> bool:
    """Whether a criterion (or a group of them) holds of somebody with these events, in the order of time."""
    if "criteria" in part:
        held = [belongs(own, one, as_of, zone) for one in part["criteria"]]
        found = any(held) if part.get("match") == "any" else all(held)
    else:
        found = _holds(own, part, lambda days: _before(as_of, days, zone))
    return found is not bool(part.get("negated", False))


def _before(as_of: datetime | date, days: int, zone: str) -> datetime:
    """The first instant after the span, counted backwards; 0: the first one that does not count any more."""
    if isinstance(as_of, datetime):
        return as_of - timedelta(days=days) + timedelta(microseconds=1)
    return datetime.combine(as_of - timedelta(days=days - 1), time(0), ZoneInfo(zone))


def _holds(own: Sequence[Act], part: dict[str, Any], turn: Callable[[int], datetime]) -> bool:
    past = [act for act in own if act.at < turn(0)]
    did = [act.at for act in past if act.event == part.get("event")]

    def times(since: datetime | None, until: datetime) -> int:
        return sum(1 for at in did if (since is None or at >= since) and at < until)

    kind = part["kind"]
    least = part.get("count", 1)
    if kind in ("performed", "not_performed"):
        many = times(turn(part["days"]) if "days" in part else None, turn(0))
        right: bool = {"gte": many >= least, "lte": 0 < many <= least, "eq": many == least}[part.get("op", "gte")]
        return right is not (kind == "not_performed")
    if kind == "first_time":
        return bool(did) and did[0] >= turn(part["days"])
    if kind == "regularly":
        ends = [turn(n * part["period_days"]) for n in range(part["total_periods"] + 1)]
        good = sum(1 for n in range(part["total_periods"]) if times(ends[n + 1], ends[n]) >= least)
        return good >= int(part["min_periods"])
    if kind == "property":
        values = [dict(act.properties).get("module") for act in past]
        known = [value for value in values if value is not None]
        return bool(known) and bool(known[-1] == part["value"])
    whole, recent = turn(part["days"]), turn(part["recent_days"])
    earlier, lately = times(whole, recent), times(recent, turn(0))
    if kind == "stopped":
        return earlier > 0 and lately == 0
    if kind == "started":
        return earlier == 0 and lately > 0
    assert kind == "restarted"
    return times(None, whole) > 0 and earlier == 0 and lately > 0
