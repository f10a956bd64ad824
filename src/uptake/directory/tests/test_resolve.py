"""A source's ids find their people by e-mail or staff number within the company, and never by guessing."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.cast import NOW, TODAY, Cast, person
from uptake.directory.models import Identity, Membership, Person
from uptake.directory.place import membership_on
from uptake.directory.resolve import (
    AlreadySomebody,
    Hints,
    known_before,
    looks_like_machine,
    map_identity,
    match_again,
    resolve,
)
from uptake.directory.scope import EVERYTHING, NotAllowed

LATER = NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    ("at", "hints", "who", "how"),
    [
        ("beiyuan", Hints(email="LIN@Beiyuan.example"), "lin", "email"),
        ("beiyuan", Hints(staff_number="B001"), "lin", "staff_number"),
        ("beiyuan", Hints(email="lin@beiyuan.example", staff_number="B001"), "lin", "email"),
        ("beiyuan", Hints(email="nobody@beiyuan.example", staff_number="B001"), "lin", "staff_number"),
        ("beiyuan", Hints(email="lin@beiyuan.example", staff_number="B003"), None, ""),
        ("beiyuan", Hints(name="Lin Fang"), None, ""),
        ("beiyuan", None, None, ""),
        ("qinghe", Hints(email="lin@beiyuan.example"), None, ""),
        ("qinghe", Hints(staff_number="B001"), None, ""),
        ("park", Hints(email="lin@beiyuan.example"), "lin", "email"),
        ("park", Hints(staff_number="B001"), None, ""),
        ("park", Hints(staff_number="P001"), "wei", "staff_number"),
    ],
)
def test_an_identity_finds_its_person_where_one_fits(
    cast: Cast, at: str, hints: Hints | None, who: str | None, how: str
) -> None:
    found = resolve(source="erp", people={"x": hints}, company=getattr(cast, at), now=NOW)["x"]

    assert found.person_id == (cast.people()[who].pk if who else None)
    assert found.resolved_how == how
    assert found.resolved_at == (NOW if who else None)


def test_two_who_fit_leave_it_open_unless_one_has_left(cast: Cast) -> None:
    twin = person(name="Twin", at=cast.finance, staff_number="B001")
    assert (
        resolve(source="erp", people={"x": Hints(staff_number="B001")}, company=cast.beiyuan, now=NOW)["x"].person
        is None
    )
    with_people = resolve(
        source="erp", people={"x": Hints(staff_number="B001")}, company=cast.beiyuan, now=NOW, make_people=True
    )
    assert with_people["x"].person is None, "nobody is made where two fit"

    Membership.objects.filter(person=twin).update(until_date=TODAY)
    found = resolve(source="erp", people={"y": Hints(staff_number="B001")}, company=cast.beiyuan, now=NOW)["y"]
    assert found.person_id == cast.lin.pk


def test_asked_again_nothing_changes(cast: Cast) -> None:
    people = {"x": Hints(email="lin@beiyuan.example"), "y": None, "z": Hints(name="Zhou")}
    first = resolve(source="erp", people=people, company=cast.beiyuan, now=NOW, make_people=True)
    counts = (Identity.objects.count(), Person.objects.count(), Membership.objects.count())

    again = resolve(source="erp", people=people, company=cast.beiyuan, now=LATER, make_people=True)

    assert counts == (Identity.objects.count(), Person.objects.count(), Membership.objects.count())
    assert {key: one.person_id for key, one in first.items()} == {key: one.person_id for key, one in again.items()}
    assert known_before(again.values(), now=LATER) == []


def test_people_are_made_with_a_membership_when_asked(cast: Cast) -> None:
    since = date(2012, 3, 1)
    found = resolve(
        source="erp",
        people={"10609": None, "a": Hints("Ai", "ai@x.example", "7", since), "b": Hints("Ai", "AI@x.example")},
        company=cast.qinghe,
        now=NOW,
        make_people=True,
    )

    assert str(found["10609"].person) == "10609"
    assert found["a"].person_id == found["b"].person_id, "one e-mail is one person"
    assert found["a"].person_id is not None
    span = membership_on(found["a"].person_id, since)
    assert span is not None
    assert span.company_id == cast.qinghe.pk


def test_who_is_known_later_is_found_later_and_said_so(cast: Cast) -> None:
    resolve(source="erp", people={"x": None, "y": Hints(staff_number="B77")}, company=cast.beiyuan, now=NOW)
    person(name="New", at=cast.finance, staff_number="B77")

    by_hint = resolve(source="erp", people={"x": Hints(email="ke@beiyuan.example")}, company=cast.beiyuan, now=LATER)
    by_trying = match_again(company=cast.beiyuan, now=LATER)

    assert by_hint["x"].person_id == cast.ke.pk
    assert known_before(by_hint.values(), now=LATER) == [by_hint["x"]]
    assert [one.external_id for one in by_trying] == ["y"]


def test_a_person_once_given_stays_whatever_the_source_says(cast: Cast) -> None:
    found = resolve(
        source="orders", people={"lin-at-beiyuan": Hints(email="ke@beiyuan.example")}, company=cast.beiyuan, now=LATER
    )

    assert found["lin-at-beiyuan"].person_id == cast.lin.pk


def test_ten_thousand_ids_are_resolved_in_one_go(cast: Cast) -> None:
    people = {f"p{number}": Hints(staff_number="B001" if number == 5000 else f"n{number}") for number in range(2500)}
    people["p5000"] = Hints(staff_number="B001")

    found = resolve(source="erp", people=people, company=cast.beiyuan, now=NOW)

    assert len(found) == len(people)
    assert found["p5000"].person_id == cast.lin.pk


def test_identities_are_mapped_by_those_who_may(cast: Cast) -> None:
    of_beiyuan = resolve(source="erp", people={"x": None}, company=cast.beiyuan, now=NOW)["x"]
    of_qinghe = resolve(source="erp", people={"q": None}, company=cast.qinghe, now=NOW)["q"]
    hua = cast.viewer(cast.hua)

    for identity, somebody in ((of_qinghe, cast.lin), (of_beiyuan, cast.mo)):
        with pytest.raises(NotAllowed):
            map_identity(identity=identity, person=somebody, by=hua, now=NOW)
    for viewer in (cast.viewer(cast.lin), cast.viewer(cast.wei), cast.viewer(cast.mo)):
        with pytest.raises(NotAllowed):
            map_identity(identity=of_beiyuan, person=cast.lin, by=viewer, now=NOW)

    mapped = map_identity(identity=of_beiyuan, person=cast.lin, by=hua, now=NOW)
    assert (mapped.person_id, mapped.resolved_how) == (cast.lin.pk, "hand")
    with pytest.raises(AlreadySomebody):
        map_identity(identity=mapped, person=cast.ke, by=hua, now=NOW)
    assert map_identity(identity=mapped, person=None, by=hua, now=NOW).person_id is None
    assert map_identity(identity=mapped, person=cast.ke, by=EVERYTHING, now=NOW).person_id == cast.ke.pk


@pytest.mark.parametrize(
    ("words", "machine"),
    [
        (("svc-erp",), True),
        (("BATCH_07",), True),
        (("system",), True),
        (("自动任务",), False),
        (("x1", "对账机器人"), True),
        (("order bot",), True),
        (("112",), False),
        (("Bottero",), False),
        (("Systema Anna",), False),
        (("lin.fang", "Lin Fang"), False),
        (("apiwat",), False),
    ],
)
def test_programs_are_flagged(words: tuple[str, ...], machine: bool) -> None:
    assert looks_like_machine(*words) is machine
