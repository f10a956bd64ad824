"""Reads what SensorsData's (神策) clients send: forms with packed records, from servers, pages and apps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from uptake.connectors.message import (
    ALIAS,
    IDENTIFY,
    PAGE,
    PAGE_EVENT,
    SCREEN,
    SCREEN_EVENT,
    TRACK,
    Message,
    Reading,
    first,
    mapping,
    page_of,
    text_of,
    time_of,
    without,
)
from uptake.connectors.request import Request, packed_json

FIELDS = ("data_list", "data")
PAGES = {PAGE_EVENT}
SCREENS = {"$AppViewScreen", "$MPViewScreen"}
PROFILES = {"profile_set", "profile_set_once", "profile_append", "profile_increment"}
JOINS = {"track_signup", "track_id_bind"}
OF_NO_ONE = {"item_set", "item_delete", "profile_unset", "profile_delete", "track_id_unbind"}
"""Records that say nothing happened and add nothing to a person."""
LOGIN, ANONYMOUS = "$identity_login_id", ("$identity_anonymous_id", "$identity_cookie_id", "$identity_distinct_id")
KEEP = frozenset({"$url", "$url_path", "$title", "$referrer", "$screen_name", "$element_content"})


def read(request: Request) -> Reading:
    """The messages of a request to /sa or /sa.gif, whatever the address. Raises Unreadable."""
    content: Any = None
    packed = next((form[name] for form in (request.form, request.query) for name in FIELDS if name in form), None)
    content = request.document if packed is None else packed_json(packed)
    key = first(*(form.get(name) for form in (request.query, request.form) for name in ("token", "project")))
    if content is None:
        return Reading(key)
    messages: list[Message] = []
    problems: list[str] = []
    for number, item in enumerate(content if isinstance(content, list) else [content]):
        if not isinstance(item, dict):
            problems.append(f"Item {number} is not an object.")
            continue
        kind = str(item.get("type") or "")
        if key is None and ("token" in item or "project" in item):
            key = first(item.get("token"), item.get("project"))
        if kind in OF_NO_ONE:
            continue
        if kind == "track" and text_of(item.get("event")) is None:
            problems.append(f"Item {number} is a track without an event.")
        elif kind == "track" or kind in PROFILES or kind in JOINS:
            messages.append(_message(kind, item))
        else:
            problems.append(f"Item {number} is of an unknown type: {kind[:50]!r}.")
    return Reading(key, tuple(messages), tuple(problems))


def _message(kind: str, item: Mapping[str, Any]) -> Message:
    said = mapping(item.get("properties"))
    user, anonymous = _who(item, said)
    properties = without(said, "$", keep=KEEP)
    event = text_of(item.get("event")) if kind == "track" else None
    neutral, previous = TRACK, None
    if event in PAGES:
        neutral = PAGE
        known = page_of(
            url=said.get("$url"),
            path=said.get("$url_path"),
            title=said.get("$title"),
            referrer=said.get("$referrer"),
        )
        properties = {**known, **properties}
    elif event in SCREENS:
        neutral, event = SCREEN, SCREEN_EVENT
        name = first(said.get("$screen_name"), said.get("$url_path"))
        properties = {**({"name": name} if name else {}), **properties}
    elif kind in PROFILES:
        neutral = IDENTIFY
    elif kind in JOINS:
        neutral = ALIAS
        previous = first(item.get("original_id"), anonymous)
        anonymous = anonymous or previous
    return Message(
        kind=neutral,
        event=event,
        user=user,
        anonymous=anonymous,
        previous=previous,
        id=text_of(item.get("_track_id")),
        time=time_of(item.get("time")),
        properties={} if neutral == IDENTIFY else properties,
        traits=properties if neutral == IDENTIFY else {},
        sent_at=time_of(item.get("_flush_time")),
        historical=said.get("$is_historical") is True,
    )


def _who(item: Mapping[str, Any], said: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """(user, anonymous). A distinct_id alone is the user's, unless the client says that it is not of a login."""
    identities = mapping(item.get("identities"))
    user = first(item.get("login_id"), identities.get(LOGIN))
    anonymous = first(item.get("anonymous_id"), *(identities.get(name) for name in ANONYMOUS))
    distinct = text_of(item.get("distinct_id"))
    if user is None and distinct is not None:
        joined = str(item.get("type")) == "track_signup"
        if joined or said.get("$is_login_id") is True or (said.get("$is_login_id") is not False and anonymous is None):
            user = distinct
        else:
            anonymous = anonymous or distinct
    return user, anonymous
