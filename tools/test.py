"""All checks, and all tests on SQLite and again on PostgreSQL; the last line counts them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HERE))

from tools import real_systems  # noqa: E402

RUNS = (
    ("SQLite", ["--database=sqlite"]),
    # What happens in the browser, on a cluster, or in a room without Django does not depend on the database: once.
    ("PostgreSQL", ["--database=postgresql", "-m", "not browser and not once"]),
)
SYSTEMS_SECONDS = 300
"""How long the real systems are waited for once all else is done."""


def main(words: list[str]) -> int:
    """Run; `words` are passed to pytest. 1 if a check or a test fails, or if a run ends without a count."""
    begun = time.monotonic()
    # Dozens of processes begin with the same modules: what one has compiled the next reads, whatever the machine says.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    failed = False
    counts: Counter[str] = Counter({"passed": 0, "failed": 0})
    # The checks, which are one process after the other, beside the first run: neither fills all cores.
    checks = subprocess.Popen(
        [sys.executable, str(HERE / "tools" / "check.py")],
        cwd=HERE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    systems = [] if words else real_systems.begin()
    later = [] if words else [f"--ignore={one}" for one in real_systems.TESTS]
    runs = [(name, [*dealt(), *later, *options, *words]) for name, options in RUNS]
    try:
        failed |= run_all(runs, counts, {})
        if systems:
            settings = real_systems.ready(systems, seconds=SYSTEMS_SECONDS)
            read = [(f"{name}, real systems", ["-n0", *options, *real_systems.TESTS]) for name, options in RUNS]
            failed |= run_all(read, counts, settings)
    finally:
        real_systems.end(systems)
    told, _ = checks.communicate()
    print(told, end="", flush=True)
    if checks.returncode:
        failed = True
        counts["failed"] += 1
    print(f"test: {time.monotonic() - begun:.0f} s on {' and '.join(name for name, _options in RUNS)}")
    wrong = counts["failed"] + counts["error"]
    print(f"{counts['passed']} passed, {wrong} failed, {counts['skipped']} skipped")
    return 1 if failed else 0


def run_all(runs: list[tuple[str, list[str]]], counts: Counter[str], settings: dict[str, str]) -> bool:
    """The runs one after the other, counted; whether something failed."""
    failed = False
    for name, options in runs:
        print(f"test: on {name}", flush=True)
        code, found = run(options, settings)
        counts.update(found)
        if code:
            failed = True
            if not found["failed"] + found["error"]:
                counts["failed"] += 1
                print(f"The run on {name} ended with code {code}.")
    return failed


def dealt() -> list[str]:
    """How the tests are dealt to workers."""
    # One more than there are cores: tests of the browser, of servers and of what is durable wait for something else.
    workers = str(min(5, (os.cpu_count() or 1) + 1))
    return ["-n", workers, "--dist", "loadfile", "--no-loadscope-reorder"]


def run(options: list[str], settings: dict[str, str]) -> tuple[int, Counter[str]]:
    """One run of pytest, shown as it goes; its exit code and the counts of its closing line."""
    command = [sys.executable, "-m", "pytest", "-q", "--durations=5", "-rs", *options]
    last, environment = "", {**os.environ, **settings}
    with subprocess.Popen(command, cwd=HERE, stdout=subprocess.PIPE, text=True, env=environment) as tests:
        assert tests.stdout, "the output is read below"
        for line in tests.stdout:
            print(line, end="", flush=True)
            last = line if line.strip() else last
        code = tests.wait()
    counts = re.findall(r"(\d+) (passed|failed|errors?|skipped|xfailed|xpassed)", last)
    return code, Counter({"error" if word.startswith("error") else word: int(count) for count, word in counts})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
