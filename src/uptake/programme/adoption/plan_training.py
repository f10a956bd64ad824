"""Plan trainings, change them, call them off."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.models import Organization
from uptake.directory.viewer import Deed, NotAllowed, Viewer
from uptake.notify.models import Topic
from uptake.notify.tell import Telling, tell
from uptake.notify.wishes import languages_of
from uptake.notify.write_mail import Letter, write_mail
from uptake.programme.adoption.models import Stand, Training
from uptake.programme.adoption.refusals import Conflict, NumberWrong, Over, TextWrong, TimeWrong

LONGEST: Final = {
    "title_en": 120, "title_zh": 120, "text_en": 4000, "text_zh": 4000, "where": 300, "trainer": 100
}  # fmt: skip
LONGEST_MINUTES: Final = 24 * 60
MOST_PLACES: Final = 100_000
CODE_LETTERS: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CODE_LENGTH: Final = 6


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a training is. A title in one language is enough."""

    title_en: str = ""
    title_zh: str = ""
    text_en: str = ""
    text_zh: str = ""
    starts_at: datetime
    minutes: int
    where: str
    trainer: str = ""
    capacity: int | None = None


@transaction.atomic
def plan_training(*, organization: Organization, plan: Plan, key: str, by: Viewer, now: datetime) -> Training:
    """Keeps a training for everybody at the place and below it, with a code to be shown in the room. Once per key.

    One may be written down afterwards, so that attendance can be kept. Raises NotAllowed, TextWrong, NumberWrong,
    Conflict.
    """
    if not by.may(Deed.RUN_TRAININGS, organization):
        raise NotAllowed
    plan = _checked(plan)
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    known = Training.objects.filter(organization=organization, key=key).first()
    if known is not None:
        if any(getattr(known, name) != value for name, value in asdict(plan).items()):
            raise Conflict
        return known
    code = "".join(secrets.choice(CODE_LETTERS) for _letter in range(CODE_LENGTH))
    made = Training.objects.create(
        organization=organization, key=key, code=code, planned_at=now, planned_by_id=by.user_id, **asdict(plan)
    )
    _note("training.planned", made, by, now)
    return made


@transaction.atomic
def change_training(*, training: Training, plan: Plan, by: Viewer, now: datetime) -> Training:
    """Changes one that is not over; whoever enrolled is told where time or place changed.

    Fewer places than are taken put nobody out. Raises NotAllowed, Over, TextWrong, NumberWrong, TimeWrong.
    """
    found = locked_training(training)
    if not by.may(Deed.RUN_TRAININGS, found.organization):
        raise NotAllowed
    if found.cancelled_at is not None or found.ends_at <= now:
        raise Over
    plan = _checked(plan)
    if plan.starts_at != found.starts_at and plan.starts_at <= now:
        raise TimeWrong
    moved = (found.starts_at, found.where) != (plan.starts_at, plan.where)
    for name, value in asdict(plan).items():
        setattr(found, name, value)
    found.save()
    _note("training.changed", found, by, now)
    if moved:
        _tell_all(found, "training.moved", now)
    return found


@transaction.atomic
def cancel_training(*, training: Training, by: Viewer, now: datetime) -> Training:
    """Calls one off that has not ended; whoever enrolled is told. Doing it again changes nothing.

    Raises NotAllowed, Over.
    """
    found = locked_training(training)
    if not by.may(Deed.RUN_TRAININGS, found.organization):
        raise NotAllowed
    if found.cancelled_at is not None:
        return found
    if found.ends_at <= now:
        raise Over
    found.cancelled_at = now
    found.save(update_fields=["cancelled_at"])
    _note("training.cancelled", found, by, now)
    _tell_all(found, "training.cancelled", now)
    return found


def locked_training(training: Training) -> Training:
    """The training as it is now, locked: what is done to one training is done one by one."""
    rows = Training.objects.select_for_update(no_key=True, of=("self",)).select_related("organization")
    return rows.get(pk=training.pk)


def tell_one(training: Training, person: int, kind: str, now: datetime) -> Telling:
    """A message about a training, one for every time it is said."""
    content = {"training": training.pk, "title_en": training.title_en, "title_zh": training.title_zh}
    return Telling(person_id=person, key=f"{kind}/{training.pk}/{now.isoformat()}", kind=kind, content=content)


def _tell_all(training: Training, kind: str, now: datetime) -> None:
    rows = training.enrolments.exclude(stand=Stand.WITHDRAWN).filter(attended_at__isnull=True)
    people = list(rows.order_by("person_id").values_list("person_id", flat=True))
    tell([tell_one(training, one, kind, now) for one in people], now=now)
    languages = languages_of(people)
    address = f"{settings.URL.geturl().rstrip('/')}/trainings/{training.pk}/"
    write_mail(
        [
            Letter(
                person_id=one,
                key=f"{kind}/{training.pk}/{now.isoformat()}",
                topic=Topic.TRAININGS,
                kind=kind,
                facts={"title": training.title_in(languages[one]), "link": address},
            )
            for one in people
        ],
        now=now,
    )


def _checked(plan: Plan) -> Plan:
    texts = {name: str(getattr(plan, name)).replace("\r\n", "\n").replace("\x00", "").strip() for name in LONGEST}
    if not (texts["title_en"] or texts["title_zh"]) or not texts["where"]:
        raise TextWrong
    if any(len(texts[name]) > most for name, most in LONGEST.items()):
        raise TextWrong
    if not 0 < plan.minutes <= LONGEST_MINUTES:
        raise NumberWrong
    if plan.capacity is not None and not 0 < plan.capacity <= MOST_PLACES:
        raise NumberWrong
    return Plan(starts_at=plan.starts_at, minutes=plan.minutes, capacity=plan.capacity, **texts)


def _note(deed: str, about: Training, by: Viewer, now: datetime) -> None:
    details = {"training": about.pk, "starts_at": about.starts_at.isoformat(), "minutes": about.minutes}
    subject = about.title_en or about.title_zh
    note(deed=deed, actor=by, organization=about.organization, subject=subject, details=details, now=now)
