"""Each kind of system is asked in its own way: databases, OData, folders of files; and every preset can be read."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.dialects.oracle import base as oracle
from sqlalchemy.dialects.postgresql import base as postgresql
from sqlalchemy.engine import Dialect

from uptake.connectors.pull.declaration import BadDeclaration, Declaration, read_yaml
from uptake.connectors.pull.engines import ENGINES, open_connector
from uptake.connectors.pull.http import Http
from uptake.connectors.pull.instants import NotAnInstant, instant, written
from uptake.connectors.pull.mapping import Reading
from uptake.connectors.pull.presets import HERE, NAMES, preset
from uptake.connectors.pull.protocol import Access, Position, Record, Unfit
from uptake.connectors.pull.rest import OData
from uptake.connectors.pull.sql import Sql

pytestmark = pytest.mark.once
AT = datetime(2026, 11, 21, 22, 44, 2, tzinfo=UTC)
SQL = """
engine: sql
streams:
  - name: orders
    query: SELECT id, who, changed_at FROM orders WHERE kind = 'a:b'
    order: {time: changed_at, id: id, numeric: true, zone: Asia/Shanghai}
    tellings: [{event: order.changed, key: "{{id}}:{{changed_at}}", person: "{{who}}", object: "{{id}}"}]
"""


@pytest.mark.parametrize("name", NAMES)
def test_every_preset_can_be_read_and_is_listed(name: str) -> None:
    shipped = preset(name)
    assert shipped.declaration.engine in ENGINES
    assert set(shipped.declaration.title) == set(shipped.declaration.about) == {"en", "zh-hans"}
    for setting in shipped.declaration.settings:
        assert set(setting.label) == {"en", "zh-hans"}
    assert {path.parent.name for path in HERE.glob("*/preset.yaml")} == set(NAMES)


@pytest.mark.parametrize(
    ("value", "zone"),
    [
        ("2026-11-21T22:44:02Z", "Asia/Shanghai"),
        ("2026-11-22T06:44:02", "Asia/Shanghai"),
        ("2026-11-21.22:44:02", "UTC"),
        ("20261122064402", "Asia/Shanghai"),
        (f"/Date({int(AT.timestamp() * 1000)}+0000)/", "Asia/Shanghai"),
        (int(AT.timestamp()), "Asia/Shanghai"),
        (int(AT.timestamp() * 1000), "Asia/Shanghai"),
        ({"__class__": "datetime", "year": 2026, "month": 11, "day": 21, "hour": 22, "minute": 44, "second": 2}, "UTC"),
    ],
)
def test_times_are_read_however_systems_write_them(value: object, zone: str) -> None:
    assert instant(value, zone) == AT


def test_what_is_no_time_is_refused() -> None:
    for value in ("yesterday", None, True, "", {"year": 2026}):
        with pytest.raises(NotAnInstant):
            instant(value, "UTC")
    assert written(AT, "iso_seconds", "UTC") == "2026-11-21T22:44:02Z"


def database(folder: Path, count: int = 7) -> None:
    with sqlite3.connect(folder / "erp.db") as made:
        made.execute("CREATE TABLE orders (id INTEGER, who TEXT, kind TEXT, changed_at TEXT)")
        rows = [(n, "lin", "a:b", f"2026-05-12 09:0{n // 2}:00") for n in range(1, count + 1)]
        made.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", [*rows, (99, "mo", "other", "2026-05-12 09:00:00")])


def test_a_database_is_read_by_time_and_id_in_its_own_zone(tmp_path: Path) -> None:
    database(tmp_path)
    declaration = read_yaml(SQL)[0]
    opened = open_connector(declaration, Access({"address": "sqlite:///erp.db"}, folder=str(tmp_path)))
    position, seen = Position(datetime(2026, 5, 12, 1, 0, tzinfo=UTC)), []
    for _page in range(5):
        page = opened.pull(declaration.streams[0], position, 2)
        seen += [one.id for one in page.records]
        if page.complete:
            break
        position = Position(page.records[-1].at, page.records[-1].id)
    assert seen == [str(number) for number in range(1, 8)]
    told = Reading(declaration, "db", "UTC", {}).read(declaration.streams[0], page_of(opened, declaration))
    assert (told[0].person, told[0].at) == ("lin", datetime(2026, 5, 12, 1, 0, tzinfo=UTC))


def page_of(opened: object, declaration: Declaration) -> Record:
    assert isinstance(opened, Sql)
    return opened.pull(declaration.streams[0], Position(), 1).records[0]


def test_a_database_is_only_read(tmp_path: Path) -> None:
    database(tmp_path)
    for query in ("DELETE FROM orders", "SELECT 1; DROP TABLE orders", "UPDATE orders SET id = 1"):
        with pytest.raises(Unfit):
            open_connector(
                read_yaml(SQL.replace("SELECT id, who, changed_at FROM orders WHERE kind = 'a:b'", query))[0],
                Access({"address": "sqlite:///erp.db"}, folder=str(tmp_path)),
            )
    for address in ("sqlite:////etc/hosts", "sqlite:///../x.db", "sqlite://"):
        with pytest.raises(Unfit):
            open_connector(read_yaml(SQL)[0], Access({"address": address}, folder=str(tmp_path)))


def test_the_order_is_written_so_that_every_database_knows_it(tmp_path: Path) -> None:
    database(tmp_path)
    declaration = read_yaml(SQL)[0]
    opened = open_connector(declaration, Access({"address": "sqlite:///erp.db"}, folder=str(tmp_path)))
    assert isinstance(opened, Sql)
    statement = opened.statement(declaration.streams[0], Position(AT, "5"), 10)
    dialects: list[Dialect] = [postgresql.PGDialect(), oracle.OracleDialect()]  # type: ignore[no-untyped-call]
    for dialect in dialects:
        text = " ".join(str(statement.compile(dialect=dialect)).split())
        assert "q.changed_at > " in text
        assert "q.changed_at = " in text
        assert "ORDER BY q.changed_at, q.id" in text


ODATA = """
engine: odata
streams:
  - name: A_SalesOrder
    records: value
    order: {time: LastChangeDateTime, id: SalesOrder}
    options: {entity: A_SalesOrder}
    tellings: [{event: x, key: "{{SalesOrder}}"}]
"""


def test_odata_is_asked_by_key_and_never_with_a_plus_sign() -> None:
    declaration = read_yaml(ODATA)[0]
    opened = open_connector(declaration, Access({"address": "https://s4.example/odata"}))
    assert isinstance(opened, OData)
    stream, after = declaration.streams[0], Position(AT, "O'Neil 1")
    asked = opened.http.address(opened.request_of(stream, after, 50), opened._holes(stream, after, 50))
    assert "+" not in asked
    assert asked.startswith("https://s4.example/odata/A_SalesOrder?$orderby=LastChangeDateTime%2CSalesOrder&$top=50")
    assert "SalesOrder%20gt%20%27O%27%27Neil%201%27" in asked


def test_a_folder_is_read_row_by_row_and_equal_rows_stay_apart(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("event,at,person\nx.done,2026-05-12 09:00,lin\nx.done,2026-05-12 09:00,lin\n")
    (tmp_path / "b.part").write_text("not finished")
    (tmp_path / "c.csv").write_bytes(b"")
    declaration = preset("folder").declaration
    opened = open_connector(declaration, Access({}, zone="Asia/Shanghai", folder=str(tmp_path)))
    records = opened.pull(declaration.streams[0], Position(datetime.now(UTC) - timedelta(days=1)), 100).records
    assert [one.problem for one in records] == ["", "", "file"]
    reading = Reading(declaration, "files", "Asia/Shanghai", {})
    told = [reading.read(declaration.streams[0], one)[0] for one in records[:2]]
    assert told[0].key != told[1].key
    assert told[0].at == datetime(2026, 5, 12, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "address", ["file:///etc/passwd", "http://169.254.169.254/", "http://[fe80::1]/", "", "erp.example.com"]
)
def test_what_is_no_address_of_a_system_is_refused(address: str) -> None:
    with pytest.raises(Unfit):
        Http(read_yaml(ODATA)[0], Access({"address": address}))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("streams:", "stream:", "unknown: stream"),
        ('key: "{{SalesOrder}}"', 'key: ""', "needs event and key"),
        ('"{{SalesOrder}}"', '"{{SalesOrder..}}"', "key"),
        ("records: value", "records: '[['", "records"),
        ("options: {entity: A_SalesOrder}", "request: {method: DELETE}", "nothing is written"),
        ("engine: odata", "engine: [", "YAML"),
    ],
)
def test_a_mistake_in_a_declaration_is_said_with_its_place(old: str, new: str, said: str) -> None:
    with pytest.raises(BadDeclaration) as refusal:
        read_yaml(ODATA.replace(old, new))
    assert said in str(refusal.value)
