"""What became of a seat: issued, invited, activated, of value, a habit, silent, or not to be told. Pure values.

A seat is *activated* by its holder's first activity in the product, *of value* from the first core action, a *habit*
while there is activity in so many of the last weeks. It is *silent* when more than ten working days of the company and
three times the holder's own median gap between active days have passed. Where the source of the company is down,
nobody is called silent and nobody unused: these seats cannot be told. Rates leave out what is too young to judge and
what cannot be told; both stand beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum

from uptake.activity.waits import days_to, median_wait, too_young

LEAST_WORKING_DAYS = 10
TIMES_MEDIAN_GAP = 3


class State(Enum):
    """Where a seat stands; the first that holds from the end."""

    ISSUED = "issued"
    INVITED = "invited"
    ACTIVATED = "activated"
    VALUE = "value"
    HABITUAL = "habitual"
    SILENT = "silent"
    UNTOLD = "untold"


@dataclass(frozen=True, slots=True)
class Held:
    """A seat as it was given, and what its holder did with the product (None: nothing yet)."""

    issued: date
    invited: date | None
    first: date | None
    value: date | None
    last: date | None
    gap: float | None
    """Median days between active days."""
    weeks: int
    """Active ones of the last weeks."""


@dataclass(frozen=True, slots=True)
class Terms:
    """By what a product's seats are judged on a date."""

    today: date
    judged_after_days: int
    habitual_weeks: int


@dataclass(frozen=True, slots=True)
class Judged:
    """A seat with its state."""

    held: Held
    state: State
    young: bool
    """Issued so lately that it says nothing yet."""
    days_to_activate: int | None
    """None: not activated. Who used the product before the seat was issued took 0 days."""
    in_time: bool
    """Activated within the days after which a seat is judged."""

    @property
    def activated(self) -> bool:
        return self.held.first is not None

    @property
    def counts(self) -> bool:
        """Whether rates count it."""
        return not self.young and self.state != State.UNTOLD


def judge(held: Held, terms: Terms, *, down: bool, worked_since: Callable[[date], int]) -> Judged:
    """The state of a seat today. `down`: no data came in; `worked_since`: working days after a date, today included."""
    took = None if held.first is None else days_to(held.issued, held.first)
    state = _state(held, terms, down, worked_since)
    return Judged(
        held,
        state,
        young=too_young(held.issued, terms.today, terms.judged_after_days),
        days_to_activate=took,
        in_time=took is not None and took <= terms.judged_after_days,
    )


def _state(held: Held, terms: Terms, down: bool, worked_since: Callable[[date], int]) -> State:
    if held.first is None or held.last is None:
        if down:
            return State.UNTOLD
        return State.INVITED if held.invited is not None else State.ISSUED
    if _silent(held.last, held.gap, terms.today, worked_since):
        return State.UNTOLD if down else State.SILENT
    if held.weeks >= terms.habitual_weeks:
        return State.HABITUAL
    return State.VALUE if held.value is not None else State.ACTIVATED


def _silent(last: date, gap: float | None, today: date, worked_since: Callable[[date], int]) -> bool:
    return worked_since(last) > LEAST_WORKING_DAYS and (today - last).days > TIMES_MEDIAN_GAP * (gap or 0)


@dataclass(frozen=True)
class Tally:
    """Many seats together."""

    seats: int
    untold: int
    young: int
    """Too young to judge, and told."""
    judged: int
    """What rates are of: neither young nor untold."""
    invited: int
    """Of all seats; who is in was let in, so the activated are among them."""
    activated: int
    value: int
    habitual: int
    silent: int
    judged_activated: int
    """Of the judged: ever activated."""
    judged_value: int
    judged_habitual: int
    judged_silent: int
    in_time: int
    """Of the judged: activated within the days after which a seat is judged."""
    median_days: float | None
    """Half of the seats were activated within so many days of their issue (Kaplan-Meier); None: not yet half."""

    @property
    def rate(self) -> float | None:
        """Of the judged seats, the share that came to life in time."""
        return self.in_time / self.judged if self.judged else None

    @property
    def never(self) -> int:
        """Judged seats that nobody ever used."""
        return self.judged - self.judged_activated


def tally(seats: Iterable[Judged], today: date) -> Tally:
    """The counts of seats."""
    several = list(seats)
    judged = [one for one in several if one.counts]

    def of_value(one: Judged) -> bool:
        return one.held.value is not None

    def state(among: Sequence[Judged], wanted: State) -> int:
        return sum(one.state == wanted for one in among)

    return Tally(
        seats=len(several),
        untold=state(several, State.UNTOLD),
        young=sum(one.young and one.state != State.UNTOLD for one in several),
        judged=len(judged),
        invited=sum(one.activated or one.held.invited is not None for one in several),
        activated=sum(one.activated for one in several),
        value=sum(of_value(one) for one in several),
        habitual=state(several, State.HABITUAL),
        silent=state(several, State.SILENT),
        judged_activated=sum(one.activated for one in judged),
        judged_value=sum(of_value(one) for one in judged),
        judged_habitual=state(judged, State.HABITUAL),
        judged_silent=state(judged, State.SILENT),
        in_time=sum(one.in_time for one in judged),
        median_days=median_wait(
            (one.days_to_activate, True)
            if one.days_to_activate is not None
            else ((today - one.held.issued).days, False)
            for one in several
            if one.activated or one.state != State.UNTOLD
        ),
    )
