"""Reads business series from connected databases: joins the figures' room with that of the connections."""

from __future__ import annotations

from datetime import datetime

from uptake.connectors.files.series import TooManyFigures
from uptake.connectors.models import Pull
from uptake.connectors.pull.figures import Columns, NoColumn, figures_in
from uptake.connectors.pull.protocol import Problem
from uptake.insight.impact.business_series import ROWS_READ, FileRow
from uptake.insight.impact.models import SeriesQuery
from uptake.insight.impact.read_queries import NotAnswered, read_due


def read_series(*, now: datetime) -> int:
    """How many series were read."""
    return read_due(now=now, ask=_rows)


def _rows(one: SeriesQuery) -> list[FileRow]:
    pull = Pull.objects.filter(connection=one.connection).select_related("connection__organization").first()
    if pull is None:
        raise NotAnswered("no_sql")
    try:
        told = figures_in(pull, one.query, Columns(one.day, one.place, one.value), most=ROWS_READ)
    except Problem as problem:
        raise NotAnswered(problem.code, problem.detail) from problem
    except NoColumn as missing:
        raise NotAnswered("no_column", missing.name) from missing
    except TooManyFigures as failure:
        raise NotAnswered("too_many") from failure
    return [FileRow(row.cells.line, row.cells.place, row.cells.day, row.cells.value, row.cells.wrong) for row in told]
