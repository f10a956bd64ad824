"""Joins a challenge, and leaves it while it runs."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from uptake.directory.models import Organization
from uptake.directory.place import membership_on, settings_at
from uptake.directory.viewer import NotAllowed, Viewer, ids_of
from uptake.events.record_own import OwnDeed, record_own
from uptake.programme.merits.models import Challenge, ChallengeState, Participant
from uptake.programme.merits.refusals import NotAMember, NotOpen, SelfDealing


def join_challenge(*, challenge_id: int, by: Viewer, now: datetime) -> Participant:
    """The viewer takes part from now on; what was done since the first date counts. Joining twice is joining once.

    Raises NotAllowed, NotOpen, SelfDealing (who planned it), NotAMember (of its place; of no department, for teams).
    """
    with transaction.atomic():
        row, person = _open(challenge_id, by, now)
        known = row.participants.filter(person_id=person).first()
        if known is not None:
            return known
        if row.pool and person == row.made_by_person_id:
            raise SelfDealing
        span = membership_on(person, settings_at(row.company).date_of(now))
        if span is None or not span.path.startswith(row.place.path):
            raise NotAMember
        below = ids_of(span.path)[len(ids_of(row.company.path)) :]
        if row.teams and not below:
            raise NotAMember
        made = Participant.objects.create(
            challenge=row, person_id=person, team_id=below[0] if row.teams else None, joined_at=now
        )
        deed = OwnDeed(
            row.company_id, person, "challenge.joined", f"challenge/{row.pk}/{person}", now,
            f"challenge/{row.pk}",
        )  # fmt: skip
        record_own([deed], now=now)
    return made


def leave_challenge(*, challenge_id: int, by: Viewer, now: datetime) -> None:
    """The viewer takes part no more. Raises NotAllowed, NotOpen."""
    with transaction.atomic():
        row, person = _open(challenge_id, by, now)
        row.participants.filter(person_id=person).delete()


def _open(challenge_id: int, by: Viewer, now: datetime) -> tuple[Challenge, int]:
    if by.person_id is None:
        raise NotAllowed
    rows = Challenge.objects.visible_to(by).select_for_update(no_key=True, of=("self",))
    row = rows.select_related("company", "place").filter(pk=challenge_id).first()
    if row is None:
        raise NotAllowed
    company: Organization = row.company
    if row.state != ChallengeState.OPEN or settings_at(company).date_of(now) >= row.until_date:
        raise NotOpen
    return row, by.person_id
