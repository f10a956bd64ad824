"""What is said of clocks: why one cannot change so, and what a rulebook that names another brings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time

from django.utils.translation import gettext as _

from uptake.basics.business_day import Turn
from uptake.directory.clock import ClockTooFar, ClockTooSoon, DateLost
from uptake.directory.models import Organization
from uptake.directory.place import settings_at
from uptake.programme.clock_change import DecidedByRules, clock_named
from uptake.programme.in_force import parsed, rulebook_version_on
from uptake.programme.rulebook import Rulebook
from uptake.web import numbers

CLOCK_REFUSALS: tuple[type[Exception], ...] = (ClockTooSoon, ClockTooFar, DateLost, DecidedByRules)


def clock_refused(refusal: Exception) -> str:
    """Why a clock cannot change so; empty for refusals of something else."""
    if isinstance(refusal, ClockTooSoon):
        return _("The clock can change from %(day)s at the earliest: every date before has begun by one clock or the"
                 " other.") % {"day": numbers.day(refusal.earliest)}  # fmt: skip
    if isinstance(refusal, ClockTooFar):
        return _("The clock can be planned to change by %(day)s at the latest.") % {"day": numbers.day(refusal.latest)}
    if isinstance(refusal, DateLost):
        return _("By this clock %(place)s would lose a whole date, the one before the change. Choose another zone, or"
                 " change in two steps.") % {"place": refusal.place}  # fmt: skip
    if isinstance(refusal, DecidedByRules):
        return _("The rulebook of %(place)s decides here: a rulebook that names the other clock changes it, with the"
                 " vote and the notice it needs.") % {"place": refusal.place.name}  # fmt: skip
    return ""


@dataclass(frozen=True, slots=True)
class OtherHours:
    """By which clock a place goes, and by which it goes with a rulebook."""

    was: Turn
    zone: str
    day_start: time


def other_hours(rulebook: Rulebook, place: Organization, day: date) -> OtherHours | None:
    """The other clock that a rulebook brings to a place where it begins on this date; None: it brings none."""
    holds = settings_at(place).on(day)
    named = clock_named(rulebook)
    if named == holds[1:]:
        return None
    follows = rulebook_version_on(place, day)
    if follows is not None and clock_named(parsed(follows.pk, follows.sha256)) == named:
        return None  # it only repeats what stands there
    return OtherHours(holds, *named)


def planned(place: Organization, today: date) -> Sequence[Turn]:
    """The changes to come of the clock of a place, the next first."""
    return [turn for turn in settings_at(place).turns if turn.from_date > today]
