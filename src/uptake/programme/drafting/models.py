"""Rulebooks in the making: drafts with all their saves, back-tests that run, and their sealed reports."""

from __future__ import annotations

import json
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from uptake.directory.models import Organization, User
from uptake.directory.viewer import Deed, Viewer
from uptake.programme.models import RulebookVersion


class DraftState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    TESTED = "tested", _("Back-tested")
    PROPOSED = "proposed", _("Proposed")
    PUBLISHED = "published", _("Published")
    WITHDRAWN = "withdrawn", _("Withdrawn")


OPEN_STATES = (DraftState.DRAFT, DraftState.TESTED)
"""In these a draft can be edited."""


class DraftQuerySet(models.QuerySet["Draft"]):
    def visible_to(self, viewer: Viewer) -> DraftQuerySet:
        """The drafts of places whose rules one manages."""
        return self.filter(viewer.within("organization__path", Deed.MANAGE_RULES))

    def open(self) -> DraftQuerySet:
        return self.filter(state__in=OPEN_STATES)


class Draft(models.Model):
    """A rulebook being written for a place. Its file can always be read: what cannot is refused at saving."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="drafts")
    """A company or a park."""
    title = models.CharField(max_length=200)
    base = models.ForeignKey(RulebookVersion, models.PROTECT, null=True, blank=True, related_name="+")
    """The rulebook that was in force when it was begun."""
    file = models.TextField()
    """The canonical text of the rulebook file (JSON)."""
    sha256 = models.CharField(max_length=64)
    examples = models.JSONField(default=list)
    """[{"title", "event", "object", "facts", "at", "person": {department, role, tenure_days}, "points"}]: what must
    hold whenever it is published."""
    author = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=12, choices=DraftState.choices, default=DraftState.DRAFT)
    saves = models.PositiveIntegerField(default=1)
    """How often it was saved: who saves tells which save they had before them."""
    created_at = models.DateTimeField()
    saved_at = models.DateTimeField()
    published = models.ForeignKey(RulebookVersion, models.PROTECT, null=True, blank=True, related_name="+")
    shadow_since = models.DateField(null=True, blank=True)
    """From this business date on it is reported day by day, paying nothing; None: it is not."""

    objects = DraftQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="draft_published_has_version", condition=Q(published__isnull=False) | ~Q(state="published")
            ),
        ]
        indexes = [models.Index(fields=["organization", "-saved_at"], name="draft_by_place")]

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES


class Save(models.Model):
    """The draft as it was saved once. Insert-only, by trigger."""

    draft = models.ForeignKey(Draft, models.CASCADE, related_name="history")
    number = models.PositiveIntegerField()
    """1, 2, 3 … in its draft."""
    title = models.CharField(max_length=200)
    file = models.TextField()
    sha256 = models.CharField(max_length=64)
    examples = models.JSONField(default=list)
    saved_at = models.DateTimeField()
    saved_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["draft", "number"], name="save_number_once_per_draft")]

    def __str__(self) -> str:
        return f"{self.draft_id} {self.number}"


class ReportQuerySet(models.QuerySet["Report"]):
    def visible_to(self, viewer: Viewer) -> ReportQuerySet:
        """The reports of places whose rules one manages."""
        return self.filter(viewer.within("organization__path", Deed.MANAGE_RULES))

    def whole(self) -> ReportQuerySet:
        """Those of everybody, not of a sample."""
        return self.filter(sample__isnull=True)


class Report(models.Model):
    """A sealed back-test: what a rulebook would have paid on the last days. Insert-only, by trigger."""

    draft = models.ForeignKey(Draft, models.PROTECT, related_name="reports")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    draft_sha256 = models.CharField(max_length=64)
    """Of the file that was tested; the draft may be another by now."""
    in_force_sha256 = models.CharField(max_length=64, blank=True)
    """Of the rulebook it was compared with; empty: there was none."""
    from_date = models.DateField()
    until_date = models.DateField()
    """The business dates [from, until) that were replayed."""
    days = models.PositiveIntegerField()
    sample = models.PositiveIntegerField(null=True, blank=True)
    """How many people were drawn; None: everybody."""
    content = models.TextField()
    """Canonical JSON, as `backtest.report` makes it."""
    sha256 = models.CharField(max_length=64)
    """Of the content."""
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    objects = ReportQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["draft", "-made_at"], name="report_by_draft")]

    def __str__(self) -> str:
        return f"{self.draft_id} {self.sha256[:8]}"

    @property
    def told(self) -> dict[str, Any]:
        """The content as plain values."""
        found: dict[str, Any] = json.loads(self.content)
        return found


class RunState(models.TextChoices):
    WAITING = "waiting", pgettext_lazy("of a run", "Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    CANCELLED = "cancelled", _("Cancelled")
    FAILED = "failed", _("Failed")


class Run(models.Model):
    """A back-test that was asked for, and how far it is."""

    draft = models.ForeignKey(Draft, models.CASCADE, related_name="runs")
    file = models.TextField()
    """The file that is tested, as it was when it was asked for."""
    sha256 = models.CharField(max_length=64)
    days = models.PositiveIntegerField()
    sample = models.PositiveIntegerField(null=True, blank=True)
    """How many people are drawn at most; None: everybody."""
    state = models.CharField(max_length=12, choices=RunState.choices, default=RunState.WAITING)
    done = models.PositiveIntegerField(default=0)
    """Events replayed so far, of `total`."""
    total = models.PositiveIntegerField(default=0)
    problem = models.TextField(blank=True)
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    started_at = models.DateTimeField(null=True, blank=True)
    moved_at = models.DateTimeField(null=True, blank=True)
    """When it last told how far it is."""
    ended_at = models.DateTimeField(null=True, blank=True)
    report = models.ForeignKey(Report, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["state", "id"], name="run_by_state")]

    def __str__(self) -> str:
        return f"{self.draft_id} {self.state}"

    @property
    def is_over(self) -> bool:
        return self.state not in (RunState.WAITING, RunState.RUNNING)


class ExploitReportQuerySet(models.QuerySet["ExploitReport"]):
    def visible_to(self, viewer: Viewer) -> ExploitReportQuerySet:
        """The reports of places whose rules one manages."""
        return self.filter(viewer.within("organization__path", Deed.MANAGE_RULES))


class ExploitReport(models.Model):
    """A sealed search for exploits: the tricks that pay under a rulebook. Insert-only, by trigger."""

    draft = models.ForeignKey(Draft, models.PROTECT, related_name="exploit_reports")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    draft_sha256 = models.CharField(max_length=64)
    """Of the file that was searched; the draft may be another by now."""
    tricks = models.PositiveIntegerField()
    """How many tricks pay."""
    content = models.TextField()
    """Canonical JSON, as `exploit.search` makes it."""
    sha256 = models.CharField(max_length=64)
    """Of the content."""
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    objects = ExploitReportQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["draft", "-made_at"], name="exploit_report_by_draft")]

    def __str__(self) -> str:
        return f"{self.draft_id} {self.sha256[:8]}"

    @property
    def told(self) -> dict[str, Any]:
        """The content as plain values."""
        found: dict[str, Any] = json.loads(self.content)
        return found


class ExploitSearch(models.Model):
    """A search for exploits that was asked for, and how far it is."""

    draft = models.ForeignKey(Draft, models.CASCADE, related_name="searches")
    file = models.TextField()
    """The file that is searched, as it was when it was asked for."""
    sha256 = models.CharField(max_length=64)
    minutes = models.JSONField(default=dict)
    """Declared minutes of an honest deed, by event name, as texts of numbers."""
    state = models.CharField(max_length=12, choices=RunState.choices, default=RunState.WAITING)
    done = models.PositiveIntegerField(default=0)
    """Rules searched so far, of `total`."""
    total = models.PositiveIntegerField(default=0)
    problem = models.TextField(blank=True)
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    moved_at = models.DateTimeField(null=True, blank=True)
    """When it last told how far it is."""
    ended_at = models.DateTimeField(null=True, blank=True)
    report = models.ForeignKey(ExploitReport, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["state", "id"], name="exploit_search_by_state")]

    def __str__(self) -> str:
        return f"{self.draft_id} {self.state}"

    @property
    def is_over(self) -> bool:
        return self.state not in (RunState.WAITING, RunState.RUNNING)
