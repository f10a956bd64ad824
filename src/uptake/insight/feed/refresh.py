"""Brings the activity log up to the record: new events are added, corrected people are written anew.

How far it has read stands in the log's own manifest, so rows and bookmark are put in force by one renaming and cannot
disagree. Nothing here needs to be told what it did before: events are read once, by position; whatever a correction
touches is read again from the record, for all the events of the people concerned.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import numpy as np
from django.db.models import QuerySet

from uptake.activity.columns import bucket_of
from uptake.activity.incoming import Incoming
from uptake.activity.log import each_bucket
from uptake.activity.storage import Overtaken
from uptake.activity.store import Writer
from uptake.directory.models import Identity
from uptake.events.models import Correction, CorrectionKind, Event
from uptake.events.read import Position, corrections_after, events_after
from uptake.insight.feed.rows import (
    IDS_PER_QUERY,
    Departments,
    bookkeeping,
    code_of,
    declared_properties,
    machines,
    memberships_print,
    rows_of,
    standing_of,
    up_to,
)
from uptake.insight.feed.where import activity_log, buckets, location, store

logger = logging.getLogger(__name__)
Value = TypeVar("Value", int, str)

PAGE = 50_000
MOST_PAGES = 10
"""How much one refresh reads at most; the next one goes on."""
BETWEEN_LOOKS = timedelta(seconds=60)
"""How often the memberships are compared; a person's department follows them."""


def refresh(*, now: datetime) -> int:
    """New events and corrections enter the log. Gives how many events and corrections were read. Safe to repeat.

    Two refreshes at once wait for each other; the second finds what is left. On object storage the slower of two may
    be overtaken: then it has read nothing, and the next one goes on from where the other is."""
    try:
        with store().writing(buckets=buckets()) as writer:
            read = _refreshed(writer, now)
    except Overtaken as overtaken:
        logger.info("The activity log was left to another writer: %s.", overtaken)
        return 0
    log = activity_log()
    log.catch_up()
    return read


def rebuild(*, now: datetime) -> int:
    """Makes the whole log again from the record. Gives how many events were read.

    Questions are answered from the log as it was until the new one is put in force as a whole. Overtaken: on object
    storage, when another writer took this one for gone."""
    with store().writing() as writer:
        writer.clear(buckets())
        _describe(writer)
        corrections, memberships = _end_of_corrections(), memberships_print()
        position, read = Position(), 0
        departments = Departments()
        while True:
            page, position, _superseding = _page(position)
            if not page:
                break
            read += len(page)
            writer.add(_rows(page, departments))
        writer.compact()
        writer.publish(position=_positions(position, corrections, memberships))
    activity_log().catch_up()
    return read


def _refreshed(writer: Writer, now: datetime) -> int:
    position, corrected = positions(writer.position)
    corrections = list(corrections_after(corrected, limit=PAGE))
    touched = _touched(corrections)
    departments = Departments()
    arrived: list[Incoming] = []
    read = 0
    for _ in range(MOST_PAGES):
        page, position, superseding = _page(position)
        read += len(page)
        if not page:
            break
        touched |= _superseded(superseding)
        arrived.append(_rows(page, departments))
        if len(page) < PAGE:
            break
    memberships = _memberships(writer.position, now)
    if memberships is not None:
        touched |= _moved(departments)
    described = _describe(writer)
    if not read and not corrections and not touched and not described and memberships is None:
        return 0
    for incoming in arrived:
        writer.add(_without(incoming, touched))
    _write_anew(writer, touched, position, departments)
    if any(one.kind == CorrectionKind.ERASED for one in corrections):
        writer.forget_texts()
    if corrections:
        corrected = Position(corrections[-1].txid, corrections[-1].pk)
    writer.tidy()
    state = writer.position.get("memberships", 0) if memberships is None else memberships
    writer.publish(position=_positions(position, corrected, state))
    return read + len(corrections)


def positions(saved: Mapping[str, int]) -> tuple[Position, Position]:
    """How far the log has read events and corrections."""
    return (
        Position(saved.get("event_txid", 0), saved.get("event_id", 0)),
        Position(saved.get("correction_txid", 0), saved.get("correction_id", 0)),
    )


def _positions(events: Position, corrections: Position, memberships: int) -> dict[str, int]:
    return {
        "event_txid": events.txid,
        "event_id": events.id,
        "correction_txid": corrections.txid,
        "correction_id": corrections.id,
        "memberships": memberships,
    }


def _page(position: Position) -> tuple[set[int], Position, list[tuple[str, str]]]:
    """The ids of the next events, the position after them, and (source, key) of those that supersede others."""
    rows = list(events_after(position, limit=PAGE).values_list("txid", "pk", "revision", "source", "key"))
    if not rows:
        return set(), position, []
    superseding = [(source, key) for _, _, revision, source, key in rows if revision > 1]
    return {pk for _, pk, *_ in rows}, Position(rows[-1][0], rows[-1][1]), superseding


def _rows(page: set[int], departments: Departments) -> Incoming:
    """The standing ones among these events. Ids of one page lie close together, so they are read as a range."""
    found = rows_of(Event.objects.filter(pk__range=(min(page), max(page))).standing(), departments)
    return _kept(found, [pk in page for pk in found.event_id])


def _without(incoming: Incoming, codes: set[int]) -> Incoming:
    return _kept(incoming, [code not in codes for code in incoming.person]) if codes else incoming


def _kept(incoming: Incoming, keep: list[bool]) -> Incoming:
    if all(keep):
        return incoming
    kept = Incoming()
    for name, column in vars(incoming).items():
        setattr(kept, name, [value for value, stays in zip(column, keep, strict=True) if stays])
    return kept


def _touched(corrections: Sequence[Correction]) -> set[int]:
    """The codes of everyone whose rows a correction may change."""
    events: set[int] = set()
    batches: set[int] = set()
    codes: set[int] = set()
    for one in corrections:
        if one.kind == CorrectionKind.WITHDRAWN and one.batch_id is not None:
            batches.add(one.batch_id)
        elif one.kind == CorrectionKind.IDENTIFIED:
            continue
        elif one.event_id is not None:
            events.add(one.event_id)
        if one.kind in (CorrectionKind.MOVED, CorrectionKind.ERASED) and one.person_id_was is not None:
            codes.add(one.person_id_was)
    for some in _in_pieces(events):
        codes |= _codes_and_superseded(Event.objects.filter(pk__in=some))
    for batch in batches:
        codes |= _codes_and_superseded(Event.objects.filter(batch_id=batch))
    return codes | _identified([one for one in corrections if one.kind == CorrectionKind.IDENTIFIED])


def _identified(corrections: Sequence[Correction]) -> set[int]:
    """The codes between which rows move because an identity changed hands.

    Only if the log has rows of whom it was before: an identity that got its person before its first event (which is
    the rule when files are imported) moves nothing."""
    before = {(one.identity_id or 0): set[int]() for one in corrections}
    for one in corrections:
        before[one.identity_id or 0] |= {-(one.identity_id or 0), one.person_id_was or 0} - {0}
    there = _present({code for codes in before.values() for code in codes})
    moved = {identity for identity, codes in before.items() if codes & there}
    codes = {code for identity in moved for code in before[identity]}
    for some in _in_pieces(moved):
        codes |= {code_of(*row) for row in Identity.objects.filter(pk__in=some).values_list("pk", "person_id")}
    return codes


def _present(codes: set[int]) -> set[int]:
    """Those of the codes that have rows in the log."""
    if not codes:
        return set()
    snapshot = activity_log().snapshot()
    wanted = np.array(sorted(codes), dtype=np.int32)
    own = bucket_of(wanted, snapshot.buckets)
    found: set[int] = set()
    for bucket in np.unique(own).tolist():
        person = snapshot.columns(bucket, ["person"])["person"]
        found |= set(wanted[(own == bucket) & np.isin(wanted, person)].tolist())
    return found


def _codes_and_superseded(events: QuerySet[Event]) -> set[int]:
    people = events.values_list("identity_id", "identity__person_id").distinct()
    revised = list(events.filter(revision__gt=1).values_list("source", "key"))
    return {code_of(identity, person) for identity, person in people} | _superseded(revised)


def _superseded(keys: Iterable[tuple[str, str]]) -> set[int]:
    """The codes of everyone in any revision of these events."""
    by_source: dict[str, set[str]] = {}
    for source, key in keys:
        by_source.setdefault(source, set()).add(key)
    codes: set[int] = set()
    for source, found in by_source.items():
        for some in _in_pieces(found):
            rows = Event.objects.filter(source=source, key__in=some)
            codes |= {code_of(*row) for row in rows.values_list("identity_id", "identity__person_id").distinct()}
    return codes


def _write_anew(writer: Writer, codes: set[int], position: Position, departments: Departments) -> None:
    """Replaces all the rows of these codes by what the record says up to the position, a bucket at a time."""
    if not codes:
        return
    everyone = np.array(sorted(codes), dtype=np.int64)
    own = bucket_of(everyone, writer.draft.buckets)
    for bucket in np.unique(own).tolist():
        some = set(everyone[own == bucket].tolist())
        rows = Incoming()
        for events in standing_of(some):
            for name, column in vars(rows_of(events.filter(up_to(position)), departments)).items():
                getattr(rows, name).extend(column)
        # whoever was given another person while this was read is left to the correction that says so
        writer.replace(some, _kept(rows, [code in some for code in rows.person]))


def _describe(writer: Writer) -> bool:
    """Tells the log what the catalogue says; True if that is news."""
    before = writer.draft
    writer.declare(declared_properties())
    writer.leave_out(not_activity=bookkeeping(), machines=machines())
    return before != writer.draft


def _memberships(saved: Mapping[str, int], now: datetime) -> int | None:
    """The print of the memberships if it was time to look and they have changed; None otherwise."""
    place = location()
    if place in _looked and now - _looked[place] < BETWEEN_LOOKS:
        return None
    _looked[place] = now
    found = memberships_print()
    return None if found == saved.get("memberships") else found


_looked: dict[str, datetime] = {}


def _moved(departments: Departments) -> set[int]:
    """The people whose rows stand in another department than their memberships say."""
    snapshot = activity_log().snapshot()
    found: set[int] = set()
    names = ["person", "company", "business_day", "department"]

    def spells_of(bucket: int) -> list[list[int]]:
        columns = snapshot.columns(bucket, names)
        kept = np.flatnonzero((columns["person"] > 0) & (columns["company"] > 0))
        spells: list[list[int]] = np.unique(np.stack([columns[name][kept] for name in names], axis=1), axis=0).tolist()
        return spells

    for bucket in range(snapshot.buckets):
        spells = each_bucket(snapshot, spells_of, [bucket])[0]
        departments.learn(person for person, *_ in spells)
        for person, company, day, department in spells:
            if person not in found and departments.of(person, company, day) != department:
                found.add(person)
    return found


def _end_of_corrections() -> Position:
    position = Position()
    while True:
        rows = list(corrections_after(position, limit=PAGE).values_list("txid", "pk"))
        if not rows:
            return position
        position = Position(*rows[-1])


def _in_pieces(values: set[Value]) -> list[list[Value]]:
    listed = list(values)
    return [listed[start : start + IDS_PER_QUERY] for start in range(0, len(listed), IDS_PER_QUERY)]
