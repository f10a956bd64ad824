"""Whether it lasts: the effect by months since the start, as rows of a table and one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from uptake.insight.impact.metrics import Metric, metric_of
from uptake.statistics.plan import Kind
from uptake.web import parts
from uptake.web.pages.impact.measures import change_of, metric_name
from uptake.web.pages.impact.words import said
from uptake.web.pages.transparency.words import Section

NAMES: Mapping[str, str | Promise] = {
    "before": gettext_lazy("Four weeks before (should be nothing)"),
    "month_1": gettext_lazy("Month 1: days 1–28"),
    "month_2": gettext_lazy("Month 2: days 29–56"),
    "month_3": gettext_lazy("Month 3: days 57–84"),
    "after": gettext_lazy("After: from day 85"),
}


@dataclass(frozen=True)
class Lasting:
    """rows: (when, change, its interval, departments that have a say); sentence: whether it wears off."""

    sentence: str
    rows: tuple[tuple[str, str, str, str], ...]
    chart: parts.Chart | None = None


def lasting_of(told: Mapping[str, Any]) -> Lasting | None:
    """Of the first metric of a kept evaluation; None where it was stopped, or kept before this was reckoned."""
    primary = told["metrics"][0]
    if not primary.get("lasts"):
        return None
    metric = metric_of(primary)
    rows = []
    for one in primary["result"]["spans"]:
        change, interval = _("too few days to say"), "–"
        if one["enough"]:
            change, low, high = (change_of(metric, one["estimate"][end]) for end in ("value", "low", "high"))
            interval = _("%(low)s to %(high)s") % {"low": low, "high": high}
        rows.append((str(NAMES[one["name"]]), change, interval, str(one["units"])))
    return Lasting(said(primary["lasts"], metric_name(metric)), tuple(rows), _bars(primary, metric))


def _bars(primary: Mapping[str, Any], metric: Metric) -> parts.Chart | None:
    """The same rows as bars; None where under two of them have enough days."""
    kept = [one for one in primary["result"]["spans"] if one["enough"]]
    if len(kept) < 2:
        return None
    scale = 100 if metric.kind is Kind.RATE else 1
    return parts.Chart(
        id="impact-lasting",
        label=_("Whether it lasts"),
        axis=_("Since each department’s own start"),
        labels=[str(NAMES[one["name"]]) for one in kept],
        series=[parts.Series(_("Effect"), [one["estimate"]["value"] * scale for one in kept], "bar", "c1")],
        format="decimal",
        height="low",
        lying=True,
    )


def lasting_section(lasting: Lasting) -> Section:
    """For print and sheets."""
    heads = (_("Since each department’s own start"), _("Change"), _("95% interval"), _("Departments"))
    return Section(
        _("Whether it lasts"), lasting.sentence, heads, list(lasting.rows), "", frozenset({1, 2, 3}), lasting.chart
    )
