"""Keeps on which day a place's monthly report is made and who is told, or asks for one now."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime

from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.models import Organization, RoleAssignment, User
from uptake.directory.scope import viewer_of
from uptake.directory.viewer import Deed, NotAllowed, Viewer
from uptake.insight.impact.models import MANAGING
from uptake.insight.report.models import Schedule

LATEST_DAY = 28


class WrongSchedule(ValueError):
    """The day is not one of 1 to 28, or a reader may not see the totals of the place."""


@transaction.atomic
def keep_schedule(
    *, organization: Organization, day: int, readers: Collection[int], active: bool, by: Viewer, now: datetime
) -> Schedule:
    """From now on. Raises NotAllowed, WrongSchedule."""
    _allowed(organization, by)
    if not 1 <= day <= LATEST_DAY or not set(readers) <= readers_of(organization, now.date()).keys():
        raise WrongSchedule
    kept, _new = Schedule.objects.update_or_create(
        organization=organization,
        defaults={
            "day": day,
            "readers": sorted(set(readers)),
            "active": active,
            "made_by_id": by.user_id,
            "made_at": now,
        },
    )
    details = {"day": day, "readers": len(kept.readers), "active": active}
    note(
        deed="impact.scheduled",
        actor=by,
        organization=organization,
        subject=organization.name,
        details=details,
        now=now,
    )
    return kept


@transaction.atomic
def ask_for_one(*, schedule: Schedule, by: Viewer, now: datetime) -> None:
    """The job makes one soon, beside those of the months. Raises NotAllowed."""
    _allowed(schedule.organization, by)
    Schedule.objects.filter(pk=schedule.pk, wanted_at=None).update(wanted_at=now)


def readers_of(place: Organization, today: date) -> Mapping[int, str]:
    """Person id → name of those with a role by which they see the totals of the place."""
    held = RoleAssignment.objects.on(today).select_related("organization").order_by("person_id")
    above = {one.person_id for one in held if place.path.startswith(one.organization.path)}
    users = User.objects.filter(person_id__in=above, is_active=True).select_related("person").order_by("person__name")
    return {
        user.person.pk: user.person.name
        for user in users
        if user.person is not None and viewer_of(user, today=today).may(Deed.SEE_TOTALS, place)
    }


def _allowed(place: Organization, by: Viewer) -> None:
    if not any(by.may(deed, place) for deed in MANAGING):
        raise NotAllowed
