"""Tells those who manage a connection's data that it needs them: a notice, and a mail in their own language."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.utils import translation

from uptake.connectors.models import Pull
from uptake.connectors.pull.words import reason
from uptake.directory.models import Person, Role, RoleAssignment
from uptake.notify.announce import News, announce
from uptake.notify.models import About, Topic
from uptake.notify.tell import Telling, tell
from uptake.notify.wishes import languages_of
from uptake.notify.write_mail import Letter, write_mail

MANAGERS = (Role.ADMINISTRATOR, Role.OPERATOR)


def tell_attention(pull: Pull, code: str, stream: str, *, now: datetime) -> None:
    """In the transaction that stops the asking. Told once for each time it stops."""
    place, slug = pull.connection.organization, pull.connection.slug
    key = f"connection.needs_attention:{slug}:{stream}:{pull.attempt}"
    content = {"connection": slug, "title": pull.connection.name}
    heard = {**content, "stream": stream, "code": code}
    alert = News(
        about=About.ALERTS, kind="connection.needs_attention", organization_id=place.pk, key=key, at=now, data=heard
    )
    announce([alert], now=now)
    people = _managers(place.path, now)
    tell(
        [Telling(person_id=one.pk, key=key, kind="connection.needs_attention", content=content) for one in people],
        now=now,
    )
    letters, languages = [], languages_of(one.pk for one in people)
    link = f"{settings.URL.geturl().rstrip('/')}/data/connections/{slug}"
    for one in people:
        with translation.override(languages[one.pk]):
            facts = {"title": pull.connection.name, "reason": str(reason(code)), "link": link}
        letters.append(
            Letter(
                person_id=one.pk, key=key[:255], topic=Topic.CONNECTIONS, kind="connection.needs_attention", facts=facts
            )
        )
    write_mail(letters, now=now)


def _managers(path: str, now: datetime) -> list[Person]:
    held = RoleAssignment.objects.filter(role__in=MANAGERS).on(now.date()).select_related("organization", "person")
    return list({one.person_id: one.person for one in held if path.startswith(one.organization.path)}.values())
