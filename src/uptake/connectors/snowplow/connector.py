"""Reads what Snowplow's trackers send: the tracker protocol by POST and as a pixel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from uptake.connectors.message import (
    PAGE,
    PAGE_EVENT,
    SCREEN,
    SCREEN_EVENT,
    TRACK,
    Message,
    Reading,
    Unreadable,
    first,
    mapping,
    page_of,
    text_of,
    time_of,
)
from uptake.connectors.request import Request, json_of, packed_json

STRUCTURED = {"se_ca": "category", "se_ac": "action", "se_la": "label", "se_pr": "property", "se_va": "value"}
PING = "pp"
SCREEN_VIEW = "screen_view"


def read(request: Request) -> Reading:
    """The messages of a POST to …/tp2 or of a GET of /i. Raises Unreadable."""
    if "e" in request.query:
        items: list[Any] = [request.query]
    else:
        content = request.document
        if content is None:
            return Reading(None)
        inside = mapping(content).get("data")
        items = content if isinstance(content, list) else inside if isinstance(inside, list) else [content]
    messages, problems, key = [], [], None
    for number, item in enumerate(items):
        if not isinstance(item, Mapping):
            problems.append(f"Item {number} is not an object.")
            continue
        key = key or text_of(item.get("aid"))
        try:
            message = _message(item)
        except Unreadable as reason:
            problems.append(f"Item {number}: {reason}")
            continue
        if message is not None:
            messages.append(message)
    return Reading(key, tuple(messages), tuple(problems))


def _message(item: Mapping[str, Any]) -> Message | None:
    """None for a ping of a page that is still open. Raises Unreadable."""
    sort = text_of(item.get("e"))
    kind, event = TRACK, None
    page = page_of(url=item.get("url"), title=item.get("page"), referrer=item.get("refr"))
    properties: dict[str, Any] = {}
    if sort == PING:
        return None
    if sort == "pv":
        kind, event, properties = PAGE, PAGE_EVENT, page
    elif sort == "se":
        event = text_of(item.get("se_ac"))
        properties = {name: item[short] for short, name in STRUCTURED.items() if item.get(short) not in {None, ""}}
        if "value" in properties:
            properties["value"] = _number(properties["value"])
    elif sort == "ue":
        event, properties = _described(item)
        if event == SCREEN_VIEW:
            kind, event = SCREEN, SCREEN_EVENT
    elif sort in {"tr", "ti"}:
        event = "transaction" if sort == "tr" else "transaction_item"
        properties = {name: value for name, value in item.items() if name.startswith(f"{sort}_")}
    if event is None:
        raise Unreadable("names no event.")
    return Message(
        kind=kind,
        event=event,
        user=text_of(item.get("uid")),
        anonymous=first(item.get("duid"), item.get("nuid"), item.get("tnuid")),
        id=text_of(item.get("eid")),
        time=time_of(item.get("ttm") or item.get("dtm")),
        properties=properties,
        sent_at=time_of(item.get("stm")),
    )


def _described(item: Mapping[str, Any]) -> tuple[str | None, dict[str, Any]]:
    """(name, properties) of a self-describing event: named by its schema, iglu:<vendor>/<name>/jsonschema/<version>."""
    packed, plain = item.get("ue_px"), item.get("ue_pr")
    outer: Any = None
    if isinstance(packed, str) and packed:
        outer = packed_json(packed)
    elif isinstance(plain, str) and plain:
        outer = json_of(plain)
    inner = mapping(mapping(outer if outer is not None else plain).get("data"))
    parts = str(inner.get("schema") or "").removeprefix("iglu:").split("/")
    name = text_of(parts[1]) if len(parts) >= 2 else None
    return name, mapping(inner.get("data"))


def _number(value: Any) -> Any:
    try:
        return json_of(value) if isinstance(value, str) else value
    except Unreadable:
        return value
