"""Declares that the system of a company is probed at an address, and ends it."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from django.db import transaction

from uptake.connectors.models import Probe
from uptake.connectors.probes.allowed import Allowed, proper
from uptake.directory.audit import note
from uptake.directory.models import Kind, Organization
from uptake.directory.viewer import Deed, NotAllowed, Viewer

EVERY_MINUTES = (1, 5, 15)
MOST = 50
"""Probes of one company."""


class ProbeRefused(Exception):
    """It was not declared; the class says why."""


class NoSystemName(ProbeRefused):
    """The system has no name, or one of more than 100 characters."""


class NotOnTheList(ProbeRefused):
    """The host is not on the installation's list."""


class TooMany(ProbeRefused):
    """The company has as many as one may have."""


@transaction.atomic
def declare_probe(
    *, organization: Organization, system: str, address: str, minutes: int, allowed: Allowed, by: Viewer, now: datetime
) -> Probe:
    """The address is asked every so many minutes from now on. The same again gives the one that is there.

    Raises NotAllowed, WrongAddress or ProbeRefused.
    """
    assert minutes in EVERY_MINUTES, "chosen from a list"
    if organization.kind != Kind.COMPANY or not by.may(Deed.MANAGE_DATA, organization):
        raise NotAllowed
    place = Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    system, kept = " ".join(system.split()), proper(address)
    if not 0 < len(system) <= 100:
        raise NoSystemName
    if not allowed.host(urlsplit(kept).hostname or ""):
        raise NotOnTheList
    standing = Probe.objects.standing().filter(organization=place)
    if (there := standing.filter(address=kept).first()) is not None:
        return there
    if standing.count() >= MOST:
        raise TooMany
    made = Probe.objects.create(
        organization=place, system=system, address=kept, every_minutes=minutes, next_at=now, made_at=now,
        made_by_id=by.user_id,
    )  # fmt: skip
    details = {"id": made.pk, "address": kept, "minutes": minutes}
    note(deed="probe.declared", actor=by, organization=place, subject=system, details=details, now=now)
    return made


@transaction.atomic
def end_probe(*, probe: Probe, by: Viewer, now: datetime) -> Probe:
    """It is not asked any more; what was seen stays in the record. Safe to repeat. Raises NotAllowed."""
    found = Probe.objects.select_for_update(of=("self",)).select_related("organization").get(pk=probe.pk)
    if not by.may(Deed.MANAGE_DATA, found.organization):
        raise NotAllowed
    if found.ended_at is None:
        found.ended_at = now
        found.save(update_fields=["ended_at"])
        details = {"id": found.pk, "address": found.address}
        note(
            deed="probe.ended",
            actor=by,
            organization=found.organization,
            subject=found.system,
            details=details,
            now=now,
        )
    return found
