"""Replays a rulebook over what happened on the last days, beside the one in force. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import closing
from datetime import date, timedelta
from typing import Any

from uptake.directory.models import Organization
from uptake.directory.place import settings_at
from uptake.programme.backtest.crew import GoingDown, judged
from uptake.programme.backtest.judging import Asked
from uptake.programme.backtest.read import (
    Scope,
    belonging,
    companies_of,
    drawn,
    names_of_departments,
    people_of,
)
from uptake.programme.backtest.replay import as_of, in_force_on, names_of
from uptake.programme.backtest.report import Compared, Who, report_of
from uptake.programme.backtest.tally import Tally
from uptake.programme.in_force import at_place, parsed_at, rulebook_version_on
from uptake.programme.rulebook import Rulebook
from uptake.programme.rulebook_writing import hash_of

Progress = Callable[[int, int], bool]
"""Told (events replayed, of how many) after every portion; False: stop."""


class Stopped(Exception):
    """Whoever asked for the back-test called it off, or the process that runs it is going down."""


def back_test(
    *,
    organization: Organization,
    rulebook: Rulebook,
    until: date,
    days: int,
    sample: int | None = None,
    most_events: int | None = None,
    seed: int = 0,
    progress: Progress = lambda _done, _total: True,
) -> dict[str, Any]:
    """The report (see `report_of`) on the dates [until − days, until) of a company or a park.

    `sample`: draws at most so many people, and `most_events` fewer still until they did not do more than that; the
    same ones for the same `seed`. Both rulebooks are asked as they read, as if in force all the time.
    Raises Stopped, and WorkerLost if a process that replayed a part of the people ended before its time.
    """
    since, today = until - timedelta(days=days), until - timedelta(days=1)
    # A clock that is to come changes nothing of what happened: both read dates as the place did.
    clock = settings_at(organization)
    rulebook = at_place(rulebook, clock)
    version = rulebook_version_on(organization, until)
    standing = parsed_at(version.pk, version.sha256, clock) if version is not None else None
    rulebooks = [as_of(rulebook, today)] if standing is None else [in_force_on(standing, until), as_of(rulebook, today)]
    scope = scope_of(companies_of(organization, today), rulebooks, since, until)
    people = people_of(scope)
    members = belonging(scope.companies, today)
    chosen: set[int] | None = None
    if sample is not None:
        chosen = drawn({**dict.fromkeys(members, 0), **people}, sample, most_events, seed)
        people = {person: count for person, count in people.items() if person in chosen}
    total = sum(people.values())
    done = 0
    if not progress(0, total):
        raise Stopped
    asked = Asked(scope, tuple(rulebooks), since, until)
    tallies = [Tally(since, until) for _ in rulebooks]
    try:
        with closing(judged(asked, people)) as portions:
            for portion in portions:
                for whole, part in zip(tallies, portion.tallies, strict=True):
                    whole.take_in(part)
                done += portion.events
                if not progress(min(done, total), total):
                    raise Stopped
    except GoingDown:
        raise Stopped from None
    who = _everybody(members, people, chosen, scope.companies, today)
    return report_of(
        Compared(
            draft=rulebooks[-1],
            in_force=rulebooks[0] if len(rulebooks) > 1 else None,
            after=tallies[-1],
            before=tallies[0] if len(tallies) > 1 else None,
            who=who,
            departments=names_of_departments(one.department for one in who.values()),
            events=done,
            sample=len(who) if chosen is not None else None,
            hashes=(hash_of(rulebook), version.sha256 if version else ""),
        )
    )


def scope_of(companies: Sequence[int], rulebooks: Collection[Rulebook], since: date, until: date) -> Scope:
    """What must be read so that these rulebooks can judge the dates [since, until)."""
    reach = [None if one.counts_ever else one.looks_back_days for one in rulebooks]
    known = None if None in reach else since - timedelta(days=max((one for one in reach if one is not None), default=0))
    return Scope(
        companies,
        known,
        until,
        frozenset(name for one in rulebooks for name in names_of(one)),
        frozenset(entry.event for one in rulebooks for entry in one.reversals),
    )


def _everybody(
    members: dict[int, Who], people: Iterable[int], chosen: set[int] | None, companies: Sequence[int], day: date
) -> dict[int, Who]:
    """Those who belong there and those who did anything, as far as they were drawn."""
    missing = set(people) - set(members)
    who = members | (
        {one: found for one, found in belonging(companies, day, missing).items() if one in missing} if missing else {}
    )
    return who if chosen is None else {person: found for person, found in who.items() if person in chosen}
