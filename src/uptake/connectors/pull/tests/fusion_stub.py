"""A strict Oracle Fusion for the tests, written from Oracle's documentation: resources, descriptions, audit history.

It refuses what the documentation does not have: other parameters, more than 500 records, more than a month of history.
What it says of `hasMore` is wrong, as it is said to be in the field.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

USER, PASSWORD = "uptake.reader", "s3cret-of-fusion"
RESOURCES = "/fscmRestApi/resources/11.13.18.05/"
HISTORY = "/fscmRestApi/fndAuditRESTService/audittrail/getaudithistory"
WHO = ("CreatedBy", "CreationDate", "LastUpdatedBy", "LastUpdateDate")
FIELDS = {
    "salesOrdersForOrderHub": ("HeaderId", "OrderNumber", "BusinessUnitName", "BuyingPartyName", "StatusCode", *WHO),
    "inventoryCompletedTransactions": (
        *("TransactionId", "TransactionType", "TransactionDate", "Item"),
        *("TransactionQuantity", "TransactionUOM", "SubinventoryCode", *WHO),
    ),
    "purchaseOrders": ("POHeaderId", "OrderNumber", *WHO),
}
FROM = re.compile(r"^LastUpdateDate >= '([^']+)'$")
AFTER = re.compile(r"^LastUpdateDate > '([^']+)' or \(LastUpdateDate = '([^']+)' and (\w+) > (\d+)\)$")
AUDITED = {"fromDate", "toDate", "product", "businessObjectType", "eventType", "timeZone", "attributeDetailMode"}


@dataclass
class FusionStub:
    """What Fusion holds. `missing` fields are described nowhere."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {name: [] for name in FIELDS})
    history: list[dict[str, Any]] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)
    before_page: list[Callable[[FusionStub], None]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def describe(self, name: str) -> dict[str, Any]:
        known = [one for one in FIELDS[name] if one not in self.missing]
        return {"Resources": {name: {"attributes": [{"name": one, "queryable": True} for one in known]}}}

    def items(self, name: str, query: dict[str, str]) -> dict[str, Any]:
        if set(query) - {"q", "orderBy", "limit", "offset", "fields", "onlyData"} or int(query["limit"]) > 500:
            raise ValueError("parameters")
        id_ = FIELDS[name][0]
        if query["orderBy"] != f"LastUpdateDate:asc,{id_}:asc" or set(query["fields"].split(",")) - set(FIELDS[name]):
            raise ValueError("attributes")
        rows = sorted(self.rows[name], key=lambda row: (instant(row), row[id_]))
        if "q" in query:
            if found := FROM.match(query["q"]):
                rows = [row for row in rows if instant(row) >= datetime.fromisoformat(found[1])]
            elif (found := AFTER.match(query["q"])) and found[3] == id_ and found[1] == found[2]:
                last = (datetime.fromisoformat(found[1]), int(found[4]))
                rows = [row for row in rows if (instant(row), row[id_]) > last]
            else:
                raise ValueError("q")
        offset, limit = int(query.get("offset", "0")), int(query["limit"])
        taken = [{name: row[name] for name in query["fields"].split(",")} for row in rows[offset : offset + limit]]
        return {"items": taken, "count": len(taken), "hasMore": False, "limit": limit, "offset": offset, "links": []}

    def audited(self, query: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
        begin, end = (datetime.strptime(body[name], "%Y-%m-%d %H:%M:%S") for name in ("fromDate", "toDate"))  # noqa: DTZ007
        if set(body) - AUDITED or set(query) != {"pageNumber", "pageSize"} or end - begin > timedelta(days=31):
            return {"actionName": "getAuditHistory", "status": "FAIL", "error": {"detail": "parameters"}}
        if not body["product"] or not body["businessObjectType"]:
            return {"actionName": "getAuditHistory", "status": "FAIL", "error": {"detail": "product"}}
        rows = [row for row in self.history if begin <= datetime.fromisoformat(row["date"]) <= end]
        rows.sort(key=lambda row: str(row["date"]), reverse=True)
        page, size = int(query["pageNumber"]), int(query["pageSize"])
        return {
            "actionName": "getAuditHistory",
            "status": "SUCCESS",
            "auditData": rows[(page - 1) * size : page * size],
        }


def instant(row: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(row["LastUpdateDate"])


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0")))))

    def _answer(self, body: Any) -> None:
        stub, parts = self.server.stub, urlsplit(self.path)
        stub.asked.append(unquote(self.path))
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        if self.headers.get("Authorization") != "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode():
            return self._say(401, {})
        name = parts.path.removeprefix(RESOURCES)
        try:
            if parts.path == HISTORY and body is not None:
                return self._say(200, stub.audited(query, body))
            if body is not None or self.headers.get("REST-Framework-Version") != "4" or "+" in parts.query:
                return self._say(400, {"title": "Bad Request"})
            if name.endswith("/describe"):
                return self._say(200, stub.describe(name.removesuffix("/describe")))
            if stub.before_page:
                stub.before_page.pop(0)(stub)
            return self._say(200, stub.items(name, query))
        except KeyError:
            return self._say(404, {"title": "Not Found"})
        except ValueError as refusal:
            return self._say(400, {"title": "Bad Request", "detail": str(refusal)})

    def _say(self, status: int, said: Any) -> None:
        content = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_words: Any) -> None:
        """Says nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, stub: FusionStub) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.stub = stub
        stub.port = self.server_port


@contextmanager
def running() -> Iterator[FusionStub]:
    """Fusion, listening."""
    stub = FusionStub()
    server = _Server(stub)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
