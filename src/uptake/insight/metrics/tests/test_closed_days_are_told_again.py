"""Figures of days that are over are written down; what changes them later is told with then, now and why."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from tests.cast import NOW, Cast, build_cast
from uptake.activity.summaries.daily import daily
from uptake.activity.summaries.days_of_places import days_of_places
from uptake.directory.models import Identity
from uptake.directory.scope import EVERYTHING
from uptake.events.connect import connect
from uptake.events.happening import Happening
from uptake.events.identify import identify
from uptake.events.models import Batch, Connection
from uptake.events.record import record
from uptake.events.withdraw import withdraw
from uptake.insight.feed.refresh import refresh
from uptake.insight.feed.where import activity_log
from uptake.insight.metrics.close_days import close_days
from uptake.insight.metrics.restated import versions_of
from uptake.insight.models import DayFigure, Why

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)
MONDAY = date(2026, 5, 11)


@pytest.fixture
def cast(transactional_db: None, settings: LazySettings, tmp_path: Path) -> Cast:
    settings.DATA = tmp_path
    return build_cast()


@pytest.fixture
def erp(cast: Cast) -> Connection:
    return connect(organization=cast.park, kind="api", name="ERP", slug="erp", by=EVERYTHING, now=NOW)


def send(erp: Connection, key: str, at: datetime, now: datetime, **more: Any) -> None:
    more.setdefault("person", "lin")
    record([Happening(event="order.processed", key=key, at=at, company="beiyuan", **more)], connection=erp, now=now)


def close(now: datetime) -> int:
    while refresh(now=now):
        pass
    return close_days(now=now)


def told(place: Any, as_of: date | None = None) -> list[tuple[date, tuple[int, int], tuple[int, int], tuple[Why, ...]]]:
    found = versions_of(EVERYTHING, place, date(2026, 1, 1), date(2026, 12, 31), as_of)
    return [
        (one.day, (one.then.events, one.then.people), (one.now.events, one.now.people), one.why)
        for one in found.restated
    ]


def test_a_day_that_is_over_is_written_down_once(cast: Cast, erp: Connection) -> None:
    send(erp, "1", NOW - 2 * DAY, NOW)
    send(erp, "2", NOW, NOW)

    assert close(NOW) == 2, "the company's and the park's Monday; Wednesday is not over"
    assert close(NOW + timedelta(hours=2)) == 0, "once a day"
    assert close(NOW + DAY) == 2, "Wednesday; Tuesday had nothing"
    assert [(one.day, one.events) for one in DayFigure.objects.filter(organization=cast.beiyuan)] == [
        (MONDAY, 1),
        (MONDAY + 2 * DAY, 1),
    ]
    assert told(cast.beiyuan) == []


def test_late_events_restate_their_day(cast: Cast, erp: Connection) -> None:
    send(erp, "1", NOW - 2 * DAY, NOW)
    close(NOW)
    send(erp, "2", NOW - 2 * DAY, NOW + DAY)
    close(NOW + DAY)

    assert told(cast.beiyuan) == [(MONDAY, (1, 0), (2, 0), (Why.LATE,))]
    assert told(cast.park) == told(cast.beiyuan)
    assert told(cast.qinghe) == []


def test_a_person_known_better_restates_the_people(cast: Cast, erp: Connection) -> None:
    send(erp, "1", NOW - 2 * DAY, NOW)
    close(NOW)
    identify(identity=Identity.objects.get(source="erp"), person=cast.lin, by=EVERYTHING, now=NOW + DAY)
    close(NOW + DAY)

    assert told(cast.beiyuan) == [(MONDAY, (1, 0), (1, 1), (Why.IDENTITY,))]


def test_an_import_undone_restates_its_days_down_to_nothing(cast: Cast, erp: Connection) -> None:
    batch = Batch.objects.create(connection=erp, created_at=NOW)
    record([Happening(event="order.processed", key="1", at=NOW - 2 * DAY, company="beiyuan", person="lin")],
           connection=erp, now=NOW, batch=batch)  # fmt: skip
    close(NOW)
    withdraw(batch=batch, by=EVERYTHING, now=NOW + DAY)
    close(NOW + DAY)

    assert told(cast.beiyuan) == [(MONDAY, (1, 0), (0, 0), (Why.UNDONE,))]


def test_a_day_told_as_nothing_that_has_something_later_is_restated(cast: Cast, erp: Connection) -> None:
    send(erp, "1", NOW - 5 * DAY, NOW)
    close(NOW)
    send(erp, "2", NOW - 2 * DAY, NOW + DAY)
    close(NOW + DAY)

    assert told(cast.beiyuan) == [(MONDAY, (0, 0), (1, 0), (Why.LATE,))]


def test_history_from_before_the_first_day_told_is_told_for_the_first_time(cast: Cast, erp: Connection) -> None:
    send(erp, "1", NOW - 2 * DAY, NOW)
    close(NOW)
    record([Happening(event="order.processed", key="old", at=NOW - 90 * DAY, company="beiyuan", person="lin",
                      history_only=True)], connection=erp, now=NOW + DAY)  # fmt: skip
    close(NOW + DAY)

    assert told(cast.beiyuan) == []
    assert DayFigure.objects.filter(organization=cast.beiyuan).count() == 2


def test_as_of_tells_what_was_told_then(cast: Cast, erp: Connection) -> None:
    send(erp, "1", NOW - 2 * DAY, NOW)
    close(NOW)
    for number in (1, 2, 3):
        send(erp, f"late {number}", NOW - 2 * DAY, NOW + number * DAY)
        close(NOW + number * DAY)
    day = business = (NOW + DAY).date()

    assert told(cast.beiyuan) == [(MONDAY, (1, 0), (4, 0), (Why.LATE,))]
    assert told(cast.beiyuan, business) == [(MONDAY, (2, 0), (4, 0), (Why.LATE,))]
    assert told(cast.beiyuan, day + 2 * DAY) == []
    assert told(cast.beiyuan, NOW.date() - DAY) == [], "nothing was written down by then"
    assert versions_of(EVERYTHING, cast.beiyuan, MONDAY, MONDAY).kept_since == NOW.date()


def test_who_does_not_see_the_totals_is_told_nothing(cast: Cast, erp: Connection) -> None:
    send(erp, "1", NOW - 2 * DAY, NOW)
    close(NOW)
    send(erp, "2", NOW - 2 * DAY, NOW + DAY)
    close(NOW + DAY)

    for who, seen in ((cast.hua, 1), (cast.ren, 1), (cast.mo, 0), (cast.lin, 0)):
        found = versions_of(cast.viewer(who), cast.beiyuan, MONDAY, MONDAY)
        assert (len(found.restated), found.days) == (seen, seen)


def test_all_places_at_once_are_counted_as_each_alone(cast: Cast, erp: Connection) -> None:
    """Also a person of two companies, who is one person in the park."""
    for number in range(40):
        record([Happening(event="order.processed" if number % 5 else "login.failed", key=str(number),
                          at=NOW - timedelta(hours=7 * number), company=("beiyuan", "qinghe")[number % 2],
                          person=("lin", "mo", None)[number % 3])],
               connection=erp, now=NOW)  # fmt: skip
    for name, person in (("lin", cast.lin), ("mo", cast.mo)):
        identify(identity=Identity.objects.get(source="erp", external_id=name), person=person, by=EVERYTHING, now=NOW)
    refresh(now=NOW)

    found = days_of_places(activity_log(), {cast.beiyuan.pk: cast.park.pk, cast.qinghe.pk: cast.park.pk})

    first, last = date(2026, 4, 1), date(2026, 5, 31)
    both = [cast.beiyuan.pk, cast.qinghe.pk]
    for place, companies in ((cast.beiyuan, both[:1]), (cast.qinghe, both[1:]), (cast.park, both)):
        alone = daily(activity_log(), first=first, last=last, companies=companies)
        expected = {
            (place.pk, day): (events, people)
            for day, events, people in zip(alone.days, alone.events, alone.people, strict=True)
            if events
        }
        assert {key: value for key, value in found.items() if key[0] == place.pk} == expected
        assert expected
