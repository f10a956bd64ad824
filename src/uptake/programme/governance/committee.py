"""Who the committee of a place is on a date, and how it decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date

from uptake.directory.models import Organization, Person, Role, RoleAssignment
from uptake.directory.viewer import DEEDS_OF_ROLE, Deed, Viewer
from uptake.programme.governance.models import Committee, Majority


@dataclass(frozen=True, slots=True)
class Terms:
    """How a committee decides."""

    quorum_percent: int = 50
    majority: str = Majority.SIMPLE.value
    secret: bool = False
    voting_days: int = 7
    notice_days: int = 3
    appeal_days: int = 7
    debt_most: int = 0
    debt_days: int = 90
    bounded_streaks: bool = False


def terms_of(place: Organization) -> Terms:
    """Those that were set for the place, else the defaults."""
    row = Committee.objects.filter(organization=place).first()
    if row is None:
        return Terms()
    return Terms(**{field.name: getattr(row, field.name) for field in fields(Terms)})


def members_of(place: Organization, day: date) -> Sequence[Person]:
    """Those who hold the role committee at exactly this place on the date, by name."""
    held = RoleAssignment.objects.filter(role=Role.COMMITTEE, organization=place).on(day)
    return list(Person.objects.filter(pk__in=held.values("person_id"), erased_at=None).order_by("name", "pk"))


def is_member(viewer: Viewer, place: Organization) -> bool:
    """Whether the viewer sits on the committee of exactly this place today."""
    return any(grant.role == Role.COMMITTEE and grant.path == place.path for grant in viewer.grants)


def must_vote(viewer: Viewer, place: Organization, day: date) -> bool:
    """Whether the viewer manages the rules there only as one of several members, who decide together."""
    above = any(
        Deed.MANAGE_RULES in DEEDS_OF_ROLE[grant.role] and place.path.startswith(grant.path)
        for grant in viewer.grants
        if grant.role != Role.COMMITTEE
    )
    return not above and is_member(viewer, place) and len(members_of(place, day)) > 1
