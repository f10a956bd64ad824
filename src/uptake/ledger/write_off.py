"""Writes a person's debt off: what is owed is owed no more, by an entry that says who decided it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Max

from uptake.ledger.accounts import DEBT, ISSUED, owner_of, person
from uptake.ledger.elapse import bring_up_to_date
from uptake.ledger.models import Account, Kind, Transfer
from uptake.ledger.move import Moved
from uptake.ledger.post import check_key, content_of, known_entries, open_sheet


class Owed(NamedTuple):
    """A person's debt in a book."""

    owner: str
    points: int
    since: datetime
    """When the debt last grew."""


def small_debts(*, book: int, most: int, grown_before: datetime) -> list[Owed]:
    """The debts of at most so many points that did not grow since an instant, by owner."""
    rows = Account.objects.filter(book=book, code__startswith="person/", code__endswith=f"/{DEBT}")
    owing = {row.pk: row for row in rows.filter(balance__gt=0, balance__lte=most)}
    if not owing:
        return []
    grown = (
        Transfer.objects.filter(book=book, kind=Kind.DEBT_INCURRED, target_id__in=list(owing))
        .values_list("target_id")
        .annotate(Max("posted_at"))
    )
    found = [
        Owed(owner_of(owing[account].code) or "", owing[account].balance, since)
        for account, since in grown
        if since <= grown_before
    ]
    return sorted(found)


def write_off(
    *,
    book: int,
    key: str,
    owner: str,
    most: int,
    cause: str,
    now: datetime,
    reason: str = "",
    explanation: Mapping[str, Any] | None = None,
) -> Moved:
    """What the person owes, if it is at most `most`, is owed no more; the result tells how much. Once per key.

    A debt of 0, or one that has grown beyond, leaves no entry. Raises KeyConflict.
    """
    check_key(key)
    assert most > 0, "A debt is of at least one point"
    content = content_of("write_off", owner, cause, reason)
    with transaction.atomic():
        sheet = open_sheet(books=[book], now=now)
        if known := known_entries({(book, key): content}):
            return Moved(key, known[book, key], replayed=True)
        owed = person(owner, DEBT)
        sheet.load_accounts({(book, owed)})
        bring_up_to_date(sheet, [(book, owner)])
        points = sheet.balance(book, owed)
        if not 0 < points <= most:
            return Moved(key, 0, replayed=False)
        entry = sheet.entry(
            book=book,
            key=key,
            kind=Kind.WRITTEN_OFF,
            content=content,
            owner=owner,
            points=points,
            reason=reason,
            cause=cause,
            explanation=explanation or {},
            effective_at=now,
        )
        sheet.move(entry, Kind.WRITTEN_OFF, owed, ISSUED, points)
        sheet.post()
    return Moved(key, points, replayed=False)
