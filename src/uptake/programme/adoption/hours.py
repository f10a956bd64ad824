"""How many hours people learned. Reads."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Sum

from uptake.directory.viewer import Viewer
from uptake.programme.adoption.models import Enrolment


@dataclass(frozen=True, slots=True)
class Learned:
    """Trainings one was at, and for how many minutes altogether."""

    trainings: int
    minutes: int

    @property
    def seconds(self) -> int:
        return 60 * self.minutes


def learned_by(person_id: int, *, viewer: Viewer) -> Learned:
    """What one person learned, of what the viewer may see."""
    rows = Enrolment.objects.visible_to(viewer).filter(person_id=person_id, attended_at__isnull=False)
    told = rows.aggregate(count=Count("pk"), minutes=Sum("minutes"))
    return Learned(told["count"], told["minutes"] or 0)
