"""A wire to a server that fails as it is told: some requests never arrive, some are taken and their answer is lost."""

from __future__ import annotations

import http.client
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

BUSY, BROKEN, UNHEARD = "429", "500", "taken, then 500"
"""What becomes of a request: told to wait, failed before anything was stored, stored and its answer lost."""
WAIT_SECONDS = 1


class Wire:
    """`url` stands for the server's; each of `faults` meets one request that carries events, the rest get through."""

    def __init__(self, target: str, faults: Sequence[str]) -> None:
        self.target = urlsplit(target).netloc
        self.faults = deque(faults)
        self.statuses: list[int] = []
        self.url = ""
        self._lock = threading.Lock()

    def next_fault(self) -> str:
        with self._lock:
            return self.faults.popleft() if self.faults else ""


@contextmanager
def wire_to(target: str, *faults: str) -> Iterator[Wire]:
    """A wire that is up while the block runs."""
    wire = Wire(target, faults)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self._body()
            fault = wire.next_fault()
            if fault == BUSY:
                return self._give(429, b'{"code":"too_fast","message":"later"}', {"Retry-After": str(WAIT_SECONDS)})
            if fault == BROKEN:
                return self._give(500, b'{"code":"failed","message":"not stored"}', {})
            door = http.client.HTTPConnection(wire.target, timeout=30)
            door.request("POST", self.path, body, dict(self.headers.items()))
            answer = door.getresponse()
            said = answer.read()
            if fault == UNHEARD:
                assert answer.status == 200, said
                return self._give(500, b'{"code":"failed","message":"lost"}', {})
            kept = {name: answer.headers[name] for name in ("Content-Type", "Retry-After") if name in answer.headers}
            return self._give(answer.status, said, kept)

        def _body(self) -> bytes:
            if "chunked" not in self.headers.get("Transfer-Encoding", ""):
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            del self.headers["Transfer-Encoding"]
            return b"".join(parts)

        def _give(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            wire.statuses.append(status)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: object) -> None:
            """Says nothing."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.daemon_threads = True
    wire.url = f"http://127.0.0.1:{listening.server_address[1]}"
    serving = threading.Thread(target=listening.serve_forever, daemon=True)
    serving.start()
    try:
        yield wire
    finally:
        listening.shutdown()
        listening.server_close()
