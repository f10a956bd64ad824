"""Lets somebody in whom another system vouches for: finds their person, gives the account there a login here."""

from __future__ import annotations

import secrets
from datetime import date, datetime
from enum import Enum

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Lower

from uptake.directory.audit import note
from uptake.directory.models import Identity, Membership, Person, PersonKind, Role, RoleAssignment, User, holds_on
from uptake.directory.place import settings_at
from uptake.directory.sign_on.claims import Claims
from uptake.directory.sign_on.models import SignOn, SignOnLink


class Why(Enum):
    """Why somebody is not let in."""

    PAUSED = "paused"
    UNKNOWN = "unknown"
    """Nobody of the place has this e-mail or staff number."""
    UNVERIFIED = "unverified"
    """The e-mail is not one the other system has made sure of."""
    FOREIGN_DOMAIN = "foreign_domain"
    DOUBTFUL = "doubtful"
    """Several people fit, or e-mail and staff number are of two."""
    LEFT = "left"
    """The person does not belong to the place today."""
    CLOSED = "closed"
    """The login was closed."""
    BEYOND = "beyond"
    """The person belongs, or may do something, where this system has no say."""
    TAKEN = "taken"
    """The person comes in with another account of the same system."""


class Refused(Exception):
    """Not let in."""

    def __init__(self, why: Why) -> None:
        self.why = why
        super().__init__(why.value)


def today_at(sign_on: SignOn, now: datetime) -> date:
    return settings_at(sign_on.organization).date_of(now)


def person_of(*, sign_on: SignOn, claims: Claims, now: datetime) -> Person | None:
    """Who this is; None where a person is to be made. Raises Refused. Changes nothing."""
    if sign_on.paused_at is not None or sign_on.organization.closed_at is not None:
        raise Refused(Why.PAUSED)
    if claims.foreign_domain:
        raise Refused(Why.FOREIGN_DOMAIN)
    today = today_at(sign_on, now)
    link = SignOnLink.objects.filter(sign_on=sign_on, subject=claims.subject).select_related("user__person").first()
    if link is not None:
        if link.user.person is None:
            raise Refused(Why.UNKNOWN)
        _check(sign_on, link.user.person, today)
        return link.user.person
    found = _matching(sign_on, claims, today)
    if found is None:
        return None
    _check(sign_on, found, today)
    if SignOnLink.objects.filter(sign_on=sign_on, user__person=found).exists():
        raise Refused(Why.TAKEN)
    return found


@transaction.atomic
def let_in(*, sign_on: SignOn, claims: Claims, now: datetime) -> User:
    """The login of whoever this is; linked at the first time, opened if the person has none yet.

    Raises Refused. A person is found among those of the place by the e-mail that the other system has made sure of
    and by the staff number, never by anything else, never outside the place.
    """
    # Two browsers at once must not both make the person or the link (no_key: writers of foreign keys do not wait).
    sign_on = (
        SignOn.objects.select_for_update(of=("self",), no_key=True).select_related("organization").get(pk=sign_on.pk)
    )
    person = person_of(sign_on=sign_on, claims=claims, now=now)
    if person is None:
        person = _make(sign_on, claims, now)
    user = User.objects.filter(person=person).first() or _login(sign_on, person, now)
    link, made = SignOnLink.objects.get_or_create(
        sign_on=sign_on, subject=claims.subject, defaults={"user": user, "made_at": now, "last_at": now}
    )
    if made:
        details = {"person": person.pk, "login": user.username, "sign_on": sign_on.pk}
        note(
            deed="sign_on.linked",
            actor=user,
            organization=sign_on.organization,
            subject=sign_on.name_en,
            details=details,
            now=now,
        )
    else:
        link.last_at = now
        link.save(update_fields=["last_at"])
    return user


def only_way_for(user: User, *, now: datetime) -> SignOn | None:
    """The system that somebody must sign in with instead of a password; None: a password does.

    Who runs the platform may always use a password, so that nobody is locked out by a system that is down.
    """
    if user.person_id is None:
        return None
    ways = list(SignOn.objects.open().filter(only_way=True).select_related("organization").order_by("pk"))
    for way in ways:
        today = today_at(way, now)
        paths = _places(user.person_id, today)
        if paths and all(path.startswith(way.organization.path) for path in paths) and not _runs(user.person_id, today):
            return way
    return None


def _places(person_id: int, today: date) -> list[str]:
    held = Membership.objects.filter(person_id=person_id).on(today)
    return list(held.values_list("organization__path", flat=True))


def _runs(person_id: int, today: date) -> bool:
    return RoleAssignment.objects.filter(person_id=person_id, role=Role.ADMINISTRATOR).on(today).exists()


def _matching(sign_on: SignOn, claims: Claims, today: date) -> Person | None:
    """The one person that all that is known allows."""
    here = Person.objects.filter(
        kind=PersonKind.HUMAN,
        erased_at__isnull=True,
        pk__in=Membership.objects.filter(organization__path__startswith=sign_on.organization.path).values("person_id"),
    )
    fits: list[set[int]] = []
    if claims.email:
        rows = here.annotate(email_lower=Lower("email")).filter(email_lower=claims.email.lower())
        fits.append(set(rows.values_list("pk", flat=True)))
    if claims.staff_number:
        fits.append(set(here.filter(staff_number=claims.staff_number).values_list("pk", flat=True)))
    if claims.key and sign_on.source:
        known_as = Identity.objects.filter(source=sign_on.source, external_id=claims.key, person__isnull=False)
        fits.append(set(here.filter(pk__in=known_as.values("person_id")).values_list("pk", flat=True)))
    known = [one for one in fits if one]
    if not known:
        if sign_on.makes_people and claims.email:
            return None
        if sign_on.makes_people and claims.named and claims.staff_number:
            # New by the number: unless the address, though nobody vouches for it, is of somebody who is here already.
            if here.annotate(email_lower=Lower("email")).filter(email_lower=claims.named.lower()).exists():
                raise Refused(Why.DOUBTFUL)
            return None
        raise Refused(Why.UNVERIFIED if claims.unverified and not claims.staff_number else Why.UNKNOWN)
    agreed = set.intersection(*known)
    if len(agreed) > 1:
        current = Membership.objects.filter(
            holds_on(today), organization__path__startswith=sign_on.organization.path, person_id__in=agreed
        )
        agreed = set(current.values_list("person_id", flat=True))
    if len(agreed) != 1:
        raise Refused(Why.DOUBTFUL)
    return Person.objects.get(pk=agreed.pop())


def _check(sign_on: SignOn, person: Person, today: date) -> None:
    """Raises Refused where the person may not come in by this system."""
    above = sign_on.organization.path
    if person.erased_at is not None:
        raise Refused(Why.UNKNOWN)
    paths = _places(person.pk, today)
    if not any(path.startswith(above) for path in paths):
        raise Refused(Why.LEFT)
    lasting = Q(until_date__isnull=True) | Q(until_date__gt=today)
    roles = list(RoleAssignment.objects.filter(lasting, person=person).values_list("role", "organization__path"))
    coming = Membership.objects.filter(lasting, person=person).values_list("organization__path", flat=True)
    if not sign_on.for_administrators and (
        any(role == Role.ADMINISTRATOR or not path.startswith(above) for role, path in roles)
        or not all(path.startswith(above) for path in coming)
    ):
        raise Refused(Why.BEYOND)
    if User.objects.filter(person=person, is_active=False).exists():
        raise Refused(Why.CLOSED)


def _make(sign_on: SignOn, claims: Claims, now: datetime) -> Person:
    """A new person of the place."""
    today = today_at(sign_on, now)
    person = Person.objects.create(
        name=claims.name or claims.named.partition("@")[0],
        email=claims.email,
        staff_number=claims.staff_number,
        joined_date=today,
        created_at=now,
    )
    Membership.objects.create(person=person, organization=sign_on.organization, from_date=today)
    note(
        deed="person.enrolled",
        actor=sign_on.name_en,
        organization=sign_on.organization,
        subject=person.name,
        details={"person": person.pk, "from_date": today.isoformat(), "sign_on": sign_on.pk},
        now=now,
    )
    return person


def _login(sign_on: SignOn, person: Person, now: datetime) -> User:
    """A login without a password, under a name nobody has."""
    email = person.email.strip()
    if email and _taken(email):
        email = ""
    username = (email or person.staff_number or f"person-{person.pk}")[:140]
    while _taken(username):
        username = f"{username[:140]}-{secrets.token_hex(3)}"
    user = User.objects.create(username=username, email=email, person=person, password=make_password(None))
    note(
        deed="login.opened",
        actor=sign_on.name_en,
        organization=sign_on.organization,
        subject=person.name,
        details={"person": person.pk, "login": username, "sign_on": sign_on.pk},
        now=now,
    )
    return user


def _taken(word: str) -> bool:
    return User.objects.filter(Q(username__iexact=word) | Q(email__iexact=word)).exists()
