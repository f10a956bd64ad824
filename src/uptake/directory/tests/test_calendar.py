"""A year is filled by country, days are set by hand, and each place sees the nearest."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.utils import translation

from tests.cast import NOW, Cast
from uptake.directory.calendar import (
    UnknownCountry,
    clear_day,
    countries,
    day_kinds_between,
    fill,
    set_day,
    working_days_between,
)
from uptake.directory.models import CalendarDay, DayKind
from uptake.directory.scope import EVERYTHING, NotAllowed


def test_the_chinese_year_2026_has_248_working_days(cast: Cast) -> None:
    fill(organization=cast.park, country="CN", year=2026, by=cast.viewer(cast.ren), now=NOW)

    assert len(working_days_between(cast.receiving, date(2026, 1, 1), date(2026, 12, 31))) == 248
    days = day_kinds_between(cast.receiving, date(2026, 10, 1), date(2026, 10, 11))
    assert days[date(2026, 10, 1)].kind == DayKind.HOLIDAY
    assert days[date(2026, 10, 10)].works, "a Saturday that is worked for the days off before"
    assert days[date(2026, 10, 11)].kind == DayKind.REST
    with translation.override("en"):
        assert days[date(2026, 10, 1)].label == "National Day"
    with translation.override("zh-hans"):
        assert days[date(2026, 10, 1)].label == "国庆节"
    assert not CalendarDay.objects.filter(provisional=True).exists()


def test_a_year_without_its_decree_is_provisional_until_filled_again(cast: Cast) -> None:
    fill(organization=cast.park, country="CN", year=2027, by=EVERYTHING, now=NOW)
    assert CalendarDay.objects.filter(provisional=True).exists()
    count = CalendarDay.objects.count()

    fill(organization=cast.park, country="CN", year=2027, by=EVERYTHING, now=datetime(2027, 1, 2, tzinfo=UTC))

    assert CalendarDay.objects.count() == count
    assert not CalendarDay.objects.filter(provisional=True).exists()


def test_filling_leaves_what_was_set_by_hand(cast: Cast) -> None:
    set_day(
        organization=cast.park, day=date(2026, 10, 1), kind=DayKind.WORK, name="Stocktaking", by=EVERYTHING, now=NOW
    )

    fill(organization=cast.park, country="CN", year=2026, by=EVERYTHING, now=NOW)
    assert day_kinds_between(cast.park, date(2026, 10, 1), date(2026, 10, 1))[date(2026, 10, 1)].works

    clear_day(organization=cast.park, day=date(2026, 10, 1), by=EVERYTHING, now=NOW)
    assert day_kinds_between(cast.park, date(2026, 10, 1), date(2026, 10, 1))[date(2026, 10, 1)].works


def test_the_nearest_place_decides_and_the_neighbour_does_not(cast: Cast) -> None:
    day = date(2026, 5, 13)
    set_day(organization=cast.park, day=day, kind=DayKind.HOLIDAY, name="Park day", by=EVERYTHING, now=NOW)
    set_day(organization=cast.beiyuan, day=day, kind=DayKind.WORK, name="", by=cast.viewer(cast.hua), now=NOW)

    assert day_kinds_between(cast.receiving, day, day)[day].works
    assert day_kinds_between(cast.dyeing, day, day)[day].name == "Park day"
    assert day_kinds_between(None, day, day)[day].works


def test_a_manager_keeps_the_own_calendar_only(cast: Cast) -> None:
    for place in (cast.park, cast.qinghe):
        with pytest.raises(NotAllowed):
            fill(organization=place, country="CN", year=2026, by=cast.viewer(cast.hua), now=NOW)
        with pytest.raises(NotAllowed):
            clear_day(organization=place, day=date(2026, 5, 1), by=cast.viewer(cast.hua), now=NOW)


def test_other_countries_are_known_and_unknown_ones_refused(cast: Cast) -> None:
    assert {"CN", "DE"} <= set(countries())
    fill(organization=cast.park, country="DE", year=2026, by=EVERYTHING, now=NOW)
    assert CalendarDay.objects.get(date=date(2026, 12, 25)).kind == DayKind.HOLIDAY
    with pytest.raises(UnknownCountry):
        fill(organization=cast.park, country="ZZ", year=2026, by=EVERYTHING, now=NOW)
