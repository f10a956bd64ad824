"""Stops a source of people until a person has looked, and tells those who manage the company's people."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from uptake.connectors.people.models import PeopleSource
from uptake.connectors.people.plan import Plan
from uptake.connectors.people.words import reason
from uptake.directory.models import Person, Role, RoleAssignment
from uptake.notify.models import Topic
from uptake.notify.write_mail import Letter, write_mail

MANAGERS = (Role.ADMINISTRATOR, Role.OPERATOR, Role.MANAGER)


@transaction.atomic
def tell_attention(
    *, source: PeopleSource, code: str, now: datetime, plan: Plan | None = None, detail: str = ""
) -> None:
    """Once for each time it stops; what SCIM says meanwhile only changes the numbers."""
    said = {"code": code, "detail": detail[:200]}
    if plan is not None:
        said |= {"leaves": str(len(plan.leaving)), "of": str(plan.base)}
    rows = PeopleSource.objects.filter(pk=source.pk, attempt=source.attempt)
    before = rows.values_list("attention", flat=True).first()
    if not rows.update(attention=said, attention_at=now, next_at=None) or before:
        return
    key = f"people_source.needs_attention:{source.pk}:{source.attempt}:{code}"
    letters = []
    for one in _managers(source.company.path, now):
        language = getattr(getattr(one, "user", None), "language", "") or translation.get_language()
        with translation.override(language):
            subject = _("The source of people %(name)s needs attention") % {"name": source.name}
            text = _(
                "%(reason)s\n\nOpen People & roles, choose Sources of people and %(name)s, and look at the preview."
            ) % {"reason": reason(code), "name": source.name}
        letters.append(Letter(person_id=one.pk, key=key, topic=Topic.CONNECTIONS, subject=subject, text=text))
    write_mail(letters, now=now)


def _managers(path: str, now: datetime) -> list[Person]:
    held = RoleAssignment.objects.filter(role__in=MANAGERS).on(now.date()).select_related("organization", "person")
    return list({one.person_id: one.person for one in held if path.startswith(one.organization.path)}.values())
