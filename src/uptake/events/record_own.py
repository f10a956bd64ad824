"""What the product's own modules did, on the one timeline: recorded as events with the source `uptake`.

A post written or a training attended is an event like an order processed, so rules may pay for it and pages count it,
though the module knows neither points nor charts. Names beginning with `programme.` never earn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from uptake.directory.models import Organization
from uptake.directory.resolve import name_own_people
from uptake.directory.viewer import ids_of
from uptake.events.connect import OWN
from uptake.events.happening import Fate, Happening
from uptake.events.models import Connection, Event, EventType
from uptake.events.own_names import OWN_NAMES
from uptake.events.record import record


@dataclass(frozen=True, slots=True)
class OwnDeed:
    """One thing a module of ours did or saw done."""

    company: int
    """Id of the company it counts for."""
    person: int | None
    """Id of who did it; None: the product by itself."""
    name: str
    """One of `own_names.OWN_NAMES`."""
    key: str
    """Makes a repetition harmless, e.g. `post/17`; unique together with the name."""
    at: datetime
    object: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    instead_of: str = ""
    """The name under which the key was said first, where another name now takes the place of what stands."""
    anew: bool = False
    """It takes the place of what was said under the key before; whoever says so holds what keeps it from being said
    twice."""


class UnknownOwnName(ValueError):
    """The name is not in the list of what our modules record."""


@transaction.atomic
def record_own(deeds: Sequence[OwnDeed], *, now: datetime) -> list[Fate]:
    """Records what our modules did, in the order given; call it in the transaction of the deed itself.

    Every top of the tree has one connection for it (`uptake`, then `uptake-<id>`). Saying a key again changes nothing.
    Raises UnknownOwnName.
    """
    for deed in deeds:
        if deed.name not in OWN_NAMES:
            raise UnknownOwnName(deed.name)
    companies = Organization.objects.in_bulk({deed.company for deed in deeds})
    tops = {key: ids_of(one.path)[0] for key, one in companies.items()}
    fates: list[Fate | None] = [None] * len(deeds)
    for top in sorted(set(tops.values())):
        numbers = [index for index, deed in enumerate(deeds) if tops[deed.company] == top]
        connection = own_connection(companies.get(top) or Organization.objects.get(pk=top), now=now)
        _describe({deeds[index].name for index in numbers}, now)
        for company in sorted({deeds[index].company for index in numbers}):
            people = {deed.person for index in numbers if (deed := deeds[index]).company == company and deed.person}
            name_own_people(source=connection.slug, people=people, company=companies[company], now=now)
        revisions = _revisions(connection.slug, [deeds[index] for index in numbers if deeds[index].anew])
        happenings = [_happening(deeds[index], companies, revisions) for index in numbers]
        for index, fate in zip(numbers, record(happenings, connection=connection, now=now), strict=True):
            fates[index] = fate
    return [fate for fate in fates if fate is not None]


def own_connection(top: Organization, *, now: datetime) -> Connection:
    """The connection by which our own modules speak of everything below `top`; made where it is missing."""
    found = Connection.objects.select_related("organization").filter(kind=OWN, organization=top).first()
    if found is not None:
        return found
    slug = OWN if not Connection.objects.filter(slug=OWN).exists() else f"{OWN}-{top.pk}"
    made, _new = Connection.objects.get_or_create(
        slug=slug, defaults={"kind": OWN, "name": "Uptake", "organization": top, "created_at": now}
    )
    if made.organization_id != top.pk:
        # Another top took the plain name in this moment.
        made, _new = Connection.objects.get_or_create(
            slug=f"{OWN}-{top.pk}",
            defaults={"kind": OWN, "name": "Uptake", "organization": top, "created_at": now},
        )
    return made


def _key(deed: OwnDeed) -> str:
    return f"{deed.instead_of or deed.name}/{deed.key}"


def _revisions(source: str, deeds: Sequence[OwnDeed]) -> dict[str, int]:
    """The highest revision under the keys of these deeds."""
    if not deeds:
        return {}
    rows = Event.objects.filter(source=source, key__in=[_key(deed) for deed in deeds])
    return dict(rows.values_list("key").annotate(Max("revision")).order_by())


def _happening(deed: OwnDeed, companies: Mapping[int, Organization], revisions: Mapping[str, int]) -> Happening:
    return Happening(
        event=deed.name,
        key=_key(deed),
        revision=revisions.get(_key(deed), 0) + 1,
        at=deed.at,
        person=f"person/{deed.person}" if deed.person else None,
        object=deed.object,
        facts=dict(deed.facts),
        company=companies[deed.company].slug,
    )


def _describe(names: set[str], now: datetime) -> None:
    """Puts names not seen before into the catalogue, with their labels."""
    known = set(EventType.objects.filter(name__in=names).values_list("name", flat=True))
    EventType.objects.bulk_create(
        [
            EventType(
                name=name,
                label_en=OWN_NAMES[name].en,
                label_zh=OWN_NAMES[name].zh,
                category=OWN_NAMES[name].category,
                properties={key: {"type": kind} for key, kind in OWN_NAMES[name].facts.items()},
                counts_as_active=False,
                declared=True,
                created_at=now,
            )
            for name in sorted(names - known)
        ],
        ignore_conflicts=True,
    )
