"""Reads what Countly's clients send: events, views and what is known of the user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from uptake.connectors.message import (
    ALIAS,
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
from uptake.connectors.request import Request, json_of

VIEW, OWN = "[CLY]_view", "[CLY]_"
MEASURES = ("count", "sum", "dur")
GENERATED = {"1", "2"}
"""Device ids of these sorts (`t`) were made by the client, not given by the program around it."""


def read(request: Request) -> Reading:
    """The messages of a request to /i or /i/bulk. Raises Unreadable."""
    said: dict[str, Any] = {**request.query, **request.form}
    if not request.form and request.unpacked.strip():
        said.update(mapping(json_of(request.unpacked)))
    inside = _json(said.get("requests"))
    shared = {name: value for name, value in said.items() if name != "requests"}
    items = [{**shared, **mapping(one)} for one in inside] if isinstance(inside, list) else [shared]
    messages: list[Message] = []
    problems: list[str] = []
    key = None
    for number, item in enumerate(items):
        key = key or text_of(item.get("app_key"))
        try:
            messages.extend(_messages(item))
        except Unreadable as reason:
            problems.append(f"Item {number}: {reason}")
    return Reading(key, tuple(messages), tuple(problems))


def _messages(item: Mapping[str, Any]) -> list[Message]:
    device = text_of(item.get("device_id"))
    generated = text_of(item.get("t")) in GENERATED
    user, anonymous = (None, device) if generated else (device, None)
    at = time_of(item.get("timestamp"))
    found = []
    old = text_of(item.get("old_device_id"))
    if old is not None and old != device:
        found.append(Message(kind=ALIAS, user=device, previous=old, time=at))
    details = mapping(_json(item.get("user_details")))
    if details:
        traits = {name: value for name, value in details.items() if name != "custom" and value not in (None, "")}
        traits |= mapping(details.get("custom"))
        found.append(Message(kind=IDENTIFY, user=user, anonymous=anonymous, time=at, traits=traits))
    events = _json(item.get("events"))
    for event in events if isinstance(events, list) else []:
        name = text_of(mapping(event).get("key"))
        if name is None:
            raise Unreadable("an event has no key.")
        if name.startswith(OWN) and name != VIEW:
            continue  # the client's own measurements
        properties = mapping(event.get("segmentation"))
        if name == VIEW:
            if "visit" not in properties and "name" not in properties:
                continue  # the end of a view
            view = text_of(properties.get("view")) or text_of(properties.get("name"))
            properties = {**page_of(path=view, title=properties.get("name")), **properties}
        else:
            properties = {**{one: event[one] for one in MEASURES if event.get(one)}, **properties}
        found.append(
            Message(
                kind=PAGE if name == VIEW else TRACK,
                event=PAGE_EVENT if name == VIEW else name,
                user=user,
                anonymous=anonymous,
                id=first(event.get("id")),
                time=time_of(event.get("timestamp")) or at,
                properties=properties,
            )
        )
    return found


def _json(value: Any) -> Any:
    return json_of(value) if isinstance(value, str) and value.strip() else value
