"""Reads what Matomo's trackers send: the parameters of matomo.php, one by one and in bulk."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from uptake.connectors.message import (
    PAGE,
    PAGE_EVENT,
    TRACK,
    Message,
    Reading,
    first,
    mapping,
    page_of,
    text_of,
    time_of,
)
from uptake.connectors.request import Request, json_of

EVENT = {"e_c": "category", "e_a": "action", "e_n": "name", "e_v": "value"}
CLICKS = {"link": "outlink", "download": "download"}


def read(request: Request) -> Reading:
    """The messages of a GET, a form or a bulk body to matomo.php. Raises Unreadable."""
    sent = request.unpacked.strip()
    whole: dict[str, Any] = {}
    if sent[:1] == b"{":
        whole = mapping(json_of(sent))
        inside = whole.get("requests")
        items = inside if isinstance(inside, list) else [whole]
    else:
        items = [{**request.query, **request.form}]
    messages, problems, key = [], [], None
    for number, item in enumerate(items):
        said = {**request.query, **_parameters(item)} if len(items) > 1 or whole else _parameters(item)
        if not said:
            problems.append(f"Item {number} has no parameters.")
            continue
        key = key or text_of(said.get("idsite"))
        if str(said.get("ping") or "") == "1":
            continue  # the page is still open; nothing new happened
        message = _message(said)
        if message is None:
            problems.append(f"Item {number} names neither a page nor an event.")
        else:
            messages.append(message)
    return Reading(
        first(key, whole.get("token_auth"), request.query.get("token_auth")), tuple(messages), tuple(problems)
    )


def _parameters(item: Any) -> dict[str, Any]:
    if isinstance(item, str):
        return dict(parse_qsl(urlsplit(item).query or item.lstrip("?"), keep_blank_values=True))
    return mapping(item)


def _message(said: Mapping[str, Any]) -> Message | None:
    page = page_of(url=said.get("url"), title=said.get("action_name"), referrer=said.get("urlref"))
    kind, event, properties = TRACK, None, page
    click = next((name for name in CLICKS if text_of(said.get(name))), None)
    if text_of(said.get("e_a")):
        event = text_of(said["e_a"])
        properties = {**page, **{name: said[short] for short, name in EVENT.items() if text_of(said.get(short))}}
        if "value" in properties:
            properties["value"] = _number(properties["value"])
    elif text_of(said.get("search")):
        event = "search"
        names = {"search": "search", "search_cat": "category", "search_count": "results"}
        properties = {**page, **{name: said[short] for short, name in names.items() if text_of(said.get(short))}}
    elif click is not None:
        event = CLICKS[click]
        properties = {**page, "target": said[click]}
    elif text_of(said.get("idgoal")):
        event = "order" if text_of(said.get("ec_id")) else "goal"
        names = {"idgoal": "goal", "ec_id": "order", "revenue": "revenue"}
        properties = {**page, **{name: said[short] for short, name in names.items() if text_of(said.get(short))}}
    elif page:
        kind, event = PAGE, PAGE_EVENT
    if event is None:
        return None
    dimensions = {
        name: value for name, value in said.items() if name.startswith("dimension") and name[9:].isdigit() and value
    }
    return Message(
        kind=kind,
        event=event,
        user=text_of(said.get("uid")),
        anonymous=first(said.get("cid"), said.get("_id")),
        time=_time(said.get("cdt")),
        properties={**properties, **dimensions},
    )


def _time(value: Any) -> str | None:
    """`cdt` is a Unix time or `2026-01-02 03:04:05` in UTC."""
    text = time_of(value)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return moment.isoformat() + "Z" if moment.tzinfo is None else text


def _number(value: Any) -> Any:
    try:
        return float(value) if "." in str(value) else int(value)
    except ValueError:
        return value
