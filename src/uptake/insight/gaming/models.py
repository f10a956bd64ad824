"""What a detector found at a person, what those who looked said of it, and when a company was last searched."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from uptake.directory.models import Organization, Person, User
from uptake.directory.viewer import Deed, Viewer

DECIDING = (Deed.SEE_EVENTS, Deed.MANAGE_RULES)
"""All of these deeds at the company let one look at findings and say what they are."""


class Verdict(models.TextChoices):
    """What somebody who looked says of a finding."""

    REAL = "real", _("Points were earned by pretence")
    NOT = "not", _("Ordinary work")
    UNCLEAR = "unclear", _("Cannot be told")


def verdicts() -> list[tuple[str, Any]]:
    return list(Verdict.choices)


class FindingQuerySet(models.QuerySet["Finding"]):
    def visible_to(self, viewer: Viewer) -> FindingQuerySet:
        """Those of companies whose single people and events the viewer sees, but not about oneself."""
        if viewer.sees_everything(Deed.SEE_EVENTS):
            seen = self.all()
        else:
            seen = self.filter(viewer.within("company__path", Deed.SEE_EVENTS))
        return seen.exclude(person_id=viewer.person_id) if viewer.person_id else seen

    def open(self) -> FindingQuerySet:
        return self.filter(outcome=None)


class Finding(models.Model):
    """A detector's sign at a person over a window. Insert-only, by trigger."""

    company = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    detector = models.CharField(max_length=4)
    """As in `statistics.gaming`: one of `record_of.DETECTORS`."""
    first = models.DateField()
    last = models.DateField()
    """The window, by the company's business dates."""
    numbers = models.JSONField()
    """What its evidence line tells: the statistic's counts, and "p"."""
    events = models.JSONField()
    """Ids of the events it rests on, in the order in which they happened."""
    points = models.PositiveIntegerField()
    """What these events had earned when it was found."""
    held = models.PositiveIntegerField()
    """How many of them were available, and are on hold until somebody decides."""
    found_at = models.DateTimeField()

    objects = FindingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "person", "detector", "last"], name="finding_once_per_window"),
        ]
        indexes = [models.Index(fields=["company", "-found_at"], name="finding_by_company")]

    def __str__(self) -> str:
        return f"{self.detector} {self.person_id}"

    @property
    def hold(self) -> str:
        """The key of its hold in the ledger, and the cause of what follows from it."""
        return f"gaming/{self.pk}"


class OpinionQuerySet(models.QuerySet["Opinion"]):
    def visible_to(self, viewer: Viewer) -> OpinionQuerySet:
        """Those on findings the viewer sees."""
        return self.filter(finding__in=Finding.objects.visible_to(viewer))


class Opinion(models.Model):
    """What one person who looked says. Insert-only, by trigger; the reason may be emptied."""

    finding = models.ForeignKey(Finding, models.PROTECT, related_name="opinions")
    verdict = models.CharField(max_length=8, choices=verdicts)
    reason = models.CharField(max_length=500)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    objects = OpinionQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["finding", "by"], name="opinion_once_per_login")]

    def __str__(self) -> str:
        return f"{self.finding_id} {self.verdict}"


class OutcomeQuerySet(models.QuerySet["Outcome"]):
    def visible_to(self, viewer: Viewer) -> OutcomeQuerySet:
        """Those of findings the viewer sees."""
        return self.filter(finding__in=Finding.objects.visible_to(viewer))


class Outcome(models.Model):
    """How a finding ended; once. Insert-only, by trigger."""

    finding = models.OneToOneField(Finding, models.PROTECT, primary_key=True, related_name="outcome")
    verdict = models.CharField(max_length=8, choices=verdicts)
    taken = models.PositiveIntegerField()
    """Points that were forfeited; the rest of the hold went back."""
    at = models.DateTimeField()

    objects = OutcomeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(taken=0) | Q(verdict=Verdict.REAL), name="outcome_takes_only_what_is_real"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.finding_id} {self.verdict}"


class Search(models.Model):
    """The last business date up to which a company was searched."""

    company = models.OneToOneField(Organization, models.CASCADE, primary_key=True, related_name="+")
    last = models.DateField()

    def __str__(self) -> str:
        return f"{self.company_id} {self.last}"
