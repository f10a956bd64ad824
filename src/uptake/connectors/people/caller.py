"""Asks a platform that keeps the people of a company: a token that is renewed once, refusals that answer 200, and
waiting where it is asked too often."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import urlencode

from uptake.connectors.pull.declaration import Declaration
from uptake.connectors.pull.http import Http
from uptake.connectors.pull.protocol import Access, Forbidden, NeedsAttention, SignInRefused, SlowDown

MOST_CALLS = 20_000
TRIES = 5
LONGEST_WAIT = 30.0


class Caller:
    """One platform. `fine`, `slow`, `signed_out`, `forbidden` and `not_trusted` are its own codes at `path`."""

    def __init__(
        self,
        address: str,
        *,
        path: str,
        slow: Collection[Any],
        signed_out: Collection[Any],
        forbidden: Collection[Any] = (),
        not_trusted: Collection[Any] = (),
        per_second: float = 10.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.path, self.forbidden, self.not_trusted = path, forbidden, not_trusted
        errors = {
            "path": path,
            "fine": [0, *forbidden, *not_trusted],
            "slow": list(slow),
            "signed_out": list(signed_out),
        }
        self.http = Http(Declaration(engine="rest", streams=(), errors=errors), Access({"address": address}))
        self.pause, self.sleep, self.calls = 1.0 / per_second, sleep, 0

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """The answer, after waiting where the platform asks us to. Raises Problem."""
        address = f"{self.http.base}{path}" + (f"?{urlencode(query)}" if query else "")
        wait = 1.0
        for attempt in range(TRIES):
            self.calls += 1
            if self.calls > MOST_CALLS:
                raise NeedsAttention("", code="stuck")
            self.sleep(self.pause)
            try:
                said = self.http.send(method, address, headers=headers or {}, body=body)
            except SlowDown as problem:
                if attempt == TRIES - 1 or (problem.retry_after or 0) > LONGEST_WAIT:
                    raise
                self.sleep(problem.retry_after if problem.retry_after is not None else wait)
                wait *= 2
                continue
            answer: dict[str, Any] = said if isinstance(said, dict) else {}
            if answer.get(self.path) in self.forbidden:
                raise Forbidden(f"{answer.get(self.path)}")
            if answer.get(self.path) in self.not_trusted:
                raise NeedsAttention(f"{answer.get(self.path)}", code="not_trusted")
            return answer
        raise SlowDown("")

    def close(self) -> None:
        """Gives back what was opened."""
        self.http.close()


class Signed:
    """Calls with a token; one that ended meanwhile is renewed once for each call."""

    def __init__(self, sign_in: Callable[[], str], call: Callable[..., dict[str, Any]]) -> None:
        self.sign_in, self.call, self.token = sign_in, call, ""

    def ask(self, *words: Any, **more: Any) -> dict[str, Any]:
        """The answer. Raises Problem."""
        if not self.token:
            self.token = self.sign_in()
            return self.call(self.token, *words, **more)
        try:
            return self.call(self.token, *words, **more)
        except SignInRefused:
            self.token = self.sign_in()
        return self.call(self.token, *words, **more)


def texts(value: Any) -> str:
    """A text, also of a number; empty for anything else."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
