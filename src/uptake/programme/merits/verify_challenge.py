"""Verifies what a challenge came to and pays its prizes: by somebody who neither planned it nor took part."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from uptake.directory.viewer import Viewer
from uptake.ledger.accounts import escrow
from uptake.programme.merits.models import Challenge, ChallengeState, Participant
from uptake.programme.merits.pay import pay
from uptake.programme.merits.plan_challenge import give_back, locked_challenge, note_challenge
from uptake.programme.merits.refusals import NotOpen, SelfDealing
from uptake.programme.merits.shares import Place, shares


def prizes_of(row: Challenge) -> dict[int, int]:
    """Points by person, as the challenge stands: each who met the goal is tied; the pool may not last."""
    met = list(row.participants.filter(met_at__isnull=False).select_related("person"))
    met.sort(key=lambda one: (one.met_at, one.person.name))
    return shares([row.prize] * len(met), [Place(one.person_id, 1) for one in met], row.pool)


def verify_challenge(*, challenge_id: int, by: Viewer, now: datetime) -> Challenge:
    """What was counted is right: the prizes are paid from escrow, the rest goes back to the budget. Once.

    Raises NotAllowed, NotOpen (it has not ended, or was called off), SelfDealing.
    """
    with transaction.atomic():
        row = locked_challenge(challenge_id, by)
        if row.state == ChallengeState.PAID:
            return row
        if row.state != ChallengeState.ENDED:
            raise NotOpen
        if _is_one_of(by, row):
            raise SelfDealing
        row.state, row.verified_at = ChallengeState.VERIFIED, now
        row.verified_by_id, row.verified_by_person_id = by.user_id, by.person_id
        row.save(update_fields=["state", "verified_at", "verified_by", "verified_by_person"])
        note_challenge("verified", row, by, now)
        _pay(row, by, now)
    return row


def _is_one_of(by: Viewer, row: Challenge) -> bool:
    if by.user_id == row.made_by_id and by.person_id == row.made_by_person_id:
        return True
    if by.person_id is None:
        return False
    return by.person_id == row.made_by_person_id or row.participants.filter(person_id=by.person_id).exists()


def _pay(row: Challenge, by: Viewer, now: datetime) -> None:
    points = prizes_of(row)
    for person, some in points.items():
        Participant.objects.filter(challenge=row, person_id=person).update(prize=some)
    if points:
        pay(
            row.company,
            points,
            cause=f"challenge/{row.pk}",
            paid_from=escrow(row.pk),
            title={"name_en": row.name_en, "name_zh": row.name_zh},
            kind="points.challenge",
            now=now,
        )
    give_back(row, row.pool - sum(points.values()), now)
    row.state, row.closed_at = ChallengeState.PAID, now
    row.save(update_fields=["state", "closed_at"])
    note_challenge("paid", row, by, now, paid=sum(points.values()), winners=len(points))
