"""Why a deed of the community is not done. Nothing was written."""

from __future__ import annotations


class Refusal(Exception):
    """A deed that is not done."""


class TextWrong(Refusal):
    """A title or text is missing, or longer than it may be."""


class TooManyToday(Refusal):
    """As many were written today as one person may."""


class TooLate(Refusal):
    """The time in which one may change what one wrote is over, or somebody decided on it."""


class NotAccepted(Refusal):
    """Not an answer that whoever asked may accept: their own, a hidden one, or there is one already."""


class Conflict(Refusal):
    """The key was used before, with other content."""


class NotThere(Refusal):
    """The receiver does not belong to the company today, or is a machine."""


class ToOneself(Refusal):
    """Nobody recognises themselves."""


class WrongPortion(Refusal):
    """Fewer or more points than one portion may have."""


class AllowanceSpent(Refusal):
    """More than is left of this month's allowance; `left` says how much is."""

    def __init__(self, left: int) -> None:
        super().__init__(f"{left} points are left this month")
        self.left = left


class TooOftenToSame(Refusal):
    """The same person got as many recognitions from this giver this month as one may give."""


class TooMutual(Refusal):
    """The two have returned each other's recognition as often this month as they may."""


class WrongTerms(Refusal):
    """The numbers do not fit together."""
