"""A question about what the person did before: for the first time, how often, how many days ago."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from uptake.programme.conditions.compare import Value, compares
from uptake.programme.conditions.fact import FactCondition
from uptake.programme.standing import JudgedEvent

FIRST = "first"
COUNT = "count"
DAYS_SINCE = "days_since"
ASKED_OF_HISTORY = (FIRST, COUNT, DAYS_SINCE)


@dataclass(frozen=True, slots=True)
class HistoryCondition:
    """How the events before stand to `value`: whether there is none, how many they are, days since the last.

    Counted are those named in `of` (empty: the names the rule pays for), within so many dates, of the same object,
    whose facts answer `where`.
    """

    key: ClassVar[str] = "history"

    history: str
    op: str
    value: Value
    of: tuple[str, ...] = ()
    within_days: int | None = None
    same_object: bool = False
    where: tuple[FactCondition, ...] = ()

    def actual(self, event: JudgedEvent) -> object:
        """None where days are asked since an event that never was."""
        past = event.history
        assert past is not None, "an event is asked for its history without one"
        if self.history == COUNT:
            return past.count(self, event)
        last = past.last_date(self, event)
        if self.history == FIRST:
            return last is None
        return None if last is None else (event.date - last).days

    def holds(self, event: JudgedEvent) -> bool:
        actual = self.actual(event)
        return actual is not None and compares(actual, self.op, self.value)
