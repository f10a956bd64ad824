"""The operators of conditions: how the value an event has is compared with the value a rule names."""

from __future__ import annotations

from decimal import Decimal

from uptake.programme.standing import number_of

Scalar = str | int | Decimal | bool
Value = Scalar | tuple[Scalar, ...] | None

EQUALITY = ("eq", "ne")
ORDER = ("gt", "gte", "lt", "lte")
TEXT = ("contains", "not_contains")
PRESENCE = ("is_set", "is_not_set")
OPERATORS = (*EQUALITY, *ORDER, *TEXT, *PRESENCE)
HOLDS_WHEN_MISSING = frozenset({"ne", "not_contains", "is_not_set"})


def same(left: object, right: Scalar) -> bool:
    """Equal as text with text, number with number, yes/no with yes/no; a number never equals a text or a yes/no."""
    if isinstance(left, str) or isinstance(right, str):
        return isinstance(left, str) and isinstance(right, str) and left == right
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    number = number_of(left)
    return number is not None and number == right


def compares(actual: object, op: str, value: Value) -> bool:
    """Whether `actual` (None: missing) stands to `value` as `op` says."""
    if actual is None:
        return op in HOLDS_WHEN_MISSING
    if op == "is_set":
        return True
    if op == "is_not_set":
        return False
    if op in EQUALITY:
        wanted = value if isinstance(value, tuple) else (value,)
        found = any(one is not None and same(actual, one) for one in wanted)
        return found if op == "eq" else not found
    if op in TEXT:
        found = isinstance(actual, str) and isinstance(value, str) and value in actual
        return found if op == "contains" else not found
    number = number_of(actual)
    limit = number_of(value)
    if number is None or limit is None:
        return False
    if op == "gt":
        return number > limit
    if op == "gte":
        return number >= limit
    if op == "lt":
        return number < limit
    assert op == "lte", f"{op} is not an operator of conditions"
    return number <= limit
