"""Reads the rulebook file: text or plain object in, a rulebook out; anything it does not know is refused.

Numbers are exact: integers, or decimals read as exact decimals, never binary floats. A key of the rulebook language
that this version cannot honour yet is refused by its path, so that no rule ever pays otherwise than it reads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, time
from decimal import Decimal
from itertools import pairwise
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from uptake.programme.conditions.compare import EQUALITY, OPERATORS, ORDER, PRESENCE, TEXT, Scalar, Value
from uptake.programme.conditions.fact import FactCondition
from uptake.programme.conditions.history import ASKED_OF_HISTORY, FIRST, HistoryCondition
from uptake.programme.conditions.list import CONDITIONS, Condition
from uptake.programme.conditions.person import ASKED, LEVEL, TENURE, PersonCondition
from uptake.programme.periods import EVERY, WEEKDAYS
from uptake.programme.rulebook import (
    NEVER_EXPIRES,
    Cap,
    Expiry,
    Group,
    Level,
    Multiplier,
    PointsBySteps,
    PointsPer,
    Programme,
    Reversal,
    Rulebook,
    RuleVersion,
    Stacking,
    Streak,
)
from uptake.programme.rulebook_refusals import (
    EMPTY_LIST,
    EMPTY_SPAN,
    MIN_ABOVE_MAX,
    MISSING,
    NO_VALUE,
    NOT_CLOCK,
    NOT_COMPARABLE,
    NOT_DATE,
    NOT_ENOUGH,
    NOT_INTEGER,
    NOT_LIST,
    NOT_MONTH,
    NOT_NUMBER,
    NOT_OBJECT,
    NOT_ONE_OF,
    NOT_POSITIVE,
    NOT_READABLE,
    NOT_RISING,
    NOT_TEXT,
    NOT_YES_NO,
    NOT_ZONE,
    ONE_UNIT,
    TOO_LONG,
    TWICE,
    UNKNOWN_KEY,
    RulebookRefused,
)
from uptake.programme.standing import Number

Read = TypeVar("Read")

LONGEST_LINEAGE = 100
EXPIRIES = "never, days, end_of, inactive_days"


def read_rulebook(text: str | bytes) -> Rulebook:
    """The rulebook of a JSON or YAML text. RulebookRefused names the key that is wrong."""
    return parse_rulebook(load_text(text))


def load_text(text: str | bytes) -> Any:
    """The plain object of a JSON or YAML text, with exact decimals. RulebookRefused if it is neither."""
    try:
        plain = text.decode("utf-8-sig") if isinstance(text, bytes) else text
    except UnicodeDecodeError as problem:
        raise RulebookRefused("", NOT_READABLE, problem="it is not UTF-8") from problem
    if plain.lstrip().startswith(("{", "[")):
        try:
            return json.loads(
                plain, parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_without_doubles
            )
        except json.JSONDecodeError as problem:
            if not plain.lstrip().startswith("{"):
                raise RulebookRefused("", NOT_READABLE, problem=str(problem)) from problem
            json_problem: Exception = problem
    else:
        json_problem = ValueError("not an object")
    try:
        return yaml.load(plain, Loader=_ExactLoader)  # noqa: S506 (a SafeLoader with fewer implicit types)
    except yaml.YAMLError as problem:
        said = json_problem if isinstance(json_problem, json.JSONDecodeError) else problem
        raise RulebookRefused("", NOT_READABLE, problem=" ".join(str(said).split())) from problem


def parse_rulebook(plain: Any) -> Rulebook:
    """The rulebook of a plain object (as read from JSON or YAML). RulebookRefused names the key that is wrong."""
    keys = _Keys(plain, "")
    programme = keys.take("programme", _programme, Programme())
    levels = keys.take("levels", _levels, ())
    condition = _condition(tuple(level.name for level in levels))
    rules = keys.take("rules", _list_of(_rule(condition)), ())
    lineages = tuple(dict.fromkeys(rule.rule for rule in rules))
    groups = keys.take("groups", _list_of(_group(lineages)), ())
    person_cap = keys.take("person_cap", _list_of(_cap), ())
    multipliers = keys.take("multipliers", _list_of(_multiplier(condition)), ())
    reversals = keys.take("reversals", _list_of(_reversal), ())
    keys.nothing_else()
    seen: set[tuple[str, int]] = set()
    for index, rule in enumerate(rules):
        if (rule.rule, rule.version) in seen:
            raise RulebookRefused(f"rules[{index}].version", TWICE)
        seen.add((rule.rule, rule.version))
    for index, group in enumerate(groups):
        if group.group in {one.group for one in groups[:index]}:
            raise RulebookRefused(f"groups[{index}].group", TWICE)
    return Rulebook(programme, rules, lineages, groups, person_cap, multipliers, reversals, levels)


class _Keys:
    """The keys of one object, taken one by one, so that what is left over is unknown."""

    def __init__(self, plain: Any, path: str) -> None:
        if not isinstance(plain, Mapping):
            raise RulebookRefused(path, NOT_OBJECT, **({} if path else {"key": "rulebook"}))
        self.plain = plain
        self.path = path
        self.taken: set[str] = set()

    def place(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def __contains__(self, key: str) -> bool:
        return key in self.plain

    def take(self, key: str, read: Callable[[Any, str], Any], default: Any) -> Any:
        self.taken.add(key)
        return read(self.plain[key], self.place(key)) if key in self.plain else default

    def need(self, key: str, read: Callable[[Any, str], Read]) -> Read:
        self.taken.add(key)
        if key not in self.plain:
            raise RulebookRefused(self.place(key), MISSING)
        return read(self.plain[key], self.place(key))

    def nothing_else(self) -> None:
        for key in self.plain:
            if key not in self.taken:
                raise RulebookRefused(self.place(str(key)), UNKNOWN_KEY, key=key)


def _programme(plain: Any, path: str) -> Programme:
    keys = _Keys(plain, path)
    programme = Programme(
        timezone=keys.take("timezone", _zone, "UTC"),
        day_start=keys.take("day_start", _clock, time(0)),
        week_start=keys.take("week_start", _one_of(WEEKDAYS), "monday"),
        lateness_days=keys.take("lateness_days", _integer(0), 7),
        rest_days=keys.take("rest_days", _list_of(_one_of(WEEKDAYS)), ("saturday", "sunday")),
        holidays=keys.take("holidays", _list_of(_date), ()),
        work_days=keys.take("work_days", _list_of(_date), ()),
        expires=keys.take("expires", _expires, NEVER_EXPIRES),
        fiscal_year_start=keys.take("fiscal_year_start", _month, 1),
        redemption_timeout_days=keys.take("redemption_timeout_days", _integer(0), 14),
        season_ends=tuple(sorted(keys.take("season_ends", _list_of(_date), ()))),
        levels_from=keys.take("levels_from", _one_of(("lifetime", "season")), "lifetime"),
        stacking=keys.take("stacking", _stacking, None),
    )
    keys.nothing_else()
    return programme


def _stacking(plain: Any, path: str) -> Stacking:
    keys = _Keys(plain, path)
    stacking = Stacking(keys.need("at_most", _at_least_one))
    keys.nothing_else()
    return stacking


def _rule(condition: Callable[[Any, str], Condition]) -> Callable[[Any, str], RuleVersion]:
    def read(plain: Any, path: str) -> RuleVersion:
        keys = _Keys(plain, path)
        rule = RuleVersion(
            rule=keys.need("rule", _lineage),
            version=keys.need("version", _integer(1)),
            from_date=keys.need("from", _date),
            until_date=keys.take("until", _date, None),
            on=keys.need("on", _text_or_texts),
            when=keys.take("when", _list_of(condition), ()),
            points=keys.need("points", _points),
            cap=keys.take("cap", _list_of(_cap), ()),
            cooldown_seconds=keys.take("cooldown_seconds", _integer(0), 0),
            available_after_days=keys.take("available_after_days", _integer(0), 0),
            expires=keys.take("expires", _expires, None),
            streak=keys.take("streak", _streak, None),
            title=keys.take("title", _any_text, ""),
        )
        keys.nothing_else()
        _span(rule.from_date, rule.until_date, path)
        return rule

    return read


def _points(plain: Any, path: str) -> int | PointsPer | PointsBySteps:
    if not isinstance(plain, Mapping):
        return _integer(0)(plain, path)
    keys = _Keys(plain, path)
    per = keys.need("per", _text)
    limits = {"min": keys.take("min", _not_negative, None), "max": keys.take("max", _not_negative, None)}
    points: PointsPer | PointsBySteps
    if "steps" in keys:
        points = PointsBySteps(per, keys.need("steps", _steps), **limits)
    else:
        points = PointsPer(
            per=per,
            each=keys.take("each", _positive, 1),
            points=keys.take("points", _positive, 1),
            whole_units=keys.take("whole_units", _yes_no, False),
            **limits,
        )
    keys.nothing_else()
    if points.min is not None and points.max is not None and points.max < points.min:
        raise RulebookRefused(f"{path}.max", MIN_ABOVE_MAX)
    return points


def _steps(plain: Any, path: str) -> tuple[tuple[Number, Number], ...]:
    def step(one: Any, where: str) -> tuple[Number, Number]:
        keys = _Keys(one, where)
        found = (keys.need("at_least", _number), keys.need("points", _not_negative))
        keys.nothing_else()
        return found

    steps: tuple[tuple[Number, Number], ...] = _list_of(step)(plain, path)
    if not steps:
        raise RulebookRefused(path, EMPTY_LIST)
    for index, one in enumerate(steps):
        if one[0] in {other[0] for other in steps[:index]}:
            raise RulebookRefused(f"{path}[{index}].at_least", TWICE)
    return tuple(sorted(steps))


def _cap(plain: Any, path: str) -> Cap:
    keys = _Keys(plain, path)
    if ("points" in keys) == ("times" in keys):
        raise RulebookRefused(path, ONE_UNIT)
    times = "times" in keys
    every = keys.need("every", _one_of(EVERY))
    cap = Cap(
        limit=keys.need("times" if times else "points", _integer(0)),
        times=times,
        every=every,
        role=keys.take("role", _text, None),
        from_date=keys.take("from", _date, None),
        until_date=keys.take("until", _date, None),
    )
    keys.nothing_else()
    if cap.from_date is not None:
        _span(cap.from_date, cap.until_date, path)
    return cap


def _group(lineages: Sequence[str]) -> Callable[[Any, str], Group]:
    def read(plain: Any, path: str) -> Group:
        keys = _Keys(plain, path)
        group = Group(
            keys.need("group", _text),
            keys.need("rules", _list_of(_one_of(lineages))),
            keys.need("cap", _list_of(_cap)),
        )
        keys.nothing_else()
        return group

    return read


def _multiplier(condition: Callable[[Any, str], Condition]) -> Callable[[Any, str], Multiplier]:
    def read(plain: Any, path: str) -> Multiplier:
        keys = _Keys(plain, path)
        multiplier = Multiplier(
            keys.need("multiplier", _text),
            keys.need("factor", _at_least_one),
            keys.take("from", _date, None),
            keys.take("until", _date, None),
            keys.take("on", _text_or_texts, ()),
            keys.take("when", _list_of(condition), ()),
        )
        keys.nothing_else()
        if multiplier.from_date is not None:
            _span(multiplier.from_date, multiplier.until_date, path)
        return multiplier

    return read


def _reversal(plain: Any, path: str) -> Reversal:
    keys = _Keys(plain, path)
    reversal = Reversal(
        keys.need("event", _text),
        keys.need("undoes", _text_or_texts),
        keys.take("same", _text, "object"),
        keys.take("fraction", _text, None),
    )
    keys.nothing_else()
    return reversal


def _levels(plain: Any, path: str) -> tuple[Level, ...]:
    def level(one: Any, where: str) -> Level:
        keys = _Keys(one, where)
        found = Level(keys.need("name", _text), keys.need("at", _integer(0)))
        keys.nothing_else()
        return found

    levels: tuple[Level, ...] = _list_of(level)(plain, path)
    for index, (before, after) in enumerate(pairwise(levels), start=1):
        if after.at <= before.at:
            raise RulebookRefused(f"{path}[{index}].at", NOT_RISING)
        if after.name in {one.name for one in levels[:index]}:
            raise RulebookRefused(f"{path}[{index}].name", TWICE)
    return levels


def _streak(plain: Any, path: str) -> Streak:
    keys = _Keys(plain, path)
    streak = Streak(
        keys.need("every", _one_of(("day", "week"))),
        keys.need("length", _integer(1)),
        keys.take("working_days", _yes_no, True),
        keys.take("freezes_per_month", _integer(0), 0),
    )
    keys.nothing_else()
    return streak


def _condition(levels: tuple[str, ...]) -> Callable[[Any, str], Condition]:
    """The reader of conditions of a rulebook with these levels."""

    def read(plain: Any, path: str) -> Condition:
        keys = _Keys(plain, path)
        kinds = [kind for kind in CONDITIONS if kind.key in keys]
        if len(kinds) != 1:
            known = {kind.key for kind in CONDITIONS} | {"op", "value"}
            for key in keys.plain:
                if key not in known:
                    raise RulebookRefused(keys.place(str(key)), UNKNOWN_KEY, key=key)
            raise RulebookRefused(f"{path}.fact", TWICE if kinds else MISSING)
        if kinds[0] is PersonCondition:
            return _person_condition(keys, levels)
        return _history_condition(keys) if kinds[0] is HistoryCondition else _fact_condition(plain, path)

    return read


def _fact_condition(plain: Any, path: str) -> FactCondition:
    keys = _Keys(plain, path)
    fact = keys.need("fact", _text)
    op = keys.take("op", _one_of(OPERATORS), "eq")
    value = _condition_value(keys, op)
    keys.nothing_else()
    return FactCondition(fact, op, value)


def _person_condition(keys: _Keys, levels: tuple[str, ...]) -> PersonCondition:
    asked = keys.need("person", _one_of(ASKED))
    op = keys.take("op", _one_of(OPERATORS), "eq")
    value: Value
    if asked == LEVEL and op not in PRESENCE:
        known = _one_of(levels)
        many = isinstance(keys.plain.get("value"), list | tuple) and op in EQUALITY
        value = keys.need("value", _some_of(known)) if many else keys.need("value", known)
    else:
        value = _condition_value(keys, op)
    keys.nothing_else()
    refused = TEXT if asked in (TENURE, LEVEL) else ORDER
    if op in refused:
        allowed = [one for one in OPERATORS if one not in refused]
        raise RulebookRefused(keys.place("op"), NOT_ONE_OF, choices=", ".join(allowed))
    return PersonCondition(asked, op, value, levels if asked == LEVEL else ())


def _history_condition(keys: _Keys) -> HistoryCondition:
    asked = keys.need("history", _one_of(ASKED_OF_HISTORY))
    op = keys.take("op", _one_of(EQUALITY if asked == FIRST else (*EQUALITY, *ORDER)), "eq")
    value: Value
    if asked == FIRST:
        value = keys.take("value", _yes_no, True)
    elif op in EQUALITY and isinstance(keys.plain.get("value"), list | tuple):
        value = keys.need("value", _some_of(_number))
    else:
        value = keys.need("value", _number)
    condition = HistoryCondition(
        asked,
        op,
        value,
        of=keys.take("of", _text_or_texts, ()),
        within_days=keys.take("within_days", _integer(1), None),
        same_object=keys.take("same", _one_of(("object",)), None) is not None,
        where=keys.take("where", _list_of(_fact_condition), ()),
    )
    keys.nothing_else()
    return condition


def _condition_value(keys: _Keys, op: str) -> Value:
    if op in PRESENCE:
        if keys.take("value", lambda plain, _path: plain, True) is not True:
            raise RulebookRefused(keys.place("value"), NO_VALUE, op=op)
        return None
    if op in EQUALITY:
        return keys.need("value", _value_or_values)
    if op in ORDER:
        return keys.need("value", _number)
    return keys.need("value", _text)


def _value_or_values(plain: Any, path: str) -> Value:
    if isinstance(plain, list | tuple):
        if not plain:
            raise RulebookRefused(path, EMPTY_LIST)
        return tuple(_scalar(one, f"{path}[{index}]") for index, one in enumerate(plain))
    return _scalar(plain, path)


def _scalar(plain: Any, path: str) -> Scalar:
    if isinstance(plain, str | bool):
        return plain
    if isinstance(plain, int | Decimal):
        return _number(plain, path)
    raise RulebookRefused(path, NOT_COMPARABLE)


def _span(from_date: date, until_date: date | None, path: str) -> None:
    if until_date is not None and until_date <= from_date:
        raise RulebookRefused(f"{path}.until", EMPTY_SPAN)


def _text(plain: Any, path: str) -> str:
    if not isinstance(plain, str) or not plain.strip():
        raise RulebookRefused(path, NOT_TEXT)
    return plain


def _lineage(plain: Any, path: str) -> str:
    if len(_text(plain, path)) > LONGEST_LINEAGE:
        raise RulebookRefused(path, TOO_LONG, most=LONGEST_LINEAGE)
    return str(plain)


def _any_text(plain: Any, path: str) -> str:
    if not isinstance(plain, str):
        raise RulebookRefused(path, NOT_TEXT)
    return plain


def _text_or_texts(plain: Any, path: str) -> tuple[str, ...]:
    if isinstance(plain, str):
        return (_text(plain, path),)
    texts: tuple[str, ...] = _list_of(_text)(plain, path)
    if not texts:
        raise RulebookRefused(path, EMPTY_LIST)
    if len(set(texts)) < len(texts):
        raise RulebookRefused(path, TWICE)
    return texts


def _integer(least: int) -> Callable[[Any, str], int]:
    def read(plain: Any, path: str) -> int:
        number = _whole(plain)
        if number is None or number < least:
            raise RulebookRefused(path, NOT_INTEGER, least=least)
        return number

    return read


def _whole(plain: Any) -> int | None:
    if isinstance(plain, int) and not isinstance(plain, bool):
        return plain
    if isinstance(plain, Decimal) and plain.is_finite() and plain == plain.to_integral_value():
        return int(plain)
    return None


def _number(plain: Any, path: str) -> Number:
    whole = _whole(plain)
    if whole is not None:
        return whole
    if isinstance(plain, Decimal) and plain.is_finite():
        return plain
    raise RulebookRefused(path, NOT_NUMBER)


def _positive(plain: Any, path: str) -> Number:
    number = _number(plain, path)
    if number <= 0:
        raise RulebookRefused(path, NOT_POSITIVE)
    return number


def _not_negative(plain: Any, path: str) -> Number:
    number = _number(plain, path)
    if number < 0:
        raise RulebookRefused(path, NOT_INTEGER, least=0)
    return number


def _at_least_one(plain: Any, path: str) -> Number:
    number = _number(plain, path)
    if number < 1:
        raise RulebookRefused(path, NOT_ENOUGH, least=1)
    return number


def _month(plain: Any, path: str) -> int:
    month = _whole(plain)
    if month is None or not 1 <= month <= 12:
        raise RulebookRefused(path, NOT_MONTH)
    return month


def _yes_no(plain: Any, path: str) -> bool:
    if not isinstance(plain, bool):
        raise RulebookRefused(path, NOT_YES_NO)
    return plain


def _date(plain: Any, path: str) -> date:
    if isinstance(plain, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", plain):
        try:
            return date.fromisoformat(plain)
        except ValueError:
            pass
    raise RulebookRefused(path, NOT_DATE)


def _clock(plain: Any, path: str) -> time:
    if isinstance(plain, str) and re.fullmatch(r"\d{2}:\d{2}", plain):
        try:
            return time.fromisoformat(plain)
        except ValueError:
            pass
    raise RulebookRefused(path, NOT_CLOCK)


def _zone(plain: Any, path: str) -> str:
    if isinstance(plain, str) and plain:
        try:
            ZoneInfo(plain)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass
        else:
            return plain
    raise RulebookRefused(path, NOT_ZONE)


def _expires(plain: Any, path: str) -> Expiry:
    if plain == "never":
        return NEVER_EXPIRES
    if not isinstance(plain, Mapping):
        raise RulebookRefused(path, NOT_ONE_OF, choices=EXPIRIES)
    keys = _Keys(plain, path)
    expiry = Expiry(
        days=keys.take("days", _integer(0), None),
        end_of=keys.take("end_of", _one_of(("month", "year")), None),
        inactive_days=keys.take("inactive_days", _integer(1), None),
    )
    keys.nothing_else()
    if [expiry.days, expiry.end_of, expiry.inactive_days].count(None) != 2:
        raise RulebookRefused(path, NOT_ONE_OF, choices=EXPIRIES)
    return expiry


def _one_of(choices: Sequence[str]) -> Callable[[Any, str], str]:
    def read(plain: Any, path: str) -> str:
        if not isinstance(plain, str) or plain not in choices:
            raise RulebookRefused(path, NOT_ONE_OF, choices=", ".join(choices))
        return plain

    return read


def _list_of(read_one: Callable[[Any, str], Any]) -> Callable[[Any, str], tuple[Any, ...]]:
    def read(plain: Any, path: str) -> tuple[Any, ...]:
        if not isinstance(plain, list | tuple):
            raise RulebookRefused(path, NOT_LIST)
        return tuple(read_one(one, f"{path}[{index}]") for index, one in enumerate(plain))

    return read


def _some_of(read_one: Callable[[Any, str], Any]) -> Callable[[Any, str], tuple[Any, ...]]:
    def read(plain: Any, path: str) -> tuple[Any, ...]:
        found = _list_of(read_one)(plain, path)
        if not found:
            raise RulebookRefused(path, EMPTY_LIST)
        return found

    return read


def _no_constant(constant: str) -> Any:
    raise RulebookRefused("", NOT_READABLE, problem=f"{constant} is not a number")


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for key, value in pairs:
        if key in plain:
            raise RulebookRefused(key, TWICE)
        plain[key] = value
    return plain


class _ExactLoader(yaml.SafeLoader):
    """YAML with the plain types of JSON only: `on` is a text, 04:00 and 2026-06-01 are texts, 0.1 is exactly 0.1."""

    yaml_implicit_resolvers: dict[str, Any] = {}


def _mapping_without_doubles(loader: _ExactLoader, node: yaml.MappingNode) -> dict[str, Any]:
    return _without_doubles(
        [(loader.construct_object(k), loader.construct_object(v, deep=True)) for k, v in node.value]
    )


def _exact_decimal(loader: _ExactLoader, node: yaml.ScalarNode) -> Decimal:
    return Decimal(str(loader.construct_scalar(node)))


_ExactLoader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
_ExactLoader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:null|~|)$"), ["n", "~", ""])
_ExactLoader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^-?(?:0|[1-9][0-9]*)$"), list("-0123456789"))
_ExactLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$"),
    list("-0123456789"),
)
_ExactLoader.add_constructor("tag:yaml.org,2002:map", _mapping_without_doubles)
_ExactLoader.add_constructor("tag:yaml.org,2002:float", _exact_decimal)
