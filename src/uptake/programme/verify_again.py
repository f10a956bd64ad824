"""Does the record, folded again from the first event, come to the awards there are? I13 and I14 of a book.

What was posted came about event by event, in the order and the batches in which the events arrived. Here everything a
person did is folded at once, in canonical order, by the same code: whatever depended on the arrival, on what was kept
between folds, or on a hand that changed an award together with its lot, shows as a difference.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from django.db.models import Count, Max

from uptake.events.read import corrections_after, positions_of
from uptake.ledger.models import ChainHead
from uptake.ledger.verify import MOST_PROBLEMS, Problem
from uptake.programme.beyond_a_date import Reach, fold_lanes, ground_of, marks_of
from uptake.programme.gather import awards_of, events_given_away, events_of, gather
from uptake.programme.hold_levels import due
from uptake.programme.in_force import RulebooksInForce
from uptake.programme.lanes import Lane
from uptake.programme.models import Award, PutAside
from uptake.programme.post_differences import differences_of
from uptake.programme.publish import READER

LATEST: Final = 15
"""People of a book who earned last,"""
OTHERS: Final = 15
"""and some of the others: the head of the chain says which, so that they are others whenever something was posted."""
MOST_PEOPLE: Final = 300
"""Of all books together, as far as each has a few: many companies take no longer than ten."""
FEWEST: Final = 2
"""Who earned last, and as many others, of each book however many books there are."""
MOST_AWARDS: Final = 20_000
"""Awards of the people of a book who are looked at; the first one is, however many they are."""


def problems_of(book: int) -> list[Problem]:
    """Awards of some people that a fold of everything they did says otherwise.

    Nothing is asked while something that was said about events, or a level, still waits to be considered, nor of a
    company that is put aside.
    """
    if PutAside.objects.filter(pk=book).exists():
        return []
    head = ChainHead.objects.filter(book=book).first()
    if head is None or head.clock_at is None or due(head.clock_at, limit=1):
        return []
    if corrections_after(positions_of(READER)[1], limit=1).exists():
        return []
    people = chosen_of(book, head.hash)
    return [
        Problem(book, "I13", None, what)
        for _, what in zip(range(MOST_PROBLEMS), _differing(book, people, head), strict=False)
    ]


def chosen_of(book: int, head: str) -> list[int]:
    """Whose record is folded again."""
    rows = Award.objects.filter(company_id=book).values("person_id")
    counts = {row["person_id"]: (row["last"], row["n"]) for row in rows.annotate(last=Max("pk"), n=Count("pk"))}
    share = max(FEWEST, MOST_PEOPLE // (2 * max(ChainHead.objects.count(), 1)))
    latest = sorted(counts, key=lambda person: counts[person][0], reverse=True)[: min(LATEST, share)]
    others = sorted(
        counts.keys() - set(latest), key=lambda person: hashlib.sha256(f"{head}/{person}".encode()).digest()
    )
    chosen: list[int] = []
    awards = 0
    for person in [*latest, *others[: min(OTHERS, share)]]:
        awards += counts[person][1]
        if chosen and awards > MOST_AWARDS:
            break
        chosen.append(person)
    return chosen


def _differing(book: int, people: Sequence[int], head: ChainHead) -> Iterator[str]:
    if not people:
        return
    assert head.clock_at is not None
    now, books = head.clock_at, RulebooksInForce([book])
    lanes = [Lane(person, book) for person in people]
    ground = ground_of(lanes, books, now)
    everybody = dict.fromkeys(people)
    around = gather({*events_of(everybody, positions_of(READER)[0]), *events_given_away(everybody)})
    marks = marks_of(books, [book])
    if marks is not None:
        around |= marks.undoing([one for one in around.values() if not one.withheld], around)
    awards = {key: award for key, award in awards_of(around).items() if award.company_id == book}
    stood = {key: (award.points, list(award.reasons)) for key, award in awards.items()}
    since = (now - timedelta(days=books.window(book).open_days)).date()
    there = fold_lanes(
        {lane: Reach(since, None, False) for lane in lanes},
        awards,
        around=around,
        marks=marks,
        fresh=(),
        ground=ground,
        now=now,
    )
    for one in differences_of(there.outcomes, awards, {}):
        key = (one.award.event_id, one.award.rule)
        says = (one.award.points, one.award.reasons)
        if stood.get(key) != says:
            was = "not there" if key not in stood else f"{stood[key][0]} points {stood[key][1]}"
            yield (
                f"the award of event {key[0]} by rule {key[1]} to person {one.award.person_id} is {was}, folded again"
                f" it is {says[0]} points {says[1]}"
            )
