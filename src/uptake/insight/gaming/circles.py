"""Who recognises each other in rings (R), and who approves special points for those who recognise them (S)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
from django.db.models import Count

from uptake.directory.models import AuditEntry, Membership, Organization
from uptake.directory.place import settings_at
from uptake.directory.viewer import ids_of
from uptake.events.models import Event
from uptake.insight.gaming.window import MOST_EVENTS, Found
from uptake.ledger.models import Lot
from uptake.statistics.gaming.rings import EACH_WAY, LOOP_TIMES, approval_loops, rings

DAYS = 84
"""Recognition is rare: rings are searched over twelve weeks."""
MOST_PEOPLE = 2000
"""Of more people who recognise each other, those in it most often are looked at: every pair is a number in memory."""
GIVEN, RECEIVED = "recognition.given", "recognition.received"


@dataclass(slots=True)
class Thanks:
    """What one gave another: ids of the receiver's events, and the keys of the points, in order of time."""

    events: list[int] = field(default_factory=list)
    lots: list[str] = field(default_factory=list)


def circles_of(companies: Sequence[Organization], last: date) -> dict[int, list[Found]]:
    """By company, all of one clock: R and S in the twelve weeks up to `last`, with what each received by it."""
    first = last - timedelta(days=DAYS - 1)
    # The ledger's keys say at once where nobody was recognised more than once.
    lots = Lot.objects.filter(book__in=[one.pk for one in companies], key__gte="recognition/", key__lt="recognition0")
    lots = lots.filter(happened_at__gte=settings_at(companies[0]).start_of(first)).order_by()
    often = lots.values_list("book", "owner").annotate(times=Count("pk")).filter(times__gte=LOOP_TIMES)
    books = {book for book, _owner, _times in often}
    return {one.pk: _circles(one, first, last) for one in companies if one.pk in books}


def _circles(company: Organization, first: date, last: date) -> list[Found]:
    thanks = _thanks(company, first, last)
    return _rings(company, thanks, first, last) + _loops(company, thanks, first, last)


def _thanks(company: Organization, first: date, last: date) -> dict[tuple[int, int], Thanks]:
    """(giver, receiver) → what was given."""
    rows = Event.objects.filter(company=company, name__in=(GIVEN, RECEIVED), business_date__range=(first, last))
    rows = rows.standing().exclude(object="").order_by("happened_at", "pk")
    told = list(rows.values_list("name", "identity__person_id", "object", "pk"))
    givers = {about: person for name, person, about, _pk in told if name == GIVEN and person}
    found: dict[tuple[int, int], Thanks] = defaultdict(Thanks)
    for name, person, about, pk in told:
        if name == RECEIVED and person and about in givers:
            one = found[givers[about], person]
            one.events.append(pk)
            one.lots.append(about)
    return found


def _rings(company: Organization, thanks: Mapping[tuple[int, int], Thanks], first: date, last: date) -> list[Found]:
    if not any(
        min(len(one.events), len(back.events)) >= EACH_WAY
        for pair, one in thanks.items()
        if (back := thanks.get(pair[::-1])) is not None
    ):
        return []
    often: dict[int, int] = defaultdict(int)
    for pair, one in thanks.items():
        for person in pair:
            often[person] += len(one.events)
    people = sorted(sorted(often, key=lambda one: (-often[one], one))[:MOST_PEOPLE])
    number = {person: at for at, person in enumerate(people)}
    given = np.zeros((len(people), len(people)), dtype=np.int64)
    for (giver, receiver), one in thanks.items():
        if giver in number and receiver in number:
            given[number[giver], number[receiver]] = len(one.events)
    found = []
    for ring in rings(given, _departments(company, people, last)):
        inside = [people[at] for at in ring.people]
        numbers = {"people": float(len(inside)), "given": float(ring.given), "expected": round(ring.expected, 4)}
        for person in inside:
            got = [thanks[other, person] for other in inside if (other, person) in thanks]
            found.append(_received("R", person, {**numbers, "p": ring.p}, got, first))
    return found


def _loops(company: Organization, thanks: Mapping[tuple[int, int], Thanks], first: date, last: date) -> list[Found]:
    approved: dict[tuple[int, int], int] = defaultdict(int)
    clock = settings_at(company)
    span = (clock.start_of(first), clock.start_of(last + timedelta(days=1)))
    notes = AuditEntry.objects.filter(
        deed="special.approved", organization=company, actor__person__isnull=False, at__gte=span[0], at__lt=span[1]
    )
    for person, details in notes.order_by().values_list("actor__person_id", "details"):
        if person and isinstance(details.get("person"), int):
            approved[person, details["person"]] += 1
    by_approver = defaultdict(list)
    for approver, receiver in approval_loops(approved, {pair: len(one.events) for pair, one in thanks.items()}):
        by_approver[approver].append(receiver)
    found = []
    for approver, others in sorted(by_approver.items()):
        got = [thanks[other, approver] for other in others]
        numbers = {
            "people": float(len(others)),
            "approved": float(sum(approved[approver, other] for other in others)),
            "received": float(sum(len(one.events) for one in got)),
        }
        found.append(_received("S", approver, numbers, got, first))
    return found


def _received(detector: str, person: int, numbers: Mapping[str, float], got: list[Thanks], first: date) -> Found:
    pairs = sorted(zip((pk for one in got for pk in one.events), (lot for one in got for lot in one.lots), strict=True))
    kept = pairs[-MOST_EVENTS:]
    return Found(detector, person, numbers, tuple(pk for pk, _lot in kept), tuple(lot for _pk, lot in kept), first)


def _departments(company: Organization, people: list[int], day: date) -> list[str]:
    """Of each the part right below the company."""
    rows = Membership.objects.on(day).filter(organization__path__startswith=company.path, person_id__in=people)
    depth = len(ids_of(company.path))
    found = {
        person: "/".join(map(str, ids_of(path)[: depth + 1]))
        for person, path in rows.order_by("from_date", "-pk").values_list("person_id", "organization__path")
    }
    return [found.get(one, "") for one in people]
