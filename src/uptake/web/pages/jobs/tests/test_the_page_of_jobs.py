"""Who runs the platform sees how each job fares and asks for a run; nobody else does."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import Client

from tests.cast import Cast
from uptake.directory.models import AuditEntry
from uptake.jobs.list import JOBS
from uptake.jobs.models import JobRun

pytestmark = pytest.mark.django_db


def test_the_administrator_sees_every_job_with_its_last_failure(cast: Cast) -> None:
    at = datetime(2026, 5, 13, 2, 0, tzinfo=UTC)
    JobRun.objects.create(name="sweep", started_at=at, failed_at=at, failures=3, failure="Broken: no such table")

    page = cast.sign_in(cast.an).get("/jobs/", headers={"accept-language": "en"}).content.decode()

    assert all(job.name in page for job in JOBS)
    assert "Broken: no such table" in page
    assert "Failed 3 times in a row" in page


def test_htmx_gets_the_table_alone(cast: Cast) -> None:
    page = cast.sign_in(cast.an).get("/jobs/", headers={"hx-request": "true"}).content.decode()

    assert "<table" in page
    assert "<html" not in page


def test_asking_for_a_run_is_remembered_and_written_down_once(cast: Cast) -> None:
    browser = cast.sign_in(cast.an)

    answers = [browser.post("/jobs/sweep/run").status_code for _time in range(2)]

    assert answers == [302, 302]
    assert JobRun.objects.get(name="sweep").wanted_at is not None
    assert AuditEntry.objects.filter(deed="job.asked_for", subject="sweep").count() == 1


def test_a_job_that_does_not_exist_is_not_found(cast: Cast) -> None:
    assert cast.sign_in(cast.an).post("/jobs/make-coffee/run").status_code == 404


def test_asking_takes_a_post(cast: Cast) -> None:
    assert cast.sign_in(cast.an).get("/jobs/sweep/run").status_code == 405


@pytest.mark.parametrize("name", ["lin", "hua", "ke", "mo", "wei", "ren", "shu"])
def test_nobody_else_sees_or_runs_them(cast: Cast, name: str) -> None:
    browser = cast.sign_in(cast.people()[name])

    assert browser.get("/jobs/").status_code == 403
    assert browser.post("/jobs/sweep/run").status_code == 403
    assert not JobRun.objects.exists()


def test_strangers_are_sent_to_sign_in() -> None:
    assert "/account/login/" in Client().get("/jobs/")["location"]
