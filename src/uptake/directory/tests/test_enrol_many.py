"""A list of people is enrolled once, in departments by name; what is odd is refused row by row."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.cast import NOW, TODAY, Cast, person
from uptake.directory.enrol import PlaceClosed
from uptake.directory.enrol_many import enrol_many, preview
from uptake.directory.models import AuditEntry, Membership, Organization, Person
from uptake.directory.roster import NoNameColumn, Row, read_roster
from uptake.directory.scope import EVERYTHING, NotAllowed


@pytest.mark.parametrize(
    ("row", "fate", "reason"),
    [
        (Row(2, "Bo Yan", staff_number="B9"), "new", ""),
        (Row(2, "Bo Yan"), "new", ""),
        (Row(2, "Anything", email="LIN@beiyuan.example"), "known", ""),
        (Row(2, "Anything", staff_number="B001"), "known", ""),
        (Row(2, "lin fang"), "known", ""),
        (Row(2, "Lin Fang", staff_number="B77"), "new", ""),
        (Row(2, "Mo Yun", staff_number="Q001"), "new", ""),
        (Row(2, "", staff_number="B9"), "refused", "no_name"),
        (Row(2, "Bo Yan", email="bo at home"), "refused", "bad_email"),
        (
            Row(2, "Bo Yan", email=f"bo@{'x' * 60}.{'y' * 60}.{'z' * 60}.{'w' * 60}.{'v' * 9}.cn"),
            "refused",
            "bad_email",
        ),
        (Row(2, "Bo Yan", email="lin@beiyuan.example", staff_number="B003"), "refused", "two_people"),
    ],
)
def test_each_row_has_its_fate(cast: Cast, row: Row, fate: str, reason: str) -> None:
    (found,) = preview([row], company=cast.beiyuan, by=cast.viewer(cast.hua))

    assert (found.fate, found.reason) == (fate, reason)


def test_the_same_list_twice_adds_nobody(cast: Cast) -> None:
    rows = [Row(2, "Bo Yan"), Row(3, "Cai Wen", department="finance"), Row(4, "Du Li", department="Quality")]
    hua = cast.viewer(cast.hua)

    first, again = (enrol_many(rows, company=cast.beiyuan, from_date=TODAY, by=hua, now=NOW) for _ in range(2))

    assert [one.fate for one in first] == ["new"] * 3
    assert [one.department_is_new for one in first] == [False, False, True]
    assert [one.fate for one in again] == ["known"] * 3
    places = {one.name: one.memberships.get().organization.name for one in Person.objects.filter(created_at=NOW)}
    assert places | {"Bo Yan": "Beiyuan Precision", "Cai Wen": "Finance", "Du Li": "Quality"} == places
    assert Organization.objects.filter(company=cast.beiyuan, name="Quality").count() == 1


def test_one_row_of_two_with_the_same_number_is_taken(cast: Cast) -> None:
    rows = [Row(2, "Bo Yan", staff_number="B9"), Row(3, "Cai Wen", staff_number="B9")]

    assert [one.reason for one in preview(rows, company=cast.beiyuan, by=EVERYTHING)] == ["", "twice"]


def test_a_row_may_say_since_when(cast: Cast) -> None:
    rows = [Row(2, "Bo  Yan", from_date=TODAY - timedelta(days=9)), Row(3, "Cai Wen")]

    enrol_many(rows, company=cast.beiyuan, from_date=TODAY, by=cast.viewer(cast.hua), now=NOW)

    made = {one.name: one for one in Person.objects.filter(created_at=NOW)}
    for name, begin in (("Bo Yan", TODAY - timedelta(days=9)), ("Cai Wen", TODAY)):
        assert made[name].joined_date == made[name].memberships.get().from_date == begin
        entry = AuditEntry.objects.get(deed="person.enrolled", subject=name)
        assert entry.details == {"person": made[name].pk, "from_date": begin.isoformat(), "kind": "human"}
        assert entry.organization == cast.beiyuan


def test_a_long_list_takes_no_more_statements(cast: Cast, django_assert_max_num_queries: Any) -> None:
    rows = [Row(line, f"Person {line}", staff_number=f"N{line}", department="finance") for line in range(2, 82)]

    with django_assert_max_num_queries(20):
        enrol_many(rows, company=cast.beiyuan, from_date=TODAY, by=cast.viewer(cast.hua), now=NOW)

    assert Membership.objects.filter(person__name__startswith="Person ", organization__name="Finance").count() == 80


def test_nobody_is_enrolled_in_a_closed_company(cast: Cast) -> None:
    Organization.objects.filter(pk=cast.beiyuan.pk).update(closed_at=NOW)

    with pytest.raises(PlaceClosed):
        enrol_many([Row(2, "Bo")], company=cast.beiyuan, from_date=TODAY, by=EVERYTHING, now=NOW)


def test_a_manager_enrols_no_list_elsewhere(cast: Cast) -> None:
    person(name="Other", at=cast.dyeing)
    with pytest.raises(NotAllowed):
        enrol_many([Row(2, "Bo")], company=cast.qinghe, from_date=TODAY, by=cast.viewer(cast.hua), now=NOW)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("Name,E-mail\nBo,b@x\n", [Row(2, "Bo", email="b@x")]),
        (
            "\ufeffname;staff_number;department\r\nBo;7;A\r\n\r\nCai;8;\r\n",
            [
                Row(2, "Bo", "7", department="A"),
                Row(4, "Cai", "8"),
            ],
        ),
        ("工号\t姓名\t岗位\n7\t王一\t检验员\n", [Row(2, "王一", "7", work="检验员")]),
        ("name\n", []),
    ],
)
def test_lists_are_read_by_their_headings(text: str, rows: list[Row]) -> None:
    assert read_roster(text) == rows


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n"])
def test_a_list_without_names_is_refused(text: str) -> None:
    with pytest.raises(NoNameColumn):
        read_roster(text)
