"""Tells a message that was sent again: by the sender's own id, else by what it says. Pure."""

from __future__ import annotations

from uptake.basics.canonical import fingerprint
from uptake.connectors.message import Message


def key_of(
    *,
    id: str | None,
    origin: str | None = None,
    user: str | None = None,
    event: str | None = None,
    time: str | None = None,
    object: str | None = None,
) -> str:
    """The key of a message within its connection; the same message sent again has the same.

    With an id it is the id (after its origin, where the protocol has one), else a hash of user, event, time and object.
    """
    if id:
        return id if not origin else f"{origin}#{id}"
    return "~" + fingerprint([origin or "", user or "", event or "", time or "", object or ""])


def key_of_message(message: Message, *, object: str | None = None) -> str:
    """As `key_of`, of a message; its user may be unnamed as yet."""
    return key_of(
        id=message.id,
        origin=message.origin,
        user=message.user or message.anonymous,
        event=message.event or message.kind,
        time=message.time,
        object=object,
    )
