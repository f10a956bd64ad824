"""The test harness: every test runs on SQLite or on PostgreSQL, in folders of its own, whatever the machine's settings.

`pytest` runs on SQLite. `pytest --database=postgresql`, or UPTAKE_TEST_DATABASE=postgresql, starts one private
PostgreSQL server for the run, or one for each worker of pytest-xdist.
"""
# ruff: noqa: S608 - the names of tables are our own

from __future__ import annotations

import gc
import os
import shutil
import sqlite3
import sys
import tempfile
from contextlib import ExitStack, closing
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis
import pytest

HERE = Path(__file__).resolve().parent
# Small matrices on busy cores: more threads only wait for each other (decision 30). Read when numpy is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path[:0] = [str(folder) for folder in (HERE / "src", HERE) if str(folder) not in sys.path]

hypothesis.settings.register_profile(
    # How long a draw takes says more about the machine than about the code.
    "uptake",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("uptake")
# The people and places of the stories.
pytest_plugins = ["tests.cast"] if (HERE / "tests" / "cast.py").exists() else []
_leaving = ExitStack()
WITHOUT_DATABASE = [HERE / "src" / "uptake" / room for room in ("activity", "basics")]
LONG = [HERE / "tests" / "journeys", HERE / "src" / "uptake" / "config" / "tests"]
MADE_BY_MIGRATIONS = {"django_content_type", "auth_permission", "django_migrations"}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer --database."""
    parser.addoption(
        "--database",
        choices=["sqlite", "postgresql"],
        default=os.environ.get("UPTAKE_TEST_DATABASE", "sqlite"),
        help="the database the tests run on",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Give the run its folder and its database before Django looks at them."""
    worker = hasattr(config, "workerinput")
    if not worker:
        for name in [name for name in os.environ if name.startswith("UPTAKE_") and name != "UPTAKE_TEST_DATABASE"]:
            del os.environ[name]
        folder = tempfile.mkdtemp(prefix="uptake-tests-")
        _leaving.callback(shutil.rmtree, folder, ignore_errors=True)
        os.environ["UPTAKE_DATA"] = folder
    shares = not worker and bool(getattr(config.option, "numprocesses", None))
    if not config.option.collectonly:
        if config.getoption("--database") == "postgresql":
            _offer_postgresql(for_workers=shares)
        elif not worker:
            from tests import blank

            blank.keep_sqlite()
    os.environ["DJANGO_SETTINGS_MODULE"] = "uptake.config.settings"
    _aim_at_the_run()
    _empty_only_what_is_full()
    _look_over_static_files_once()


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_modify_db_settings: None) -> bool:
    """The run begins with the blank database of this version; migrations are tested where they are meant."""
    from django.conf import settings

    from tests import blank
    from uptake.basics import blank_database

    entry = settings.DATABASES["default"]
    name = entry["TEST"]["NAME"]
    if not entry["ENGINE"].endswith("sqlite3"):
        url = os.environ["UPTAKE_DATABASE_URL"]
        blank.in_postgresql(url, f'CREATE DATABASE "{name}" TEMPLATE "{blank.BLANK}"')
        return True
    with closing(sqlite3.connect(name)) as file:
        return blank_database.fill(file)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server and remove the folder, also when the run was interrupted."""
    _leaving.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that cannot reach the run's database are run once.

    Those are the tests of rooms without Django (a contract holds that), and those that ask for no database, to which
    pytest-django refuses every query, if their file does not speak of one that it opens by itself.

    Files that take long come first, so that no worker begins with one when the others have nothing left to do.
    """
    for item in items:
        if any(folder in item.path.parents for folder in WITHOUT_DATABASE) or _asks_for_no_database(item):
            item.add_marker(pytest.mark.once)
    items.sort(key=lambda item: not any(folder in item.path.parents for folder in LONG))


def _asks_for_no_database(item: pytest.Item) -> bool:
    asked = {"db", "transactional_db", "live_server"}.intersection(getattr(item, "fixturenames", ()))
    return not (asked or item.get_closest_marker("django_db") or _speaks_of_a_database(item.path))


@cache
def _speaks_of_a_database(file: Path) -> bool:
    text = file.read_text().lower()
    return any(word in text for word in ("database", "postgres", "sqlite", "django_db", "testcase", "tests.server"))


def pytest_collection_finish() -> None:
    """What stands now stays to the end: the collector of garbage need not look it over again and again."""
    gc.collect()
    gc.freeze()


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Name long or binary cases by their parameter: what gzip makes differs by the second, and workers must agree."""
    if isinstance(val, bytes) and (len(val) > 100 or not val.isascii()):
        return argname
    return None


def pytest_report_header(config: pytest.Config) -> str:
    """Say which database this run is about."""
    return f"uptake on {config.getoption('--database')}"


def _aim_at_the_run() -> None:
    # pytest-django reads the settings before this file is loaded, so what depends on the run is set again here.
    from django.conf import settings
    from django.db import connections

    from uptake.config.database import database

    settings.LANGUAGE_CODE = "en"  # what the tests read; tests about Chinese ask for it
    data = Path(os.environ["UPTAKE_DATA"])
    entry = database(os.environ.get("UPTAKE_DATABASE_URL", ""), data)
    if entry["ENGINE"].endswith("sqlite3"):
        # A file, not memory: write-ahead log, locks and threads are then those of a real installation.
        entry["TEST"] = {"NAME": str(data / "tests.sqlite3")}
        entry["OPTIONS"]["init_command"] = entry["OPTIONS"]["init_command"].replace("=FULL", "=OFF")
    else:
        entry["TEST"] = {"NAME": "tests"}  # workers append their own
    settings.DATA = data
    settings.REMEMBERED_SECONDS = 0  # a test looks at what it has just written
    settings.DATABASES = {"default": entry}
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    handler: Any = connections
    handler.__dict__.pop("settings", None)
    if hasattr(handler._connections, "default"):
        del handler._connections.default
    handler._settings = settings.DATABASES


def _offer_postgresql(*, for_workers: bool) -> None:
    # One server for each worker: readers wait for every open transaction of a server, also of other databases. Each is
    # a copy of one that has the tables already.
    from tests import blank
    from tools.postgresql import private_server

    copied = Path(os.environ.get("UPTAKE_TEST_CLUSTER") or blank.cluster(_leaving))
    if for_workers:
        os.environ["UPTAKE_TEST_CLUSTER"] = str(copied)
    else:
        os.environ["UPTAKE_DATABASE_URL"] = _leaving.enter_context(private_server(like=copied))


def _empty_only_what_is_full() -> None:
    # Tests with real transactions empty the tables between them. Django empties all of them and has done again what
    # follows a migration: half a second, for a few rows in a few of a hundred tables. What a migration leaves in the
    # tables about models and permissions no test changes, so it stays.
    from django.db import connections, transaction
    from django.test import TransactionTestCase

    def empty(self: Any) -> None:
        for alias in self._databases_names(include_mirrors=False):
            connection = connections[alias]
            with transaction.atomic(using=alias), connection.cursor() as cursor:
                full = _full_tables(connection, cursor)
                if full and connection.vendor == "postgresql":
                    _empty_postgresql(cursor, full)
                elif full:
                    _empty_sqlite(cursor, full)

    TransactionTestCase._fixture_teardown = empty  # type: ignore[attr-defined]


def _look_over_static_files_once() -> None:
    # Every test client sets up the middleware anew, and WhiteNoise then stats the three hundred files that were
    # collected before the run and that no test changes.
    from django.conf import settings
    from whitenoise.base import WhiteNoise

    look: Any = WhiteNoise.update_files_dictionary
    found: dict[tuple[str, str], dict[str, Any]] = {}
    collected = Path(settings.STATIC_ROOT)

    def update(self: Any, root: str, prefix: str) -> None:
        if Path(root) != collected:
            look(self, root, prefix)
            return
        if (root, prefix) not in found:
            before, self.files = self.files, {}
            look(self, root, prefix)
            found[root, prefix], self.files = self.files, before
        self.files.update(found[root, prefix])

    WhiteNoise.update_files_dictionary = update


def _full_tables(connection: Any, cursor: Any) -> list[str]:
    tables = sorted(set(connection.introspection.django_table_names(only_existing=True)) - MADE_BY_MIGRATIONS)
    asked = (f'SELECT {nth} WHERE EXISTS (SELECT 1 FROM "{table}")' for nth, table in enumerate(tables))
    cursor.execute(" UNION ALL ".join(asked))
    return [tables[nth] for (nth,) in cursor.fetchall()]


def _empty_postgresql(cursor: Any, full: list[str]) -> None:
    # To truncate makes new files for each table and each index; a few rows are gone sooner one by one, past triggers
    # and foreign keys. Nobody clears away what they leave, so it must stay little.
    cursor.execute("SELECT relname FROM pg_class WHERE relname = ANY(%s) AND pg_relation_size(oid) > 1000000", [full])
    large = [table for (table,) in cursor.fetchall()]
    if large:
        cursor.execute("TRUNCATE " + ", ".join(f'"{table}"' for table in large) + " CASCADE")
    cursor.execute("SET LOCAL session_replication_role = replica")
    cursor.execute(";".join(f'DELETE FROM "{table}"' for table in full))


def _empty_sqlite(cursor: Any, full: list[str]) -> None:
    # Insert-only tables refuse to delete: their triggers step aside for that moment.
    cursor.execute("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'")
    triggers = [(name, sql) for name, table, sql in cursor.fetchall() if table in full]
    for name, _sql in triggers:
        cursor.execute(f'DROP TRIGGER "{name}"')
    for table in full:
        cursor.execute(f'DELETE FROM "{table}"')
    for _name, sql in triggers:
        cursor.execute(sql)
