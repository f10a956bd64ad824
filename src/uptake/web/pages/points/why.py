"""One award as a line of the list: what happened, what it earned, and why, said by the programme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from uptake.programme.explain import award_sentence
from uptake.programme.models import Award, Reason
from uptake.programme.sentences import Labels
from uptake.web import numbers


@dataclass(frozen=True)
class Line:
    """One award as a line of the list."""

    award: Award
    what: str
    """The event's name in words, with its object."""
    title: str
    """The rule's title."""
    reason: str
    """Why it is not (or not fully) what the rule names; empty where it is."""
    sentence: str
    facts: Sequence[tuple[str, str]]
    source: str
    """What reported the event, by the name of its connection."""


def line_of(award: Award, title: str, labels: Labels, source: str = "") -> Line:
    """The line of one award, whose event is at hand; `source` is the name of the connection that reported it."""
    return Line(
        award=award,
        what=f"{labels.event(award.event.name)} {award.event.object}".strip(),
        title=title,
        reason=", ".join(_named(code) for code in award.reasons),
        sentence=award_sentence(award.points, award.reasons, award.explanation, labels),
        facts=[
            (gettext("Happened"), numbers.moment(award.happened_at)),
            *((gettext("Limit of the day"), _room(cap, award.points)) for cap in award.explanation.get("caps", ())),
        ],
        source=source or award.event.source,
    )


def _named(code: str) -> str:
    return str(Reason(code).label) if code in Reason.values else code


def _room(told: Mapping[str, Any], points: int) -> str:
    """How much of a limit was used when the award was made, it included: what is left can be seen from it."""
    limit = told["cap"]
    if "times" in limit:
        fields = {"used": numbers.full(told["used"] + (points > 0)), "most": numbers.full(limit["times"])}
        return gettext("%(used)s of %(most)s paid times used") % fields
    fields = {"used": numbers.full(told["used"] + points), "most": numbers.full(limit["points"])}
    return gettext("%(used)s of %(most)s points used") % fields
