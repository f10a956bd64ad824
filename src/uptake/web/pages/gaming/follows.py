"""What a finding called real does in the programme: redemptions that wait on its points, level and boards."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from uptake.directory.scope import Viewer
from uptake.insight.gaming.decide import stake_of
from uptake.insight.gaming.models import Finding
from uptake.programme.lower_standing import Lowered, lower_standing, would_lower
from uptake.programme.rewards.models import Redemption
from uptake.programme.rewards.void_for import void_for, would_void


class InTheProgramme:
    """The doors behind `insight.gaming.decide.Follows`."""

    def free(
        self, *, person: int, company: int, points: int, before: datetime, cause: str, by: Viewer, now: datetime
    ) -> int:
        return void_for(person=person, company=company, points=points, before=before, cause=cause, by=by, now=now)

    def lower(self, *, person: int, company: int, events: Collection[int], cause: str, now: datetime) -> int:
        return lower_standing(person=person, company=company, events=events, cause=cause, now=now)


FOLLOWS = InTheProgramme()


@dataclass(frozen=True, slots=True)
class WouldFollow:
    """What deciders are shown before they call a finding real."""

    taken: int
    """Points on hold and in the redemptions that would be turned down, at most those of the finding."""
    redemptions: Sequence[Redemption]
    lowered: Lowered


def would_follow(found: Finding, now: datetime) -> WouldFollow:
    stake = stake_of(found)
    person, company = found.person_id, found.company_id
    waiting = would_void(person=person, company=company, points=stake.waiting, before=found.found_at, now=now)
    taken = min(stake.points, found.held + sum(row.price for row in waiting))
    return WouldFollow(taken, waiting, would_lower(person=person, company=company, events=stake.events, now=now))
