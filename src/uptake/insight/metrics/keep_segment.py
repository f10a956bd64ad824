"""Keeps segments: made, changed, frozen to a list of a day, dropped. What is shared is written into the audit log."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction

from uptake.activity.criteria import read_segment
from uptake.activity.question import Moment, QuestionRefused
from uptake.directory.audit import note
from uptake.directory.models import Organization
from uptake.directory.place import settings_at
from uptake.directory.viewer import Deed, NotAllowed, Viewer
from uptake.insight.metrics.kept import may_change_kept, named, roles_of
from uptake.insight.models import ROLES_SEEING_PEOPLE, Segment

MOST_MEMBERS = 200_000


class TooMany(ValueError):
    """More members than a list can keep."""


@transaction.atomic
def make_segment(
    *,
    name: str,
    organization: Organization,
    criteria: Mapping[str, Any],
    by: Viewer,
    now: datetime,
    roles: Collection[str] = (),
) -> Segment:
    """A live segment of a place. Raises NotAllowed, NoName, NotARole, QuestionRefused (what is wrong with `criteria`).

    `criteria` is {"match", "criteria", "of"}; the instant is that of the question in which it is used."""
    if by.user_id is None or not by.may(Deed.SEE_PEOPLE, organization):
        raise NotAllowed
    segment = Segment.objects.create(
        name=named(name),
        organization=organization,
        owner_id=by.user_id,
        roles=roles_of(roles, ROLES_SEEING_PEOPLE),
        criteria=checked(criteria, organization, by.today),
        created_at=now,
        changed_at=now,
    )
    _note("segment.made", segment, by, now)
    return segment


@transaction.atomic
def change_segment(
    *,
    segment: Segment,
    by: Viewer,
    now: datetime,
    name: str | None = None,
    criteria: Mapping[str, Any] | None = None,
    roles: Collection[str] | None = None,
) -> Segment:
    """Changes what is given; new criteria make it live. Raises as `make_segment`."""
    segment = _held(segment, by)
    shared = bool(segment.roles)
    before = (segment.name, segment.criteria, segment.roles, segment.members)
    if name is not None:
        segment.name = named(name)
    if roles is not None:
        segment.roles = roles_of(roles, ROLES_SEEING_PEOPLE)
    if criteria is not None:
        segment.criteria = checked(criteria, segment.organization, by.today)
        segment.members = segment.taken_date = None
    if before != (segment.name, segment.criteria, segment.roles, segment.members):
        segment.changed_at = now
        segment.save()
        _note("segment.changed", segment, by, now, shared)
    return segment


@transaction.atomic
def freeze_segment(*, segment: Segment, members: Sequence[int], taken_date: date, by: Viewer, now: datetime) -> Segment:
    """Keeps who belongs on a day (ids of people or companies) as the segment from now on. Raises NotAllowed, TooMany.

    `taken_date` is the day at the place for which `members` were reckoned."""
    segment = _held(segment, by)
    if len(members) > MOST_MEMBERS:
        raise TooMany
    segment.members, segment.taken_date, segment.changed_at = sorted(set(members)), taken_date, now
    segment.save()
    _note("segment.frozen", segment, by, now)
    return segment


@transaction.atomic
def drop_segment(*, segment: Segment, by: Viewer, now: datetime) -> None:
    """Deletes it. Raises NotAllowed."""
    segment = _held(segment, by)
    _note("segment.dropped", segment, by, now)
    segment.delete()


def may_change(viewer: Viewer, segment: Segment) -> bool:
    """One's own; a shared one also who manages the place's data, as its owner may have left."""
    return viewer.may(Deed.SEE_PEOPLE, segment.organization) and may_change_kept(viewer, segment)


def checked(criteria: Mapping[str, Any], place: Organization, day: date) -> dict[str, Any]:
    """The criteria if the engine understands them; else QuestionRefused says why."""
    if "as_of" in criteria:
        raise QuestionRefused("as_of", "nothing: a segment is as of the question in which it is used")
    read_segment(criteria, "", zone=settings_at(place).on(day).zone, as_of=lambda: Moment(day))
    return dict(criteria)


def _held(segment: Segment, by: Viewer) -> Segment:
    """The segment, locked, if the viewer may change it."""
    found = Segment.objects.select_for_update(of=("self",)).select_related("organization").get(pk=segment.pk)
    if not may_change(by, found):
        raise NotAllowed
    return found


def _note(deed: str, segment: Segment, by: Viewer, now: datetime, shared: bool = False) -> None:
    if not segment.roles and not shared:
        return
    details = {"segment": segment.pk, "roles": list(segment.shared_roles), "criteria": segment.criteria}
    if segment.taken_date is not None:
        details["taken"] = segment.taken_date.isoformat()
    note(deed=deed, actor=by, organization=segment.organization, subject=segment.name, details=details, now=now)
