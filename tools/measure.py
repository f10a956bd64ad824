"""Runs every measurement in bench/ and shows its figures; fails if one of them fails."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent


def main(words: list[str]) -> int:
    """Run bench/*.py one after the other, or those named."""
    files = sorted(file for file in (HERE / "bench").glob("*.py") if not words or file.stem in words)
    failed = []
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
