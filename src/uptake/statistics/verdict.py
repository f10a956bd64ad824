"""From estimate and checks to what may be said, for one metric and for the programme."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from uptake.statistics.estimate import Estimate, Relative
from uptake.statistics.multiplicity import benjamini_hochberg, holm
from uptake.statistics.result import Check, Grade, Light, Result, Verdict

LOWERING = frozenset({"HONEST", "LEAVE_ONE_OUT", "SPILLOVER", "PLACEBO_UNIT"})
"""Warnings that lower the wording by one step; all together by one, as each says the same: be careful."""

FLAT = 0.05
"""A business outcome whose relative interval lies inside ±5 % did not move."""


def judged(estimate: Estimate | None, checks: Sequence[Check], grade: Grade, smallest: float) -> tuple[Verdict, bool]:
    """The verdict, and whether the whole interval is large enough to matter. Always on the absolute scale."""
    if any(check.light is Light.STOP for check in checks) or grade is Grade.NONE:
        return Verdict.CANNOT_TELL, False
    if grade is Grade.D:
        return Verdict.DESCRIPTION, False
    if estimate is None or not estimate.usable:
        return Verdict.CANNOT_TELL, False
    if estimate.low > 0:
        return Verdict.INCREASE, estimate.low >= smallest
    if estimate.high < 0:
        return Verdict.DECREASE, estimate.high <= -smallest
    if -smallest < estimate.low and estimate.high < smallest:
        return Verdict.NO_MEANINGFUL_CHANGE, False
    return Verdict.CANNOT_TELL, False


def lowered(checks: Sequence[Check]) -> int:
    """Steps by which the wording is lowered: 0 or 1."""
    return int(any(check.code in LOWERING and check.light is Light.WARN for check in checks))


def always_valid(estimate: Estimate, scale: float, alpha: float = 0.05) -> tuple[float, float]:
    """An interval that may be looked at on any day (normal mixture of variance scale²), for interim readings."""
    if not estimate.usable or estimate.se <= 0:
        return -math.inf, math.inf
    variance, mixed = estimate.se**2, scale**2
    reach = math.sqrt(variance * (variance + mixed) / mixed * math.log((variance + mixed) / (variance * alpha**2)))
    return estimate.value - reach, estimate.value + reach


class Guardrail(StrEnum):
    """Did a guardrail hold: shown not worse than its margin, shown worse than it, or neither."""

    HELD = "held"
    BROKEN = "broken"
    OPEN = "open"


def guardrail(estimate: Estimate, margin: float, *, higher_is_better: bool) -> Guardrail:
    """One-sided at 5 %, not corrected: worse by less than `margin` (>= 0)."""
    low, high = estimate.interval(0.90)
    if not higher_is_better:
        low, high = -high, -low
    return Guardrail.HELD if low > -margin else Guardrail.BROKEN if high < -margin else Guardrail.OPEN


def adjusted(primary: Sequence[float], secondary: Sequence[float]) -> tuple[list[float], list[float]]:
    """p-values of the registered primary metrics by Holm, of all others by Benjamini-Hochberg."""
    return [float(p) for p in holm(primary)], [float(p) for p in benjamini_hochberg(secondary)]


class Overall(StrEnum):
    """What is said of a programme whose behaviour, outcome and gaming were all looked at."""

    WORKED = "worked"
    MOVED_ONLY = "moved_only"
    HARM = "harm"
    NO_EVIDENCE = "no_evidence"
    GAMED = "gamed"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True, slots=True)
class Programme:
    """`divergence`: the behaviour rose and the outcome behind it is shown not to have."""

    overall: Overall
    divergence: bool


def programme_verdict(
    behaviour: Result, outcome: Result | None, *, gaming_stop: bool, outcome_good_is_higher: bool = True
) -> Programme:
    """Behaviour x outcome x gaming. Without an outcome no programme is said to have worked."""
    if behaviour.verdict not in (Verdict.INCREASE, Verdict.DECREASE, Verdict.NO_MEANINGFUL_CHANGE):
        return Programme(Overall.CANNOT_TELL, False)
    if outcome is None or outcome.stops or outcome.estimate is None:
        return Programme(Overall.CANNOT_TELL if behaviour.verdict is Verdict.INCREASE else Overall.NO_EVIDENCE, False)
    worse, better = outcome.estimate.high < 0, outcome.estimate.low > 0
    if not outcome_good_is_higher:
        worse, better = better, worse
    divergence = behaviour.verdict is Verdict.INCREASE and (worse or flat(outcome.relative))
    if gaming_stop:
        return Programme(Overall.GAMED, divergence)
    if worse:
        return Programme(Overall.HARM, divergence)
    if behaviour.verdict is not Verdict.INCREASE:
        return Programme(Overall.NO_EVIDENCE, divergence)
    if better:
        return Programme(Overall.WORKED, divergence)
    known_flat = divergence or outcome.verdict is Verdict.NO_MEANINGFUL_CHANGE
    return Programme(Overall.MOVED_ONLY if known_flat else Overall.CANNOT_TELL, divergence)


def flat(relative: Relative | None) -> bool:
    return relative is not None and relative.low > -FLAT and relative.high < FLAT
