"""What a unit of effect cost, with its interval, or that it is not worth saying: thinking only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class UnitCost:
    """Money for one unit; low and high are the ends that the 95 % interval of the effect gives."""

    value: float
    low: float
    high: float


def unit_cost(money: float, effect: Mapping[str, Any] | None, scale: float = 1.0) -> UnitCost | None:
    """Money divided by `scale` times the effect (with `value`, `low`, `high`); None where its interval holds 0.

    Where a fall is what was wanted it is the money for a unit of the fall.
    """
    if effect is None or any(effect[name] is None for name in ("value", "low", "high")) or money <= 0 or scale <= 0:
        return None
    low, high = effect["low"], effect["high"]
    if low <= 0 <= high:
        return None
    near, far = sorted((abs(low), abs(high)))
    return UnitCost(money / (abs(effect["value"]) * scale), money / (far * scale), money / (near * scale))
