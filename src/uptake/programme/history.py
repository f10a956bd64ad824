"""What one person did so far: earlier events that are not wholly undone, ready to be counted."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta

from uptake.programme.conditions.history import HistoryCondition
from uptake.programme.kept import Tally, history_key
from uptake.programme.standing import JudgedEvent

Place = tuple[str, str | None]
"""(name of the event, its object; None: whatever it is)."""


class History:
    """Events in canonical order, by name and object. Add an event after everything was asked about it."""

    def __init__(self, before: Mapping[str, Tally] | None = None) -> None:
        """`before`: what is kept of events earlier than those that will be added, by `history_key`."""
        self._before = before
        self._found: dict[Place, list[JudgedEvent]] = defaultdict(list)

    def add(self, event: JudgedEvent) -> None:
        self._found[event.name, None].append(event)
        if event.object:
            self._found[event.name, event.object].append(event)

    def count(self, asked: HistoryCondition, event: JudgedEvent) -> int:
        """How many of them the condition means."""
        found = sum(number for _, number in self._kept(asked, event))
        for events, begin in self._meant(asked, event):
            if asked.where:
                found += sum(_fits(asked, one) for one in events[begin:])
            else:
                found += len(events) - begin
        return found

    def last_date(self, asked: HistoryCondition, event: JudgedEvent) -> date | None:
        """The business date of the latest of them that the condition means."""
        latest: JudgedEvent | None = None
        for events, begin in self._meant(asked, event):
            for place in range(len(events) - 1, begin - 1, -1):
                one = events[place]
                if _fits(asked, one):
                    if latest is None or latest.order < one.order:
                        latest = one
                    break
        if latest is not None:
            return latest.date
        return max((day for day, _ in self._kept(asked, event)), default=None)

    def tallies(self, histories: Iterable[HistoryCondition], day: date) -> dict[str, Tally]:
        """What must be kept of them for these questions, should they be asked on this date or later."""
        return {history_key(asked): self._tally(asked, day) for asked in histories}

    def _tally(self, asked: HistoryCondition, day: date) -> Tally:
        since = None if asked.within_days is None else day - timedelta(days=asked.within_days - 1)
        found: dict[str, dict[date, int]] = defaultdict(dict)
        for thing, dates in (self._before or {}).get(history_key(asked), {}).items():
            for before, number in dates.items():
                _tell(found, thing, before, number, since)
        own = [one for name in asked.of for one in self._found.get((name, None), ()) if _fits(asked, one)]
        for one in sorted(own, key=lambda one: one.order):
            if one.object or not asked.same_object:
                _tell(found, one.object if asked.same_object else "", one.date, 1, since)
        return dict(found)

    def _kept(self, asked: HistoryCondition, event: JudgedEvent) -> Iterator[tuple[date, int]]:
        """(date, how many) of earlier events that were kept and are meant."""
        if self._before is None or (asked.same_object and not event.object):
            return
        since = None if asked.within_days is None else event.date - timedelta(days=asked.within_days - 1)
        dates = self._before[history_key(asked)].get(event.object if asked.same_object else "", {})
        for day, number in dates.items():
            if since is None or day >= since:
                yield day, number

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


def _tell(found: dict[str, dict[date, int]], thing: str, day: date, number: int, since: date | None) -> None:
    """Adds so many of a date, the dates rising; with no limit of dates all are told under the last."""
    dates = found[thing] if since is None or day >= since else None
    if dates is None:
        return
    if since is None and dates:
        ((_, before),) = dates.items()
        dates.clear()
        number += before
    dates[day] = dates.get(day, 0) + number
