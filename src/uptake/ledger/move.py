"""Move points between accounts that are nobody's: fund a budget, fill or empty an escrow; and forfeit a person's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from uptake.ledger.accounts import AVAILABLE, FORFEITED, ISSUED, PENDING, owner_of, person
from uptake.ledger.elapse import bring_up_to_date
from uptake.ledger.lots import draw, spend_order
from uptake.ledger.models import Kind
from uptake.ledger.post import NotEnoughPoints, check_key, content_of, known_entries, open_sheet


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of a move."""

    key: str
    points: int
    replayed: bool


def move(
    *,
    book: int,
    key: str,
    source: str,
    target: str,
    points: int,
    cause: str,
    now: datetime,
    reason: str = "",
    explanation: Mapping[str, Any] | None = None,
) -> Moved:
    """Move points between two accounts of the programme, a budget or an escrow. A person's points have lots, and move
    by grants, take-backs and holds only.

    Raises KeyConflict, NotEnoughPoints.
    """
    check_key(key)
    assert points > 0, "A move is of at least one point"
    assert source != target, "A move has two ends"
    assert owner_of(source) is None, "A person's points do not move here"
    assert owner_of(target) is None, "A person's points do not move here"
    content = content_of("move", source, target, points, cause, reason)
    with transaction.atomic():
        sheet = open_sheet(books=[book], now=now)
        if known_entries({(book, key): content}):
            return Moved(key, points, replayed=True)
        if source != ISSUED and (has := sheet.balance(book, source)) < points:
            raise NotEnoughPoints(source, has, points)
        entry = sheet.entry(
            book=book,
            key=key,
            kind=Kind.MOVED,
            content=content,
            owner="",
            points=points,
            reason=reason,
            cause=cause,
            explanation=explanation or {},
            effective_at=now,
        )
        sheet.move(entry, Kind.MOVED, source, target, points)
        sheet.post()
    return Moved(key, points, replayed=False)


def forfeit(
    *,
    book: int,
    key: str,
    owner: str,
    cause: str,
    now: datetime,
    target: str = FORFEITED,
    points: int | None = None,
    reason: str = "",
    explanation: Mapping[str, Any] | None = None,
) -> Moved:
    """All available and pending points of a person who leaves go to `target` (or a budget). Held ones stay held.

    points: only so many, and only of those available, in spend order. Raises KeyConflict, NotEnoughPoints. The
    result's `points` is how many went.
    """
    check_key(key)
    assert owner_of(target) is None, "Forfeited points go to no person"
    assert points is None or points > 0, "A part of a person's points is forfeited in whole points"
    parts = () if points is None else (points,)
    content = content_of("forfeit", owner, target, cause, reason, *parts)
    with transaction.atomic():
        sheet = open_sheet(books=[book], now=now)
        if known := known_entries({(book, key): content}):
            return Moved(key, known[book, key], replayed=True)
        bring_up_to_date(sheet, [(book, owner)])
        if points is None:
            lots = [*sheet.spendable_lots(book, owner), *sheet.pending_lots(book, owner)]
            leaving = [
                (lot, where, part)
                for lot in sorted(lots, key=spend_order)
                for where, part in ((AVAILABLE, lot.available), (PENDING, lot.pending))
            ]
        else:
            has = sheet.balance(book, person(owner, AVAILABLE))
            if has < points:
                raise NotEnoughPoints(person(owner, AVAILABLE), has, points)
            leaving = [(lot, AVAILABLE, part) for lot, part in draw(sheet.spendable_lots(book, owner), points)]
        entry = sheet.entry(
            book=book,
            key=key,
            kind=Kind.FORFEITED,
            content=content,
            owner=owner,
            points=sum(part for _, _, part in leaving),
            reason=reason,
            cause=cause,
            explanation=explanation or {},
            effective_at=now,
        )
        for lot, where, part in leaving:
            if part:
                sheet.move(entry, Kind.FORFEITED, person(owner, where), target, part, lot=lot)
        sheet.post()
    return Moved(key, entry.points, replayed=False)
