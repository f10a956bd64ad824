"""The refusals of rewards in words, and the small signs of kinds and states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy

from uptake.programme.rewards.models import Reward, RewardKind, State
from uptake.programme.rewards.refusals import Refusal, Unusable

SAID: Final[Mapping[str, str | Promise]] = {
    "conflict": gettext_lazy("This form was sent before with other words. Nothing was changed."),
    "not_on_offer": gettext_lazy("This reward is not on offer now."),
    "in_debt": gettext_lazy("You owe points that were taken back. They are paid from what you earn next."),
    "level_too_low": gettext_lazy("This reward needs a higher level."),
    "limit_reached": gettext_lazy("You have as many of this reward as one person may have."),
    "out_of_stock": gettext_lazy("None is left."),
    "no_line": gettext_lazy("One cannot wait in line for this reward."),
    "still_there": gettext_lazy("Some are left: you can ask for it now."),
    "not_enough_points": gettext_lazy("You have fewer points than it costs."),
    "unknown_redemption": gettext_lazy("There is no such redemption."),
    "already_resolved": gettext_lazy("This was decided before. Nothing was changed."),
    "not_approved": gettext_lazy("This needs an approval first."),
    "not_fulfilled": gettext_lazy("Only what was handed over can be refunded."),
    "more_than_held": gettext_lazy("More points than are reserved. Nothing was changed."),
    "self_dealing": gettext_lazy("Who receives, who asks and who approves are three people. Ask a colleague."),
    "reason_missing": gettext_lazy("Special points need a reason."),
    "budget_exhausted": gettext_lazy("The budget has fewer points than that."),
    "unknown_grant": gettext_lazy("There is no such request."),
    "already_decided": gettext_lazy("This was decided before. Nothing was changed."),
}
ICONS: Final[Mapping[str, str]] = {
    RewardKind.GOODS: "gift",
    RewardKind.COUPON: "ticket",
    RewardKind.SERVICE: "tool",
    RewardKind.GIFT_CARD: "credit-card",
    RewardKind.LEAVE: "beach",
    RewardKind.PRIVILEGE: "crown",
}
TONES: Final[Mapping[str, str]] = {
    State.REQUESTED: "warn",
    State.APPROVED: "info",
    State.FULFILLED: "good",
    State.REJECTED: "bad",
    State.CANCELLED: "",
    State.TIMED_OUT: "",
    State.REFUNDED: "",
}


def in_words(refusal: Refusal) -> str:
    """What to tell whoever asked."""
    return refusal.sentence if isinstance(refusal, Unusable) else str(SAID.get(refusal.code, refusal.code))


def name_of(reward: Reward) -> str:
    """Its name in the reader's language."""
    return reward.name_in(get_language() or "en")
