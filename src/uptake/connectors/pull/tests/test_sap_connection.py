"""A connected SAP is asked again and again: each deed comes in once, whoever changes what meanwhile."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.cast import NOW, Cast
from uptake.connectors.pull.connect_system import connect_system
from uptake.connectors.pull.presets import preset
from uptake.connectors.pull.pull_due import pull_connection
from uptake.connectors.pull.tests import odata_stub as sap
from uptake.connectors.pull.tests.odata_stub import Entity, row, running
from uptake.directory.scope import EVERYTHING
from uptake.events.models import Event

pytestmark = pytest.mark.django_db
V2, V4 = "/sap/opu/odata/sap", "/sap/opu/odata4/sap"
DOCUMENTS = f"{V2}/API_MATERIAL_DOCUMENT_SRV/A_MaterialDocumentHeader"


def local_day(days: int = 0) -> date:
    return (NOW + timedelta(days=days)).astimezone(ZoneInfo("Asia/Shanghai")).date()


def order(number: int, minutes: int) -> dict[str, Any]:
    fields = {"SalesOrder": f"{number:010d}", "CreatedByUser": "LIN", "CreationDate": local_day()}
    return row(sap.SALES, **fields, LastChangeDateTime=NOW + timedelta(minutes=minutes))


def document(number: int, clock: time) -> dict[str, Any]:
    fields = {"MaterialDocumentYear": "2026", "MaterialDocument": f"{number}", "GoodsMovementCode": "01"}
    whole = row(sap.DOCUMENTS, **fields, CreatedByUser="LIN", CreationDate=local_day(), CreationTime=clock)
    return {**whole, "to_MaterialDocumentItem": []}


def test_each_deed_comes_in_once_and_what_is_new_the_next_time(cast: Cast) -> None:
    sales = Entity(2, sap.SALES, [order(number, -30 + number) for number in range(25)])
    documents = Entity(2, sap.DOCUMENTS, [document(50, time(7)), document(52, time(7))], "to_MaterialDocumentItem")
    entities = {
        f"{V2}/API_SALES_ORDER_SRV/A_SalesOrder": sales,
        DOCUMENTS: documents,
        f"{V2}/API_PURCHASEORDER_PROCESS_SRV/A_PurchaseOrder": Entity(2, sap.PURCHASES),
        f"{V2}/API_PRODUCTION_ORDER_2_SRV/A_ProductionOrder_2": Entity(2, sap.PRODUCTION),
        f"{V4}/rsau_log_api/srvd_a2x/sap/rsau_log_api/0001/SecurityAuditLog": Entity(4, sap.AUDIT),
    }
    with running(entities) as stub:
        pull = connect_system(
            slug="sap",
            name="SAP of Beiyuan",
            organization=cast.beiyuan,
            declaration=preset("sap_v2").text,
            settings={"address": stub.address, "system": "S4P", "user": sap.USER},
            secrets={"password": sap.PASSWORD},
            by=EVERYTHING,
            now=NOW,
            history_from=NOW - timedelta(days=7),
        )
        came = Event.objects.filter(source="sap")

        def ask(minutes: int) -> int:
            before = came.count()
            while pull_connection(pull_id=pull.pk, clock=lambda: NOW + timedelta(minutes=minutes)).unfinished:
                pass
            return came.count() - before

        # every order is made and stands as changed at an instant; documents are only made
        assert ask(1) == 25 * 2 + 2
        assert came.filter(name="sales_order.created", identity__external_id="LIN").count() == 25
        assert ask(2) == 0
        sales.rows += [order(99, 3)]
        sales.rows[0]["LastChangeDateTime"] = NOW + timedelta(minutes=3)
        # a number that was given out before and stored after a later one
        documents.rows.append(document(51, time(8)))
        assert ask(4) == 2 + 1 + 1
        assert came.filter(name="goods_movement.01").count() == 3
