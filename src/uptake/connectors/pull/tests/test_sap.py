"""SAP is read by OData V2 and V4: who did what comes out by the same keys, and what changes meanwhile is not lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from uptake.connectors.pull.engines import open_connector
from uptake.connectors.pull.mapping import Reading
from uptake.connectors.pull.odata_v2 import as_v4
from uptake.connectors.pull.presets import preset
from uptake.connectors.pull.protocol import Access, Connector, Forbidden, Position, SignInRefused
from uptake.connectors.pull.read_page import next_position
from uptake.connectors.pull.tests import odata_stub as sap
from uptake.connectors.pull.tests.odata_stub import Entity, ODataStub, row, running
from uptake.events.happening import Happening

pytestmark = pytest.mark.once
ZONE = "Asia/Shanghai"
AT = datetime(2026, 5, 12, 1, 30, tzinfo=UTC)
V2, V4 = "/sap/opu/odata/sap", "/sap/opu/odata4/sap"
AUDIT = f"{V4}/rsau_log_api/srvd_a2x/sap/rsau_log_api/0001/SecurityAuditLog"
PLACES = {
    "sap_v2": (f"{V2}/API_SALES_ORDER_SRV/A_SalesOrder", f"{V2}/API_PURCHASEORDER_PROCESS_SRV/A_PurchaseOrder"),
    "s4": (
        f"{V4}/api_salesorder/srvd_a2x/sap/salesorder/0001/SalesOrder",
        f"{V4}/api_purchaseorder_2/srvd_a2x/sap/purchaseorder/0001/PurchaseOrder",
    ),
}
GIVEN = {"system": "S4P", "client": "100", "user": sap.USER}


@pytest.fixture(params=["sap_v2", "s4"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def stub(name: str) -> Iterator[ODataStub]:
    version = 2 if name == "sap_v2" else 4
    sales, purchases = PLACES[name]
    documents = Entity(2, sap.DOCUMENTS, items="to_MaterialDocumentItem")
    entities = {
        sales: Entity(version, sap.SALES),
        purchases: Entity(version, sap.PURCHASES),
        f"{V2}/API_MATERIAL_DOCUMENT_SRV/A_MaterialDocumentHeader": documents,
        f"{V2}/API_PRODUCTION_ORDER_2_SRV/A_ProductionOrder_2": Entity(2, sap.PRODUCTION),
        AUDIT: Entity(4, sap.AUDIT),
    }
    with running(entities) as made:
        yield made


def entity(stub: ODataStub, part: str) -> Entity:
    return next(one for path, one in stub.entities.items() if path.rsplit("/", 1)[1].removeprefix("A_") == part)


def opened(name: str, stub: ODataStub, secrets: dict[str, str] | None = None, **given: str) -> Connector:
    settings = {"token_address": "/sap/bc/sec/oauth2/token", **GIVEN, **given, "address": stub.address}
    access = Access(settings, {"password": sap.PASSWORD} if secrets is None else secrets, ZONE)
    return open_connector(preset(name).declaration, access)


def told(name: str, stub: ODataStub, stream: str, since: datetime = AT - timedelta(days=2)) -> list[Happening]:
    """Everything a stream tells of, read page by page."""
    declaration, connector = preset(name).declaration, opened(name, stub)
    declared, position, found = declaration.stream(stream), Position(since), []
    reading = Reading(declaration, "sap", ZONE, GIVEN)
    for _page in range(100):
        page = connector.pull(declared, position, 20)
        found += [one for record in page.records for one in reading.read(declared, record)]
        position = next_position(position, page.records, numeric=declared.order.numeric)
        if page.complete:
            return found
    raise AssertionError("reading did not end")


def order(number: int, at: datetime, user: str = "LIN", **more: Any) -> dict[str, Any]:
    local = (at + timedelta(hours=8)).date()
    fields = {"SalesOrder": f"{number:010d}", "CreatedByUser": user, "CreationDate": local, "LastChangeDateTime": at}
    return row(sap.SALES, **{**fields, **more})


def test_an_order_tells_who_made_it_and_that_it_was_changed_by_nobody_known(name: str, stub: ODataStub) -> None:
    # made at 06:30 in Shanghai, which is the day before in UTC; and one made a week before it was changed
    early = datetime(2026, 5, 11, 22, 30, tzinfo=UTC)
    entity(stub, "SalesOrder").rows = [
        order(1, early, TotalNetAmount="1200.50"),
        order(2, AT, "HUA", CreationDate=date(2026, 5, 5)),
    ]
    made, changed, late, _changed = told(name, stub, "sales_orders")
    assert (made.event, made.key, made.person) == ("sales_order.created", "s4:S4P:so:0000000001:created", "LIN")
    assert (made.at, made.object, made.facts["amount"]) == (early, "0000000001", "1200.50")
    assert (changed.event, changed.key) == ("sales_order.changed", "s4:S4P:so:0000000001:2026-05-11T22:30:00Z")
    assert (changed.person, changed.facts["kind"], changed.history_only) == (None, "system", True)
    assert (late.person, late.at) == ("HUA", datetime(2026, 5, 4, 16, tzinfo=UTC))


def test_a_purchase_order_is_told_of_in_the_same_way(name: str, stub: ODataStub) -> None:
    fields = {"PurchaseOrder": "4500000001", "CreatedByUser": "MO", "CreationDate": date(2026, 5, 12)}
    entity(stub, "PurchaseOrder").rows = [row(sap.PURCHASES, **fields, LastChangeDateTime=AT)]
    made, changed = told(name, stub, "purchase_orders")
    assert (made.key, made.person, made.at) == ("s4:S4P:po:4500000001:created", "MO", AT)
    assert (changed.event, changed.person) == ("purchase_order.changed", None)


def test_a_reversal_is_a_deed_of_its_own_that_names_what_it_takes_back(name: str, stub: ODataStub) -> None:
    def document(number: str, code: str, reverses: str = "") -> dict[str, Any]:
        item = {"GoodsMovementType": "102" if reverses else "101", "ReversedMaterialDocument": reverses}
        year = {"ReversedMaterialDocumentYear": "2026" if reverses else "0000"}
        fields = {"MaterialDocumentYear": "2026", "MaterialDocument": number, "CreationTime": time(9, 30, 5)}
        whole = row(sap.DOCUMENTS, **fields, CreatedByUser="LIN", GoodsMovementCode=code)
        return {**whole, "to_MaterialDocumentItem": [{**item, **year}, {**item, **year}]}

    entity(stub, "MaterialDocumentHeader").rows = [
        document("5000000001", "01"),
        document("5000000002", "01", "5000000001"),
    ]
    came, back = told(name, stub, "material_documents")
    assert (came.event, came.key, came.person) == ("goods_movement.01", "s4:S4P:md:2026:5000000001", "LIN")
    assert came.at == datetime(2026, 5, 12, 1, 30, 5, tzinfo=UTC)
    assert (back.event, back.key) == ("goods_movement.reversed", "s4:S4P:md:2026:5000000002")
    assert back.object == came.object == "20265000000001"
    assert back.facts["document"] == "20265000000002"


def test_a_production_order_names_nobody(name: str, stub: ODataStub) -> None:
    fields = {"ManufacturingOrder": "1000001", "LastChangeDateTime": "20260512093000", "OrderIsReleased": "X"}
    entity(stub, "ProductionOrder_2").rows = [row(sap.PRODUCTION, **fields)]
    made, changed = told(name, stub, "production_orders")
    assert (made.key, made.at) == ("s4:S4P:mo:1000001:created", datetime(2026, 5, 12, 1, tzinfo=UTC))
    assert (changed.key, changed.at) == ("s4:S4P:mo:1000001:20260512093000", AT)
    assert {one.person for one in (made, changed)} == {None}
    assert changed.facts["released"] == "X"


def test_the_audit_log_tells_of_signing_in_and_of_transactions(name: str, stub: ODataStub) -> None:
    log = entity(stub, "SecurityAuditLog")
    names = {"sid": "S4P", "slgmand": "100", "UserID": "LIN", "email_adress": "lin@beiyuan.example", "log_tstmp": AT}
    for number, code in enumerate(["AU1", "AU3", "AU2", "AUC", "AUK"]):
        log.rows.append(row(sap.AUDIT, **names, eventID=code, counter=number, slgtc="SESSION_MANAGER", param_a="VA01"))
    found = told(name, stub, "security_audit_log")
    assert [one.event for one in found] == ["auth.login", "tx.VA01", "auth.login_failed", "auth.logout"]
    assert {(one.person, one.person_email) for one in found} == {("LIN", "lin@beiyuan.example")}
    assert found[1].key == "s4:S4P:sal:100:2026-05-12T01:30:00Z:1"


def test_orders_changed_while_paging_are_not_lost(name: str, stub: ODataStub) -> None:
    sales = entity(stub, "SalesOrder")
    sales.rows = [order(number, AT + timedelta(seconds=number)) for number in range(64)]

    def somebody_changes(_stub: ODataStub) -> None:
        for one in sales.rows[:5]:
            one["LastChangeDateTime"] = AT + timedelta(hours=1)

    stub.before_page = [lambda _stub: None, somebody_changes]
    found = told(name, stub, "sales_orders")
    assert {one.object for one in found} == {f"{number:010d}" for number in range(64)}
    assert sum(one.key.endswith("2026-05-12T02:30:00Z") for one in found) == 5
    assert not any("skiptoken" in asked for asked in stub.asked)


def test_times_that_are_shown_shorter_than_they_are_kept_stop_nothing(name: str, stub: ODataStub) -> None:
    """A mass change gives many orders one instant, of which V2 shows milliseconds only."""
    sales, at = entity(stub, "SalesOrder"), AT + timedelta(microseconds=957_123)
    sales.rows = [order(number, at) for number in range(70)] + [order(99, AT + timedelta(seconds=5))]
    found = told(name, stub, "sales_orders")
    made = [one.object for one in found if one.event == "sales_order.created"]
    assert sorted(made) == sorted({f"{number:010d}" for number in (*range(70), 99)})


@pytest.mark.parametrize(
    ("secrets", "given", "taken"),
    [
        ({"password": sap.PASSWORD}, {}, True),
        ({"password": "wrong"}, {}, False),
        ({"client_secret": sap.CLIENT_SECRET}, {"client_id": sap.CLIENT_ID}, True),
        ({"client_secret": "wrong"}, {"client_id": sap.CLIENT_ID}, False),
    ],
)
def test_a_password_or_a_client_of_oauth_signs_in(
    stub: ODataStub, name: str, secrets: dict[str, str], given: dict[str, str], taken: bool
) -> None:
    connector = opened(name, stub, secrets, **given)
    if taken:
        assert connector.check().warnings == ()
        assert all("sap-client=100" in asked for asked in stub.asked)
    else:
        with pytest.raises(SignInRefused):
            connector.check()


def test_a_service_that_is_not_for_us_stops_no_other(name: str, stub: ODataStub) -> None:
    stub.forbidden = {AUDIT}
    assert [one.split(":")[0] for one in opened(name, stub).check().warnings] == ["security_audit_log"]
    stub.forbidden = set(stub.entities)
    with pytest.raises(Forbidden):
        opened(name, stub).check()


def test_what_v2_writes_is_read_as_v4_writes_it() -> None:
    said = {
        "__metadata": {"uri": "x"},
        "a": "/Date(1795301505957+0000)/",
        "b": "/Date(1795219200000)/",
        "c": "PT22H51M46S",
        "d": {"results": [{"e": "PT5M"}]},
        "f": "PT",
    }
    told = {"a": "2026-11-21T22:51:45.957Z", "b": "2026-11-21T00:00:00", "c": "22:51:46", "d": [{"e": "00:05:00"}]}
    assert as_v4(said) == {**told, "f": "PT"}
