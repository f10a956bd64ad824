"""Runs every measurement in bench/ and shows its figures; fails if one of them fails."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
PEERS = {
    "activity": (HERE / ".venv-peers", HERE / "requirements-bench.txt", ()),
    "engine": (HERE / ".venv-engine", HERE / "requirements-bench-engine.txt", ("--no-deps",)),
}
"""What is measured beside others: their environment, its lock, and more words for pip. The points engine names no
versions that go together, so its lock holds all of them."""


def install_peers(bench: str) -> None:
    """Those a bench measures us against, in an environment of their own; nothing where it is as locked."""
    room, lock, more = PEERS[bench]
    stamp = room / "installed"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"bench: installing the peers of {bench}", flush=True)
    venv.create(room, with_pip=True, clear=True)
    pip = [str(room / "bin" / "python"), "-m", "pip", "install", "--quiet", "--require-hashes", *more, "-r", str(lock)]
    if subprocess.run(pip).returncode:
        shutil.rmtree(room, ignore_errors=True)
        print("bench: the peers could not be installed; what is beside them is measured alone", flush=True)
        return
    stamp.write_text(wanted)


def main(words: list[str]) -> int:
    """Run bench/*.py one after the other, or those named."""
    files = sorted(file for file in (HERE / "bench").glob("*.py") if not words or file.stem in words)
    failed = []
    for file in files:
        if file.stem in PEERS:
            install_peers(file.stem)
        print(f"bench: {file.stem}", flush=True)
        begun = time.monotonic()
        if subprocess.run([sys.executable, str(file)], cwd=HERE).returncode:
            failed.append(file.stem)
        print(f"bench: {file.stem} took {time.monotonic() - begun:.0f} s", flush=True)
    print(f"{len(files) - len(failed)} measured, {len(failed)} failed{': ' + ', '.join(failed) if failed else ''}")
    return 1 if failed or not files else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
