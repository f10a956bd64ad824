"""Says what a finding is: two people call it real before points are taken; one is enough to give them back."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from uptake.basics.business_day import business_date, start_of
from uptake.directory.audit import note
from uptake.directory.models import Organization
from uptake.directory.place import settings_at
from uptake.directory.viewer import NotAllowed, Viewer
from uptake.insight.gaming.models import DECIDING, Finding, Opinion, Outcome, Verdict
from uptake.insight.gaming.refusals import AlreadyDecided, NoReason, SecondPersonNeeded, SelfDealing
from uptake.ledger.balances import points_of
from uptake.ledger.hold import Grace, release
from uptake.ledger.move import forfeit
from uptake.notify.tell import Telling, tell

GRACE_DAYS = 30
LONGEST_REASON = 500


@transaction.atomic
def give_opinion(*, finding: Finding, verdict: Verdict, reason: str, by: Viewer, now: datetime) -> Outcome | None:
    """One opinion; the outcome where it decides, else None: a first "real" waits for a second person's.

    Raises NotAllowed or a refusal. With the outcome the hold ends: given back, and of what is real then forfeited.
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
    taken = _end_hold(found, verdict, now) if found.held else 0
    outcome = Outcome.objects.create(finding=found, verdict=verdict, taken=taken, at=now)
    details = {**details, "taken": taken}
    note(deed="gaming.decided", actor=by, organization=found.company, subject=subject, details=details, now=now)
    if found.held:
        kind = "gaming.taken" if taken else "gaming.released"
        content: dict[str, object] = {"finding": found.pk, "points": taken or found.held}
        if taken:
            content |= {"entry": f"{found.hold}/forfeit", "company": found.company.slug}
        tell([Telling(person_id=found.person_id, key=f"{kind}/{found.pk}", kind=kind, content=content)], now=now)
    return outcome


def _end_hold(found: Finding, verdict: Verdict, now: datetime) -> int:
    """The hold goes back; of what is real as much is forfeited, so far as it is still there. How much that was."""
    told = {"finding": found.pk, "verdict": str(verdict)}
    release(
        book=found.company_id, key=f"{found.hold}/release", hold=found.hold, cause=found.hold, now=now,
        grace=_grace(found.company, now), reason="review", explanation=told,
    )  # fmt: skip
    if verdict is not Verdict.REAL:
        return 0
    owner = str(found.person_id)
    available = points_of(book=found.company_id, owners=[owner], now=now)[owner].available
    points = min(found.held, available)
    if not points:
        return 0
    done = forfeit(
        book=found.company_id, key=f"{found.hold}/forfeit", owner=owner, points=points, cause=found.hold, now=now,
        reason="review", explanation=told,
    )  # fmt: skip
    return done.points


def _grace(company: Organization, now: datetime) -> Grace:
    clock = settings_at(company)
    last = business_date(now, *clock) + timedelta(days=GRACE_DAYS)
    return Grace(last, start_of(last + timedelta(days=1), *clock))
