"""Runs case files of what clients send (`ingest`), of wrong clocks (`skew`) and of repeats (`dedupe`). Pure."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import orjson

from uptake.connectors.message import Unreadable, iso, text_of, time_of
from uptake.connectors.protocols import protocol_called
from uptake.connectors.repeats import key_of
from uptake.connectors.request import Request
from uptake.connectors.skew import occurred

TIMES = frozenset({"time", "occurred_at", "sent_at"})
"""Compared as instants: two texts of the same one are equal."""


def run(case: Mapping[str, Any]) -> list[str]:
    """The differences between what the case expects and what is read, a sentence each; none is right."""
    expected = case.get("expected") or {}
    answering = ANALYSES[str(case.get("analysis"))]
    try:
        answer = answering(case.get("query") or {})
    except Unreadable as refused:
        return [] if expected.get("error") is True else [f"refused: {refused}"]
    if expected.get("error") is True:
        return ["error: expected a refusal, got an answer"]
    return [difference for key in expected for difference in _differences(key, expected[key], answer.get(key))]


def ingest(query: Mapping[str, Any]) -> dict[str, Any]:
    """{key, messages, problems} of a request {method, path, headers, query, body or body_base64}."""
    protocol = protocol_called(str(query.get("protocol")))
    if protocol is None:
        raise Unreadable(f"Unknown protocol: {query.get('protocol')!r}.")
    reading = protocol.read(request_of(query.get("request") or {}))
    messages = [asdict(message) for message in reading.messages]
    return {"key": reading.key, "messages": messages, "problems": list(reading.problems)}


def request_of(said: Mapping[str, Any]) -> Request:
    """A request as case files have them."""
    packed, body = said.get("body_base64"), said.get("body")
    if packed is not None:
        raw = base64.b64decode(packed)
    elif isinstance(body, str):
        raw = body.encode()
    else:
        raw = b"" if body is None else orjson.dumps(body)
    path = str(said.get("path") or said.get("url") or "/")
    if query := said.get("query"):
        text = urlencode(query) if isinstance(query, Mapping) else str(query).lstrip("?")
        path = f"{path}{'&' if '?' in path else '?'}{text}"
    headers = {str(name): str(value) for name, value in (said.get("headers") or {}).items()}
    return Request(str(said.get("method") or "POST").upper(), path, headers, raw)


def skew(query: Mapping[str, Any]) -> dict[str, Any]:
    """{occurred_at, flagged} of messages {timestamp, sentAt, receivedAt, historical}."""
    found = [_occurrence(message) for message in query.get("messages") or []]
    return {"occurred_at": [at for at, _flagged in found], "flagged": [flagged for _at, flagged in found]}


def _occurrence(message: Mapping[str, Any]) -> tuple[str, bool]:
    received = datetime.fromisoformat(str(time_of(_one(message, "receivedAt", "received_at"))))
    occurrence = occurred(
        time=time_of(_one(message, "timestamp", "originalTimestamp", "time")),
        sent_at=time_of(_one(message, "sentAt", "sent_at")),
        received_at=received if received.tzinfo is not None else received.replace(tzinfo=UTC),
        historical=_one(message, "historical", "historical_migration") is True,
    )
    return iso(occurrence.at), occurrence.flagged


def dedupe(query: Mapping[str, Any]) -> dict[str, Any]:
    """{stored, dropped} of messages {source, messageId, …}: the ids stored in order, the number sent again."""
    seen: set[tuple[str, str]] = set()
    stored: list[str | None] = []
    messages: Sequence[Mapping[str, Any]] = query.get("messages") or []
    for message in messages:
        own = text_of(_one(message, "messageId", "message_id", "id", "uuid"))
        key = key_of(
            id=own,
            origin=None,
            user=text_of(_one(message, "user", "userId", "anonymousId", "distinct_id")),
            event=text_of(_one(message, "event", "type", "name")),
            time=text_of(_one(message, "timestamp", "time")),
            object=text_of(_one(message, "object", "object_id")),
        )
        source = text_of(message.get("source")) or ""
        if (source, key) not in seen:
            seen.add((source, key))
            stored.append(own)
    return {"stored": stored, "dropped": len(messages) - len(stored)}


def _one(message: Mapping[str, Any], *names: str) -> Any:
    return next((message[name] for name in names if message.get(name) is not None), None)


ANALYSES: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "ingest": ingest,
    "skew": skew,
    "dedupe": dedupe,
}


def _differences(name: str, wanted: Any, got: Any) -> list[str]:
    """What differs; of messages and other objects only the keys expected are looked at."""
    last = name.rpartition(".")[2]
    if isinstance(wanted, Mapping) and isinstance(got, Mapping):
        return [one for key in wanted for one in _differences(f"{name}.{key}", wanted[key], got.get(key))]
    if isinstance(wanted, list) and isinstance(got, list | tuple) and len(wanted) == len(got):
        pairs = enumerate(zip(wanted, got, strict=True))
        return [one for index, (left, right) in pairs for one in _differences(f"{name}[{index}]", left, right)]
    if _same(last.partition("[")[0], wanted, got):
        return []
    return [f"{name}: expected {wanted!r}, got {got!r}"]


def _same(name: str, wanted: Any, got: Any) -> bool:
    if isinstance(wanted, bool) or isinstance(got, bool):
        return wanted is got
    if name in TIMES and isinstance(wanted, str) and isinstance(got, str):
        try:
            return wanted == got or datetime.fromisoformat(wanted) == datetime.fromisoformat(got)
        except (ValueError, TypeError):
            return False
    return bool(wanted == got)
