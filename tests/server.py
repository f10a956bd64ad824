"""A real server in a process of its own, for tests that kill it and for measurements.

`running(data=…)` starts `uptake serve` on a free port; `intake_key(data=…)` makes a park, a company, a connection and a
key in that installation and gives the secret.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.blank import BLANK

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60


class Server:
    """One installation and the process that serves it. `kill` is kill -9; `start` may be called again afterwards."""

    def __init__(self, *, data: Path, database_url: str = "", settings: Mapping[str, str] | None = None) -> None:
        self.data = data
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = environment(
            data=data,
            database_url=database_url,
            settings={
                "UPTAKE_BIND": f"127.0.0.1:{self.port}",
                "UPTAKE_URL": self.url,
                "UPTAKE_JOBS": "apart",
                "UPTAKE_LOG_LEVEL": "WARNING",
                **(settings or {}),
            },
        )
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.data / "server.log"

    def start(self) -> None:
        """Starts the process and waits until it answers."""
        self.data.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "uptake.config.command", "serve"],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            try:
                urllib.request.urlopen(f"{self.url}/api/v1/openapi.json", timeout=5).close()
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.05)
            else:
                return
        raise RuntimeError("the server did not start:\n" + self.log.read_text()[-4000:])

    def kill(self) -> None:
        """Ends the process as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Asks the process to end, as systemd does."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def memory_mb(self) -> float:
        """Resident memory of the process in MB (Linux)."""
        assert self.process is not None, "the server runs"
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def cpu_seconds(self) -> float:
        """CPU the process has used so far (Linux)."""
        assert self.process is not None, "the server runs"
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def running(*, data: Path, database_url: str = "", settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """A started server; it is stopped on leaving."""
    server = Server(data=data, database_url=database_url, settings=settings)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def environment(*, data: Path, database_url: str = "", settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of an installation's processes, free of the caller's own settings."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("UPTAKE_")}
    return {
        **inherited,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
        "DJANGO_SETTINGS_MODULE": "uptake.config.settings",
        "UPTAKE_DATA": str(data),
        "UPTAKE_DATABASE_URL": database_url,
        **(settings or {}),
    }


def inside(code: str, *, data: Path, database_url: str = "") -> Any:
    """Runs Python with Django set up in an installation; gives what the code printed as JSON on its last line."""
    told = subprocess.run(
        [sys.executable, "-c", "import django; django.setup()\n" + code],
        cwd=ROOT,
        env=environment(data=data, database_url=database_url, settings={"UPTAKE_LOG_LEVEL": "ERROR"}),
        capture_output=True,
        text=True,
        check=False,
    )
    if told.returncode:
        raise RuntimeError(told.stderr[-4000:])
    return json.loads(told.stdout.strip().splitlines()[-1])


def fresh_database(url: str) -> str:
    """The URL of a database without rows made on the server of `url`, which names its database "postgres".

    Where that server has a blank one it has the tables already.
    """
    import psycopg

    name = f"own_{os.getpid()}_{time.time_ns()}"
    with psycopg.connect(url, autocommit=True) as server:
        blank = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [BLANK]).fetchone()
        server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{BLANK if blank else "template1"}"')
    return url.replace("/postgres?", f"/{name}?")


def intake_key(*, data: Path, database_url: str = "") -> str:
    """The secret of a new key of connection "load" of one company; the database must be up to date."""
    secret = inside(MAKE_A_KEY, data=data, database_url=database_url)
    assert isinstance(secret, str), "the code prints the secret"
    return secret


MAKE_A_KEY = """
import json
from datetime import UTC, datetime
from uptake.directory.models import Organization
from uptake.directory.scope import EVERYTHING
from uptake.events.connect import connect
from uptake.events.keys import make_key
now = datetime.now(UTC)
company = Organization.objects.filter(slug="load").first()
if company is None:
    company = Organization.objects.create(kind="company", name="Load", slug="load", created_at=now)
    company.path, company.company = f"/{company.pk}/", company
    company.save()
connection = connect(slug="load", kind="api", name="Load", organization=company, by=EVERYTHING, now=now)
print(json.dumps(make_key(connection=connection, by=EVERYTHING, now=now)[1]))
"""


def _free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port: int = door.getsockname()[1]
        return port
