"""Who hears of something said at a place. Reads."""

from __future__ import annotations

from datetime import date

from uptake.directory.models import Organization, Person, PersonKind


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
