"""People are told things: once per key, seen by themselves alone, never changed but for having been read."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from tests.cast import NOW, TODAY, Cast
from uptake.directory.models import Person
from uptake.directory.scope import EVERYTHING, NOBODY
from uptake.notify.mark_read import mark_read
from uptake.notify.models import Message
from uptake.notify.tell import Telling, tell

pytestmark = pytest.mark.django_db


def about(person: Person, key: str, points: int = 5) -> Telling:
    return Telling(person_id=person.pk, key=key, kind="points.granted", content={"points": points})


def test_telling_twice_is_telling_once(cast: Cast) -> None:
    for _ in range(2):
        tell([about(cast.lin, "award-1"), about(cast.lin, "award-2"), about(cast.mo, "award-1")], now=NOW)
    tell([about(cast.lin, "award-1", points=9), about(cast.lin, "award-3"), about(cast.lin, "award-3")], now=NOW)

    rows = Message.objects.order_by("id").values_list("person__name", "key", "content")
    assert [(name, key, content["points"]) for name, key, content in rows] == [
        (cast.lin.name, "award-1", 5),
        (cast.lin.name, "award-2", 5),
        (cast.mo.name, "award-1", 5),
        (cast.lin.name, "award-3", 5),
    ]


def test_everybody_sees_their_own_messages_whatever_their_role(cast: Cast) -> None:
    tell([about(person, "hello") for person in cast.people().values()], now=NOW)

    for person in cast.people().values():
        seen = Message.objects.visible_to(cast.viewer(person, TODAY))
        assert [message.person_id for message in seen] == [person.pk]
    assert Message.objects.visible_to(EVERYTHING).count() == len(cast.people())
    assert not Message.objects.visible_to(NOBODY).exists()


def test_reading_marks_ones_own_once(cast: Cast) -> None:
    tell([about(cast.lin, "a"), about(cast.mo, "a"), about(cast.lin, "b")], now=NOW)
    first, others, second = Message.objects.order_by("id")

    assert mark_read(person_id=cast.lin.pk, up_to=others.pk, now=NOW) == 1
    assert mark_read(person_id=cast.lin.pk, up_to=second.pk, now=NOW + timedelta(days=1)) == 1

    first.refresh_from_db()
    assert first.read_at == NOW
    assert [message.pk for message in Message.objects.unread()] == [others.pk]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM notify_message",
        "UPDATE notify_message SET kind = 'other.said'",
        "UPDATE notify_message SET content = '{}', read_at = created_at",
        "UPDATE notify_message SET read_at = NULL",
    ],
)
@pytest.mark.parametrize("read", [True, False])
def test_a_message_stays_as_it_was_told(cast: Cast, statement: str, read: bool) -> None:
    tell([about(cast.lin, "a")], now=NOW)
    if read:
        mark_read(person_id=cast.lin.pk, up_to=Message.objects.get().pk, now=NOW)

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_message_is_for_somebody() -> None:
    with transaction.atomic():
        tell([Telling(person_id=999_999, key="a", kind="points.granted")], now=NOW)
        with pytest.raises(IntegrityError):
            connection.check_constraints()
        transaction.set_rollback(True)
