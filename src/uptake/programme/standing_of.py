"""Where people stand: level, qualifying points and what the next level asks for; in bulk, for pages and doors."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import NamedTuple

from django.db.models import Sum

from uptake.programme.beyond_a_date import rulebook_now, specials_of
from uptake.programme.gather import many
from uptake.programme.in_force import RulebooksInForce
from uptake.programme.lanes import Lane
from uptake.programme.levels import NONE, after_decision, after_event, after_season, reached
from uptake.programme.models import Award, PersonLevel
from uptake.programme.person_fold import Special


class LevelOf(NamedTuple):
    """Where one person stands at a company."""

    qualifying: int
    """Net awards and special points, since the beginning."""
    counted: int
    """What counts towards the level: the same, or what was earned in the season."""
    rank: int
    """0 is the first level of the rulebook; -1: none is reached, or there are none."""
    level: str | None
    next_level: str | None
    """The name of the next level; None: this is the highest, or there are none."""
    missing: int
    """Points missing to the next level; 0 where there is none."""
    since: datetime | None
    """Since when the level is held, where that is known."""


def standing_of(
    people: Collection[int], *, company: int, now: datetime, books: RulebooksInForce | None = None
) -> dict[int, LevelOf]:
    """Where each of these people stands at a company, in a fixed number of queries. Season ends count at their instant,
    and special points at once, although nothing was considered since. `books`: where they were read already."""
    books = books or RulebooksInForce([company])
    rules = rulebook_now(books, company, now)
    # Asked by person alone: SQLite would go through all awards of the company instead.
    sums = Award.objects.filter(person_id__in=many(people)).values_list("person_id", "company_id")
    earned = {person: points for person, place, points in sums.annotate(Sum("points")).order_by() if place == company}
    specials = specials_of(Lane(person, company) for person in people)
    levels = rules.rulebook.levels if rules else ()
    rows = {row.person_id: row for row in PersonLevel.objects.filter(person_id__in=many(people), company_id=company)}
    programme = rules.rulebook.programme if rules else None
    of_season = programme is not None and programme.levels_from == "season"
    ends: list[tuple[datetime, date]] = []
    if programme is not None:
        ends = [(programme.clock.start_of(day), day) for day in programme.season_ends]
    found: dict[int, LevelOf] = {}
    for person in people:
        given = specials.get(Lane(person, company), [])
        qualifying = earned.get(person, 0) + sum(one.points for one in given)
        if not levels:
            found[person] = LevelOf(qualifying, qualifying, NONE, None, None, 0, None)
            continue
        row = rows.get(person)
        rank, counted = (row.rank, row.points) if row else (reached(levels, 0), 0)
        as_of = row.as_of if row else datetime.min.replace(tzinfo=now.tzinfo)
        later: list[tuple[datetime, int, Special | date]] = [(at, 0, day) for at, day in ends if as_of < at <= now]
        later += [(one.at, 1, one) for one in given if as_of < one.at <= now]
        for _, _, what in sorted(later, key=lambda one: one[:2]):
            if isinstance(what, Special):
                if not of_season or not any(day > what.date for at, day in ends if at <= what.at):
                    counted += what.points
                if what.reach is None:
                    rank = after_event(levels, rank, counted)
                else:
                    rank = after_decision(levels, rank, counted, what.reach, falls=what.falls)
            else:
                rank = after_season(levels, rank, counted)
                counted = 0 if of_season else counted
        rank = min(rank, len(levels) - 1)
        following = levels[rank + 1] if rank + 1 < len(levels) else None
        found[person] = LevelOf(
            qualifying,
            counted,
            rank,
            levels[rank].name if rank >= 0 else None,
            following.name if following else None,
            max(0, following.at - counted) if following else 0,
            row.since if row else None,
        )
    return found
