"""Put points into a department's budget, or take them out again: by those who manage rules and give roles there."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from uptake.directory.audit import note
from uptake.directory.models import Organization
from uptake.directory.viewer import Deed, NotAllowed, Viewer
from uptake.ledger.accounts import ISSUED
from uptake.ledger.move import move
from uptake.ledger.post import NotEnoughPoints
from uptake.programme.rewards.models import BudgetChange
from uptake.programme.rewards.refusals import BudgetExhausted, Conflict


def budget_of(department: Organization) -> str:
    """The account of a department's budget (or of the company's own)."""
    return f"budget/{department.pk}"


def may_fund(viewer: Viewer, company: Organization) -> bool:
    """Administrators and operators: nobody who hands points out makes them."""
    return viewer.may(Deed.MANAGE_RULES, company) and viewer.may(Deed.GIVE_ROLES, company)


def fund_budget(
    *, department: Organization, points: int, key: str, by: Viewer, now: datetime, reason: str = ""
) -> BudgetChange:
    """`points` come from the issuing account; below 0 they go back there. Once per key.

    Raises NotAllowed, Conflict, BudgetExhausted (more is taken out than is in it).
    """
    assert points != 0, "A budget changes by at least one point"
    company = department.company
    assert company is not None, "A park has no budget of points"
    if not may_fund(by, company):
        raise NotAllowed
    try:
        with transaction.atomic():
            if known := _known(company, department, key, points):
                return known
            made = BudgetChange.objects.create(
                company=company,
                department=department,
                key=key,
                points=points,
                reason=reason,
                by_id=by.user_id,
                at=now,
            )
            ends = (ISSUED, budget_of(department))
            source, target = ends if points > 0 else ends[::-1]
            move(
                book=company.pk,
                key=f"budget/{made.pk}",
                source=source,
                target=target,
                points=abs(points),
                cause=f"budget/{made.pk}",
                now=now,
                reason=reason,
            )
            note(
                deed="budget.changed",
                actor=by,
                organization=company,
                subject=department.name,
                details={"department": department.pk, "points": points, "reason": reason},
                now=now,
            )
    except NotEnoughPoints as refused:
        raise BudgetExhausted from refused
    except IntegrityError:
        known = _known(company, department, key, points)
        if known is None:
            raise
        return known
    return made


def _known(company: Organization, department: Organization, key: str, points: int) -> BudgetChange | None:
    row = BudgetChange.objects.filter(company=company, key=key).first()
    if row is not None and (row.department_id, row.points) != (department.pk, points):
        raise Conflict(f"Key {key!r} was used with other content")
    return row
