"""A real MariaDB is asked for figures: its own way of writing days and numbers, only read, and ended in time."""

from __future__ import annotations

import getpass
import importlib
import importlib.util
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from tests.cast import Cast
from tests.journeys.test_series_from_a_database import ask, series_at
from uptake.connectors.models import Pull
from uptake.connectors.pull import sql
from uptake.connectors.pull.connect_system import connect_system
from uptake.connectors.pull.declaration import Declaration
from uptake.connectors.pull.opening import access_of, declared
from uptake.connectors.pull.presets import preset
from uptake.connectors.pull.protocol import Access
from uptake.connectors.pull.pull_due import pull_connection
from uptake.directory.models import Organization
from uptake.directory.scope import EVERYTHING
from uptake.insight.impact.business_series import figures_of

HERE = all(map(shutil.which, ("mariadbd", "mariadb-install-db"))) and importlib.util.find_spec("pymysql")
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.once,
    pytest.mark.skipif(not HERE, reason="no MariaDB or no pymysql on this machine"),
]


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A MariaDB of its own, with a table of sales; root may come in without a password."""
    folder: Path = tmp_path_factory.mktemp("maria")
    me = f"--user={getpass.getuser()}"
    made = ["mariadb-install-db", f"--datadir={folder}/data", "--auth-root-authentication-method=normal", me]
    subprocess.run([*made, "--skip-test-db"], check=True, capture_output=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
    said = [f"--datadir={folder}/data", f"--socket={folder}/s", f"--port={number}", "--bind-address=127.0.0.1", me]
    with subprocess.Popen(["mariadbd", "--no-defaults", *said], stderr=subprocess.DEVNULL) as server:
        try:
            _fill(number)
            yield number
        finally:
            server.terminate()


def _fill(port: int) -> None:
    pymysql = importlib.import_module("pymysql")
    until = time.monotonic() + 60
    while True:
        try:
            link = pymysql.connect(host="127.0.0.1", port=port, user="root")
            break
        except pymysql.err.OperationalError:
            assert time.monotonic() < until, "MariaDB does not begin"
            time.sleep(0.2)
    day = timezone.localdate()
    with link, link.cursor() as cursor:
        cursor.execute("CREATE DATABASE books CHARACTER SET utf8mb4")
        cursor.execute("CREATE TABLE books.sales (sold_at DATETIME, dept VARCHAR(40), n DECIMAL(12,2))")
        rows = [
            (f"{day - timedelta(days=2)} 23:30:00", "beiyuan-purchasing", "10.25"),
            (f"{day - timedelta(days=1)} 00:00:00", None, "7"),
            (f"{day - timedelta(days=1)} 08:00:00", "采购", "1"),
        ]
        cursor.executemany("INSERT INTO books.sales VALUES (%s, %s, %s)", rows)
        cursor.execute("CREATE USER reader@'%' IDENTIFIED BY 'sesame'")
        cursor.execute("GRANT ALL ON books.* TO reader@'%'")
        link.commit()


def connected(place: Organization, port: int, password: str = "sesame", scheme: str = "mysql") -> Pull:
    return connect_system(
        slug=f"{place.slug}-maria", name="Books", organization=place, declaration=preset("sql_figures").text,
        settings={"address": f"{scheme}://127.0.0.1:{port}/books?charset=utf8mb4", "user": "reader"},
        secrets={"password": password}, by=EVERYTHING, now=timezone.now(), preset="sql_figures",
    )  # fmt: skip


@pytest.mark.parametrize("scheme", ["mysql", "mariadb"])
def test_days_and_numbers_of_mariadb_are_understood(cast: Cast, port: int, scheme: str) -> None:
    ren, series, pull = cast.sign_in(cast.ren), series_at(cast.beiyuan), connected(cast.beiyuan, port, scheme=scheme)
    query = "SELECT DATE(sold_at) AS day, REPLACE(dept, 'beiyuan-purchasing', :x) AS dept, n FROM sales"
    today: date = timezone.localdate()

    status, tried = ask(ren, series, pull, "try", query=query.replace(":x", f"'{cast.purchasing.slug}'"))

    assert status == 200
    assert "采购" in tried
    assert "3 rows, 2 can be taken, 1 left out" in tried
    assert ask(ren, series, pull, "import", query=query.replace(":x", f"'{cast.purchasing.slug}'"))[0] == 302
    assert figures_of(series) == {
        cast.purchasing.slug: {today - timedelta(days=2): 10.25},
        cast.beiyuan.slug: {today - timedelta(days=1): 7.0},
    }


def test_it_is_only_read_and_ended_in_time(cast: Cast, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    ren, series, pull = cast.sign_in(cast.ren), series_at(cast.beiyuan), connected(cast.beiyuan, port)
    monkeypatch.setattr(sql, "SECONDS", 1)

    for query, said in (
        ("DELETE FROM sales", "must be one SELECT"),
        ("SELECT 1 AS day, 1 AS dept, nothing AS n FROM nowhere", "refuses the query"),
        ("SELECT 1 AS day, 1 AS dept, SLEEP(9) AS n", "did not answer in time"),
    ):
        status, page = ask(ren, series, pull, "try", query=query)
        assert (status, said in page) == (422, True), query
    with sql.Sql(*_opened(pull)).engine.connect() as link, pytest.raises(Exception, match="READ ONLY"):
        link.exec_driver_sql("INSERT INTO sales VALUES (NULL, NULL, 1)")


def test_a_connection_for_figures_alone_says_whether_it_works_and_tells_no_event(cast: Cast, port: int) -> None:
    pull, wrong = connected(cast.beiyuan, port), connected(cast.qinghe, port, "wrong")

    for one in (pull, wrong):
        pull_connection(pull_id=one.pk, clock=timezone.now)
        one.refresh_from_db()

    assert (pull.who, pull.failure, pull.read_at is not None) == ("reader", None, True)
    assert wrong.attention is not None
    assert wrong.attention["code"] == "sign_in_refused"
    page = cast.sign_in(cast.ren).get(f"/data/connections/{pull.connection.slug}").content.decode()
    assert "It tells no events" in page


def _opened(pull: Pull) -> tuple[Declaration, Access]:
    declaration = declared(pull)
    return declaration, access_of(pull, declaration)
