"""What is kept of questions: segments (who belongs), views (a page with its state), and the figures of closed days."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from uptake.directory.models import Organization, User
from uptake.directory.viewer import DEEDS_OF_ROLE, Deed, Viewer, ids_of

ROLES_SEEING_PEOPLE = tuple(role for role, deeds in DEEDS_OF_ROLE.items() if Deed.SEE_PEOPLE in deeds)
"""Roles a segment can be shared with."""
ROLES_SEEING_TOTALS = tuple(role for role, deeds in DEEDS_OF_ROLE.items() if Deed.SEE_TOTALS in deeds)
"""Roles a view can be shared with."""


def written_roles(roles: Iterable[str]) -> str:
    """Roles as they are stored: "|auditor|coach|"; empty: private."""
    several = sorted(set(roles))
    return f"|{'|'.join(several)}|" if several else ""


def shared_with(viewer: Viewer) -> Q:
    """The condition that a row is shared with a role the viewer holds at its place, above it or below it."""
    condition = Q(pk__in=())
    for grant in viewer.grants:
        near = Q(organization__path__startswith=grant.path) | Q(organization_id__in=ids_of(grant.path))
        condition |= Q(roles__contains=f"|{grant.role}|") & near
    return condition


class Kept(models.Model):
    """Something with a name that belongs to a login and a place, private or shared with roles there."""

    name = models.CharField(max_length=200)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    owner = models.ForeignKey(User, models.PROTECT, related_name="+")
    roles = models.CharField(max_length=200, blank=True)
    """Who else may use it: "|auditor|coach|" at the place, above it or below it; empty: the owner alone."""
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @property
    def shared_roles(self) -> tuple[str, ...]:
        """The roles it is shared with."""
        return tuple(role for role in self.roles.split("|") if role)


class SegmentQuerySet(models.QuerySet["Segment"]):
    def visible_to(self, viewer: Viewer) -> SegmentQuerySet:
        """One's own and those shared with one's roles, at places whose people one may see."""
        if viewer.sees_everything(Deed.SEE_PEOPLE):
            return self.all()
        here = viewer.within("organization__path", Deed.SEE_PEOPLE)
        return self.filter(here & (Q(owner_id=viewer.user_id) | shared_with(viewer)))

    def usable_at(self, place: Organization) -> SegmentQuerySet:
        """Those of the place and of what lies above it."""
        ids = [int(part) for part in place.path.split("/") if part]
        return self.filter(organization_id__in=ids)


class Segment(Kept):
    """Who belongs at a place: by criteria, reckoned anew each time (live), or a list of a day (static)."""

    criteria = models.JSONField()
    """{"match": "all" or "any", "criteria": […], "of": "person" or "company"}, as `uptake.activity.criteria` reads."""
    members = models.JSONField(null=True, blank=True)
    """Static: ids of people (or companies), sorted. Empty for a live one."""
    taken_date = models.DateField(null=True, blank=True)
    """Static: the day whose list it is."""

    objects = SegmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(members__isnull=True, taken_date__isnull=True)
                | Q(members__isnull=False, taken_date__isnull=False),
                name="segment_static_has_a_day",
            ),
        ]

    @property
    def static(self) -> bool:
        return self.members is not None

    @property
    def of_companies(self) -> bool:
        return bool(self.criteria.get("of") == "company")


class ViewQuerySet(models.QuerySet["SavedView"]):
    def visible_to(self, viewer: Viewer) -> ViewQuerySet:
        """One's own, wherever they lead (opening asks again), and those shared with one's roles at, above or below
        their place: each sees in them what is theirs."""
        if viewer.sees_everything(Deed.SEE_TOTALS):
            return self.all()
        return self.filter(Q(owner_id=viewer.user_id) | shared_with(viewer))


class SavedView(Kept):
    """A page of questions with its whole state: which analysis, and the query of its address."""

    page = models.CharField(max_length=64)
    query = models.TextField(blank=True)
    """Of the address, without the question mark; names its place."""

    objects = ViewQuerySet.as_manager()


class Why(models.TextChoices):
    """Why a figure of a day that was over changed."""

    LATE = "late", _("Late events")
    IDENTITY = "identity", _("People known better")
    UNDONE = "undone", _("Import undone")
    PLACED = "placed", _("Events given another company")
    ERASED = "erased", _("Person erased")
    COUNTING = "counting", _("What is counted was changed")


class DayFigureQuerySet(models.QuerySet["DayFigure"]):
    def visible_to(self, viewer: Viewer) -> DayFigureQuerySet:
        """Figures of places whose totals the viewer sees."""
        return self.filter(viewer.within("organization__path", Deed.SEE_TOTALS))


class DayFigure(models.Model):
    """What a day that was over came to at a park or company, as told on a date. A change adds a row."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    day = models.DateField()
    """A business date of the place."""
    as_of = models.DateField()
    """The date from which this was told; before the first one, nothing was written down."""
    events = models.BigIntegerField()
    people = models.IntegerField()
    """Distinct people active on the day."""
    why = models.JSONField(default=list)
    """Codes of `Why`; empty for the first."""
    taken_at = models.DateTimeField()

    objects = DayFigureQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "day", "as_of"], name="day_figure_once_per_date"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.events}/{self.people}"
