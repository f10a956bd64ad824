"""Databases that hold the tables of this version and no row: made once by the migrations, copied by every run of tests.

That of SQLite is the product's own (`uptake.basics.blank_database`). For PostgreSQL a whole cluster, stopped, with a
database called BLANK lies beside it, named by the same migrations, the server's version and how the cluster was made.
Where the folder cannot be written, the cluster is made for the run alone.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tools import postgresql
from uptake.basics import blank_database

SOURCES = Path(__file__).resolve().parent.parent / "src"
BLANK = "blank"


def keep_sqlite() -> None:
    """Make the blank database of SQLite if there is none."""
    if not blank_database.blank_file().exists():
        _command("uptake.config.command", "migrate", url="")


def cluster(leaving: ExitStack) -> Path:
    """The folder of the stopped cluster; `leaving` clears away one that could not be kept."""
    kept = kept_cluster()
    if kept.exists():
        return kept
    folder = Path(tempfile.mkdtemp(prefix="uptake-pg-"))
    leaving.callback(shutil.rmtree, folder, ignore_errors=True)
    with postgresql.private_server(keep=folder) as url:
        in_postgresql(url, f'CREATE DATABASE "{BLANK}"')
        _command("django", "migrate", url=url.replace("/postgres?", f"/{BLANK}?"))
    return kept if keep(folder, kept) else folder


def kept_cluster() -> Path:
    """Where the cluster of this version lies, whether it was made or not."""
    told = subprocess.run([postgresql.program("postgres"), "--version"], capture_output=True, check=True).stdout
    made_by = b"\0".join([told, Path(postgresql.__file__).read_bytes(), Path(__file__).read_bytes()])
    tables = blank_database.blank_file().stem
    return blank_database.FOLDER / f"{tables.replace(BLANK, 'cluster')}-{hashlib.sha256(made_by).hexdigest()[:8]}"


def keep(folder: Path, kept: Path) -> bool:
    """Copy a stopped cluster to where the next run finds it, all or nothing; those of other versions go."""
    making = None
    try:
        kept.parent.mkdir(exist_ok=True)
        making = Path(tempfile.mkdtemp(dir=kept.parent, prefix="making-"))
        subprocess.run(["cp", "-a", str(folder / "data"), str(making)], check=True, capture_output=True)
        for old in kept.parent.glob("cluster-*"):
            shutil.rmtree(old, ignore_errors=True)
        making.rename(kept)
    except (OSError, subprocess.CalledProcessError):
        if making is not None:
            shutil.rmtree(making, ignore_errors=True)
    return kept.exists()


def in_postgresql(url: str, statement: str) -> None:
    """One statement outside any transaction."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as server:
        server.execute(statement)


def _command(module: str, deed: str, *, url: str) -> None:
    """A command of an installation whose folder is gone afterwards."""
    own = {"DJANGO_SETTINGS_MODULE": "uptake.config.settings", "PYTHONPATH": str(SOURCES)}
    with tempfile.TemporaryDirectory(prefix="uptake-tests-") as folder:
        subprocess.run(
            [sys.executable, "-m", module, deed],
            env={**os.environ, **own, "UPTAKE_DATA": folder, "UPTAKE_DATABASE_URL": url},
            stdout=subprocess.DEVNULL,
            check=True,
        )
