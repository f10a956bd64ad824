"""Imports of files and the mappings remembered for them."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from uptake.directory.models import Organization, User
from uptake.directory.viewer import Deed, Viewer
from uptake.events.models import Batch, Connection


class ImportState(models.TextChoices):
    """How far an import is."""

    WAITING = "waiting", _("Waits for its mapping")
    PREVIEWED = "previewed", _("Checked, not imported")
    QUEUED = "queued", _("Waits for its turn")
    RUNNING = "running", _("Running")
    DONE = "done", _("Imported")
    FAILED = "failed", _("Stopped by an error")
    UNDONE = "undone", _("Undone")


def import_states() -> list[tuple[str, Any]]:
    return list(ImportState.choices)


class ImportRunQuerySet(models.QuerySet["ImportRun"]):
    def visible_to(self, viewer: Viewer) -> ImportRunQuerySet:
        """Imports into places whose data the viewer manages."""
        return self.filter(viewer.within("organization__path", Deed.MANAGE_DATA))


class ImportRun(models.Model):
    """One file on its way into the record: what it is, what its columns mean, what became of its rows."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    """Whose events these are; at a park, rows may name companies below it."""
    connection = models.ForeignKey(Connection, models.PROTECT, null=True, blank=True, related_name="+")
    batch = models.ForeignKey(Batch, models.PROTECT, null=True, blank=True, related_name="+")
    file_name = models.CharField(max_length=255)
    """As the sender called it; only shown."""
    kept_as = models.CharField(max_length=64)
    """Its name in UPTAKE_DATA/imports."""
    sha256 = models.CharField(max_length=64)
    bytes = models.BigIntegerField()
    format = models.CharField(max_length=16)
    notes = models.JSONField(default=dict)
    """What was found out about the file: encoding, delimiter, sheet."""
    columns = models.JSONField(default=list)
    header_hash = models.CharField(max_length=64)
    rows_expected = models.BigIntegerField(default=0)
    mapping = models.JSONField(null=True, blank=True)
    earn = models.BooleanField(default=False)
    """Whether its events earn points; else they are history only."""
    state = models.CharField(max_length=16, choices=import_states, default=ImportState.WAITING)
    attempt = models.PositiveIntegerField(default=0)
    """How often it was taken up: whoever holds an older number may write no more."""
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    rows = models.BigIntegerField(default=0)
    """Rows read and settled so far: where a new attempt goes on."""
    new = models.BigIntegerField(default=0)
    """Rows stored as events, those in quarantine too."""
    replayed = models.BigIntegerField(default=0)
    rejected = models.BigIntegerField(default=0)
    """Rows not stored: unreadable, or the same key with other content."""
    conflicts = models.BigIntegerField(default=0)
    quarantined = models.BigIntegerField(default=0)
    reasons = models.JSONField(default=dict)
    """{code: rows} of those rejected and quarantined."""
    errors = models.JSONField(default=list)
    """The first 1,000 of them: [row, code, column, value]."""
    totals = models.JSONField(default=dict)
    """Control totals; see `files/totals.py`."""
    preview = models.JSONField(null=True, blank=True)
    failure = models.JSONField(null=True, blank=True)
    """{code, row, detail} of what stopped it."""
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    objects = ImportRunQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["organization", "-id"], name="import_by_organization"),
            models.Index(
                fields=["id"], condition=models.Q(state__in=["queued", "running"]), name="import_waiting_for_a_runner"
            ),
        ]

    def __str__(self) -> str:
        return self.file_name


class RememberedMapping(models.Model):
    """The mapping last used for a header at a place."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    header_hash = models.CharField(max_length=64)
    mapping = models.JSONField()
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "header_hash"], name="mapping_once_per_header_and_place"),
        ]
