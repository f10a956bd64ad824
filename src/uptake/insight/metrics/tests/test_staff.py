"""The people of a place: everybody once, on the date, with all below it, without machines."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.utils import timezone

from tests.cast import Cast
from uptake.directory.models import Membership, Organization, Person, PersonKind
from uptake.insight.metrics import staff
from uptake.insight.metrics.staff import Staff

TODAY = date(2026, 5, 13)
DAY = timedelta(days=1)
pytestmark = pytest.mark.django_db


@pytest.fixture
def places(cast: Cast) -> list[Organization]:
    """Everywhere people sit in the cast, with two departments and a team of Beiyuan's more."""
    made: list[Organization] = []
    for slug, parent in (("stores", cast.beiyuan), ("yard", cast.beiyuan), ("night", None)):
        above = parent or made[0]
        kind = "department" if parent else "team"
        one = Organization.objects.create(
            slug=slug, name=slug, kind=kind, parent=above, company=cast.beiyuan, created_at=timezone.now()
        )
        one.path = f"{above.path}{one.pk}/"
        one.save()
        made.append(one)
    Membership.objects.all().delete()
    spells: dict[str, list[tuple[str, date, date | None]]] = {
        "one place": [("stores", TODAY, None)],
        "from tomorrow": [("stores", TODAY + DAY, None)],
        "until today": [("stores", TODAY - DAY, TODAY)],
        "left and came back": [("yard", TODAY - 9 * DAY, TODAY - 5 * DAY), ("yard", TODAY - DAY, None)],
        "two departments": [("stores", TODAY, None), ("yard", TODAY, None)],
        "department and its team": [("stores", TODAY, None), ("night", TODAY, TODAY + DAY)],
        "everything": [(slug, TODAY, None) for slug in ("stores", "yard", "night", "beiyuan", "qinghe")],
        "two companies": [("beiyuan", TODAY, None), ("qinghe", TODAY, None)],
        "the park itself": [(cast.park.slug, TODAY, None)],
        "a machine": [("night", TODAY, None)],
        "a machine in two places": [("yard", TODAY, None), ("qinghe", TODAY, None)],
    }
    known = {one.slug: one for one in Organization.objects.all()}
    for name, held in spells.items():
        kind = PersonKind.MACHINE if "machine" in name else PersonKind.HUMAN
        person = Person.objects.create(name=name, kind=kind, created_at=timezone.now())
        for slug, first, until in held:
            Membership.objects.create(person=person, organization=known[slug], from_date=first, until_date=until)
    return list(Organization.objects.order_by("path"))


def by_hand(place: Organization) -> int:
    people = Person.objects.filter(kind=PersonKind.HUMAN).belonging(place, TODAY)
    return people.count()


@pytest.mark.parametrize("most_paths", [0, 8])
def test_everybody_once_in_each_place(
    places: list[Organization], monkeypatch: pytest.MonkeyPatch, most_paths: int
) -> None:
    monkeypatch.setattr(staff, "MOST_PATHS", most_paths)
    right = {place.pk: by_hand(place) for place in places}

    assert sorted(right.values())[-1] == 7
    assert Staff(TODAY).of(places) == right
    for place in places:
        assert Staff(TODAY).of([place]) == {place.pk: right[place.pk]}, place.slug


def test_what_was_read_serves_all_below_and_nothing_else(places: list[Organization]) -> None:
    right = {place.pk: by_hand(place) for place in places}
    read = Staff(TODAY)

    for place in reversed(places):  # from the bottom up, and down again
        assert read.of([place])[place.pk] == right[place.pk]
    Membership.objects.all().delete()
    assert read.of(places) == right
    assert set(Staff(TODAY).of(places).values()) == {0}
    assert read.of([]) == {}
