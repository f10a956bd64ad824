"""A manager says when the monthly report is made and for whom; readers open it on the page and in print."""

from __future__ import annotations

import json

import pytest

from tests.cast import NOW, Cast
from uptake.directory.scope import EVERYTHING
from uptake.insight.impact.models import Evaluation
from uptake.insight.impact.register import lock
from uptake.insight.impact.tests.test_interventions import BEFORE, registered, shops
from uptake.insight.report.make_monthly import make_monthly
from uptake.insight.report.models import MonthlyReport, Schedule

pytestmark = [pytest.mark.django_db, pytest.mark.once]
KEPT = {
    "metrics": [
        {
            "event": "", "measure": "share", "smallest": 0.05, "weeks": [],
            "result": {"verdict": "cannot_tell", "grade": "-", "estimate": None, "relative": None},
            "sentences": [{"pattern": "It cannot be told whether “{metric}” changed because of it.",
                           "fields": {"metric": "active"}}],
        }
    ],
    "guardrails": [], "from": "2026-01-01", "to": "2026-05-01",
}  # fmt: skip


def test_a_manager_schedules_it_and_a_reader_opens_it(cast: Cast) -> None:
    made = lock(intervention=registered(cast, shops(cast)), by=EVERYTHING, now=BEFORE)
    Evaluation.objects.create(
        intervention=made, text=json.dumps(KEPT), sha="1" * 64, verdict="cannot_tell", grade="-", made_at=NOW
    )
    hua, address = cast.sign_in(cast.hua), f"/impact/monthly/?at={cast.beiyuan.slug}"

    assert "No report yet" in hua.get(address).content.decode()
    assert hua.post(address, {"day": "40"}).status_code == 422
    assert hua.post(address, {"day": "5", "reader": [cast.hua.pk], "active": "on"}).status_code == 302
    assert hua.post(address, {"what": "now"}).status_code == 302
    assert "A report is being made" in hua.get(address).content.decode()
    Schedule.objects.update(made_at=NOW, active=True)
    assert make_monthly(now=NOW) == 1

    report = MonthlyReport.objects.get()
    page = hua.get(f"/impact/monthly/{report.pk}/").content.decode()
    assert "It cannot be told whether “Active people a working day” changed" in page
    assert hua.get(f"/impact/monthly/{report.pk}/report.pdf").content.startswith(b"%PDF")
    assert "The monthly report on impact is there" in hua.get("/messages/").content.decode()
    shu, mo = cast.sign_in(cast.shu), cast.sign_in(cast.mo)
    assert shu.get(f"/impact/monthly/{report.pk}/").status_code == 200
    assert shu.post(address, {"day": "5"}).status_code == 403
    assert {mo.get(one).status_code for one in (address, f"/impact/monthly/{report.pk}/")} == {404}
