"""Folds on other machines: a Ray actor per group of buckets holds its columns and answers folds.

What runs there is the very function that threads run here, sent with everything it refers to except the snapshot, in
whose place each actor puts its own of the same number; what comes back are the parts that threads would have made, and
the same code adds them up. A group whose node dies is begun anew on another one, where it reads its files again.

Ray is imported when a cluster is joined, and by nothing else.
"""

from __future__ import annotations

import importlib
import io
import logging
import pickle
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from time import monotonic, sleep
from typing import Any

import uptake
from uptake.activity.log import FileSnapshot
from uptake.activity.memory import Memory
from uptake.activity.store import Manifest, Store

logger = logging.getLogger(__name__)
PATIENCE = 120.0
"""Seconds after which a question gives up looking for a node that answers."""
SUSPECTED = 30.0
"""Seconds for which nothing is placed on a node that did not answer; by then Ray knows whether it lives."""


class ClusterLost(RuntimeError):
    """No node of the cluster answers."""


class Cluster:
    """The nodes of a Ray cluster as the workers of one log. Safe to use from several threads."""

    def __init__(
        self, location: str | Path, *, address: str, memory_bytes: int, groups: int = 0, patience: float = PATIENCE
    ) -> None:
        """`location`: of the files, as every node can read them. `address`: of the cluster's head, such as
        10.0.0.1:6379, or auto for the one this machine belongs to. `memory_bytes`: for the columns of one group.
        `groups`: how many; 0: as many as the cluster has processors when it is joined."""
        self.location = str(location)
        self._address, self._memory_bytes, self._wanted = address, memory_bytes, groups
        self._patience = patience
        self._members: dict[int, _Member] = {}
        self._suspects: dict[str, float] = {}
        self._lock = Lock()

    def each_bucket(self, snapshot: FileSnapshot, fold: Callable[[int], Any], buckets: Iterable[int]) -> list[Any]:
        """The fold of these buckets, in this order."""
        wanted = list(buckets)
        found = self._asked(snapshot, fold, wanted, summing=False)
        parts = {bucket: part for group in found for bucket, part in group}
        return [parts[bucket] for bucket in wanted]

    def each_worker(self, snapshot: FileSnapshot, fold: Callable[[int, Any], Any]) -> list[Any]:
        """Every bucket folded into what its worker has so far, as many sums as there are workers."""
        found = self._asked(snapshot, fold, list(range(snapshot.buckets)), summing=True)
        return [part for group in found for part in group]

    def catch_up(self, snapshot: FileSnapshot) -> None:
        """Brings what the groups hold up to the snapshot, without waiting for it."""
        for member in list(self._members.values()):
            member.actor.catch_up.remote(snapshot.manifest.number)

    def nodes(self) -> Counter[str]:
        """How many groups each node holds."""
        return Counter(member.node for member in self._members.values())

    def _asked(self, snapshot: FileSnapshot, fold: Any, buckets: list[int], *, summing: bool) -> list[list[Any]]:
        import ray

        began = monotonic()
        self._join(snapshot.buckets)
        sent = ray.put(packed(fold, snapshot.manifest))
        shares: dict[int, list[int]] = {}
        for bucket in buckets:
            shares.setdefault(bucket % self._wanted, []).append(bucket)
        number = snapshot.manifest.number

        def ask(group: int) -> tuple[_Member, Any]:
            member = self._members[group]
            return member, member.actor.fold.remote(number, sent, shares[group], summing)

        waiting = {group: ask(group) for group in shares}
        found: dict[int, list[Any]] = {}
        while waiting:
            for group, (member, answer) in list(waiting.items()):
                try:
                    found[group] = ray.get(answer)
                    del waiting[group]
                except ray.exceptions.RayTaskError as failed:
                    raise failed.cause from None  # what the fold raised there, it would have raised here
                except ray.exceptions.RayError as lost:
                    if monotonic() - began > self._patience:
                        raise ClusterLost(f"group {group} of the activity log cannot be reached") from lost
                    self._begin_anew(group, member)
                    waiting[group] = ask(group)
        return list(found.values())

    def _join(self, buckets: int) -> None:
        with self._lock:
            if self._members:
                return
            import ray

            if not ray.is_initialized():
                ray.init(address=self._address, log_to_driver=False, configure_logging=False)
            if not self._wanted:
                self._wanted = max(1, int(ray.cluster_resources().get("CPU", 1)))
            self._wanted = min(self._wanted, buckets)
            for group in range(self._wanted):
                self._members[group] = self._placed()

    def _begin_anew(self, group: int, lost: _Member) -> None:
        """Another actor for the group, on another node if there is one."""
        import ray

        with self._lock:
            if self._members[group] is not lost:
                return  # another question has seen to it
            logger.warning("Group %d of the activity log does not answer; it is loaded on another node.", group)
            self._suspects[lost.node] = monotonic()
            try:
                ray.kill(lost.actor)  # it may live and only be out of reach
            except ray.exceptions.RayError:
                logger.debug("The actor is gone already.")
            self._members[group] = self._placed()

    def _placed(self) -> _Member:
        """A new actor on the node that has the fewest, of those that are not under suspicion."""
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        began = monotonic()
        while True:
            now = monotonic()
            alive = sorted(node["NodeID"] for node in ray.nodes() if node["Alive"])
            sound = [node for node in alive if now - self._suspects.get(node, -SUSPECTED) >= SUSPECTED]
            if sound or (alive and now - began > SUSPECTED):
                break
            if now - began > self._patience:
                raise ClusterLost("no node of the cluster is alive")
            sleep(0.2)
        held = self.nodes()
        node = min(sound or alive, key=lambda one: (held[one], one))
        # no share of a processor is claimed: whoever takes over a dead node's groups has none to spare
        kind = ray.remote(num_cpus=0, max_restarts=0, max_concurrency=4)(Group)
        where = NodeAffinitySchedulingStrategy(node_id=node, soft=False)
        actor = kind.options(scheduling_strategy=where).remote(self.location, self._memory_bytes, uptake.__version__)
        return _Member(actor, node)


@dataclass(frozen=True)
class _Member:
    """The actor of a group and the node it was placed on."""

    actor: Any
    node: str


class Group:
    """What an actor holds and does: the columns of its group's buckets, and folds over them."""

    def __init__(self, location: str, memory_bytes: int, version: str) -> None:
        if version != uptake.__version__:
            raise RuntimeError(f"this node has Uptake {uptake.__version__}, the server {version}")
        self.memory = Memory(Store(location), memory_bytes)
        self._dictionaries: dict[str, Any] = {}
        self._manifest: Manifest | None = None

    def fold(self, number: int, sent: bytes, buckets: list[int], summing: bool) -> list[Any]:
        """(bucket, part) of each of the buckets, or with `summing` one sum of them all."""
        snapshot = self._snapshot(number)
        fold = unpacked(sent, snapshot)
        if not summing:
            return [(bucket, fold(bucket)) for bucket in buckets]
        total: Any = None
        for bucket in buckets:
            total = fold(bucket, total)
        return [total] if buckets else []

    def catch_up(self, number: int) -> None:
        """Brings the columns that are held up to a snapshot."""
        try:
            snapshot = self._snapshot(number)
            for bucket in self.memory.buckets():
                snapshot.columns(bucket, [])
        except FileNotFoundError:
            return  # there is a newer one already

    def _snapshot(self, number: int) -> FileSnapshot:
        manifest = self._manifest
        if manifest is None or manifest.number != number:
            manifest = self._manifest = self.memory.store.manifest_numbered(number)
        return FileSnapshot(manifest, self.memory, self._dictionaries)


def packed(fold: Any, manifest: Manifest) -> bytes:
    """A fold on its way to another process: its closure without the snapshot, kernels by name."""
    from numba.core.dispatcher import Dispatcher
    from ray import cloudpickle

    class Packer(cloudpickle.Pickler):  # type: ignore[misc]
        def persistent_id(self, one: Any) -> str | None:
            if isinstance(one, FileSnapshot):
                assert one.manifest.number == manifest.number, "a question reads one snapshot"
                return "snapshot"
            assert not isinstance(one, Memory), "a fold reads columns through its snapshot"
            return None

        def reducer_override(self, one: Any) -> Any:
            if isinstance(one, Dispatcher):
                return _kernel, (one.py_func.__module__, one.py_func.__qualname__)
            return super().reducer_override(one)

    into = io.BytesIO()
    Packer(into, protocol=pickle.HIGHEST_PROTOCOL).dump(fold)
    return into.getvalue()


def unpacked(sent: bytes, snapshot: FileSnapshot) -> Any:
    """The fold, over this snapshot."""

    class Unpacker(pickle.Unpickler):
        def persistent_load(self, name: str) -> FileSnapshot:
            assert name == "snapshot", "nothing else is left out"
            return snapshot

    return Unpacker(io.BytesIO(sent)).load()


def _kernel(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)
