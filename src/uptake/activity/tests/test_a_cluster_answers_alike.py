"""Folds that run elsewhere give the answers that threads give here, also when a node is killed in the middle."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from uptake.activity import ActivityLog, QuestionRefused, ask
from uptake.activity.analyses import ANALYSES, actors_behind
from uptake.activity.incoming import Incoming
from uptake.activity.log import Elsewhere, FileSnapshot
from uptake.activity.store import Store
from uptake.activity.summaries.daily import daily
from uptake.activity.summaries.people import people
from uptake.activity.summaries.places import places
from uptake.activity.summaries.top import top
from uptake.activity.tests.test_the_files_hold_one_state import rows
from uptake.activity.warm import MORE

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # nothing is told to anybody
ray = pytest.importorskip("ray", reason="Ray is not installed")

from uptake.activity.cluster import Cluster, ClusterLost, Group, packed  # noqa: E402

pytestmark = pytest.mark.once
FIRST, LAST = "1970-01-01", "1970-01-20"
OVER = {"from": FIRST, "to": LAST, "timezone": "Asia/Shanghai"}
FUNNEL = {
    "analysis": "funnel",
    "steps": ["a", "b", {"event": "c", "where": [{"property": "t", "op": "eq", "value": "x1"}]}],
}
SEVERAL: dict[str, dict[str, Any]] = {
    "people per day": {"analysis": "pv_uv", "event_sel": {}, **OVER},
    "by a property": {"analysis": "pv_uv", "event_sel": {}, "by": "t", "interval": "week", **OVER},
    "of orders": {"analysis": "pv_uv", "event_sel": {}, "count_by": "object", **OVER},
    "funnel": FUNNEL | OVER,
    "funnel by event": FUNNEL | OVER | {"breakdown": {"by": "t"}},
    "retention": {"analysis": "retention", "interval": "week", "intervals": 3, **OVER},
    "lifecycle": {"analysis": "lifecycle", "interval": "week", **OVER},
    "edges": {"analysis": "transitions", "session_gap_seconds": 1800, **OVER},
    "paths": {"analysis": "paths", **OVER},
    "sessions": {"analysis": "sessions", **OVER},
    "silence": {"analysis": "silence", "silent_days": 3, **OVER},
    "of a segment": {
        "analysis": "lifecycle", "interval": "week", **OVER,
        "segment": {"criteria": [{"kind": "performed", "event": "a", "times": 2}]},
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of 3,000 events of 60 people in base files, and of 300 more in a delta."""
    found = tmp_path_factory.mktemp("activity")
    for step, numbers in enumerate((range(3000), range(3000, 3300))):
        with Store(found).writing(buckets=8) as writer:
            writer.declare({"n": "number", "t": "text"})
            writer.leave_out(not_activity=["c"] if step else [], machines=[7])
            writer.add(many(numbers))
            if not step:
                writer.compact()
            writer.publish()
    return found


def many(numbers: range) -> Incoming:
    incoming = rows(numbers, people=60)
    incoming.company = [1 + person % 3 for person in incoming.person]
    return incoming


class NextDoor:
    """Elsewhere without a cluster: every fold is packed, unpacked, and run over columns of its own."""

    def __init__(self, folder: Path, workers: int = 3) -> None:
        self.groups = [Group(str(folder), 2**26, _version()) for _ in range(workers)]

    def each_bucket(self, snapshot: FileSnapshot, fold: Callable[[int], Any], buckets: Iterable[int]) -> list[Any]:
        wanted = list(buckets)
        found = dict(part for some in self._asked(snapshot, fold, wanted, False) for part in some)
        return [found[bucket] for bucket in wanted]

    def each_worker(self, snapshot: FileSnapshot, fold: Callable[[int, Any], Any]) -> list[Any]:
        return [part for some in self._asked(snapshot, fold, list(range(snapshot.buckets)), True) for part in some]

    def catch_up(self, snapshot: FileSnapshot) -> None:
        for group in self.groups:
            group.catch_up(snapshot.manifest.number)

    def _asked(self, snapshot: FileSnapshot, fold: Any, buckets: list[int], summing: bool) -> list[list[Any]]:
        sent = packed(fold, snapshot.manifest)
        shares = [buckets[place :: len(self.groups)] for place in range(len(self.groups))]
        number = snapshot.manifest.number
        return [group.fold(number, sent, some, summing) for group, some in zip(self.groups, shares, strict=True)]


def _version() -> str:
    import uptake

    return uptake.__version__


def log_with(folder: Path, elsewhere: Elsewhere) -> ActivityLog:
    return ActivityLog(Store(folder), None, elsewhere=elsewhere)


def every_question() -> list[tuple[str, dict[str, Any]]]:
    """The questions that touch every kernel, and those of SEVERAL."""
    usual = {"from": FIRST, "to": LAST, "event_sel": {}, "by": "event"}
    found = list(SEVERAL.items())
    for analysis in ANALYSES:
        for number, more in enumerate(MORE.get(analysis.name, ({},))):
            given = {key: value for key, value in usual.items() if key in analysis.keys}
            found.append((f"{analysis.name} {number}", {"analysis": analysis.name, **given, **_of_ours(more)}))
    return found


def _of_ours(more: Any) -> Any:
    """With the names of our events and properties."""
    if isinstance(more, dict):
        return {key: _of_ours(value) for key, value in more.items()}
    if isinstance(more, list | tuple):
        return [_of_ours(one) for one in more]
    return {"opened": "a", "role": "t"}.get(more, more) if isinstance(more, str) else more


@pytest.mark.parametrize(("name", "question"), every_question(), ids=lambda one: one if isinstance(one, str) else "")
def test_every_fold_can_be_sent_and_gives_the_same(folder: Path, name: str, question: dict[str, Any]) -> None:
    here, there = ActivityLog.open(folder), log_with(folder, NextDoor(folder))

    assert ask(there, question) == ask(here, question), name
    assert ask(there, question, companies=[2]) == ask(here, question, companies=[2]), name


def test_summaries_of_pages_are_the_same(folder: Path) -> None:
    here, there = ActivityLog.open(folder), log_with(folder, NextDoor(folder))
    between: dict[str, Any] = {"first": date(1970, 1, 2), "last": date(1970, 1, 18)}

    for told in (daily, people):
        assert told(there, **between) == told(here, **between), told.__name__
    spans = [(between["first"], between["last"]), (between["last"], between["last"])]
    assert places(there, spans=spans) == places(here, spans=spans)
    assert top(there, of="event", **between) == top(here, of="event", **between)


def test_people_behind_a_number_are_the_same(folder: Path) -> None:
    here, there = ActivityLog.open(folder), log_with(folder, NextDoor(folder))

    assert actors_behind(there, FUNNEL | OVER, {"step": 1}) == actors_behind(here, FUNNEL | OVER, {"step": 1})


def test_a_refusal_comes_back_as_what_it_is(folder: Path) -> None:
    import pickle

    with pytest.raises(QuestionRefused) as refused:
        ask(ActivityLog.open(folder), {"analysis": "pv_uv", "interval": "aeon"})

    again = pickle.loads(pickle.dumps(refused.value))
    assert (str(again), again.key) == (str(refused.value), refused.value.key)


def test_nodes_of_another_version_take_no_part(folder: Path) -> None:
    with pytest.raises(RuntimeError, match="has Uptake"):
        Group(str(folder), 2**20, "0.0")


def test_what_reads_memory_past_its_snapshot_is_not_sent(folder: Path) -> None:
    snapshot = ActivityLog.open(folder).snapshot()
    assert isinstance(snapshot, FileSnapshot)
    memory = snapshot.memory

    with pytest.raises(AssertionError, match="through its snapshot"):
        packed(lambda bucket: memory.columns(snapshot.manifest, bucket, []), snapshot.manifest)


# ── A cluster of two nodes ───────────────────────────────────────────────────────────────────────────────────────────
NODE = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "include_dashboard": False}


@pytest.fixture(scope="module")
def machines() -> Iterator[Any]:
    """A head and one node more."""
    from ray.cluster_utils import Cluster as Machines

    # Ray waits 30 seconds for a node, which are few on a machine with much else to do
    found = _patiently(lambda: Machines(initialize_head=True, head_node_args=NODE))
    _patiently(lambda: found.add_node(**NODE))
    ray.init(address=found.address, log_to_driver=False, logging_level="ERROR")
    found.wait_for_nodes()
    yield found
    ray.shutdown()
    found.shutdown()


def _patiently(begin: Callable[[], Any], tries: int = 4) -> Any:
    for left in reversed(range(tries)):
        try:
            return begin()
        except Exception as late:
            if not left or "timed out during startup" not in str(late):
                raise
    raise AssertionError("a loop that returns or raises")


@pytest.fixture(scope="module")
def cluster(machines: Any, folder: Path) -> Cluster:
    """One for all these tests: a group takes a while to begin."""
    return Cluster(folder, address=machines.address, memory_bytes=2**26, groups=2)


def test_two_nodes_answer_like_one_process_also_when_one_is_killed_in_the_middle(
    folder: Path, machines: Any, cluster: Cluster
) -> None:
    here, there = ActivityLog.open(folder), log_with(folder, cluster)
    expected = {name: ask(here, question) for name, question in SEVERAL.items()}

    before = {name: ask(there, question) for name, question in SEVERAL.items()}

    assert before == expected
    assert list(cluster.nodes().values()) == [1, 1], "the groups are spread"

    answer: list[int] = []

    def slowly(bucket: int) -> int:
        time.sleep(0.5)
        return bucket

    def in_the_middle() -> None:
        snapshot = there.snapshot()
        assert isinstance(snapshot, FileSnapshot)
        answer.extend(cluster.each_bucket(snapshot, slowly, range(8)))

    asking = threading.Thread(target=in_the_middle)
    asking.start()
    time.sleep(0.6)  # of the two seconds it takes
    machines.remove_node(machines.worker_nodes.copy().pop(), allow_graceful=False)
    asking.join()
    after = {name: ask(there, question) for name, question in SEVERAL.items()}

    assert answer == list(range(8)), "the question under way was answered"
    assert after == expected
    assert list(cluster.nodes().values()) == [2], "the dead node's group was loaded on the other"


def test_news_reach_the_groups(folder: Path, cluster: Cluster) -> None:
    here, there = ActivityLog.open(folder), log_with(folder, cluster)
    question = SEVERAL["people per day"]
    before = ask(there, question)
    with Store(folder).writing() as writer:
        writer.add(many(range(5000, 5050)))
        writer.publish()

    there.catch_up()
    after = ask(there, question)

    assert after == ask(here, question)
    assert after["total_pv"] > before["total_pv"]


def test_where_no_node_answers_the_question_fails_in_words(
    folder: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = log_with(folder, cluster)
    ask(there, SEVERAL["people per day"])
    monkeypatch.setattr(cluster, "_patience", 0.0)
    ray.kill(cluster._members[0].actor)

    with pytest.raises(ClusterLost):
        ask(there, SEVERAL["people per day"])
