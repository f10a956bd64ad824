"""A question about a fact of the event: order lines at least 5, warehouse one of A and B."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from uptake.programme.conditions.compare import Value, compares
from uptake.programme.standing import JudgedEvent


@dataclass(frozen=True, slots=True)
class FactCondition:
    """`fact` of the event stands to `value` as `op` says; if missing, only ne, not_contains and is_not_set hold."""

    key: ClassVar[str] = "fact"

    fact: str
    op: str
    value: Value

    def actual(self, event: JudgedEvent) -> object:
        return event.facts.get(self.fact)

    def holds(self, event: JudgedEvent) -> bool:
        return compares(event.facts.get(self.fact), self.op, self.value)
