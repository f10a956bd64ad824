"""Do points that expire by inactivity live as long as the record of their owner says? I13 of the lots of a book."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from uptake.events.models import Correction, CorrectionKind, Event
from uptake.events.read import corrections_after, positions_of
from uptake.ledger.models import ChainHead, Lot
from uptake.ledger.verify import MOST_PROBLEMS, Problem
from uptake.programme.gather import many
from uptake.programme.in_force import RulebooksInForce
from uptake.programme.lanes import Lane
from uptake.programme.living_on import lived_until, living_on
from uptake.programme.publish import READER
from uptake.programme.verify import OF_AWARDS
from uptake.programme.verify_again import chosen_of


def problems_of(book: int) -> list[Problem]:
    """Lots of awards, of the people whose record is folded again, that end otherwise than what those people did says.

    Nothing is asked while something that was said about events still waits to be considered.
    """
    lots = Lot.objects.filter(book=book, inactive_days__isnull=False, key__gte=OF_AWARDS[0], key__lt=OF_AWARDS[1])
    head = ChainHead.objects.filter(book=book).first()
    if head is None or not lots.exists() or corrections_after(positions_of(READER)[1], limit=1).exists():
        return []
    people = chosen_of(book, head.hash)
    found = list(lots.filter(owner__in=[str(one) for one in people]).order_by("pk"))
    return [
        Problem(book, "I13", None, what)
        for _, what in zip(range(MOST_PROBLEMS), _differing(book, found, head), strict=False)
    ]


def _differing(book: int, lots: Sequence[Lot], head: ChainHead) -> Iterator[str]:
    assert head.clock_at is not None, "where there are lots the clock was told"
    books = RulebooksInForce([book])
    living = living_on([book], books, (), head.clock_at)
    if living is None or not lots:
        return
    begins = _begins_of(lots, books)
    since: dict[Lane, date] = {}
    of_lane: dict[Lane, list[Lot]] = defaultdict(list)
    for lot in lots:
        lane = Lane(int(lot.owner), book)
        of_lane[lane].append(lot)
        since[lane] = min(begins[lot.pk], since.get(lane, begins[lot.pk]))
    did = living.dates_since(since, positions_of(READER)[0])
    left = set(
        Correction.objects.filter(
            kind__in=(CorrectionKind.IDENTIFIED, CorrectionKind.ERASED), person_id_was__in=[one.person for one in since]
        ).values_list("person_id_was", flat=True)
    )
    for lane, theirs in of_lane.items():
        days = sorted(did[lane])
        for lot in theirs:
            assert lot.inactive_days is not None, "the query asked for these"
            assert lot.last_date is not None, "the database keeps both or none"
            ends = lived_until(begins[lot.pk] + timedelta(days=lot.inactive_days), lot.inactive_days, days)
            # What kept them alive may be another's, or nobody's, by now; nothing is shortened by that.
            if lot.last_date < ends or (lot.last_date > ends and lane.person not in left):
                yield f"lot {lot.key} can be spent through {lot.last_date}, by what its owner did it is {ends}"


def _begins_of(lots: Sequence[Lot], books: RulebooksInForce) -> dict[int, date]:
    """From which business date points of each lot could be spent, by the date of its event and the clock of then."""
    events = {lot.pk: int(lot.key.split("/")[1]) for lot in lots}
    dates = dict(Event.objects.filter(pk__in=many(set(events.values()))).values_list("pk", "business_date"))
    found: dict[int, date] = {}
    for lot in lots:
        day = dates[events[lot.pk]]
        found[lot.pk] = day
        rules = books.on(lot.book, day)
        if lot.available_from != lot.happened_at and rules is not None:
            programme = rules[1].rulebook.programme
            found[lot.pk] = programme.clock.as_on(day).date_of(lot.available_from)
    return found
