"""Notes that My points was looked at, keeps a place's own steps, and finds who finished the guide."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.models import Kind, Organization, Person
from uptake.directory.place import settings_at
from uptake.directory.viewer import Deed, NotAllowed, Viewer
from uptake.events.models import Event
from uptake.events.record_own import OwnDeed, record_own
from uptake.notify.tell import Telling, tell
from uptake.programme.adoption.guides import GUIDES, LONGEST_NAME, MOST_STEPS, Step
from uptake.programme.adoption.models import Guide, GuideFinished
from uptake.programme.adoption.progress import newcomers_at, progress_of_all
from uptake.programme.adoption.refusals import StepsWrong

EVENT = re.compile(r"^[\w.:-]{1,100}$")


@transaction.atomic
def look_at_points(*, company: Organization, by: Viewer, now: datetime) -> bool:
    """That somebody opened My points, the first time; again changes nothing. Whether it is new."""
    if by.person_id is None or Event.objects.filter(identity__person_id=by.person_id, name="points.opened").exists():
        return False
    record_own([OwnDeed(company.pk, by.person_id, "points.opened", f"points/{by.person_id}", now)], now=now)
    return True


@transaction.atomic
def set_guide(*, organization: Organization, role: str, steps: Sequence[Step], by: Viewer, now: datetime) -> None:
    """The place's own steps for a role; none: those of the place above hold again. Raises NotAllowed, StepsWrong."""
    if not by.may(Deed.MANAGE_RULES, organization):
        raise NotAllowed
    keys = {one.key for one in steps}
    if role not in GUIDES or len(steps) > MOST_STEPS or len(keys) != len(steps):
        raise StepsWrong
    for one in steps:
        named = (one.en or one.zh) and max(len(one.en), len(one.zh)) <= LONGEST_NAME
        if not named or not one.events or not all(EVENT.match(name) for name in one.events):
            raise StepsWrong
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    if steps:
        told = {"steps": [one.plain() for one in steps], "changed_at": now}
        Guide.objects.update_or_create(organization=organization, role=role, defaults=told)
    else:
        Guide.objects.filter(organization=organization, role=role).delete()
    details = {"role": role, "steps": len(steps)}
    note(deed="guide.set", actor=by, organization=organization, subject=role, details=details, now=now)


def finish_guides(*, now: datetime) -> int:
    """Finds newcomers who have done every step, notes it once each as an event and tells them; how many."""
    done = 0
    for company in Organization.objects.open().filter(kind=Kind.COMPANY).order_by("pk"):
        today = settings_at(company).date_of(now)
        finished = set(GuideFinished.objects.filter(company=company).values_list("person_id", flat=True))
        people = [one for one in newcomers_at(company, today) if one.pk not in finished]
        if people:
            progress = progress_of_all(people, company, today)
            done += sum(
                _finish(one, company, progress[one.pk].role, now) for one in people if progress[one.pk].finished
            )
    return done


@transaction.atomic
def _finish(person: Person, company: Organization, role: str, now: datetime) -> bool:
    _row, new = GuideFinished.objects.get_or_create(
        company=company, person=person, role=role, defaults={"finished_at": now}
    )
    if new:
        about = f"guide/{role}"
        record_own(
            [OwnDeed(company.pk, person.pk, "guide.finished", f"{about}/{person.pk}/{company.pk}", now, about)], now=now
        )
        tell([Telling(person_id=person.pk, key=f"{about}/{company.pk}", kind="guide.finished")], now=now)
    return new
