"""Removes the second step of a login whose owner lost it: the authenticator app and the recovery codes together."""

from __future__ import annotations

from datetime import datetime

from allauth.mfa.models import Authenticator
from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.models import Person, User
from uptake.directory.open_login import may_open_login
from uptake.directory.viewer import NotAllowed, Viewer


class OwnSecondStep(Exception):
    """One's own is switched off on one's own account page, where the second step itself is asked for."""


class NoSecondStep(Exception):
    """The login has none."""


def has_second_step(user: User) -> bool:
    return bool(Authenticator.objects.filter(user=user).exists())


def may_drop_second_step(viewer: Viewer, person: Person) -> bool:
    """Whether the viewer may remove the person's second step: who may hand out a sign-in link may; never the own."""
    return person.pk != viewer.person_id and may_open_login(viewer, person)


@transaction.atomic
def drop_second_step(*, user: User, by: Viewer, now: datetime) -> None:
    """Removes the login's second step; from then on the password alone opens it.

    Raises OwnSecondStep, NotAllowed, NoSecondStep.
    """
    user = User.objects.select_for_update(of=("self",)).select_related("person").get(pk=user.pk)
    person = user.person
    if user.pk == by.user_id or (person is not None and person.pk == by.person_id):
        raise OwnSecondStep
    if person is None or not may_drop_second_step(by, person):
        raise NotAllowed
    kinds = sorted(Authenticator.objects.filter(user=user).values_list("type", flat=True))
    if not kinds:
        raise NoSecondStep
    Authenticator.objects.filter(user=user).delete()
    latest = person.memberships.select_related("organization").order_by("from_date", "pk").last()
    note(
        deed="login.second_step_dropped",
        actor=by,
        organization=latest.organization if latest else None,
        subject=person.name,
        details={"person": person.pk, "login": user.username, "kinds": kinds},
        now=now,
    )
