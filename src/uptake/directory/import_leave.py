"""Leave of many people from a file of HR: dates on which streaks neither grow nor break."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.leave import NoDays, Overlaps, add_leave
from uptake.directory.models import Leave, Organization, Person
from uptake.directory.place import settings_at
from uptake.directory.viewer import Deed, NotAllowed, Viewer

MOST_ROWS = 20_000
COLUMNS: Mapping[str, str] = {
    "staff_number": "staff_number", "staff number": "staff_number", "number": "staff_number", "工号": "staff_number",
    "email": "email", "e-mail": "email", "mail": "email", "邮箱": "email",
    "from": "from", "from_date": "from", "first": "from", "first_day": "from", "开始": "from", "开始日期": "from",
    "to": "to", "until": "to", "last": "to", "last_day": "to", "结束": "to", "结束日期": "to",
}  # fmt: skip
"""What headings mean; `to` is the last day of the leave."""
UNKNOWN_PERSON, AMBIGUOUS, NO_DATES, OVERLAPS, NO_DAYS = (
    "unknown_person",
    "ambiguous",
    "no_dates",
    "overlaps",
    "no_days",
)


class NoColumns(Exception):
    """The file has no heading for the person, or none for the dates."""


class TooManyRows(Exception):
    """The file has more than 20,000 rows."""


@dataclass(slots=True)
class LeaveImported:
    """What became of the rows of a file."""

    added: int = 0
    known: int = 0
    """Leave that was there before."""
    refused: list[tuple[int, str]] = field(default_factory=list)
    """(line of the file, why): unknown_person, ambiguous, no_dates, overlaps, no_days."""
    people: dict[int, Person] = field(default_factory=dict)
    """Whose leave was added, by id: call `follow_moved` for them, as streaks wait for leave."""


@transaction.atomic
def import_leave(*, text: str, company: Organization, by: Viewer, now: datetime) -> LeaveImported:
    """Adds the leave of a CSV file (heading, then rows: staff number or e-mail, first day, last day).

    Rows that cannot be read are told, the others are added; repeating it changes nothing. Raises NotAllowed,
    NoColumns, TooManyRows.
    """
    if not by.may(Deed.MANAGE_PEOPLE, company):
        raise NotAllowed
    rows = list(csv.reader(io.StringIO(text.lstrip("\ufeff")), delimiter=_delimiter(text)))
    heads = [COLUMNS.get(head.strip().lower(), "") for head in rows[0]] if rows else []
    if not {"from", "to"} <= set(heads) or not {"staff_number", "email"} & set(heads):
        raise NoColumns
    if len(rows) > MOST_ROWS + 1:
        raise TooManyRows
    people = _people(company, settings_at(company).date_of(now))
    found = LeaveImported()
    for line, cells in enumerate(rows[1:], 2):
        told = {head: cell.strip() for head, cell in zip(heads, cells, strict=False) if head}
        if not any(told.values()):
            continue
        why = _add(told, people, found, by, now)
        if why:
            found.refused.append((line, why))
    details = {"added": found.added, "known": found.known, "refused": len(found.refused)}
    note(deed="leave.imported", actor=by, organization=company, subject=company.name, details=details, now=now)
    return found


def _add(
    told: Mapping[str, str], people: Mapping[str, set[int]], found: LeaveImported, by: Viewer, now: datetime
) -> str:
    keys = {people_key(told.get(head, "")) for head in ("staff_number", "email")} - {""}
    matched = set().union(*(people.get(key, set()) for key in keys))
    if len(matched) != 1:
        return AMBIGUOUS if matched else UNKNOWN_PERSON
    begin, last = _date(told.get("from", "")), _date(told.get("to", ""))
    if begin is None or last is None:
        return NO_DATES
    person = Person.objects.get(pk=matched.pop())
    until = last + timedelta(days=1)
    known = Leave.objects.filter(person=person, from_date=begin, until_date=until).exists()
    try:
        add_leave(person=person, from_date=begin, until_date=until, by=by, now=now)
    except Overlaps:
        return OVERLAPS
    except NoDays:
        return NO_DAYS
    if known:
        found.known += 1
    else:
        found.added += 1
        found.people[person.pk] = person
    return ""


def people_key(text: str) -> str:
    """By what a person is found: the staff number or e-mail without regard to case."""
    return text.strip().casefold()


def _people(company: Organization, day: date) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    rows = Person.objects.belonging(company, day).filter(erased_at__isnull=True)
    for number, staff_number, email in rows.values_list("pk", "staff_number", "email"):
        for key in {people_key(staff_number or ""), people_key(email or "")} - {""}:
            found.setdefault(key, set()).add(number)
    return found


def _date(text: str) -> date | None:
    parts = text.replace("/", "-").replace(".", "-").split("-")
    try:
        year, month, day = (int(part) for part in parts)
        return date(year, month, day)
    except ValueError:
        return None


def _delimiter(text: str) -> str:
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)
