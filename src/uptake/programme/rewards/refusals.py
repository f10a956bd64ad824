"""Why a deed on rewards is not done. Each has the code by which case files and the API name it."""

from __future__ import annotations


class Refusal(Exception):
    """A deed that is not done. Nothing was written."""

    code = "refused"


class Conflict(Refusal):
    """The key was used before, with other content."""

    code = "conflict"


class NotOnOffer(Refusal):
    """The reward is not on offer to this person today."""

    code = "not_on_offer"


class InDebt(Refusal):
    """Points are owed: they are paid first."""

    code = "in_debt"


class LevelTooLow(Refusal):
    """The reward needs a level the person has not reached."""

    code = "level_too_low"


class LimitReached(Refusal):
    """The person has as many of it as one may have."""

    code = "limit_reached"


class OutOfStock(Refusal):
    """None is left."""

    code = "out_of_stock"


class NoLine(Refusal):
    """One cannot wait in line for this reward."""

    code = "no_line"


class StillThere(Refusal):
    """Some are left: it can be asked for now."""

    code = "still_there"


class NotEnoughPoints(Refusal):
    """The person has fewer points than the price."""

    code = "not_enough_points"


class UnknownRedemption(Refusal):
    """No such redemption, or not one this viewer may know of."""

    code = "unknown_redemption"


class AlreadyResolved(Refusal):
    """It was fulfilled, rejected, cancelled, timed out or refunded before."""

    code = "already_resolved"


class NotApproved(Refusal):
    """It needs an approval first."""

    code = "not_approved"


class NotFulfilled(Refusal):
    """Only what was fulfilled can be refunded."""

    code = "not_fulfilled"


class MoreThanHeld(Refusal):
    """More points than were reserved."""

    code = "more_than_held"


class SelfDealing(Refusal):
    """Who receives, who asks and who approves are different people."""

    code = "self_dealing"


class ReasonMissing(Refusal):
    """Special points need a reason."""

    code = "reason_missing"


class BudgetExhausted(Refusal):
    """The budget has fewer points than asked for."""

    code = "budget_exhausted"


class UnknownGrant(Refusal):
    """No such request for special points."""

    code = "unknown_grant"


class AlreadyDecided(Refusal):
    """The request was approved, rejected or withdrawn before."""

    code = "already_decided"


class Unusable(Refusal):
    """A form, a file or a list of codes that cannot be used; `field` says which part, the sentence why."""

    code = "unusable"

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field
        self.sentence = sentence
