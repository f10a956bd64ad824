"""The answer in one sentence and a few figures: what stands large at the top of the page and of the print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from uptake.insight.impact.metrics import Measure, metric_of
from uptake.statistics.plan import Kind
from uptake.web import numbers
from uptake.web.pages.impact.costs import Costs
from uptake.web.pages.impact.measures import metric_name
from uptake.web.pages.impact.trial import Trial
from uptake.web.pages.impact.words import VERDICTS
from uptake.web.pages.transparency import sheet

ICONS: Mapping[str, str] = {"good": "circle-check", "bad": "alert-triangle", "warn": "help-circle", "info": "clock"}
CLAIMED = ("increase", "decrease")


@dataclass(frozen=True)
class Lead:
    """word: what comes of it, in short; sentence: the same so that one can picture it; figures: (label, figure, what
    stands under it); note: why to believe it less."""

    word: str
    tone: str
    sentence: str
    figures: tuple[tuple[str, str, str], ...]
    note: str = ""

    @property
    def icon(self) -> str:
        return ICONS.get(self.tone, "info-circle")

    def on_paper(self) -> sheet.Lead:
        return sheet.Lead(self.word, self.sentence, self.figures, self.note)


def lead_of(primary: Mapping[str, Any], told: Mapping[str, Any]) -> Lead:
    """`primary` is the first metric of a kept evaluation; `told` what the report says of it, in the reader's words."""
    pictured = of_a_hundred(primary)
    word = told["headline"] if pictured else told["word"]
    figures = [*_effect(told), (_("Grade"), primary["result"]["grade"], str(told["design"]))]
    costs: Costs | None = told["costs"]
    if costs is not None and costs.first is not None:
        figures.append((_("Cost"), costs.first[0], _("for %(unit)s") % {"unit": costs.first[1]}))
    trial: Trial = told["trial"]
    note = trial.means if trial.failed else ""
    return Lead(str(word), told["tone"], pictured or told["headline"], tuple(figures), note)


def of_a_hundred(primary: Mapping[str, Any]) -> str:
    """A change of a share as so many of a hundred; empty where none is claimed, or by a weaker word than "raised"."""
    from uptake.statistics.result import Grade  # loaded where it is needed
    from uptake.statistics.wording import RAISED

    metric, result = metric_of(primary), primary["result"]
    estimate = result["estimate"]
    firm = primary["sentences"][0]["pattern"] in RAISED[Grade.B]
    if metric.kind is not Kind.RATE or result["verdict"] not in CLAIMED or not firm or estimate is None:
        return ""
    value, *ends = (round(abs(estimate[name]) * 100) for name in ("value", "low", "high"))
    if not value:
        return ""
    low, high = sorted(ends)
    fields = {
        "n": numbers.full(value),
        "low": numbers.full(low),
        "high": numbers.full(high),
        "metric": metric_name(metric),
    }
    of_people, rose = metric.measure is Measure.SHARE, result["verdict"] == "increase"
    if of_people:
        more = _("Of every 100 people, “%(metric)s” has about %(n)s more than it would have had without it.")
        fewer = _("Of every 100 people, “%(metric)s” has about %(n)s fewer than it would have had without it.")
    else:
        more = _("Of every 100 cases, “%(metric)s” has about %(n)s more than it would have had without it.")
        fewer = _("Of every 100 cases, “%(metric)s” has about %(n)s fewer than it would have had without it.")
    likely = _("The true figure is likely between %(low)s and %(high)s.")
    return f"{(more if rose else fewer) % fields}{'' if numbers.chinese() else ' '}{likely % fields}"


def _effect(told: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    interval = _("95%% interval %(low)s to %(high)s")
    figures = []
    if told["effect"]:
        low, high = told["interval"]
        figures.append((_("Effect"), told["effect"], interval % {"low": low, "high": high}))
    if told["relative"]:
        share, low, high = told["relative"]
        figures.append((_("Relative to what would have been"), share, interval % {"low": low, "high": high}))
    return figures


def unsaid_of(kept: Mapping[str, Any], told: Mapping[str, Any]) -> list[str]:
    """What the report does not show, whatever it claims."""
    from uptake.statistics.wording import TOO_EARLY

    lines = []
    if told["lasting"] is not None and kept["metrics"][0]["lasts"]["pattern"] == TOO_EARLY:
        lines.append(_("Whether it lasts: too few departments began 84 days ago or earlier."))
    others = kept.get("others", ())
    blank = [metric_name(metric_of(one)) for one in others if one["result"] is None]
    if blank:
        lines.append(_("Not measured, as nothing was recorded: %(names)s.") % {"names": _listed(blank)})
    open_ = [row.name for row in told["measured"] if row.word == str(VERDICTS["cannot_tell"][0])]
    if open_:
        lines.append(_("Whether these changed; the data cannot tell: %(names)s.") % {"names": _listed(open_)})
    if told["three"] is not None and kept.get("outcome") is None:
        lines.append(_("Whether the work behind it got better: no such figure was registered."))
    lines.append(_("What it did to a single person: effects are told of groups only."))
    if kept.get("lot", {}).get("unit") != "person":
        lines.append(_("What anything else did that came at the same time to the same departments."))
    return lines


def _listed(names: Sequence[str]) -> str:
    return ("、" if numbers.chinese() else "; ").join(names)
