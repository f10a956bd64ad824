"""Unresolved identities are shown to those who may map them, with suggestions, and are mapped with their past."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.cast import Cast
from uptake.directory.likeness import likeness, most_alike
from uptake.directory.models import AuditEntry, Identity, Person
from uptake.directory.scope import EVERYTHING
from uptake.events.connect import connect
from uptake.events.happening import Happening
from uptake.events.models import Correction, Event
from uptake.events.record import record


@pytest.fixture
def ghost(cast: Cast) -> Identity:
    """An id of Beiyuan's ERP with one event, which nobody was found for."""
    now = timezone.now()
    erp = connect(slug="erp", kind="api", name="ERP", organization=cast.beiyuan, by=EVERYTHING, now=now)
    said = Happening(event="x.done", key="1", at=now - timedelta(days=2), person="fang.lin7", person_name="Fang Lin")
    record([said], connection=erp, now=now)
    return Identity.objects.get(source="erp")


def test_the_list_shows_what_waits_with_its_events(cast: Cast, ghost: Identity) -> None:
    page = cast.sign_in(cast.hua).get("/data/people/").content.decode()

    assert "fang.lin7" in page
    assert "Waiting 1" in page
    assert "fang.lin7" not in cast.sign_in(cast.mo).get("/data/people/").content.decode()
    assert "fang.lin7" not in cast.sign_in(cast.hua).get("/data/people/?q=other").content.decode()


def test_the_most_alike_is_suggested_first(cast: Cast, ghost: Identity) -> None:
    hua = cast.sign_in(cast.hua)

    shown = hua.get(f"/data/people/{ghost.pk}/suggestions").content.decode()
    assert "It is Lin Fang" in shown
    assert "Hua Jing" not in shown
    assert "It is Hua Jing" in hua.get(f"/data/people/{ghost.pk}/suggestions?q=hua").content.decode()
    assert "Mo Yun" not in hua.get(f"/data/people/{ghost.pk}/suggestions?q=mo").content.decode()


def test_mapping_takes_the_past_along_and_can_be_taken_back(cast: Cast, ghost: Identity) -> None:
    hua = cast.sign_in(cast.hua)

    said = hua.post(f"/data/people/{ghost.pk}/map", {"person": cast.lin.pk}, headers={"HX-Request": "true"})
    assert "fang.lin7 is Lin Fang, also in past events." in said.content.decode()
    assert Event.objects.get().identity.person == cast.lin  # type: ignore[union-attr]
    assert Correction.objects.get().kind == "identified"
    assert AuditEntry.objects.get(deed="identity.mapped").actor_name == "Hua Jing"

    hua.post(f"/data/people/{ghost.pk}/free")
    ghost.refresh_from_db()
    assert ghost.person is None
    assert Correction.objects.count() == 2


def test_a_new_person_starts_with_the_first_event(cast: Cast, ghost: Identity) -> None:
    cast.sign_in(cast.hua).post(f"/data/people/{ghost.pk}/new")

    ghost.refresh_from_db()
    assert ghost.person is not None
    assert ghost.person.name == "Fang Lin"
    assert ghost.person.memberships.get().from_date == Event.objects.get().business_date


def test_a_machine_is_no_human(cast: Cast, ghost: Identity) -> None:
    cast.sign_in(cast.hua).post(f"/data/people/{ghost.pk}/machine")

    ghost.refresh_from_db()
    assert ghost.person is not None
    assert ghost.person.kind == "machine"


def test_foreign_identities_and_people_do_not_exist(cast: Cast, ghost: Identity) -> None:
    mo, hua = cast.sign_in(cast.mo), cast.sign_in(cast.hua)

    for deed in ("map", "new", "machine", "free"):
        assert mo.post(f"/data/people/{ghost.pk}/{deed}", {"person": cast.mo.pk}).status_code == 404
    assert hua.post(f"/data/people/{ghost.pk}/map", {"person": cast.mo.pk}).status_code == 404
    assert cast.sign_in(cast.wei).post(f"/data/people/{ghost.pk}/map", {"person": cast.lin.pk}).status_code == 403
    ghost.refresh_from_db()
    assert ghost.person is None
    assert Person.objects.count() == len(cast.people())


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("Fang, Lin", "lin fang", True),
        ("lin.fang@x.example", "Lin Fang", True),
        ("林芳", "林芳", True),
        ("Lin Fan", "Lin Fang", True),
        ("Hua Jing", "Lin Fang", False),
        ("", "Lin Fang", False),
        ("10609", "Lin Fang", False),
    ],
)
def test_names_are_alike_whatever_their_order_and_signs(one: str, other: str, alike: bool) -> None:
    assert (likeness(one, other) >= 0.6) is alike


def test_suggestions_are_few_and_in_order() -> None:
    people = [(1, "Lin Fang"), (2, "Lin Fan"), (3, "Lin Feng"), (4, "Lin Fong"), (5, "Hua Jing")]

    assert [key for key, _ in most_alike(["Fang Lin"], people)] == [1, 2, 3]
