"""What a source of people says becomes departments, people and dates in its own company, and nowhere else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.cast import NOW, TODAY, Cast, login, person
from uptake.connectors.people.look import look
from uptake.connectors.people.models import PeopleSource, SaidPerson, Sort
from uptake.connectors.people.snapshot import Department, Snapshot, Somebody
from uptake.connectors.people.take_over import Outcome, take_over
from uptake.directory.models import AuditEntry, Identity, Membership, Organization, Person, RoleAssignment, User
from uptake.directory.scope import EVERYTHING
from uptake.events.models import Correction

TOMORROW = NOW + timedelta(days=1)
DEPARTMENTS = (Department("d1", "Purchasing"), Department("d2", "Assembly"), Department("d3", "Line 1", "d2"))
PEOPLE = (
    Somebody("u-lin", "Lin Fang", "LIN@beiyuan.example", "", "clerk", "d1"),
    Somebody("u-hua", "Hua Jing", "", "B002"),
    Somebody("u-bo", "Bo Li", "bo@beiyuan.example", "B100", "fitter", "d3", "u-hua"),
    Somebody("u-chen", "Chen Xi", "", "B101", "", "d2"),
)


@pytest.fixture
def source(cast: Cast) -> PeopleSource:
    return PeopleSource.objects.create(company=cast.beiyuan, sort=Sort.WECOM, name="WeCom", created_at=NOW)


def taken(source: PeopleSource, people: tuple[Somebody, ...] = PEOPLE, day: int = 0, **more: object) -> Outcome:
    said = Snapshot(more.pop("departments", DEPARTMENTS), people, bool(more.pop("complete", True)))  # type: ignore[arg-type]
    return take_over(source=source, said=said, now=NOW + timedelta(days=day), **more)  # type: ignore[arg-type]


def without(*keys: str) -> tuple[Somebody, ...]:
    return tuple(one for one in PEOPLE if one.key not in keys)


def where(name: str) -> list[tuple[str, object, object]]:
    held = Membership.objects.filter(person__name=name).order_by("from_date")
    return list(held.values_list("organization__name", "from_date", "until_date"))


def everything() -> dict[str, object]:
    """All that a source could change, as it stands."""
    return {
        model.__name__: list(model.objects.order_by("pk").values())
        for model in (Organization, Person, Membership, Identity, User, RoleAssignment, SaidPerson, Correction)
    }


def test_people_are_found_by_e_mail_or_staff_number_and_the_others_are_made(cast: Cast, source: PeopleSource) -> None:
    outcome = taken(source)

    assert outcome.outcome == "done"
    assert outcome.counts == {"places_adopted": 1, "places_new": 2, "new": 2, "found": 2}
    assert Person.objects.count() == 8 + 2
    line = Organization.objects.get(name="Line 1")
    assert line.parent is not None
    assert (line.parent.name, line.parent.parent_id, line.company_id) == ("Assembly", cast.beiyuan.pk, cast.beiyuan.pk)
    assert where("Bo Li") == [("Line 1", TODAY, None)]
    assert [name for name, _from, until in where("Lin Fang") if until is None] == ["Purchasing"]
    owners = dict(Identity.objects.filter(source=source.label).values_list("external_id", "person__name"))
    assert owners == {one.key: one.name for one in PEOPLE}


def test_the_preview_is_what_is_done_and_writes_nothing(cast: Cast, source: PeopleSource) -> None:
    before = everything()
    said = Snapshot(DEPARTMENTS, PEOPLE)

    plan = look(source=source, said=said, now=NOW)

    assert everything() == before
    assert plan.counts == taken(source).counts
    assert {one.key: one.deed for one in plan.people} == {
        "u-lin": "found", "u-hua": "found", "u-bo": "new", "u-chen": "new",
    }  # fmt: skip


def test_said_twice_the_second_time_changes_nothing(cast: Cast, source: PeopleSource) -> None:
    taken(source)
    before = everything()

    again = taken(source, day=1)

    assert again.counts == {"same": 4}
    assert everything() == before


def test_moves_new_names_and_new_departments_are_followed_with_their_date(cast: Cast, source: PeopleSource) -> None:
    taken(source)
    now_said = (*without("u-bo"), Somebody("u-bo", "Bo Lì", "bo@beiyuan.example", "B100", "fitter", "d1"))
    departments = (Department("d1", "Procurement"), Department("d2", "Assembly"), Department("d3", "Line 1"))

    outcome = taken(source, now_said, day=3, departments=departments)

    day = TODAY + timedelta(days=3)
    assert outcome.counts["changed"] == 1
    assert where("Bo Lì") == [("Line 1", TODAY, day), ("Procurement", day, None)]
    assert Organization.objects.get(pk=cast.purchasing.pk).name == "Procurement"
    assert Organization.objects.get(name="Line 1").parent_id == cast.beiyuan.pk
    assert Correction.objects.filter(kind="moved", person_id_was=Person.objects.get(name="Bo Lì").pk).exists()


@pytest.mark.parametrize("how", ["absent", "inactive"])
def test_who_leaves_belongs_no_more_and_cannot_sign_in_but_stays_known(
    cast: Cast, source: PeopleSource, how: str
) -> None:
    taken(source)
    gone = () if how == "absent" else (Somebody("u-lin", "Lin Fang", active=False),)

    outcome = taken(source, (*without("u-lin"), *gone), day=2)

    assert outcome.counts["leaves"] == 1
    assert not Membership.objects.filter(person=cast.lin, until_date__isnull=True).exists()
    assert not cast.login(cast.lin).is_active
    assert Person.objects.filter(pk=cast.lin.pk, erased_at__isnull=True).exists()
    assert Identity.objects.get(source=source.label, external_id="u-lin").person_id == cast.lin.pk
    deeds = set(AuditEntry.objects.filter(organization__company=cast.beiyuan).values_list("deed", flat=True))
    assert {"membership.ended", "login.closed", "person.enrolled", "organization.made"} <= deeds


def test_who_comes_back_is_the_same_person_and_may_sign_in_again(cast: Cast, source: PeopleSource) -> None:
    taken(source)
    taken(source, without("u-lin"), day=2)

    outcome = taken(source, day=9)

    assert outcome.counts["back"] == 1
    assert Person.objects.count() == 8 + 2
    assert where("Lin Fang")[-1] == ("Purchasing", TODAY + timedelta(days=9), None)
    assert cast.login(cast.lin).is_active


def test_a_login_that_an_administrator_closed_stays_closed(cast: Cast, source: PeopleSource) -> None:
    taken(source)
    User.objects.filter(person=cast.lin).update(is_active=False)
    taken(source, without("u-lin"), day=2)

    taken(source, day=9)

    assert not cast.login(cast.lin).is_active


@pytest.mark.parametrize(
    ("leaving", "outcome"),
    [
        (("u-lin",), "done"),  # one person may always leave
        (("u-lin", "u-bo"), "held"),
        (("u-lin", "u-bo", "u-hua", "u-chen"), "held"),
    ],
)
def test_more_than_a_fifth_leave_only_when_a_person_confirms_it(
    cast: Cast, source: PeopleSource, leaving: tuple[str, ...], outcome: str
) -> None:
    taken(source)
    before = everything()

    assert taken(source, without(*leaving), day=1).outcome == outcome
    if outcome == "done":
        return
    assert everything() == before
    source.confirmed = list(leaving)
    assert taken(source, without(*leaving), day=1).counts["leaves"] == len(leaving)


def test_the_guard_counts_a_day_so_that_nobody_is_emptied_by_small_steps(cast: Cast, source: PeopleSource) -> None:
    taken(source)
    taken(source, without("u-lin"))

    assert taken(source, without("u-lin", "u-bo")).outcome == "held"
    assert taken(source, without("u-lin", "u-bo"), day=2).outcome == "done"


CONFLICTS = [
    ("two_people", Somebody("x", "Somebody", "lin@beiyuan.example", "B002")),
    ("no_name", Somebody("x", "  ", "new@beiyuan.example")),
    ("same_person", Somebody("x", "Lin again", "lin@beiyuan.example")),
    ("place", Somebody("x", "New Hand", "new@beiyuan.example", "", "", "nowhere")),
]


@pytest.mark.parametrize(("why", "one"), CONFLICTS)
def test_what_cannot_be_done_beyond_doubt_is_said_and_left_to_a_person(
    cast: Cast, source: PeopleSource, why: str, one: Somebody
) -> None:
    taken(source)

    outcome = taken(source, (*PEOPLE, one), day=1)

    line = next(line for line in outcome.plan.people if line.key == "x")
    assert line.why == why
    assert SaidPerson.objects.get(key="x").trouble == why
    assert (line.deed == "refused") == (why != "place")


def test_a_new_id_of_the_same_person_takes_over_from_the_old_one(cast: Cast, source: PeopleSource) -> None:
    taken(source)
    renumbered = Somebody("u-lin-2", "Lin Fang", "lin@beiyuan.example", "", "clerk", "d1")

    outcome = taken(source, (*without("u-lin"), renumbered), day=1)

    assert {"found": 1, "other_id": 1}.items() <= outcome.counts.items()
    assert Membership.objects.filter(person=cast.lin, until_date__isnull=True).exists()
    assert cast.login(cast.lin).is_active


def test_an_e_mail_named_twice_is_given_to_neither(cast: Cast, source: PeopleSource) -> None:
    twins = (Somebody("a", "A", "twin@beiyuan.example"), Somebody("b", "B", "Twin@beiyuan.example"))

    outcome = taken(source, (*PEOPLE, *twins))

    assert [line.why for line in outcome.plan.people if line.key in "ab"] == ["twice", "twice"]
    assert not Person.objects.filter(email__iexact="twin@beiyuan.example").exists()


def test_departments_in_a_ring_are_refused_and_their_people_stand_at_the_company(
    cast: Cast, source: PeopleSource
) -> None:
    ring = (Department("a", "Egg", "b"), Department("b", "Hen", "a"))

    outcome = taken(source, (Somebody("x", "New Hand", "new@beiyuan.example", "", "", "a"),), departments=ring)

    assert {line.deed for line in outcome.plan.places} == {"refused"}
    assert where("New Hand") == [("Beiyuan Precision", TODAY, None)]


def test_a_department_that_is_gone_is_closed_once_nobody_is_there(cast: Cast, source: PeopleSource) -> None:
    taken(source)
    emptied = (*without("u-bo"), Somebody("u-bo", "Bo Li", "bo@beiyuan.example", "B100", "", "d2"))

    taken(source, emptied, day=1, departments=DEPARTMENTS[:2])

    assert Organization.objects.get(name="Line 1").closed_at is not None


def test_another_company_is_never_touched(cast: Cast, source: PeopleSource) -> None:
    person(name="Pan Two", at=cast.qinghe, email="pan@both.example", staff_number="Q009")
    both = Person.objects.get(name="Pan Two")
    Membership.objects.create(person=both, organization=cast.beiyuan, from_date=TODAY)
    login(both, "pan")
    foreign = Membership.objects.filter(organization__path__startswith=cast.qinghe.path).order_by("pk")
    before = (list(foreign.values()), list(Person.objects.filter(memberships__in=foreign).order_by("pk").values()))
    mo = Somebody("u-mo", "Mo Taken", "mo@qinghe.example", "Q001", "", "d1")
    pan = Somebody("u-pan", "Pan Renamed", "pan@both.example", "B777", "", "d1")

    taken(source, (*PEOPLE, mo, pan))
    taken(source, (*PEOPLE, mo), day=2)

    after = (list(foreign.values()), list(Person.objects.filter(memberships__in=foreign).order_by("pk").values()))
    assert after == before
    assert Person.objects.filter(email="mo@qinghe.example").count() == 2  # a namesake of Beiyuan, not Mo of Qinghe
    assert User.objects.get(username="pan").is_active  # they work at Qinghe still
    assert SaidPerson.objects.get(key="u-pan").trouble == "login_kept"
    assert not Membership.objects.filter(
        person=both, organization__company=cast.beiyuan, until_date__isnull=True
    ).exists()


def test_who_belongs_through_another_source_stays(cast: Cast, source: PeopleSource) -> None:
    other = PeopleSource.objects.create(company=cast.beiyuan, sort=Sort.LDAP, name="LDAP", created_at=NOW)
    taken(source)
    taken(other, PEOPLE[:1])

    taken(source, without("u-lin"), day=1)

    assert Membership.objects.filter(person=cast.lin, until_date__isnull=True).exists()
    assert cast.login(cast.lin).is_active


def test_changes_speak_only_of_whom_they_name(cast: Cast, source: PeopleSource) -> None:
    taken(source)

    outcome = taken(source, (Somebody("u-lin", "Lin Fang-Wu"),), day=1, departments=(), complete=False)

    assert outcome.counts == {"changed": 1}
    assert Membership.objects.filter(person__name="Bo Li", until_date__isnull=True).exists()


def test_sources_are_seen_by_who_manages_people_of_their_company(cast: Cast, source: PeopleSource) -> None:
    assert PeopleSource.objects.visible_to(EVERYTHING).count() == 1
    seen = {name: PeopleSource.objects.visible_to(cast.viewer(who)).count() for name, who in cast.people().items()}
    assert {name for name, count in seen.items() if count} == {"hua", "ren", "an"}
