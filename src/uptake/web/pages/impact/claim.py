"""A table of figures before and after, as claims are made of: every average it has, and why it bears none of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _

from uptake.directory.scope import Deed
from uptake.statistics.refusal import refused
from uptake.web import numbers
from uptake.web.pages.impact.words import reason, remedy
from uptake.web.viewing import needs

ROWS = 8
EXAMPLE = ((24.0, 55.0), (50.0, 75.0), (64.0, 83.0), (75.0, 100.0))
"""Shares in percent, before and after: made so that it has the five averages of the table behind a published “+40 %”,
whose rows are not reproduced."""
LARGEST = 1e9


@dataclass(frozen=True)
class Told:
    """averages: (how it is reckoned, the figure); why: (what is missing, what would help)."""

    averages: tuple[tuple[str, str], ...]
    why: tuple[tuple[str, str], ...]
    low: str
    high: str


@needs(Deed.SEE_TOTALS)
def home(request: HttpRequest) -> HttpResponseBase:
    """The form with an example, and what is said of what was typed; a GET, as nothing is kept."""
    asked = any(name.startswith("before-") for name in request.GET)
    example = [f"{value:.0f}" for pair in EXAMPLE for value in pair] + [""] * 2 * (ROWS - len(EXAMPLE))
    texts = [request.GET.get(f"{end}-{at}", "").strip() for at in range(ROWS) for end in ("before", "after")]
    typed = texts if asked else example
    pairs = [(typed[at], typed[at + 1]) for at in range(0, 2 * ROWS, 2)]
    wrong, told = "", None
    try:
        told = _told([(_number(before), _number(after)) for before, after in pairs if before or after])
    except ValueError:
        wrong = _("Give at least one row with two numbers, the first of them above 0.")
    context = {"rows": list(enumerate(pairs, start=1)), "told": told, "wrong": wrong, "asked": asked}
    return render(request, "impact/claim.html", context, status=422 if wrong else 200)


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value) or abs(value) > LARGEST:
        raise ValueError("no number to reckon with")
    return value


def _told(table: list[tuple[float, float]]) -> Told:
    found = refused(table)
    shares = (
        (_("Mean of the relative changes"), found.mean_of_relative),
        (_("Sum after over sum before"), found.ratio_of_sums),
        (_("Geometric mean"), found.geometric),
        (_("Median of the relative changes"), found.median_relative),
    )
    written = [(name, _relative(value)) for name, value in shares]
    least, most = min(value for _name, value in shares), max(value for _name, value in shares)
    return Told(
        ((_("Mean change, in the unit of the table"), numbers.signed(found.mean_change, 1)), *written),
        tuple((reason(code), remedy(code)) for code in found.codes),
        _relative(least),
        _relative(most),
    )


def _relative(share: float) -> str:
    return _("%(share)s relative") % {"share": f"{numbers.signed(share * 100, 1)}%"}
