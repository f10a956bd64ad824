"""The values that the parts in `templates/parts/` show: figures, changes, charts, pages of a list."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext

from uptake.web import numbers

Text = str | Promise
Format = Literal["number", "share", "decimal"]


@dataclass(frozen=True)
class Change:
    """A change beside a figure: `text` is already written ("+4.2%", "−4.4 pp"), `base` says of what.

    `up` is the direction, `good` what it means; None stands for neither.
    """

    text: str
    base: Text = ""
    up: bool | None = None
    good: bool | None = None

    @property
    def glyph(self) -> str:
        return {True: "▲", False: "▼", None: "■"}[self.up]

    @property
    def tone(self) -> str:
        return {True: "up", False: "dn", None: "eq"}[self.good]


@dataclass(frozen=True)
class Kpi:
    """One figure of a strip of four to six. `figure` is already written; `note` stands where there is no change."""

    label: Text
    figure: str
    unit: Text = ""
    change: Change | None = None
    note: Text = ""
    hint: Text = ""
    """The formula in words, shown on asking."""
    spark: Sequence[float | None] = ()
    href: str = ""
    key: str = ""
    """Names the figure for the script that repaints it (`data-figure`)."""


@dataclass(frozen=True)
class Series:
    """One row of numbers of a chart, None where there is none."""

    name: str
    values: Sequence[float | None]
    shape: Literal["bar", "line", "tick", "dash", "stack", "dot", "along"] = "bar"
    """A stack's series stand upon each other, and those `below` hang under the axis. `along` is not drawn: it says
    where the dots of the other series stand from left to right, which then is an axis of numbers. It comes last."""
    tone: str = "c1"
    """A chart token: c1 … c6."""
    pale: Sequence[int] = ()
    """Positions drawn pale: weekends and holidays."""
    open: Sequence[int] = ()
    """Positions drawn dashed: periods that are not over."""
    unit: str = ""
    below: bool = False
    """Of a stack: drawn downwards; the values themselves stay positive."""
    low: Sequence[float | None] = ()
    high: Sequence[float | None] = ()
    """The ends of an interval around each value: a pale band along a line, whiskers at dots. Empty: there is none."""


@dataclass(frozen=True)
class Shade:
    """A stretch of the axis from one position to another, with its name (a public holiday)."""

    start: int
    end: int
    label: str


@dataclass(frozen=True)
class Mark:
    """A dotted line at a position of the axis (a new rule version)."""

    at: int
    label: str


@dataclass(frozen=True)
class Level:
    """A dashed line at a number (the mean, the smallest that matters)."""

    at: float
    label: str
    tone: str = "c6"


@dataclass(frozen=True)
class Chart:
    """A chart on one axis, described by values; `static/app/uptake.js` draws it, the template writes the same as table.

    `labels` are written dates or names; `label` says in words what is drawn (for those who do not see it).
    """

    id: str
    label: Text
    labels: Sequence[str]
    series: Sequence[Series]
    shades: Sequence[Shade] = ()
    marks: Sequence[Mark] = ()
    format: Format = "number"
    height: Literal["low", "middle", "high"] = "middle"
    axis: Text = ""
    """The heading of the first column of the table."""
    lying: bool = False
    """Bars lie: names on the left, numbers to the right."""
    links: Sequence[str] = field(default=())
    """An address per position: a click on a bar opens it; the table carries the same links."""
    levels: Sequence[Level] = ()

    def as_json(self) -> str:
        """What the script reads. Safe inside a script element: no `<` is left as it is."""
        found: dict[str, Any] = asdict(self)
        found["label"], found["axis"] = str(self.label), str(self.axis)
        return json.dumps(found, ensure_ascii=False).replace("<", "\\u003c").replace("&", "\\u0026")

    @property
    def columns(self) -> list[str]:
        """The heads of the table's numbers: one for each series, and for each end of its interval."""
        heads: list[str] = []
        for series in self.series:
            heads.append(series.name)
            heads += [gettext("Low end"), gettext("High end")] if series.low else []
        return heads

    def rows(self) -> list[tuple[str, str, list[str]]]:
        """The table: label, address, written numbers in the order of `columns`."""
        kept = [values for series in self.series for values in (series.values, series.low, series.high) if values]
        return [
            (label, self.links[i] if self.links else "", [self._written(values[i]) for values in kept])
            for i, label in enumerate(self.labels)
        ]

    def _written(self, value: float | None) -> str:
        if self.format == "share":
            return numbers.share(value)
        return numbers.full(value, 1 if self.format == "decimal" else 0)


def sparkline(values: Sequence[float | None], width: int = 72, height: int = 20) -> tuple[str, str, str, str]:
    """(line path, area path, x and y of the last point) of a small line in a box of `width` × `height` px.

    Values are spread evenly, the smallest at the bottom; a gap (None) is stepped over. Values that are all alike stand
    in the middle, nothing but zeros at the bottom.
    """
    known = [(i, float(value)) for i, value in enumerate(values) if value is not None]
    if len(known) < 2:
        return "", "", "", ""
    low, high = min(value for _, value in known), max(value for _, value in known)
    span = high - low
    across = _across(len(values), width)
    alike = height / 2 if high else height - 3
    down = [f"{height - 3 - (value - low) / span * (height - 6) if span else alike:.1f}" for _, value in known]
    line = "M" + "L".join([f"{across[i]} {y}" for (i, _), y in zip(known, down, strict=True)])
    first, last = across[known[0][0]], across[known[-1][0]]
    return line, f"{line}L{last} {height}L{first} {height}Z", last, down[-1]


@lru_cache(maxsize=100)
def _across(count: int, width: int) -> tuple[str, ...]:
    """Where the points of a small line stand from left to right."""
    step = (width - 4) / (count - 1)
    return tuple(f"{2 + i * step:.1f}" for i in range(count))


@dataclass(frozen=True)
class Node:
    """A place of a Sankey diagram: `step` is its column, from 0."""

    id: str
    name: str
    step: int
    value: int
    tone: str = "c1"
    """A chart token; c6 for leaving."""
    href: str = ""


@dataclass(frozen=True)
class Link:
    """How many go from one place to another."""

    source: str
    target: str
    value: int
    href: str = ""


@dataclass(frozen=True)
class Sankey:
    """Ways from step to step; `static/app/uptake.js` draws it. The page's table holds the same figures."""

    id: str
    label: Text
    nodes: Sequence[Node]
    links: Sequence[Link]
    heads: Sequence[str]
    """One for each column."""
    total: int
    """What all shares are of."""

    def as_json(self) -> str:
        """What the script reads. Safe inside a script element: no `<` is left as it is."""
        found: dict[str, Any] = asdict(self) | {"kind": "sankey", "label": str(self.label)}
        return json.dumps(found, ensure_ascii=False).replace("<", "\\u003c").replace("&", "\\u0026")
