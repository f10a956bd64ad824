"""Enrol for a training and withdraw; who waits moves up as soon as there is room."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from uptake.directory.viewer import Viewer
from uptake.notify.tell import tell
from uptake.programme.adoption.models import Enrolment, Stand, Training, at_own_places
from uptake.programme.adoption.plan_training import locked_training, tell_one
from uptake.programme.adoption.refusals import NotForYou, Over


@transaction.atomic
def enrol(*, training: Training, by: Viewer, now: datetime) -> Enrolment:
    """Takes a place, or one on the waiting list where all are taken. Enrolling again changes nothing.

    Raises NotForYou, Over.
    """
    person = one_of(training, by)
    found = locked_training(training)
    if found.cancelled_at is not None or found.ends_at <= now:
        raise Over
    row = Enrolment.objects.filter(training=found, person_id=person).first()
    if row is not None and (row.stand != Stand.WITHDRAWN or row.attended_at is not None):
        return row
    stand = Stand.ENROLLED if free_places(found) != 0 else Stand.WAITING
    if row is None:
        return Enrolment.objects.create(training=found, person_id=person, stand=stand, enrolled_at=now)
    row.stand, row.enrolled_at = stand, now
    row.save(update_fields=["stand", "enrolled_at"])
    return row


@transaction.atomic
def withdraw(*, training: Training, by: Viewer, now: datetime) -> None:
    """Gives the place back; the first who waits gets it and is told. Doing it again changes nothing.

    Raises NotForYou, Over (it has begun, or one was there).
    """
    if by.person_id is None:
        raise NotForYou
    found = locked_training(training)
    row = Enrolment.objects.filter(training=found, person_id=by.person_id).exclude(stand=Stand.WITHDRAWN).first()
    if row is None:
        return
    if found.starts_at <= now or row.attended_at is not None:
        raise Over
    row.stand = Stand.WITHDRAWN
    row.save(update_fields=["stand"])
    move_up(found, now)


def move_up(training: Training, now: datetime) -> int:
    """Gives free places to those who wait longest; how many. For doors that hold the training's lock."""
    free = free_places(training)
    rows = Enrolment.objects.filter(training=training, stand=Stand.WAITING).order_by("enrolled_at", "pk")
    rows = rows if free is None else rows[:free]
    moved = list(rows)
    Enrolment.objects.filter(pk__in=[one.pk for one in moved]).update(stand=Stand.ENROLLED)
    tell([tell_one(training, one.person_id, "training.moved_up", now) for one in moved], now=now)
    return len(moved)


def free_places(training: Training) -> int | None:
    """None: as many as want to come."""
    if training.capacity is None:
        return None
    taken = Enrolment.objects.filter(training=training, stand=Stand.ENROLLED).count()
    return max(0, training.capacity - taken)


def one_of(training: Training, by: Viewer) -> int:
    """The viewer's person, if the training is for them; NotForYou."""
    meant = Training.objects.filter(at_own_places("organization", by), pk=training.pk).exists()
    if by.person_id is None or not meant:
        raise NotForYou
    return by.person_id
