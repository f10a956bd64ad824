"""Why a deed on badges, challenges or prizes is not done. Nothing was written."""

from __future__ import annotations


class Refusal(Exception):
    """A deed that is not done; `code` is what pages have words for."""

    code = "refused"


class Unusable(Refusal):
    """A form that cannot be used: `field` says which part; there are words for `why`."""

    code = "unusable"

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.field = field
        self.why = why


class Conflict(Refusal):
    """The key was used before, with other content."""

    code = "conflict"


class SelfDealing(Refusal):
    """Who sets a prize, who verifies it and who receives it are different people."""

    code = "self_dealing"


class BudgetExhausted(Refusal):
    """The budget has fewer points than the pool."""

    code = "budget_exhausted"


class ReasonMissing(Refusal):
    """This needs a reason."""

    code = "reason_missing"


class NotOpen(Refusal):
    """The challenge does not stand where this could be done."""

    code = "not_open"


class NotAMember(Refusal):
    """The person does not belong where this is."""

    code = "not_a_member"
