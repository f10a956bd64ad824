"""Is everything true that was promised about points? The ledger, and all rooms that write by it, asked at once.

The command asks when somebody wants to know; the job asks once a day, so that nobody has to remember.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from uptake.directory.audit import note
from uptake.directory.models import AuditEntry
from uptake.jobs.causes import problems_of as problems_of_causes
from uptake.jobs.published_heads import PUBLISHED
from uptake.jobs.published_heads import problems_of as problems_of_heads
from uptake.ledger.verify import Problem, Report
from uptake.ledger.verify import verify as verify_ledger
from uptake.programme.governance.verify import problems_of as problems_of_appeals
from uptake.programme.merits.verify import problems_of as problems_of_boards
from uptake.programme.retroactive.verify import problems_of as problems_of_retroactive
from uptake.programme.rewards.verify import problems_of as problems_of_rewards
from uptake.programme.verify import problems_of as problems_of_awards
from uptake.programme.verify_again import problems_of as problems_of_folds
from uptake.programme.verify_kept import problems_of as problems_of_kept
from uptake.programme.verify_living import problems_of as problems_of_living

MORE: tuple[Callable[[int], list[Problem]], ...] = (
    problems_of_heads,
    problems_of_causes,
    problems_of_awards,
    problems_of_folds,
    problems_of_kept,
    problems_of_living,
    problems_of_rewards,
    problems_of_boards,
    problems_of_appeals,
    problems_of_retroactive,
)
"""What rooms that write by the ledger check of a book beside it."""
VERIFIED: Final = "ledger.verified"
BROKEN: Final = "ledger.broken"
EVERY: Final = timedelta(hours=24)
TOLD: Final = 20
"""Problems named in the audit log."""


class LedgerBroken(Exception):
    """Something that was promised about points does not hold."""

    def __init__(self, report: Report) -> None:
        first = report.problems[0]
        where = f", transfer {first.seq}" if first.seq is not None else ""
        super().__init__(
            f"{len(report.problems)} problems; the first: book {first.book}{where}: {first.invariant}: {first.what}"
        )
        self.report = report


def verify_everything(*, book: int | None = None, tell: Callable[[int], None] | None = None) -> Report:
    """What the ledger promises, and what the rooms beside it do, of one book or of all."""
    report = verify_ledger(book=book, tell=tell)
    return Report(
        tuple(
            replace(one, problems=(*one.problems, *(problem for ask in MORE for problem in ask(one.book))))
            for one in report.books
        )
    )


def verify_daily(*, now: datetime) -> int:
    """Verifies everything once a day and notes in the audit log what came of it; gives how many books there are.

    The first time is a day after the heads were first published. Raises LedgerBroken where something does not hold: the
    job then shows as failed, is tried again, and is noted once a day, until all is well.
    """
    notes = AuditEntry.objects.order_by("at").values_list("at", flat=True)
    before = notes.filter(deed=VERIFIED).last() or notes.filter(deed=PUBLISHED).first()
    if before is None or now - before < EVERY:
        return 0
    report = verify_everything()
    broken = not report.holds
    if not broken or not notes.filter(deed=BROKEN, at__gt=now - EVERY).exists():
        details = {
            "books": len(report.books),
            "transfers": report.transfers,
            "problems": [
                {"book": one.book, "invariant": one.invariant, "seq": one.seq, "what": one.what}
                for one in report.problems[:TOLD]
            ],
        }
        note(deed=BROKEN if broken else VERIFIED, actor="job", organization=None, details=details, now=now)
    if broken:
        raise LedgerBroken(report)
    return len(report.books)
