"""A blank SQLite database of this version, made once and copied from then on.

Making the tables by their migrations takes many seconds and always gives the same file; the copy is there at once. It
lies beside the compiled Python of the package and may be thrown away like that; where the package's folder cannot be
written, every new database is made by its migrations.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import tempfile
from contextlib import closing, suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
FOLDER = PACKAGE / "__pycache__"
OTHERS = ("django", "django-allauth", "django-axes")
"""Whose tables are ours too."""


def fill(database: sqlite3.Connection) -> bool:
    """Copy the blank database into one that holds no table; False, and nothing done, where none is fit for it."""
    file = blank_file()
    if not file.exists() or _has_tables(database):
        return False
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro&immutable=1", uri=True)) as blank:
            if not _has_tables(blank) or blank.execute("PRAGMA quick_check").fetchone() != ("ok",):
                return False
            blank.backup(database)
    except sqlite3.DatabaseError:
        return False
    return True


def keep(database: sqlite3.Connection) -> None:
    """Keep a copy of this one, which must have just been made by its migrations; those of other versions go."""
    with suppress(OSError, sqlite3.DatabaseError):
        FOLDER.mkdir(exist_ok=True)
        handle, name = tempfile.mkstemp(dir=FOLDER, prefix="making-")
        os.close(handle)
        try:
            with closing(sqlite3.connect(name)) as copy:
                database.backup(copy)
                copy.execute("PRAGMA journal_mode=DELETE")
                copy.execute("VACUUM")
            for old in FOLDER.glob("blank-*.sqlite3"):
                old.unlink(missing_ok=True)
            Path(name).chmod(0o644)
            Path(name).replace(blank_file())
        finally:
            Path(name).unlink(missing_ok=True)


def _has_tables(database: sqlite3.Connection) -> bool:
    return database.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None


@cache
def blank_file() -> Path:
    """Where the blank database of this version lies: named by what its tables are made from."""
    digest = hashlib.sha256()
    for file in sorted(PACKAGE.glob("**/migrations/*.py")):
        digest.update(file.relative_to(PACKAGE).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    digest.update("".join(f"{name} {version(name)}\n" for name in OTHERS).encode())
    return FOLDER / f"blank-{digest.hexdigest()[:16]}.sqlite3"
