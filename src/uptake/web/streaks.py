"""What pages say of streaks that pay without a bound."""

from __future__ import annotations

from datetime import date

from django.utils.translation import gettext as _

from uptake.programme.governance.streak_guard import StreaksUnbounded
from uptake.programme.rulebook import Rulebook
from uptake.programme.sentences import joined_sentences
from uptake.programme.streak_bounds import open_streaks, streak_sentence


def streak_warnings(rulebook: Rulebook, day: date) -> list[str]:
    """One sentence for each streak that pays without a bound from the date on."""
    return [streak_sentence(one) for one in open_streaks(rulebook, day)]


def streaks_refused(refused: StreaksUnbounded) -> str:
    """Why a rulebook is refused for its streaks, and what helps."""
    return joined_sentences(
        [
            *map(streak_sentence, refused.streaks),
            _("This place refuses that: give the rule a limit of a week, a month or in all, or a last date."),
        ]
    )
