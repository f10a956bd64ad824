"""What the detectors of single people find in a company's window, and the events it rests on.

Shifts are not known: odd hours are those in which neither the role now nor the person before was at work.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from uptake.insight.gaming.told import APPROVALS, Told, amount, facts_of
from uptake.statistics.distributions import Floats, Ints
from uptake.statistics.gaming import detectors
from uptake.statistics.gaming.deeds import Deeds, What
from uptake.statistics.gaming.rings import self_approvals
from uptake.statistics.gaming.thresholds import Threshold

MADE = ("created", "requested", "submitted", "opened", "entered", "drafted")
MOST_EVENTS = 400
"""So many events are kept of one finding, the last ones."""


@dataclass(frozen=True, slots=True)
class Found:
    """A sign at a person, with the ids of the events behind it in the order in which they happened.

    lots: keys of what the ledger gave for it beside these events; first: where it was looked at over more days.
    """

    detector: str
    person: int
    numbers: Mapping[str, float]
    events: tuple[int, ...]
    lots: tuple[str, ...] = ()
    first: date | None = None


def found_in(told: Told, thresholds: Sequence[Threshold] = ()) -> list[Found]:
    """What the detectors of single people find. thresholds: from which amounts on rules pay."""
    found = [as_found(told, sign, behind(told.deeds, sign)) for sign in detectors.signs(told.deeds)]
    return found + _bunching(told, thresholds) + _own_approvals(told)


def as_found(told: Told, sign: detectors.Sign, rows: Ints) -> Found:
    """A sign with the last events behind it. rows: of `told`, in order of time."""
    numbers = {**{key: round(value, 4) for key, value in sign.numbers.items()}, "p": sign.p}
    events = tuple(int(told.ids[at]) for at in rows[-MOST_EVENTS:])
    return Found(sign.detector, told.people[sign.person], numbers, events)


def _bunching(told: Told, thresholds: Sequence[Threshold]) -> list[Found]:
    """G at every amount from which on a rule pays; of a person the surest."""
    role = dict(enumerate(told.deeds.role))
    best: dict[int, tuple[detectors.Sign, Ints]] = {}
    for one in thresholds:
        rows, amounts = _amounts(told, one)
        person = told.deeds.person[rows]
        values = {int(who): amounts[person == who] for who in np.unique(person)}
        for sign in detectors.bunches(values, one.at, one.width, role):
            if sign.person not in best or sign.p < best[sign.person][0].p:
                at = (person == sign.person) & (amounts >= one.at) & (amounts < one.at + one.width)
                best[sign.person] = (sign, rows[at])
    return [as_found(told, sign, rows) for sign, rows in best.values()]


def _amounts(told: Told, threshold: Threshold) -> tuple[Ints, Floats]:
    """The rows of the threshold's events that tell the number, and the number."""
    named = [at for at, name in enumerate(told.names) if name in threshold.names]
    facts = facts_of(int(told.ids[at]) for at in named)
    rows, amounts = [], []
    for at in named:
        value = facts[int(told.ids[at])].get(threshold.fact)
        if amount(value):
            rows.append(at)
            amounts.append(float(value))
    return np.array(rows, dtype=np.int64), np.array(amounts, dtype=np.float64)


def _own_approvals(told: Told) -> list[Found]:
    """S of one person alone: who approved what they had made."""
    makers: dict[str, tuple[float, int]] = {}
    approvals: list[int] = []
    for at, (name, about) in enumerate(zip(told.names, told.objects, strict=True)):
        ending = name.rpartition(".")[2]
        if about and ending in APPROVALS:
            approvals.append(at)
        elif about and ending in MADE:
            moment = float(told.deeds.at[at])
            if about not in makers or moment < makers[about][0]:
                makers[about] = (moment, int(told.deeds.person[at]))
    people = told.deeds.person
    known = [at for at in approvals if told.objects[at] in makers]
    own = [at for at in known if makers[told.objects[at]][1] == int(people[at])]
    if not own:
        return []
    counts = [np.bincount(people[rows], minlength=told.deeds.people).astype(np.int64) for rows in (own, known)]
    by_person = defaultdict(list)
    for at in own:
        by_person[int(people[at])].append(at)
    return [
        as_found(told, sign, np.array(by_person[sign.person], dtype=np.int64))
        for sign in self_approvals(counts[0], counts[1], told.deeds.role)
    ]


def behind(deeds: Deeds, sign: detectors.Sign) -> Ints:
    """The rows (of deeds sorted by person and instant) a sign rests on, in order of time."""
    mine = np.flatnonzero(deeds.person == sign.person)
    at, what, thing, like = deeds.at[mine], deeds.what[mine], deeds.object[mine], deeds.like[mine]
    made = np.flatnonzero(what == What.CREATE)
    chosen: set[int] = set()
    match sign.detector:
        case "A":
            for undo in np.flatnonzero(what == What.CANCEL):
                same = made[(thing[made] == thing[undo]) & (at[made] <= at[undo])]
                soon = same[at[undo] - at[same] < detectors.LOOP_SECONDS]
                chosen |= {int(undo), *map(int, soon)} if len(soon) else set()
        case "A2":
            latest: dict[int, int] = {}
            for one in made:
                before = latest.get(int(like[one]))
                if before is not None and at[one] - at[before] < detectors.DUPLICATE_SECONDS:
                    chosen |= {int(one)}
                latest[int(like[one])] = int(one)
        case "B":
            middle = sign.numbers["seconds"]
            gaps = np.flatnonzero(np.abs(np.diff(at) - middle) <= 0.01 * middle)
            chosen = {int(one) for gap in gaps for one in (gap, gap + 1)}
        case "C":
            chosen = set(map(int, np.flatnonzero(detectors.outside(deeds)[mine])))
        case "D":
            chosen = set(map(int, np.flatnonzero(what == What.LOGIN)))
        case "F":
            quick = np.flatnonzero(np.diff(at[made]) < detectors.SPLIT_SECONDS)
            chosen = {int(made[one + 1]) for one in quick}
    return mine[np.array(sorted(chosen), dtype=np.int64)]
