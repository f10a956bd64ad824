"""A lost second step is removed by whoever manages the person wholly; by nobody else, and never one's own."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator

from tests.cast import NOW, TODAY, Cast
from uptake.directory.drop_second_step import (
    NoSecondStep,
    OwnSecondStep,
    drop_second_step,
    has_second_step,
    may_drop_second_step,
)
from uptake.directory.grant_role import give_role
from uptake.directory.models import AuditEntry, Membership, Person, Role
from uptake.directory.scope import EVERYTHING, NotAllowed


def with_second_step(cast: Cast, *people: Person) -> None:
    for person in people:
        for kind in (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES):
            Authenticator.objects.create(user=cast.login(person), type=kind, data={})


def test_app_and_codes_go_together_and_only_theirs(cast: Cast) -> None:
    with_second_step(cast, cast.lin, cast.ke)

    drop_second_step(user=cast.login(cast.lin), by=cast.viewer(cast.hua), now=NOW)

    assert not has_second_step(cast.login(cast.lin))
    assert Authenticator.objects.filter(user=cast.login(cast.ke)).count() == 2
    entry = AuditEntry.objects.get(deed="login.second_step_dropped")
    assert (entry.actor, entry.subject) == (cast.login(cast.hua), cast.lin.name)
    assert entry.details == {"person": cast.lin.pk, "login": "lin", "kinds": ["recovery_codes", "totp"]}
    assert entry.organization is not None
    assert entry.organization.company == cast.beiyuan


@pytest.mark.parametrize(
    ("who", "whose", "allowed"),
    [
        ("hua", "lin", True),
        ("hua", "ke", True),
        ("hua", "mo", False),
        ("hua", "ren", False),
        ("hua", "wei", False),
        ("mo", "lin", False),
        ("wei", "lin", False),
        ("shu", "lin", False),
        ("ke", "lin", False),
        ("lin", "hua", False),
        ("ren", "hua", True),
        ("ren", "mo", True),
        ("ren", "an", False),
        ("an", "ren", True),
    ],
)
def test_who_may_remove_whose(cast: Cast, who: str, whose: str, allowed: bool) -> None:
    viewer, person = cast.viewer(cast.people()[who]), cast.people()[whose]
    with_second_step(cast, person)
    assert may_drop_second_step(viewer, person) is allowed

    if allowed:
        drop_second_step(user=cast.login(person), by=viewer, now=NOW)
    else:
        with pytest.raises(NotAllowed):
            drop_second_step(user=cast.login(person), by=viewer, now=NOW)

    assert has_second_step(cast.login(person)) is not allowed
    assert AuditEntry.objects.filter(deed="login.second_step_dropped").exists() is allowed


@pytest.mark.parametrize("who", ["lin", "hua", "ren", "an"])
def test_nobody_removes_the_own_this_way(cast: Cast, who: str) -> None:
    person = cast.people()[who]
    with_second_step(cast, person)

    with pytest.raises(OwnSecondStep):
        drop_second_step(user=cast.login(person), by=cast.viewer(person), now=NOW)

    assert has_second_step(cast.login(person))
    assert not may_drop_second_step(cast.viewer(person), person)


def test_a_role_above_or_outside_shields_also_before_it_begins(cast: Cast) -> None:
    with_second_step(cast, cast.lin, cast.ke)
    soon = TODAY + timedelta(days=5)
    give_role(person=cast.lin, role=Role.AUDITOR, organization=cast.beiyuan, from_date=soon, by=EVERYTHING, now=NOW)
    give_role(person=cast.ke, role=Role.COMMITTEE, organization=cast.qinghe, from_date=TODAY, by=EVERYTHING, now=NOW)

    for person in (cast.lin, cast.ke):
        with pytest.raises(NotAllowed):
            drop_second_step(user=cast.login(person), by=cast.viewer(cast.hua), now=NOW)

    assert has_second_step(cast.login(cast.lin))


def test_who_belongs_elsewhere_too_is_for_the_one_who_manages_both(cast: Cast) -> None:
    with_second_step(cast, cast.lin)
    there = Membership.objects.create(person=cast.lin, organization=cast.dyeing, from_date=TODAY - timedelta(days=9))
    with pytest.raises(NotAllowed):
        drop_second_step(user=cast.login(cast.lin), by=cast.viewer(cast.hua), now=NOW)
    with pytest.raises(NotAllowed):
        drop_second_step(user=cast.login(cast.lin), by=cast.viewer(cast.mo), now=NOW)
    assert may_drop_second_step(cast.viewer(cast.ren), cast.lin)

    there.until_date = TODAY
    there.save()

    assert may_drop_second_step(cast.viewer(cast.hua), cast.lin)


def test_where_there_is_none_nothing_is_noted(cast: Cast) -> None:
    with pytest.raises(NoSecondStep):
        drop_second_step(user=cast.login(cast.lin), by=cast.viewer(cast.hua), now=NOW)

    assert not AuditEntry.objects.filter(deed="login.second_step_dropped").exists()
