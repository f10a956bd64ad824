"""What points earned by pretence did for a level and for boards is taken back, and given back by an upheld appeal.

The awards stay as they were: what is decided is a row beside them, which every fold reads. Nothing else lets a level
fall before the season ends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models import Sum

from uptake.notify.announce import News, announce
from uptake.notify.models import About
from uptake.notify.tell import Telling, tell
from uptake.programme.beyond_a_date import rulebook_now, specials_of
from uptake.programme.gather import many
from uptake.programme.hold_levels import level_may_change
from uptake.programme.in_force import RulebooksInForce
from uptake.programme.lanes import Lane
from uptake.programme.levels import NONE, by_points_alone
from uptake.programme.merit import Gain, note_merit
from uptake.programme.models import Award, PersonLevel, StandingChange
from uptake.programme.rulebook import Level
from uptake.programme.standing_of import standing_of

LOWERED, RAISED = "level_lowered", "level_restored"
"""The kinds of the messages."""


@dataclass(frozen=True, slots=True)
class Lowered:
    """What would be taken from what counts, by business date, and the level before and after."""

    points: Mapping[date, int]
    levels: tuple[Level, ...]
    before: int
    """Ranks; -1: none."""
    after: int

    @property
    def total(self) -> int:
        return sum(self.points.values())

    def name(self, rank: int) -> str:
        return self.levels[rank].name if rank >= 0 else ""

    def rests_on(self, rank: int) -> int | None:
        """The points that this level asks for; None where there are no levels."""
        return None if not self.levels else self.levels[rank].at if rank >= 0 else NONE

    @property
    def was_called(self) -> str:
        return self.name(self.before)

    @property
    def is_called(self) -> str:
        return self.name(self.after)

    @property
    def falls(self) -> bool:
        return self.after < self.before


def would_lower(*, person: int, company: int, events: Collection[int], now: datetime) -> Lowered:
    """What it would come to if what the person was given for these events counted no more."""
    given = Award.objects.filter(person_id=person, event_id__in=many(events), company_id=company, points__gt=0)
    points = dict(given.values_list("date").annotate(Sum("points")).order_by())
    books = RulebooksInForce([company])
    rules = rulebook_now(books, company, now)
    levels = tuple(rules.rulebook.levels) if rules else ()
    rank = standing_of([person], company=company, now=now, books=books)[person].rank
    if rules is None or not levels or not points:
        return Lowered(points, levels, rank, rank)
    earned: Counter[date] = Counter()
    awards = Award.objects.filter(person_id=person, company_id=company).values_list("date")
    earned.update(dict(awards.annotate(Sum("points")).order_by()))
    for one in specials_of([Lane(person, company)]).get(Lane(person, company), ()):
        earned[one.date] += one.points
    earned.subtract(points)
    programme = rules.rulebook.programme
    ends = sorted(day for day in programme.season_ends if programme.clock.start_of(day) <= now)
    alone = by_points_alone(levels, earned, ends, of_season=programme.levels_from == "season")
    return Lowered(points, levels, rank, min(rank, alone))


@transaction.atomic
def lower_standing(*, person: int, company: int, events: Collection[int], cause: str, now: datetime) -> int:
    """From now on these events count neither for the level, which falls at once, nor on boards that are still open.

    Once per cause; gives how many points no longer count. The person is told where the level falls.
    """
    known = StandingChange.objects.filter(company_id=company, cause=cause)
    if known.exists():
        return -sum(known.values_list("points", flat=True))
    lowered = would_lower(person=person, company=company, events=events, now=now)
    _write(person, company, {day: -points for day, points in lowered.points.items()}, cause, cause, lowered, now)
    if lowered.falls:
        _move_level(person, company, lowered.after, now)
        _say(LOWERED, person, company, cause, lowered.is_called, lowered.was_called, now)
    return lowered.total


@transaction.atomic
def restore_standing(*, person: int, company: int, about: str, cause: str, given: int, now: datetime) -> int:
    """What the decision named `about` took counts again, the level too; gives how many points, with those `given`.

    given: points that the appeal grants, which count by themselves.
    """
    rows = list(StandingChange.objects.filter(company_id=company, person_id=person, about=about).order_by("date"))
    if not rows or any(not row.falls for row in rows):
        return 0
    first, points, rest = rows[0], {}, given
    for row in reversed(rows):
        part = min(rest, -row.points)
        rest -= part
        points[row.date] = -row.points - part
    back = {day: amount for day, amount in points.items() if amount} or {first.date: 0}
    before = standing_of([person], company=company, now=now)[person]
    StandingChange.objects.bulk_create(
        StandingChange(
            person_id=person, company_id=company, cause=cause, about=about, date=day, points=amount,
            reach=first.was, was=first.reach, falls=False, at=now,
        )
        for day, amount in back.items()
    )  # fmt: skip
    _gain(person, company, back, now)
    level_may_change(person=person, company=company, now=now)
    after = standing_of([person], company=company, now=now)[person]
    if after.rank > before.rank:
        _move_level(person, company, after.rank, now)
        _say(RAISED, person, company, cause, after.level or "", before.level or "", now)
    return sum(back.values()) + given


def _write(
    person: int, company: int, points: Mapping[date, int], cause: str, about: str, lowered: Lowered, now: datetime
) -> None:
    reach, was = lowered.rests_on(lowered.after), lowered.rests_on(lowered.before)
    StandingChange.objects.bulk_create(
        StandingChange(
            person_id=person, company_id=company, cause=cause, about=about, date=day, points=amount, reach=reach,
            was=was, falls=True, at=now,
        )
        for day, amount in points.items()
    )  # fmt: skip
    if points:
        _gain(person, company, points, now)
        level_may_change(person=person, company=company, now=now)


def _gain(person: int, company: int, points: Mapping[date, int], now: datetime) -> None:
    note_merit([Gain(company, person, day, amount, None) for day, amount in points.items()], now=now)


def _move_level(person: int, company: int, rank: int, now: datetime) -> None:
    """At once, so that the considering that follows finds it done and tells of nothing."""
    PersonLevel.objects.filter(person_id=person, company_id=company).update(rank=rank, since=now)


def _say(kind: str, person: int, company: int, cause: str, level: str, was: str, now: datetime) -> None:
    content: dict[str, object] = {"level": level, "was": was}
    key = f"{kind}/{company}/{cause}"
    tell([Telling(person_id=person, key=key, kind=kind, content=content)], now=now)
    heard = News(
        about=About.LEVELS,
        kind="level.fallen" if kind == LOWERED else "level.reached",
        organization_id=company,
        key=f"{key}/{person}",
        at=now,
        person_id=person,
        data=content,
    )
    announce([heard], now=now)
