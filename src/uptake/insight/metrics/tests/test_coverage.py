"""A source is judged by its own rhythm on working days; where it is down, use cannot be told from no data."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from tests.cast import NOW, TODAY, Cast
from uptake.directory.calendar import set_day
from uptake.directory.models import DayKind
from uptake.directory.scope import EVERYTHING
from uptake.events.connect import connect
from uptake.events.models import Connection
from uptake.insight.feed.where import activity_log
from uptake.insight.metrics.coverage import Alive, coverage, judged, told_at, untold_since
from uptake.insight.metrics.tests.world import happen

WORKING = [TODAY - timedelta(days=n) for n in range(56, -1, -1) if (TODAY - timedelta(days=n)).weekday() < 5]


@pytest.fixture(autouse=True)
def own_log(settings: LazySettings, tmp_path: Path) -> None:
    settings.DATA = tmp_path


def days(*ago: int, events: int = 10) -> dict[date, int]:
    """So many events so many working days ago (0 is today, a Wednesday)."""
    return {WORKING[-1 - one]: events for one in ago}


@pytest.mark.parametrize(
    ("counts", "more", "state"),
    [
        (days(*range(30)), {}, Alive.FINE),
        (days(*range(1, 30)), {}, Alive.FINE),  # today is not over
        (days(*range(2, 30)), {}, Alive.LATE),
        (days(*range(3, 30)), {}, Alive.LATE),
        (days(*range(4, 30)), {}, Alive.DOWN),
        (days(*range(4, 30)), {"sign": WORKING[-2]}, Alive.FINE),  # its key was used
        (days(*range(30)), {"paused": True}, Alive.DOWN),
        (days(4, 9, 14, 19), {}, Alive.FINE),  # once a week
        (days(6, 11, 16, 21), {}, Alive.LATE),
        (days(16, 21, 26), {}, Alive.DOWN),
        ({}, {}, Alive.NEVER),
        ({}, {"before": True}, Alive.DOWN),
        ({}, {"sign": WORKING[-2]}, Alive.FINE),
        ({}, {"sign": WORKING[-9], "before": True}, Alive.DOWN),
    ],
)
def test_the_state_of_a_source(counts: dict[date, int], more: dict[str, Any], state: Alive) -> None:
    assert judged(counts, WORKING, TODAY, **more)[0] == state


def test_the_usual_day_and_the_missing_ones_are_counted_since_the_first() -> None:
    counts = days(1, 2, 4, 5) | days(6, events=40)

    _state, usual, missing = judged(counts, WORKING, TODAY)

    assert usual == 10
    assert missing == (WORKING[-4],)
    assert judged(days(*range(20, 25)), WORKING, TODAY)[1] == 10, "what came before it stopped is the usual"


def test_a_weekend_is_nothing_missing() -> None:
    monday, friday = date(2026, 5, 11), date(2026, 5, 8)

    assert judged({friday: 5}, [day for day in WORKING if day <= monday], monday)[0] == Alive.FINE


@pytest.mark.django_db(transaction=True)
def test_each_company_has_its_sources_and_its_calendar(cast: Cast) -> None:
    happen(cast, [("lin", "order.processed", TODAY - timedelta(days=n)) for n in range(1, 10)], TODAY)
    happened = activity_log()

    found = {one.company.slug: one for one in coverage(happened, cast.park, TODAY)}

    assert found["beiyuan"].state == Alive.FINE
    assert (found["beiyuan"].usual, found["beiyuan"].last_day) == (1, TODAY - timedelta(days=1))
    assert found["qinghe"].state == Alive.NEVER
    assert told_at(found.values()) == {cast.beiyuan.pk}
    assert [one.company for one in coverage(happened, cast.purchasing, TODAY)] == [cast.beiyuan]
    later = TODAY + timedelta(days=6)  # Tuesday: Wednesday to Monday without anything
    assert coverage(happened, cast.beiyuan, later)[0].state == Alive.DOWN
    for off in range(-1, 6):
        set_day(
            organization=cast.beiyuan,
            day=TODAY + timedelta(days=off),
            kind=DayKind.REST,
            name="",
            by=EVERYTHING,
            now=NOW,
        )
    assert coverage(happened, cast.beiyuan, later)[0].state == Alive.FINE


@pytest.mark.django_db(transaction=True)
def test_a_source_that_never_sent_takes_nothing_away_and_one_that_stopped_does(cast: Cast) -> None:
    happen(cast, [("lin", "order.processed", TODAY - timedelta(days=n)) for n in range(1, 10)], TODAY)
    new = connect(slug="new", kind="api", name="New", organization=cast.beiyuan, by=EVERYTHING, now=NOW)

    covered = coverage(activity_log(), cast.beiyuan, TODAY)
    assert {(one.connection.slug, one.state) for one in covered} == {
        ("erp-beiyuan", Alive.FINE), ("new", Alive.NEVER),
    }  # fmt: skip
    assert told_at(covered) == {cast.beiyuan.pk}
    assert told_at(covered, ["new"]) == set()

    Connection.objects.filter(pk=new.pk).update(last_event_at=NOW - timedelta(days=90))
    assert told_at(coverage(activity_log(), cast.beiyuan, TODAY)) == set()
    assert told_at(coverage(activity_log(), cast.beiyuan, TODAY), ["erp-beiyuan"]) == {cast.beiyuan.pk}


@pytest.mark.django_db(transaction=True)
def test_since_when_nothing_can_be_told_is_the_last_day_of_the_source_that_is_down(cast: Cast) -> None:
    happen(cast, [("lin", "order.processed", TODAY - timedelta(days=n)) for n in range(1, 10)], TODAY)

    fine = untold_since(coverage(activity_log(), cast.park, TODAY))
    later = untold_since(coverage(activity_log(), cast.park, TODAY + timedelta(days=6)))

    assert fine == {cast.qinghe.pk: None}
    assert later == {cast.beiyuan.pk: TODAY - timedelta(days=1), cast.qinghe.pk: None}
    assert untold_since(coverage(activity_log(), cast.park, TODAY), ["erp-qinghe"]) == {cast.qinghe.pk: None}
