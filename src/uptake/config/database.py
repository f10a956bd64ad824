"""The database of the installation: SQLite in the data folder, or PostgreSQL by its URL."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536; PRAGMA temp_store=MEMORY; "
    "PRAGMA wal_autocheckpoint=8000; PRAGMA recursive_triggers=ON;"
)
"""Checkpoints come every 32 MB: by default every 4 MB, and a page written ten times is copied ten times. Without
recursive triggers INSERT OR REPLACE would delete a row of the record unseen."""

PLANS = "-c jit=off -c random_page_cost=1.1"
"""How PostgreSQL plans our statements: they are many and short, so compiling one costs more than carrying it out; and
pages come from memory or solid disks, so the next 5,000 events are read by the index, not by sorting all that wait.
`options` in the URL replaces it."""


def database(url: str, folder: Path) -> dict[str, Any]:
    """Django's DATABASES entry. ValueError for a URL that names no PostgreSQL database."""
    if not url:
        return {
            "ENGINE": "uptake.config.sqlite3",
            "NAME": folder / "uptake.sqlite3",
            "CONN_MAX_AGE": None,
            "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 30, "init_command": SQLITE_PRAGMAS},
        }
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/"):
        raise ValueError("UPTAKE_DATABASE_URL must look like postgresql://user:password@host:port/name")
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    host = options.pop("host", None) or parts.hostname or ""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or options.pop("port", "")),
        "OPTIONS": {"options": PLANS, **options, "pool": {"min_size": 1, "max_size": 20, "timeout": 30}},
    }
