"""Answers questions in SQL with a peer's engine, in the peers' own environment: lines of JSON in, lines of JSON out.

    python engines.py chdb|duckdb|retentioneering FOLDER THREADS

Loads the rows of a log's base files (ordinary Parquet) into a table sorted by person and instant, then answers
{"sql", "runs"} with {"rows", "seconds": of each run, "cpu": of each run}. The first line says what loading took.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

COLUMNS = "person, event, company, event_id"


def chdb(folder: str, threads: str, room: str) -> Callable[[str], list[list[Any]]]:
    """The ClickHouse engine: a MergeTree of one part, sorted, without compression."""
    from chdb.session import Session  # type: ignore[import-not-found]

    session = Session(room)
    kinds = "person Int32, event Int16, company Int32, event_id Int64, t Int64"
    order = "ENGINE = MergeTree ORDER BY (person, t) SETTINGS index_granularity = 8192"
    codec = ", ".join(f"{kind} CODEC(NONE)" for kind in kinds.split(", "))
    session.query(f"CREATE DATABASE IF NOT EXISTS bench; CREATE TABLE bench.e ({codec}) {order}")
    session.query(f"SET max_threads = {threads}")
    session.query(
        f"INSERT INTO bench.e SELECT {COLUMNS}, toUnixTimestamp64Micro(happened_at) AS t "
        f"FROM file('{folder}/bucket-*/*-base.parquet', 'Parquet')"
    )
    session.query("OPTIMIZE TABLE bench.e FINAL")
    session.query("USE bench")

    def ask(sql: str) -> list[list[Any]]:
        text = str(session.query(sql, "JSONCompactEachRow"))
        return [[_number(value) for value in json.loads(line)] for line in text.splitlines()]

    return ask


def duckdb(folder: str, threads: str, room: str) -> Callable[[str], list[list[Any]]]:
    """DuckDB: a table in memory, sorted."""
    import duckdb

    connection = duckdb.connect(config={"threads": int(threads), "preserve_insertion_order": True})
    connection.execute(
        f"CREATE TABLE e AS SELECT {COLUMNS}, epoch_us(happened_at) AS t "
        f"FROM read_parquet('{folder}/bucket-*/*-base.parquet') ORDER BY person, t"
    )
    return lambda sql: [[_number(value) for value in row] for row in connection.execute(sql).fetchall()]


def retentioneering(folder: str, threads: str, room: str) -> Callable[[str], list[list[Any]]]:
    """retentioneering's Eventstream; it is asked for what it has, by name, not in SQL."""
    os.environ["RETENTIONEERING_NO_TRACK"] = "1"  # it would tell its makers that it is used
    import duckdb
    from retentioneering import Eventstream  # type: ignore[import-not-found]

    frame = (
        duckdb.connect()
        .execute(
            f"SELECT person AS user_id, CAST(event AS VARCHAR) AS event, happened_at::TIMESTAMP AS timestamp "
            f"FROM read_parquet('{folder}/bucket-*/*-base.parquet') ORDER BY person, happened_at"
        )
        .df()
    )
    stream = Eventstream(frame, schema={"path_cols": ["user_id"], "event_col": "event", "timestamp_col": "timestamp"})

    def edges(of: Any, path: str | None) -> list[list[Any]]:
        matrix = of.transition_graph_data(edge_weight="count", path_col=path)
        found = []
        for first, row in matrix.to_dict("index").items():
            found += [[int(first), int(then), int(n)] for then, n in row.items() if n == n and n and _code(first, then)]
        return found

    def ask(question: str) -> list[list[Any]]:
        name, *more = question.split()
        if name == "edges":
            return edges(stream, None)
        if name == "sessions":
            return edges(stream.split_sessions(timeout=more[0]), "session_id")
        found = stream.funnel_data(steps=more)["steps"]
        return [[place, step["unique_paths"]] for place, step in enumerate(found)]

    return ask


def _code(*names: Any) -> bool:
    return all(str(name).isdecimal() for name in names)


def _number(value: Any) -> Any:
    if isinstance(value, str):  # 64-bit numbers come as text
        return int(value) if value.lstrip("-").isdecimal() else value
    return value


def main() -> None:
    """Answers until there are no more questions."""
    name, folder, threads = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="uptake-peers-") as room:
        began = time.perf_counter()
        ask = {"chdb": chdb, "duckdb": duckdb, "retentioneering": retentioneering}[name](folder, threads, room)
        print(json.dumps({"loaded": time.perf_counter() - began}), flush=True)
        for line in sys.stdin:
            question = json.loads(line)
            rows = ask(question["sql"])
            seconds, cpu = [], []
            for _ in range(question["runs"]):
                began, worked = time.perf_counter(), time.process_time()
                ask(question["sql"])
                seconds.append(time.perf_counter() - began)
                cpu.append(time.process_time() - worked)
            print(json.dumps({"rows": rows, "seconds": seconds, "cpu": cpu}), flush=True)


if __name__ == "__main__":
    main()
