"""What boards are told of, beside the points. That its sums are the awards that stand, `test_points_cases` sees."""

from __future__ import annotations

from datetime import date

import pytest

from tests.cast import NOW, Cast
from uptake.programme.merit import Gain, note_merit
from uptake.programme.models import MeritChange

pytestmark = pytest.mark.django_db


def test_many_gains_of_a_day_are_one_row_and_nothing_is_none(cast: Cast) -> None:
    lin, here, day = cast.lin.pk, cast.beiyuan.pk, date(2026, 6, 1)
    note_merit([Gain(here, lin, day, 5, NOW), Gain(here, lin, day, -5, NOW)], now=NOW)
    assert not MeritChange.objects.exists()
    note_merit(
        [Gain(here, lin, day, 5, NOW), Gain(here, lin, day, 7, NOW), Gain(here, lin, day, -2, None, NOW)], now=NOW
    )
    [told] = MeritChange.objects.all()
    assert (told.points, told.latest_at, told.ended_at) == (10, NOW, NOW)
