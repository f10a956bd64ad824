"""Why nothing is said of a finding."""

from __future__ import annotations


class Refused(Exception):
    """It was not done; the class says why."""


class SelfDealing(Refused):
    """It is about oneself."""


class SecondPersonNeeded(Refused):
    """Whoever said something of it may not say it again: somebody else must."""


class AlreadyDecided(Refused):
    """It has its outcome."""


class NoReason(Refused):
    """An opinion needs a reason of 1 to 500 characters."""
