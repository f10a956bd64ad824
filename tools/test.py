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
RUNS = (
    ("SQLite", ["--database=sqlite"]),
    # What happens in the browser, on a cluster, or in a room without Django does not depend on the database: once.
    ("PostgreSQL", ["--database=postgresql", "-m", "not browser and not once"]),
)


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
    for name, options in RUNS:
        print(f"test: on {name}", flush=True)
        code, found = run([*options, *words])
        counts.update(found)
        if code:
            failed = True
            if not found["failed"] + found["error"]:
                counts["failed"] += 1
                print(f"The run on {name} ended with code {code}.")
    told, _ = checks.communicate()
    print(told, end="", flush=True)
    if checks.returncode:
        failed = True
        counts["failed"] += 1
    print(f"test: {time.monotonic() - begun:.0f} s on {' and '.join(name for name, _options in RUNS)}")
    wrong = counts["failed"] + counts["error"]
    print(f"{counts['passed']} passed, {wrong} failed, {counts['skipped']} skipped")
    return 1 if failed else 0


def run(options: list[str]) -> tuple[int, Counter[str]]:
    """One run of pytest, shown as it goes; its exit code and the counts of its closing line."""
    # One more than there are cores: tests of the browser, of servers and of what is durable wait for something else.
    workers = str(min(5, (os.cpu_count() or 1) + 1))
    dealt = ["-n", workers, "--dist", "loadfile", "--no-loadscope-reorder"]
    command = [sys.executable, "-m", "pytest", "-q", *dealt, "--durations=5", "-rs", *options]
    last = ""
    with subprocess.Popen(command, cwd=HERE, stdout=subprocess.PIPE, text=True) as tests:
        assert tests.stdout, "the output is read below"
        for line in tests.stdout:
            print(line, end="", flush=True)
            last = line if line.strip() else last
        code = tests.wait()
    counts = re.findall(r"(\d+) (passed|failed|errors?|skipped|xfailed|xpassed)", last)
    return code, Counter({"error" if word.startswith("error") else word: int(count) for count, word in counts})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
