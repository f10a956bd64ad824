"""Readers see one consistent snapshot; a crash at any moment leaves the last one; what is replaced is gone."""

from __future__ import annotations

import os
import random
import threading
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from uptake.activity import ActivityLog, ask
from uptake.activity import store as store_module
from uptake.activity.incoming import Incoming
from uptake.activity.store import NoSuchLog, Store
from uptake.activity.summaries.daily import daily

DAY = 86_400_000_000
EVERYTHING = {"analysis": "pv_uv", "event_sel": {}, "by": "event"}


def rows(numbers: range, *, people: int = 30, seed: int = 1) -> Incoming:
    """Made-up events with these ids."""
    chance = random.Random(f"{seed} {numbers}")
    incoming = Incoming()
    for number in numbers:
        day = chance.randrange(20)
        for name, value in (
            ("event_id", number), ("person", chance.randint(-2, people)), ("happened_at", day * DAY), ("company", 1),
            ("business_day", day), ("department", 0), ("event", chance.choice("abc")), ("source", "erp"),
            ("object", f"o{number % 5}"), ("properties", {"n": number, "t": f"x{number % 3}", "odd": [number]}),
        ):  # fmt: skip
            getattr(incoming, name).append(value)
    return incoming


def write(folder: Path, incoming: Incoming, **position: int) -> None:
    with Store(folder).writing(buckets=4) as writer:
        writer.declare({"n": "number", "t": "text"})
        writer.add(incoming)
        writer.publish(position=position)


def ids(log: ActivityLog) -> list[int]:
    found: list[int] = sorted(log.to_arrow()["event_id"].to_numpy().tolist())
    return found


def test_what_was_written_is_read_back_whole(tmp_path: Path) -> None:
    sent = rows(range(200))
    write(tmp_path, sent)

    table = ActivityLog.open(tmp_path).to_arrow().sort_by("event_id")

    for name in ("person", "happened_at", "business_day", "company", "event", "source", "object"):
        assert table[name].to_pylist() == getattr(sent, name), name
    assert table["p:n"].to_pylist() == list(range(200))
    assert table["p:t"].to_pylist() == [one["t"] for one in sent.properties]
    assert table["rest"].to_pylist()[3] == '{"odd":[3]}'


@pytest.mark.parametrize("compact", [False, True])
def test_rows_are_sorted_by_person_instant_and_event_however_they_came(tmp_path: Path, compact: bool) -> None:
    for start in range(0, 300, 100):
        write(tmp_path, rows(range(start, start + 100)))
    with Store(tmp_path).writing() as writer:
        if compact:
            writer.compact()
        writer.publish()

    snapshot = ActivityLog.open(tmp_path).snapshot()

    for bucket in range(snapshot.buckets):
        columns = snapshot.columns(bucket, ["person", "happened_at", "event_id"])
        keys = list(zip(*(columns[name].tolist() for name in columns), strict=True))
        assert keys == sorted(keys)


def test_a_reader_that_catches_up_answers_like_one_that_starts(tmp_path: Path) -> None:
    write(tmp_path, rows(range(100)))
    reader = ActivityLog.open(tmp_path)
    for step in range(1, 8):
        before = ask(reader, EVERYTHING)
        if step in (3, 4, 6):
            with Store(tmp_path).writing() as writer:
                if step == 4:
                    writer.compact()
                else:
                    writer.gather()
                writer.publish()
        write(tmp_path, rows(range(step * 100, step * 100 + 37)))

        after = ask(reader, EVERYTHING)

        assert after == ask(ActivityLog.open(tmp_path), EVERYTHING)
        assert after["total_pv"] > before["total_pv"]
        assert ids(reader) == ids(ActivityLog.open(tmp_path))


@pytest.mark.parametrize("behind", [0, 1, 3, 5])
@pytest.mark.parametrize("large", [False, True])
def test_a_reader_however_far_behind_reads_gathered_deltas_once(
    tmp_path: Path, behind: int, large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if large:
        monkeypatch.setattr(store_module, "LARGE_DELTA", 100)
    write(tmp_path, rows(range(50)))
    with Store(tmp_path).writing() as writer:
        writer.compact()
        writer.publish()
    reader = ActivityLog.open(tmp_path)
    ask(reader, EVERYTHING)
    for step in range(1, 6):
        write(tmp_path, rows(range(step * 50, step * 50 + 50)))
        if step <= 5 - behind:
            ask(reader, EVERYTHING)
        if step == 2:
            with Store(tmp_path).writing() as writer:  # some of the first two deltas is in the base of a bucket by now
                writer.replace([3], Incoming())
                writer.publish()

    with Store(tmp_path).writing() as writer:
        writer.gather()
        writer.publish()
    write(tmp_path, rows(range(300, 320)))

    assert len(Store(tmp_path).manifest().deltas) == 2
    assert ask(reader, EVERYTHING) == ask(ActivityLog.open(tmp_path), EVERYTHING)
    assert reader.to_arrow() == ActivityLog.open(tmp_path).to_arrow()
    assert len(set(ids(reader))) == len(ids(reader)) > 250


@pytest.mark.parametrize("again", [0, 3])
def test_a_reader_of_a_log_made_again_holds_nothing_of_the_old_one(tmp_path: Path, again: int) -> None:
    write(tmp_path, rows(range(50)))
    reader = ActivityLog.open(tmp_path)
    ask(reader, EVERYTHING)

    with Store(tmp_path).writing() as writer:
        writer.clear()
        writer.add(rows(range(again)))
        writer.publish()

    assert ids(reader) == list(range(again))


def test_many_deltas_are_gathered_and_much_in_them_goes_into_the_base(tmp_path: Path) -> None:
    for number in range(store_module.MOST_DELTAS + 1):
        write(tmp_path, rows(range(number, number + 1)))
    with Store(tmp_path).writing() as writer:
        writer.tidy()
        assert (len(writer.draft.deltas), len(writer.draft.bases)) == (1, 0)
        writer.add(rows(range(1000, 102_000)))
        writer.tidy()
        assert (len(writer.draft.deltas), len(writer.draft.bases)) == (0, 4)
        writer.publish()

    assert len(ids(ActivityLog.open(tmp_path))) == 101_000 + store_module.MOST_DELTAS + 1


def test_a_large_delta_reads_like_a_small_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "small", rows(range(400)))
    monkeypatch.setattr(store_module, "LARGE_DELTA", 100)
    write(tmp_path / "large", rows(range(400)))

    small, large = ActivityLog.open(tmp_path / "small"), ActivityLog.open(tmp_path / "large")

    assert Store(tmp_path / "large").manifest().deltas[0].grouped
    assert large.to_arrow() == small.to_arrow()


@pytest.mark.parametrize("fails_at", range(12))
def test_a_crash_at_any_writing_leaves_the_last_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    write(tmp_path, rows(range(100)), event_id=1)
    before = ids(ActivityLog.open(tmp_path))
    real, renamed = os.replace, Counter[str]()

    def replace_or_die(source: Any, target: Any) -> None:
        renamed["done"] += 1
        if renamed["done"] > fails_at:
            raise KeyboardInterrupt  # the power goes between writing and renaming
        real(source, target)

    monkeypatch.setattr(os, "replace", replace_or_die)
    try:
        with Store(tmp_path).writing() as writer:
            writer.add(rows(range(100, 200)))
            writer.compact()
            writer.publish(position={"event_id": 2})
        died = False
    except KeyboardInterrupt:
        died = True
    monkeypatch.undo()

    log = ActivityLog.open(tmp_path)
    assert ids(log) == (before if died else list(range(200)))
    assert Store(tmp_path).manifest().position["event_id"] == (1 if died else 2)

    write(tmp_path, rows(range(100, 200)), event_id=3)
    if died:
        assert ids(ActivityLog.open(tmp_path)) == list(range(200))
    assert not list(tmp_path.rglob("*.tmp")), "the next writer sweeps what the crash left"


def test_a_reader_whose_files_were_swept_away_starts_again_with_the_newer_ones(tmp_path: Path) -> None:
    write(tmp_path, rows(range(100)))
    reader = ActivityLog.open(tmp_path)
    old = reader.snapshot()
    for step in range(6):
        write(tmp_path, rows(range(100 + step * 10, 110 + step * 10)))
        with Store(tmp_path).writing() as writer:
            writer.compact()
            writer.publish()
    seen = []

    def ask_late(snapshot: Any) -> int:
        seen.append(snapshot)
        chosen = old if len(seen) == 1 else snapshot
        return sum(len(chosen.columns(bucket, ["event"])["event"]) for bucket in range(chosen.buckets))

    assert reader.reading(ask_late) == 160
    assert len(seen) == 2


def test_replaced_people_are_gone_from_every_file(tmp_path: Path) -> None:
    incoming = rows(range(100))
    incoming.object = [f"secret-{person}" for person in incoming.person]
    write(tmp_path, incoming)
    write(tmp_path, rows(range(100, 150)))
    gone = {3, -1}
    new = Incoming(**{name: [column[5]] for name, column in vars(rows(range(900, 906))).items()})
    new.person = [3]

    with Store(tmp_path).writing() as writer:
        writer.replace(gone, new)
        writer.publish()

    table = ActivityLog.open(tmp_path).to_arrow()
    left = [(pk, who) for pk, who in zip(table["event_id"].to_pylist(), table["person"].to_pylist(), strict=True)]
    assert [pk for pk, who in left if who in gone] == [905]
    assert len([pk for pk, who in left if who not in gone]) == sum(
        who not in gone for part in (incoming, rows(range(100, 150))) for who in part.person
    )
    assert len(list((tmp_path / "manifests").iterdir())) == 1, "no older snapshot keeps the rows"


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    """Each adds one after what it found: without the lock some would find the same."""
    write(tmp_path, rows(range(1)), event_id=0)

    def add_one() -> None:
        for _ in range(5):
            with Store(tmp_path).writing() as writer:
                at = writer.position["event_id"] + 1
                writer.add(rows(range(at, at + 1)))
                writer.publish(position={"event_id": at})

    threads = [threading.Thread(target=add_one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert ids(ActivityLog.open(tmp_path)) == list(range(21))


def test_memory_stays_within_its_budget_and_answers_do_not_change(tmp_path: Path) -> None:
    write(tmp_path, rows(range(3000)))
    small, large = ActivityLog.open(tmp_path, memory_bytes=40_000), ActivityLog.open(tmp_path)

    answers = [ask(small, EVERYTHING) for _ in range(3)]

    assert answers == [ask(large, EVERYTHING)] * 3
    assert small._memory is not None
    assert large._memory is not None
    assert 0 < small._memory.size <= 40_000 < large._memory.size
    assert small._memory.size == sum(held.size for held in small._memory.held.values())


def test_a_property_declared_later_is_found_in_old_and_new_rows(tmp_path: Path) -> None:
    write(tmp_path, rows(range(50)))
    with Store(tmp_path).writing() as writer:
        writer.declare({"later": "text"})
        incoming = rows(range(50, 60))
        incoming.properties = [{"later": "yes"}] * 10
        writer.add(incoming)
        writer.publish()
    old = rows(range(60, 70))
    old.properties = [{"later": 7}] * 10  # does not fit the column
    write(tmp_path, old)
    where = [{"property": "later", "op": "is_set"}]

    answer = ask(
        ActivityLog.open(tmp_path), {"analysis": "pv_uv", "event_sel": {"where": where}, "by": {"property": "later"}}
    )

    nobodys = sum(who == 0 for who in (incoming.person + old.person))
    assert answer["total_pv"] == 20 - nobodys
    assert set(answer["by_value"]) == {"yes", "7"}


def test_where_there_is_no_log() -> None:
    missing = Path("/nonexistent/log")

    with pytest.raises(NoSuchLog):
        ask(ActivityLog.open(missing), EVERYTHING)
    empty = ActivityLog.open(missing, empty_if_missing=True)
    assert daily(empty, first=date(2026, 1, 1), last=date(2026, 1, 2)).events == (0, 0)
