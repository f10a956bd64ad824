"""What the directory does with the rows of a person who is erased: see `erase.py`."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from uptake.directory.erase import NAMELESS, Subject, Treatment
from uptake.directory.models import (
    AccessToken,
    AuditEntry,
    Identity,
    Leave,
    Membership,
    Person,
    Policy,
    RoleAssignment,
    Seat,
    User,
)

BOTH = (Policy.ANONYMISE, Policy.DROP)


def _memberships(subject: Subject) -> QuerySet[Membership]:
    return Membership.objects.filter(person_id=subject.person)


def _end_memberships(subject: Subject) -> None:
    """Dates and places stay where counts stay, as departments follow from them; the work done there does not."""
    held = _memberships(subject)
    if subject.policy == Policy.DROP:
        held.delete()
        return
    held.filter(from_date__gte=subject.today).delete()
    held.filter(Q(until_date__isnull=True) | Q(until_date__gt=subject.today)).update(until_date=subject.today)
    held.update(role="")


def _forget_leave(subject: Subject) -> None:
    Leave.objects.filter(person_id=subject.person).delete()


def _seats(subject: Subject) -> QuerySet[Seat]:
    by_id = Q(pk__in=())
    for source, external_id in subject.external_ids:
        by_id |= Q(person__isnull=True, external_id=external_id, product__pk__in=_products_of(source))
    return Seat.objects.filter(Q(person_id=subject.person) | by_id)


def _products_of(source: str) -> list[int]:
    from uptake.directory.models import Product

    return [one.pk for one in Product.objects.all() if not one.sources or source in one.sources]


def _end_seats(subject: Subject) -> None:
    keys = list(_seats(subject).values_list("pk", flat=True))
    held = Seat.objects.filter(pk__in=keys)
    if subject.policy == Policy.DROP:
        held.delete()
        return
    held.filter(Q(until_date__isnull=True) | Q(until_date__gt=subject.today), issued_date__gt=subject.today).delete()
    held.filter(Q(until_date__isnull=True) | Q(until_date__gt=subject.today)).update(until_date=subject.today)
    held.update(person_id=subject.person, external_id="", name="")


def _close_login(subject: Subject) -> None:
    for login in User.objects.filter(pk=subject.login or 0):
        words = [word for word in (login.username, login.email) if word]
        for model in (AccessAttempt, AccessFailureLog, AccessLog):
            model.objects.filter(username__in=words).delete()
        for session in _sessions(login.pk):
            session.delete()
        EmailConfirmation.objects.filter(email_address__user=login).delete()
        EmailAddress.objects.filter(user=login).delete()
        Authenticator.objects.filter(user=login).delete()
        for token in AccessToken.objects.filter(user=login):
            token.label, token.prefix, token.hash = "", secrets.token_hex(8), ""
            token.revoked_at = token.revoked_at or subject.now
            token.save()
        login.groups.clear()
        login.user_permissions.clear()
        login.username, login.email = f"erased-{secrets.token_hex(8)}", ""
        login.first_name = login.last_name = login.language = login.theme = ""
        login.password, login.last_login, login.person = make_password(None), None, None
        login.is_active = login.is_staff = login.is_superuser = False
        login.save()


def _sessions(login: int) -> Iterator[Session]:
    for session in Session.objects.iterator():
        if session.get_decoded().get("_auth_user_id") == str(login):
            yield session


def _empty_identities(subject: Subject) -> None:
    for one in Identity.objects.filter(pk__in=subject.identities):
        one.external_id = f"erased-{secrets.token_hex(16)}"
        one.name = one.email = one.staff_number = ""
        one.save(update_fields=["external_id", "name", "email", "staff_number"])


def _empty_person(subject: Subject) -> None:
    Person.objects.filter(pk=subject.person).update(
        name=NAMELESS, email="", staff_number="", joined_date=None, erased_at=subject.now
    )


def _audit(subject: Subject) -> Iterator[tuple[int, dict[str, Any]]]:
    """The entries that name the person, with what is emptied in each."""
    of_them = Q(actor_id=subject.login or 0) | Q(details__person=subject.person)
    candidates = AuditEntry.objects.annotate(details_text=Cast("details", TextField())).filter(
        of_them | subject.mentions("subject") | subject.mentions("details_text")
    )
    for one in candidates.iterator():
        emptied: dict[str, Any] = {}
        own = subject.login is not None and one.actor_id == subject.login
        if own and one.actor_name:
            emptied["actor_name"] = ""
        if own and one.address is not None:
            emptied["address"] = None
        whom = one.details.get("person") if isinstance(one.details, dict) else None
        namesake = isinstance(whom, int) and whom != subject.person
        if one.subject and subject.named_in(one.subject) and not namesake:
            emptied["subject"] = ""
        if subject.named_inside(one.details) and not namesake:
            emptied["details"] = {}
        if emptied:
            yield one.pk, emptied


def _empty_audit(subject: Subject) -> None:
    for pk, emptied in list(_audit(subject)):
        AuditEntry.objects.filter(pk=pk).update(**emptied)


AUDIT = Treatment(
    "audit",
    _("Lines of the audit log that name them"),
    dict.fromkeys(BOTH, _("What was done and when stays; the name goes")),
    ("directory.AuditEntry",),
    lambda subject: sum(1 for _one in _audit(subject)),
    _empty_audit,
)
MEMBERSHIPS = Treatment(
    "memberships",
    _("Memberships"),
    {
        Policy.ANONYMISE: _("Places and dates stay, as figures of departments follow from them; the work goes"),
        Policy.DROP: _("Deleted"),
    },
    ("directory.Membership",),
    lambda subject: _memberships(subject).count(),
    _end_memberships,
)
LEAVE = Treatment(
    "leave",
    pgettext_lazy("days off", "Leave"),
    dict.fromkeys(BOTH, _("Deleted")),
    ("directory.Leave",),
    lambda subject: Leave.objects.filter(person_id=subject.person).count(),
    _forget_leave,
)
ROLES = Treatment(
    "roles",
    _("Roles"),
    dict.fromkeys(BOTH, _("Deleted")),
    ("directory.RoleAssignment",),
    lambda subject: RoleAssignment.objects.filter(person_id=subject.person).count(),
    lambda subject: (RoleAssignment.objects.filter(person_id=subject.person).delete(), None)[1],
)
SEATS = Treatment(
    "seats",
    _("Seats"),
    {Policy.ANONYMISE: _("End today, without a name"), Policy.DROP: _("Deleted")},
    ("directory.Seat",),
    lambda subject: _seats(subject).count(),
    _end_seats,
)
LOGIN = Treatment(
    "login",
    _("Their login"),
    dict.fromkeys(BOTH, _("Closed for good: name, e-mail, password, second step, access tokens and sessions go")),
    (
        "directory.User", "directory.User_groups", "directory.User_user_permissions", "directory.AccessToken",
        "account.EmailAddress", "account.EmailConfirmation", "mfa.Authenticator", "sessions.Session",
        "axes.AccessAttempt", "axes.AccessAttemptExpiration", "axes.AccessFailureLog", "axes.AccessLog",
    ),
    lambda subject: int(subject.login is not None),
    _close_login,
)  # fmt: skip
IDENTITIES = Treatment(
    "identities",
    _("Ids in sources"),
    dict.fromkeys(BOTH, _("Replaced by random ones that stand nowhere else")),
    ("directory.Identity",),
    lambda subject: len(subject.identities),
    _empty_identities,
)
PERSON = Treatment(
    "person",
    _("Name, e-mail, staff number"),
    dict.fromkeys(BOTH, _("Emptied; a number without a name stays")),
    ("directory.Person",),
    lambda _subject: 1,
    _empty_person,
)
