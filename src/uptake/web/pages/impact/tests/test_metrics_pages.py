"""The catalogue says what is measured at a place, what is not and why; small groups and other companies stay hidden."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import LazySettings

from tests.cast import TODAY, Cast
from uptake.insight.impact.named import BY_KEY
from uptake.insight.impact.tests.test_named_metrics import lived
from uptake.web.pages.impact import metrics_page, named_words
from uptake.web.pages.impact.tests.test_impact_pages import read

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_catalogue_tells_figures_sources_and_what_is_missing(
    cast: Cast, settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DATA = tmp_path
    monkeypatch.setattr(metrics_page, "business_date", lambda *_at: TODAY)
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
