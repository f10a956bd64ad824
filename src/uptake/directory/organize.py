"""Makes, renames, moves and closes the places of the tree."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time
from zoneinfo import available_timezones

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Concat, Substr
from django.utils.text import slugify

from uptake.directory.audit import note
from uptake.directory.clock import UnknownZone, held, name_clock
from uptake.directory.models import Kind, Membership, Organization
from uptake.directory.place import settings_at
from uptake.directory.viewer import Deed, NotAllowed, Viewer

MAY_LIE_BELOW: Mapping[str, frozenset[str | None]] = {
    Kind.PARK: frozenset({None}),
    Kind.COMPANY: frozenset({None, Kind.PARK}),
    Kind.DEPARTMENT: frozenset({Kind.COMPANY, Kind.DEPARTMENT}),
    Kind.TEAM: frozenset({Kind.COMPANY, Kind.DEPARTMENT}),
}
"""Which kinds a kind may lie below; None is the root."""


class WrongPlace(Exception):
    """A place of this kind cannot lie there."""


class OtherCompany(Exception):
    """A place cannot leave its company: its people's history would cross the wall."""


class NameTaken(Exception):
    """Another open place beside it has this name, or any place this slug."""


class StillInUse(Exception):
    """People or open places are still there."""

    def __init__(self, *, people: int, places: int) -> None:
        self.people, self.places = people, places
        super().__init__(f"{people} people and {places} open places")


@transaction.atomic
def make_organization(
    *,
    kind: Kind,
    name: str,
    parent: Organization | None,
    by: Viewer,
    now: datetime,
    slug: str = "",
    timezone: str = "",
    day_start: time | None = None,
    trade: str = "",
) -> Organization:
    """A new place. At the root only who runs the platform may; else who manages people at the parent.

    Raises NotAllowed, WrongPlace, NameTaken, UnknownZone. An empty slug is made from the name.
    """
    if not (by.may(Deed.RUN_PLATFORM) if parent is None else by.may(Deed.MANAGE_PEOPLE, parent)):
        raise NotAllowed
    if parent is not None:
        parent = Organization.objects.select_for_update(no_key=True).get(pk=parent.pk)
    if (parent.kind if parent else None) not in MAY_LIE_BELOW[kind] or (parent and parent.closed_at):
        raise WrongPlace
    name = " ".join(name.split())
    _check_name(name, parent, None)
    if slug and Organization.objects.filter(slug=slug).exists():
        raise NameTaken
    if timezone and timezone not in available_timezones():
        raise UnknownZone
    made = Organization.objects.create(
        kind=kind,
        name=name,
        slug=slug or _free_slug(name, kind, parent),
        parent=parent,
        company=parent.company if parent else None,
        timezone=timezone,
        day_start=day_start,
        trade=trade,
        created_at=now,
    )
    made.path = f"{parent.path if parent else '/'}{made.pk}/"
    if kind == Kind.COMPANY:
        made.company = made
    made.save(update_fields=["path", "company"])
    note(deed="organization.made", actor=by, organization=made, subject=name, details={"kind": str(kind)}, now=now)
    return made


@transaction.atomic
def rename_organization(
    *, organization: Organization, name: str, by: Viewer, now: datetime, trade: str | None = None
) -> Organization:
    """Another name (and trade) for a place; its slug stays, as senders use it. Raises NotAllowed, NameTaken."""
    place = held(organization, by)
    name = " ".join(name.split())
    trade = place.trade if trade is None else trade
    if (name, trade) == (place.name, place.trade):
        return place
    _check_name(name, place.parent, place.pk)
    was = place.name
    place.name, place.trade = name, trade
    place.save(update_fields=["name", "trade"])
    note(deed="organization.renamed", actor=by, organization=place, subject=name, details={"was": was}, now=now)
    return place


@transaction.atomic
def move_organization(*, organization: Organization, parent: Organization, by: Viewer, now: datetime) -> Organization:
    """A place, with all below it, under another parent of the same company (a company: under another park).

    It keeps the clock it had: what it inherited it names itself from now on.

    Raises NotAllowed, WrongPlace (also for a place below itself), OtherCompany, NameTaken.
    """
    place = held(organization, by)
    if not by.may(Deed.MANAGE_PEOPLE, parent) or (place.parent and not by.may(Deed.MANAGE_PEOPLE, place.parent)):
        raise NotAllowed
    if place.parent_id == parent.pk:
        return place
    parent = Organization.objects.select_for_update(no_key=True).get(pk=parent.pk)
    if parent.kind not in MAY_LIE_BELOW[place.kind] or parent.path.startswith(place.path) or parent.closed_at:
        raise WrongPlace
    if place.kind != Kind.COMPANY and parent.company_id != place.company_id:
        raise OtherCompany
    _check_name(place.name, parent, place.pk)
    old, new = place.path, f"{parent.path}{place.pk}/"
    clock = settings_at(place)
    Organization.objects.filter(path__startswith=old).update(path=Concat(Value(new), Substr(F("path"), len(old) + 1)))
    place.parent, place.path = parent, new
    place.save(update_fields=["parent"])
    if settings_at(place) != clock:
        name_clock(place, clock, now=now)
    note(
        deed="organization.moved",
        actor=by,
        organization=place,
        subject=place.name,
        details={"path_was": old, "path": new},
        now=now,
    )
    return place


@transaction.atomic
def close_organization(*, organization: Organization, by: Viewer, now: datetime) -> Organization:
    """Closes a place where nobody is any more; its history stays. Raises NotAllowed, StillInUse."""
    place = held(organization, by)
    if place.closed_at is not None:
        return place
    if place.parent is None and not by.may(Deed.RUN_PLATFORM):
        raise NotAllowed
    today = settings_at(place).date_of(now)
    members = Membership.objects.filter(organization__path__startswith=place.path)
    people = members.exclude(until_date__lte=today).values("person").distinct().count()
    places = place.children.filter(closed_at__isnull=True).count()
    if people or places:
        raise StillInUse(people=people, places=places)
    place.closed_at = now
    place.save(update_fields=["closed_at"])
    note(deed="organization.closed", actor=by, organization=place, subject=place.name, now=now)
    return place


@transaction.atomic
def reopen_organization(*, organization: Organization, by: Viewer, now: datetime) -> Organization:
    """Opens a closed place again. Raises NotAllowed, WrongPlace where its parent is closed, NameTaken."""
    place = held(organization, by)
    if place.closed_at is None:
        return place
    if place.parent is not None and place.parent.closed_at is not None:
        raise WrongPlace
    _check_name(place.name, place.parent, place.pk)
    place.closed_at = None
    place.save(update_fields=["closed_at"])
    note(deed="organization.reopened", actor=by, organization=place, subject=place.name, now=now)
    return place


def _check_name(name: str, parent: Organization | None, but: int | None) -> None:
    beside = Organization.objects.filter(parent=parent, name__iexact=name, closed_at__isnull=True)
    if not name or beside.exclude(pk__in=[but] if but else []).exists():
        raise NameTaken


def _free_slug(name: str, kind: Kind, parent: Organization | None) -> str:
    """A slug nobody has: the name's (below a company after the company's), else the kind with a number."""
    base = slugify(name)[:60] or str(kind)
    if parent is not None and parent.company is not None:
        base = f"{parent.company.slug[:30]}-{base}"
    taken = set(Organization.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    number, slug = 1, base
    while slug in taken or slug == str(kind):
        slug = f"{base}-{number}"
        number += 1
    return slug
