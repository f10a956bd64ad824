"""Talks to a Tryton as its own clients do: JSON-RPC over HTTP, one session for a person. Standard library only."""

from __future__ import annotations

import base64
import json
import urllib.request
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.error import HTTPError


class Refused(Exception):
    """Tryton did not do it; the message is Tryton's."""


class Session:
    """One person at one database; `address` is like http://127.0.0.1:8000/erp."""

    def __init__(self, address: str, login: str, password: str) -> None:
        self.address = address.rstrip("/") + "/rpc/"
        said = self._post("common.db.login", [login, {"password": password}], {})
        if not isinstance(said, list):
            raise Refused(f"{login} may not sign in")
        self.user = int(said[0])
        token = base64.b64encode(f"{login}:{said[0]}:{said[1]}".encode()).decode()
        self.headers = {"Authorization": f"Session {token}"}
        self.context: dict[str, Any] = {}
        self.context = self.call("model.res.user.get_preferences", True, {})

    def call(self, method: str, *params: Any) -> Any:
        """The answer of a method. Where the last parameter is no context of its own, ours is added by the callers."""
        return self._post(method, list(params), self.headers)

    def model(self, model: str, method: str, *params: Any) -> Any:
        """A method of a model, with the person's context."""
        return self.call(f"model.{model}.{method}", *params, self.context)

    def find(self, model: str, domain: list[Any]) -> list[int]:
        """Ids in order of id."""
        found: list[int] = self.model(model, "search", domain, 0, None, [["id", "ASC"]])
        return found

    def make(self, model: str, **values: Any) -> int:
        """One new record; its id."""
        (made,) = self.model(model, "create", [values])
        return int(made)

    def read(self, model: str, id_: int, *fields: str) -> dict[str, Any]:
        """Some fields of one record."""
        (found,) = self.model(model, "read", [id_], list(fields))
        return dict(found)

    def _post(self, method: str, params: list[Any], headers: dict[str, str]) -> Any:
        body = json.dumps({"id": 1, "method": method, "params": params}, default=_written).encode()
        request = urllib.request.Request(
            self.address, data=body, headers={"Content-Type": "application/json", **headers}
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                said = json.loads(answer.read())
        except HTTPError as failure:
            raise Refused(f"{method}: {failure.code}") from None
        if isinstance(said, dict) and said.get("error"):
            raise Refused(f"{method}: {said['error']}")
        return said["result"] if isinstance(said, dict) else said


def _written(value: Any) -> Any:
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": str(value)}
    if isinstance(value, date):
        return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}
    raise TypeError(type(value))
