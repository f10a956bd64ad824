"""People are enrolled, join, leave and move; spans in one place never overlap."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from tests.cast import LONG_AGO, NOW, TODAY, Cast, build_cast
from uptake.directory.enrol import (
    AlreadyKnown,
    AlreadyThere,
    NameMissing,
    PlaceClosed,
    WrongDates,
    describe_person,
    enrol,
    join,
    leave,
    may_manage,
    move,
)
from uptake.directory.models import AuditEntry, Membership, Person
from uptake.directory.organize import close_organization
from uptake.directory.place import membership_on, memberships_of
from uptake.directory.scope import EVERYTHING, NotAllowed


def test_a_manager_enrols_somebody_in_the_own_company(cast: Cast) -> None:
    hua = cast.viewer(cast.hua)

    made = enrol(name=" Bo  Yan ", organization=cast.finance, from_date=TODAY, by=hua, now=NOW, staff_number="B9")

    span = membership_on(made.pk, TODAY)
    assert made.name == "Bo Yan"
    assert span is not None
    assert (span.organization_id, span.company_id) == (cast.finance.pk, cast.beiyuan.pk)
    assert membership_on(made.pk, TODAY - timedelta(days=1)) is None
    assert AuditEntry.objects.get(deed="person.enrolled").subject == "Bo Yan"
    with pytest.raises(NotAllowed):
        enrol(name="Bo Yan", organization=cast.dyeing, from_date=TODAY, by=hua, now=NOW)


def test_an_e_mail_and_a_staff_number_belong_to_one_person_of_a_company(cast: Cast) -> None:
    for email, number in (("LIN@beiyuan.example", ""), ("", "B001")):
        with pytest.raises(AlreadyKnown) as refusal:
            enrol(
                name="X",
                organization=cast.finance,
                from_date=TODAY,
                by=EVERYTHING,
                now=NOW,
                email=email,
                staff_number=number,
            )
        assert refusal.value.person == cast.lin

    assert enrol(name="X", organization=cast.qinghe, from_date=TODAY, by=EVERYTHING, now=NOW, staff_number="B001").pk, (
        "another company may use the same number"
    )
    with pytest.raises(NameMissing):
        enrol(name=" ", organization=cast.finance, from_date=TODAY, by=EVERYTHING, now=NOW)


def test_a_move_ends_one_membership_and_begins_another(cast: Cast) -> None:
    held = Membership.objects.get(person=cast.lin)

    made = move(membership=held, organization=cast.finance, on_date=TODAY, by=cast.viewer(cast.hua), now=NOW)

    spans = memberships_of([cast.lin.pk])[cast.lin.pk]
    assert [(span.organization_id, span.from_date, span.until_date) for span in spans] == [
        (cast.purchasing.pk, LONG_AGO, TODAY),
        (cast.finance.pk, TODAY, None),
    ]
    assert made.role == "clerk"
    yesterday = membership_on(cast.lin.pk, TODAY - timedelta(days=1))
    assert yesterday is not None
    assert yesterday.organization_id == cast.purchasing.pk


def test_a_move_on_the_first_day_replaces_the_membership(cast: Cast) -> None:
    held = Membership.objects.get(person=cast.lin)

    move(membership=held, organization=cast.finance, on_date=held.from_date, by=EVERYTHING, now=NOW)

    assert [one.organization for one in Membership.objects.filter(person=cast.lin)] == [cast.finance]


def test_a_manager_moves_nobody_over_the_wall(cast: Cast) -> None:
    held = Membership.objects.get(person=cast.lin)
    hers = Membership.objects.get(person=cast.mo)
    hua = cast.viewer(cast.hua)

    with pytest.raises(NotAllowed):
        move(membership=held, organization=cast.dyeing, on_date=TODAY, by=hua, now=NOW)
    with pytest.raises(NotAllowed):
        move(membership=hers, organization=cast.finance, on_date=TODAY, by=hua, now=NOW)
    with pytest.raises(NotAllowed):
        join(person=cast.mo, organization=cast.finance, from_date=TODAY, by=hua, now=NOW)
    with pytest.raises(NotAllowed):
        leave(membership=hers, until_date=TODAY, by=hua, now=NOW)
    with pytest.raises(NotAllowed):
        describe_person(person=cast.mo, name="X", email="", staff_number="", by=hua, now=NOW)

    move(membership=held, organization=cast.dyeing, on_date=TODAY, by=cast.viewer(cast.ren), now=NOW)
    assert not may_manage(hua, cast.lin), "who left is another's to manage"


@pytest.mark.parametrize(
    ("begin", "refused"),
    [(LONG_AGO - timedelta(days=10), True), (TODAY - timedelta(days=1), True), (TODAY, False)],
)
def test_nobody_joins_a_place_twice_at_a_time(cast: Cast, begin: date, refused: bool) -> None:
    leave(membership=Membership.objects.get(person=cast.lin), until_date=TODAY, by=EVERYTHING, now=NOW)

    if refused:
        with pytest.raises(AlreadyThere):
            join(person=cast.lin, organization=cast.purchasing, from_date=begin, by=EVERYTHING, now=NOW)
    else:
        join(person=cast.lin, organization=cast.purchasing, from_date=begin, by=EVERYTHING, now=NOW)


def test_dates_make_sense(cast: Cast) -> None:
    held = Membership.objects.get(person=cast.lin)

    with pytest.raises(WrongDates):
        leave(membership=held, until_date=LONG_AGO, by=EVERYTHING, now=NOW)
    with pytest.raises(WrongDates):
        move(
            membership=held,
            organization=cast.finance,
            on_date=LONG_AGO - timedelta(days=1),
            by=EVERYTHING,
            now=NOW,
        )


def test_nobody_joins_a_closed_place(cast: Cast) -> None:
    close_organization(organization=cast.receiving, by=EVERYTHING, now=NOW)

    with pytest.raises(PlaceClosed):
        join(person=cast.lin, organization=cast.receiving, from_date=TODAY, by=EVERYTHING, now=NOW)


def test_what_is_known_of_a_person_is_changed_once(cast: Cast) -> None:
    for _ in range(2):
        describe_person(
            person=cast.lin, name="Lin F.", email=cast.lin.email, staff_number="B001", by=EVERYTHING, now=NOW
        )

    assert AuditEntry.objects.get(deed="person.described").details == {"person": cast.lin.pk, "changed": ["name"]}
    with pytest.raises(AlreadyKnown):
        describe_person(person=cast.lin, name="L", email="ke@beiyuan.example", staff_number="", by=EVERYTHING, now=NOW)


class SpansNeverOverlap(TestCase):
    """Whatever is asked of the doors, in whatever order."""

    @settings(max_examples=25, deadline=None)
    @given(
        st.lists(
            st.tuples(st.sampled_from(["join", "leave", "move"]), st.booleans(), st.integers(-20, 20)), max_size=12
        )
    )
    def test_in_one_place(self, deeds: list[tuple[str, bool, int]]) -> None:
        cast = build_cast()
        for deed, first, offset in deeds:
            at = cast.purchasing if first else cast.finance
            day = TODAY + timedelta(days=offset)
            held = Membership.objects.filter(person=cast.lin).order_by("-from_date").first()
            assert held is not None
            try:
                if deed == "join":
                    join(person=cast.lin, organization=at, from_date=day, by=EVERYTHING, now=NOW)
                elif deed == "leave":
                    leave(membership=held, until_date=day, by=EVERYTHING, now=NOW)
                else:
                    move(membership=held, organization=at, on_date=day, by=EVERYTHING, now=NOW)
            except (AlreadyThere, WrongDates):
                pass
        for at in (cast.purchasing, cast.finance):
            spans = [s for s in memberships_of([cast.lin.pk])[cast.lin.pk] if s.organization_id == at.pk]
            for one, following in pairwise(spans):
                assert one.until_date is not None
                assert one.until_date <= following.from_date
        assert Person.objects.filter(pk=cast.lin.pk).exists()
