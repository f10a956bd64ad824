"""How long it takes until something given is used, and what is too young to say: one rule for folds and pages. Pure.

A seat is *too young* while fewer days have passed since its issue than it is given to come to life; rates leave it out
and name it beside. It took as many days to be activated as lie between its issue and its holder's first use; who used
the product before took none.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date


def too_young(issued: date, on: date, judged_after_days: int) -> bool:
    """Whether a seat issued on a date says nothing yet on another."""
    return (on - issued).days < judged_after_days


def days_to(issued: date, first: date) -> int:
    """Days from the issue to the first use; 0 for use before it."""
    return max(0, (first - issued).days)


def median_wait(waits: Iterable[tuple[int, bool]]) -> float | None:
    """The Kaplan-Meier median of (days, whether it happened then; else it had not happened by then).

    None while less than half are sure to have happened. On a day on which both are, what happened goes first.
    """
    left = sorted(waits, key=lambda wait: (wait[0], not wait[1]))
    share, at_risk = 1.0, len(left)
    for place, (days, happened) in enumerate(left):
        if happened:
            share *= 1 - 1 / (at_risk - place)
            last_of_day = place + 1 == len(left) or left[place + 1] != (days, True)
            if last_of_day and share <= 0.5 + 1e-9:
                return float(days)
    return None
