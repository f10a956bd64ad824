"""Announcements with who read them, trainings with who came, feedback with its answers, and who finished the guide."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from uptake.directory.models import Organization, Person, User
from uptake.directory.viewer import Deed, Viewer, ids_of
from uptake.programme.models import RulebookVersion


class NewsKind(models.TextChoices):
    NEWS = "news", _("News")
    RULES = "rules", _("Rule change")


class Presence(models.TextChoices):
    """How one knows that somebody came."""

    HAND = "hand", _("Marked by hand")
    FILE = "file", _("From a list")
    CODE = "code", _("Code from the room")


class Stand(models.TextChoices):
    """Where somebody stands who wants to come."""

    ENROLLED = "enrolled", _("Enrolled")
    WAITING = "waiting", _("On the waiting list")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class About(models.TextChoices):
    """What feedback is about."""

    PROGRAMME = "programme", _("The points programme")
    REWARD = "reward", _("A reward")
    TOOL = "tool", _("A piece of software")
    PAGE = "page", _("A page of Uptake")
    OTHER = "other", _("Something else")


class FeedbackState(models.TextChoices):
    NEW = "new", pgettext_lazy("of feedback", "New")
    SEEN = "seen", _("Seen")
    PLANNED = "planned", _("Planned")
    ANSWERED = "answered", _("Answered")
    DONE = "done", _("Done")
    DECLINED = "declined", _("Declined")


def news_kinds() -> list[tuple[str, Any]]:
    return list(NewsKind.choices)


def presences() -> list[tuple[str, Any]]:
    return list(Presence.choices)


def stands() -> list[tuple[str, Any]]:
    return list(Stand.choices)


def subjects() -> list[tuple[str, Any]]:
    return list(About.choices)


def feedback_states() -> list[tuple[str, Any]]:
    return list(FeedbackState.choices)


def at_own_places(lookup: str, viewer: Viewer) -> Q:
    """The condition that `lookup` is a place one belongs to, or one above it."""
    return Q(**{f"{lookup}_id__in": {key for path in viewer.places for key in ids_of(path)}})


def in_language(english: str, native: str, language: str) -> str:
    """The wording for a language tag; the other one where it is missing."""
    return (native or english) if language.startswith("zh") else (english or native)


class AnnouncementQuerySet(models.QuerySet["Announcement"]):
    def visible_to(self, viewer: Viewer) -> AnnouncementQuerySet:
        """What was published for one's places, or where one sees totals; drafts where one manages the rules."""
        read = at_own_places("organization", viewer) | viewer.within("organization__path", Deed.SEE_TOTALS)
        return self.filter(
            read & Q(published_at__isnull=False) | viewer.within("organization__path", Deed.MANAGE_RULES)
        )

    def current(self, now: datetime) -> AnnouncementQuerySet:
        """Published and not over."""
        return self.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=now), published_at__isnull=False)

    def for_places(self, viewer: Viewer) -> AnnouncementQuerySet:
        """Those meant for the viewer: of the places one belongs to."""
        return self.filter(at_own_places("organization", viewer))


class Announcement(models.Model):
    """Something said to everybody at a place and below it, in both languages. Plain text."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=news_kinds, default=NewsKind.NEWS)
    title_en = models.CharField(max_length=120)
    title_zh = models.CharField(max_length=120)
    text_en = models.TextField(max_length=8000)
    text_zh = models.TextField(max_length=8000)
    rulebook = models.OneToOneField(RulebookVersion, models.PROTECT, null=True, blank=True, related_name="+")
    """Of a rule change: the version it tells of."""
    at_once = models.BooleanField(default=False)
    """Of a rule change: it lowers, and held from the day it was published on."""
    pinned = models.BooleanField(default=False)
    by_mail = models.BooleanField(default=False)
    key = models.CharField(max_length=100)
    written_at = models.DateTimeField()
    written_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    publishes_at = models.DateTimeField(null=True, blank=True)
    """When it is to be published; empty: a draft."""
    published_at = models.DateTimeField(null=True, blank=True)
    """When people were told."""
    told = models.PositiveIntegerField(default=0)
    """How many people were told."""
    ends_at = models.DateTimeField(null=True, blank=True)

    objects = AnnouncementQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "key"], name="announcement_once_per_key"),
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(publishes_at__isnull=False), name="announcement_ends_if_it_begins"
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-published_at"], name="announcement_feed"),
            models.Index(fields=["publishes_at"], condition=Q(published_at__isnull=True), name="announcement_waiting"),
        ]

    def __str__(self) -> str:
        return f"announcement {self.pk}"

    def title_in(self, language: str) -> str:
        return in_language(self.title_en, self.title_zh, language)

    def text_in(self, language: str) -> str:
        return in_language(self.text_en, self.text_zh, language)

    def state(self, now: datetime) -> str:
        """draft, planned, published or ended."""
        if self.published_at is None:
            return "draft" if self.publishes_at is None else "planned"
        return "ended" if self.ends_at is not None and self.ends_at <= now else "published"


class ReadMarkQuerySet(models.QuerySet["ReadMark"]):
    def visible_to(self, viewer: Viewer) -> ReadMarkQuerySet:
        """One's own; all where one sees single people."""
        own = Q(person_id=viewer.person_id) if viewer.person_id else Q(pk__in=())
        return self.filter(own | viewer.within("announcement__organization__path", Deed.SEE_PEOPLE))


class ReadMark(models.Model):
    """One person opened one announcement."""

    announcement = models.ForeignKey(Announcement, models.PROTECT, related_name="marks")
    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    read_at = models.DateTimeField()

    objects = ReadMarkQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["announcement", "person"], name="read_once_per_person")]


class TrainingQuerySet(models.QuerySet["Training"]):
    def visible_to(self, viewer: Viewer) -> TrainingQuerySet:
        """Those for one's places, and those where one runs trainings or sees totals."""
        run = viewer.within("organization__path", Deed.RUN_TRAININGS, Deed.SEE_TOTALS)
        return self.filter(at_own_places("organization", viewer) | run)


class Training(models.Model):
    """A meeting in which people learn something, for everybody at a place and below it."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    key = models.CharField(max_length=100)
    title_en = models.CharField(max_length=120, blank=True)
    title_zh = models.CharField(max_length=120, blank=True)
    text_en = models.TextField(max_length=4000, blank=True)
    text_zh = models.TextField(max_length=4000, blank=True)
    starts_at = models.DateTimeField()
    minutes = models.PositiveSmallIntegerField()
    where = models.CharField(max_length=300)
    """A room, or the address of a meeting."""
    trainer = models.CharField(max_length=100, blank=True)
    capacity = models.PositiveIntegerField(null=True, blank=True)
    code = models.CharField(max_length=10)
    """Shown in the room; whoever types it in was there."""
    planned_at = models.DateTimeField()
    planned_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    cancelled_at = models.DateTimeField(null=True, blank=True)

    objects = TrainingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "key"], name="training_once_per_key"),
            models.CheckConstraint(condition=Q(minutes__gt=0), name="training_lasts"),
            models.CheckConstraint(condition=~Q(title_en="", title_zh=""), name="training_has_a_title"),
        ]
        indexes = [models.Index(fields=["organization", "starts_at"], name="training_calendar")]

    def __str__(self) -> str:
        return f"training {self.pk}"

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + timedelta(minutes=self.minutes)

    def title_in(self, language: str) -> str:
        return in_language(self.title_en, self.title_zh, language)

    def text_in(self, language: str) -> str:
        return in_language(self.text_en, self.text_zh, language)


class EnrolmentQuerySet(models.QuerySet["Enrolment"]):
    def visible_to(self, viewer: Viewer) -> EnrolmentQuerySet:
        """One's own; all of a training one runs."""
        own = Q(person_id=viewer.person_id) if viewer.person_id else Q(pk__in=())
        return self.filter(own | viewer.within("training__organization__path", Deed.RUN_TRAININGS))


class Enrolment(models.Model):
    """One person and one training: whether they want to come, and whether they came."""

    training = models.ForeignKey(Training, models.PROTECT, related_name="enrolments")
    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    stand = models.CharField(max_length=10, choices=stands)
    enrolled_at = models.DateTimeField()
    attended_at = models.DateTimeField(null=True, blank=True)
    minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    """How long they were there."""
    how = models.CharField(max_length=10, choices=presences, blank=True)
    marked_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    objects = EnrolmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["training", "person"], name="enrolment_once_per_person"),
            models.CheckConstraint(
                condition=Q(attended_at__isnull=True, minutes__isnull=True, how="")
                | Q(attended_at__isnull=False, minutes__gt=0) & ~Q(how=""),
                name="attendance_is_whole",
            ),
        ]
        indexes = [models.Index(fields=["person", "enrolled_at"], name="enrolment_of_person")]


class FeedbackQuerySet(models.QuerySet["Feedback"]):
    def visible_to(self, viewer: Viewer) -> FeedbackQuerySet:
        """One's own, those of companies where one answers, and what colleagues opened to all once it was answered."""
        own = Q(person_id=viewer.person_id) if viewer.person_id else Q(pk__in=())
        told = at_own_places("company", viewer) & Q(shared=True, answered_at__isnull=False)
        return self.filter(own | told | viewer.within("company__path", Deed.ANSWER_FEEDBACK))

    def waiting(self) -> FeedbackQuerySet:
        """Without an answer."""
        return self.filter(answered_at__isnull=True)


class Feedback(models.Model):
    """What somebody of a company wants to say, and what was answered. Plain text."""

    company = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    """Kept for anonymous ones too: `anonymous` hides it from everybody but the author, until it is uncovered."""
    key = models.CharField(max_length=100)
    about = models.CharField(max_length=10, choices=subjects)
    title = models.CharField(max_length=120)
    text = models.TextField(max_length=4000)
    anonymous = models.BooleanField(default=False)
    shared = models.BooleanField(default=False)
    """Colleagues may read it with its answer."""
    state = models.CharField(max_length=10, choices=feedback_states, default=FeedbackState.NEW)
    given_at = models.DateTimeField()
    due_at = models.DateTimeField()
    """Answered by then is answered in time."""
    seen_at = models.DateTimeField(null=True, blank=True)
    answer = models.TextField(max_length=4000, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    """When the first answer was given."""
    answered_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    rating = models.PositiveSmallIntegerField(null=True, blank=True)
    rated_at = models.DateTimeField(null=True, blank=True)
    uncovered_at = models.DateTimeField(null=True, blank=True)
    uncovered_why = models.CharField(max_length=500, blank=True)

    objects = FeedbackQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "key"], name="feedback_once_per_key"),
            models.CheckConstraint(
                condition=Q(rating__isnull=True) | Q(rating__gte=1, rating__lte=5, answered_at__isnull=False),
                name="feedback_rates_an_answer",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["planned", "answered", "done", "declined"]) | ~Q(answer=""),
                name="feedback_is_decided_in_words",
            ),
            models.CheckConstraint(
                condition=Q(uncovered_at__isnull=True) | Q(anonymous=True) & ~Q(uncovered_why=""),
                name="feedback_is_uncovered_for_a_reason",
            ),
            models.CheckConstraint(condition=Q(due_at__gt=F("given_at")), name="feedback_has_time"),
        ]
        indexes = [
            models.Index(fields=["company", "given_at"], name="feedback_of_company"),
            models.Index(fields=["company", "due_at"], condition=Q(answered_at__isnull=True), name="feedback_waiting"),
        ]

    def __str__(self) -> str:
        return f"feedback {self.pk}"

    def overdue(self, now: datetime) -> bool:
        return self.answered_at is None and self.due_at <= now

    @property
    def in_time(self) -> bool:
        return self.answered_at is not None and self.answered_at <= self.due_at


class GuideQuerySet(models.QuerySet["Guide"]):
    def visible_to(self, viewer: Viewer) -> GuideQuerySet:
        """Those of one's places, and where one manages the rules."""
        managed = viewer.within("organization__path", Deed.MANAGE_RULES)
        return self.filter(at_own_places("organization", viewer) | managed)


class Guide(models.Model):
    """The steps with which a place lets a role begin, where it has its own; else those of `guides.py` hold."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    role = models.CharField(max_length=16)
    """A role of the directory."""
    steps = models.JSONField()
    """[{"key", "en", "zh", "events": [name]}]."""
    changed_at = models.DateTimeField()

    objects = GuideQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "role"], name="guide_once_per_role")]


class GuideFinishedQuerySet(models.QuerySet["GuideFinished"]):
    def visible_to(self, viewer: Viewer) -> GuideFinishedQuerySet:
        """One's own; all where one sees or manages single people."""
        own = Q(person_id=viewer.person_id) if viewer.person_id else Q(pk__in=())
        return self.filter(own | viewer.within("company__path", Deed.SEE_PEOPLE))


class GuideFinished(models.Model):
    """Somebody did every step of the guide for their role, the first time."""

    company = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    role = models.CharField(max_length=16)
    finished_at = models.DateTimeField()

    objects = GuideFinishedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["company", "person", "role"], name="guide_finished_once")]
