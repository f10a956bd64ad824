"""The rulebook file: text or plain object in, frozen values out, and back; anything it does not know is refused.

Numbers are exact: integers, or decimals read as exact decimals, never binary floats. A key of the rulebook language
that this version cannot honour yet is refused by its path, so that no rule ever pays otherwise than it reads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from uptake.basics.canonical import canonical_json, fingerprint
from uptake.programme.conditions.compare import EQUALITY, OPERATORS, ORDER, PRESENCE, TEXT, Scalar, Value
from uptake.programme.conditions.fact import FactCondition
from uptake.programme.conditions.list import CONDITIONS, Condition
from uptake.programme.conditions.person import ASKED, TENURE, PersonCondition
from uptake.programme.standing import Number

LONGEST_LINEAGE = 100
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def gettext_noop(message: str) -> str:
    """Marks a sentence for translation; this room of thought knows no Django, the face translates `pattern`."""
    return message


NOT_BUILT = gettext_noop("“%(key)s” is not built yet.")
UNKNOWN_KEY = gettext_noop("“%(key)s” is not a key of the rulebook.")
MISSING = gettext_noop("“%(key)s” is missing.")
NOT_TEXT = gettext_noop("“%(key)s” must be a text that is not empty.")
NOT_INTEGER = gettext_noop("“%(key)s” must be a whole number of at least %(least)s.")
NOT_NUMBER = gettext_noop("“%(key)s” must be a number.")
NOT_POSITIVE = gettext_noop("“%(key)s” must be a number above 0.")
NOT_YES_NO = gettext_noop("“%(key)s” must be true or false.")
NOT_LIST = gettext_noop("“%(key)s” must be a list.")
NOT_OBJECT = gettext_noop("“%(key)s” must be an object.")
EMPTY_LIST = gettext_noop("“%(key)s” must name at least one.")
NOT_DATE = gettext_noop("“%(key)s” must be a date such as 2026-06-01.")
NOT_CLOCK = gettext_noop("“%(key)s” must be a clock time such as 04:00.")
NOT_ZONE = gettext_noop("“%(key)s” must be a time zone such as Asia/Shanghai.")
NOT_ONE_OF = gettext_noop("“%(key)s” must be one of: %(choices)s.")
TOO_LONG = gettext_noop("“%(key)s” must not be longer than %(most)s characters.")
TWICE = gettext_noop("“%(key)s” stands twice.")
EMPTY_SPAN = gettext_noop("“%(key)s” must be after “from”.")
MIN_ABOVE_MAX = gettext_noop("“%(key)s” must not be below “min”.")
ONE_UNIT = gettext_noop("A cap limits either points or times.")
NO_VALUE = gettext_noop("“%(key)s” has no place beside “%(op)s”.")
NOT_COMPARABLE = gettext_noop("“%(key)s” must be a text, a number, true or false, or a list of them.")
NOT_READABLE = gettext_noop("The file cannot be read: %(problem)s.")


class RulebookRefused(Exception):
    """A rulebook that cannot be honoured: `path` is the key's place, `pattern` % `fields` says why in one sentence."""

    def __init__(self, path: str, pattern: str, **fields: object) -> None:
        self.path = path
        self.pattern = pattern
        self.fields: dict[str, object] = {"key": re.split(r"[.]", path)[-1], **fields}
        super().__init__(f"{path}: {pattern % self.fields}" if path else pattern % self.fields)

    @property
    def not_built(self) -> bool:
        return self.pattern == NOT_BUILT


@dataclass(frozen=True, slots=True)
class Programme:
    """The clock and the calendar of the rulebook, and how long its records stay open."""

    timezone: str = "UTC"
    day_start: time = time(0)
    week_start: str = "monday"
    lateness_days: int = 7
    rest_days: tuple[str, ...] = ("saturday", "sunday")
    holidays: tuple[date, ...] = ()
    work_days: tuple[date, ...] = ()
    expires: str = "never"


@dataclass(frozen=True, slots=True)
class PointsPer:
    """`points` for each `each` of the number `per`; only whole units if `whole_units`; held between min and max."""

    per: str
    each: Number = 1
    points: Number = 1
    whole_units: bool = False
    min: Number | None = None
    max: Number | None = None


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `limit` points, or at most `limit` paid awards if `times`, in every period."""

    limit: int
    times: bool = False
    every: str = "day"
    role: str | None = None
    from_date: date | None = None
    until_date: date | None = None

    def fits(self, day: date, role: str | None) -> bool:
        """Whether it limits an event of this date by a person in this role."""
        return (
            (self.role is None or self.role == role)
            and (self.from_date is None or self.from_date <= day)
            and (self.until_date is None or day < self.until_date)
        )


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """One wording of a rule, in force for [from_date, until_date) unless a later one takes its place."""

    rule: str
    version: int
    from_date: date
    on: tuple[str, ...]
    points: int | PointsPer
    until_date: date | None = None
    when: tuple[Condition, ...] = ()
    cap: tuple[Cap, ...] = ()
    title: str = ""
    expires: str = "never"


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Everything that earns, as one value. The order of `lineages` is the order in which rules are asked."""

    programme: Programme = Programme()
    rules: tuple[RuleVersion, ...] = ()
    lineages: tuple[str, ...] = field(default=())

    def in_force(self, day: date) -> tuple[RuleVersion, ...]:
        """The version in force of every lineage on a date, in the order of lineages."""
        found = []
        for lineage in self.lineages:
            begun = [rule for rule in self.rules if rule.rule == lineage and rule.from_date <= day]
            if not begun:
                continue
            latest = max(begun, key=lambda rule: (rule.from_date, rule.version))
            if latest.until_date is None or day < latest.until_date:
                found.append(latest)
        return tuple(found)

    @property
    def asks_person(self) -> bool:
        """Whether any rule needs to know who the person was on the event's date."""
        return any(
            any(isinstance(condition, PersonCondition) for condition in rule.when)
            or any(cap.role is not None for cap in rule.cap)
            for rule in self.rules
        )


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
    keys.not_built("groups", "person_cap", "multipliers", "reversals", "levels")
    programme = keys.take("programme", _programme, Programme())
    rules = keys.take("rules", _list_of(_rule), ())
    keys.nothing_else()
    seen: set[tuple[str, int]] = set()
    for index, rule in enumerate(rules):
        if (rule.rule, rule.version) in seen:
            raise RulebookRefused(f"rules[{index}].version", TWICE)
        seen.add((rule.rule, rule.version))
    return Rulebook(programme, rules, tuple(dict.fromkeys(rule.rule for rule in rules)))


def to_file(rulebook: Rulebook) -> dict[str, Any]:
    """The rulebook as the plain object of its file, every key spelled out that is not its default."""
    programme = rulebook.programme
    return {
        "programme": {
            "timezone": programme.timezone,
            "day_start": programme.day_start.strftime("%H:%M"),
            "week_start": programme.week_start,
            "lateness_days": programme.lateness_days,
            "rest_days": list(programme.rest_days),
            "holidays": [day.isoformat() for day in programme.holidays],
            "work_days": [day.isoformat() for day in programme.work_days],
            "expires": programme.expires,
        },
        "rules": [_rule_to_file(rule) for rule in rulebook.rules],
    }


def to_text(rulebook: Rulebook) -> str:
    """The canonical text of the file: JSON, sorted keys, no spaces, exact numbers. Equal rulebooks, equal texts."""
    return canonical_json(to_file(rulebook)).decode()


def hash_of(rulebook: Rulebook) -> str:
    """SHA-256 of the canonical text, as 64 hexadecimal digits."""
    return fingerprint(to_file(rulebook))


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

    def not_built(self, *keys: str) -> None:
        for key in keys:
            if key in self.plain:
                raise RulebookRefused(self.place(key), NOT_BUILT)

    def __contains__(self, key: str) -> bool:
        return key in self.plain

    def take(self, key: str, read: Callable[[Any, str], Any], default: Any) -> Any:
        self.taken.add(key)
        return read(self.plain[key], self.place(key)) if key in self.plain else default

    def need(self, key: str, read: Callable[[Any, str], Any]) -> Any:
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
    keys.not_built("fiscal_year_start", "redemption_timeout_days", "season_ends", "levels_from")
    programme = Programme(
        timezone=keys.take("timezone", _zone, "UTC"),
        day_start=keys.take("day_start", _clock, time(0)),
        week_start=keys.take("week_start", _one_of(WEEKDAYS), "monday"),
        lateness_days=keys.take("lateness_days", _integer(0), 7),
        rest_days=keys.take("rest_days", _list_of(_one_of(WEEKDAYS)), ("saturday", "sunday")),
        holidays=keys.take("holidays", _list_of(_date), ()),
        work_days=keys.take("work_days", _list_of(_date), ()),
        expires=keys.take("expires", _expires, "never"),
    )
    keys.nothing_else()
    return programme


def _rule(plain: Any, path: str) -> RuleVersion:
    keys = _Keys(plain, path)
    keys.not_built("cooldown_seconds", "available_after_days", "streak")
    rule = RuleVersion(
        rule=keys.need("rule", _lineage),
        version=keys.need("version", _integer(1)),
        from_date=keys.need("from", _date),
        until_date=keys.take("until", _date, None),
        on=keys.need("on", _text_or_texts),
        when=keys.take("when", _list_of(_condition), ()),
        points=keys.need("points", _points),
        cap=keys.take("cap", _list_of(_cap), ()),
        expires=keys.take("expires", _expires, "never"),
        title=keys.take("title", _any_text, ""),
    )
    keys.nothing_else()
    _span(rule.from_date, rule.until_date, path)
    return rule


def _points(plain: Any, path: str) -> int | PointsPer:
    if not isinstance(plain, Mapping):
        return _integer(0)(plain, path)
    keys = _Keys(plain, path)
    keys.not_built("steps")
    points = PointsPer(
        per=keys.need("per", _text),
        each=keys.take("each", _positive, 1),
        points=keys.take("points", _positive, 1),
        whole_units=keys.take("whole_units", _yes_no, False),
        min=keys.take("min", _not_negative, None),
        max=keys.take("max", _not_negative, None),
    )
    keys.nothing_else()
    if points.min is not None and points.max is not None and points.max < points.min:
        raise RulebookRefused(f"{path}.max", MIN_ABOVE_MAX)
    return points


def _cap(plain: Any, path: str) -> Cap:
    keys = _Keys(plain, path)
    if ("points" in keys) == ("times" in keys):
        raise RulebookRefused(path, ONE_UNIT)
    times = "times" in keys
    every = keys.need("every", _one_of(("day", "week", "month", "ever")))
    if every != "day":
        raise RulebookRefused(f"{path}.every", NOT_BUILT, key=every)
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


def _condition(plain: Any, path: str) -> Condition:
    keys = _Keys(plain, path)
    keys.not_built("history")
    kinds = [kind for kind in CONDITIONS if kind.key in keys]
    if len(kinds) != 1:
        known = {kind.key for kind in CONDITIONS} | {"op", "value"}
        for key in keys.plain:
            if key not in known:
                raise RulebookRefused(keys.place(str(key)), UNKNOWN_KEY, key=key)
        raise RulebookRefused(f"{path}.fact", TWICE if kinds else MISSING)
    if kinds[0] is PersonCondition:
        if keys.plain["person"] == "level":
            raise RulebookRefused(f"{path}.person", NOT_BUILT, key="level")
        asked = keys.need("person", _one_of(ASKED))
    else:
        asked = keys.need("fact", _text)
    op = keys.take("op", _one_of(OPERATORS), "eq")
    value = _condition_value(keys, op)
    keys.nothing_else()
    if kinds[0] is PersonCondition:
        if (asked == TENURE and op in TEXT) or (asked != TENURE and op in ORDER):
            allowed = [one for one in OPERATORS if one not in (TEXT if asked == TENURE else ORDER)]
            raise RulebookRefused(f"{path}.op", NOT_ONE_OF, choices=", ".join(allowed))
        return PersonCondition(asked, op, value)
    return FactCondition(asked, op, value)


def _condition_value(keys: _Keys, op: str) -> Value:
    if op in PRESENCE:
        if keys.take("value", lambda plain, _path: plain, True) is not True:
            raise RulebookRefused(keys.place("value"), NO_VALUE, op=op)
        return None
    if op in EQUALITY:
        return keys.need("value", _value_or_values)  # type: ignore[no-any-return]
    if op in ORDER:
        return keys.need("value", _number)  # type: ignore[no-any-return]
    return keys.need("value", _text)  # type: ignore[no-any-return]


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


def _expires(plain: Any, path: str) -> str:
    if plain == "never":
        return "never"
    if isinstance(plain, Mapping) and len(plain) == 1 and set(plain) <= {"days", "end_of"}:
        raise RulebookRefused(path, NOT_BUILT)
    raise RulebookRefused(path, NOT_ONE_OF, choices="never")


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


def _rule_to_file(rule: RuleVersion) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "rule": rule.rule,
        "version": rule.version,
        "from": rule.from_date.isoformat(),
        "on": rule.on[0] if len(rule.on) == 1 else list(rule.on),
        "points": rule.points if isinstance(rule.points, int) else _points_to_file(rule.points),
    }
    if rule.until_date is not None:
        plain["until"] = rule.until_date.isoformat()
    if rule.when:
        plain["when"] = [_condition_to_file(condition) for condition in rule.when]
    if rule.cap:
        plain["cap"] = [cap_to_file(cap) for cap in rule.cap]
    if rule.title:
        plain["title"] = rule.title
    return plain


def _points_to_file(points: PointsPer) -> dict[str, Any]:
    plain: dict[str, Any] = {"per": points.per, "each": points.each, "points": points.points}
    if points.whole_units:
        plain["whole_units"] = True
    if points.min is not None:
        plain["min"] = points.min
    if points.max is not None:
        plain["max"] = points.max
    return plain


def cap_to_file(cap: Cap) -> dict[str, Any]:
    """One cap as in the file."""
    plain: dict[str, Any] = {"times" if cap.times else "points": cap.limit, "every": cap.every}
    if cap.role is not None:
        plain["role"] = cap.role
    if cap.from_date is not None:
        plain["from"] = cap.from_date.isoformat()
    if cap.until_date is not None:
        plain["until"] = cap.until_date.isoformat()
    return plain


def _condition_to_file(condition: Condition) -> dict[str, Any]:
    asked = condition.person if isinstance(condition, PersonCondition) else condition.fact
    plain: dict[str, Any] = {condition.key: asked, "op": condition.op}
    if condition.op not in PRESENCE:
        plain["value"] = list(condition.value) if isinstance(condition.value, tuple) else condition.value
    return plain


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
