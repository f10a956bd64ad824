"""What a sender was told is kept in English, as it was sent; here it is said in the reader's language, where known."""

from __future__ import annotations

import re
from functools import cache

from django.utils.translation import gettext, gettext_noop

SENTENCES = (
    gettext_noop("%(field)s is missing."),
    gettext_noop("%(field)s must be text."),
    gettext_noop("%(field)s is longer than %(limit)d characters."),
    gettext_noop("%(field)s holds half a character (a lone surrogate)."),
    gettext_noop("%(field)s holds a NUL character."),
    gettext_noop("Unknown field: %(names)s."),
    gettext_noop("at must be a time in ISO 8601 with its zone, such as %(example)s."),
    gettext_noop("at must be a time in ISO 8601."),
    gettext_noop("at must be a time."),
    gettext_noop("at names no time zone."),
    gettext_noop("at lies outside the years 2 to 9997."),
    gettext_noop("facts must be an object."),
    gettext_noop("facts are larger than %(limit)d bytes."),
    gettext_noop("facts are nested deeper than %(limit)d levels."),
    gettext_noop("facts hold a number that is not finite."),
    gettext_noop("facts hold a number of more than %(limit)d digits."),
    gettext_noop("the names of facts must be text."),
    gettext_noop("revision must be a whole number from 1."),
    gettext_noop("history_only must be true or false."),
    gettext_noop("company %(slug)s is not at or below this connection's place."),
    gettext_noop("An event is an object."),
    gettext_noop("This key sends more than %(limit)d events a second."),
    gettext_noop("This key does not allow pages of %(origin)s."),
    gettext_noop("At most %(limit)d events go into one request."),
    gettext_noop("This connection is paused."),
    gettext_noop("More events wait than can be written now."),
)


def in_words(sentence: str) -> str:
    """A sentence a sender was told, in the active language; as it is where nobody translated it."""
    for pattern, said in _known():
        match = pattern.fullmatch(sentence)
        if match:
            found = {name: int(one) if one.isdigit() else one for name, one in match.groupdict().items()}
            return gettext(said) % found if found else gettext(said)
    return sentence


@cache
def _known() -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(re.sub(r"%\\\((\w+)\\\)([sd])", _group, re.escape(one))), one) for one in SENTENCES]


def _group(match: re.Match[str]) -> str:
    return f"(?P<{match[1]}>{'[0-9]+' if match[2] == 'd' else '.+'})"
