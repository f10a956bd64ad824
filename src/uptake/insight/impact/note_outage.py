"""Notes that a system could not be used, when it could again, and takes a note back."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.models import Organization
from uptake.directory.viewer import NotAllowed, Viewer
from uptake.insight.impact.models import MANAGING, Outage

LONGEST = timedelta(days=60)
EARLIEST = timedelta(days=732)


class OutageRefused(Exception):
    """It was not noted; the class says why."""


class NoSystem(OutageRefused):
    """No system is named, or its name or the text is too long."""


class WrongTimes(OutageRefused):
    """It ends before it begins, lies in the future or more than two years back, or lasts more than 60 days."""


@transaction.atomic
def note_outage(
    *,
    organization: Organization,
    system: str,
    text: str,
    began_at: datetime,
    ended_at: datetime | None,
    by: Viewer,
    now: datetime,
) -> Outage:
    """`ended_at` None: it lasts. The same again gives the one that is there. Raises NotAllowed or OutageRefused."""
    _allowed(organization, by)
    system, text = " ".join(system.split()), " ".join(text.split())
    if not 0 < len(system) <= 100 or len(text) > 300:
        raise NoSystem
    _sensible(began_at, ended_at, now)
    said = {"organization": organization, "system": system, "began_at": began_at, "ended_at": ended_at}
    there = Outage.objects.standing().filter(**said).first()
    if there is not None:
        return there
    made = Outage.objects.create(**said, text=text, made_at=now, made_by_id=by.user_id)
    _note("outage.noted", made, by, now)
    return made


@transaction.atomic
def end_outage(*, outage: Outage, ended_at: datetime, by: Viewer, now: datetime) -> Outage:
    """The system can be used again since `ended_at`; what has ended already stays. Raises NotAllowed or WrongTimes."""
    found = _locked(outage, by)
    if found.ended_at is None and found.withdrawn_at is None:
        _sensible(found.began_at, ended_at, now)
        found.ended_at = ended_at
        found.save(update_fields=["ended_at"])
        _note("outage.ended", found, by, now)
    return found


@transaction.atomic
def withdraw_outage(*, outage: Outage, by: Viewer, now: datetime) -> Outage:
    """It was noted wrongly and counts no more. Safe to repeat. Raises NotAllowed."""
    found = _locked(outage, by)
    if found.withdrawn_at is None:
        found.withdrawn_at = now
        found.save(update_fields=["withdrawn_at"])
        _note("outage.withdrawn", found, by, now)
    return found


def _sensible(began_at: datetime, ended_at: datetime | None, now: datetime) -> None:
    end = now if ended_at is None else ended_at
    if not now - EARLIEST <= began_at < end <= now or end - began_at > LONGEST:
        raise WrongTimes


def _locked(outage: Outage, by: Viewer) -> Outage:
    found = Outage.objects.select_for_update(of=("self",)).select_related("organization").get(pk=outage.pk)
    _allowed(found.organization, by)
    return found


def _note(deed: str, outage: Outage, by: Viewer, now: datetime) -> None:
    place = outage.organization
    note(deed=deed, actor=by, organization=place, subject=outage.system, details={"id": outage.pk}, now=now)


def _allowed(organization: Organization, by: Viewer) -> None:
    if not any(by.may(deed, organization) for deed in MANAGING):
        raise NotAllowed
