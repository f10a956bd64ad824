"""The self-test of an evaluation in words: for the page, the printed report and the sheet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from uptake.insight.impact.metrics import Metric
from uptake.insight.impact.models import Evaluation
from uptake.insight.report.models import SelfTest, State
from uptake.web import numbers
from uptake.web.pages.impact.measures import lines_section, size_of
from uptake.web.pages.transparency.words import Section

CANNOT: Mapping[str, str | Promise] = {
    "other_design": gettext_lazy("This design does not compare departments that began with departments that waited."),
    "short_history": gettext_lazy("There are fewer than 40 working days before the first start."),
    "few_units": gettext_lazy("There are fewer than 8 departments."),
}


@dataclass(frozen=True)
class Trial:
    """state: `none`, `waiting`, `running`, `done` or `cannot`; lines: (what, how often, in words, whether it holds)."""

    state: str
    done: int = 0
    total: int = 0
    means: str = ""
    failed: bool = False
    basis: str = ""
    lines: tuple[tuple[str, str, str, bool], ...] = ()

    @property
    def is_over(self) -> bool:
        return self.state in ("done", "cannot")


def trial_of(evaluation: Evaluation | None, metric: Metric) -> Trial:
    """Of an evaluation; `none` where none was asked for yet."""
    found = SelfTest.objects.filter(evaluation=evaluation).first() if evaluation is not None else None
    if found is None:
        return Trial("none")
    if found.state != State.DONE:
        return Trial(found.state, found.done, found.total)
    facts = found.facts
    if "cannot" in facts:
        return Trial("cannot", means=str(CANNOT[facts["cannot"]]))
    alarms, power, of = facts["false_alarms"], facts["power"], facts["drills"]
    size = size_of(metric, facts["smallest"])
    basis = _("%(n)s pretended rollouts over %(units)s departments, %(from)s to %(to)s, before anything began") % {
        "n": numbers.full(of),
        "units": numbers.full(facts["units"]),
        "from": numbers.day(date.fromisoformat(facts["from"])),
        "to": numbers.day(date.fromisoformat(facts["to"])),
    }
    return Trial(
        "done",
        of,
        of,
        _meaning(alarms["holds"], power["holds"]),
        not (alarms["holds"] and power["holds"]),
        basis,
        (
            (
                _("Claimed an effect where there was none"),
                _often(alarms["share"], of),
                _("%(interval)s; %(n)s are allowed")
                % {"interval": _interval(alarms, of), "n": numbers.full(alarms["wanted"] * of)},
                alarms["holds"],
            ),
            (
                _("Found a planted effect of %(size)s") % {"size": size},
                _often(power["share"], of),
                _("%(interval)s; %(n)s are wanted")
                % {"interval": _interval(power, of), "n": numbers.full(power["wanted"] * of)},
                power["holds"],
            ),
        ),
    )


def trial_section(trial: Trial) -> Section:
    """For print: what came out and what it means, or why there is none."""
    title = _("Self-test on this place's own history")
    if not trial.is_over:
        return lines_section(title, [_("It has not been run yet.")])
    told = [f"{what}: {often} ({words})" for what, often, words, _holds in trial.lines]
    first = trial.means if trial.state == "done" else f"{_('It cannot be run here.')} {trial.means}"
    return lines_section(title, [first, *told, *([trial.basis] if trial.basis else [])])


def trial_rows(trial: Trial) -> list[tuple[str, str, str]]:
    """For a sheet."""
    return [(what, often, words) for what, often, words, _holds in trial.lines] or [
        (trial.means or _("It has not been run yet."), "", "")
    ]


def _meaning(quiet: Any, finds: Any) -> str:
    if quiet and finds:
        return _("The method can be believed here: it seldom claims what is not there, and finds what matters.")
    if finds:
        return _("The method raises too many false alarms on this history: a verdict of a change needs care.")
    if quiet:
        return _("The method often misses a change of this size here: that nothing was found tells little.")
    return _("The method fails here: it claims what is not there, and misses what matters.")


def _often(share: float, of: int) -> str:
    return _("%(n)s of %(of)s") % {"n": numbers.full(round(share * of)), "of": numbers.full(of)}


def _interval(part: Mapping[str, Any], of: int) -> str:
    low, high = (numbers.full(part[end] * of, 1) for end in ("low", "high"))
    return _("95%% interval %(low)s to %(high)s") % {"low": low, "high": high}
