"""The lines of one board that a reader sees, in one question to the database: the first, one's own, those around it."""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from django.db import connection

from uptake.directory.models import Organization

_BOARD = "s.place_id = %(place)s AND s.period = %(period)s AND s.starts = %(starts)s"
# One bound below each: of two, SQLite may take the one that reads the whole board.
_OWN = "(SELECT {} FROM own)"
_SHOWN, _AT, _PERSON = (_OWN.format(column) for column in ("shown", "shown_at", "person_id"))
# One's own line is asked for by subqueries, not joined: only so both databases go along the index.
_LINES = f"""
WITH own AS (SELECT s.person_id, s.shown, s.shown_at FROM merits_score s
  WHERE {_BOARD} AND s.shown > 0 AND s.person_id = %(person)s),
found AS (
  SELECT * FROM (SELECT 0 AS part, s.person_id, s.shown, s.shown_at FROM merits_score s WHERE {_BOARD} AND s.shown > 0
    ORDER BY s.shown DESC, s.shown_at, s.person_id LIMIT %(top)s) AS first_ones
  UNION ALL SELECT 2, own.person_id, own.shown, own.shown_at FROM own
  UNION ALL SELECT * FROM (SELECT 1, s.person_id, s.shown, s.shown_at FROM merits_score s
    WHERE {_BOARD} AND s.shown >= {_SHOWN} AND (s.shown > {_SHOWN} OR s.shown_at < {_AT}
      OR (s.shown_at = {_AT} AND s.person_id < {_PERSON}))
    ORDER BY s.shown, s.shown_at DESC, s.person_id DESC LIMIT %(beside)s) AS ahead
  UNION ALL SELECT * FROM (SELECT 3, s.person_id, s.shown, s.shown_at FROM merits_score s
    WHERE {_BOARD} AND s.shown > 0 AND s.shown <= {_SHOWN} AND (s.shown < {_SHOWN} OR s.shown_at > {_AT}
      OR (s.shown_at = {_AT} AND s.person_id > {_PERSON}))
    ORDER BY s.shown DESC, s.shown_at, s.person_id LIMIT %(beside)s) AS behind
)
SELECT found.part, found.person_id, found.shown, p.name,
  EXISTS (SELECT 1 FROM merits_nameless n WHERE n.person_id = found.person_id)
FROM found JOIN directory_person p ON p.id = found.person_id
ORDER BY found.part, found.shown DESC, found.shown_at, found.person_id
"""  # noqa: S608 (the texts are ours)
_BETWEEN = f"""
SELECT COUNT(*), COUNT(CASE WHEN s.shown = %(points)s THEN 1 END) FROM merits_score s
WHERE {_BOARD} AND s.shown >= %(low)s AND s.shown < %(high)s
"""  # noqa: S608 (the texts are ours)


class Line(NamedTuple):
    """Whose it is and what it says; `name` is empty for somebody who stays nameless to the reader."""

    person: int
    shown: int
    name: str


class Lines(NamedTuple):
    """What a reader sees, by rank."""

    first: list[Line]
    around: list[Line]
    """One's own with those before and after it; empty where it is among the first, or there is none."""


def read_lines(place: Organization, period: str, starts: date, *, person: int, top: int, beside: int) -> Lines:
    """The first `top` lines, and up to `beside` on each side of the person's own. Only for who may read the board."""
    with connection.cursor() as cursor:
        cursor.execute(_LINES, {**_of(place, period, starts), "person": person, "top": top, "beside": beside})
        rows = cursor.fetchall()
    parts: dict[int, list[Line]] = {0: [], 1: [], 2: [], 3: []}
    for part, who, shown, name, nameless in rows:
        parts[part].append(Line(who, shown, "" if nameless and who != person else name))
    first = parts[0]
    known = {line.person for line in first}
    if not parts[2] or person in known:
        return Lines(first, [])
    return Lines(first, [*(line for line in parts[1] if line.person not in known), *parts[2], *parts[3]])


def count_between(
    place: Organization, period: str, starts: date, *, low: int, high: int, points: int
) -> tuple[int, int]:
    """How many lines say at least `low` and less than `high`, and how many of them say `points`."""
    with connection.cursor() as cursor:
        cursor.execute(_BETWEEN, {**_of(place, period, starts), "low": low, "high": high, "points": points})
        here, tied = cursor.fetchone()
    return here, tied


def _of(place: Organization, period: str, starts: date) -> dict[str, Any]:
    return {"place": place.pk, "period": period, "starts": connection.ops.adapt_datefield_value(starts)}
