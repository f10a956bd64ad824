"""Do the retroactive runs say what the ledger says?"""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import F, Q

from uptake.ledger.models import Entry
from uptake.ledger.verify import MOST_PROBLEMS, Problem
from uptake.programme.retroactive.models import RetroactiveLine, RetroactiveRun, RunState


def problems_of(book: int) -> list[Problem]:
    """What of I12 and I20 does not hold for the runs of the book, a few of each."""
    found: list[Problem] = []
    for invariant, check in (("I12", _posted), ("I20", _by_two)):
        for number, what in enumerate(check(book)):
            if number == MOST_PROBLEMS:
                break
            found.append(Problem(book, invariant, None, what))
    return found


def _posted(book: int) -> Iterator[str]:
    """Each line of a posted run has its entry, and there are no others."""
    lines = RetroactiveLine.objects.filter(run__organization_id=book, run__state=RunState.EXECUTED)
    wanted = {
        f"retroactive/{run}/{event}/{version}": (points, str(person))
        for run, event, version, points, person in lines.values_list(
            "run_id", "event_id", "run__version_id", "points", "person_id"
        )
    }
    rows = Entry.objects.filter(book=book, key__startswith="retroactive/")
    posted = {key: (points, owner) for key, points, owner in rows.values_list("key", "points", "owner")}
    for key in sorted(wanted.keys() | posted.keys()):
        if key not in posted:
            yield f"{key} is a line of a posted run and is not in the ledger"
        elif key not in wanted:
            yield f"{key} is in the ledger and is no line of a posted run"
        elif wanted[key] != posted[key]:
            yield f"{key}: the run says {wanted[key]}, the ledger {posted[key]}"


def _by_two(book: int) -> Iterator[str]:
    done = RetroactiveRun.objects.filter(organization_id=book, state__in=(RunState.APPROVED, RunState.EXECUTED))
    own = Q(approved_by_person__isnull=False) & Q(lines__person=F("approved_by_person")) & Q(corrects__isnull=True)
    for number in done.filter(own).distinct().values_list("pk", flat=True):
        yield f"Run {number} was approved by somebody who gains by it"
    nobody = done.filter(approved_at__isnull=True)
    for number in nobody.values_list("pk", flat=True):
        yield f"Run {number} was approved by nobody"
