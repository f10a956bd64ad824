"""A strict OData service for the tests, V2 and V4, with the entity and field names of SAP's own interfaces.

It knows the types of its fields and refuses what a real one refuses: unknown properties and options, literals of the
wrong type, a plus sign for a space. It gives fewer records than it is asked for, and says where more are by an offset.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

USER, PASSWORD = "UPTAKE_COM", "s3cret-of-sap"
CLIENT_ID, CLIENT_SECRET = "sb-uptake", "s3cret-of-oauth"
TOKEN = re.compile(r"\(|\)|(?:datetimeoffset|datetime)?'(?:[^']|'')*'|[^\s()]+")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Test = Callable[[dict[str, Any]], bool]


class Refused(Exception):
    """What is answered with 400."""


@dataclass
class Entity:
    """An entity set: its fields with their types, and its rows in Python's own values."""

    version: int
    types: dict[str, str]
    rows: list[dict[str, Any]] = field(default_factory=list)
    items: str = ""
    """The field that holds items, given only where it is expanded."""


@dataclass
class ODataStub:
    """What the system holds. `before_page` is played just before the next answers."""

    entities: dict[str, Entity]
    most: int = 50
    shown: int = 6
    """Digits of a second in the times that V2 shows are always three; V4 shows this many."""
    before_page: list[Callable[[ODataStub], None]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    forbidden: set[str] = field(default_factory=set)
    port: int = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        """The JSON of a page. Raises Refused; KeyError where the entity is unknown."""
        entity = self.entities[path]
        known = {"$filter", "$orderby", "$top", "$skip", "$select", "$expand", "$format", "sap-client"}
        if set(query) - known or (query.get("$format", "json") != "json"):
            raise Refused("unknown query option")
        rows = entity.rows
        if "$filter" in query:
            test = _Filter(entity, query["$filter"]).whole()
            rows = [row for row in rows if test(row)]
        for name in reversed([part.strip() for part in query.get("$orderby", "").split(",") if part.strip()]):
            _typed(entity, name)
            rows = sorted(rows, key=lambda row, by=name: row[by])  # type: ignore[misc]
        skip = int(query.get("$skip", "0"))
        taken = rows[skip : skip + min(int(query.get("$top", self.most)), self.most)]
        shaped = [self._shaped(entity, row, query) for row in taken]
        more = f"{path}?$skiptoken={skip + len(taken)}" if skip + len(taken) < len(rows) else ""
        if entity.version == 2:
            return {"d": {"results": shaped, **({"__next": more} if more else {})}}
        return {"@odata.context": "$metadata", "value": shaped, **({"@odata.nextLink": more} if more else {})}

    def _shaped(self, entity: Entity, row: dict[str, Any], query: dict[str, str]) -> dict[str, Any]:
        wanted = [part for part in query.get("$select", "").split(",") if part and "/" not in part]
        for name in wanted:
            _typed(entity, name)
        expand = re.sub(r"\(.*\)", "", query.get("$expand", ""))
        if expand and expand != entity.items:
            raise Refused(f"no navigation property {expand}")
        told = {name: self._shown(entity, name, row[name]) for name in wanted or entity.types}
        if entity.items and expand:
            told[entity.items] = {"results": row[entity.items]} if entity.version == 2 else row[entity.items]
        return {"__metadata": {"type": "x"}, **told} if entity.version == 2 else told

    def _shown(self, entity: Entity, name: str, value: Any) -> Any:
        kind = entity.types[name]
        if value is None or kind in ("String", "Int"):
            return value
        if kind == "Time":
            return f"PT{value.hour:02d}H{value.minute:02d}M{value.second:02d}S" if entity.version == 2 else str(value)
        if entity.version == 2:
            at = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day, tzinfo=UTC)
            milliseconds = int((at - EPOCH).total_seconds() * 1000)
            return f"/Date({milliseconds}{'+0000' if kind == 'Offset' else ''})/"
        if kind == "Offset":
            return value.isoformat().replace("+00:00", "Z")
        return value.isoformat()


class _Filter:
    """Reads `a gt x or (a eq x and b gt 'y')`, and nothing else."""

    def __init__(self, entity: Entity, text: str) -> None:
        self.entity, self.tokens = entity, TOKEN.findall(text)

    def whole(self) -> Test:
        test = self._either()
        if self.tokens:
            raise Refused(f"unexpected {self.tokens[0]}")
        return test

    def _either(self) -> Test:
        tests = [self._both()]
        while self.tokens[:1] == ["or"]:
            self.tokens.pop(0)
            tests.append(self._both())
        return lambda row: any(test(row) for test in tests)

    def _both(self) -> Test:
        tests = [self._one()]
        while self.tokens[:1] == ["and"]:
            self.tokens.pop(0)
            tests.append(self._one())
        return lambda row: all(test(row) for test in tests)

    def _one(self) -> Test:
        if self.tokens[:1] == ["("]:
            self.tokens.pop(0)
            test = self._either()
            if not self.tokens or self.tokens.pop(0) != ")":
                raise Refused("a bracket is missing")
            return test
        try:
            name, operator, literal = self.tokens.pop(0), self.tokens.pop(0), self.tokens.pop(0)
        except IndexError as failure:
            raise Refused("the filter ends too early") from failure
        value = _value(self.entity.version, _typed(self.entity, name), literal)
        compare = {"gt": lambda a: a > value, "ge": lambda a: a >= value, "eq": lambda a: a == value}.get(operator)
        if compare is None:
            raise Refused(f"unknown operator {operator}")
        return lambda row: compare(row[name])


def _typed(entity: Entity, name: str) -> str:
    if name not in entity.types:
        raise Refused(f'Property "{name}" does not exist')
    return entity.types[name]


def _value(version: int, kind: str, literal: str) -> Any:
    try:
        if kind == "Int":
            return int(literal)
        if kind == "String":
            if not (literal[0] == literal[-1] == "'"):
                raise Refused(f"{literal} is no text")
            return literal[1:-1].replace("''", "'")
        if version == 2:
            name, inner = literal.split("'")[0], literal.split("'")[1]
            if name != {"Offset": "datetimeoffset", "Date": "datetime"}[kind]:
                raise Refused(f"{literal} is no {kind}")
            at = datetime.fromisoformat(inner)
        else:
            at = datetime.fromisoformat(literal)
            if kind == "Date" and len(literal) != len("2026-11-21"):
                raise Refused(f"{literal} is no date")
        if kind == "Date":
            return at.date()
        if at.tzinfo is None:
            raise Refused(f"{literal} names no offset")
        return at.astimezone(UTC)
    except (ValueError, IndexError, KeyError) as failure:
        raise Refused(f"{literal} is no {kind}") from failure


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        stub, parts = self.server.stub, urlsplit(self.path)
        stub.asked.append(unquote(self.path))
        if not self._known(stub):
            return self._say(401, {"error": {"message": "Unauthorized"}})
        if parts.path in stub.forbidden:
            return self._say(403, {"error": {"message": "Forbidden"}})
        if stub.before_page:
            stub.before_page.pop(0)(stub)
        try:
            if "+" in parts.query:
                raise Refused("a plus sign is no space")
            query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
            return self._say(200, stub.answer(parts.path, query))
        except KeyError:
            return self._say(404, {"error": {"message": "Not Found"}})
        except (Refused, ValueError) as refusal:
            return self._say(400, {"error": {"message": str(refusal), "code": "400"}})

    def do_POST(self) -> None:
        stub, length = self.server.stub, int(self.headers.get("Content-Length", "0"))
        form = parse_qs(self.rfile.read(length).decode())
        right = self.headers.get("Authorization") == _basic(CLIENT_ID, CLIENT_SECRET)
        if self.path != "/sap/bc/sec/oauth2/token" or form.get("grant_type") != ["client_credentials"] or not right:
            return self._say(401, {"error": "invalid_client"})
        stub.tokens.add(token := f"token-{len(stub.tokens)}")
        return self._say(200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600})

    def _known(self, stub: ODataStub) -> bool:
        said = self.headers.get("Authorization", "")
        return said == _basic(USER, PASSWORD) or said.removeprefix("Bearer ") in stub.tokens

    def _say(self, status: int, said: Any) -> None:
        content = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_words: Any) -> None:
        """Says nothing."""


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, stub: ODataStub) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.stub = stub
        stub.port = self.server_port


@contextmanager
def running(entities: dict[str, Entity]) -> Iterator[ODataStub]:
    """The service, listening."""
    stub = ODataStub(entities)
    server = _Server(stub)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


SALES = {
    "SalesOrder": "String",
    "SalesOrderType": "String",
    "CreatedByUser": "String",
    "CreationDate": "Date",
    "LastChangeDateTime": "Offset",
    "OverallSDProcessStatus": "String",
    "SoldToParty": "String",
    "TotalNetAmount": "String",
    "TransactionCurrency": "String",
}
PURCHASES = {
    "PurchaseOrder": "String",
    "PurchaseOrderType": "String",
    "CreatedByUser": "String",
    "CreationDate": "Date",
    "LastChangeDateTime": "Offset",
    "PurchasingProcessingStatus": "String",
    "PurchasingDocumentDeletionCode": "String",
    "Supplier": "String",
}
DOCUMENTS = {
    "MaterialDocumentYear": "String",
    "MaterialDocument": "String",
    "CreationDate": "Date",
    "CreationTime": "Time",
    "CreatedByUser": "String",
    "GoodsMovementCode": "String",
    "InventoryTransactionType": "String",
    "PostingDate": "Date",
}
PRODUCTION = {
    "ManufacturingOrder": "String",
    "ManufacturingOrderType": "String",
    "ProductionPlant": "String",
    "Material": "String",
    "MfgOrderCreationDate": "Date",
    "MfgOrderCreationTime": "Time",
    "LastChangeDateTime": "String",
    "OrderIsReleased": "String",
    "OrderIsConfirmed": "String",
    "OrderIsDelivered": "String",
    "OrderIsTechnicallyCompleted": "String",
    "OrderIsClosed": "String",
    "OrderIsMarkedForDeletion": "String",
}
AUDIT = {
    "sid": "String",
    "slgmand": "String",
    "log_tstmp": "Offset",
    "counter": "Int",
    "eventID": "String",
    "UserID": "String",
    "user_fullname": "String",
    "email_adress": "String",
    "useralias": "String",
    "UserDescription": "String",
    "terminal_name": "String",
    "slgtc": "String",
    "slgrepna": "String",
    "rsau_text": "String",
    "param_a": "String",
}


def row(types: dict[str, str], **given: Any) -> dict[str, Any]:
    """A row with every field of its type."""
    empty: dict[str, Any] = {"String": "", "Int": 0, "Date": date(2026, 5, 12), "Time": time(9, 0), "Offset": EPOCH}
    return {**{name: empty[kind] for name, kind in types.items()}, **given}
