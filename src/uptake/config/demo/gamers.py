"""What is planted for the search for signs of gaming, as happenings of a date.

- C: a shopfloor worker of ``EVENINGS`` begins to report work orders late in the evening, some weeks before today;
- G: a buyer of ``PADDED`` cuts and fills purchase orders to just as many lines as pay more since the rules changed;
- H: a checker of ``AGAIN`` begins to report the same few checks again and again: points rise, the work does not.

Rings and loops of recognition (R, S) are no happenings of a system: see ``circles``.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from uptake.config.demo.rules import MANY_LINES
from uptake.events.happening import Happening

if TYPE_CHECKING:
    from uptake.config.demo.park import DemoPark, DemoPerson

EVENINGS = ("mingzhou", "shopfloor")
AGAIN = ("yusheng", "quality")
PADDED = ("tianhe", "purchasing")
"""Company and department of the one who does it: the first there who is at work most days and never stops."""
SINCE_DAYS = 26
"""So many days before today it begins: within one window of the search."""
EAGER = 0.4
CHECKED, APPROVED = "quality.checked", "purchase_order.approved"
INSTEAD = {EVENINGS: "", AGAIN: CHECKED, PADDED: APPROVED}
"""What they otherwise would have done that falls away for it."""


def gamers(people: Iterable[DemoPerson]) -> dict[str, tuple[str, str]]:
    """Staff number → what they are planted for."""
    found: dict[tuple[str, str], str] = {}
    for one in people:
        where = (one.company, one.department)
        steady = one.zeal > EAGER and one.silent_from is None and one.meets_fault is None
        if where in INSTEAD and steady:
            found.setdefault(where, one.staff_number)
    return {number: where for where, number in found.items()}


def gamed(
    park: DemoPark, person: DemoPerson, planted: tuple[str, str], day: date, begin: datetime, done: list[Happening]
) -> list[Happening]:
    """What the person does on a date that begins at `begin`, where `done` is what they would have done."""
    ago = (park.today - day).days
    if not 0 < ago <= SINCE_DAYS or day in park.rest:
        return done
    chance = random.Random(f"{park.seed}/gamed/{person.staff_number}/{day.isoformat()}")
    deeds = {
        EVENINGS: lambda: _evening(chance, day),
        AGAIN: lambda: _again(chance, ago),
        PADDED: lambda: _padded(chance, day),
    }[planted]()
    kept = [one for one in done if one.event != INSTEAD[planted]]
    return kept + [
        Happening(
            event=event,
            key=f"{day.isoformat()}/{person.staff_number}/beside/{number}",
            at=begin + timedelta(minutes=minute, seconds=chance.randint(0, 59)),
            person=person.login,
            object=thing,
            facts=facts,
            person_staff_number=person.staff_number,
        )
        for number, (event, minute, thing, facts) in enumerate(deeds)
    ]


def _evening(chance: random.Random, day: date) -> Iterator[tuple[str, int, str, dict[str, object]]]:
    if chance.random() < 0.75:
        for number in range(3):
            pieces = chance.randint(20, 160)
            yield "work_order.completed", 1330 + 22 * number, f"WO-{day:%m%d}-E{number}", {"pieces": pieces, "scrap": 0}


def _again(chance: random.Random, ago: int) -> Iterator[tuple[str, int, str, dict[str, object]]]:
    for number in range(5):
        thing = f"QC-R{number + 5 * (ago % 2)}"
        yield CHECKED, 560 + 73 * number + chance.randint(0, 60), thing, {"on_time": True, "findings": 0}


def _padded(chance: random.Random, day: date) -> Iterator[tuple[str, int, str, dict[str, object]]]:
    for number in range(chance.randint(3, 5)):
        lines = MANY_LINES + (chance.random() < 0.2)
        yield APPROVED, 570 + 85 * number + chance.randint(0, 70), f"PO-{day:%m%d}-P{number}", {"lines": lines}
