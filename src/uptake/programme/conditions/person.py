"""A question about the person on the event's date: department, role, days since joining."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from uptake.programme.conditions.compare import Value, compares
from uptake.programme.standing import JudgedEvent

DEPARTMENT = "department"
ROLE = "role"
TENURE = "tenure_days"
ASKED = (DEPARTMENT, ROLE, TENURE)


@dataclass(frozen=True, slots=True)
class PersonCondition:
    """The person's department or role by the membership of that date, or tenure in days, stands so to `value`."""

    key: ClassVar[str] = "person"

    person: str
    op: str
    value: Value

    def actual(self, event: JudgedEvent) -> object:
        standing = event.standing
        if self.person == DEPARTMENT:
            return standing.department
        if self.person == ROLE:
            return standing.role
        return standing.tenure_days

    def holds(self, event: JudgedEvent) -> bool:
        return compares(self.actual(event), self.op, self.value)
