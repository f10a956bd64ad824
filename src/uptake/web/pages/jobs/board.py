"""What the page needs to know of the jobs, whom it does not import: the configuration of the house joins the two."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from uptake.directory.models import Organization
from uptake.directory.scope import Viewer


class Line(Protocol):
    """One job as it is shown."""

    @property
    def name(self) -> str: ...
    @property
    def sentence(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def failures(self) -> int: ...


class Board(Protocol):
    """The jobs, and the door to ask for a run of one."""

    UnknownJob: type[Exception]
    NotClosed: type[Exception]
    WhyMissing: type[Exception]
    StillBroken: type[Exception]

    def lines(self, *, now: datetime) -> Sequence[Line]: ...
    def ask_for(self, *, name: str, by: Viewer, now: datetime) -> Any: ...
    def open_book(self, *, company: Organization, by: Viewer, why: str, although: bool, now: datetime) -> None: ...


_plugged: list[Board] = []


def plug_in(board: Any) -> None:
    """Join the page with the jobs of this house; anything with the names of `Board` will do."""
    _plugged[:] = [board]


def board() -> Board:
    """The jobs of this house."""
    assert _plugged, "the configuration plugs the jobs in before a page is asked for"
    return _plugged[0]
