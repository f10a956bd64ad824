"""A blank database is copied only into an empty one, only for the tables it was made from, and never half."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from uptake.basics import blank_database


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "room" / "migrations").mkdir(parents=True)
    (tmp_path / "room" / "migrations" / "0001_initial.py").write_text("first")
    monkeypatch.setattr(blank_database, "PACKAGE", tmp_path)
    monkeypatch.setattr(blank_database, "FOLDER", tmp_path / "kept")
    blank_database.blank_file.cache_clear()
    yield tmp_path
    blank_database.blank_file.cache_clear()


def made(file: Path) -> sqlite3.Connection:
    database = sqlite3.connect(file)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("CREATE TABLE event (name TEXT)")
    database.execute("INSERT INTO event VALUES ('kind')")
    database.commit()
    return database


def rows(database: sqlite3.Connection) -> list[tuple[str]]:
    return database.execute("SELECT name FROM event").fetchall()


def test_what_was_kept_is_there_in_the_next(tmp_path: Path) -> None:
    with closing(made(tmp_path / "first.sqlite3")) as first:
        blank_database.keep(first)
    with closing(sqlite3.connect(tmp_path / "second.sqlite3")) as second:
        second.execute("PRAGMA journal_mode=WAL")

        assert blank_database.fill(second)

        assert rows(second) == [("kind",)]
        assert second.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    with closing(sqlite3.connect(":memory:")) as third:
        assert blank_database.fill(third)
        assert rows(third) == [("kind",)]


def test_nothing_is_kept_at_first() -> None:
    with closing(sqlite3.connect(":memory:")) as database:
        assert not blank_database.fill(database)


def test_a_database_in_use_is_left_alone(tmp_path: Path) -> None:
    with closing(made(tmp_path / "first.sqlite3")) as first:
        blank_database.keep(first)
        first.execute("INSERT INTO event VALUES ('mine')")

        assert not blank_database.fill(first)

        assert rows(first) == [("kind",), ("mine",)]


def test_another_migration_is_another_blank_and_the_old_one_goes(folder: Path) -> None:
    with closing(made(folder / "first.sqlite3")) as first:
        blank_database.keep(first)
        old = blank_database.blank_file()
        (folder / "room" / "migrations" / "0002_more.py").write_text("second")
        blank_database.blank_file.cache_clear()
        with closing(sqlite3.connect(":memory:")) as empty:
            assert not blank_database.fill(empty)

        blank_database.keep(first)

    assert not old.exists()
    assert list((folder / "kept").iterdir()) == [blank_database.blank_file()]


@pytest.mark.parametrize("harm", [b"", b"no database at all" * 400])
def test_a_damaged_blank_is_no_use_and_no_harm(folder: Path, harm: bytes) -> None:
    with closing(made(folder / "first.sqlite3")) as first:
        blank_database.keep(first)
    blank_database.blank_file().write_bytes(harm)
    with closing(sqlite3.connect(":memory:")) as empty:
        assert not blank_database.fill(empty)
        assert empty.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


def test_a_folder_that_cannot_be_written_keeps_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a-file").write_text("")
    monkeypatch.setattr(blank_database, "FOLDER", folder / "a-file" / "below")
    with closing(made(folder / "first.sqlite3")) as first:
        blank_database.keep(first)
        assert not blank_database.fill(first)
