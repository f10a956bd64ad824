"""A panel: what was measured of each unit (a department, a company, an action) on each day, and when each unit began.

Missing cells are NaN and stay missing; they are never 0 unless the metric says that absent means none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uptake.statistics.distributions import Bools, Floats, Ints

Days = NDArray[np.datetime64]
WEEK = 7


class PanelRefused(ValueError):
    """A table that is no panel: two rows of one unit and day, a negative denominator, no row at all."""


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """`J` units in rows, `T` consecutive days (or whole weeks) in columns.

    outcome: (J, T), a share between 0 and 1 for rates, otherwise in the metric's unit; NaN where nothing is known.
    headcount: (J, T), people (the weight of the average person); never 0 where the outcome is known.
    adopted: (J,), the column in which a unit began; `never` (= T) where it did not, in this panel.
    numerator, denominator: (J, T) of a rate or ratio, or None where only the value is known.
    company, role, region: a word for each unit, or empty.
    """

    units: tuple[str, ...]
    days: Days
    outcome: Floats
    headcount: Floats
    adopted: Ints
    intended: Ints | None = None
    numerator: Floats | None = None
    denominator: Floats | None = None
    company: tuple[str, ...] = ()
    role: tuple[str, ...] = ()
    region: tuple[str, ...] = ()
    step: int = field(default=1)

    def __post_init__(self) -> None:
        shape = (len(self.units), len(self.days))
        for name in ("outcome", "headcount", "numerator", "denominator"):
            part = getattr(self, name)
            if part is not None and part.shape != shape:
                raise PanelRefused(f"{name} is {part.shape}, the panel {shape}")
        if self.adopted.shape != shape[:1]:
            raise PanelRefused("adopted needs one column for each unit")
        for words in (self.company, self.role, self.region):
            if words and len(words) != shape[0]:
                raise PanelRefused("company, role and region need one word for each unit")

    @property
    def never(self) -> int:
        return len(self.days)

    @property
    def known(self) -> Bools:
        return np.isfinite(self.outcome)

    @property
    def under(self) -> Bools:
        """(J, T): the unit had begun by that day."""
        return np.arange(self.never)[None, :] >= self.adopted[:, None]

    @property
    def ever(self) -> Bools:
        return np.asarray(self.adopted < self.never, dtype=np.bool_)

    @property
    def since(self) -> Ints:
        """(J, T): days since the unit began; negative before. Units that never began count from `never`."""
        return np.asarray(np.arange(self.never)[None, :] - self.adopted[:, None], dtype=np.int64)

    @property
    def first(self) -> int:
        """The column in which the first unit began; `never` where none did."""
        return int(self.adopted.min(initial=self.never))

    def keep(self, chosen: Bools | Ints) -> Panel:
        """The same panel with these units only."""
        rows = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else chosen

        def words(all_: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(all_[row] for row in rows) if all_ else ()

        return replace(
            self,
            units=words(self.units),
            outcome=self.outcome[rows],
            headcount=self.headcount[rows],
            adopted=self.adopted[rows],
            intended=None if self.intended is None else self.intended[rows],
            numerator=None if self.numerator is None else self.numerator[rows],
            denominator=None if self.denominator is None else self.denominator[rows],
            company=words(self.company),
            role=words(self.role),
            region=words(self.region),
        )

    def blank(self, cells: Bools) -> Panel:
        """The same panel with these cells unknown."""
        return replace(self, outcome=np.where(cells, np.nan, self.outcome))

    def between(self, start: int, end: int) -> Panel:
        """Columns start to end (exclusive); who begins after them has never begun."""
        adopted = np.where(self.adopted >= end, end, np.maximum(self.adopted, start)) - start
        return replace(
            self,
            days=self.days[start:end],
            outcome=self.outcome[:, start:end],
            headcount=self.headcount[:, start:end],
            adopted=adopted.astype(np.int64),
            intended=None,
            numerator=None if self.numerator is None else self.numerator[:, start:end],
            denominator=None if self.denominator is None else self.denominator[:, start:end],
        )

    def beginning(self, adopted: Ints) -> Panel:
        """The same measurements with other dates of beginning."""
        return replace(self, adopted=np.asarray(adopted, dtype=np.int64))

    def weekly(self) -> Panel:
        """Whole weeks from Monday; the week in which a unit began is left out for that unit, as it is half of each."""
        weekday = (self.days.astype("datetime64[D]").astype(np.int64) + 3) % WEEK
        lead = int(-weekday[0] % WEEK)
        weeks = (self.never - lead) // WEEK
        if weeks < 1:
            raise PanelRefused("the panel has no whole week")
        shape = (len(self.units), weeks, WEEK)

        def folded(part: Floats) -> Floats:
            return part[:, lead : lead + weeks * WEEK].reshape(shape)

        values, people = folded(self.outcome), folded(self.headcount)
        known = np.isfinite(values)
        enough = known.any(axis=2)
        heads = np.where(enough, np.where(known, people, 0).sum(axis=2) / np.maximum(known.sum(axis=2), 1), 0.0)
        weight = np.where(known, np.nan_to_num(people), 0.0)
        total = weight.sum(axis=2)
        mean = np.where(known, values * weight, 0.0).sum(axis=2) / np.where(total > 0, total, 1)
        outcome = np.where(enough & (total > 0), mean, np.nan)
        begun = np.where(self.ever, (self.adopted - lead) // WEEK, weeks)
        inside = (begun >= 0) & (begun < weeks)
        outcome[np.flatnonzero(inside), begun[inside]] = np.nan
        adopted = np.where(self.ever, np.clip(begun + 1, 0, weeks), weeks).astype(np.int64)
        numerator = None if self.numerator is None else np.nansum(folded(self.numerator), axis=2)
        denominator = None if self.denominator is None else np.nansum(folded(self.denominator), axis=2)
        return replace(
            self,
            days=self.days[lead : lead + weeks * WEEK : WEEK],
            outcome=outcome,
            headcount=heads,
            adopted=adopted,
            intended=None,
            numerator=numerator,
            denominator=denominator,
            step=WEEK,
        )

    def sha(self) -> str:
        """SHA-256 of everything in it, as 64 hexadecimal digits: what a result says it was made from."""
        told = hashlib.sha256()
        for words in (self.units, self.company, self.role, self.region):
            told.update("\x1f".join(words).encode() + b"\x1e")
        told.update(self.days.astype("datetime64[D]").astype("<i8").tobytes())
        told.update(self.adopted.astype("<i8").tobytes())
        for part in (self.outcome, self.headcount, self.numerator, self.denominator):
            clean = np.zeros(0) if part is None else np.where(np.isfinite(part), part, np.nan) + 0.0
            told.update(clean.astype("<f8").tobytes() + b"\x1e")
        return told.hexdigest()


def panel_of(
    table: Any,
    adoption: Mapping[str, date | None],
    *,
    intended: Mapping[str, date | None] | None = None,
    zero_if_absent: bool = False,
) -> Panel:
    """A panel from one row per unit and day: a mapping of columns, a pandas frame or an Arrow table.

    Columns `unit`, `day`, and `value` or `numerator` and `denominator`; optional `headcount` (else the denominator,
    else 1), `company`, `role`, `region`. A unit not in `adoption`, or with None, never began.
    PanelRefused where two rows tell of one unit and day.
    """
    columns = _columns(table)
    if not len(columns["unit"]):
        raise PanelRefused("the table has no row")
    names = np.asarray(columns["unit"]).astype(str)
    units, row = np.unique(names, return_inverse=True)
    when = np.asarray(columns["day"]).astype("datetime64[D]")
    days = np.arange(when.min(), when.max() + np.timedelta64(1, "D"))
    column = (when - days[0]).astype(np.int64)
    cell = row * len(days) + column
    if len(np.unique(cell)) < len(cell):
        raise PanelRefused("two rows tell of one unit and day")
    shape = (len(units), len(days))

    def grid(name: str, empty: float) -> Floats:
        filled = np.full(shape[0] * shape[1], empty)
        filled[cell] = np.asarray(columns[name], dtype=np.float64)
        return filled.reshape(shape)

    def words(name: str) -> tuple[str, ...]:
        if name not in columns:
            return ()
        told = np.asarray(columns[name]).astype(str)
        first = np.zeros(len(units), dtype=np.int64)
        first[row[::-1]] = np.arange(len(row))[::-1]
        return tuple(str(told[index]) for index in first)

    numerator = denominator = None
    if "numerator" in columns:
        numerator, denominator = grid("numerator", np.nan), grid("denominator", np.nan)
        if (denominator < 0).any():
            raise PanelRefused("a denominator is negative")
        with np.errstate(invalid="ignore", divide="ignore"):
            outcome = np.where(denominator > 0, numerator / denominator, np.nan)
    else:
        outcome = grid("value", np.nan)
    if zero_if_absent:
        outcome = np.where(np.isnan(outcome), 0.0, outcome)
    if "headcount" in columns:
        headcount = _filled(grid("headcount", np.nan))
    elif denominator is not None:
        headcount = _filled(denominator)
    else:
        headcount = np.ones(shape)
    return Panel(
        units=tuple(map(str, units)),
        days=days,
        outcome=outcome,
        headcount=headcount,
        adopted=_begun(units.tolist(), days, adoption),
        intended=None if intended is None else _begun(units.tolist(), days, intended),
        numerator=numerator,
        denominator=denominator,
        company=words("company"),
        role=words("role"),
        region=words("region"),
    )


def _begun(units: Sequence[str], days: Days, adoption: Mapping[str, date | None]) -> Ints:
    never = len(days)
    begun = np.full(len(units), never, dtype=np.int64)
    for row, unit in enumerate(units):
        when = adoption.get(unit)
        if when is not None:
            begun[row] = int(np.clip((np.datetime64(when, "D") - days[0]).astype(np.int64), 0, never))
    return begun


def _filled(heads: Floats) -> Floats:
    """Headcounts with gaps filled by the unit's mean: a day not measured is not a day without people."""
    with np.errstate(invalid="ignore"):
        known = np.isfinite(heads)
        mean = np.where(known, heads, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return np.where(known, heads, mean[:, None])


def _columns(table: Any) -> dict[str, Any]:
    if isinstance(table, Mapping):
        return {str(name): np.asarray(_listed(values)) for name, values in table.items()}
    names: Iterable[Any] = table.column_names if hasattr(table, "column_names") else table.columns
    return {
        str(name): table[name].to_numpy(zero_copy_only=False) if _arrow(table[name]) else table[name].to_numpy()
        for name in names
    }


def _arrow(column: Any) -> bool:
    return type(column).__module__.startswith("pyarrow")


def _listed(values: Any) -> Any:
    return values if hasattr(values, "__array__") else list(values)
