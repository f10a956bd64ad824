"""What pages read agrees with counting by hand: by company, department, person, name; machines and nobody left out."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from uptake.activity import ActivityLog, ask
from uptake.activity.incoming import Incoming
from uptake.activity.periods import day_number
from uptake.activity.store import Store
from uptake.activity.summaries.daily import daily
from uptake.activity.summaries.last_activity import extent, last_activity
from uptake.activity.summaries.people import people
from uptake.activity.summaries.places import Places, places
from uptake.activity.summaries.top import top

FIRST = date(2026, 3, 2)
MACHINE = 4
NAMES = ("open", "order.processed", "heartbeat")
Row = tuple[int, int, int, str, int]

events = st.lists(
    st.tuples(
        st.sampled_from([-7, 0, 1, 2, 3, MACHINE]), st.integers(0, 27), st.sampled_from([0, 1, 2]),
        st.sampled_from(NAMES), st.sampled_from([0, 11, 12]),
    ),
    max_size=60,
)  # fmt: skip


def log_of(folder: Path, rows: list[Row]) -> ActivityLog:
    """Rows (person, day, company, name, department); heartbeats are bookkeeping, person 4 is a machine."""
    incoming = Incoming()
    for number, (person, day, company, name, department) in enumerate(rows):
        for column, value in (
            ("event_id", number), ("person", person), ("business_day", day_number(FIRST) + day), ("company", company),
            ("happened_at", (day_number(FIRST) + day) * 86_400_000_000 + number), ("department", department),
            ("event", name), ("source", name[:1]), ("object", ""), ("properties", {}),
        ):  # fmt: skip
            getattr(incoming, column).append(value)
    with Store(folder).writing(buckets=3) as writer:
        writer.clear()
        writer.leave_out(not_activity=["heartbeat"], machines=[MACHINE])
        writer.add(incoming)
        writer.publish()
    return ActivityLog.open(folder)


def counted(rows: list[Row], low: int, high: int, company: int | None = None) -> list[Row]:
    return [
        row
        for row in rows
        if row[0] not in (0, MACHINE) and row[3] != "heartbeat" and low <= row[1] <= high
        and (company is None or row[2] == company)
    ]  # fmt: skip


def persons(rows: list[Row]) -> set[int]:
    return {row[0] for row in rows if row[0] > 0}


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def on(rows: list[Row], low: int, high: int) -> list[int]:
    return [len(persons([row for row in rows if row[1] == number])) for number in range(low, high + 1)]


common = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@common
@given(events, st.integers(7, 20), st.integers(0, 7))
def test_companies_over_several_periods_in_one_pass(tmp_path: Path, rows: list[Row], low: int, length: int) -> None:
    spans = [(low, low + length), (low - length - 1, low - 1), (0, 27)]
    log, dates = log_of(tmp_path, rows), [(day(first), day(last)) for first, last in spans]
    found = places(log, spans=dates)
    assert places(log, spans=dates, week_start=None) == tuple(_without_weeks(one) for one in found)

    for one, (first, last) in zip(found, spans, strict=True):
        for place in (*one.rows, one.total):
            now = counted(rows, first, last, None if place is one.total else place.id)
            assert (place.events, place.people) == (len(now), len(persons(now)))
            assert list(place.daily_people) == on(now, first, last)
            assert place.active_days == len([people for people in place.daily_people if people])
            assert list(place.weekly_people) == [
                len(persons([row for row in now if week <= day(row[1]) < week + timedelta(days=7)]))
                for week in one.weeks
            ]
        listed = {row[2] for span in spans for row in counted(rows, *span)}
        assert [place.id for place in one.rows] == sorted(listed)


def _without_weeks(found: Places) -> Places:
    rows = tuple(replace(row, weekly_people=()) for row in found.rows)
    return Places(found.days, (), rows, replace(found.total, weekly_people=()))


@common
@given(events)
def test_departments_are_those_of_the_company_alone(tmp_path: Path, rows: list[Row]) -> None:
    (found,) = places(log_of(tmp_path, rows), spans=[(day(0), day(27))], within=1)

    own = counted(rows, 0, 27, 1)
    assert {place.id: place.events for place in found.rows} == {
        department: len([row for row in own if row[4] == department]) for department in {row[4] for row in own}
    }
    assert found.total.people == len(persons(own))


def test_the_daily_average_is_over_working_days(tmp_path: Path) -> None:
    rows: list[Row] = [(1, 0, 1, "open", 0), (2, 0, 1, "open", 0), (1, 1, 1, "open", 0), (1, 5, 1, "open", 0)]
    (found,) = places(log_of(tmp_path, rows), spans=[(day(0), day(6))])

    assert found.per_working_day(found.total, {day(number) for number in range(5)}) == 3 / 5
    assert found.per_working_day(found.total, set()) is None


@common
@given(events, st.integers(0, 20), st.integers(0, 7))
def test_days_of_some_companies_and_people(tmp_path: Path, rows: list[Row], low: int, length: int) -> None:
    log = log_of(tmp_path, rows)
    high = low + length

    spans = [(day(low), day(low)), (day(low), day(high)), (day(high), day(high))]
    found = daily(log, first=day(low), last=day(high), companies=[1], spans=spans)
    of_one = daily(log, first=day(low), last=day(high), persons=[2], events=["heartbeat"])

    own = counted(rows, low, high, 1)
    assert list(found.people) == on(own, low, high)
    assert (found.total_events, found.total_people) == (len(own), len(persons(own)))
    parts = [counted(rows, *span, 1) for span in ((low, low), (low, high), (high, high))]
    assert list(found.spans) == [(len(part), len(persons(part))) for part in parts]
    assert sum(of_one.events) == len([row for row in rows if row[0] == 2 and low <= row[1] <= high
                                      and row[3] == "heartbeat"])  # fmt: skip


@common
@given(events, st.integers(0, 20), st.integers(0, 7))
def test_people_of_a_company(tmp_path: Path, rows: list[Row], low: int, length: int) -> None:
    log = log_of(tmp_path, rows)
    high = low + length

    found = people(log, first=day(low), last=day(high), companies=[1], spark_days=5)

    ever = counted(rows, 0, high, 1)
    assert [row.person for row in found.rows] == sorted(persons(ever))
    for one in found.rows:
        own = [row for row in ever if row[0] == one.person]
        within = [row for row in own if row[1] >= low]
        assert one.last_day == day(max(row[1] for row in own))
        assert (one.events, one.active_days) == (len(within), len({row[1] for row in within}))
        assert list(one.per_day) == [
            len([row for row in within if row[1] == number]) for number in range(high - 4, high + 1)
        ]
        assert people(log, first=day(low), last=day(high), companies=[1], persons=[one.person], spark_days=5).rows == (
            one,
        )
    assert found.unidentified_events == len([row for row in ever if row[0] < 0 and row[1] >= low])


@common
@given(events, st.integers(0, 20), st.integers(0, 7))
def test_top_names_with_people_and_shares(tmp_path: Path, rows: list[Row], low: int, length: int) -> None:
    high = low + length

    found = top(log_of(tmp_path, rows), of="event", first=day(low), last=day(high), limit=1)

    own = counted(rows, low, high)
    by_name = {name: [row for row in own if row[3] == name] for name in {row[3] for row in own}}
    assert found.names == len(by_name)
    assert (found.total_events, found.total_people) == (len(own), len(persons(own)))
    best = sorted(by_name, key=lambda name: (-len(by_name[name]), name))[:1]
    assert [(row.name, row.events, row.people) for row in found.rows] == [
        (name, len(by_name[name]), len(persons(by_name[name]))) for name in best
    ]
    assert all(row.events_share == row.events / len(own) for row in found.rows)


@common
@given(events)
def test_last_activity_of_everybody(tmp_path: Path, rows: list[Row]) -> None:
    log = log_of(tmp_path, rows)
    found = last_activity(log)

    own = counted(rows, 0, 27)
    for person in (1, 2, 3, MACHINE):
        theirs = [row[1] for row in own if row[0] == person]
        last = found.get(person)
        assert (last.day if last else None) == (day(max(theirs)) if theirs else None)
    assert {one.person for one in found.before(day(10))} == {
        person for person in persons(own) if max(row[1] for row in own if row[0] == person) < 10
    }
    assert extent(log) == ((day(min(row[1] for row in own)), day(max(row[1] for row in own))) if own else None)


@common
@given(events)
def test_a_question_sees_no_company_but_those_allowed(tmp_path: Path, rows: list[Row]) -> None:
    """Whoever may see company 1 only learns nothing of the others, whatever the question's own scope says."""
    log = log_of(tmp_path, rows)
    question = {"analysis": "pv_uv", "event_sel": {}, "from": str(day(0)), "to": str(day(27))}

    mine = ask(log, question, companies=[1])
    tried = ask(log, question | {"scope": [1, 2]}, companies=[1])
    others = ask(log, question | {"scope": 2, "by": "company"}, companies=[1])

    assert mine["total_pv"] == tried["total_pv"] == len(counted(rows, 0, 27, 1))
    assert (others["total_pv"], others["by_value"]) == (0, {})
