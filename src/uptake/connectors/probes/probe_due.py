"""Asks the addresses whose time has come, side by side, and writes down what was seen as events `system.probed`.

An address that several companies declared is asked once for all of them, and never twice within a minute. Where it is
not asked (its host is no longer on the list), nothing is recorded: not to look is no outage.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from django.db import transaction

from uptake.connectors.models import Probe
from uptake.connectors.probes.allowed import Allowed
from uptake.connectors.probes.look import Seen, look
from uptake.directory.models import Organization
from uptake.events.record_own import OwnDeed, record_own

PROBED = "system.probed"
LEAST = timedelta(minutes=1)
"""An address is not asked again before."""
AT_ONCE = 8
A_TURN = 40
Look = Callable[[str], Seen]


def probe_due(*, clock: Callable[[], datetime], allowed: Allowed, ask: Look | None = None) -> int:
    """How many probes were due and are answered."""
    if not allowed:
        return 0
    now = clock()
    rows = Probe.objects.standing().filter(next_at__lte=now, organization__in=Organization.objects.open())
    due = list(rows.select_related("organization").order_by("next_at", "pk")[:A_TURN])
    seen = _just_seen({one.address for one in due}, now)
    wanted = sorted({one.address for one in due} - seen.keys())
    one_by_one = ask or (lambda address: look(address, allowed=allowed))
    if len(wanted) == 1:
        seen[wanted[0]] = one_by_one(wanted[0])
    elif wanted:
        with ThreadPoolExecutor(min(AT_ONCE, len(wanted)), "probe") as pool:
            seen |= dict(zip(wanted, pool.map(one_by_one, wanted), strict=True))
    return sum(_keep(one, seen[one.address], clock()) for one in due)


def _just_seen(addresses: set[str], now: datetime) -> dict[str, Seen]:
    """What was seen within the last minute at any of these addresses, for whomever it was asked."""
    rows = Probe.objects.filter(address__in=addresses, looked_at__gt=now - LEAST).order_by("looked_at")
    return {
        one.address: Seen(one.up, one.code, one.detail, one.status, one.milliseconds, one.certificate_until)
        for one in rows
    }


@transaction.atomic
def _keep(probe: Probe, seen: Seen, now: datetime) -> bool:
    """False where somebody else was sooner, or it was ended meanwhile."""
    found = Probe.objects.select_for_update(of=("self",)).select_related("organization").get(pk=probe.pk)
    if found.ended_at is not None or found.next_at != probe.next_at:
        return False
    if seen.up is not None:
        facts = {"up": seen.up} | ({} if seen.milliseconds is None else {"milliseconds": seen.milliseconds})
        deed = OwnDeed(
            found.organization_id, None, PROBED, f"{found.pk}/{now.isoformat()}", now, found.system, facts
        )  # fmt: skip
        record_own([deed], now=now)
    if found.since is None or found.up != seen.up:
        found.since = now
    found.up, found.code, found.detail, found.status = seen.up, seen.code, seen.detail, seen.status
    found.milliseconds, found.certificate_until = seen.milliseconds, seen.certificate_until
    found.looked_at, found.next_at = now, now + timedelta(minutes=found.every_minutes)
    found.save()
    return True
