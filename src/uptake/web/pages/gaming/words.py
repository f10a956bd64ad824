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
    "C": gettext_lazy("At odd hours"),
    "D": gettext_lazy("Log-ins without work"),
    "F": gettext_lazy("Cut into many pieces"),
    "G": gettext_lazy("Just over the amount that pays"),
    "H": gettext_lazy("More points, not more work"),
    "R": gettext_lazy("Recognition in a ring"),
    "S": gettext_lazy("Approving for oneself"),
}
RULES: Mapping[str, str | Promise] = {
    "A": gettext_lazy("Cancelled within 30 minutes of being made, far more often than in the same role."),
    "A2": gettext_lazy("The same about the same object with the same amounts, again within 24 hours."),
    "B": gettext_lazy("Gaps between events that differ by less than 1%, as a script leaves them."),
    "C": gettext_lazy("Work at hours in which neither the same role nor the person before was at work."),
    "D": gettext_lazy("Many log-ins and little work behind them, against the same role."),
    "F": gettext_lazy("Made less than two minutes after the last, far more often than in the same role."),
    "G": gettext_lazy("Amounts that stop just at what a rule pays from, far more often than in the same role."),
    "H": gettext_lazy("Points rose by half against the four weeks before, while the different work done did not."),
    "R": gettext_lazy("People who recognise each other both ways far more often than chance, over twelve weeks."),
    "S": gettext_lazy("Approving one's own work as others do not, or special points for those one is recognised by."),
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
    "C": lambda told: (
        _("%(outside)s of %(deeds)s events lie outside of the usual hours, on %(days)s days.")
        % _counts(told, "outside", "deeds", "days")
    ),
    "D": lambda told: _("%(logins)s log-ins, and %(work)s events of work.") % _counts(told, "logins", "work"),
    "F": lambda told: (
        _("%(quick)s of %(created)s were made less than two minutes after the last.")
        % _counts(told, "quick", "created")
    ),
    "G": lambda told: (
        _("%(at)s amounts lie at %(threshold)s or just above it, %(below)s just below.")
        % _counts(told, "at", "below", "threshold")
    ),
    "H": lambda told: (
        _("%(points)s points after %(points_before)s before; %(work)s pieces of work after %(work_before)s before.")
        % _counts(told, "points", "points_before", "work", "work_before")
    ),
    "R": lambda told: (
        _("%(people)s people recognised each other %(given)s times; chance would have been %(expected)s.")
        % _counts(told, "people", "given", "expected")
    ),
    "S": lambda told: (
        _("%(own)s of %(approved)s approvals were of what they had made themselves.") % _counts(told, "own", "approved")
        if "own" in told
        else _("Approved special points %(approved)s times for people who recognised them %(received)s times.")
        % _counts(told, "approved", "received")
    ),
}
REFUSALS: Mapping[type[refusals.Refused], Callable[[], str]] = {
    refusals.SelfDealing: lambda: _("It is about yourself: somebody else decides."),
    refusals.SecondPersonNeeded: lambda: _("You said what it is already: a second person decides."),
    refusals.AlreadyDecided: lambda: _("It was decided already."),
    refusals.NoReason: lambda: _("Say why, in at most 500 characters."),
}
