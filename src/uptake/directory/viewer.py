"""Whoever looks, and what each role allows at its place in the tree: values, made from the record by `scope`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet

if TYPE_CHECKING:
    from uptake.directory.models import Organization

HIDE_BELOW = 5
"""Groups of fewer people than this are hidden from those who may see totals only."""


class NotAllowed(Exception):
    """The viewer may not do this at that place."""


class Deed(Enum):
    """What a viewer may do at a place and below it."""

    SEE_TOTALS = "see_totals"
    SEE_PEOPLE = "see_people"
    SEE_EVENTS = "see_events"
    MANAGE_PEOPLE = "manage_people"
    GIVE_ROLES = "give_roles"
    MANAGE_DATA = "manage_data"
    MANAGE_RULES = "manage_rules"
    SEE_AUDIT = "see_audit"
    SEE_LEDGER = "see_ledger"
    RUN_TRAININGS = "run_trainings"
    ANSWER_FEEDBACK = "answer_feedback"
    RUN_PLATFORM = "run_platform"


ALL_DEEDS = frozenset(Deed)
DEEDS_OF_ROLE: Mapping[str, frozenset[Deed]] = {
    "administrator": ALL_DEEDS,
    "operator": ALL_DEEDS - {Deed.RUN_PLATFORM},
    "coach": frozenset({Deed.SEE_TOTALS, Deed.SEE_PEOPLE, Deed.SEE_EVENTS, Deed.RUN_TRAININGS, Deed.ANSWER_FEEDBACK}),
    "manager": frozenset(
        {Deed.SEE_TOTALS, Deed.MANAGE_PEOPLE, Deed.GIVE_ROLES, Deed.RUN_TRAININGS, Deed.ANSWER_FEEDBACK}
    ),
    "committee": frozenset({Deed.SEE_TOTALS, Deed.MANAGE_RULES, Deed.ANSWER_FEEDBACK}),
    "employee": frozenset(),
    "auditor": frozenset({Deed.SEE_TOTALS, Deed.SEE_PEOPLE, Deed.SEE_EVENTS, Deed.SEE_LEDGER, Deed.SEE_AUDIT}),
}
"""What a role allows at its place. One's own events and points need no role."""

ROLES_GIVEN_BY: Mapping[str, frozenset[str]] = {
    "administrator": frozenset(DEEDS_OF_ROLE),
    "operator": frozenset(DEEDS_OF_ROLE) - {"administrator"},
    "manager": frozenset({"employee", "committee"}),
}
"""Which roles the holder of a role may give at its place."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One role valid today. `path` is the organization's path from the root, "/1/5/"; "/" is everywhere."""

    role: str
    path: str


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whoever looks: a login with its person and the roles valid `today`. Without grants: one's own things only."""

    user_id: int | None
    person_id: int | None
    name: str
    grants: tuple[Grant, ...]
    today: date
    places: tuple[str, ...] = field(default=())
    """Paths of the organizations one belongs to today."""

    def may(self, deed: Deed, organization: Organization | None = None) -> bool:
        """Whether the deed is allowed at `organization`; without one: anywhere at all."""
        paths = self.paths(deed)
        if organization is None:
            return bool(paths)
        return organization.path != "/" and organization.path.startswith(paths)

    def paths(self, *deeds: Deed) -> tuple[str, ...]:
        """Path prefixes under which any of the deeds is allowed, each once, none below another."""
        return _allowed(self.grants, deeds)

    def within(self, lookup: str, *deeds: Deed) -> Q:
        """The condition that `lookup` (such as "organization__path") lies where any of the deeds is allowed."""
        condition = Q(pk__in=())
        for path in self.paths(*deeds):
            condition |= Q(**{f"{lookup}__startswith": path})
        return condition

    def companies(self, deed: Deed) -> QuerySet[Organization]:
        """The companies at which the deed is allowed as a whole (a role in one department gives no company)."""
        from uptake.directory.models import Kind, Organization

        return Organization.objects.filter(self.within("path", deed), kind=Kind.COMPANY)

    def sees_everything(self, deed: Deed) -> bool:
        """Whether the deed is allowed everywhere, also for what has no place at all."""
        return "/" in self.paths(deed)

    def holds(self, role: str) -> bool:
        """Whether the role is held anywhere today."""
        return any(grant.role == role for grant in self.grants)

    def may_give(self, role: str, path: str) -> bool:
        """Whether a role held at or above `path` lets one give `role` there."""
        return any(role in ROLES_GIVEN_BY.get(grant.role, ()) and path.startswith(grant.path) for grant in self.grants)


@lru_cache(maxsize=1_000)
def _allowed(grants: tuple[Grant, ...], deeds: tuple[Deed, ...]) -> tuple[str, ...]:
    wanted = frozenset(deeds)
    return outermost(grant.path for grant in grants if DEEDS_OF_ROLE[grant.role] & wanted)


def outermost(paths: Iterable[str]) -> tuple[str, ...]:
    """The given paths (an iterable of "/1/5/"), sorted, without those that lie below another of them."""
    kept: list[str] = []
    for path in sorted(set(paths)):
        if not any(path.startswith(above) for above in kept):
            kept.append(path)
    return tuple(kept)


@lru_cache(maxsize=20_000)
def ids_of(path: str) -> tuple[int, ...]:
    """The organization ids in a path, from the root down: "/1/5/" → (1, 5)."""
    return tuple(int(part) for part in path.split("/") if part)
