"""Says when departments really began, and counts how that compares with when they were meant to.

Evaluations go by the registered days (intention to treat): who began later or never is not left out, as that would
compare departments that managed to begin with all others.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.place import settings_at
from uptake.directory.viewer import NotAllowed, Viewer
from uptake.insight.impact.models import MANAGING, Began, Intervention, departments_of
from uptake.insight.impact.refusals import NoDepartment, NoReason, NotBegun, WrongDay

EARLIEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Really:
    """Numbers of departments. meant: have a registered day; waiting_began: were to wait and began all the same.

    as_meant + earlier + later + never + unsaid = meant. later_least, later_most: days, of those that began later.
    """

    meant: int
    as_meant: int
    earlier: int
    later: int
    later_least: int
    later_most: int
    never: int
    waiting_began: int
    unsaid: int

    def facts(self) -> dict[str, int]:
        return asdict(self)


@transaction.atomic
def say_began(
    *,
    intervention: Intervention,
    departments: Collection[str],
    began_on: date | None,
    reason: str,
    by: Viewer,
    now: datetime,
) -> list[Began]:
    """The departments (slugs) began on that day, or never (None). What is said again as it stands is not kept twice.

    Raises NotAllowed, or NotBegun, NoDepartment, WrongDay or NoReason.
    """
    found = Intervention.objects.select_for_update(of=("self",)).select_related("organization").get(pk=intervention.pk)
    place = found.organization
    if not any(by.may(deed, place) for deed in MANAGING):
        raise NotAllowed
    today = settings_at(place).date_of(now)
    if found.locked_at is None or today < found.first_start:
        raise NotBegun
    if found.by_people or not departments or not set(departments) <= found.starts.keys():
        raise NoDepartment
    if began_on is not None and not found.first_start - EARLIEST <= began_on <= today:
        raise WrongDay
    reason = " ".join(reason.split())
    if not 0 < len(reason) <= 300:
        raise NoReason
    before = said_of(found)
    made = [
        Began.objects.create(
            intervention=found, department=one, began_on=began_on, reason=reason, made_at=now, made_by_id=by.user_id
        )
        for one in departments_of(departments)
        if one.slug not in before or (before[one.slug].began_on, before[one.slug].reason) != (began_on, reason)
    ]
    if made:
        note(
            deed="impact.began_said",
            actor=by,
            organization=place,
            subject=found.title,
            details={
                "id": found.pk,
                "departments": sorted(set(departments)),
                "began_on": None if began_on is None else began_on.isoformat(),
                "reason": reason,
            },
            now=now,
        )
    return made


def said_of(intervention: Intervention) -> dict[str, Began]:
    """What holds, by slug of the department: what was said last."""
    rows = Began.objects.filter(intervention=intervention).select_related("department").order_by("pk")
    return {one.department.slug: one for one in rows}


def counted(intervention: Intervention, said: Mapping[str, Began]) -> Really | None:
    """How what was said compares with what was registered; None where nothing was said."""
    if not said:
        return None
    apart: list[int] = []
    never = waiting_began = 0
    for slug, one in said.items():
        day = intervention.starts.get(slug)
        if day is None:
            waiting_began += one.began_on is not None
        elif one.began_on is None:
            never += 1
        else:
            apart.append((one.began_on - date.fromisoformat(day)).days)
    later = [days for days in apart if days > 0]
    return Really(
        meant=intervention.beginning,
        as_meant=apart.count(0),
        earlier=sum(days < 0 for days in apart),
        later=len(later),
        later_least=min(later, default=0),
        later_most=max(later, default=0),
        never=never,
        waiting_began=waiting_began,
        unsaid=intervention.beginning - len(apart) - never,
    )
