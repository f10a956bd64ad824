"""Who hears of something said at a place, and in which language. Reads."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.conf import settings

from uptake.directory.models import Organization, Person, PersonKind, User


def readers_of(place: Organization, day: date) -> list[int]:
    """Ids of the people at the place or below it on a date who can read: those with an open login, in order."""
    people = Person.objects.belonging(place, day).filter(
        kind=PersonKind.HUMAN, erased_at__isnull=True, user__is_active=True
    )
    return list(people.order_by("pk").values_list("pk", flat=True))


def mailed_of(place: Organization, day: date) -> list[int]:
    """Ids of the people there who have an address, with or without a login, in order."""
    people = Person.objects.belonging(place, day).filter(kind=PersonKind.HUMAN, erased_at__isnull=True)
    return list(people.exclude(email="").order_by("pk").values_list("pk", flat=True))


def languages_of(people: Iterable[int]) -> dict[int, str]:
    """The language of each of these people: of their login, else that of the installation."""
    ids = set(people)
    known = User.objects.filter(person_id__in=ids).exclude(language="").values_list("person_id", "language")
    chosen = {person: language for person, language in known if person is not None}
    return {person: chosen.get(person, settings.LANGUAGE_CODE) for person in ids}
