"""Six questions of the activity engine beside the ClickHouse engine and DuckDB: same data, one run, equal answers.

    python bench/activity.py [--events 20000000] [--people 50000] [--days 90] [--folder DIR] [--runs 7] [--no-peers]
                             [--larger 100000000:200000 [--larger-folder DIR]]
                             [--write docs/reference/activity-bench.md]

The world is made once in the folder and used again. Peers answer in their own environment (`make bench` makes it, or
UPTAKE_PEERS names its Python) with as many threads. Every answer is compared first. Of several runs the quickest
counts, for everybody. Exits non-zero if a figure is missed.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
import pyarrow as pa

from uptake.activity import ActivityLog
from uptake.activity.analyses import answer_to
from uptake.activity.columns import Array, bucket_of
from uptake.activity.incoming import Incoming, Rows, row_numbers
from uptake.activity.periods import day_number
from uptake.activity.store import BUCKETS, Store
from uptake.activity.warm import warm

HERE = Path(__file__).resolve().parent
FIRST = date(2026, 1, 5)
NAMES = ["$pageview", "login", *(f"step.{number}" for number in range(40))]
STEPS = ["login", "step.5", "step.20"]
COMPANIES = 300
NARROWED: dict[str, dict[str, Any]] = {
    "one company": {"scope": [7]},
    "half of the companies": {"scope": list(range(1, COMPANIES // 2))},
    "by company": {"by": "company"},
}
ZONE = "Asia/Shanghai"
HOUR, DAY = 3_600_000_000, 86_400_000_000
GAP, WINDOW = 1800, 7 * 86_400
REST_SECONDS = 0.05
"""From disk: the most a million events may take."""
LEAST = {"chdb": 20.0, "duckdb": 30.0}
LEAST_OF_ANY = 6.0
PEERS = {"chdb": "ClickHouse engine", "duckdb": "DuckDB"}
LIBRARY = "retentioneering"
LEAST_OF_LIBRARY = 50.0
NOTE = "<!-- Written by `python bench/activity.py --write`. Do not edit. -->"
HEAD = """# The activity engine beside others

Everybody has the same rows, cores and threads, and gives the same answers; the quickest of several runs counts.
The ClickHouse engine (chDB) reads a sorted MergeTree of one part without compression, DuckDB a sorted table in memory;
of several ways to ask them in SQL the quickest counts. *From disk*: nothing in memory. *First*: the columns are in
memory, nothing else is. *Again*: what the first one worked out is remembered: whose a row is, and for questions of
whole days the visits, a row for each person and day. The ratios are of *again*. *Share of memory's speed*: the bytes of
the columns the question is about, over the time, over what all cores together read from memory; with visits the columns
themselves are not read, so it can be above 100 %.
"""


ASKED_ONCE = (
    "Of the larger world every peer is timed once (after one run that is not counted), "
    "and we take the quickest of five."
)


@dataclass(frozen=True)
class Question:
    """What is asked of everybody, and what of the answers has to be equal."""

    name: str
    asked: dict[str, Any]
    told: Callable[[dict[str, Any]], list[list[Any]]]
    """Our answer as the rows the SQL gives."""
    sql: dict[str, tuple[str, ...]]
    """By engine, ways to ask it; the quickest one that gives the right answer counts."""
    bytes_per_event: int
    """Of the columns the fold has to read for every event."""
    least_share: float
    """Of the memory's speed."""


def local(unit: int) -> str:
    """The number of the local day or week (Monday) of the instant `t`, from the first of the range."""
    return f"(t - {(day_number(FIRST) * 24 - 8) * HOUR}) // {unit}"


def questions(days: int) -> list[Question]:
    """The six, over all days."""
    last = FIRST + timedelta(days=days - 1)
    between = {"from": FIRST.isoformat(), "to": last.isoformat(), "timezone": ZONE}
    code = {name: number for number, name in enumerate(NAMES, start=1)}
    one, two, three = (code[name] for name in STEPS)
    window = WINDOW * 1_000_000
    day, week = local(DAY), local(7 * DAY)

    def both(sql: str, *more: str) -> dict[str, tuple[str, ...]]:
        """For DuckDB as it is; for ClickHouse in its words, and the ways that only it knows."""
        return {"duckdb": (sql,), "chdb": (*more, clickhouse(sql))}

    rows = "rows between unbounded preceding and 1 preceding"
    chain = (
        f"with a as (select person, t, event, case when event = {one} then t end as m0 from e "
        f"where event in ({one}, {two}, {three})), "
        f"b as (select *, max(m0) over (partition by person order by t {rows}) as p0 from a), "
        f"c as (select *, case when event = {two} and t - p0 <= {window} then p0 end as m1 from b), "
        f"d as (select *, max(m1) over (partition by person order by t {rows}) as p1 from c), "
        f"f as (select *, case when event = {three} and t - p1 <= {window} then p1 end as m2 from d) "
    )
    funnel = chain + " union all ".join(
        f"select {k}, count(distinct case when m{k} is not null then person end) from f" for k in range(3)
    )
    levels = f"windowFunnel({window})(toUInt64(t), event = {one}, event = {two}, event = {three})"
    window_funnel = (
        f"select k, countIf(level > k) from (select person, {levels} as level from e where event in "
        f"({one}, {two}, {three}) group by person) array join [0, 1, 2] as k group by k order by k"
    )
    convert = chain + (
        "select arrival - entry, count(*) from (select person, min(t) as arrival, arg_min(m2, t) as entry "
        "from f where m2 is not null group by person) as g group by 1"
    )
    weeks = f"with a as (select distinct person, {week} as w from e) "
    masks = (
        f"with a as (select person, groupBitOr(bitShiftLeft(toUInt64(1), {clickhouse(week)})) as m from e "
        f"group by person) "
    )
    count = math.ceil(days / 7)
    retention = weeks + (
        "select x.w, y.w - x.w, count(*) from a as x join a as y on x.person = y.person where y.w >= x.w group by 1, 2"
    )
    retention_masks = masks + (
        f"select i, j - i, countIf(bitTest(m, i) and bitTest(m, j)) as n from a array join range({count}) as i "
        f"array join range(toUInt64(i), {count}) as j group by i, j having n > 0"
    )
    before = f"{weeks}, b as (select w, lag(w) over (partition by person order by w) as p, " + (
        "lead(w) over (partition by person order by w) as n from a) "
    )
    lifecycle = before + (
        "select w, case when p is null then 0 when p = w - 1 then 1 else 2 end as s, count(*) from b group by 1, 2 "
        f"union all select w + 1, 3, count(*) from b where (n is null or n > w + 1) and w + 1 < {count} group by 1, 2"
    )
    set_at = "bitTest(m, i)"
    earlier = "bitAnd(m, bitShiftLeft(toUInt64(1), i) - 1)"
    just = "(i > 0 and bitTest(m, if(i > 0, i - 1, 0)))"
    lifecycle_masks = masks + (
        f"select i, multiIf({set_at} and {earlier} = 0, 0, {set_at} and {just}, 1, {set_at}, 2, {just}, 3, 4) as s, "
        f"count() from a array join range({count}) as i where s < 4 group by i, s"
    )
    edges = (
        "with a as (select event, t, lag(event) over (partition by person order by t) as before, "
        "lag(t) over (partition by person order by t) as since from e) "
        f"select before, event, count(*), sum(t - since) from a where before is not null "
        f"and t - since < {GAP} * 1000000 group by 1, 2"
    )
    edges_in_frame = (
        "with a as (select event, t, lagInFrame(event) over w as before, lagInFrame(t) over w as since from e "
        "window w as (partition by person order by t rows between 1 preceding and current row)) "
        f"select before, event, count(), sum(t - since) from a where before != 0 "
        f"and t - since < {GAP} * 1000000 group by before, event"
    )

    def told_edges(answer: dict[str, Any]) -> list[list[Any]]:
        return [
            [code[first], code[then], many, round(seconds * many * 1_000_000)]
            for (first, then, many), seconds in zip(answer["edges"], answer["average_seconds"], strict=True)
            if first in code and then in code
        ]

    states = ("new", "returning", "resurrecting", "dormant")
    return [
        Question(
            "people per day",
            {"analysis": "pv_uv", "event_sel": {}, **between},
            lambda answer: [
                [day, *both] for day, both in enumerate(zip(answer["pv"], answer["uv"], strict=True)) if both[0]
            ],
            both(f"select {day} as d, count(*), count(distinct person) from e group by 1"),
            8, 0.25,
        ),
        Question(
            "funnel of 3 steps, 7 days",
            {"analysis": "funnel", "steps": STEPS, "window_seconds": WINDOW, **between},
            lambda answer: [list(pair) for pair in enumerate(answer["counts"])],
            both(funnel, window_funnel),
            10, 0.10,
        ),
        Question(
            "retention by week",
            {"analysis": "retention", "interval": "week", "intervals": count, **between, "to": None},
            lambda answer: [
                [row, column, people]
                for row, cells in enumerate(answer["matrix"]) for column, people in enumerate(cells) if people
            ],
            both(retention, retention_masks),
            8, 0.25,
        ),
        Question(
            "lifecycle by week",
            {"analysis": "lifecycle", "interval": "week", **between},
            lambda answer: [
                [row, place, people]
                for place, state in enumerate(states) for row, people in enumerate(answer[state]) if people
            ],
            {"duckdb": (lifecycle,), "chdb": (lifecycle_masks,)},
            8, 0.25,
        ),
        Question(
            "next-event edges, 30 minutes",
            {"analysis": "transitions", "session_gap_seconds": GAP, **between},
            told_edges,
            {"duckdb": (edges,), "chdb": (edges_in_frame,)},
            10, 0.10,
        ),
        Question(
            "time to convert",
            {"analysis": "time_to_convert", "steps": STEPS, "window_seconds": WINDOW, "bins": 20, **between},
            lambda answer: [[round(start * 1_000_000), people] for start, people in answer["bins"]],
            both(convert),
            10, 0.10,
        ),
    ]  # fmt: skip


def clickhouse(sql: str) -> str:
    """The same SQL in ClickHouse's words."""
    for unit in (DAY, 7 * DAY):
        start, over = local(unit).split(" // ")
        sql = sql.replace(local(unit), f"intDiv({start}, {over})")
    return sql.replace("arg_min(", "argMin(").replace("count(distinct", "uniqExact(")


def binned(rows: list[list[Any]], bins: int) -> list[list[int]]:
    """(microseconds, people) as the bins our answer gives."""
    shortest, longest = min(row[0] for row in rows), max(row[0] for row in rows)
    width = -(-(longest - shortest) // (bins * 1_000_000)) * 1_000_000
    people = [0] * (bins + 1)
    for took, many in rows:
        people[(took - shortest) // width] += many
    return [[shortest + k * width, many] for k, many in enumerate(people)]


def make(folder: Path, events: int, persons: int, days: int) -> None:
    """A log of made-up events: people of uneven zeal, each in one company and department, in working hours.

    No two events of a person fall into one microsecond, so that no engine may choose what came first."""
    chance = np.random.default_rng(7)
    zeal = chance.pareto(1.5, persons) + 0.1
    company = chance.integers(1, COMPANIES + 1, persons)
    codes = np.arange(1, persons + 1, dtype=np.int32)
    share = zeal / zeal.sum()
    number = 0
    with Store(folder).writing() as writer:
        for bucket in range(BUCKETS):
            own = np.flatnonzero(bucket_of(codes, BUCKETS) == bucket)
            many = round(events * share[: 0 if not len(own) else None][own].sum()) if len(own) else 0
            who = np.sort(chance.choice(own, many, p=share[own] / share[own].sum())) if many else own[:0]
            day = chance.integers(0, days, many)
            at = (day_number(FIRST) + day) * DAY + chance.integers(HOUR, 11 * HOUR, many)
            order = np.lexsort((at, who))
            at, day = at[order], day[order]
            for _ in range(9):
                again = np.flatnonzero((at[1:] <= at[:-1]) & (who[1:] == who[:-1])) + 1
                at[again] = at[again - 1] + 1
            columns: dict[str, Array] = {
                "event_id": number + np.arange(many, dtype=np.int64),
                "person": codes[who],
                "happened_at": at,
                "business_day": (day_number(FIRST) + day).astype(np.int32),
                "company": company[who].astype(np.int32),
                "department": (1000 + company[who] * 5 + who % 5).astype(np.int32),
                "event": (1 + chance.random(many) ** 2 * len(NAMES)).astype(np.int16),
                "source": np.ones(many, np.int16),
                "object": np.zeros(many, np.int32),
            }
            number += many
            rest = pa.array([""], pa.large_string()).take(row_numbers(np.zeros(many, np.int64)))
            writer.fill(bucket, Rows(columns, rest), {"event": NAMES, "source": ["erp"]})
        writer.publish()


class Peer:
    """One engine in a process of the peers' environment."""

    def __init__(self, python: str, engine: str, folder: Path, leaving: ExitStack) -> None:
        self.engine = engine
        words = [python, str(HERE / "peers" / "engines.py"), engine, str(folder), str(os.cpu_count() or 1)]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        leaving.callback(self.process.kill)
        self.loaded = self._read()["loaded"]

    def ask(self, sql: str, runs: int) -> dict[str, Any]:
        """{"rows", "seconds", "cpu"}"""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"sql": sql, "runs": runs}) + "\n")
        self.process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{PEERS.get(self.engine, self.engine)} went away")
        found: dict[str, Any] = json.loads(line)
        return found


@dataclass
class Timed:
    """Seconds of one deed, done several times."""

    first: float
    seconds: float
    """The quickest."""
    cpu: float


def timed(deed: Callable[[], Any], runs: int) -> Timed:
    """The first time, and the quickest of those that follow."""
    began = perf_counter()
    deed()
    first = perf_counter() - began
    walls, works = [], []
    for _ in range(runs):
        began, worked = perf_counter(), process_time()
        deed()
        walls.append(perf_counter() - began)
        works.append(process_time() - worked)
    return Timed(first, min(walls, default=first), min(works, default=0.0))


def bandwidth() -> float:
    """Bytes a second all cores together can read from memory: threads that sum an array much larger than the caches."""
    from uptake.activity.log import _threads

    column = np.ones(100_000_000, np.int64)
    parts = np.array_split(column, os.cpu_count() or 1)

    def run() -> None:
        list(_threads().map(np.sum, parts))

    run()
    return column.nbytes / timed(run, 5).seconds


@dataclass
class Table:
    """What was measured, and what was missed."""

    lines: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    def say(self, line: str = "") -> None:
        self.lines.append(line)
        print(line, flush=True)

    def expect(self, what: str, found: float, most: float | None = None, least: float | None = None) -> str:
        """Says a figure and what was wanted of it."""
        fine = (most is None or found <= most) and (least is None or found >= least)
        wanted = f"≤ {most:g}" if most is not None else f"≥ {least:g}"
        if not fine:
            self.missed.append(f"{what}: {found:.3g}, wanted {wanted}")
        return f"{found:.3g} (wanted {wanted}){'' if fine else ' **missed**'}"


def mean(ratios: list[float]) -> float:
    """The geometric mean."""
    return math.exp(sum(math.log(ratio) for ratio in ratios) / len(ratios))


def measure(table: Table, folder: Path, peers: list[Peer], options: argparse.Namespace) -> list[float]:
    """The six questions, everybody after the other. Our seconds (*again*)."""
    speed = bandwidth()
    budget = options.events * 40 + 2**28
    asked = questions(options.days)
    table.say(
        f"{options.events:,} events of {options.people:,} people in {COMPANIES} companies, {options.days} days; "
        f"{os.cpu_count()} cores, {os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GB; "
        f"memory read at {speed / 1e9:.0f} GB/s by all cores."
    )
    cold = []
    for question in asked:
        log = ActivityLog.open(folder, memory_bytes=budget)
        cold.append(timed(lambda log=log, question=question: answer_to(log, question.asked), 0).first)  # type: ignore[misc]
        del log
    log = ActivityLog.open(folder, memory_bytes=budget)
    names = [PEERS[peer.engine] for peer in peers]
    table.say()
    head = [
        "question",
        "from disk",
        "first",
        "again",
        "CPU",
        "share of memory's speed",
        *names,
        *(f"× {n}" for n in names),
    ]
    table.say("| " + " | ".join(head) + " |")
    table.say("|---" + "|---:" * (len(head) - 1) + "|")
    log.catch_up()
    ratios: dict[str, list[float]] = {peer.engine: [] for peer in peers}
    ours = []
    for question, from_disk in zip(asked, cold, strict=True):
        answer = answer_to(log, question.asked)  # the columns are there now
        fresh = ActivityLog.open(folder, memory_bytes=budget)
        _hold(fresh)
        found = timed(lambda fresh=fresh, asked=question.asked: answer_to(fresh, asked), options.runs)  # type: ignore[misc]
        del fresh
        ours.append(found.seconds)
        told = sorted(question.told(vars(answer)))
        cells = []
        for peer in peers:
            best = math.inf
            for sql in question.sql[peer.engine]:
                tried = peer.ask(sql, 1 if best < math.inf else options.peer_runs)
                rows = sorted(tried["rows"])
                rows = binned(rows, 20) if question.name == "time to convert" else rows
                if rows != told:
                    table.say(f"NOT EQUAL: {question.name}, {PEERS[peer.engine]}: {_difference(told, rows)}")
                    table.missed.append(f"{question.name}: another answer by {PEERS[peer.engine]}")
                    continue
                if tried["seconds"] and min(tried["seconds"]) < best and best < math.inf:
                    tried = peer.ask(sql, options.peer_runs)
                best = min(best, *tried["seconds"])
            cells.append(best)
            ratios[peer.engine].append(best / found.seconds)
        share = question.bytes_per_event * log.snapshot().rows / found.seconds / speed
        if share < question.least_share:
            table.missed.append(
                f"{question.name}: {share:.0%} of the memory's speed, wanted {question.least_share:.0%}"
            )
        table.say(
            f"| {question.name} | {from_disk * 1000:,.0f} ms | {found.first * 1000:,.1f} ms "
            f"| {found.seconds * 1000:,.1f} ms | {found.cpu * 1000:,.1f} ms | {share:.0%} | "
            + " | ".join([f"{cell * 1000:,.0f} ms" for cell in cells] + [f"{ratios[p.engine][-1]:,.0f}" for p in peers])
            + " |"
        )
    table.say()
    for peer in peers:
        said = table.expect(
            f"geometric mean over {PEERS[peer.engine]}", mean(ratios[peer.engine]), least=LEAST[peer.engine]
        )
        table.say(f"- Geometric mean over {PEERS[peer.engine]}: {said}.")
        if peer.engine == "chdb":
            said = table.expect("the least ratio", min(ratios[peer.engine]), least=LEAST_OF_ANY)
            table.say(f"- The least ratio of any question over it: {said}.")
    million = log.snapshot().rows / 1e6
    said = table.expect("from disk, seconds a million events", max(cold) / million, most=REST_SECONDS)
    table.say(f"- From disk, nothing in memory, the slowest question: {said} s a million events.")
    assert log._memory is not None
    said = table.expect("bytes an event", log._memory.size / log.snapshot().rows, most=24)
    table.say(f"- In memory after all six: {said} bytes an event, what is remembered of them included.")
    return ours


def _hold(log: ActivityLog) -> None:
    """Reads the columns of the questions, and nothing else."""
    snapshot = log.snapshot()
    for bucket in range(snapshot.buckets):
        snapshot.columns(bucket, ["person", "happened_at", "event"])


def _difference(ours: list[list[Any]], theirs: list[list[Any]]) -> str:
    differ = [pair for pair in zip(ours, theirs, strict=False) if pair[0] != pair[1]][:2]
    return f"{len(ours)} and {len(theirs)} rows, {differ}"


def narrowed(table: Table, folder: Path, options: argparse.Namespace) -> None:
    """Filtered and broken down by company: at most twice the plain question."""
    log = ActivityLog.open(folder, memory_bytes=options.events * 48 + 2**28)
    table.say()
    table.say("| question | plain | " + " | ".join(NARROWED) + " |")
    table.say("|---|---:" + "|---:" * len(NARROWED) + "|")
    for question in questions(options.days):
        plain = timed(lambda: answer_to(log, question.asked), options.runs).seconds  # noqa: B023
        cells = []
        for name, more in NARROWED.items():
            asked = {**question.asked, **more}
            cells.append(timed(lambda asked=asked: answer_to(log, asked), options.runs).seconds)  # type: ignore[misc]
            if cells[-1] > 2 * plain:
                table.missed.append(f"{question.name}, {name}: {cells[-1] / plain:.1f} × plain, wanted ≤ 2")
        table.say(
            f"| {question.name} | {plain * 1000:.1f} ms | "
            + " | ".join(f"{cell * 1000:.1f} ms ({cell / plain:.1f} ×)" for cell in cells) + " |"
        )  # fmt: skip


def refreshed(table: Table, folder: Path, options: argparse.Namespace) -> None:
    """10,000 new events until the next answer knows them."""
    chance = np.random.default_rng(8)
    log = ActivityLog.open(folder, memory_bytes=options.events * 48 + 2**28)
    asked = questions(options.days)
    for question in asked:
        answer_to(log, question.asked)
    before = log.snapshot().rows
    seconds = []
    last = FIRST + timedelta(days=options.days - 1)
    for turn in range(3):
        who = chance.integers(1, options.people + 1, 10_000)
        at = day_number(last) * DAY + chance.integers(2 * HOUR, 10 * HOUR, 10_000)
        many = len(who)
        began = perf_counter()
        with Store(folder).writing() as writer:
            writer.add(
                Incoming(
                    event_id=list(range(10**12 + turn * many, 10**12 + (turn + 1) * many)),
                    person=who.tolist(),
                    happened_at=at.tolist(),
                    business_day=[day_number(last)] * many,
                    company=[1] * many,
                    department=[0] * many,
                    event=["login"] * many,
                    source=["erp"] * many,
                    object=[""] * many,
                    properties=[{}] * many,
                )
            )
            writer.publish()
        log.catch_up()
        assert log.snapshot().rows == before + (turn + 1) * many
        seconds.append(perf_counter() - began)
    first = {question.name: timed(lambda q=question: answer_to(log, q.asked), 1) for question in asked}  # type: ignore[misc]
    said = table.expect("refresh, seconds", min(seconds), most=0.3 * max(1.0, options.events / 20_000_000))
    table.say(f"- 10,000 new events written, published and merged into what is in memory: {said} s.")
    slowest = max(first, key=lambda name: first[name].first)
    table.say(f"- The slowest first answer after them: {slowest}, {first[slowest].first * 1000:.0f} ms.")


def grown(table: Table, folder: Path, leaving: ExitStack, options: argparse.Namespace) -> None:
    """Four times the events, four times the seconds."""
    small = Path(leaving.enter_context(tempfile.TemporaryDirectory(prefix="uptake-bench-")))
    make(small, options.events // 4, options.people // 4, options.days)
    logs = [ActivityLog.open(one, memory_bytes=options.events * 40 + 2**28) for one in (small, folder)]
    ratios = []
    for question in questions(options.days):
        less, more = (
            timed(lambda log=log, asked=question.asked: answer_to(log, asked), options.runs).seconds  # type: ignore[misc]
            for log in logs
        )
        ratios.append(more / less)
    said = table.expect("four times the events, times the seconds", mean(ratios), most=5.0)
    table.say(f"- From {options.events // 4:,} to {options.events:,} events, geometric mean: {said} times the seconds.")


def larger(table: Table, python: str | None, before: list[float], options: argparse.Namespace) -> None:
    """The six questions again of a larger world; `before`: our seconds of the first one."""
    events, people = (int(number) for number in options.larger.split(":"))
    with ExitStack() as leaving:
        room = options.larger_folder or leaving.enter_context(tempfile.TemporaryDirectory(prefix="uptake-bench-"))
        if not Store(room).exists():
            make(Path(room), events, people, options.days)
        peers = [] if python is None else [Peer(python, engine, Path(room), leaving) for engine in PEERS]
        own = argparse.Namespace(**{**vars(options), "events": events, "people": people, "peer_runs": 1, "runs": 5})
        table.say()
        table.say(ASKED_ONCE)
        table.say()
        ours = measure(table, Path(room), peers, own)
        times = events / options.events
        said = table.expect(
            f"{times:g} times the events, times the seconds",
            mean([more / less for more, less in zip(ours, before, strict=True)]), most=1.25 * times,
        )  # fmt: skip
        table.say(f"- From {options.events:,} to {events:,} events, geometric mean: {said} times the seconds.")


def library(table: Table, python: str, leaving: ExitStack, options: argparse.Namespace) -> None:
    """Beside retentioneering, at a million events; a funnel of its kind has no window."""
    folder = Path(leaving.enter_context(tempfile.TemporaryDirectory(prefix="uptake-bench-")))
    make(folder, 1_000_000, 5_000, options.days)
    peer = Peer(python, LIBRARY, folder, leaving)
    log = ActivityLog.open(folder, memory_bytes=2**30)
    code = {name: number for number, name in enumerate(NAMES, start=1)}
    last = FIRST + timedelta(days=options.days - 1)
    between = {"from": FIRST.isoformat(), "to": last.isoformat(), "timezone": ZONE}
    edges = {"analysis": "transitions", **between}

    def told(answer: Any) -> list[list[Any]]:
        if hasattr(answer, "counts"):
            return [list(pair) for pair in enumerate(answer.counts)]
        return [[code[one], code[then], many] for one, then, many in answer.edges if one in code and then in code]

    table.say()
    table.say(f"| 1,000,000 events | again | {LIBRARY} | × |")
    table.say("|---|---:|---:|---:|")
    ratios = []
    for name, asked, words in (
        ("edges of whole histories", edges, "edges"),
        ("edges, 30 minutes", {**edges, "session_gap_seconds": GAP}, "sessions 30m"),
        (
            "funnel of 3 steps, no window",
            {"analysis": "funnel", "steps": STEPS, "window_seconds": 10**10, **between},
            "funnel " + " ".join(str(code[step]) for step in STEPS),
        ),
    ):
        theirs = peer.ask(words, 2)
        if sorted(theirs["rows"]) != sorted(told(answer_to(log, asked))):
            difference = _difference(sorted(told(answer_to(log, asked))), sorted(theirs["rows"]))
            table.say(f"NOT EQUAL: {name}, {LIBRARY}: {difference}")
            table.missed.append(f"{name}: another answer by {LIBRARY}")
        ours = timed(lambda asked=asked: answer_to(log, asked), options.runs).seconds  # type: ignore[misc]
        ratios.append(min(theirs["seconds"]) / ours)
        table.say(f"| {name} | {ours * 1000:.1f} ms | {min(theirs['seconds']) * 1000:,.0f} ms | {ratios[-1]:,.0f} |")
    table.say()
    said = table.expect(f"geometric mean over {LIBRARY}", mean(ratios), least=LEAST_OF_LIBRARY)
    table.say(f"- Geometric mean over {LIBRARY}: {said}.")


def main() -> int:
    """Makes the log and measures it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--people", type=int, default=50_000)
    parser.add_argument("--days", type=int, default=91)
    parser.add_argument("--folder", type=Path, help="where the world stands or is made; else it is made anew")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--peer-runs", type=int, default=3)
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--larger", help="EVENTS:PEOPLE of a second world, such as 100000000:200000")
    parser.add_argument("--larger-folder", type=Path, help="where it stands or is made; else it is made anew")
    parser.add_argument("--write", type=Path, help="the page to write")
    options = parser.parse_args()
    warm()
    table = Table()
    with ExitStack() as leaving:
        folder = options.folder or Path(leaving.enter_context(tempfile.TemporaryDirectory(prefix="uptake-bench-")))
        if not Store(folder).exists():
            began = perf_counter()
            make(folder, options.events, options.people, options.days)
            print(f"made in {perf_counter() - began:.0f} s", flush=True)
        python = os.environ.get("UPTAKE_PEERS", str(HERE.parent / ".venv-peers" / "bin" / "python"))
        there = not options.no_peers and Path(python).exists()
        if not options.no_peers and not there:
            print("the peers are not installed: `make bench` does, or see requirements-bench.in")
        with ExitStack() as asked:
            peers = [Peer(python, engine, folder, asked) for engine in PEERS] if there else []
            ours = measure(table, folder, peers, options)
        narrowed(table, folder, options)
        table.say()
        news = folder.with_name(folder.name + "-news")
        shutil.rmtree(news, ignore_errors=True)
        shutil.copytree(folder, news, copy_function=os.link)
        leaving.callback(shutil.rmtree, news)
        refreshed(table, news, options)
        grown(table, folder, leaving, options)
        if there:
            library(table, python, leaving, options)
        if options.larger:
            larger(table, python if there else None, ours, options)
    table.say()
    for figure in table.missed:
        table.say(f"- missed: {figure}")
    if options.write:
        options.write.write_text("\n".join([NOTE, "", HEAD, *table.lines]) + "\n")
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
