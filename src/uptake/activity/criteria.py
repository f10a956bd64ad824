"""Who belongs: people or companies who did, did not, stopped, started, do regularly …, have a property, are in a place.

A set of criteria is read strictly into values, and evaluated against a snapshot into sorted codes. It is the whole of
a cohort, and what `segment` narrows every other question to. Spans of days end at `as_of`: for an instant they are
so many times 24 hours before it, for a date so many local days with that one the last.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np

from uptake.activity.columns import Array
from uptake.activity.compile import compiled
from uptake.activity.conditions import Sieve, meets, passing
from uptake.activity.log import Snapshot, each_bucket
from uptake.activity.periods import local_date, midnight
from uptake.activity.question import (
    Condition,
    Moment,
    QuestionRefused,
    Scalar,
    Selector,
    read_conditions,
    read_list,
    read_moment,
    read_object,
    read_one_of,
    read_selector,
    read_whole,
    read_yes,
    shown,
)

DAY = 86_400_000_000
"""Microseconds of 24 hours."""
LONG_AGO = -(2**62)
MOST_DAYS = 36_500
MOST_PERIODS = 400
DEEPEST = 8
KINDS = (
    "performed", "not_performed", "first_time", "started", "stopped", "restarted", "regularly", "property", "in",
    "people",
)  # fmt: skip
ALSO = {
    "performed_event": "performed", "performed_multiple": "performed", "performed_event_multiple": "performed",
    "not_performed_event": "not_performed",
    "performed_first_time": "first_time", "performed_event_first_time": "first_time",
    "started_performing": "started", "started_performing_event": "started",
    "stopped_performing": "stopped", "stopped_performing_event": "stopped",
    "restarted_performing": "restarted", "restarted_performing_event": "restarted",
    "performed_regularly": "regularly", "performed_event_regularly": "regularly",
    "person_property": "property", "has_property": "property", "static": "people",
}  # fmt: skip
"""Other names of the kinds, as PostHog and others have them."""
KEY_ALSO = {
    "time_value": "days", "window_days": "days", "within_days": "days", "seq_time_value": "recent_days",
    "seq_days": "recent_days", "operator": "op", "operator_value": "count", "min_count": "count", "times": "count",
    "negation": "negated", "periods": "total_periods",
}  # fmt: skip
UNITS = {"day": 1, "week": 7, "month": 30, "year": 365}
COUNTS = {"gte": "gte", ">=": "gte", "gt": "gt", ">": "gt", "lte": "lte", "<=": "lte", "lt": "lt", "<": "lt",
          "eq": "eq", "exact": "eq", "=": "eq"}  # fmt: skip
PLACES = ("company", "department", "source")
EVENT_KEYS = frozenset({"kind", "negated", "event", "where"})
KEYS: Mapping[str, frozenset[str]] = {
    "performed": EVENT_KEYS | {"days", "count", "op"},
    "not_performed": EVENT_KEYS | {"days", "count", "op"},
    "first_time": EVENT_KEYS | {"days"},
    "started": EVENT_KEYS | {"days", "recent_days"},
    "stopped": EVENT_KEYS | {"days", "recent_days"},
    "restarted": EVENT_KEYS | {"days", "recent_days"},
    "regularly": EVENT_KEYS | {"days", "period_days", "total_periods", "min_periods", "count", "op"},
    "property": frozenset({"kind", "negated", "property", "op", "value"}),
    "in": frozenset({"kind", "negated", "place", "value"}),
    "people": frozenset({"kind", "negated", "people"}),
}


@dataclass(frozen=True)
class Window:
    """The instants (low, high] in which events are counted, and how many there must be."""

    low: int
    high: int
    op: str = "gte"
    events: int = 1

    def holds(self, counted: Array) -> Array:
        met: Array = {
            "gte": counted >= self.events, "gt": counted > self.events, "lte": counted <= self.events,
            "lt": counted < self.events, "eq": counted == self.events,
        }[self.op]  # fmt: skip
        return met


NONE_AT_ALL = 0


@dataclass(frozen=True)
class Did:
    """Events of a selector in several windows, of which enough must have the right number."""

    selector: Selector
    windows: tuple[Window, ...]
    least: int
    """How many of the windows must hold."""
    once: bool = False
    """Whether there must be an event in the windows at all (so that "at most 2" is not "never")."""


@dataclass(frozen=True)
class Has:
    """A property whose newest value meets a condition."""

    condition: Condition


@dataclass(frozen=True)
class Is:
    """The newest event happened at one of these places."""

    place: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True)
class Named:
    """One of these people (or companies)."""

    people: tuple[Scalar, ...]


Leaf = Did | Has | Is | Named


@dataclass(frozen=True)
class Criteria:
    """All or any of several criteria; `negated`: those it does not hold of."""

    parts: tuple[Criteria | Leaf, ...]
    every: bool = True
    negated: bool = False


@dataclass(frozen=True)
class Segment:
    """Who belongs, as of an instant."""

    criteria: Criteria
    of: str
    """person or company."""
    as_of: int


def read_segment(value: Any, key: str, *, zone: str, as_of: Callable[[], Moment]) -> Segment:
    """{"match": "all" or "any", "criteria": […], "as_of": date or instant, "of": "person" or "company"}."""
    given = read_object(value, key)
    at = f"{key}." if key else ""
    for inner in given:
        if inner not in ("match", "criteria", "as_of", "of", "negated"):
            raise QuestionRefused(f"{at}{inner}", "one of match, criteria, as_of, of, negated", "an unknown key")
    of = read_one_of(given.get("of", "person"), ("person", "company"), f"{at}of")
    moment = read_moment(given["as_of"], zone, f"{at}as_of") if given.get("as_of") is not None else as_of()
    return Segment(_group(given, at, Clock(moment, zone), 0), of, Clock(moment, zone).end)


@dataclass(frozen=True)
class Clock:
    """What "the last n days" means."""

    as_of: Moment
    zone: str

    @property
    def end(self) -> int:
        """The last instant that counts."""
        return self.back(0)

    def back(self, days: int) -> int:
        """The last instant before the last so many days."""
        if self.as_of.at is not None:
            return self.as_of.at - days * DAY
        return midnight(self.as_of.day - timedelta(days=days - 1), self.zone) - 1


def _group(given: Mapping[str, Any], key: str, clock: Clock, depth: int) -> Criteria:
    if depth > DEEPEST:
        raise QuestionRefused(f"{key}criteria", f"at most {DEEPEST} groups in one another")
    several = read_list(given.get("criteria"), f"{key}criteria", "a list of criteria")
    if not several:
        raise QuestionRefused(f"{key}criteria", "at least one criterion", "an empty list")
    parts = tuple(_part(one, f"{key}criteria[{place}]", clock, depth) for place, one in enumerate(several))
    match = read_one_of(given.get("match", "all"), ("all", "any"), f"{key}match")
    return Criteria(parts, match == "all", read_yes(given.get("negated", False), f"{key}negated"))


def _part(value: Any, key: str, clock: Clock, depth: int) -> Criteria | Leaf:
    given = read_object(value, key)
    if "criteria" in given:
        for inner in given:
            if inner not in ("match", "criteria", "negated"):
                raise QuestionRefused(f"{key}.{inner}", "one of match, criteria, negated", "an unknown key")
        return _group(given, f"{key}.", clock, depth + 1)
    given = _plain(given, key)
    kind = given.get("kind")
    kind = ALSO.get(kind, kind) if isinstance(kind, str) else kind
    kind = read_one_of(kind, KINDS, f"{key}.kind")
    for inner in given:
        if inner not in KEYS[kind]:
            raise QuestionRefused(f"{key}.{inner}", "one of " + ", ".join(sorted(KEYS[kind])), "an unknown key")
    leaf = READERS[kind](given, key, clock)
    negated = read_yes(given.get("negated", False), f"{key}.negated") != (kind == "not_performed")
    return Criteria((leaf,), negated=True) if negated else leaf


def _plain(given: Mapping[str, Any], key: str) -> dict[str, Any]:
    """With the keys of other houses under our names, and their units as days."""
    plain: dict[str, Any] = {}
    for name, value in given.items():
        if name in ("time_interval", "seq_time_interval"):
            continue
        ours = KEY_ALSO.get(name, name)
        if ours in plain:
            raise QuestionRefused(f"{key}.{name}", f"only one of {name} and {ours}")
        unit = given.get({"time_value": "time_interval", "seq_time_value": "seq_time_interval"}.get(name, ""))
        if unit is not None:
            value = (
                read_whole(value, f"{key}.{name}", 1, MOST_DAYS)
                * UNITS[read_one_of(unit, tuple(UNITS), f"{key}.{name}")]
            )
        plain[ours] = value
    return plain


def _selector(given: Mapping[str, Any], key: str) -> Selector:
    return read_selector({name: given[name] for name in ("event", "where") if name in given}, key)


def _counted(given: Mapping[str, Any], key: str) -> tuple[str, int]:
    op = given.get("op", "gte")
    if not isinstance(op, str) or op not in COUNTS:
        raise QuestionRefused(f"{key}.op", "one of gte, gt, lte, lt, eq", shown(op))
    return COUNTS[op], read_whole(given.get("count", 1), f"{key}.count", 1, 1_000_000)


def _days(given: Mapping[str, Any], key: str, name: str = "days") -> int:
    return read_whole(given.get(name), f"{key}.{name}", 1, MOST_DAYS)


def _performed(given: Mapping[str, Any], key: str, clock: Clock) -> Leaf:
    low = LONG_AGO if given.get("days") is None else clock.back(_days(given, key))
    return Did(_selector(given, key), (Window(low, clock.end, *_counted(given, key)),), 1, once=True)


def _first_time(given: Mapping[str, Any], key: str, clock: Clock) -> Leaf:
    low = clock.back(_days(given, key))
    return Did(_selector(given, key), (Window(LONG_AGO, low, "eq", NONE_AT_ALL), Window(low, clock.end)), 2)


def _both_spans(given: Mapping[str, Any], key: str, clock: Clock) -> tuple[int, int]:
    """The last instants before the whole span and before its recent part."""
    days, recent = _days(given, key), _days(given, key, "recent_days")
    if recent >= days:
        raise QuestionRefused(f"{key}.recent_days", f"fewer than the {days} days of `days`", str(recent))
    return clock.back(days), clock.back(recent)


def _stopped(given: Mapping[str, Any], key: str, clock: Clock) -> Leaf:
    """Did it in the span before the recent days, and not in them."""
    low, turn = _both_spans(given, key, clock)
    return Did(_selector(given, key), (Window(low, turn), Window(turn, clock.end, "eq", NONE_AT_ALL)), 2)


def _started(given: Mapping[str, Any], key: str, clock: Clock) -> Leaf:
    """Did it in the recent days, and not in the span before them (without `days`: never before)."""
    if given.get("days") is None:
        low, turn = LONG_AGO, clock.back(_days(given, key, "recent_days"))
    elif given.get("recent_days") is None:
        low, turn = LONG_AGO, clock.back(_days(given, key))
    else:
        low, turn = _both_spans(given, key, clock)
    return Did(_selector(given, key), (Window(low, turn, "eq", NONE_AT_ALL), Window(turn, clock.end)), 2)


def _restarted(given: Mapping[str, Any], key: str, clock: Clock) -> Leaf:
    """Did it before the span, not in its earlier part, and again in the recent days."""
    low, turn = _both_spans(given, key, clock)
    windows = (Window(LONG_AGO, low), Window(low, turn, "eq", NONE_AT_ALL), Window(turn, clock.end))
    return Did(_selector(given, key), windows, 3)


def _regularly(given: Mapping[str, Any], key: str, clock: Clock) -> Leaf:
    """Did it often enough in at least `min_periods` of the last `total_periods`, each `period_days` long."""
    days = _days(given, key, "period_days" if "period_days" in given else "days")
    total = read_whole(given.get("total_periods"), f"{key}.total_periods", 1, MOST_PERIODS)
    least = read_whole(given.get("min_periods", total), f"{key}.min_periods", 1, total)
    op, events = _counted(given, key)
    windows = tuple(Window(clock.back((n + 1) * days), clock.back(n * days), op, events) for n in range(total))
    return Did(_selector(given, key), windows, least)


def _property(given: Mapping[str, Any], key: str, clock: Clock) -> Leaf:
    own = {name: given[name] for name in ("property", "op", "value") if name in given}
    try:
        return Has(read_conditions([own], key)[0])
    except QuestionRefused as refused:  # it says where in the list; here is none
        raise QuestionRefused(refused.key.replace(f"{key}[0]", key), refused.expected, refused.got) from None


def _in(given: Mapping[str, Any], key: str, clock: Clock) -> Leaf:
    place = read_one_of(given.get("place", "company"), PLACES, f"{key}.place")
    return Is(place, _values(given.get("value"), f"{key}.value", "a value, or a list of values"))


def _people(given: Mapping[str, Any], key: str, clock: Clock) -> Leaf:
    if not isinstance(given.get("people"), list):
        raise QuestionRefused(f"{key}.people", "a list of people", shown(given.get("people")))
    return Named(_values(given["people"], f"{key}.people", "a list of people"))


def _values(value: Any, key: str, expected: str) -> tuple[Scalar, ...]:
    several = value if isinstance(value, list) else [value]
    if not all(isinstance(one, str | int) and not isinstance(one, bool) for one in several):
        raise QuestionRefused(key, expected, shown(value))
    return tuple(several)


READERS: Mapping[str, Callable[[Mapping[str, Any], str, Clock], Leaf]] = {
    "performed": _performed, "not_performed": _performed, "first_time": _first_time, "started": _started,
    "stopped": _stopped, "restarted": _restarted, "regularly": _regularly, "property": _property, "in": _in,
    "people": _people,
}  # fmt: skip


@dataclass(frozen=True)
class Belonging:
    """Who belongs: codes, sorted; and whether someone without any event would."""

    codes: Array
    strangers: bool


def belonging(
    snapshot: Snapshot,
    segment: Segment,
    *,
    companies: Collection[int] | None = None,
    places: Collection[int] | None = None,
    known: Array | None = None,
) -> Belonging:
    """Evaluates a segment. Only events of these companies and places count (None: all).

    Everybody with such an event may belong, and the people (or companies) of `known`, also without any."""
    return _Evaluation(snapshot, segment, companies, places).found(known)


class _Evaluation:
    def __init__(
        self, snapshot: Snapshot, segment: Segment, companies: Collection[int] | None, places: Collection[int] | None
    ) -> None:
        self.snapshot, self.segment = snapshot, segment
        self.leaves = list(dict.fromkeys(_leaves(segment.criteria)))

        def sieve(selector: Selector) -> Sieve:
            return Sieve(snapshot, selector=selector, companies=companies, places=places)

        self.sieves = {leaf: sieve(leaf.selector) for leaf in self.leaves if isinstance(leaf, Did)}
        self.all = sieve(Selector())
        self.all.events = None  # bookkeeping tells of properties and places as well

    def found(self, known: Array | None) -> Belonging:
        extra = np.zeros(0, np.int64) if known is None else known.astype(np.int64)
        if self.segment.of == "company":
            universe = np.unique(np.concatenate([*each_bucket(self.snapshot, self._companies), extra]))
            parts = each_bucket(self.snapshot, lambda bucket: self._measured(bucket, universe))
            measures = parts[0]
            for part in parts[1:]:
                measures = [_merged(leaf, a, b) for leaf, a, b in zip(self.leaves, measures, part, strict=True)]
            member = self._decided(self.segment.criteria, universe, measures)
            return Belonging(universe[member[:-1]].astype(np.int32), bool(member[-1]))

        def of(bucket: int) -> tuple[Array, Array, bool]:
            person = self.snapshot.columns(bucket, ["person"])["person"]
            slot, universe = runs_of(person)
            there = slots_with(slot, self.all.mask(bucket), len(universe)) & (universe > 0)
            measures = [self._seen(leaf, bucket, slot, len(universe)) for leaf in self.leaves]
            member = self._decided(self.segment.criteria, universe, measures)
            return universe[there], universe[member[:-1] & there], bool(member[-1])

        parts_of_people = each_bucket(self.snapshot, of)
        seen = np.concatenate([np.zeros(0, np.int64), *(universe for universe, _, _ in parts_of_people)])
        codes = np.concatenate([np.zeros(0, np.int64), *(part for _, part, _ in parts_of_people)])
        unseen = np.setdiff1d(extra, seen)
        nothing = [_nothing(leaf, len(unseen)) for leaf in self.leaves]
        member = self._decided(self.segment.criteria, unseen, nothing)
        codes = np.concatenate([codes, unseen[member[:-1]]])
        return Belonging(np.sort(codes).astype(np.int32), bool(member[-1]))

    def _companies(self, bucket: int) -> Array:
        company = self.snapshot.columns(bucket, ["company"])["company"][self.all.mask(bucket)]
        return np.unique(company[company != 0]).astype(np.int64)

    def _measured(self, bucket: int, universe: Array) -> list[Array]:
        """What each leaf sees of a bucket, one column per company of the universe and one more, of none."""
        company = self.snapshot.columns(bucket, ["company"])["company"]
        if len(universe):
            slot = np.searchsorted(universe, company).clip(0, len(universe) - 1)
            slot = np.where(universe[slot] == company, slot, len(universe)).astype(np.int32)
        else:
            slot = np.zeros(len(company), np.int32)
        return [self._seen(leaf, bucket, slot, len(universe)) for leaf in self.leaves]

    def _seen(self, leaf: Leaf, bucket: int, slot: Array, size: int) -> Array:
        measure = _nothing(leaf, size)
        if isinstance(leaf, Named) or not size:
            return measure
        at = self.snapshot.columns(bucket, ["happened_at"])["happened_at"]
        if isinstance(leaf, Did):
            keep = self._kept(self.sieves[leaf], bucket, slot, size)
            low = np.array([window.low for window in leaf.windows], np.int64)
            high = np.array([window.high for window in leaf.windows], np.int64)
            tally(slot, at, keep, low, high, measure)
            return measure
        keep = self._kept(self.all, bucket, slot, size) & (at <= self.segment.as_of)
        if isinstance(leaf, Has):
            condition = leaf.condition
            there = passing(self.snapshot, bucket, Condition(condition.property, "is_set"), keep)
            met = passing(self.snapshot, bucket, condition, there)
            newest(slot, at, there, met, measure)
            return measure
        newest(slot, at, keep, self._at(leaf, bucket), measure)
        return measure

    def _kept(self, sieve: Sieve, bucket: int, slot: Array, size: int) -> Array:
        """The rows of a sieve that are somebody's of the universe."""
        return sieve.mask(bucket) if self.segment.of == "person" else sieve.mask(bucket) & (slot < size)

    def _at(self, leaf: Is, bucket: int) -> Array:
        """Which rows of a bucket happened at one of the places."""
        column = self.snapshot.columns(bucket, [leaf.place])[leaf.place]
        if leaf.place == "source":
            wanted = {str(value) for value in leaf.values}
            texts = self.snapshot.texts("source").to_pylist()
            table = np.array([text in wanted for text in texts] or [False])
            found: Array = table[column]
            return found
        if not column.any():  # a table without numbers for it may have it as a property
            condition = Condition(leaf.place, "eq", leaf.values)
            return passing(self.snapshot, bucket, condition, np.ones(len(column), bool))
        numbers = [int(value) for value in leaf.values if str(value).isdecimal()]
        return np.isin(column, numbers)

    def _decided(self, part: Criteria | Leaf, universe: Array, measures: list[Array]) -> Array:
        """Per actor of the universe, and of nobody last, whether the part holds."""
        held: Array
        if isinstance(part, Criteria):
            several = [self._decided(one, universe, measures) for one in part.parts]
            held = np.logical_and.reduce(several) if part.every else np.logical_or.reduce(several)
            return ~held if part.negated else held
        measure = measures[self.leaves.index(part)]
        if isinstance(part, Did):
            enough = np.array([window.holds(measure[n]) for n, window in enumerate(part.windows)])
            held = enough.sum(axis=0) >= part.least
            return held & (measure.sum(axis=0) > 0) if part.once else held
        if isinstance(part, Has):
            held = np.where(measure[0] > LONG_AGO, measure[1] > 0, meets(None, part.condition))
            return held
        if isinstance(part, Is):
            held = measure[1] > 0
            return held
        if self.segment.of == "company":
            codes = np.array([int(one) for one in part.people if str(one).isdecimal()], np.int64)
        else:
            codes = self.snapshot.person_codes(part.people).astype(np.int64)
        return np.concatenate([np.isin(universe, codes), np.zeros(1, bool)])


def _leaves(part: Criteria | Leaf) -> Iterator[Leaf]:
    if isinstance(part, Criteria):
        for one in part.parts:
            yield from _leaves(one)
    else:
        yield part


def _nothing(leaf: Leaf, size: int) -> Array:
    """What a leaf has seen of actors without events: counts per window; or when, and whether it was so."""
    if isinstance(leaf, Did):
        return np.zeros((len(leaf.windows), size + 1), np.int64)
    measure = np.zeros((2, size + 1), np.int64)
    measure[0] = LONG_AGO
    return measure


def _merged(leaf: Leaf, one: Array, other: Array) -> Array:
    if isinstance(leaf, Did):
        return one + other
    later = (other[0] > one[0]) | ((other[0] == one[0]) & (other[1] > one[1]))
    return np.where(later, other, one)


def runs_of(person: Array) -> tuple[Array, Array]:
    """For every row of a sorted column the number of its person, and the people by number (int64)."""
    if not len(person):
        return np.zeros(0, np.int32), np.zeros(0, np.int64)
    slot = number_runs(person)
    return slot, person[np.searchsorted(slot, np.arange(int(slot[-1]) + 1))].astype(np.int64)


@compiled
def number_runs(person: Array) -> Array:
    """int32 per row: how many other people came before its own."""
    slot = np.zeros(len(person), np.int32)
    run = 0
    for row in range(1, len(person)):
        if person[row] != person[row - 1]:
            run += 1
        slot[row] = run
    return slot


@compiled
def slots_with(slot: Array, keep: Array, size: int) -> Array:
    """Which slots have a kept row."""
    found = np.zeros(size, np.bool_)
    for row in range(len(slot)):
        if keep[row]:
            found[slot[row]] = True
    return found


@compiled
def tally(slot: Array, at: Array, keep: Array, low: Array, high: Array, counted: Array) -> None:
    """Adds to (windows, slots) the kept events of each slot in each window (low, high]."""
    for row in range(len(slot)):
        if keep[row]:
            t = at[row]
            for window in range(len(low)):
                if low[window] < t <= high[window]:
                    counted[window, slot[row]] += 1


@compiled
def newest(slot: Array, at: Array, keep: Array, met: Array, seen: Array) -> None:
    """Writes to (2, slots) when the newest kept event was, and whether it was so (at one instant: whether any was)."""
    for row in range(len(slot)):
        if keep[row]:
            s = slot[row]
            if at[row] > seen[0, s]:
                seen[0, s] = at[row]
                seen[1, s] = 1 if met[row] else 0
            elif at[row] == seen[0, s] and met[row]:
                seen[1, s] = 1


def last_of(snapshot: Snapshot, zone: str) -> Moment:
    """The instant of the last event of the log; of an empty log, 1970."""

    def of(bucket: int) -> int:
        at = snapshot.columns(bucket, ["happened_at"])["happened_at"]
        return int(at.max()) if len(at) else 0

    at = max(each_bucket(snapshot, of), default=0)
    return Moment(local_date(at, zone), at)


def narrowed(one: Array | None, other: Array | None) -> Array | None:
    """The codes in both; None is everybody."""
    if one is None or other is None:
        return other if one is None else one
    both: Array = np.intersect1d(one, other)
    return both
