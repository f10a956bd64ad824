"""What is made beforehand comes in the same order, and ends where it would have ended."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from uptake.connectors.files.ahead import ahead


def counting(until: int, closed: list[str]) -> Generator[int, None, None]:
    try:
        yield from range(until)
        raise ValueError("the file breaks off")
    finally:
        closed.append("closed")


def test_everything_comes_in_its_order_and_a_failure_after_what_came_before_it() -> None:
    closed: list[str] = []
    stream = ahead(counting(5, closed))
    assert [next(stream) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="breaks off"):
        next(stream)
    assert closed == ["closed"]


def test_who_stops_early_leaves_nothing_open() -> None:
    closed: list[str] = []
    stream = ahead(counting(5, closed))
    assert next(stream) == 0
    stream.close()
    assert closed == ["closed"]
