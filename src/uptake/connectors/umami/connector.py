"""Reads what Umami's script and libraries send: page views, events and identities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from uptake.connectors.message import (
    IDENTIFY,
    PAGE,
    PAGE_EVENT,
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
from uptake.connectors.request import Request


def read(request: Request) -> Reading:
    """The messages of a request to /api/send (one) or /api/batch (a list). Raises Unreadable."""
    content = request.document
    if content is None:
        return Reading(None)
    items = content if isinstance(content, list) else [content]
    messages, problems, key = [], [], None
    for number, item in enumerate(items):
        if not isinstance(item, Mapping) or not isinstance(item.get("payload"), Mapping):
            problems.append(f"Item {number} has no payload.")
            continue
        payload = mapping(item["payload"])
        key = key or first(payload.get("website"), payload.get("link"), payload.get("pixel"))
        kind = text_of(item.get("type")) or "event"
        if kind == "identify":
            messages.append(_identify(payload))
        elif kind == "event":
            messages.append(_event(payload))
        elif kind != "performance":
            problems.append(f"Item {number} is of an unknown type: {kind[:50]!r}.")
    if not messages and problems and not isinstance(content, list):
        raise Unreadable(problems[0])
    return Reading(key, tuple(messages), tuple(problems))


def _event(payload: Mapping[str, Any]) -> Message:
    name = text_of(payload.get("name"))
    page = page_of(url=payload.get("url"), title=payload.get("title"), referrer=payload.get("referrer"))
    extra = {"hostname": payload.get("hostname"), "tag": payload.get("tag")}
    said = {**page, **{name: value for name, value in extra.items() if value}, **mapping(payload.get("data"))}
    return Message(
        kind=PAGE if name is None else TRACK,
        event=PAGE_EVENT if name is None else name,
        user=text_of(payload.get("id")),
        time=time_of(payload.get("timestamp")),
        properties=said,
    )


def _identify(payload: Mapping[str, Any]) -> Message:
    return Message(
        kind=IDENTIFY,
        user=text_of(payload.get("id")),
        time=time_of(payload.get("timestamp")),
        traits=mapping(payload.get("data")),
    )
