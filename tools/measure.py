"""Runs every measurement in bench/ and shows its figures; fails if one of them fails."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
PEERS = HERE / ".venv-peers"
LOCK = HERE / "requirements-bench.txt"


def install_peers() -> None:
    """The engines we measure ourselves against, in an environment of their own; nothing where it is as locked."""
    stamp = PEERS / "installed"
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print("bench: installing the peers", flush=True)
    venv.create(PEERS, with_pip=True, clear=True)
    pip = [str(PEERS / "bin" / "python"), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(LOCK)]
    if subprocess.run(pip).returncode:
        print("bench: the peers could not be installed; what is beside them is measured alone", flush=True)
        return
    stamp.write_text(wanted)


def main(words: list[str]) -> int:
    """Run bench/*.py one after the other, or those named."""
    files = sorted(file for file in (HERE / "bench").glob("*.py") if not words or file.stem in words)
    failed = []
    if any(file.stem == "activity" for file in files):
        install_peers()
    for file in files:
        print(f"bench: {file.stem}", flush=True)
        begun = time.monotonic()
        if subprocess.run([sys.executable, str(file)], cwd=HERE).returncode:
            failed.append(file.stem)
        print(f"bench: {file.stem} took {time.monotonic() - begun:.0f} s", flush=True)
    print(f"{len(files) - len(failed)} measured, {len(failed)} failed{': ' + ', '.join(failed) if failed else ''}")
    return 1 if failed or not files else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
