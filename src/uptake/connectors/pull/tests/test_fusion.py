"""Oracle Fusion, as documented: orders and stock are read by (time, id), audit history by spans, after a check."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from uptake.connectors.pull.engines import open_connector
from uptake.connectors.pull.mapping import Reading
from uptake.connectors.pull.presets import preset
from uptake.connectors.pull.protocol import Access, Connector, Position, SignInRefused, Unfit
from uptake.connectors.pull.read_page import next_position
from uptake.connectors.pull.tests.fusion_stub import PASSWORD, USER, WHO, FusionStub, running
from uptake.events.happening import Happening

pytestmark = pytest.mark.once
AT = datetime(2026, 5, 12, 1, 30, tzinfo=UTC)
GIVEN = {"pod": "prod", "user": USER, "audit_product": "Procurement", "audit_object": "oracle.apps.prc.SupplierVO"}


@pytest.fixture
def stub() -> Iterator[FusionStub]:
    with running() as made:
        yield made


def opened(stub: FusionStub, password: str = PASSWORD, **given: str) -> Connector:
    settings = {name: text for name, text in {**GIVEN, **given, "address": stub.address}.items() if text}
    return open_connector(preset("fusion").declaration, Access(settings, {"password": password}, "Asia/Shanghai"))


def told(stub: FusionStub, stream: str, since: datetime = AT - timedelta(days=1), limit: int = 20) -> list[Happening]:
    declaration, connector = preset("fusion").declaration, opened(stub)
    declared, position, found = declaration.stream(stream), Position(since), []
    reading = Reading(declaration, "fusion", "Asia/Shanghai", GIVEN)
    for _page in range(60):
        page = connector.pull(declared, position, limit)
        found += [one for record in page.records for one in reading.read(declared, record)]
        position = next_position(position, page.records, numeric=declared.order.numeric)
        if page.complete:
            return found
    raise AssertionError("reading did not end")


def who(made: datetime, changed: datetime | None = None, **fields: Any) -> dict[str, Any]:
    times = [one.isoformat(timespec="milliseconds") for one in (made, changed or made)]
    return {**dict(zip(WHO, ["LIN", times[0], "HUA", times[1]], strict=True)), **fields}


def order(number: int, made: datetime, changed: datetime | None = None) -> dict[str, Any]:
    names = {"BusinessUnitName": "BU", "BuyingPartyName": "Qinghe", "StatusCode": "OPEN"}
    return who(made, changed, HeaderId=number, OrderNumber=f"SO{number}", **names)


def test_an_order_tells_who_made_it_and_who_changed_it(stub: FusionStub) -> None:
    stub.rows["salesOrdersForOrderHub"] = [order(7, AT, AT + timedelta(minutes=5)), order(8, AT)]
    other, made, changed = told(stub, "sales_orders")
    assert (made.key, made.person, made.at) == ("fusion:prod:so:SO7:created", "LIN", AT)
    assert (changed.event, changed.person, changed.history_only) == ("sales_order.changed", "HUA", True)
    assert changed.facts["kind"] == "side_effect"
    assert other.object == "SO8"


def test_stock_and_purchases_are_told_of(stub: FusionStub) -> None:
    moved: dict[str, Any] = {
        "TransactionId": 3,
        "TransactionType": "Sales Order Pick",
        "TransactionDate": "2026-05-12",
        "Item": "A1",
    }
    rest: dict[str, Any] = {"TransactionQuantity": 4, "TransactionUOM": "Ea", "SubinventoryCode": "STORES"}
    stub.rows["inventoryCompletedTransactions"] = [who(AT, **moved, **rest)]
    stub.rows["purchaseOrders"] = [who(AT, POHeaderId=300, OrderNumber="PO300")]
    (pick,) = told(stub, "inventory_transactions")
    assert (pick.event, pick.key, pick.person) == ("inventory.sales_order_pick", "fusion:prod:inv:3", "LIN")
    assert [one.key for one in told(stub, "purchase_orders")] == ["fusion:prod:po:300:created"]


def test_orders_changed_while_paging_and_a_wrong_word_about_more_lose_nothing(stub: FusionStub) -> None:
    orders = stub.rows["salesOrdersForOrderHub"]
    # thirty of one instant, kept more exactly than it is shown
    orders += [order(number, AT + timedelta(seconds=number // 30)) for number in range(64)]

    def somebody_changes(_stub: FusionStub) -> None:
        for one in orders[:5]:
            one["LastUpdateDate"] = (AT + timedelta(hours=1)).isoformat(timespec="milliseconds")

    stub.before_page = [lambda _stub: None, somebody_changes]
    found = told(stub, "sales_orders")
    assert {one.object for one in found} == {f"SO{number}" for number in range(64)}
    assert sum(one.event == "sales_order.changed" for one in found) == 5


def test_what_was_audited_is_read_once_also_after_months_of_silence(stub: FusionStub) -> None:
    long_ago = datetime.now(UTC).replace(microsecond=0, tzinfo=None) - timedelta(days=200)
    names = {
        "userName": "Lin Wei",
        "userInternalName": "LIN",
        "businessObject": "Supplier",
        "eventType": "Object Data Update",
    }
    same = {**names, "date": str(long_ago), "description": "Supplier 12"}
    late = {**names, "date": str(long_ago + timedelta(days=150)), "description": "Supplier 13"}
    stub.history = [same, same, late, {**same, "userInternalName": "HUA"}]
    since = long_ago.replace(tzinfo=UTC) - timedelta(days=30)
    found = told(stub, "audit_history", since)
    assert sorted((one.person, one.object) for one in found) == [
        ("HUA", "Supplier 12"),
        *[("LIN", "Supplier 12")] * 2,
        ("LIN", "Supplier 13"),
    ]
    assert {one.event for one in found} == {"audit.updated"}
    assert len({one.key for one in found}) == 4
    assert [one.key for one in told(stub, "audit_history", since, limit=1)] == [one.key for one in found]


def test_audit_history_is_not_asked_for_where_no_product_is_given(stub: FusionStub) -> None:
    connector = opened(stub, audit_product="")
    assert connector.pull(preset("fusion").declaration.stream("audit_history"), Position(AT), 10).complete
    assert not stub.asked
    assert connector.check().warnings == ()
    assert not any("getaudithistory" in asked for asked in stub.asked)


def test_checking_reads_what_the_release_describes(stub: FusionStub) -> None:
    assert opened(stub).check().warnings == ()
    assert sum(asked.endswith("/describe") for asked in stub.asked) == 3
    stub.missing = {"LastUpdateDate"}
    with pytest.raises(Unfit) as refusal:
        opened(stub).check()
    assert (refusal.value.code, refusal.value.detail) == ("fields_missing", "sales_orders: LastUpdateDate")


def test_a_wrong_password_is_refused(stub: FusionStub) -> None:
    with pytest.raises(SignInRefused):
        opened(stub, "wrong").check()
