"""Ways to sign in with the login of a company's own system, and which account there is whose login here."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from uptake.directory.models import Organization, User
from uptake.directory.viewer import Deed, Viewer


class Protocol(models.TextChoices):
    """How the other system says who somebody is."""

    OIDC = "oidc", "OpenID Connect"
    LDAP = "ldap", "LDAP"
    SAML = "saml", "SAML 2.0"
    WECOM = "wecom", _("WeCom (企业微信)")
    DINGTALK = "dingtalk", _("DingTalk (钉钉)")
    FEISHU = "feishu", _("Feishu (飞书)")


def protocols() -> list[tuple[str, Any]]:
    return list(Protocol.choices)


class SignOnQuerySet(models.QuerySet["SignOn"]):
    def visible_to(self, viewer: Viewer) -> SignOnQuerySet:
        """Those of places where the viewer manages data: platform administrators and park operators."""
        return self.filter(viewer.within("organization__path", Deed.MANAGE_DATA))

    def open(self) -> SignOnQuerySet:
        """Those one can sign in with now."""
        return self.filter(paused_at__isnull=True, organization__closed_at__isnull=True)


class SignOn(models.Model):
    """One system that vouches for the people of a place, and for nobody else."""

    slug = models.SlugField(max_length=60, unique=True)
    """Part of the addresses the other system is told of: never changes."""
    protocol = models.CharField(max_length=16, choices=protocols)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    name_en = models.CharField(max_length=60)
    name_zh = models.CharField(max_length=60)
    address = models.CharField(max_length=500, blank=True)
    """The issuer (OpenID Connect), the server (LDAP), where browsers are sent (SAML), the platform (chats)."""
    client = models.CharField(max_length=255, blank=True)
    """The client id; the entity id of the other system (SAML); the service account (LDAP)."""
    secret = models.BinaryField(default=bytes)
    """Sealed."""
    email_claim = models.CharField(max_length=200, blank=True)
    """Where the e-mail stands; empty: it is not used."""
    number_claim = models.CharField(max_length=200, blank=True)
    """Where the staff number stands; empty: it is not used."""
    source = models.CharField(max_length=100, blank=True)
    """The `source` of the identities whose ids it tells, of a source of people; empty: none."""
    settings = models.JSONField(default=dict)
    """{name: text}: what only this protocol needs, see `proper.py`; nothing secret."""
    domains = models.JSONField(default=list)
    """Domains of e-mail addresses this system may speak of; empty: any."""
    plain = models.BooleanField(default=False)
    """Without encryption; somebody has allowed it."""
    makes_people = models.BooleanField(default=False)
    listed = models.BooleanField(default=True)
    """Shown to everybody on the sign-in page; else only by its own address."""
    for_administrators = models.BooleanField(default=False)
    """Also those who run the platform may come in by it."""
    only_way = models.BooleanField(default=False)
    """The people of the place do not sign in with a password here."""
    made_at = models.DateTimeField()
    tried_at = models.DateTimeField(null=True, blank=True)
    """When a test last came through as it is set up now."""
    paused_at = models.DateTimeField(null=True, blank=True)

    objects = SignOnQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(email_claim="") | ~Q(number_claim="") | ~Q(source=""), name="sign_on_knows_people"
            ),
            models.CheckConstraint(condition=Q(only_way=False) | Q(tried_at__isnull=False), name="only_way_was_tried"),
        ]

    def __str__(self) -> str:
        return self.slug

    @property
    def name(self) -> str:
        """The name in the reader's language."""
        return self.name_zh if (get_language() or "").startswith("zh") else self.name_en


class SignOnLinkQuerySet(models.QuerySet["SignOnLink"]):
    def visible_to(self, viewer: Viewer) -> SignOnLinkQuerySet:
        """Those of the ways in that the viewer manages, and one's own."""
        return self.filter(viewer.within("sign_on__organization__path", Deed.MANAGE_DATA) | Q(user_id=viewer.user_id))


class SignOnLink(models.Model):
    """An account of the other system belongs to a login here, since it first came in."""

    sign_on = models.ForeignKey(SignOn, models.CASCADE, related_name="links")
    subject = models.CharField(max_length=255)
    """What the other system calls the account, for good (`sub`)."""
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    made_at = models.DateTimeField()
    last_at = models.DateTimeField()

    objects = SignOnLinkQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sign_on", "subject"], name="sign_on_subject_once"),
            models.UniqueConstraint(fields=["sign_on", "user"], name="sign_on_user_once"),
        ]


class UsedProof(models.Model):
    """A proof that somebody came in by, so that nobody comes in by it again. Forgotten when it has run out."""

    sign_on = models.ForeignKey(SignOn, models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64)
    """SHA-256 of its id, in hex."""
    until = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sign_on", "digest"], name="sign_on_proof_once")]
