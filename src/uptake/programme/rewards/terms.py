"""What the rulebook of a company says about redemptions on the date it is now there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from uptake.basics.business_day import Clock
from uptake.directory.models import Organization
from uptake.directory.place import settings_at
from uptake.ledger.hold import Grace
from uptake.programme.in_force import parsed, rulebook_version_on
from uptake.programme.rulebook import Programme, Rulebook

BACK_DAYS: Final = 7
"""How long points can be spent that come back after they expired."""
REFUND_DAYS: Final = 30
"""The same where they come back by a refund."""
ONE_DAY: Final = timedelta(days=1)
NO_RULEBOOK: Final = Rulebook()


@dataclass(frozen=True, slots=True)
class Terms:
    """The clock of a company, its date now, and its rulebook in force."""

    clock: Clock
    today: date
    rulebook: Rulebook

    @property
    def programme(self) -> Programme:
        return self.rulebook.programme

    def start_of(self, day: date) -> datetime:
        return self.clock.start_of(day)

    @property
    def times_out_at(self) -> datetime:
        """When what is requested today times out."""
        return self.start_of(self._last_open + ONE_DAY)

    @property
    def grace_of_time_out(self) -> Grace:
        """How long points then live whose lot has expired."""
        return self._grace(self._last_open + ONE_DAY, BACK_DAYS)

    def grace(self, days: int = BACK_DAYS) -> Grace:
        """How long points live that come back today."""
        return self._grace(self.today, days)

    @property
    def _last_open(self) -> date:
        return self.today + timedelta(days=self.programme.redemption_timeout_days)

    def _grace(self, day: date, days: int) -> Grace:
        last = day + timedelta(days=days)
        return Grace(last, self.start_of(last + ONE_DAY))


def terms_of(company: Organization, now: datetime) -> Terms:
    """Those of a company at this instant."""
    clock = settings_at(company)
    today = clock.date_of(now)
    version = rulebook_version_on(company, today)
    return Terms(clock, today, parsed(version.pk, version.sha256) if version else NO_RULEBOOK)
