"""Overview and Activity as the park operator sees them over many events; the weight of a first visit; idle memory.

    python bench/pages.py [sqlite] [postgresql] [--full] [--events 200000] [--companies 300] [--people 6000]
    python bench/pages.py --more 20000000 [--write docs/reference/pages-bench.md]

`--full` is the promised size: 1,000,000 events, 300 companies, 30,000 people, 120 days. Rows are put into a fresh
installation in bulk and fed to the activity files by its own reader; then a real server is asked for each page many
times over one kept-open line, and the time is taken from the request to the last byte. "After news" is each page
asked once after new events of many people have reached the figures, again and again, as in a park at work: the server
runs its jobs itself. Weight is what the page and everything it links takes on the wire, compressed as the server does.
Exits non-zero if a figure is missed.

`--more` measures the pages that ask the activity engine over so many events of 50,000 people (on SQLite, unless told
otherwise). These events are put straight into the engine's files, not through the record, which holds 50,000 of its
own: the page of a person, which lists events of the record, is left out. Every page is asked for a period it was not
asked for before (*first*), and again.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

HERE = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(HERE), str(HERE / "src")]

from tests.server import Server, inside, running  # noqa: E402
from tools.postgresql import private_server  # noqa: E402
from uptake.activity.store import Store  # noqa: E402

WANTED_P95_MS = 150
WANTED_OF_MANY_MS = 400
MEMORY_OF_MANY_MB = 1024
QUESTIONS = (
    *("trends", "active", "funnel", "paths", "retention", "lifecycle", "stickiness", "sessions", "silence", "matrix"),
)
PERIODS = tuple(range(28, 34))
"""Lengths in days: each a question that was not asked before."""
WANTED_PLAIN_KB = 150
WANTED_CHARTS_KB = 450
WANTED_IDLE_MB = 400
PERSON_OF_C7 = 7
LINKED = re.compile(r"""<(?:link|script|img|use)\b[^>]*?(?:href|src)=["']([^"'#]+)""")
LINKED_IN_STYLE = re.compile(r"""url\(["']?([^"')]+)["']?\)""")
LINKED_IN_PAGE = re.compile(r"""data-[a-z-]+=["'](/static/[^"']+)["']""")
IMPORTED = re.compile(r"""(?:import|from)\s*\(?["']([^"']+\.js)["']""")


def main() -> int:
    """Measures the databases named (default: both)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("databases", nargs="*", choices=["sqlite", "postgresql", []], default=[])
    parser.add_argument("--full", action="store_true", help="the promised size")
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--companies", type=int, default=300)
    parser.add_argument("--people", type=int, default=6_000)
    parser.add_argument("--runs", type=int, default=40, help="requests of each page; half as many after news")
    parser.add_argument("--news", type=int, default=50, help="events that arrive before each page after news")
    parser.add_argument("--keep", type=Path, help="make the installations below this folder and keep them")
    parser.add_argument("--more", type=int, default=0, help="events of the engine alone, of which pages are asked")
    parser.add_argument("--write", type=Path, help="where to put the table of --more")
    options = parser.parse_args()
    if options.full:
        options.events, options.people = 1_000_000, 30_000
    if options.more:
        options.events, options.people = 50_000, 50_000
    missed = []
    for name in options.databases or (["sqlite"] if options.more else ["sqlite", "postgresql"]):
        with ExitStack() as leaving:
            kept = options.keep / name if options.keep else None
            folder = kept or Path(leaving.enter_context(tempfile.TemporaryDirectory(prefix="uptake-pages-")))
            beside = kept.with_name("postgresql-server") if kept else None
            url = leaving.enter_context(private_server(keep=beside)) if name == "postgresql" else ""
            made = prepare(name, folder, url, options)
            if options.more:
                missed += [f"{name}: {figure}" for figure in measure_many(name, folder, url, made, options)]
                continue
            with running(data=folder, database_url=url) as server:
                missed += [f"{name}: {figure}" for figure in measure(name, server, made, options.runs)]
            with running(data=folder, database_url=url, settings={"UPTAKE_JOBS": "inside"}) as server:
                missed += [f"{name}: {figure}" for figure in measure_news(name, server, made, options)]
    for figure in missed:
        print(f"missed: {figure}")
    return 1 if missed else 0


def prepare(name: str, folder: Path, url: str, options: argparse.Namespace) -> dict[str, Any]:
    """Fills the installation, or finds it filled; gives the cookie and the addresses."""
    begun = time.monotonic()
    server = Server(data=folder, database_url=url)
    subprocess.run(
        [sys.executable, "-m", "uptake.config.command", "migrate"],
        cwd=HERE, env=server.environment, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    sizes = f"EVENTS, COMPANIES, PEOPLE = {options.events}, {options.companies}, {options.people}\n"
    made: dict[str, Any] = inside(sizes + WORLD.read_text(), data=folder, database_url=url)
    print(
        f"{name}: {made['events']:,} events, {made['companies']} companies, {made['people']:,} people, "
        f"{made['awards']:,} awards: ready in {time.monotonic() - begun:.0f} s",
        flush=True,
    )
    return made


def measure(name: str, server: Server, made: dict[str, Any], runs: int) -> list[str]:
    """Prints the figures of one server; gives those that were missed."""
    missed = []
    time.sleep(2)
    idle = server.memory_mb()
    print(f"{name}: idle server {idle:.0f} MB (wanted {WANTED_IDLE_MB})")
    if idle > WANTED_IDLE_MB:
        missed.append(f"idle server {idle:.0f} MB, wanted {WANTED_IDLE_MB}")
    browser = Browser(server.port, made["cookie"])
    for page, address in made["pages"].items():
        for _ in range(5):
            browser.get(address)
        cpu = server.cpu_seconds()
        took = []
        for _ in range(runs):
            begun = time.perf_counter()
            status, _, _ = browser.get(address)
            took.append((time.perf_counter() - begun) * 1000)
            assert status == 200, f"{address} answers {status}"
        missed += verdict(name, page, took, (server.cpu_seconds() - cpu) / runs * 1000)
    for page, address, wanted in (
        ("My points", "/points/", WANTED_PLAIN_KB),
        ("Overview", made["pages"]["overview"], WANTED_CHARTS_KB),
    ):
        weights = browser.weigh(address)
        kilobytes = sum(weights.values()) / 1000
        heaviest = sorted(weights.items(), key=lambda one: -one[1])[:4]
        told = ", ".join(f"{urlsplit(at).path.rsplit('/', 1)[-1] or at} {size / 1000:.0f}" for at, size in heaviest)
        print(f"{name}: first load of {page}: {kilobytes:.0f} KB in {len(weights)} requests (wanted {wanted}): {told}")
        if kilobytes > wanted:
            missed.append(f"first load of {page}: {kilobytes:.0f} KB, wanted {wanted}")
    print(f"{name}: server afterwards {server.memory_mb():.0f} MB")
    return missed


def measure_many(name: str, folder: Path, url: str, made: dict[str, Any], options: argparse.Namespace) -> list[str]:
    """Prints the figures of pages over many events of the engine; gives those that were missed."""
    begun = time.monotonic()
    rows: int = inside(f"MORE = {options.more}\n{MORE.read_text()}", data=folder, database_url=url)
    print(f"{name}: {rows:,} events in the engine: ready in {time.monotonic() - begun:.0f} s", flush=True)
    pages = {page: address for page, address in made["pages"].items() if not page.endswith("person")}
    pages |= {page: f"/activity/ask/{page}/" for page in QUESTIONS}
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    periods = [f"?from={yesterday - timedelta(days=days - 1)}&to={yesterday}" for days in PERIODS]
    table, missed, slow = [], [], []
    with running(data=folder, database_url=url, settings={"UPTAKE_MEMORY_MB": str(MEMORY_OF_MANY_MB)}) as server:
        browser = Browser(server.port, made["cookie"])

        def asked(address: str) -> float:
            begun = time.perf_counter()
            status, _, _ = browser.get(address)
            assert status == 200, f"{address} answers {status}"
            return (time.perf_counter() - begun) * 1000

        for address in pages.values():
            asked(address)  # columns are read from disk
        for page, address in pages.items():
            first = [asked(address + period) for period in periods]
            cpu = server.cpu_seconds()
            again = [asked(address + period) for period in periods for _ in range(max(1, options.runs // 6))]
            spent = (server.cpu_seconds() - cpu) / len(again) * 1000
            figures = (statistics.median(first), max(first), statistics.median(again), p95_of(again), spent)
            said = "ok" if figures[3] <= WANTED_OF_MANY_MS else "missed"
            print(
                f"{name}: {page:<22} first p50 {figures[0]:6.0f} most {figures[1]:6.0f}   "
                f"again p50 {figures[2]:6.0f} p95 {figures[3]:6.0f}   CPU {spent:6.0f} ms   "
                f"(wanted {WANTED_OF_MANY_MS}: {said})",
                flush=True,
            )
            table.append("| " + " | ".join([page, *(f"{one:.0f} ms" for one in figures)]) + " |")
            if figures[1] > WANTED_OF_MANY_MS:
                slow.append(page)
            if said == "missed":
                missed.append(f"{page}: p95 {figures[3]:.0f} ms, wanted {WANTED_OF_MANY_MS}")
        memory = server.memory_mb()
    print(f"{name}: server afterwards {memory:.0f} MB")
    if options.write:
        gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
        world = (
            f"{rows:,} events of {made['people']:,} people in {made['companies']} companies, 120 days; {name}; "
            f"{os.cpu_count()} cores, {gigabytes:.0f} GB; the server kept {memory:,.0f} MB."
        )
        verdicts = [
            f"- Again, longer than the {WANTED_OF_MANY_MS} ms wanted (p95): {', '.join(missed) or 'none'}.",
            f"- First, longer than that: {', '.join(slow) or 'none'}.",
        ]
        options.write.write_text("\n".join([HEAD, world, "", *TABLE, *table, "", *verdicts, ""]))
    return missed


def measure_news(name: str, server: Server, made: dict[str, Any], options: argparse.Namespace) -> list[str]:
    """Prints the figures of pages asked for the first time after new events; gives those that were missed."""
    browser = Browser(server.port, made["cookie"])
    pages = list(made["pages"].items())
    took: dict[str, list[float]] = {page: [] for page, _ in pages}
    log = Store(server.data / "activity")
    for _, address in pages:
        browser.get(address)
    for number in range(options.runs // 2 * len(pages)):
        before, arrived = log.newest(), int(time.time() * 1000)
        events = [
            {
                "event": made["event"], "key": f"news-{arrived}-{one}", "at": datetime.now(UTC).isoformat(),
                "person": str(PERSON_OF_C7 + one * options.companies % options.people), "object": f"SO-{one}",
            }
            for one in range(options.news)
        ]  # fmt: skip
        browser.send(made["key"], events)
        while log.newest() == before:
            time.sleep(0.01)
        time.sleep(0.05)
        browser.line.close()
        page, address = pages[number % len(pages)]
        begun = time.perf_counter()
        status, _, _ = browser.get(address)
        took[page].append((time.perf_counter() - begun) * 1000)
        assert status == 200, f"{address} answers {status}"
    return [line for page, _ in pages for line in verdict(name, f"{page}, after news", took[page], None)]


def verdict(name: str, page: str, took: list[float], cpu: float | None) -> list[str]:
    """Prints one page's figures (milliseconds); gives what was missed."""
    p95 = p95_of(took)
    said = "ok" if p95 <= WANTED_P95_MS else "missed"
    each = f"   CPU {cpu:6.1f} ms" if cpu is not None else ""
    print(
        f"{name}: {page:<32} p50 {statistics.median(took):6.1f} ms   p95 {p95:6.1f} ms{each}   "
        f"(wanted {WANTED_P95_MS}: {said})",
        flush=True,
    )
    return [f"{page}: p95 {p95:.0f} ms, wanted {WANTED_P95_MS}"] if p95 > WANTED_P95_MS else []


def p95_of(took: list[float]) -> float:
    """So long at most took 95 of 100."""
    return sorted(took)[min(len(took) - 1, int(len(took) * 0.95))]


class Browser:
    """One kept-open line with a session, which takes answers compressed as they come."""

    def __init__(self, port: int, cookie: str) -> None:
        self.line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {"Cookie": cookie, "Accept-Encoding": "gzip", "Accept-Language": "en", "Accept": "text/html"}

    def get(self, address: str) -> tuple[int, bytes, str]:
        """(status, body as on the wire, its encoding)."""
        self.line.request("GET", address, headers=self.headers)
        answer = self.line.getresponse()
        return answer.status, answer.read(), answer.headers.get("Content-Encoding", "")

    def send(self, key: str, events: list[dict[str, str]]) -> None:
        """Hands events in as a source does."""
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self.line.request("POST", "/api/v1/events", json.dumps({"events": events}), headers)
        answer = self.line.getresponse()
        body = answer.read()
        assert answer.status == 200, body[:300]

    def weigh(self, address: str) -> dict[str, int]:
        """Bytes on the wire of the page and of all it links, by address."""
        weights: dict[str, int] = {}
        waiting = [address]
        while waiting:
            at = waiting.pop()
            if at in weights:
                continue
            status, body, encoding = self.get(at)
            assert status == 200, f"{at} answers {status}"
            weights[at] = len(body)
            text = _unpacked(body, encoding).decode("utf-8", "replace")
            path = urlsplit(at).path
            if path.endswith(".css"):
                found = LINKED_IN_STYLE.findall(text)
            elif path.endswith(".js"):
                found = IMPORTED.findall(text)
            elif "." in path.rsplit("/", 1)[-1]:
                found = []
            else:
                drawn = LINKED_IN_PAGE.findall(text) if "data-chart=" in text or "data-chart>" in text else []
                found = LINKED.findall(text) + drawn
            linked = [urljoin(at, one) for one in found if not one.startswith("data:")]
            waiting += [one for one in linked if urlsplit(one).path.startswith("/static/")]
        return weights


def _unpacked(body: bytes, encoding: str) -> bytes:
    if encoding == "gzip":
        import gzip

        return gzip.decompress(body)
    return body


WORLD = HERE / "bench" / "worlds" / "many_events.py"
MORE = HERE / "bench" / "worlds" / "more_events.py"
HEAD = """<!-- Written by `python bench/pages.py --more … --write`. Do not edit. -->

# Pages over many events

As the park operator sees them, from the request to the last byte, one after the other over one line. *First*: a period
nobody asked for before, its columns in memory. *Again*: the same once more, as everybody does who comes back to a page
or shares its address; what is known is let go of as soon as anything is written to the log. The events lie in the
engine's files alone; pages that list events of the record are not among these.
"""
TABLE = (
    "| page | first, median | first, most | again, median | again, p95 | again, CPU |",
    "|---|---:|---:|---:|---:|---:|",
)


if __name__ == "__main__":
    sys.exit(main())
