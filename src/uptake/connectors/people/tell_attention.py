"""Stops a source of people until a person has looked, and tells those who manage the company's people."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import translation

from uptake.connectors.people.models import PeopleSource
from uptake.connectors.people.plan import Plan
from uptake.connectors.people.words import reason
from uptake.directory.models import Person, Role, RoleAssignment
from uptake.notify.models import Topic
from uptake.notify.wishes import languages_of
from uptake.notify.wordings import ATTENTION_OF_PEOPLE
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
    letters, people = [], _managers(source.company.path, now)
    languages = languages_of(one.pk for one in people)
    link = f"{settings.URL.geturl().rstrip('/')}/people/sources/{source.pk}/"
    for one in people:
        with translation.override(languages[one.pk]):
            facts = {"name": source.name, "reason": str(reason(code)), "link": link}
        letters.append(
            Letter(person_id=one.pk, key=key, topic=Topic.CONNECTIONS, kind=ATTENTION_OF_PEOPLE, facts=facts)
        )
    write_mail(letters, now=now)


def _managers(path: str, now: datetime) -> list[Person]:
    held = RoleAssignment.objects.filter(role__in=MANAGERS).on(now.date()).select_related("organization", "person")
    return list({one.person_id: one.person for one in held if path.startswith(one.organization.path)}.values())
