"""A connection to the stub, a clock that only tests move, and what came of asking."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.cast import NOW, Cast
from uptake.connectors.models import Pull
from uptake.connectors.pull.connect_system import connect_system
from uptake.connectors.pull.pull_due import Turn, pull_connection, pull_due
from uptake.connectors.pull.tests.stub import PASSWORD, USER, Stub, declaration
from uptake.directory.scope import EVERYTHING
from uptake.events.models import Event


@dataclass
class Desk:
    """The connection and its clock."""

    cast: Cast
    stub: Stub
    pull: Pull
    now: datetime = NOW

    def ask(self) -> Turn:
        """Asks at once, until the end."""
        while True:
            turn = pull_connection(pull_id=self.pull.pk, clock=lambda: self.now)
            if not turn.unfinished:
                return turn

    def due(self) -> int:
        """What the job does."""
        return pull_due(clock=lambda: self.now)

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)

    def again(self) -> Pull:
        """The connection as it stands now."""
        return Pull.objects.select_related("connection__organization").get(pk=self.pull.pk)


def desk(cast: Cast, stub: Stub, text: str | None = None, **values: Any) -> Desk:
    """The stub, connected for Beiyuan."""
    given: dict[str, Any] = {
        "slug": "tracker",
        "name": "Tracker of Beiyuan",
        "organization": cast.beiyuan,
        "declaration": text or declaration(),
        "settings": {"address": stub.address, "user": USER},
        "secrets": {"password": PASSWORD},
        "by": EVERYTHING,
        "now": NOW,
        "history_from": NOW - timedelta(days=30),
        **values,
    }
    return Desk(cast, stub, connect_system(**given))


def objects(source: str = "tracker") -> Counter[str]:
    """How often each object has an event."""
    return Counter(Event.objects.filter(source=source).values_list("object", flat=True))
