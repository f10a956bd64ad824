"""Everybody's rank is one more than how many have more, wherever in a band of points they stand, however many tie."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from tests.cast import NOW, TODAY, Cast, person
from uptake.directory.viewer import Viewer
from uptake.programme.merit import Gain, note_merit
from uptake.programme.merits.board import read_board
from uptake.programme.merits.keep_boards import keep_boards
from uptake.programme.merits.models import BAND
from uptake.programme.merits.periods import MONTH

pytestmark = pytest.mark.django_db


def test_in_three_bands(cast: Cast) -> None:
    points = [1, 1, 2, 7, 7, 8, 8, 9, 15, BAND, BAND, 23, 24, 31, 31, 2 * BAND, 40, 40, 40, 41]
    people = [person(name=f"Worker {number:02}", at=cast.purchasing) for number in range(len(points))]
    at = datetime(TODAY.year, TODAY.month, TODAY.day, 3, tzinfo=UTC)
    gains = [Gain(cast.beiyuan.pk, who.pk, TODAY, one, at) for who, one in zip(people, points, strict=True)]
    note_merit(gains, now=NOW)
    keep_boards(now=NOW)

    for who, own in zip(people, points, strict=True):
        viewer = Viewer(None, who.pk, "", (), TODAY, (cast.beiyuan.path,))
        found = read_board(cast.beiyuan, MONTH, date(2026, 5, 1), viewer=viewer, now=NOW, top=1, beside=2)
        for line in (*found.lines, *found.neighbours):
            assert line.rank == 1 + sum(one > line.points for one in points)
        assert found.mine is not None
        assert (found.mine.points, found.people) == (own, len(points))
