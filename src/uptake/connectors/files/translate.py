"""Turns rows of a table into happenings by a mapping. Pure: the companies are given, nothing is looked up.

The key of a row is a hash of what it says (name, person, instant, object, company, facts) and a running number among
equal rows in file order. So the same rows give the same keys from any file in any format, and rows that say the same
are separate events. The date stands in front, so that rows of one time lie together in the index.

Rows are taken column by column: a text that comes a thousand times is read once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from hashlib import blake2b
from itertools import chain
from typing import Any

import orjson

from uptake.connectors.files.cells import BadCell, Clock, as_boolean, as_date, as_number, as_text
from uptake.connectors.files.mapping import NAME_JOINT, Property
from uptake.connectors.files.mapping import Mapping as ColumnMapping
from uptake.connectors.files.running_numbers import RunningNumbers
from uptake.connectors.files.table import BadRow, Row
from uptake.events.happening import Happening

LONGEST_NAME = 200
LONGEST_ID = 255
LONGEST_TEXT = 32_768
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NO_FACTS: dict[str, Any] = {}
TEXTS = {str, type(None)}

Refused = tuple[int, str, str, str]
"""Row number, code, column, value."""
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

    def happenings(self, rows: Sequence[Row]) -> tuple[list[tuple[int, Happening]], list[Refused]]:
        """What the rows say happened, by row number, and those that say nothing usable; both in the order of rows."""
        refused: dict[int, Refused] = {}
        cells_of: dict[int, Sequence[Any]] = {}
        for number, cells in rows:
            if isinstance(cells, BadRow):
                refused[number] = (number, cells.code, "", cells.detail[:200])
            elif len(cells) < self._width:
                cells_of[number] = [*cells, *[None] * (self._width - len(cells))]
            else:
                cells_of[number] = cells
        told = self._told(list(cells_of), list(cells_of.values()), refused)
        return told, [refused[number] for number in sorted(refused)]

    def _told(
        self, numbers: list[int], rows: list[Sequence[Any]], refused: dict[int, Refused]
    ) -> list[tuple[int, Happening]]:
        def column(place: int) -> list[Any]:
            return [cells[place] for cells in rows]

        def texts(place: int) -> list[Any]:
            return _each(as_text, column(place)) if place >= 0 else [""] * len(rows)

        names = _each(self._name_of, list(zip(*map(column, self._name), strict=True)))
        times = [
            BadCell(at.code, column=self._mapping.time, value=at.value) if isinstance(at, BadCell) else at
            for at in self._clock.each(column(self._time))
        ]
        people = texts(self._person)
        things = texts(self._object)
        companies = _each(self._company_of, column(self._company)) if self._company >= 0 else [""] * len(rows)
        fact_columns = [column(fact.place) for fact in self._facts]
        facts = _each(self._facts_of, list(zip(*fact_columns, strict=True))) if self._facts else [NO_FACTS] * len(rows)
        person_names = texts(self._person_name)
        kind = self._mapping.person_is
        bad_cells: dict[int, BadCell] = {}
        for read in (facts, companies, times, names):  # the first of them is told, so it comes last
            bad_cells |= {number: one for number, one in zip(numbers, read, strict=True) if one.__class__ is BadCell}
        happenings: list[tuple[int, Happening]] = []
        instants = _instants(times)
        for number, name, at, instant, person, about, company, said, person_name in zip(
            numbers, names, times, instants, people, things, companies, facts, person_names, strict=True
        ):
            if bad_cells and number in bad_cells:
                refused[number] = _refused(number, bad_cells[number])
                continue
            try:
                if len(name) > LONGEST_NAME or len(person) > LONGEST_ID or len(about) > LONGEST_ID:
                    raise BadCell("too_long", value=max(name, person, about, key=len))
                key = self._key(instant[:10], (name, person, instant, about, company, said))
            except BadCell as bad:
                refused[number] = _refused(number, bad)
                continue
            happening = Happening(
                name,
                key,
                at,
                person or None,
                about,
                said,
                company or None,
                1,
                self._history_only,
                person_name[:200],
                person if person and (kind == "email" or "@" in person) else "",
                person[:64] if kind == "staff_number" else "",
            )
            happenings.append((number, happening))
        return happenings

    def _name_of(self, parts: tuple[Any, ...]) -> str:
        name = NAME_JOINT.join([part for part in map(as_text, parts) if part])
        if not name:
            raise BadCell("name_missing", column=self._mapping.name[0])
        return name

    def _company_of(self, cell: Any) -> str:
        said = as_text(cell)
        slug = self._companies.get(said.lower(), "")
        if said and not slug:
            raise BadCell("unknown_company", column=self._mapping.company, value=said)
        return slug

    def _facts_of(self, cells: tuple[Any, ...]) -> dict[str, Any]:
        facts: dict[str, Any] = {}
        for fact, cell in zip(self._facts, cells, strict=True):
            if cell is None or cell == "":
                continue
            try:
                value = fact.read(cell)
            except BadCell as bad:
                raise BadCell(bad.code, column=fact.column, value=cell) from bad
            if value != "":
                facts[fact.name] = value
        return facts

    def _key(self, date: str, content: tuple[Any, ...]) -> str:
        try:
            plain = orjson.dumps(content, default=str, option=orjson.OPT_SORT_KEYS)
        except (TypeError, ValueError) as failure:
            raise BadCell("broken_text") from failure
        if rb"\u0000" in plain and "\0" in str(content).replace("\\x00", "\0"):
            raise BadCell("broken_text")
        digest = blake2b(plain, digest_size=16)
        return f"{date}.{digest.hexdigest()}:{self._numbers.number(digest.digest())}"


def _instants(times: Sequence[datetime | BadCell]) -> list[str]:
    """The instants in ISO 8601, written at once; of what is no time, any text."""
    if not times:
        return []
    plain = [EPOCH if at.__class__ is BadCell else at for at in times]
    return orjson.dumps(plain)[2:-2].decode().split('","')


def _refused(number: int, bad: BadCell) -> Refused:
    return number, bad.code, bad.column, bad.value


def _each(read: Callable[[Any], Any], cells: list[Any]) -> list[Any]:
    """What each cell (or tuple of cells) means, or the BadCell that says why it means nothing; texts are read once."""

    def attempt(cell: Any) -> Any:
        try:
            return read(cell)
        except BadCell as bad:
            return bad

    if not _texts_only(cells):
        return [attempt(cell) for cell in cells]  # 1, 1.0 and True are equal, yet not the same
    known = {cell: attempt(cell) for cell in set(cells)}
    return [known[cell] for cell in cells]


def _texts_only(cells: list[Any]) -> bool:
    kinds = set(map(type, cells))
    if kinds == {tuple}:
        kinds = set(map(type, chain.from_iterable(cells)))
    return kinds <= TEXTS


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
