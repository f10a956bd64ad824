"""`uptake migrate`: brings the database to the tables of this version."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from uptake.basics import blank_database
from uptake.config.command import Deed
from uptake.jobs.lease import MIGRATIONS, lease

log = logging.getLogger(__name__)


@click.command(cls=Deed)
def command() -> dict[str, Any]:
    """Bring the database to the tables of this version; safe to repeat."""
    applied = bring_up_to_date(verbosity=1)
    click.echo(f"{len(applied)} migrations applied." if applied else "The database is up to date.")
    return {"applied": applied, "database": connection.vendor}


def bring_up_to_date(*, verbosity: int = 0) -> list[str]:
    """Apply what is missing; returns the names of the migrations applied, in order."""
    with _alone():
        plan = _plan()
        if plan:
            with made_blank() as made:
                if not made:
                    call_command("migrate", interactive=False, verbosity=verbosity)
        call_command("createcachetable", verbosity=0)
        read_on()
    return [f"{migration.app_label}.{migration.name}" for migration, _backwards in plan]


def _plan() -> list[tuple[Any, bool]]:
    executor = MigrationExecutor(connection)
    return executor.migration_plan(executor.loader.graph.leaf_nodes())


@contextmanager
def made_blank() -> Iterator[bool]:
    """Whether a new SQLite database got all its tables by a copy; if not, what the block makes is kept for the next."""
    if connection.vendor != "sqlite":
        yield False
        return
    connection.ensure_connection()
    file = connection.connection
    is_new = file.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is None
    if blank_database.fill(file) and not _plan():
        yield True
        return
    yield False
    if is_new and not _plan():
        blank_database.keep(file)


def read_on() -> None:
    """Readers of a database restored from another server's dump go on where they were."""
    from uptake.events.carry_on import carry_on as carry_on_events
    from uptake.notify.carry_on import carry_on as carry_on_messages

    if carry_on_events() | carry_on_messages():
        log.warning("This database comes from another server; transactions are counted on from what was counted there.")


@contextmanager
def _alone() -> Iterator[None]:
    # The server and the jobs may start at the same moment, and both begin with the tables.
    right = lease(MIGRATIONS)
    while not right.take():
        time.sleep(0.2)
    try:
        yield
    finally:
        right.give_back()
