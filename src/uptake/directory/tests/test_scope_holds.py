"""What each of the cast may see and do: by role, by place, by date."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.contrib.auth.models import AnonymousUser

from tests.cast import NOW, TODAY, Cast, give, person, place
from uptake.directory.audit import note
from uptake.directory.models import (
    AuditEntry,
    CalendarDay,
    Identity,
    Kind,
    Membership,
    Organization,
    Person,
    Role,
    RoleAssignment,
    User,
)
from uptake.directory.scope import EVERYTHING, NOBODY, Deed, viewer_of
from uptake.directory.viewer import Grant, Viewer, outermost

HELPING = {Deed.RUN_TRAININGS, Deed.ANSWER_FEEDBACK}


@pytest.mark.parametrize(
    ("who", "at_beiyuan", "at_qinghe"),
    [
        ("lin", set(), set()),
        ("hua", {Deed.SEE_TOTALS, Deed.MANAGE_PEOPLE, Deed.GIVE_ROLES, *HELPING}, set()),
        ("ke", {Deed.SEE_TOTALS, Deed.MANAGE_RULES, Deed.ANSWER_FEEDBACK}, set()),
        ("mo", set(), {Deed.SEE_TOTALS, Deed.MANAGE_PEOPLE, Deed.GIVE_ROLES, *HELPING}),
        ("wei", {Deed.SEE_TOTALS, Deed.SEE_PEOPLE, Deed.SEE_EVENTS, *HELPING}, set()),
        ("ren", set(Deed) - {Deed.RUN_PLATFORM}, set(Deed) - {Deed.RUN_PLATFORM}),
        (
            "shu",
            {Deed.SEE_TOTALS, Deed.SEE_PEOPLE, Deed.SEE_EVENTS, Deed.SEE_LEDGER, Deed.SEE_AUDIT},
            {Deed.SEE_TOTALS, Deed.SEE_PEOPLE, Deed.SEE_EVENTS, Deed.SEE_LEDGER, Deed.SEE_AUDIT},
        ),
        ("an", set(Deed), set(Deed)),
    ],
)
def test_a_role_allows_its_deeds_at_its_place_only(
    cast: Cast, who: str, at_beiyuan: set[Deed], at_qinghe: set[Deed]
) -> None:
    viewer = cast.viewer(cast.people()[who])

    assert {deed for deed in Deed if viewer.may(deed, cast.beiyuan)} == at_beiyuan
    assert {deed for deed in Deed if viewer.may(deed, cast.receiving)} == at_beiyuan
    assert {deed for deed in Deed if viewer.may(deed, cast.qinghe)} == at_qinghe


def test_companies_are_those_where_the_deed_is_allowed_as_a_whole(cast: Cast) -> None:
    give(cast.lin, Role.MANAGER, cast.purchasing)

    assert set(cast.viewer(cast.wei).companies(Deed.SEE_EVENTS)) == {cast.beiyuan}
    assert set(cast.viewer(cast.ren).companies(Deed.SEE_EVENTS)) == {cast.beiyuan, cast.qinghe}
    assert set(cast.viewer(cast.lin).companies(Deed.SEE_TOTALS)) == set()


def test_a_role_holds_from_its_first_day_to_the_day_before_its_end(cast: Cast) -> None:
    give(cast.lin, Role.COACH, cast.qinghe, since=TODAY, until=TODAY + timedelta(days=2))

    for offset, holds in ((-1, False), (0, True), (1, True), (2, False)):
        viewer = cast.viewer(cast.lin, TODAY + timedelta(days=offset))
        assert viewer.may(Deed.SEE_PEOPLE, cast.qinghe) is holds, offset
        assert Person.objects.visible_to(viewer).filter(pk=cast.mo.pk).exists() is holds, offset


def test_a_path_covers_itself_and_what_lies_below_not_what_begins_with_the_same_digits(cast: Cast) -> None:
    far = Organization.objects.create(
        kind=Kind.COMPANY, name="Far", slug="far", parent=cast.park, created_at=NOW, path=cast.beiyuan.path[:-1] + "5/"
    )
    viewer = cast.viewer(cast.wei)

    assert far.path.startswith(cast.beiyuan.path[:-1])
    assert not viewer.may(Deed.SEE_TOTALS, far)
    assert far not in Organization.objects.visible_to(viewer)


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("lin", {"lin"}),
        ("hua", {"lin", "hua", "ke"}),
        ("ke", {"ke"}),
        ("mo", {"mo"}),
        ("wei", {"lin", "hua", "ke", "wei"}),
        ("ren", {"lin", "hua", "ke", "mo", "wei", "ren", "shu", "an"}),
        ("shu", {"lin", "hua", "ke", "mo", "wei", "ren", "shu", "an"}),
    ],
)
def test_people_are_seen_by_those_who_may_and_by_themselves(cast: Cast, who: str, seen: set[str]) -> None:
    viewer = cast.viewer(cast.people()[who])
    names = {person.pk: name for name, person in cast.people().items()}

    assert {names[one.pk] for one in Person.objects.visible_to(viewer)} == seen
    assert {names[one.person_id] for one in Membership.objects.visible_to(viewer)} == seen
    of_source = {names[one.person_id] for one in Identity.objects.visible_to(viewer) if one.person_id}
    assert of_source == seen


def test_who_moved_on_is_still_seen_but_not_where_they_went(cast: Cast) -> None:
    Membership.objects.filter(person=cast.lin).update(until_date=TODAY)
    Membership.objects.create(person=cast.lin, organization=cast.dyeing, from_date=TODAY)
    viewer = cast.viewer(cast.hua)

    assert cast.lin in Person.objects.visible_to(viewer)
    assert [one.organization for one in Membership.objects.visible_to(viewer).filter(person=cast.lin)] == [
        cast.purchasing
    ]


def test_one_sees_the_way_up_from_ones_place_but_no_neighbours(cast: Cast) -> None:
    assert set(Organization.objects.visible_to(cast.viewer(cast.lin))) == {cast.park, cast.beiyuan, cast.purchasing}
    assert set(Organization.objects.visible_to(cast.viewer(cast.mo))) == {cast.park, cast.qinghe, cast.dyeing}


def test_roles_days_logins_and_deeds_of_another_company_stay_hidden(cast: Cast) -> None:
    for company in (cast.beiyuan, cast.qinghe):
        CalendarDay.objects.create(organization=company, date=TODAY, kind="holiday")
        note(deed="test.done", actor="test", organization=company, now=NOW)
    note(deed="test.done", actor="test", organization=None, now=NOW)
    mo, hua, ren, an = (cast.viewer(one) for one in (cast.mo, cast.hua, cast.ren, cast.an))

    assert {one.person for one in RoleAssignment.objects.visible_to(mo)} == {cast.mo}
    assert {one.person for one in RoleAssignment.objects.visible_to(hua)} == {cast.hua, cast.ke, cast.wei}
    assert {one.organization for one in CalendarDay.objects.visible_to(mo)} == {cast.qinghe}
    assert {one.person for one in User.objects.visible_to(mo)} == {cast.mo}
    assert {one.person for one in User.objects.visible_to(hua)} == {cast.lin, cast.hua, cast.ke}
    assert not AuditEntry.objects.visible_to(hua).exists()
    assert {one.organization for one in AuditEntry.objects.visible_to(ren)} == {cast.beiyuan, cast.qinghe}
    assert None in {one.organization for one in AuditEntry.objects.visible_to(an)}


def test_an_identity_nobody_was_found_for_is_the_companys_or_the_parks(cast: Cast) -> None:
    for name, at in (("b", cast.beiyuan), ("q", cast.qinghe), ("p", cast.park), ("nowhere", None)):
        Identity.objects.create(source="s", external_id=name, company=at, first_seen_at=NOW)

    def seen(viewer: Viewer) -> set[str]:
        return set(Identity.objects.unresolved().visible_to(viewer).values_list("external_id", flat=True))

    assert seen(cast.viewer(cast.hua)) == {"b"}
    assert seen(cast.viewer(cast.mo)) == {"q"}
    assert seen(cast.viewer(cast.lin)) == set()
    assert seen(cast.viewer(cast.ren)) == {"b", "q", "p"}
    assert seen(EVERYTHING) == {"b", "q", "p", "nowhere"}


def test_a_closed_login_and_nobody_see_nothing(cast: Cast) -> None:
    login = cast.login(cast.ren)
    login.is_active = False
    login.save()

    for viewer in (viewer_of(login, today=TODAY), viewer_of(AnonymousUser(), today=TODAY), NOBODY):
        assert not any(viewer.may(deed) for deed in Deed)
        for model in (Organization, Person, Membership, Identity, User, RoleAssignment, CalendarDay, AuditEntry):
            assert not model.objects.visible_to(viewer).exists(), model


def test_a_login_without_a_person_sees_itself_only(cast: Cast) -> None:
    viewer = viewer_of(User.objects.create(username="machine"), today=TODAY)

    assert not Person.objects.visible_to(viewer).exists()
    assert [one.username for one in User.objects.visible_to(viewer)] == ["machine"]


def test_the_command_line_sees_everything(cast: Cast) -> None:
    lost = Person.objects.create(name="Lost", created_at=NOW)

    assert lost in Person.objects.visible_to(EVERYTHING)
    assert Organization.objects.visible_to(EVERYTHING).count() == Organization.objects.count()
    assert EVERYTHING.may(Deed.RUN_PLATFORM, cast.qinghe)
    assert User.objects.visible_to(EVERYTHING).count() == User.objects.count()


def test_two_parks_are_strangers(cast: Cast) -> None:
    other = place(kind=Kind.PARK, name="Hillside", slug="hillside")
    stranger = person(name="Stranger", at=other)
    give(stranger, Role.OPERATOR, other)
    viewer = viewer_of(User.objects.create(username="s", person=stranger), today=date(2026, 5, 13))

    assert set(Person.objects.visible_to(viewer)) == {stranger}
    assert set(Organization.objects.visible_to(viewer)) == {other}


def test_the_outermost_paths_are_kept() -> None:
    assert outermost(["/1/5/9/", "/1/5/", "/1/55/", "/2/", "/1/5/"]) == ("/1/5/", "/1/55/", "/2/")


def test_nothing_is_allowed_at_a_place_that_has_no_path_yet(cast: Cast) -> None:
    viewer = Viewer(1, 1, "x", (Grant("administrator", cast.park.path),), TODAY)

    assert not viewer.may(Deed.SEE_TOTALS, Organization(kind=Kind.COMPANY, name="new"))
