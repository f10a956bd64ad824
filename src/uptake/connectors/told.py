"""What a client's message means for the record: a happening, or nothing. Pure."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from uptake.basics.canonical import fingerprint
from uptake.connectors.message import IDENTIFY, PAGE, SCREEN, TRACK, Message, first
from uptake.connectors.repeats import key_of_message
from uptake.connectors.skew import occurred
from uptake.events.happening import MAX_TEXT, Happening

IDENTIFY_EVENT = "$identify"
"""Says who somebody is: stored because it names an e-mail address or a staff number, never paid."""
STEP = timedelta(minutes=5)
"""A clock that is wrong by less is believed; one that is wrong by more is put right by whole steps, so that a message
sent again says the same, however long it was under way."""


def happening_of_message(
    message: Message, *, received_at: datetime, public: bool = False, companies: Collection[str] = ()
) -> Happening | None:
    """The happening; None where nothing happened (a group, an alias, an identify that names nobody).

    `public`: anybody may have the key, so people are not described and nothing earns. `companies`: slugs of those that
    an event may name; another group is only a fact.
    """
    if message.kind == IDENTIFY:
        return None if public else _identified(message, received_at)
    if message.kind not in {TRACK, PAGE, SCREEN} or message.event is None:
        return None
    group = message.group
    facts = dict(message.properties)
    if group is not None:
        facts.setdefault("group", group)
    return Happening(
        event=message.event,
        key=_key(message),
        at=_when(message, received_at),
        person=message.user,
        facts=facts,
        company=group if group in companies else None,
        history_only=public or message.historical,
    )


def _identified(message: Message, received_at: datetime) -> Happening | None:
    told = message.traits
    email = first(told.get("email"), told.get("$email")) or ""
    number = first(told.get("staff_number"), told.get("employee_id"), told.get("employeeId")) or ""
    if message.user is None or not (email or number):
        return None
    return Happening(
        event=IDENTIFY_EVENT,
        key=_key(message),
        at=_when(message, received_at),
        person=message.user,
        history_only=True,
        person_name=(first(told.get("name"), told.get("$name")) or "")[:MAX_TEXT],
        person_email=email,
        person_staff_number=number,
    )


def _key(message: Message) -> str:
    if not message.id and not message.time:
        # Two page views of a client that names neither cannot be told from one sent twice; none may be lost.
        return "~" + secrets.token_hex(16)
    thing = None if message.id else fingerprint([dict(message.properties), dict(message.traits)])
    key = key_of_message(message, object=thing)
    return key if len(key) <= MAX_TEXT else "~" + fingerprint([key])


def _when(message: Message, received_at: datetime) -> datetime:
    """When it happened; a clock that is far off is put right by when the client says it sent the message."""
    sent = _instant(message.sent_at)
    if sent is None:
        return occurred(time=message.time, sent_at=None, received_at=received_at).at
    if message.time is None:
        return received_at
    off = received_at - sent
    steps = 0 if abs(off) <= STEP else round(off / STEP)
    received = sent + STEP * steps
    return occurred(time=message.time, sent_at=message.sent_at, received_at=received, historical=message.historical).at


@lru_cache(maxsize=64)
def _instant(text: str | None) -> datetime | None:
    try:
        at = None if text is None else datetime.fromisoformat(text)
        return at if at is None or at.tzinfo is not None else at.replace(tzinfo=UTC)
    except ValueError:
        return None
