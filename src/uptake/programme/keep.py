"""Reads and writes what is kept of folds, so that the next fold of a person begins where nothing changed before."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import orjson

from uptake.programme.gather import Bucket, Memberships, many
from uptake.programme.in_force import RulebooksInForce
from uptake.programme.kept import Kept, Order, day_of, kept_of, kept_to_plain, order_of
from uptake.programme.lanes import Lane
from uptake.programme.models import KeptFold
from uptake.programme.person_fold import Seasons, Special

ROWS = 500


@dataclass(frozen=True, slots=True)
class Ground:
    """What folds rest on beside events and awards: if it was otherwise up to a place, nobody may begin there."""

    books: RulebooksInForce
    seasons: Mapping[int, Seasons | None]
    """By company."""
    specials: Mapping[Lane, Sequence[Special]]
    leave: Mapping[int, Collection[date]]
    memberships: Memberships | None
    """None where no rule asks who the person was."""

    def behind(self, lane: Lane, until: Order, day: date) -> str:
        """Names all of it that lies before a place."""
        at = until[0]
        seasons = self.seasons[lane.company]
        told = (
            self.books.behind(lane.company, day),
            seasons and (seasons.levels, seasons.of_season, [end for end in seasons.ends if end[0] <= at]),
            [one for one in self.specials.get(lane, ()) if one.at < at],
            sorted(one for one in self.leave.get(lane.person, ()) if one <= day),
            self.memberships.until(Bucket(*lane, day)) if self.memberships else "",
        )
        return hashlib.blake2b(repr(told).encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Begun:
    """Where the fold of a lane begins."""

    start: Kept | None = None
    whole: bool = False
    """All that was considered before is in it."""
    places: Sequence[dict[str, Any]] = field(default_factory=list)
    """The places up to there, as they are kept."""


def begin_at(touched: Mapping[Lane, Order | None], ground: Ground) -> dict[Lane, Begun]:
    """The last place of each lane before which nothing has changed. `touched`: the first event that is new, or of
    which something new was said; None: there is none."""
    rows = KeptFold.objects.filter(person_id__in=many({lane.person for lane in touched}))
    found: dict[Lane, Begun] = {}
    for person, company, text in rows.values_list("person_id", "company_id", "places"):
        lane = Lane(person, company)
        if lane not in touched:
            continue
        places = orjson.loads(text)
        first = touched[lane]
        while places:
            last = places[-1]
            until, day = order_of(last), day_of(last)
            if (first is None or until < first) and last["behind"] == ground.behind(lane, until, day):
                found[lane] = Begun(kept_of(last), bool(last.get("whole")), places)
                break
            places.pop()
    return found


def keep_folds(
    kept: Mapping[Lane, Sequence[Kept]],
    begun: Mapping[Lane, Begun],
    ground: Ground,
    *,
    whole: Mapping[Lane, Order],
    open_since: Mapping[int, date],
    now: datetime,
) -> None:
    """Writes what folds have kept, of each lane at most three places: the last, the last before its date, and the last
    of which all has closed. `whole`: the last event of each lane. `open_since`: by company."""
    rows = []
    for lane, fresh in kept.items():
        places = [{name: value for name, value in one.items() if name != "whole"} for one in _before(begun, lane)]
        for one in fresh:
            if one.small:
                plain = kept_to_plain(one)
                plain["behind"] = ground.behind(lane, one.until, one.day)
                places.append(plain)
        if places and order_of(places[-1]) == whole[lane]:
            places[-1]["whole"] = True
        text = orjson.dumps(_few(places, open_since[lane.company])).decode()
        rows.append(KeptFold(person_id=lane.person, company_id=lane.company, places=text, as_of=now))
    KeptFold.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["company", "person"],
        update_fields=["places", "as_of"],
        batch_size=ROWS,
    )


def _before(begun: Mapping[Lane, Begun], lane: Lane) -> Sequence[dict[str, Any]]:
    return begun[lane].places if lane in begun else ()


def _few(places: Sequence[dict[str, Any]], open_since: date) -> list[dict[str, Any]]:
    if not places:
        return []
    last = places[-1]
    earlier = [one for one in places if day_of(one) < day_of(last)][-1:]
    closed = [one for one in places if day_of(one) < open_since][-1:]
    return [one for one in places if one is last or one in earlier or one in closed]
