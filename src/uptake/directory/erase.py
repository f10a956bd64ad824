"""Erases a person: opens the erasure, lets every room treat its rows, and closes it, all in one transaction.

What the rooms do stands in one visible list at the roof (`uptake.web.erasing`), as the rooms do not know each other;
docs/decisions/0015-erasure.md says why rows are emptied and not deleted, and what the guards of the record allow.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.functional import Promise

from uptake.directory.audit import note
from uptake.directory.models import (
    Erasure,
    Identity,
    Organization,
    Person,
    Policy,
    Role,
    RoleAssignment,
    User,
)
from uptake.directory.place import settings_at
from uptake.directory.viewer import Deed, NotAllowed, Viewer

NAMELESS = "—"
"""What an erased person is called."""


class AlreadyErased(Exception):
    """There is nothing left to erase."""


class NameDiffers(Exception):
    """What was typed to confirm is not the person's name."""


class LastAdministrator(Exception):
    """Nobody could run the platform any more."""


@dataclass(frozen=True)
class Subject:
    """Who is erased, as they were known before: by numbers, by their ids in sources, and by the words for them."""

    person: int
    policy: Policy
    login: int | None
    identities: tuple[int, ...]
    external_ids: tuple[tuple[str, str], ...]
    """(source, external id)."""
    words: tuple[str, ...]
    """Name, e-mail, staff number, login name, and the ids and names sources gave them."""
    today: date
    """At the place where they last belonged."""
    now: datetime
    by: int | None
    """The login of whoever erases."""

    def named_in(self, text: str) -> bool:
        """Whether a text names them: as a whole, or, by a word that can hardly mean anybody else, within."""
        said = text.casefold()
        return any(word.casefold() == said or (telling(word) and word.casefold() in said) for word in self.words)

    def named_inside(self, value: Any) -> bool:
        """Whether any text within a JSON value names them."""
        if isinstance(value, str):
            return self.named_in(value)
        if isinstance(value, Mapping):
            return any(self.named_in(str(key)) or self.named_inside(one) for key, one in value.items())
        return isinstance(value, list | tuple) and any(self.named_inside(one) for one in value)

    def without(self, value: Any) -> Any:
        """A JSON value with every text that names them emptied."""
        if isinstance(value, str):
            return "" if self.named_in(value) else value
        if isinstance(value, Mapping):
            return {key: self.without(one) for key, one in value.items() if not self.named_in(str(key))}
        return [self.without(one) for one in value] if isinstance(value, list | tuple) else value

    def mentions(self, column: str) -> Q:
        """The condition that a text column may name them, for `named_in` to decide; JSON may have escaped letters."""
        condition = Q(pk__in=())
        for word in self.words:
            for written in {word, json.dumps(word)[1:-1]}:
                condition |= Q(**{f"{column}__icontains" if telling(word) else f"{column}__iexact": written})
        return condition


def telling(word: str) -> bool:
    """Whether a word within a longer text can hardly mean anything else."""
    return len(word) >= (5 if word.isascii() else 2) and not word.isdecimal()


@dataclass(frozen=True)
class Treatment:
    """What one room does with one sort of rows when a person is erased."""

    name: str
    title: str | Promise
    means: Mapping[Policy, str | Promise]
    """What becomes of them, by policy."""
    models: tuple[str, ...]
    """The tables it treats, such as "directory.Seat"."""
    count: Callable[[Subject], int]
    """How many rows it would treat."""
    treat: Callable[[Subject], None]


def may_erase(viewer: Viewer, person: Person) -> bool:
    """Whether the viewer may erase the person; never oneself.

    People and data must be theirs to manage wherever the person ever belonged, and so must the roles the person holds:
    park operators and administrators, that is; a company's manager asks them.
    """
    if person.pk == viewer.person_id or person.erased_at is not None:
        return False
    if viewer.sees_everything(Deed.RUN_PLATFORM):
        return True
    places = Organization.objects.filter(memberships__person=person).distinct()
    held = RoleAssignment.objects.filter(Q(until_date__isnull=True) | Q(until_date__gt=viewer.today), person=person)
    return (
        bool(places)
        and all(viewer.may(Deed.MANAGE_PEOPLE, one) and viewer.may(Deed.MANAGE_DATA, one) for one in places)
        and all(viewer.may_give(*row) for row in held.values_list("role", "organization__path"))
    )


def subject_of(person: Person, policy: Policy, *, by: Viewer, now: datetime) -> Subject:
    """Everything by which rows may name the person."""
    login = User.objects.filter(person=person).first()
    identities = list(Identity.objects.filter(person=person).order_by("pk"))
    words = [person.name, person.email, person.staff_number]
    if login is not None:
        words += [login.username, login.email, f"{login.first_name} {login.last_name}".strip()]
    for one in identities:
        words += [one.external_id, one.name, one.email, one.staff_number, str(one)]
    return Subject(
        person=person.pk,
        policy=policy,
        login=login.pk if login else None,
        identities=tuple(one.pk for one in identities),
        external_ids=tuple((one.source, one.external_id) for one in identities),
        words=tuple(sorted({word.strip() for word in words} - {"", NAMELESS})),
        today=settings_at(home_of(person)).date_of(now),
        now=now,
        by=by.user_id,
    )


@transaction.atomic
def erase(
    *, person: Person, policy: Policy, name: str, treatments: Sequence[Treatment], by: Viewer, now: datetime
) -> Erasure:
    """Erases a person for good; `name` is theirs, typed to confirm. Gives what was done.

    Raises NotAllowed, NameDiffers, AlreadyErased, LastAdministrator.
    """
    person = Person.objects.select_for_update().get(pk=person.pk)
    if person.erased_at is not None:
        raise AlreadyErased
    if not may_erase(by, person):
        raise NotAllowed
    if name.strip() != person.name.strip():
        raise NameDiffers
    _keep_an_administrator(person, by)
    home = home_of(person)
    subject = subject_of(person, policy, by=by, now=now)
    erasure = Erasure.objects.create(person=person, policy=policy, organization=home, by_id=by.user_id, at=now)
    counts = {one.name: one.count(subject) for one in treatments}
    for one in treatments:
        one.treat(subject)
    erasure.counts = counts
    erasure.closed_at = now
    erasure.save(update_fields=["counts", "closed_at"])
    note(
        deed="person.erased",
        actor=by,
        organization=home,
        subject=f"#{person.pk}",
        details={"person": person.pk, "policy": policy.value, "counts": counts},
        now=now,
    )
    return erasure


def home_of(person: Person) -> Organization | None:
    """Where the person last belonged."""
    latest = person.memberships.select_related("organization").order_by("from_date", "pk").last()
    return latest.organization if latest else None


def _keep_an_administrator(person: Person, by: Viewer) -> None:
    held = RoleAssignment.objects.filter(role=Role.ADMINISTRATOR)
    if by.person_id is None and held.filter(person=person).exists():
        others = held.exclude(person=person).filter(until_date__isnull=True, person__user__is_active=True)
        if not others.exists():
            raise LastAdministrator
