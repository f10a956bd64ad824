"""From the bytes of a request to a list of JSON objects: unpacked as they come, cut at the limits, numbers exact."""

from __future__ import annotations

import json
import zlib
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import orjson

from uptake.connectors.request import inexact
from uptake.web.api.limits import MAX_BODY, MAX_EVENTS, MAX_UNPACKED
from uptake.web.api.refusal import Refused


async def read_body(chunks: AsyncIterator[bytes], *, encoding: str, length: int | None) -> bytes:
    """The unpacked body. Refused: 413 as soon as a limit is passed, 415 for an encoding that is not gzip, 400."""
    if encoding not in {"", "identity", "gzip"}:
        raise Refused(415, "unsupported_encoding", "Content-Encoding must be gzip or left out.")
    if length is not None and length > MAX_BODY:
        raise _too_large()
    unpack = _Gunzip() if encoding == "gzip" else None
    sent = 0
    parts = []
    async for chunk in chunks:
        sent += len(chunk)
        if sent > MAX_BODY:
            raise _too_large()
        parts.append(unpack.feed(chunk) if unpack else chunk)
    if unpack:
        unpack.finish()
    return b"".join(parts)


def parse(body: bytes) -> tuple[list[dict[str, Any]], bool]:
    """(the objects, whether one was sent by itself). Refused: 400 for what holds no events, 413 for too many."""
    if not body.strip():
        raise Refused(400, "empty_body", 'The body is empty; send one event, a list, or {"events": […]}.')
    try:
        content = orjson.loads(body)
        if inexact(content):
            content = json.loads(body, parse_float=Decimal)
    except orjson.JSONDecodeError as error:
        where = {"line": error.lineno, "column": error.colno, "position": error.pos}
        raise Refused(400, "malformed_json", f"The body is not JSON: {error}.", where) from None
    except (ValueError, RecursionError, ArithmeticError) as error:
        raise Refused(400, "malformed_json", f"The body is not JSON we can keep: {error}.") from None
    single = isinstance(content, dict) and "events" not in content
    if single:
        return [content], True
    if isinstance(content, dict):
        if content.keys() != {"events"}:
            raise Refused(400, "unknown_field", 'Beside "events" nothing is expected.')
        content = content["events"]
    if not isinstance(content, list):
        raise Refused(400, "not_events", 'Send one event, a list of events, or {"events": […]}.')
    if len(content) > MAX_EVENTS:
        limit = {"limit": MAX_EVENTS, "sent": len(content)}
        raise Refused(413, "too_many_events", f"At most {MAX_EVENTS} events go into one request.", limit)
    for index, item in enumerate(content):
        if type(item) is not dict:
            raise Refused(400, "not_an_event", f"Item {index} is not an object; nothing was stored.", {"index": index})
    return content, False


class _Gunzip:
    """Unpacks gzip piece by piece and stops at the limit, however much a bomb would give."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=31)
        self._given = 0
        self._begun = False

    def feed(self, chunk: bytes) -> bytes:
        parts = []
        try:
            while chunk:
                if self._stream.eof:
                    self._stream = zlib.decompressobj(wbits=31)
                self._begun = True
                part = self._stream.decompress(chunk, MAX_UNPACKED - self._given + 1)
                self._given += len(part)
                if self._given > MAX_UNPACKED:
                    limit = {"limit": MAX_UNPACKED}
                    raise Refused(413, "unpacked_too_large", f"Unpacked, the body passes {MAX_UNPACKED} bytes.", limit)
                parts.append(part)
                chunk = self._stream.unconsumed_tail or self._stream.unused_data
        except zlib.error as error:
            raise Refused(400, "malformed_gzip", f"The body is not gzip: {error}.") from None
        return b"".join(parts)

    def finish(self) -> None:
        if self._begun and not self._stream.eof:
            raise Refused(400, "malformed_gzip", "The gzip body ends too early.")


def _too_large() -> Refused:
    limit = {"limit": MAX_BODY}
    close = {"Connection": "close"}
    return Refused(413, "body_too_large", f"The body passes {MAX_BODY} bytes.", limit, close)
