"""What a login may see and do today: the one way from roles to a `Viewer`."""

from __future__ import annotations

from datetime import date

from django.contrib.auth.models import AnonymousUser

from uptake.directory.models import Membership, RoleAssignment, User
from uptake.directory.viewer import DEEDS_OF_ROLE, HIDE_BELOW, Deed, Grant, NotAllowed, Viewer

__all__ = [
    "DEEDS_OF_ROLE",
    "EVERYTHING",
    "HIDE_BELOW",
    "NOBODY",
    "Deed",
    "Grant",
    "NotAllowed",
    "Viewer",
    "viewer_of",
]

EVERYTHING = Viewer(None, None, "command line", (Grant("administrator", "/"),), date.max)
"""The viewer of the command line and of tests of what is not about scope: sees and may do all."""

NOBODY = Viewer(None, None, "", (), date.min)
"""The viewer of nobody's request: sees nothing."""


def viewer_of(user: User | AnonymousUser, *, today: date) -> Viewer:
    """The viewer behind a login, with the roles and memberships valid `today`; a closed login sees nothing."""
    if not isinstance(user, User) or not user.is_active:
        return NOBODY
    if user.person_id is None:
        return Viewer(user.pk, None, user.get_username(), (), today)
    assignments = RoleAssignment.objects.filter(person_id=user.person_id).on(today)
    memberships = Membership.objects.filter(person_id=user.person_id).on(today)
    return Viewer(
        user_id=user.pk,
        person_id=user.person_id,
        name=user.person.name if user.person else user.get_username(),
        grants=tuple(Grant(*row) for row in assignments.order_by("pk").values_list("role", "organization__path")),
        today=today,
        places=tuple(memberships.order_by("pk").values_list("organization__path", flat=True)),
    )
