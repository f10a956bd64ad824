"""The same content gives the same bytes."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from uptake.basics.canonical import canonical_json, fingerprint


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"n": 10}, {"n": 10.0}),
        ({"n": Decimal("10.00")}, {"n": 10}),
        ({"n": 0.1}, {"n": Decimal("0.10")}),
        (
            {"at": datetime.fromisoformat("2026-01-01T08:00:00+08:00")},
            {"at": datetime.fromisoformat("2026-01-01T00:00:00+00:00")},
        ),
        ([1, (2, 3)], [1, [2, 3]]),
    ],
)
def test_equal_content_has_one_fingerprint(one: Any, other: Any) -> None:
    assert fingerprint(one) == fingerprint(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [({"n": 1}, {"n": "1"}), ({"n": 1}, {"n": True}), ({"n": None}, {}), ([1, 2], [2, 1]), ({"n": 0.5}, {"n": "0.5"})],
)
def test_other_content_has_another_fingerprint(one: Any, other: Any) -> None:
    assert fingerprint(one) != fingerprint(other)


def test_chinese_stays_readable_and_nan_is_refused() -> None:
    assert canonical_json({"名": "林"}) == '{"名":"林"}'.encode()
    with pytest.raises(ValueError, match="NaN"):
        canonical_json({"n": float("nan")})


def test_a_number_with_a_huge_exponent_stays_short() -> None:
    assert len(canonical_json({"n": Decimal("1e999999")})) < 20
    assert fingerprint({"n": 0}) == fingerprint({"n": Decimal("0E+10")})
