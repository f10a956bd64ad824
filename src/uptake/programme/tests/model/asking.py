"""Whether a condition holds, and whether an event keeps a streak's unit and is a milestone of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from uptake.programme.tests.model.dates import DAY, WEEKDAYS
from uptake.programme.tests.model.intake import Event, number
from uptake.programme.tests.model.reading import EQUALITY, ORDER, Condition, Rule, Rulebook


@dataclass(frozen=True)
class Person:
    """What a case tells of a person."""

    id: str
    told: dict[str, Any]

    def on(self, day: date, what: str) -> str | None:
        """The department or role by the membership of this date; what stands beside the id where none tells."""
        spans = [span for span in self.told.get("memberships", ()) if covers(span, day)]
        for span in sorted(spans, key=lambda one: str(one.get("from", "")), reverse=True):
            if span.get(what):
                return str(span[what])
        return self.told.get(what) or None

    def tenure(self, day: date) -> int | None:
        joined = self.told.get("joined")
        return (day - date.fromisoformat(joined)).days if joined else None

    def on_leave(self, day: date) -> bool:
        return any(covers(span, day) for span in self.told.get("leave", ()))


def covers(span: dict[str, Any], day: date) -> bool:
    begin, until = span.get("from"), span.get("until")
    return (not begin or date.fromisoformat(begin) <= day) and (not until or day < date.fromisoformat(until))


@dataclass(frozen=True)
class Asked:
    """One event as a condition sees it: who the person was, the level before, and the history up to it."""

    event: Event
    person: Person
    level: int
    history: Sequence[Event]
    book: Rulebook

    def holds(self, condition: Condition, on: Collection[str]) -> bool:
        if condition.asks == "fact":
            return compare(self.event.facts.get(condition.what), condition.op, condition.value)
        if condition.asks == "history":
            return self._history(condition, on)
        if condition.what == "level":
            return self._level(condition)
        if condition.what == "tenure_days":
            return compare(self.person.tenure(self.event.date), condition.op, condition.value)
        return compare(self.person.on(self.event.date, condition.what), condition.op, condition.value)

    def _level(self, condition: Condition) -> bool:
        if condition.op in ("is_set", "is_not_set"):
            return (self.level >= 0) == (condition.op == "is_set")
        names = [name for name, _at in self.book.levels]
        if isinstance(condition.value, tuple):
            among = self.level in [names.index(name) for name in condition.value]
            return among == (condition.op == "eq")
        return compare(self.level, condition.op, names.index(condition.value))

    def _history(self, condition: Condition, on: Collection[str]) -> bool:
        found = [
            one
            for one in self.history
            if one.name in (condition.of or on)
            and (condition.within_days is None or (self.event.date - one.date).days < condition.within_days)
            and (not condition.same_object or (one.object and one.object == self.event.object))
            and all(compare(one.facts.get(where.what), where.op, where.value) for where in condition.where)
        ]
        if condition.what == "first":
            return compare(not found, condition.op, condition.value)
        if condition.what == "count":
            return compare(len(found), condition.op, condition.value)
        return bool(found) and compare((self.event.date - found[-1].date).days, condition.op, condition.value)


def compare(actual: Any, op: str, value: Any) -> bool:
    """Whether what is there (None: missing) stands to the value as the op says."""
    if actual is None:
        return op in ("ne", "not_contains", "is_not_set")
    if op in ("is_set", "is_not_set"):
        return op == "is_set"
    if op in EQUALITY:
        among = any(_equal(actual, one) for one in (value if isinstance(value, tuple) else (value,)))
        return among == (op == "eq")
    if op in ORDER:
        left, right = number(actual), number(value)
        if left is None or right is None:
            return False
        return {"gt": left > right, "gte": left >= right, "lt": left < right, "lte": left <= right}[op]
    return (isinstance(actual, str) and value in actual) == (op == "contains")


def _equal(left: Any, right: Any) -> bool:
    if number(left) is not None or number(right) is not None:
        return number(left) == number(right)
    return type(left) is type(right) and bool(left == right)


def works(book: Rulebook, person: Person, day: date) -> bool:
    """Whether the date is one this person works: no leave, and no rest day or holiday that is not worked."""
    programme = book.programme
    if person.on_leave(day):
        return False
    if day in programme.work_days:
        return True
    return WEEKDAYS[day.weekday()] not in programme.rest_days and day not in programme.holidays


def unit_of(book: Rulebook, rule: Rule, day: date) -> date:
    assert rule.streak
    return book.programme.calendar.week_of(day) if rule.streak.every == "week" else day


def run_at(book: Rulebook, person: Person, rule: Rule, kept: Collection[date], unit: date) -> int:
    """The length of the run after `unit`, walking all units from the first kept one; 0 if the unit does not count."""
    assert rule.streak
    days = 7 if rule.streak.every == "week" else 1
    run, used = 0, dict[tuple[int, int], int]()
    current = min(kept)
    counts = False
    while current <= unit:
        worked = any(works(book, person, current + day * DAY) for day in range(days))
        counts = worked or not rule.streak.working_days
        if counts and current in kept:
            run += 1
        elif counts and run > 0:
            month = (current.year, current.month)
            version = book.in_force(rule.lineage, current)
            freezes = version.streak.freezes if version and version.streak else 0
            if used.get(month, 0) < freezes:
                used[month] = used.get(month, 0) + 1
            else:
                run = 0
        current += days * DAY
    return run if counts else 0


def worth(rule: Rule, event: Event) -> tuple[Fraction, str | None]:
    """The base of an event, or 0 and the code that says why there is none."""
    points = rule.points
    if points.fixed is not None:
        base = Fraction(points.fixed)
    else:
        found = number(event.facts.get(points.per))
        if found is None:
            return Fraction(0), "no_number"
        if found <= 0:
            return Fraction(0), "not_positive"
        if points.steps:
            base = max(
                ((at_least, given) for at_least, given in points.steps if at_least <= found),
                default=(Fraction(0), Fraction(0)),
            )[1]
        else:
            units = found / points.each
            base = (Fraction(units // 1) if points.whole_units else units) * points.points
    if points.min is not None:
        base = max(base, points.min)
    if points.max is not None:
        base = min(base, points.max)
    return base, None if base > 0 else "zero"
