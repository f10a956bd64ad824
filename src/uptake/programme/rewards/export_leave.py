"""Extra leave that was approved or fulfilled, for HR: whose, how many days, from when; and that HR has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Q

from uptake.directory.models import Organization
from uptake.programme.rewards.models import Redemption, RewardKind, State

FOR_HR = (State.REQUESTED, State.APPROVED, State.FULFILLED, State.REFUNDED)


@dataclass(frozen=True, slots=True)
class LeaveRequest:
    """One line for the HR system; `id` stays the same whenever it is exported again."""

    id: int
    person: str
    staff_number: str
    email: str
    days: Decimal
    from_date: date | None
    state: str
    requested_at: datetime
    resolved_at: datetime | None
    exported_at: datetime | None


def leave_requests(company: Organization, *, now: datetime, since: datetime | None = None) -> list[LeaveRequest]:
    """The requests of extra leave of a company, by number; those HR must not act on (rejected, cancelled, timed out)
    only if HR had them before. `since`: only what changed from then on."""
    rows = Redemption.objects.filter(company=company, reward__kind=RewardKind.LEAVE)
    rows = rows.filter(Q(state__in=FOR_HR) | Q(exported_at__isnull=False))
    if since is not None:
        rows = rows.filter(Q(requested_at__gte=since) | Q(resolved_at__gte=since))
    return [
        LeaveRequest(
            id=row.pk,
            person=row.person.name,
            staff_number=row.person.staff_number,
            email=row.person.email,
            days=row.reward.leave_days or Decimal(0),
            from_date=row.leave_from_date,
            state=row.state_at(now),
            requested_at=row.requested_at,
            resolved_at=row.resolved_at,
            exported_at=row.exported_at,
        )
        for row in rows.select_related("person", "reward").order_by("pk")
    ]


@transaction.atomic
def export_leave(*, company: Organization, now: datetime, since: datetime | None = None) -> Sequence[LeaveRequest]:
    """The same, and from now on it is known that HR has them."""
    found = leave_requests(company, now=now, since=since)
    fresh = [one.id for one in found if one.exported_at is None]
    Redemption.objects.filter(pk__in=fresh).update(exported_at=now)
    return found
