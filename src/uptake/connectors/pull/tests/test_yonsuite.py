"""Yonyou YonSuite, against a strict stand-in written after its documentation: nobody here has the real one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from uptake.connectors.pull.engines import open_connector
from uptake.connectors.pull.mapping import Reading
from uptake.connectors.pull.presets import preset
from uptake.connectors.pull.protocol import Access, Page, Position, SignInRefused, SlowDown, Unfit, Unreachable
from uptake.connectors.pull.read_page import next_position
from uptake.connectors.pull.tests.recorded import recording

SAMPLES = recording("yonsuite")
SETTINGS = {"address": "https://c2.yonyoucloud.com", "app_key": "41832a3d2df94989b500da6a22268747"}
SECRET = "s3cret of the application"
SINCE = datetime(2026, 11, 18, tzinfo=UTC)
GATEWAY = "/iuap-api-gateway/yonbip/"


class YonSuite:
    """Answers 200 to all that reaches it, refusals included, and only to questions that are documented."""

    def __init__(self) -> None:
        self.sign_ins, self.ended, self.refusal = 0, False, ""
        self.rows = [dict(one) for one in SAMPLES["streams"]["sales_orders"]]
        self.asked: list[int] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        given = dict(parse_qsl(request.url.query.decode(), strict_parsing=True))
        if request.url.path == "/iuap-api-auth/open-auth/selfAppAuth/base/v1/getAccessToken":
            return httpx.Response(200, json=self.token(request.method, given))
        assert request.method == "POST"
        assert request.url.path.startswith(GATEWAY)
        assert "authorization" not in request.headers
        if self.ended or given != {"access_token": SAMPLES["token"]["data"]["access_token"]}:
            return httpx.Response(200, json=SAMPLES["token_ended"])
        if self.refusal:
            return httpx.Response(200, json=SAMPLES[self.refusal])
        return httpx.Response(200, json=self.listed(request.url.path, json.loads(request.content)))

    def token(self, method: str, given: dict[str, str]) -> Any:
        assert method == "GET"
        assert set(given) == {"appKey", "timestamp", "signature"}
        assert abs(int(given["timestamp"]) / 1000 - time.time()) < 60, "milliseconds"
        if given["appKey"] != SETTINGS["app_key"]:
            return SAMPLES["unknown_application"]
        over = "".join(f"{name}{given[name]}" for name in sorted(given) if name != "signature")
        right = base64.b64encode(hmac.new(SECRET.encode(), over.encode(), hashlib.sha256).digest()).decode()
        if given["signature"] != right:
            return SAMPLES["wrong_signature"]
        self.sign_ins, self.ended = self.sign_ins + 1, False
        return SAMPLES["token"]

    def listed(self, path: str, body: dict[str, Any]) -> Any:
        rows = self.rows
        if path == f"{GATEWAY}scm/purchaseorder/list":
            rows = SAMPLES["streams"]["purchase_orders"]
        else:
            assert path == f"{GATEWAY}sd/voucherorder/list"
        assert set(body) <= {"pageIndex", "pageSize", "isSum", "simpleVOs", "queryOrders"}
        number, size = body["pageIndex"], body["pageSize"]
        assert isinstance(number, int)
        assert isinstance(size, int)
        for one in body.get("simpleVOs", []):
            assert one["op"] == "between"
            assert one["field"] == "pubts"
            for value in (one["value1"], one["value2"]):
                datetime.strptime(value, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 (only its form)
            rows = [row for row in rows if one["value1"] <= row["pubts"] <= one["value2"]]
        for order in reversed(body.get("queryOrders", [])):
            assert order["order"] == "asc"
            rows = sorted(rows, key=lambda row: row[order["field"]])
        self.asked.append(number)
        page = rows[(number - 1) * size : number * size]
        told = {"pageIndex": number, "pageSize": size, "recordCount": len(rows), "recordList": page}
        return {"code": "200", "message": "操作成功", "data": told}


def opened(there: YonSuite, secret: str = SECRET, **settings: str) -> Any:
    access = Access({**SETTINGS, **settings}, {"app_secret": secret})
    connector: Any = open_connector(preset("yonsuite").declaration, access)
    connector.http.client = httpx.Client(transport=httpx.MockTransport(there))
    return connector


def run(connector: Any, stream: Any, limit: int, between: Any = None) -> list[Any]:
    """All records of a run that begins at SINCE, as the runner asks for them."""
    position = Position(SINCE)
    found: list[Any] = []
    for turn in range(200):
        page: Page = connector.pull(stream, position, limit)
        found += page.records
        if page.complete or not page.records:
            return found
        position = next_position(position, page.records, numeric=stream.order.numeric)
        if between:
            between(turn)
    raise AssertionError("it never ends")


def test_who_made_approved_and_changed_an_order() -> None:
    connector, declaration = opened(YonSuite()), preset("yonsuite").declaration
    connector.check()
    reading = Reading(declaration, "ys", "UTC", SETTINGS)
    told = [
        (one.event, one.object, one.person, one.at.isoformat())
        for stream in declaration.streams
        for record in run(connector, stream, 200)
        for one in reading.read(stream, record)
    ]
    assert told == [
        ("sales_order.created", "UO-20261119000001", "林芳", "2026-11-19T01:12:05+00:00"),
        ("sales_order.created", "UO-20261119000002", "林芳", "2026-11-19T01:30:00+00:00"),
        ("sales_order.approved", "UO-20261119000002", "华静", "2026-11-19T02:02:11+00:00"),
        ("sales_order.created", "UO-20261119000003", "林芳", "2026-11-19T03:00:00+00:00"),
        ("sales_order.changed", "UO-20261119000003", "韦敏", "2026-11-19T03:20:00+00:00"),
        ("purchase_order.created", "CGA20005000456", "17600880447", "2026-11-19T03:34:01+00:00"),
    ]


def test_a_mass_change_of_one_second_is_read_whole_over_pages() -> None:
    there = YonSuite()
    first = there.rows[0]
    there.rows = [{**first, "id": 10_000 + n, "code": f"UO-{n}"} for n in range(25)]
    there.rows += [{**first, "id": 5, "code": "UO-LATER", "pubts": "2026-11-19 09:12:06"}]
    stream = preset("yonsuite").declaration.stream("sales_orders")

    found = run(opened(there), stream, 4)

    assert [one.raw["code"] for one in found] == [*(f"UO-{n}" for n in range(25)), "UO-LATER"]
    assert max(there.asked) > 1, "more of one instant than a page holds"


def test_orders_changed_while_paging_are_not_lost() -> None:
    there = YonSuite()
    first = there.rows[0]
    there.rows = [
        {**first, "id": 10_000 + n, "code": f"UO-{n}", "pubts": f"2026-11-19 09:{n:02}:00"} for n in range(20)
    ]

    def change(turn: int) -> None:
        """One that was read already goes to the end, so that all behind it move up by one."""
        if turn < 5:
            there.rows[turn]["pubts"] = f"2026-11-19 12:{turn:02}:00"

    found = run(opened(there), preset("yonsuite").declaration.stream("sales_orders"), 3, change)

    assert {one.raw["code"] for one in found} == {f"UO-{n}" for n in range(20)}
    assert len(found) == 25, "and what was changed comes again"


def test_refusals_that_answer_200_are_told_apart() -> None:
    there = YonSuite()
    connector, stream = opened(there), preset("yonsuite").declaration.stream("sales_orders")
    connector.check()
    there.ended = True
    assert len(connector.pull(stream, Position(SINCE), 200).records) == 3
    assert there.sign_ins == 2, "a token that has ended is asked for anew, once"
    there.refusal = "too_often"
    with pytest.raises(SlowDown):
        connector.pull(stream, Position(SINCE), 200)
    with pytest.raises(SignInRefused):
        opened(YonSuite(), "wrong").check()
    with pytest.raises(SignInRefused):
        opened(YonSuite(), app_key="nobody").check()


def test_fewer_than_are_counted_is_not_believed_and_the_token_is_in_no_problem() -> None:
    there = YonSuite()
    listed = there.listed
    there.listed = lambda path, body: (  # type: ignore[method-assign]
        lambda said: {**said, "data": {**said["data"], "recordList": []}}
    )(listed(path, body))
    connector, stream = opened(there), preset("yonsuite").declaration.stream("sales_orders")
    with pytest.raises(Unreachable, match="0 / 3"):
        connector.pull(stream, Position(SINCE), 200)
    there.rows[0]["pubts"] = "x"
    there.listed = lambda path, body: {"code": "999", "message": "服务端逻辑异常"}  # type: ignore[method-assign]
    with pytest.raises(Unfit) as refused:
        connector.pull(stream, Position(SINCE), 200)
    assert "yht" not in str(refused.value) + refused.value.detail
