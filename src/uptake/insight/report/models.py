"""What is kept beside evaluations."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from uptake.directory.models import Organization, User
from uptake.directory.viewer import Deed, Viewer
from uptake.insight.impact.models import MANAGING, Evaluation, Intervention


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


class ShareLinkQuerySet(models.QuerySet["ShareLink"]):
    def visible_to(self, viewer: Viewer) -> ShareLinkQuerySet:
        """Those of evaluations at places that the viewer manages."""
        return self.filter(viewer.within("evaluation__intervention__organization__path", *MANAGING))

    def open(self, now: datetime) -> ShareLinkQuerySet:
        """Those that still let one in."""
        return self.filter(revoked_at=None, expires_at__gt=now)


class ShareLink(models.Model):
    """Lets whoever has its address read one evaluation until a day. The address is kept hashed."""

    evaluation = models.ForeignKey(Evaluation, models.PROTECT, related_name="links")
    sha = models.CharField(max_length=64, unique=True)
    """SHA-256 of the secret in the address."""
    label = models.CharField(max_length=100, blank=True)
    """Whom it is for."""
    made_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    opened = models.PositiveIntegerField(default=0)
    """How often it was opened."""
    opened_at = models.DateTimeField(null=True, blank=True)

    objects = ShareLinkQuerySet.as_manager()

    def __str__(self) -> str:
        return f"#{self.pk}"


class CostQuerySet(models.QuerySet["Cost"]):
    def visible_to(self, viewer: Viewer) -> CostQuerySet:
        """Those of interventions at places whose totals the viewer sees."""
        return self.filter(viewer.within("intervention__organization__path", Deed.SEE_TOTALS))


class Cost(models.Model):
    """What an intervention cost, as said on a day; the last one said counts. Insert-only, by trigger."""

    intervention = models.ForeignKey(Intervention, models.PROTECT, related_name="costs")
    amount = models.DecimalField(max_digits=14, decimal_places=2)
    """Money, without the points."""
    point_value = models.DecimalField(max_digits=10, decimal_places=4)
    """Money that a point costs; 0: points are not counted."""
    currency = models.CharField(max_length=3)
    made_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    made_at = models.DateTimeField()

    objects = CostQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gte=0, point_value__gte=0), name="cost_never_below_zero")
        ]

    def __str__(self) -> str:
        return f"{self.intervention_id} {self.amount} {self.currency}"


class ScheduleQuerySet(models.QuerySet["Schedule"]):
    def visible_to(self, viewer: Viewer) -> ScheduleQuerySet:
        """Those of places that the viewer manages."""
        return self.filter(viewer.within("organization__path", *MANAGING))


class Schedule(models.Model):
    """On which day of the month the report of a place is made, and who is told."""

    organization = models.OneToOneField(Organization, models.PROTECT, related_name="+")
    day = models.PositiveSmallIntegerField()
    """1 to 28."""
    readers = models.JSONField(default=list)
    """Ids of people; those who may not see the totals of the place any more are told nothing."""
    active = models.BooleanField(default=True)
    wanted_at = models.DateTimeField(null=True, blank=True)
    """Somebody asked for one now."""
    made_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    made_at = models.DateTimeField()

    objects = ScheduleQuerySet.as_manager()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(day__gte=1, day__lte=28), name="schedule_in_every_month")]

    def __str__(self) -> str:
        return f"{self.organization_id} {self.day}"


class MonthlyReportQuerySet(models.QuerySet["MonthlyReport"]):
    def visible_to(self, viewer: Viewer) -> MonthlyReportQuerySet:
        """Those of places whose totals the viewer sees."""
        return self.filter(viewer.within("organization__path", Deed.SEE_TOTALS))


class MonthlyReport(models.Model):
    """Which evaluations stood on a day, of all that was locked at or below a place."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    month = models.DateField()
    """Its first day."""
    evaluations = models.JSONField()
    """Ids, in the order of the report."""
    asked = models.BooleanField(default=False)
    """Made because somebody asked, not because its day had come."""
    told = models.PositiveIntegerField(default=0)
    """How many people were told."""
    made_at = models.DateTimeField()

    objects = MonthlyReportQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "month"], condition=Q(asked=False), name="monthly_report_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.organization_id} {self.month}"
