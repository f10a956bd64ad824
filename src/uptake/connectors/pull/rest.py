"""Systems that answer JSON over HTTP: any as declared, and OData with its own way of asking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from uptake.connectors.pull.declaration import Declaration, Request, Stream
from uptake.connectors.pull.http import Http
from uptake.connectors.pull.instants import written
from uptake.connectors.pull.mapping import placed
from uptake.connectors.pull.odata_v2 import as_v4
from uptake.connectors.pull.protocol import Access, Anonymous, Forbidden, Health, Page, Position, Unfit, Unreachable
from uptake.connectors.pull.template import as_text, compiled

MOST_PAGES = 50
"""Of one instant that are passed over to find what was not read yet."""


class Rest:
    """A system as declared: a request with holes, where its records stand, and by what they are ordered."""

    def __init__(self, declaration: Declaration, access: Access) -> None:
        self.declaration, self.access = declaration, access
        self.http = Http(declaration, access)

    def check(self) -> Health:
        check = self.declaration.check
        if check is None:
            for stream in self.declaration.streams[:1]:
                self.pull(stream, Position(), 1)
            return Health()
        said = self.http.ask(check.request)
        who = as_text(compiled(check.who).search(said)) if check.who else ""
        if check.who and not who:
            raise Anonymous("")
        return Health(who)

    def pull(self, stream: Stream, after: Position, limit: int) -> Page:
        request = self.request_of(stream, after, limit)
        if "{page}" in f"{request.query}{request.body}":
            return self._from_then_on(stream, request, after, limit)
        return self._page(stream, request, after, limit)

    def _from_then_on(self, stream: Stream, request: Request, after: Position, limit: int) -> Page:
        """Of a system that is asked from an instant on and gives numbered pages: what was read of that instant comes
        again, in front, and is passed over. Pages are not numbered over what changes: each pull begins at the first."""
        for number in range(1, MOST_PAGES + 1):
            page = self._page(stream, request, after, limit, number)
            unread = [
                one
                for one in page.records
                if one.problem or not after.id or one.at != after.at or not _reached(stream, one.id, after.id)
            ]
            if unread or page.complete or not page.records:
                return replace(page, records=unread)
        raise Unfit(f"{stream.name}: {after.at}", code="stuck")

    def _page(self, stream: Stream, request: Request, after: Position, limit: int, number: int = 1) -> Page:
        holes = {**self._holes(stream, after, limit), "page": str(number)}
        said = self.plain(stream, self.http.ask(request, holes))
        found = compiled(stream.records).search(said)
        if not isinstance(found, list):
            raise Unfit(stream.records, code="records_missing")
        zone = stream.order.zone or self.declaration.zone or self.access.zone
        records = [placed(stream, one if isinstance(one, dict) else {"value": one}, zone) for one in found]
        skipped = after.same if _by_offset(request) else (number - 1) * limit
        return Page(records, complete=_complete(stream, said, len(records), skipped))

    def ids(self, stream: Stream, after: str, limit: int) -> Sequence[str]:
        sweep = stream.sweep
        assert sweep is not None, "only streams that declare a sweep are swept"
        values = {"id": after or stream.order.first_id, "limit": str(limit), "same": "1" if after else "0"}
        said = self.http.ask(sweep.request, values)
        found = compiled(sweep.records).search(said)
        if not isinstance(found, list):
            raise Unfit(sweep.records, code="records_missing")
        return [as_text(compiled(sweep.id).search(one) if isinstance(one, dict) else one) for one in found]

    def request_of(self, stream: Stream, after: Position, limit: int) -> Request:
        """What is asked for a page."""
        return stream.request

    def plain(self, stream: Stream, said: Any) -> Any:
        """What was answered, without peculiarities of the system."""
        return said

    def calls(self) -> int:
        return self.http.calls()

    def close(self) -> None:
        self.http.close()

    def _holes(self, stream: Stream, after: Position, limit: int) -> dict[str, str]:
        order = stream.order
        zone = order.zone or self.declaration.zone or self.access.zone
        id_ = after.id or order.first_id
        return {
            "since": written(after.at, order.form, zone) if after.at else "",
            "id": id_,
            "quoted_id": id_.replace("'", "''"),
            "same": str(after.same),
            "number": id_ if order.numeric else "0",
            "limit": str(limit),
        }


class Keyed(Rest):
    """Systems that are asked for what comes after a (time, id); with the option `skip`, for what comes from a time on,
    without so many of its very instant as were read."""

    def pull(self, stream: Stream, after: Position, limit: int) -> Page:
        page = super().pull(stream, after, limit)
        if not page.records or not after.id or after.at is None or stream.options.get("skip"):
            return page
        # A system that shows times shorter than it keeps them gives again what was read of that instant.
        unread = [one for one in page.records if one.at != after.at or not _reached(stream, one.id, after.id)]
        if unread:
            return replace(page, records=unread)
        return super().pull(replace(stream, options={**stream.options, "skip": True}), after, limit)


class OData(Keyed):
    """OData V2 and V4: the filter, the order and the size of a page are made from the declared fields.

    Never by $skiptoken or nextLink: in a set that changes meanwhile they lose records. Where a service can only be
    asked "from then on" (option `skip`), only what was read of that very instant is skipped.
    """

    def plain(self, stream: Stream, said: Any) -> Any:
        if str(stream.options.get("version", "4")) != "2" or not isinstance(said, dict):
            return said
        inner = said.get("d")
        if isinstance(inner, dict) and "results" in inner:
            return {**said, "d": {**inner, "results": as_v4(inner["results"])}}
        return {**said, "d": as_v4(inner)}

    def check(self) -> Health:
        """Asks every service for one record. Those that are not there, or not for us, are warnings, if others are."""
        health = super().check() if self.declaration.check else Health()
        refused: list[Forbidden | Unfit] = []
        for stream in self.declaration.streams:
            try:
                if any(one.problem for one in self.pull(stream, Position(), 1).records):
                    raise Unfit(f"{stream.order.time} {stream.order.id}", code="fields_missing")
            except (Forbidden, Unfit) as problem:
                refused.append(type(problem)(f"{stream.name}: {problem.detail}"[:200], code=problem.code))
        if len(refused) == len(self.declaration.streams):
            raise refused[0]
        return replace(health, warnings=tuple(one.detail for one in refused))

    def request_of(self, stream: Stream, after: Position, limit: int) -> Request:
        options, order = stream.options, stream.order
        literal = str(options.get("literal") or "{since}")
        conditions = [f"({options['filter']})"] if options.get("filter") else []
        id_ = "{id}" if order.numeric else "'{quoted_id}'"
        skips = bool(options.get("skip"))
        if order.time and after.at is not None and skips:
            conditions.append(f"{order.time} ge {literal}")
        elif order.time and after.at is not None:
            conditions.append(
                f"({order.time} gt {literal} or ({order.time} eq {literal} and {order.id} gt {id_}))"
                if after.id
                else f"{order.time} ge {literal}"
            )
        elif not order.time and after.id:
            conditions.append(f"{order.id} gt {id_}")
        query = {
            "$orderby": ",".join(part for part in (order.time, order.id) if part),
            "$top": "{limit}",
            **({"$skip": "{same}"} if skips else {}),
            **({"$filter": " and ".join(conditions)} if conditions else {}),
            **{f"${name}": str(options[name]) for name in ("select", "expand") if options.get(name)},
            **({"$format": "json"} if str(options.get("version", "4")) == "2" else {}),
        }
        address = stream.request.address or f"/{options.get('entity', stream.name)}"
        return Request(address=address, query={**query, **stream.request.query}, headers=stream.request.headers)


def _reached(stream: Stream, id_: str, last: str) -> bool:
    return int(id_ or 0) <= int(last) if stream.order.numeric else id_ <= last


def _by_offset(request: Request) -> bool:
    return "{same}" in str(request.query) or "{same}" in str(request.body)


def _complete(stream: Stream, said: Any, got: int, skipped: int) -> bool:
    """Whether the system says that this was all. An answer that holds fewer than it counts is not believed."""
    if stream.count:
        try:
            count = int(compiled(stream.count).search(said))
        except (TypeError, ValueError) as failure:
            raise Unfit(stream.count, code="count_missing") from failure
        if not got and count > skipped:
            raise Unreachable(f"0 / {count}", code="truncated")
        return count <= got + skipped
    if stream.more:
        return not compiled(stream.more).search(said)
    return not got
