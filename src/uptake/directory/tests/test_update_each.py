"""Fields of many rows are written as they are, and nothing else is."""

from __future__ import annotations

from datetime import date

import pytest

from uptake.directory.models import Leave, Person
from uptake.directory.update_each import update_each

pytestmark = pytest.mark.django_db


def test_each_row_gets_its_own_values_and_only_of_the_fields_named() -> None:
    people = [
        Person.objects.create(name=f"P{number}", staff_number=f"S{number}", created_at="2026-01-01T00:00Z")
        for number in range(5)
    ]
    leaves = [
        Leave.objects.create(person=one, from_date=date(2026, 3, 1 + number), until_date=date(2026, 4, 1))
        for number, one in enumerate(people)
    ]
    for number, (person, leave) in enumerate(zip(people, leaves, strict=True)):
        person.name, person.staff_number = f"It's %s “{number}” 名", "not written"
        leave.until_date, leave.person = date(2026, 5, 5 + number), people[0]
    update_each(people[:-1], ["name"])
    update_each(leaves, ["until_date", "person"])
    update_each([], ["name"])
    told = list(Person.objects.order_by("pk").values_list("name", "staff_number"))
    assert told == [*((f"It's %s “{n}” 名", f"S{n}") for n in range(4)), ("P4", "S4")]
    kept = list(Leave.objects.order_by("pk").values_list("until_date", "person_id"))
    assert kept == [(date(2026, 5, 5 + number), people[0].pk) for number in range(5)]
