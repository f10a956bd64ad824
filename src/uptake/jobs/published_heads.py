"""Do the heads that were published day by day still stand in the chains? I17, asked of the audit log."""

from __future__ import annotations

from typing import Final

from uptake.directory.models import AuditEntry
from uptake.ledger.models import Transfer
from uptake.ledger.verify import MOST_PROBLEMS, Problem

PUBLISHED: Final = "ledger.published"
DAYS: Final = 400
"""Heads of a book that are looked for: those of somewhat more than the last year."""


def problems_of(book: int) -> list[Problem]:
    """Published heads that are no longer what the chain says at their place.

    Whoever makes a whole chain anew has a chain that holds, with other hashes.
    """
    rows = AuditEntry.objects.filter(deed=PUBLISHED, details__book=book).order_by("-pk")
    told = {(one["seq"], one["hash"]) for one in rows.values_list("details", flat=True)[:DAYS] if one["seq"]}
    chain = Transfer.objects.filter(book=book, seq__in=[seq for seq, _ in told])
    stands = dict(chain.values_list("seq", "hash"))
    return [
        Problem(book, "I17", seq, "Its hash is not the one that was published in the audit log")
        for seq, published in sorted(told)
        if stands.get(seq) != published
    ][:MOST_PROBLEMS]
