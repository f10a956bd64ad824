"""A system that answers slowly lets no other wait."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from tests.cast import NOW, Cast
from uptake.connectors.models import Pull
from uptake.connectors.pull.pull_due import Turn
from uptake.connectors.pull.read_page import TakenOver
from uptake.connectors.pull.side_by_side import SideBySide
from uptake.connectors.pull.tests.stub import Stub, running
from uptake.connectors.pull.tests.world import desk
from uptake.events.models import Event

pytestmark = pytest.mark.django_db(transaction=True)


class Asked:
    """Systems that answer when a test lets them; how often each was asked, and how many at the same time."""

    def __init__(self, slow: set[int], new: dict[int, int]) -> None:
        self.slow, self.new = slow, new
        self.times: Counter[int] = Counter()
        self.go_on = threading.Event()

    def __call__(self, *, pull_id: int, clock: Callable[[], datetime]) -> Turn:
        self.times[pull_id] += 1
        if pull_id in self.slow:
            assert self.go_on.wait(20)
        if self.new[pull_id] == -1:
            raise ValueError("broken")
        if self.new[pull_id] == -2:
            raise TakenOver
        Pull.objects.filter(pk=pull_id).update(next_at=NOW + timedelta(hours=1))
        return Turn(new=self.new[pull_id])


def pulls(cast: Cast, stub: Stub, *slugs: str) -> list[int]:
    found = [desk(cast, stub, slug=slug, name=slug).pull.pk for slug in slugs]
    for nth, key in enumerate(found):
        Pull.objects.filter(pk=key).update(next_at=NOW - timedelta(hours=1, minutes=-nth))
    return found


def clock() -> datetime:
    return NOW


def test_the_others_are_asked_meanwhile_and_nobody_twice_at_once(cast: Cast) -> None:
    with running() as stub:
        slow, fast, third = pulls(cast, stub, "slow", "fast", "third")
    asked = Asked({slow}, {slow: 5, fast: 2, third: 1})
    room = SideBySide(ask=asked, most=2)

    found = [room.turn(clock=clock, patience_seconds=0.3) for _ in range(3)]
    assert (sum(found), asked.times) == (3, {slow: 1, fast: 1, third: 1}), "the slow one has its place, one is left"
    asked.go_on.set()
    assert room.turn(clock=clock, patience_seconds=5) == 5
    assert asked.times[slow] == 1


def test_a_failure_is_told_and_stops_nobody(cast: Cast) -> None:
    with running() as stub:
        broken, gone, good = pulls(cast, stub, "broken", "gone", "good")
    asked = Asked(set(), {broken: -1, gone: -2, good: 4})
    room = SideBySide(ask=asked)

    with pytest.raises(ValueError, match="broken"):
        room.turn(clock=clock, patience_seconds=5)
    assert asked.times == {broken: 1, gone: 1, good: 1}
    Pull.objects.filter(pk__in=[broken, gone]).delete()
    assert room.turn(clock=clock) == 0


def test_what_a_thread_reads_is_recorded(cast: Cast) -> None:
    with running() as stub:
        for number in (1, 2, 3):
            stub.add(number, NOW - timedelta(hours=number))
        desk(cast, stub)

        assert SideBySide().turn(clock=clock, patience_seconds=20) == Event.objects.count() > 0
