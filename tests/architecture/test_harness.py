"""The harness itself: the tests run on the database they say they run on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection


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
