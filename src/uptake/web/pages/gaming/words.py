"""What each detector looks for, and its evidence line, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from uptake.insight.gaming import refusals
from uptake.insight.gaming.models import Verdict
from uptake.web import numbers

NAMES: Mapping[str, str | Promise] = {
    "A": gettext_lazy("Made and cancelled again"),
    "A2": gettext_lazy("The same again and again"),
    "B": gettext_lazy("Regular as a clock"),
    "D": gettext_lazy("Log-ins without work"),
    "F": gettext_lazy("Cut into many pieces"),
}
RULES: Mapping[str, str | Promise] = {
    "A": gettext_lazy("Cancelled within 30 minutes of being made, far more often than in the same role."),
    "A2": gettext_lazy("The same about the same object with the same amounts, again within 24 hours."),
    "B": gettext_lazy("Gaps between events that differ by less than 1%, as a script leaves them."),
    "D": gettext_lazy("Many log-ins and little work behind them, against the same role."),
    "F": gettext_lazy("Made less than two minutes after the last, far more often than in the same role."),
}
TONES: Mapping[str, str] = {Verdict.REAL: "bad", Verdict.NOT: "good", Verdict.UNCLEAR: ""}


def _counts(told: Mapping[str, Any], *names: str) -> dict[str, str]:
    return {name: numbers.full(float(told.get(name, 0))) for name in names}


LINES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "A": lambda told: (
        _("%(quick)s of %(created)s were cancelled within 30 minutes; %(cancelled)s were cancelled in all.")
        % _counts(told, "quick", "created", "cancelled")
    ),
    "A2": lambda told: (
        _("%(again)s of %(created)s repeat one of the 24 hours before.") % _counts(told, "again", "created")
    ),
    "B": lambda told: (
        _("%(near)s of %(gaps)s gaps lie within 1%% of %(seconds)s seconds.") % _counts(told, "near", "gaps", "seconds")
    ),
    "D": lambda told: _("%(logins)s log-ins, and %(work)s events of work.") % _counts(told, "logins", "work"),
    "F": lambda told: (
        _("%(quick)s of %(created)s were made less than two minutes after the last.")
        % _counts(told, "quick", "created")
    ),
}
REFUSALS: Mapping[type[refusals.Refused], Callable[[], str]] = {
    refusals.SelfDealing: lambda: _("It is about yourself: somebody else decides."),
    refusals.SecondPersonNeeded: lambda: _("You said what it is already: a second person decides."),
    refusals.AlreadyDecided: lambda: _("It was decided already."),
    refusals.NoReason: lambda: _("Say why, in at most 500 characters."),
}
