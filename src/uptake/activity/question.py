"""A question to the log: one JSON object, read strictly into values, or refused with the key and what was expected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from uptake.activity.periods import INTERVALS, WEEK_STARTS, microseconds, midnight

OPERATORS = ("eq", "ne", "is_set", "is_not_set", "contains", "not_contains", "gt", "gte", "lt", "lte")
PLACES = ("organization", "company", "department", "source", "event", "object")
"""What `by` may name beside a property; organization is the company of the event, object what it was done to."""
MOST_BUCKETS = 20_000
EARLIEST, LATEST = date(1900, 1, 1), date(2200, 1, 1)

Scalar = str | int | float | bool


class QuestionRefused(ValueError):
    """The question is not understood. `key` names the place in it, `expected` says what should stand there."""

    def __init__(self, key: str, expected: str, got: str = "") -> None:
        super().__init__(f"{key}: expected {expected}" + (f", got {got}" if got else ""))
        self.key, self.expected, self.got = key, expected, got

    def __reduce__(self) -> tuple[type[QuestionRefused], tuple[str, str, str]]:
        return type(self), (self.key, self.expected, self.got)  # as another process says it


@dataclass(frozen=True)
class Condition:
    """A demand on one property of an event."""

    property: str
    op: str
    value: Scalar | tuple[Scalar, ...] | None = None


@dataclass(frozen=True)
class Selector:
    """Which events: names (None: any) and conditions, all of which must hold."""

    events: tuple[str, ...] | None = None
    where: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Moment:
    """One end of a range: a whole local date, or an instant on one."""

    day: date
    at: int | None = None
    """Microseconds since 1970 UTC; None: the whole day."""


@dataclass(frozen=True)
class By:
    """What an answer is broken down by: a place (company, source…) or a property."""

    place: str = ""
    property: str = ""


@dataclass(frozen=True)
class Range:
    """Local dates or instants, both inclusive; an end that is None is where the record ends."""

    start: Moment | None
    end: Moment | None


@dataclass(frozen=True)
class Question:
    """What every analysis takes. The values have been checked; what they name need not exist."""

    analysis: str
    timezone: str
    week_start: str
    range: Range
    selector: Selector
    interval: str
    filters: tuple[Condition, ...]
    only_persons: tuple[Scalar, ...] | None
    not_persons: tuple[Scalar, ...]
    count_by: By
    by: By | None
    limit: int
    compare: str | Range | None
    """"previous", a range, or nothing."""
    scope: tuple[int, ...] | None
    """Numbers of organizations (companies or departments); None: all."""
    sources: tuple[str, ...] | None = None
    """Names of sources; None: all."""
    segment: Mapping[str, Any] | None = None
    """Criteria of the people (or companies) the question is narrowed to, as given: `criteria` reads them strictly."""
    own: Mapping[str, Any] = field(default_factory=dict)
    """What the question says under the keys that only its analysis takes, as given: the analysis reads it strictly."""


COMMON = frozenset(
    {
        "analysis", "timezone", "week_start", "from", "to", "event_sel", "interval", "filters",
        "only_persons", "not_persons", "count_by", "by", "limit", "compare", "scope", "sources",
        "segment",
    }
)  # fmt: skip


def read_question(question: Any, *, keys: frozenset[str] = COMMON, selector: Selector | None = None) -> Question:
    """The question as values; `selector` stands where the question names no `event_sel`. QuestionRefused otherwise."""
    given = read_object(question, "question")
    for key in given:
        if key not in keys:
            raise QuestionRefused(str(key), "one of " + ", ".join(sorted(keys)), "an unknown key")
    zone = _zone(given.get("timezone", "UTC"))
    between = _range(given, zone, "")
    interval = read_one_of(given.get("interval", "day"), INTERVALS, "interval")
    _not_too_long(between, interval)
    return Question(
        analysis=read_text(given.get("analysis"), "analysis"),
        timezone=zone,
        week_start=read_one_of(given.get("week_start", "monday"), WEEK_STARTS, "week_start"),
        range=between,
        selector=read_selector(given["event_sel"], "event_sel") if "event_sel" in given else selector or Selector(),
        interval=interval,
        filters=read_conditions(given.get("filters", []), "filters"),
        only_persons=_persons(given["only_persons"], "only_persons") if given.get("only_persons") is not None else None,
        not_persons=_persons(given.get("not_persons") or [], "not_persons"),
        count_by=_count_by(given.get("count_by", "person")),
        by=read_by(given["by"], "by") if given.get("by") is not None else None,
        limit=_limit(given.get("limit", 25)),
        compare=_compare(given.get("compare"), zone),
        scope=_scope(given.get("scope")),
        sources=_sources(given.get("sources")),
        segment=read_object(given["segment"], "segment") if given.get("segment") is not None else None,
        own={key: value for key, value in given.items() if key not in COMMON},
    )


def read_selector(value: Any, key: str) -> Selector:
    """{"event": name, list of names or null, "where": […]}; a plain name is short for {"event": name}."""
    if isinstance(value, str):
        return Selector((value,))
    given = read_object(value, key)
    for inner in given:
        if inner not in ("event", "where"):
            raise QuestionRefused(f"{key}.{inner}", "one of event, where", "an unknown key")
    name = given.get("event")
    events: tuple[str, ...] | None
    if name is None:
        events = None
    elif isinstance(name, str):
        events = (name,)
    elif isinstance(name, list) and name and all(isinstance(one, str) for one in name):
        events = tuple(name)
    else:
        raise QuestionRefused(f"{key}.event", "a name, a list of names, or null for any", shown(name))
    return Selector(events, read_conditions(given.get("where", []), f"{key}.where"))


def read_conditions(value: Any, key: str) -> tuple[Condition, ...]:
    """A list of demands on properties."""
    if value is None:
        return ()
    if not isinstance(value, list):
        raise QuestionRefused(key, "a list of conditions", shown(value))
    return tuple(_condition(one, f"{key}[{index}]") for index, one in enumerate(value))


def _condition(value: Any, key: str) -> Condition:
    given = read_object(value, key)
    for inner in given:
        if inner not in ("property", "op", "value"):
            raise QuestionRefused(f"{key}.{inner}", "one of property, op, value", "an unknown key")
    name = read_text(given.get("property"), f"{key}.property")
    op = read_one_of(given.get("op", "eq"), OPERATORS, f"{key}.op")
    wanted = given.get("value")
    if op in ("is_set", "is_not_set"):
        return Condition(name, op)
    if "value" not in given:
        raise QuestionRefused(f"{key}.value", "a value", "nothing")
    if isinstance(wanted, list):
        if op in ("gt", "gte", "lt", "lte") or not all(isinstance(one, str | int | float) for one in wanted):
            raise QuestionRefused(f"{key}.value", "one value" if op[0] in "gl" else "plain values", shown(wanted))
        return Condition(name, op, tuple(wanted))
    if not isinstance(wanted, str | int | float) or (op in ("gt", "gte", "lt", "lte") and isinstance(wanted, bool)):
        raise QuestionRefused(f"{key}.value", "a text, a number, or true or false", shown(wanted))
    return Condition(name, op, wanted)


def _range(given: Mapping[str, Any], zone: str, key: str) -> Range:
    start, end = (
        read_moment(given[name], zone, f"{key}{name}") if given.get(name) is not None else None
        for name in ("from", "to")
    )
    if start is not None and end is not None:
        begins = start.at if start.at is not None else midnight(start.day, zone)
        ends = end.at if end.at is not None else midnight(end.day + timedelta(days=1), zone) - 1
        if begins > ends:
            raise QuestionRefused(f"{key}to", f"a date not before {given['from']}", shown(given["to"]))
    return Range(start, end)


def read_moment(value: Any, zone: str, key: str) -> Moment:
    """A local date, or an instant."""
    if isinstance(value, str):
        try:
            if len(value) == 10:
                return Moment(_within(date.fromisoformat(value), key))
            at = datetime.fromisoformat(value)
        except ValueError:
            pass
        else:
            at = at if at.tzinfo is not None else at.replace(tzinfo=ZoneInfo(zone))
            _within(at.date(), key)
            return Moment(at.astimezone(ZoneInfo(zone)).date(), microseconds(at.astimezone(UTC)))
    elif isinstance(value, date) and not isinstance(value, datetime):
        return Moment(_within(value, key))
    raise QuestionRefused(key, "a date such as 2026-03-01, or a time on one", shown(value))


def read_instant(value: Any, zone: str, key: str) -> int:
    """An instant in microseconds; of a local date the last one."""
    moment = read_moment(value, zone, key)
    return moment.at if moment.at is not None else midnight(moment.day + timedelta(days=1), zone) - 1


def _within(day: date, key: str) -> date:
    if not EARLIEST <= day < LATEST:
        raise QuestionRefused(key, f"a date from {EARLIEST} to {LATEST}", str(day))
    return day


def _not_too_long(between: Range, interval: str) -> None:
    if between.start is None or between.end is None:
        return
    days = (between.end.day - between.start.day).days + 1
    if days * (24 if interval == "hour" else 1) > MOST_BUCKETS and interval in ("hour", "day"):
        raise QuestionRefused("to", f"a range of at most {MOST_BUCKETS} intervals", f"{days} days by {interval}")


def _persons(value: Any, key: str) -> tuple[Scalar, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str | int) and one is not True for one in value):
        raise QuestionRefused(key, "a list of people", shown(value))
    return tuple(value)


def read_by(value: Any, key: str) -> By:
    """A place by name, or a property."""
    if isinstance(value, str) and value:
        return By(place="company" if value == "organization" else value) if value in PLACES else By(property=value)
    if isinstance(value, Mapping) and set(value) == {"property"}:
        return By(property=read_text(value["property"], f"{key}.property"))
    raise QuestionRefused(key, 'a property, {"property": name}, or one of ' + ", ".join(PLACES), shown(value))


def _count_by(value: Any) -> By:
    if value in ("person", None):
        return By()
    by = read_by(value, "count_by")
    if isinstance(value, str) and not by.place:
        raise QuestionRefused("count_by", '"person", a place, or {"property": name}', shown(value))
    return by


def _limit(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1000:
        raise QuestionRefused("limit", "a whole number from 1 to 1000", shown(value))
    return value


def _compare(value: Any, zone: str) -> str | Range | None:
    if value is None or value == "previous":
        return value  # type: ignore[no-any-return]
    if isinstance(value, Mapping) and set(value) == {"from", "to"}:
        between = _range(value, zone, "compare.")
        if between.start is not None and between.end is not None:
            return between
    raise QuestionRefused("compare", '"previous" or {"from": date, "to": date}', shown(value))


def _scope(value: Any) -> tuple[int, ...] | None:
    if value is None:
        return None
    several = value if isinstance(value, list) else [value]
    if not several or not all(isinstance(one, int) and not isinstance(one, bool) for one in several):
        raise QuestionRefused("scope", "the number of an organization, or a list of them", shown(value))
    return tuple(several)


def _sources(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
        raise QuestionRefused("sources", "a list of names of sources", shown(value))
    return tuple(value)


def _zone(value: Any) -> str:
    if not isinstance(value, str) or value not in _zones():
        raise QuestionRefused("timezone", "an IANA name such as Asia/Shanghai", shown(value))
    return value


def _zones() -> frozenset[str]:
    if not _ZONES:
        _ZONES.append(frozenset(available_timezones()) | {"UTC"})
    return _ZONES[0]


_ZONES: list[frozenset[str]] = []


def read_object(value: Any, key: str) -> Mapping[str, Any]:
    """A JSON object."""
    if not isinstance(value, Mapping):
        raise QuestionRefused(key, "an object", shown(value))
    return value


def read_text(value: Any, key: str) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value:
        raise QuestionRefused(key, "a name", shown(value))
    return value


def read_one_of(value: Any, several: tuple[str, ...], key: str) -> str:
    """One of several texts."""
    if not isinstance(value, str) or value not in several:
        raise QuestionRefused(key, "one of " + ", ".join(several), shown(value))
    return value


def shown(value: Any) -> str:
    """A value as a refusal shows it, short."""
    if isinstance(value, str | int | float | bool) or value is None:
        return repr(value)[:80]
    if isinstance(value, list):
        return "a list"
    return "an object" if isinstance(value, Mapping) else type(value).__name__


def read_whole(value: Any, key: str, least: int, most: int) -> int:
    """A whole number in the bounds (both inclusive)."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise QuestionRefused(key, f"a whole number from {least} to {most}", shown(value))
    return value


def read_yes(value: Any, key: str) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise QuestionRefused(key, "true or false", shown(value))
    return value


def read_list(value: Any, key: str, expected: str) -> list[Any]:
    """A list; `expected` says of what."""
    if not isinstance(value, list):
        raise QuestionRefused(key, expected, shown(value))
    return value
