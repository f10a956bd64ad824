"""Messages to people: what happened, as kind and content; the words are found when the message is read.

Beside them mails, whose words stand when they are written, and which kinds of mail a person does not want.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from uptake.directory.models import Person
from uptake.directory.scope import Deed, Viewer


class MessageQuerySet(models.QuerySet["Message"]):
    """Reads of messages."""

    def visible_to(self, viewer: Viewer) -> MessageQuerySet:
        """One's own messages, whatever one's role; the command line, which is nobody, sees all."""
        if viewer.person_id is not None:
            return self.filter(person_id=viewer.person_id)
        return self.all() if viewer.user_id is None and viewer.sees_everything(Deed.RUN_PLATFORM) else self.none()

    def unread(self) -> MessageQuerySet:
        return self.filter(read_at__isnull=True)


class Message(models.Model):
    """One message to one person. Insert-only by trigger, but for `read_at`."""

    id = models.BigAutoField(primary_key=True)
    txid = models.BigIntegerField(default=0)
    """PostgreSQL: the inserting transaction's id, set by a trigger; SQLite: 0 (one writer at a time)."""
    person = models.ForeignKey(Person, models.PROTECT, related_name="messages", db_index=False)
    key = models.CharField(max_length=255)
    """What makes telling twice telling once: unique for the person."""
    kind = models.CharField(max_length=64)
    """Dotted, past tense: points.granted."""
    content = models.JSONField(default=dict)
    """Named fields for the sentence of this kind."""
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "key"], name="message_once_per_key")]
        indexes = [
            models.Index(fields=["person", "id"], name="message_of_person"),
            models.Index(fields=["txid", "id"], name="message_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class Topic(models.TextChoices):
    """What a mail is about; a person may leave out each."""

    ANNOUNCEMENTS = "announcements", _("Announcements")
    TRAININGS = "trainings", _("Trainings you enrolled for")
    FEEDBACK = "feedback", _("Answers to your feedback")
    CONNECTIONS = "connections", _("Connections that need attention")


def topics() -> list[tuple[str, Any]]:
    return list(Topic.choices)


class MailQuerySet(models.QuerySet["Mail"]):
    def visible_to(self, viewer: Viewer) -> MailQuerySet:
        """As messages: one's own."""
        if viewer.person_id is not None:
            return self.filter(person_id=viewer.person_id)
        return self.all() if viewer.user_id is None and viewer.sees_everything(Deed.RUN_PLATFORM) else self.none()


class Mail(models.Model):
    """One mail to one person, written now and sent by a job; the address is looked up when it is sent."""

    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    key = models.CharField(max_length=255)
    """Unique for the person: writing again under it writes nothing."""
    topic = models.CharField(max_length=20, choices=topics)
    subject = models.CharField(max_length=200)
    text = models.TextField()
    written_at = models.DateTimeField()
    next_at = models.DateTimeField(null=True)
    """When it is tried (again); empty once it was sent or given up."""
    sent_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    why_not = models.CharField(max_length=200, blank=True)
    """What the mail server said last, or that there is no address."""

    objects = MailQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "key"], name="mail_once_per_key")]
        indexes = [models.Index(fields=["next_at"], condition=Q(next_at__isnull=False), name="mail_waiting")]

    def __str__(self) -> str:
        return f"{self.topic} {self.key}"


class UnwantedQuerySet(models.QuerySet["Unwanted"]):
    def visible_to(self, viewer: Viewer) -> UnwantedQuerySet:
        """One's own."""
        if viewer.person_id is not None:
            return self.filter(person_id=viewer.person_id)
        return self.all() if viewer.user_id is None and viewer.sees_everything(Deed.RUN_PLATFORM) else self.none()


class Unwanted(models.Model):
    """A kind of mail a person does not want. No row: they get it."""

    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    topic = models.CharField(max_length=20, choices=topics)

    objects = UnwantedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "topic"], name="unwanted_once_per_topic")]
