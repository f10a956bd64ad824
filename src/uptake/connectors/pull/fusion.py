"""Oracle Fusion Cloud: its resources are asked by (LastUpdateDate, id), its audit history by spans of time.

Written from Oracle's documentation, and never tried on a running Fusion: so `check` reads the description of each
resource, and refuses where the field by which records are ordered is not there or cannot be asked for.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson

from uptake.connectors.pull.declaration import Request, Stream
from uptake.connectors.pull.mapping import placed
from uptake.connectors.pull.protocol import Forbidden, Health, Page, Position, Record, Unfit
from uptake.connectors.pull.rest import Keyed
from uptake.connectors.pull.template import compiled

FRAMEWORK = {"REST-Framework-Version": "4"}
SPAN = timedelta(days=7)
"""Of one question for audit history; Oracle allows a month."""
AUDIT_PAGE = 500
MOST_PAGES = 40
START = datetime(1970, 1, 1, tzinfo=UTC)


class Fusion(Keyed):
    """Oracle Fusion as declared. A stream with the option `audit` is the audit history of a product."""

    def check(self) -> Health:
        health = super().check() if self.declaration.check else Health()
        refused: list[Forbidden | Unfit] = []
        for stream in self.declaration.streams:
            try:
                self._prove(stream)
            except (Forbidden, Unfit) as problem:
                if problem.code == "fields_missing":
                    raise
                refused.append(type(problem)(f"{stream.name}: {problem.detail}"[:200], code=problem.code))
        if len(refused) == len(self.declaration.streams):
            raise refused[0]
        return replace(health, warnings=tuple(one.detail for one in refused))

    def pull(self, stream: Stream, after: Position, limit: int) -> Page:
        return self._audit(stream, after, limit) if stream.options.get("audit") else super().pull(stream, after, limit)

    def request_of(self, stream: Stream, after: Position, limit: int) -> Request:
        order, skips = stream.order, bool(stream.options.get("skip"))
        query = {
            "orderBy": f"{order.time}:asc,{order.id}:asc",
            "limit": "{limit}",
            "onlyData": "true",
            "fields": ",".join(stream.options.get("fields") or []),
            **({"offset": "{same}"} if skips else {}),
        }
        if after.at is not None:
            query["q"] = (
                f"{order.time} > '{{since}}' or ({order.time} = '{{since}}' and {order.id} > {{id}})"
                if after.id and not skips
                else f"{order.time} >= '{{since}}'"
            )
        return Request(address=stream.request.address, query=query, headers=FRAMEWORK)

    def _prove(self, stream: Stream) -> None:
        if stream.options.get("audit"):
            now = datetime.now(UTC)
            if self._asked(stream):
                self._history(stream, now - timedelta(hours=1), now, 1)
            return
        said = self.http.ask(Request(address=f"{stream.request.address}/describe", headers=FRAMEWORK))
        found = compiled("Resources.*.attributes | [0]").search(said) or []
        known = {one.get("name"): one for one in found if isinstance(one, dict)}
        for name in (stream.order.time, stream.order.id):
            if name not in known or known[name].get("queryable") is False:
                raise Unfit(f"{stream.name}: {name}", code="fields_missing")
        missing = [name for name in stream.options.get("fields") or [] if name not in known]
        if missing:
            raise Unfit(f"{stream.name}: {', '.join(missing)}"[:200], code="fields_missing")

    def _audit(self, stream: Stream, after: Position, limit: int) -> Page:
        """The history from a position on. Empty spans are passed over: each would end the reading otherwise."""
        if not self._asked(stream):
            return Page([], complete=True)
        now = datetime.now(UTC)
        begin = (after.at or now).replace(microsecond=0)
        while True:
            end = min(begin + SPAN, max(now, begin) + timedelta(seconds=1))
            unread = [
                one
                for one in self._span(stream, begin, end)
                if one.problem or one.at is None or after.at is None or (one.at, one.id) > (after.at, after.id)
            ]
            if unread or end >= now:
                return Page(unread[:limit], complete=end >= now and len(unread) <= limit)
            begin = end

    def _asked(self, stream: Stream) -> bool:
        return bool(self.http.filled(str(stream.options.get("product", ""))))

    def _span(self, stream: Stream, begin: datetime, end: datetime) -> list[Record]:
        rows: list[Any] = []
        for page in range(1, MOST_PAGES + 1):
            found = self._history(stream, begin, end, page)
            rows += found
            if len(found) < AUDIT_PAGE:
                break
        else:
            raise Unfit(f"{stream.name}: {begin} {end}", code="too_large")
        seen: dict[str, int] = {}
        records = []
        for row in rows:
            # Oracle gives no id: equal rows of one instant are counted.
            digest = sha256(orjson.dumps(row, option=orjson.OPT_SORT_KEYS)).hexdigest()[:24]
            seen[digest] = number = seen.get(digest, 0) + 1
            records.append(placed(stream, {**row, "_id": f"{digest}-{number}"}, stream.order.zone or "UTC"))
        return sorted(records, key=lambda one: (one.at or START, one.id))

    def _history(self, stream: Stream, begin: datetime, end: datetime, page: int) -> list[Any]:
        options = stream.options
        body = {
            "fromDate": f"{begin:%Y-%m-%d %H:%M:%S}",
            "toDate": f"{end:%Y-%m-%d %H:%M:%S}",
            "product": self.http.filled(str(options.get("product", ""))),
            "businessObjectType": self.http.filled(str(options.get("business_object", ""))),
            "eventType": "all",
            "timeZone": "UTC",
            "attributeDetailMode": "false",
        }
        query = {"pageNumber": str(page), "pageSize": str(AUDIT_PAGE)}
        said = self.http.ask(Request(address=stream.request.address, method="POST", query=query, body=body))
        found = compiled(stream.records).search(said)
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
