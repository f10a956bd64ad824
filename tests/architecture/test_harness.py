"""The harness itself: the tests run on the database they say they run on."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import connection

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
