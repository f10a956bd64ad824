"""What an evaluation says: estimate, interval, design, checks and verdict, as canonical JSON of the same bytes.

Absolute and relative changes are different things and stand in different fields.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date
from enum import StrEnum
from typing import Any

import numpy as np

from uptake.basics.canonical import canonical_json
from uptake.statistics.estimate import Estimate, Relative
from uptake.statistics.event_study import Moment
from uptake.statistics.lasting import Span

CODE_VERSION = "impact-3"
"""Raised whenever the same input may give another result."""

DIGITS = 10
"""Significant digits kept in JSON: more differ from machine to machine."""


class Light(StrEnum):
    """What a check says."""

    PASS = "pass"  # noqa: S105 (a light, not a secret)
    WARN = "warn"
    STOP = "stop"


class Grade(StrEnum):
    """How much a design can bear."""

    A = "A"
    B = "B"
    B_MINUS = "B-"
    C = "C"
    D = "D"
    NONE = "-"


class Verdict(StrEnum):
    """What is said of one metric."""

    INCREASE = "increase"
    DECREASE = "decrease"
    NO_MEANINGFUL_CHANGE = "no_meaningful_change"
    CANNOT_TELL = "cannot_tell"
    INTERIM = "interim"
    DESCRIPTION = "description"


class Design(StrEnum):
    """The nine rules' designs."""

    PEOPLE_DRAWN = "people_drawn"
    DEPARTMENTS_DRAWN = "departments_drawn"
    STAGGERED = "staggered"
    FEW_TREATED = "few_treated"
    SYNTHETIC = "synthetic"
    ONE_TREATED = "one_treated"
    ACTION_CONTRAST = "action_contrast"
    INTERRUPTED = "interrupted"
    DESCRIPTION = "description"


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its code, its light, the number it is about, and whatever a sentence needs."""

    code: str
    light: Light
    number: float | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Segment:
    """The effect in one role, region or third of departments; `p` adjusted by Holm over the segments of its kind."""

    kind: str
    name: str
    estimate: Estimate
    p: float
    units: int
    people: float


@dataclass(frozen=True, slots=True)
class Result:
    """One metric's answer. Estimates are in the metric's unit (a share for rates), `relative` shares of C.

    steps: how far the wording is lowered; naive: the plain before/after difference, for comparison only.
    p is floored at what permutation can reach. headline tells which cells the estimate is of.
    """

    metric: str
    kind: str
    design: Design
    grade: Grade
    verdict: Verdict
    matters: bool
    steps: int
    estimate: Estimate | None
    by_people: Estimate | None
    relative: Relative | None
    counterfactual: float | None
    seen: float | None
    p: float | None
    second_line: Estimate | None
    naive: float | None
    n_units: int
    n_treated: int
    n_starts: int
    lost_days: int
    headline: str
    codes: tuple[str, ...]
    checks: tuple[Check, ...]
    assumptions: tuple[str, ...]
    event_study: tuple[Moment, ...]
    segments: tuple[Segment, ...]
    leave_one_out: tuple[tuple[str, float], ...]
    placebo: tuple[float, ...]
    cell_effects: tuple[tuple[str, str, float], ...]
    detectable: float | None
    always_valid: tuple[float, float] | None
    registration_hash: str
    data_sha: str
    spans: tuple[Span, ...] = ()
    code_version: str = CODE_VERSION

    def check(self, code: str) -> Check | None:
        return next((one for one in self.checks if one.code == code), None)

    @property
    def stops(self) -> tuple[Check, ...]:
        return tuple(one for one in self.checks if one.light is Light.STOP)

    def facts(self) -> dict[str, Any]:
        """What canonical JSON knows: numbers rounded to 10 significant digits, what is not finite as null."""
        told = plain(self)
        assert isinstance(told, dict)
        if self.estimate is not None:
            told["se"] = plain(self.estimate.se)
            told["ci"] = [plain(self.estimate.low), plain(self.estimate.high)]
        return told

    def to_json(self) -> bytes:
        """The same input gives the same bytes."""
        return canonical_json(self.facts())


def plain(value: Any) -> Any:
    """Dataclasses as mappings, tuples as lists, numbers rounded; nothing that is not finite."""
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if value is None or isinstance(value, str | date | int):
        return value
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return rounded(float(value))
    if isinstance(value, Estimate):
        low, high = value.interval()
        return {
            name: rounded(part)
            for name, part in (
                ("value", value.value),
                ("se", value.se),
                ("df", float(value.df)),
                ("low", low),
                ("high", high),
            )
        }
    if is_dataclass(value):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, tuple | list | np.ndarray):
        return [plain(part) for part in value]
    raise TypeError(f"a result does not hold {type(value).__name__}")


def rounded(value: float) -> float | None:
    return float(f"{value:.{DIGITS}g}") + 0.0 if math.isfinite(value) else None
