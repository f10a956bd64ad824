"""Connections, the catalogue, events and what was said about them afterwards. Events are never changed."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from uptake.basics.business_day import Clock
from uptake.directory.models import Identity, Organization, Person, User
from uptake.directory.place import settings_at
from uptake.directory.viewer import Deed, Viewer
from uptake.events.facts import FactsDecoder, FactsEncoder


class TransactionId(models.Func):
    """The id of the writing transaction on PostgreSQL; 0 on SQLite, where only one writes at a time.

    A migration adds what servers before this one have counted to the default of the columns.
    """

    arity = 0
    output_field = models.BigIntegerField()

    def as_sql(self, *_args: Any, **_context: Any) -> Any:
        return "0", []

    def as_postgresql(self, *_args: Any, **_context: Any) -> Any:
        return "(pg_current_xact_id()::text::bigint)", []


BROWSER = "browser"
"""The kind of connections whose keys stand in web pages for everybody to read: their events never earn points."""


class ConnectionQuerySet(models.QuerySet["Connection"]):
    def visible_to(self, viewer: Viewer) -> ConnectionQuerySet:
        """Connections of places whose data the viewer manages or whose events the viewer may see."""
        return self.filter(viewer.within("organization__path", Deed.MANAGE_DATA, Deed.SEE_EVENTS))

    def open(self) -> ConnectionQuerySet:
        return self.filter(paused_at__isnull=True)


class Connection(models.Model):
    """One configured link to an outside system. Its slug is the `source` of its events and identities."""

    slug = models.SlugField(max_length=100, unique=True)
    kind = models.CharField(max_length=32)
    """api, browser, file, or (later) the name of a connector; `uptake` for what our own modules record."""
    name = models.CharField(max_length=200)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="connections")
    """Whose events come in here. At a park, a happening may name its company."""
    timezone = models.CharField(max_length=64, blank=True)
    """IANA zone of clock times that name none, for the readers of files and systems; the API asks for a zone."""
    lateness_days = models.PositiveSmallIntegerField(default=7)
    """Whole days after an event's business date in which it still comes in time; later ones wait in quarantine."""
    page_events = models.JSONField(default=list, blank=True)
    """Names of events that web pages may send beside page views; only of connections of the kind browser."""
    paused_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    last_event_at = models.DateTimeField(null=True, blank=True)
    """To the minute, so that a busy connection is not written with every event."""

    objects = ConnectionQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    @cached_property
    def clock(self) -> Clock:
        """The clock of its organization, read once for this object."""
        return settings_at(self.organization)


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def visible_to(self, viewer: Viewer) -> ApiKeyQuerySet:
        """Keys of connections whose data the viewer manages."""
        return self.filter(viewer.within("connection__organization__path", Deed.MANAGE_DATA))

    def valid(self) -> ApiKeyQuerySet:
        return self.filter(revoked_at__isnull=True)


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

    objects = ApiKeyQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{'upb' if self.connection.kind == BROWSER else 'upk'}_{self.prefix}"


class WidgetKeyQuerySet(models.QuerySet["WidgetKey"]):
    def visible_to(self, viewer: Viewer) -> WidgetKeyQuerySet:
        """Keys of connections whose data the viewer manages."""
        return self.filter(viewer.within("connection__organization__path", Deed.MANAGE_DATA))

    def valid(self) -> WidgetKeyQuerySet:
        """Neither revoked nor of a paused connection."""
        return self.filter(revoked_at__isnull=True, connection__paused_at__isnull=True)


class WidgetKey(models.Model):
    """Lets the server of a business software ask for tokens that show one person's points in its pages.

    The people are those of its connection, by the ids that the connection uses; the pages are those of its origins.
    """

    connection = models.ForeignKey(Connection, models.PROTECT, related_name="widget_keys")
    prefix = models.CharField(max_length=16, unique=True)
    hash = models.CharField(max_length=64)
    label = models.CharField(max_length=100, blank=True)
    allowed_origins = models.JSONField(default=list)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    last_used_at = models.DateTimeField(null=True, blank=True)
    """To the minute."""
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = WidgetKeyQuerySet.as_manager()

    def __str__(self) -> str:
        return f"upw_{self.prefix}"


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

    def __str__(self) -> str:
        return self.name


class BatchQuerySet(models.QuerySet["Batch"]):
    def visible_to(self, viewer: Viewer) -> BatchQuerySet:
        """Batches of connections whose data the viewer manages or whose events the viewer may see."""
        return self.filter(viewer.within("connection__organization__path", Deed.MANAGE_DATA, Deed.SEE_EVENTS))

    def standing(self) -> BatchQuerySet:
        """Batches that were not withdrawn."""
        return self.exclude(Exists(withdrawn(OuterRef("pk"))))


class Batch(models.Model):
    """Events that came in together and may be withdrawn together: one import, one simulator run."""

    connection = models.ForeignKey(Connection, models.PROTECT, related_name="batches")
    label = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    objects = BatchQuerySet.as_manager()

    def __str__(self) -> str:
        return self.label


def withdrawn(batch: Any) -> models.QuerySet[Correction]:
    """The corrections that withdraw a batch (an id, or an OuterRef to one)."""
    return Correction.objects.filter(kind=CorrectionKind.WITHDRAWN, batch=batch)


def standing(event: str = "") -> Q:
    """The condition that an event counts, its revisions left aside; `event` leads to it ("event__" from elsewhere)."""
    waits = Quarantine.objects.filter(event=OuterRef(f"{event}pk"))
    accepted = Correction.objects.filter(kind=CorrectionKind.ACCEPTED, event=OuterRef(f"{event}pk"))
    undone = withdrawn(OuterRef(f"{event}batch"))
    unbatched = Q(**{f"{event}batch__isnull": True})
    return Q(~Exists(waits) | Exists(accepted)) & (unbatched | Q(~Exists(undone)))


class EventQuerySet(models.QuerySet["Event"]):
    def standing(self) -> EventQuerySet:
        """Events that count: not in quarantine (or accepted), not of a withdrawn batch, the highest such revision."""
        # Hardly any event has a second revision: those that have are few in an index of their own.
        later = Event.objects.filter(standing(), revision__gt=1, source=OuterRef("source"), key=OuterRef("key")).filter(
            revision__gt=OuterRef("revision")
        )
        return self.filter(standing(), ~Exists(later))

    def placed(self) -> EventQuerySet:
        """With `place_id`: the company of the event, else the one it was given afterwards."""
        given = Correction.objects.filter(kind=CorrectionKind.PLACED, event=OuterRef("pk")).order_by("-id")
        return self.annotate(
            place_id=Coalesce(
                F("company_id"), Subquery(given.values("company_id")[:1]), output_field=models.BigIntegerField()
            )
        )

    def visible_to(self, viewer: Viewer) -> EventQuerySet:
        """Events of companies whose events the viewer may see, one's own, and unassigned ones of seen connections.

        An event of a company belongs to that company's viewers; one without a company, to the viewers of the place
        its connection belongs to.
        """
        if viewer.sees_everything(Deed.SEE_EVENTS):
            return self.all()
        own = Q(identity__person__isnull=False, identity__person_id=viewer.person_id)
        if not viewer.paths(Deed.SEE_EVENTS):
            return self.filter(own) if viewer.person_id else self.none()
        places = Organization.objects.filter(viewer.within("path", Deed.SEE_EVENTS)).values("pk")
        sources = Connection.objects.filter(viewer.within("organization__path", Deed.SEE_EVENTS)).values("slug")
        return self.placed().filter(own | Q(place_id__in=places) | Q(place_id__isnull=True, source__in=sources))

    def of_person(self, person: Person | int) -> EventQuerySet:
        """Events of all identities of a person."""
        return self.filter(identity__person=person)

    def of_company(self, company: Organization) -> EventQuerySet:
        """Events of a company, those placed there afterwards too."""
        return self.placed().filter(Q(("place_id", company.pk)))


class Event(models.Model):
    """What happened. Insert-only, by trigger. Readers go by (txid, id), never past an event not yet visible.

    While its person is being erased an event may be emptied (key, object, facts) and, if it shall not count any more,
    put into a batch that is withdrawn; the trigger allows nothing else.
    """

    id = models.BigAutoField(primary_key=True)
    txid = models.BigIntegerField(db_default=TransactionId(), editable=False)
    """PostgreSQL: the inserting transaction's number, set by the database; SQLite: 0 (one writer at a time)."""
    source = models.CharField(max_length=100)
    key = models.CharField(max_length=255)
    revision = models.PositiveIntegerField(default=1)
    fingerprint = models.CharField(max_length=64)
    name = models.CharField(max_length=200)
    # The three references below are kept by the record door and PROTECT, not by the database: checking them took a
    # fifth of PostgreSQL's time at intake.
    identity = models.ForeignKey(
        Identity, models.PROTECT, null=True, blank=True, related_name="events", db_index=False, db_constraint=False
    )
    company = models.ForeignKey(
        Organization, models.PROTECT, null=True, blank=True, related_name="+", db_index=False, db_constraint=False
    )
    """Of the happening, else of the connection, else the person's membership at that time; empty: unassigned."""
    happened_at = models.DateTimeField()
    received_at = models.DateTimeField()
    business_date = models.DateField()
    tzdb = models.CharField(max_length=16)
    object = models.CharField(max_length=255, blank=True)
    facts = models.JSONField(default=dict, encoder=FactsEncoder, decoder=FactsDecoder)
    """Text, booleans, int and Decimal (never float); lists and objects as they came."""
    history_only = models.BooleanField(default=False)
    batch = models.ForeignKey(
        Batch, models.PROTECT, null=True, blank=True, related_name="events", db_index=False, db_constraint=False
    )

    objects = EventQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "key", "revision"], name="event_once_per_key_and_revision"),
        ]
        indexes = [
            models.Index(fields=["company", "id"], name="event_by_company"),
            models.Index(fields=["identity", "happened_at"], name="event_by_identity"),
            models.Index(fields=["name", "id"], name="event_by_name"),
            models.Index(fields=["source", "key"], condition=Q(revision__gt=1), name="event_revised"),
            models.Index(fields=["batch"], condition=Q(batch__isnull=False), name="event_by_batch"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.key}"


class QuarantineReason(models.TextChoices):
    FUTURE = "future", _("Happens in the future")
    LATE = "late", _("Came too late")
    ODD = "odd", _("Does not fit the catalogue")


def quarantine_reasons() -> list[tuple[str, Any]]:
    return list(QuarantineReason.choices)


def of_event_seen(viewer: Viewer, *deeds: Deed) -> Q:
    """The condition that `event` is of a company, or without one came by a connection, where a deed is allowed."""
    if any(viewer.sees_everything(deed) for deed in deeds):
        return Q()
    places = Organization.objects.filter(viewer.within("path", *deeds)).values("pk")
    sources = Connection.objects.filter(viewer.within("organization__path", *deeds)).values("slug")
    here = Event.objects.placed().filter(
        Q(("place_id__in", places)) | Q(("place_id__isnull", True), ("source__in", sources)), pk=OuterRef("event_id")
    )
    return Q(Exists(here))


class QuarantineQuerySet(models.QuerySet["Quarantine"]):
    def visible_to(self, viewer: Viewer) -> QuarantineQuerySet:
        """What waits at places whose data the viewer manages or whose events the viewer may see."""
        return self.filter(of_event_seen(viewer, Deed.MANAGE_DATA, Deed.SEE_EVENTS))

    def waiting(self) -> QuarantineQuerySet:
        """Not yet decided, and not of a withdrawn batch."""
        decided = Correction.objects.filter(
            kind__in=[CorrectionKind.ACCEPTED, CorrectionKind.DECLINED], event=OuterRef("event_id")
        )
        undone = withdrawn(OuterRef("event__batch"))
        return self.filter(~Exists(decided), Q(event__batch__isnull=True) | ~Exists(undone))


class Quarantine(models.Model):
    """A stored event that waits for a person's decision. The decision is a Correction."""

    event = models.OneToOneField(Event, models.PROTECT, primary_key=True, related_name="quarantine")
    reason = models.CharField(max_length=16, choices=quarantine_reasons)
    note = models.CharField(max_length=500, blank=True)
    """For odd: the names of what does not fit, with commas between (`at` or declared properties)."""
    created_at = models.DateTimeField()

    objects = QuarantineQuerySet.as_manager()


class ConflictQuerySet(models.QuerySet["Conflict"]):
    def visible_to(self, viewer: Viewer) -> ConflictQuerySet:
        """Conflicts at places whose data the viewer manages or whose events the viewer may see."""
        return self.filter(of_event_seen(viewer, Deed.MANAGE_DATA, Deed.SEE_EVENTS))

    def unseen(self) -> ConflictQuerySet:
        return self.filter(seen_at__isnull=True)


class Conflict(models.Model):
    """The same key came again with other content: nothing was stored, both contents are shown."""

    event = models.ForeignKey(Event, models.PROTECT, related_name="conflicts")
    fingerprint = models.CharField(max_length=64)
    content = models.JSONField(encoder=FactsEncoder, decoder=FactsDecoder)
    """What was sent: event, person, at, object, facts, company, history_only."""
    received_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True, blank=True)

    objects = ConflictQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event", "fingerprint"], name="conflict_once_per_content"),
        ]


class CorrectionKind(models.TextChoices):
    ACCEPTED = "accepted", _("Accepted from quarantine")
    DECLINED = "declined", _("Declined in quarantine")
    IDENTIFIED = "identified", _("Identity given a person")
    PLACED = "placed", _("Event given a company")
    WITHDRAWN = "withdrawn", _("Import undone")
    MOVED = "moved", _("Membership of a person changed")
    ERASED = "erased", _("Person erased")


def correction_kinds() -> list[tuple[str, Any]]:
    return list(CorrectionKind.choices)


class Correction(models.Model):
    """What was decided about events afterwards. Insert-only; readers follow it by bookmark like events themselves."""

    id = models.BigAutoField(primary_key=True)
    txid = models.BigIntegerField(db_default=TransactionId(), editable=False)
    kind = models.CharField(max_length=16, choices=correction_kinds)
    event = models.ForeignKey(Event, models.PROTECT, null=True, blank=True, related_name="corrections")
    identity = models.ForeignKey(Identity, models.PROTECT, null=True, blank=True, related_name="+")
    batch = models.ForeignKey(Batch, models.PROTECT, null=True, blank=True, related_name="corrections")
    person_id_was = models.BigIntegerField(null=True, blank=True)
    """For identified: the person before; for moved and erased: the person."""
    company = models.ForeignKey(Organization, models.PROTECT, null=True, blank=True, related_name="+")
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["event"],
                condition=Q(kind__in=["accepted", "declined"]),
                name="correction_decides_once_per_event",
            ),
            models.UniqueConstraint(
                fields=["batch"], condition=Q(kind="withdrawn"), name="correction_withdraws_once_per_batch"
            ),
        ]


class Bookmark(models.Model):
    """How far a reader has read events and corrections."""

    reader = models.CharField(max_length=64, primary_key=True)
    event_txid = models.BigIntegerField(default=0)
    event_id = models.BigIntegerField(default=0)
    correction_txid = models.BigIntegerField(default=0)
    correction_id = models.BigIntegerField(default=0)
    moved_at = models.DateTimeField(null=True, blank=True)
