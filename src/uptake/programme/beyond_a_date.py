"""Reads what the folds beyond a date need, for many people at once, and folds them: lanes, with all that is beside."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import NamedTuple

from uptake.basics.business_day import business_date, start_of
from uptake.directory.leave import days_of_leave
from uptake.directory.models import Organization
from uptake.directory.place import settings_of
from uptake.ledger.models import Lot
from uptake.programme.evaluate import DayRules, Key, Outcome, closing_of
from uptake.programme.gather import AwardRow, Bucket, Gathered, standings_of, used_before
from uptake.programme.in_force import LONGEST_PERIOD, RulebooksInForce
from uptake.programme.lanes import Beside, Lane, LaneLevel, fold_lane
from uptake.programme.person_fold import Seasons, Special
from uptake.programme.reversal_marks import Links, Marks, links_of
from uptake.programme.standing import Standing

SPECIAL = "special/"
"""How the keys of lots of special points begin."""


class Folded(NamedTuple):
    """An outcome with where it came about: the bucket, the rulebook version's id and its rules of that date."""

    bucket: Bucket
    version: int
    rules: DayRules
    outcome: Outcome


class Reach(NamedTuple):
    """From which date on a lane's awards may change, and from which on its events must be known (None: all)."""

    changes: date
    known: date | None
    counts_ever: bool


@dataclass(frozen=True, slots=True)
class LanesFolded:
    """The outcomes of some lanes, and where people stand where there are levels."""

    outcomes: list[Folded] = field(default_factory=list)
    levels: dict[Lane, LaneLevel] = field(default_factory=dict)


def lanes_of(
    buckets: Iterable[Bucket],
    books: RulebooksInForce,
    companies: Iterable[int],
    now: datetime,
    handed_over: Collection[Lane] = (),
) -> dict[Lane, Reach]:
    """The people who must be folded beyond a date: where some rulebook of their company looks back, or where events
    that had earned something passed from one to another."""
    windows = {company: books.window(company) for company in companies}
    if not handed_over and not any(window.looks_back for window in windows.values()):
        return {}
    lanes: dict[Lane, Reach] = {}
    for bucket in buckets:
        window = windows[bucket.company]
        lane = Lane(bucket.person, bucket.company)
        if not window.looks_back and lane not in handed_over:
            continue
        # Of a date so long ago even the month is closed.
        still_open = (now - timedelta(days=window.lateness + LONGEST_PERIOD)).date()
        changes = min(bucket.date, lanes[lane].changes if lane in lanes else still_open)
        known = None if window.days is None else changes - timedelta(days=window.days)
        lanes[lane] = Reach(changes, known, window.counts_ever)
    return lanes


def known_since(lanes: Mapping[Lane, Reach]) -> date | None:
    """From which date on the events of all these lanes must be known; None: from the first."""
    known = [reach.known for reach in lanes.values()]
    return None if None in known else min((day for day in known if day is not None), default=None)


def marks_of(books: RulebooksInForce, companies: Iterable[int]) -> Marks | None:
    """How events that undo others are found; None where no rulebook of these companies has any."""
    links: dict[int, Links] = {}
    for company in companies:
        reversals = books.window(company).reversals
        if reversals:
            links[company] = links_of(reversals)
    return Marks(links) if links else None


def handed_over(awards: Mapping[Key, AwardRow], events: Mapping[int, Gathered]) -> dict[Key, AwardRow]:
    """The awards whose event is another person's by now, or another company's."""
    found: dict[Key, AwardRow] = {}
    for key, award in awards.items():
        event = events.get(key[0])
        bucket = event.bucket if event is not None and not event.withheld else None
        if bucket is not None and bucket[:2] != award.bucket[:2]:
            found[key] = award
    return found


def fold_lanes(
    lanes: Mapping[Lane, Reach],
    members: Mapping[Lane, Sequence[Gathered]],
    awards: Mapping[Key, AwardRow],
    books: RulebooksInForce,
    *,
    around: Mapping[int, Gathered],
    marks: Marks | None,
    fresh: Collection[int],
    since: date | None,
    now: datetime,
) -> LanesFolded:
    """The outcomes of all that some people did, where rules look beyond a date.

    `around`: all events that were gathered, also those of other people. `fresh`: those not considered before.
    """
    if not lanes:
        return LanesFolded()
    over = handed_over(awards, around)
    asking: dict[Bucket, tuple[int, DayRules]] = {}
    dates = [Bucket(*lane, day) for lane, events in members.items() for day in {one.date for one in events}]
    for bucket in [*dates, *(award.bucket for award in over.values())]:
        found = books.on(bucket.company, bucket.date)
        if found is not None:
            asking[bucket] = found
    asked = [bucket for bucket, (_, rules) in asking.items() if rules.asks_person]
    standings = standings_of(asked) if asked else {}
    counting = {lane.person for lane, reach in lanes.items() if reach.counts_ever}
    granted = used_before(counting, since) if counting and since is not None else {}
    leave = days_of_leave({lane.person for lane in lanes if books.window(lane.company).streaks})
    seasons = {company: _seasons(books, company, now) for company in {lane.company for lane in lanes}}
    specials = specials_of(lane for lane in lanes if seasons[lane.company] is not None)
    stay = {key for key, award in over.items() if _stands(key, award, around[key[0]], standings, books)}
    undoing = [one for one in around.values() if not one.withheld]
    whole = LanesFolded()
    for lane, events in members.items():
        own = {one.id for one in events}
        outcomes, level = fold_lane(
            lane,
            events,
            awards,
            partial(books.on, lane.company),
            standings,
            beside=Beside(
                others=marks.others_of(events, undoing) if marks and lane.company in marks.links else (),
                leave=leave.get(lane.person, ()),
                seasons=seasons[lane.company],
                specials=specials.get(lane, ()),
                kept=[
                    around[event_id]
                    for event_id in {key[0] for key in stay if over[key].bucket[:2] == lane}
                    if event_id not in own
                ],
                settled=[key for key in stay if key[0] in own],
                fresh=fresh,
                granted=granted.get(lane, ()),
            ),
            since=lanes[lane].changes,
            now=now,
        )
        whole.outcomes.extend(Folded(Bucket(*lane, one.outcome.event.date), *one) for one in outcomes)
        if level is not None:
            whole.levels[lane] = level
    return whole


def _stands(
    key: Key, award: AwardRow, event: Gathered, standings: Mapping[Bucket, Standing], books: RulebooksInForce
) -> bool:
    """Whether an award had closed before its event became another's: then it stays where it is."""
    found = books.on(award.company_id, award.date)
    if found is None:
        return False
    rules = found[1]
    standing = standings.get(award.bucket)
    for question in rules.by_name.get(event.name, ()):
        if question.rule.rule == key[1]:
            return rules.closing(question, standing.role if standing else None) <= event.joined_at
    return closing_of(rules.rulebook.programme, award.date) <= event.joined_at


def rulebook_now(books: RulebooksInForce, company: int, now: datetime) -> DayRules | None:
    """The rules in force on the date it is now at the company."""
    found = books.on(company, now.date() + timedelta(days=1)) or books.on(company, now.date() - timedelta(days=1))
    if found is None:
        return None
    programme = found[1].rulebook.programme
    there = books.on(company, business_date(now, programme.timezone, programme.day_start))
    return there[1] if there else None


def _seasons(books: RulebooksInForce, company: int, now: datetime) -> Seasons | None:
    """What levels need at a company; None where it has none now."""
    if not books.window(company).levels:
        return None
    rules = rulebook_now(books, company, now)
    if rules is None or not rules.rulebook.levels:
        return None
    programme = rules.rulebook.programme
    ends = [(start_of(day, programme.timezone, programme.day_start), day) for day in programme.season_ends]
    return Seasons(
        rules.rulebook.levels, programme.levels_from == "season", tuple(end for end in ends if end[0] <= now)
    )


def next_season_end(books: RulebooksInForce, company: int, now: datetime) -> datetime | None:
    """When the season that runs now ends at a company; None: no end is known."""
    rules = rulebook_now(books, company, now)
    if rules is None:
        return None
    programme = rules.rulebook.programme
    ends = (start_of(day, programme.timezone, programme.day_start) for day in programme.season_ends)
    return min((at for at in ends if at > now), default=None)


def specials_of(lanes: Iterable[Lane]) -> dict[Lane, list[Special]]:
    """The special points of these people: they have lots and no awards."""
    wanted = set(lanes)
    if not wanted:
        return {}
    rows = Lot.objects.filter(
        book__in={lane.company for lane in wanted},
        owner__in=[str(person) for person in sorted({lane.person for lane in wanted})],
        key__startswith=SPECIAL,
    ).order_by("happened_at", "id")
    found: dict[Lane, list[Special]] = defaultdict(list)
    clocks = settings_of(Organization.objects.filter(pk__in={lane.company for lane in wanted}))
    for book, owner, key, at, amount, taken in rows.values_list(
        "book", "owner", "key", "happened_at", "amount", "reversed"
    ):
        lane = Lane(int(owner), book)
        if lane in wanted and amount > taken:
            found[lane].append(Special(at, key, business_date(at, *clocks[book]), amount - taken))
    return found
