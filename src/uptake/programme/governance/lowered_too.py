"""Rulebooks published for a later date: which there are, and which of them were lowered together with a rule."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from uptake.directory.models import Organization
from uptake.programme.governance.models import Proposal
from uptake.programme.models import RulebookVersion


class LoweredToo(NamedTuple):
    """A rulebook for a later date, as it was and as it was lowered; both begin on the same date."""

    was: RulebookVersion
    now: RulebookVersion


def coming_rulebooks(place: Organization, day: date) -> list[RulebookVersion]:
    """The place's own rulebooks that begin after `day`, by their date; the last published where a date has several."""
    rows = RulebookVersion.objects.filter(organization=place, in_force_date__gt=day).order_by("in_force_date", "number")
    return list({row.in_force_date: row for row in rows}.values())


def lowered_too(proposal: Proposal) -> list[LoweredToo]:
    """What was published for later dates in the instant in which the rule was lowered, by date."""
    rows = list(RulebookVersion.objects.filter(organization=proposal.organization).order_by("in_force_date", "number"))
    at_once = [row.number for row in rows if row.in_force_at is not None and row.number <= proposal.latest]
    first = max(at_once)  # what was lowered at once; with it came all up to the latest of then
    found = []
    for row in rows:
        if first < row.number <= proposal.latest:
            was = [one for one in rows if one.in_force_date == row.in_force_date and one.number < first]
            found.append(LoweredToo(was[-1], row))
    return found
