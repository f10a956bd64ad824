"""What is kept beside evaluations."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from uptake.directory.viewer import Deed, Viewer
from uptake.insight.impact.models import Evaluation


class State(models.TextChoices):
    """How far a self-test is."""

    WAITING = "waiting", _("Waits for its turn")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")


def states() -> list[tuple[str, Any]]:
    return list(State.choices)


class SelfTestQuerySet(models.QuerySet["SelfTest"]):
    def visible_to(self, viewer: Viewer) -> SelfTestQuerySet:
        """Those of evaluations at places whose totals the viewer sees."""
        return self.filter(viewer.within("evaluation__intervention__organization__path", Deed.SEE_TOTALS))


class SelfTest(models.Model):
    """Whether the method of an evaluation can be believed at this place. Once done it never changes, by trigger."""

    evaluation = models.OneToOneField(Evaluation, models.PROTECT, related_name="self_test")
    state = models.CharField(max_length=8, choices=states, default=State.WAITING)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    facts = models.JSONField(default=dict)
    """See `self_test.Told.facts`."""
    sha = models.CharField(max_length=64, blank=True)
    """Of the history it ran on and how it ran: the same history is not drilled twice."""
    asked_at = models.DateTimeField()
    moved_at = models.DateTimeField()
    """When it last told how far it is; long ago: its runner was lost."""
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = SelfTestQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["state", "moved_at"], name="self_test_waiting")]

    def __str__(self) -> str:
        return f"{self.evaluation_id} {self.state}"
