"""Organizations, people, memberships, identities, logins, roles, the working calendar and the audit log."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    """The kinds of organization, from the root of the tree down."""

    PARK = "park", _("Park")
    COMPANY = "company", _("Company")
    DEPARTMENT = "department", _("Department")
    TEAM = "team", _("Team")


def organization_kinds() -> list[tuple[str, Any]]:
    return list(Kind.choices)


class Organization(models.Model):
    """A place in the one tree. `path` is "/<id>/<id>/…/" from the root down to this organization itself."""

    kind = models.CharField(max_length=16, choices=organization_kinds)
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=100, unique=True)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    company = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="places")
    """The company this place belongs to (a company: itself; a park: none). The wall of visibility."""
    path = models.CharField(max_length=255, db_index=True, default="/", editable=False)
    timezone = models.CharField(max_length=64, blank=True)
    """IANA name; empty: as the parent, at the root UPTAKE_TIMEZONE."""
    day_start = models.TimeField(null=True, blank=True)
    """The clock time at which a business date starts; empty: as the parent, at the root 00:00."""
    trade = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)


class PersonKind(models.TextChoices):
    HUMAN = "human", _("Human")
    MACHINE = "machine", _("Machine")


def person_kinds() -> list[tuple[str, Any]]:
    return list(PersonKind.choices)


class Person(models.Model):
    """A human (or a machine account that must not be counted as one); belongs to organizations over time."""

    name = models.CharField(max_length=200)
    email = models.EmailField(blank=True)
    staff_number = models.CharField(max_length=64, blank=True)
    kind = models.CharField(max_length=16, choices=person_kinds, default=PersonKind.HUMAN)
    joined_date = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField()


class Membership(models.Model):
    """A person belongs to an organization in [from_date, until_date). `role` is the work done there (clerk, buyer)."""

    person = models.ForeignKey(Person, models.PROTECT, related_name="memberships")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=100, blank=True)
    from_date = models.DateField()
    until_date = models.DateField(null=True, blank=True)


class Identity(models.Model):
    """(source, external id) → person; unresolved while `person` is empty. `source` is the slug of a connection."""

    source = models.CharField(max_length=100)
    external_id = models.CharField(max_length=255)
    company = models.ForeignKey(Organization, models.PROTECT, null=True, blank=True, related_name="+")
    """The company the source said this identity belongs to, if it did: decides who may see and map it."""
    name = models.CharField(max_length=200, blank=True)
    email = models.CharField(max_length=254, blank=True)
    staff_number = models.CharField(max_length=64, blank=True)
    person = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="identities")
    first_seen_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_how = models.CharField(max_length=16, blank=True)
    """email, staff_number, hand, import or empty."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="identity_once_per_source"),
        ]


class User(AbstractUser):
    """A login. A person may have none; a login has one person."""

    person = models.OneToOneField(Person, models.PROTECT, null=True, blank=True, related_name="user")
    language = models.CharField(max_length=16, blank=True)
    theme = models.CharField(max_length=8, blank=True)


class Role(models.TextChoices):
    """What a login may do at a place in the tree (an employee's own things need no role)."""

    ADMINISTRATOR = "administrator", _("Platform administrator")
    OPERATOR = "operator", _("Park operator")
    COACH = "coach", _("Coach")
    MANAGER = "manager", _("Company manager")
    COMMITTEE = "committee", _("Committee member")
    EMPLOYEE = "employee", _("Employee")
    AUDITOR = "auditor", _("Auditor")


def roles() -> list[tuple[str, Any]]:
    return list(Role.choices)


class RoleAssignment(models.Model):
    """A role given to a person at a place in the tree for [from_date, until_date)."""

    person = models.ForeignKey(Person, models.PROTECT, related_name="role_assignments")
    role = models.CharField(max_length=16, choices=roles)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="role_assignments")
    from_date = models.DateField()
    until_date = models.DateField(null=True, blank=True)
    given_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    given_at = models.DateTimeField()


class DayKind(models.TextChoices):
    HOLIDAY = "holiday", _("Public holiday")
    REST = "rest", _("Rest day")
    WORK = "work", _("Working day")


def day_kinds() -> list[tuple[str, Any]]:
    return list(DayKind.choices)


class CalendarDay(models.Model):
    """A date that departs from the ordinary week at a place and below it (a holiday, or a weekend that is worked)."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="calendar_days")
    date = models.DateField()
    kind = models.CharField(max_length=16, choices=day_kinds)
    name = models.CharField(max_length=100, blank=True)
    provisional = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "date"], name="calendar_day_once_per_place"),
        ]


class AuditEntry(models.Model):
    """One administrative deed. Insert-only, by trigger."""

    at = models.DateTimeField(db_index=True)
    actor = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    actor_name = models.CharField(max_length=200)
    """Kept beside the reference: "command line", "job imports" or the login's name."""
    deed = models.CharField(max_length=64)
    """Dotted, past tense: role.given, key.revoked, import.undone."""
    organization = models.ForeignKey(Organization, models.PROTECT, null=True, blank=True, related_name="+")
    subject = models.CharField(max_length=200, blank=True)
    details = models.JSONField(default=dict)
    address = models.GenericIPAddressField(null=True, blank=True)
