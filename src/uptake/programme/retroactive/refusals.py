"""Why a retroactive run is refused."""

from __future__ import annotations


class Refused(Exception):
    """A run that cannot be planned, approved or posted."""


class WhyMissing(Refused):
    """A run says why, in at most 4,000 characters."""


class WrongSpan(Refused):
    """A run is over 1 to 366 dates that are past."""


class NothingDiffers(Refused):
    """Nobody would get or lose anything."""


class TooMany(Refused):
    """More lines than one run may have: a shorter span is needed."""


class SelfDealing(Refused):
    """Who asks or approves gains by the run, or both are the same."""


class WrongState(Refused):
    """The run is not in the state in which this is done."""


class Moved(Refused):
    """What happened has changed since the run was planned: other points would be right now."""


class TooEarly(Refused):
    """Those concerned may still appeal."""


class NotPosted(Refused):
    """Only a run that was posted can be corrected, at the same company."""
