"""Offers prizes for the first ones on a company's board, and stops offering them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.models import Organization
from uptake.directory.place import settings_at
from uptake.directory.viewer import NotAllowed, Viewer
from uptake.programme.merits.define_badge import MOST, may_keep
from uptake.programme.merits.models import BoardPrize
from uptake.programme.merits.periods import EVER, PERIODS, SEASON
from uptake.programme.merits.refusals import Unusable

MOST_PLACES = 20


def offer_prizes(
    *,
    company: Organization,
    period: str,
    places: Sequence[int],
    budget: Organization,
    by: Viewer,
    now: datetime,
) -> BoardPrize:
    """Prizes for the board of the period that runs and for those after it, until they are stopped. One sort per period:
    offering the same again gives what is there. Raises NotAllowed, Unusable."""
    if not may_keep(by, company):
        raise NotAllowed
    if period not in {*PERIODS, SEASON} - {EVER}:
        raise Unusable("period", "choose")
    if not 1 <= len(places) <= MOST_PLACES or any(not 1 <= points <= MOST for points in places):
        raise Unusable("places", "places")
    if list(places) != sorted(places, reverse=True):
        raise Unusable("places", "places_rise")
    if budget.company_id != company.pk:
        raise Unusable("budget", "choose")
    with transaction.atomic():
        Organization.objects.select_for_update(of=("self",), no_key=True).get(pk=company.pk)
        known = BoardPrize.objects.filter(company=company, period=period, ended_at__isnull=True).first()
        if known is not None:
            if (known.places, known.budget_id) != (list(places), budget.pk):
                raise Unusable("period", "prizes_there")
            return known
        made = BoardPrize.objects.create(
            company=company,
            period=period,
            places=list(places),
            budget=budget,
            from_date=settings_at(company).date_of(now),
            made_by_id=by.user_id,
            made_by_person_id=by.person_id,
            made_at=now,
        )
        _note("offered", made, by, now)
    return made


def stop_prizes(*, prize_id: int, by: Viewer, now: datetime) -> None:
    """Boards that are still open get none of these prizes. Repeating changes nothing. Raises NotAllowed."""
    with transaction.atomic():
        rows = BoardPrize.objects.visible_to(by).select_for_update(no_key=True, of=("self",))
        row = rows.select_related("company").filter(pk=prize_id).first()
        if row is None or not may_keep(by, row.company):
            raise NotAllowed
        if row.ended_at is None:
            row.ended_at = now
            row.save(update_fields=["ended_at"])
            _note("stopped", row, by, now)


def _note(deed: str, row: BoardPrize, by: Viewer, now: datetime) -> None:
    details = {"period": row.period, "places": row.places, "budget": row.budget_id}
    note(deed=f"prizes.{deed}", actor=by, organization=row.company, subject=row.period, details=details, now=now)
