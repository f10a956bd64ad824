"""Control totals: what a person compares with the source to see that nothing was lost. Pure."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from uptake.connectors.files.running_numbers import RunningNumbers
from uptake.events.happening import Happening


class ControlTotals:
    """Counts happenings: people, objects, names, first and last instant, exact sum of each number."""

    def __init__(self, people: RunningNumbers, objects: RunningNumbers) -> None:
        self._people, self._objects = people, objects
        self.with_person = 0
        self.by_nobody = 0
        self.first_at: datetime | None = None
        self.last_at: datetime | None = None
        self._sums: dict[str, int | Decimal] = {}
        self._names: dict[str, int] = {}

    def add(self, happening: Happening) -> None:
        """Take one happening into account."""
        if happening.person is None:
            self.by_nobody += 1
        else:
            self.with_person += 1
            self._people.number(happening.person.encode())
        if happening.object:
            about = happening.object.encode()
            self._objects.number(about if len(about) <= 16 else blake2b(about, digest_size=17).digest())
        at = happening.at
        if self.first_at is None or at < self.first_at:
            self.first_at = at
        if self.last_at is None or at > self.last_at:
            self.last_at = at
        if happening.event in self._names or len(self._names) < 1000:
            self._names[happening.event] = self._names.get(happening.event, 0) + 1
        for name, value in happening.facts.items():
            if type(value) is int:
                self._sums[name] = self._sums.get(name, 0) + value
            elif type(value) is float:
                self._sums[name] = Decimal(self._sums.get(name, 0)) + Decimal(repr(value))
            elif type(value) is Decimal:
                self._sums[name] = Decimal(self._sums.get(name, 0)) + value

    @property
    def people(self) -> int:
        return self._people.distinct

    @property
    def objects(self) -> int:
        return self._objects.distinct

    def as_json(self) -> dict[str, Any]:
        """As they are kept: sums as exact text, names by frequency (the first 50)."""
        names = sorted(self._names.items(), key=lambda item: (-item[1], item[0]))
        return {
            "with_person": self.with_person,
            "by_nobody": self.by_nobody,
            "people": self.people,
            "objects": self.objects,
            "first_at": self.first_at.isoformat() if self.first_at else None,
            "last_at": self.last_at.isoformat() if self.last_at else None,
            "sums": {name: _plain(value) for name, value in sorted(self._sums.items())},
            "names": [list(name) for name in names[:50]],
            "names_in_all": len(names),
        }


def _plain(value: int | Decimal) -> str:
    return str(value) if isinstance(value, int) else format(value.normalize(), "f")
