"""The list of who was drawn, for whoever has to act on it; that it was taken is noted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.viewer import NotAllowed, Viewer
from uptake.insight.impact.models import DrawnPerson, Intervention
from uptake.insight.impact.refusals import NotLocked


@dataclass(frozen=True)
class Line:
    """starts: None where the person waits."""

    company: str
    department: str
    name: str
    staff_number: str
    starts: date | None


@transaction.atomic
def take_list(*, intervention: Intervention, by: Viewer, now: datetime) -> list[Line]:
    """Those drawn in departments the viewer manages, by company, department and name; the erased are left out.

    Raises NotLocked, or NotAllowed where the viewer manages none of them.
    """
    if intervention.locked_at is None:
        raise NotLocked
    rows = DrawnPerson.objects.visible_to(by).filter(intervention=intervention)
    if not rows.exists():
        raise NotAllowed
    rows = rows.filter(person__erased_at=None).select_related("person", "department__company")
    start = intervention.first_start
    found = [
        Line(
            one.department.company.name if one.department.company else "",
            one.department.name,
            one.person.name,
            one.person.staff_number,
            start if one.begins else None,
        )
        for one in rows
    ]
    note(
        deed="impact.list_taken",
        actor=by,
        organization=intervention.organization,
        subject=intervention.title,
        details={"id": intervention.pk, "people": len(found)},
        now=now,
    )
    return sorted(found, key=lambda one: (one.company, one.department, one.name, one.staff_number))
