"""Business figures out of a database that is connected: the rows of one SELECT, by the columns they stand in."""

from __future__ import annotations

from dataclasses import dataclass

from uptake.connectors.files.cells import as_text
from uptake.connectors.files.series import SeriesCells, TooManyFigures, series_cells
from uptake.connectors.models import Pull
from uptake.connectors.pull.declaration import BadDeclaration
from uptake.connectors.pull.opening import access_of, declared
from uptake.connectors.pull.protocol import Unfit


class NoColumn(Exception):
    """The query gives no column of that name; those it gives."""

    def __init__(self, name: str, there: list[str]) -> None:
        super().__init__(name)
        self.name, self.there = name, there


@dataclass(frozen=True)
class Columns:
    """The columns of the day, the place and the value; an empty place: all rows are of the whole place."""

    day: str
    place: str
    value: str


@dataclass(frozen=True)
class Told:
    """A row as it came (day, place, value as text) and as it is understood."""

    said: tuple[str, str, str]
    cells: SeriesCells


def is_sql(pull: Pull) -> bool:
    """Whether the connection asks a database."""
    try:
        return declared(pull).engine == "sql"
    except BadDeclaration:
        return False


def figures_in(pull: Pull, query: str, columns: Columns, *, most: int) -> list[Told]:
    """The rows of a SELECT, at most so many. Nothing is written, there or here.

    Raises Problem where the database does not answer or the query is none, NoColumn and TooManyFigures.
    """
    there, rows = _asked(pull, query, most + 1)
    if len(rows) > most:
        raise TooManyFigures
    by_fold = {name.casefold(): name for name in reversed(there)}
    held = {"day": columns.day, "place": columns.place, "value": columns.value}
    where = {}
    for what, name in held.items():
        if name or what != "place":
            if name.casefold() not in by_fold:
                raise NoColumn(name, there)
            where[what] = by_fold[name.casefold()]
    told = []
    for line, row in enumerate(rows, start=1):
        cells = {what: row[name] for what, name in where.items()}
        said = tuple(as_text(cells.get(what))[:100] for what in ("day", "place", "value"))
        told.append(Told((said[0], said[1], said[2]), series_cells(line, cells)))
    return told


def _asked(pull: Pull, query: str, most: int) -> tuple[list[str], list[dict[str, object]]]:
    # SQLAlchemy takes a third of a second to load: only where a database is asked.
    from uptake.connectors.pull.sql import Sql

    if pull.connection.paused_at is not None:
        raise Unfit(code="paused")
    try:
        declaration = declared(pull)
    except BadDeclaration as failure:
        raise Unfit(str(failure)[:200], code="declaration") from failure
    if declaration.engine != "sql":
        raise Unfit(code="no_sql")
    opened = Sql(declaration, access_of(pull, declaration))
    try:
        return opened.table(query, most)
    finally:
        opened.close()
