"""Who is told what: the scope is added to every question, and small groups are hidden from those who see totals."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from tests.cast import Cast
from uptake.activity.question import QuestionRefused
from uptake.directory.scope import EVERYTHING, NOBODY, viewer_of
from uptake.insight.feed.where import activity_log
from uptake.insight.metrics.behind import rows_of
from uptake.insight.metrics.period import last_days
from uptake.insight.metrics.tests.world import happen
from uptake.insight.metrics.told import TotalsOnly, told, without_few

TODAY = date(2026, 5, 13)
QUESTION: dict[str, Any] = {"analysis": "pv_uv", "from": "2026-05-01", "to": "2026-05-12", "event_sel": {}}

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def own_log(settings: LazySettings, tmp_path: Path) -> None:
    settings.DATA = tmp_path


@pytest.fixture
def lively(cast: Cast) -> Cast:
    days = [TODAY - timedelta(days=number) for number in (1, 2)]
    happen(cast, [(who, "order.created", day) for who in ("lin", "hua", "ke", "mo") for day in days], TODAY)
    return cast


def asked(cast: Cast, who: str, **more: Any) -> dict[str, Any]:
    viewer = viewer_of(cast.login(cast.people()[who]), today=TODAY)
    return told(activity_log(), viewer, {**QUESTION, **more})


def test_each_is_told_of_the_own_places_only(lively: Cast) -> None:
    assert told(activity_log(), EVERYTHING, QUESTION)["total_pv"] == 8
    assert asked(lively, "ren")["total_pv"] == 8
    assert asked(lively, "wei")["total_pv"] == 6
    assert told(activity_log(), NOBODY, QUESTION)["total_pv"] == 0


def test_a_place_one_may_not_see_is_refused_like_one_that_is_not_there(lively: Cast) -> None:
    with pytest.raises(QuestionRefused) as foreign:
        asked(lively, "wei", scope=lively.qinghe.pk)
    with pytest.raises(QuestionRefused) as missing:
        asked(lively, "wei", scope=10**6)

    assert str(foreign.value) == str(missing.value)


def test_who_sees_totals_only_is_not_told_of_fewer_than_five(lively: Cast) -> None:
    few = asked(lively, "hua")

    assert few["total_uv"] is None
    assert few["total_pv"] is None
    assert set(few["uv"]) == {0, None}
    assert asked(lively, "wei")["total_uv"] == 3


@pytest.mark.parametrize(
    "more",
    [{"only_persons": [1]}, {"not_persons": [1]}, {"segment": {"criteria": []}}, {"count_by": {"property": "order"}}],
)
def test_who_sees_totals_only_cannot_single_people_out(lively: Cast, more: dict[str, Any]) -> None:
    with pytest.raises(TotalsOnly):
        asked(lively, "hua", **more)


def test_what_is_hidden_and_what_stays() -> None:
    answer = {
        "pv": [9, 40],
        "uv": [4, 5],
        "total_uv": 7,
        "starts": ["2026-05-01"],
        "by_value": {"a": {"pv": [1], "uv": [0], "total_uv": 0}, "b": {"pv": [8], "uv": [1], "total_uv": 1}},
    }

    assert without_few("pv_uv", answer) == {
        "pv": [None, None],
        "uv": [None, 5],
        "total_uv": 7,
        "starts": ["2026-05-01"],
        "by_value": {"a": {"pv": [1], "uv": [0], "total_uv": 0}, "b": {"pv": [None], "uv": [None], "total_uv": None}},
    }


def test_the_people_behind_a_number_are_those_whom_the_viewer_may_see(lively: Cast) -> None:
    everyone = [one.pk for one in lively.people().values()]
    wei = viewer_of(lively.login(lively.wei), today=TODAY)

    rows = rows_of(activity_log(), wei, everyone, lively.beiyuan, last_days(7, TODAY))

    assert lively.mo.pk not in {row.person for row in rows}
    lin = next(row for row in rows if row.person == lively.lin.pk)
    assert (lin.events, lin.active_days, lin.last_day) == (2, 2, TODAY - timedelta(days=1))
    assert lin.company == lively.beiyuan.name
