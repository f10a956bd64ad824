"""What can be measured of departments: how it is counted, what it is divided by, and in which unit it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from uptake.statistics.plan import Kind

VERSION = 1
"""Of the definitions below: raised whenever one of them comes to mean something else. It stands in every registration
that names a measure."""


LONGEST_FACT = 100


class Measure(StrEnum):
    """How events of a department's day become a number.

    SHARE: people with such an event, of everybody the directory has there. PER_HEAD: such events for each of them.
    RATIO: such events for each `of` event; days without one are unknown. HOURS: from the first `of` event of an object
    to the last such event of it, counted where and when it ended. YES: of such events that tell the fact `of`, those
    of which it is true; NO: those of which it is false; MEAN: the mean of the numbers they tell as `of`. FAILED: of all
    that counts as activity but page views, what says by its name that it failed. SERIES: what files say of the
    department that day; `of` is the number of the series.
    """

    SHARE = "share"
    PER_HEAD = "per_head"
    RATIO = "ratio"
    HOURS = "hours"
    YES = "yes"
    NO = "no"
    MEAN = "mean"
    FAILED = "failed"
    SERIES = "series"


KINDS = {
    Measure.SHARE: Kind.RATE,
    Measure.PER_HEAD: Kind.MEAN,
    Measure.RATIO: Kind.RATIO,
    Measure.HOURS: Kind.MEAN,
    Measure.YES: Kind.RATE,
    Measure.NO: Kind.RATE,
    Measure.MEAN: Kind.MEAN,
    Measure.FAILED: Kind.RATE,
    Measure.SERIES: Kind.MEAN,
}
OF_PEOPLE = frozenset({Measure.SHARE, Measure.PER_HEAD})
"""What can be told of everybody drawn. All else is known of those alone who did something, and they were not drawn."""
PAGE_VIEW = "$pageview"
FAILING = ("failed", "failure", "error")
"""A name that ends so says that something failed."""


def says_failed(name: str) -> bool:
    return name.replace(".", "_").rpartition("_")[2] in FAILING


@dataclass(frozen=True)
class Metric:
    """`event`: the name of what is counted; empty: any that counts as activity. `of`: the other event or the fact."""

    event: str = ""
    measure: Measure = Measure.SHARE
    of: str = ""
    named: str = ""
    """The ready-made metric (see `named`) it was chosen as; empty: declared by whoever registered it."""

    @property
    def kind(self) -> Kind:
        return KINDS[self.measure]

    @property
    def needs_two(self) -> bool:
        return self.measure in (Measure.RATIO, Measure.HOURS)

    @property
    def of_fact(self) -> bool:
        return self.measure in (Measure.YES, Measure.NO, Measure.MEAN)

    @property
    def events(self) -> tuple[str, ...]:
        """The events that are named."""
        return tuple(filter(None, (self.event, self.of if self.needs_two else "")))

    @property
    def sensible(self) -> bool:
        """Two events that differ, or a fact, are named where they are needed; only a share may be of any activity."""
        if self.needs_two:
            return bool(self.event and self.of) and self.event != self.of
        if self.measure is Measure.SERIES:
            return not self.event and self.of.isdigit()
        if self.measure is Measure.FAILED:
            return not self.event and not self.of
        if self.of_fact:
            return bool(self.event) and 0 < len(self.of) <= LONGEST_FACT
        return not self.of and (self.measure is Measure.SHARE or bool(self.event))

    def facts(self) -> dict[str, Any]:
        """What a registration holds of it; a plain share is told as it always was."""
        named = {"named": self.named} if self.named else {}
        if self.measure is Measure.SHARE:
            return {"event": self.event, **named}
        return {"event": self.event, "measure": self.measure.value, "of": self.of, "version": VERSION, **named}


def metric_of(told: Mapping[str, Any]) -> Metric:
    """The metric a registration holds."""
    return Metric(told["event"], Measure(told.get("measure", Measure.SHARE)), told.get("of", ""), told.get("named", ""))
