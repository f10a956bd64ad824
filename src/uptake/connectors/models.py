"""Imports of files, systems that are asked and how far each was read, and what was refused or not understood."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from uptake.directory.models import Organization, User
from uptake.directory.viewer import Deed, Viewer
from uptake.events.models import ApiKey, Batch, Connection, WidgetKey


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


class PullQuerySet(models.QuerySet["Pull"]):
    def visible_to(self, viewer: Viewer) -> PullQuerySet:
        """Systems of places whose data the viewer manages."""
        return self.filter(viewer.within("connection__organization__path", Deed.MANAGE_DATA))


class Pull(models.Model):
    """A system that is asked for what happened in it; its connection is the source of the events."""

    connection = models.OneToOneField(Connection, models.PROTECT, related_name="pull")
    preset = models.CharField(max_length=64, blank=True)
    """The shipped declaration it was made from."""
    declaration = models.TextField()
    """Its own copy, in YAML: see `pull/declaration.py`."""
    settings = models.JSONField(default=dict)
    """{name: text}: address, user, database; nothing secret."""
    secrets = models.BinaryField(default=b"")
    """{name: text} as JSON, sealed: see `pull/secrets.py`."""
    activated_at = models.DateTimeField()
    history_from = models.DateTimeField(null=True, blank=True)
    """What happened from here to its activation is read too."""
    earn_history = models.BooleanField(default=False)
    """Whether what happened before its activation earns points; else it is history."""
    side_effects_earn = models.BooleanField(default=False)
    every_seconds = models.PositiveIntegerField(default=60)
    next_at = models.DateTimeField()
    tried_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    """When all its streams were last read to their end."""
    who = models.CharField(max_length=200, blank=True)
    """As whom the system knows us."""
    failures = models.PositiveIntegerField(default=0)
    """How often in a row it could not be asked."""
    failure = models.JSONField(null=True, blank=True)
    """{code, detail} of the last of them."""
    attention = models.JSONField(null=True, blank=True)
    """{code, detail}: why it is not asked any more until a person has looked."""
    attention_at = models.DateTimeField(null=True, blank=True)
    tokens = models.FloatField(default=1.0)
    """Requests allowed at `tokens_at`: see `pull/pace.py`."""
    tokens_at = models.DateTimeField()
    attempt = models.PositiveIntegerField(default=0)
    """How often it was taken up: whoever holds an older number may write no more."""
    created_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    objects = PullQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["next_at"], condition=models.Q(attention__isnull=True), name="pull_next"),
        ]

    def __str__(self) -> str:
        return str(self.connection)


class PullStream(models.Model):
    """How far one stream of a system was read. The cursor is written in the transaction that records its page."""

    pull = models.ForeignKey(Pull, models.PROTECT, related_name="streams")
    name = models.CharField(max_length=100)
    high_at = models.DateTimeField(null=True, blank=True)
    """The latest instant seen, never ahead of our clock: the next run begins an overlap before it."""
    high_id = models.CharField(max_length=255, blank=True)
    place = models.JSONField(null=True, blank=True)
    """Within a run: {at, id, same} of the last record of the last page, and whether it is `wide`."""
    reread_from = models.DateTimeField(null=True, blank=True)
    """A person asked to read again from here."""
    wide_at = models.DateTimeField(null=True, blank=True)
    """When it was last read over the wider span."""
    swept_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    """When it was last read to its end."""
    records = models.BigIntegerField(default=0)
    new = models.BigIntegerField(default=0)
    """Events made of it."""
    attention = models.JSONField(null=True, blank=True)
    attention_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["pull", "name"], name="stream_once_per_pull")]

    def __str__(self) -> str:
        return self.name


class BadRecordQuerySet(models.QuerySet["BadRecord"]):
    def visible_to(self, viewer: Viewer) -> BadRecordQuerySet:
        """Records of systems of places whose data the viewer manages."""
        return self.filter(viewer.within("stream__pull__connection__organization__path", Deed.MANAGE_DATA))

    def waiting(self) -> BadRecordQuerySet:
        return self.filter(settled_at__isnull=True)


class BadRecord(models.Model):
    """A record that could not be understood, as it came."""

    stream = models.ForeignKey(PullStream, models.PROTECT, related_name="bad_records")
    digest = models.CharField(max_length=64)
    """Of the record: the same one is kept once."""
    record_id = models.CharField(max_length=255, blank=True)
    raw = models.JSONField()
    at = models.DateTimeField(null=True, blank=True)
    code = models.CharField(max_length=32)
    detail = models.CharField(max_length=300, blank=True)
    first_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)
    """When it was understood after all, or set aside."""

    objects = BadRecordQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["stream", "digest"], name="bad_record_once_per_stream")]
        indexes = [
            models.Index(
                fields=["stream", "-id"], condition=models.Q(settled_at__isnull=True), name="bad_record_waiting"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.record_id}"


class KnownRecord(models.Model):
    """That a record was there, for streams that tell nothing when one goes: what a sweep misses has vanished."""

    stream = models.ForeignKey(PullStream, models.PROTECT, related_name="known_records")
    record_id = models.CharField(max_length=255)
    vanished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["stream", "record_id"], name="known_record_once_per_stream")]

    def __str__(self) -> str:
        return self.record_id


class IntakeProblemQuerySet(models.QuerySet["IntakeProblem"]):
    def visible_to(self, viewer: Viewer) -> IntakeProblemQuerySet:
        """Problems of keys of places whose data the viewer manages."""
        return self.filter(
            viewer.within("key__connection__organization__path", Deed.MANAGE_DATA)
            | viewer.within("widget_key__connection__organization__path", Deed.MANAGE_DATA)
        )


class IntakeProblem(models.Model):
    """What intake refused or doubted of what one key sent, or of what was asked with a key of the widget, counted by
    day and code."""

    key = models.ForeignKey(ApiKey, models.PROTECT, null=True, blank=True, related_name="problems")
    widget_key = models.ForeignKey(WidgetKey, models.PROTECT, null=True, blank=True, related_name="problems")
    day = models.DateField()
    """Business date of the connection's place."""
    code = models.CharField(max_length=32)
    count = models.BigIntegerField(default=0)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    detail = models.CharField(max_length=300, blank=True)
    """The sentence that the sender was told the last time."""
    sample = models.JSONField(null=True, blank=True)
    """The last one, masked: names of fields, and two characters of each value."""

    objects = IntakeProblemQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key", "day", "code"], name="problem_once_a_day"),
            models.UniqueConstraint(fields=["widget_key", "day", "code"], name="widget_problem_once_a_day"),
            models.CheckConstraint(
                condition=models.Q(key__isnull=False) ^ models.Q(widget_key__isnull=False), name="problem_of_one_key"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.day}"


class ProbeQuerySet(models.QuerySet["Probe"]):
    def visible_to(self, viewer: Viewer) -> ProbeQuerySet:
        """Probes of places whose data the viewer manages."""
        return self.filter(viewer.within("organization__path", Deed.MANAGE_DATA))

    def standing(self) -> ProbeQuerySet:
        return self.filter(ended_at__isnull=True)


class Probe(models.Model):
    """An address of a company's system that is asked again and again whether it answers; and what was seen last."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    system = models.CharField(max_length=100)
    address = models.CharField(max_length=500)
    """As `probes/allowed.py` writes it."""
    every_minutes = models.PositiveSmallIntegerField()
    next_at = models.DateTimeField()
    looked_at = models.DateTimeField(null=True, blank=True)
    up = models.BooleanField(null=True, blank=True)
    """None: it was not asked, or not yet."""
    since = models.DateTimeField(null=True, blank=True)
    """Since when `up` is what it is."""
    code = models.CharField(max_length=32, blank=True)
    """Why; see `probes/words.py`."""
    detail = models.CharField(max_length=200, blank=True)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    milliseconds = models.PositiveIntegerField(null=True, blank=True)
    certificate_until = models.DateTimeField(null=True, blank=True)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = ProbeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "address"],
                condition=models.Q(ended_at__isnull=True),
                name="probe_once_per_company_and_address",
            ),
        ]
        indexes = [
            models.Index(fields=["next_at"], condition=models.Q(ended_at__isnull=True), name="probe_next"),
            models.Index(fields=["address", "looked_at"], name="probe_by_address"),
        ]

    def __str__(self) -> str:
        return self.system
