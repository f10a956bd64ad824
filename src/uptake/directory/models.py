"""Organizations, people, memberships, identities, logins, roles, the working calendar and the audit log."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from uptake.directory.viewer import Deed, Viewer, ids_of


class Kind(models.TextChoices):
    """The kinds of organization, from the root of the tree down."""

    PARK = "park", _("Park")
    COMPANY = "company", _("Company")
    DEPARTMENT = "department", _("Department")
    TEAM = "team", _("Team")


def organization_kinds() -> list[tuple[str, Any]]:
    return list(Kind.choices)


class OrganizationQuerySet(models.QuerySet["Organization"]):
    def visible_to(self, viewer: Viewer) -> OrganizationQuerySet:
        """Places where the viewer may do anything, one's own places, and what lies above both (by name only)."""
        paths = viewer.paths(*Deed)
        above = {key for path in (*paths, *viewer.places) for key in ids_of(path)}
        return self.filter(viewer.within("path", *Deed) | Q(pk__in=above))

    def open(self) -> OrganizationQuerySet:
        return self.filter(closed_at__isnull=True)

    def below(self, place: Organization) -> OrganizationQuerySet:
        """The place itself and everything under it."""
        return self.filter(path__startswith=place.path)


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

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["park", "company"]) | Q(parent__isnull=False), name="department_has_a_parent"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ClockChange(models.Model):
    """From a date on a place names another zone and day start than before (empty: as its parent); see `set_clock`."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="clock_changes")
    from_date = models.DateField()
    timezone = models.CharField(max_length=64, blank=True)
    day_start = models.TimeField(null=True, blank=True)
    planned_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "from_date"], name="clock_changes_once_a_date"),
        ]


class PersonKind(models.TextChoices):
    HUMAN = "human", _("Human")
    MACHINE = "machine", _("Machine")


def person_kinds() -> list[tuple[str, Any]]:
    return list(PersonKind.choices)


class PersonQuerySet(models.QuerySet["Person"]):
    def visible_to(self, viewer: Viewer) -> PersonQuerySet:
        """People who belong or belonged to a place where the viewer may see or manage people, and oneself.

        Nobody sees the erased: whoever still knows their number finds nothing under it.
        """
        there = self.filter(erased_at__isnull=True)
        seen = Membership.objects.filter(
            viewer.within("organization__path", Deed.SEE_PEOPLE, Deed.MANAGE_PEOPLE), person=OuterRef("pk")
        )
        if viewer.sees_everything(Deed.SEE_PEOPLE):
            return there
        return there.filter(Exists(seen) | Q(pk=viewer.person_id))

    def belonging(self, place: Organization, on: date) -> PersonQuerySet:
        """People with a membership at the place or below it on a date."""
        held = Membership.objects.filter(organization__path__startswith=place.path, person=OuterRef("pk")).on(on)
        return self.filter(Exists(held))


class Person(models.Model):
    """A human (or a machine account that must not be counted as one); belongs to organizations over time."""

    name = models.CharField(max_length=200)
    email = models.EmailField(blank=True)
    staff_number = models.CharField(max_length=64, blank=True)
    kind = models.CharField(max_length=16, choices=person_kinds, default=PersonKind.HUMAN)
    joined_date = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True, blank=True)
    """Since when this is a number without a human: see `erase.py`."""

    objects = PersonQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(Lower("email"), name="person_by_email"),
            models.Index(fields=["staff_number"], name="person_by_staff_number"),
            models.Index(fields=["kind"], name="person_by_kind"),
        ]

    def __str__(self) -> str:
        return self.name


def holds_on(day: date) -> Q:
    """The condition that a span [from_date, until_date) holds on `day`."""
    return Q(from_date__lte=day) & (Q(until_date__isnull=True) | Q(until_date__gt=day))


class MembershipQuerySet(models.QuerySet["Membership"]):
    def visible_to(self, viewer: Viewer) -> MembershipQuerySet:
        """Memberships at places where the viewer may see or manage people, and one's own."""
        return self.filter(
            viewer.within("organization__path", Deed.SEE_PEOPLE, Deed.MANAGE_PEOPLE) | Q(person_id=viewer.person_id)
        )

    def on(self, day: date) -> MembershipQuerySet:
        return self.filter(holds_on(day))


class Membership(models.Model):
    """A person belongs to an organization in [from_date, until_date). `role` is the work done there (clerk, buyer)."""

    person = models.ForeignKey(Person, models.PROTECT, related_name="memberships")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=100, blank=True)
    from_date = models.DateField()
    until_date = models.DateField(null=True, blank=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "organization", "from_date"], name="membership_once_per_start"),
            models.UniqueConstraint(
                fields=["person", "organization"],
                condition=Q(until_date__isnull=True),
                name="membership_one_open_per_place",
            ),
            models.CheckConstraint(
                condition=Q(until_date__isnull=True) | Q(until_date__gt=F("from_date")), name="membership_has_a_day"
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "from_date", "until_date"], name="membership_by_place"),
            models.Index(fields=["person", "from_date", "until_date"], name="membership_by_person"),
        ]


class LeaveQuerySet(models.QuerySet["Leave"]):
    def visible_to(self, viewer: Viewer) -> LeaveQuerySet:
        """Leave of the people the viewer manages, and one's own."""
        if viewer.sees_everything(Deed.MANAGE_PEOPLE):
            return self.all()
        held = Membership.objects.filter(
            viewer.within("organization__path", Deed.MANAGE_PEOPLE), person=OuterRef("person_id")
        )
        return self.filter(Exists(held) | Q(person_id=viewer.person_id))


class Leave(models.Model):
    """A person is away in [from_date, until_date): these dates neither keep nor break a streak. Why is nobody's."""

    person = models.ForeignKey(Person, models.PROTECT, related_name="leave")
    from_date = models.DateField()
    until_date = models.DateField()

    objects = LeaveQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "from_date"], name="leave_once_per_start"),
            models.CheckConstraint(condition=Q(until_date__gt=F("from_date")), name="leave_has_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.from_date} {self.until_date}"


class IdentityQuerySet(models.QuerySet["Identity"]):
    def visible_to(self, viewer: Viewer) -> IdentityQuerySet:
        """Identities of companies where the viewer sees people or manages data, those a park's source gave to
        visible people, and one's own."""
        if viewer.sees_everything(Deed.MANAGE_DATA):
            return self.all()
        of_the_park = Q(company__isnull=True) | Q(company__kind=Kind.PARK)
        return self.filter(
            viewer.within("company__path", Deed.SEE_PEOPLE, Deed.MANAGE_PEOPLE, Deed.MANAGE_DATA)
            | (of_the_park & Q(person__in=Person.objects.visible_to(viewer)))
            | Q(person__isnull=False, person_id=viewer.person_id)
        )

    def unresolved(self) -> IdentityQuerySet:
        return self.filter(person__isnull=True)

    def unresolved_for(self, viewer: Viewer) -> IdentityQuerySet:
        """Unresolved ones among those visible to the viewer: being nobody's, they are so by their company alone.

        The same as both conditions together, without looking at every person.
        """
        if viewer.sees_everything(Deed.MANAGE_DATA):
            return self.unresolved()
        return self.unresolved().filter(
            viewer.within("company__path", Deed.SEE_PEOPLE, Deed.MANAGE_PEOPLE, Deed.MANAGE_DATA)
        )


class Identity(models.Model):
    """(source, external id) → person; unresolved while `person` is empty. `source` is the slug of a connection."""

    source = models.CharField(max_length=100)
    external_id = models.CharField(max_length=255)
    company = models.ForeignKey(Organization, models.PROTECT, null=True, blank=True, related_name="+")
    """The company its source said it belongs to, or the park whose source named none: decides who may see and map."""
    name = models.CharField(max_length=200, blank=True)
    email = models.CharField(max_length=254, blank=True)
    staff_number = models.CharField(max_length=64, blank=True)
    person = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="identities")
    first_seen_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_how = models.CharField(max_length=16, blank=True)
    """email, staff_number, hand, import, own or empty."""
    looks_like_machine = models.BooleanField(default=False)
    """Its id or name looks like that of a program; a person decides."""

    objects = IdentityQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="identity_once_per_source"),
        ]
        indexes = [
            models.Index(fields=["company", "source"], condition=Q(person__isnull=True), name="identity_unresolved"),
        ]

    def __str__(self) -> str:
        return f"{self.source}:{self.external_id}"


class UserQuerySet(models.QuerySet["User"]):
    def visible_to(self, viewer: Viewer) -> UserQuerySet:
        """Logins of the people the viewer manages or audits, and one's own; those of nobody: who runs the platform."""
        if viewer.sees_everything(Deed.MANAGE_PEOPLE):
            return self.all()
        managed = Membership.objects.filter(
            viewer.within("organization__path", Deed.MANAGE_PEOPLE, Deed.SEE_AUDIT), person=OuterRef("person_id")
        )
        condition = Exists(managed) | Q(pk=viewer.user_id)
        if viewer.may(Deed.RUN_PLATFORM):
            condition |= Q(person__isnull=True)
        return self.filter(condition)


class Logins(UserManager["User"]):
    """Django's manager of users, with the reads of a QuerySet."""

    def get_queryset(self) -> UserQuerySet:
        return UserQuerySet(self.model, using=self._db)

    def visible_to(self, viewer: Viewer) -> UserQuerySet:
        return self.get_queryset().visible_to(viewer)


class User(AbstractUser):
    """A login. A person may have none; a login has one person."""

    person = models.OneToOneField(Person, models.PROTECT, null=True, blank=True, related_name="user")
    language = models.CharField(max_length=16, blank=True)
    theme = models.CharField(max_length=8, blank=True)

    objects: ClassVar[Logins] = Logins()


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


class RoleAssignmentQuerySet(models.QuerySet["RoleAssignment"]):
    def visible_to(self, viewer: Viewer) -> RoleAssignmentQuerySet:
        """Roles at places where the viewer may see or manage people or give roles, and one's own."""
        return self.filter(
            viewer.within("organization__path", Deed.SEE_PEOPLE, Deed.MANAGE_PEOPLE, Deed.GIVE_ROLES)
            | Q(person_id=viewer.person_id)
        )

    def on(self, day: date) -> RoleAssignmentQuerySet:
        return self.filter(holds_on(day))


class RoleAssignment(models.Model):
    """A role given to a person at a place in the tree for [from_date, until_date)."""

    person = models.ForeignKey(Person, models.PROTECT, related_name="role_assignments")
    role = models.CharField(max_length=16, choices=roles)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="role_assignments")
    from_date = models.DateField()
    until_date = models.DateField(null=True, blank=True)
    given_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    given_at = models.DateTimeField()

    objects = RoleAssignmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(until_date__isnull=True) | Q(until_date__gte=F("from_date")),
                name="role_ends_after_it_starts",
            ),
        ]


class DayKind(models.TextChoices):
    HOLIDAY = "holiday", _("Public holiday")
    REST = "rest", _("Rest day")
    WORK = "work", _("Working day")


def day_kinds() -> list[tuple[str, Any]]:
    return list(DayKind.choices)


class CalendarDayQuerySet(models.QuerySet["CalendarDay"]):
    def visible_to(self, viewer: Viewer) -> CalendarDayQuerySet:
        """Days of the places the viewer sees: a park's holidays are everybody's there."""
        return self.filter(organization__in=Organization.objects.visible_to(viewer))


class CalendarDay(models.Model):
    """A date that departs from the ordinary week at a place and below it (a holiday, or a weekend that is worked)."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="calendar_days")
    date = models.DateField()
    kind = models.CharField(max_length=16, choices=day_kinds)
    name = models.CharField(max_length=100, blank=True)
    name_en = models.CharField(max_length=100, blank=True)
    provisional = models.BooleanField(default=False)
    """Of a year whose official calendar is not out yet."""
    by_hand = models.BooleanField(default=False)
    """Set by a person: filling from the list of holidays leaves it alone."""

    objects = CalendarDayQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "date"], name="calendar_day_once_per_place"),
        ]


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    def visible_to(self, viewer: Viewer) -> AuditEntryQuerySet:
        """Deeds at places the viewer may audit; deeds at no place: who runs the platform."""
        condition = viewer.within("organization__path", Deed.SEE_AUDIT)
        if viewer.may(Deed.RUN_PLATFORM):
            condition |= Q(organization__isnull=True)
        return self.filter(condition)


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

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "audit entries"


class Policy(models.TextChoices):
    """What becomes of an erased person's events."""

    ANONYMISE = "anonymise", _("Keep the counts, forget the person")
    DROP = "drop", _("Nothing of the person counts any more")


def policies() -> list[tuple[str, Any]]:
    return list(Policy.choices)


class Erasure(models.Model):
    """A person was erased. Stays for good; while it is open, and only then, the guards of the record let rows be
    emptied (never changed otherwise). It is opened and closed within one transaction."""

    person = models.OneToOneField(Person, models.PROTECT, related_name="erasure")
    policy = models.CharField(max_length=16, choices=policies)
    organization = models.ForeignKey(Organization, models.PROTECT, null=True, blank=True, related_name="+")
    by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    counts = models.JSONField(default=dict)
    """{treatment: rows treated}."""

    def __str__(self) -> str:
        return f"{self.policy} #{self.person_id}"


class AccessTokenQuerySet(models.QuerySet["AccessToken"]):
    def visible_to(self, viewer: Viewer) -> AccessTokenQuerySet:
        """One's own only."""
        return self.all() if viewer.sees_everything(Deed.MANAGE_PEOPLE) else self.filter(user_id=viewer.user_id or 0)

    def valid(self, now: datetime) -> AccessTokenQuerySet:
        return self.filter(revoked_at__isnull=True, expires_at__gt=now, user__is_active=True)


class AccessToken(models.Model):
    """Lets a program ask in the name of a login, and only ask: shown once, stored hashed, revocable, with an end."""

    user = models.ForeignKey(User, models.PROTECT, related_name="access_tokens")
    prefix = models.CharField(max_length=16, unique=True)
    hash = models.CharField(max_length=64)
    label = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = AccessTokenQuerySet.as_manager()

    def __str__(self) -> str:
        return f"upt_{self.prefix}"


class ProductQuerySet(models.QuerySet["Product"]):
    def visible_to(self, viewer: Viewer) -> ProductQuerySet:
        """Products of the places the viewer sees: what a park offers is known to all of its companies."""
        return self.filter(organization__in=Organization.objects.visible_to(viewer))

    def for_company(self, company: Organization) -> ProductQuerySet:
        """What may be given to people of a company: its own products and those of the places above it."""
        return self.filter(organization__in=ids_of(company.path))


class Product(models.Model):
    """A piece of business software people are given: where its events come from, and which of them are of value."""

    slug = models.SlugField(max_length=100, unique=True)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="products")
    """The park or company that gives it to its people."""
    name_en = models.CharField(max_length=200)
    name_zh = models.CharField(max_length=200, blank=True)
    sources = models.JSONField(default=list, blank=True)
    """Slugs of the connections its events come in by; empty: every connection of the company."""
    core_actions = models.JSONField(default=list, blank=True)
    """Names of the events that count as first value; empty: any that counts as activity."""
    habitual_weeks = models.PositiveSmallIntegerField(default=3)
    """Habitual is whoever was active in so many …"""
    habitual_of_weeks = models.PositiveSmallIntegerField(default=4)
    """… of so many weeks."""
    judged_after_days = models.PositiveSmallIntegerField(default=14)
    """Within so many days a seat should come to life; one issued later than that ago is too young to judge."""
    created_at = models.DateTimeField()

    objects = ProductQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name_en


class SeatQuerySet(models.QuerySet["Seat"]):
    def visible_to(self, viewer: Viewer) -> SeatQuerySet:
        """Seats of companies where the viewer may see or manage people, and one's own."""
        return self.filter(
            viewer.within("company__path", Deed.SEE_PEOPLE, Deed.MANAGE_PEOPLE)
            | Q(person__isnull=False, person_id=viewer.person_id)
        )

    def on(self, day: date) -> SeatQuerySet:
        """Seats held on a date: issued by then, not yet revoked."""
        return self.filter(Q(issued_date__lte=day), Q(until_date__isnull=True) | Q(until_date__gt=day))


class Seat(models.Model):
    """Somebody of a company was given a product (or a module of it) for [issued_date, until_date).

    Whoever the directory does not know stands here by the id they have in the product's source.
    """

    company = models.ForeignKey(Organization, models.PROTECT, related_name="seats")
    product = models.ForeignKey(Product, models.PROTECT, related_name="seats")
    module = models.CharField(max_length=100, blank=True)
    person = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="seats")
    external_id = models.CharField(max_length=255, blank=True)
    name = models.CharField(max_length=200, blank=True)
    """As the list had it; shown while nobody of the directory is known to hold the seat."""
    issued_date = models.DateField()
    invited_date = models.DateField(null=True, blank=True)
    until_date = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField()

    objects = SeatQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(person__isnull=False) | ~Q(external_id=""), name="seat_is_somebodys"),
            models.CheckConstraint(
                condition=Q(until_date__isnull=True) | Q(until_date__gte=F("issued_date")),
                name="seat_ends_after_it_was_issued",
            ),
            models.UniqueConstraint(
                fields=["company", "product", "module", "person"],
                condition=Q(until_date__isnull=True, person__isnull=False),
                name="seat_one_open_per_person",
            ),
            models.UniqueConstraint(
                fields=["company", "product", "module", "external_id"],
                condition=Q(until_date__isnull=True, person__isnull=True),
                name="seat_one_open_per_external_id",
            ),
        ]
        indexes = [models.Index(fields=["company", "product", "issued_date"], name="seat_by_company")]
