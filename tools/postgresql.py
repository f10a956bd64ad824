"""A private PostgreSQL server for tests and measurements: made in a temporary folder, gone when its owner ends.

`python tools/postgresql.py COMMAND …` runs a command with UPTAKE_DATABASE_URL naming such a server.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# Nothing here must outlive a crash, so the server need not wait for the disk; everything else is as shipped.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
PR_SET_PDEATHSIG = 1


class NoPostgresql(RuntimeError):
    """PostgreSQL's programs are not on this machine, or the server did not start."""


def program(name: str) -> str:
    """The path of a PostgreSQL program: from PATH, else the newest under /usr/lib/postgresql; NoPostgresql if none."""
    found = shutil.which(name)
    if found:
        return found
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[-3]))
    if not versions:
        raise NoPostgresql(f"PostgreSQL's `{name}` is not installed (Debian: apt-get install postgresql).")
    return str(versions[-1])


@contextmanager
def private_server(
    *, settings: dict[str, str] | None = None, keep: Path | None = None, like: Path | None = None
) -> Iterator[str]:
    """Start a server that only this machine's socket reaches; gives its database URL and stops it on leaving.

    `settings` are server settings beside FAST, e.g. {"fsync": "on"} where durability is measured. With `keep` its
    data lie in that folder, stay there, and are found again by the next server. With `like` it begins with a copy of
    the data kept in that folder, whose server must have ended.
    Run by root, it runs as `postgres` (else `nobody`), as PostgreSQL demands. If this process is killed, so is it.
    """
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
    folder = keep or Path(tempfile.mkdtemp(prefix="uptake-pg-"))
    owner = _unprivileged()
    try:
        if owner:
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        with (folder / "log").open("wb") as log:
            if not (folder / "data").exists():
                _make(folder, owner) if like is None else _copy(like, folder)
            options = [f"-c{name}={value}" for name, value in {**FAST, **(settings or {})}.items()]
            server = subprocess.Popen(
                [
                    program("postgres"),
                    *("-D", str(folder / "data"), "-k", str(folder)),
                    *("-clisten_addresses=", "-cmax_connections=200", "-ctimezone=UTC"),
                    *options,
                ],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=folder,
                preexec_fn=_end_with_parent,
                start_new_session=True,
                **_as(owner),
            )
        try:
            _wait(folder, server)
            yield f"postgresql://uptake@/postgres?host={folder}"
        finally:
            server.send_signal(signal.SIGINT)
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def _make(folder: Path, owner: pwd.struct_passwd | None) -> None:
    made = subprocess.run(
        [
            program("initdb"),
            *("-D", str(folder / "data"), "-U", "uptake", "--auth=trust", "--no-sync"),
            *("--encoding=UTF8", "--locale=C.UTF-8"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        **_as(owner),
    )
    if made.returncode:
        raise NoPostgresql(f"initdb failed: {made.stderr.strip()}")


def _copy(kept: Path, folder: Path) -> None:
    # With owners and times, as the server wants its files.
    subprocess.run(["cp", "-a", str(kept / "data"), str(folder / "data")], check=True)


def _wait(folder: Path, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        line = folder / "data" / "postmaster.pid"
        if line.exists() and line.read_text().rstrip().endswith("ready"):
            with socket.socket(socket.AF_UNIX) as door:
                door.connect(str(folder / ".s.PGSQL.5432"))
            return
        time.sleep(0.05)
    raise NoPostgresql("PostgreSQL did not start: " + (folder / "log").read_text()[-2000:])


def _unprivileged() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise NoPostgresql("PostgreSQL refuses to run as root, and there is neither a user `postgres` nor `nobody`.")


def _as(owner: pwd.struct_passwd | None) -> dict[str, Any]:
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if owner else {}


def _end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def main(command: list[str]) -> int:
    """Run a command with UPTAKE_DATABASE_URL set to a private server; gives the command's exit code."""
    with private_server() as url:
        return subprocess.run(command, env={**os.environ, "UPTAKE_DATABASE_URL": url}).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
