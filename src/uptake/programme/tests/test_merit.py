"""What boards are told of, beside the points: its sums are the awards that stand, whatever happened."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
from django.db.models import Sum

from tests.cast import NOW, Cast
from uptake.programme import cases
from uptake.programme.merit import Gain, note_merit
from uptake.programme.models import Award, MeritChange
from uptake.programme.rewards.models import GrantState, SpecialGrant
from uptake.programme.throwaway import throwaway_database

pytestmark = pytest.mark.django_db

TOLD = sorted((Path(__file__).parent / "cases").glob("*.json"))


def sums_that_stand() -> dict[tuple[int, date], int]:
    """Awards and special points."""
    sums: dict[tuple[int, date], int] = defaultdict(int)
    awards = Award.objects.filter(points__gt=0).values_list("person", "date").annotate(sum=Sum("points"))
    special = SpecialGrant.objects.filter(state=GrantState.APPROVED).values_list("person", "date", "points")
    for person, day, points in (*awards, *special):
        sums[person, day] += points
    return dict(sums)


def sums_told() -> dict[tuple[int, date], int]:
    sums: dict[tuple[int, date], int] = defaultdict(int)
    for change in MeritChange.objects.all():
        sums[change.person_id, change.date] += change.points
    return {key: points for key, points in sums.items() if points}


@pytest.mark.once
@pytest.mark.parametrize("path", TOLD[::12], ids=lambda path: path.stem)
def test_what_is_told_sums_up_to_what_stands(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []

    @contextmanager
    def compared() -> Iterator[None]:
        with throwaway_database():
            yield
            looked.append((sums_told(), sums_that_stand()))

    monkeypatch.setattr(cases, "throwaway_database", compared)
    cases.run(json.loads(path.read_text()))
    for told, awards in looked:
        assert told == awards


def test_many_gains_of_a_day_are_one_row_and_nothing_is_none(cast: Cast) -> None:
    lin, here, day = cast.lin.pk, cast.beiyuan.pk, date(2026, 6, 1)
    note_merit([Gain(here, lin, day, 5, NOW), Gain(here, lin, day, -5, NOW)], now=NOW)
    assert not MeritChange.objects.exists()
    note_merit(
        [Gain(here, lin, day, 5, NOW), Gain(here, lin, day, 7, NOW), Gain(here, lin, day, -2, None, NOW)], now=NOW
    )
    [told] = MeritChange.objects.all()
    assert (told.points, told.latest_at, told.ended_at) == (10, NOW, NOW)
