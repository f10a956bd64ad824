"""Small debts are written off after some days, where the terms of the place say so."""

from __future__ import annotations

from datetime import datetime, timedelta

from uptake.directory.audit import note
from uptake.directory.models import Kind, Organization
from uptake.directory.place import settings_at
from uptake.directory.viewer import ids_of
from uptake.ledger.close import closed_books
from uptake.ledger.write_off import small_debts, write_off
from uptake.notify.tell import Telling, tell
from uptake.programme.governance.models import Committee

WRITTEN_OFF = "debt.written_off"


def debt_terms_of(company: Organization) -> Committee | None:
    """The terms that say which debts of the company's people are written off: its own, else those of its park."""
    rows = {row.organization_id: row for row in Committee.objects.filter(organization_id__in=ids_of(company.path))}
    return next((rows[key] for key in reversed(ids_of(company.path)) if key in rows), None)


def write_off_debts(*, now: datetime) -> int:
    """Writes off every debt at or below its place's bound that did not grow for the days set there; how many.

    Each has an entry that names the terms, a line in the audit log, and a message. Safe to repeat.
    """
    if not Committee.objects.filter(debt_most__gt=0).exists():
        return 0
    done = 0
    for company in Organization.objects.filter(kind=Kind.COMPANY).exclude(pk__in=closed_books()).order_by("pk"):
        terms = debt_terms_of(company)
        if terms is None or not terms.debt_most:
            continue
        before = now - timedelta(days=terms.debt_days)
        for owed in small_debts(book=company.pk, most=terms.debt_most, grown_before=before):
            done += _write_off(company, terms, owed.owner, owed.since, now)
    return done


def _write_off(company: Organization, terms: Committee, owner: str, since: datetime, now: datetime) -> bool:
    key = f"debt/{owner}/{since.isoformat()}"
    day = settings_at(company).date_of(now)
    moved = write_off(
        book=company.pk,
        key=key,
        owner=owner,
        most=terms.debt_most,
        cause=f"terms/{terms.pk}",
        now=now,
        reason=WRITTEN_OFF,
        explanation={"terms_of": terms.organization_id, "most": terms.debt_most, "days": terms.debt_days},
    )
    if moved.replayed or not moved.points:
        return False
    details = {"person": int(owner), "points": moved.points, "most": terms.debt_most, "days": terms.debt_days}
    note(deed=WRITTEN_OFF, actor="job", organization=company, subject=f"#{owner}", details=details, now=now)
    content = {"points": moved.points, "date": day.isoformat()}
    tell([Telling(person_id=int(owner), key=key, kind=WRITTEN_OFF, content=content)], now=now)
    return True
