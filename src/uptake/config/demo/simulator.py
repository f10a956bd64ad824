"""Keeps the demo park alive: somebody does something every second or two, through the same door as everything else."""

from __future__ import annotations

import logging
import random
import threading
from datetime import UTC, datetime
from typing import Any

from django.db import close_old_connections

from uptake.config.demo.build import connections
from uptake.config.demo.park import PATHS, DemoPark, DemoPerson, deed
from uptake.events.happening import Happening
from uptake.events.record import record

PAUSE_SECONDS = (0.6, 2.4)
FAVOURITES = ("B001", "B003")
"""Staff numbers of those one can sign in as: they are busier, so that their pages live."""

log = logging.getLogger("uptake.demo")


class Simulator:
    """A thread that records invented happenings until it is told to stop."""

    def __init__(self, park: DemoPark) -> None:
        self.park = park
        self.chance = random.Random()
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run, name="demo", daemon=True)
        self.active = [one for one in park.people if one.zeal > 0 and one.silent_from is None]
        self.favourites = [one for one in self.active if one.staff_number in FAVOURITES]

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        self.ended.set()
        self.thread.join(timeout=10)

    def _run(self) -> None:
        links = connections()
        while not self.ended.wait(self.chance.uniform(*PAUSE_SECONDS)):
            person = self.chance.choice(self.favourites if self.chance.random() < 0.2 else self.active)
            try:
                happening = self._happening(person, datetime.now(UTC))
                record([happening], connection=links[person.company], now=datetime.now(UTC))
            except Exception:  # the park goes on, whatever one event met
                log.exception("The simulator's event was not recorded.")
                self.ended.wait(5)
            finally:
                close_old_connections()

    def _happening(self, person: DemoPerson, now: datetime) -> Happening:
        event, object_, facts = "$pageview", "", {"path": self.chance.choice(PATHS[person.department])}
        if self.chance.random() < 0.7:

            def take(name: str, about: str, **said: Any) -> None:
                nonlocal event, object_, facts
                event, object_, facts = name, about, said

            deed(person.department, now.date(), self.chance, take)
        key = f"live/{now:%Y%m%dT%H%M%S%f}/{person.staff_number}"
        return Happening(
            event=event,
            key=key,
            at=now,
            person=person.login,
            object=object_,
            facts=facts,
            person_staff_number=person.staff_number,
        )
