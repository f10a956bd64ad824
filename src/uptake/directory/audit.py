"""Writes down an administrative deed: who, what, where, when. Nobody can change an entry afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from uptake.directory.models import AuditEntry, Organization, User
from uptake.directory.viewer import Viewer

AT_ONCE = 500
"""Entries written by one statement."""


def note(
    *,
    deed: str,
    actor: User | Viewer | str,
    organization: Organization | None,
    subject: str = "",
    details: Mapping[str, Any] | None = None,
    now: datetime,
    address: str | None = None,
) -> AuditEntry:
    """Writes one entry, in the transaction of the deed itself. Its words are those of `entry`."""
    made = entry(
        deed=deed,
        actor=actor,
        organization=organization,
        subject=subject,
        details=details,
        now=now,
        address=address,
    )
    made.save(force_insert=True)
    return made


def note_all(entries: Sequence[AuditEntry]) -> None:
    """Writes many entries at once, in the transaction of the deeds themselves."""
    AuditEntry.objects.bulk_create(entries, batch_size=AT_ONCE)


def entry(
    *,
    deed: str,
    actor: User | Viewer | str,
    organization: Organization | None,
    subject: str = "",
    details: Mapping[str, Any] | None = None,
    now: datetime,
    address: str | None = None,
) -> AuditEntry:
    """An entry that is still to be written.

    `deed` is dotted and past ("role.given"), `actor` the viewer, the login or a name ("job imports"), `subject` what
    it was done to in words, `details` plain JSON values (never a secret), `address` the sender's IP address.
    """
    if isinstance(actor, Viewer):
        actor_id, actor_name = actor.user_id, actor.name
    elif isinstance(actor, User):
        actor_id, actor_name = actor.pk, actor.person.name if actor.person else actor.get_username()
    else:
        actor_id, actor_name = None, actor
    return AuditEntry(
        at=now,
        actor_id=actor_id,
        actor_name=actor_name[:200],
        deed=deed,
        organization=organization,
        subject=subject[:200],
        details=dict(details or {}),
        address=address,
    )
