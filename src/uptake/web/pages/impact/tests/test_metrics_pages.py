"""The catalogue says what is measured at a place, what is not and why; small groups and other companies stay hidden."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import LazySettings
from django.utils import timezone

from tests.cast import TODAY, Cast
from uptake.insight.impact.models import Outage
from uptake.insight.impact.named import BY_KEY
from uptake.insight.impact.tests.test_named_metrics import lived
from uptake.web.pages.impact import metrics_page, named_words
from uptake.web.pages.impact.tests.test_impact_pages import read

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_catalogue_tells_figures_sources_and_what_is_missing(
    cast: Cast, settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DATA = tmp_path
    monkeypatch.setattr(metrics_page, "settings_at", lambda _place: SimpleNamespace(date_of=lambda _at: TODAY))
    lived(cast)
    ren, mo, hua = (cast.sign_in(one) for one in (cast.ren, cast.mo, cast.hua))

    text = read(ren, f"/impact/metrics/?at={cast.beiyuan.slug}")
    one = read(ren, f"/impact/metrics/orders_on_time/?at={cast.beiyuan.slug}")

    measured, missing = text.split('id="missing"')
    assert "Orders finished on time" in measured
    assert "50.0%" in measured
    assert "Task completion" in missing
    assert "Needed: a system that says when a task is begun" in missing
    assert 'id="impact-metric"' in one
    assert "Beiyuan Precision" in one
    assert "No events yet" in read(ren, f"/impact/metrics/tasks_done/?at={cast.beiyuan.slug}")
    assert "33.3%" in read(ren, f"/impact/metrics/stock_errors/?at={cast.beiyuan.slug}")
    assert "Metrics" in read(hua, "/impact/")
    small = read(mo, "/impact/metrics/") if mo.get("/impact/metrics/").status_code == 200 else ""
    assert "Beiyuan" not in small
    for at in ("", "login/"):
        assert mo.get(f"/impact/metrics/{at}?at={cast.beiyuan.slug}").status_code in (403, 404)
    assert ren.get("/impact/metrics/no-such/").status_code == 404


def test_every_metric_has_words() -> None:
    assert set(named_words.WORDS) == set(BY_KEY)


def test_outages_are_noted_by_the_form_and_nothing_typed_is_lost(cast: Cast) -> None:
    hua, mo, shu = (cast.sign_in(one) for one in (cast.hua, cast.mo, cast.shu))
    form = {"place": cast.beiyuan.slug, "system": "Kingfisher ERP", "text": "Power", "began_at": "2026-05-12T10:00",
            "ended_at": "2026-05-12T09:00"}  # fmt: skip

    refused = hua.post("/impact/outages/", form)
    assert refused.status_code == 422
    assert "Kingfisher ERP" in refused.content.decode()
    assert hua.post("/impact/outages/", {**form, "began_at": "soon"}).status_code == 422
    assert hua.post("/impact/outages/", {**form, "place": cast.qinghe.slug}).status_code == 403
    assert shu.post("/impact/outages/", form).status_code == 403
    assert hua.post("/impact/outages/", {**form, "ended_at": ""}).status_code in (302, 422)
    began = timezone.localtime() - timedelta(hours=3)
    assert (
        hua.post("/impact/outages/", {**form, "began_at": f"{began:%Y-%m-%dT%H:%M}", "ended_at": ""}).status_code == 302
    )
    made = Outage.objects.order_by("-pk")[0]
    assert "It is over" in read(hua, "/impact/outages/")
    assert "Kingfisher ERP" in read(shu, "/impact/outages/")
    assert "It is over" not in read(shu, "/impact/outages/")
    assert "Kingfisher ERP" not in read(mo, "/impact/outages/")
    assert mo.post(f"/impact/outages/{made.pk}/", {"what": "end"}).status_code == 404
    assert hua.post(f"/impact/outages/{made.pk}/", {"what": "end"}).status_code == 302
    made.refresh_from_db()
    assert made.ended_at is not None
    assert hua.post(f"/impact/outages/{made.pk}/", {"what": "withdraw"}).status_code == 302
    assert hua.post(f"/impact/outages/{made.pk}/", {"what": "other"}).status_code == 404


def test_a_claim_of_before_and_after_is_refused_with_its_averages_and_reasons(cast: Cast) -> None:
    hua = cast.sign_in(cast.hua)

    text = read(hua, "/impact/claim/")
    own = read(hua, "/impact/claim/?before-0=10&after-0=20&before-1=100&after-1=110")

    assert "Cannot tell" in text
    assert "An example, reconstructed" in text
    for average in ("+25.0", "+60.5% relative", "+46.9% relative", "+56.1% relative", "+41.7% relative"):
        assert average in text
    assert "Let some departments wait next time." in text
    assert "+55.0% relative" in own
    assert "+18.2% relative" in own
    for wrong in (
        "before-0=0&after-0=3",
        "before-0=a&after-0=3",
        "before-0=5&after-0=",
        "before-0=",
        "before-0=nan&after-0=1",
    ):
        answer = hua.get(f"/impact/claim/?{wrong}")
        assert (answer.status_code, "the first of them above 0" in answer.content.decode()) == (422, True), wrong
    assert cast.sign_in(cast.lin).get("/impact/claim/").status_code == 403
