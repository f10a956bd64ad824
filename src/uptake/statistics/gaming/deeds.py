"""What people did in a window, as columns: the input of the detectors."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from uptake.statistics.distributions import Bools, Floats, Ints

DAY_SECONDS = 86_400.0
USUAL_DAYS, USUAL_ONE_IN = 3, 6
USUAL_PEOPLE, USUAL_SHARE = 3, 0.2
SMALL_ROLE = 5


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
    undoes; like: (n,) the same for the same item, partner and quantity. role: (p,); usual: (p, 24) the hours of the
    day in which each ordinarily works, by a schedule (`scheduled_hours`) or by what colleagues do (`usual_hours`).
    """

    person: Ints
    at: Floats
    what: Ints
    object: Ints
    like: Ints
    role: tuple[str, ...]
    usual: Bools

    @property
    def people(self) -> int:
        return len(self.role)


def sorted_deeds(deeds: Deeds) -> Deeds:
    return in_order(deeds, np.lexsort((deeds.at, deeds.person)))


def in_order(deeds: Deeds, order: Ints) -> Deeds:
    """The deeds at these places, in this order. order: (k,)."""
    return Deeds(
        deeds.person[order],
        deeds.at[order],
        deeds.what[order],
        deeds.object[order],
        deeds.like[order],
        deeds.role,
        deeds.usual,
    )


def scheduled_hours(shift: Floats) -> Bools:
    """(p, 24) the hours that shifts touch. shift: (p, 2) hours from and to; to below from is over midnight."""
    hour = np.arange(24)
    begins, ends = np.floor(shift[:, :1]), np.ceil(shift[:, 1:])
    over = shift[:, 1:] < shift[:, :1]
    return np.where(over, (hour >= begins) | (hour < ends), (hour >= begins) & (hour < ends))


def often_hours(person: Ints, at: Floats, people: int) -> Bools:
    """(p, 24) the hours in which each of p people was at work on a sixth of their days, at least on three."""
    day, hour = (at // DAY_SECONDS).astype(np.int64), ((at % DAY_SECONDS) // 3600).astype(np.int64)
    first = int(day.min()) if len(day) else 0
    span = int(day.max()) - first + 1 if len(day) else 1
    seen = np.unique((person * 24 + hour) * span + day - first) // span
    days = np.bincount(seen, minlength=people * 24).reshape(people, 24)
    worked = np.bincount(np.unique(person * span + day - first) // span, minlength=people)
    return np.asarray(days >= np.maximum(USUAL_DAYS, worked / USUAL_ONE_IN)[:, None])


def beside(hours: Bools) -> Bools:
    """(p, 24) the hours and those next to them, for who comes early or leaves late."""
    return np.asarray(hours | np.roll(hours, 1, axis=-1) | np.roll(hours, -1, axis=-1))


def usual_hours(deeds: Deeds) -> Bools:
    """(p, 24) the hours in which the role ordinarily works, where no schedule is known.

    An hour that is often one of a fifth of the role's people (at least of three), and those beside it. Under five
    people of a role everybody's hold.
    """
    often = often_hours(deeds.person, deeds.at, deeds.people)
    present = np.bincount(deeds.person, minlength=deeds.people) > 0
    names = np.asarray(deeds.role)
    usual = np.zeros((deeds.people, 24), dtype=np.bool_)
    for name in set(deeds.role):
        inside = (names == name) & present
        if inside.sum() < SMALL_ROLE:
            inside = present
        usual[names == name] = beside(often[inside].sum(axis=0) >= max(float(USUAL_PEOPLE), USUAL_SHARE * inside.sum()))
    return usual


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
        if inside.sum() >= SMALL_ROLE:
            medians[names == name] = float(np.median(values[inside]))
    return medians


def robust_z(values: Floats, role: tuple[str, ...], known: Bools, least: float) -> Floats:
    """(p,) how many spreads (1.4826·MAD, at least `least`) above the median of one's role; 0 where not known."""
    middle = role_medians(values, role, known)
    spread = 1.4826 * role_medians(np.abs(values - middle), role, known)
    return np.where(known, (values - middle) / np.maximum(spread, least), 0.0)
