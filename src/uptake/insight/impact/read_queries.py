"""Reads the series whose night has come from their databases. How a database is asked is given by whoever calls."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from django.db import transaction

from uptake.directory.place import settings_at
from uptake.directory.scope import viewer_of
from uptake.directory.viewer import NotAllowed
from uptake.insight.impact.business_series import FileRow, placed
from uptake.insight.impact.keep_query import may_ask, next_night
from uptake.insight.impact.keep_series import NoFigures, take_changes
from uptake.insight.impact.models import SeriesQuery
from uptake.notify.tell import Telling, tell

log = logging.getLogger(__name__)


class NotAnswered(Exception):
    """The database gave no rows; a code, and what is known beyond it."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code, self.detail = code, detail


Ask = Callable[[SeriesQuery], Sequence[FileRow]]
"""The rows of a query. Raises NotAnswered."""


def read_due(*, now: datetime, ask: Ask, limit: int = 20) -> int:
    """How many were read. A failure is kept with the query, and the next night tries again."""
    due = SeriesQuery.objects.filter(next_at__lte=now).select_related(
        "series__organization", "connection__organization", "kept_by"
    )
    done = 0
    for one in due.order_by("next_at")[:limit]:
        later = next_night(one.series.organization, now)
        mine = SeriesQuery.objects.filter(pk=one.pk, next_at=one.next_at)
        if mine.update(next_at=later, tried_at=now):
            done += _read(one, ask, now)
    return done


def _read(one: SeriesQuery, ask: Ask, now: datetime) -> int:
    place = one.series.organization
    today = settings_at(place).date_of(now)
    try:
        if one.kept_by is None:
            raise NotAllowed
        by = viewer_of(one.kept_by, today=today)
        if not may_ask(one.series, one.connection, by):
            raise NotAllowed
        rows = placed(ask(one), place, today)
        take_changes(series=one.series, rows=rows, by=by, now=now, source=one.connection.slug)
    except NotAnswered as problem:
        return _failed(one, now, problem.code, problem.detail)
    except NotAllowed:
        return _failed(one, now, "not_allowed")
    except NoFigures:
        return _failed(one, now, "no_figures")
    except Exception:
        log.exception("Series %s could not be read", one.series_id)
        return _failed(one, now, "failure")
    note_reading(one, rows=len(rows), left_out=sum(1 for row in rows if row.wrong), now=now)
    return 1


def note_reading(one: SeriesQuery, *, rows: int, left_out: int, now: datetime) -> None:
    """That it was read to its end."""
    SeriesQuery.objects.filter(pk=one.pk).update(
        tried_at=now, read_at=now, rows=rows - left_out, left_out=left_out, failure=None
    )


@transaction.atomic
def _failed(one: SeriesQuery, now: datetime, code: str, detail: str = "") -> int:
    """Kept with the query, and told to whoever keeps it: once since it last worked, or was kept anew."""
    SeriesQuery.objects.filter(pk=one.pk).update(failure={"code": code, "detail": detail[:200]})
    if one.kept_by is not None and one.kept_by.person_id is not None:
        since = max(filter(None, (one.kept_at, one.read_at)))
        key = f"impact.series_failed:{one.pk}:{since.isoformat()}"
        content = {"title": one.series.name, "series": one.series_id}
        tell([Telling(person_id=one.kept_by.person_id, key=key, kind="impact.series_failed", content=content)], now=now)
    return 0
