"""The source of the events that come in by file at a place: one connection of the kind "file" for each place."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from uptake.directory.models import Organization
from uptake.directory.scope import EVERYTHING
from uptake.events.connect import MOST_LATENESS, connect
from uptake.events.models import Connection


def open_source(*, organization: Organization, now: datetime) -> Connection:
    """The connection of the files of a place, made if missing. One for each place, so that a file is known again.

    Nothing that comes by it is late: whoever imports a file with points means its old events too.
    """
    slug = f"files-{organization.slug}"
    return connect(
        slug=slug if len(slug) <= 100 else f"files-{organization.pk}",
        kind="file",
        name=(_("Files of %(place)s") % {"place": organization.name})[:200],
        organization=organization,
        by=EVERYTHING,
        now=now,
        lateness_days=MOST_LATENESS,
    )
