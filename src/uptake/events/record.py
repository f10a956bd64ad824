"""The one door by which happenings become events. The sender's key makes a retry harmless.

A happening is stored once per (source, key, revision). Said again with the same content it is replayed; with other
content it is a conflict: nothing is stored, both contents are kept to be looked at. Undoing an import takes its events
back without deleting them, so their keys stay taken; a happening whose key is held by a withdrawn event is therefore
stored as the next free revision of that key, and an undone import can be imported again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
from django.db import IntegrityError, transaction
from django.db import connection as database
from django.db.models import Q
from django.utils.translation import gettext as _

from uptake.directory.models import Organization
from uptake.directory.place import Span, memberships_of, settings_of, span_on
from uptake.directory.resolve import Hints, resolve
from uptake.events import wake
from uptake.events.arrays import among
from uptake.events.arriving import Item, Stored
from uptake.events.content import ODDLY_EARLY, Content, Unusable, content_of, contents_of, misfits, sent_content
from uptake.events.dates import Dates, dates_at
from uptake.events.follow import follow_identified
from uptake.events.happening import Fate, Happening
from uptake.events.models import (
    BROWSER,
    Batch,
    Conflict,
    Connection,
    Correction,
    CorrectionKind,
    EventType,
    Quarantine,
    QuarantineReason,
)
from uptake.events.write_rows import copy_rows_whole, insert_rows

AHEAD = timedelta(minutes=5)
"""How far a sender's clock may run ahead."""
TO_THE_MINUTE = timedelta(minutes=1)
MANY = 400
"""From so many happenings on PostgreSQL takes the new ones by COPY."""
ASKED = 20
"""How many keys of many are asked for first."""


class ConnectionPaused(Exception):
    """The connection takes no events at present."""


class BatchWithdrawn(Exception):
    """The batch was undone; nothing can be added to it."""


def record(
    happenings: Sequence[Happening],
    *,
    connection: Connection,
    now: datetime,
    batch: Batch | None = None,
    make_people: bool = False,
    contents: Sequence[Content | None] = (),
) -> list[Fate]:
    """Stores happenings in one transaction; gives the fate of each, in the order given.

    The number of statements does not grow with the number of happenings. Unusable ones are rejected one by one and
    the rest goes in. Ids within one call follow the key, not the order given (so that two senders of the same keys
    never wait for each other in a circle). `contents` are those of the happenings where `contents_of` was asked before
    (None: not worked out). What web pages send counts in analyses and never earns points.
    Raises ConnectionPaused, BatchWithdrawn.
    """
    if connection.paused_at is not None:
        raise ConnectionPaused
    if not happenings:
        return []
    if connection.kind == BROWSER:
        # Anybody can read the key in the page and send what he likes: it is looked at, never paid.
        happenings, contents = [replace(one, history_only=True) for one in happenings], ()
    contents = contents or contents_of(happenings)
    fates: list[Fate | None] = [None] * len(happenings)
    with transaction.atomic():
        if batch is not None and Correction.objects.filter(kind=CorrectionKind.WITHDRAWN, batch=batch).exists():
            raise BatchWithdrawn
        items = _usable(happenings, contents, connection, fates)
        stored = _store(items, connection, now, batch, make_people, fates)
        if stored:
            _note_arrival(connection, now)
            transaction.on_commit(wake.ring)
    return [fate for fate in fates if fate is not None]


def _usable(
    happenings: Sequence[Happening],
    contents: Sequence[Content | None],
    connection: Connection,
    fates: list[Fate | None],
) -> list[Item]:
    """The happenings that can be stored; the others get their fate."""
    companies = _companies({one.company for one in happenings if one.company}, connection)
    items = []
    for index, (happening, content) in enumerate(zip(happenings, contents, strict=True)):
        try:
            if content is None:
                content = content_of(happening)
            company = None
            if happening.company:
                company = companies.get(happening.company)
                if company is None:
                    raise Unusable(
                        _("company %(slug)s is not at or below this connection's place.") % {"slug": happening.company}
                    )
        except Unusable as refusal:
            key = happening.key if isinstance(happening.key, str) else ""
            fates[index] = Fate(key, "rejected", None, str(refusal))
        else:
            items.append(Item(index, happening, *content, company))
    return items


def _companies(slugs: Iterable[Any], connection: Connection) -> dict[str, Organization]:
    """The companies named, by slug: those at or below the connection's organization (of a department: its company)."""
    wanted = sorted(slug for slug in slugs if isinstance(slug, str) and "\0" not in slug)
    if not wanted:
        return {}
    condition, values = among("directory_organization.slug", wanted)
    here = Organization.objects.filter(path__startswith=connection.organization.path).select_related("company")
    named = here.extra(where=[condition], params=values)  # noqa: S610 (the condition is ours)
    return {place.slug: place.company for place in named if place.company}


def _store(
    items: list[Item],
    connection: Connection,
    now: datetime,
    batch: Batch | None,
    make_people: bool,
    fates: list[Fate | None],
) -> bool:
    """Plans each item against what the record holds, writes the new ones; whether anything was written."""
    pending = _store_unheard(items, connection, now, batch, make_people, fates)
    wrote = len(pending) < len(items)
    for _round in range(10):
        if not pending:
            return wrote
        known = _known(connection.slug, {item.happening.key for item in pending})
        fresh, answered = _plan(pending, known)
        if fresh:
            _enrich(fresh, connection, now, make_people)
            insert_rows(fresh, connection.slug, now, batch)
        wrote = _tell_fates(fresh, answered, now, fates) or wrote
        pending = [item for item in pending if fates[item.index] is None]
    raise AssertionError("a key was taken and given back ten times while one call was recording it")


def _store_unheard(
    items: list[Item],
    connection: Connection,
    now: datetime,
    batch: Batch | None,
    make_people: bool,
    fates: list[Fate | None],
) -> list[Item]:
    """Writes many whose keys seem to be new without asking for each of them; gives those that are left.

    PostgreSQL takes them in half the time so, but all or none. Where some keys from all over are not held, hardly any
    is; if one is, whatever was done here is taken back, and the ordinary way answers for each.
    """
    if database.vendor == "sqlite" or len(items) < MANY:
        return items
    keys = sorted({item.happening.key for item in items})
    if _known(connection.slug, set(keys[:: len(keys) // ASKED])):
        return items
    fresh, answered = _plan(items, {})
    try:
        with transaction.atomic():
            _enrich(fresh, connection, now, make_people)
            copy_rows_whole(fresh, connection.slug, now, batch)
    except IntegrityError:
        for item in items:
            item.row, item.identity, item.place, item.reason, item.note = None, None, None, "", ""
        return items
    _tell_fates(fresh, answered, now, fates)
    return []


def _tell_fates(fresh: list[Item], answered: list[Item], now: datetime, fates: list[Fate | None]) -> bool:
    """The fates of those that were written and of those that were answered; whether any was written."""
    # An item without an id lost its key to another sender in this moment: what they wrote is visible next round.
    written = [item for item in fresh if item.row and item.row.id]
    if written:
        _quarantine(written, now)
    for item in written:
        fates[item.index] = Fate(
            item.happening.key,
            "quarantined" if item.reason else "new",
            item.row.id if item.row else None,
            item.reason,
        )
    _answer([item for item in answered if item.row and item.row.id], now, fates)
    return bool(written)


KNOWN = """
SELECT event.key, event.revision, event.id, event.fingerprint,
       EXISTS (SELECT 1 FROM events_correction undo WHERE undo.batch_id = event.batch_id AND undo.kind = 'withdrawn')
FROM events_event event WHERE event.source = %s AND {condition}
"""


def _known(source: str, keys: set[str]) -> dict[str, dict[int, Stored]]:
    """What the record holds under these keys: {key: {revision: stored}}."""
    condition, values = among("event.key", sorted(keys))
    with database.cursor() as cursor:
        cursor.execute(KNOWN.format(condition=condition), [source, *values])
        known: dict[str, dict[int, Stored]] = {}
        for key, revision, event_id, fingerprint, undone in cursor.fetchall():
            known.setdefault(key, {})[revision] = Stored(event_id, fingerprint, bool(undone))
    return known


def _plan(pending: list[Item], known: dict[str, dict[int, Stored]]) -> tuple[list[Item], list[Item]]:
    """(items to write, items whose key is held): a repetition inside one call is held by its first."""
    fresh, answered = [], []
    for item in pending:
        held = known.setdefault(item.happening.key, {})
        item.row, item.revision = _holder(held, item.happening.revision, item.fingerprint)
        if item.row is None:
            item.row = held[item.revision] = Stored(0, item.fingerprint, withdrawn=False)
            fresh.append(item)
        else:
            answered.append(item)
    return fresh, answered


def _holder(held: dict[int, Stored], revision: int, fingerprint: str) -> tuple[Stored | None, int]:
    """(who holds the key, the revision): a withdrawn holder gives way to the next revision that is not withdrawn."""
    row = held.get(revision)
    if row is None or not row.withdrawn:
        return row, revision
    said_before = row.fingerprint == fingerprint
    while row is not None and row.withdrawn:
        revision += 1
        row = held.get(revision)
    if row is not None and row.fingerprint != fingerprint and said_before:
        # A later revision of the sender's own stands already, so saying the old one again changes nothing.
        return Stored(row.id, fingerprint, withdrawn=False), revision
    return row, revision


def _enrich(fresh: list[Item], connection: Connection, now: datetime, make_people: bool) -> None:
    """Gives each new item its identity, company, business date, and the reason to wait if there is one."""
    home = connection.organization
    home_dates = dates_at(connection.clock)
    people = _identities(fresh, connection, home_dates, now, make_people)
    spans: dict[int, list[Span]] = {}
    if home.company_id is None:
        spans = memberships_of(
            known
            for item in fresh
            if item.company is None and item.happening.person and (known := people[item.happening.person][1])
        )
    for item in fresh:
        person = item.happening.person
        person_id: int | None = None
        if person:
            item.identity, person_id = people[person]
        if item.company is not None:
            item.place = item.company.pk
        elif home.company_id is not None:
            item.place = home.company_id
        elif person_id is not None and person_id in spans:
            span = span_on(spans[person_id], home_dates.of(item.at))
            if span is not None and span.path.startswith(home.path):
                item.place = span.company_id
    home_clock = _Clock(home_dates, now, connection.lateness_days)
    clocks: dict[int | None, _Clock] = {None: home_clock, home.pk: home_clock}
    places = {item.place for item in fresh if item.place is not None} - clocks.keys()
    if home.company_id is not None:
        clocks |= dict.fromkeys(places, home_clock)  # the site of the event says its date: that of its connection
    elif places:
        for place, clock in settings_of(Organization.objects.filter(pk__in=places)).items():
            clocks[place] = _Clock(dates_at(clock), now, connection.lateness_days)
    properties = _catalogue({item.happening.event for item in fresh}, now)
    soon = now + AHEAD
    for item in fresh:
        clock_here = clocks[item.place]
        item.date, late = clock_here.read(item.at)
        declared = properties.get(item.happening.event)
        odd = misfits(item.happening.facts, declared) if declared else []
        if item.at < ODDLY_EARLY:
            odd = ["at", *odd]
        if odd:
            item.reason, item.note = QuarantineReason.ODD, ", ".join(odd)[:500]
        elif item.happening.history_only:
            item.reason = ""  # the text of the rulebook: history-only events are never quarantined
        elif item.at > soon:
            item.reason = QuarantineReason.FUTURE
        elif late:
            item.reason = QuarantineReason.LATE


class _Clock:
    """Reads business dates at one place, and whether they are too long ago; each date is judged once."""

    def __init__(self, dates: Dates, now: datetime, lateness_days: int) -> None:
        self.dates = dates
        # received_at ≥ start(date + 1 + lateness) says the same as: today is not before date + 1 + lateness.
        self.late_before = dates.of(now.astimezone(UTC)) - timedelta(days=lateness_days)
        self._read: dict[date, tuple[str, bool]] = {}

    def read(self, at: datetime) -> tuple[str, bool]:
        day = self.dates.of(at)
        known = self._read.get(day)
        if known is None:
            known = self._read[day] = (day.isoformat(), day < self.late_before)
        return known


def _identities(
    fresh: list[Item], connection: Connection, home_dates: Dates, now: datetime, make_people: bool
) -> dict[str, tuple[int, int | None]]:
    """(identity id, person id) of each person named; found in one read, the rest resolved company by company."""
    first: dict[str, Item] = {}
    telling: dict[str, Item] = {}
    for item in fresh:
        happening = item.happening
        if happening.person:
            first.setdefault(happening.person, item)
            if happening.person_email or happening.person_staff_number or happening.person_name:
                telling.setdefault(happening.person, item)
    if not first:
        return {}
    condition, values = among("external_id", sorted(first))
    # Where events get their company from the person, the lock makes a mapping by hand wait for this transaction:
    # it then sees and places the events written here. Other senders pass.
    lock = "" if database.vendor == "sqlite" or connection.organization.company_id else " FOR KEY SHARE"
    with database.cursor() as cursor:
        cursor.execute(
            f"SELECT external_id, id, person_id FROM directory_identity WHERE source = %s AND {condition}{lock}",  # noqa: S608
            [connection.slug, *values],
        )
        people: dict[str, tuple[int, int | None]] = {external: (pk, person) for external, pk, person in cursor}
    by_company: dict[int, tuple[Organization, dict[str, Hints | None]]] = {}
    home = connection.organization
    for external, item in sorted(first.items()):
        if external in people and (people[external][1] is not None or not (make_people or external in telling)):
            continue
        said = telling.get(external, item).happening
        company = item.company or home.company or home
        hints = Hints(said.person_name, said.person_email, said.person_staff_number, home_dates.of(item.at))
        by_company.setdefault(company.pk, (company, {}))[1][external] = hints
    for _pk, (company, wanted) in sorted(by_company.items()):
        found = resolve(source=connection.slug, people=wanted, company=company, now=now, make_people=make_people)
        late_comers = [
            one for external, one in found.items() if external in people and one.person_id and not people[external][1]
        ]
        people |= {external: (one.pk, one.person_id) for external, one in found.items()}
        follow_identified(late_comers, was=None, by=None, now=now)
    return people


def _catalogue(names: set[str], now: datetime) -> dict[str, dict[str, Any]]:
    """The declared properties of these names; names not seen before are added to the catalogue as undeclared."""
    condition, values = among("name", sorted(names))
    with database.cursor() as cursor:
        cursor.execute(f"SELECT name, properties FROM events_eventtype WHERE {condition}", values)  # noqa: S608
        known = {name: orjson.loads(properties) for name, properties in cursor}
    missing = sorted(names - known.keys())
    if missing:
        EventType.objects.bulk_create(
            [EventType(name=name, created_at=now) for name in missing], ignore_conflicts=True, batch_size=500
        )
    return known


def _quarantine(written: list[Item], now: datetime) -> None:
    waiting = [
        Quarantine(event_id=item.row.id, reason=item.reason, note=item.note, created_at=now)
        for item in written
        if item.reason and item.row
    ]
    if waiting:
        Quarantine.objects.bulk_create(waiting, batch_size=500)


def _answer(settled: list[Item], now: datetime, fates: list[Fate | None]) -> None:
    """The fate of those whose key is held: replayed, or a conflict that is kept once."""
    conflicts = []
    for item in settled:
        assert item.row is not None, "settled items have a row"
        if item.row.fingerprint == item.fingerprint:
            fates[item.index] = Fate(item.happening.key, "replayed", item.row.id)
            continue
        sentence = _("This key is held by other content; a change needs a higher revision.")
        fates[item.index] = Fate(item.happening.key, "conflict", item.row.id, sentence)
        conflicts.append(
            Conflict(
                event_id=item.row.id,
                fingerprint=item.fingerprint,
                content=sent_content(item.happening),
                received_at=now,
            )
        )
    if conflicts:
        Conflict.objects.bulk_create(conflicts, ignore_conflicts=True, batch_size=500)


def _note_arrival(connection: Connection, now: datetime) -> None:
    if connection.last_event_at is None or connection.last_event_at <= now - TO_THE_MINUTE:
        older = Q(last_event_at__isnull=True) | Q(last_event_at__lt=now)
        Connection.objects.filter(older, pk=connection.pk).update(last_event_at=now)
        connection.last_event_at = now
