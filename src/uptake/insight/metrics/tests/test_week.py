"""The week of a place, as a group hears it: sums, and never of fewer than five people."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings

from tests.cast import Cast, person
from uptake.insight.feed.where import activity_log
from uptake.insight.metrics.tests.world import happen
from uptake.insight.metrics.week import week_of

TODAY = date(2026, 5, 13)
MONDAY = date(2026, 5, 4)

# On PostgreSQL the feed reads only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)


def test_small_departments_are_never_the_top_and_small_places_are_silent(
    cast: Cast, settings: LazySettings, tmp_path: Path
) -> None:
    settings.DATA = tmp_path
    for number in range(5):
        person(name=f"Clerk {number}", at=cast.purchasing)
    for number in range(3):
        person(name=f"Cashier {number}", at=cast.finance)
    days = [("lin", MONDAY), ("lin", MONDAY + timedelta(days=1)), ("ke", MONDAY), ("hua", MONDAY + timedelta(days=7))]
    happen(cast, [(who, "order.created", day) for who, day in days], TODAY)

    week = week_of(activity_log(), cast.beiyuan, MONDAY)

    # finance has four people, and purchasing would give it away by the total, so no department is named
    assert week is not None
    assert (week.active, week.top, week.place) == (2, "", cast.beiyuan.name)
    person(name="Cashier 4", at=cast.finance)
    week = week_of(activity_log(), cast.beiyuan, MONDAY)
    assert week is not None
    assert (week.top, week.top_share) == (cast.finance.name, 0.2)
    assert week_of(activity_log(), cast.qinghe, MONDAY) is None
