"""Why a deed of adoption is not done. Nothing was written."""

from __future__ import annotations


class Refusal(Exception):
    """A deed that is not done."""


class TextWrong(Refusal):
    """A text is missing in a language where it is needed, or longer than it may be."""


class TimeWrong(Refusal):
    """It would end before it begins, or begin in the past."""


class Conflict(Refusal):
    """The key was used before, with other content."""


class Over(Refusal):
    """It is published, cancelled or over: this can no longer be done with it."""


class NumberWrong(Refusal):
    """A number is not one that fits: minutes, places, stars."""


class NotForYou(Refusal):
    """It is meant for people of other places."""


class CodeWrong(Refusal):
    """Not the code of the room, or not the time for it."""


class TooManyTries(Refusal):
    """The code was tried too often."""


class AnswerMissing(Refusal):
    """Feedback is planned, answered, done or declined in words."""


class NotAnswered(Refusal):
    """There is no answer to rate, or it was rated already."""


class TooManyToday(Refusal):
    """As much feedback was given today as one person may give."""


class ReasonMissing(Refusal):
    """Who wrote anonymously is uncovered for a reason only."""


class StepsWrong(Refusal):
    """A step of a guide has no name or no event; or there are none or too many."""
