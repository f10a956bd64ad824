"""Databases, read only: a declared SELECT, ordered and cut into pages by SQLAlchemy for each dialect."""

from __future__ import annotations

import re
import time as clock
from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError, SQLAlchemyError

from uptake.basics.redaction import redact
from uptake.connectors.pull.declaration import Declaration, Stream
from uptake.connectors.pull.instants import written
from uptake.connectors.pull.mapping import placed
from uptake.connectors.pull.protocol import Access, Health, Page, Position, SignInRefused, Unfit, Unreachable

DRIVERS = {
    "postgresql": "postgresql+psycopg",
    "oracle": "oracle+oracledb",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}
SECONDS = 20
READS = re.compile(r"^\s*(select|with)\b", re.IGNORECASE)
REFUSED = ("password authentication", "access denied", "ora-01017", "no pg_hba", "login failed")

ENDED = ("interrupted", "statement timeout", "timed out")
"""What a database says of a question that took longer than `SECONDS`."""
STEPS = 50_000
"""Steps of SQLite between two looks at the clock: some milliseconds."""


class Sql:
    """A database as declared: each stream is a SELECT with a column of times and one of ids."""

    def __init__(self, declaration: Declaration, access: Access) -> None:
        self.declaration, self.access = declaration, access
        self._calls = 0
        url = self._url()
        options: dict[str, Any] = {"poolclass": sa.NullPool}
        if url.get_backend_name() == "postgresql":
            options["connect_args"] = {
                "connect_timeout": SECONDS,
                "options": f"-c default_transaction_read_only=on -c statement_timeout={SECONDS * 1000}",
            }
        elif url.get_backend_name() in ("mysql", "mariadb"):
            options["connect_args"] = {
                "connect_timeout": SECONDS,
                "read_timeout": SECONDS,
                "init_command": "SET SESSION TRANSACTION READ ONLY",
            }
        try:
            self.engine = sa.create_engine(url, **options)
        except (NoSuchModuleError, ModuleNotFoundError) as failure:
            raise Unfit(str(failure)[:200], code="driver_missing") from failure

    def check(self) -> Health:
        if not self.declaration.streams:
            self._rows(sa.select(sa.literal(1).label("one")))
        for stream in self.declaration.streams:
            for record in self.pull(stream, Position(), 1).records:
                if record.problem:
                    raise Unfit(f"{stream.name}: {stream.order.time} {stream.order.id}", code="fields_missing")
        return Health(who=self.engine.url.username or "", about=self.engine.dialect.name)

    def pull(self, stream: Stream, after: Position, limit: int) -> Page:
        rows = self._rows(self.statement(stream, after, limit))
        zone = stream.order.zone or self.declaration.zone or self.access.zone
        return Page([placed(stream, row, zone) for row in rows], complete=not rows)

    def ids(self, stream: Stream, after: str, limit: int) -> Sequence[str]:
        assert stream.sweep is not None, "only streams that declare a sweep are swept"
        column: sa.ColumnClause[Any] = sa.literal_column(f"q.{stream.sweep.id}")
        chosen = sa.select(column.label("id")).select_from(_source(stream.sweep.query or stream.query))
        last = after or stream.order.first_id
        if last:
            chosen = chosen.where(column > (int(last) if stream.order.numeric else last))
        return [str(row["id"]) for row in self._rows(chosen.order_by(column).limit(limit))]

    def table(self, query: str, most: int) -> tuple[list[str], list[dict[str, Any]]]:
        """The columns of a SELECT and its first rows, at most so many. Raises Problem."""
        _select_only(query)
        return self._asked(sa.select(sa.literal_column("q.*")).select_from(_source(query)).limit(most))

    def statement(self, stream: Stream, after: Position, limit: int) -> sa.Select[Any]:
        """The SELECT of a page. `a > x or (a = x and b > y)`: Oracle knows no order of rows of values."""
        order = stream.order
        id_: sa.ColumnClause[Any] = sa.literal_column(f"q.{order.id}")
        last = self._id(stream, after.id)
        chosen: sa.Select[Any] = sa.select(sa.literal_column("q.*")).select_from(_source(stream.query))
        if order.time:
            at: sa.ColumnClause[Any] = sa.literal_column(f"q.{order.time}")
            if after.at is not None:
                since = self._since(stream, after.at)
                later = (at > since) | ((at == since) & (id_ > last)) if after.id else at >= since
                chosen = chosen.where(later)
            chosen = chosen.order_by(at)
        elif after.id:
            chosen = chosen.where(id_ > last)
        return chosen.order_by(id_).limit(limit)

    def calls(self) -> int:
        done, self._calls = self._calls, 0
        return done

    def close(self) -> None:
        self.engine.dispose()

    def _rows(self, chosen: sa.Select[Any]) -> list[dict[str, Any]]:
        return self._asked(chosen)[1]

    def _asked(self, chosen: sa.Select[Any]) -> tuple[list[str], list[dict[str, Any]]]:
        self._calls += 1
        try:
            with self.engine.connect() as connection:
                _end_in_time(connection)
                answer = connection.execute(chosen)
                columns = [str(name) for name in answer.keys()]  # noqa: SIM118
                rows = [_plain(row) for row in answer.mappings()]
                connection.rollback()
                return columns, rows
        except OperationalError as failure:
            detail = redact(" ".join(str(failure.orig).split()))[:200]
            if any(word in detail.lower() for word in REFUSED):
                raise SignInRefused(detail) from failure
            if any(word in detail.lower() for word in ENDED):
                raise Unreachable(detail, code="too_slow") from failure
            if "no such" in detail or "syntax" in detail:
                raise Unfit(detail, code="query") from failure
            raise Unreachable(detail) from failure
        except DBAPIError as failure:
            raise Unfit(redact(" ".join(str(failure.orig).split()))[:200], code="query") from failure
        except ModuleNotFoundError as failure:
            raise Unfit(str(failure)[:200], code="driver_missing") from failure
        except SQLAlchemyError as failure:
            raise Unreachable(redact(str(failure))[:200]) from failure

    def _url(self) -> URL:
        for stream in self.declaration.streams:
            for query in (stream.query, stream.sweep.query if stream.sweep else ""):
                if query:
                    _select_only(query)
        settings, secrets = self.access.settings, self.access.secrets
        try:
            url = make_url(settings.get("address", ""))
        except ArgumentError as failure:
            raise Unfit(redact(settings.get("address", ""))[:100], code="address") from failure
        if url.get_backend_name() == "sqlite":
            return self._file(url)
        if settings.get("user"):
            url = url.set(username=settings["user"])
        if secrets.get("password"):
            url = url.set(password=secrets["password"])
        return url.set(drivername=DRIVERS.get(url.drivername, url.drivername))

    def _file(self, url: URL) -> URL:
        """A database file lies in the folder of the connection and nowhere else: others hold secrets."""
        folder = Path(self.access.folder or "/nonexistent").resolve()
        file = (folder / (url.database or "")).resolve()
        if not file.is_relative_to(folder) or not file.is_file():
            raise Unfit(url.database or "", code="file_missing")
        return URL.create("sqlite", database=f"file:{file}", query={"mode": "ro", "uri": "true"})

    def _since(self, stream: Stream, at: datetime) -> Any:
        zone = stream.order.zone or self.declaration.zone or self.access.zone
        if stream.order.form not in ("", "iso"):
            shaped = written(at, stream.order.form, zone)
            return int(shaped) if stream.order.form in ("seconds", "milliseconds") else shaped
        if stream.options.get("aware"):
            return at
        naive = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        return naive.isoformat(" ") if self.engine.dialect.name == "sqlite" else naive

    def _id(self, stream: Stream, id_: str) -> Any:
        return int(id_ or 0) if stream.order.numeric else id_


def _select_only(query: str) -> None:
    if not READS.match(query) or ";" in query:
        raise Unfit(query[:100], code="not_a_select")


def _end_in_time(connection: sa.Connection) -> None:
    """SQLite knows no longest time of a question, so it is stopped from here."""
    if connection.dialect.name == "sqlite":
        end = clock.monotonic() + SECONDS
        connection.connection.driver_connection.set_progress_handler(  # type: ignore[union-attr]
            lambda: clock.monotonic() > end, STEPS
        )


def _source(query: str) -> sa.TextClause:
    return sa.text(f"({query.strip().replace(':', chr(92) + ':')}) q")


def _plain(row: Any) -> dict[str, Any]:
    return {str(name): _cell(value) for name, value in row.items()}


def _cell(value: Any) -> Any:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return str(value) if isinstance(value, UUID) else value
