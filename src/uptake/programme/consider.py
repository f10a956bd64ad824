"""Considers new events and corrections: folds the dates they touch, and posts only what differs from the awards."""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any

import orjson
from django.db import connection, transaction
from django.db.models import TextField
from django.db.models.functions import Cast

from uptake.events.models import Bookmark, EventType
from uptake.events.read import Position, corrections_after, events_after, move_bookmark, positions_of
from uptake.ledger.again import again_where_lost
from uptake.ledger.grant import Grant, Taking, grant, granting, take_back
from uptake.ledger.rows import insert_rows, writing_behind
from uptake.notify.tell import Telling, tell
from uptake.programme.beyond_a_date import Folded, fold_lanes, handed_over, known_since, lanes_of, marks_of
from uptake.programme.evaluate import REVERSED, DayRules, Key, Outcome, Used, fold
from uptake.programme.gather import (
    AWARD_COLUMNS,
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
    ids_of_awards,
    of_corrections,
    standings_of,
    used_in,
)
from uptake.programme.hold_levels import due, hold_levels, looked_at
from uptake.programme.in_force import RulebooksInForce, longest_open
from uptake.programme.lanes import Lane, members_of
from uptake.programme.lot_dates import ALWAYS, LotDates
from uptake.programme.merit import Gain, note_merit
from uptake.programme.models import Award
from uptake.programme.publish import READER
from uptake.programme.standing import UNKNOWN, JudgedEvent, Standing

LIMIT = 2000
"""Events read in one transaction on SQLite, where others wait with writing for as long."""
LARGEST = 5000
"""The same on PostgreSQL, where nobody waits."""
PART = 1000
"""Events written while the next are worked out."""
AT_ONCE = 5000
"""Events of corrections folded together: an import of a million rows may be withdrawn."""
EARNED = "points_earned"
"""The kind of the message."""
TOLD = 3
"""Awards told of in one message, which counts them all."""
NEWS = timedelta(days=1)
"""Awards of events older than this are not told as news."""


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
    with _no_collecting(), transaction.atomic():
        return _consider_batch(now, limit)


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
    news = News(now)
    if events:
        _consider([pk for _, pk in events], moved=False, settled=not corrections, now=now, news=news)
        events_at = Position(*events[-1])
    if corrections:
        former = former_people(corrections)
        for ids, fresh in of_corrections(corrections, lambda: (now - timedelta(days=longest_open())).date()):
            for start in range(0, len(ids), AT_ONCE):
                part = ids[start : start + AT_ONCE]
                _consider(part, moved=True, settled=False, now=now, news=news, fresh=fresh, former=former)
        corrections_at = Position(corrections[-1].txid, corrections[-1].pk)
    if people:
        _consider((), moved=True, settled=False, now=now, news=news, also=people)
        looked_at(people, now)
    news.tell()
    move_bookmark(READER, now=now, events=events_at, corrections=corrections_at)
    return len(events) + len(corrections) + len(people)


def _whole_deliveries(after: Position, limit: int) -> list[tuple[int, int]]:
    """(txid, id) of the next events, about `limit`: what was received together is considered together.

    Late events of one delivery share what is left of the caps in canonical order, so none may be considered without
    the others.
    """
    rows: list[tuple[int, int, str]] = []
    while True:
        at = Position(*rows[-1][:2]) if rows else after
        # As text: an instant is only compared, and reading it costs five times as much.
        received = Cast("received_at", TextField())
        read: list[Any] = list(events_after(at, limit=limit + 1).values_list("txid", "pk", received))
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
) -> None:
    """Folds whatever these events touch and writes the differences.

    `moved`: something was said about the events, so that none of them is merely added to its date. `settled`: nothing
    that was said about any event is still to be considered, so that what the awards tell is true. `fresh`: they count
    only now. `former`: whose the events of an identity were before. `also`: who must be looked at whatever happened.
    """
    touched = gather(ids)
    lower = [pk for pk in earlier_revisions(touched.values()) if pk not in touched]
    if lower:
        touched |= gather(lower)
    companies = {one.company for one in touched.values() if one.company is not None}
    companies |= {bucket.company for bucket in also}
    books = RulebooksInForce(companies)
    marks = marks_of(books, companies)
    if marks is not None:
        marks.keep(touched.values())
        touched |= marks.undone_by(touched.values(), touched)
    awards = awards_of(touched)
    elsewhere = {award.company_id for award in awards.values()} - companies
    if elsewhere:
        companies |= elsewhere
        books = RulebooksInForce(companies)
    rules_of: dict[Bucket, tuple[int, DayRules]] = {}
    here: dict[Bucket, list[Gathered]] = defaultdict(list)
    whole: set[Bucket] = set()
    had_awards = {event_id for event_id, _ in awards}
    for one in touched.values():
        bucket = one.bucket
        if bucket is None or (one.withheld and one.id not in had_awards):
            continue
        found = books.on(bucket.company, bucket.date)
        if found is None:
            continue
        rules_of[bucket] = found
        here[bucket].append(one)
        if moved or one.id in had_awards:
            whole.add(bucket)
    for award in awards.values():
        # Where it was: its person, company or date may be another now.
        bucket = award.bucket
        found = books.on(bucket.company, bucket.date)
        if found is not None:
            rules_of[bucket] = found
            whole.add(bucket)
    for bucket in [*also, *_formerly(touched.values(), former)]:
        found = books.on(bucket.company, bucket.date)
        if found is not None and books.window(bucket.company).looks_back:
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
                    yield Folded(bucket, version, rules, outcome)

    if not whole and not awards and not lanes and not also:
        _earn_anew(here, rules_of, added, touched, now, news)
        return
    since = known_since(lanes)
    people = {lane.person for lane in lanes}
    around = {*events_in(whole), *events_of(people, since), *(events_given_away(people, since) if lanes else ())}
    mates = gather([pk for pk in around if pk not in touched])
    awards |= awards_of(mates)
    everything = {**touched, **mates}
    members = members_of(lanes, everything.values(), since)
    if marks is not None:
        everything |= marks.undoing([one for events in members.values() for one in events], everything)
    folded = _refold(whole, everything.values(), awards, rules_of, standings, now)
    there = fold_lanes(
        lanes,
        members,
        awards,
        books,
        around=everything,
        marks=marks,
        fresh=touched if fresh else (),
        since=since,
        now=now,
    )
    folded += there.outcomes
    differences = _differences([*added(here), *folded], awards, touched)
    with writing_behind():
        _insert([one.award for one in differences if one.is_new], now)
        _post(differences, now)
        note_merit(_gains(differences), now=now)
    news.add(differences)
    news.levels += hold_levels(there.levels, books, now=now)


def _formerly(events: Iterable[Gathered], former: Mapping[int, Collection[int]]) -> Iterator[Bucket]:
    """Where events were before their identity became another's."""
    for one in events:
        if one.company is not None:
            for person in former.get(one.identity or 0, ()):
                yield Bucket(person, one.company, one.date)


def _earn_anew(
    here: Mapping[Bucket, list[Gathered]],
    rules_of: Mapping[Bucket, tuple[int, DayRules]],
    added: Callable[[Mapping[Bucket, list[Gathered]]], Iterable[Folded]],
    touched: Mapping[int, Gathered],
    now: datetime,
    news: News,
) -> None:
    """Writes what events earn of which nothing was considered before, one part while the next is worked out."""
    people = {(bucket.company, str(bucket.person)) for bucket in here}
    most = sum(len(rules_of[bucket][1].by_name.get(one.name, ())) for bucket, events in here.items() for one in events)
    if not most:
        return
    with writing_behind(), granting(people, lots=most, now=now) as grant_new:
        for part in _by_company(here):
            differences = _differences(added(part), {}, touched)
            _insert([one.award for one in differences], now)
            grant_new([_grant(one) for one in differences if one.given])
            note_merit(_gains(differences), now=now)
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
        outcomes.extend(Folded(bucket, version, rules, outcome) for outcome in found)
    return outcomes


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


@dataclass(slots=True)
class _Difference:
    """An award to be written, and by how much the points of two people change."""

    award: AwardRow
    order: tuple[Any, ...]
    taken: int
    """Points to take from `former`, before the award is written."""
    former: int
    former_company: int
    former_date: date
    given: int
    is_new: bool
    source: str = ""
    event_key: str = ""
    rank: int = 0
    title: str = ""
    event: Gathered | None = None
    lot: LotDates = ALWAYS


def _differences(
    outcomes: Iterable[Folded], awards: Mapping[Key, AwardRow], touched: Mapping[int, Gathered]
) -> list[_Difference]:
    """What is new or other than before, in canonical order."""
    found: list[_Difference] = []
    settled: set[Key] = set()
    for folded in outcomes:
        bucket, version, outcome = folded.bucket, folded.version, folded.outcome
        key = outcome.key
        settled.add(key)
        event = outcome.event
        award = awards.get(key)
        is_new = award is None
        reasons = list(outcome.reasons)
        if award is None:
            award = AwardRow(
                0,
                event.id,
                outcome.rule,
                outcome.version,
                version,
                bucket.person,
                bucket.company,
                event.date,
                event.at,
                outcome.points,
                reasons,
                outcome.explanation,
                1 if outcome.points else 0,
            )
            former, former_company, taken, given = bucket.person, bucket.company, 0, outcome.points
            former_date = event.date
        else:
            former, former_company, former_date = award.person_id, award.company_id, award.date
            same_person = (former, former_company) == (bucket.person, bucket.company)
            same_terms = award.version == outcome.version and award.rulebook_id == version
            result = (outcome.points, reasons, outcome.explanation)
            if same_person and same_terms and (award.points, award.reasons, award.explanation) == result:
                continue
            change = outcome.points - award.points
            taken, given = (max(0, -change), max(0, change)) if same_person else (award.points, outcome.points)
            award.person_id, award.company_id, award.date = bucket.person, bucket.company, event.date
            award.version, award.rulebook_id, award.happened_at = outcome.version, version, event.at
            award.points, award.reasons, award.explanation = result
        found.append(
            _Difference(
                award=award,
                order=(event.at, event.source, event.key, event.id, outcome.rank),
                taken=taken,
                former=former,
                former_company=former_company,
                former_date=former_date,
                given=given,
                is_new=is_new,
                source=event.source,
                event_key=event.key,
                rank=outcome.rank,
                title=folded.rules.rules[outcome.rank].title,
                event=touched.get(event.id),
                lot=folded.rules.lots[outcome.rank],
            )
        )
    for key, award in awards.items():
        # The event of this award is nobody's, or waits again: what it earned is taken back.
        one = touched.get(award.event_id)
        if key in settled or one is None or not award.points:
            continue
        if one.bucket == award.bucket and not one.withheld:
            continue
        order = (award.happened_at, one.source, one.key, one.id, 0)
        found.append(
            _Difference(
                award, order, award.points, award.person_id, award.company_id, award.date, 0, False, one.source, one.key
            )
        )
        award.points, award.reasons = 0, [REVERSED]
        award.explanation = {"rule": award.rule, "version": award.version}
    found.sort(key=lambda difference: difference.order)
    return found


def _gains(differences: Iterable[_Difference]) -> Iterator[Gain]:
    """What people gained and lost by them, on the dates the awards were and are on."""
    for one in differences:
        award = one.award
        at, ended_at = (award.happened_at, None) if award.points else (None, award.happened_at)
        here = (award.company_id, award.person_id, award.date)
        there = (one.former_company, one.former, one.former_date)
        if here == there:
            if one.given or one.taken:
                yield Gain(*here, one.given - one.taken, at, ended_at)
        else:
            same_person = here[:2] == there[:2]
            before = award.points - one.given + one.taken if same_person else one.taken
            if before:
                yield Gain(*there, -before, None, award.happened_at)
            if award.points:
                yield Gain(*here, award.points, at)


def _post(differences: Sequence[_Difference], now: datetime) -> None:
    """Posts decreases, then increases, and notes them on the awards."""
    changed = [one for one in differences if not one.is_new]
    takings: list[Taking] = []
    for one in changed:
        if one.taken:
            one.award.transfers += 1
            takings.append(_taking(one))
    for one in changed:
        if one.given:
            one.award.transfers += 1
    take_back(takings, now=now)
    grant([_grant(one) for one in differences if one.given], now=now)
    _update([one.award for one in changed], now)


def _insert(awards: Sequence[AwardRow], now: datetime) -> None:
    rows = [
        (
            award.event_id,
            award.rule,
            award.version,
            award.rulebook_id,
            award.person_id,
            award.company_id,
            award.date,
            award.happened_at,
            award.points,
            orjson.dumps(award.reasons).decode(),
            award.explanation,
            award.transfers,
            now,
        )
        for award in awards
    ]
    insert_rows(Award, (*AWARD_COLUMNS[1:], "considered_at"), rows)


def _update(awards: Sequence[AwardRow], now: datetime) -> None:
    if not awards:
        return
    rows = [Award(**{name: getattr(award, name) for name in AWARD_COLUMNS}, considered_at=now) for award in awards]
    changing = [*(name for name in AWARD_COLUMNS if name not in ("id", "event_id", "rule")), "considered_at"]
    Award.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=[name.removesuffix("_id") for name in changing],
        batch_size=500,
    )


def _grant(one: _Difference) -> Grant:
    award = one.award
    return Grant(
        book=award.company_id,
        key=_transfer_key(award),
        lot=_lot_key(award, award.person_id),
        owner=str(award.person_id),
        points=one.given,
        cause=f"event/{award.event_id}",
        happened_at=award.happened_at,
        available_from=one.lot.available_from or award.happened_at,
        last_date=one.lot.last_date,
        expires_at=one.lot.expires_at,
        source=one.source,
        event_key=one.event_key,
        rule_order=one.rank,
        reason=f"rule/{award.rule}/{award.version}",
        explanation=_explained(award),
    )


def _taking(one: _Difference) -> Taking:
    award = one.award
    return Taking(
        book=one.former_company,
        key=_transfer_key(award),
        lot=_lot_key(award, one.former),
        points=one.taken,
        cause=f"event/{award.event_id}",
        reason=f"rule/{award.rule}/{award.version}",
        explanation=_explained(award),
    )


def _transfer_key(award: AwardRow) -> str:
    """The key of the award's latest transfer."""
    return f"award/{award.event_id}/{award.rule}/{award.transfers}"


def _lot_key(award: AwardRow, person: int) -> str:
    """The key of the lot: one per award and person, should its event pass to another."""
    return f"award/{award.event_id}/{award.rule}/of/{person}"


def _explained(award: AwardRow) -> dict[str, Any]:
    """I12, flat and short, as the chain hashes it: who, by which rule, how much before and after the limits."""
    whole = award.explanation
    told: dict[str, Any] = {
        "actor": READER,
        "rulebook": award.rulebook_id,
        "rule": award.rule,
        "version": award.version,
        "points": award.points,
    }
    if "before_caps" in whole:
        told["before_caps"] = whole["before_caps"]
    if award.reasons:
        told["reasons"] = ",".join(award.reasons)
        for cap in whole.get("caps", ()):
            if cap.get("clipped"):
                told |= {"used": cap["used"], **cap["cap"]}
    return told


@dataclass(slots=True)
class News:
    """What people will be told: one message each, of points newly earned."""

    now: datetime
    earned: dict[int, list[_Difference]] = field(default_factory=lambda: defaultdict(list))
    balance: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    levels: list[Telling] = field(default_factory=list)

    def add(self, differences: Iterable[_Difference]) -> None:
        for one in differences:
            if self.now - one.award.happened_at > NEWS:
                continue
            if one.taken:
                self.balance[one.former] -= one.taken
            if one.given:
                self.balance[one.award.person_id] += one.given
                self.earned[one.award.person_id].append(one)

    def tell(self) -> None:
        """Writes the messages. Who has no more than before is told nothing."""
        tell(self.levels, now=self.now)
        people = [person for person in self.earned if self.balance[person] > 0]
        if not people:
            return
        told = [one for person in people for one in self.earned[person][:TOLD]]
        names = {one.event.name for one in told if one.event}
        labels = {
            name: {"en": english, "zh": chinese}
            for name, english, chinese in EventType.objects.filter(name__in=names).values_list(
                "name", "label_en", "label_zh"
            )
        }
        ids = ids_of_awards(one.award.event_id for one in told)
        tell(
            [
                Telling(
                    person_id=person,
                    # The first transfer told of: no transfer is told of twice.
                    key=_transfer_key(self.earned[person][0].award),
                    kind=EARNED,
                    content=self._content(person, labels, ids),
                )
                for person in people
            ],
            now=self.now,
        )

    def _content(self, person: int, labels: Mapping[str, Mapping[str, str]], ids: Mapping[Key, int]) -> dict[str, Any]:
        awards = []
        for one in self.earned[person][:TOLD]:
            award = one.award
            name = one.event.name if one.event else ""
            awards.append(
                {
                    "award": ids[award.event_id, award.rule],
                    "event": award.event_id,
                    "points": one.given,
                    "rule": award.rule,
                    "title": one.title,
                    "name": name,
                    "labels": labels.get(name, {}),
                    "object": one.event.object if one.event else "",
                    "happened_at": award.happened_at.astimezone(UTC).isoformat(),
                }
            )
        return {"points": self.balance[person], "awards": awards, "count": len(self.earned[person])}
