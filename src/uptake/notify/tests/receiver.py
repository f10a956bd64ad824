"""A strict receiver of webhooks: it checks every signature with its own arithmetic and answers what it is told to."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Receiver:
    """What came in, in order; `answers` are used up one by one, then everything is taken."""

    secret: str = ""
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    sleeps: float = 0
    port: int = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def check(self, path: str, headers: Any, body: bytes) -> None:
        number, stamp = headers["webhook-id"], headers["webhook-timestamp"]
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        due = base64.b64encode(hmac.digest(key, f"{number}.{stamp}.".encode() + body, hashlib.sha256)).decode()
        self.signatures.append(headers["webhook-signature"])
        if f"v1,{due}" not in self.signatures[-1].split(" "):
            self.wrong.append("signature")
        if path != "/hook" or headers["content-type"] != "application/json":
            self.wrong.append(f"{path} {headers['content-type']}")
        told = json.loads(body)
        if set(told) != {"type", "timestamp", "data"}:
            self.wrong.append(f"{sorted(told)}")
        self.numbers.append(number)
        self.bodies.append(told)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a port of its own."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.check(self.path, self.headers, body)
            time.sleep(receiver.sleeps)
            status, headers = receiver.answers.pop(0) if receiver.answers else (204, {})
            said = b"" if status == 204 else b"said so"
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
