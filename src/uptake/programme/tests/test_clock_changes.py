"""The clock of a company changes: by its rulebook where it has one, and points come out the same in any order."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from tests.cast import NOW, Cast
from uptake.basics.business_day import Clock, Turn, start_of
from uptake.directory.clock import ClockTooSoon, DateLost, set_clock
from uptake.directory.models import Identity, Organization
from uptake.directory.place import settings_at
from uptake.directory.scope import EVERYTHING, NotAllowed
from uptake.events.happening import Happening
from uptake.events.models import Connection, Event
from uptake.events.record import record
from uptake.ledger.models import Lot
from uptake.ledger.verify import verify
from uptake.programme.clock_change import DecidedByRules, change_clock, take_back_clock
from uptake.programme.consider import consider_new_events
from uptake.programme.models import Award, RulebookVersion
from uptake.programme.publish import OtherClock, publish
from uptake.programme.rewards.terms import terms_of
from uptake.programme.verify import problems_of as caps_broken
from uptake.programme.verify_again import problems_of as folded_again

pytestmark = pytest.mark.django_db(transaction=True)

FIRST = date(2026, 5, 20)
"""From this date on another clock holds."""
OLD = Turn(date.min, "Asia/Shanghai", time(0))
RULES: list[dict[str, Any]] = [
    {
        "rule": "orders",
        "version": 1,
        "from": "2026-01-01",
        "on": "order.processed",
        "points": {"per": "lines"},
        "cap": [{"points": 12, "every": "day"}],
        "expires": {"days": 10},
    }
]


def rules(zone: str = "", start: str = "", **programme: Any) -> dict[str, Any]:
    told = {**({"timezone": zone} if zone else {}), **({"day_start": start} if start else {}), **programme}
    return {"programme": told, "rules": RULES}


def published(
    place: Organization, rulebook: dict[str, Any], day: date = FIRST, now: datetime = NOW, **more: Any
) -> Any:
    return publish(rulebook=rulebook, organization=place, in_force_date=day, by=EVERYTHING, now=now, **more)


def shanghai(place: Organization) -> None:
    set_clock(organization=place, timezone="Asia/Shanghai", day_start=None, by=EVERYTHING, now=NOW)


def source(place: Organization, slug: str, cast: Cast, who: str = "lin") -> Connection:
    made = Connection.objects.create(slug=slug, kind="api", name=slug, organization=place, created_at=NOW)
    Identity.objects.create(
        source=slug, external_id=who, company=place.company, person=getattr(cast, who), first_seen_at=NOW,
        resolved_at=NOW, resolved_how="hand",
    )  # fmt: skip
    return made


def order(key: str, at: datetime, lines: int = 5, who: str = "lin") -> Happening:
    return Happening("order.processed", key, at, who, key, {"lines": lines})


def sent(connection: Connection, at: datetime, key: str = "", now: datetime | None = None, **more: Any) -> Event:
    connection = Connection.objects.get(pk=connection.pk)  # it reads its clock once
    (fate,) = record([order(key or f"{connection.slug}/{at}", at, **more)], connection=connection, now=now or at)
    assert fate.event_id is not None, fate.reason
    return Event.objects.get(pk=fate.event_id)


def considered(now: datetime) -> None:
    while consider_new_events(now=now):
        pass


def sound(place: Organization) -> None:
    assert not verify().problems
    assert folded_again(place.pk) == []
    assert list(caps_broken(place.pk)) == []


def test_who_manages_people_sets_a_clock_at_once_where_nothing_was_dated_else_for_a_date_to_come(cast: Cast) -> None:
    hua = cast.viewer(cast.hua)
    asked: dict[str, Any] = {"organization": cast.beiyuan, "by": hua, "now": NOW}
    assert change_clock(timezone="Asia/Shanghai", day_start=None, **asked) is None
    assert settings_at(cast.beiyuan) == Clock([OLD])
    event = sent(source(cast.beiyuan, "erp", cast), NOW)
    assert change_clock(timezone="Asia/Tokyo", day_start=time(4), **asked) == date(2026, 5, 14)
    assert settings_at(cast.beiyuan) == Clock([OLD, Turn(date(2026, 5, 14), "Asia/Tokyo", time(4))])
    event.refresh_from_db()
    assert event.business_date == date(2026, 5, 13)
    take_back_clock(from_date=date(2026, 5, 14), **asked)
    assert settings_at(cast.beiyuan) == Clock([OLD])
    with pytest.raises(ClockTooSoon):
        change_clock(timezone="Asia/Tokyo", day_start=None, from_date=date(2026, 5, 13), **asked)
    with pytest.raises(NotAllowed):
        change_clock(
            timezone="Asia/Tokyo", day_start=None, organization=cast.beiyuan, by=cast.viewer(cast.lin), now=NOW
        )


def test_the_first_date_that_can_be_is_the_day_after_tomorrow_late_in_the_evening(cast: Cast) -> None:
    shanghai(cast.beiyuan)
    sent(source(cast.beiyuan, "erp", cast), NOW)
    now = datetime(2026, 5, 13, 15, 30, tzinfo=UTC)
    day = change_clock(
        organization=cast.beiyuan, timezone="Asia/Tokyo", day_start=None, by=cast.viewer(cast.hua), now=now
    )
    assert day == date(2026, 5, 15)


def test_where_a_rulebook_applies_it_alone_changes_the_clock(cast: Cast) -> None:
    shanghai(cast.park)
    published(cast.beiyuan, rules(), date(2020, 1, 1))
    sent(source(cast.beiyuan, "erp", cast), NOW)
    for place in (cast.beiyuan, cast.park):
        with pytest.raises(DecidedByRules) as refused:
            change_clock(organization=place, timezone="Asia/Tokyo", day_start=None, by=EVERYTHING, now=NOW)
        assert refused.value.place == cast.beiyuan
    with pytest.raises(OtherClock):
        published(cast.beiyuan, rules("Asia/Tokyo"))
    with pytest.raises(OtherClock):  # what has begun cannot change it
        published(cast.qinghe, rules("Asia/Tokyo"), date(2026, 5, 13), changes_clock=True)
    published(cast.beiyuan, rules("Asia/Tokyo", "04:00"), changes_clock=True)
    assert settings_at(cast.beiyuan) == Clock([OLD, Turn(FIRST, "Asia/Tokyo", time(4))])
    with pytest.raises(DecidedByRules):
        take_back_clock(organization=cast.beiyuan, from_date=FIRST, by=EVERYTHING, now=NOW)
    # The next rulebook may name the old one again; one without a clock goes by what holds on its first date.
    later = published(cast.beiyuan, rules(week_start="sunday"), FIRST + timedelta(days=3))
    assert '"day_start":"04:00"' in later.file.replace(" ", "")
    published(cast.beiyuan, rules("Asia/Shanghai", "00:00"), FIRST, changes_clock=True)
    assert settings_at(cast.beiyuan) == Clock([OLD])


def test_a_rulebook_that_would_lose_a_date_is_not_published(cast: Cast) -> None:
    set_clock(organization=cast.beiyuan, timezone="Pacific/Pago_Pago", day_start=None, by=EVERYTHING, now=NOW)
    before = published(cast.beiyuan, rules(), date(2020, 1, 1))
    with pytest.raises(DateLost):
        published(cast.beiyuan, rules("Pacific/Kiritimati"), changes_clock=True)
    assert list(RulebookVersion.objects.filter(organization=cast.beiyuan)) == [before]
    assert settings_at(cast.beiyuan) == Clock.steady("Pacific/Pago_Pago")


def test_each_event_is_dated_by_the_clock_of_its_date_whenever_it_comes(cast: Cast) -> None:
    shanghai(cast.beiyuan)
    published(cast.beiyuan, rules(), date(2020, 1, 1))
    erp = source(cast.beiyuan, "erp", cast)
    turn = start_of(FIRST, "Europe/Berlin", time(2, 30))
    first = sent(erp, NOW)
    published(cast.beiyuan, rules("Europe/Berlin", "02:30"), changes_clock=True, now=NOW + timedelta(days=1))
    now = turn + timedelta(days=2)
    dates = {
        hours: sent(erp, turn + timedelta(hours=hours), now=now).business_date for hours in (-32, -9, -1, 0, 5, 24)
    }
    # The 19th lasts from midnight in Shanghai to half past two in Berlin: 32 and a half hours.
    assert dates == {
        -32: date(2026, 5, 19), -9: date(2026, 5, 19), -1: date(2026, 5, 19), 0: FIRST, 5: FIRST, 24: date(2026, 5, 21),
    }  # fmt: skip
    first.refresh_from_db()
    assert first.business_date == date(2026, 5, 13)
    considered(now)
    # The cap of 12 a day: three events of the longer 19th share it, two of the 20th theirs, one of the 21st.
    assert sorted(Award.objects.exclude(event=first).values_list("date", "points")) == [
        *((date(2026, 5, 19), points) for points in (2, 5, 5)), (FIRST, 5), (FIRST, 5), (date(2026, 5, 21), 5)
    ]  # fmt: skip
    sound(cast.beiyuan)


def test_in_whatever_order_events_come_over_a_change_points_and_their_ends_are_the_same(cast: Cast) -> None:
    told = []
    dice = random.Random(7)
    turn = start_of(FIRST, "America/New_York", time(4))
    for nth, place in enumerate((cast.beiyuan, cast.qinghe)):
        who = ("lin", "mo")[nth]
        shanghai(place)
        published(place, rules(), date(2020, 1, 1))
        erp = source(place, f"erp{nth}", cast, who)
        happenings = [
            order(f"{hour:03}", turn + timedelta(hours=hour - 40), 3 + hour % 4, who) for hour in range(0, 80, 3)
        ]
        when = [turn - timedelta(hours=39), *(turn + timedelta(hours=hour) for hour in (-20, -1, 1, 30))]
        left = list(happenings)
        for step, now in enumerate([*when, turn + timedelta(days=4)]):
            if step == 1:
                published(place, rules("America/New_York", "04:00"), changes_clock=True, now=now)
            known = [one for one in left if one.at <= now]
            come = known if nth == 0 or step == len(when) else dice.sample(known, k=len(known) // 2)
            left = [one for one in left if one not in come]
            if nth:
                dice.shuffle(come)
            record(come, connection=Connection.objects.get(pk=erp.pk), now=now)
            considered(now)
        assert not left
        rows = Award.objects.filter(company=place).order_by("event__key")
        lots = {
            int(lot.key.split("/")[1]): (lot.last_date, lot.expires_at) for lot in Lot.objects.filter(book=place.pk)
        }
        told.append(
            [
                (one.event.key, one.date, one.points, lots.get(one.event_id) if one.points else None)
                for one in rows.select_related("event")
            ]
        )
    assert len(told[0]) == 27
    assert told[0] == told[1]
    # What is earned keeps the end it was promised, by the clock of its date.
    ends = {(day, end) for _, day, points, end in told[0] if points}
    for day, end in ends:
        assert end is not None
        zone, start = ("Asia/Shanghai", time(0)) if day < FIRST else ("America/New_York", time(4))
        assert end == (day + timedelta(days=10), start_of(day + timedelta(days=11), zone, start))
    for place in (cast.beiyuan, cast.qinghe):
        sound(place)


def test_a_request_times_out_by_the_clock_that_holds_then(cast: Cast) -> None:
    shanghai(cast.beiyuan)
    published(cast.beiyuan, rules(redemption_timeout_days=14), date(2020, 1, 1))
    assert terms_of(cast.beiyuan, NOW).times_out_at == start_of(date(2026, 5, 28), "Asia/Shanghai")
    published(cast.beiyuan, rules("Asia/Tokyo", "06:00", redemption_timeout_days=14), changes_clock=True)
    assert terms_of(cast.beiyuan, NOW).times_out_at == start_of(date(2026, 5, 28), "Asia/Tokyo", time(6))
    turn = start_of(FIRST, "Asia/Tokyo", time(6))
    assert terms_of(cast.beiyuan, turn - timedelta(seconds=1)).today == date(2026, 5, 19)
    assert terms_of(cast.beiyuan, turn).today == FIRST


def test_two_sites_of_a_company_in_two_zones_date_what_happens_there(cast: Cast) -> None:
    shanghai(cast.beiyuan)
    published(cast.beiyuan, rules(), date(2020, 1, 1))
    for place, zone in ((cast.purchasing, "America/Los_Angeles"), (cast.finance, "Pacific/Auckland")):
        set_clock(organization=place, timezone=zone, day_start=None, by=EVERYTHING, now=NOW)
    west, east, head = (
        source(place, slug, cast)
        for place, slug in ((cast.purchasing, "west"), (cast.finance, "east"), (cast.beiyuan, "head"))
    )
    team = source(cast.receiving, "team", cast)
    at = datetime(2026, 5, 13, 14, 0, tzinfo=UTC)  # 07:00 in Los Angeles, 22:00 in Shanghai, 02:00 in Auckland
    for connection in (west, east, head, team):
        sent(connection, at, lines=10)
    named = Happening("order.processed", "named", at, "lin", "named", {"lines": 1}, company=cast.finance.slug)
    assert record([named], connection=east, now=at)[0].fate == "new"
    dates = dict(Event.objects.order_by("pk").values_list("source", "business_date"))
    here, there = date(2026, 5, 13), date(2026, 5, 14)
    assert dates == {"west": here, "east": there, "head": here, "team": here}
    assert set(Event.objects.filter(source="east").values_list("business_date", flat=True)) == {there}
    considered(at)
    # One person, one cap a date: the three of the 13th share 12 points, the two of the 14th theirs.
    sums: dict[date, int] = {}
    for day, points in Award.objects.values_list("date", "points"):
        sums[day] = sums.get(day, 0) + points
    assert sums == {here: 12, there: 11}
    sound(cast.beiyuan)


def test_a_rulebook_of_the_park_goes_by_the_clock_of_each_company(cast: Cast) -> None:
    shanghai(cast.park)
    set_clock(organization=cast.qinghe, timezone="America/New_York", day_start=time(6), by=EVERYTHING, now=NOW)
    published(cast.park, rules(), date(2020, 1, 1))
    for who, place in (("lin", cast.beiyuan), ("mo", cast.qinghe)):
        sent(source(place, who, cast, who), NOW, who=who)
    considered(NOW)
    ends = dict(Lot.objects.values_list("book", "expires_at"))
    assert ends == {
        cast.beiyuan.pk: start_of(date(2026, 5, 24), "Asia/Shanghai"),
        cast.qinghe.pk: start_of(date(2026, 5, 23), "America/New_York", time(6)),
    }
    # A company's own rulebook made from the park's gets the company's clock; then the park's change leaves it alone.
    own = published(cast.beiyuan, rules("Asia/Shanghai", "00:00", week_start="sunday"))
    published(cast.park, rules("Asia/Tokyo"), FIRST, changes_clock=True)
    assert settings_at(cast.park) == Clock([OLD, Turn(FIRST, "Asia/Tokyo", time(0))])
    assert settings_at(cast.beiyuan) == Clock([OLD])
    assert own.organization == cast.beiyuan
    mine = published(cast.qinghe, rules("Asia/Shanghai", "00:00"), FIRST - timedelta(days=1))
    assert "America/New_York" in mine.file
