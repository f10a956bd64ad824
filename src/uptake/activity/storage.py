"""Where the files of a log lie: a folder, or a prefix of a bucket on S3-compatible object storage.

A folder puts files in force by renaming them and keeps two writers apart by a lock of the file system. Object storage
can rename nothing and lock nothing: there every file is written once, under a name nobody else gives; a snapshot is
put in force by writing its manifest *under a name that is still free* (a conditional put), so that of two writers that
begin from the same state only one succeeds; and a lease, which expires, keeps writers from working in vain.
"""

from __future__ import annotations

import fcntl
import io
import os
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from pathlib import Path
from threading import Lock
from time import monotonic, sleep
from typing import Any, BinaryIO, Protocol

import pyarrow.parquet as pq

SCHEME = "s3://"
LISTED_FOR = 1.0
"""Seconds for which a process believes what it saw of the newest manifests on object storage."""
LEASE = timedelta(seconds=90)
"""After this time without a sign of life a writer on object storage counts as gone."""
LOOK_AGAIN = 0.5
"""Seconds between two looks whether another writer has finished."""
ABANDONED = timedelta(hours=1)
"""Files on object storage that belong to no snapshot are swept away when they are this old: before that their writer
may still be at work."""
SWEEP_EVERY = 32
"""Every so many snapshots object storage is searched for abandoned files."""


class Overtaken(RuntimeError):
    """Another writer has put a snapshot in force since this one began; nothing of this one's work is seen."""


class NotConditional(RuntimeError):
    """The storage takes a file under a name that is not free although it was told not to: two writers could not be
    told apart there, so nothing is written."""


class Storage(Protocol):
    """The files of one log. Paths are relative to it, with slashes."""

    @property
    def name(self) -> str:
        """What it is called in messages."""

    def token(self) -> str:
        """What a writer adds to the names of its files, so that they are nobody else's."""

    def manifests(self) -> list[str]:
        """The paths of all manifests."""

    def refreshed(self) -> None:
        """Forgets what is only believed to be there."""

    def read(self, path: str) -> bytes:
        """A whole file. FileNotFoundError."""

    def parquet(self, path: str) -> pq.ParquetFile:
        """A Parquet file, to read some columns of. FileNotFoundError, also later, when it was swept away meanwhile."""

    def exists(self, path: str) -> bool:
        """Whether the file is there now."""

    def write(self, path: str, fill: Callable[[BinaryIO], None]) -> None:
        """A new file, which is wholly there or not at all."""

    def publish(self, path: str, content: bytes) -> None:
        """Writes a file under a name that is free. Overtaken, if it is not."""

    def sweep(self, needed: set[str], gone: set[str], manifests: Iterable[str], number: int) -> None:
        """Removes these manifests, the files that only they needed (`gone`), and what belongs to nobody.

        `number`: that of the snapshot in force."""

    def writing(self) -> Any:
        """A context in which nobody else writes; waits for whoever does."""


class Folder:
    """A folder of this machine or of a file system that several share."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def token(self) -> str:
        return ""  # the lock keeps others away

    @property
    def name(self) -> str:
        return self.path.name

    def manifests(self) -> list[str]:
        folder = self.path / "manifests"
        if not folder.is_dir():
            return []
        return [f"manifests/{file.name}" for file in folder.iterdir() if file.suffix == ".json"]

    def refreshed(self) -> None:
        pass

    def read(self, path: str) -> bytes:
        return (self.path / path).read_bytes()

    def parquet(self, path: str) -> pq.ParquetFile:
        return pq.ParquetFile(self.path / path)

    def exists(self, path: str) -> bool:
        return (self.path / path).exists()

    def write(self, path: str, fill: Callable[[BinaryIO], None]) -> None:
        target = self.path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(target.name + ".tmp")
        with open(temporary, "wb") as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        put_in_place(temporary, target)

    def publish(self, path: str, content: bytes) -> None:
        self.write(path, lambda file: _wholly(file, content))

    def sweep(self, needed: set[str], gone: set[str], manifests: Iterable[str], number: int) -> None:
        for path in manifests:
            (self.path / path).unlink(missing_ok=True)
        for file in self.path.rglob("*"):
            name = file.relative_to(self.path).as_posix()
            if file.is_file() and name != "lock" and name not in needed and file.suffix != ".json":
                file.unlink(missing_ok=True)

    @contextmanager
    def writing(self) -> Iterator[None]:
        self.path.mkdir(parents=True, exist_ok=True)
        with open(self.path / "lock", "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(lock, fcntl.LOCK_UN)


class ObjectStorage:
    """A prefix of a bucket on S3-compatible storage. Endpoint, region and secrets come from the usual AWS environment.

    Parquet is read by pyarrow, which fetches only the columns asked for and outside of the interpreter's lock; all
    else goes through boto3, as pyarrow can put nothing on a condition."""

    def __init__(self, bucket: str, prefix: str) -> None:
        from pyarrow.fs import S3FileSystem

        self.bucket, self.prefix = bucket, prefix.strip("/")
        self._client, self._refused = _client(*_endpoints())
        scheme, _, endpoint = self._client.meta.endpoint_url.partition("://")
        region = self._client.meta.region_name
        self.files = S3FileSystem(
            region="us-east-1" if region == "aws-global" else region,
            scheme=scheme,
            endpoint_override=None if endpoint.endswith(".amazonaws.com") else endpoint,
        )
        self._seen: tuple[float, list[str]] | None = None
        self._lock = Lock()
        self._holds: float | None = None
        self._sound = False

    @property
    def name(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.prefix}"

    def token(self) -> str:
        return f"-{uuid.uuid4().hex[:12]}"

    def key(self, path: str) -> str:
        """The name of a file in the bucket."""
        return f"{self.prefix}/{path}" if self.prefix else path

    def manifests(self) -> list[str]:
        with self._lock:
            seen = self._seen
        if seen is not None and monotonic() - seen[0] < LISTED_FOR:
            return list(seen[1])
        began = monotonic()
        found = [path for path, _ in self._listed("manifests/") if path.endswith(".json")]
        with self._lock:
            self._seen = (began, found)
        return list(found)

    def refreshed(self) -> None:
        with self._lock:
            self._seen = None

    def read(self, path: str) -> bytes:
        try:
            found = self._client.get_object(Bucket=self.bucket, Key=self.key(path))
            content: bytes = found["Body"].read()
        except self._refused as refused:
            if _status(refused) == 404:
                raise FileNotFoundError(path) from refused
            raise
        return content

    def parquet(self, path: str) -> pq.ParquetFile:
        return pq.ParquetFile(self.files.open_input_file(f"{self.bucket}/{self.key(path)}"), pre_buffer=True)

    def exists(self, path: str) -> bool:
        try:
            self._client.head_object(Bucket=self.bucket, Key=self.key(path))
        except self._refused as refused:
            if _status(refused) == 404:
                return False
            raise
        return True

    def write(self, path: str, fill: Callable[[BinaryIO], None]) -> None:
        content = io.BytesIO()
        fill(content)
        content.seek(0)
        self._client.put_object(Bucket=self.bucket, Key=self.key(path), Body=content)
        if self._holds is not None and monotonic() - self._holds > LEASE.total_seconds() / 3:
            self._client.put_object(Bucket=self.bucket, Key=self.key("lock"), Body=b"held")
            self._holds = monotonic()

    def publish(self, path: str, content: bytes) -> None:
        number = Path(path).stem
        if not self._put_if_free(path, content) and not self._holds_already(path, content):
            raise Overtaken(f"another writer has put snapshot {number} of {self.name} in force")
        self.refreshed()
        if max(Path(one).stem for one in self.manifests()) != number:
            self._removed([path])  # it was free only because the others' has been swept away already
            self.refreshed()
            raise Overtaken(f"another writer has gone beyond snapshot {number} of {self.name}")

    def _holds_already(self, path: str, content: bytes) -> bool:
        """Whether the file is what was to be put there: an answer that got lost made boto3 try again."""
        try:
            return self.read(path) == content
        except FileNotFoundError:
            return False

    def sweep(self, needed: set[str], gone: set[str], manifests: Iterable[str], number: int) -> None:
        # the files go before the manifests that name them: whoever is interrupted finds them again
        self._removed(gone - needed)
        dropped = list(manifests)
        self._removed(dropped)
        if dropped:
            self.refreshed()
        if number % SWEEP_EVERY == 0:
            kept = needed | {"lock"}
            old = [path for path, age in self._listed("") if age > ABANDONED and path not in kept]
            self._removed(path for path in old if not path.startswith("manifests/"))

    @contextmanager
    def writing(self) -> Iterator[None]:
        while not self._put_if_free("lock", b"held"):
            self._sign_of_life()
            sleep(LOOK_AGAIN)
        try:
            if not self._sound and self._put_if_free("lock", b"held"):
                raise NotConditional(f"{self.name} does not honour conditional puts (If-None-Match)")
            self._sound = True
            self._holds = monotonic()
            self.refreshed()
            yield
        finally:
            self._holds = None
            self._removed(["lock"])

    def _sign_of_life(self) -> None:
        """Removes the lease of a writer that is gone, by the storage's clock."""
        try:
            found = self._client.head_object(Bucket=self.bucket, Key=self.key("lock"))
        except self._refused as refused:
            if _status(refused) == 404:
                return
            raise
        if _now(found) - found["LastModified"] > LEASE:
            self._removed(["lock"])

    def _put_if_free(self, path: str, content: bytes) -> bool:
        try:
            self._client.put_object(Bucket=self.bucket, Key=self.key(path), Body=content, IfNoneMatch="*")
        except self._refused as refused:
            if _status(refused) in (409, 412):
                return False
            raise
        return True

    def _listed(self, under: str) -> Iterator[tuple[str, timedelta]]:
        """The files whose paths begin so, and their age by the storage's clock."""
        start = len(self.key(""))
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.key(under))
        for page in pages:
            now = _now(page)
            for one in page.get("Contents", ()):
                yield one["Key"][start:], now - one["LastModified"]

    def _removed(self, paths: Iterable[str]) -> None:
        for path in paths:  # one by one: deleting in bulk needs a checksum not all storages agree on
            self._client.delete_object(Bucket=self.bucket, Key=self.key(path))


def storage_at(location: str | Path) -> Folder | ObjectStorage:
    """The storage that a location names: s3://bucket/prefix, or the path of a folder."""
    text = str(location)
    if not text.startswith(SCHEME):
        return Folder(Path(location))
    return _storage(text, *_endpoints())


def _endpoints() -> tuple[str | None, ...]:
    return tuple(os.environ.get(name) for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"))


@lru_cache(maxsize=8)
def _client(*_endpoints: str | None) -> tuple[Any, Any]:
    """A client of the storage, and what it raises; both read the environment themselves."""
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import ClientError
    except ImportError as missing:
        raise RuntimeError("activity files on S3 need boto3: pip install 'uptake[s3]'") from missing
    # checksums of their own are beyond what many compatible storages know
    own = Config(
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        retries={"mode": "standard", "max_attempts": 5},
    )
    return boto3.session.Session().client("s3", config=own), ClientError


@lru_cache(maxsize=8)
def _storage(location: str, *_endpoints: str | None) -> ObjectStorage:
    """One for all in the process: what one of them writes, the others know at once."""
    bucket, _, prefix = location.removeprefix(SCHEME).partition("/")
    if not bucket:
        raise ValueError(f"{location!r} names no bucket; s3://bucket/prefix is expected")
    return ObjectStorage(bucket, prefix)


def put_in_place(temporary: Path, target: Path) -> None:
    """Renames a finished file to its name, and forces the renaming itself to disk."""
    os.replace(temporary, target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _wholly(file: BinaryIO, content: bytes) -> None:
    file.write(content)


def _status(refused: Any) -> int:
    return int(refused.response["ResponseMetadata"]["HTTPStatusCode"])


def _now(answered: Any) -> datetime:
    """The storage's clock when it answered."""
    return parsedate_to_datetime(answered["ResponseMetadata"]["HTTPHeaders"]["date"])
