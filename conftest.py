"""The test harness: every test runs on SQLite or on PostgreSQL, in folders of its own, whatever the machine's settings.

`pytest` runs on SQLite. `pytest --database=postgresql`, or UPTAKE_TEST_DATABASE=postgresql, starts one private
PostgreSQL server for the run, or one for each worker of pytest-xdist.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import tempfile
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import hypothesis
import pytest

HERE = Path(__file__).resolve().parent
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
    if config.getoption("--database") == "postgresql" and not config.option.collectonly and not shares:
        # One server for each worker: readers wait for every open transaction of a server, also of other databases.
        from tools.postgresql import private_server

        os.environ["UPTAKE_DATABASE_URL"] = _leaving.enter_context(private_server())
    os.environ["DJANGO_SETTINGS_MODULE"] = "uptake.config.settings"
    _aim_at_the_run()
    if not os.environ.get("UPTAKE_DATABASE_URL"):
        _flush_past_triggers()


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_modify_db_settings: None, request: pytest.FixtureRequest) -> bool:
    """On SQLite the run begins with the blank database of this version; migrations are tested where they are meant."""
    from django.conf import settings

    from uptake.basics import blank_database

    if request.config.getoption("--database") == "postgresql":
        return False
    with closing(sqlite3.connect(settings.DATABASES["default"]["TEST"]["NAME"])) as file:
        return blank_database.fill(file)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server and remove the folder, also when the run was interrupted."""
    _leaving.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Rooms without Django cannot depend on the database (a contract holds that): their tests are run once."""
    for item in items:
        if any(folder in item.path.parents for folder in WITHOUT_DATABASE):
            item.add_marker(pytest.mark.once)


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
    settings.DATA = data
    settings.REMEMBERED_SECONDS = 0  # a test looks at what it has just written
    settings.DATABASES = {"default": entry}
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    handler: Any = connections
    handler.__dict__.pop("settings", None)
    if hasattr(handler._connections, "default"):
        del handler._connections.default
    handler._settings = settings.DATABASES


def _flush_past_triggers() -> None:
    # Tests with real transactions empty the tables between them. PostgreSQL truncates, which row triggers let pass;
    # SQLite deletes, which insert-only tables refuse, so their triggers step aside for that moment.
    from django.db.backends.sqlite3.operations import DatabaseOperations

    flush = DatabaseOperations.sql_flush

    def flush_past_triggers(self: Any, *words: Any, **named: Any) -> list[str]:
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            triggers = cursor.fetchall()
        put_aside = [f'DROP TRIGGER "{name}"' for name, _ in triggers]
        return [*put_aside, *flush(self, *words, **named), *(sql for _, sql in triggers)]

    DatabaseOperations.sql_flush = flush_past_triggers  # type: ignore[method-assign]
