"""Why an intervention is not registered, locked or evaluated."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uptake.insight.impact.answerable import Answerable


class Refused(Exception):
    """It was not done; the class says why."""


class NoTitle(Refused):
    """It has no title, or one of more than 200 characters."""


class NoStart(Refused):
    """No department begins."""


class NoLotStart(Refused):
    """A lot is to be drawn, and it is not said when those drawn begin."""


class WrongPlace(Refused):
    """A department is not of the place, or not open."""


class WrongDates(Refused):
    """The end does not lie after every start, or lies more than two years after the first."""


class WrongLook(Refused):
    """A day on which it is read lies before the first start, or not before the end."""


class WrongSize(Refused):
    """The smallest effect that matters, or a margin, is not a share above 0 and up to 1."""


class WrongMeasure(Refused):
    """A measure lacks an event it needs, or is measured from itself."""


class TooMany(Refused):
    """More is looked at beside than may be."""


class UnknownEvent(Refused):
    """No event of that name is in the catalogue."""


class TooFewToDraw(Refused):
    """A side of the drawing would be too small to compare: under 30 people, or under 4 departments."""


class NotOfPeople(Refused):
    """People are drawn, and a metric is not known of everybody drawn."""


class LotDiffers(Refused):
    """Drawing again by the registered seed does not give who is kept: nothing is evaluated by such a list."""


class AlreadyLocked(Refused):
    """It is locked already."""


class NotLocked(Refused):
    """It was not locked, so nothing was decided before the start."""


class TooLate(Refused):
    """It has begun already: what is decided now was not decided before."""


class CannotAnswer(Refused):
    """Even twice the smallest effect that matters would not be found."""

    def __init__(self, answer: Answerable) -> None:
        self.answer = answer
        super().__init__("cannot answer")


class NotBegun(Refused):
    """It was not locked, or its first start is still to come: nobody can say yet who really began."""


class NoDepartment(Refused):
    """No department that takes part is named."""


class WrongDay(Refused):
    """The day a department began lies in the future, or more than a year before the first start."""


class NoReason(Refused):
    """It is not said, in 300 characters, how this is known or why it came so."""


class NothingYet(Refused):
    """Nothing was measured yet after the first start."""
