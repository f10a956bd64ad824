"""What all funnels share: reading steps, window, exclusions and breakdown; the reported runs; the people at each step.

Beyond the text of the semantics:
- A step marked {"optional": true} may be skipped: later steps do not need it, and reached it have only those whose
  reported run did it. The first step cannot be optional. In one instant needed steps are served before optional ones.
  Seconds count from the needed step before. No exclusion begins or ends at an optional step.
- Unordered funnels with exclusions: an attempt with an x in it (in the whole window while steps are missing) is worth
  no more than its first event; so the actor keeps the depth of another attempt, at least 1.
- `step:N` shows an actor under every value that its events of step N have, whether it gets there or not; who has no
  such event is not shown. An unordered funnel knows only step:0, the event it begins with.
- An exclusion that names all of a step within its bounds is refused: it could only mean the step itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from uptake.activity.asking import OTHER, Asked, Span
from uptake.activity.columns import Array
from uptake.activity.funnel_attempts import attempts, most_runs
from uptake.activity.funnel_runs import (
    ALL_ROWS,
    ENTRY_OF_VALUE,
    OF_VALUE,
    ORDERED,
    STEP_OF_VALUE,
    STRICT,
    UNORDERED,
    latest_entries,
    quick_entries,
    touched,
)
from uptake.activity.histories import MOST_SELECTORS, Histories, each_history
from uptake.activity.periods import Buckets
from uptake.activity.question import (
    COMMON,
    By,
    Question,
    QuestionRefused,
    Selector,
    read_by,
    read_list,
    read_object,
    read_one_of,
    read_selector,
    read_text,
    read_whole,
    read_yes,
    shown,
)

KEYS = (COMMON - {"event_sel"}) | {"steps", "order", "window_seconds", "exclusions", "breakdown", "ignore_events"}
ORDERS = {"ordered": ORDERED, "strict": STRICT, "unordered": UNORDERED}
SCOPES = ("first_ever", "first_matching")
SECOND = 1_000_000
FORTNIGHT = 14 * 86_400
LONGEST = 10_000_000_000
"""Seconds of the longest window: three centuries."""
MOST_STEPS = 20
NONE = ""
"""What stands for "no value" among the values of a breakdown."""


@dataclass(frozen=True)
class Step:
    """One step: which events, of which only the actor's first may count, and whether it may be skipped."""

    selector: Selector
    scope: str = ""
    """"first_ever", "first_matching", or nothing."""
    optional: bool = False


@dataclass(frozen=True)
class Exclusion:
    """Events that must not happen after one step and before another (from 0)."""

    selector: Selector
    after: int
    before: int


@dataclass(frozen=True)
class Breakdown:
    """By what, and which event's value is the actor's."""

    by: By
    attribution: str
    """first_touch, last_touch, all_events or step."""
    step: int
    limit: int


@dataclass(frozen=True)
class Plan:
    """A funnel as asked for."""

    steps: tuple[Step, ...]
    order: str
    window: int
    """Microseconds."""
    exclusions: tuple[Exclusion, ...]
    ignored: tuple[str, ...]
    """Names of events that do not break a strict funnel."""
    breakdown: Breakdown | None

    @property
    def optional(self) -> int:
        """The optional steps as bits."""
        return sum(1 << k for k, step in enumerate(self.steps) if step.optional)

    def needed_before(self, k: int) -> int:
        """The last step before k that cannot be skipped (from 0; -1: none)."""
        return max((j for j in range(k) if not self.steps[j].optional), default=-1)

    @property
    def plain(self) -> bool:
        """Whether one pass with the latest entry of each level tells all."""
        return self.order == "ordered" and not (
            self.exclusions or any(step.scope or step.optional for step in self.steps)
        )


def read_plan(question: Question) -> Plan:
    """The funnel a question asks for. QuestionRefused says what is wrong with it."""
    own = question.own
    listed = read_list(own.get("steps"), "steps", "a list of steps")
    if not 1 <= len(listed) <= MOST_STEPS:
        raise QuestionRefused("steps", f"from 1 to {MOST_STEPS} steps", str(len(listed)))
    order = read_one_of(own.get("order", "ordered"), tuple(ORDERS), "order")
    steps = tuple(_step(one, f"steps[{k}]", k, order) for k, one in enumerate(listed))
    given = [] if own.get("exclusions") is None else own["exclusions"]
    given = read_list(given, "exclusions", "a list of exclusions")
    plan = Plan(
        steps=steps,
        order=order,
        window=_window(own.get("window_seconds", FORTNIGHT)),
        exclusions=tuple(_exclusion(one, f"exclusions[{k}]", steps, order) for k, one in enumerate(given)),
        ignored=_ignored(own.get("ignore_events"), order),
        breakdown=_breakdown(question, len(steps), order),
    )
    if len(_selectors(plan)[0]) > MOST_SELECTORS:
        raise QuestionRefused("exclusions", f"fewer: at most {MOST_SELECTORS} selectors in a funnel")
    return plan


def _step(value: Any, key: str, k: int, order: str) -> Step:
    if isinstance(value, str):
        return Step(Selector((value,)))
    given = dict(read_object(value, key))
    scope = given.pop("scope", None)
    if scope is not None:
        scope = read_one_of(scope, SCOPES, f"{key}.scope")
    optional = read_yes(given.pop("optional", False), f"{key}.optional")
    if optional and (k == 0 or order == "unordered"):
        raise QuestionRefused(f"{key}.optional", "a step that is not the first, of a funnel with an order", "true")
    for inner in given:
        if inner not in ("event", "where"):
            raise QuestionRefused(f"{key}.{inner}", "one of event, where, scope, optional", "an unknown key")
    return Step(read_selector(given, key), scope or "", optional)


def _window(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= LONGEST:
        raise QuestionRefused("window_seconds", f"seconds, above 0 and at most {LONGEST}", shown(value))
    return round(value * SECOND)


def seconds_of(window: str) -> int:
    """The seconds of a span such as 90s, 30m, 12h, 7d or 2w. QuestionRefused for anything else."""
    units = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
    if window[:-1].isdecimal() and window[-1] in units:
        return int(window[:-1]) * units[window[-1]]
    raise QuestionRefused("within", "a span such as 90s, 30m, 12h, 7d or 2w", shown(window))


def _exclusion(value: Any, key: str, steps: tuple[Step, ...], order: str) -> Exclusion:
    given = dict(read_object(value, key))
    last = len(steps) - 1
    after = read_whole(given.pop("after_step", 0), f"{key}.after_step", 0, last - 1) if last else -1
    if not last:
        raise QuestionRefused(key, "at least two steps to stand between", "one step")
    before = read_whole(given.pop("before_step", last), f"{key}.before_step", after + 1, last)
    for inner in given:
        if inner not in ("event", "where"):
            raise QuestionRefused(f"{key}.{inner}", "one of event, where, after_step, before_step", "an unknown key")
    if order == "unordered" and (after, before) != (0, last):
        raise QuestionRefused(key, f"0 and {last}: without an order only the whole funnel", f"{after} and {before}")
    if steps[after].optional or steps[before].optional:
        raise QuestionRefused(key, "steps that are not optional as bounds", f"{after} and {before}")
    selector = read_selector(given, key)
    for k in range(after, before + 1):
        same = steps[k].selector
        if same.events == selector.events and set(selector.where) <= set(same.where):
            raise QuestionRefused(key, "events that are not those of a step within its bounds", f"those of step {k}")
    return Exclusion(selector, after, before)


def _ignored(value: Any, order: str) -> tuple[str, ...]:
    if value is None:
        return ()
    names = read_list(value, "ignore_events", "a list of names of events")
    if names and order != "strict":
        raise QuestionRefused("ignore_events", "a funnel with the order strict", f"one that is {order}")
    return tuple(read_text(name, f"ignore_events[{k}]") for k, name in enumerate(names))


def _breakdown(question: Question, steps: int, order: str) -> Breakdown | None:
    value = question.own.get("breakdown")
    if value is None:
        return None if question.by is None else Breakdown(question.by, "first_touch", -1, question.limit)
    if question.by is not None:
        raise QuestionRefused("by", "either by or breakdown", "both")
    given = read_object(value, "breakdown")
    for inner in given:
        if inner not in ("property", "by", "attribution", "limit"):
            raise QuestionRefused(f"breakdown.{inner}", "one of property, by, attribution, limit", "an unknown key")
    if ("property" in given) == ("by" in given):
        raise QuestionRefused("breakdown.property", "the name of a property (or `by` with a place)", "neither or both")
    if "by" in given:
        by = read_by(given["by"], "breakdown.by")
    else:
        by = By(property=read_text(given["property"], "breakdown.property"))
    limit = read_whole(given.get("limit", question.limit), "breakdown.limit", 1, 1000)
    attribution = given.get("attribution", "first_touch")
    if isinstance(attribution, str) and attribution.startswith("step:") and attribution[5:].isdecimal():
        step = int(attribution[5:])
        if step >= steps:
            raise QuestionRefused("breakdown.attribution", f"a step from 0 to {steps - 1}", shown(attribution))
        if order == "unordered" and step:
            raise QuestionRefused("breakdown.attribution", "step:0: without an order there is no other", shown(step))
        return Breakdown(by, "step", step, limit)
    known = ("first_touch", "last_touch", "all_events")
    if attribution not in known:
        raise QuestionRefused("breakdown.attribution", "one of " + ", ".join((*known, "step:N")), shown(attribution))
    return Breakdown(by, attribution, -1, limit)


def read_step(value: Any, key: str, least: int, plan: Plan) -> int:
    """The number of a step (from 0), at least `least`."""
    return read_whole(value, key, least, len(plan.steps) - 1)


def read_hop(question: Question, plan: Plan) -> tuple[int, int]:
    """`from_step` and `to_step`, by default the first and the last."""
    if len(plan.steps) < 2:
        raise QuestionRefused("steps", "at least two steps", "1")
    to = read_step(question.own.get("to_step", len(plan.steps) - 1), "to_step", 1, plan)
    start = read_whole(question.own.get("from_step", 0), "from_step", 0, to - 1)
    return start, to


@dataclass(frozen=True)
class Runs:
    """Reported runs, one per row: of an actor (in a bucket of the time of the entry, under a value)."""

    actor: Array
    bucket: Array
    value: Array
    """Numbers of `Reported.labels`; -1 without a breakdown."""
    depth: Array
    done: Array
    """Bit k: step k was done. Unordered: as many bits as steps."""
    when: Array
    """(runs, steps) instants in microseconds; unordered: in the order of time."""

    def __len__(self) -> int:
        return len(self.actor)

    def where(self, rows: Array | slice) -> Runs:
        """Some of them: a mask, numbers of rows, or a piece."""
        return Runs(
            self.actor[rows], self.bucket[rows], self.value[rows], self.depth[rows], self.done[rows], self.when[rows]
        )

    def did(self, step: int) -> Array:
        """A mask: the runs that did the step."""
        mask: Array = ((self.done >> step) & 1) == 1
        return mask

    def seconds(self, start: int, to: int) -> Array:
        """From one step to another, of the runs that did both; microseconds, whole."""
        both = self.did(start) & self.did(to)
        hops: Array = self.when[both, to] - self.when[both, start]
        return hops

    def best(self) -> Runs:
        """One per actor and bucket: the deepest, the first to arrive, the latest entry."""
        arrival = self.when[np.arange(len(self)), self.depth - 1] if len(self) else self.actor
        order = np.lexsort((-self.when[:, 0], arrival, -self.depth, self.bucket, self.actor))
        sorted_runs = self.where(order)
        first = np.ones(len(order), bool)
        first[1:] = (np.diff(sorted_runs.actor) != 0) | (np.diff(sorted_runs.bucket) != 0)
        return sorted_runs.where(first)


@dataclass(frozen=True)
class Reported:
    """All runs of a funnel, and what the numbers in them stand for."""

    plan: Plan
    runs: Runs
    labels: tuple[str, ...]
    called: Called
    latest: int
    """With buckets: the last instant of the log (of those asked for), in microseconds."""
    once: bool = False
    """Whether every actor has one run only."""

    def by_value(self) -> dict[str, Runs] | None:
        """The runs of each value, the values with the most actors first; the rest together, each actor once."""
        breakdown = self.plan.breakdown
        if breakdown is None:
            return None
        runs = self.runs
        values = runs.value.astype(np.int64)
        if not self.once:
            pairs = np.unique(values << 32 | (runs.actor.astype(np.int64) & 0xFFFFFFFF)) >> 32
        people = np.bincount(values if self.once else pairs, minlength=len(self.labels)).tolist()
        there = [number for number in range(len(self.labels)) if people[number]]
        ranked = sorted(there, key=lambda number: (-people[number], self.labels[number]))
        shown, rest = ranked[: breakdown.limit], ranked[breakdown.limit :]
        place = np.full(max(1, len(self.labels)), len(shown), np.int16)
        place[shown] = np.arange(len(shown))
        places = place[values]
        order = np.argsort(places, kind="stable")
        cuts = np.searchsorted(places[order], np.arange(len(shown) + 2)).tolist()
        runs = runs.where(order)
        own = [runs.where(slice(cuts[number], cuts[number + 1])) for number in range(len(shown) + 1)]
        found = {self.labels[number]: own[row] for row, number in enumerate(shown)}
        if rest:
            found[OTHER] = own[-1] if self.once else own[-1].best()
        return found

    def of(self, value: Any) -> Runs:
        """The runs of one value of the breakdown, as by_value names it; none where there is no such value."""
        groups = self.by_value()
        if groups is None:
            raise QuestionRefused("value", "no value: the question has no breakdown", shown(value))
        if not isinstance(value, str):
            raise QuestionRefused("value", "a value of the answer, as text", shown(value))
        return groups.get(value, self.runs.where(np.zeros(len(self.runs), bool)))


@dataclass(frozen=True)
class Called:
    """What actors are called."""

    person: bool
    names: Callable[[Sequence[int]], list[str]]

    def codes(self, actors: Array) -> Array:
        """The codes of people, sorted. Refused where something else than people is counted."""
        if not self.person:
            raise QuestionRefused("count_by", '"person": other things than people have no codes', "something else")
        return np.unique(actors)


@dataclass(frozen=True)
class Actors:
    """A list of actors that is named only when somebody reads it."""

    codes: Array = field(repr=False)
    called: Called = field(repr=False)

    def __len__(self) -> int:
        return len(self.codes)

    def tolist(self) -> list[str]:
        """Their names, sorted."""
        return sorted(self.called.names(np.unique(self.codes).tolist()))


def _selectors(plan: Plan) -> tuple[list[Selector], list[int], int]:
    """One per bit: the steps, the exclusions, then what else has to be told apart; by step the bit of the events of
    which only the first may serve it (0: any), and the bit of the events to pass over."""
    found = [step.selector for step in plan.steps] + [one.selector for one in plan.exclusions]
    scopes = []
    for k, step in enumerate(plan.steps):
        if step.scope == "first_ever" and step.selector.where:
            scopes.append(1 << len(found))
            found.append(Selector(step.selector.events))
        else:
            scopes.append(1 << k if step.scope else 0)
    ignored = 0
    if plan.ignored:
        ignored = 1 << len(found)
        found.append(Selector(plan.ignored))
    return found, scopes, ignored


def both_reported(
    asked: Asked, plan: Plan, span: Span, buckets: Buckets | None = None
) -> tuple[Reported, Reported | None]:
    """The runs of the whole funnel, and those by value where there is a breakdown."""
    if plan.breakdown is None:
        return reported(asked, plan, span, buckets), None
    by_value = reported(asked, plan, span, buckets)
    if plan.breakdown.attribution.endswith("_touch"):
        return by_value, by_value
    return reported(asked, replace(plan, breakdown=None), span, buckets), by_value


def runs_behind(
    asked: Asked, plan: Plan, span: Span, number: Mapping[str, Any], buckets: Buckets | None = None
) -> tuple[Runs, Called]:
    """The runs of the whole funnel, or of the value that the number names."""
    if "value" in number:
        found = reported(asked, plan, span, buckets)
        return found.of(number["value"]), found.called
    found = reported(asked, replace(plan, breakdown=None), span, buckets)
    return found.runs, found.called


def only_keys(number: Mapping[str, Any], *known: str) -> None:
    """Refuses what does not name a number of the answer."""
    for key in number:
        if key not in known:
            raise QuestionRefused(str(key), "one of " + ", ".join(known), "an unknown key")


def reported(asked: Asked, plan: Plan, span: Span, buckets: Buckets | None = None) -> Reported:
    """The run of every actor that is reported; with `buckets`, one for every bucket an attempt of it began in.
    Identities nobody has claimed have none: a funnel counts people."""
    selectors, scopes, ignored = _selectors(plan)
    simple = plan.plain and buckets is None and _narrowed(plan) == ALL_ROWS

    def fold(rows: Histories) -> tuple[Runs, tuple[str, ...], tuple[str, ...], int]:
        rows = rows.people
        if simple:
            return _quick_runs(rows, plan, span, scopes), rows.labels, rows.names, 0
        latest = int(rows.at[rows.ends - 1].max()) if buckets is not None and len(rows.ends) else 0
        return _runs(rows, plan, span, buckets, scopes, ignored), rows.labels, rows.names, latest

    parts = each_history(asked, selectors, fold, breakdown=None if plan.breakdown is None else plan.breakdown.by)
    labels: dict[str, int] = {}
    values = [part[0].value for part in parts]
    if plan.breakdown is not None:
        numbers: dict[tuple[str, ...], Array] = {}
        for place, (_, texts, _, _) in enumerate(parts):
            if texts not in numbers:
                numbers[texts] = np.array([labels.setdefault(text, len(labels)) for text in texts] or [0], np.int64)
            values[place] = _renumbered(values[place], numbers[texts], labels)
    names = parts[0][2] if parts else ()
    by_person = asked.question.count_by == By()

    def all_of(column: str) -> Array:
        return np.concatenate([getattr(part[0], column) for part in parts])

    if simple:
        runs = _with_steps(all_of("actor"), np.concatenate(values), all_of("depth"), all_of("when"))
    else:
        runs = Runs(
            all_of("actor"), all_of("bucket"), np.concatenate(values), all_of("depth"), all_of("done"), all_of("when")
        )
    return Reported(
        plan,
        runs,
        tuple(labels),
        Called(by_person, asked.snapshot.person_names if by_person else lambda codes: [names[c - 1] for c in codes]),
        max(part[3] for part in parts),
        once=simple,
    )


def _narrowed(plan: Plan) -> int:
    """What a value of the breakdown narrows."""
    if plan.breakdown is None or plan.breakdown.attribution.endswith("_touch"):
        return ALL_ROWS
    if plan.breakdown.attribution == "all_events":
        return OF_VALUE
    return ENTRY_OF_VALUE if plan.order == "unordered" else STEP_OF_VALUE


def _quick_runs(rows: Histories, plan: Plan, span: Span, scopes: list[int]) -> Runs:
    """The runs of everybody of a bucket, also of those without any step, whose depth is 0; `done` says nothing yet."""
    count = len(plan.steps)
    masks = rows.bits & np.uint32((1 << count) - 1)
    depth, when, several = quick_entries(
        rows.starts, rows.ends, rows.at, rows.codes, masks, count, plan.window, span.low, span.high
    )
    if several:
        again = np.flatnonzero(depth < 0)
        depth[again], when[again] = latest_entries(
            rows.starts[again], rows.ends[again], rows.at, rows.codes, masks, len(np.unique(masks)),
            count, plan.window, span.low, span.high,
        )  # fmt: skip
    value = depth if plan.breakdown is None else _touched(rows, plan, span, scopes)
    return Runs(rows.actor, depth, value, depth, depth, when)


def _with_steps(actor: Array, value: Array, depth: Array, when: Array) -> Runs:
    """The runs that did a step, with the steps they did."""
    there = np.flatnonzero(depth)
    reached = depth[there].astype(np.int64)
    return Runs(actor[there], np.zeros(len(there), np.int64), value[there], reached, (1 << reached) - 1, when[there])


def _touched(rows: Histories, plan: Plan, span: Span, scopes: list[int]) -> Array:
    """By actor the value of the first (or last) event of a step that has one; -1 or NONE: there is none.

    Those whose rows have one value need not be looked at."""
    assert plan.breakdown is not None
    own = rows.owner.astype(np.int64)
    mixed = rows if not len(own) else rows.only(own < 0) if (own < 0).any() else None
    if mixed is None:
        return own
    nothing = rows.labels.index(NONE) if NONE in rows.labels else -1
    found = touched(
        mixed.starts, mixed.ends, mixed.at, mixed.codes, mixed.bits, mixed.group, nothing, len(plan.steps),
        np.array(scopes, np.int64), span.low, span.high, plan.breakdown.attribution == "last_touch",
    )  # fmt: skip
    if not len(own):
        return found
    own[own < 0] = found
    return own


def _renumbered(values: Array, numbers: Array, labels: dict[str, int]) -> Array:
    """Values as numbers of all labels; -1 (no value) as the number of the empty text."""
    found = numbers[np.maximum(values, 0)]
    if (values < 0).any():
        found = np.where(values < 0, labels.setdefault(NONE, len(labels)), found)
    return found


def _runs(
    rows: Histories, plan: Plan, span: Span, buckets: Buckets | None, scopes: list[int], ignored: int
) -> Runs:  # fmt: skip
    """The runs of a bucket, of all kinds of funnels."""
    count = len(plan.steps)
    breakdown = plan.breakdown
    narrowed = _narrowed(plan)
    codes = rows.codes.astype(np.int32)
    number = np.zeros(1, np.int64) if buckets is None else buckets.number
    serving = (1 << count) - 1
    entering = serving if plan.order == "unordered" else 1
    room = len(rows.starts)
    if narrowed != ALL_ROWS or buckets is not None:
        room = most_runs(
            rows.starts, rows.ends, codes, rows.bits, rows.group, len(rows.labels),
            serving, entering, narrowed, len(number),
        )  # fmt: skip
    bounds = [(one.after, one.before) for one in plan.exclusions]
    edges = np.array([span.low, span.high], np.int64) if buckets is None else buckets.edges
    runs = Runs(
        *attempts(
            rows.starts, rows.ends, rows.at, codes, rows.bits, rows.group,
            len(rows.labels), count, ORDERS[plan.order], plan.window, plan.optional, np.array(scopes, np.int64),
            np.array(bounds, np.int64).reshape(len(bounds), 2), ignored, narrowed,
            breakdown.step if breakdown is not None else -1, span.low, span.high, edges,
            number, room,
        )
    )  # fmt: skip
    value = runs.value
    if breakdown is not None and narrowed == ALL_ROWS:
        value = _touched(rows, plan, span, scopes)[runs.actor]
    return replace(runs, actor=rows.actor[runs.actor], value=value)
