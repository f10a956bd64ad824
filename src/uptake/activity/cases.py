"""Runs case files: events in, numbers out, and which of the expected numbers differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from uptake.activity.analyses import ask
from uptake.activity.columns import NOBODY
from uptake.activity.incoming import Incoming
from uptake.activity.log import ActivityLog, from_incoming
from uptake.activity.periods import day_number, microseconds
from uptake.activity.question import QuestionRefused

ERROR = {"error": True}


def run(case: Mapping[str, Any]) -> list[str]:
    """The differences between what the case expects and what the engine answers, a sentence each; none is right."""
    persons = case.get("persons") or {}
    log = log_of(case.get("events") or [], persons)
    question = {
        "analysis": case.get("analysis"),
        "timezone": case.get("timezone", "UTC"),
        "week_start": case.get("week_start", "monday"),
        **_canonical(case.get("query") or {}, persons),
    }
    expected = case.get("expected") or {}
    try:
        answer = ask(log, question)
    except QuestionRefused as refused:
        return [] if expected == ERROR else [f"refused: {refused}"]
    if expected.get("error") is True:
        return ["error: expected a refusal, got an answer"]
    return [
        f"{key}: expected {wanted!r}, got {answer.get(key, 'nothing')!r}"
        for key, wanted in expected.items()
        if (key not in answer and wanted is not None)
        or not (same_edges if key == "edges" else same)(wanted, answer.get(key))
    ]


def log_of(events: Sequence[Mapping[str, Any]], persons: Mapping[str, Sequence[str]]) -> ActivityLog:
    """A log of events as case files have them: user, event, timestamp, properties. List order = arrival order."""
    owner = _owners(persons)
    people: dict[str, int] = {}
    incoming = Incoming()
    for number, event in enumerate(events):
        user = event.get("user")
        at = _instant(event["timestamp"])
        code = NOBODY
        if user is not None:
            name = owner.get(str(user), str(user))
            code = people.setdefault(name, len(people) + 1)
        incoming.event_id.append(number)
        incoming.person.append(code)
        incoming.happened_at.append(microseconds(at))
        incoming.business_day.append(day_number(at.date()))
        incoming.company.append(_number(event.get("company")))
        incoming.department.append(_number(event.get("department")))
        incoming.event.append(str(event["event"]))
        incoming.source.append(str(event.get("source") or ""))
        incoming.object.append(str(event.get("object") or ""))
        incoming.properties.append(event.get("properties") or {})
    return from_incoming(incoming, list(people))


def same(wanted: Any, got: Any) -> bool:
    """Whether two values of answers are equal, looking through 1 and 1.0 and the last digits of a fraction."""
    if isinstance(wanted, bool) or isinstance(got, bool) or wanted is None or got is None:
        return wanted is got
    if isinstance(wanted, int | float) and isinstance(got, int | float):
        return abs(wanted - got) <= 1e-9 * max(1.0, abs(wanted))
    if isinstance(wanted, list) and isinstance(got, list | tuple):
        return len(wanted) == len(got) and all(same(one, other) for one, other in zip(wanted, got, strict=True))
    if isinstance(wanted, list) and isinstance(got, Mapping):
        return _same_rows(wanted, got)
    if isinstance(wanted, Mapping) and isinstance(got, Mapping):
        return set(wanted) <= set(got) and all(same(value, got[key]) for key, value in wanted.items())
    return bool(wanted == got)


def _same_rows(wanted: list[Any], got: Mapping[str, Any]) -> bool:
    """A case may tell an object as rows [name, value], by its names alone, or by its matrix alone."""
    if "matrix" in got:
        return same(wanted, got["matrix"])
    if all(isinstance(one, str) for one in wanted):
        return set(wanted) == set(got)
    pairs = [one for one in wanted if isinstance(one, list) and len(one) == 2 and isinstance(one[0], str)]
    return len(pairs) == len(wanted) == len(got) and same(dict(pairs), got)


def same_edges(wanted: Any, got: Any) -> bool:
    """As `same`, of rows [from, to, count, seconds] in any order; a row of three leaves the seconds unchecked."""
    if not isinstance(wanted, list) or not isinstance(got, list) or len(wanted) != len(got):
        return False
    known = {tuple(row[:2]): row for row in got}
    return all(same(row, known.get(tuple(row[:2]), [])[: len(row)]) for row in wanted)


def _owners(persons: Mapping[str, Sequence[str]]) -> dict[str, str]:
    return {str(identifier): person for person, identifiers in persons.items() for identifier in identifiers}


def _canonical(query: Mapping[str, Any], persons: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The query, with people named by any of their identifiers named as the person."""
    owner = _owners(persons)
    named = {
        key: [owner.get(str(one), one) for one in query[key]]
        for key in ("only_persons", "not_persons", "known_people")
        if isinstance(query.get(key), list)
    }
    if isinstance(query.get("seats"), list):
        named["seats"] = [
            {**seat, "user": owner.get(str(seat["user"]), seat["user"])}
            if isinstance(seat, Mapping) and "user" in seat
            else seat
            for seat in query["seats"]
        ]
    return {**query, **named}


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
