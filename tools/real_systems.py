"""Real systems that tests read: a Tryton in which five people worked, and SAP's server for OData.

Both are programs of others with licences of their own, kept apart in folders that git ignores; `tools/test.py` makes
them while the other tests run, and reads from them at the end. Where one cannot be made, that is said aloud.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent.parent
TRYTON, CAP = HERE / ".tryton", HERE / ".cap"
TESTS = (
    "src/uptake/connectors/pull/tests/test_tryton.py",
    "src/uptake/connectors/pull/tests/test_cap.py",
    "tests/journeys/test_live_erp.py",
)
"""The tests that read from them."""
TOLD = re.compile(r"\b((?:TRYTON|CAP)_[A-Z]+)=(\S+)")
"""How the builders say what to set."""


@dataclass(frozen=True, slots=True)
class System:
    """One of them on its way."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def settings(self) -> dict[str, str]:
        """What it said, once it answers; empty before."""
        told = dict(TOLD.findall(self.log.read_text(errors="replace")))
        address = urlsplit(next((value for name, value in told.items() if name.endswith("_ADDRESS")), ""))
        if not address.port:
            return {}
        with suppress(OSError), socket.create_connection((str(address.hostname), address.port), timeout=1):
            return told
        return {}


def begin() -> list[System]:
    """Begins to make and serve them, each in a process of its own."""
    return [
        _begin("Tryton", TRYTON, [str(HERE / "tools" / "real_systems.py"), "tryton", str(_free_port())]),
        _begin("SAP's server", CAP, [str(HERE / "tools" / "cap" / "build.py"), str(CAP), "--port", str(_free_port())]),
    ]


def ready(systems: list[System], *, seconds: float) -> dict[str, str]:
    """What to set for those that answer within so many seconds; of the others it says aloud that nothing is tested."""
    until = time.monotonic() + seconds
    found: dict[str, str] = {}
    for one in systems:
        settings = one.settings()
        while not settings and one.process.poll() is None and time.monotonic() < until:
            time.sleep(0.5)
            settings = one.settings()
        found |= settings
        if not settings:
            last = "\n".join(f"  {line}" for line in one.log.read_text(errors="replace").splitlines()[-8:])
            print(f"test: {one.name} could not be made here; what is read from it is NOT tested:\n{last}", flush=True)
    return found


def end(systems: list[System]) -> None:
    """Ends them, and what they started."""
    for one in systems:
        with suppress(ProcessLookupError):
            os.killpg(one.process.pid, signal.SIGTERM)
        try:
            one.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(one.process.pid, signal.SIGKILL)


def _begin(name: str, folder: Path, words: list[str]) -> System:
    folder.mkdir(exist_ok=True)
    log = folder / "made.log"
    with log.open("wb") as told:
        process = subprocess.Popen(
            [sys.executable, *words],
            cwd=HERE,
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return System(name, process, log)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _tryton(port: str) -> int:
    """Both databases of a Tryton: the furnished one of `make demo-erp`, and the one whose people wrote down what they
    did, which is then served."""
    made = subprocess.run([sys.executable, str(HERE / "tools" / "demo_erp.py"), "--prepare"], cwd=HERE, check=False)
    if not made.returncode:
        truth = TRYTON / "truth"
        truth.mkdir(exist_ok=True)
        if not (truth / "venv").exists():
            (truth / "venv").symlink_to(Path("..") / "venv")
        build = [sys.executable, str(HERE / "tools" / "tryton" / "build.py"), str(truth), "--port", port]
        os.execv(build[0], build)
    return made.returncode


if __name__ == "__main__":
    sys.exit(_tryton(sys.argv[2]))
