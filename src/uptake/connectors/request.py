"""A request as a client sent it, and what can be unpacked from it whatever its headers claim. Pure, no network.

Clients label their bodies wrongly (gzip without a header, JSON called a form, JSON called text), so bodies are known by
their first bytes.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson

from uptake.connectors.message import Unreadable

MAX_UNPACKED = 20_000_000
"""Bytes a body may have after unpacking, as at our own intake."""
BOM = b"\xef\xbb\xbf"
MAX_LAYERS = 4
"""How many packings may lie one in another (gzip in base64 in a form in gzip)."""
PACKED = (b"\x1f\x8b", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
"""How gzip and zlib begin."""


@dataclass(frozen=True)
class Request:
    """A request: `path` with its query, headers by any case, the body as the bytes that came."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @cached_property
    def named(self) -> dict[str, str]:
        """Headers by lower-case name."""
        return {name.lower(): value for name, value in self.headers.items()}

    @cached_property
    def query(self) -> dict[str, str]:
        """The parameters of the address; of those given twice the last."""
        return dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))

    @cached_property
    def route(self) -> str:
        """The path alone, in lower case and without a slash at its end: /v1/batch."""
        return urlsplit(self.path).path.rstrip("/").lower()

    def ends(self, *endings: str) -> bool:
        """Whether the path ends so, whatever it is mounted under."""
        return any(self.route.endswith(ending) for ending in endings)

    @cached_property
    def unpacked(self) -> bytes:
        """The body without gzip or zlib, however often it was packed. Raises Unreadable."""
        return inflated(self.body).removeprefix(BOM)

    @cached_property
    def form(self) -> dict[str, str]:
        """The fields of a body that is a form; empty if it is none."""
        body = self.unpacked
        head = body.lstrip()[:1]
        if not body or head in {b"{", b"["} or b"=" not in body:
            return {}
        return dict(parse_qsl(body.decode("utf-8", "replace").strip(), keep_blank_values=True))

    @cached_property
    def document(self) -> Any:
        """The JSON of the body: plain, packed, in base64, or in the `data` of a form or of the address.

        None if the request brings nothing. Raises Unreadable.
        """
        body = self.unpacked.strip()
        if not body:
            inside = self.query.get("data")
            return None if inside is None else packed_json(inside)
        if body[:1] in {b"{", b"["}:
            return json_of(body)
        if "data" in self.form:
            return packed_json(self.form["data"])
        return packed_json(body.decode("latin-1"))

    @property
    def bearer(self) -> str | None:
        """The key of an Authorization header of the kind Bearer."""
        scheme, _space, secret = self.named.get("authorization", "").partition(" ")
        return secret.strip() or None if scheme.lower() == "bearer" else None

    @property
    def basic(self) -> str | None:
        """The name of an Authorization header of the kind Basic; clients send the key there with an empty password."""
        scheme, _space, packed = self.named.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            return from_base64(packed).decode("utf-8", "replace").partition(":")[0] or None
        except Unreadable:
            return None


def inflated(body: bytes) -> bytes:
    """The bytes without gzip or zlib around them, up to a limit. Raises Unreadable."""
    for _layer in range(MAX_LAYERS):
        if not body.startswith(PACKED):
            return body
        parts: list[bytes] = []
        room = MAX_UNPACKED
        rest = body
        while rest:
            stream = zlib.decompressobj(wbits=47)
            try:
                part = stream.decompress(rest, room + 1)
            except zlib.error as error:
                if parts:
                    break  # padding after the last member
                raise Unreadable(f"The body looks packed but cannot be unpacked: {error}.") from None
            room -= len(part)
            if room < 0:
                raise Unreadable(f"Unpacked, the body passes {MAX_UNPACKED} bytes.")
            if not stream.eof:
                raise Unreadable("The packed body ends too early.")
            parts.append(part)
            rest = stream.unused_data
        body = b"".join(parts)
    return body


def json_of(body: bytes | str) -> Any:
    """The JSON of a body. Numbers with more digits than a binary fraction keeps are exact. Raises Unreadable."""
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        pass  # it may still be what Python reads: bytes that are no UTF-8, NaN
    else:
        if not inexact(content):
            return content
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    try:
        return json.loads(text, parse_float=_number, parse_constant=_nothing)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"The body is not JSON: {error}.") from None


def inexact(value: Any) -> bool:
    """Whether a number may have lost digits on its way into a binary float: it has more than 15, or stands far out."""
    kind = type(value)
    if kind is float:
        return (value != 0 and not 1e-4 <= abs(value) < 1e15) or len(repr(value)) > 16
    if kind is dict:
        for item in value.values():
            kind = type(item)
            if (kind is float or kind is dict or kind is list) and inexact(item):
                return True
    elif kind is list:
        return any(map(inexact, value))
    return False


def packed_json(text: str) -> Any:
    """The JSON of a field that may be percent-coded, in base64, and packed inside. Raises Unreadable."""
    for _layer in range(MAX_LAYERS):
        text = text.strip()
        if text[:1] in {"{", "["}:
            return json_of(text)
        if text.startswith(("%7B", "%7b", "%5B", "%5b")):
            text = unquote(text)
            continue
        unpacked = inflated(from_base64(unquote(text) if "%" in text else text))
        text = unpacked.decode("utf-8", "replace")
    raise Unreadable("The body is neither JSON, gzip, base64 nor a form with data.")


def from_base64(text: str) -> bytes:
    """Base64 of either alphabet, with or without padding, with spaces where a form turned the plus into them."""
    cleaned = "".join(text.strip().replace(" ", "+").replace("-", "+").replace("_", "/").split()).rstrip("=")
    try:
        return base64.b64decode(cleaned + "=" * (-len(cleaned) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise Unreadable("The body is neither JSON, gzip, base64 nor a form with data.") from None


def _number(text: str) -> float | Decimal:
    value = float(text)
    digits = len(text.partition("e")[0].partition("E")[0].lstrip("-").replace(".", "").strip("0"))
    return value if digits <= 15 and math.isfinite(value) else Decimal(text)


def _nothing(_name: str) -> None:
    """NaN and Infinity, which JSON does not know and some clients send."""
