"""From one JSON object to a happening, or to the fate of one that cannot be read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from uptake.events.happening import Fate, Happening

FIELDS = frozenset(
    {
        "event",
        "key",
        "at",
        "person",
        "object",
        "facts",
        "company",
        "revision",
        "history_only",
        "person_name",
        "person_email",
        "person_staff_number",
    }
)
_RARE = FIELDS - {"event", "key", "at", "person", "object", "facts"}
NOTHING: Mapping[str, Any] = {}


def happening_of(item: dict[str, Any]) -> Happening | Fate:
    """The happening of an object as sent; a fate `rejected` where a field is unknown or of the wrong type.

    Ids may be whole numbers; `null` is as good as left out. What the record itself refuses is said there.
    """
    get = item.get
    event, key, at, person, thing = get("event"), get("key"), get("at"), get("person"), get("object")
    if not FIELDS.issuperset(item):
        names = ", ".join(sorted(item.keys() - FIELDS))[:200]
        return _rejected(key, f"Unknown field: {names}.")
    if type(key) is int:
        key = str(key)
    if type(person) is int:
        person = str(person)
    if type(thing) is int:
        thing = str(thing)
    if type(event) is not str or type(key) is not str:
        name = "event" if type(event) is not str else "key"
        return _rejected(key, f"{name} is missing." if item.get(name) is None else f"{name} must be text.")
    if type(at) is not str:
        return _rejected(key, "at is missing." if at is None else "at must be a time in ISO 8601.")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return _rejected(key, "at must be a time in ISO 8601 with its zone, such as 2026-05-13T09:30:00+08:00.")
    facts = get("facts")
    if facts is None:
        facts = NOTHING
    elif type(facts) is not dict:
        return _rejected(key, "facts must be an object.")
    ordinary = _RARE.isdisjoint(item) and (person is None or type(person) is str)
    if ordinary and (thing is None or type(thing) is str):
        return Happening(event, key, moment, person, thing or "", facts)
    return _in_full(item, event, key, moment, person, thing, facts)


def _in_full(
    item: dict[str, Any],
    event: str,
    key: str,
    moment: datetime,
    person: Any,
    thing: Any,
    facts: Mapping[str, Any],
) -> Happening | Fate:
    texts = {"person": person, "object": thing}
    for name in ("company", "person_name", "person_email", "person_staff_number"):
        value = item.get(name)
        texts[name] = str(value) if type(value) is int else value
    for name, value in texts.items():
        if value is not None and type(value) is not str:
            return _rejected(key, f"{name} must be text.")
    revision, history_only = item.get("revision"), item.get("history_only")
    if revision is not None and type(revision) is not int:
        return _rejected(key, "revision must be a whole number from 1.")
    if history_only is not None and type(history_only) is not bool:
        return _rejected(key, "history_only must be true or false.")
    return Happening(
        event=event,
        key=key,
        at=moment,
        person=texts["person"],
        object=texts["object"] or "",
        facts=facts,
        company=texts["company"],
        revision=1 if revision is None else revision,
        history_only=bool(history_only),
        person_name=texts["person_name"] or "",
        person_email=texts["person_email"] or "",
        person_staff_number=texts["person_staff_number"] or "",
    )


def _rejected(key: Any, reason: str) -> Fate:
    return Fate(key if isinstance(key, str) else "", "rejected", None, reason)
