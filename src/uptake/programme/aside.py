"""Which companies are put aside, and which events a considering is about while some are. Values and reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from traceback import walk_tb
from typing import Any, Final

from django.db import InterfaceError, OperationalError
from django.db.models import Q

from uptake.events.models import Event
from uptake.events.read import START, Position, later_than, positions_of
from uptake.programme.gather import many
from uptake.programme.models import PutAside
from uptake.programme.publish import READER

FIRST_PAUSE: Final = timedelta(seconds=30)
LONGEST_PAUSE: Final = timedelta(hours=1)
LONGEST: Final = 300
"""Characters that are kept of a failure."""
_PACKAGE: Final = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Apart:
    """Whose events are considered: of all companies but those put aside, or only what one of them has missed."""

    without: frozenset[int] = frozenset()
    """Companies in which nothing is folded and nothing posted."""
    only: int | None = None
    """The one that catches up."""
    read: Position = START
    """How far its events were considered before; further than that, only what is handed over counts."""

    def __bool__(self) -> bool:
        return bool(self.without) or self.only is not None

    @property
    def events(self) -> Q:
        """Which events can matter. An event that names no company may be placed, a revision stands for others."""
        if self.only is not None:
            return Q(company=self.only) | Q(company__isnull=True) | Q(revision__gt=1)
        if self.without:
            return Q(company__isnull=True) | Q(revision__gt=1) | ~Q(company__in=self.without)
        return Q()

    def that_matter(self, ids: list[int]) -> list[int]:
        """Of these events, those that can matter, in their order."""
        if not self or not ids:
            return ids
        found = set(Event.objects.filter(self.events, pk__in=many(ids)).values_list("pk", flat=True))
        return [pk for pk in ids if pk in found]

    def unread(self, ids: Iterable[int]) -> set[int]:
        """Of these events, those that were never considered."""
        return set(Event.objects.filter(later_than(self.read), pk__in=many(set(ids))).values_list("pk", flat=True))


EVERYBODY: Final = Apart()


def put_aside_now() -> frozenset[int]:
    """The companies that are put aside."""
    return frozenset(PutAside.objects.values_list("pk", flat=True))


def read_so_far() -> tuple[Any, ...]:
    """How far events were considered, of all companies: as long as it is the same, so are the awards."""
    aside = PutAside.objects.order_by("pk").values_list(
        "pk", "event_txid", "event_id", "correction_txid", "correction_id"
    )
    return (*positions_of(READER), *aside)


def is_of_events(problem: Exception) -> bool:
    """Whether a failure can be one of some company's events: not where the database was lost, or another writer won."""
    return not isinstance(problem, OperationalError | InterfaceError)


def told(problem: BaseException) -> str:
    """What failed and where, without a word of what was being considered: that may be about people."""
    named = type(problem).__name__
    constraint = getattr(getattr(problem.__cause__, "diag", None), "constraint_name", None)
    if constraint:
        named += f" ({constraint})"
    ours = [frame for frame, _line in walk_tb(problem.__traceback__) if _is_ours(frame.f_code.co_filename)]
    where = ""
    if ours:
        code = ours[-1].f_code
        where = f": {Path(code.co_filename).relative_to(_PACKAGE.parent).as_posix()}, {code.co_name}"
    return f"{named}{where}"[:LONGEST]


def _is_ours(filename: str) -> bool:
    return Path(filename).is_relative_to(_PACKAGE)


def pause_after(tries: int) -> timedelta:
    """How long until the next try, after so many in vain."""
    return min(timedelta(seconds=FIRST_PAUSE.total_seconds() * 2.0 ** min(tries - 1, 20)), LONGEST_PAUSE)
