"""What the inbox shows of a person's messages: all but single points by rules, which have a page of their own."""

from __future__ import annotations

from typing import Final

from django.db.models import Q

from uptake.notify.models import Message, MessageQuerySet, Topic, Way
from uptake.notify.topics import EARNED, kinds_of
from uptake.notify.wishes import wanted_by

COUNTED_AT_MOST: Final = 99


def inbox_of(person_id: int, *, topic: Topic | None = None, unread: bool = False) -> MessageQuerySet:
    """Newest first."""
    rows = Message.objects.filter(person_id=person_id).exclude(kind=EARNED).order_by("-created_at", "-id")
    if topic is not None:
        rows = rows.filter(_about(topic))
    return rows.unread() if unread else rows


def unread_of(person_id: int) -> int:
    """How many wait to be read, of the topics one wants to see on the page; at most 100 are counted."""
    rows = inbox_of(person_id, unread=True)
    for topic in sorted(set(Topic) - wanted_by(person_id, Way.PAGE)):
        rows = rows.exclude(_about(topic))
    return len(rows.values_list("pk")[: COUNTED_AT_MOST + 1])


def _about(topic: Topic) -> Q:
    if topic == Topic.POINTS:
        others = Q()
        for one in Topic:
            if one != Topic.POINTS:
                others |= _about(one)
        return ~others
    kinds, beginnings = kinds_of(topic)
    said = Q(kind__in=kinds)
    for beginning in beginnings:
        said |= Q(kind__startswith=beginning)
    return said
