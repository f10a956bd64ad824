"""What the record says now about some events and about all events of some people's dates: reads, in bulk."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Exists, IntegerField, OuterRef, Q, Subquery, TextField
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast

from uptake.directory.models import Identity, Kind, Organization, Person, PersonKind
from uptake.directory.place import Span, memberships_of, span_on
from uptake.directory.viewer import ids_of
from uptake.events.facts import FactsDecoder
from uptake.events.models import Correction, CorrectionKind, Event, QuarantineReason
from uptake.events.read import Position
from uptake.programme.models import Award
from uptake.programme.standing import UNKNOWN, JudgedEvent, Standing

OWN_SOURCE = "uptake"
OWN_NAMES = "programme."
"""What the programme itself records is named so and never earns, or rules would feed themselves."""


NEVER = datetime.min.replace(tzinfo=UTC)


class Bucket(NamedTuple):
    """Whatever is folded together: one person at one company on one business date."""

    person: int
    company: int
    date: date


@dataclass(slots=True)
class Gathered:
    """An event with what was decided about it since."""

    id: int
    source: str
    key: str
    revision: int
    name: str
    happened_at: datetime
    received_at: datetime
    date: date
    object: str
    facts: Mapping[str, Any]
    history_only: bool
    company: int | None
    identity: int | None
    person: int | None
    human: bool
    quarantine: str | None
    batch: int | None
    newer: bool
    """There is a higher revision, which may or may not count."""
    accepted_at: datetime | None = None
    joined_at: datetime = NEVER
    """When it could first be considered: received, accepted, its person or its company known."""
    arrived_at: datetime = NEVER
    """The same, whoever its person is: when it could first undo others."""
    mapped_at: datetime | None = None
    """When its person or its company became known, if that was later than the event itself."""
    withdrawn: bool = False
    superseded: bool = False
    superseded_at: datetime | None = None
    """When the first of the revisions that take its place came."""

    @property
    def withheld(self) -> bool:
        """In quarantine, or declined there."""
        return self.quarantine is not None and self.accepted_at is None

    @property
    def bucket(self) -> Bucket | None:
        """Where it is folded; None while it is nobody's, a machine's, of no company, or the programme's own."""
        if self.person is None or self.company is None or not self.human or self.own:
            return None
        return Bucket(self.person, self.company, self.date)

    @property
    def order(self) -> tuple[datetime, str, str, int]:
        return (self.happened_at, self.source, self.key, self.id)

    @property
    def own(self) -> bool:
        return self.source == OWN_SOURCE and self.name.startswith(OWN_NAMES)

    @property
    def accepted_late(self) -> bool:
        return self.accepted_at is not None and self.quarantine == QuarantineReason.LATE.value

    def late_for(self, closes_at: datetime) -> bool:
        """Whether it is a late one: accepted as such, or joined when the awards of its date had closed."""
        return self.joined_at >= closes_at or self.accepted_late

    def told_late(self, closes_at: datetime) -> bool:
        """Whether its awards say so: not those of what lay in the future, however late it was accepted."""
        return self.accepted_late or (self.mapped_at or self.received_at) >= closes_at

    def judged(self, *, late: bool, standing: Standing = UNKNOWN) -> JudgedEvent:
        return JudgedEvent(
            id=self.id,
            name=self.name,
            at=self.happened_at,
            source=self.source,
            key=self.key,
            date=self.date,
            facts=self.facts,
            history_only=self.history_only,
            reversed=self.withdrawn or self.superseded,
            late=late,
            standing=standing,
        )


COLUMNS = (
    "id",
    "source",
    "key",
    "revision",
    "name",
    # As text and number: read here in a fraction of the time in which Django reads instants, dates, JSON and truth.
    Cast("happened_at", TextField()),
    Cast("received_at", TextField()),
    Cast("business_date", TextField()),
    "object",
    Cast("facts", TextField()),
    Cast("history_only", IntegerField()),
    "company_id",
    "identity_id",
    "identity__person_id",
    "identity__person__kind",
    "quarantine__reason",
    "batch_id",
)


def gather(ids: Collection[int]) -> dict[int, Gathered]:
    """The events of these ids, with what was decided about them, by id. At most four queries."""
    # Said of 1 too, because the few events beyond it have an index of their own.
    newer = Event.objects.filter(revision__gt=1, source=OuterRef("source"), key=OuterRef("key")).filter(
        revision__gt=OuterRef("revision")
    )
    rows: list[Any] = list(Event.objects.filter(pk__in=many(ids)).values_list(*COLUMNS, Exists(newer)))
    found: dict[int, Gathered] = {}
    human = PersonKind.HUMAN.value
    received = {text: as_instant(text) for text in {row[6] for row in rows}}
    dates = {text: date.fromisoformat(text) for text in {row[7] for row in rows}}
    # Decoded as one text: calling the decoder costs more than the facts of an event.
    decoded = FactsDecoder().decode(f"[{','.join([row[9] for row in rows])}]")
    for row, facts in zip(rows, decoded, strict=True):
        pk, source, key, revision, name, happened_at, received_at, day, thing, _, history, company = row[:12]
        found[pk] = Gathered(
            pk,
            source,
            key,
            revision,
            name,
            as_instant(happened_at),
            received[received_at],
            dates[day],
            thing,
            facts,
            bool(history),
            company,
            row[12],
            row[13],
            row[14] == human,
            row[15],
            row[16],
            row[17],
        )
    _read_decisions(found)
    _read_newer(found)
    return found


def _read_decisions(events: Mapping[int, Gathered]) -> None:
    """Sets company, accepted_at, joined_at and withdrawn from the corrections."""
    waiting = [one.id for one in events.values() if one.quarantine is not None]
    placeless = [one.id for one in events.values() if one.company is None]
    identities = {one.identity for one in events.values() if one.identity is not None}
    batches = {one.batch for one in events.values() if one.batch is not None}
    said = Q(kind=CorrectionKind.IDENTIFIED, identity_id__in=many(identities))
    if waiting:
        said |= Q(kind=CorrectionKind.ACCEPTED, event_id__in=many(waiting))
    if placeless:
        said |= Q(kind=CorrectionKind.PLACED, event_id__in=many(placeless))
    if batches:
        said |= Q(kind=CorrectionKind.WITHDRAWN, batch_id__in=many(batches))
    identified: dict[int, datetime] = {}
    accepted: dict[int, datetime] = {}
    placed: dict[int, tuple[int | None, datetime]] = {}
    withdrawn: set[int] = set()
    rows = (
        Correction.objects.filter(said)
        .order_by("id")
        .values_list("kind", "identity_id", "event_id", "batch_id", "company_id", "at")
    )
    for kind, identity, event, batch, company, at in rows:
        if kind == CorrectionKind.IDENTIFIED:
            identified[identity] = at
        elif kind == CorrectionKind.ACCEPTED:
            accepted[event] = at
        elif kind == CorrectionKind.PLACED:
            placed[event] = (company, at)
        else:
            withdrawn.add(batch)
    said_something = bool(identified or accepted or placed or withdrawn)
    for one in events.values():
        one.joined_at = one.arrived_at = one.received_at
        if said_something:
            one.accepted_at = accepted.get(one.id)
            mapped_at, placed_at = identified.get(one.identity or 0), None
            if one.id in placed:
                one.company, placed_at = placed[one.id]
            one.arrived_at = max(at for at in (one.received_at, one.accepted_at, placed_at) if at is not None)
            one.joined_at = one.arrived_at if mapped_at is None else max(one.arrived_at, mapped_at)
            told = [at for at in (mapped_at, placed_at) if at is not None and at > one.received_at]
            one.mapped_at = max(told, default=None)
            one.withdrawn = one.batch in withdrawn


def _read_newer(events: Mapping[int, Gathered]) -> None:
    """Sets superseded where a higher revision is out of quarantine and not withdrawn."""
    older = [one for one in events.values() if one.newer]
    if not older:
        return
    standing = (
        Event.objects.filter(pk__in=many(_revisions_of(older)), revision__gt=1)
        .exclude(batch__corrections__kind=CorrectionKind.WITHDRAWN)
        .filter(Q(quarantine__isnull=True) | Exists(_accepted()))
    )
    when = Correction.objects.filter(kind=CorrectionKind.ACCEPTED, event=OuterRef("pk")).values("at")[:1]
    found: dict[tuple[str, str], list[tuple[int, datetime]]] = defaultdict(list)
    rows = standing.annotate(accepted_at=Subquery(when)).values_list(
        "source", "key", "revision", "received_at", "accepted_at"
    )
    for source, key, revision, received_at, accepted_at in rows:
        found[source, key].append((revision, accepted_at or received_at))
    for one in older:
        later = [at for revision, at in found.get((one.source, one.key), ()) if revision > one.revision]
        one.superseded, one.superseded_at = bool(later), min(later, default=None)


def _accepted() -> Any:
    return Correction.objects.filter(kind=CorrectionKind.ACCEPTED, event=OuterRef("pk"))


def earlier_revisions(events: Iterable[Gathered]) -> list[int]:
    """The ids of lower revisions of these events: they stand or fall with them."""
    revised = [one for one in events if one.revision > 1]
    return _revisions_of(revised) if revised else []


def _revisions_of(events: Iterable[Gathered]) -> list[int]:
    """The ids of all revisions under the keys of these events."""
    keys = pairs_of([(one.source, one.key) for one in events], ("text", "text"))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM events_event WHERE (source, key) IN ({keys.sql})", keys.params)  # noqa: S608
        return [row[0] for row in cursor.fetchall()]


def events_in(buckets: Collection[Bucket]) -> list[int]:
    """The ids of all events of the people of these buckets on their dates (of any company)."""
    dates: dict[int, set[date]] = defaultdict(set)
    for bucket in buckets:
        dates[bucket.person].add(bucket.date)
    rows = Identity.objects.filter(person_id__in=many(dates)).values_list("pk", "person_id")
    wanted = [(pk, day) for pk, person in rows if person is not None for day in dates[person]]
    if not wanted:
        return []
    days = pairs_of(wanted, ("bigint", "date"), ("identity_id", "day"))
    # A business date lies within these instants in every zone; they let the index by time do the work.
    if connection.vendor == "sqlite":
        low, high = "date(days.day, '-1 day')", "date(days.day, '+3 days')"
    else:
        low = "(days.day - 1)::timestamp AT TIME ZONE 'UTC'"
        high = "(days.day + 3)::timestamp AT TIME ZONE 'UTC'"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT e.id FROM ({days.sql}) AS days JOIN events_event e ON e.identity_id = days.identity_id "  # noqa: S608
            f"AND e.happened_at >= {low} AND e.happened_at < {high} WHERE e.business_date = days.day",
            days.params,
        )
        return [row[0] for row in cursor.fetchall()]


LONG_AGO = date(1000, 1, 1)
"""Before anything happened."""


def events_of(since: Mapping[int, date | None], until: Position) -> list[int]:
    """The ids of all events of these people (of any company), of each from a date on (None: of all dates).

    What a reader at `until` has not read yet waits for its turn, unless it was read before the reader began anew.
    """
    if not since:
        return []
    latest = Award.objects.order_by("-event_id").values_list("event_id", flat=True).first() or 0
    days = pairs_of([(person, day or LONG_AGO) for person, day in since.items()], ("bigint", "date"), ("person", "day"))
    if connection.vendor == "sqlite":
        low, read = "date(days.day, '-1 day')", "e.id <= %s"
        place: list[int] = [until.id]
    else:
        low, read = "(days.day - 1)::timestamp AT TIME ZONE 'UTC'", "(e.txid, e.id) <= (%s, %s)"
        place = [until.txid, until.id]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT e.id FROM ({days.sql}) AS days JOIN directory_identity i ON i.person_id = days.person "  # noqa: S608
            f"JOIN events_event e ON e.identity_id = i.id AND e.happened_at >= {low} "
            f"WHERE e.business_date >= days.day AND (e.id <= %s OR {read})",
            [*days.params, latest, *place],
        )
        return [row[0] for row in cursor.fetchall()]


def events_given_away(since: Mapping[int, date | None]) -> list[int]:
    """The ids of events with awards of these people, of each from a date on, that are others' by now."""
    if not since:
        return []
    days = pairs_of([(person, day or LONG_AGO) for person, day in since.items()], ("bigint", "date"), ("person", "day"))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT a.event_id FROM ({days.sql}) AS days "  # noqa: S608
            "JOIN programme_award a ON a.person_id = days.person AND a.date >= days.day "
            "JOIN events_event e ON e.id = a.event_id JOIN directory_identity i ON i.id = e.identity_id "
            "WHERE i.person_id IS NULL OR i.person_id <> a.person_id",
            days.params,
        )
        return [row[0] for row in cursor.fetchall()]


@dataclass(slots=True)
class AwardRow:
    """An award while it is considered; the fields are the columns of the table in their order."""

    id: int
    event_id: int
    rule: str
    version: int
    rulebook_id: int
    person_id: int
    company_id: int
    date: date
    happened_at: datetime
    points: int
    reasons: list[str]
    explanation: dict[str, Any]
    transfers: int

    @property
    def bucket(self) -> Bucket:
        return Bucket(self.person_id, self.company_id, self.date)


AWARD_COLUMNS = tuple(one.name for one in fields(AwardRow))


def awards_of(event_ids: Collection[int]) -> dict[tuple[int, str], AwardRow]:
    """The awards of these events, by (event id, rule)."""
    # New events are as a rule later than all that have awards; the end of the index tells.
    latest = Award.objects.order_by("-event_id").values_list("event_id", flat=True).first()
    if not event_ids or latest is None or latest < min(event_ids):
        return {}
    rows: Any = Award.objects.filter(event_id__in=many(event_ids)).values_list(*AWARD_COLUMNS)
    return {(row[1], row[2]): AwardRow(*row) for row in rows}


def ids_of_awards(event_ids: Iterable[int]) -> dict[tuple[int, str], int]:
    """The ids of the awards of these events, by (event id, rule)."""
    rows: Any = Award.objects.filter(event_id__in=many(set(event_ids))).values_list("event_id", "rule", "pk")
    return {(event_id, rule): pk for event_id, rule, pk in rows}


class UsedRow(NamedTuple):
    """What one rule's awards take in a bucket: points, paid awards, and the latest event awarded or refused."""

    rule: str
    points: int
    times: int
    latest: datetime


def used_in(buckets: Collection[Bucket]) -> dict[Bucket, list[UsedRow]]:
    """What the awards of each bucket take, added up by rule. One query, whatever their number."""
    days = pairs_of(sorted({(bucket.person, bucket.date) for bucket in buckets}), ("bigint", "date"))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT person_id, company_id, date, rule, SUM(points), SUM(CASE WHEN points > 0 THEN 1 ELSE 0 END), "  # noqa: S608
            "CAST(MAX(happened_at) AS text) FROM programme_award "
            f"WHERE (person_id, date) IN ({days.sql}) GROUP BY 1, 2, 3, 4",
            days.params,
        )
        rows = cursor.fetchall()
    found: dict[Bucket, list[UsedRow]] = defaultdict(list)
    for person, company, day, rule, points, times, latest in rows:
        bucket = Bucket(person, company, as_date(day))
        found[bucket].append(UsedRow(rule, int(points), int(times), as_instant(latest)))
    return found


def used_before(since: Mapping[tuple[int, int], date]) -> dict[tuple[int, int], list[tuple[str, int, int]]]:
    """(rule, points, paid awards) of all awards of each (person, company) of dates before one of its own."""
    if not since:
        return {}
    wanted = [(person, day) for (person, _), day in since.items()]
    days = pairs_of(sorted(set(wanted)), ("bigint", "date"), ("person", "day"))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.person_id, a.company_id, CAST(days.day AS text), a.rule, SUM(a.points), COUNT(*) "  # noqa: S608
            f"FROM ({days.sql}) AS days JOIN programme_award a ON a.person_id = days.person AND a.date < days.day "
            "WHERE a.points > 0 GROUP BY 1, 2, 3, 4",
            days.params,
        )
        rows = cursor.fetchall()
    found: dict[tuple[int, int], list[tuple[str, int, int]]] = defaultdict(list)
    for person, company, day, rule, points, times in rows:
        if since.get((person, company)) == as_date(day):
            found[person, company].append((rule, int(points), int(times)))
    return found


@dataclass(frozen=True, slots=True)
class Memberships:
    """Where some people belonged, and since when: what tells who each of them was on a date."""

    spans: Mapping[int, Sequence[Span]]
    joined: Mapping[int, date | None]
    departments: Mapping[int, str]
    """The name of each department, by id."""

    def on(self, bucket: Bucket) -> Standing:
        here = span_on(
            [span for span in self.spans.get(bucket.person, ()) if span.company_id == bucket.company], bucket.date
        )
        since = self.joined.get(bucket.person)
        return Standing(
            department=self._department(here.path) if here else None,
            role=(here.role or None) if here else None,
            tenure_days=(bucket.date - since).days if since else None,
        )

    def until(self, bucket: Bucket) -> str:
        """Names all they say of the person at the company up to this date."""
        told = [
            (
                span.membership_id,
                span.from_date,
                span.until_date if span.until_date and span.until_date <= bucket.date else None,
                span.role,
                self._department(span.path),
            )
            for span in self.spans.get(bucket.person, ())
            if span.company_id == bucket.company and span.from_date <= bucket.date
        ]
        return repr((told, self.joined.get(bucket.person)))

    def _department(self, path: str) -> str | None:
        names = [self.departments[key] for key in ids_of(path) if key in self.departments]
        return names[-1] if names else None


def memberships_told(people: Collection[int]) -> Memberships:
    """The memberships of these people, in three queries."""
    spans = memberships_of(people)
    joined = dict(Person.objects.filter(pk__in=many(people)).values_list("pk", "joined_date"))
    places = {key for found in spans.values() for span in found for key in ids_of(span.path)}
    departments = dict(Organization.objects.filter(pk__in=many(places), kind=Kind.DEPARTMENT).values_list("pk", "name"))
    return Memberships(spans, joined, departments)


def standings_of(buckets: Collection[Bucket]) -> dict[Bucket, Standing]:
    """Who each person was on each date, by the membership in that company."""
    told = memberships_told({bucket.person for bucket in buckets})
    return {bucket: told.on(bucket) for bucket in buckets}


def former_people(corrections: Iterable[Correction]) -> dict[int, set[int]]:
    """Whose each identity was before it was said to be another's."""
    found: dict[int, set[int]] = defaultdict(set)
    for one in corrections:
        if one.kind == CorrectionKind.IDENTIFIED and one.identity_id is not None and one.person_id_was is not None:
            found[one.identity_id].add(one.person_id_was)
    return found


def of_corrections(
    corrections: Iterable[Correction], closes_before: Callable[[], date], which: Q
) -> Iterator[tuple[list[int], bool]]:
    """(ids of events, whether they count only now) of each kind of correction, in a few queries whatever their number.

    `closes_before` gives the first date whose awards may still be open: a moved membership changes no closed one.
    `which`: the events that matter; of what was said about single ones, all are given.
    """
    events: set[int] = set()
    identities: set[int] = set()
    batches: set[int] = set()
    moved: set[int] = set()
    for one in corrections:
        if one.event_id is not None:
            events.add(one.event_id)
        if one.identity_id is not None and one.kind != CorrectionKind.ERASED:  # what was earned stays; see 0015
            identities.add(one.identity_id)
        if one.batch_id is not None:
            batches.add(one.batch_id)
        if one.kind == CorrectionKind.MOVED and one.person_id_was is not None:
            moved.add(one.person_id_was)
    if events:
        yield sorted(events), True
    if identities:
        of_them = Event.objects.filter(which, identity_id__in=many(identities))
        yield list(of_them.order_by("pk").values_list("pk", flat=True)), False
    if batches:
        of_them = Event.objects.filter(which, batch_id__in=many(batches))
        yield list(of_them.order_by("pk").values_list("pk", flat=True)), False
    if moved:
        since = closes_before()
        of_them = Event.objects.filter(
            which,
            identity__in=Identity.objects.filter(person_id__in=many(moved)),
            happened_at__gte=datetime(since.year, since.month, since.day, tzinfo=UTC) - timedelta(days=1),
            business_date__gte=since,
        )
        yield list(of_them.values_list("pk", flat=True)), False


@dataclass(frozen=True, slots=True)
class Pairs:
    """A subquery of many rows given as one or two parameters."""

    sql: str
    params: list[Any]


def pairs_of(rows: Sequence[tuple[Any, Any]], types: tuple[str, str], names: tuple[str, str] = ("a", "b")) -> Pairs:
    """A subquery giving these rows of two columns, whatever their number."""
    first, second = names
    if connection.vendor == "sqlite":
        given = [[_plain(left), _plain(right)] for left, right in rows]
        columns = f"json_extract(value, '$[0]') AS {first}, json_extract(value, '$[1]') AS {second}"
        return Pairs(f"SELECT {columns} FROM json_each(%s)", [json.dumps(given)])  # noqa: S608
    table = f"unnest(%s::{types[0]}[], %s::{types[1]}[]) AS t({first}, {second})"
    given_columns: list[Any] = [[row[0] for row in rows], [row[1] for row in rows]]
    params = [column if kind == "text" else _array(column) for kind, column in zip(types, given_columns, strict=True)]
    return Pairs(f"SELECT {first}, {second} FROM {table}", params)  # noqa: S608


def _array(values: Sequence[int | date]) -> str:
    """Numbers or dates as an array in PostgreSQL's notation; the driver's own way takes several times as long."""
    return "{" + ",".join(map(str, values)) + "}"


def many(ids: Collection[int]) -> RawSQL:
    """A subquery of ids for `…__in`: one parameter, whatever their number."""
    if connection.vendor == "sqlite":
        return RawSQL("SELECT value FROM json_each(%s)", [json.dumps(sorted(ids))])
    return RawSQL("SELECT unnest(%s::bigint[])", [_array(sorted(ids))])


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def as_date(value: Any) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)


def as_instant(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    # SQLite keeps instants in UTC without saying so.
    return datetime.fromisoformat(value if value.endswith("+00") else value + "+00:00")
