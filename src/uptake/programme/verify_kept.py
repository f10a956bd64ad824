"""Does what folds keep say what a fold from the first event says? I13 of the kept places of a book."""

from __future__ import annotations

from datetime import timedelta

import orjson

from uptake.events.read import positions_of
from uptake.ledger.verify import MOST_PROBLEMS, Problem
from uptake.programme.beyond_a_date import Reach, fold_lanes, ground_of, marks_of
from uptake.programme.gather import awards_of, events_given_away, events_of, gather
from uptake.programme.in_force import RulebooksInForce
from uptake.programme.kept import Order, kept_of, order_of
from uptake.programme.lanes import Lane
from uptake.programme.models import KeptFold, PutAside
from uptake.programme.publish import READER

MOST = 20
"""People of a book whose folds are made again: those folded last."""


def problems_of(book: int) -> list[Problem]:
    """People of whom something else is kept than their record comes to. What nobody may use any more is left out."""
    found: list[Problem] = []
    if PutAside.objects.filter(pk=book).exists():
        return found  # it has not read as far as the bookmark
    for row in KeptFold.objects.filter(company_id=book).order_by("-as_of", "pk")[:MOST]:
        if len(found) == MOST_PROBLEMS:
            break
        for until in _differing(row):
            what = f"what is kept of person {row.person_id} up to {until[0].isoformat()} is not what the record says"
            found.append(Problem(book, "I13", None, what))
    return found


def _differing(row: KeptFold) -> list[Order]:
    """The kept places of a person that differ from a fold of everything."""
    lane, now = Lane(row.person_id, row.company_id), row.as_of
    books = RulebooksInForce([lane.company])
    ground = ground_of([lane], books, now)
    places = {order_of(one): one for one in orjson.loads(row.places)}
    usable = {
        until: kept
        for until, one in places.items()
        if ground.behind(lane, until, (kept := kept_of(one)).day) == one["behind"]
    }
    if not usable:
        return []
    everybody = {lane.person: None}
    around = gather({*events_of(everybody, positions_of(READER)[0]), *events_given_away(everybody)})
    marks = marks_of(books, [lane.company])
    if marks is not None:
        around |= marks.undoing([one for one in around.values() if not one.withheld], around)
    since = (now - timedelta(days=books.window(lane.company).open_days)).date()
    there = fold_lanes(
        {lane: Reach(since, None, False, keeps=True)},
        awards_of(around),
        around=around,
        marks=marks,
        fresh=(),
        ground=ground,
        now=now,
    )
    return [one.until for one in there.kept.get(lane, ()) if one.until in usable and usable[one.until] != one]
