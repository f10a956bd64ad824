"""Fairness on hand-made worlds: what is measured, against whom, and who stays hidden."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.cast import NOW, TODAY, Cast, person
from uptake.directory.models import Identity, Membership, Organization, PersonKind
from uptake.directory.scope import EVERYTHING, Viewer
from uptake.events.happening import Happening
from uptake.events.record import record
from uptake.programme.fairness.shares import Fairness, fairness_of
from uptake.programme.rewards.offer import Offer, offer
from uptake.programme.rewards.redeem import redeem
from uptake.programme.rewards.resolve import cancel
from uptake.programme.tests.world import Desk

MONTH = TODAY - timedelta(days=29)


@pytest.fixture
def cast(cast: Cast) -> Cast:
    """Without the cast's own memberships: one manager without a department would hide the smallest department."""
    Membership.objects.filter(person__in=[one.pk for one in cast.people().values()]).delete()
    return cast


def staff(cast: Cast, place: Organization, names: list[str], role: str) -> None:
    for name in names:
        who = person(name=name, at=place, email=f"{name}@beiyuan.example")
        Membership.objects.filter(person=who).update(role=role)
        cast.identities[name] = Identity.objects.create(
            source="orders", external_id=name, company=cast.beiyuan, person=who, first_seen_at=NOW
        )


def orders(desk: Desk, times: dict[str, int], lines: int = 10, day: date = TODAY) -> None:
    at = NOW - timedelta(days=(TODAY - day).days)
    told = [
        Happening(
            "order.processed", f"{name}/{day}/{nth}", at + timedelta(minutes=nth), name, f"{name}{nth}",
            {"lines": lines}, history_only=False,
        )
        for name, count in times.items()
        for nth in range(count)
    ]  # fmt: skip
    record(told, connection=desk.connection, now=at + timedelta(hours=2))
    desk.consider(at + timedelta(hours=3))


def looked(cast: Cast) -> Fairness:
    found = fairness_of(cast.beiyuan, MONTH, TODAY)
    assert found is not None
    return found


@pytest.mark.django_db(transaction=True)
def test_a_cap_that_hits_one_department_shows_where_the_same_work_earns_less(cast: Cast) -> None:
    desk = Desk(cast)  # 1 point a line, at most 100 points a day
    buyers, clerks = [f"b{n}" for n in range(10)], [f"c{n}" for n in range(10)]
    staff(cast, cast.purchasing, buyers, "buyer")
    staff(cast, cast.finance, clerks, "clerk")
    orders(desk, dict.fromkeys(buyers, 20) | dict.fromkeys(clerks, 10))
    found = looked(cast)

    # Each buyer did 20 orders and was capped at 100 points, each clerk 10 for 100 points.
    assert (found.points, found.reached) == (2000, 20)
    rows = {one.name: one for one in found.departments.groups}
    buying, paying = rows[cast.purchasing.name], rows[cast.finance.name]
    assert (buying.points, buying.reached) == (1000, 10)
    # 300 orders earned 2,000 points: 6⅔ each.
    assert buying.expected == pytest.approx(200 * 2000 / 300)
    assert buying.against is not None
    assert paying.against is not None
    assert buying.against.value == pytest.approx(0.75)
    assert buying.against.high < 1
    assert paying.against.value == pytest.approx(1.5)
    assert paying.against.low > 1
    fired = {(one.code, one.group, str(one.level)) for one in found.departments.triggers}
    assert ("OBSERVED_EXPECTED", cast.purchasing.name, "alert") in fired, "alike a head, and unlike for the same work"


@pytest.mark.django_db(transaction=True)
def test_less_work_explains_fewer_points(cast: Cast) -> None:
    desk = Desk(cast)
    buyers, clerks = [f"b{n}" for n in range(10)], [f"c{n}" for n in range(10)]
    staff(cast, cast.purchasing, buyers, "buyer")
    staff(cast, cast.finance, clerks, "clerk")
    orders(desk, dict.fromkeys(buyers, 9) | dict.fromkeys(clerks, 3))
    found = looked(cast)

    levels = {(one.group, str(one.level)) for one in found.departments.triggers if one.code == "OBSERVED_EXPECTED"}
    assert levels == {(cast.purchasing.name, "explained"), (cast.finance.name, "explained")}
    assert {one.name: one.points for one in found.roles.groups} == {"buyer": 900, "clerk": 300}


@pytest.mark.django_db(transaction=True)
def test_who_has_nothing_counts_and_small_groups_stay_hidden(cast: Cast) -> None:
    desk = Desk(cast)
    buyers, clerks = [f"b{n}" for n in range(12)], [f"c{n}" for n in range(12)]
    staff(cast, cast.purchasing, buyers, "buyer")
    staff(cast, cast.finance, clerks, "clerk")
    staff(cast, cast.finance, ["one", "two", "three"], "cashier")
    robot = person(name="Robot", at=cast.finance, email="r@beiyuan.example")
    type(robot).objects.filter(pk=robot.pk).update(kind=PersonKind.MACHINE)
    orders(desk, dict.fromkeys(buyers, 2))
    found = looked(cast)

    assert found.people == 27
    assert found.reached == 12
    names = {one.name for one in found.roles.groups}
    assert "cashier" not in names
    assert found.roles.hidden_people >= 3
    assert all(one.people >= 10 for one in (*found.roles.groups, *found.departments.groups))
    unreached = {one.group for one in found.departments.triggers if one.code == "REACH"}
    assert unreached == {cast.finance.name}
    assert any(one.code == "ZEROS" for one in found.triggers)


@pytest.mark.django_db(transaction=True)
def test_who_redeems_is_told_of_groups_and_what_came_to_nothing_does_not_count(cast: Cast) -> None:
    desk = Desk(cast)
    buyers, clerks = [f"b{n}" for n in range(12)], [f"c{n}" for n in range(12)]
    staff(cast, cast.purchasing, buyers, "buyer")
    staff(cast, cast.finance, clerks, "clerk")
    orders(desk, dict.fromkeys(buyers + clerks, 2))
    told = Offer(kind="goods", name_en="Mug", name_zh="杯子", text_en="", text_zh="", price=5)
    mug = offer(company=cast.beiyuan, offer=told, by=EVERYTHING, now=NOW)
    later = NOW + timedelta(hours=5)
    for name in (*buyers[:9], *clerks[:2]):
        who = cast.identities[name].person
        assert who is not None
        by = Viewer(None, who.pk, who.name, (), TODAY, (cast.beiyuan.path,))
        done = redeem(reward=mug, by=by, key=name, now=later).redemption
        if name in ("b8", "c1"):
            cancel(redemption=done.pk, by=by, key="no", now=later)

    found = looked(cast)

    rows = {one.name: one for one in found.departments.groups}
    assert {name: one.redeemed for name, one in rows.items()} == {cast.purchasing.name: 8, cast.finance.name: 1}
    fired = {(one.group, round(one.number, 3)) for one in found.departments.triggers if one.code == "REDEEMED"}
    assert fired == {(cast.finance.name, 0.125)}
    assert rows[cast.purchasing.name].redeeming == pytest.approx(8 / 12)


@pytest.mark.django_db
def test_of_under_ten_people_nothing_is_told(cast: Cast) -> None:
    assert fairness_of(cast.beiyuan, MONTH, TODAY) is None
    assert fairness_of(cast.qinghe, MONTH, TODAY) is None
