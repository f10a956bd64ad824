"""Sums are remembered a few seconds, for those of one scope only."""

from __future__ import annotations

import pytest
from django.conf import LazySettings

from uptake.web import remembered as room
from uptake.web.remembered import remembered


@pytest.fixture
def clock(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    settings.REMEMBERED_SECONDS = 3
    now = [100.0]
    monkeypatch.setattr("uptake.web.remembered.time.monotonic", lambda: now[0])
    monkeypatch.setattr(room, "_known", type(room._known)())
    return now


def test_for_a_few_seconds(clock: list[float]) -> None:
    assert remembered(("/1/",), ("staff",), lambda: 1) == 1
    clock[0] += 2.9
    assert remembered(("/1/",), ("staff",), lambda: 2) == 1
    clock[0] += 0.2
    assert remembered(("/1/",), ("staff",), lambda: 3) == 3


def test_for_one_scope_and_one_question(clock: list[float]) -> None:
    remembered(("/1/",), ("staff",), lambda: 1)

    assert remembered(("/1/2/",), ("staff",), lambda: 2) == 2
    assert remembered((), ("staff",), lambda: 3) == 3
    assert remembered(("/1/",), ("points",), lambda: 4) == 4


def test_only_so_many(clock: list[float]) -> None:
    for number in range(room.KEPT + 1):
        remembered(("/1/",), (number,), lambda: 1)

    assert len(room._known) == room.KEPT
    assert remembered(("/1/",), (0,), lambda: 2) == 2


def test_nothing_where_it_is_left_out(clock: list[float], settings: LazySettings) -> None:
    settings.REMEMBERED_SECONDS = 0
    remembered(("/1/",), ("staff",), lambda: 1)

    assert remembered(("/1/",), ("staff",), lambda: 2) == 2
