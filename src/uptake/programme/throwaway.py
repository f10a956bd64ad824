"""A database that lives as long as a `with` block, in memory: nothing of the installation is read or written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.sqlite3.base import DatabaseWrapper

from uptake.basics import blank_database

_EMPTY: list[bytes] = []
"""The migrated, empty database, made once per process."""


@contextmanager
def throwaway_database() -> Iterator[None]:
    """Inside the block every query of this thread goes to an empty, migrated SQLite database in memory."""
    standing = connections[DEFAULT_DB_ALIAS]
    fresh = _connect()
    connections[DEFAULT_DB_ALIAS] = fresh
    try:
        if not _EMPTY:
            if not blank_database.fill(fresh.connection):
                call_command("migrate", verbosity=0, interactive=False)
                blank_database.keep(fresh.connection)
            _EMPTY.append(fresh.connection.serialize())
        else:
            fresh.connection.deserialize(_EMPTY[0])
        yield
    finally:
        connections[DEFAULT_DB_ALIAS] = standing
        fresh.connection.close()
        ContentType.objects.clear_cache()


def _connect() -> DatabaseWrapper:
    entry = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": ":memory:",
        "OPTIONS": {"transaction_mode": "IMMEDIATE"},
    }
    configured = connections.configure_settings({DEFAULT_DB_ALIAS: entry})[DEFAULT_DB_ALIAS]
    fresh = DatabaseWrapper(configured, DEFAULT_DB_ALIAS)
    fresh.connect()
    return fresh
