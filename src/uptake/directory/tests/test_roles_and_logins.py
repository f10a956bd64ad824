"""Roles are given by those who may, never to oneself nor above one's own; logins are opened likewise."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.cast import NOW, TODAY, Cast, person
from uptake.directory.grant_role import (
    LastAdministrator,
    NotToOneself,
    WrongDates,
    WrongPlaceForRole,
    end_role,
    give_role,
)
from uptake.directory.models import AuditEntry, Membership, Role, RoleAssignment
from uptake.directory.open_login import (
    LoginTaken,
    NoName,
    NotOnesOwn,
    close_login,
    invite,
    may_open_login,
    open_login,
)
from uptake.directory.scope import EVERYTHING, Deed, NotAllowed


@pytest.mark.parametrize(
    ("giver", "role", "at", "allowed"),
    [
        ("hua", Role.COMMITTEE, "beiyuan", True),
        ("hua", Role.EMPLOYEE, "purchasing", True),
        ("hua", Role.MANAGER, "beiyuan", False),
        ("hua", Role.COACH, "beiyuan", False),
        ("hua", Role.AUDITOR, "beiyuan", False),
        ("hua", Role.COMMITTEE, "qinghe", False),
        ("hua", Role.COMMITTEE, "park", False),
        ("mo", Role.COMMITTEE, "beiyuan", False),
        ("lin", Role.EMPLOYEE, "beiyuan", False),
        ("ke", Role.COMMITTEE, "beiyuan", False),
        ("wei", Role.EMPLOYEE, "beiyuan", False),
        ("shu", Role.EMPLOYEE, "beiyuan", False),
        ("ren", Role.MANAGER, "beiyuan", True),
        ("ren", Role.OPERATOR, "park", True),
        ("ren", Role.ADMINISTRATOR, "park", False),
        ("an", Role.ADMINISTRATOR, "park", True),
    ],
)
def test_who_may_give_what_where(cast: Cast, giver: str, role: Role, at: str, allowed: bool) -> None:
    friend = person(name="Friend", at=cast.receiving)
    by = cast.viewer(cast.people()[giver])

    if allowed:
        made = give_role(person=friend, role=role, organization=getattr(cast, at), from_date=TODAY, by=by, now=NOW)
        assert made.given_by_id == by.user_id
        assert AuditEntry.objects.get(deed="role.given").actor_name == by.name
    else:
        with pytest.raises(NotAllowed):
            give_role(person=friend, role=role, organization=getattr(cast, at), from_date=TODAY, by=by, now=NOW)
        assert not RoleAssignment.objects.filter(person=friend).exists()


def test_nobody_gives_a_role_to_themselves_or_to_strangers(cast: Cast) -> None:
    with pytest.raises(NotToOneself):
        give_role(
            person=cast.ren,
            role=Role.AUDITOR,
            organization=cast.park,
            from_date=TODAY,
            by=cast.viewer(cast.ren),
            now=NOW,
        )
    with pytest.raises(NotAllowed):
        give_role(
            person=cast.mo,
            role=Role.COMMITTEE,
            organization=cast.beiyuan,
            from_date=TODAY,
            by=cast.viewer(cast.hua),
            now=NOW,
        )


@pytest.mark.parametrize(
    ("role", "at"),
    [(Role.ADMINISTRATOR, "beiyuan"), (Role.OPERATOR, "qinghe"), (Role.COACH, "purchasing")],
)
def test_some_roles_belong_high_in_the_tree(cast: Cast, role: Role, at: str) -> None:
    with pytest.raises(WrongPlaceForRole):
        give_role(person=cast.lin, role=role, organization=getattr(cast, at), from_date=TODAY, by=EVERYTHING, now=NOW)


def test_a_role_given_twice_is_given_once_and_ends(cast: Cast) -> None:
    by = cast.viewer(cast.hua)
    first, again = (
        give_role(person=cast.lin, role=Role.COMMITTEE, organization=cast.beiyuan, from_date=TODAY, by=by, now=NOW)
        for _ in range(2)
    )
    assert first == again
    assert cast.viewer(cast.lin).may(Deed.MANAGE_RULES, cast.beiyuan)

    end_role(assignment=first, until_date=TODAY, by=by, now=NOW)

    assert not cast.viewer(cast.lin).may(Deed.MANAGE_RULES)
    assert AuditEntry.objects.filter(deed__in=["role.given", "role.ended"]).count() == 2
    with pytest.raises(WrongDates):
        give_role(
            person=cast.lin,
            role=Role.COMMITTEE,
            organization=cast.beiyuan,
            from_date=TODAY,
            until_date=TODAY,
            by=by,
            now=NOW,
        )


def test_a_manager_ends_no_role_above_the_own(cast: Cast) -> None:
    coach = RoleAssignment.objects.get(person=cast.wei)

    with pytest.raises(NotAllowed):
        end_role(assignment=coach, until_date=TODAY, by=cast.viewer(cast.hua), now=NOW)
    assert cast.viewer(cast.wei).may(Deed.SEE_PEOPLE, cast.beiyuan)


def test_the_last_administrator_stays(cast: Cast) -> None:
    only = RoleAssignment.objects.get(role=Role.ADMINISTRATOR)
    with pytest.raises(LastAdministrator):
        end_role(assignment=only, until_date=TODAY, by=EVERYTHING, now=NOW)

    give_role(person=cast.ren, role=Role.ADMINISTRATOR, organization=cast.park, from_date=TODAY, by=EVERYTHING, now=NOW)
    end_role(assignment=only, until_date=TODAY + timedelta(days=1), by=EVERYTHING, now=NOW)
    assert not cast.viewer(cast.an, TODAY + timedelta(days=1)).may(Deed.RUN_PLATFORM)


def test_a_login_is_opened_without_a_password_anybody_knows(cast: Cast) -> None:
    friend = person(name="Friend", at=cast.receiving, email="friend@beiyuan.example")

    user = open_login(person=friend, username="friend", by=cast.viewer(cast.hua), now=NOW)

    assert not user.has_usable_password()
    assert user.email == "friend@beiyuan.example"
    assert open_login(person=friend, username="other", by=cast.viewer(cast.hua), now=NOW) == user
    assert AuditEntry.objects.filter(deed="login.opened").count() == 1


@pytest.mark.parametrize("name", ["lin", "LIN", "lin@beiyuan.example"])
def test_two_logins_never_answer_to_one_name(cast: Cast, name: str) -> None:
    friend = person(name="Friend", at=cast.receiving)

    with pytest.raises(LoginTaken):
        open_login(person=friend, username=name, by=EVERYTHING, now=NOW)
    with pytest.raises(NoName):
        open_login(person=friend, username=" ", by=EVERYTHING, now=NOW)


def test_no_manager_gets_into_the_login_of_somebody_with_more_rights(cast: Cast) -> None:
    hua = cast.viewer(cast.hua)
    assert may_open_login(hua, cast.lin)
    assert may_open_login(hua, cast.ke)

    give_role(person=cast.lin, role=Role.AUDITOR, organization=cast.beiyuan, from_date=TODAY, by=EVERYTHING, now=NOW)

    for deed in (invite, close_login):
        with pytest.raises(NotAllowed):
            deed(user=cast.login(cast.lin), by=hua, now=NOW)
        with pytest.raises(NotAllowed):
            deed(user=cast.login(cast.mo), by=hua, now=NOW)
    with pytest.raises(NotAllowed):
        invite(user=cast.login(cast.an), by=cast.viewer(cast.ren), now=NOW)


def test_a_link_to_sign_in_as_somebody_of_two_companies_is_for_the_one_who_manages_both(cast: Cast) -> None:
    there = Membership.objects.create(person=cast.lin, organization=cast.dyeing, from_date=TODAY - timedelta(days=9))

    for manager in (cast.hua, cast.mo):
        with pytest.raises(NotAllowed):
            invite(user=cast.login(cast.lin), by=cast.viewer(manager), now=NOW)
    assert may_open_login(cast.viewer(cast.ren), cast.lin)

    there.until_date = TODAY
    there.save()

    assert may_open_login(cast.viewer(cast.hua), cast.lin)


def test_a_closed_login_ends_its_sessions_and_opens_again(cast: Cast) -> None:
    with pytest.raises(NotOnesOwn):
        close_login(user=cast.login(cast.hua), by=cast.viewer(cast.hua), now=NOW)

    close_login(user=cast.login(cast.lin), by=cast.viewer(cast.hua), now=NOW)
    assert not cast.login(cast.lin).is_active
    with pytest.raises(NotAllowed):
        invite(user=cast.login(cast.lin), by=cast.viewer(cast.hua), now=NOW)

    open_login(person=cast.lin, username="lin", by=cast.viewer(cast.hua), now=NOW)
    assert cast.login(cast.lin).is_active
