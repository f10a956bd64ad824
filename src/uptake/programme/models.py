"""Rulebooks as they were published, and awards: what each rule gave, or did not give, for each event."""

from __future__ import annotations

from datetime import date

from django.db import models
from django.db.models import Q, Sum
from django.utils.translation import gettext_lazy as _

from uptake.directory.models import Kind, Organization, Person, User
from uptake.directory.viewer import Deed, Viewer, ids_of
from uptake.events.models import Event


class RulebookVersionQuerySet(models.QuerySet["RulebookVersion"]):
    def visible_to(self, viewer: Viewer) -> RulebookVersionQuerySet:
        """Rulebooks that apply where the viewer belongs or holds a role, and those of places whose totals one sees."""
        above = {key for path in viewer.places for key in ids_of(path)}
        above |= {key for grant in viewer.grants for key in ids_of(grant.path)}
        seen = Q(organization_id__in=above) | viewer.within("organization__path", Deed.SEE_TOTALS, Deed.MANAGE_RULES)
        return self.filter(seen)

    def applying_to(self, place: Organization) -> RulebookVersionQuerySet:
        """Rulebooks of the place and of everything above it."""
        return self.filter(organization_id__in=ids_of(place.path))


class RulebookVersion(models.Model):
    """The rulebook of a place from a date on, exactly as published. Insert-only, by trigger."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="rulebooks")
    """A company, or a park: then it applies to the companies below that have none of their own in force."""
    number = models.PositiveIntegerField()
    """1, 2, 3 … at its place."""
    file = models.TextField()
    """The canonical text of the rulebook file (JSON)."""
    sha256 = models.CharField(max_length=64)
    in_force_date = models.DateField()
    """The first business date it applies to; of several, the later one applies (then the higher number)."""
    in_force_at = models.DateTimeField(null=True, blank=True)
    """Of what was lowered at once: on its first date it applies to what happened from this instant on. Null: to all."""
    published_at = models.DateTimeField()
    published_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    objects = RulebookVersionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "number"], name="rulebook_number_once_per_place"),
        ]

    def __str__(self) -> str:
        return f"{self.organization} {self.number}"


class Reason(models.TextChoices):
    """Why an award is not (or not fully) what its rule names."""

    LATE = "late", _("Came after its day had closed")
    REVERSED = "reversed", _("Taken back")
    HISTORY_ONLY = "history_only", _("History only")
    CONDITION = "condition", _("A condition does not hold")
    NO_NUMBER = "no_number", _("The number is missing")
    NOT_POSITIVE = "not_positive", _("The number is not above 0")
    ZERO = "zero", _("Comes to 0 points")
    STREAK = "streak", _("No milestone of the streak")
    COOLDOWN = "cooldown", _("Too soon after another")
    MULTIPLIER = "multiplier", _("Multiplied")
    PARTIAL_REVERSAL = "partial_reversal", _("Partly taken back")
    CAP_DAY = "cap_day", _("Daily cap reached")
    CAP_WEEK = "cap_week", _("Weekly cap reached")
    CAP_MONTH = "cap_month", _("Monthly cap reached")
    CAP_EVER = "cap_ever", _("Cap reached for good")
    GROUP_CAP_DAY = "group_cap_day", _("Daily cap of the group reached")
    GROUP_CAP_WEEK = "group_cap_week", _("Weekly cap of the group reached")
    GROUP_CAP_MONTH = "group_cap_month", _("Monthly cap of the group reached")
    GROUP_CAP_EVER = "group_cap_ever", _("Cap of the group reached for good")
    PERSON_CAP_DAY = "person_cap_day", _("Daily cap over all rules reached")
    PERSON_CAP_WEEK = "person_cap_week", _("Weekly cap over all rules reached")
    PERSON_CAP_MONTH = "person_cap_month", _("Monthly cap over all rules reached")
    PERSON_CAP_EVER = "person_cap_ever", _("Cap over all rules reached for good")


class AwardQuerySet(models.QuerySet["Award"]):
    def visible_to(self, viewer: Viewer) -> AwardQuerySet:
        """One's own awards, and those of companies whose people and their events the viewer may see."""
        if viewer.sees_everything(Deed.SEE_EVENTS):
            return self.all()
        own = Q(person_id=viewer.person_id) if viewer.person_id else Q(pk__in=())
        places = Organization.objects.filter(viewer.within("path", Deed.SEE_EVENTS)).values("pk")
        return self.filter(own | Q(company_id__in=places)) if viewer.paths(Deed.SEE_EVENTS) else self.filter(own)

    def paid(self) -> AwardQuerySet:
        """Awards that stand with points."""
        return self.filter(points__gt=0)

    def points_at(self, place: Organization, first: date, last: date) -> int:
        """The points that awards of a place's companies stand at, of business dates from `first` to `last`."""
        there = Organization.objects.filter(path__startswith=place.path, kind=Kind.COMPANY).values("pk")
        return int(
            self.paid().filter(company__in=there, date__range=(first, last)).aggregate(n=Sum("points"))["n"] or 0
        )


class Award(models.Model):
    """One rule met by one event, once: the points it stands at now, also 0, and why. Changes are in the ledger."""

    id = models.BigAutoField(primary_key=True)
    event = models.ForeignKey(Event, models.PROTECT, related_name="awards", db_index=False)
    rule = models.CharField(max_length=200)
    """The lineage: the rule whatever its version."""
    version = models.PositiveIntegerField()
    rulebook = models.ForeignKey(RulebookVersion, models.PROTECT, related_name="+", db_index=False)
    person = models.ForeignKey(Person, models.PROTECT, related_name="awards", db_index=False)
    company = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    date = models.DateField()
    """The business date of the event."""
    happened_at = models.DateTimeField()
    points = models.PositiveIntegerField()
    reasons = models.JSONField(default=list)
    """Reason codes in the order in which they came about."""
    explanation = models.JSONField(default=dict)
    """{"rule", "version", "factors", "base", "before_caps", "caps", "next", "condition"}: what it was made of."""
    transfers = models.PositiveIntegerField(default=0)
    """How many transfers it has had: numbers their keys."""
    considered_at = models.DateTimeField()

    objects = AwardQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event", "rule"], name="award_once_per_event_and_rule"),
        ]
        indexes = [
            models.Index(fields=["person", "date"], name="award_by_person"),
            models.Index(fields=["company", "date", "points"], name="award_by_company"),
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.points}"

    @property
    def transfer_prefix(self) -> str:
        """How the keys of its transfers begin."""
        return f"award/{self.event_id}/{self.rule}/"


class MeritChange(models.Model):
    """What somebody gained or lost by merit on a date and is not yet on the boards; gone once it is."""

    id = models.BigAutoField(primary_key=True)
    company = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    person = models.ForeignKey(Person, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    date = models.DateField()
    """The business date it counts for."""
    points = models.BigIntegerField()
    """Below 0: lost."""
    latest_at = models.DateTimeField(null=True, blank=True)
    """When the latest that brought points happened."""
    ended_at = models.DateTimeField(null=True, blank=True)
    """When the latest that has no points any more happened: if it was the latest of all, another is now."""
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.person_id} {self.date} {self.points:+}"


class PersonLevelQuerySet(models.QuerySet["PersonLevel"]):
    def visible_to(self, viewer: Viewer) -> PersonLevelQuerySet:
        """One's own level, and those of companies whose people the viewer may see."""
        own = Q(person_id=viewer.person_id) if viewer.person_id else Q(pk__in=())
        return self.filter(own | viewer.within("company__path", Deed.SEE_PEOPLE))


class PersonLevel(models.Model):
    """The level a person stands on at a company, as of the latest fold; only where the rulebook has levels."""

    id = models.BigAutoField(primary_key=True)
    person = models.ForeignKey(Person, models.PROTECT, related_name="levels")
    company = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    rank = models.SmallIntegerField()
    """0 is the first level of the rulebook; -1: none is reached."""
    points = models.IntegerField()
    """What counts towards the level: all qualifying points, or those of the season."""
    since = models.DateTimeField()
    """Since when, as far as we noticed, the person has this level."""
    due_at = models.DateTimeField(null=True, blank=True)
    """When it must be looked at again: the season ends, or special points were given; empty: no end is known."""
    as_of = models.DateTimeField()

    objects = PersonLevelQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "company"], name="person_level_once_per_company"),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="person_level_due"),
            models.Index(fields=["company", "rank"], name="person_level_by_rank"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.rank}"


class StandingChangeQuerySet(models.QuerySet["StandingChange"]):
    def visible_to(self, viewer: Viewer) -> StandingChangeQuerySet:
        """One's own, and those of companies whose people the viewer may see."""
        own = Q(person_id=viewer.person_id) if viewer.person_id else Q(pk__in=())
        return self.filter(own | viewer.within("company__path", Deed.SEE_PEOPLE))


class StandingChange(models.Model):
    """What a decision about points earned by pretence took from what counts for levels and boards on a date, or what
    an upheld appeal gave back to it. Insert-only, by trigger. Balances and awards are not in it."""

    id = models.BigAutoField(primary_key=True)
    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    company = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    cause = models.CharField(max_length=40)
    """`gaming/<id>` of the finding, or `appeal/<id>` that was upheld."""
    about = models.CharField(max_length=40)
    """The finding, whichever it is."""
    date = models.DateField()
    """The business date of which it takes or gives back."""
    points = models.IntegerField()
    """Below 0: taken."""
    reach = models.IntegerField(null=True, blank=True)
    """The level moves at once to what so many points reach; empty: there were no levels."""
    was = models.IntegerField(null=True, blank=True)
    """The same of the level before; -1: none was reached."""
    falls = models.BooleanField()
    at = models.DateTimeField()

    objects = StandingChangeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "cause", "date"], name="standing_change_once_per_date"),
            models.CheckConstraint(
                name="standing_change_takes_or_gives",
                condition=Q(falls=True, points__lt=0) | Q(falls=False, points__gte=0),
            ),
        ]
        indexes = [models.Index(fields=["person", "company"], name="standing_change_of_person")]

    def __str__(self) -> str:
        return f"{self.cause} {self.points}"


class KeptFold(models.Model):
    """What is kept of the fold of a person at a company, so that the next one need not begin at the first event.

    A cache: it may be deleted at any time, and is made again from the record.
    """

    id = models.BigAutoField(primary_key=True)
    person = models.ForeignKey(Person, models.CASCADE, related_name="+", db_constraint=False)
    company = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    places = models.TextField()
    """A JSON list, by place in canonical order: see `uptake.programme.kept`."""
    as_of = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "person"], name="kept_fold_once"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.company_id}"


class PutAsideQuerySet(models.QuerySet["PutAside"]):
    def visible_to(self, viewer: Viewer) -> PutAsideQuerySet:
        """Those of the companies one belongs to, and of those whose rules or whose platform one answers for."""
        own = Q(pk__in=())
        for path in viewer.places:
            own |= Q(company_id__in=ids_of(path))
        return self.filter(own | viewer.within("company__path", Deed.MANAGE_RULES, Deed.RUN_PLATFORM))

    def failed(self) -> PutAsideQuerySet:
        """Those whose events could not be considered; the others are only about to be."""
        return self.exclude(what="")


class PutAside(models.Model):
    """A company whose events wait beside the bookmark, because considering them failed: what it has missed, and why.

    All up to the positions here was considered; what lies between them and the bookmark of the programme was not.
    The row goes when nothing lies between.
    """

    company = models.OneToOneField(Organization, models.CASCADE, primary_key=True, related_name="+")
    since = models.DateTimeField()
    event_txid = models.BigIntegerField()
    event_id = models.BigIntegerField()
    correction_txid = models.BigIntegerField()
    correction_id = models.BigIntegerField()
    what = models.CharField(max_length=300, blank=True)
    """What failed last: the sort of error and where in the program, never what an event says. Empty: nothing yet."""
    failed_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveIntegerField(default=0)
    """How often it was tried in vain."""
    next_try_at = models.DateTimeField()

    objects = PutAsideQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.company_id} {self.what}"


class ReversalMark(models.Model):
    """By what events that undo find those they undo: a number made of the company, the fact and its value."""

    id = models.BigAutoField(primary_key=True)
    mark = models.BigIntegerField()
    name = models.CharField(max_length=200)
    """Of the event."""
    event = models.ForeignKey(Event, models.PROTECT, related_name="+", db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["mark", "name", "event"], name="reversal_mark_once"),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} {self.mark}"


class MarkedName(models.Model):
    """Events of this name, at this company, have their marks for this fact: those that came before the rule too."""

    company = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(max_length=200)
    same = models.CharField(max_length=200)
    """object, or a fact."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "name", "same"], name="marked_name_once"),
        ]

    def __str__(self) -> str:
        return f"{self.company_id} {self.name} {self.same}"
