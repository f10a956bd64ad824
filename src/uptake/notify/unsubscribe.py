"""The signed addresses by which a mail lets its reader stop more of its kind without signing in, and what mails are
called, so that one that comes back is known to be ours. Values in, values out."""

from __future__ import annotations

import re
from typing import Final

from django.conf import settings
from django.core import signing

from uptake.basics.sealing import digest
from uptake.notify.models import Topic

SALT: Final = "notify.unsubscribe"
PURPOSE: Final = "notify mails"
NAME: Final = re.compile(r"<uptake\.(\d{1,18})\.([0-9a-f]{32})@[^>\s]+>")


class NotOurs(ValueError):
    """An address or name nobody here has made."""


def stop_address(person_id: int, topic: Topic | None) -> str:
    """Where the person stops mails of this topic, or all of them."""
    token = signing.dumps([person_id, topic.value if topic else ""], salt=SALT)
    return f"{settings.URL.geturl().rstrip('/')}/account/mails/stop/{token}"


def read_token(token: str) -> tuple[int, Topic | None]:
    """(person, topic) of the last part of such an address. Raises NotOurs."""
    try:
        person, topic = signing.loads(token, salt=SALT)
        return int(person), Topic(topic) if topic else None
    except (signing.BadSignature, ValueError, TypeError) as refused:
        raise NotOurs from refused


def name_of(mail_id: int, address: str) -> str:
    """The Message-ID of a mail to this address: the same at every attempt, so a receiver knows a repeat."""
    return f"<uptake.{mail_id}.{_signed(mail_id, address)}@{settings.URL.hostname or 'localhost'}>"


def mail_named(name: str, address: str) -> int:
    """The number of the mail with this Message-ID that went to this address. Raises NotOurs."""
    found = NAME.search(name)
    if found is None or found[2] != _signed(int(found[1]), address):
        raise NotOurs
    return int(found[1])


def _signed(mail_id: int, address: str) -> str:
    return digest(f"{mail_id} {address.lower()}", secret=settings.SECRET_KEY, purpose=PURPOSE)[:32]
