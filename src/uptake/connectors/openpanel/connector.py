"""Reads what OpenPanel's clients send: events, profiles and groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from uptake.connectors.message import (
    ALIAS,
    GROUP,
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
    without,
)
from uptake.connectors.request import Request

PROFILE = ("firstName", "lastName", "email", "avatar", "name")
SCREEN_VIEW = "screen_view"


def read(request: Request) -> Reading:
    """The messages of a request to /track. Raises Unreadable."""
    content = request.document
    key = first(
        request.named.get("openpanel-client-id"), request.query.get("clientId"), mapping(content).get("clientId")
    )
    if content is None:
        return Reading(key)
    items = content if isinstance(content, list) else [content]
    messages: list[Message] = []
    problems: list[str] = []
    for number, item in enumerate(items):
        if not isinstance(item, Mapping):
            problems.append(f"Item {number} is not an object.")
            continue
        kind = text_of(item.get("type")) or TRACK
        payload = mapping(item.get("payload"))
        if kind == TRACK and text_of(payload.get("name")) is None:
            problems.append(f"Item {number} is a track without a name.")
        elif kind in READERS:
            messages.extend(READERS[kind](payload))
        elif kind not in {"increment", "decrement", "replay"}:
            # Counters are kept by the server they were made for; recordings of the screen are not taken.
            problems.append(f"Item {number} is of an unknown type: {kind[:50]!r}.")
    if not messages and problems and not isinstance(content, list):
        raise Unreadable(problems[0])
    return Reading(key, tuple(messages), tuple(problems))


def _track(payload: Mapping[str, Any]) -> list[Message]:
    name = text_of(payload.get("name"))
    said = mapping(payload.get("properties"))
    properties = without(said, "__")
    path = first(said.get("__path"), said.get("path"))
    is_page = name == SCREEN_VIEW
    if is_page:
        title = said.get("__title") or said.get("title")
        address = path is not None and "://" in path
        page = page_of(
            url=path if address else None,
            path=None if address else path,
            title=title,
            referrer=said.get("__referrer"),
        )
        properties = {**properties, **page}
    groups = payload.get("groups")
    return [
        Message(
            kind=PAGE if is_page else TRACK,
            event=PAGE_EVENT if is_page else name,
            user=first(payload.get("profileId"), said.get("__profileId")),
            anonymous=first(said.get("__deviceId")),
            group=first(*groups) if isinstance(groups, list) else None,
            id=text_of(said.get("__id")),
            time=time_of(said.get("__timestamp") or payload.get("timestamp")),
            properties=properties,
        )
    ]


def _identify(payload: Mapping[str, Any]) -> list[Message]:
    said = {name: payload[name] for name in PROFILE if payload.get(name) not in {None, ""}}
    traits = {**said, **without(mapping(payload.get("properties")), "__")}
    return [Message(kind=IDENTIFY, user=text_of(payload.get("profileId")), traits=traits)]


def _alias(payload: Mapping[str, Any]) -> list[Message]:
    previous = text_of(payload.get("alias"))
    return [Message(kind=ALIAS, user=text_of(payload.get("profileId")), previous=previous)]


def _group(payload: Mapping[str, Any]) -> list[Message]:
    said = {"name": payload["name"]} if payload.get("name") else {}
    traits = {**said, **mapping(payload.get("properties"))}
    properties = {"type": payload["type"]} if payload.get("type") else {}
    return [Message(kind=GROUP, group=text_of(payload.get("id")), properties=properties, traits=traits)]


def _assign(payload: Mapping[str, Any]) -> list[Message]:
    groups = payload.get("groupIds")
    user = text_of(payload.get("profileId"))
    names = [text for group in groups if (text := text_of(group))] if isinstance(groups, list) else []
    return [Message(kind=GROUP, user=user, group=group) for group in names]


READERS = {TRACK: _track, IDENTIFY: _identify, ALIAS: _alias, GROUP: _group, "assign_group": _assign}
