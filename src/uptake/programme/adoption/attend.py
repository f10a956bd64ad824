"""Keep who was at a training: marked by hand, read from a list, or told by the code from the room. It is an event."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.core.cache import cache
from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.models import Person, PersonKind
from uptake.directory.place import memberships_of, settings_at, span_on
from uptake.directory.roster import Row
from uptake.directory.viewer import Deed, NotAllowed, Viewer
from uptake.events.connect import OWN
from uptake.events.models import Connection, Event
from uptake.events.record_own import OwnDeed, record_own
from uptake.programme.adoption.enrol import one_of
from uptake.programme.adoption.models import Enrolment, Presence, Stand, Training
from uptake.programme.adoption.plan_training import LONGEST_MINUTES, locked_training
from uptake.programme.adoption.refusals import CodeWrong, NumberWrong, Over, ReasonMissing, TooManyTries

CODE_BEFORE: Final = timedelta(minutes=30)
CODE_AFTER: Final = timedelta(hours=2)
"""The code counts from half an hour before the beginning until two hours after the end."""
LONGEST_WHY: Final = 500
TRIES: Final = 10
TRIES_SECONDS: Final = 300


@dataclass(frozen=True, slots=True)
class RowFound:
    """What a line of a list comes to: `person` if exactly one person of the place fits it."""

    row: Row
    person: int | None
    why: str = ""
    """unknown, several or empty."""


@transaction.atomic
def mark_attended(
    *,
    training: Training,
    people: Collection[int],
    by: Viewer,
    now: datetime,
    minutes: int | None = None,
    how: Presence = Presence.HAND,
) -> int:
    """Keeps that these people were there (for `minutes`, else the whole time); how many are new.

    Who was marked before stays as marked; who does not belong to the place on the day is left out. Raises NotAllowed,
    Over (called off, or not begun), NumberWrong.
    """
    found = locked_training(training)
    if not by.may(Deed.RUN_TRAININGS, found.organization):
        raise NotAllowed
    new = _keep(found, people, found.minutes if minutes is None else minutes, how, by, now)
    if new:
        details = {"training": found.pk, "people": new, "how": str(how)}
        note(
            deed="training.attended",
            actor=by,
            organization=found.organization,
            subject=found.title_en or found.title_zh,
            details=details,
            now=now,
        )
    return len(new)


@transaction.atomic
def unmark_attended(*, training: Training, person: int, why: str, by: Viewer, now: datetime) -> bool:
    """Takes back that somebody was there, marked by mistake: what rules paid for it is taken back too. Whether it was.

    The person stays enrolled, and may be marked again. Raises NotAllowed, ReasonMissing.
    """
    found = locked_training(training)
    if not by.may(Deed.RUN_TRAININGS, found.organization):
        raise NotAllowed
    why = why.strip()[:LONGEST_WHY]
    if not why:
        raise ReasonMissing
    row = Enrolment.objects.filter(training=found, person_id=person, attended_at__isnull=False).first()
    if row is None:
        return False
    row.attended_at, row.minutes, row.how, row.marked_by_id = None, None, "", by.user_id
    row.save(update_fields=["attended_at", "minutes", "how", "marked_by"])
    about = f"training/{found.pk}"
    key = f"training.attended/{about}/{person}"
    own = Connection.objects.filter(kind=OWN).values("slug")
    said = Event.objects.filter(source__in=own, key=key).order_by("-revision").first()
    if said is not None and said.company_id is not None:
        deed = OwnDeed(
            said.company_id, person, "training.unmarked", f"{about}/{person}", said.happened_at, about,
            instead_of="training.attended", anew=True,
        )  # fmt: skip
        record_own([deed], now=now)
    note(
        deed="training.unmarked",
        actor=by,
        organization=found.organization,
        subject=found.title_en or found.title_zh,
        details={"training": found.pk, "person": person, "why": why},
        now=now,
    )
    return True


def attend_by_code(*, training: Training, code: str, by: Viewer, now: datetime) -> bool:
    """Whoever types in the code shown in the room was there, shortly before until shortly after. Whether it is new.

    Raises NotForYou, CodeWrong, TooManyTries, Over.
    """
    person = one_of(training, by)
    tries = f"training-code/{training.pk}/{person}"
    cache.add(tries, 0, TRIES_SECONDS)
    if cache.incr(tries) > TRIES:
        raise TooManyTries
    with transaction.atomic():
        found = locked_training(training)
        if not found.starts_at - CODE_BEFORE <= now <= found.ends_at + CODE_AFTER:
            raise CodeWrong
        if not secrets.compare_digest(code.strip().upper().encode(), found.code.encode()):
            raise CodeWrong
        return bool(_keep(found, [person], found.minutes, Presence.CODE, by, now, early=CODE_BEFORE))


def find_rows(training: Training, rows: Sequence[Row], *, by: Viewer, on: date) -> list[RowFound]:
    """Who the lines of a list are: by staff number, else e-mail, else the name, among the people of the place.

    Raises NotAllowed.
    """
    if not by.may(Deed.RUN_TRAININGS, training.organization):
        raise NotAllowed
    people = Person.objects.belonging(training.organization, on).filter(kind=PersonKind.HUMAN, erased_at=None)
    known: dict[tuple[str, str], set[int]] = {}
    for key, name, email, number in people.values_list("pk", "name", "email", "staff_number"):
        for mark in (("number", number), ("email", email), ("name", name)):
            if mark[1]:
                known.setdefault((mark[0], mark[1].casefold()), set()).add(key)
    found = []
    for row in rows:
        asked = ("number", row.staff_number), ("email", row.email), ("name", " ".join(row.name.split()))
        mark = next((one for one in asked if one[1]), ("name", ""))
        fitting = known.get((mark[0], mark[1].casefold()), set())
        person = next(iter(fitting)) if len(fitting) == 1 else None
        found.append(RowFound(row, person, "" if person else "several" if fitting else "unknown"))
    return found


def _keep(
    training: Training,
    people: Collection[int],
    minutes: int,
    how: Presence,
    by: Viewer,
    now: datetime,
    *,
    early: timedelta = timedelta(0),
) -> list[int]:
    """Ids of those whose attendance is new. Under the training's lock."""
    if training.cancelled_at is not None or now < training.starts_at - early:
        raise Over
    if not 0 < minutes <= LONGEST_MINUTES:
        raise NumberWrong
    day = settings_at(training.organization).date_of(training.starts_at)
    spans = memberships_of(people)
    rows = {one.person_id: one for one in Enrolment.objects.filter(training=training, person_id__in=list(people))}
    new = []
    deeds = []
    # What happened cannot lie in the future, and it was over when the training was.
    at = max(min(now, training.ends_at), min(now, training.starts_at))
    for person in sorted(set(people)):
        held = [one for one in spans.get(person, []) if one.path.startswith(training.organization.path)]
        where = span_on(held, day)
        row = rows.get(person) or Enrolment(training=training, person_id=person, enrolled_at=now)
        if where is None or row.attended_at is not None:
            continue
        row.stand, row.attended_at, row.minutes, row.how, row.marked_by_id = (
            Stand.ENROLLED, now, minutes, how, by.user_id,
        )  # fmt: skip
        row.save()
        new.append(person)
        if where.company_id is not None:
            about = f"training/{training.pk}"
            deeds.append(
                OwnDeed(
                    where.company_id,
                    person,
                    "training.attended",
                    f"{about}/{person}",
                    at,
                    about,
                    {"minutes": minutes},
                    anew=True,
                )
            )
    if deeds:
        record_own(deeds, now=now)
    return new
