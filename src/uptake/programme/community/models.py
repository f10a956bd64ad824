"""Posts with replies, reactions and reports; recognitions, and how much of them one may give in a month."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from uptake.directory.models import Organization, Person, User
from uptake.directory.viewer import Deed, Viewer, ids_of


class PostKind(models.TextChoices):
    POST = "post", _("Post")
    QUESTION = "question", _("Question")
    TIP = "tip", _("Tip")


class ReactionKind(models.TextChoices):
    HELPFUL = "helpful", _("Helpful")
    THANKS = "thanks", _("Thanks")
    SAME = "same", _("Same here")


class Outcome(models.TextChoices):
    """What became of a report."""

    OPEN = "open", _("To be looked at")
    HIDDEN = "hidden", _("Hidden")
    KEPT = "kept", _("Kept")


def post_kinds() -> list[tuple[str, Any]]:
    return list(PostKind.choices)


def reaction_kinds() -> list[tuple[str, Any]]:
    return list(ReactionKind.choices)


def outcomes() -> list[tuple[str, Any]]:
    return list(Outcome.choices)


def of_own_companies(lookup: str, viewer: Viewer) -> Q:
    """The condition that `lookup` (such as "company") is where the viewer belongs or manages the rules."""
    own = {key for path in viewer.places for key in ids_of(path)}
    return Q(**{f"{lookup}_id__in": own}) | viewer.within(f"{lookup}__path", Deed.MANAGE_RULES)


class PostQuerySet(models.QuerySet["Post"]):
    def visible_to(self, viewer: Viewer) -> PostQuerySet:
        """Those of the companies where one belongs or manages the rules; hidden ones too, with their mark."""
        return self.filter(of_own_companies("company", viewer))

    def open_questions(self, place: Organization) -> PostQuerySet:
        """Questions of the place's companies to which no answer was accepted yet."""
        return self.filter(company__path__startswith=place.path, kind=PostKind.QUESTION, accepted=None, hidden_at=None)


class Post(models.Model):
    """Something one person of a company says to all others there. Plain text."""

    company = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=post_kinds)
    key = models.CharField(max_length=100)
    """Makes a repetition harmless; unique for the person."""
    title = models.CharField(max_length=120)
    text = models.TextField(max_length=4000)
    written_at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True, blank=True)
    accepted = models.OneToOneField("Reply", models.PROTECT, null=True, blank=True, related_name="+")
    """Of a question: the answer that helped whoever asked."""
    hidden_at = models.DateTimeField(null=True, blank=True)
    hidden_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    hidden_why = models.CharField(max_length=500, blank=True)

    objects = PostQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "key"], name="post_once_per_key"),
            models.CheckConstraint(
                condition=Q(accepted__isnull=True) | Q(kind="question"), name="post_accepts_only_answers"
            ),
        ]
        indexes = [
            models.Index(fields=["company", "-written_at"], name="post_feed"),
            models.Index(fields=["person", "written_at"], name="post_of_person"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class ReplyQuerySet(models.QuerySet["Reply"]):
    def visible_to(self, viewer: Viewer) -> ReplyQuerySet:
        return self.filter(of_own_companies("post__company", viewer))


class Reply(models.Model):
    """A comment on a post or tip; on a question, an answer. Plain text."""

    post = models.ForeignKey(Post, models.PROTECT, related_name="replies")
    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    key = models.CharField(max_length=100)
    text = models.TextField(max_length=2000)
    written_at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True, blank=True)
    hidden_at = models.DateTimeField(null=True, blank=True)
    hidden_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    hidden_why = models.CharField(max_length=500, blank=True)

    objects = ReplyQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "key"], name="reply_once_per_key")]
        indexes = [models.Index(fields=["person", "written_at"], name="reply_of_person")]

    def __str__(self) -> str:
        return f"reply {self.pk}"


class ReactionQuerySet(models.QuerySet["Reaction"]):
    def visible_to(self, viewer: Viewer) -> ReactionQuerySet:
        return self.filter(of_own_companies("post__company", viewer))


class Reaction(models.Model):
    """One tap of one person on a post: one of each kind."""

    post = models.ForeignKey(Post, models.PROTECT, related_name="reactions")
    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=reaction_kinds)
    at = models.DateTimeField()

    objects = ReactionQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["post", "person", "kind"], name="reaction_once_per_kind")]


class ReportQuerySet(models.QuerySet["Report"]):
    def visible_to(self, viewer: Viewer) -> ReportQuerySet:
        """Those of companies whose rules one manages, and one's own."""
        own = Q(person_id=viewer.person_id) if viewer.person_id else Q(pk__in=())
        return self.filter(own | viewer.within("company__path", Deed.MANAGE_RULES))


class Report(models.Model):
    """One person says that a post or a reply should not stand; somebody decides."""

    company = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    post = models.ForeignKey(Post, models.PROTECT, null=True, blank=True, related_name="reports")
    reply = models.ForeignKey(Reply, models.PROTECT, null=True, blank=True, related_name="reports")
    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    why = models.CharField(max_length=500)
    at = models.DateTimeField()
    outcome = models.CharField(max_length=8, choices=outcomes, default=Outcome.OPEN)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    objects = ReportQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(post__isnull=False, reply__isnull=True) | Q(post__isnull=True, reply__isnull=False),
                name="report_of_one_thing",
            ),
            models.UniqueConstraint(
                fields=["post", "person"], condition=Q(outcome="open"), name="report_once_open_per_post"
            ),
            models.UniqueConstraint(
                fields=["reply", "person"], condition=Q(outcome="open"), name="report_once_open_per_reply"
            ),
        ]
        indexes = [models.Index(fields=["company", "outcome", "at"], name="report_queue")]


class TermsQuerySet(models.QuerySet["Terms"]):
    def visible_to(self, viewer: Viewer) -> TermsQuerySet:
        return self.filter(of_own_companies("company", viewer))


class Terms(models.Model):
    """How much recognition one may give at a company in a business month. No row: these defaults."""

    company = models.OneToOneField(Organization, models.PROTECT, related_name="+")
    allowance = models.PositiveIntegerField(default=100)
    smallest = models.PositiveIntegerField(default=5)
    largest = models.PositiveIntegerField(default=50)
    to_same = models.PositiveIntegerField(default=3)
    """How many times to the same person."""
    mutual = models.PositiveIntegerField(default=2)
    """How many times two people may return each other's recognition."""
    changed_at = models.DateTimeField()

    objects = TermsQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(smallest__gte=1, largest__gte=F("smallest")), name="recognition_portions_are_a_span"
            ),
        ]


class RecognitionQuerySet(models.QuerySet["Recognition"]):
    def visible_to(self, viewer: Viewer) -> RecognitionQuerySet:
        return self.filter(of_own_companies("company", viewer))


class Recognition(models.Model):
    """Points one person gave another of the same company, with the reason. The ledger's lot is `recognition/<id>`."""

    company = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    giver = models.ForeignKey(Person, models.PROTECT, related_name="+")
    receiver = models.ForeignKey(Person, models.PROTECT, related_name="+")
    points = models.PositiveIntegerField()
    text = models.CharField(max_length=500)
    key = models.CharField(max_length=100)
    fingerprint = models.CharField(max_length=64)
    month = models.DateField()
    """The first date of the business month of the company it counts for."""
    given_at = models.DateTimeField()

    objects = RecognitionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["giver", "key"], name="recognition_once_per_key"),
            models.CheckConstraint(condition=Q(points__gt=0), name="recognition_has_points"),
            models.CheckConstraint(condition=~Q(giver=F("receiver")), name="recognition_is_of_another"),
        ]
        indexes = [
            models.Index(fields=["company", "-given_at"], name="recognition_feed"),
            models.Index(fields=["giver", "company", "month"], name="recognition_counted"),
        ]

    def __str__(self) -> str:
        return self.lot

    @property
    def lot(self) -> str:
        """The key of its grant in the ledger."""
        return f"recognition/{self.pk}"
