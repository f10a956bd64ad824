"""Reads a rulebook, key by key, and refuses what the text does not know."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from uptake.programme.tests.model.dates import WEEKDAYS, Calendar

Reader = Callable[[Any, str], Any]
Expiry = tuple[str, Any] | None
"""("days", n), ("inactive_days", n), ("end_of", "month" or "year"), or None: never."""

EQUALITY = ("eq", "ne")
ORDER = ("gt", "gte", "lt", "lte")
TEXT = ("contains", "not_contains")
PRESENCE = ("is_set", "is_not_set")


class Refused(Exception):
    """The rulebook must be refused; the text names the key."""


@dataclass(frozen=True)
class Condition:
    """What is asked ("fact", "person" or "history"), of what, and how it must compare."""

    asks: str
    what: str
    op: str
    value: Any
    of: tuple[str, ...] = ()
    within_days: int | None = None
    same_object: bool = False
    where: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Cap:
    points: int | None
    times: int | None
    every: str
    role: str | None
    begin: date | None
    until: date | None

    def fits(self, day: date, role: str | None) -> bool:
        return (self.role is None or self.role == role) and _inside(day, self.begin, self.until)


@dataclass(frozen=True)
class Group:
    name: str
    rules: tuple[str, ...]
    cap: tuple[Cap, ...]


@dataclass(frozen=True)
class Multiplier:
    factor: Fraction
    begin: date | None
    until: date | None
    on: tuple[str, ...]
    when: tuple[Condition, ...]

    def fits(self, day: date, event: str) -> bool:
        return _inside(day, self.begin, self.until) and (not self.on or event in self.on)


@dataclass(frozen=True)
class Reversal:
    event: str
    undoes: tuple[str, ...]
    same: str
    fraction: str | None


@dataclass(frozen=True)
class Points:
    """Fixed, or per unit of a fact, or by the steps it reaches."""

    fixed: int | None = None
    per: str = ""
    each: Fraction = Fraction(1)
    points: Fraction = Fraction(1)
    whole_units: bool = False
    steps: tuple[tuple[Fraction, Fraction], ...] = ()
    min: Fraction | None = None
    max: Fraction | None = None


@dataclass(frozen=True)
class Streak:
    every: str
    length: int
    working_days: bool
    freezes: int


@dataclass(frozen=True)
class Rule:
    lineage: str
    version: int
    begin: date
    until: date | None
    on: tuple[str, ...]
    when: tuple[Condition, ...]
    points: Points
    cap: tuple[Cap, ...]
    cooldown: int
    after_days: int
    expires: Expiry
    streak: Streak | None

    @property
    def run_key(self) -> object:
        """Units kept under versions that differ in this do not belong to one run."""
        assert self.streak
        return (frozenset(self.on), self.when, self.streak.every, self.streak.working_days)


@dataclass(frozen=True)
class Programme:
    calendar: Calendar
    lateness_days: int
    rest_days: tuple[str, ...]
    holidays: tuple[date, ...]
    work_days: tuple[date, ...]
    expires: Expiry
    fiscal_year_start: int
    timeout_days: int
    season_ends: tuple[date, ...]
    levels_from: str
    stacked_at_most: Fraction | None
    """The ceiling of all factors multiplied; None: the greatest alone."""


@dataclass(frozen=True)
class Rulebook:
    programme: Programme
    rules: tuple[Rule, ...]
    lineages: tuple[str, ...]
    groups: tuple[Group, ...]
    person_cap: tuple[Cap, ...]
    multipliers: tuple[Multiplier, ...]
    reversals: tuple[Reversal, ...]
    levels: tuple[tuple[str, int], ...]

    def in_force(self, lineage: str, day: date) -> Rule | None:
        """The version with the greatest `from` ≤ day, then the greatest version; none if its `until` ≤ day."""
        begun = [rule for rule in self.rules if rule.lineage == lineage and rule.begin <= day]
        if not begun:
            return None
        rule = max(begun, key=lambda one: (one.begin, one.version))
        return None if rule.until and rule.until <= day else rule

    def reached(self, points: int) -> int:
        """The rank of the highest level that so many points reach; -1 is none."""
        return sum(at <= points for _name, at in self.levels) - 1


def read(plain: Any) -> Rulebook:
    """The rulebook of a plain object with exact numbers."""
    keys = _Keys(plain, "rulebook")
    programme = _programme(keys.get("programme", lambda one, _: one, {}))
    level_names = tuple(name for name, _at in keys.get("levels", _levels, ()))
    condition = _condition(level_names)
    rules = keys.get("rules", _many(_rule(programme.expires, condition)), ())
    lineages = tuple(dict.fromkeys(rule.lineage for rule in rules))
    if len({(rule.lineage, rule.version) for rule in rules}) < len(rules):
        raise Refused("rules: a version stands twice")
    book = Rulebook(
        programme,
        rules,
        lineages,
        keys.get("groups", _many(_group(lineages)), ()),
        keys.get("person_cap", _many(_cap), ()),
        keys.get("multipliers", _many(_multiplier(condition)), ()),
        keys.get("reversals", _many(_reversal), ()),
        keys.get("levels", _levels, ()),
    )
    keys.end()
    if len({group.name for group in book.groups}) < len(book.groups):
        raise Refused("groups: a name stands twice")
    return book


class _Keys:
    """The keys of one object; what was not asked for at the end is unknown."""

    def __init__(self, plain: Any, path: str) -> None:
        if not isinstance(plain, Mapping):
            raise Refused(f"{path}: not an object")
        self.plain, self.path, self.asked = plain, path, set[str]()

    def get(self, key: str, reader: Reader, default: Any) -> Any:
        self.asked.add(key)
        return reader(self.plain[key], f"{self.path}.{key}") if key in self.plain else default

    def need(self, key: str, reader: Reader) -> Any:
        if key not in self.plain:
            raise Refused(f"{self.path}.{key}: missing")
        return self.get(key, reader, None)

    def end(self) -> None:
        for key in self.plain:
            if key not in self.asked:
                raise Refused(f"{self.path}.{key}: unknown")


def _programme(plain: Any) -> Programme:
    keys = _Keys(plain, "programme")
    programme = Programme(
        calendar=Calendar(
            keys.get("timezone", _zone, "UTC"),
            keys.get("day_start", _clock, time(0)),
            keys.get("week_start", _one_of(*WEEKDAYS), "monday"),
        ),
        lateness_days=keys.get("lateness_days", _whole(0), 7),
        rest_days=keys.get("rest_days", _many(_one_of(*WEEKDAYS)), ("saturday", "sunday")),
        holidays=keys.get("holidays", _many(_date), ()),
        work_days=keys.get("work_days", _many(_date), ()),
        expires=keys.get("expires", _expires, None),
        fiscal_year_start=keys.get("fiscal_year_start", _whole(1, 12), 1),
        timeout_days=keys.get("redemption_timeout_days", _whole(0), 14),
        season_ends=tuple(sorted(keys.get("season_ends", _many(_date), ()))),
        levels_from=keys.get("levels_from", _one_of("lifetime", "season"), "lifetime"),
        stacked_at_most=keys.get("stacking", _stacking, None),
    )
    keys.end()
    return programme


def _stacking(plain: Any, path: str) -> Fraction:
    keys = _Keys(plain, path)
    most: Fraction = keys.need("at_most", _number(1))
    keys.end()
    return most


def _rule(expires: Expiry, condition: Reader) -> Reader:
    def rule(plain: Any, path: str) -> Rule:
        keys = _Keys(plain, path)
        found = Rule(
            lineage=keys.need("rule", _text),
            version=keys.need("version", _whole(1)),
            begin=keys.need("from", _date),
            until=keys.get("until", _date, None),
            on=keys.need("on", _names),
            when=keys.get("when", _many(condition), ()),
            points=keys.need("points", _points),
            cap=keys.get("cap", _many(_cap), ()),
            cooldown=keys.get("cooldown_seconds", _whole(0), 0),
            after_days=keys.get("available_after_days", _whole(0), 0),
            expires=keys.get("expires", _expires, expires),
            streak=keys.get("streak", _streak, None),
        )
        keys.get("title", _of_type(str), "")
        keys.end()
        _span(found.begin, found.until, path)
        return found

    return rule


def _points(plain: Any, path: str) -> Points:
    if not isinstance(plain, Mapping):
        return Points(fixed=_whole(0)(plain, path))
    keys = _Keys(plain, path)
    per = keys.need("per", _text)
    least, most = keys.get("min", _number(0), None), keys.get("max", _number(0), None)
    if least is not None and most is not None and most < least:
        raise Refused(f"{path}.max: below min")
    if "steps" in plain:
        points = Points(per=per, steps=keys.need("steps", _steps), min=least, max=most)
    else:
        each = keys.get("each", _number(0), Fraction(1))
        if each <= 0:
            raise Refused(f"{path}.each: not above 0")
        points = Points(
            per=per,
            each=each,
            points=keys.get("points", _number(0), Fraction(1)),
            whole_units=keys.get("whole_units", _of_type(bool), False),
            min=least,
            max=most,
        )
    keys.end()
    return points


def _steps(plain: Any, path: str) -> tuple[tuple[Fraction, Fraction], ...]:
    def step(one: Any, where: str) -> tuple[Fraction, Fraction]:
        keys = _Keys(one, where)
        found = (keys.need("at_least", _number(None)), keys.need("points", _number(0)))
        keys.end()
        return found

    steps: tuple[tuple[Fraction, Fraction], ...] = _many(step)(plain, path)
    if not steps or len({at_least for at_least, _ in steps}) < len(steps):
        raise Refused(f"{path}: none, or the same at_least twice")
    return tuple(sorted(steps))


def _cap(plain: Any, path: str) -> Cap:
    keys = _Keys(plain, path)
    if ("points" in plain) == ("times" in plain):
        raise Refused(f"{path}: either points or times")
    cap = Cap(
        points=keys.get("points", _whole(0), None),
        times=keys.get("times", _whole(0), None),
        every=keys.need("every", _one_of("day", "week", "month", "ever")),
        role=keys.get("role", _text, None),
        begin=keys.get("from", _date, None),
        until=keys.get("until", _date, None),
    )
    keys.end()
    _span(cap.begin, cap.until, path)
    return cap


def _group(lineages: tuple[str, ...]) -> Reader:
    def group(plain: Any, path: str) -> Group:
        keys = _Keys(plain, path)
        found = Group(
            keys.need("group", _text), keys.need("rules", _many(_one_of(*lineages))), keys.need("cap", _many(_cap))
        )
        keys.end()
        return found

    return group


def _multiplier(condition: Reader) -> Reader:
    def multiplier(plain: Any, path: str) -> Multiplier:
        keys = _Keys(plain, path)
        keys.need("multiplier", _text)
        found = Multiplier(
            keys.need("factor", _number(1)),
            keys.get("from", _date, None),
            keys.get("until", _date, None),
            keys.get("on", _names, ()),
            keys.get("when", _many(condition), ()),
        )
        keys.end()
        _span(found.begin, found.until, path)
        return found

    return multiplier


def _reversal(plain: Any, path: str) -> Reversal:
    keys = _Keys(plain, path)
    found = Reversal(
        keys.need("event", _text),
        keys.need("undoes", _some(_text)),
        keys.get("same", _text, "object"),
        keys.get("fraction", _text, None),
    )
    keys.end()
    return found


def _levels(plain: Any, path: str) -> tuple[tuple[str, int], ...]:
    def level(one: Any, where: str) -> tuple[str, int]:
        keys = _Keys(one, where)
        found = (keys.need("name", _text), keys.need("at", _whole(0)))
        keys.end()
        return found

    levels: tuple[tuple[str, int], ...] = _many(level)(plain, path)
    if any(after[1] <= before[1] for before, after in pairwise(levels)):
        raise Refused(f"{path}: not rising")
    if len({name for name, _ in levels}) < len(levels):
        raise Refused(f"{path}: a name stands twice")
    return levels


def _streak(plain: Any, path: str) -> Streak:
    keys = _Keys(plain, path)
    found = Streak(
        keys.need("every", _one_of("day", "week")),
        keys.need("length", _whole(1)),
        keys.get("working_days", _of_type(bool), True),
        keys.get("freezes_per_month", _whole(0), 0),
    )
    keys.end()
    return found


def _condition(levels: tuple[str, ...]) -> Reader:
    def condition(plain: Any, path: str) -> Condition:
        keys = _Keys(plain, path)
        kinds = [kind for kind in ("fact", "person", "history") if kind in plain]
        if len(kinds) != 1:
            raise Refused(f"{path}: one of fact, person and history")
        if kinds == ["fact"]:
            return _fact_condition(plain, path)
        if kinds == ["history"]:
            return _history_condition(plain, path)
        what = keys.need("person", _one_of("department", "role", "level", "tenure_days"))
        op = keys.get("op", _one_of(*EQUALITY, *ORDER, *TEXT, *PRESENCE), "eq")
        if (op in TEXT and what in ("level", "tenure_days")) or (op in ORDER and what in ("department", "role")):
            raise Refused(f"{path}.op: not for {what}")
        if what == "level" and op not in PRESENCE:
            known = _one_of(*levels)
            many = isinstance(plain.get("value"), list | tuple) and op in EQUALITY
            value = keys.need("value", _some(known) if many else known)
        else:
            value = _value(keys, op)
        keys.end()
        return Condition("person", what, op, value)

    return condition


def _fact_condition(plain: Any, path: str) -> Condition:
    keys = _Keys(plain, path)
    op = keys.get("op", _one_of(*EQUALITY, *ORDER, *TEXT, *PRESENCE), "eq")
    found = Condition("fact", keys.need("fact", _text), op, _value(keys, op))
    keys.end()
    return found


def _history_condition(plain: Any, path: str) -> Condition:
    keys = _Keys(plain, path)
    what = keys.need("history", _one_of("first", "count", "days_since"))
    op = keys.get("op", _one_of(*EQUALITY, *(() if what == "first" else ORDER)), "eq")
    value: Any
    if what == "first":
        value = keys.get("value", _of_type(bool), True)
    elif op in EQUALITY and isinstance(plain.get("value"), list | tuple):
        value = keys.need("value", _some(_number(None)))
    else:
        value = keys.need("value", _number(None))
    found = Condition(
        "history",
        what,
        op,
        value,
        keys.get("of", _names, ()),
        keys.get("within_days", _whole(1), None),
        keys.get("same", _one_of("object"), None) is not None,
        keys.get("where", _many(_fact_condition), ()),
    )
    keys.end()
    return found


def _value(keys: _Keys, op: str) -> Any:
    if op in PRESENCE:
        return keys.get("value", _one_of(True), None)
    if op in ORDER:
        return keys.need("value", _number(None))
    if op in TEXT:
        return keys.need("value", _text)
    if isinstance(keys.plain.get("value"), list | tuple):
        return keys.need("value", _some(_scalar))
    return keys.need("value", _scalar)


def _scalar(plain: Any, path: str) -> Any:
    if isinstance(plain, str | bool):
        return plain
    return _number(None)(plain, path)


def _inside(day: date, begin: date | None, until: date | None) -> bool:
    return (begin is None or begin <= day) and (until is None or day < until)


def _span(begin: date | None, until: date | None, path: str) -> None:
    if begin and until and until <= begin:
        raise Refused(f"{path}.until: not after from")


def _of_type(kind: type) -> Reader:
    def typed(plain: Any, path: str) -> Any:
        if type(plain) is not kind:
            raise Refused(f"{path}: not {kind.__name__}")
        return plain

    return typed


def _text(plain: Any, path: str) -> str:
    if not isinstance(plain, str) or not plain.strip():
        raise Refused(f"{path}: not a text")
    return plain


def _names(plain: Any, path: str) -> tuple[str, ...]:
    return (_text(plain, path),) if isinstance(plain, str) else _some(_text)(plain, path)


def _number(least: int | None) -> Reader:
    def number(plain: Any, path: str) -> Fraction:
        if isinstance(plain, bool) or not isinstance(plain, int | Decimal) or not Decimal(plain).is_finite():
            raise Refused(f"{path}: not a number")
        if least is not None and plain < least:
            raise Refused(f"{path}: below {least}")
        return Fraction(plain)

    return number


def _whole(least: int, most: int | None = None) -> Reader:
    def whole(plain: Any, path: str) -> int:
        number: Fraction = _number(least)(plain, path)
        if number.denominator != 1 or (most is not None and number > most):
            raise Refused(f"{path}: not a whole number up to {most}")
        return int(number)

    return whole


def _date(plain: Any, path: str) -> date:
    if isinstance(plain, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", plain):
        try:
            return date.fromisoformat(plain)
        except ValueError:
            pass
    raise Refused(f"{path}: not a date")


def _clock(plain: Any, path: str) -> time:
    if isinstance(plain, str) and re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", plain):
        return time.fromisoformat(plain)
    raise Refused(f"{path}: not a clock time")


def _zone(plain: Any, path: str) -> str:
    try:
        ZoneInfo(_text(plain, path))
    except (KeyError, ValueError, OSError) as problem:
        raise Refused(f"{path}: not a time zone") from problem
    return str(plain)


def _expires(plain: Any, path: str) -> Expiry:
    if plain == "never":
        return None
    keys = _Keys(plain, path)
    if len(keys.plain) != 1:
        raise Refused(f"{path}: never, days or end_of")
    days = keys.get("days", _whole(0), None)
    end_of = keys.get("end_of", _one_of("month", "year"), None)
    inactive = keys.get("inactive_days", _whole(1), None)
    keys.end()
    if inactive:
        return ("inactive_days", inactive)
    return ("end_of", end_of) if end_of else ("days", days)


def _one_of(*choices: Any) -> Reader:
    def one(plain: Any, path: str) -> Any:
        if not isinstance(plain, str | bool) or plain not in choices:
            raise Refused(f"{path}: not one of {choices}")
        return plain

    return one


def _many(reader: Reader) -> Reader:
    def many(plain: Any, path: str) -> Any:
        if not isinstance(plain, list | tuple):
            raise Refused(f"{path}: not a list")
        return tuple(reader(one, f"{path}[{place}]") for place, one in enumerate(plain))

    return many


def _some(reader: Reader) -> Reader:
    def some(plain: Any, path: str) -> Any:
        found = _many(reader)(plain, path)
        if not found:
            raise Refused(f"{path}: empty")
        return found

    return some
