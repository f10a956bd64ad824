"""Reads what the folds beyond a date need, for many people at once, and folds them: lanes, with all that is beside."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import NamedTuple

from django.db.models import Q

from uptake.directory.leave import days_of_leave
from uptake.directory.models import Organization
from uptake.directory.place import settings_of
from uptake.ledger.models import Lot
from uptake.programme.evaluate import DayRules, Key, Outcome, closing_of
from uptake.programme.gather import AwardRow, Bucket, Gathered, memberships_told, used_before
from uptake.programme.in_force import RulebooksInForce
from uptake.programme.keep import Begun, Ground, begin_at, keep_folds
from uptake.programme.kept import Kept, Order
from uptake.programme.lanes import Beside, Lane, LaneLevel, fold_lane, is_behind, members_of
from uptake.programme.models import StandingChange
from uptake.programme.person_fold import Seasons, Special
from uptake.programme.reversal_marks import Links, Marks, links_of
from uptake.programme.standing import Standing

GIVEN = (("special/", "special0"), ("appeal/", "appeal0"))
"""Between these lie the keys of the lots of special points, and of appeals that were upheld."""


class Folded(NamedTuple):
    """An outcome with where it came about: the bucket, the rulebook version's id and its rules of that date."""

    bucket: Bucket
    version: int
    rules: DayRules
    outcome: Outcome


class Reach(NamedTuple):
    """From which date on a lane's awards may change, and from where on its events must be known (None: all)."""

    changes: date
    known: date | Order | None
    """A date, or a place behind which all must be known."""
    counts_ever: bool
    begun: Begun = Begun()
    keeps: bool = False
    """Whether what was kept is used and kept for the next fold."""

    @property
    def reads_since(self) -> date | None:
        """From which date on events must be read."""
        return self.known if self.known is None or isinstance(self.known, date) else self.begun_at.day

    @property
    def begun_at(self) -> Kept:
        assert self.begun.start is not None, "who begins at a place has kept it"
        return self.begun.start


@dataclass(frozen=True, slots=True)
class LanesFolded:
    """The outcomes of some lanes, and where people stand where there are levels."""

    outcomes: list[Folded] = field(default_factory=list)
    levels: dict[Lane, LaneLevel] = field(default_factory=dict)
    kept: dict[Lane, Sequence[Kept]] = field(default_factory=dict)
    last: dict[Lane, Order] = field(default_factory=dict)
    """The last event of each lane that keeps something."""


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
        still_open = (now - timedelta(days=window.open_days)).date()
        changes = min(bucket.date, lanes[lane].changes if lane in lanes else still_open)
        known = None if window.days is None else changes - timedelta(days=window.days)
        lanes[lane] = Reach(changes, known, window.counts_ever, keeps=window.looks_back)
    return lanes


def ground_of(lanes: Iterable[Lane], books: RulebooksInForce, now: datetime) -> Ground:
    """What the folds of these lanes rest on beside events and awards."""
    lanes = list(lanes)
    seasons = {company: _seasons(books, company, now) for company in {lane.company for lane in lanes}}
    asking = {lane.person for lane in lanes if books.window(lane.company).asks_person}
    return Ground(
        books,
        seasons,
        specials_of(lane for lane in lanes if seasons[lane.company] is not None),
        days_of_leave({lane.person for lane in lanes if books.window(lane.company).streaks}),
        memberships_told(asking) if asking else None,
    )


def begun_at(lanes: Mapping[Lane, Reach], touched: Iterable[tuple[Bucket, Order]], ground: Ground) -> dict[Lane, Reach]:
    """The same lanes, each from the last place on before which nothing changed. `touched`: whose events are new, or
    are otherwise than before."""
    first: dict[Lane, Order | None] = {lane: None for lane, reach in lanes.items() if reach.keeps}
    for bucket, order in touched:
        lane = Lane(bucket.person, bucket.company)
        if lane in first:
            before = first[lane]
            first[lane] = order if before is None else min(before, order)
    begun = begin_at(first, ground)
    found = dict(lanes)
    for lane, at in begun.items():
        assert at.start is not None
        found[lane] = lanes[lane]._replace(known=at.start.until, counts_ever=False, begun=at)
    return found


def reads_of(lanes: Mapping[Lane, Reach]) -> dict[int, date | None]:
    """From which date on events of which people must be read; None: all."""
    found: dict[int, date | None] = {}
    for lane, reach in lanes.items():
        if reach.begun.whole:
            continue
        since = reach.reads_since
        before = found.get(lane.person, since)
        found[lane.person] = None if since is None or before is None else min(since, before)
    return found


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
    awards: Mapping[Key, AwardRow],
    *,
    around: Mapping[int, Gathered],
    marks: Marks | None,
    fresh: Collection[int],
    ground: Ground,
    now: datetime,
) -> LanesFolded:
    """The outcomes of all that some people did, where rules look beyond a date.

    `around`: all events that were gathered, also those of other people. `fresh`: those not considered before.
    """
    if not lanes:
        return LanesFolded()
    books = ground.books
    members = members_of({lane: reach.known for lane, reach in lanes.items()}, around.values())
    over = {
        key: award
        for key, award in handed_over(awards, around).items()
        if (reach := lanes.get(Lane(*award.bucket[:2]))) is None or is_behind(around[key[0]], reach.known)
    }
    asking: dict[Bucket, tuple[int, DayRules]] = {}
    dates = [Bucket(*lane, day) for lane, events in members.items() for day in {one.date for one in events}]
    for bucket in [*dates, *(award.bucket for award in over.values())]:
        found = books.on(bucket.company, bucket.date)
        if found is not None:
            asking[bucket] = found
    asked = [bucket for bucket, (_, rules) in asking.items() if rules.asks_person]
    told = memberships_told({bucket.person for bucket in asked}) if asked else None
    standings = {bucket: told.on(bucket) for bucket in asked} if told else {}
    granted = used_before(
        {lane: reach.known for lane, reach in lanes.items() if reach.counts_ever and isinstance(reach.known, date)}
    )
    stay = {key for key, award in over.items() if _stands(key, award, around[key[0]], standings, books)}
    undoing = [one for one in around.values() if not one.withheld]
    kept_of: dict[Lane, set[int]] = defaultdict(set)
    for key in stay:
        kept_of[Lane(*over[key].bucket[:2])].add(key[0])
    own_awards: dict[Lane, dict[Key, AwardRow]] = defaultdict(dict)
    for key, award in awards.items():
        # What passes to another is folded there; beside another award of its event that stays, it would be twice.
        if key not in over or key in stay:
            own_awards[Lane(award.person_id, award.company_id)][key] = award
    whole = LanesFolded()
    for lane, events in members.items():
        own = {one.id for one in events}
        reach, window = lanes[lane], books.window(lane.company)
        folded = fold_lane(
            lane,
            events,
            own_awards[lane],
            partial(books.on, lane.company),
            standings,
            beside=Beside(
                others=marks.others_of(events, undoing) if marks and lane.company in marks.links else (),
                leave=ground.leave.get(lane.person, ()),
                seasons=ground.seasons[lane.company],
                specials=ground.specials.get(lane, ()),
                kept=[around[event_id] for event_id in kept_of[lane] if event_id not in own],
                settled=[key for key in stay if key[0] in own],
                fresh=fresh,
                granted=granted.get(lane, ()),
                start=reach.begun.start,
            ),
            since=reach.changes,
            now=now,
            needs=window.needs if reach.keeps else None,
            open_days=window.open_days,
        )
        whole.outcomes.extend(Folded(Bucket(*lane, one.outcome.event.date), *one) for one in folded.outcomes)
        if folded.level is not None:
            whole.levels[lane] = folded.level
        orders = [one.order for one in (*events, *(around[event_id] for event_id in kept_of[lane]))]
        if reach.begun.start is not None:
            orders.append(reach.begun.start.until)
        if reach.keeps and orders:
            whole.kept[lane], whole.last[lane] = folded.kept, max(orders)
    return whole


def keep_lanes(there: LanesFolded, lanes: Mapping[Lane, Reach], ground: Ground, *, now: datetime) -> None:
    """Writes what the folds have kept for the next ones."""
    if not there.kept:
        return
    books = ground.books
    keep_folds(
        there.kept,
        {lane: lanes[lane].begun for lane in there.kept},
        ground,
        whole=there.last,
        open_since={
            company: (now - timedelta(days=books.window(company).open_days)).date()
            for company in {lane.company for lane in there.kept}
        },
        now=now,
    )


def _stands(
    key: Key, award: AwardRow, event: Gathered, standings: Mapping[Bucket, Standing], books: RulebooksInForce
) -> bool:
    """Whether an award had closed before its event became another's: then it stays where it is."""
    found = books.on(award.company_id, award.date)
    if found is None:
        return False
    rules = found[1].at(event.happened_at)
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
    there = books.on(company, programme.clock.date_of(now))
    return there[1] if there else None


def _seasons(books: RulebooksInForce, company: int, now: datetime) -> Seasons | None:
    """What levels need at a company; None where it has none now."""
    if not books.window(company).levels:
        return None
    rules = rulebook_now(books, company, now)
    if rules is None or not rules.rulebook.levels:
        return None
    programme = rules.rulebook.programme
    ends = [(programme.clock.start_of(day), day) for day in programme.season_ends]
    return Seasons(
        rules.rulebook.levels, programme.levels_from == "season", tuple(end for end in ends if end[0] <= now)
    )


def next_season_end(books: RulebooksInForce, company: int, now: datetime) -> datetime | None:
    """When the season that runs now ends at a company; None: no end is known."""
    rules = rulebook_now(books, company, now)
    if rules is None:
        return None
    programme = rules.rulebook.programme
    ends = (programme.clock.start_of(day) for day in programme.season_ends)
    return min((at for at in ends if at > now), default=None)


def given_by_people() -> Q:
    """The lots of points that count as awards do, though people gave them and no rule."""
    found = Q()
    for since, until in GIVEN:
        found |= Q(key__gte=since, key__lt=until)
    return found


def specials_of(lanes: Iterable[Lane]) -> dict[Lane, list[Special]]:
    """The special points of these people and what appeals gave them: they have lots and no awards. And what decisions
    about points earned by pretence took from what counts, or gave back to it."""
    wanted = set(lanes)
    if not wanted:
        return {}
    rows = Lot.objects.filter(
        given_by_people(),
        book__in={lane.company for lane in wanted},
        owner__in=[str(person) for person in sorted({lane.person for lane in wanted})],
    ).order_by("happened_at", "id")
    found: dict[Lane, list[Special]] = defaultdict(list)
    clocks = settings_of(Organization.objects.filter(pk__in={lane.company for lane in wanted}))
    for book, owner, key, at, amount, taken in rows.values_list(
        "book", "owner", "key", "happened_at", "amount", "reversed"
    ):
        lane = Lane(int(owner), book)
        if lane in wanted and amount > taken:
            found[lane].append(Special(at, key, clocks[book].date_of(at), amount - taken))
    decided = StandingChange.objects.filter(
        company_id__in={lane.company for lane in wanted}, person_id__in={lane.person for lane in wanted}
    )
    for one in decided.order_by("at", "pk"):
        lane = Lane(one.person_id, one.company_id)
        if lane in wanted:
            key = f"{one.cause}/{one.date}"
            found[lane].append(Special(one.at, key, one.date, one.points, one.reach, one.falls))
    return found
