"""A person leaves the company: what is asked for and still open is cancelled, and the points left go by the policy."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.models import Organization, Person
from uptake.directory.viewer import Deed, NotAllowed, Viewer
from uptake.ledger.accounts import FORFEITED
from uptake.ledger.balances import entries_by_key, points_of
from uptake.ledger.hold import hold, settle
from uptake.ledger.move import forfeit
from uptake.programme.rewards.fund_budget import budget_of
from uptake.programme.rewards.line import leave_line
from uptake.programme.rewards.models import OPEN, Redemption, Wait
from uptake.programme.rewards.resolve import cancel, time_out_redemptions
from uptake.programme.rewards.terms import terms_of

FORFEIT, PAY_OUT, TO_BUDGET = "forfeit", "pay_out", "to_budget"
"""What may become of the points of somebody who leaves."""


def leave_programme(
    *,
    person: Person,
    company: Organization,
    key: str,
    by: Viewer,
    now: datetime,
    to_budget_of: Organization | None = None,
    pay_out: bool = False,
) -> int:
    """Available and pending points are forfeited, or go to a department's budget; returns how many. Once per key.

    `pay_out`: what is available is redeemed for money outside, and only what is pending is forfeited. Raises
    NotAllowed.
    """
    if not by.may(Deed.MANAGE_RULES, company):
        raise NotAllowed
    assert to_budget_of is None or not pay_out, "Points go one way"
    assert to_budget_of is None or to_budget_of.company_id == company.pk, "Points stay in their book"
    while time_out_redemptions(now=now):
        pass
    with transaction.atomic():
        waits = Wait.objects.in_line().filter(company=company, person=person)
        for wait in waits.select_related("reward").order_by("reward_id"):
            leave_line(reward=wait.reward, person=person.pk, now=now)
        rows = Redemption.objects.filter(company=company, person=person, state__in=OPEN).order_by("reward_id", "pk")
        for row in rows:
            cancel(redemption=row.pk, by=by, key=f"left/{key}", now=now)
        paid = _paid_out(person, company, key, by, now) if pay_out else 0
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
    return moved.points + paid


def _paid_out(person: Person, company: Organization, key: str, by: Viewer, now: datetime) -> int:
    """Redeems all that is available; how many points."""
    owner, held = str(person.pk), f"paid-out/{person.pk}/{key}"
    known = entries_by_key(book=company.pk, keys=[held]).get(held)
    if known is not None:
        return known.points
    points = points_of(book=company.pk, owners=[owner], now=now)[owner].available
    if not points:
        return 0
    cause = f"left/{person.pk}"
    hold(book=company.pk, key=held, owner=owner, points=points, cause=cause, now=now, reason="left")
    settle(
        book=company.pk, key=f"{held}/settled", hold=held, cause=cause, now=now, grace=terms_of(company, now).grace(),
        reason="left",
    )  # fmt: skip
    details = {"person": person.pk, "points": points}
    note(
        deed="points.paid_out", actor=by, organization=company, subject=f"#{person.pk}", details=details, now=now
    )  # fmt: skip
    return points
