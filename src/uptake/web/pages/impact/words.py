"""Verdicts, checks, remedies and designs in words; the sentences of an evaluation in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from uptake.insight.impact import refusals

VERDICTS: Mapping[str, tuple[str | Promise, str]] = {
    "increase": (_("Rose"), "good"),
    "decrease": (_("Fell"), "bad"),
    "no_meaningful_change": (_("No change that matters"), ""),
    "cannot_tell": (_("Cannot tell"), "warn"),
    "interim": (_("Interim"), "info"),
    "description": (_("Described only"), ""),
}
"""Word and tone."""
LIGHTS: Mapping[str, tuple[str | Promise, str]] = {
    "pass": (_("Pass"), "good"),
    "warn": (_("Warning"), "warn"),
    "stop": (pgettext_lazy("of a check", "Stop"), "bad"),
}
HELD: Mapping[str, tuple[str | Promise, str]] = {
    "held": (_("Not worse"), "good"),
    "broken": (_("Worse"), "bad"),
    "open": (_("Cannot tell"), "warn"),
}
CHECKS: Mapping[str, str | Promise] = {
    "NO_CONTROL": _("Somebody still waited"),
    "TOO_FEW_UNITS": _("Enough departments"),
    "ONE_TREATED": _("One department against chance"),
    "TOO_SHORT": _("Long enough before and after"),
    "PRETREND": _("Moved alike before the start"),
    "PRETREND_SIZE": _("Moved alike closely enough"),
    "PLACEBO_TIME": _("No effect 28 days too early"),
    "PLACEBO_UNIT": _("Starts dealt out anew"),
    "HONEST": _("Withstands small differences of trend"),
    "SELECTED_ON_OUTCOME": _("Not chosen for how they were doing"),
    "COINCIDENT_EVENT": _("Nothing else at the same time"),
    "METRIC_BREAK": _("The metric itself did not jump"),
    "SPILLOVER": _("Those who waited were not touched"),
    "ATTRITION": _("Nobody left one side more"),
    "SRM": _("Groups as large as drawn"),
    "PEEKING": _("Read at the registered end"),
    "NOVELTY_DECAY": _("Lasts"),
    "LEAVE_ONE_OUT": _("Does not hang on one department"),
    "HETEROGENEITY": _("Alike between groups"),
    "DENOMINATOR": _("People counted from the directory"),
    "SURVEY_RESPONSE": _("Enough answers"),
    "UNDERPOWERED": _("Precise enough"),
    "MULTIPLE": _("Holds for the number of metrics asked"),
}
CHECKS_OF_PEOPLE: Mapping[str, str | Promise] = {
    "NO_CONTROL": _("Some people still waited"),
    "TOO_FEW_UNITS": _("Enough people on both sides"),
    "TOO_SHORT": _("Long enough after the start"),
}
"""Where people were drawn by lot."""
DESIGNS: Mapping[str, str | Promise] = {
    "people_drawn": _("People drawn by lot"),
    "departments_drawn": _("Departments drawn by lot"),
    "staggered": _("Departments that began against those still waiting"),
    "few_treated": _("A few departments against many that waited"),
    "synthetic": _("One department against a mix of others"),
    "one_treated": _("One department alone"),
    "action_contrast": _("Paid against unpaid actions"),
    "interrupted": _("Against its own trend"),
    "description": _("Description only"),
}
HELPS: Mapping[str, str | Promise] = {
    "holdout": _("Let some departments wait until the end."),
    "wait_longer": _("Choose a later end."),
    "more_departments": _("Let more departments take part."),
    "adjust_for_before": _("Begin later, so that there is more to compare with before."),
    "more_people": _("Draw among more people."),
    "even_shares": _("Let about as many wait as begin."),
    "more_waiting": _("Let at least four of ten departments wait."),
}
WORDS: Mapping[type[refusals.Refused], Callable[[], str]] = {
    refusals.NoTitle: lambda: gettext("Give it a title of at most 200 characters."),
    refusals.NoStart: lambda: gettext("Say when at least one department begins."),
    refusals.NoLotStart: lambda: gettext("Say under “Draw by lot” when those drawn begin."),
    refusals.WrongPlace: lambda: gettext("Choose departments of this place."),
    refusals.WrongDates: lambda: gettext("The end must lie after every start, and within two years."),
    refusals.WrongLook: lambda: gettext("Days on which it is read lie between the first start and the end."),
    refusals.WrongSize: lambda: gettext("Give the size in percentage points, above 0 and up to 100."),
    refusals.WrongMeasure: lambda: gettext("Choose the events a measure needs; the two must differ."),
    refusals.TooMany: lambda: gettext(
        "At most 4 metrics decide, 12 others can be looked at, and 6 readings be agreed."
    ),
    refusals.UnknownEvent: lambda: gettext("Choose an event of the catalogue."),
    refusals.TooFewToDraw: lambda: gettext(
        "Too few to draw: each side needs 30 people, or 4 departments. Draw among more, or make the sides more even."
    ),
    refusals.NotOfPeople: lambda: gettext(
        "Where people are drawn, metrics are shares of people or numbers per person: all else is known only of those "
        "who did something."
    ),
    refusals.LotDiffers: lambda: gettext("Drawing again by the registered seed gives other people than are kept."),
    refusals.AlreadyLocked: lambda: gettext("It is locked already."),
    refusals.NotLocked: lambda: gettext("It was not locked before the start."),
    refusals.TooLate: lambda: gettext("It has begun already. What is decided now was not decided before."),
    refusals.CannotAnswer: lambda: gettext("This rollout cannot answer the question."),
    refusals.NotBegun: lambda: gettext("It has not begun yet, so nobody can say who really began."),
    refusals.NoDepartment: lambda: gettext("Choose at least one department that takes part."),
    refusals.WrongDay: lambda: gettext("Give a day up to today, or say that it never began."),
    refusals.NoReason: lambda: gettext("Say in at most 300 characters how this is known or why it came so."),
    refusals.NothingYet: lambda: gettext("Nothing was measured yet after the first start."),
}


def said(told: Mapping[str, Any], metric: str) -> str:
    """A kept sentence in the reader's language, with the metric by its name and a true minus."""
    fields = {name: "−" + value[1:] if _negative(value) else value for name, value in dict(told["fields"]).items()}
    if "metric" in fields:
        fields["metric"] = metric
    return gettext(told["pattern"]).format(**fields)


def _negative(value: object) -> bool:
    return isinstance(value, str) and value[:1] == "-" and value[1:2].isdigit()


def reason(code: str) -> str:
    from uptake.statistics.wording import REASONS  # loaded where it is needed

    return gettext(REASONS[code]) if code in REASONS else ""


def remedy(code: str) -> str:
    from uptake.statistics.wording import REMEDIES

    return gettext(REMEDIES[code]) if code in REMEDIES else ""
