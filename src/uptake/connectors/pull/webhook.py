"""Whether it is the system itself that tells something, and what it tells. Pure: the bytes as they came are judged."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from jmespath.exceptions import JMESPathError

from uptake.connectors.pull.declaration import Declaration, Webhook
from uptake.connectors.pull.mapping import NOTHING_KEY, placed
from uptake.connectors.pull.protocol import Record
from uptake.connectors.pull.template import compiled, options

HOLE = re.compile(rb"\{(\w+)\}")
LARGEST_SECONDS = 10**11
"""Numbers beyond this are milliseconds."""
MOST_RECORDS = 1000


class NotProven(Exception):
    """The proof does not fit what came, or it was sent too long ago."""


class NotReadable(Exception):
    """It is proven, and says nothing that can be read."""


def proven(
    hook: Webhook, secret: str, *, query: Mapping[str, str], headers: Mapping[str, str], body: bytes, now: datetime
) -> None:
    """Raises NotProven. `headers` by lower-case name.

    A plain hash with the secret in it is no HMAC, so the time of sending is held to a window as well: what was heard by
    somebody cannot be sent again later.
    """
    said = headers.get(hook.header.lower(), "").strip()
    if not secret or not said:
        raise NotProven
    if hook.kind == "token":
        right = secret.encode()
    else:
        parts = {**{name: text.encode() for name, text in query.items()}, "secret": secret.encode(), "body": body}
        over = HOLE.sub(lambda hole: parts.get(hole[1].decode(), b""), hook.over.encode())
        right = (
            hashlib.sha1(over, usedforsecurity=False).hexdigest()
            if hook.kind == "sha1"
            else hmac.new(secret.encode(), over, hashlib.sha256).hexdigest()
        ).encode()
        said = said.lower()
    if not hmac.compare_digest(said.encode(), right):
        raise NotProven
    if hook.time and abs(now.timestamp() - _seconds(query.get(hook.time, ""))) > hook.window_seconds:
        raise NotProven


def told(
    declaration: Declaration, hook: Webhook, body: bytes, settings: Mapping[str, str], zone: str
) -> dict[str, list[tuple[Record, bool]]]:
    """By stream, the records of what came, and whether they are there no more. Raises NotReadable.

    What fits no stream, such as a trial of the connection, tells nothing.
    """
    with_ = options(declaration.words)
    try:
        found = compiled(hook.records).search(orjson.loads(body), with_)
    except (orjson.JSONDecodeError, JMESPathError) as failure:
        raise NotReadable from failure
    records = found if isinstance(found, list) else [found]
    if len(records) > MOST_RECORDS:
        raise NotReadable
    by_stream: dict[str, list[tuple[Record, bool]]] = {}
    for raw in records:
        if not isinstance(raw, dict):
            raise NotReadable
        seen = {**raw, NOTHING_KEY: settings}
        name = next((name for name, path in hook.streams.items() if _holds(path, seen, with_)), None)
        if name is None:
            continue
        stream = declaration.stream(name)
        record = placed(stream, raw, stream.order.zone or declaration.zone or zone)
        by_stream.setdefault(name, []).append((record, bool(hook.gone) and _holds(hook.gone, seen, with_)))
    return by_stream


def _holds(path: str, seen: Mapping[str, Any], with_: Any) -> bool:
    try:
        return not path or bool(compiled(path).search(seen, with_))
    except JMESPathError:
        return False


def _seconds(text: str) -> float:
    if not re.fullmatch(r"\d{1,15}", text):
        raise NotProven
    value = int(text)
    return value / 1000 if value >= LARGEST_SECONDS else float(value)
