"""Writes down what an intervention cost."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.viewer import NotAllowed, Viewer
from uptake.insight.impact.models import MANAGING, Intervention
from uptake.insight.report.models import Cost

CURRENCIES = ("CNY", "EUR", "USD", "GBP", "JPY", "CHF")
MOST = Decimal("999999999999")
DEAREST = Decimal("99999")


class WrongCost(ValueError):
    """Not an amount of 0 and more in a known currency, or all of it is 0."""


@transaction.atomic
def note_cost(
    *, intervention: Intervention, amount: Decimal, point_value: Decimal, currency: str, by: Viewer, now: datetime
) -> Cost:
    """What counts from now on. Raises NotAllowed, WrongCost."""
    if not any(by.may(deed, intervention.organization) for deed in MANAGING):
        raise NotAllowed
    fine = amount.is_finite() and point_value.is_finite() and currency in CURRENCIES
    if not fine or not (0 <= amount <= MOST and 0 <= point_value <= DEAREST and amount + point_value > 0):
        raise WrongCost
    made = Cost.objects.create(
        intervention=intervention,
        amount=amount.quantize(Decimal("0.01")),
        point_value=point_value.quantize(Decimal("0.0001")),
        currency=currency,
        made_by_id=by.user_id,
        made_at=now,
    )
    note(
        deed="impact.cost_noted",
        actor=by,
        organization=intervention.organization,
        subject=intervention.title,
        details={"id": intervention.pk, "amount": str(made.amount), "point": str(made.point_value), "in": currency},
        now=now,
    )
    return made
