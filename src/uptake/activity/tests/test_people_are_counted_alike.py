"""Every analysis means the same by people: whom an account belongs to. What nobody has claimed yet is an event only."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from uptake.activity import ActivityLog, ask
from uptake.activity.analyses import actors_behind
from uptake.activity.tests.test_visits_say_the_same import BEGIN, log_of

UNCLAIMED = -3
FUNNEL = {"steps": ["open", "save"], "window_seconds": 86_400}
LATER = (BEGIN + timedelta(days=40)).isoformat()
RANGE = {"from": "2026-03-26", "to": "2026-04-08"}


@pytest.fixture
def log(tmp_path: Path) -> ActivityLog:
    """Two people and an account nobody has claimed do the same, and fall silent."""
    deeds = [(0, "open"), (2, "save"), (30, "open")]
    return log_of(tmp_path, [(who, hour, name, 1, 11) for who in (1, 2, UNCLAIMED) for hour, name in deeds])


@pytest.mark.parametrize(
    ("question", "people", "behind"),
    [
        ({"analysis": "pv_uv", "event_sel": {}}, ["total_uv"], {}),
        ({"analysis": "trends", "series": [{"count": "people"}]}, ["series", 0, "total"], {"series": 0}),
        ({"analysis": "active_users"}, ["mau_rolling_30", -1], {"day": "2026-04-08", "window": 30}),
        ({"analysis": "funnel", **FUNNEL}, ["counts", 0], {"step": 0}),
        ({"analysis": "funnel", **FUNNEL, "order": "unordered"}, ["counts", 1], {"step": 1}),
        ({"analysis": "funnel_trends", **FUNNEL}, ["buckets", 0, "entered"], None),
        ({"analysis": "time_to_convert", **FUNNEL}, ["bins", 0, 1], None),
        ({"analysis": "retention", "intervals": 3, "to": None}, ["matrix", 0, 0], None),
        ({"analysis": "lifecycle"}, ["new", 0], None),
        ({"analysis": "stickiness"}, ["by_active_intervals", 1], None),
        ({"analysis": "sessions"}, ["people"], {}),
        ({"analysis": "sessions"}, ["per_interval", "people", 0], {"start": "2026-03-26"}),
        ({"analysis": "sessions", "duration_bins": [60]}, ["by_duration", "people", 0], {"duration": 0}),
        ({"analysis": "paths"}, ["people"], None),
        ({"analysis": "paths", "items": [{"sel": {}, "property": "screen"}]}, ["people"], None),
        ({"analysis": "transitions"}, ["people"], None),
        ({"analysis": "transitions", "steps": 2}, ["people"], None),
        ({"analysis": "silence", "from": None, "to": None, "as_of": LATER, "silent_days": 5}, ["silent_people"], {}),
    ],
    ids=lambda value: str(value.get("analysis", "")) if isinstance(value, dict) else "",
)
def test_people_are_those_an_account_belongs_to(
    log: ActivityLog, question: dict[str, Any], people: list[Any], behind: dict[str, Any] | None
) -> None:
    asked = {key: value for key, value in {**RANGE, **question, "by": "company"}.items() if value is not None}

    answer = ask(log, asked)

    for told in (answer, answer["by_value"]["1"]):
        number: Any = told
        for step in people:
            number = number[step]
        assert number == 2
    if behind is not None:
        assert list(actors_behind(log, asked, behind)) == [1, 2]


def test_what_nobody_has_claimed_counts_as_events_and_sessions(log: ActivityLog) -> None:
    events = ask(log, {"analysis": "pv_uv", "event_sel": {}, **RANGE})
    sessions = ask(log, {"analysis": "sessions", **RANGE})

    assert events["total_pv"] == sessions["events"] == 9
    assert (sessions["sessions"], sessions["sessions_per_person"]) == (9, 3.0)


def test_segments_hold_people_only(log: ActivityLog) -> None:
    cohort = {"analysis": "cohort", "as_of": "2026-04-08", "criteria": [{"kind": "performed", "event": "open"}]}

    assert ask(log, cohort)["people"] == ["1", "2"]
