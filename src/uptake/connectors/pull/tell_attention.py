"""Tells those who manage a connection's data that it needs them: a notice, and a mail in their own language."""

from __future__ import annotations

from datetime import datetime

from django.utils import translation
from django.utils.translation import gettext as _

from uptake.connectors.models import Pull
from uptake.connectors.pull.words import reason
from uptake.directory.models import Person, Role, RoleAssignment
from uptake.notify.announce import News, announce
from uptake.notify.models import About, Topic
from uptake.notify.tell import Telling, tell
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
    letters = []
    for one in people:
        login = getattr(one, "user", None)
        with translation.override(getattr(login, "language", "") or translation.get_language()):
            subject = _("The connection %(name)s needs attention") % {"name": pull.connection.name}
            text = _(
                "%(reason)s\n\nIt is not asked any more until somebody has looked: open Data, choose %(name)s, put it "
                "right and press Try again. Nothing is lost; it goes on where it stopped."
            ) % {"reason": reason(code), "name": pull.connection.name}
        letters.append(Letter(person_id=one.pk, key=key[:255], topic=Topic.CONNECTIONS, subject=subject, text=text))
    write_mail(letters, now=now)


def _managers(path: str, now: datetime) -> list[Person]:
    held = RoleAssignment.objects.filter(role__in=MANAGERS).on(now.date()).select_related("organization", "person")
    return list({one.person_id: one.person for one in held if path.startswith(one.organization.path)}.values())
