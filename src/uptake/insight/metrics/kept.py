"""What segments and views have in common: a name, and the roles they are shared with; and how either is refused."""

from __future__ import annotations

from collections.abc import Collection

from uptake.directory.viewer import Deed, Viewer
from uptake.insight.models import Kept, written_roles

LONGEST_NAME = 200


class NoName(ValueError):
    """What is kept has a name."""


class NotARole(ValueError):
    """It is shared with roles that see what it tells."""


def named(name: str) -> str:
    """The name in one line, no longer than is kept. Raises NoName."""
    name = " ".join(name.split())
    if not name:
        raise NoName
    return name[:LONGEST_NAME]


def roles_of(roles: Collection[str], among: Collection[str]) -> str:
    """The roles as they are stored. Raises NotARole, with the first that is not `among` those it can be shared with."""
    strange = set(roles) - set(among)
    if strange:
        raise NotARole(sorted(strange)[0])
    return written_roles(roles)


def may_change_kept(viewer: Viewer, kept: Kept) -> bool:
    """One's own; a shared one also who manages the data of its place, as its owner may have left."""
    if kept.owner_id == viewer.user_id:
        return True
    return bool(kept.roles) and viewer.may(Deed.MANAGE_DATA, kept.organization)
