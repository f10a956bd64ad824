"""SQL over the files tells what the engine tells, whatever of the log is base or delta, and reaches nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from uptake.activity import ActivityLog, ask
from uptake.activity.incoming import Incoming
from uptake.activity.sql import SqlRefused, run
from uptake.activity.store import Store

DAY = 86_400_000_000


def rows(*given: tuple[int, int, int, str], first_id: int) -> Incoming:
    """(person, company, day, event)."""
    incoming = Incoming()
    for number, (person, company, day, event) in enumerate(given):
        incoming.event_id.append(first_id + number)
        incoming.person.append(person)
        incoming.happened_at.append(day * DAY + number)
        incoming.business_day.append(day)
        incoming.company.append(company)
        incoming.department.append(0)
        incoming.event.append(event)
        incoming.source.append("erp")
        incoming.object.append("")
        incoming.properties.append({"amount": number, "module": "it's", "late": number > 1, "odd": [number]})
    return incoming


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Base files, a delta, people replaced (their buckets are ahead of the delta), and one more delta."""
    found = Store(tmp_path / "activity")
    with found.writing(buckets=4) as writer:
        writer.declare({"amount": "number", "module": "text", "late": "boolean"})
        writer.add(rows(*[(person, 1, 10, "opened") for person in range(1, 30)], first_id=1))
        writer.compact()
        writer.publish()
    with found.writing() as writer:
        writer.add(rows(*[(person, 2, 11, "closed") for person in range(1, 30)], first_id=100))
        writer.publish()
    with found.writing() as writer:
        writer.replace([3, 4], rows((3, 1, 12, "opened"), (4, 1, 12, "moved"), first_id=200))
        writer.publish()
    with found.writing() as writer:
        writer.add(rows((5, 1, 13, "opened"), (3, 1, 13, "opened"), first_id=300))
        writer.publish()
    return found


def test_counts_are_those_of_the_engine(store: Store) -> None:
    log = ActivityLog(store, None)
    told = ask(log, {"analysis": "pv_uv", "event_sel": {"event": "opened"}, "from": "1970-01-01", "to": "1970-02-01"})

    found = run(
        store,
        "select count(*) as events, count(distinct person) as people from events where event = 'opened'",
    ).to_pylist()

    assert found == [{"events": told["total_pv"], "people": told["total_uv"]}]
    assert run(store, "select count(*) as n from events").to_pylist() == [{"n": store.manifest().rows}]


def test_texts_and_properties_are_written_out(store: Store) -> None:
    found = run(store, "select event, source, module, amount, late, rest from events where event_id = 202").to_pylist()
    moved = run(store, "select event, module, amount, late, rest from events where event_id = 201").to_pylist()

    assert found == []
    assert moved == [{"event": "moved", "module": "it's", "amount": 1.0, "late": False, "rest": '{"odd":[1]}'}]


def test_an_empty_log_has_an_empty_table(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.writing() as writer:
        writer.publish()

    assert run(store, "select * from events").num_rows == 0


@pytest.mark.parametrize(
    "statement",
    [
        "select * from read_csv('/etc/passwd')",
        "select * from read_text('/etc/hostname')",
        "copy events to '/tmp/away.csv'",
        "select 1; select 2",
        "selec 1",
        "set memory_limit='9GB'",
        "attach '/tmp/other.db'",
        "install httpfs",
        "create table mine as select 1",
        "select nothing from events",
        "",
    ],
)
def test_nothing_else_can_be_reached_or_changed(store: Store, statement: str) -> None:
    with pytest.raises(SqlRefused):
        run(store, statement)
