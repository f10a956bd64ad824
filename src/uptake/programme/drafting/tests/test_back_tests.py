"""A back-test is asked for, runs with its progress, can be called off, and its report is sealed with hashes."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.cast import NOW, TODAY, Cast
from uptake.basics.canonical import fingerprint
from uptake.directory.scope import EVERYTHING, NotAllowed, viewer_of
from uptake.programme.backtest.back_test import Stopped
from uptake.programme.drafting import run_back_tests as running
from uptake.programme.drafting.ask_back_test import NotThatLong, ask_back_test, call_off_back_test
from uptake.programme.drafting.begin import begin_draft
from uptake.programme.drafting.models import Draft, Report, Run
from uptake.programme.drafting.run_back_tests import run_waiting_back_tests
from uptake.programme.drafting.save import save_draft
from uptake.programme.drafting.shadow import refresh_shadows, set_shadow
from uptake.programme.tests.world import RULES, Desk

pytestmark = pytest.mark.django_db(transaction=True)

HALF: dict[str, Any] = {"rules": [{**RULES[0], "points": {"per": "lines", "points": 2}}]}
TOMORROW = NOW + timedelta(days=1)


def drafted(cast: Cast) -> Draft:
    return begin_draft(organization=cast.beiyuan, title="Double", rulebook=HALF, by=EVERYTHING, now=NOW)


def run_all(at: Any = TOMORROW) -> int:
    return run_waiting_back_tests(clock=lambda: at, limit=5)


def test_report_of_a_run_is_sealed_and_the_draft_back_tested(cast: Cast) -> None:
    desk, draft = Desk(cast), drafted(cast)
    desk.processed("lin", lines=10)
    run = ask_back_test(draft=draft, days=5, by=EVERYTHING, now=NOW)
    again = ask_back_test(draft=draft, days=5, by=EVERYTHING, now=NOW)

    ran = run_all()

    run.refresh_from_db()
    draft.refresh_from_db()
    report = Report.objects.get()
    assert (ran, again.pk, run.state, run.report, draft.state) == (1, run.pk, "done", report, "tested")
    assert (run.done, run.total) == (1, 1)
    assert report.sha256 == fingerprint(json.loads(report.content))
    assert (report.draft_sha256, report.in_force_sha256) == (draft.sha256, desk.rulebook.sha256)
    assert report.told["each"] == [[cast.lin.pk, 10, 20]]
    assert (report.until_date, report.days) == (TODAY + timedelta(days=1), 5)
    assert run_all() == 0


def test_sampled_run_does_not_count_as_the_back_test(cast: Cast) -> None:
    Desk(cast).processed("lin", lines=10)
    draft = drafted(cast)
    ask_back_test(draft=draft, days=5, sample=2, by=EVERYTHING, now=NOW)

    run_all()

    draft.refresh_from_db()
    assert draft.state == "draft"
    assert Report.objects.get().sample == 2


def test_called_off_run_makes_no_report(cast: Cast) -> None:
    Desk(cast).processed("lin", lines=10)
    run = ask_back_test(draft=drafted(cast), days=5, by=EVERYTHING, now=NOW)

    def called_off(*, progress: Any, **_told: Any) -> Any:
        assert progress(0, 10)
        call_off_back_test(run=run, by=EVERYTHING, now=NOW)
        assert not progress(5, 10)
        raise Stopped

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "back_test", called_off)
        run_all()

    run.refresh_from_db()
    assert (run.state, run.report, run.done) == ("cancelled", None, 0)
    assert not Report.objects.exists()


def test_run_whose_runner_was_lost_begins_anew(cast: Cast) -> None:
    run = ask_back_test(draft=drafted(cast), days=5, by=EVERYTHING, now=NOW)
    Run.objects.update(state="running", moved_at=NOW)

    assert run_all(at=NOW + timedelta(minutes=1)) == 0
    assert run_all(at=NOW + timedelta(minutes=6)) == 1

    run.refresh_from_db()
    assert run.state == "done"


def test_failure_is_told(cast: Cast) -> None:
    run = ask_back_test(draft=drafted(cast), days=5, by=EVERYTHING, now=NOW)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "back_test", lambda **_told: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run_all()

    run.refresh_from_db()
    assert run.state == "failed"
    assert "ZeroDivisionError" in run.problem


def test_only_who_manages_the_rules_asks_and_for_a_year_at_most(cast: Cast) -> None:
    draft = drafted(cast)
    mo = viewer_of(cast.mo.user, today=TODAY)

    with pytest.raises(NotAllowed):
        ask_back_test(draft=draft, days=5, by=mo, now=NOW)
    with pytest.raises(NotThatLong):
        ask_back_test(draft=draft, days=367, by=EVERYTHING, now=NOW)


def test_draft_edited_while_it_ran_is_not_back_tested(cast: Cast) -> None:
    draft = drafted(cast)
    run = ask_back_test(draft=draft, days=5, by=EVERYTHING, now=NOW)
    save_draft(draft=draft, seen=1, rulebook={"rules": RULES}, by=EVERYTHING, now=NOW)

    run_all()

    draft.refresh_from_db()
    assert draft.state == "draft"
    assert Report.objects.get().draft_sha256 == run.sha256 != draft.sha256


def test_shadow_is_reported_once_a_day_and_pays_nothing(cast: Cast) -> None:
    desk, draft = Desk(cast), drafted(cast)
    set_shadow(draft=draft, on=True, by=EVERYTHING, now=NOW)
    award = desk.processed("lin", lines=10)

    assert refresh_shadows(clock=lambda: NOW) == 0
    assert refresh_shadows(clock=lambda: TOMORROW) == 1
    assert refresh_shadows(clock=lambda: TOMORROW) == 0

    assert Report.objects.get().told["each"] == [[cast.lin.pk, 10, 20]]
    assert award is not None
    set_shadow(draft=draft, on=False, by=EVERYTHING, now=TOMORROW)
    assert refresh_shadows(clock=lambda: TOMORROW + timedelta(days=1)) == 0
