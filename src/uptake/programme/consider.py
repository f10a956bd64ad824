"""Considers new events and corrections: folds the dates they touch, and posts only what differs from the awards."""

from __future__ import annotations

import gc
import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, TextField
from django.db.models.functions import Cast

from uptake.events.models import Bookmark, Correction
from uptake.events.read import Position, corrections_after, events_after, move_bookmark, positions_of
from uptake.ledger.again import again_where_lost
from uptake.ledger.close import closed_books
from uptake.ledger.grant import granting
from uptake.ledger.rows import writing_behind
from uptake.programme.aside import EVERYBODY, Apart, is_of_events, put_aside_now
from uptake.programme.beyond_a_date import (
    Folded,
    LanesFolded,
    begun_at,
    fold_lanes,
    ground_of,
    handed_over,
    keep_lanes,
    lanes_of,
    marks_of,
    reads_of,
)
from uptake.programme.evaluate import DayRules, Key, Outcome, Used, fold
from uptake.programme.gather import (
    NEVER,
    AwardRow,
    Bucket,
    Gathered,
    UsedRow,
    awards_of,
    earlier_revisions,
    events_given_away,
    events_in,
    events_of,
    former_people,
    gather,
    of_corrections,
    standings_of,
    used_in,
)
from uptake.programme.hold_levels import due, hold_levels, looked_at
from uptake.programme.in_force import RulebooksInForce, longest_open
from uptake.programme.kept import Order
from uptake.programme.lanes import Lane
from uptake.programme.living_on import LivingOn, living_on
from uptake.programme.merit import note_merit
from uptake.programme.models import PutAside
from uptake.programme.post_differences import Difference, differences_of, gains_of, grant_of, insert_awards, post
from uptake.programme.publish import READER
from uptake.programme.put_aside import companies_considered, note_failure, put_aside, send_back, take_back_in
from uptake.programme.standing import UNKNOWN, JudgedEvent, Standing
from uptake.programme.tell_earned import News

log = logging.getLogger(__name__)
LIMIT = 2000
"""Events read in one transaction on SQLite, where others wait with writing for as long."""
LARGEST = 5000
"""The same on PostgreSQL, where nobody waits."""
PART = 1000
"""Events written while the next are worked out."""
AT_ONCE = 5000
"""Events of corrections folded together: an import of a million rows may be withdrawn."""


@again_where_lost
def consider_new_events(*, now: datetime, limit: int | None = None) -> int:
    """Considers about `limit` new events and as many corrections; gives how many, 0 when there is nothing new.

    Safe to repeat and to run twice at once: the bookmark is locked for the transaction, and all that is posted has a
    key. The number of queries does not depend on how much happened before.
    """
    events_at, corrections_at = positions_of(READER)
    news = events_after(events_at, limit=1).exists() or corrections_after(corrections_at, limit=1).exists()
    if not news and not due(now, limit=1):
        return 0  # without taking a lock: we are asked every second
    limit = limit or (LIMIT if connection.vendor == "sqlite" else LARGEST)
    try:
        with _no_collecting(), transaction.atomic():
            return _consider_batch(now, limit)
    except Exception as problem:
        if not is_of_events(problem):
            raise
        log.exception("A batch of events could not be considered; it is considered company by company.")
        companies, passed = _part(now, limit)
        if not companies:
            raise
    for company in sorted(companies):
        catch_up(company, now=now, limit=limit)
    return passed


def catch_up_due(*, now: datetime) -> int:
    """Tries again with the companies whose time has come; gives how many events they caught up with.

    What fails is noted with the company, which waits longer each time; the others are tried whatever became of it.
    """
    rows = PutAside.objects.filter(next_try_at__lte=now).order_by("next_try_at", "pk")
    closed = closed_books() if rows else {}
    return sum(catch_up(company.pk, now=now) for company in rows if company.pk not in closed)


def catch_up(company: int, *, now: datetime, limit: int | None = None) -> int:
    """Considers what a company that is put aside has missed, batch after batch, until it missed nothing; gives how many
    events it passed. Where a batch fails, what is left waits for the next try.

    Safe to repeat and to run twice at once; each batch is a transaction that holds the bookmark.
    """
    limit = limit or (LIMIT if connection.vendor == "sqlite" else LARGEST)
    passed = 0
    while True:
        try:
            more = _consider_missed(company, now, limit)
        except Exception as problem:
            if not is_of_events(problem):
                raise
            log.exception("The events of company %d could not be considered.", company)
            note_failure(company, problem, now=now)
            return passed
        if more is None:
            return passed
        passed += more


@transaction.atomic
def _part(now: datetime, limit: int) -> tuple[set[int], int]:
    """Puts all companies aside, each to catch up alone, and moves the bookmark past the next batch; gives them and how
    much the batch is. Which of them the batch touches need not be known: the others have missed nothing."""
    events_at, corrections_at = _lock_bookmark()
    companies = companies_considered() - put_aside_now()
    put_aside(companies, events=events_at, corrections=corrections_at, now=now)
    events = _whole_deliveries(events_at, limit)
    corrections = list(corrections_after(corrections_at, limit=limit))
    if companies:
        move_bookmark(READER, now=now, events=_last(events, events_at), corrections=_after(corrections, corrections_at))
    return companies, max(len(events) + len(corrections), 1)


@again_where_lost
def _consider_missed(company: int, now: datetime, limit: int) -> int | None:
    """Considers about `limit` of the events and corrections a company missed, and gives how many; None: there are none,
    and it is not put aside any more."""
    with _no_collecting(), transaction.atomic():
        events_until, corrections_until = _lock_bookmark()
        row = PutAside.objects.select_related("company").filter(pk=company).first()
        if row is None:
            return None
        events_at = Position(row.event_txid, row.event_id)
        corrections_at = Position(row.correction_txid, row.correction_id)
        apart = Apart(put_aside_now() - {company}, company, events_at)
        events = _whole_deliveries(events_at, limit, until=events_until, which=apart.events)
        corrections = list(corrections_after(corrections_at, limit=limit, until=corrections_until))
        people = due(now, only=company)
        if not events and not corrections and not people:
            take_back_in(row, now=now)
            return None
        read = _last(events, events_until)
        row.event_txid, row.event_id = read
        row.correction_txid, row.correction_id = _after(corrections, corrections_until)
        news = News(now)
        _consider_all(events, corrections, people, now, news, until=events_until, apart=replace(apart, read=read))
        news.tell()
        row.save(update_fields=["event_txid", "event_id", "correction_txid", "correction_id"])
        return len(events) + len(corrections) + len(people)


def _last(events: Sequence[tuple[int, int]], otherwise: Position) -> Position:
    return Position(*events[-1]) if events else otherwise


def _after(corrections: Sequence[Correction], otherwise: Position) -> Position:
    return Position(corrections[-1].txid, corrections[-1].pk) if corrections else otherwise


@contextmanager
def _no_collecting() -> Iterator[None]:
    """A batch makes hundreds of thousands of objects and no cycles among them: looking for them costs a quarter."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _consider_batch(now: datetime, limit: int) -> int:
    events_at, corrections_at = _lock_bookmark()
    events = _whole_deliveries(events_at, limit)
    corrections = list(corrections_after(corrections_at, limit=limit))
    people = due(now)
    if not events and not corrections and not people:
        return 0
    without = put_aside_now()
    news = News(now)
    events_at = _last(events, events_at)
    apart = Apart(without) if without else EVERYBODY
    _consider_all(events, corrections, people, now, news, until=events_at, apart=apart)
    news.tell()
    move_bookmark(READER, now=now, events=events_at, corrections=_after(corrections, corrections_at))
    return len(events) + len(corrections) + len(people)


def _consider_all(
    events: Sequence[tuple[int, int]],
    corrections: Sequence[Correction],
    people: Collection[Bucket],
    now: datetime,
    news: News,
    *,
    until: Position,
    apart: Apart,
) -> None:
    """Considers new events ((txid, id) of each), what was said about earlier ones, and people who are due."""
    if events:
        ids = apart.that_matter([pk for _, pk in events])
        _consider(ids, moved=False, settled=not corrections, now=now, news=news, until=until, apart=apart)
    if corrections:
        former = former_people(corrections)
        opened = partial(_first_open, now)
        for said, fresh in of_corrections(corrections, opened, apart.events):
            ids = apart.that_matter(said)
            for start in range(0, len(ids), AT_ONCE):
                part = ids[start : start + AT_ONCE]
                _consider(
                    part, moved=True, settled=False, now=now, news=news, fresh=fresh, former=former, until=until,
                    apart=apart,
                )  # fmt: skip
    if people:
        _consider((), moved=True, settled=False, now=now, news=news, also=people, until=until, apart=apart)
        looked_at(people, now)


def _first_open(now: datetime) -> date:
    return (now - timedelta(days=longest_open())).date()


def _whole_deliveries(
    after: Position, limit: int, *, until: Position | None = None, which: Q | None = None
) -> list[tuple[int, int]]:
    """(txid, id) of the next events, about `limit`: what was received together is considered together.

    `until`: the last that is read; None: all there are. `which`: those that matter; None: all.

    Late events of one delivery share what is left of the caps in canonical order, so none may be considered without
    the others.
    """
    rows: list[tuple[int, int, str]] = []
    while True:
        at = Position(*rows[-1][:2]) if rows else after
        # As text: an instant is only compared, and reading it costs five times as much.
        received = Cast("received_at", TextField())
        found = events_after(at, limit=limit + 1, which=which, until=until)
        read: list[Any] = list(found.values_list("txid", "pk", received))
        rows += read
        if len(read) <= limit:
            return [(txid, pk) for txid, pk, _ in rows]
        # The last delivery may go on behind what was read; the next batch begins with it.
        cut = rows[-1][2]
        end = len(rows) - 1
        while end and rows[end - 1][2] == cut:
            end -= 1
        if end:
            return [(txid, pk) for txid, pk, _ in rows[:end]]


def _lock_bookmark() -> tuple[Position, Position]:
    """The programme's bookmark, ours alone until the transaction ends (on SQLite every transaction is alone)."""
    rows = Bookmark.objects.select_for_update().filter(reader=READER)
    row = rows.first() or Bookmark.objects.select_for_update().get_or_create(reader=READER)[0]
    return Position(row.event_txid, row.event_id), Position(row.correction_txid, row.correction_id)


def _consider(
    ids: Collection[int],
    *,
    moved: bool,
    settled: bool,
    now: datetime,
    news: News,
    fresh: bool = True,
    former: Mapping[int, Collection[int]] = MappingProxyType({}),
    also: Collection[Bucket] = (),
    until: Position,
    apart: Apart = EVERYBODY,
) -> None:
    """Folds whatever these events touch and writes the differences.

    `moved`: something was said about the events, so that none of them is merely added to its date. `settled`: nothing
    that was said about any event is still to be considered, so that what the awards tell is true. `fresh`: they count
    only now. `former`: whose the events of an identity were before. `also`: who must be looked at whatever happened.
    `until`: how far events were read; what came after waits for its turn. `apart`: of which companies.
    """
    touched = gather(ids)
    lower = [pk for pk in earlier_revisions(touched.values()) if pk not in touched]
    if lower:
        touched |= gather(lower)
    if apart.only is not None:
        given = {event_id for (event_id, _), award in awards_of(touched).items() if award.company_id == apart.only}
        touched = {pk: one for pk, one in touched.items() if one.company == apart.only or pk in given}
    companies = {one.company for one in touched.values() if one.company is not None}
    companies |= {bucket.company for bucket in also}
    books = RulebooksInForce(companies)
    marks = marks_of(books, companies - apart.without)
    if marks is not None:
        marks.keep(touched.values())
        touched |= marks.undone_by(touched.values(), touched)
    awards = awards_of(touched)
    elsewhere = {award.company_id for award in awards.values()} - companies
    if elsewhere:
        companies |= elsewhere
        books = RulebooksInForce(companies)
    staying = living_on(companies - apart.without, books, touched.values(), now)
    rules_of: dict[Bucket, tuple[int, DayRules]] = {}
    here: dict[Bucket, list[Gathered]] = defaultdict(list)
    whole: set[Bucket] = set()
    had_awards = {event_id for event_id, _ in awards}
    for one in touched.values():
        bucket = one.bucket
        if bucket is None or (one.withheld and one.id not in had_awards):
            continue
        found = books.on(bucket.company, bucket.date)
        if found is None or bucket.company in apart.without:
            continue
        rules_of[bucket] = found
        here[bucket].append(one)
        if moved or one.id in had_awards:
            whole.add(bucket)
    for award in awards.values():
        # Where it was: its person, company or date may be another now.
        bucket = award.bucket
        found = books.on(bucket.company, bucket.date)
        if found is not None and bucket.company not in apart.without:
            rules_of[bucket] = found
            whole.add(bucket)
    for bucket in [*also, *(bucket for bucket, _ in _formerly(touched.values(), former))]:
        found = books.on(bucket.company, bucket.date)
        if found is not None and bucket.company not in apart.without and books.window(bucket.company).looks_back:
            rules_of[bucket] = found
    over = handed_over(awards, touched)
    passing = {Lane(award.person_id, award.company_id) for award in over.values()}
    passing |= {Lane(*bucket[:2]) for key in over if (bucket := touched[key[0]].bucket) is not None}
    lanes = lanes_of(rules_of, books, companies, now, passing)
    if lanes:
        here = {bucket: events for bucket, events in here.items() if bucket[:2] not in lanes}
        whole = {bucket for bucket in whole if bucket[:2] not in lanes}
    closed: set[Bucket] = set()
    for bucket, events in here.items():
        closes_at = rules_of[bucket][1].closes_at
        late = {one.joined_at if one.late_for(closes_at) else None for one in events}
        if settled and now >= closes_at and None not in late and bucket not in whole:
            closed.add(bucket)  # what stands there stands: the late only find what is left of the caps
        elif len(late) > 1:
            whole.add(bucket)
    used = used_in([bucket for bucket in here if bucket not in whole]) if here else {}
    for bucket, events in here.items():
        latest = max((row.latest for row in used.get(bucket, ())), default=None)
        if latest is not None and bucket not in closed and any(one.happened_at <= latest for one in events):
            whole.add(bucket)
    standings = _standings(rules_of)

    def added(buckets: Mapping[Bucket, list[Gathered]]) -> Iterator[Folded]:
        for bucket, events in buckets.items():
            if bucket not in whole:
                version, rules = rules_of[bucket]
                standing = standings.get(bucket, UNKNOWN)
                for outcome in _added(rules, events, used.get(bucket, ()), standing):
                    yield _folded(bucket, version, rules, outcome)

    if not whole and not awards and not lanes and not also:
        _earn_anew(here, rules_of, added, touched, now, news, staying)
        return
    if lanes:
        ground = ground_of(lanes, books, now)
        moves = [
            *_formerly(touched.values(), former),
            *((award.bucket, touched[key[0]].order) for key, award in awards.items()),
        ]
        news_of = [
            (one.bucket, one.order)
            for one in touched.values()
            if one.bucket and (not one.withheld or one.id in had_awards)
        ]
        lanes = begun_at(lanes, [*moves, *news_of], ground)
    reads = reads_of(lanes)
    around = {*events_in(whole), *events_of(reads, until), *events_given_away(reads)}
    mates = gather([pk for pk in around if pk not in touched])
    given_to_mates = awards_of(mates)
    if apart.only is not None and lanes:
        _leave_unread(mates, given_to_mates, lanes, apart)
    awards |= given_to_mates
    everything = {**touched, **mates}
    if marks is not None:
        in_lanes = [one for one in everything.values() if one.bucket and one.bucket[:2] in lanes and not one.withheld]
        everything |= marks.undoing(in_lanes, everything)
    folded = _refold(whole, everything.values(), awards, rules_of, standings, now)
    there = LanesFolded()
    if lanes:
        there = fold_lanes(
            lanes, awards, around=everything, marks=marks, fresh=touched if fresh else (), ground=ground, now=now
        )
        keep_lanes(there, lanes, ground, now=now)
    folded += there.outcomes
    differences = differences_of([*added(here), *folded], awards, touched)
    if apart.without:
        differences = _left_to_others(differences, everything, apart)
    if staying is not None:
        staying.postpone(differences)
        staying.date_lots(differences)
    with writing_behind():
        insert_awards([one.award for one in differences if one.is_new], now)
        post(differences, now)
        note_merit(gains_of(differences), now=now)
    news.add(differences)
    told, heard = hold_levels(there.levels, books, now=now)
    news.levels += told
    news.reached += heard


def _leave_unread(
    mates: dict[int, Gathered], awards: Mapping[Key, AwardRow], lanes: Collection[Lane], apart: Apart
) -> None:
    """Takes out of `mates` what a company that catches up will come to later."""
    given = {event_id for event_id, _ in awards}
    waiting = [
        one.id
        for one in mates.values()
        if one.company == apart.only and one.id not in given and (one.bucket or (0, 0))[:2] in lanes
    ]
    for pk in apart.unread(waiting):
        del mates[pk]


def _left_to_others(
    differences: Iterable[Difference], events: Mapping[int, Gathered], apart: Apart
) -> list[Difference]:
    """What is to be posted now: what an award is moved to or from a company that is put aside waits for that company.

    Whoever catches up and leaves something so sends the other back to where it began itself.
    """
    posted: list[Difference] = []
    left: set[int] = set()
    for one in differences:
        event = events.get(one.award.event_id)
        concerned = {one.award.company_id, one.former_company, event.company if event else None} & apart.without
        left |= {company for company in concerned if company is not None}
        if not concerned:
            posted.append(one)
    if left and apart.only is not None:
        send_back(left, to=apart.only)
    return posted


def _formerly(events: Iterable[Gathered], former: Mapping[int, Collection[int]]) -> Iterator[tuple[Bucket, Order]]:
    """Where events were before their identity became another's."""
    for one in events:
        if one.company is not None:
            for person in former.get(one.identity or 0, ()):
                yield Bucket(person, one.company, one.date), one.order


def _earn_anew(
    here: Mapping[Bucket, list[Gathered]],
    rules_of: Mapping[Bucket, tuple[int, DayRules]],
    added: Callable[[Mapping[Bucket, list[Gathered]]], Iterable[Folded]],
    touched: Mapping[int, Gathered],
    now: datetime,
    news: News,
    staying: LivingOn | None,
) -> None:
    """Writes what events earn of which nothing was considered before, one part while the next is worked out."""
    if staying is not None:
        staying.postpone()
    people = {(bucket.company, str(bucket.person)) for bucket in here}
    most = 0
    for bucket, events in here.items():
        rules = rules_of[bucket][1]
        most += sum(len(rules.at(one.happened_at).by_name.get(one.name, ())) for one in events)
    if not most:
        return
    with writing_behind(), granting(people, lots=most, now=now) as grant_new:
        for part in _by_company(here):
            differences = differences_of(added(part), {}, touched)
            if staying is not None:
                staying.date_lots(differences)
            insert_awards([one.award for one in differences], now)
            grant_new([grant_of(one) for one in differences if one.given])
            note_merit(gains_of(differences), now=now)
            news.add(differences)


def _by_company(buckets: Mapping[Bucket, list[Gathered]]) -> list[dict[Bucket, list[Gathered]]]:
    """The buckets in parts that have no company in common.

    Nothing of one part touches another: the database takes one while the next is worked out.
    """
    parts: list[dict[Bucket, list[Gathered]]] = [{}]
    size, company = 0, None
    for bucket in sorted(buckets, key=lambda one: one.company):
        if size >= PART and bucket.company != company:
            parts.append({})
            size = 0
        parts[-1][bucket] = buckets[bucket]
        size, company = size + len(buckets[bucket]), bucket.company
    return parts


def _standings(rules_of: Mapping[Bucket, tuple[int, DayRules]]) -> dict[Bucket, Standing]:
    asking = [bucket for bucket, (_, rules) in rules_of.items() if rules.asks_person]
    return standings_of(asking) if asking else {}


def _added(rules: DayRules, events: Sequence[Gathered], rows: Iterable[UsedRow], standing: Standing) -> list[Outcome]:
    """Events that come after all others of their date change nothing of them: what those take is enough to know.

    So do late ones on a closed date, by when they joined.
    """
    used = Used()
    for row in rows:
        used.add(row.rule, row.points, row.times)
    groups: dict[datetime, list[JudgedEvent]] = defaultdict(list)
    for one in events:
        if not one.withheld:
            late = one.late_for(rules.closes_at)
            judged = one.judged(late=late and one.told_late(rules.closes_at), standing=standing)
            groups[one.joined_at if late else NEVER].append(judged)
    return [outcome for joined_at in sorted(groups) for outcome in fold(rules, groups[joined_at], used)]


def _refold(
    buckets: Collection[Bucket],
    events: Iterable[Gathered],
    awards: Mapping[Key, AwardRow],
    rules_of: Mapping[Bucket, tuple[int, DayRules]],
    standings: Mapping[Bucket, Standing],
    now: datetime,
) -> list[Folded]:
    """The outcomes of whole dates. Closed awards are left out: they stand, unless their own event is reversed."""
    inside: dict[Bucket, list[Gathered]] = {bucket: [] for bucket in buckets}
    for one in events:
        bucket = one.bucket
        if bucket in inside and not one.withheld:
            inside[bucket].append(one)
    standing_awards: dict[Bucket, dict[Key, AwardRow]] = defaultdict(dict)
    for key, award in awards.items():
        standing_awards[award.bucket][key] = award
    outcomes: list[Folded] = []
    for bucket, members in inside.items():
        version, rules = rules_of[bucket]
        standing = standings.get(bucket, UNKNOWN)
        if now < rules.closes_at:
            found = fold(rules, [one.judged(late=one.told_late(rules.closes_at), standing=standing) for one in members])
        else:
            found = _fold_closed(rules, members, standing_awards[bucket], standing)
        outcomes.extend(_folded(bucket, version, rules, outcome) for outcome in found)
    return outcomes


def _folded(bucket: Bucket, version: int, rules: DayRules, outcome: Outcome) -> Folded:
    """The outcome with the version of the rules that judged it."""
    if rules.earlier:
        rules = rules.at(outcome.event.at)
        version = rules.rulebook_id
    return Folded(bucket, version, rules, outcome)


def _fold_closed(
    rules: DayRules, members: Sequence[Gathered], stand: Mapping[Key, AwardRow], standing: Standing
) -> list[Outcome]:
    """The outcomes of a closed date: those in time as they stood at closing, then the late ones by when they joined.

    Those in time are folded only if some of them were never considered (we were behind); else their awards stand.
    """
    judged = {one.id: one.judged(late=one.told_late(rules.closes_at), standing=standing) for one in members}
    gone = {one.id for one in members if judged[one.id].reversed}
    late = [one for one in members if one.late_for(rules.closes_at)]
    in_time = [judged[one.id] for one in members if not one.late_for(rules.closes_at)]
    timely = {event.id for event in in_time}
    beforehand = Used()
    for (event_id, rule), award in stand.items():
        if event_id in judged and event_id not in timely and event_id not in gone:
            beforehand.add(rule, award.points)
    trial = fold(rules, in_time, beforehand)
    if all(outcome.key in stand for outcome in trial):
        outcomes = [outcome for outcome in trial if outcome.event.reversed]
        used = Used()
        for (event_id, rule), award in stand.items():
            if event_id in judged and event_id not in gone:
                used.add(rule, award.points)
    else:
        outcomes, used = trial, beforehand
    considered = {event_id for event_id, _ in stand}
    groups: dict[datetime, list[Gathered]] = defaultdict(list)
    for one in late:
        if one.id in gone or one.id not in considered:
            groups[one.joined_at].append(one)
    for joined_at in sorted(groups):
        outcomes += fold(rules, [judged[one.id] for one in groups[joined_at]], used)
    return outcomes
