"""A person leaves the company: what is asked for and still open is cancelled, and the points left go by the policy."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.models import Organization, Person
from uptake.directory.viewer import Deed, NotAllowed, Viewer
from uptake.ledger.accounts import FORFEITED
from uptake.ledger.move import forfeit
from uptake.programme.rewards.fund_budget import budget_of
from uptake.programme.rewards.models import OPEN, Redemption
from uptake.programme.rewards.resolve import cancel, time_out_redemptions


def leave_programme(
    *,
    person: Person,
    company: Organization,
    key: str,
    by: Viewer,
    now: datetime,
    to_budget_of: Organization | None = None,
) -> int:
    """Available and pending points are forfeited, or go to a department's budget; returns how many. Once per key.

    Raises NotAllowed.
    """
    if not by.may(Deed.MANAGE_RULES, company):
        raise NotAllowed
    assert to_budget_of is None or to_budget_of.company_id == company.pk, "Points stay in their book"
    while time_out_redemptions(now=now):
        pass
    with transaction.atomic():
        rows = Redemption.objects.filter(company=company, person=person, state__in=OPEN).order_by("reward_id", "pk")
        for row in rows:
            cancel(redemption=row.pk, by=by, key=f"left/{key}", now=now)
        moved = forfeit(
            book=company.pk,
            key=f"left/{person.pk}/{key}",
            owner=str(person.pk),
            cause=f"left/{person.pk}",
            now=now,
            target=budget_of(to_budget_of) if to_budget_of else FORFEITED,
            reason="left",
        )
        if not moved.replayed:
            note(
                deed="points.forfeited",
                actor=by,
                organization=company,
                subject=f"#{person.pk}",
                details={"person": person.pk, "points": moved.points},
                now=now,
            )
    return moved.points
