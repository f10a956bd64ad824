"""Special points: one asks, another approves, a department's budget pays; the receiver is neither of the two."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from uptake.directory.audit import note
from uptake.directory.models import Organization, Person
from uptake.directory.place import membership_on
from uptake.directory.viewer import Deed, NotAllowed, Viewer
from uptake.ledger.again import again_where_lost
from uptake.ledger.grant import Grant, grant
from uptake.ledger.post import NotEnoughPoints
from uptake.notify.announce import News, announce
from uptake.notify.models import About
from uptake.notify.tell import Telling, tell
from uptake.programme.hold_levels import level_may_change
from uptake.programme.lot_dates import last_date
from uptake.programme.merit import Gain, note_merit
from uptake.programme.rewards.fund_budget import budget_of
from uptake.programme.rewards.models import GrantState, SpecialGrant
from uptake.programme.rewards.refusals import (
    AlreadyDecided,
    BudgetExhausted,
    Conflict,
    ReasonMissing,
    SelfDealing,
    UnknownGrant,
)
from uptake.programme.rewards.steps import content_of
from uptake.programme.rewards.terms import ONE_DAY, terms_of

LONGEST_REASON = 500


def may_ask(viewer: Viewer, company: Organization) -> bool:
    """Whether the viewer may ask for special points of people of the company."""
    return viewer.may(Deed.MANAGE_PEOPLE, company) or viewer.may(Deed.MANAGE_RULES, company)


def ask_special(
    *, person: Person, department: Organization, points: int, reason: str, key: str, by: Viewer, now: datetime
) -> SpecialGrant:
    """Ask that the person be given points from the department's budget. Once per key.

    Raises NotAllowed (also for a person who does not belong to the company), Conflict, SelfDealing, ReasonMissing.
    """
    company = _company_of(department)
    if not may_ask(by, company):
        raise NotAllowed
    return _ask(company, department, person, points, reason.strip(), key, by, now)


def _ask(
    company: Organization,
    department: Organization,
    person: Person,
    points: int,
    reason: str,
    key: str,
    by: Viewer,
    now: datetime,
) -> SpecialGrant:
    assert points > 0, "At least one point is given"
    content = content_of("special", person.pk, department.pk, points, reason, by.user_id, by.person_id)
    try:
        with transaction.atomic():
            if known := _known(company, key, content):
                return known
            if by.person_id is not None and by.person_id == person.pk:
                raise SelfDealing
            if not reason:
                raise ReasonMissing
            _belongs(person, company, now)
            made = SpecialGrant.objects.create(
                company=company,
                department=department,
                person=person,
                key=key,
                fingerprint=content,
                points=points,
                reason=reason[:LONGEST_REASON],
                asked_by_id=by.user_id,
                asked_by_person_id=by.person_id,
                asked_at=now,
            )
            _note(made, "asked", by, now)
    except IntegrityError:
        known = _known(company, key, content)
        if known is None:
            raise
        return known
    return made


@again_where_lost
def approve_special(*, grant_id: int, by: Viewer, now: datetime) -> SpecialGrant:
    """Give the points. Approving again what was approved changes nothing.

    Raises NotAllowed, UnknownGrant, AlreadyDecided, SelfDealing, BudgetExhausted.
    """
    with transaction.atomic():
        row = _locked(grant_id, by)
        if not by.may(Deed.MANAGE_RULES, row.company):
            raise NotAllowed
        if row.state == GrantState.APPROVED:
            return row
        if row.state != GrantState.ASKED:
            raise AlreadyDecided
        _not_of(by, row)
        terms = terms_of(row.company, now)
        last = last_date(terms.programme, terms.programme.expires, terms.today)
        _decide(row, GrantState.APPROVED, by, now)
        row.date = terms.today
        row.save(update_fields=["date"])
        points = Grant(
            book=row.company_id,
            key=row.lot,
            lot=row.lot,
            owner=str(row.person_id),
            points=row.points,
            cause=row.lot,
            happened_at=now,
            available_from=now,
            last_date=last,
            expires_at=terms.start_of(last + ONE_DAY) if last else None,
            inactive_days=terms.programme.expires.inactive_days,
            reason="special",
            explanation={"special": row.pk, "department": row.department_id},
            paid_from=budget_of(row.department),
        )
        try:
            grant([points], now=now)
        except NotEnoughPoints as refused:
            raise BudgetExhausted from refused
        note_merit([Gain(row.company_id, row.person_id, terms.today, row.points, now)], now=now)
        if terms.rulebook.levels:
            level_may_change(person=row.person_id, company=row.company_id, now=now)
        said = {"points": row.points, "count": 1, "awards": [{"title": row.reason}], "special": row.pk}
        tell([Telling(person_id=row.person_id, key=row.lot, kind="points.special", content=said)], now=now)
        heard = News(
            about=About.GIVEN, kind="points.special", organization_id=row.company_id, key=row.lot, at=now,
            person_id=row.person_id, data={"points": row.points, "given": row.lot},
        )  # fmt: skip
        announce([heard], now=now)
        _note(row, "approved", by, now)
    return row


def reject_special(*, grant_id: int, by: Viewer, now: datetime) -> SpecialGrant:
    """Decide that the points are not given. Raises NotAllowed, UnknownGrant, AlreadyDecided."""
    with transaction.atomic():
        row = _locked(grant_id, by)
        if not by.may(Deed.MANAGE_RULES, row.company):
            raise NotAllowed
        if row.state != GrantState.ASKED:
            raise AlreadyDecided
        _decide(row, GrantState.REJECTED, by, now)
        _note(row, "rejected", by, now)
    return row


def withdraw_special(*, grant_id: int, by: Viewer, now: datetime) -> SpecialGrant:
    """Whoever asked wants it no more. Raises NotAllowed, UnknownGrant, AlreadyDecided."""
    with transaction.atomic():
        row = _locked(grant_id, by)
        if by.user_id is None or row.asked_by_id != by.user_id:
            raise NotAllowed
        if row.state != GrantState.ASKED:
            raise AlreadyDecided
        _decide(row, GrantState.WITHDRAWN, by, now)
    return row


@again_where_lost
def grant_special(
    *,
    person: Person,
    department: Organization,
    points: int,
    reason: str,
    key: str,
    by: Viewer,
    approved_by: Viewer,
    now: datetime,
) -> SpecialGrant:
    """Ask and approve at once, where both are known. Nothing is written unless the points are given.

    Raises what asking and approving raise: SelfDealing before ReasonMissing before BudgetExhausted.
    """
    company = _company_of(department)
    if not may_ask(by, company):
        raise NotAllowed
    if person.pk in (by.person_id, approved_by.person_id) or _same(by, approved_by):
        raise SelfDealing
    with transaction.atomic():
        made = _ask(company, department, person, points, reason.strip(), key, by, now)
        return approve_special(grant_id=made.pk, by=approved_by, now=now)


def _company_of(department: Organization) -> Organization:
    assert department.company is not None, "A park has no budget of points"
    return department.company


def _belongs(person: Person, company: Organization, now: datetime) -> None:
    span = membership_on(person.pk, terms_of(company, now).today)
    if span is None or span.company_id != company.pk:
        raise NotAllowed


def _known(company: Organization, key: str, content: str) -> SpecialGrant | None:
    row = SpecialGrant.objects.filter(company=company, key=key).first()
    if row is not None and row.fingerprint != content:
        raise Conflict(f"Key {key!r} was used with other content")
    return row


def _locked(grant_id: int, by: Viewer) -> SpecialGrant:
    if not SpecialGrant.objects.visible_to(by).filter(pk=grant_id).exists():
        raise UnknownGrant
    rows = SpecialGrant.objects.select_for_update(no_key=True, of=("self",))
    return rows.select_related("company", "department").get(pk=grant_id)


def _same(one: Viewer, other: Viewer) -> bool:
    """Whether two viewers are one human; those without a person are known by their login."""
    return (one.person_id, one.user_id if one.person_id is None else None) == (
        other.person_id,
        other.user_id if other.person_id is None else None,
    )


def _not_of(by: Viewer, row: SpecialGrant) -> None:
    if by.person_id is not None and by.person_id in (row.person_id, row.asked_by_person_id):
        raise SelfDealing
    if by.user_id == row.asked_by_id and by.person_id == row.asked_by_person_id:
        raise SelfDealing


def _decide(row: SpecialGrant, state: GrantState, by: Viewer, now: datetime) -> None:
    row.state, row.decided_at = state, now
    row.decided_by_id, row.decided_by_person_id = by.user_id, by.person_id
    row.save(update_fields=["state", "decided_at", "decided_by", "decided_by_person"])


def _note(row: SpecialGrant, deed: str, by: Viewer, now: datetime) -> None:
    note(
        deed=f"special.{deed}",
        actor=by,
        organization=row.company,
        subject=f"#{row.pk}",
        details={"special": row.pk, "person": row.person_id, "department": row.department_id, "points": row.points},
        now=now,
    )
