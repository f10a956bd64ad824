"""Announces what happened to the webhooks of its place, in the transaction in which it happens: nothing is lost.

Each delivery is for one company; a webhook hears of its own place and of what lies below, never of anything beside.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from django.utils import translation

from uptake.directory.models import Organization, Person
from uptake.notify.models import About, Delivery, Webhook
from uptake.notify.notices import line_of
from uptake.notify.own_words import owns_at
from uptake.notify.wordings import NOBODYS, Own, chat_in

AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Something that happened at a place. `data` is told as it is: plain JSON values and nobody's name."""

    about: About
    kind: str
    """Dotted, past tense: points.awarded."""
    organization_id: int
    key: str
    """What makes announcing twice announcing once."""
    at: datetime
    person_id: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


def announce(news: Sequence[News], *, now: datetime) -> None:
    """Writes a delivery for every webhook that listens. Call it in the transaction of the deed itself."""
    if not news:
        return
    hooks = list(Webhook.objects.select_related("organization").order_by("pk"))
    wanted = {about for hook in hooks for about in hook.about}
    told = [one for one in news if one.about in wanted]
    if not told:
        return
    places = {one.pk: one for one in Organization.objects.filter(pk__in=sorted({one.organization_id for one in told}))}
    numbers = _staff_numbers({one.person_id for one in told if one.person_id is not None})
    groups = {hook.organization for hook in hooks if hook.chat}
    owns = owns_at(groups, {one.kind for one in told}) if groups else {}
    made = [
        _delivery(hook, one, place, numbers, owns.get(hook.organization_id, NOBODYS), now)
        for one, place in ((one, places[one.organization_id]) for one in told)
        for hook in hooks
        if one.about in hook.about and place.path.startswith(hook.organization.path)
    ]
    Delivery.objects.bulk_create(made, batch_size=AT_ONCE, ignore_conflicts=True)


def somebody_listens(about: About) -> bool:
    """Whether any webhook wants to hear of this at all."""
    return any(about in wanted for wanted in Webhook.objects.values_list("about", flat=True))


def _delivery(
    hook: Webhook, one: News, place: Organization, numbers: Mapping[int, str], own: Own, now: datetime
) -> Delivery:
    data: dict[str, Any] = {"organization": place.slug}
    if one.person_id is not None:
        data["person"] = {"id": one.person_id, "staff_number": numbers.get(one.person_id, "")}
    return Delivery(
        webhook=hook,
        company_id=place.company_id,
        person_id=one.person_id,
        number=new_number(),
        key=one.key[:255],
        kind=one.kind,
        body=body_of(one.kind, one.at, {**data, **one.data}, said_in=hook.language if hook.chat else "", own=own),
        written_at=now,
        due_since=now,
        next_at=now,
    )


def new_number() -> str:
    """A number no other delivery has."""
    return f"msg_{uuid.uuid4().hex}"


def body_of(kind: str, at: datetime, data: Mapping[str, Any], *, said_in: str = "", own: Own = NOBODYS) -> str:
    """What is sent: JSON of the type, the time it happened and the data; for a group's robot also its words.

    `own`: the words of the place at which the group is told, not of the place where it happened.
    """
    told: dict[str, Any] = {"type": kind, "timestamp": at.astimezone(UTC).isoformat(), "data": dict(data)}
    if said_in:
        with translation.override(said_in):
            (title, text), href = chat_in(kind, data, own), line_of(kind, data)["href"]
        told |= {"title": title, "text": text, "href": str(href)}
    return orjson.dumps(told).decode()


def _staff_numbers(people: set[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    ids = sorted(people)
    for start in range(0, len(ids), AT_ONCE):
        found |= dict(Person.objects.filter(pk__in=ids[start : start + AT_ONCE]).values_list("pk", "staff_number"))
    return found
