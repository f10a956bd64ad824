"""Keeps views: a page of questions with its whole state under a name, for oneself or for roles at its place."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from uptake.directory.models import Organization
from uptake.directory.viewer import Deed, NotAllowed, Viewer
from uptake.insight.metrics.kept import may_change_kept, named, roles_of
from uptake.insight.models import ROLES_SEEING_TOTALS, SavedView

MOST_QUERY = 8_000


class TooLong(ValueError):
    """An address of more than 8,000 characters."""


@transaction.atomic
def save_view(
    *,
    name: str,
    page: str,
    query: str,
    organization: Organization,
    by: Viewer,
    now: datetime,
    roles: Collection[str] = (),
) -> SavedView:
    """A view of the login that asks. `query` is that of the address. Raises NotAllowed, NoName, NotARole, TooLong."""
    if by.user_id is None or not by.may(Deed.SEE_TOTALS, organization):
        raise NotAllowed
    if len(query) > MOST_QUERY:
        raise TooLong
    return SavedView.objects.create(
        name=named(name),
        page=page,
        query=query,
        organization=organization,
        owner_id=by.user_id,
        roles=roles_of(roles, ROLES_SEEING_TOTALS),
        created_at=now,
        changed_at=now,
    )


@transaction.atomic
def change_view(
    *, view: SavedView, by: Viewer, now: datetime, name: str, roles: Collection[str] | None = None
) -> SavedView:
    """Renames it, and shares it anew where `roles` are given. Raises NotAllowed, NoName, NotARole."""
    view = _held(view, by)
    view.name = named(name)
    if roles is not None:
        view.roles = roles_of(roles, ROLES_SEEING_TOTALS)
    view.changed_at = now
    view.save()
    return view


@transaction.atomic
def drop_view(*, view: SavedView, by: Viewer) -> None:
    """Deletes it. Raises NotAllowed."""
    _held(view, by).delete()


def may_change(viewer: Viewer, view: SavedView) -> bool:
    """One's own; a shared one also who manages the data of its place."""
    return may_change_kept(viewer, view)


def _held(view: SavedView, by: Viewer) -> SavedView:
    found = SavedView.objects.select_for_update(of=("self",)).select_related("organization").get(pk=view.pk)
    if not may_change(by, found):
        raise NotAllowed
    return found
