"""On S3-compatible storage a log is what it is in a folder: one state for readers, the last one after a crash, SQL."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from uptake.activity import ActivityLog, ask
from uptake.activity import storage as storage_module
from uptake.activity.sql import run
from uptake.activity.storage import NotConditional, ObjectStorage, Overtaken, storage_at
from uptake.activity.store import NoSuchLog, Store, Writer
from uptake.activity.tests.test_the_files_hold_one_state import EVERYTHING, ids, rows

ThreadedMotoServer = pytest.importorskip("moto.server", reason="moto is not installed").ThreadedMotoServer
pytestmark = pytest.mark.once
BUCKET = "park-activity"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    host, port = moto.get_host_and_port()
    yield f"http://{host}:{port}"
    moto.stop()


@pytest.fixture
def storage(server: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ObjectStorage:
    """A prefix of its own for every test, in a bucket of the server."""
    for name, value in (
        ("AWS_ENDPOINT_URL", server), ("AWS_REGION", "us-east-1"), ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "uptake"), ("AWS_SECRET_ACCESS_KEY", "a-secret-of-the-test"),
    ):  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(storage_module, "LISTED_FOR", 0.0)
    monkeypatch.setattr(storage_module, "LOOK_AGAIN", 0.01)
    place = storage_at(f"s3://{BUCKET}/{request.node.name}")
    assert isinstance(place, ObjectStorage)
    place._client.create_bucket(Bucket=BUCKET)
    return place


def another(place: ObjectStorage) -> Store:
    """The same log as another process sees it."""
    store = Store(place.name)
    store.storage = ObjectStorage(place.bucket, place.prefix)
    return store


def write(place: ObjectStorage, numbers: range, *, compact: bool = False, **position: int) -> None:
    with Store(place.name).writing(buckets=4) as writer:
        writer.declare({"n": "number", "t": "text"})
        writer.add(rows(numbers))
        if compact:
            writer.compact()
        writer.publish(position=position)


def files(place: ObjectStorage) -> set[str]:
    return {path for path, _ in place._listed("")}


def test_answers_rows_and_sql_are_those_of_a_folder(storage: ObjectStorage, tmp_path: Path) -> None:
    for location in (storage.name, str(tmp_path)):
        for step in range(3):
            with Store(location).writing(buckets=4) as writer:
                writer.declare({"n": "number", "t": "text"} if step else {"n": "number"})
                writer.add(rows(range(step * 100, step * 100 + 100)))
                if step == 1:
                    writer.compact()
                writer.publish()
        with Store(location).writing() as writer:  # now a delta is of use for some buckets only
            assert writer.compact(2) == 2
            writer.replace([3], rows(range(0)))
            writer.publish()

    far, near = ActivityLog.open(storage.name), ActivityLog.open(tmp_path)
    statement = "select * from events order by event_id"

    assert ask(far, EVERYTHING) == ask(near, EVERYTHING)
    assert far.to_arrow() == near.to_arrow()
    assert run(Store(storage.name), statement).to_pylist() == run(Store(tmp_path), statement).to_pylist()


def test_there_is_no_log_before_the_first_snapshot(storage: ObjectStorage) -> None:
    with pytest.raises(NoSuchLog):
        ActivityLog.open(storage.name).snapshot()

    with Store(storage.name).writing() as writer:
        writer.publish()

    assert run(Store(storage.name), "select * from events").num_rows == 0
    assert "lock" not in files(storage)


@pytest.mark.parametrize("fails_at", [0, 3, 5, 6])
def test_a_crash_at_any_writing_leaves_the_last_snapshot(
    storage: ObjectStorage, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    write(storage, range(100), event_id=1)
    left = fails_at

    def put_or_die(**what: Any) -> Any:
        nonlocal left
        if what["Key"].endswith("lock"):
            return real(**what)
        if left == 0:
            raise KeyboardInterrupt
        left -= 1
        return real(**what)

    real = storage._client.put_object
    with monkeypatch.context() as power:
        power.setattr(storage._client, "put_object", put_or_die)
        # the process is gone: nobody takes the lease away either
        power.setattr(storage._client, "delete_object", lambda **_: None)
        try:
            write(storage, range(100, 200), compact=True, event_id=2)
            died = False
        except KeyboardInterrupt:
            died = True
    monkeypatch.setattr(storage_module, "LEASE", timedelta(seconds=-1))

    fresh = another(storage)
    assert ids(ActivityLog(fresh, None)) == list(range(100 if died else 200))
    assert fresh.manifest().position["event_id"] == (1 if died else 2)
    assert died == (fails_at < 6)  # a delta, four base files and the manifest

    write(storage, range(300, 310), event_id=3)  # the lease of the dead runs out
    assert len(ids(ActivityLog(fresh, None))) == (110 if died else 210)


def test_what_a_crash_left_is_swept_away_when_it_is_old(
    storage: ObjectStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage_module, "SWEEP_EVERY", 1)
    with Store(storage.name).writing(buckets=4) as writer:
        writer.add(rows(range(50)))  # and never published
    left = files(storage)
    write(storage, range(50))
    assert left
    assert left <= files(storage), "its writer might still be at work"

    monkeypatch.setattr(storage_module, "ABANDONED", timedelta(seconds=-1))
    write(storage, range(50, 60))

    manifest = Store(storage.name).manifest()
    assert not left & files(storage)
    assert manifest.files() <= files(storage)
    assert ids(ActivityLog.open(storage.name)) == list(range(60))


def test_old_snapshots_go_and_replaced_people_at_once(storage: ObjectStorage) -> None:
    for step in range(5):
        write(storage, range(step * 10, step * 10 + 10))
    store = Store(storage.name)
    assert len(store.storage.manifests()) == 3

    with store.writing() as writer:
        writer.replace([3], rows(range(0)))
        writer.forget_texts()
        writer.publish()

    assert files(storage) == store.manifest().files() | set(store.storage.manifests())
    assert len(store.storage.manifests()) == 1
    assert 3 not in ActivityLog.open(storage.name).to_arrow()["person"].to_pylist()


def test_a_reader_whose_files_were_swept_away_starts_again_with_the_newer_ones(storage: ObjectStorage) -> None:
    write(storage, range(100))
    reader = ActivityLog(another(storage), None)
    old = reader.snapshot()
    with Store(storage.name).writing() as writer:
        writer.replace([3], rows(range(0)))
        writer.compact()
        writer.publish()
    seen = []

    def ask_late(snapshot: Any) -> int:
        seen.append(snapshot)
        chosen = old if len(seen) == 1 else snapshot
        return sum(len(chosen.columns(bucket, ["event"])["event"]) for bucket in range(chosen.buckets))

    assert reader.reading(ask_late) == Store(storage.name).manifest().rows
    assert len(seen) == 2


def test_a_file_swept_away_while_it_is_read_is_missing(storage: ObjectStorage) -> None:
    """It is open already: pyarrow says that something went wrong, readers have to know what."""
    write(storage, range(1000), compact=True)
    store = Store(storage.name)
    manifest = store.manifest()
    bucket, base = next(iter(manifest.bases.items()))
    opened = storage.parquet(base.file)

    class Slow:
        """Whoever opens the file finds it, whoever reads it does not."""

        def __getattr__(self, name: str) -> Any:
            return getattr(storage, name)

        def parquet(self, path: str) -> Any:
            storage._removed([path])
            return opened

    store.storage = Slow()
    with pytest.raises(FileNotFoundError):
        store.read_base(manifest, bucket, ["rest"])


def test_of_two_writers_who_begin_from_one_state_one_is_refused(
    storage: ObjectStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease of the first has run out while it worked."""
    write(storage, range(10), event_id=0)
    monkeypatch.setattr(storage_module, "LEASE", timedelta(seconds=-1))
    with another(storage).writing() as slow:
        slow.add(rows(range(10, 20)))
        write(storage, range(20, 30), event_id=30)

        with pytest.raises(Overtaken):
            slow.publish(position={"event_id": 20})

    assert ids(ActivityLog.open(storage.name)) == [*range(10), *range(20, 30)]
    assert Store(storage.name).manifest().position == {"event_id": 30}


def test_a_writer_left_far_behind_is_refused_though_its_number_is_free_again(
    storage: ObjectStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(storage, range(10))
    monkeypatch.setattr(storage_module, "LEASE", timedelta(seconds=-1))
    with another(storage).writing() as slow:
        slow.add(rows(range(10, 20)))
        write(storage, range(20, 30))
        with Store(storage.name).writing() as writer:
            writer.replace([99], rows(range(0)))  # keeps no older snapshot
            writer.publish()

        with pytest.raises(Overtaken):
            slow.publish()

    assert ids(ActivityLog.open(storage.name)) == [*range(10), *range(20, 30)]


def test_one_writer_at_a_time(storage: ObjectStorage) -> None:
    """Each adds one after what it found; nobody works in vain."""
    write(storage, range(1), event_id=0)

    def add_some() -> None:
        store = another(storage)
        for _ in range(2):
            with store.writing() as writer:
                at = writer.position["event_id"] + 1
                writer.add(rows(range(at, at + 1)))
                writer.publish(position={"event_id": at})

    threads = [threading.Thread(target=add_some) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert ids(ActivityLog.open(storage.name)) == list(range(5))


def test_storage_that_ignores_conditions_is_not_written_to(
    storage: ObjectStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = storage._client.put_object
    store = another(storage)

    def heedless(**what: Any) -> Any:
        return real(**{name: one for name, one in what.items() if name != "IfNoneMatch"})

    monkeypatch.setattr(storage._client, "put_object", heedless)

    with pytest.raises(NotConditional), store.writing() as writer:
        writer.publish()

    assert files(storage) <= {"lock"}


def test_an_answer_that_got_lost_is_no_refusal(storage: ObjectStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    """boto3 tries again what it heard nothing of; then the name is taken, by ourselves."""
    store = another(storage)
    real = storage._client.put_object

    def twice(**what: Any) -> Any:
        if "manifests" in what["Key"]:
            real(**what)
        return real(**what)

    monkeypatch.setattr(storage._client, "put_object", twice)
    with store.writing() as writer:
        _three(writer)

    assert store.manifest().rows == 3


def _three(writer: Writer) -> None:
    writer.add(rows(range(3)))
    writer.publish()
