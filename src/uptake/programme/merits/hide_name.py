"""Takes one's name off the boards, and puts it back."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from uptake.directory.viewer import NotAllowed, Viewer
from uptake.programme.merits.models import Nameless


@transaction.atomic
def hide_name(*, hidden: bool, by: Viewer, now: datetime) -> None:
    """From now on the viewer stands on boards as "member" (or by name again). Repeating it changes nothing.

    Raises NotAllowed for a login without a person.
    """
    if by.person_id is None:
        raise NotAllowed
    if hidden:
        Nameless.objects.get_or_create(person_id=by.person_id, defaults={"since": now})
    else:
        Nameless.objects.filter(person_id=by.person_id).delete()
