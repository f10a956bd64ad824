"""The guard-rail of streaks where the terms of a place ask for it: what pays without a bound is neither proposed nor
published."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from uptake.directory.models import Organization
from uptake.programme.governance.committee import terms_of
from uptake.programme.rulebook import Rulebook
from uptake.programme.streak_bounds import OpenStreak, open_streaks


class StreaksUnbounded(Exception):
    """Streak rules of the file pay without a bound, which the terms of the place refuse."""

    def __init__(self, streaks: Sequence[OpenStreak]) -> None:
        self.streaks = streaks
        super().__init__(", ".join(one.rule for one in streaks))


def check_streaks(place: Organization, rulebook: Rulebook, day: date) -> None:
    """Raises StreaksUnbounded where the place refuses what the rulebook pays for streaks from the date on."""
    found = open_streaks(rulebook, day)
    if found and terms_of(place).bounded_streaks:
        raise StreaksUnbounded(found)
