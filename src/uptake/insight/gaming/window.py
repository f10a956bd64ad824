"""The deeds of a company's people in a window, what the detectors find in them, and the events it rests on.

A cancellation is an event whose name ends like one; what names an object is made; what names none is other work.
Shifts are not known, so nobody is ever found for working at odd hours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from uptake.directory.models import Membership, Organization, PersonKind
from uptake.directory.place import settings_at
from uptake.events.models import Event
from uptake.statistics.distributions import Ints
from uptake.statistics.gaming import detectors
from uptake.statistics.gaming.deeds import Deeds, What, sorted_deeds

OWN = "uptake"
"""The source of what happens in the platform itself: it is checked where it happens."""
CANCELS = ("cancelled", "canceled", "deleted", "reversed", "voided", "undone")
LOGINS = ("login", "logged_in", "signed_in")
MOST_EVENTS = 400
"""So many events are kept of one finding, the last ones."""
NO_LIKE = -1


@dataclass(frozen=True, slots=True)
class Found:
    """A sign at a person, with the ids of the events behind it in the order in which they happened."""

    detector: str
    person: int
    numbers: Mapping[str, float]
    events: tuple[int, ...]


def found_in(company: Organization, first: date, last: date) -> list[Found]:
    """What the detectors of single people find in the standing events of [first, last]."""
    zone = ZoneInfo(settings_at(company).zone)
    rows = Event.objects.filter(company=company, business_date__range=(first, last)).standing()
    rows = rows.filter(identity__person__kind=PersonKind.HUMAN).exclude(source=OWN).order_by("happened_at", "id")
    told = list(rows.values_list("pk", "identity__person_id", "name", "happened_at", "object", "facts"))
    told = [row for row in told if not row[2].startswith("$")]
    if not told:
        return []
    people = sorted({person for _pk, person, *_ in told if person is not None})
    number = {person: at for at, person in enumerate(people)}
    roles = _roles(people, company, last)
    objects: dict[str, int] = {}
    likes: dict[Any, int] = {}
    columns: list[tuple[float, ...]] = []
    for pk, person, name, at, about, facts in told:
        what = _what(name, about)
        local = at.astimezone(zone)
        thing = objects.setdefault(about, len(objects)) if about else -1 - len(columns)
        like = NO_LIKE - len(columns)
        if what is What.CREATE:
            amounts = tuple(sorted((key, str(value)) for key, value in facts.items() if _amount(value)))
            like = likes.setdefault((name, about, amounts), len(likes))
        seconds = local.toordinal() * 86_400 + local.hour * 3600 + local.minute * 60 + local.second
        columns.append((number[person], seconds + local.microsecond / 1e6, int(what), thing, like, pk))
    whole = np.array(columns, dtype=np.float64)
    ints: list[Ints] = [whole[:, at].astype(np.int64) for at in (0, 2, 3, 4, 5)]
    always = np.tile([0.0, 24.0], (len(people), 1))
    deeds = Deeds(ints[0], whole[:, 1], ints[1], ints[2], ints[3], tuple(roles.get(one, "") for one in people), always)
    order = np.lexsort((deeds.at, deeds.person))
    ids, ordered = ints[4][order], sorted_deeds(deeds)
    return [
        Found(
            sign.detector,
            people[sign.person],
            {**{key: round(value, 4) for key, value in sign.numbers.items()}, "p": sign.p},
            tuple(int(ids[at]) for at in behind(ordered, sign)[-MOST_EVENTS:]),
        )
        for sign in detectors.signs(deeds)
    ]


def _what(name: str, about: str) -> What:
    ending = name.rpartition(".")[2]
    if ending in LOGINS:
        return What.LOGIN
    if ending in CANCELS:
        return What.CANCEL
    return What.CREATE if about else What.WORK


def _amount(value: Any) -> bool:
    return not isinstance(value, bool | str | list | dict) and value is not None


def _roles(people: list[int], company: Organization, day: date) -> dict[int, str]:
    rows = Membership.objects.on(day).filter(organization__path__startswith=company.path).order_by("from_date", "-pk")
    return dict(rows.values_list("person_id", "role"))


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
        case "D":
            chosen = set(map(int, np.flatnonzero(what == What.LOGIN)))
        case "F":
            quick = np.flatnonzero(np.diff(at[made]) < detectors.SPLIT_SECONDS)
            chosen = {int(made[one + 1]) for one in quick}
    return mine[np.array(sorted(chosen), dtype=np.int64)]
