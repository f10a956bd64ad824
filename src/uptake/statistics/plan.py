"""What was decided before the start: the question, the smallest effect that matters, the window, the looks.

A registration is locked by its fingerprint: the hash of its canonical JSON. A result carries the
hash it was made under.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from uptake.basics.canonical import fingerprint

PEOPLE_EACH, DEPARTMENTS_EACH = 30, 4
"""On each side of a drawing by lot."""


class Kind(StrEnum):
    """What a metric is. Only of a rate are differences told in percentage points."""

    RATE = "rate"
    MEAN = "mean"
    COUNT = "count"
    RATIO = "ratio"
    SURVEY = "survey"


class Direction(StrEnum):
    """Which way is good."""

    HIGHER = "higher"
    LOWER = "lower"


class Assignment(StrEnum):
    """How it was chosen who begins when."""

    RANDOM = "random"
    SELF_SELECTED = "self_selected"
    MANAGEMENT = "management"
    SELECTED_ON_METRIC = "selected_on_metric"


class Drawn(StrEnum):
    """What was drawn by lot, where anything was."""

    PERSON = "person"
    DEPARTMENT = "department"


class Headcount(StrEnum):
    """Where the denominator comes from."""

    DIRECTORY = "directory"
    SEEN = "seen"
    NONE_NEEDED = "none_needed"


@dataclass(frozen=True, slots=True)
class Incident:
    """Something else that happened: a release, a policy, a holiday, another campaign, a change of logging.

    company, role and units (by name) narrow it; empty means everywhere.
    """

    day: date
    text: str
    company: str = ""
    role: str = ""
    units: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Survey:
    """How many of the asked answered, and whether the same people answered before and after."""

    asked: int
    answered: int
    same_people: bool

    @property
    def bearable(self) -> bool:
        return self.same_people and 2 * self.answered >= self.asked > 0


@dataclass(frozen=True, slots=True)
class Plan:
    """A registration of one metric.

    smallest: M, the smallest effect that matters, in the metric's unit (a share for rates: 0.02 is two percentage
    points). window: the days over which the effect is asked, from the first start to `until`; `looks` the days on
    which a reading before the end was agreed. margin: how much worse a guardrail may get.
    """

    metric: str
    kind: Kind
    smallest: float
    until: date | None = None
    direction: Direction = Direction.HIGHER
    alpha: float = 0.05
    assignment: Assignment = Assignment.MANAGEMENT
    drawn: Drawn | None = None
    shares: tuple[float, ...] = ()
    headcount: Headcount = Headcount.DIRECTORY
    looks: tuple[date, ...] = ()
    incidents: tuple[Incident, ...] = ()
    unit_name: str = ""
    survey: Survey | None = None
    margin: float = 0.0
    smallest_relative: float | None = None

    def __post_init__(self) -> None:
        if not self.smallest > 0:
            raise ValueError("the smallest effect that matters must be above 0")
        if not 0 < self.alpha < 1:
            raise ValueError("alpha lies between 0 and 1")

    def facts(self) -> dict[str, Any]:
        """Everything in it, as canonical JSON knows it."""
        return asdict(self)

    def hash(self) -> str:
        """The fingerprint it is locked with."""
        return fingerprint(self.facts())
