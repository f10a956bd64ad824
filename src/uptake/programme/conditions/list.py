"""The one list of condition kinds: the key that names a condition in the rulebook file is the class's `key`."""

from __future__ import annotations

from uptake.programme.conditions.fact import FactCondition
from uptake.programme.conditions.history import HistoryCondition
from uptake.programme.conditions.person import PersonCondition

Condition = FactCondition | PersonCondition | HistoryCondition

CONDITIONS: tuple[type[Condition], ...] = (
    FactCondition,
    PersonCondition,
    HistoryCondition,
)
