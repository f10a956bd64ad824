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


def test_read_anew_beside_the_page_before_it_is_too_old(clock: list[float]) -> None:
    remembered(("/1/",), ("staff",), lambda: 1, ahead=True)
    clock[0] += 1
    assert remembered(("/1/",), ("staff",), lambda: 2, ahead=True) == 1, "it is young"
    clock[0] += 1
    assert remembered(("/1/",), ("staff",), lambda: 3, ahead=True) == 1, "nobody waits for what is read beside"
    room._beside.submit(lambda: None).result(10)
    assert remembered(("/1/",), ("staff",), lambda: 4) == 3
    clock[0] += 3
    assert remembered(("/1/",), ("staff",), lambda: 5, ahead=True) == 5, "nothing lives longer than it may"


def test_what_fails_beside_is_asked_again(clock: list[float]) -> None:
    remembered(("/1/",), ("staff",), lambda: 1, ahead=True)
    clock[0] += 2
    remembered(("/1/",), ("staff",), lambda: 1 // 0, ahead=True)
    room._beside.submit(lambda: None).result(10)
    assert remembered(("/1/",), ("staff",), lambda: 2, ahead=True) == 1
    room._beside.submit(lambda: None).result(10)
    assert remembered(("/1/",), ("staff",), lambda: 3) == 2


def test_nothing_where_it_is_left_out(clock: list[float], settings: LazySettings) -> None:
    settings.REMEMBERED_SECONDS = 0
    remembered(("/1/",), ("staff",), lambda: 1)

    assert remembered(("/1/",), ("staff",), lambda: 2) == 2
