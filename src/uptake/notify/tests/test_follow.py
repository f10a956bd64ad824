"""A reader follows all messages by bookmark: each once, in order, none passed that was still being written."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.db import connection, connections, transaction

from tests.cast import NOW
from uptake.directory.models import Person
from uptake.notify.follow import Bookmark, last_bookmark, messages_after
from uptake.notify.tell import Telling, tell


def told(person: Person, *keys: str) -> None:
    tell([Telling(person_id=person.pk, key=key, kind="points.granted") for key in keys], now=NOW)


def somebody(name: str) -> Person:
    return Person.objects.create(name=name, created_at=NOW)


def followed(start: Bookmark, limit: int = 2, person: Person | None = None) -> Iterator[str]:
    while (news := messages_after(start, limit=limit, person_id=person.pk if person else None)).messages:
        yield from (message.key for message in news.messages)
        start = news.bookmark


@pytest.mark.django_db(transaction=True)
class TestFollowing:
    @pytest.fixture(autouse=True)
    def _postgresql(self) -> None:
        # On SQLite the end of such a test empties the tables, which their guards refuse; there, see below.
        if connection.vendor != "postgresql":
            pytest.skip("needs committed transactions: PostgreSQL")

    def test_everything_comes_once_and_in_order(self) -> None:
        lin, mo = somebody("Lin"), somebody("Mo")
        begin = last_bookmark()
        told(lin, "a", "b")
        told(mo, "c")
        told(lin, "d", "e")

        assert list(followed(begin)) == ["a", "b", "c", "d", "e"]
        assert list(followed(begin, person=lin)) == ["a", "b", "d", "e"]
        assert last_bookmark() > begin
        assert not messages_after(last_bookmark()).messages

    def test_a_message_still_being_written_is_not_passed(self) -> None:
        lin = somebody("Lin")
        written, go_on = Event(), Event()

        def slow() -> None:
            try:
                with transaction.atomic():
                    told(lin, "slow")
                    written.set()
                    assert go_on.wait(20)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(slow)
            assert written.wait(20)
            told(lin, "fast")
            early = messages_after(Bookmark())
            go_on.set()
            running.result(20)

        assert early.messages == [], "the fast one waits: it must not be passed on before the slow one"
        assert early.bookmark == Bookmark()
        assert list(followed(early.bookmark)) == ["slow", "fast"]


@pytest.mark.django_db
def test_sqlite_s_one_writer_makes_the_id_the_order() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("SQLite's way")
    lin, mo = somebody("Lin"), somebody("Mo")
    told(lin, "a", "b")
    begin = last_bookmark()
    told(mo, "c")
    told(lin, "d", "e")

    assert list(followed(Bookmark())) == ["a", "b", "c", "d", "e"]
    assert list(followed(begin)) == ["c", "d", "e"]
    assert list(followed(begin, person=lin)) == ["d", "e"]


def test_a_bookmark_is_written_and_read_as_text() -> None:
    assert Bookmark.parse(str(Bookmark(12345678901, 42))) == Bookmark(12345678901, 42)
    for text in ("", "1", "-", "1-", "a-b", "1-2-3", "٣-1", "9" * 50 + "-1"):
        with pytest.raises(ValueError, match="Not a bookmark"):
            Bookmark.parse(text)
