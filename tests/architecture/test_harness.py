"""The harness itself: the tests run on the database they say they run on."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client

from tests import blank
from uptake.directory.models import AuditEntry, Organization, Person


@pytest.mark.django_db
def test_the_tests_run_on_the_database_that_was_asked_for(pytestconfig: pytest.Config) -> None:
    asked = pytestconfig.getoption("--database")

    with connection.cursor() as cursor:
        cursor.execute("SELECT version()" if asked == "postgresql" else "SELECT sqlite_version()")
        answer = cursor.fetchone()[0]

    assert connection.vendor == asked
    assert answer


def test_the_tests_never_touch_the_stores_of_the_machine() -> None:
    assert Path(settings.DATA).name.startswith("uptake-tests-")
    assert Path(os.environ["UPTAKE_DATA"]) == Path(settings.DATA)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", ["first", "second"])
def test_a_test_with_real_transactions_leaves_nothing_and_finds_what_the_migrations_left(turn: str) -> None:
    assert not any(model.objects.exists() for model in (Organization, Person, AuditEntry))
    assert ContentType.objects.filter(app_label="directory").exists()

    now = datetime(2026, 5, 13, tzinfo=UTC)
    AuditEntry.objects.create(at=now, deed="test.done")  # a table that only grows
    Person.objects.create(name=turn, created_at=now)
    Organization.objects.create(kind="park", name=turn, slug=turn, path="/", created_at=now)


def test_a_blank_cluster_is_kept_whole_and_those_of_other_versions_go(tmp_path: Path) -> None:
    made, kept, older = tmp_path / "made", tmp_path / "kept" / "cluster-new", tmp_path / "kept" / "cluster-old"
    (made / "data" / "base").mkdir(parents=True)
    (made / "data" / "base" / "1").write_text("rows")
    older.mkdir(parents=True)

    assert blank.keep(made, kept)

    assert [one.name for one in kept.parent.iterdir()] == ["cluster-new"]
    assert (kept / "data" / "base" / "1").read_text() == "rows"


def test_what_cannot_be_copied_is_not_kept(tmp_path: Path) -> None:
    kept = tmp_path / "kept" / "cluster-new"

    assert not blank.keep(tmp_path / "nothing", kept)
    assert not list(kept.parent.iterdir())


@pytest.mark.django_db
def test_a_new_browser_finds_the_static_files_there_are(settings: Any, tmp_path: Path) -> None:
    """The harness looks them over once; another folder, and what lies in the usual one, are found all the same."""
    usual = Path(settings.STATIC_ROOT)
    one = next(file for file in sorted(usual.rglob("*.css")) if file.is_file())
    address = f"/static/{one.relative_to(usual).as_posix()}"
    assert [Client().get(address).status_code for _ in range(2)] == [200, 200]

    settings.STATIC_ROOT = tmp_path
    (tmp_path / "own.css").write_text("p {}")
    assert Client().get("/static/own.css").content == b"p {}"
    (tmp_path / "later.css").write_text("p {}")
    assert Client().get("/static/later.css").status_code == 200
