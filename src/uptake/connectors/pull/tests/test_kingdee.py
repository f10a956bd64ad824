"""Kingdee Cloud Galaxy, against answers written after its documentation: nobody here has the real one."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from uptake.connectors.pull.engines import open_connector
from uptake.connectors.pull.mapping import Reading
from uptake.connectors.pull.presets import preset
from uptake.connectors.pull.protocol import Access, Position, SignInRefused, SlowDown
from uptake.connectors.pull.tests.recorded import recording

SAMPLES = recording("kingdee")
ROWS = SAMPLES["streams"]["sales_orders"]
SETTINGS = {"address": "https://erp.example.com/k3cloud", "account": "5f8e", "user": "接口"}
FILTER = re.compile(r"FModifyDate > '(.+?)' or \(FModifyDate = '(.+?)' and FID > (\d+)\)")
SINCE = datetime(2026, 11, 18, tzinfo=UTC)


class Galaxy:
    """Takes one session at a time, and only questions that it knows."""

    def __init__(self) -> None:
        self.sign_ins, self.lost = 0, False
        self.msg_code = 1

    def __call__(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        if "AuthService.ValidateUser" in request.url.path:
            right = body == {"acctID": "5f8e", "username": "接口", "password": "s3cret", "lcid": 2052}
            self.sign_ins += right
            self.lost = self.lost and not right
            return httpx.Response(200, json=SAMPLES["sign_in" if right else "refused_sign_in"])
        lost: Any = json.loads(json.dumps(SAMPLES["session_lost"]))
        lost[0][0]["Result"]["ResponseStatus"]["MsgCode"] = self.msg_code
        if self.lost or request.headers.get("kdservice-sessionid") != SAMPLES["sign_in"]["KDSVCSessionId"]:
            return httpx.Response(200, json=lost)
        asked = body["data"]
        if asked["FormId"] == "SEC_User":
            return httpx.Response(200, json=[["接口"]])
        found = FILTER.fullmatch(asked["FilterString"])
        assert found is not None, asked["FilterString"]
        assert asked["OrderString"] == "FModifyDate ASC, FID ASC"
        since, same, after = found[1].replace(" ", "T"), found[2].replace(" ", "T"), int(found[3])
        rows = [row for row in ROWS if long(row[5]) > since or (long(row[5]) == same and row[0] > after)]
        return httpx.Response(200, json=rows[: asked["Limit"]] if asked["FormId"] == "SAL_SaleOrder" else [])


def long(time: str) -> str:
    """With milliseconds, as the query writes it."""
    head, _dot, rest = time.partition(".")
    return f"{head}.{rest.ljust(3, '0')}"


def opened(galaxy: Galaxy, password: str = "s3cret") -> Any:
    connector: Any = open_connector(preset("kingdee").declaration, Access(SETTINGS, {"password": password}))
    connector.http.client = httpx.Client(transport=httpx.MockTransport(galaxy))
    return connector


def test_who_made_changed_and_approved_an_order() -> None:
    connector, declaration = opened(Galaxy()), preset("kingdee").declaration
    assert connector.check().who == "接口"
    stream = declaration.stream("sales_orders")
    reading = Reading(declaration, "k3", "UTC", SETTINGS)
    told = [
        (one.event, one.object, one.person, one.at.isoformat())
        for record in connector.pull(stream, Position(SINCE), 500).records
        for one in reading.read(stream, record)
    ]
    assert told == [
        ("sales_order.created", "XSDD000001", "100241", "2026-11-19T01:12:05.123000+00:00"),
        ("sales_order.created", "XSDD000002", "100241", "2026-11-19T01:30:00+00:00"),
        ("sales_order.approved", "XSDD000002", "100242", "2026-11-19T02:02:11.450000+00:00"),
        ("sales_order.created", "XSDD000003", "100241", "2026-11-19T03:00:00+00:00"),
        ("sales_order.changed", "XSDD000003", "100241", "2026-11-19T03:20:00+00:00"),
    ]


def test_every_form_is_asked_after_the_last_row_to_the_millisecond() -> None:
    connector = opened(Galaxy())
    for stream in preset("kingdee").declaration.streams:
        assert connector.pull(stream, Position(SINCE), 500).complete
    stream = preset("kingdee").declaration.stream("sales_orders")
    first = connector.pull(stream, Position(SINCE), 1).records[0]
    rest = connector.pull(stream, Position(first.at, first.id), 500).records
    assert [one.id for one in (first, *rest)] == ["100001", "100002", "100003"]


def test_a_lost_session_is_renewed_once_although_it_is_told_with_200() -> None:
    galaxy = Galaxy()
    connector, stream = opened(galaxy), preset("kingdee").declaration.stream("sales_orders")
    connector.check()
    galaxy.lost = True
    assert len(connector.pull(stream, Position(SINCE), 500).records) == 3
    assert galaxy.sign_ins == 2
    with pytest.raises(SignInRefused):
        opened(Galaxy(), "wrong").check()
    galaxy.lost, galaxy.msg_code = True, 14
    with pytest.raises(SlowDown):
        connector.pull(stream, Position(SINCE), 500)
