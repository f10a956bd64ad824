"""`uptake migrate`: brings the database to the tables of this version."""

from __future__ import annotations

from typing import Any

import click
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from uptake.config.command import Deed


@click.command(cls=Deed)
def command() -> dict[str, Any]:
    """Bring the database to the tables of this version; safe to repeat."""
    applied = bring_up_to_date(verbosity=1)
    click.echo(f"{len(applied)} migrations applied." if applied else "The database is up to date.")
    return {"applied": applied, "database": connection.vendor}


def bring_up_to_date(*, verbosity: int = 0) -> list[str]:
    """Apply what is missing; returns the names of the migrations applied, in order."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        call_command("migrate", interactive=False, verbosity=verbosity)
    call_command("createcachetable", verbosity=0)
    return [f"{migration.app_label}.{migration.name}" for migration, _backwards in plan]
