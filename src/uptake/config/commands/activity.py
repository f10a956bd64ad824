"""`uptake activity refresh | rebuild | check | sql`: the engine's files read on, made again, compared, or asked."""

from __future__ import annotations

from datetime import UTC, datetime
from time import perf_counter
from typing import Any

import click

from uptake.config.command import Deeds, Refusal


@click.group(cls=Deeds)
def command() -> None:
    """The activity engine's files: read on, make them again, compare them with the record, or ask them in SQL."""


@command.command()
def refresh() -> dict[str, Any]:
    """Bring what is new into the files now, as the job does every few seconds."""
    from uptake.insight.feed.refresh import refresh as refresh_log

    events = 0
    while read := refresh_log(now=datetime.now(UTC)):
        events += read
    click.echo(f"{events} events and corrections read.")
    return {"events": events}


@command.command()
def rebuild() -> dict[str, Any]:
    """Make the files again from the record; questions are answered from the old ones until then."""
    from uptake.activity.storage import Overtaken
    from uptake.insight.feed.refresh import rebuild as rebuild_log

    began = perf_counter()
    try:
        events = rebuild_log(now=datetime.now(UTC))
    except Overtaken as overtaken:
        raise Refusal(f"Nothing was changed: {overtaken}.") from overtaken
    seconds = round(perf_counter() - began, 2)
    click.echo(f"{events} events read in {seconds} s.")
    return {"events": events, "seconds": seconds}


@command.command()
@click.argument("statement")
@click.option("--limit", type=click.IntRange(1), default=1000, show_default=True, help="Show at most so many rows.")
@click.option("--csv", "as_csv", is_flag=True, help="Print the rows as CSV.")
def sql(statement: str, limit: int, as_csv: bool) -> dict[str, Any]:
    """Ask the files one SELECT statement; the table is called events. Nothing can be changed or reached besides.

    STATEMENT is SQL as DuckDB speaks it, such as "select event, count(*) from events group by 1".
    """
    from uptake.activity.sql import SqlRefused, run
    from uptake.activity.store import NoSuchLog
    from uptake.insight.feed.where import store

    try:
        found = run(store(), statement, limit=limit)
    except SqlRefused as refused:
        raise Refusal(str(refused)) from refused
    except NoSuchLog:
        raise Refusal("There are no files yet: `uptake activity rebuild` makes them.") from None
    rows = [[_plain(value) for value in row.values()] for row in found.to_pylist()]
    if as_csv:
        import csv
        import sys

        csv.writer(sys.stdout).writerows([found.column_names, *rows])
    else:
        for row in [found.column_names, *rows]:
            click.echo("\t".join("" if value is None else str(value) for value in row))
    return {"columns": found.column_names, "rows": rows}


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


@command.command()
def check() -> dict[str, Any]:
    """Compare every event of the files with the record, after a refresh. Fails if anything differs."""
    from uptake.insight.feed.check import check as check_log
    from uptake.insight.feed.refresh import refresh

    refresh(now=datetime.now(UTC))
    found = check_log()
    click.echo(f"{found.events} events in the record, {found.rows} rows in the files.")
    for example in found.examples:
        click.echo(example)
    if not found.right:
        raise Refusal(
            f"{found.missing} missing, {found.too_much} too much, {found.different} different; "
            "`uptake activity rebuild` makes the files again."
        )
    return {
        "events": found.events,
        "rows": found.rows,
        "missing": found.missing,
        "too_much": found.too_much,
        "different": found.different,
        "waiting": found.waiting,
    }
