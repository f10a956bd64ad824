"""Of a funnel those who see totals are told the steps of at least five people, and of ways and silence nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from tests.cast import TODAY, Cast
from uptake.activity import ask
from uptake.activity.cases import log_of
from uptake.directory.scope import viewer_of
from uptake.insight.feed.where import activity_log
from uptake.insight.metrics.told import TotalsOnly, told, without_few


def funnel(analysis: str, **more: Any) -> dict[str, Any]:
    """The answer about ten people who enter orders, seven of whom process one and three of whom count stock after."""
    begin = datetime(2026, 5, 1, 8, tzinfo=UTC)
    deeds = [
        (f"p{who}", event, begin + timedelta(minutes=who + 10 * step), "AP" if who < 7 else "GL")
        for step, (event, many) in enumerate([("order.created", 10), ("order.processed", 7), ("stock.counted", 3)])
        for who in range(many)
    ]
    log = log_of(
        [
            {"user": who, "event": event, "timestamp": at.isoformat(), "properties": {"module": module}}
            for who, event, at, module in deeds
        ],
        {},
    )
    steps = ["order.created", "order.processed", "stock.counted"]
    return ask(log, {"analysis": analysis, "steps": steps, "from": "2026-05-01", "to": "2026-05-01", **more})


def test_of_a_funnel_only_the_steps_of_fewer_than_five_are_hidden() -> None:
    shown = without_few("funnel", funnel("funnel", by="module", compare="previous"))

    assert shown["counts"] == [10, 7, None]
    assert shown["from_start"] == [1.0, 0.7, None]
    assert shown["from_previous"] == [None, 0.7, None]
    assert shown["median_seconds"] == shown["avg_seconds"] == [None, 600.0, None]
    assert shown["by_value"]["AP"]["counts"] == [None, 7, None]  # with the 7, the 3 of GL would be known
    assert shown["by_value"]["AP"]["from_start"] == [None, None, None]
    assert shown["by_value"]["GL"]["counts"] == [None, 0, 0]
    assert shown["by_value"]["GL"]["from_start"][0] is None
    assert shown["compare"]["counts"] == [0, 0, 0]


def test_of_a_funnel_nobody_is_named() -> None:
    shown = without_few("funnel", funnel("funnel", by="module", compare="previous"))

    assert "actors_by_step" not in {
        *shown,
        *shown["compare"],
        *(key for one in shown["by_value"].values() for key in one),
    }
    assert "'p1'" not in repr(shown)


def test_few_who_convert_are_hidden_with_their_rate_and_time() -> None:
    over_time = without_few("funnel_trends", funnel("funnel_trends"))
    whole = without_few("funnel_trends", funnel("funnel_trends", to_step=1))
    times = without_few("time_to_convert", funnel("time_to_convert"))

    assert [(one["entered"], one["converted"], one["rate"]) for one in over_time["buckets"]] == [(10, None, None)]
    assert [(one["entered"], one["converted"], one["rate"]) for one in whole["buckets"]] == [(10, 7, 70.0)]
    assert [people for _start, people in times["bins"] if people] == []
    assert None in [people for _start, people in times["bins"]]
    assert times["average_seconds"] is None


@pytest.mark.django_db
@pytest.mark.parametrize("analysis", ["paths", "transitions", "silence"])
def test_ways_are_told_to_those_only_who_may_see_people(
    cast: Cast, settings: LazySettings, tmp_path: Path, analysis: str
) -> None:
    settings.DATA = tmp_path
    question = {"analysis": analysis, "from": "2026-05-01", "to": "2026-05-12"}

    with pytest.raises(TotalsOnly):
        told(activity_log(), viewer_of(cast.login(cast.hua), today=TODAY), question)

    assert told(activity_log(), viewer_of(cast.login(cast.wei), today=TODAY), question)["people"] == 0
