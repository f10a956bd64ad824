"""Messages to people: what happened, as kind and content; the words are found when the message is read.

Beside them mails, whose words stand when they are written, what of all this a person wants and when, addresses from
which mails come back, webhooks: addresses of other software that is told what happens at a place, and the words in
which a place says its messages.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from uptake.directory.models import Membership, Organization, Person, User
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
            models.Index(fields=["person", "-id"], condition=Q(read_at__isnull=True), name="message_unread"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class Topic(models.TextChoices):
    """What a message or mail is about; a person chooses for each by which way it comes."""

    POINTS = "points", _("Points")
    RECOGNITION = "recognition", _("Recognition and points given by people")
    MERITS = "merits", _("Levels, badges and challenges")
    REWARDS = "rewards", _("Redemptions")
    RULES = "rules", _("Votes and appeals")
    COMMUNITY = "community", _("Answers in the community")
    ANNOUNCEMENTS = "announcements", _("Announcements")
    TRAININGS = "trainings", _("Trainings you enrolled for")
    FEEDBACK = "feedback", _("Answers to your feedback")
    CONNECTIONS = "connections", _("Connections that need attention")
    REPORTS = "reports", _("Monthly reports on impact")


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
    together = models.BooleanField(default=False)
    """Goes out in one mail with all others of this person that are due."""

    objects = MailQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "key"], name="mail_once_per_key")]
        indexes = [models.Index(fields=["next_at"], condition=Q(next_at__isnull=False), name="mail_waiting")]

    def __str__(self) -> str:
        return f"{self.topic} {self.key}"


class Way(models.TextChoices):
    """How something reaches a person. In the inbox it stands in any case."""

    PAGE = "page", _("On the page")
    MAIL = "mail", _("By mail")


def ways() -> list[tuple[str, Any]]:
    return list(Way.choices)


class WishQuerySet(models.QuerySet["Wish"]):
    def visible_to(self, viewer: Viewer) -> WishQuerySet:
        """One's own."""
        if viewer.person_id is not None:
            return self.filter(person_id=viewer.person_id)
        return self.all() if viewer.user_id is None and viewer.sees_everything(Deed.RUN_PLATFORM) else self.none()


class Wish(models.Model):
    """By which way a person wants a topic, where it differs from what everybody gets (`wishes.py`)."""

    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    topic = models.CharField(max_length=20, choices=topics)
    way = models.CharField(max_length=10, choices=ways)
    wanted = models.BooleanField()

    objects = WishQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "topic", "way"], name="wish_once_per_way")]

    def __str__(self) -> str:
        return f"{self.person_id} {self.topic} {self.way}"


class Pace(models.TextChoices):
    """When mails come that can wait."""

    AT_ONCE = "at_once", _("At once, each by itself")
    DAILY = "daily", _("Once a day, all in one mail")
    WEEKLY = "weekly", _("On Mondays, all in one mail")


def paces() -> list[tuple[str, Any]]:
    return list(Pace.choices)


class RhythmQuerySet(models.QuerySet["Rhythm"]):
    def visible_to(self, viewer: Viewer) -> RhythmQuerySet:
        """One's own."""
        if viewer.person_id is not None:
            return self.filter(person_id=viewer.person_id)
        return self.all() if viewer.user_id is None and viewer.sees_everything(Deed.RUN_PLATFORM) else self.none()


class Rhythm(models.Model):
    """When mails come to a person. No row: at once, at any hour."""

    person = models.OneToOneField(Person, models.PROTECT, related_name="+", primary_key=True)
    pace = models.CharField(max_length=10, choices=paces, default=Pace.AT_ONCE)
    zone = models.CharField(max_length=64, blank=True)
    """IANA name; empty: that of the place they belong to."""
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)

    objects = RhythmQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="quiet_from_and_until",
            )
        ]


class BounceQuerySet(models.QuerySet["Bounce"]):
    def visible_to(self, viewer: Viewer) -> BounceQuerySet:
        """Those of people the viewer manages, and one's own."""
        if viewer.sees_everything(Deed.MANAGE_PEOPLE):
            return self.all()
        managed = Membership.objects.filter(
            viewer.within("organization__path", Deed.MANAGE_PEOPLE), person=OuterRef("person_id")
        )
        return self.filter(Exists(managed) | Q(person_id=viewer.person_id))


class Bounce(models.Model):
    """Mails to this address come back, so none is sent there. Another address of the person is tried again."""

    person = models.OneToOneField(Person, models.PROTECT, related_name="+", primary_key=True)
    address = models.EmailField()
    why = models.CharField(max_length=200)
    """What the mail server said."""
    at = models.DateTimeField()

    objects = BounceQuerySet.as_manager()


class Follower(models.Model):
    """How far a reader of all messages has read."""

    name = models.CharField(max_length=20, primary_key=True)
    txid = models.BigIntegerField(default=0)
    message = models.BigIntegerField(default=0)


class About(models.TextChoices):
    """What a webhook tells of; each is chosen by itself."""

    AWARDS = "awards", _("Points by rules")
    LEVELS = "levels", _("Levels")
    GIVEN = "given", _("Points given by people and prizes")
    REDEMPTIONS = "redemptions", _("Redemptions")
    ALERTS = "alerts", _("Connections that need attention")
    ANNOUNCEMENTS = "announcements", _("Announcements")
    WEEK = "week", _("The week in figures, on Mondays")


class Chat(models.TextChoices):
    """Whose group robot says it; what is told of people is said by none."""

    DINGTALK = "dingtalk", _("DingTalk")
    FEISHU = "feishu", _("Feishu")
    WECOM = "wecom", _("WeCom")
    SLACK = "slack", _("Slack")
    TEAMS = "teams", _("Microsoft Teams")


def chats() -> list[tuple[str, Any]]:
    return list(Chat.choices)


class Stop(models.TextChoices):
    """Why nothing is sent to a webhook."""

    BY_HAND = "by_hand", _("Paused by hand")
    GONE = "gone", _("Its address answered that it is gone (410)")


def stops() -> list[tuple[str, Any]]:
    return list(Stop.choices)


class WebhookQuerySet(models.QuerySet["Webhook"]):
    def visible_to(self, viewer: Viewer) -> WebhookQuerySet:
        """Webhooks of places whose data the viewer manages."""
        return self.filter(viewer.within("organization__path", Deed.MANAGE_DATA))


class Webhook(models.Model):
    """One address that is told what happens at a place and below it: of other software, or of a group's robot."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    name = models.CharField(max_length=100)
    address = models.CharField(max_length=1000)
    plain_http = models.BooleanField(default=False)
    """Whether an address without encryption was allowed, which somebody must have said."""
    about = models.JSONField(default=list)
    """Values of `About`."""
    secret = models.BinaryField()
    """Sealed; what deliveries are signed with. Of a group robot: its whole address, and what it signs with."""
    old_secret = models.BinaryField(null=True, blank=True)
    """Sealed; signs beside the new one until `old_until`."""
    old_until = models.DateTimeField(null=True, blank=True)
    chat = models.CharField(max_length=10, choices=chats, blank=True)
    """Whose group robot it is; empty: other software."""
    language = models.CharField(max_length=16, blank=True)
    """In which a group robot speaks."""
    made_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True, blank=True)
    why_stopped = models.CharField(max_length=10, choices=stops, blank=True)
    failures = models.PositiveIntegerField(default=0)
    """In a row; nothing else is tried before `next_at`."""
    next_at = models.DateTimeField(null=True, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    """One runner at a time sends, so that deliveries keep their order."""
    last_sent_at = models.DateTimeField(null=True, blank=True)

    objects = WebhookQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class Fate(models.TextChoices):
    """How it stands with a delivery."""

    WAITING = "waiting", _("To be sent")
    DELIVERED = "delivered", _("Delivered")
    DEAD = "dead", _("Given up")


def fates() -> list[tuple[str, Any]]:
    return list(Fate.choices)


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def visible_to(self, viewer: Viewer) -> DeliveryQuerySet:
        """As their webhooks."""
        return self.filter(viewer.within("webhook__organization__path", Deed.MANAGE_DATA))


class Delivery(models.Model):
    """One thing that one webhook is told: its bytes stand when it is written and are the same at every attempt."""

    webhook = models.ForeignKey(Webhook, models.PROTECT, related_name="deliveries", db_index=False)
    company = models.ForeignKey(Organization, models.PROTECT, related_name="+", null=True, db_index=False)
    """Whose it is; empty for what concerns a park and for tests."""
    person = models.ForeignKey(Person, models.PROTECT, related_name="+", null=True)
    number = models.CharField(max_length=40, unique=True)
    """The `webhook-id`, by which a receiver knows a repeat."""
    key = models.CharField(max_length=255)
    """Unique for the webhook: announcing again under it writes nothing."""
    kind = models.CharField(max_length=64)
    body = models.TextField()
    written_at = models.DateTimeField()
    due_since = models.DateTimeField()
    """From when three days are counted: when it was written, let go on or asked for again."""
    fate = models.CharField(max_length=10, choices=fates, default=Fate.WAITING)
    next_at = models.DateTimeField(null=True, blank=True)
    """When it is tried (again); empty unless it waits."""
    tries = models.PositiveIntegerField(default=0)
    tried_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    answer = models.TextField(blank=True)
    """What was answered last, its beginning; or why there was no answer."""

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["webhook", "key"], name="delivery_once_per_key"),
            models.CheckConstraint(
                condition=Q(fate="waiting", next_at__isnull=False) | (~Q(fate="waiting") & Q(next_at__isnull=True)),
                name="delivery_waits_for_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["webhook", "next_at"], condition=Q(next_at__isnull=False), name="delivery_waiting"),
            models.Index(fields=["webhook", "fate", "id"], name="delivery_by_fate"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"


class WordingQuerySet(models.QuerySet["Wording"]):
    def visible_to(self, viewer: Viewer) -> WordingQuerySet:
        """Own words of places whose people the viewer manages."""
        return self.filter(viewer.within("organization__path", Deed.MANAGE_PEOPLE))


class Wording(models.Model):
    """How a place says one kind of message from a version on; the highest number holds. Never changed."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=64)
    number = models.PositiveIntegerField()
    phrases = models.JSONField(default=dict)
    """By language and slot, only those that differ from what holds above; none: the words from above hold."""
    by = models.ForeignKey(User, models.PROTECT, related_name="+", null=True)
    written_at = models.DateTimeField()

    objects = WordingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "kind", "number"], name="wording_once_per_number")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"
