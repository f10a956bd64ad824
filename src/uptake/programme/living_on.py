"""How long points that expire by inactivity live: on which dates people did something, and what follows for their lots.

A date counts for a person and a company if some event of theirs is of that date, whatever its name and whether or not
it earned, was undone, revised or history only; not while it waits in quarantine or after it was declined there, not if
it was received after the awards of its date had closed. What our own modules record is no use of business software and
keeps nothing alive: neither looking at one's points nor redeeming them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db import connection

from uptake.events.connect import OWN
from uptake.events.models import CorrectionKind
from uptake.events.read import Position
from uptake.ledger.postpone import Active, postpone
from uptake.programme.gather import Gathered, as_date, as_instant, pairs_of
from uptake.programme.in_force import RulebooksInForce
from uptake.programme.lanes import Lane
from uptake.programme.lot_dates import ONE_DAY
from uptake.programme.post_differences import Difference


def lived_until(last: date, inactive_days: int, days: Iterable[date]) -> date:
    """The last date of a lot whose own is `last`, after deeds on these rising dates: each by then postpones it."""
    for day in days:
        if day > last:
            break
        last = max(last, day + timedelta(days=inactive_days))
    return last


def runs_of(days: Iterable[date], inactive_days: int) -> list[tuple[date, date]]:
    """(first, last) of the runs of rising dates none of which is more than so many days after the one before."""
    runs: list[tuple[date, date]] = []
    for day in days:
        if runs and day <= runs[-1][1] + timedelta(days=inactive_days):
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    return runs


@dataclass(slots=True)
class LivingOn:
    """What people of some companies did, as far as their points live by it."""

    books: RulebooksInForce
    policies: Mapping[int, Collection[int]]
    """By company, after how many dates without a deed points of any of its rulebooks expire."""
    now: datetime
    _since: dict[Lane, date] = field(default_factory=dict)
    _here: dict[Lane, set[date]] = field(default_factory=lambda: defaultdict(set))
    """Dates that are known without asking."""
    _causes: dict[Lane, int] = field(default_factory=dict)
    _days: dict[Lane, Sequence[date]] = field(default_factory=dict)

    def look_at(self, events: Iterable[Gathered]) -> None:
        """Takes note of the events that are considered."""
        for one in events:
            bucket = one.bucket
            if bucket is None or bucket.company not in self.policies:
                continue
            lane = Lane(bucket.person, bucket.company)
            self._note(lane, one.date, one.id)
            ours = one.source == OWN or one.source.startswith(f"{OWN}-")
            if not one.withheld and not ours and self._in_time(lane.company, one.date, one.received_at):
                self._here[lane].add(one.date)

    def postpone(self, differences: Iterable[Difference] = ()) -> None:
        """Lets the lots there are live on; `differences`: what is going to be posted, whose dates must be known too."""
        for one in differences:
            award = one.award
            if one.given and one.lot.inactive_days is not None:
                self._note(Lane(award.person_id, award.company_id), award.date, award.event_id)
        asked = {lane: day for lane, day in self._since.items() if day < self._today(lane.company, day)}
        told = self.dates_since(asked)
        self._days = {lane: sorted(told[lane] if lane in asked else self._here[lane]) for lane in self._since}
        postpone(
            [
                Active(
                    lane.company,
                    str(lane.person),
                    inactive_days,
                    first,
                    last + timedelta(days=inactive_days),
                    self._ends_at(lane.company, last, inactive_days),
                    f"event/{self._causes[lane]}",
                )
                for lane, days in self._days.items()
                for inactive_days in sorted(self.policies[lane.company])
                for first, last in runs_of(days, inactive_days)
            ],
            now=self.now,
        )

    def date_lots(self, differences: Iterable[Difference]) -> None:
        """Gives lots that are going to be made the last date they have by all that is known of their owner."""
        for one in differences:
            lot, award = one.lot, one.award
            if not one.given or lot.inactive_days is None or lot.last_date is None:
                continue
            days = self._days.get(Lane(award.person_id, award.company_id), ())
            last = lived_until(lot.last_date, lot.inactive_days, days)
            if last != lot.last_date:
                active = last - timedelta(days=lot.inactive_days)
                ends_at = self._ends_at(award.company_id, active, lot.inactive_days)
                one.lot = lot._replace(last_date=last, expires_at=ends_at)

    def dates_since(self, since: Mapping[Lane, date], until: Position | None = None) -> dict[Lane, set[date]]:
        """The dates, from one of its own on, on which each person did something at the company. One query.

        `until`: how far events were read; None: all there are.
        """
        found: dict[Lane, set[date]] = {lane: set() for lane in since}
        if not since:
            return found
        first: dict[int, date] = {}
        for lane, day in since.items():
            first[lane.person] = min(day, first.get(lane.person, day))
        days = pairs_of(sorted(first.items()), ("bigint", "date"), ("person", "day"))
        low = "date(days.day, '-1 day')"
        if connection.vendor == "postgresql":
            low = "(days.day - 1)::timestamp AT TIME ZONE 'UTC'"
        read, place = "", list[int]()
        if until is not None and connection.vendor == "postgresql":
            read, place = "AND (e.txid, e.id) <= (%s, %s)", [until.txid, until.id]
        elif until is not None:
            read, place = "AND e.id <= %s", [until.id]
        said = "SELECT c.company_id FROM events_correction c WHERE c.event_id = e.id AND c.kind ="
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT days.person, COALESCE(e.company_id, ({said} '{CorrectionKind.PLACED.value}'"  # noqa: S608
                " ORDER BY c.id DESC LIMIT 1)), e.business_date, CAST(MIN(e.received_at) AS text)"
                f" FROM ({days.sql}) AS days JOIN directory_identity i ON i.person_id = days.person"
                f" JOIN events_event e ON e.identity_id = i.id AND e.happened_at >= {low}"
                " LEFT JOIN events_quarantine q ON q.event_id = e.id"
                f" WHERE e.business_date >= days.day AND e.source <> '{OWN}' AND e.source NOT LIKE '{OWN}-%%' {read}"
                f" AND (q.event_id IS NULL OR EXISTS ({said} '{CorrectionKind.ACCEPTED.value}')) GROUP BY 1, 2, 3",
                [*days.params, *place],
            )
            rows = cursor.fetchall()
        for person, company, day, received_at in rows:
            lane, when = Lane(person, company), as_date(day)
            if lane in found and when >= since[lane] and self._in_time(company, when, as_instant(received_at)):
                found[lane].add(when)
        return found

    def _note(self, lane: Lane, day: date, event: int) -> None:
        self._since[lane] = min(day, self._since.get(lane, day))
        self._causes.setdefault(lane, event)

    def _in_time(self, company: int, day: date, received_at: datetime) -> bool:
        rules = self.books.on(company, day)
        return rules is not None and received_at < rules[1].closes_at

    def _today(self, company: int, day: date) -> date:
        """The date of now by the clock that was in force on a date; after it nothing can have happened yet."""
        rules = self.books.on(company, day)
        if rules is None:
            return date.max
        programme = rules[1].rulebook.programme
        return programme.clock.date_of(self.now)

    def _ends_at(self, company: int, active: date, inactive_days: int) -> datetime:
        """The instant at which points expire that were last kept alive on a date, by the clock of that date."""
        rules = self.books.on(company, active)
        assert rules is not None, "a date counts only where a rulebook was in force"
        programme = rules[1].rulebook.programme
        return programme.clock.as_on(active).start_of(active + timedelta(days=inactive_days) + ONE_DAY)


def living_on(
    companies: Iterable[int], books: RulebooksInForce, events: Iterable[Gathered], now: datetime
) -> LivingOn | None:
    """What keeps points of these companies alive, with the events that are considered; None: nothing can."""
    policies = {company: days for company in companies if (days := books.window(company).inactive_days)}
    if not policies:
        return None
    found = LivingOn(books, policies, now)
    found.look_at(events)
    return found
