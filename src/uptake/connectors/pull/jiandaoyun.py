"""Jiandaoyun: as any REST system, but its audit log tells the newest first and takes spans of at most 31 days.

Such a log is read span by span, each to its end, and turned round, so that the cursor only ever passes what was read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from uptake.connectors.pull.declaration import Declaration, Stream
from uptake.connectors.pull.instants import written
from uptake.connectors.pull.mapping import placed
from uptake.connectors.pull.protocol import Access, Page, Position, Record, Unfit
from uptake.connectors.pull.rest import Rest
from uptake.connectors.pull.template import as_text, compiled

MOST_PAGES = 500
SPAN_DAYS = 30
FIRST = timedelta(days=1)


def _now() -> datetime:
    return datetime.now(UTC)


class Jiandaoyun(Rest):
    """Forms as declared; streams with the option `newest_first` by spans of time."""

    def __init__(self, declaration: Declaration, access: Access) -> None:
        super().__init__(declaration, access)
        self.clock: Callable[[], datetime] = lambda: _now()

    def pull(self, stream: Stream, after: Position, limit: int) -> Page:
        if not stream.options.get("newest_first"):
            return super().pull(stream, after, limit)
        now, span = self.clock(), timedelta(days=int(stream.options.get("span_days", SPAN_DAYS)))
        since = after.at or now - FIRST
        while True:
            until = min(since + span, now)
            found = [one for one in self._span(stream, since, until, limit) if _after(one, after)]
            if found or until >= now:
                return Page(sorted(found, key=_place), complete=until >= now)
            since = until

    def _span(self, stream: Stream, since: datetime, until: datetime, limit: int) -> Sequence[Record]:
        """Whatever happened in a span, in the order in which the system tells it."""
        form, zone = stream.order.form, self.declaration.zone or self.access.zone
        values = {"since": written(since, form, zone), "until": written(until, form, zone), "limit": str(limit)}
        records: list[Record] = []
        cursor = ""
        for _page in range(MOST_PAGES):
            said = self.http.ask(stream.request, {**values, "cursor": cursor})
            found = compiled(stream.records).search(said)
            if not isinstance(found, list):
                raise Unfit(stream.records, code="records_missing")
            records += [placed(stream, one if isinstance(one, dict) else {"value": one}, zone) for one in found]
            last, cursor = cursor, as_text(said.get("cursor"))
            if not compiled(stream.more).search(said):
                return records
            if not cursor or cursor == last:
                raise Unfit(stream.name, code="stuck")
        raise Unfit(stream.name, code="too_large")


def _place(record: Record) -> tuple[datetime, str]:
    return record.at or datetime.min.replace(tzinfo=UTC), record.id


def _after(record: Record, position: Position) -> bool:
    """Whether a record comes after a position; one without a place is always told."""
    return record.at is None or position.at is None or not position.id or _place(record) > (position.at, position.id)
