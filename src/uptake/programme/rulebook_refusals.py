"""Why a rulebook is refused: the place of the key that is wrong, and one sentence about it."""

from __future__ import annotations

import re


def gettext_noop(message: str) -> str:
    """Marks a sentence for translation; this room of thought knows no Django, the face translates `pattern`."""
    return message


UNKNOWN_KEY = gettext_noop("“%(key)s” is not a key of the rulebook.")
MISSING = gettext_noop("“%(key)s” is missing.")
NOT_TEXT = gettext_noop("“%(key)s” must be a text that is not empty.")
NOT_INTEGER = gettext_noop("“%(key)s” must be a whole number of at least %(least)s.")
NOT_NUMBER = gettext_noop("“%(key)s” must be a number.")
NOT_POSITIVE = gettext_noop("“%(key)s” must be a number above 0.")
NOT_ENOUGH = gettext_noop("“%(key)s” must be a number of at least %(least)s.")
NOT_MONTH = gettext_noop("“%(key)s” must be a month from 1 to 12.")
NOT_RISING = gettext_noop("“%(key)s” must be above that of the level before it.")
NOT_YES_NO = gettext_noop("“%(key)s” must be true or false.")
NOT_LIST = gettext_noop("“%(key)s” must be a list.")
NOT_OBJECT = gettext_noop("“%(key)s” must be an object.")
EMPTY_LIST = gettext_noop("“%(key)s” must name at least one.")
NOT_DATE = gettext_noop("“%(key)s” must be a date such as 2026-06-01.")
NOT_CLOCK = gettext_noop("“%(key)s” must be a clock time such as 04:00.")
NOT_ZONE = gettext_noop("“%(key)s” must be a time zone such as Asia/Shanghai.")
NOT_ONE_OF = gettext_noop("“%(key)s” must be one of: %(choices)s.")
TOO_LONG = gettext_noop("“%(key)s” must not be longer than %(most)s characters.")
TWICE = gettext_noop("“%(key)s” stands twice.")
EMPTY_SPAN = gettext_noop("“%(key)s” must be after “from”.")
MIN_ABOVE_MAX = gettext_noop("“%(key)s” must not be below “min”.")
ONE_UNIT = gettext_noop("A cap limits either points or times.")
NO_VALUE = gettext_noop("“%(key)s” has no place beside “%(op)s”.")
NOT_COMPARABLE = gettext_noop("“%(key)s” must be a text, a number, true or false, or a list of them.")
NOT_READABLE = gettext_noop("The file cannot be read: %(problem)s.")


class RulebookRefused(Exception):
    """A rulebook that cannot be honoured: `path` is the key's place, `pattern` % `fields` says why in one sentence."""

    def __init__(self, path: str, pattern: str, **fields: object) -> None:
        self.path = path
        self.pattern = pattern
        self.fields: dict[str, object] = {"key": re.split(r"[.]", path)[-1], **fields}
        super().__init__(f"{path}: {pattern % self.fields}" if path else pattern % self.fields)
