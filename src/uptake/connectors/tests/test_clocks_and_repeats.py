"""Wrong clocks are corrected, and a message sent twice is known again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uptake.connectors.cases import run
from uptake.connectors.message import Message
from uptake.connectors.repeats import key_of_message
from uptake.connectors.skew import occurred

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOURS = st.integers(min_value=-30_000, max_value=30_000).map(lambda hours: timedelta(hours=hours))


@given(HOURS, st.integers(min_value=0, max_value=10_000))
def test_the_error_of_a_clock_falls_out(error: timedelta, waited: int) -> None:
    happened = NOON - timedelta(seconds=waited)
    found = occurred(
        time=(happened + error).isoformat(), sent_at=(NOON + error).isoformat(), received_at=NOON, historical=False
    )
    assert (found.at, found.flagged) == (happened, False)


@pytest.mark.parametrize(
    ("said", "at", "flagged"),
    [
        ({"time": "2026-01-02T12:00:00Z"}, datetime(2026, 1, 2, 12, tzinfo=UTC), False),
        ({"time": "2026-01-02T12:00:01Z"}, NOON, True),
        ({"time": "2026-01-05T00:00:00Z", "sent_at": "2026-01-03T00:00:00Z"}, NOON, True),
        ({"time": None, "sent_at": "2026-01-03T00:00:00Z"}, NOON, False),
        ({"time": "yesterday"}, NOON, True),
        ({"time": "2026-01-01T11:00:00", "sent_at": None}, datetime(2026, 1, 1, 11, tzinfo=UTC), False),
        (
            {"time": "2020-01-01T00:00:00Z", "sent_at": "2025-12-31T12:00:00Z", "historical": True},
            datetime(2020, 1, 1, tzinfo=UTC),
            False,
        ),
        ({"time": "0001-01-01T00:00:00Z", "sent_at": "9999-12-31T00:00:00Z"}, NOON, True),
    ],
)
def test_what_cannot_be_right_is_stored_as_received(said: dict[str, Any], at: datetime, flagged: bool) -> None:
    found = occurred(**{"sent_at": None, **said}, received_at=NOON)
    assert (found.at, found.flagged) == (at, flagged)


def test_without_an_id_a_message_is_known_by_what_it_says() -> None:
    message = {"source": "k", "user": "u", "event": "e", "timestamp": "t", "object": "o"}
    other = [{**message, name: "another"} for name in message]
    case = {"analysis": "dedupe", "query": {"messages": [message, dict(message), *other, *other]}}
    assert run({**case, "expected": {"dropped": 1 + len(other)}}) == []


def test_the_same_id_of_two_origins_is_two_messages() -> None:
    one, two = (Message("track", event="e", id="1", origin=origin) for origin in ("/a", "/b"))
    assert key_of_message(one) != key_of_message(two)
    assert key_of_message(Message("track", event="e", id="1")) == "1"


def test_a_case_says_what_differs() -> None:
    case = {
        "analysis": "skew",
        "query": {"messages": [{"timestamp": "2026-01-01T10:00:00Z", "receivedAt": "2026-01-01T10:00:09Z"}]},
        "expected": {"occurred_at": ["2026-01-01T10:00:01.000Z"]},
    }
    assert run(case) == [
        "occurred_at[0]: expected '2026-01-01T10:00:01.000Z', got '2026-01-01T10:00:00.000Z'",
    ]
    assert run({**case, "expected": {"occurred_at": ["2026-01-01T18:00:00+08:00"]}}) == []
