"""`uptake import` of the loan log: from the file to points and activity, with five rules, then the same file again.

    python bench/import.py [sqlite] [postgresql] [--file FILE] [--profile OUT]

Measures the real command in a fresh installation: wall time, CPU and peak memory of the whole process tree (and beside
it PostgreSQL's own). Then the counts are compared with what the file is known to hold, the file is imported once more,
and the ledger and the activity files are checked. Exits non-zero if a figure is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(HERE), str(HERE / "src")]

from tests.server import environment, inside  # noqa: E402
from tools.postgresql import private_server  # noqa: E402

FILE = HERE.parent / "shared" / "data" / "loan_applications_2012.csv.gz"
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "autovacuum": "on"}
WANTED_SECONDS = 60
WANTED_MB = 1024
KNOWN = {"rows": 262_200, "with_person": 244_190, "by_nobody": 18_010, "people": 68, "objects": 13_087}
COLUMNS = (
    *("--person", "org:resource", "--name", "concept:name+lifecycle:transition", "--time", "time:timestamp"),
    *("--object", "case:concept:name", "--property", "amount=case:AMOUNT_REQ", "--earn", "--json"),
)
WORK = ("W_Completeren aanvraag", "W_Nabellen offertes", "W_Valideren aanvraag", "W_Nabellen incomplete dossiers")


def rulebook() -> dict[str, Any]:
    """Five rules that between them name most of the events people did."""

    def rule(name: str, on: list[str], points: Any, **more: Any) -> dict[str, Any]:
        return {"rule": name, "version": 1, "from": "2011-01-01", "on": on, "points": points, **more}

    day = [{"points": 200, "every": "day"}]
    large = [{"fact": "amount", "op": "gte", "value": 10_000}]
    return {
        "programme": {},
        "rules": [
            rule("work-done", [f"{one}.COMPLETE" for one in WORK], 2, cap=day),
            rule("work-begun", [f"{one}.START" for one in WORK], 1, cap=[{"times": 20, "every": "day"}]),
            rule("offer-sent", ["O_SENT.COMPLETE"], {"per": "amount", "each": 5_000, "min": 1, "max": 10}, cap=day),
            rule("large-accepted", ["A_ACCEPTED.COMPLETE", "A_FINALIZED.COMPLETE"], 5, when=large, cap=day),
            rule("decided", ["A_APPROVED.COMPLETE", "A_DECLINED.COMPLETE", "A_CANCELLED.COMPLETE"], 3),
        ],
    }


def main() -> int:
    """Measures the databases named (default: both)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("databases", nargs="*", choices=["sqlite", "postgresql", []], default=[])
    parser.add_argument("--file", type=Path, default=FILE, help="the log to import")
    parser.add_argument("--profile", type=Path, help="write what cProfile saw of the first import to this file")
    options = parser.parse_args()
    if not options.file.exists():
        print(f"not measured: there is no {options.file.name} beside the repository")
        return 0
    missed = []
    for name in options.databases or ["sqlite", "postgresql"]:
        with ExitStack() as leaving:
            folder = Path(leaving.enter_context(tempfile.TemporaryDirectory(prefix="uptake-import-")))
            url = leaving.enter_context(private_server(settings=DURABLE)) if name == "postgresql" else ""
            missed += [f"{name}: {figure}" for figure in measure(name, folder, url, options)]
    for figure in missed:
        print(f"missed: {figure}")
    return 1 if missed else 0


def measure(name: str, folder: Path, url: str, options: argparse.Namespace) -> list[str]:
    """Prints the figures of one installation; gives those that were missed."""
    settings = environment(data=folder, database_url=url)
    run = Command(settings, url)
    run("migrate", "--json")
    inside(MAKE_THE_COMPANY, data=folder, database_url=url)
    rules = folder / "rules.json"
    rules.write_text(json.dumps(rulebook()))
    run("rules", "publish", str(rules), "--from", "2011-01-01", "--json")
    first = run("import", str(options.file), *COLUMNS, profile=options.profile)
    counts = inside(COUNTS, data=folder, database_url=url)
    print(
        f"{name}: import to points and activity: {run.wall:.1f} s (wanted {WANTED_SECONDS}), CPU {run.cpu:.1f} s"
        + (f" and {run.database_cpu:.1f} s of PostgreSQL" if url else "")
        + f", peak {run.peak_mb:.0f} MB of the command (wanted {WANTED_MB})"
        + (f" and {run.database_mb:.0f} MB of PostgreSQL" if url else ""),
        flush=True,
    )
    missed = []
    if run.wall > WANTED_SECONDS:
        missed.append(f"{run.wall:.1f} s, wanted {WANTED_SECONDS}")
    if run.peak_mb + run.database_mb > WANTED_MB:
        missed.append(f"{run.peak_mb:.0f} + {run.database_mb:.0f} MB, wanted {WANTED_MB}")
    found = {"rows": first["rows"], "people": first["people"], "objects": first["objects"], **counts["read"]}
    print(f"{name}: " + ", ".join(f"{key} {value:,}" for key, value in found.items()), flush=True)
    print(f"{name}: {counts['awards']:,} awards, {counts['points']:,} points, {counts['transfers']:,} transfers")
    if options.file == FILE and found != KNOWN:
        missed.append(f"the file holds {KNOWN}, told were {found}")
    again = run("import", str(options.file), *COLUMNS)
    then = inside(COUNTS, data=folder, database_url=url)
    print(f"{name}: the same file again: {run.wall:.1f} s, {again['new']} new, {again['replayed']:,} there already")
    if again["new"] or again["replayed"] != first["new"] or then["stored"] != counts["stored"]:
        missed.append(f"the second import changed {counts['stored']} to {then['stored']}")
    run("ledger", "verify", "--json")
    run("activity", "check", "--json")
    return missed


class Command:
    """Runs `uptake` in an installation and keeps what the last run took."""

    def __init__(self, settings: dict[str, str], url: str) -> None:
        self.settings = settings
        self.postgresql = url.partition("host=")[2]
        self.wall = self.cpu = self.peak_mb = self.database_cpu = self.database_mb = 0.0

    def __call__(self, *words: str, profile: Path | None = None) -> dict[str, Any]:
        """The JSON object the command ends with; RuntimeError with its last words if it failed."""
        how = ["-m", "cProfile", "-o", str(profile)] if profile else []
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        database = self._postgresql_cpu()
        begun = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *how, "-m", "uptake.config.command", *words],
            cwd=HERE,
            env=self.settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        watch = Watch(process.pid, self._postgresql_pid())
        told, complaint = process.communicate()
        self.wall = time.perf_counter() - begun
        watch.end()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        self.database_cpu = self._postgresql_cpu() - database
        self.peak_mb, self.database_mb = watch.peak_mb, watch.beside_mb
        if process.returncode:
            raise RuntimeError(f"uptake {words[0]} failed:\n{complaint[-4000:]}")
        answer: dict[str, Any] = json.loads(told.strip().splitlines()[-1])
        return answer

    def _postgresql_pid(self) -> int | None:
        line = Path(self.postgresql) / "data" / "postmaster.pid"
        return int(line.read_text().split()[0]) if self.postgresql else None

    def _postgresql_cpu(self) -> float:
        """Seconds all processes of the server have used, those that ended too."""
        pid = self._postgresql_pid()
        if pid is None:
            return 0.0
        ticks = 0
        for one in _tree(pid):
            with suppress(OSError):  # it may end while it is asked; its time is then its parent's
                fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
                ticks += sum(map(int, fields[11:15] if one == pid else fields[11:13]))
        return ticks / os.sysconf("SC_CLK_TCK")


class Watch:
    """Samples the memory of a process with its children, and of a second tree beside it, until `end`."""

    def __init__(self, pid: int, beside: int | None) -> None:
        self.peak_mb = self.beside_mb = 0.0
        self.pid, self.beside = pid, beside
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def end(self) -> None:
        self.ending.set()
        self.thread.join()

    def _watch(self) -> None:
        while not self.ending.wait(0.1):
            self.peak_mb = max(self.peak_mb, _memory_mb(self.pid))
            if self.beside is not None:
                self.beside_mb = max(self.beside_mb, _memory_mb(self.beside))


def _memory_mb(pid: int) -> float:
    """Proportional memory of a process and its children: what they share is counted once."""
    kilobytes = 0
    for one in _tree(pid):
        try:
            kilobytes += int(Path(f"/proc/{one}/smaps_rollup").read_text().partition("\nPss:")[2].split()[0])
        except (OSError, IndexError):
            continue
    return kilobytes / 1024


def _tree(pid: int) -> list[int]:
    try:
        below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(one for child in below for one in _tree(int(child)))]


MAKE_THE_COMPANY = """
from datetime import UTC, datetime
from uptake.directory.models import Kind
from uptake.directory.organize import make_organization
from uptake.directory.scope import EVERYTHING
make_organization(kind=Kind.COMPANY, name="Loans", slug="loans", parent=None, by=EVERYTHING, now=datetime.now(UTC))
print("{}")
"""

COUNTS = """
import json
from django.db.models import Count, Sum
from uptake.directory.models import Identity, Person
from uptake.events.models import Event
from uptake.ledger.models import Transfer
from uptake.programme.models import Award
nobody = Event.objects.filter(identity=None).count()
points = Award.objects.aggregate(n=Sum("points"))["n"] or 0
stored = [Event.objects.count(), Person.objects.count(), Identity.objects.count(), Award.objects.count(), points]
print(json.dumps({
    "read": {"with_person": stored[0] - nobody, "by_nobody": nobody},
    "awards": stored[3], "points": points, "transfers": Transfer.objects.count(),
    "stored": [*stored, Transfer.objects.count()],
}))
"""


if __name__ == "__main__":
    sys.exit(main())
