"""Opens and closes the logins of people. Passwords are chosen by their owners, by way of a link that works once."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import Q

from uptake.directory.audit import note
from uptake.directory.enrol import may_manage
from uptake.directory.models import Organization, Person, RoleAssignment, User
from uptake.directory.viewer import Deed, NotAllowed, Viewer


class LoginTaken(Exception):
    """Another login has this name or e-mail."""


class NoName(Exception):
    """A login needs a name, and a person to belong to."""


class NotOnesOwn(Exception):
    """Nobody closes the login they are signed in with."""


def may_open_login(viewer: Viewer, person: Person) -> bool:
    """Whether the viewer may open, invite to or close the person's login.

    Whoever can send the link could sign in with it: so the viewer must be able to give every role the person holds or
    will hold, and manage every place where they belong or will: one of two does not do.
    """
    if not may_manage(viewer, person):
        return False
    lasting = Q(until_date__isnull=True) | Q(until_date__gt=viewer.today)
    belonging = person.memberships.filter(lasting).select_related("organization")
    if not all(viewer.may(Deed.MANAGE_PEOPLE, one.organization) for one in belonging):
        return False
    held = RoleAssignment.objects.filter(lasting, person=person)
    return viewer.may(Deed.RUN_PLATFORM) or all(
        viewer.may_give(role, path) for role, path in held.values_list("role", "organization__path")
    )


@transaction.atomic
def open_login(
    *,
    person: Person,
    username: str,
    by: Viewer,
    now: datetime,
    email: str = "",
    password: str | None = None,
    encoded: str = "",
    language: str = "",
) -> User:
    """The person's login, made if there is none, opened if it was closed; without a password nobody can sign in yet.

    `encoded` is a password as `make_password` gives it, for many logins that share one: encoding is slow on purpose.
    Raises NotAllowed, NoName, LoginTaken. A login that is open already is given back as it is.
    """
    person = Person.objects.select_for_update().get(pk=person.pk)
    if not may_open_login(by, person):
        raise NotAllowed
    username, email = username.strip(), (email or person.email).strip()
    existing = User.objects.filter(person=person).first()
    if existing is not None:
        if not existing.is_active:
            existing.is_active = True
            existing.save(update_fields=["is_active"])
            _note("login.opened", existing, by, now)
        return existing
    if not username:
        raise NoName
    taken = Q(username__iexact=username) | Q(email__iexact=username)
    if email:
        taken |= Q(email__iexact=email) | Q(username__iexact=email)
    if User.objects.filter(taken).exists():
        raise LoginTaken
    user = User.objects.create(
        username=username, email=email, person=person, password=encoded or make_password(password), language=language
    )
    _note("login.opened", user, by, now)
    return user


@transaction.atomic
def invite(*, user: User, by: Viewer, now: datetime) -> User:
    """Writes down that a link to choose a new password is handed out; making the link is the caller's.

    Raises NotAllowed, also for a closed login.
    """
    if user.person is None or not user.is_active or not may_open_login(by, user.person):
        raise NotAllowed
    _note("login.invited", user, by, now)
    return user


@transaction.atomic
def close_login(*, user: User, by: Viewer, now: datetime) -> User:
    """Closes a login at once: its sessions end with the next request. Raises NotAllowed, NotOnesOwn."""
    user = User.objects.select_for_update(of=("self",)).select_related("person").get(pk=user.pk)
    if user.pk == by.user_id:
        raise NotOnesOwn
    if user.person is None or not may_open_login(by, user.person):
        raise NotAllowed
    if not user.is_active:
        return user
    user.is_active = False
    user.save(update_fields=["is_active"])
    _note("login.closed", user, by, now)
    return user


def _note(deed: str, user: User, by: Viewer, now: datetime) -> None:
    assert user.person is not None, "these logins have a person"
    latest = user.person.memberships.select_related("organization").order_by("from_date", "pk").last()
    place: Organization | None = latest.organization if latest else None
    details = {"person": user.person_id, "login": user.username}
    note(deed=deed, actor=by, organization=place, subject=user.person.name, details=details, now=now)
