"""What one person did so far: earlier events that are not wholly undone, ready to be counted."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta

from uptake.programme.conditions.history import HistoryCondition
from uptake.programme.standing import JudgedEvent

Place = tuple[str, str | None]
"""(name of the event, its object; None: whatever it is)."""


class History:
    """Events in canonical order, by name and object. Add an event after everything was asked about it."""

    def __init__(self) -> None:
        self._found: dict[Place, list[JudgedEvent]] = defaultdict(list)

    def add(self, event: JudgedEvent) -> None:
        self._found[event.name, None].append(event)
        if event.object:
            self._found[event.name, event.object].append(event)

    def count(self, asked: HistoryCondition, event: JudgedEvent) -> int:
        """How many of them the condition means."""
        found = 0
        for events, begin in self._meant(asked, event):
            if asked.where:
                found += sum(_fits(asked, one) for one in events[begin:])
            else:
                found += len(events) - begin
        return found

    def last(self, asked: HistoryCondition, event: JudgedEvent) -> JudgedEvent | None:
        """The latest of them that the condition means."""
        latest: JudgedEvent | None = None
        for events, begin in self._meant(asked, event):
            for place in range(len(events) - 1, begin - 1, -1):
                one = events[place]
                if _fits(asked, one):
                    if latest is None or latest.order < one.order:
                        latest = one
                    break
        return latest

    def _meant(self, asked: HistoryCondition, event: JudgedEvent) -> Iterator[tuple[Sequence[JudgedEvent], int]]:
        """The events of each name, and the place of the first that is recent enough."""
        if asked.same_object and not event.object:
            return
        for name in asked.of:
            events = self._found.get((name, event.object if asked.same_object else None))
            if events:
                begin = 0
                if asked.within_days is not None:
                    since = event.date - timedelta(days=asked.within_days - 1)
                    begin = bisect_left(events, since, key=lambda one: one.date)
                yield events, begin


def _fits(asked: HistoryCondition, event: JudgedEvent) -> bool:
    return all(condition.holds(event) for condition in asked.where)
