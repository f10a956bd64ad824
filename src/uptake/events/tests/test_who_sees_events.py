"""Who sees which events, connections, keys, batches, and what waits or conflicts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import QuerySet

from tests.cast import NOW, Cast
from uptake.directory.models import Identity
from uptake.directory.scope import EVERYTHING, NOBODY
from uptake.events.identify import identify
from uptake.events.keys import make_key
from uptake.events.models import ApiKey, Batch, Conflict, Connection, Event, Quarantine
from uptake.events.record import record
from uptake.events.tests.world import batch_of, connection_of, said

pytestmark = pytest.mark.django_db
ALL = {"b-lin", "b-hua", "b-future", "q-mo", "p-nobody", "p-placed", "p-own"}


@pytest.fixture
def told(cast: Cast) -> Cast:
    """Events of both companies, and of the park's portal: unassigned, placed at Qinghe afterwards, and Wei's own."""
    future = NOW + timedelta(days=1)
    beiyuan, qinghe, park = (
        connection_of(cast.beiyuan, "b"),
        connection_of(cast.qinghe, "q"),
        connection_of(cast.park, "p"),
    )
    for source, name in (("b", "lin"), ("b", "hua"), ("q", "mo"), ("p", "wei")):
        Identity.objects.create(source=source, external_id=name, person=cast.people()[name], first_seen_at=NOW)
    record([said("b-lin", person="lin"), said("b-hua", person="hua")], connection=beiyuan, now=NOW)
    record([said("b-future", at=future), said("b-lin", facts={"n": 2})], connection=beiyuan, now=NOW)
    record([said("q-mo", person="mo")], connection=qinghe, now=NOW, batch=batch_of(qinghe))
    record([said("p-nobody"), said("p-placed", person="m7"), said("p-own", person="wei")], connection=park, now=NOW)
    identify(identity=Identity.objects.get(external_id="m7"), person=cast.mo, by=cast.viewer(cast.ren), now=NOW)
    for connection in (beiyuan, qinghe, park):
        make_key(connection=connection, by=EVERYTHING, now=NOW)
    return cast


@pytest.mark.parametrize(
    ("who", "keys"),
    [
        ("lin", {"b-lin"}),
        ("hua", {"b-hua"}),
        ("ke", set()),
        ("mo", {"q-mo", "p-placed"}),
        ("wei", {"b-lin", "b-hua", "b-future", "p-own"}),
        ("ren", ALL),
        ("shu", ALL),
        ("an", ALL),
    ],
)
def test_events_are_seen_by_role_and_one_s_own_by_everyone(told: Cast, who: str, keys: set[str]) -> None:
    seen = Event.objects.visible_to(told.viewer(told.people()[who]))
    assert {one.key for one in seen} == keys
    assert {one.key for one in seen.standing()} == keys - {"b-future"}


def test_the_command_line_sees_all_and_nobody_nothing(told: Cast) -> None:
    assert {one.key for one in Event.objects.visible_to(EVERYTHING)} == ALL
    assert not Event.objects.visible_to(NOBODY).exists()


def slugs(rows: QuerySet[Any], field: str) -> set[str]:
    return set(rows.values_list(field, flat=True))


@pytest.mark.parametrize(
    ("who", "connections", "keys", "batches", "waiting", "conflicts"),
    [
        ("lin", set(), set(), set(), set(), set()),
        ("hua", set(), set(), set(), set(), set()),
        ("mo", set(), set(), set(), set(), set()),
        ("wei", {"b"}, set(), set(), {"b-future"}, {"b-lin"}),
        ("ren", {"b", "q", "p"}, {"b", "q", "p"}, {"q"}, {"b-future"}, {"b-lin"}),
        ("shu", {"b", "q", "p"}, set(), {"q"}, {"b-future"}, {"b-lin"}),
    ],
)
def test_what_lies_around_events_is_seen_where_one_may(
    told: Cast,
    who: str,
    connections: set[str],
    keys: set[str],
    batches: set[str],
    waiting: set[str],
    conflicts: set[str],
) -> None:
    viewer = told.viewer(told.people()[who])
    assert slugs(Connection.objects.visible_to(viewer), "slug") == connections
    assert slugs(ApiKey.objects.visible_to(viewer), "connection__slug") == keys
    assert slugs(Batch.objects.visible_to(viewer), "connection__slug") == batches
    assert slugs(Quarantine.objects.visible_to(viewer).waiting(), "event__key") == waiting
    assert slugs(Conflict.objects.visible_to(viewer).unseen(), "event__key") == conflicts
