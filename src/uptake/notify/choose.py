"""A person chooses what reaches them by which way, and when. It concerns nobody else, so no audit entry is written."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, time
from zoneinfo import available_timezones

from django.db import transaction

from uptake.notify.models import Mail, Pace, Rhythm, Topic, Way, Wish
from uptake.notify.rhythm import Habit, due
from uptake.notify.topics import by_default
from uptake.notify.wishes import habits_of


class NoSuchZone(ValueError):
    """Not the name of a time zone."""


@transaction.atomic
def choose_ways(*, person_id: int, wanted: Mapping[Way, Collection[Topic]], now: datetime) -> None:
    """Keeps that the person wants these topics, and no other, by each of the ways named."""
    for way, some in wanted.items():
        Wish.objects.filter(person_id=person_id, way=way).delete()
        Wish.objects.bulk_create(
            Wish(person_id=person_id, topic=topic, way=way, wanted=topic in some)
            for topic in Topic
            if (topic in some) != by_default(topic, way)
        )
        if way == Way.MAIL:
            others = Mail.objects.filter(person_id=person_id, next_at__gt=now, tries=0).exclude(topic__in=some)
            others.update(next_at=None, why_not="not wanted any more")


@transaction.atomic
def choose_rhythm(
    *, person_id: int, pace: Pace, quiet: tuple[time, time] | None, zone: str = "", now: datetime
) -> None:
    """Keeps when mails come; those that wait are put off or brought forward. Raises NoSuchZone."""
    if zone and zone not in available_timezones():
        raise NoSuchZone(zone)
    start, end = quiet or (None, None)
    kept = {"pace": pace, "zone": zone, "quiet_from": start, "quiet_until": end}
    Rhythm.objects.update_or_create(person_id=person_id, defaults=kept)
    habit = habits_of([person_id], now.date()).get(person_id, Habit())
    for mail in Mail.objects.select_for_update(no_key=True).filter(person_id=person_id, next_at__gt=now, tries=0):
        mail.next_at, mail.together = due(Topic(mail.topic), habit, now)
        mail.save(update_fields=["next_at", "together"])


@transaction.atomic
def stop_mails(*, person_id: int, topic: Topic | None, now: datetime) -> None:
    """As asked by the link in a mail: no more mails of this topic, or of any. Safe to repeat."""
    for one in Topic if topic is None else (topic,):
        if by_default(one, Way.MAIL):
            Wish.objects.update_or_create(person_id=person_id, topic=one, way=Way.MAIL, defaults={"wanted": False})
        else:
            Wish.objects.filter(person_id=person_id, topic=one, way=Way.MAIL).delete()
    waiting = Mail.objects.filter(person_id=person_id, next_at__isnull=False)
    (waiting if topic is None else waiting.filter(topic=topic)).update(next_at=None, why_not="not wanted any more")
