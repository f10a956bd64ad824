"""Writes where people stand by level, and finds whose level time alone, or special points, may have changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from uptake.directory.update_each import update_each
from uptake.notify.announce import News
from uptake.notify.models import About
from uptake.notify.tell import Telling
from uptake.programme.beyond_a_date import next_season_end, rulebook_now
from uptake.programme.gather import Bucket, many
from uptake.programme.in_force import RulebooksInForce
from uptake.programme.lanes import Lane, LaneLevel
from uptake.programme.levels import NONE
from uptake.programme.models import PersonLevel, PutAside

REACHED = "level_reached"
FALLEN = "level_fallen"
"""The kinds of the messages."""
AT_ONCE = 500


def hold_levels(
    levels: Mapping[Lane, LaneLevel], books: RulebooksInForce, *, now: datetime
) -> tuple[list[Telling], list[News]]:
    """Writes the levels as they are now; gives the messages for those that changed, and the same for webhooks."""
    if not levels:
        return [], []
    rows = PersonLevel.objects.filter(person_id__in=many({lane.person for lane in levels})).select_for_update()
    known = {Lane(row.person_id, row.company_id): row for row in rows.order_by("pk")}
    names = {company: _names(books, company, now) for company in {lane.company for lane in levels}}
    ends = {company: next_season_end(books, company, now) for company in names}
    made: list[PersonLevel] = []
    changed: list[PersonLevel] = []
    told: list[Telling] = []
    news: list[News] = []
    for lane, level in sorted(levels.items()):
        row = known.get(lane)
        was = row.rank if row else NONE
        if row is None:
            row = PersonLevel(person_id=lane.person, company_id=lane.company, since=now)
            made.append(row)
        elif (row.rank, row.points, row.due_at) == (level.rank, level.points, ends[lane.company]):
            continue
        else:
            changed.append(row)
        if row.rank != level.rank:
            row.since = now
        row.rank, row.points, row.due_at, row.as_of = level.rank, level.points, ends[lane.company], now
        if level.rank != was and (level.rank > 0 or was > 0):
            told.append(_told(lane, level.rank, was, names[lane.company], now))
            news.append(_news(lane, told[-1], now))
    PersonLevel.objects.bulk_create(made, batch_size=AT_ONCE)
    update_each(changed, ["rank", "points", "since", "due_at", "as_of"])
    return told, news


def level_may_change(*, person: int, company: int, now: datetime) -> None:
    """Special points were given: the level is looked at with the next considering. Call it after the ledger's door."""
    PersonLevel.objects.update_or_create(
        person_id=person,
        company_id=company,
        defaults={"due_at": now},
        create_defaults={"rank": NONE, "points": 0, "since": now, "due_at": now, "as_of": now},
    )


def due(now: datetime, limit: int = AT_ONCE, *, only: int | None = None) -> Collection[Bucket]:
    """Whose level must be looked at again, whatever happened: at one company, or at all that are not put aside."""
    waiting = PersonLevel.objects.filter(due_at__lte=now)
    if only is None:
        waiting = waiting.exclude(company_id__in=PutAside.objects.values("pk"))
    else:
        waiting = waiting.filter(company_id=only)
    rows = waiting.order_by("due_at")[:limit]
    return [Bucket(person, company, now.date()) for person, company in rows.values_list("person_id", "company_id")]


def looked_at(people: Collection[Bucket], now: datetime) -> None:
    """Where nothing was written although it was due (the rulebook has no levels any more), nothing is due again."""
    rows = PersonLevel.objects.filter(person_id__in=many({one.person for one in people}), due_at__lte=now)
    rows.filter(company_id__in=many({one.company for one in people})).update(due_at=None)


def _names(books: RulebooksInForce, company: int, now: datetime) -> tuple[str, ...]:
    rules = rulebook_now(books, company, now)
    return tuple(level.name for level in rules.rulebook.levels) if rules else ()


def _told(lane: Lane, rank: int, was: int, names: tuple[str, ...], now: datetime) -> Telling:
    content = {"level": names[rank] if rank >= 0 else "", "was": names[was] if 0 <= was < len(names) else ""}
    return Telling(
        person_id=lane.person,
        key=f"level/{lane.company}/{rank}/{now.timestamp():.0f}",
        kind=REACHED if rank > was else FALLEN,
        content=content,
    )


def _news(lane: Lane, told: Telling, now: datetime) -> News:
    return News(
        about=About.LEVELS,
        kind="level.reached" if told.kind == REACHED else "level.fallen",
        organization_id=lane.company,
        key=f"{told.key}/{lane.person}",
        at=now,
        person_id=lane.person,
        data=told.content,
    )
