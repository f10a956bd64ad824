"""What stands beside the figures of a person: the level and what the next one opens, the ranking, rewards in reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils.translation import get_language

from uptake.directory.models import Organization, Person
from uptake.directory.scope import Viewer
from uptake.directory.viewer import HIDE_BELOW
from uptake.ledger.balances import Points
from uptake.programme.beyond_a_date import rulebook_now
from uptake.programme.in_force import RulebooksInForce
from uptake.programme.levels import NONE
from uptake.programme.merits.board import Board, heads_of, read_board
from uptake.programme.merits.models import Challenge, ChallengeState, Nameless, Privilege
from uptake.programme.merits.periods import MONTH
from uptake.programme.merits.privileges import Held, privileges_of
from uptake.programme.merits.rank import rank_on
from uptake.programme.rewards.models import Redemption, Reward
from uptake.programme.rewards.shelf import Known, shelf
from uptake.programme.rewards.terms import NO_RULEBOOK, Terms
from uptake.programme.standing_of import standing_of
from uptake.web.pages.merits.reading import BadgeLine, ChallengeLine, challenges_of, held_badges
from uptake.web.pages.points.read import Home
from uptake.web.pages.rewards.views import line_of, told

TOP: Final = 3
NEIGHBOURS: Final = 1
REWARDS: Final = 4
NAMES: Final = 3
BADGES: Final = 6
CHALLENGES: Final = 3


@dataclass(frozen=True)
class Level:
    """Where the person stands on the ladder of the rulebook."""

    name: str | None
    number: int
    """1 is the first level; 0: none is reached."""
    counted: int
    earned: int
    starts_at: int
    next_name: str | None
    next_at: int
    missing: int
    opens: Sequence[str]
    """Names of rewards that need the next level, and of its privileges."""
    privileges: Sequence[tuple[str, Held]]
    """What the level allows, by name."""

    @property
    def done(self) -> int:
        return max(0, self.counted - self.starts_at)

    @property
    def whole(self) -> int:
        return max(1, self.next_at - self.starts_at)


@dataclass(frozen=True)
class Ranking:
    """The board of this month, with the place of the month before."""

    board: Board
    climbed: int | None
    """Places up since last month; below 0: down; None: no place then or now."""
    nameless: bool

    @property
    def fell(self) -> int:
        return -(self.climbed or 0)


@dataclass(frozen=True)
class Offers:
    """Rewards in reach, and what is open of those asked for."""

    near: Sequence[dict[str, Any]]
    all: int


@dataclass(frozen=True)
class Merits:
    """Badges and challenges as the page shows them."""

    badges: Sequence[BadgeLine]
    """The latest."""
    all: int
    running: Sequence[ChallengeLine]
    """Own ones first."""


def level_of(person: Person, home: Home, books: RulebooksInForce, now: datetime) -> Level | None:
    """The level; None where the rulebook has none."""
    rules = rulebook_now(books, home.company.pk, now)
    levels = rules.rulebook.levels if rules else ()
    if not levels:
        return None
    standing = standing_of([person.pk], company=home.company.pk, now=now, books=books)[person.pk]
    following = levels[standing.rank + 1] if standing.rank + 1 < len(levels) else None
    opens: list[str] = []
    if following is not None:
        rows = Reward.objects.filter(company=home.company, level=following.name).on_offer(home.today)
        language = get_language() or "en"
        opens = [row.name_in(language) for row in rows.order_by("price", "pk")[:NAMES]]
        names = Privilege.objects.filter(company=home.company, ended_at__isnull=True, level=following.name)
        opens += [row.name_in(language) for row in names.order_by("pk")[:NAMES]]
    return Level(
        name=standing.level,
        number=standing.rank + 1,
        counted=standing.counted,
        earned=standing.qualifying,
        starts_at=levels[standing.rank].at if standing.rank >= 0 else 0,
        next_name=standing.next_level,
        next_at=following.at if following else 0,
        missing=standing.missing,
        opens=opens,
        privileges=[
            (held.privilege.name_in(get_language() or "en"), held)
            for held in privileges_of(
                home.company.pk,
                rulebook=rules.rulebook,
                rank=standing.rank,
                since=standing.since,
                today=home.today,
            )
        ]
        if rules
        else [],
    )


def ranking_of(home: Home, viewer: Viewer, now: datetime) -> Ranking | None:
    """The viewer's own board of this month; None while nobody is on it."""
    place = _board_place(home)
    starts = home.today.replace(day=1)
    board = read_board(place, MONTH, starts, viewer=viewer, now=now, top=TOP, beside=NEIGHBOURS)
    if not board.people:
        return None
    climbed = None
    before = (starts - timedelta(days=1)).replace(day=1)
    if board.mine is not None:
        past = rank_on(place.pk, MONTH, before, home.person_id)
        climbed = past - board.mine.rank if past else None
    nameless = Nameless.objects.filter(person_id=home.person_id).exists()
    return Ranking(board, climbed, nameless)


def offers_of(home: Home, points: Points, level: Level | None, books: RulebooksInForce, now: datetime) -> Offers:
    """Up to four: the cheapest one can have now, then the nearest of those one cannot."""
    rules = rulebook_now(books, home.company.pk, now)
    terms = Terms(home.clock, home.today, rules.rulebook if rules else NO_RULEBOOK)
    known = Known(points, terms, level.number - 1 if level else NONE)
    items = shelf(home.company, home.person_id, now=now, known=known).items
    now_had = [item for item in items if not item.why_not]
    nearly = sorted((item for item in items if item.why_not == "not_enough_points"), key=lambda item: item.missing)
    room = REWARDS - min(len(nearly), 1)
    near = now_had[:room]
    near += nearly[: REWARDS - len(near)]
    return Offers([told(item) for item in near], len(items))


def merits_of(home: Home, viewer: Viewer, now: datetime) -> Merits:
    """The own badges, and the challenges that run where one belongs."""
    badges = held_badges(home.person_id, home.company)
    rows = Challenge.objects.visible_to(viewer).filter(company=home.company, state=ChallengeState.OPEN)
    lines = challenges_of(rows.order_by("until_date", "pk"), viewer, home.company, today=home.today, now=now)
    running = sorted((one for one in lines if one.running), key=lambda one: one.mine is None)
    return Merits(badges[:BADGES], len(badges), running[:CHALLENGES])


def open_redemptions(person: Person, viewer: Viewer, now: datetime) -> list[dict[str, Any]]:
    """What the person asked for and has not got, the newest first."""
    rows = Redemption.objects.visible_to(viewer).filter(person=person).open().filter(times_out_at__gt=now)
    return [line_of(row, now) for row in rows.select_related("reward").order_by("-requested_at", "-pk")]


def _board_place(home: Home) -> Organization:
    """The department below the company one belongs to, or the company where that is too small to rank."""
    if home.place.pk == home.company.pk:
        return home.company
    below = Organization.objects.open().filter(parent=home.company)
    mine = [one for one in below if home.place.path.startswith(one.path)]
    heads = heads_of(mine, home.today)
    found = next((one for one in mine if heads.get(one.pk, 0) >= HIDE_BELOW), home.company)
    found.company = home.company
    return found
