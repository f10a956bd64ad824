"""From when to when the points of an award can be spent: cooling-off and expiry."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import NamedTuple

from uptake.programme.periods import month_after
from uptake.programme.rulebook import Expiry, Programme, RuleVersion

ONE_DAY = timedelta(days=1)


class LotDates(NamedTuple):
    """When the points of a lot can be spent; instants in UTC."""

    available_from: datetime | None = None
    """None: from the event on."""
    last_date: date | None = None
    """The last business date; None: they never expire."""
    expires_at: datetime | None = None
    """The start of the business date after it."""
    inactive_days: int | None = None
    """Every deed of the person by the last date postpones it to so many days later; None: nothing does."""


ALWAYS = LotDates()


def lot_dates(programme: Programme, rule: RuleVersion, day: date) -> LotDates:
    """Those of an award of this business date, by the clock that holds on it: what was promised when points were earned
    stays, whatever the clock does later, and a late event gets what one in time would have got."""
    clock = programme.clock.as_on(day)
    begin = day + timedelta(days=rule.available_after_days)
    begins_at = clock.start_of(begin) if rule.available_after_days else None
    expiry = rule.expires or programme.expires
    last = last_date(programme, expiry, begin)
    if last is None:
        return LotDates(begins_at)
    expires_at = clock.start_of(last + ONE_DAY)
    return LotDates(begins_at, last, expires_at, expiry.inactive_days)


def last_date(programme: Programme, expiry: Expiry, begin: date) -> date | None:
    """The last business date of points that can be spent from the date `begin` on."""
    if expiry.days is not None:
        return begin + timedelta(days=expiry.days)
    if expiry.inactive_days is not None:
        return begin + timedelta(days=expiry.inactive_days)
    if expiry.end_of is None:
        return None
    after = month_after(begin)
    while expiry.end_of == "year" and after.month != programme.fiscal_year_start:
        after = month_after(after)
    return after - ONE_DAY
