"""Behaviour x outcome x gaming in words: what may be said of the programme as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from uptake.insight.impact.metrics import metric_of
from uptake.web.pages.impact.measures import lines_section, metric_name
from uptake.web.pages.impact.words import VERDICTS
from uptake.web.pages.transparency.words import Section

OVERALL: Mapping[str, tuple[str | Promise, str]] = {
    "worked": (gettext_lazy("It worked: people do more, and the work behind it got better."), "good"),
    "moved_only": (gettext_lazy("Activity moved, work did not."), "warn"),
    "harm": (gettext_lazy("The work behind it got worse."), "bad"),
    "no_evidence": (gettext_lazy("No evidence that it worked."), ""),
    "gamed": (gettext_lazy("The rise does not stand without the points under review."), "bad"),
    "cannot_tell": (gettext_lazy("Cannot tell whether it worked."), "warn"),
}
"""Sentence and tone."""
GAMING: Mapping[str, tuple[str | Promise, str]] = {
    "none": (gettext_lazy("Nothing under review touches it"), "good"),
    "holds": (gettext_lazy("Stands without the points under review"), "good"),
    "undone": (gettext_lazy("Does not stand without the points under review"), "bad"),
}


@dataclass(frozen=True)
class Three:
    """sentence, tone; parts: (what, which metric, word, tone) of behaviour, outcome and gaming; note: what to know."""

    sentence: str
    tone: str
    parts: tuple[tuple[str, str, str, str], ...]
    note: str = ""


def three_of(told: Mapping[str, Any], behaviour: str) -> Three | None:
    """Of a kept evaluation; None for one made before this was kept."""
    said = told.get("programme")
    if said is None:
        return None
    overall = said["overall"]
    if said["behaviour"] == "interim":
        return None
    sentence, tone = OVERALL[overall]
    if overall == "worked" and not said["sure"]:
        sentence, tone = _("Both went the way that was wanted; the cause is not established."), "info"
    outcome, name = _outcome(told.get("outcome"), said["outcome"])
    return Three(
        str(sentence),
        tone,
        (
            (_("Behaviour"), behaviour, *_word(said["behaviour"])),
            (_("The work behind it"), name, *outcome),
            (_("Gaming"), "", *((str(GAMING[said["gaming"]][0]), GAMING[said["gaming"]][1]))),
        ),
        _("More is done of what is rewarded, and what it is for did not follow.") if said["divergence"] else "",
    )


def three_section(three: Three) -> Section:
    """For print."""
    told = [f"{what}: {f'{name} – ' if name else ''}{word}" for what, name, word, _tone in three.parts]
    return lines_section(
        _("Behaviour, the work behind it, and gaming"),
        [three.sentence, *told, *([three.note] if three.note else [])],
    )


def _outcome(told: Mapping[str, Any] | None, verdict: str | None) -> tuple[tuple[str, str], str]:
    if told is None:
        return (_("None was registered"), ""), ""
    name = metric_name(metric_of(told))
    if verdict is None:
        return (_("Not measured: no such event was recorded"), ""), name
    word, tone = _word(verdict)
    if told["direction"] == "lower" and verdict in ("increase", "decrease"):
        tone = "good" if verdict == "decrease" else "bad"
    return (word, tone), name


def _word(verdict: str) -> tuple[str, str]:
    word, tone = VERDICTS[verdict]
    return str(word), tone
