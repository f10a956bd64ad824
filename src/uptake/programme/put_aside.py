"""Puts companies aside whose events cannot be considered, so that the others go on, and notes how each try went."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from uptake.directory.audit import note
from uptake.directory.models import Kind, Organization
from uptake.directory.viewer import Deed, NotAllowed, Viewer
from uptake.events import wake
from uptake.events.read import Position
from uptake.programme.aside import pause_after, told
from uptake.programme.models import PutAside
from uptake.programme.tell_trouble import PUT_ASIDE as TOLD
from uptake.programme.tell_trouble import tell_trouble

PUT_ASIDE = "considering.put_aside"
FOUND_AGAIN = "considering.caught_up"
ASKED = "considering.asked_again"
"""Deeds in the audit log."""


def put_aside(companies: Collection[int], *, events: Position, corrections: Position, now: datetime) -> None:
    """From these positions on the events of the companies wait beside the bookmark. Who is put aside already stays so.

    Call it with the bookmark locked.
    """
    PutAside.objects.bulk_create(
        [
            PutAside(
                company_id=company,
                since=now,
                event_txid=events.txid,
                event_id=events.id,
                correction_txid=corrections.txid,
                correction_id=corrections.id,
                next_try_at=now,
            )
            for company in sorted(companies)
        ],
        ignore_conflicts=True,
        batch_size=100,
    )


def companies_considered() -> set[int]:
    """All companies: nobody else has points."""
    return set(Organization.objects.filter(kind=Kind.COMPANY).values_list("pk", flat=True))


def send_back(companies: Collection[int], *, to: int) -> None:
    """These companies, which are put aside, begin no later than another one: something of theirs was left to them.

    Call it before the other one's positions are moved.
    """
    other = PutAside.objects.get(pk=to)
    rows = PutAside.objects.filter(pk__in=sorted(companies))
    for txid, pk in (("event_txid", "event_id"), ("correction_txid", "correction_id")):
        place = (getattr(other, txid), getattr(other, pk))
        later = Q(**{f"{txid}__gt": place[0]}) | Q(**{txid: place[0], f"{pk}__gt": place[1]})
        rows.filter(later).update(**dict(zip((txid, pk), place, strict=True)))


@transaction.atomic
def note_failure(company: int, problem: Exception, *, now: datetime) -> bool:
    """The company stays aside, and is tried again after a pause that grows; gives whether this is the first failure."""
    row = PutAside.objects.select_for_update(of=("self",)).filter(pk=company).first()
    if row is None:
        return False
    first = not row.what
    row.what, row.failed_at = told(problem), now
    row.tries += 1
    row.next_try_at = now + pause_after(row.tries)
    row.save()
    if first:
        place = Organization.objects.get(pk=company)
        note(deed=PUT_ASIDE, actor="job", organization=place, details={"what": row.what}, now=now)
        tell_trouble(TOLD, place, since=row.since, now=now)
    return first


def take_back_in(row: PutAside, *, now: datetime) -> None:
    """The company has missed nothing any more: it is considered with all others again."""
    if row.what:
        details = {"since": row.since.isoformat(), "tries": row.tries}
        note(deed=FOUND_AGAIN, actor="job", organization=row.company, details=details, now=now)
    row.delete()


@transaction.atomic
def try_again(*, company: Organization, by: Viewer, now: datetime) -> bool:
    """Has the company's missed events considered as soon as a job comes to it; whether it is put aside at all.

    Raises NotAllowed.
    """
    if not by.may(Deed.RUN_PLATFORM, company):
        raise NotAllowed
    found = PutAside.objects.filter(pk=company.pk).update(next_try_at=now)
    if found:
        note(deed=ASKED, actor=by, organization=company, now=now)
        transaction.on_commit(wake.ring)
    return bool(found)
