"""Closes a book: from then on every door of it refuses, until it is opened again. Reading goes on."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from uptake.ledger.models import ChainHead
from uptake.ledger.post import lock_heads

LONGEST_WHY = 300


class Closed(NamedTuple):
    """Since when a book is closed, and why."""

    since: datetime
    why: str


@transaction.atomic
def close_book(*, book: int, why: str, now: datetime) -> bool:
    """Close the book once whoever writes in it has finished; whether it was open."""
    head = lock_heads([book])[book]
    if head.closed_at is not None:
        return False
    ChainHead.objects.filter(book=book).update(closed_at=now, closed_why=why[:LONGEST_WHY])
    return True


@transaction.atomic
def open_book(*, book: int) -> bool:
    """Open the book again; whether it was closed."""
    return bool(ChainHead.objects.filter(book=book, closed_at__isnull=False).update(closed_at=None, closed_why=None))


def closed_books() -> dict[int, Closed]:
    """The books that are closed."""
    rows = ChainHead.objects.filter(closed_at__isnull=False).order_by("book")
    return {row.book: Closed(row.closed_at, row.closed_why or "") for row in rows if row.closed_at is not None}
