"""What a system that is asked must be able to do, and how it may fail. Pure values: no network, no Django."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from uptake.connectors.pull.declaration import Stream


@dataclass(frozen=True, slots=True)
class Position:
    """Where reading stands: records are ordered by (at, id), and those up to here were read."""

    at: datetime | None = None
    """UTC; None: the stream has no times and is ordered by id alone."""
    id: str = ""
    """Empty: nothing of the instant `at` was read."""
    same: int = 0
    """How many records of exactly this instant were read, for systems that can only be asked for "from then on"."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record as the system gave it, in plain JSON. Without `id`, or in a stream with times without `at`, it cannot
    be put in order; `problem` says why."""

    raw: Mapping[str, Any]
    id: str = ""
    at: datetime | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Records in order. `complete`: the system said that nothing more is there."""

    records: Sequence[Record]
    complete: bool = False


@dataclass(frozen=True, slots=True)
class Health:
    """Who we are to the system, and what it is."""

    who: str = ""
    about: str = ""
    warnings: tuple[str, ...] = ()


class Problem(Exception):
    """The system did not give what was asked. `code` names the reason; its words are in `words.py`."""

    code = "failure"

    def __init__(self, detail: str = "", *, code: str = "") -> None:
        super().__init__(detail)
        self.code = code or self.code
        self.detail = detail


class Unreachable(Problem):
    """No answer, a broken one, or one that says to come again: it is asked again later."""

    code = "unreachable"


class SlowDown(Problem):
    """Asked too often. `retry_after` in seconds, where the system said it."""

    code = "slow_down"

    def __init__(self, detail: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class NeedsAttention(Problem):
    """A person must do something; asking again would not help."""

    code = "attention"


class SignInRefused(NeedsAttention):
    """The password or key is not taken, also after signing in anew."""

    code = "sign_in_refused"


class Anonymous(NeedsAttention):
    """The system answers, but not to us as whom we mean to be."""

    code = "anonymous"


class Forbidden(NeedsAttention):
    """We may not read this. Final."""

    code = "forbidden"


class Unfit(NeedsAttention):
    """The declaration does not fit the system: a field, a table or an address is not there."""

    code = "unfit"


class Connector(Protocol):
    """A system opened for reading. What records mean is not its business: see `mapping`."""

    def check(self) -> Health:
        """Proves who we are, and that what is declared exists. Raises Problem."""

    def pull(self, stream: Stream, after: Position, limit: int) -> Page:
        """The records after a position, in order. Raises Problem."""

    def ids(self, stream: Stream, after: str, limit: int) -> Sequence[str]:
        """The ids that exist now, in order, after one; none: that was all. Only where the stream declares a sweep."""

    def calls(self) -> int:
        """How many requests were made since it was asked last: they are counted against the pace."""

    def close(self) -> None:
        """Gives back what was opened."""


@dataclass(frozen=True, slots=True)
class Access:
    """What a connector is opened with."""

    settings: Mapping[str, str]
    secrets: Mapping[str, str] = field(default_factory=dict)
    zone: str = "UTC"
    """Of times that name none."""
    folder: str = ""
    """Where files of this connection lie."""
