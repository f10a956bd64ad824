"""A question about the person on the event's date: department, role, level before it, days since joining."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from uptake.programme.conditions.compare import PRESENCE, Value, compares
from uptake.programme.standing import JudgedEvent

DEPARTMENT = "department"
ROLE = "role"
TENURE = "tenure_days"
LEVEL = "level"
ASKED = (DEPARTMENT, ROLE, LEVEL, TENURE)


@dataclass(frozen=True, slots=True)
class PersonCondition:
    """The person's department or role by the membership of that date, level or tenure in days, stands so to `value`.

    Levels compare by rank, so `levels` names those of the rulebook, the lowest first.
    """

    key: ClassVar[str] = "person"

    person: str
    op: str
    value: Value
    levels: tuple[str, ...] = ()

    def actual(self, event: JudgedEvent) -> object:
        standing = event.standing
        if self.person == DEPARTMENT:
            return standing.department
        if self.person == ROLE:
            return standing.role
        if self.person == LEVEL:
            return self.levels[event.level] if event.level >= 0 else None
        return standing.tenure_days

    def holds(self, event: JudgedEvent) -> bool:
        if self.person == LEVEL and self.op not in PRESENCE:
            return compares(event.level, self.op, self._ranks())
        return compares(self.actual(event), self.op, self.value)

    def _ranks(self) -> Value:
        """The levels named, as their ranks; who has none stands below the first, at -1."""
        if isinstance(self.value, tuple):
            return tuple(self.levels.index(str(one)) for one in self.value)
        return self.levels.index(str(self.value))
