"""A strict stand-in for Jiandaoyun, written from its documentation: nobody here has the real one.

It answers only what is documented: other addresses, other keys in a body, a limit over 100 (200 in the audit log) or a
span over 31 days are refused, so that a sloppy question fails.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

APP, ENTRY, KEY, SECRET = "5b1747e93b708d0a80667400", "5b1749ae3b708d0a80667408", "key-of-the-stub", "test-secret"
SLOW = (400, {"code": 8303, "msg": "超出请求频率限制"})
KEYS = {
    "/api/v5/app/entry/list": {"app_id", "skip", "limit"},
    "/api/v5/app/entry/data/list": {"app_id", "entry_id", "data_id", "limit", "fields", "filter"},
    "/api/v1/audit_log/list": {"domain", "time_range", "event_types", "filters", "limit", "cursor"},
}


@dataclass
class Jdy:
    """What the form and the audit log hold."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    log: list[dict[str, Any]] = field(default_factory=list)
    faults: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    audited: bool = True
    """Whether the edition has an audit log."""
    port: int = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def add(self, number: int, at: datetime, who: str = "lin") -> dict[str, Any]:
        """A record, as the list and the push give it."""
        person = {"name": who.title(), "username": who, "status": 1, "type": 0, "departments": [1]}
        row = {
            "_id": f"{number:024x}",
            "appId": APP,
            "entryId": ENTRY,
            "creator": person,
            "updater": person,
            "createTime": iso(at),
            "updateTime": iso(at),
            "deleter": None,
            "deleteTime": None,
            "_widget_1432728651402": "中文",
        }
        self.rows.append(row)
        return row

    def sign_in(self, number: int, at: datetime, who: str = "lin", outcome: str = "success") -> None:
        self.log.append(
            {
                "event_id": f"evt-{number:06}",
                "event_time": iso(at),
                "event_type": "auth.session.login",
                "domain": "login",
                "actor": {"type": "user", "id": who, "name": who.title(), "ip": "192.0.2.7"},
                "event": {"category": "auth", "action": "login", "outcome": outcome, "severity": "info"},
            }
        )

    def answer(self, path: str, key: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if key != f"Bearer {KEY}":
            return 400, {"code": 8301, "msg": "authorization failed"}
        if path not in KEYS or not set(body) <= KEYS[path] or body.get("app_id", APP) != APP:
            return 400, {"code": 17017, "msg": "bad parameters"}
        if path.endswith("entry/list"):
            return 200, {"forms": [{"name": "巡检", "app_id": APP, "entry_id": ENTRY}]}
        if path.endswith("data/list"):
            if body["entry_id"] != ENTRY or not 1 <= body["limit"] <= 100:
                return 400, {"code": 4001, "msg": "bad parameters"}
            rows = sorted((row for row in self.rows if row["_id"] > body["data_id"]), key=lambda row: str(row["_id"]))
            return 200, {"data": rows[: body["limit"]]}
        return self._audit(body)

    def _audit(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if not self.audited:
            return 403, {"code": 7103, "msg": "no permission"}
        start, end = (datetime.fromisoformat(body["time_range"][name]) for name in ("start", "end"))
        if end - start > timedelta(days=31) or end < start or not 1 <= body["limit"] <= 200:
            return 400, {"code": 17017, "msg": "bad parameters"}
        found = [one for one in self.log if start <= datetime.fromisoformat(one["event_time"]) <= end]
        found.sort(key=lambda one: (one["event_time"], one["event_id"]), reverse=True)
        begin = int(body["cursor"] or 0)
        upto = begin + body["limit"]
        more = upto < len(found)
        return 200, {"has_more": more, "cursor": str(upto) if more else "", "items": found[begin:upto]}


def iso(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def pushed(op: str, row: dict[str, Any], at: datetime, secret: str = SECRET) -> tuple[str, bytes, dict[str, str]]:
    """A push: its query, its body as bytes, its headers."""
    body = json.dumps({"op": op, "data": row, "opTime": int(at.timestamp() * 1000)}, ensure_ascii=False).encode()
    nonce, stamp = "0f5ade", str(int(at.timestamp()))
    signed = b":".join([nonce.encode(), body, secret.encode(), stamp.encode()])
    headers = {"X-JDY-Signature": hashlib.sha1(signed).hexdigest(), "X-JDY-DeliverId": "5f0e"}
    return f"timestamp={stamp}&nonce={nonce}", body, headers


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        jdy = self.server.jdy
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))))
        jdy.asked.append((self.path, body))
        data = self.path.endswith("data/list")
        status, said = (
            jdy.faults.pop(0)
            if jdy.faults and data
            else jdy.answer(self.path, self.headers.get("Authorization", ""), body)
        )
        content = json.dumps(said, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_words: Any) -> None:
        """Says nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, jdy: Jdy) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.jdy = jdy
        jdy.port = self.server_port


@contextmanager
def running_jdy() -> Iterator[Jdy]:
    """The stand-in, listening."""
    jdy = Jdy()
    server = _Server(jdy)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield jdy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
