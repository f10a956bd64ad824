"""Plans challenges, opens them with their prizes in escrow, and calls them off."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime

from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.models import Kind, Organization
from uptake.directory.place import settings_at
from uptake.directory.viewer import NotAllowed, Viewer
from uptake.ledger.accounts import budget, escrow
from uptake.ledger.move import move
from uptake.ledger.post import NotEnoughPoints
from uptake.programme.merits.define_badge import LONGEST, MOST, may_keep
from uptake.programme.merits.models import ESCROWED, Challenge, ChallengeState
from uptake.programme.merits.refusals import BudgetExhausted, Conflict, NotOpen, ReasonMissing, Unusable

LONGEST_DAYS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeTerms:
    """A challenge as it is to be. Either `event_name` is counted or the points of `rule` are added up."""

    goal: int
    from_date: date
    until_date: date
    name_en: str = ""
    name_zh: str = ""
    text_en: str = ""
    text_zh: str = ""
    teams: bool = False
    event_name: str = ""
    rule: str = ""
    prize: int = 0
    pool: int = 0
    budget: Organization | None = None


FIELDS = tuple(field.name for field in fields(ChallengeTerms))


def plan_challenge(*, place: Organization, terms: ChallengeTerms, key: str, by: Viewer, now: datetime) -> Challenge:
    """A draft for the people of a company or department. Once per key. Raises NotAllowed, Unusable, Conflict."""
    company = place.company
    assert company is not None, "A park has no points"
    if not may_keep(by, company):
        raise NotAllowed
    _check(place, company, terms, settings_at(company).date_of(now))
    with transaction.atomic():
        Organization.objects.select_for_update(of=("self",), no_key=True).get(pk=company.pk)
        known = Challenge.objects.filter(company=company, key=key).first()
        if known is not None:
            if known.place_id != place.pk or any(getattr(known, n) != getattr(terms, n) for n in FIELDS):
                raise Conflict
            return known
        made = Challenge.objects.create(
            company=company,
            place=place,
            key=key,
            made_by_id=by.user_id,
            made_by_person_id=by.person_id,
            made_at=now,
            **{name: getattr(terms, name) for name in FIELDS},
        )
        note_challenge("planned", made, by, now)
    return made


def open_challenge(*, challenge_id: int, by: Viewer, now: datetime) -> Challenge:
    """People may join; the pool goes from its budget into escrow. Opening what is open changes nothing.

    Raises NotAllowed, NotOpen (it is over, or was called off), BudgetExhausted.
    """
    with transaction.atomic():
        row = locked_challenge(challenge_id, by)
        if row.state == ChallengeState.OPEN:
            return row
        today = settings_at(row.company).date_of(now)
        if row.state != ChallengeState.DRAFT or today >= row.until_date:
            raise NotOpen
        row.state, row.opened_at = ChallengeState.OPEN, now
        row.save(update_fields=["state", "opened_at"])
        if row.pool:
            assert row.budget_id is not None, "A pool has a budget"
            try:
                move(
                    book=row.company_id,
                    key=f"challenge/{row.pk}/pool",
                    source=budget(row.budget_id),
                    target=escrow(row.pk),
                    points=row.pool,
                    cause=f"challenge/{row.pk}",
                    reason="pool",
                    now=now,
                )
            except NotEnoughPoints as refused:
                raise BudgetExhausted from refused
        note_challenge("opened", row, by, now)
    return row


def cancel_challenge(*, challenge_id: int, why: str, by: Viewer, now: datetime) -> Challenge:
    """Nothing is paid; what is in escrow goes back. Repeating changes nothing.

    Raises NotAllowed, ReasonMissing, NotOpen (it was paid).
    """
    with transaction.atomic():
        row = locked_challenge(challenge_id, by)
        if row.state == ChallengeState.CANCELLED:
            return row
        if row.state == ChallengeState.PAID:
            raise NotOpen
        if not why.strip():
            raise ReasonMissing
        if row.state in ESCROWED:
            give_back(row, row.pool, now)
        row.state, row.closed_at, row.why = ChallengeState.CANCELLED, now, why.strip()[:300]
        row.save(update_fields=["state", "closed_at", "why"])
        note_challenge("cancelled", row, by, now)
    return row


def give_back(row: Challenge, points: int, now: datetime) -> None:
    """What is not paid goes from escrow back to the budget."""
    if not points:
        return
    assert row.budget_id is not None, "A pool has a budget"
    move(
        book=row.company_id,
        key=f"challenge/{row.pk}/rest",
        source=escrow(row.pk),
        target=budget(row.budget_id),
        points=points,
        cause=f"challenge/{row.pk}",
        reason="rest",
        now=now,
    )


def locked_challenge(challenge_id: int, by: Viewer) -> Challenge:
    """The challenge, locked, for one who keeps the challenges of its company. Raises NotAllowed."""
    rows = Challenge.objects.visible_to(by).select_for_update(no_key=True, of=("self",)).select_related("company")
    row = rows.filter(pk=challenge_id).first()
    if row is None or not may_keep(by, row.company):
        raise NotAllowed
    return row


def note_challenge(deed: str, row: Challenge, by: Viewer | str, now: datetime, **more: int) -> None:
    """What was done to a challenge, in the audit log."""
    details = {"challenge": row.pk, "pool": row.pool, **more}
    note(deed=f"challenge.{deed}", actor=by, organization=row.company, subject=str(row), details=details, now=now)


def _check(place: Organization, company: Organization, terms: ChallengeTerms, today: date) -> None:
    if place.kind not in (Kind.COMPANY, Kind.DEPARTMENT):
        raise Unusable("place", "choose")
    if not terms.name_en and not terms.name_zh:
        raise Unusable("name_en", "name_missing")
    for name in ("name_en", "name_zh", "text_en", "text_zh"):
        if len(getattr(terms, name)) > LONGEST[name]:
            raise Unusable(name, "too_long")
    if bool(terms.event_name) == bool(terms.rule):
        raise Unusable("event_name", "choose")
    if not 1 <= terms.goal <= MOST:
        raise Unusable("goal", "whole_number")
    if not terms.from_date < terms.until_date or (terms.until_date - terms.from_date).days > LONGEST_DAYS:
        raise Unusable("until_date", "not_a_span")
    if terms.until_date <= today:
        raise Unusable("until_date", "is_over")
    if not (0 <= terms.prize <= MOST and 0 <= terms.pool <= MOST):
        raise Unusable("prize", "whole_number")
    if bool(terms.prize) != bool(terms.pool) or terms.prize > terms.pool:
        raise Unusable("pool", "pool_below_prize")
    if terms.pool and (terms.budget is None or terms.budget.company_id != company.pk):
        raise Unusable("budget", "choose")
