"""Interventions, registered and locked before they begin, and the evaluations made of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from uptake.directory.models import Organization, Person, User
from uptake.directory.viewer import Deed, Viewer
from uptake.events.models import Connection

MANAGING = (Deed.MANAGE_RULES, Deed.MANAGE_PEOPLE)
"""Any of these deeds at the place lets one register, lock and evaluate there."""


class What(models.TextChoices):
    """What was begun."""

    POINTS = "points", _("Points and rewards")
    COACHING = "coaching", _("Coaching")
    RELEASE = "release", _("New release of the software")
    OTHER = "other", _("Something else")


def kinds() -> list[tuple[str, Any]]:
    return list(What.choices)


class Chosen(models.TextChoices):
    """How it was chosen who begins when: the values of `statistics.plan.Assignment`."""

    MANAGEMENT = "management", _("Management decided")
    RANDOM = "random", _("By lot")
    SELF_SELECTED = "self_selected", _("Departments volunteered")
    SELECTED_ON_METRIC = "selected_on_metric", _("Because of how they were doing")


def ways() -> list[tuple[str, Any]]:
    return list(Chosen.choices)


def departments_of(slugs: Iterable[str]) -> list[Organization]:
    """The departments by slug, with their company, in the order of their slugs."""
    return list(Organization.objects.filter(slug__in=list(slugs)).select_related("company").order_by("slug"))


class InterventionQuerySet(models.QuerySet["Intervention"]):
    def visible_to(self, viewer: Viewer) -> InterventionQuerySet:
        """Those at places whose totals the viewer sees."""
        return self.filter(viewer.within("organization__path", Deed.SEE_TOTALS))


class Intervention(models.Model):
    """Something that begins in departments of a place at dates. Once locked it never changes, by trigger."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    title = models.CharField(max_length=200)
    kind = models.CharField(max_length=16, choices=kinds)
    chosen = models.CharField(max_length=24, choices=ways)
    starts = models.JSONField()
    """{slug of a department: ISO date, or null where it waits}: everybody who takes part. Where people were drawn by
    lot: the departments they were drawn from, each with the date on which the drawn ones begin."""
    plan = models.JSONField()
    """{"metrics": [{"event", "smallest"}], "guardrails": [{"event", "margin"}], "until", "looks", "alpha"}; an empty
    event is any that counts as activity, smallest and margin are shares (0.02: two percentage points). "lot": see
    `lot.Lot`."""
    gate = models.JSONField(default=dict)
    """What could be detected as of the locking: see `answerable.Answerable`."""
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    hash = models.CharField(max_length=64, blank=True)
    """SHA-256 of everything above but the gate, set by locking."""
    locked_at = models.DateTimeField(null=True, blank=True)

    objects = InterventionQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["organization", "-made_at"], name="intervention_by_place")]
        constraints = [
            models.CheckConstraint(
                condition=Q(hash="", locked_at__isnull=True) | (~Q(hash="") & Q(locked_at__isnull=False)),
                name="intervention_locked_by_hash",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def by_people(self) -> bool:
        """Whether people were drawn by lot: then `starts` names their departments, and says nothing of who begins."""
        return bool(self.plan.get("lot", {}).get("unit") == "person")

    @property
    def first_start(self) -> date:
        return min(date.fromisoformat(day) for day in self.starts.values() if day)

    @property
    def until(self) -> date:
        return date.fromisoformat(self.plan["until"])

    @property
    def beginning(self) -> int:
        """How many departments begin."""
        return sum(1 for day in self.starts.values() if day)

    @property
    def waiting(self) -> int:
        """How many departments wait."""
        return len(self.starts) - self.beginning


class DrawnPersonQuerySet(models.QuerySet["DrawnPerson"]):
    def visible_to(self, viewer: Viewer) -> DrawnPersonQuerySet:
        """Those of departments the viewer manages, once it is locked: before, nobody knows who begins."""
        return self.filter(viewer.within("department__path", *MANAGING), intervention__locked_at__isnull=False)


class DrawnPerson(models.Model):
    """On which side of a drawing a person stands. Never changes, by trigger; nobody is added after the locking."""

    intervention = models.ForeignKey(Intervention, models.PROTECT, related_name="drawn_people")
    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    department = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    """Where they belonged when it was drawn."""
    begins = models.BooleanField()

    objects = DrawnPersonQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["intervention", "person"], name="drawn_once")]

    def __str__(self) -> str:
        return f"{self.intervention_id} {self.person_id}"


class BeganQuerySet(models.QuerySet["Began"]):
    def visible_to(self, viewer: Viewer) -> BeganQuerySet:
        """Those of interventions at places whose totals the viewer sees."""
        return self.filter(viewer.within("intervention__organization__path", Deed.SEE_TOTALS))


class Began(models.Model):
    """When a department really began, as somebody said it after the start. Insert-only, by trigger: the last one holds.

    The registration stays as it is, and evaluations go by it.
    """

    intervention = models.ForeignKey(Intervention, models.PROTECT, related_name="really")
    department = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    began_on = models.DateField(null=True, blank=True)
    """Empty: it never did."""
    reason = models.CharField(max_length=300)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    objects = BeganQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["intervention", "department", "-id"], name="began_by_department")]

    def __str__(self) -> str:
        return f"{self.intervention_id} {self.department_id} {self.began_on or 'never'}"


class EvaluationQuerySet(models.QuerySet["Evaluation"]):
    def visible_to(self, viewer: Viewer) -> EvaluationQuerySet:
        """Those of interventions at places whose totals the viewer sees."""
        return self.filter(viewer.within("intervention__organization__path", Deed.SEE_TOTALS))


class Evaluation(models.Model):
    """What the data said on a day. Insert-only, by trigger."""

    intervention = models.ForeignKey(Intervention, models.PROTECT, related_name="evaluations")
    text = models.TextField()
    """Canonical JSON: the same registration and the same data give the same bytes."""
    sha = models.CharField(max_length=64)
    verdict = models.CharField(max_length=32)
    """Of the first primary metric."""
    grade = models.CharField(max_length=2)
    made_at = models.DateTimeField()

    objects = EvaluationQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["intervention", "sha"], name="evaluation_once_per_answer")]

    def __str__(self) -> str:
        return f"{self.intervention_id} {self.verdict}"


class SeriesQuerySet(models.QuerySet["Series"]):
    def visible_to(self, viewer: Viewer) -> SeriesQuerySet:
        """Those of places whose totals the viewer sees."""
        return self.filter(viewer.within("organization__path", Deed.SEE_TOTALS))


class Series(models.Model):
    """Figures of the business that come by file or from a database (sales, satisfaction), by day or week and place."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    name = models.CharField(max_length=100)
    unit = models.CharField(max_length=40, blank=True)
    made_at = models.DateTimeField()

    objects = SeriesQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="series_once_per_place")]

    def __str__(self) -> str:
        return self.name


class SeriesVersionQuerySet(models.QuerySet["SeriesVersion"]):
    def visible_to(self, viewer: Viewer) -> SeriesVersionQuerySet:
        """Those of series of places whose totals the viewer sees."""
        return self.filter(viewer.within("series__organization__path", Deed.SEE_TOTALS))

    def standing(self) -> SeriesVersionQuerySet:
        """Those not withdrawn, in the order in which they came: a later one says again what it names."""
        return self.filter(withdrawn_at__isnull=True).order_by("pk")


class SeriesVersion(models.Model):
    """What one file or one reading of a database said. Nothing of it changes; it can be withdrawn, and what was said
    before holds again."""

    series = models.ForeignKey(Series, models.PROTECT, related_name="versions")
    figures = models.JSONField()
    """{slug of a place: {ISO date: the number as text}}."""
    rows = models.IntegerField()
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    source = models.CharField(max_length=100, blank=True)
    """The short name of the connection whose database said it; empty: a file did."""
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = SeriesVersionQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.series_id} {self.made_at:%Y-%m-%d}"


class SeriesQueryQuerySet(models.QuerySet["SeriesQuery"]):
    def visible_to(self, viewer: Viewer) -> SeriesQueryQuerySet:
        """Those by connections whose data the viewer manages, of series whose totals the viewer sees."""
        return self.filter(
            viewer.within("connection__organization__path", Deed.MANAGE_DATA),
            viewer.within("series__organization__path", Deed.SEE_TOTALS),
        )


class SeriesQuery(models.Model):
    """How a series is read from a database, and how that went the last time."""

    series = models.OneToOneField(Series, models.PROTECT, related_name="asked")
    connection = models.ForeignKey(Connection, models.PROTECT, related_name="+")
    query = models.TextField()
    """One SELECT."""
    day = models.CharField(max_length=100)
    """The column of the date; the next two those of the place (empty: the whole place) and of the value."""
    place = models.CharField(max_length=100, blank=True)
    value = models.CharField(max_length=100)
    kept_at = models.DateTimeField()
    kept_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    next_at = models.DateTimeField(null=True, blank=True)
    """When the job reads it; none: never by itself."""
    tried_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    """When it was last read to its end."""
    rows = models.IntegerField(default=0)
    left_out = models.IntegerField(default=0)
    """Rows of the last reading: understood, and left out."""
    failure = models.JSONField(null=True, blank=True)
    """{code, detail} of the last attempt, where it failed."""

    objects = SeriesQueryQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["next_at"], condition=models.Q(next_at__isnull=False), name="series_query_next"),
        ]

    def __str__(self) -> str:
        return f"{self.series_id} {self.connection_id}"


class OutageQuerySet(models.QuerySet["Outage"]):
    def visible_to(self, viewer: Viewer) -> OutageQuerySet:
        """Those of places whose totals the viewer sees."""
        return self.filter(viewer.within("organization__path", Deed.SEE_TOTALS))

    def standing(self) -> OutageQuerySet:
        """Those not withdrawn."""
        return self.filter(withdrawn_at__isnull=True)


class Outage(models.Model):
    """A time in which a system of a place could not be used, as somebody noted it."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    system = models.CharField(max_length=100)
    text = models.CharField(max_length=300, blank=True)
    """What happened."""
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    """Empty: it lasts."""
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = OutageQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["organization", "-began_at"], name="outage_by_place")]
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gt=models.F("began_at")),
                name="outage_ends_after_begin",
            )
        ]

    def __str__(self) -> str:
        return self.system
