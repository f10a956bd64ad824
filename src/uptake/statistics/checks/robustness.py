"""Does the answer hang on one unit, on chance, on the first weeks, on one kind of people?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from uptake.statistics.distributions import Bools, chi_square_above
from uptake.statistics.estimate import Estimate, jackknifed
from uptake.statistics.imputation import Effect, Imputation
from uptake.statistics.multiplicity import holm
from uptake.statistics.panel import Panel
from uptake.statistics.permutation import Permuted, permuted_adoption
from uptake.statistics.result import Check, Light, Segment

HIDDEN_BELOW = 10
"""People; a smaller group is not shown."""

WORTH_REFITTING = 5
"""Units that move the estimate most, left out for good with a jackknife of their own."""

EARLY, LATE_FROM, LATE = 28, 56, 28


def placebo_unit(
    panel: Panel, effect: Estimate, draws: int, told: Callable[[int, int], None] | None = None
) -> tuple[Check, Permuted]:
    """Dates of beginning dealt out anew: chance above 10 % beside an interval without 0 warns."""
    found = permuted_adoption(panel, draws=draws, seed=0, told=told)
    warn = found.p > 0.10 and effect.usable and effect.excludes_zero
    facts = {"draws": len(found.draws), "floor": found.floor}
    return Check("PLACEBO_UNIT", Light.WARN if warn else Light.PASS, found.p, facts), found


def leave_one_out(panel: Panel, effect: Effect) -> tuple[Check, tuple[tuple[str, float], ...]]:
    """Sign or significance that flips when one unit is dropped. The list is every unit's leave-one-out estimate."""
    names = tuple(panel.units[row] for row in effect.rows)
    strip = tuple((name, float(value)) for name, value in zip(names, effect.without, strict=True))
    whole = effect.estimate
    if not whole.usable:
        return Check("LEAVE_ONE_OUT", Light.WARN, None), strip
    flips = [name for name, value in strip if np.sign(value) != np.sign(whole.value) and whole.excludes_zero]
    if whole.excludes_zero and not flips:
        towards = (effect.without - whole.value) * -np.sign(whole.value)
        for index in np.argsort(-towards, kind="stable")[:WORTH_REFITTING]:
            if towards[index] <= 0:
                break
            kept = np.arange(len(panel.units)) != effect.rows[index]
            again = Imputation(panel.keep(kept)).average().estimate
            if not (again.usable and again.excludes_zero):
                flips.append(names[index])
    furthest = float(np.max(np.abs(effect.without - whole.value)))
    facts = {"units": tuple(flips)}
    return Check("LEAVE_ONE_OUT", Light.WARN if flips else Light.PASS, furthest, facts), strip


def novelty(panel: Panel, fit: Imputation) -> tuple[Check, Effect | None]:
    """Does it wear off: days 0-27 against the last 28 days (from day 56), the same units, one-sided.

    Also the late effect, which then is the headline.
    """
    lasted = panel.never - panel.adopted
    enough: Bools = np.asarray(panel.ever & (lasted * panel.step >= LATE_FROM + LATE))
    if np.count_nonzero(enough) < 2:
        return Check("NOVELTY_DECAY", Light.PASS, None, {"units": int(np.count_nonzero(enough))}), None
    since = panel.since * panel.step
    early = (since >= 0) & (since < EARLY) & enough[:, None]
    last = np.arange(panel.never)[None, :] >= panel.never - LATE // panel.step
    late = last & (since >= LATE_FROM) & enough[:, None]
    # The same units in both windows: late days may have lost their controls for some.
    both: Bools = np.asarray((fit.used & early).any(axis=1) & (fit.used & late).any(axis=1))
    first = fit.average((early & both[:, None]).astype(np.float64))
    second = fit.average((late & both[:, None]).astype(np.float64))
    if not first.units or not second.units:
        return Check("NOVELTY_DECAY", Light.PASS, None, {"units": 0}), None
    sign = 1.0 if first.estimate.value >= 0 else -1.0
    drop = jackknifed(sign * (first.estimate.value - second.estimate.value), sign * (first.without - second.without))
    one_sided = drop.p / 2 if drop.value > 0 else 1 - drop.p / 2
    facts = {"early": first.estimate.value, "late": second.estimate.value, "drop": drop.value, "units": first.units}
    if drop.usable and one_sided < 0.05:
        return Check("NOVELTY_DECAY", Light.WARN, one_sided, facts), second
    return Check("NOVELTY_DECAY", Light.PASS, one_sided if drop.usable else None, facts), None


def heterogeneity(panel: Panel) -> tuple[Check, tuple[Segment, ...]]:
    """One fit for each role and each third of units by size; p by Holm, and one test that they differ at all.

    Groups under 10 people are left out, and units without a role where roles are compared.
    """
    segments: list[Segment] = []
    smallest_p = 1.0
    heads = np.where(panel.known, panel.headcount, 0.0).max(axis=1)
    thirds = np.quantile(heads, (1 / 3, 2 / 3)) if len(heads) else (0, 0)
    size = np.where(heads <= thirds[0], "small", np.where(heads <= thirds[1], "middle", "large"))
    for kind, words in (("role", panel.role), ("size", tuple(map(str, size)))):
        found: list[tuple[str, Estimate, int, float]] = []
        for name in sorted(set(words)):
            rows = np.array([word == name for word in words])
            people = float(heads[rows].sum())
            if not name or people < HIDDEN_BELOW or not (rows & panel.ever).sum() >= 2 <= (rows & ~panel.ever).sum():
                continue
            estimate = Imputation(panel.keep(rows)).average().estimate
            if estimate.usable and estimate.se > 0:
                found.append((name, estimate, int(rows.sum()), people))
        if len(found) < 2:
            continue
        adjusted = holm([one.p for _, one, _, _ in found])
        values = np.array([one.value for _, one, _, _ in found])
        weights = np.array([1 / one.se**2 for _, one, _, _ in found])
        middle = float(weights @ values / weights.sum())
        smallest_p = min(smallest_p, chi_square_above(float(weights @ (values - middle) ** 2), len(found) - 1))
        segments += [
            Segment(kind, name, estimate, float(p), units, people)
            for (name, estimate, units, people), p in zip(found, adjusted, strict=True)
        ]
    kinds = len({one.kind for one in segments})
    p = min(smallest_p * max(kinds, 1), 1.0)
    facts = {"groups": len(segments)}
    return Check("HETEROGENEITY", Light.WARN if segments and p < 0.05 else Light.PASS, p, facts), tuple(segments)
