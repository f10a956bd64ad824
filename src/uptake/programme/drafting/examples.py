"""Example events kept beside a rulebook with the points they must earn; they run whenever it is published.

Pure: values in, values out. Each example is asked by itself, by the fold that pays: nothing happened before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from uptake.programme.evaluate import DayRules, Outcome
from uptake.programme.person_fold import fold_person
from uptake.programme.rulebook import Rulebook
from uptake.programme.rulebook_refusals import gettext_noop
from uptake.programme.standing import JudgedEvent, Standing

NOON = timedelta(hours=12)
MOST = 200
LONGEST = 300
TEXTS = ("title", "object", "department", "role")

TOO_MANY = gettext_noop("A draft keeps at most %(most)s examples.")
NOT_AN_EXAMPLE = gettext_noop("Example %(number)s names no event.")
NO_POINTS = gettext_noop("Example %(number)s needs the points it must earn, a whole number of at least 0.")
NOT_FACTS = gettext_noop("The facts of example %(number)s must be texts, numbers or yes and no.")
NOT_TOLD = gettext_noop("“%(key)s” of example %(number)s cannot be read.")


class ExampleRefused(Exception):
    """An example that cannot be kept: `pattern` % `fields` says why; `index` is its place, from 0."""

    def __init__(self, index: int, pattern: str, **fields: object) -> None:
        self.index = index
        self.pattern = pattern
        self.fields: dict[str, object] = {"number": index + 1, **fields}
        super().__init__(pattern % self.fields)


@dataclass(frozen=True, slots=True)
class Tried:
    """An example with what it earns."""

    number: int
    """From 1."""
    example: Mapping[str, Any]
    points: int
    outcomes: tuple[Outcome, ...]

    @property
    def expected(self) -> int:
        return int(self.example["points"])

    @property
    def holds(self) -> bool:
        return self.points == self.expected


def check_examples(examples: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The examples as they are kept; ExampleRefused for the first that cannot be."""
    if len(examples) > MOST:
        raise ExampleRefused(MOST, TOO_MANY, most=MOST)
    return [_checked(index, one) for index, one in enumerate(examples)]


def _checked(index: int, one: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(one, Mapping) or not isinstance(one.get("event"), str) or not one["event"]:
        raise ExampleRefused(index, NOT_AN_EXAMPLE)
    points = one.get("points")
    if not isinstance(points, int) or isinstance(points, bool) or points < 0:
        raise ExampleRefused(index, NO_POINTS)
    found: dict[str, Any] = {"event": one["event"], "points": points}
    for key in TEXTS:
        told = one.get(key, "")
        if not isinstance(told, str) or len(told) > LONGEST:
            raise ExampleRefused(index, NOT_TOLD, key=key)
        if told:
            found[key] = told
    facts = one.get("facts", {})
    if not isinstance(facts, Mapping):
        raise ExampleRefused(index, NOT_FACTS)
    found["facts"] = {str(name): _plain_fact(index, value) for name, value in facts.items()}
    tenure = one.get("tenure_days")
    if tenure is not None:
        if not isinstance(tenure, int) or isinstance(tenure, bool):
            raise ExampleRefused(index, NOT_TOLD, key="tenure_days")
        found["tenure_days"] = tenure
    if one.get("date"):
        try:
            found["date"] = date.fromisoformat(str(one["date"])).isoformat()
        except ValueError as problem:
            raise ExampleRefused(index, NOT_TOLD, key="date") from problem
    return found


def _plain_fact(index: int, value: object) -> object:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else str(value)
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise ExampleRefused(index, NOT_FACTS)


def try_examples(rulebook: Rulebook, examples: Sequence[Mapping[str, Any]], day: date) -> list[Tried]:
    """What each earns under the rulebook, on its date, else on `day` (where the rulebook begins to apply)."""
    rules_on = lru_cache(maxsize=64)(lambda asked: DayRules(rulebook, asked))
    found = []
    for index, one in enumerate(examples):
        event = _event(rulebook, one, day)
        outcomes = tuple(fold_person([event], rules_on).outcomes)
        found.append(Tried(index + 1, one, sum(outcome.points for outcome in outcomes), outcomes))
    return found


def _event(rulebook: Rulebook, one: Mapping[str, Any], day: date) -> JudgedEvent:
    on = date.fromisoformat(one["date"]) if one.get("date") else day
    programme = rulebook.programme
    at: datetime = programme.clock.start_of(on) + NOON
    return JudgedEvent(
        id=1,
        name=one["event"],
        at=at.astimezone(UTC),
        source="",
        key="example",
        date=on,
        facts=one.get("facts", {}),
        object=one.get("object", ""),
        standing=Standing(one.get("department") or None, one.get("role") or None, one.get("tenure_days")),
    )
