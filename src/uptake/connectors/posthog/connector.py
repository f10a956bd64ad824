"""Reads what PostHog's clients send: captures, identities, companies and properties of people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from uptake.connectors.lz_string import from_lz_string
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
    iso,
    mapping,
    page_of,
    text_of,
    time_of,
    without,
)
from uptake.connectors.request import MAX_UNPACKED, Request, json_of, packed_json

SILENT = ("/flags", "/decide", "/s", "/config", "/config.js", "/surveys", "/site_apps")
"""Endpoints that browser clients ask and that carry no events: switches, recordings, settings."""
KINDS = {
    PAGE_EVENT: PAGE,
    SCREEN_EVENT: SCREEN,
    "$identify": IDENTIFY,
    "$set": IDENTIFY,
    "$set_once": IDENTIFY,
    "$create_alias": ALIAS,
    "$merge_dangerously": ALIAS,
    "$groupidentify": GROUP,
}
KEEP = frozenset(
    {"$current_url", "$pathname", "$host", "$referrer", "$referring_domain", "$screen_name", "$event_type", "$el_text"}
)
"""What is said of the page and of what was clicked, by PostHog's own names."""
BOOKKEEPING = frozenset({"token", "distinct_id"})
COMPANY = "company"


def read(request: Request) -> Reading:
    """The messages of a request to /batch, /e, /capture, /i/… or /engage of a PostHog client. Raises Unreadable."""
    if request.ends(*SILENT):
        return Reading(request.query.get("token"))
    content = _document(request)
    whole: dict[str, Any] = {}
    if content is None:
        return Reading(request.bearer)
    if isinstance(content, Mapping):
        whole = mapping(content)
        inside = next((whole[name] for name in ("batch", "data") if isinstance(whole.get(name), list)), None)
        items = [whole] if inside is None else inside
    elif isinstance(content, list):
        items = content
    else:
        raise Unreadable("Expected an event, a list of events, or {batch: […]}.")
    sent_at = time_of(
        whole.get("sent_at") or whole.get("created_at") or request.query.get("_") or request.form.get("sent_at")
    )
    historical = whole.get("historical_migration") is True
    messages, problems, engage = [], [], request.ends("/engage")
    for number, item in enumerate(items):
        if type(item) is not dict:
            problems.append(f"Item {number} is not an object.")
            continue
        message = _message(item, sent_at=sent_at, historical=historical, engage=engage)
        if message is None:
            problems.append(f"Item {number} names no event.")
        else:
            messages.append(message)
    return Reading(_key(request, whole, items), tuple(messages), tuple(problems))


def _document(request: Request) -> Any:
    packing = request.query.get("compression") or request.form.get("compression") or ""
    data = request.form.get("data") or request.query.get("data")
    if packing in {"lz64", "lz-string"}:
        text = data or request.unpacked.decode("latin-1")
        return json_of(from_lz_string(text, most=MAX_UNPACKED))
    content = request.document
    if isinstance(content, Mapping) and isinstance(content.get("data"), str):
        # The body itself may be an object around packed data.
        return packed_json(content["data"])
    return content


def _message(item: Mapping[str, Any], *, sent_at: str | None, historical: bool, engage: bool) -> Message | None:
    said = mapping(item.get("properties"))
    name = text_of(item.get("event")) or ("$set" if engage or "$set" in item else None)
    if name is None:
        return None
    kind = KINDS.get(name, TRACK)
    user = first(item.get("distinct_id"), item.get("$distinct_id"), said.get("distinct_id"), said.get("$distinct_id"))
    anonymous = None
    if _is_anonymous(user, said):
        user, anonymous = None, user
    properties = {name: value for name, value in without(said, "$", keep=KEEP).items() if name not in BOOKKEEPING}
    traits = _traits(item, said)
    previous = None
    groups = said.get("$groups") or item.get("$groups")
    group = _company(mapping(groups)) if groups else None
    if kind == IDENTIFY:
        anonymous = previous = first(said.get("$anon_distinct_id"), item.get("$anon_distinct_id"))
    elif kind == ALIAS:
        previous = text_of(said.get("alias") or item.get("alias"))
        user = first(said.get("distinct_id"), user)
        properties.pop("alias", None)
    elif kind == GROUP:
        group = text_of(said.get("$group_key"))
        traits = mapping(said.get("$group_set"))
        properties = {"type": said["$group_type"]} if said.get("$group_type") else {}
        user = None  # a stand-in that the client made up
    elif kind in {PAGE, SCREEN}:
        known = page_of(
            url=said.get("$current_url"),
            path=said.get("$pathname"),
            title=said.get("title") or said.get("$title"),
            referrer=said.get("$referrer"),
        )
        properties = {**known, **properties}
        if kind == SCREEN and text_of(said.get("$screen_name")):
            properties.setdefault("name", said["$screen_name"])
    return Message(
        kind=kind,
        event=name if kind in {TRACK, PAGE, SCREEN} else None,
        user=user,
        anonymous=anonymous,
        previous=previous,
        group=group,
        id=first(item.get("uuid"), item.get("message_id"), item.get("messageId"), said.get("$insert_id")),
        time=_time(item, said, sent_at),
        properties=properties,
        traits=traits,
        sent_at=sent_at,
        historical=historical,
    )


def _traits(item: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of the person: what is set once gives way to what is set."""
    told: dict[str, Any] = {}
    for name in ("$set_once", "$set"):
        for source in (said, item):
            if name in source:
                told.update(mapping(source[name]))
    return told


def _is_anonymous(user: str | None, said: Mapping[str, Any]) -> bool:
    """Whether the client itself says that it does not know the person yet."""
    if user is None or text_of(said.get("$user_id")):
        return False
    return said.get("$is_identified") is False or user == text_of(said.get("$device_id"))


def _company(groups: Mapping[str, Any]) -> str | None:
    """The company of an event; of several sorts of groups the one called so, else the only one."""
    if COMPANY in groups:
        return text_of(groups[COMPANY])
    return text_of(next(iter(groups.values()))) if len(groups) == 1 else None


def _time(item: Mapping[str, Any], said: Mapping[str, Any], sent_at: str | None) -> str | None:
    """As sent; of old browser clients, which say how many milliseconds ago, counted back from the sending."""
    told = time_of(item.get("timestamp") or said.get("timestamp"))
    if told is not None:
        return told
    ago = item.get("offset")
    if sent_at is not None and isinstance(ago, int | float) and not isinstance(ago, bool):
        try:
            return iso(datetime.fromisoformat(sent_at) - timedelta(milliseconds=ago))
        except (ValueError, OverflowError):
            return None
    return time_of(said.get("$time"))


def _key(request: Request, whole: Mapping[str, Any], items: list[Any]) -> str | None:
    one = mapping(next((item for item in items if isinstance(item, Mapping)), None))
    return first(
        *(source.get(name) for source in (whole, one) for name in ("api_key", "$token", "token")),
        mapping(one.get("properties")).get("token"),
        request.bearer,
        *(source.get(name) for source in (request.query, request.form) for name in ("api_key", "token")),
    )
