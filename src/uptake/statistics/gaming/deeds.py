"""What people did in a window, as columns: the input of the detectors."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from uptake.statistics.distributions import Bools, Floats, Ints

DAY_SECONDS = 86_400.0


class What(IntEnum):
    """What a deed is to a detector."""

    CREATE = 0
    CANCEL = 1
    LOGIN = 2
    WORK = 3


@dataclass(frozen=True, slots=True, eq=False)
class Deeds:
    """Columns of n deeds of the p people of `role`; sorted by person and instant by `sorted_deeds`.

    person: (n,) 0..p-1; at: (n,) local seconds since any midnight; what: (n,) of `What`; object: (n,) what a cancel
    undoes; like: (n,) the same for the same item, partner and quantity. role: (p,); shift: (p, 2) hours from and to
    (to below from is over midnight).
    """

    person: Ints
    at: Floats
    what: Ints
    object: Ints
    like: Ints
    role: tuple[str, ...]
    shift: Floats

    @property
    def people(self) -> int:
        return len(self.role)


def sorted_deeds(deeds: Deeds) -> Deeds:
    order = np.lexsort((deeds.at, deeds.person))
    return Deeds(
        deeds.person[order],
        deeds.at[order],
        deeds.what[order],
        deeds.object[order],
        deeds.like[order],
        deeds.role,
        deeds.shift,
    )


def per_person(deeds: Deeds, chosen: Bools) -> Ints:
    """(p,) how many of the chosen deeds each did."""
    return np.bincount(deeds.person[chosen], minlength=deeds.people).astype(np.int64)


def role_medians(values: Floats, role: tuple[str, ...], known: Bools) -> Floats:
    """(p,) the median of each person's role, over people known; everybody's where a role has under 5."""
    names = np.asarray(role)
    whole = float(np.median(values[known])) if known.any() else 0.0
    medians = np.full(len(role), whole)
    for name in set(role):
        inside = (names == name) & known
        if inside.sum() >= 5:
            medians[names == name] = float(np.median(values[inside]))
    return medians


def robust_z(values: Floats, role: tuple[str, ...], known: Bools, least: float) -> Floats:
    """(p,) how many spreads (1.4826·MAD, at least `least`) above the median of one's role; 0 where not known."""
    middle = role_medians(values, role, known)
    spread = 1.4826 * role_medians(np.abs(values - middle), role, known)
    return np.where(known, (values - middle) / np.maximum(spread, least), 0.0)
