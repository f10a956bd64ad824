"""A strict little system for the tests: an issue tracker with sign-in, order, pages and faults that are played on cue.

It answers only what it knows: an unknown address, order or parameter is 400, so that a sloppy question fails.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

USER, PASSWORD = "connector", "s3cret-of-the-stub"
Fault = Callable[["Stub"], tuple[int, dict[str, str], bytes] | None]


@dataclass
class Stub:
    """What the tracker holds, and what goes wrong next. `faults` are used up one by one, one for each question."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    before_page: list[Callable[[Stub], None]] = field(default_factory=list)
    """What happens in the tracker just before it answers its next question for issues."""
    most: int = 1000
    """However many are asked for, no more are given."""
    anonymous: bool = False
    asked: list[str] = field(default_factory=list)
    sessions: set[str] = field(default_factory=set)
    sign_ins: int = 0
    refuse_sign_in: bool = False
    port: int = 0

    def add(self, id_: int, at: datetime, user: str | None = "lin@beiyuan.example", **more: Any) -> None:
        self.rows.append({"id": id_, "updated_on": stamp(at), "author": user and {"login": user}, **more})

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def issues(self, query: dict[str, str]) -> dict[str, Any]:
        """Sorted by (time, id), from an instant on: by offset, or after an id at that instant."""
        since, after = query.get("since", ""), int(query.get("after", "0") or 0)
        rows = sorted(self.rows, key=lambda row: (row["updated_on"], row["id"]))
        if "after" in query:
            rows = [row for row in rows if (row["updated_on"], row["id"]) > (since, after)]
        else:
            rows = [row for row in rows if row["updated_on"] >= since]
        limit, offset = min(int(query["limit"]), self.most), int(query.get("offset", "0"))
        return {"issues": rows[offset : offset + limit], "total_count": len(rows)}


def stamp(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def answer(status: int, body: bytes = b"", **headers: str) -> Fault:
    """A fault: this answer instead of the right one."""
    return lambda _stub: (status, {name.replace("_", "-"): text for name, text in headers.items()}, body)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", "0"))))

    def _answer(self, body: bytes) -> None:
        stub = self.server.stub
        stub.asked.append(self.path)
        fault = stub.faults.pop(0)(stub) if stub.faults and not self.path.startswith("/me") else None
        status, headers, content = fault or self._right(stub, body)
        self.send_response(status)
        for name, text in {"Content-Length": str(len(content)), "Connection": "close", **headers}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(content)

    def _right(self, stub: Stub, body: bytes) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if "+" in parts.query:
            return 400, {}, b'{"message": "a plus sign is no space here"}'
        if parts.path == "/login":
            stub.sign_ins += 1
            if stub.refuse_sign_in or json.loads(body) != {"user": USER, "password": PASSWORD}:
                return 401, {}, b"{}"
            session = f"session-{stub.sign_ins}"
            stub.sessions.add(session)
            return 200, {}, json.dumps({"token": session}).encode()
        if not self._known(stub):
            return 401, {}, b""
        if parts.path == "/me":
            return 200, {}, json.dumps({"user": None if stub.anonymous else {"login": USER}}).encode()
        if parts.path == "/issues" and set(query) <= {"since", "after", "limit", "offset"}:
            if stub.before_page:
                stub.before_page.pop(0)(stub)
            return (
                200,
                {},
                json.dumps({"issues": [], "total_count": 0} if stub.anonymous else stub.issues(query)).encode(),
            )
        if parts.path == "/ids":
            ids = sorted(row["id"] for row in stub.rows if row["id"] > int(query["after"]))
            return 200, {}, json.dumps(ids[: int(query["limit"])]).encode()
        if parts.path == "/secret":
            return 403, {}, b"<h1>Forbidden</h1>"
        return 400, {}, b'{"message": "unknown question"}'

    def _known(self, stub: Stub) -> bool:
        said = self.headers.get("Authorization", "")
        basic = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        return said == basic or stub.anonymous or said.removeprefix("Bearer ") in stub.sessions

    def log_message(self, *_words: Any) -> None:
        """Says nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, stub: Stub) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.stub = stub
        stub.port = self.server_port


@contextmanager
def running() -> Iterator[Stub]:
    """The tracker, listening."""
    stub = Stub()
    server = _Server(stub)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


BASIC = "sign_in: {kind: basic, user: '{user}', password: '{password}'}"
SESSION = "sign_in: {kind: login, address: /login, body: {user: '{user}', password: '{password}'}, token: token}"
KEYSET = "{since: '{since}', after: '{id}', limit: '{limit}'}"
OFFSET = "{since: '{since}', offset: '{same}', limit: '{limit}'}"


def declaration(sign_in: str = BASIC, query: str = KEYSET, page: int = 3, more: str = "", extra: str = "") -> str:
    """The tracker as declared."""
    return f"""
engine: rest
{sign_in}
check: {{request: {{address: /me}}, who: user.login}}
every_seconds: 60
settings:
  - {{name: address}}
  - {{name: user}}
  - {{name: password, secret: true}}
{extra}
streams:
  - name: issues
    request: {{address: /issues, query: {query}}}
    records: issues
    count: total_count
    order: {{time: updated_on, id: id, form: iso_seconds, numeric: true}}
    page: {page}
    {more}
    tellings:
      - event: issue.changed
        key: "stub:{{{{id}}}}:{{{{updated_on}}}}"
        person: "{{{{author.login}}}}"
        object: "ISSUE-{{{{id}}}}"
        facts: {{title: "{{{{title}}}}"}}
"""
