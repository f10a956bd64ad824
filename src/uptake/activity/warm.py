"""Compiles every fold ahead of time, so that no page waits for it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np

from uptake.activity.analyses import ANALYSES, ask
from uptake.activity.incoming import Dictionary, Incoming
from uptake.activity.log import from_incoming
from uptake.activity.merge import inserted, merge_places
from uptake.activity.periods import day_number
from uptake.activity.summaries.daily import daily
from uptake.activity.summaries.modules import modules
from uptake.activity.summaries.people import people
from uptake.activity.summaries.places import places
from uptake.activity.summaries.top import top

PERFORMED = {"kind": "performed", "event": "opened"}
NO_ROLE: dict[str, Any] = {"property": "role", "op": "is_not_set"}
BY_PLACE: dict[str, Any] = {"by": "company", "scope": [1]}
"""Of somebody with two companies."""
MORE: dict[str, tuple[dict[str, Any], ...]] = {
    "pv_uv": ({}, {"by": "company"}, BY_PLACE, {"by": None}),
    "retention": (
        {},
        {"by": "company", "intervals": 2},
        {"by": "company", "intervals": 2, "cumulative": True, "scope": [1]},
        {"by": None, "interval": "week", "mode": "first_time", "intervals": 2},
        {"by": None, "mode": "first_ever", "intervals": 2, "min_return_count": 2, "cumulative": True},
        {"mode": "first_time", "start_event": {"event": "opened", "where": [NO_ROLE]}, "min_return_count": 2},
        {"mode": "first_ever", "start_event": {"event": "opened", "where": [NO_ROLE]}, "by": None},
    ),
    "stickiness": ({}, {"event_sel": {"where": [NO_ROLE]}}, {"criteria": {"value": 2}}),
    "lifecycle": ({}, BY_PLACE, {"event_sel": {"where": [NO_ROLE]}}),
    "funnel": (
        {"steps": ["opened"], **BY_PLACE},
        {"steps": ["opened"]},
        {"steps": ["opened", "opened"], "order": "strict", "by": None, "filters": [NO_ROLE]},
        {"steps": ["opened", {"event": "opened", "where": [NO_ROLE]}], "by": None},
    ),
    "funnel_trends": ({"steps": ["opened", "opened"]},),
    "time_to_convert": ({"steps": ["opened", "opened"]},),
    "cohort": ({"criteria": [PERFORMED, {"kind": "property", "property": "role", "op": "is_not_set"}]},),
    "adoption": ({"seats": []},),
    "transitions": (
        {},
        BY_PLACE,
        {"by": None},
        {"by": None, "count": "people"},
        {"by": None, "session_gap_seconds": 1800, "filters": [NO_ROLE]},
        {"by": None, "items": [{"sel": {}, "property": "role"}], "collapse": True},
    ),
    "paths": ({}, {"by": None}, {"by": None, "items": [{"sel": {}, "property": "role"}]}),
    "sessions": ({}, {"by": None, "duration_bins": [60]}, {"by": None, "filters": [NO_ROLE]}),
    "silence": ({}, {"silent_days": 1, "by": None}, {"by": None, "items": [{"sel": {}, "property": "role"}]}),
    "trends": ({}, {"by": None}, {"by": None, "series": [{"sel": {"where": [NO_ROLE]}, "count": "sessions"}]}),
}
"""What has to be asked of an analysis so that all its kernels are compiled; left out, the usual question does."""


def warm() -> None:
    """Asks everything once of a log of three events; the machine code stays in the cache. Safe to repeat."""
    day = date(2026, 1, 5)
    incoming = Incoming()
    for number, (person, company) in enumerate(((1, 1), (2, 1), (2, 2))):
        incoming.event_id.append(number)
        incoming.person.append(person)
        incoming.happened_at.append(day_number(day) * 86_400_000_000)
        incoming.business_day.append(day_number(day))
        incoming.company.append(company)
        incoming.department.append(2)
        incoming.event.append("opened")
        incoming.source.append("warm")
        incoming.object.append("")
        incoming.properties.append({})
    log = from_incoming(incoming, ["one", "two"])
    usual = {"from": str(day), "to": str(day), "event_sel": {}, "by": "event"}
    for analysis in ANALYSES:
        for more in MORE.get(analysis.name, ({},)):
            given = {key: value for key, value in usual.items() if key in analysis.keys}
            ask(log, {"analysis": analysis.name, **given, **more})
    last = day + timedelta(days=1)
    for one in (log, from_incoming(incoming, ["one", "two"], ["heartbeat"])):  # with bookkeeping, rows are looked at
        daily(one, first=day, last=last)
        places(one, spans=[(day, last)])
        people(one, first=day, last=last)
        top(one, of="event", first=day, last=last)
    modules(log, first=day, last=last, groups={"opened": "warm"}, companies=[1])
    warm_feeding()


def warm_feeding() -> None:
    """Loads what the first new rows of a process wait for: the machine code, and what Arrow loads to read a list."""
    Dictionary().codes(["opened"])
    keys = {"person": np.int32, "happened_at": np.int64, "event_id": np.int64}
    columns = {name: np.zeros(1, kind) for name, kind in keys.items()}
    among = merge_places(columns, columns)
    for kind in (np.int8, np.int16, np.int32, np.int64, np.float64):
        inserted(np.zeros(1, kind), np.zeros(1, kind), among)
