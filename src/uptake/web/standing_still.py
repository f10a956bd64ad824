"""Which companies' points stand still, for the pages that say so: whoever belongs there, their rules managers, and who
runs the platform."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from uptake.directory.models import Organization
from uptake.directory.scope import Viewer
from uptake.events.models import Event
from uptake.events.read import Position, later_than
from uptake.ledger.close import Closed, closed_books
from uptake.programme.models import PutAside


@dataclass(frozen=True, slots=True)
class StandingStill:
    """A company whose events wait, or whose book is closed."""

    company: Organization
    since: datetime
    row: PutAside
    closed: Closed | None

    @property
    def waiting(self) -> int:
        """How many of its events were not considered yet."""
        after = later_than(Position(self.row.event_txid, self.row.event_id))
        return Event.objects.filter(after, company=self.company).count()


def standing_still(viewer: Viewer, company: Organization | None = None) -> list[StandingStill]:
    """The companies that stand still, as far as the viewer may know; of one company, or of all."""
    rows = PutAside.objects.visible_to(viewer).select_related("company").order_by("since", "pk")
    if company is not None:
        rows = rows.filter(company=company)
    found = list(rows)
    closed = closed_books() if found else {}
    told = [(row, closed.get(row.pk)) for row in found]
    return [
        StandingStill(row.company, shut.since if shut else row.since, row, shut)
        for row, shut in told
        if shut or row.what
    ]
