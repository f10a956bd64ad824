"""Says what a finding is: two people call it real before points are taken; one is enough to give them back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.models import Organization
from uptake.directory.place import settings_at
from uptake.directory.viewer import NotAllowed, Viewer
from uptake.insight.gaming.find import earned_by
from uptake.insight.gaming.models import DECIDING, Finding, Opinion, Outcome, Verdict
from uptake.insight.gaming.refusals import AlreadyDecided, NoReason, SecondPersonNeeded, SelfDealing
from uptake.ledger.balances import points_of
from uptake.ledger.hold import Grace, release
from uptake.ledger.move import forfeit
from uptake.notify.tell import Telling, tell

GRACE_DAYS = 30
LONGEST_REASON = 500


class Follows(Protocol):
    """What a finding called real does beside the ledger. Rewards and levels are not known here: whoever calls brings
    them."""

    def free(
        self, *, person: int, company: int, points: int, before: datetime, cause: str, by: Viewer, now: datetime
    ) -> int:
        """Turns down open redemptions asked for before an instant, as far as so many points need it; what it freed."""

    def lower(self, *, person: int, company: int, events: Collection[int], cause: str, now: datetime) -> int:
        """What these events gave counts no more for level and boards; how many points that were."""


@dataclass(frozen=True, slots=True)
class Stake:
    """What is taken if a finding is called real: events and points that no other real finding took before."""

    events: tuple[int, ...]
    points: int
    waiting: int
    """So many of the points are not on hold, and may wait in redemptions."""


def stake_of(found: Finding) -> Stake:
    """As things stand."""
    others = Finding.objects.filter(
        company=found.company_id, person=found.person_id, outcome__verdict=Verdict.REAL
    ).exclude(pk=found.pk)
    known = {event for events in others.values_list("events", flat=True) for event in events}
    shared = [event for event in found.events if event in known]
    before = earned_by(found.company_id, str(found.person_id), shared) if shared else 0
    points = max(0, found.points - before)
    events = tuple(event for event in found.events if event not in known)
    return Stake(events, points, max(0, points - found.held))


@transaction.atomic
def give_opinion(
    *, finding: Finding, verdict: Verdict, reason: str, by: Viewer, follows: Follows, now: datetime
) -> Outcome | None:
    """One opinion; the outcome where it decides, else None: a first "real" waits for a second person's.

    Raises NotAllowed or a refusal. With the outcome the hold ends: given back, and of what is real then forfeited,
    with what waits in redemptions that were asked for before it was found.
    """
    found = Finding.objects.select_for_update(of=("self",)).select_related("company").get(pk=finding.pk)
    if by.user_id is None or not all(by.may(deed, found.company) for deed in DECIDING):
        raise NotAllowed
    if by.person_id == found.person_id:
        raise SelfDealing
    if Outcome.objects.filter(finding=found).exists():
        raise AlreadyDecided
    said = list(found.opinions.all())
    if any(one.by_id == by.user_id for one in said):
        raise SecondPersonNeeded
    words = reason.strip()
    if not 0 < len(words) <= LONGEST_REASON:
        raise NoReason
    Opinion.objects.create(finding=found, verdict=verdict, reason=words, by_id=by.user_id, at=now)
    subject, details = f"#{found.pk}", {"finding": found.pk, "person": found.person_id, "verdict": str(verdict)}
    note(deed="gaming.opinion", actor=by, organization=found.company, subject=subject, details=details, now=now)
    if verdict is Verdict.REAL and not said:
        return None
    real = verdict is Verdict.REAL
    stake = stake_of(found)
    freed = 0
    if real and stake.waiting:
        freed = follows.free(
            person=found.person_id, company=found.company_id, points=stake.waiting, before=found.found_at,
            cause=found.hold, by=by, now=now,
        )  # fmt: skip
    if found.held:
        _release(found, verdict, now)
    taken = _forfeit(found, min(stake.points, found.held + freed), now) if real else 0
    counted = 0
    if real:
        counted = follows.lower(
            person=found.person_id, company=found.company_id, events=stake.events, cause=found.hold, now=now
        )
    outcome = Outcome.objects.create(finding=found, verdict=verdict, taken=taken, at=now)
    details = {**details, "taken": taken, "counted": counted}
    note(deed="gaming.decided", actor=by, organization=found.company, subject=subject, details=details, now=now)
    if found.held or taken or counted:
        kind = "gaming.taken" if taken or counted else "gaming.released"
        content: dict[str, object] = {"finding": found.pk, "points": taken or counted or found.held}
        if taken or counted:
            content |= {"entry": f"{found.hold}/forfeit", "company": found.company.slug}
        tell([Telling(person_id=found.person_id, key=f"{kind}/{found.pk}", kind=kind, content=content)], now=now)
    return outcome


def _release(found: Finding, verdict: Verdict, now: datetime) -> None:
    release(
        book=found.company_id, key=f"{found.hold}/release", hold=found.hold, cause=found.hold, now=now,
        grace=_grace(found.company, now), reason="review", explanation=_told(found, verdict),
    )  # fmt: skip


def _forfeit(found: Finding, points: int, now: datetime) -> int:
    """So far as they are still there; how much that was."""
    owner = str(found.person_id)
    points = min(points, points_of(book=found.company_id, owners=[owner], now=now)[owner].available)
    if points <= 0:
        return 0
    return forfeit(
        book=found.company_id, key=f"{found.hold}/forfeit", owner=owner, points=points, cause=found.hold, now=now,
        reason="review", explanation=_told(found, Verdict.REAL),
    ).points  # fmt: skip


def _told(found: Finding, verdict: Verdict) -> dict[str, object]:
    return {"finding": found.pk, "verdict": str(verdict)}


def _grace(company: Organization, now: datetime) -> Grace:
    clock = settings_at(company)
    last = clock.date_of(now) + timedelta(days=GRACE_DAYS)
    return Grace(last, clock.start_of(last + timedelta(days=1)))
