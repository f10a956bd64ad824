"""Scores on boards, kept up to date from what people gain and lose; who stays nameless."""

from __future__ import annotations

from datetime import date

from django.db import models
from django.db.models import F, Q

from uptake.directory.models import Organization, Person
from uptake.directory.viewer import Deed, Viewer, ids_of

BAND = 16
"""Points of one band."""


class ScoreQuerySet(models.QuerySet["Score"]):
    def visible_to(self, viewer: Viewer) -> ScoreQuerySet:
        """Scores at the companies one belongs to, and where one may see people: a board is for all who are on it."""
        own = {key for path in viewer.places for key in ids_of(path)}
        return self.filter(Q(place__company_id__in=own) | viewer.within("place__path", Deed.SEE_PEOPLE))

    def visible_at(self, place: Organization, viewer: Viewer) -> ScoreQuerySet:
        """As `visible_to`, for one place: asked of the viewer, not of every row."""
        own = {key for path in viewer.places for key in ids_of(path)}
        seen = place.company_id in own or place.path.startswith(viewer.paths(Deed.SEE_PEOPLE))
        return self.filter(place=place) if seen else self.none()

    def on(self, place: Organization, period: str, starts: date) -> ScoreQuerySet:
        """The lines of one board, the first first. Within a tie whoever reached the score earlier, then by id."""
        return self.filter(place=place, period=period, starts=starts, shown__gt=0).order_by(
            "-shown", "shown_at", "person_id"
        )


class Score(models.Model):
    """What a person has on one board: that of a company or of a department in it, over one period."""

    id = models.BigAutoField(primary_key=True)
    place = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    """A company, or what lies directly below it: then what was earned while belonging there."""
    period = models.CharField(max_length=8)
    """week, month, quarter, year or ever."""
    starts = models.DateField()
    person = models.ForeignKey(Person, models.CASCADE, related_name="+")
    points = models.BigIntegerField()
    """What it is now."""
    latest_at = models.DateTimeField(null=True, blank=True)
    """When the latest that brought points happened."""
    shown = models.BigIntegerField()
    """What the board says: as `points`, until the board closes."""
    shown_at = models.DateTimeField(null=True, blank=True)

    objects = ScoreQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["place", "period", "starts", "person"], name="score_once_per_board"),
        ]
        indexes = [
            models.Index(
                "place",
                "period",
                "starts",
                F("shown").desc(),
                "shown_at",
                "person",
                name="score_by_rank",
            ),
            models.Index(fields=["place", "period", "starts"], condition=~Q(shown=F("points")), name="score_adjusted"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.period} {self.starts} {self.shown}"


class Band(models.Model):
    """How many people have from 16 × `number` points to the next multiple on a board, so that ranks need no counting
    through everybody."""

    id = models.BigAutoField(primary_key=True)
    place = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    period = models.CharField(max_length=8)
    starts = models.DateField()
    number = models.BigIntegerField()
    people = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["place", "period", "starts", "number"], name="band_once_per_board"),
        ]

    def __str__(self) -> str:
        return f"{self.period} {self.starts} {self.number * BAND}: {self.people}"


class Nameless(models.Model):
    """A person who stands on boards as "member", without a name."""

    person = models.OneToOneField(Person, models.CASCADE, primary_key=True, related_name="+")
    since = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.person_id)
