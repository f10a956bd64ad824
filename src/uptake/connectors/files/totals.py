"""Control totals: what a person compares with the source to see that nothing was lost. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
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

    def add(self, happenings: Sequence[Happening]) -> None:
        """Take happenings into account, those of one object or with the same facts at once."""
        if not happenings:
            return
        people = [one.person for one in happenings if one.person is not None]
        self.with_person += len(people)
        self.by_nobody += len(happenings) - len(people)
        self._people.meet([person.encode() for person in set(people)])
        things = [thing.encode() for thing in {one.object for one in happenings} - {""}]
        self._objects.meet([one if len(one) <= 16 else blake2b(one, digest_size=17).digest() for one in things])
        first, last = min(one.at for one in happenings), max(one.at for one in happenings)
        self.first_at = first if self.first_at is None else min(first, self.first_at)
        self.last_at = last if self.last_at is None else max(last, self.last_at)
        for name, count in Counter([one.event for one in happenings]).items():
            if name in self._names or len(self._names) < 1000:
                self._names[name] = self._names.get(name, 0) + count
        said = {id(one.facts): one.facts for one in happenings}
        for key, times in Counter([id(one.facts) for one in happenings]).items():
            for name, value in said[key].items():
                if type(value) is int:
                    self._sums[name] = self._sums.get(name, 0) + value * times
                elif type(value) in (float, Decimal):
                    exact = value if type(value) is Decimal else Decimal(repr(value))
                    self._sums[name] = Decimal(self._sums.get(name, 0)) + exact * times

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
