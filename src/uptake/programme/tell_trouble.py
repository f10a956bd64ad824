"""Tells those who run the platform that one company's points stand still: a notice and a mail, once."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from uptake.directory.models import Organization, Role, RoleAssignment
from uptake.notify.models import Topic
from uptake.notify.tell import Telling, tell
from uptake.notify.write_mail import Letter, write_mail

PUT_ASIDE = "platform.put_aside"
CLOSED = "platform.book_closed"
"""The kinds of the messages."""


def tell_trouble(kind: str, company: Organization, *, since: datetime, now: datetime) -> None:
    """Call it in the transaction in which it is known. `since` tells one time from the next."""
    key = f"{kind}:{company.pk}:{since.timestamp():.0f}"
    people = _administrators(company.path, now)
    tell([Telling(person_id=one, key=key, kind=kind, content={"title": company.name}) for one in people], now=now)
    link = f"{settings.URL.geturl().rstrip('/')}/jobs/"
    facts = {"title": company.name, "link": link}
    write_mail(
        [Letter(person_id=one, key=key, topic=Topic.CONNECTIONS, kind=kind, facts=facts) for one in people], now=now
    )


def _administrators(path: str, now: datetime) -> list[int]:
    held = RoleAssignment.objects.filter(role=Role.ADMINISTRATOR).on(now.date()).select_related("organization")
    return sorted({one.person_id for one in held if path.startswith(one.organization.path)})
