"""Reads CloudEvents 1.0 over HTTP: in headers (binary), in one JSON object (structured), in a JSON list (batch)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from uptake.connectors.message import (
    PAGE,
    PAGE_EVENT,
    TRACK,
    Message,
    Reading,
    Unreadable,
    first,
    mapping,
    text_of,
    time_of,
)
from uptake.connectors.request import Request, from_base64, json_of

PREFIX = "ce-"
REQUIRED = ("id", "source", "type")
COMPANY = ("company", "group")
BOOKKEEPING = frozenset(
    {
        *("specversion", "id", "source", "type", "subject", "time", "data", "data_base64", "datacontenttype"),
        *("dataschema", "dataref", "traceparent", "tracestate", "partitionkey", "sequence", "sequencetype"),
        *("sampledrate", "recordedtime", *COMPANY),
    }
)


def read(request: Request) -> Reading:
    """The messages of a request. Raises Unreadable."""
    headers = request.named
    items: list[Any]
    if "ce-id" in headers or "ce-type" in headers:
        attributes: dict[str, Any] = {
            name.removeprefix(PREFIX): unquote(value) for name, value in headers.items() if name.startswith(PREFIX)
        }
        attributes.setdefault("datacontenttype", headers.get("content-type", ""))
        items = [{**attributes, **_body(request.unpacked, str(attributes["datacontenttype"]))}]
    else:
        content = request.document
        if content is None:
            raise Unreadable("The request holds no event.")
        items = content if isinstance(content, list) else [content]
    messages, problems = [], []
    for number, item in enumerate(items):
        missing = [name for name in REQUIRED if text_of(mapping(item).get(name)) is None]
        if missing:
            problems.append(f"Item {number} lacks {', '.join(missing)}.")
        else:
            messages.append(_message(item))
    key = first(request.bearer, request.basic, *(request.query.get(name) for name in ("key", "access_token")))
    return Reading(first(key, headers.get("x-api-key")), tuple(messages), tuple(problems))


def _body(body: bytes, content_type: str) -> dict[str, Any]:
    if not body.strip():
        return {}
    if "json" in content_type.lower() or (not content_type and body.lstrip()[:1] in {b"{", b"["}):
        return {"data": json_of(body)}
    return {"data": body.decode("utf-8", "replace")}


def _message(item: Mapping[str, Any]) -> Message:
    name = text_of(item["type"])
    data = item.get("data")
    if data is None and isinstance(item.get("data_base64"), str):
        packed = from_base64(item["data_base64"])
        data = _body(packed, str(item.get("datacontenttype") or "")).get("data")
    said = dict(data) if isinstance(data, Mapping) else {} if data is None else {"data": data}
    extensions = {name: value for name, value in item.items() if name not in BOOKKEEPING}
    return Message(
        kind=PAGE if name == PAGE_EVENT else TRACK,
        event=name,
        user=text_of(item.get("subject")),
        group=first(*(item.get(one) for one in COMPANY)),
        id=text_of(item["id"]),
        time=time_of(item.get("time")),
        properties={**extensions, **said},
        origin=text_of(item["source"]),
    )
