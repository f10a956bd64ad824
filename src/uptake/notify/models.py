"""Messages to people: what happened, as kind and content; the words are found when the message is read."""

from __future__ import annotations

from django.db import models

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
