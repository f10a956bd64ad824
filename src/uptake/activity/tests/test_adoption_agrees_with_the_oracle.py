"""Adoption by seats, too young ones left out, against plain Python; and the case files, which say it by example."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from uptake.activity import ActivityLog, ask
from uptake.activity.question import QuestionRefused
from uptake.activity.waits import days_to, median_wait, too_young

ZONE = "Asia/Shanghai"
FIRST, LAST = date(2026, 3, 1), date(2026, 3, 31)
START = datetime(2026, 2, 1, tzinfo=UTC)


def log_of(events: list[tuple[str, str, int]]) -> ActivityLog:
    """(person, company, hours after the start) of a core event; an event of another name at the very start for all."""
    people = sorted({person for person, _, _ in events})
    rows = [(person, "Acme", "login", START) for person in people]
    rows += [(person, company, "post", START + timedelta(hours=hours)) for person, company, hours in events]
    columns: list[list[Any]] = [list(column) for column in zip(*rows, strict=True)] if rows else [[], [], [], []]
    return ActivityLog.from_arrow(
        pa.table(
            {
                "person": pa.array(columns[0], pa.string()),
                "company": pa.array(columns[1], pa.string()),
                "event": pa.array(columns[2], pa.string()),
                "happened_at": pa.array(columns[3], pa.timestamp("us", tz="UTC")),
            }
        ),
        buckets=3,
    )


def oracle(events: list[tuple[str, str, int]], seats: list[dict[str, Any]], after: int) -> dict[str, Any]:
    """By hand: one seat after the other, one event after the other."""
    table = {"seats": 0, "activated": 0, "active": 0, "too_young": 0, "judged": 0, "activated_in_time": 0}
    waits: list[tuple[int, bool]] = []
    keys = sorted({(seat["company"], seat["user"]) for seat in seats})
    for company, user in keys:
        spans = [s for s in seats if (s["company"], s["user"]) == (company, user)]
        spans = [s for s in spans if s["valid_from"] is None or date.fromisoformat(s["valid_from"]) <= LAST]
        spans = [s for s in spans if s["valid_to"] is None or date.fromisoformat(s["valid_to"]) >= FIRST]
        if not spans:
            continue
        days = sorted(
            (START + timedelta(hours=hours)).astimezone(ZoneInfo(ZONE)).date()
            for person, where, hours in events
            if person == user and where in (company, "")
        )
        days = [day for day in days if day <= LAST]
        table["seats"] += 1
        table["activated"] += bool(days)
        table["active"] += any(day >= FIRST for day in days)
        if any(s["valid_from"] is None for s in spans):
            continue
        issued = min(date.fromisoformat(s["valid_from"]) for s in spans)
        took = max(0, (days[0] - issued).days) if days else None
        waits.append((took, True) if took is not None else ((LAST - issued).days, False))
        if (LAST - issued).days < after:
            table["too_young"] += 1
        else:
            table["judged"] += 1
            table["activated_in_time"] += took is not None and took <= after
    return {**table, "median_days_to_activate": slow_median(waits)}


def slow_median(waits: list[tuple[int, bool]]) -> float | None:
    """The first day by which the product of (1 - happened / at risk) over the days is a half or less."""
    share = 1.0
    for day in sorted({days for days, happened in waits if happened}):
        at_risk = sum(days >= day for days, _ in waits)
        happened = sum(one == (day, True) for one in waits)
        share *= 1 - happened / at_risk
        if share <= 0.5 + 1e-9:
            return float(day)
    return None


PEOPLE = st.sampled_from(["ann", "bob", "cat"])
COMPANIES = st.sampled_from(["Acme", "Blue"])
EVENTS = st.lists(st.tuples(PEOPLE, COMPANIES, st.integers(0, 24 * 70)), max_size=8)
DATES = st.dates(date(2026, 1, 20), date(2026, 4, 5))


@st.composite
def seat(draw: st.DrawFn) -> dict[str, Any]:
    start, days = draw(st.none() | DATES), draw(st.none() | st.integers(0, 60))
    begin = start or date(2026, 2, 1)
    return {
        "company": draw(COMPANIES),
        "user": draw(PEOPLE),
        "valid_from": start and start.isoformat(),
        "valid_to": None if days is None else (begin + timedelta(days=days)).isoformat(),
    }


@settings(max_examples=120, deadline=None)
@given(EVENTS, st.lists(seat(), max_size=7), st.integers(0, 40))
@example([("ann", "Acme", 700)], [{"company": "Acme", "user": "ann", "valid_from": "2026-03-20", "valid_to": None}], 14)
def test_as_by_hand(events: list[tuple[str, str, int]], seats: list[dict[str, Any]], after: int) -> None:
    question = {
        "analysis": "adoption", "event_sel": "post", "seats": seats, "judged_after_days": after, "timezone": ZONE,
        "from": FIRST.isoformat(), "to": LAST.isoformat(),
    }  # fmt: skip
    log = log_of(events)
    told = ask(log, question)["park"]

    expected = oracle(events, seats, after)
    assert {name: told[name] for name in expected} == expected
    judged = expected["judged"]
    assert told["in_time_rate"] == (round(expected["activated_in_time"] / judged, 4) if judged else None)


@given(st.lists(st.tuples(st.integers(0, 12), st.booleans()), max_size=12))
def test_the_median_of_waits_is_that_of_the_product_over_days(waits: list[tuple[int, bool]]) -> None:
    assert median_wait(waits) == slow_median(waits)


def test_the_edges_of_the_rule() -> None:
    assert too_young(date(2026, 3, 18), date(2026, 3, 31), 14)
    assert not too_young(date(2026, 3, 17), date(2026, 3, 31), 14)
    assert (days_to(date(2026, 3, 1), date(2026, 3, 4)), days_to(date(2026, 3, 4), date(2026, 3, 1))) == (3, 0)


@pytest.mark.parametrize("wrong", [-1, 2.5, "14", True, 4000])
def test_what_is_no_number_of_days_is_refused(wrong: object) -> None:
    question = {"analysis": "adoption", "event_sel": "post", "seats": [], "judged_after_days": wrong}

    with pytest.raises(QuestionRefused, match="judged_after_days"):
        ask(log_of([]), question)
