"""SAP's own server for OData, with entities named as in S/4, is read by both versions like the stub.

`make test` makes one beside the other tests (`tools/real_systems.py`); it comes from npm under SAP's developer licence,
so it is not part of the dependencies, and without it this is skipped. Alone: `tools/cap/build.py` says what to set.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from uptake.connectors.pull.engines import open_connector
from uptake.connectors.pull.mapping import Reading
from uptake.connectors.pull.presets import preset
from uptake.connectors.pull.protocol import Access, Connector, Position, SignInRefused
from uptake.connectors.pull.read_page import next_position
from uptake.connectors.pull.tests.odata_stub import PASSWORD, USER
from uptake.events.happening import Happening

ADDRESS = os.environ.get("CAP_ADDRESS", "")
pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(not ADDRESS, reason="CAP_ADDRESS is not set: see tools/cap/build.py"),
]
ZONE = "Asia/Shanghai"
AT = datetime(2026, 5, 12, 1, 30, tzinfo=UTC)
SALES = "/sap/opu/odata4/sap/api_salesorder/srvd_a2x/sap/salesorder/0001/SalesOrder"
DOCUMENTS = "/odata/v4/API_MATERIAL_DOCUMENT_SRV/A_MaterialDocumentHeader"
PRODUCTION = "/odata/v4/API_PRODUCTION_ORDER_2_SRV/A_ProductionOrder_2"
LOG = "/sap/opu/odata4/sap/rsau_log_api/srvd_a2x/sap/rsau_log_api/0001/SecurityAuditLog"
GIVEN = {"address": ADDRESS, "system": "CAP", "client": "100", "user": USER}


@pytest.fixture
def server() -> Iterator[httpx.Client]:
    with httpx.Client(base_url=ADDRESS, auth=(USER, PASSWORD), trust_env=False) as client:
        for path, key in ((SALES, "SalesOrder"), (PRODUCTION, "ManufacturingOrder")):
            for row in client.get(path, params={"$top": "50"}).json()["value"]:
                client.delete(f"{path}('{row[key]}')").raise_for_status()
        for row in client.get(DOCUMENTS).json()["value"]:
            year, number = row["MaterialDocumentYear"], row["MaterialDocument"]
            client.delete(f"{DOCUMENTS}(MaterialDocumentYear='{year}',MaterialDocument='{number}')").raise_for_status()
        yield client


def post(server: httpx.Client, path: str, **fields: Any) -> None:
    answer = server.post(path, json=fields)
    assert answer.status_code == 201, answer.text


def opened(name: str, password: str = PASSWORD) -> Connector:
    return open_connector(preset(name).declaration, Access(GIVEN, {"password": password}, ZONE))


def told(name: str, stream: str, between: Any = None) -> list[Happening]:
    declaration = preset(name).declaration
    declared, connector, position, found = (
        declaration.stream(stream),
        opened(name),
        Position(AT - timedelta(days=2)),
        [],
    )
    reading = Reading(declaration, "cap", ZONE, GIVEN)
    for number in range(20):
        page = connector.pull(declared, position, 20)
        found += [one for record in page.records for one in reading.read(declared, record)]
        position = next_position(position, page.records, numeric=declared.order.numeric)
        if page.complete:
            return found
        if number == 0 and between:
            between()
    raise AssertionError("reading did not end")


@pytest.mark.parametrize("name", ["s4", "sap_v2"])
def test_orders_changed_while_paging_are_not_lost(name: str, server: httpx.Client) -> None:
    for number in range(45):
        at = (AT + timedelta(seconds=number, microseconds=957_000)).isoformat().replace("+00:00", "Z")
        fields = {"SalesOrder": f"{number:010d}", "CreatedByUser": "LIN", "CreationDate": "2026-05-12"}
        post(server, SALES, **fields, LastChangeDateTime=at)

    def somebody_changes() -> None:
        for number in range(5):
            later = {"LastChangeDateTime": "2026-05-12T02:30:00Z"}
            server.patch(f"{SALES}('{number:010d}')", json=later).raise_for_status()

    found = told(name, "sales_orders", somebody_changes)
    assert {one.object for one in found} == {f"{number:010d}" for number in range(45)}
    made = next(one for one in found if one.key == "s4:CAP:so:0000000009:created")
    assert (made.person, made.at) == ("LIN", AT + timedelta(seconds=9, microseconds=957_000))


@pytest.mark.parametrize("name", ["s4", "sap_v2"])
def test_documents_orders_and_the_log_are_read(name: str, server: httpx.Client) -> None:
    for number, reverses in (("5000000001", ""), ("5000000002", "5000000001")):
        key = {"MaterialDocumentYear": "2026", "MaterialDocument": number}
        item = {"MaterialDocumentItem": "1", "GoodsMovementType": "101", "ReversedMaterialDocument": reverses}
        fields = {"CreationDate": "2026-05-12T00:00:00Z", "CreationTime": "09:30:05", "GoodsMovementCode": "01"}
        items = [{**key, **item, "ReversedMaterialDocumentYear": "2026" if reverses else ""}]
        post(server, DOCUMENTS, **key, **fields, CreatedByUser="LIN", to_MaterialDocumentItem=items)
    day = {"MfgOrderCreationDate": "2026-05-12", "MfgOrderCreationTime": "09:00:00"}
    post(server, PRODUCTION, ManufacturingOrder="1000001", LastChangeDateTime="20260512093000", **day)
    if not server.get(LOG).json()["value"]:
        log = {"sid": "CAP", "slgmand": "100", "log_tstmp": "2026-05-12T01:30:00Z", "UserID": "LIN"}
        for counter, code in enumerate(["AU1", "AU3"]):
            post(server, LOG, **log, counter=counter, eventID=code, slgtc="VA01")
    came, back = told(name, "material_documents")
    assert (came.event, came.person, came.object) == ("goods_movement.01", "LIN", "20265000000001")
    assert came.at == datetime(2026, 5, 12, 1, 30, 5, tzinfo=UTC)
    assert (back.event, back.object) == ("goods_movement.reversed", came.object)
    assert [one.at for one in told(name, "production_orders")] == [AT - timedelta(minutes=30), AT]
    assert [one.event for one in told(name, "security_audit_log")] == ["auth.login", "tx.VA01"]


@pytest.mark.parametrize("name", ["s4", "sap_v2"])
def test_the_wrong_password_is_refused(name: str) -> None:
    assert opened(name).check().warnings == ()
    with pytest.raises(SignInRefused):
        opened(name, "wrong").check()
