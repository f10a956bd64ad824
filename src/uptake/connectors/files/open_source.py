"""The source of the events that come in by file at a place: one connection of the kind "file" for each place."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from uptake.directory.models import Organization
from uptake.events.models import Connection

NEVER_LATE = 32767
"""Days: whoever imports a file with points means its old events too."""


def open_source(*, organization: Organization, now: datetime) -> Connection:
    """The connection of the files of a place, made if missing. One for each place, so that a file is known again."""
    slug = f"files-{organization.slug}"
    if len(slug) > 100:
        slug = f"files-{organization.pk}"
    found, _made = Connection.objects.select_related("organization").get_or_create(
        slug=slug,
        defaults={
            "kind": "file",
            "name": (_("Files of %(place)s") % {"place": organization.name})[:200],
            "organization": organization,
            "lateness_days": NEVER_LATE,
            "created_at": now,
        },
    )
    return found
