"""What people want to be told by which way, when, and in which language. Reads."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from functools import cache

from django.conf import settings

from uptake.directory.models import Organization, User
from uptake.directory.place import memberships_of, settings_at, settings_of, span_on
from uptake.notify.models import Pace, Rhythm, Topic, Way, Wish
from uptake.notify.rhythm import Habit
from uptake.notify.topics import by_default


def wanting(people: Collection[int], way: Way) -> dict[int, frozenset[Topic]]:
    """The topics each of these people wants by this way."""
    usual = _usual(way)
    found: dict[int, set[Topic]] = {}
    for person, topic, wanted in Wish.objects.filter(person_id__in=people, way=way).values_list(
        "person_id", "topic", "wanted"
    ):
        mine = found.setdefault(person, set(usual))
        (mine.add if wanted else mine.discard)(Topic(topic))
    return {person: frozenset(found[person]) if person in found else usual for person in people}


@cache
def _usual(way: Way) -> frozenset[Topic]:
    """One set for all who chose nothing: open pages hold on to it."""
    return frozenset(topic for topic in Topic if by_default(topic, way))


def wanted_by(person: int | None, way: Way) -> frozenset[Topic]:
    """The topics one person wants by this way."""
    return wanting([person or 0], way)[person or 0]


def habits_of(people: Collection[int], day: date) -> dict[int, Habit]:
    """How those want mails who chose anything about it; the others are left out."""
    rows = {one.person_id: one for one in Rhythm.objects.filter(person_id__in=people)}
    zones = zones_of([key for key, one in rows.items() if not one.zone], day)
    return {
        key: Habit(
            pace=Pace(one.pace),
            zone=one.zone or zones[key],
            quiet=(one.quiet_from, one.quiet_until) if one.quiet_from and one.quiet_until else None,
        )
        for key, one in rows.items()
    }


def zones_of(people: Collection[int], day: date) -> dict[int, str]:
    """The time zone of the place each belongs to on a day, else that of the installation."""
    if not people:
        return {}
    spans = {person: span_on(mine, day) for person, mine in memberships_of(people).items()}
    wanted = {span.organization_id for span in spans.values() if span is not None}
    clocks = settings_of(Organization.objects.filter(pk__in=wanted))
    usual = settings_at(None).on(day).zone
    return {
        person: clocks[span.organization_id].on(day).zone if (span := spans.get(person)) is not None else usual
        for person in people
    }


def languages_of(people: Iterable[int]) -> dict[int, str]:
    """The language of each of these people: of their login, else that of the installation."""
    ids = set(people)
    known = User.objects.filter(person_id__in=ids).exclude(language="").values_list("person_id", "language")
    chosen = {person: language for person, language in known if person is not None}
    return {person: chosen.get(person, settings.LANGUAGE_CODE) for person in ids}
