"""Retroactive runs and their lines: who gets how much for which event, fixed before anybody approves."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from uptake.directory.models import Organization, Person, User
from uptake.directory.viewer import Deed, Viewer
from uptake.events.models import Event
from uptake.programme.models import RulebookVersion


class RunState(models.TextChoices):
    PLANNED = "planned", _("Waits for approval")
    APPROVED = "approved", _("Approved")
    EXECUTED = "executed", _("Posted")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class RunQuerySet(models.QuerySet["RetroactiveRun"]):
    def visible_to(self, viewer: Viewer) -> RunQuerySet:
        """The runs of companies whose rules one manages."""
        return self.filter(viewer.within("organization__path", Deed.MANAGE_RULES))


class RetroactiveRun(models.Model):
    """One run over the events of a span: what a published rulebook gives for them, beside what they earned."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    """A company: its book of points."""
    version = models.ForeignKey(RulebookVersion, models.PROTECT, related_name="+")
    from_date = models.DateField()
    until_date = models.DateField()
    """Business dates [from, until)."""
    names = models.JSONField(default=list)
    """Names of the events that count; empty: all."""
    why = models.TextField()
    corrects = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="corrections")
    """The run of which too much was given and is taken back; None: this run gives."""
    state = models.CharField(max_length=12, choices=RunState.choices, default=RunState.PLANNED)
    lines_sha256 = models.CharField(max_length=64)
    """Of the lines: what is approved is what is posted."""
    points = models.PositiveBigIntegerField(default=0)
    people = models.PositiveIntegerField(default=0)
    asked_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    asked_by_person = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    asked_at = models.DateTimeField()
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    approved_by_person = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    approved_at = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(null=True, blank=True)
    """Of what is taken back: until then those concerned may appeal."""
    executed_at = models.DateTimeField(null=True, blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="retroactive_run_has_days", condition=Q(until_date__gt=F("from_date"))),
            models.CheckConstraint(
                name="retroactive_run_by_two",
                condition=Q(asked_by_person__isnull=True)
                | Q(approved_by_person__isnull=True)
                | ~Q(asked_by_person=F("approved_by_person")),
            ),
        ]
        indexes = [models.Index(fields=["organization", "-asked_at"], name="retroactive_by_place")]

    def __str__(self) -> str:
        return f"{self.organization_id} {self.pk} {self.state}"

    @property
    def cause(self) -> str:
        """How its entries in the ledger name it."""
        return f"retroactive/{self.pk}"

    @property
    def gives(self) -> bool:
        return self.corrects_id is None


class RetroactiveLine(models.Model):
    """What one event brings to one person by one run. Insert-only, by trigger."""

    run = models.ForeignKey(RetroactiveRun, models.PROTECT, related_name="lines")
    event = models.ForeignKey(Event, models.PROTECT, related_name="+", db_index=False)
    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    department = models.ForeignKey(Organization, models.PROTECT, null=True, blank=True, related_name="+")
    """Where the person belonged when the run was planned."""
    rule = models.CharField(max_length=200)
    """The rule that gives most for the event."""
    date = models.DateField()
    before = models.PositiveIntegerField()
    """What the event has earned, all rules together."""
    after = models.PositiveIntegerField()
    """What the chosen rulebook gives for it."""
    points = models.PositiveIntegerField()
    """Given, or taken back, by this run."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "event"], name="retroactive_line_once_per_event"),
            models.CheckConstraint(name="retroactive_line_moves_points", condition=Q(points__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.run_id} {self.event_id} {self.points}"

    @property
    def lot(self) -> str:
        """Key of its points in the ledger, and of the entry that gives them."""
        return f"retroactive/{self.run_id}/{self.event_id}"
