"""Connections, the catalogue, events and what was said about them afterwards. Events are never changed."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from uptake.directory.models import Identity, Organization, User


class Connection(models.Model):
    """One configured link to an outside system. Its slug is the `source` of its events and identities."""

    slug = models.SlugField(max_length=100, unique=True)
    kind = models.CharField(max_length=32)
    """api, file, or (later) the name of a connector; `uptake` for what our own modules record."""
    name = models.CharField(max_length=200)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="connections")
    """Whose events come in here. At a park, a happening may name its company."""
    timezone = models.CharField(max_length=64, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    last_event_at = models.DateTimeField(null=True, blank=True)


class ApiKey(models.Model):
    """A key of a connection: shown once, stored hashed, revocable."""

    connection = models.ForeignKey(Connection, models.PROTECT, related_name="keys")
    prefix = models.CharField(max_length=16, unique=True)
    hash = models.CharField(max_length=64)
    label = models.CharField(max_length=100, blank=True)
    allowed_origins = models.JSONField(default=list)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)


class EventType(models.Model):
    """The catalogue: a name of events, with labels, declared properties and whether it counts as active."""

    name = models.CharField(max_length=200, unique=True)
    label_en = models.CharField(max_length=200, blank=True)
    label_zh = models.CharField(max_length=200, blank=True)
    category = models.CharField(max_length=64, blank=True)
    properties = models.JSONField(default=dict)
    """{name: {"type": text|number|boolean|date, "label_en", "label_zh"}}."""
    counts_as_active = models.BooleanField(default=True)
    object_type = models.CharField(max_length=64, blank=True)
    declared = models.BooleanField(default=False)
    """False: seen in events, not yet described by a person."""
    created_at = models.DateTimeField()


class Batch(models.Model):
    """Events that came in together and may be withdrawn together: one import, one simulator run."""

    connection = models.ForeignKey(Connection, models.PROTECT, related_name="batches")
    label = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")


class Event(models.Model):
    """What happened. Insert-only, by trigger. Readers go by (txid, id), never past an event not yet visible."""

    id = models.BigAutoField(primary_key=True)
    txid = models.BigIntegerField(default=0)
    """PostgreSQL: the inserting transaction's id, set by the database; SQLite: 0 (one writer at a time)."""
    source = models.CharField(max_length=100)
    key = models.CharField(max_length=255)
    revision = models.PositiveIntegerField(default=1)
    fingerprint = models.CharField(max_length=64)
    name = models.CharField(max_length=200)
    identity = models.ForeignKey(Identity, models.PROTECT, null=True, blank=True, related_name="events")
    company = models.ForeignKey(Organization, models.PROTECT, null=True, blank=True, related_name="+")
    """Of the happening, else of the connection, else the person's membership at that time; empty: unassigned."""
    happened_at = models.DateTimeField()
    received_at = models.DateTimeField()
    business_date = models.DateField()
    tzdb = models.CharField(max_length=16)
    object = models.CharField(max_length=255, blank=True)
    facts = models.JSONField(default=dict)
    history_only = models.BooleanField(default=False)
    batch = models.ForeignKey(Batch, models.PROTECT, null=True, blank=True, related_name="events")


class QuarantineReason(models.TextChoices):
    FUTURE = "future", _("Happens in the future")
    LATE = "late", _("Came too late")
    ODD = "odd", _("Does not fit the catalogue")


def quarantine_reasons() -> list[tuple[str, Any]]:
    return list(QuarantineReason.choices)


class Quarantine(models.Model):
    """A stored event that waits for a person's decision. The decision is a Correction."""

    event = models.OneToOneField(Event, models.PROTECT, primary_key=True, related_name="quarantine")
    reason = models.CharField(max_length=16, choices=quarantine_reasons)
    note = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()


class Conflict(models.Model):
    """The same key came again with other content: nothing was stored, both contents are shown."""

    event = models.ForeignKey(Event, models.PROTECT, related_name="conflicts")
    content = models.JSONField()
    received_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True, blank=True)


class CorrectionKind(models.TextChoices):
    ACCEPTED = "accepted", _("Accepted from quarantine")
    DECLINED = "declined", _("Declined in quarantine")
    IDENTIFIED = "identified", _("Identity given a person")
    PLACED = "placed", _("Event given a company")
    WITHDRAWN = "withdrawn", _("Import undone")
    MOVED = "moved", _("Membership of a person changed")


def correction_kinds() -> list[tuple[str, Any]]:
    return list(CorrectionKind.choices)


class Correction(models.Model):
    """What was decided about events afterwards. Insert-only; readers follow it by bookmark like events themselves."""

    id = models.BigAutoField(primary_key=True)
    txid = models.BigIntegerField(default=0)
    kind = models.CharField(max_length=16, choices=correction_kinds)
    event = models.ForeignKey(Event, models.PROTECT, null=True, blank=True, related_name="corrections")
    identity = models.ForeignKey(Identity, models.PROTECT, null=True, blank=True, related_name="+")
    batch = models.ForeignKey(Batch, models.PROTECT, null=True, blank=True, related_name="corrections")
    person_id_was = models.BigIntegerField(null=True, blank=True)
    """For identified: the person before; for moved: the person moved."""
    company = models.ForeignKey(Organization, models.PROTECT, null=True, blank=True, related_name="+")
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")


class Bookmark(models.Model):
    """How far a reader has read events and corrections."""

    reader = models.CharField(max_length=64, primary_key=True)
    event_txid = models.BigIntegerField(default=0)
    event_id = models.BigIntegerField(default=0)
    correction_txid = models.BigIntegerField(default=0)
    correction_id = models.BigIntegerField(default=0)
    moved_at = models.DateTimeField(null=True, blank=True)
