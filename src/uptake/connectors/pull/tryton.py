"""Tryton over JSON-RPC: its log of who pressed which button, and who made which record.

Times are UTC whatever the server's zone says. A log row of a record that is gone names no resource any more; asking
for it by value still finds it, so its model and number are found by halving (and remembered while this process lives).
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from uptake.connectors.pull.declaration import Declaration, Stream
from uptake.connectors.pull.http import Http
from uptake.connectors.pull.instants import NotAnInstant, instant
from uptake.connectors.pull.protocol import Access, Health, Page, Position, Record, SignInRefused, Unfit
from uptake.connectors.pull.template import as_text

LOG = "ir.model.log"
AT_ONCE = 512
MOST_REMEMBERED = 50_000
_remembered: dict[tuple[str, str, int], str] = {}


class Tryton:
    """A Tryton database. Streams name a model and its fields; each is ordered by (create_date, id)."""

    def __init__(self, declaration: Declaration, access: Access) -> None:
        self.declaration, self.access = declaration, access
        self.http = Http(declaration, access)
        self.database = access.settings.get("database", "")
        self._session = ""

    def check(self) -> Health:
        self._sign_in()
        (me,) = self._call(
            "model.res.user.search_read", [["login", "=", self._user]], 0, 1, None, ["login", "name"], {}
        )
        if any(stream.options.get("model", LOG) == LOG for stream in self.declaration.streams):
            self._call(f"model.{LOG}.search", [], 0, 1, None, {})  # only administrators may
        return Health(who=me["login"], about=me["name"])

    def pull(self, stream: Stream, after: Position, limit: int) -> Page:
        model = str(stream.options.get("model", LOG))
        fields = [*stream.options.get("fields", []), "create_date", "create_uid.login"]
        if model == LOG:
            fields += ["user.login", "event", "target", "resource"]
        domain: list[Any] = list(stream.options.get("domain", []))
        if after.at is not None:
            since = _datetime(after.at)
            same = [["create_date", "=", since], ["id", ">", int(after.id or 0)]]
            domain.append(["OR", ["create_date", ">", since], same])
        order = [["create_date", "ASC"], ["id", "ASC"]]
        rows = self._call(f"model.{model}.search_read", domain, 0, limit, order, fields, {})
        if model == LOG:
            self._name_the_gone(rows, stream.options.get("models", []))
        return Page([_record(row, model) for row in rows], complete=len(rows) < limit)  # it caps nothing

    def ids(self, stream: Stream, after: str, limit: int) -> Sequence[str]:
        model = str(stream.options.get("model", ""))
        found = self._call(f"model.{model}.search", [["id", ">", int(after or 0)]], 0, limit, [["id", "ASC"]], {})
        return [str(one) for one in found]

    def calls(self) -> int:
        return self.http.calls()

    def close(self) -> None:
        self.http.close()

    @property
    def _user(self) -> str:
        return self.access.settings.get("user", "")

    def _sign_in(self) -> None:
        password = {"password": self.access.secrets.get("password", "")}
        said = self._post("common.db.login", [self._user, password], {})
        if not isinstance(said, list) or len(said) < 2:
            raise SignInRefused("")
        token = base64.b64encode(f"{self._user}:{said[0]}:{said[1]}".encode()).decode()
        self._session = f"Session {token}"

    def _call(self, method: str, *params: Any) -> Any:
        if not self._session:
            self._sign_in()
        try:
            return self._post(method, list(params), {"Authorization": self._session})
        except SignInRefused:
            self._sign_in()
        return self._post(method, list(params), {"Authorization": self._session})

    def _post(self, method: str, params: list[Any], headers: dict[str, str]) -> Any:
        address = f"{self.http.base}/{self.database}/rpc/"
        said = self.http.send("POST", address, headers=headers, body={"id": 1, "method": method, "params": params})
        if not isinstance(said, dict):
            raise Unfit(method, code="records_missing")
        if said.get("error"):
            raise Unfit(f"{method}: {str(said['error'])[:200]}", code="refused")
        return said.get("result")

    def _name_the_gone(self, rows: list[dict[str, Any]], models: Sequence[str]) -> None:
        """Gives rows of deleted records their resource again, where their model is one of `models`."""
        gone = {row["id"]: row for row in rows if row.get("resource") is None}
        for id_, row in list(gone.items()):
            known = _remembered.get((self.http.base, self.database, id_))
            if known is not None:
                row["resource"] = known
                del gone[id_]
        for model in models:
            if not gone:
                return
            named = self._log_ids([["id", "in", list(gone)], ["resource", "like", f"{model},%"]])
            if named:
                low, high = 1, AT_ONCE
                while named and low < 1 << 31:
                    named = self._find(model, named, low, high, gone)
                    low, high = high + 1, high * 4
        if len(_remembered) > MOST_REMEMBERED:
            _remembered.clear()
        for id_, row in gone.items():
            _remembered[self.http.base, self.database, id_] = row.get("resource") or ""

    def _find(self, model: str, ids: list[int], low: int, high: int, gone: dict[int, dict[str, Any]]) -> list[int]:
        """Names those of `ids` whose resource is between low and high; the others are given back."""
        left = list(ids)
        for start in range(low, high + 1, AT_ONCE):
            here = range(start, min(start + AT_ONCE, high + 1))
            inside = self._among(model, left, here)
            if inside:
                there = self._numbers_there(model, here)
                missing = [number for number in here if number not in there]
                last = max(there, default=0)
                # what is gone is most often between what is still there
                for numbers in ([one for one in missing if one < last], [one for one in missing if one > last]):
                    self._halve(model, self._among(model, inside, numbers) if numbers else [], numbers, gone)
                left = [one for one in left if one not in set(inside)]
            if not left:
                break
        return left

    def _halve(self, model: str, ids: list[int], numbers: Sequence[int], gone: dict[int, dict[str, Any]]) -> None:
        if not ids:
            return
        if len(numbers) == 1:
            for id_ in ids:
                gone[id_]["resource"] = f"{model},{numbers[0]}"
            return
        middle = len(numbers) // 2
        first = self._among(model, ids, numbers[:middle])
        second = [one for one in ids if one not in set(first)]
        if first:
            self._halve(model, first, numbers[:middle], gone)
        if second:
            self._halve(model, second, numbers[middle:], gone)

    def _numbers_there(self, model: str, here: range) -> set[int]:
        between = [["id", ">=", here[0]], ["id", "<=", here[-1]]]
        return set(self._call(f"model.{model}.search", between, 0, None, None, {}))

    def _among(self, model: str, ids: list[int], numbers: Sequence[int]) -> list[int]:
        return self._log_ids([["id", "in", ids], ["resource", "in", [f"{model},{number}" for number in numbers]]])

    def _log_ids(self, domain: list[Any]) -> list[int]:
        found: list[int] = self._call(f"model.{LOG}.search", domain, 0, None, None, {})
        return found


def _record(row: dict[str, Any], model: str) -> Record:
    plain = {name: _plain(value) for name, value in row.items()}
    if model == LOG:
        resource = as_text(plain.get("resource"))
        plain["model"], _, number = resource.partition(",")
        plain["number"] = number
        plain["model"] = plain["model"] or "unknown"
    else:
        plain["model"] = model
    try:
        at = instant(row.get("create_date"), "UTC")
    except NotAnInstant:
        return Record(plain, as_text(row.get("id")), problem="time")
    return Record(plain, as_text(row["id"]), at)


def _plain(value: Any) -> Any:
    """Tryton's own writing of times and decimals as plain JSON."""
    if isinstance(value, dict) and "__class__" in value:
        if value["__class__"] == "Decimal":
            return value.get("decimal")
        if value["__class__"] in ("datetime", "date"):
            read = instant(value, "UTC")
            return read.isoformat() if value["__class__"] == "datetime" else read.date().isoformat()
        return str(value)
    return value


def _datetime(at: datetime) -> dict[str, Any]:
    at = at.astimezone(UTC)
    parts = {name: getattr(at, name) for name in ("year", "month", "day", "hour", "minute", "second", "microsecond")}
    return {"__class__": "datetime", **parts}
