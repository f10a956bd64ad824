"""Reads what Segment's and RudderStack's clients send: one message or a batch, from servers and browsers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from uptake.connectors.message import (
    ALIAS,
    GROUP,
    IDENTIFY,
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
from uptake.connectors.request import Request

KINDS = frozenset({TRACK, PAGE, SCREEN, IDENTIFY, GROUP, ALIAS})
EVENTS = {PAGE: PAGE_EVENT, SCREEN: SCREEN_EVENT}
LETTERS = {"t": TRACK, "p": PAGE, "s": SCREEN, "i": IDENTIFY, "g": GROUP, "a": ALIAS}
"""The browser client's one-letter endpoints."""


def read(request: Request) -> Reading:
    """The messages of a request to /v1/… of a Segment or RudderStack client. Raises Unreadable."""
    content = request.document
    if content is None:
        return Reading(_key(request, {}))
    whole: dict[str, Any] = {}
    if isinstance(content, Mapping):
        whole = mapping(content)
        items = whole["batch"] if isinstance(whole.get("batch"), list) else [whole]
    elif isinstance(content, list):
        items = content
    else:
        raise Unreadable("Expected a message or {batch: […]}.")
    messages, problems = [], []
    for number, item in enumerate(items):
        if not isinstance(item, dict):
            problems.append(f"Item {number} is not an object.")
            continue
        kind = str(item.get("type") or _kind_of(request) or "").lower()
        if kind not in KINDS:
            problems.append(f"Item {number} is of an unknown type: {kind[:50]!r}.")
            continue
        message = _message(kind, item, whole)
        if kind == TRACK and message.event is None:
            problems.append(f"Item {number} is a track without an event.")
            continue
        messages.append(message)
    inside = next((item for item in items if isinstance(item, dict) and item.get("writeKey")), {})
    return Reading(_key(request, {**inside, **whole}), tuple(messages), tuple(problems))


def _message(kind: str, item: Mapping[str, Any], whole: Mapping[str, Any]) -> Message:
    context = mapping(item.get("context"))
    if common := mapping(whole.get("context")):
        context = {**common, **context}
    properties = mapping(item.get("properties"))
    traits = mapping(item.get("traits"))
    if kind in {PAGE, SCREEN}:
        named = {"name": item.get("name"), "category": item.get("category")}
        properties = {**{name: value for name, value in named.items() if value is not None}, **properties}
    if kind == PAGE:
        page = {**mapping(context.get("page")), **properties}
        known = page_of(url=page.get("url"), path=page.get("path"), title=page.get("title"))
        properties = {**known, **properties}
    if kind == IDENTIFY and not traits:
        traits = mapping(context.get("traits"))
    event = text_of(item.get("event")) if kind == TRACK else EVENTS.get(kind)
    return Message(
        kind=kind,
        event=event,
        user=text_of(item.get("userId")),
        anonymous=text_of(item.get("anonymousId")),
        previous=text_of(item.get("previousId")) if kind == ALIAS else None,
        group=first(item.get("groupId"), context.get("groupId")),
        id=text_of(item.get("messageId")),
        time=time_of(item.get("timestamp") or item.get("originalTimestamp") or whole.get("timestamp")),
        properties=properties,
        traits=traits,
        sent_at=time_of(item.get("sentAt") or whole.get("sentAt")),
    )


def _kind_of(request: Request) -> str | None:
    last = request.route.rpartition("/")[2]
    return LETTERS.get(last, last)


def _key(request: Request, content: Mapping[str, Any]) -> str | None:
    return first(request.basic, content.get("writeKey"), request.bearer, request.query.get("writeKey"))
