"""Compaction folds deltas into base files in small steps: no answer changes, no reader waits, no crash hurts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uptake.activity import ActivityLog, ask
from uptake.activity import store as store_module
from uptake.activity.incoming import Incoming
from uptake.activity.store import Store
from uptake.activity.tests.test_the_files_hold_one_state import EVERYTHING, rows, write


def content(folder: Path) -> list[dict[str, Any]]:
    """Every row as a new reader finds it, in the order of the log."""
    return ActivityLog.open(folder).to_arrow().to_pylist()


@pytest.fixture
def several(tmp_path: Path) -> Path:
    """A log of four buckets: bases, and three deltas over them."""
    write(tmp_path, rows(range(40)))
    with Store(tmp_path).writing() as writer:
        writer.compact()
        writer.publish()
    for number in range(1, 4):
        write(tmp_path, rows(range(100 * number, 100 * number + 30)))
    return tmp_path


def step(folder: Path, most: int = 1) -> int:
    with Store(folder).writing() as writer:
        written = writer.compact(most)
        writer.publish()
    return written


def test_step_by_step_every_snapshot_says_the_same(several: Path) -> None:
    reader, before = ActivityLog.open(several), content(several)
    answer = ask(reader, EVERYTHING)

    steps = 0
    while step(several):
        steps += 1
        assert content(several) == before
        assert ask(reader, EVERYTHING) == answer

    assert steps == 4
    assert (Store(several).manifest().deltas, len(before)) == ((), 130)


def test_rows_that_come_between_two_steps_are_kept(several: Path) -> None:
    step(several, 2)
    write(several, rows(range(900, 940)))
    step(several, 2)
    while step(several, 2):
        pass

    assert sorted(row["event_id"] for row in content(several))[-40:] == list(range(900, 940))
    assert len(content(several)) == 170


def test_a_delta_goes_when_all_its_buckets_are_folded_though_later_ones_wait(several: Path) -> None:
    first = Store(several).manifest().deltas[0]
    for _bucket in range(4):
        step(several)
        write(several, rows(range(1000 + 10 * _bucket, 1001 + 10 * _bucket)))

    assert first.file not in {delta.file for delta in Store(several).manifest().deltas}


def test_a_crash_at_any_moment_leaves_the_last_snapshot(several: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process dies at the n-th renaming, before it or after it, for every n there is."""
    before = content(several)
    real = os.replace
    moments = 0
    while True:
        left = [moments]

        def die(source: Any, target: Any, left: list[int] = left) -> None:
            if left[0] == 0:
                raise KeyboardInterrupt
            left[0] -= 1
            real(source, target)
            if left[0] == 0:
                raise KeyboardInterrupt

        with monkeypatch.context() as broken:
            broken.setattr(os, "replace", die)
            try:
                step(several, 2)
            except KeyboardInterrupt:
                moments += 1
            else:
                break
        assert content(several) == before
    while step(several, 2):
        pass

    assert moments >= 3, "two base files and a manifest at least"
    assert content(several) == before
    leftovers = {file.suffix for file in several.rglob("*") if file.is_file() and file.name != "lock"}
    assert leftovers <= {".json", ".parquet"}


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["add", "compact", "gather", "replace"]), st.integers(1, 4)), max_size=8))
def test_whatever_the_order_the_rows_are_those_that_were_added(
    tmp_path_factory: pytest.TempPathFactory, deeds: list[tuple[str, int]]
) -> None:
    folder = tmp_path_factory.mktemp("log")
    write(folder, rows(range(20)))
    expected, following = set(range(20)), 100
    for deed, size in deeds:
        if deed == "add":
            write(folder, rows(range(following, following + size)))
            expected |= set(range(following, following + size))
            following += size
            continue
        with Store(folder).writing() as writer:
            if deed == "compact":
                writer.compact(size)
            elif deed == "gather":
                writer.gather()
            else:
                whom = {row["person"] for row in content(folder)[:size]}
                gone = {row["event_id"] for row in content(folder) if row["person"] in whom}
                writer.replace(whom, Incoming())
                expected -= gone
            writer.publish()
        assert {row["event_id"] for row in content(folder)} == expected


def test_texts_of_replaced_rows_are_in_no_file_any_more(several: Path) -> None:
    own = Incoming(
        event_id=[5000], person=[77], happened_at=[1], business_day=[1], company=[1], department=[0], event=["a"],
        source=["erp"], object=["secret order"], properties=[{"t": "secret text", "odd": "secret rest"}],
    )  # fmt: skip
    reader = ActivityLog.open(several)
    write(several, own)
    others = [row for row in content(several) if row["person"] != 77]
    assert "secret order" in {row["object"] for row in content(several)}

    with Store(several).writing() as writer:
        writer.replace([77], Incoming())
        writer.forget_texts()
        writer.publish()

    assert content(several) == others
    assert reader.to_arrow().to_pylist() == others
    manifest = Store(several).manifest()
    for column in ("object", "p:t"):
        assert not [text for text in Store(several).texts(manifest, column).to_pylist() if "secret" in (text or "")]
    for delta in manifest.deltas:
        found = Store(several).read_delta(manifest, delta, ["person", "rest"])
        assert 77 not in found["person"].tolist()
    write(several, own)
    assert "secret order" in {row["object"] for row in content(several)}, "a text may come again"


def test_there_is_much_to_compact_when_the_deltas_are_a_share_of_the_base(
    several: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "COMPACT_FROM", 60)
    with Store(several).writing() as writer:
        assert writer.much_to_compact  # 90 rows over 40: more than 60 and a fifth of 40
    monkeypatch.setattr(store_module, "COMPACT_FROM", 90)
    with Store(several).writing() as writer:
        assert not writer.much_to_compact
