"""Closes the books of companies in whose ledger something does not hold, and opens them again."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.models import Organization
from uptake.directory.scope import Deed, NotAllowed, Viewer
from uptake.events import wake
from uptake.events.models import Bookmark, Correction, CorrectionKind
from uptake.events.read import positions_of
from uptake.jobs.whole_ledger import verify_everything
from uptake.ledger.close import close_book, closed_books
from uptake.ledger.close import open_book as open_again
from uptake.ledger.verify import OF_THE_DATABASE, Problem, Report, Verified
from uptake.programme.models import Award, PutAside
from uptake.programme.publish import READER
from uptake.programme.put_aside import put_aside
from uptake.programme.tell_trouble import CLOSED as TOLD
from uptake.programme.tell_trouble import tell_trouble

CLOSED = "ledger.closed"
OPENED = "ledger.opened"
"""Deeds in the audit log."""


class NotClosed(Exception):
    """The book is open."""


class WhyMissing(Exception):
    """A book is opened for a reason."""


class StillBroken(Exception):
    """Something does not hold in the book; nothing was changed. `first` is the first of it."""

    def __init__(self, first: Problem) -> None:
        super().__init__(f"{first.invariant}: {first.what}")
        self.first = first


def close_broken(report: Report, *, now: datetime) -> list[int]:
    """Closes the books in which the report found something, and puts their companies aside; gives those newly closed.

    What is wrong with the database as a whole is no fault of one book, and closes none; nor is a book closed of which
    an award waits to be moved to a company that is put aside.
    """
    return [one.book for one in report.books if _own_problems(one) and not _awaits(one.book) and _close(one, now)]


def _own_problems(one: Verified) -> list[Problem]:
    return [problem for problem in one.problems if not problem.what.startswith(OF_THE_DATABASE)]


def _awaits(book: int) -> bool:
    aside = PutAside.objects.exclude(pk=book).values("pk")
    moved = Correction.objects.filter(kind=CorrectionKind.PLACED, company_id__in=aside).values("event_id")
    return Award.objects.filter(company_id=book, event_id__in=moved).exists()


@transaction.atomic
def _close(one: Verified, now: datetime) -> bool:
    company = Organization.objects.filter(pk=one.book).first()
    if company is None:
        return False
    first = _own_problems(one)[0]
    Bookmark.objects.select_for_update().filter(reader=READER).first()  # considering locks it before it locks a book
    if not close_book(book=one.book, why=f"{first.invariant}: {first.what}", now=now):
        return False
    events, corrections = positions_of(READER)
    put_aside([company.pk], events=events, corrections=corrections, now=now)
    details = {"invariant": first.invariant, "seq": first.seq, "what": first.what, "problems": len(one.problems)}
    note(deed=CLOSED, actor="job", organization=company, details=details, now=now)
    tell_trouble(TOLD, company, since=now, now=now)
    return True


def open_book(*, company: Organization, by: Viewer, why: str, although: bool, now: datetime) -> None:
    """Opens the book of a company again if all holds, or although it does not; its missed events are considered.

    Raises NotAllowed, NotClosed, WhyMissing, StillBroken.
    """
    if not by.may(Deed.RUN_PLATFORM, company):
        raise NotAllowed
    if company.pk not in closed_books():
        raise NotClosed
    if not why.strip():
        raise WhyMissing
    problems = verify_everything(book=company.pk).problems
    if problems and not although:
        raise StillBroken(problems[0])
    with transaction.atomic():
        Bookmark.objects.select_for_update().filter(reader=READER).first()
        if not open_again(book=company.pk):
            raise NotClosed
        PutAside.objects.filter(pk=company.pk).update(next_try_at=now)
        details = {"why": why.strip()[:500], "problems": len(problems)}
        note(deed=OPENED, actor=by, organization=company, details=details, now=now)
        transaction.on_commit(wake.ring)
