"""What a page says of days that were told otherwise before: how many, then and now, and as of which date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.http import HttpRequest
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from uptake.directory.models import Organization
from uptake.directory.scope import Viewer
from uptake.insight.metrics.period import Period
from uptake.insight.metrics.restated import Restated, versions_of
from uptake.web.parts import Mark

MOST_MARKS = 7
"""More than so many marks on a picture hide it; the table has them all."""


@dataclass(frozen=True)
class RestatedDays:
    """For the part `activity/restated.html`."""

    rows: Sequence[Restated]
    kept_since: date
    days: int
    as_of: date | None
    error: str = ""

    def marks(self, days: Sequence[date]) -> list[Mark]:
        """Marks for a picture of these days."""
        shown = [one for one in self.rows if days[0] <= one.day <= days[-1]]
        return [Mark((one.day - days[0]).days, _("Restated")) for one in shown[:MOST_MARKS]]


def restated_days(request: HttpRequest, viewer: Viewer, place: Organization, period: Period) -> RestatedDays | None:
    """The restated days of the period at a park or company, against `?as_of=` a date or how they were told at first.

    None where no figures are written down."""
    given, error, as_of = request.GET.get("as_of", "").strip(), "", None
    if given:
        try:
            as_of = parse_date(given)
        except ValueError:
            as_of = None
        if as_of is None:
            error = _("That is no date such as 2026-05-14.")
    found = versions_of(viewer, place, period.first, period.last, as_of)
    if found.kept_since is None:
        return None
    return RestatedDays(found.restated, found.kept_since, found.days, as_of, error)
