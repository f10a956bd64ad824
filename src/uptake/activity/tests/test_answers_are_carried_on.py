"""Answers carried from snapshot to snapshot are those a reader that begins with the last one gives."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from uptake.activity import ActivityLog, carried, log
from uptake.activity.incoming import Incoming
from uptake.activity.periods import day_number
from uptake.activity.store import Store
from uptake.activity.summaries.daily import daily
from uptake.activity.summaries.flow import flow
from uptake.activity.summaries.last_activity import extent, last_activity
from uptake.activity.summaries.people import people
from uptake.activity.summaries.places import places
from uptake.activity.summaries.rhythm import rhythm
from uptake.activity.summaries.top import top
from uptake.activity.summaries.use import use

FIRST = date(2026, 3, 2)
LOW, HIGH = FIRST + timedelta(days=9), FIRST + timedelta(days=20)
SPANS = ((LOW, HIGH), (FIRST, LOW), (LOW, LOW))
Row = tuple[int, int, int, str, int]
GROUPS = {"open": "access", "order.processed": "orders", "order.sent": "orders"}

rows_in_any_order = st.lists(
    st.tuples(
        st.sampled_from([-7, 0, 1, 2, 3, 4, 5]), st.integers(0, 27), st.sampled_from([0, 1, 2]),
        st.sampled_from(["open", "order.processed", "order.sent", "heartbeat"]), st.sampled_from([0, 11, 12]),
    ),
    max_size=12,
)  # fmt: skip
deed = st.one_of(
    rows_in_any_order.map(lambda rows: ("add", rows)),
    st.tuples(st.just("replace"), st.sampled_from([1, 2, -7])),
    st.sampled_from([("gather", None), ("compact", None), ("leave out", ["heartbeat", "order.sent"])]),
)

QUESTIONS: dict[str, Callable[[ActivityLog], Any]] = {
    "days": lambda asked: daily(asked, first=LOW, last=HIGH, spans=SPANS[2:]),
    "days of a company": lambda asked: daily(asked, first=LOW, last=HIGH, companies=[1], events=["open", "heartbeat"]),
    "days of people": lambda asked: daily(asked, first=LOW, last=HIGH, persons=[1, 3]),
    "companies": lambda asked: places(asked, spans=SPANS),
    "some companies": lambda asked: places(asked, spans=SPANS, companies=[1, 2, 9]),
    "departments": lambda asked: places(asked, spans=SPANS, within=1),
    "names": lambda asked: top(asked, of="event", first=LOW, last=HIGH),
    "categories": lambda asked: top(asked, of="event", first=LOW, last=HIGH, groups=GROUPS, companies=[1, 0]),
    "people": lambda asked: people(asked, first=LOW, last=HIGH, companies=[1, 2], spark_days=5),
    "use": lambda asked: use(asked, last=HIGH, companies=[1, 2], core=["order.sent"]).rows(),
    "rhythm": lambda asked: rhythm(asked, last=HIGH, recent=HIGH - timedelta(days=5), earlier=LOW).get(2),
    "flow": lambda asked: flow(asked, first=LOW, last=HIGH),
    "extent": lambda asked: extent(asked, companies=[1]),
    "last activity": lambda asked: last_activity(asked, persons=[2]).get(2),
}


def incoming(rows: list[Row], start: int) -> Incoming:
    made = Incoming()
    for number, (person, day, company, name, department) in enumerate(rows, start):
        for column, value in (
            ("event_id", number), ("person", person), ("business_day", day_number(FIRST) + day), ("company", company),
            ("happened_at", (day_number(FIRST) + day) * 86_400_000_000 + number % 7), ("department", department),
            ("event", name), ("source", name[:1]), ("object", ""), ("properties", {}),
        ):  # fmt: skip
            getattr(made, column).append(value)
    return made


@pytest.fixture
def every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """However large a part of so small a log is new, only that is counted again."""
    monkeypatch.setattr(carried, "LARGEST_PART", 0)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds=st.lists(st.lists(deed, max_size=3), min_size=1, max_size=5), first=rows_in_any_order)
def test_whatever_is_done_to_the_log(
    tmp_path_factory: pytest.TempPathFactory, every_step: None, first: list[Row], deeds: list[list[tuple[str, Any]]]
) -> None:
    folder = tmp_path_factory.mktemp("log")
    with Store(folder).writing(buckets=3) as writer:
        writer.leave_out(not_activity=["heartbeat"], machines=[4])
        writer.add(incoming(first, 0))
        writer.publish()
    following = ActivityLog.open(folder)
    number = len(first)

    for at_once in deeds:
        for ask in QUESTIONS.values():
            ask(following)
        with Store(folder).writing() as writer:
            for what, of in at_once:
                if what == "add":
                    writer.add(incoming(of, number))
                    number += len(of)
                elif what == "replace":
                    writer.replace([of], incoming([(of, 12, 1, "open", 11)], number))
                    number += 1
                elif what == "gather":
                    writer.gather()
                elif what == "compact":
                    writer.compact()
                else:
                    writer.leave_out(not_activity=of, machines=[4, 5])
            writer.publish()

        beginning = ActivityLog.open(folder)
        for name, ask in QUESTIONS.items():
            assert ask(following) == ask(beginning), name


def test_only_people_with_new_rows_are_counted_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[Row] = [(1 + number % 90, 10, 1, "open", 11) for number in range(900)]
    with Store(tmp_path).writing(buckets=3) as writer:
        writer.add(incoming(rows, 0))
        writer.publish()
    following = ActivityLog.open(tmp_path)
    daily(following, first=LOW, last=HIGH)
    counted: list[int] = []
    original = log.each_bucket

    def noted(snapshot: Any, *rest: Any) -> Any:
        counted.append(snapshot.rows)
        return original(snapshot, *rest)

    monkeypatch.setattr("uptake.activity.summaries.daily.each_bucket", noted)
    with Store(tmp_path).writing() as writer:
        writer.add(incoming([(1, 11, 1, "open", 11), (500, 11, 1, "open", 11)], 900))
        writer.publish()

    found = daily(following, first=LOW, last=HIGH)
    daily(following, first=LOW, last=HIGH)

    assert counted == [10, 12]
    assert (found.total_events, found.total_people) == (902, 91)
