"""`uptake activity rebuild | check`: the activity engine's files made again, or compared with the record."""

from __future__ import annotations

from datetime import UTC, datetime
from time import perf_counter
from typing import Any

import click

from uptake.config.command import Deeds, Refusal


@click.group(cls=Deeds)
def command() -> None:
    """The activity engine's files: make them again, or compare them with the record."""


@command.command()
def rebuild() -> dict[str, Any]:
    """Make the files again from the record; questions are answered from the old ones until then."""
    from uptake.insight.feed.refresh import rebuild as rebuild_log

    began = perf_counter()
    events = rebuild_log(now=datetime.now(UTC))
    seconds = round(perf_counter() - began, 2)
    click.echo(f"{events} events read in {seconds} s.")
    return {"events": events, "seconds": seconds}


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
