"""`uptake restored`: after a backup was put back, everything goes on where it was."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click
from django.db import connection

from uptake.config.command import Deed
from uptake.config.commands.migrate import bring_up_to_date


@click.command(cls=Deed)
def command() -> dict[str, Any]:
    """Say that a backup was put back: the tables are brought to this version, readers go on where they were (also in
    another PostgreSQL server), and the activity files are made again. Safe to repeat."""
    from uptake.insight.feed.refresh import rebuild

    applied = bring_up_to_date()
    click.echo(f"{len(applied)} migrations applied." if applied else "The database is up to date.")
    events = rebuild(now=datetime.now(UTC))
    click.echo(f"The activity files are made again from {events} events.")
    return {"applied": applied, "database": connection.vendor, "events": events}
