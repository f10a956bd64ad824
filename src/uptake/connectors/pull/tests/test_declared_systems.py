"""What is only declared, and written from documentation, asks as documented and reads the records documented."""

from __future__ import annotations

import importlib.util
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from uptake.connectors.pull.engines import open_connector
from uptake.connectors.pull.mapping import Reading
from uptake.connectors.pull.presets import preset
from uptake.connectors.pull.protocol import Access, Page, Position, Unfit
from uptake.connectors.pull.read_page import next_position
from uptake.connectors.pull.rest import Rest
from uptake.connectors.pull.tests.recorded import record_of, recording
from uptake.events.happening import Happening

pytestmark = pytest.mark.once
AT = datetime(2026, 5, 12, 1, 30, tzinfo=UTC)
GIVEN = {
    "address": "https://erp.example.com",
    "database": "erp",
    "site": "erp",
    "tenant": "t-1",
    "environment": "production",
    "company": "c-1",
}


def read(name: str, stream: str) -> list[Happening]:
    declaration = preset(name).declaration
    reading = Reading(declaration, name, "Asia/Shanghai", GIVEN)
    rows = recording(name)["streams"][stream]
    return [one for row in rows for one in reading.read(declaration.stream(stream), record_of(row))]


@pytest.mark.parametrize(
    ("name", "stream", "deeds"),
    [
        ("business_central", "sales_orders", [("sales_order.changed", None, "S-ORD101", "system")]),
        ("business_central", "purchase_orders", [("purchase_order.changed", None, "106001", "system")]),
        (
            "odoo",
            "sales_orders",
            [
                ("sale_order.created", "7", "S00012", ""),
                ("sale_order.created", "7", "S00013", ""),
                ("sale_order.confirmed", "8", "S00013", "side_effect"),
            ],
        ),
        (
            "odoo",
            "journal_entries",
            [("journal_entry.created", "7", "5", ""), ("journal_entry.posted", "7", "5", "side_effect")],
        ),
        (
            "erpnext",
            "sales_orders",
            [
                ("sales_order.created", "lin@beiyuan.example", "SAL-ORD-2026-00001", ""),
                ("sales_order.created", "lin@beiyuan.example", "SAL-ORD-2026-00002", ""),
                ("sales_order.submitted", "hua@beiyuan.example", "SAL-ORD-2026-00002", ""),
                ("sales_order.created", "lin@beiyuan.example", "SAL-ORD-2026-00003", ""),
                ("sales_order.cancelled", "hua@beiyuan.example", "SAL-ORD-2026-00003", ""),
            ],
        ),
    ],
)
def test_records_as_documented_are_understood(name: str, stream: str, deeds: list[tuple[Any, ...]]) -> None:
    told = read(name, stream)
    assert [(one.event, one.person, one.object, one.facts.get("kind", "")) for one in told] == deeds
    assert len({one.key for one in told}) == len(told)


def asked(name: str, stream: str, after: Position, limit: int = 50) -> tuple[str, Any]:
    """The address and the body of a question."""
    declaration = preset(name).declaration
    opened = open_connector(declaration, Access(GIVEN, {"key": "k", "client_secret": "x"}, "Asia/Shanghai"))
    assert isinstance(opened, Rest)
    declared = declaration.stream(stream)
    request, holes = opened.request_of(declared, after, limit), opened._holes(declared, after, limit)
    return opened.http.address(request, holes), opened.http._filled(request.body, holes)


def test_each_is_asked_from_a_time_on_without_what_was_read_of_it() -> None:
    after = Position(AT, "S00012", 3)
    address, body = asked("odoo", "sales_orders", Position(AT, "12", 3))
    assert address == "https://erp.example.com/json/2/sale.order/search_read"
    assert (body["domain"], body["offset"], body["limit"]) == ([["write_date", ">=", "2026-05-12 01:30:00"]], 3, 50)
    address, _body = asked("erpnext", "sales_orders", after)
    assert address.startswith("https://erp.example.com/api/resource/Sales%20Order?")
    assert "%5B%5B%22modified%22%2C%22%3E%3D%22%2C%222026-05-12%2009%3A30%3A00.000000%22%5D%5D" in address
    assert "limit_start=3&limit_page_length=50" in address
    address, _body = asked("business_central", "sales_orders", after)
    assert "/v2.0/t-1/production/api/v2.0/companies(c-1)/salesOrders?$orderby=lastModifiedDateTime%2Cnumber" in address
    assert "$skip=3&$filter=lastModifiedDateTime%20ge%202026-05-12T01%3A30%3A00.000Z" in address


TABLES = """
CREATE TABLE fnd_user (user_id INTEGER, user_name TEXT, email_address TEXT);
CREATE TABLE fnd_logins (login_id INTEGER, user_id INTEGER, start_time TEXT, end_time TEXT);
CREATE TABLE fnd_unsuccessful_logins (attempt_time TEXT, user_id INTEGER, login_name TEXT);
CREATE TABLE oe_order_headers_all (header_id INTEGER, order_number INTEGER, flow_status_code TEXT, creation_date TEXT,
  created_by INTEGER, last_update_date TEXT, last_updated_by INTEGER);
CREATE TABLE mtl_transaction_types (transaction_type_id INTEGER, transaction_type_name TEXT);
CREATE TABLE mtl_material_transactions (transaction_id INTEGER, transaction_type_id INTEGER, transaction_date TEXT,
  creation_date TEXT, created_by INTEGER, transaction_quantity INTEGER, transaction_uom TEXT, inventory_item_id INTEGER,
  subinventory_code TEXT);
CREATE TABLE po_headers_all (po_header_id INTEGER, segment1 TEXT, type_lookup_code TEXT, authorization_status TEXT,
  creation_date TEXT, created_by INTEGER, last_update_date TEXT, last_updated_by INTEGER);
INSERT INTO fnd_user VALUES (1, 'LIN', 'lin@beiyuan.example'), (2, 'HUA', NULL);
INSERT INTO fnd_logins VALUES (10, 1, '2026-05-12 09:30:00', NULL), (11, 2, '2026-05-12 09:30:00', NULL);
INSERT INTO fnd_unsuccessful_logins VALUES ('2026-05-12 09:31:00', 1, 'LIN');
INSERT INTO oe_order_headers_all VALUES
  (5, 1005, 'BOOKED', '2026-05-12 09:30:00', 1, '2026-05-12 09:45:00', 2),
  (6, 1006, 'ENTERED', '2026-05-12 09:45:00', 9, '2026-05-12 09:45:00', 9);
INSERT INTO mtl_transaction_types VALUES (33, 'Sales order issue');
INSERT INTO mtl_material_transactions VALUES
  (70, 33, '2026-05-12 00:00:00', '2026-05-12 09:30:00', 1, -4, 'Ea', 149, 'FGI');
INSERT INTO po_headers_all VALUES
  (8, '4711', 'STANDARD', 'APPROVED', '2026-05-12 09:30:00', 2, '2026-05-12 09:30:00', 2);
"""


@pytest.mark.parametrize(
    ("stream", "deeds"),
    [
        ("logins", [("auth.login", "LIN", "ebs1"), ("auth.login", "HUA", "ebs1")]),
        ("failed_logins", [("auth.login_failed", None, "ebs1")]),
        (
            "sales_orders",
            # whose maker is no user any more has no name
            [
                ("sales_order.created", "LIN", "1005"),
                ("sales_order.changed", "HUA", "1005"),
                ("sales_order.created", None, "1006"),
            ],
        ),
        ("material_transactions", [("inventory.sales_order_issue", "LIN", "70")]),
        ("purchase_orders", [("purchase_order.created", "HUA", "4711")]),
    ],
)
def test_the_tables_of_e_business_suite_tell_who_did_what(
    stream: str, deeds: list[tuple[Any, ...]], tmp_path: Path
) -> None:
    with sqlite3.connect(tmp_path / "ebs.db") as made:
        made.executescript(TABLES)
    declaration = preset("oracle_ebs").declaration
    given = {"address": "sqlite:///ebs.db", "instance": "ebs1"}
    opened = open_connector(declaration, Access(given, zone="Asia/Shanghai", folder=str(tmp_path)))
    assert opened.check().about == "sqlite"
    declared, position, told = declaration.stream(stream), Position(AT), []
    reading = Reading(declaration, "ebs", "Asia/Shanghai", given)
    page = Page([])
    while not page.complete:
        page = opened.pull(declared, position, 1)
        told += [one for record in page.records for one in reading.read(declared, record)]
        position = next_position(position, page.records, numeric=True)
    assert [(one.event, one.person, one.object) for one in told] == deeds
    assert told[0].at >= AT


@pytest.mark.skipif(importlib.util.find_spec("oracledb") is not None, reason="the driver of Oracle is installed")
def test_where_the_driver_of_oracle_is_missing_that_is_said() -> None:
    given = {"address": "oracle://db.example.com:1521/?service_name=EBS", "instance": "ebs1", "user": "reader"}
    with pytest.raises(Unfit) as refusal:
        open_connector(preset("oracle_ebs").declaration, Access(given, {"password": "x"}))
    assert (refusal.value.code, "oracledb" in refusal.value.detail) == ("driver_missing", True)
