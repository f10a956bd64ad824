"""A clock changes from a date to come on: what was dated stays, plans can be taken back, no date is lost."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from tests.cast import NOW, Cast
from uptake.basics.business_day import Clock, Turn
from uptake.directory.clock import (
    ClockTooFar,
    ClockTooSoon,
    DateLost,
    NothingPlanned,
    UnknownZone,
    plan_clock,
    set_clock,
    withdraw_clock,
)
from uptake.directory.models import AuditEntry, ClockChange, Organization
from uptake.directory.organize import move_organization
from uptake.directory.place import named_on, settings_at, settings_of
from uptake.directory.scope import EVERYTHING, NotAllowed

pytestmark = pytest.mark.django_db

SHANGHAI = Turn(date.min, "Asia/Shanghai", time(0))
FIRST = date(2026, 5, 20)


@pytest.fixture
def park(cast: Cast) -> Cast:
    set_clock(organization=cast.park, timezone="Asia/Shanghai", day_start=None, by=EVERYTHING, now=NOW)
    return cast


def plan(place: Organization, zone: str, day: date = FIRST, start: time | None = None, now: datetime = NOW) -> None:
    plan_clock(organization=place, timezone=zone, day_start=start, from_date=day, by=EVERYTHING, now=now)


def test_a_planned_clock_holds_from_its_date_on_there_and_below(park: Cast) -> None:
    plan(park.beiyuan, "Asia/Tokyo", start=time(6))
    turned = Clock([SHANGHAI, Turn(FIRST, "Asia/Tokyo", time(6))])
    assert settings_of([park.beiyuan, park.receiving, park.qinghe, park.park]) == {
        park.beiyuan.pk: turned,
        park.receiving.pk: turned,
        park.qinghe.pk: Clock([SHANGHAI]),
        park.park.pk: Clock([SHANGHAI]),
    }
    assert named_on(park.beiyuan, FIRST - timedelta(days=1))[1:] == ("", None)
    assert named_on(park.beiyuan, FIRST)[1:] == ("Asia/Tokyo", time(6))
    told = AuditEntry.objects.get(deed="organization.clock_planned")
    assert (told.organization, told.details["from_date"]) == (park.beiyuan, "2026-05-20")


def test_what_a_place_names_and_what_it_inherits_change_each_by_itself(park: Cast) -> None:
    plan(park.park, "Asia/Tokyo", start=time(4))
    plan(park.beiyuan, "Asia/Urumqi", FIRST + timedelta(days=2))
    assert settings_at(park.finance) == Clock(
        [SHANGHAI, Turn(FIRST, "Asia/Tokyo", time(4)), Turn(FIRST + timedelta(days=2), "Asia/Urumqi", time(4))]
    )
    plan(park.park, "Asia/Shanghai", start=time(0))
    assert settings_at(park.qinghe) == Clock([SHANGHAI])


@pytest.mark.parametrize("day", [date(2026, 5, 12), date(2026, 5, 13)])
def test_a_date_that_has_begun_is_too_soon(park: Cast, day: date) -> None:
    with pytest.raises(ClockTooSoon) as refused:
        plan(park.beiyuan, "Asia/Tokyo", day)
    assert refused.value.earliest == date(2026, 5, 14)
    assert not ClockChange.objects.exists()
    plan(park.beiyuan, "Asia/Tokyo", refused.value.earliest)


def test_a_date_that_has_begun_by_the_other_clock_is_too_soon_too(park: Cast) -> None:
    now = datetime(2026, 5, 13, 15, 30, tzinfo=UTC)  # 23:30 in Shanghai, 00:30 of the 14th in Tokyo
    with pytest.raises(ClockTooSoon) as refused:
        plan(park.beiyuan, "Asia/Tokyo", date(2026, 5, 14), now=now)
    assert refused.value.earliest == date(2026, 5, 15)
    plan(park.beiyuan, "Asia/Tokyo", refused.value.earliest, now=now)


def test_a_clock_by_which_a_date_would_be_lost_is_refused_also_for_a_place_below(park: Cast) -> None:
    set_clock(organization=park.beiyuan, timezone="Pacific/Pago_Pago", day_start=None, by=EVERYTHING, now=NOW)
    with pytest.raises(DateLost) as refused:
        plan(park.beiyuan, "Pacific/Kiritimati")
    assert (refused.value.day, refused.value.place) == (date(2026, 5, 19), "Beiyuan Precision")
    # Of Qinghe nothing would be lost; a site of it lives by another day start.
    plan(park.dyeing, "", FIRST - timedelta(days=1), start=time(23))
    set_clock(organization=park.finance, timezone="", day_start=time(23), by=EVERYTHING, now=NOW)
    with pytest.raises(DateLost) as below:
        plan(park.finance, "Asia/Shanghai", start=time(0))
    assert below.value.place == "Finance"
    plan(park.beiyuan, "Asia/Shanghai", FIRST, start=time(23))
    assert settings_at(park.beiyuan).lost() is None


def test_only_who_manages_there_plans_a_zone_there_is_within_a_year(park: Cast) -> None:
    asked = {"timezone": "Asia/Tokyo", "day_start": None, "from_date": FIRST, "now": NOW}
    for who in (park.lin, park.mo):
        with pytest.raises(NotAllowed):
            plan_clock(organization=park.beiyuan, by=park.viewer(who), **asked)  # type: ignore[arg-type]
    plan_clock(organization=park.beiyuan, by=park.viewer(park.hua), **asked)  # type: ignore[arg-type]
    with pytest.raises(NotAllowed):
        withdraw_clock(organization=park.beiyuan, from_date=FIRST, by=park.viewer(park.lin), now=NOW)
    with pytest.raises(UnknownZone):
        plan(park.beiyuan, "Asia/Nowhere")
    with pytest.raises(ClockTooFar) as refused:
        plan(park.beiyuan, "Asia/Tokyo", date(2028, 1, 1))
    assert refused.value.latest == date(2027, 5, 14)


def test_a_plan_is_taken_back_before_it_comes_and_not_after(park: Cast) -> None:
    plan(park.beiyuan, "Asia/Urumqi")
    withdraw_clock(organization=park.beiyuan, from_date=FIRST, by=EVERYTHING, now=NOW)
    assert settings_at(park.beiyuan) == Clock([SHANGHAI])
    assert AuditEntry.objects.filter(deed="organization.clock_withdrawn").count() == 1
    with pytest.raises(NothingPlanned):
        withdraw_clock(organization=park.beiyuan, from_date=FIRST, by=EVERYTHING, now=NOW)
    # Urumqi's date begins two hours after Shanghai's: the hours in between are dated by the plan already.
    plan(park.beiyuan, "Asia/Urumqi")
    with pytest.raises(NothingPlanned):
        withdraw_clock(
            organization=park.beiyuan, from_date=FIRST, by=EVERYTHING, now=datetime(2026, 5, 19, 17, tzinfo=UTC)
        )
    with pytest.raises(NothingPlanned):
        withdraw_clock(
            organization=park.beiyuan, from_date=FIRST, by=EVERYTHING, now=datetime(2026, 5, 19, 18, tzinfo=UTC)
        )


def test_a_place_keeps_its_clock_wherever_it_is_moved(park: Cast) -> None:
    set_clock(organization=park.finance, timezone="Asia/Tokyo", day_start=None, by=EVERYTHING, now=NOW)
    plan(park.finance, "Asia/Urumqi")
    before = settings_at(park.finance)
    below = settings_at(park.receiving)
    park.receiving.refresh_from_db()
    move_organization(organization=park.receiving, parent=park.finance, by=EVERYTHING, now=NOW)
    park.receiving.refresh_from_db()
    assert settings_at(park.receiving) == below != before
    plan(park.beiyuan, "Asia/Tokyo")
    turned = settings_at(park.purchasing)
    park.purchasing.refresh_from_db()
    move_organization(organization=park.purchasing, parent=park.beiyuan, by=EVERYTHING, now=NOW)
    assert settings_at(park.purchasing) == turned


def test_a_clock_set_anew_forgets_plans(park: Cast) -> None:
    plan(park.beiyuan, "Asia/Tokyo")
    set_clock(organization=park.beiyuan, timezone="Asia/Urumqi", day_start=time(5), by=EVERYTHING, now=NOW)
    assert settings_at(park.beiyuan) == Clock.steady("Asia/Urumqi", time(5))
