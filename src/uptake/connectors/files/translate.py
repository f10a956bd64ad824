"""Turns rows of a table into happenings by a mapping. Pure: the companies are given, nothing is looked up.

The key of a row is a hash of what it says (name, person, instant, object, company, facts) and a running number among
equal rows in file order. So the same rows give the same keys from any file in any format, and rows that say the same
are separate events. The date stands in front, so that rows of one time lie together in the index.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from hashlib import blake2b
from typing import Any

import orjson

from uptake.connectors.files.cells import BadCell, Clock, as_boolean, as_date, as_number, as_text
from uptake.connectors.files.mapping import NAME_JOINT, Property
from uptake.connectors.files.mapping import Mapping as ColumnMapping
from uptake.connectors.files.running_numbers import RunningNumbers
from uptake.events.happening import Happening

LONGEST_NAME = 200
LONGEST_ID = 255
LONGEST_TEXT = 32_768
NAMES_KNOWN = 10_000

FactReader = Callable[[Any], Any]


@dataclass(frozen=True)
class _Fact:
    name: str
    place: int
    read: FactReader
    column: str


class Translator:
    """Reads rows of one table. `companies` maps slugs and names (in small letters) to slugs."""

    def __init__(
        self,
        mapping: ColumnMapping,
        columns: Sequence[str],
        *,
        zone: str,
        numbers: RunningNumbers,
        companies: Mapping[str, str] | None = None,
        history_only: bool = True,
    ) -> None:
        mapping.check(columns)
        place = {column: number for number, column in enumerate(columns)}
        self._columns = columns
        self._mapping = mapping
        self._width = 1 + max(place[column] for column in mapping.columns())
        self._name = [place[column] for column in mapping.name]
        self._time = place[mapping.time]
        self._person = place.get(mapping.person, -1)
        self._person_name = place.get(mapping.person_name, -1)
        self._object = place.get(mapping.object, -1)
        self._company = place.get(mapping.company, -1)
        self._facts = [_Fact(p.name, place[p.column], _reader(p, mapping.order), p.column) for p in mapping.properties]
        self._clock = Clock(mapping.zone or zone, mapping.order)
        self._companies = companies or {}
        self._numbers = numbers
        self._history_only = history_only
        self._names: dict[tuple[Any, ...], str] = {}

    def happening(self, cells: Sequence[Any]) -> Happening:
        """What the row says happened. BadCell (with column and value) if a cell does not mean what it should."""
        if len(cells) < self._width:
            cells = [*cells, *[None] * (self._width - len(cells))]
        name = self._name_of(cells)
        try:
            at = self._clock.at(cells[self._time])
        except BadCell as bad:
            raise BadCell(bad.code, column=self._mapping.time, value=bad.value) from bad
        person = as_text(cells[self._person]) if self._person >= 0 else ""
        about = as_text(cells[self._object]) if self._object >= 0 else ""
        company = self._company_of(cells)
        facts: dict[str, Any] = {}
        for fact in self._facts:
            cell = cells[fact.place]
            if cell is None or cell == "":
                continue
            try:
                value = fact.read(cell)
            except BadCell as bad:
                raise BadCell(bad.code, column=fact.column, value=cell) from bad
            if value != "":
                facts[fact.name] = value
        if len(name) > LONGEST_NAME or len(person) > LONGEST_ID or len(about) > LONGEST_ID:
            raise BadCell("too_long", value=max(name, person, about, key=len))
        instant = at.isoformat()
        key = self._key(instant[:10], (name, person, instant, about, company, facts))
        kind = self._mapping.person_is
        return Happening(
            event=name,
            key=key,
            at=at,
            person=person or None,
            object=about,
            facts=facts,
            company=company or None,
            history_only=self._history_only,
            person_name=as_text(cells[self._person_name])[:200] if self._person_name >= 0 else "",
            person_email=person if person and (kind == "email" or "@" in person) else "",
            person_staff_number=person[:64] if kind == "staff_number" else "",
        )

    def _name_of(self, cells: Sequence[Any]) -> str:
        parts = tuple([cells[place] for place in self._name])
        name = self._names.get(parts)
        if name is None:
            name = NAME_JOINT.join([part for part in map(as_text, parts) if part])
            if not name:
                raise BadCell("name_missing", column=self._mapping.name[0])
            if len(self._names) < NAMES_KNOWN:
                self._names[parts] = name
        return name

    def _company_of(self, cells: Sequence[Any]) -> str:
        if self._company < 0:
            return ""
        said = as_text(cells[self._company])
        slug = self._companies.get(said.lower(), "")
        if said and not slug:
            raise BadCell("unknown_company", column=self._mapping.company, value=said)
        return slug

    def _key(self, date: str, content: tuple[Any, ...]) -> str:
        try:
            plain = orjson.dumps(content, default=str, option=orjson.OPT_SORT_KEYS)
        except (TypeError, ValueError) as failure:
            raise BadCell("broken_text") from failure
        if rb"\u0000" in plain and "\0" in str(content).replace("\\x00", "\0"):
            raise BadCell("broken_text")
        digest = blake2b(plain, digest_size=16)
        return f"{date}.{digest.hexdigest()}:{self._numbers.number(digest.digest())}"


def _reader(prop: Property, order: str) -> FactReader:
    readers: dict[str, FactReader] = {
        "text": _text,
        "number": _number,
        "boolean": as_boolean,
        "date": partial(as_date, order=order),
    }
    return readers[prop.type]


def _text(cell: Any) -> str:
    text = as_text(cell)
    if len(text) > LONGEST_TEXT:
        raise BadCell("too_long")
    return text


def _number(cell: Any) -> int | float | Decimal | str:
    return "" if isinstance(cell, str) and not cell.strip() else as_number(cell)
