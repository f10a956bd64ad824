"""The figures of places: whole days, working days, the period before, and groups too small to be shown."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings

from tests.cast import Cast, person
from uptake.directory.scope import EVERYTHING
from uptake.insight.feed.where import activity_log
from uptake.insight.metrics.period import NotAPeriod, last_days, period_of
from uptake.insight.metrics.tests.world import happen
from uptake.insight.metrics.usage import companies, parts, people_of, tools, usage

TODAY = date(2026, 5, 13)  # a Wednesday
MONDAY = date(2026, 5, 4)


# On PostgreSQL the feed reads only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def own_log(settings: LazySettings, tmp_path: Path) -> None:
    settings.DATA = tmp_path


def days_of(*numbers: int) -> list[date]:
    return [MONDAY + timedelta(days=number) for number in numbers]


def test_figures_are_of_whole_days_and_compare_with_as_many_before(cast: Cast) -> None:
    happen(
        cast,
        [
            ("hua", "order.created", MONDAY - timedelta(days=30)),
            *[("lin", "order.created", day) for day in days_of(2, 3, 4, 7)],
            *[("hua", "$pageview", day) for day in days_of(3, 4)],
            ("lin", "order.created", MONDAY - timedelta(days=4)),
            ("ke", "order.created", TODAY),
        ],
        TODAY,
    )

    found = usage(activity_log(), cast.beiyuan, last_days(7, TODAY))

    # 6 to 12 May: 5 working days; Lin on 4 of them, Hua on 2; Ke only today, which is not over
    assert (found.active.now, found.active.before) == (2, 1)
    assert found.daily_active.now == pytest.approx(6 / 5)
    assert (found.page_views.now, found.actions.now) == (2, 4)
    assert found.people_per_day == (1, 2, 2, 0, 0, 1, 0, 1)
    assert found.working_days == 5
    assert found.comparable


def test_nothing_is_compared_with_days_before_the_record_begins(cast: Cast) -> None:
    happen(cast, [("lin", "order.created", day) for day in days_of(2, 3)], TODAY)

    found = usage(activity_log(), cast.beiyuan, last_days(7, TODAY))

    assert not found.comparable
    assert found.active.before is None
    assert found.active.change is None


def test_parts_of_a_place_are_those_the_viewer_may_see(cast: Cast) -> None:
    happen(cast, [("lin", "order.created", MONDAY), ("mo", "order.created", MONDAY)], TODAY)
    period = last_days(30, TODAY)

    assert {part.place.slug for part in parts(activity_log(), EVERYTHING, cast.park, period)} == {"beiyuan", "qinghe"}
    assert {part.place.slug for part in companies(activity_log(), cast.viewer(cast.wei), period)} == {"beiyuan"}
    assert parts(activity_log(), cast.viewer(cast.mo), cast.park, period) != []
    assert {part.place.slug for part in parts(activity_log(), cast.viewer(cast.mo), cast.park, period)} == {"qinghe"}


def test_small_groups_are_hidden_from_those_who_see_totals_only(cast: Cast) -> None:
    for number in range(6):
        person(name=f"Buyer {number}", at=cast.purchasing)
    happen(cast, [("lin", "order.created", MONDAY), ("ke", "order.created", MONDAY)], TODAY)
    period = last_days(30, TODAY)

    for_hua = {part.place.slug: part for part in parts(activity_log(), cast.viewer(cast.hua), cast.beiyuan, period)}
    for_wei = {part.place.slug: part for part in parts(activity_log(), cast.viewer(cast.wei), cast.beiyuan, period)}

    # finance has one person; purchasing would give it away by the total, so both are hidden
    assert for_hua["beiyuan-finance"].hidden
    assert for_hua["beiyuan-purchasing"].hidden
    assert for_hua["beiyuan-finance"].active.now is None
    assert for_wei["beiyuan-finance"].active.now == 1


def test_single_people_are_for_those_who_may_see_people(cast: Cast) -> None:
    happen(cast, [("lin", "order.created", MONDAY), ("lin", "order.created", MONDAY)], TODAY)
    period = last_days(30, TODAY)

    assert people_of(activity_log(), cast.viewer(cast.hua), cast.beiyuan, period) == []
    seen = {one.person.name: one for one in people_of(activity_log(), cast.viewer(cast.wei), cast.beiyuan, period)}
    assert (seen["Lin Fang"].events, seen["Lin Fang"].active_days) == (2, 1)
    assert seen["Ke Ming"].events == 0


def test_tools_are_categories_of_the_catalogue(cast: Cast) -> None:
    from uptake.events.describe import describe
    from uptake.insight.metrics.tests.world import noon

    happen(cast, [("lin", "order.created", MONDAY), ("hua", "stock.moved", MONDAY)], TODAY)
    describe(name="order.created", category="orders", by=EVERYTHING, now=noon(TODAY))

    found = tools(activity_log(), cast.beiyuan, last_days(30, TODAY))

    assert [(tool.name, tool.people, tool.share) for tool in found] == [("orders", 1, 0.5)]


@pytest.mark.parametrize(
    "given",
    [
        {"days": "0"},
        {"days": "x"},
        {"days": "31"},
        {"from": "2026-05-01"},
        {"from": "2026-05-02", "to": "2026-05-01"},
        {"from": "2026-05-01", "to": "2026-05-14"},
        {"from": "2020-05-01", "to": "2026-05-01"},
        {"from": "yesterday", "to": "2026-05-01"},
    ],
)
def test_a_period_that_is_none_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(NotAPeriod):
        period_of(given, TODAY)


def test_a_chosen_period_and_the_one_before_have_as_many_days() -> None:
    period = period_of({"from": "2026-04-01", "to": "2026-04-30"}, TODAY)

    assert period.days == 30
    assert period.before == (date(2026, 3, 2), date(2026, 3, 31))
    assert period.shown_last == date(2026, 4, 30)
