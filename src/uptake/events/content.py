"""Says whether a happening can be stored at all, and what its content is: canonical facts and a fingerprint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from json.encoder import encode_basestring as quoted
from typing import Any, NamedTuple

import orjson
from django.utils.translation import gettext as _

from uptake.basics.canonical import canonical_json
from uptake.events.happening import (
    MAX_DEPTH,
    MAX_DIGITS,
    MAX_FACTS_BYTES,
    MAX_NAME,
    MAX_REVISION,
    MAX_TEXT,
    Happening,
)

ODDLY_EARLY = datetime(1990, 1, 1, tzinfo=UTC)
LARGEST = 10**MAX_DIGITS
INT64 = 2**63
HINTS = ("person_name", "person_email", "person_staff_number")


class Unusable(ValueError):
    """The happening cannot be stored; the sentence says why."""


class Content(NamedTuple):
    """What identifies the content of a happening."""

    at: datetime
    """UTC."""
    instant: str
    """The same in ISO 8601 with microseconds."""
    facts: str
    """Canonical JSON."""
    fingerprint: str


def content_of(happening: Happening) -> Content:
    """The content of a usable happening; Unusable with a sentence for any other.

    The fingerprint is SHA-256 over the canonical JSON of event, person, at, object, facts, company and history_only
    as they were sent.
    """
    name, key, person, thing, company = (
        happening.event,
        happening.key,
        happening.person or "",
        happening.object or "",
        happening.company or "",
    )
    try:
        # One look at everything together settles the ordinary case.
        plain = (
            (name + key + person + thing + company).isprintable()
            and len(name) <= MAX_NAME
            and max(len(key), len(person), len(thing), len(company)) <= MAX_TEXT
            and not (name.isspace() or key.isspace() or person.isspace())
        )
    except (TypeError, AttributeError):
        plain = False
    if not plain or not name or not key:
        _text("event", name, MAX_NAME)
        _text("key", key, MAX_TEXT)
        for field, value in (("person", person), ("object", thing), ("company", company)):
            if value:
                _text(field, value, MAX_TEXT)
    if happening.person_name or happening.person_email or happening.person_staff_number:
        for field in HINTS:
            if getattr(happening, field):
                _text(field, getattr(happening, field), MAX_TEXT)
    if type(happening.revision) is not int or not 1 <= happening.revision <= MAX_REVISION:
        raise Unusable(_("revision must be a whole number from 1."))
    at = _instant(happening.at)
    instant = at.isoformat(timespec="microseconds")
    facts = facts_text(happening.facts)
    what = (
        f'{{"at":"{instant}","company":{quoted(company) if company else "null"},'
        f'"event":{quoted(name)},"facts":{facts},"history_only":{"true" if happening.history_only else "false"},'
        f'"object":{quoted(thing)},"person":{quoted(person) if person else "null"}}}'
    )
    return Content(at, instant, facts, sha256(what.encode()).hexdigest())


def contents_of(happenings: Sequence[Happening]) -> list[Content | None]:
    """The contents of many happenings at once, each as `content_of` gives it; None where that has to look closely.

    What repeats is worked out once, and one look at a whole column settles that its texts are plain.
    """
    if not happenings:
        return []
    names = [one.event for one in happenings]
    people = [one.person or "" for one in happenings]
    things = [one.object or "" for one in happenings]
    companies = [one.company or "" for one in happenings]
    keys = [one.key for one in happenings]
    odd = _odd(names, MAX_NAME) | _odd(keys, MAX_TEXT)
    hints = ([getattr(one, field) or "" for one in happenings] for field in HINTS)
    for column in (people, things, companies, *hints):
        odd |= _odd(column, MAX_TEXT) - {""}
    if None in odd:
        return [None] * len(happenings)
    quote = {text: quoted(text) for column in (names, people, things, companies) for text in set(column)}
    quote_or_null = quote | {"": "null"}
    known: dict[int, str] = {}
    contents: list[Content | None] = []
    columns = (happenings, names, people, things, companies, *_instants(happenings))
    for one, name, person, thing, company, at, instant in zip(*columns, strict=True):
        if odd:
            hints_of = (one.person_name, one.person_email, one.person_staff_number)
            if not odd.isdisjoint((name, one.key, person, thing, company, *hints_of)):
                contents.append(None)
                continue
        if at is None or type(one.revision) is not int or not 1 <= one.revision <= MAX_REVISION:
            contents.append(None)
            continue
        facts = one.facts
        try:
            text = known.get(id(facts))
            if text is None:
                text = known[id(facts)] = facts_text(facts)
        except Unusable:
            contents.append(None)
            continue
        what = (
            f'{{"at":"{instant}","company":{quote_or_null[company]},'
            f'"event":{quote[name]},"facts":{text},"history_only":{"true" if one.history_only else "false"},'
            f'"object":{quote[thing]},"person":{quote_or_null[person]}}}'
        )
        contents.append(Content(at, instant, text, sha256(what.encode()).hexdigest()))
    return contents


def _instants(happenings: Sequence[Happening]) -> tuple[list[datetime | None], list[str]]:
    """The instants in UTC and as `Content` has them, written at once; None where `content_of` has to look closely."""
    times = [_plain_instant(one.at) for one in happenings]
    texts = orjson.dumps([ODDLY_EARLY if at is None else at for at in times])[2:-2].decode().split('","')
    return times, [text if len(text) == 32 else f"{text[:19]}.000000+00:00" for text in texts]


def _plain_instant(at: Any) -> datetime | None:
    try:
        return _instant(at) if type(at) is datetime else None
    except Unusable:
        return None


def _odd(texts: Sequence[str], longest: int) -> set[str | None]:
    """Those that are empty or may not be stored; None is among them if some are no texts at all."""
    if set(map(type, texts)) - {str}:
        return {None}
    different = set(texts)
    blank = {text for text in different if not text or text.isspace()}
    if "".join(different).isprintable() and max(map(len, different), default=0) <= longest:
        return {*blank}
    return {*blank, *(text for text in different if not text.isprintable() or len(text) > longest)}


def sent_content(happening: Happening) -> dict[str, Any]:
    """The content as plain values, for showing it beside another."""
    return {
        "event": happening.event,
        "person": happening.person or None,
        "at": happening.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "object": happening.object,
        "facts": dict(happening.facts),
        "company": happening.company or None,
        "history_only": bool(happening.history_only),
    }


def facts_text(facts: Mapping[str, Any]) -> str:
    """Canonical JSON of facts; Unusable if they are too deep, too large, or hold what JSON cannot say exactly."""
    if not facts:
        return "{}"
    if not isinstance(facts, Mapping):
        raise Unusable(_("facts must be an object."))
    for value in facts.values():
        kind = type(value)
        if kind is str or kind is bool or value is None:
            continue
        if kind is int and -INT64 <= value < INT64:
            continue
        # In this range the shortest notation of a float is also its plain decimal notation.
        if kind is float and 1e-4 <= abs(value) < 1e15 and not value.is_integer():
            continue
        raw = _carefully(facts)
        break
    else:
        try:
            raw = orjson.dumps(facts, option=orjson.OPT_SORT_KEYS)
        except TypeError:
            raw = _carefully(facts)
    if len(raw) > MAX_FACTS_BYTES:
        raise Unusable(_("facts are larger than %(limit)d bytes.") % {"limit": MAX_FACTS_BYTES})
    if b"\\u0000" in raw:
        _no_nul(facts)
    return raw.decode()


def misfits(facts: Mapping[str, Any], properties: Mapping[str, Any]) -> list[str]:
    """The names of facts whose value is not of the type declared for them (missing and null ones fit)."""
    return [
        name
        for name, declared in properties.items()
        if (value := facts.get(name)) is not None and not _fits(value, declared.get("type", ""))
    ]


def _fits(value: Any, kind: str) -> bool:
    match kind:
        case "number":
            return isinstance(value, int | float | Decimal) and not isinstance(value, bool)
        case "text":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "date":
            return isinstance(value, date) or (isinstance(value, str) and _is_date(value))
    return True


def _is_date(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _text(field: str, value: Any, longest: int) -> None:
    if type(value) is not str:
        if value is None:
            raise Unusable(_("%(field)s is missing.") % {"field": field})
        raise Unusable(_("%(field)s must be text.") % {"field": field})
    if not value or value.isspace():
        raise Unusable(_("%(field)s is missing.") % {"field": field})
    if len(value) > longest:
        raise Unusable(_("%(field)s is longer than %(limit)d characters.") % {"field": field, "limit": longest})
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Unusable(_("%(field)s holds half a character (a lone surrogate).") % {"field": field}) from None
    if "\0" in value:
        raise Unusable(_("%(field)s holds a NUL character.") % {"field": field})


def _instant(at: Any) -> datetime:
    if not isinstance(at, datetime):
        raise Unusable(_("at must be a time."))
    if at.tzinfo is UTC and 2 <= at.year <= 9997:
        return at
    if at.tzinfo is None or at.utcoffset() is None:
        raise Unusable(_("at names no time zone."))
    if not 2 <= at.year <= 9997:
        raise Unusable(_("at lies outside the years 2 to 9997."))
    return at.astimezone(UTC)


def _carefully(facts: Mapping[str, Any]) -> bytes:
    _check(facts, 1)
    try:
        return canonical_json(facts)
    except UnicodeEncodeError:
        raise Unusable(_("%(field)s holds half a character (a lone surrogate).") % {"field": "facts"}) from None
    except (TypeError, ValueError, ArithmeticError) as refusal:
        raise Unusable(_("facts hold what JSON cannot say: %(what)s.") % {"what": refusal}) from None


def _check(value: Any, depth: int) -> None:
    if isinstance(value, Mapping | list | tuple):
        if depth > MAX_DEPTH:
            raise Unusable(_("facts are nested deeper than %(limit)d levels.") % {"limit": MAX_DEPTH})
        if isinstance(value, Mapping):
            if not all(isinstance(name, str) for name in value):
                raise Unusable(_("the names of facts must be text."))
            value = value.values()
        for item in value:
            _check(item, depth + 1)
    elif isinstance(value, float | Decimal):
        number = Decimal(repr(value)) if isinstance(value, float) else value
        if not number.is_finite():
            raise Unusable(_("facts hold a number that is not finite."))
        if number and (len(number.as_tuple().digits) > MAX_DIGITS or abs(number.adjusted()) > MAX_DIGITS):
            raise Unusable(_("facts hold a number of more than %(limit)d digits.") % {"limit": MAX_DIGITS})
    elif isinstance(value, int) and abs(value) >= LARGEST:
        raise Unusable(_("facts hold a number of more than %(limit)d digits.") % {"limit": MAX_DIGITS})


def _no_nul(value: Any) -> None:
    if isinstance(value, Mapping):
        for name, item in value.items():
            _no_nul(name)
            _no_nul(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _no_nul(item)
    elif isinstance(value, str) and "\0" in value:
        raise Unusable(_("%(field)s holds a NUL character.") % {"field": "facts"})
