"""Sources of people: how each is asked or asks us, what it said last, what we made of it, and what each run did."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from uptake.directory.models import Organization, Person, User
from uptake.directory.viewer import Deed, Viewer


class Sort(models.TextChoices):
    """The kinds of source."""

    SCIM = "scim", _("SCIM 2.0")
    WECOM = "wecom", _("WeCom (企业微信)")
    DINGTALK = "dingtalk", _("DingTalk (钉钉)")
    FEISHU = "feishu", _("Feishu (飞书)")
    JIANDAOYUN = "jiandaoyun", _("Jiandaoyun (简道云)")
    LDAP = "ldap", _("LDAP")


def sorts() -> list[tuple[str, Any]]:
    return list(Sort.choices)


class PeopleSourceQuerySet(models.QuerySet["PeopleSource"]):
    def visible_to(self, viewer: Viewer) -> PeopleSourceQuerySet:
        """Sources of companies whose people the viewer manages."""
        return self.filter(viewer.within("company__path", Deed.MANAGE_PEOPLE))


class PeopleSource(models.Model):
    """A directory elsewhere that says who belongs to one company, and in which departments."""

    company = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    sort = models.CharField(max_length=16, choices=sorts)
    name = models.CharField(max_length=100)
    settings = models.JSONField(default=dict)
    """{name: text}: address, ids; nothing secret."""
    secrets = models.BinaryField(default=b"")
    """{name: text} as JSON, sealed: see `pull/secrets.py`."""
    every_seconds = models.PositiveIntegerField(default=3600)
    next_at = models.DateTimeField(null=True, blank=True)
    """When it is asked next; none: it is not asked (it asks us, is paused, or a person must look)."""
    paused_at = models.DateTimeField(null=True, blank=True)
    tried_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    """When what it said was last taken over."""
    failures = models.PositiveIntegerField(default=0)
    attention = models.JSONField(null=True, blank=True)
    """{code, detail, leaves, of}: why a person must look."""
    attention_at = models.DateTimeField(null=True, blank=True)
    confirmed = models.JSONField(default=list)
    """Keys of people a person confirmed to leave."""
    attempt = models.PositiveIntegerField(default=0)
    """How often it was taken up: whoever holds an older number may write no more."""
    token_prefix = models.CharField(max_length=16, null=True, blank=True, unique=True)
    token_hash = models.CharField(max_length=64, blank=True)
    token_used_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    objects = PeopleSourceQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["next_at"], name="people_source_next")]

    def __str__(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        """The `source` of its identities. No connection can have it: their short names have no stroke."""
        return f"people/{self.pk}"


class SaidPlace(models.Model):
    """A department (or a group of SCIM) as its source says, and the place it became."""

    source = models.ForeignKey(PeopleSource, models.PROTECT, related_name="places")
    key = models.CharField(max_length=255)
    name = models.CharField(max_length=200)
    parent_key = models.CharField(max_length=255, blank=True)
    """Empty: right below the company."""
    place = models.ForeignKey(Organization, models.PROTECT, null=True, blank=True, related_name="+")
    gone_at = models.DateTimeField(null=True, blank=True)
    """Since when the source does not name it any more."""
    extra = models.JSONField(default=dict)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "key"], name="said_place_once_per_source")]

    def __str__(self) -> str:
        return self.name


class SaidPerson(models.Model):
    """A person as their source says, who they are here, and whether they belong to the company through it."""

    source = models.ForeignKey(PeopleSource, models.PROTECT, related_name="people")
    key = models.CharField(max_length=255)
    """Their id at the source; at SCIM one of ours."""
    person = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    name = models.CharField(max_length=200, blank=True)
    email = models.CharField(max_length=254, blank=True)
    staff_number = models.CharField(max_length=64, blank=True)
    work = models.CharField(max_length=100, blank=True)
    place_key = models.CharField(max_length=255, blank=True)
    manager_key = models.CharField(max_length=255, blank=True)
    active = models.BooleanField(default=True)
    """As the source says."""
    belongs = models.BooleanField(default=False)
    """Whether we let them belong through it."""
    left_at = models.DateTimeField(null=True, blank=True)
    closed_login = models.BooleanField(default=False)
    """Their login was closed because they left: it opens when they come back."""
    trouble = models.CharField(max_length=32, blank=True)
    """Why what the source says could not be done: see `words.py`."""
    user_name = models.CharField(max_length=254, null=True, blank=True)
    """SCIM: unique within the source, in small letters."""
    extra = models.JSONField(default=dict)
    """SCIM: what else was said, as it came."""
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "key"], name="said_person_once_per_source"),
            models.UniqueConstraint(fields=["source", "user_name"], name="said_person_user_name_once"),
        ]

    def __str__(self) -> str:
        return self.key


class PeopleRun(models.Model):
    """One time a source was read, or one request of SCIM that changed somebody: what came of it."""

    source = models.ForeignKey(PeopleSource, models.PROTECT, related_name="runs")
    at = models.DateTimeField()
    outcome = models.CharField(max_length=16)
    """done, held (too many would leave) or failed."""
    counts = models.JSONField(default=dict)
    """{what: how many}."""
    problem = models.JSONField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["source", "-id"], name="people_run_latest")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.outcome}"
