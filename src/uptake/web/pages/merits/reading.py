"""Badges and challenges as lists and cards show them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from uptake.directory.models import Organization, Person
from uptake.directory.scope import Viewer
from uptake.programme.beyond_a_date import rulebook_now
from uptake.programme.in_force import RulebooksInForce
from uptake.programme.merits.count_challenges import ends_at
from uptake.programme.merits.keep_boards import BoardClock
from uptake.programme.merits.models import (
    Badge,
    Challenge,
    ChallengeState,
    GivenBadge,
    Nameless,
    Participant,
)
from uptake.programme.sentences import Labels
from uptake.web.catalogue import labels_of
from uptake.web.pages.merits.words import STATES, condition_of, goal_of, language


@dataclass(frozen=True)
class BadgeLine:
    """One badge, with when the person got it."""

    badge: Badge
    name: str
    text: str
    condition: str
    given: GivenBadge | None


@dataclass(frozen=True)
class Line:
    """A person or team in a challenge."""

    name: str
    reached: int
    met: bool
    mine: bool
    prize: int


@dataclass(frozen=True)
class ChallengeLine:
    """One challenge as one viewer sees it."""

    row: Challenge
    name: str
    text: str
    goal: str
    state: str
    tone: str
    mine: Participant | None
    reached: int
    """By the viewer, or by the viewer's team."""
    days_left: int
    running: bool
    """One may still join, and what is done counts."""

    @property
    def done(self) -> int:
        return min(self.reached, self.row.goal)


def badges_of(person: int, company: Organization) -> list[BadgeLine]:
    """All badges of the company: first those the person has, the newest first, then those that can be had."""
    given = {
        row.badge_id: row
        for row in GivenBadge.objects.held().filter(person_id=person, badge__company=company).select_related("badge")
    }
    badges = Badge.objects.filter(company=company).order_by("pk")
    shown = [one for one in badges if one.retired_at is None or one.pk in given]
    labels = labels_of([one.event_name for one in shown if one.event_name])
    lines = [told_badge(one, labels, given.get(one.pk)) for one in shown]
    return sorted(lines, key=lambda one: (one.given is None, -one.given.given_at.timestamp() if one.given else 0))


def held_badges(person: int, company: Organization) -> list[BadgeLine]:
    """The badges the person has, the newest first. Two queries."""
    rows = GivenBadge.objects.held().filter(person_id=person, badge__company=company).select_related("badge")
    given = list(rows.order_by("-given_at", "-pk"))
    labels = labels_of([row.badge.event_name for row in given if row.badge.event_name])
    return [told_badge(row.badge, labels, row) for row in given]


def told_badge(badge: Badge, labels: Labels, given: GivenBadge | None = None) -> BadgeLine:
    """One badge in the reader's language."""
    return BadgeLine(badge, badge.name_in(language()), badge.text_in(language()), condition_of(badge, labels), given)


def rules_of(company: Organization, now: datetime) -> dict[str, str]:
    """The rules in force at a company, by lineage with their titles."""
    found = rulebook_now(RulebooksInForce([company.pk]), company.pk, now)
    return {rule.rule: rule.title or rule.rule for rule in found.rules} if found else {}


def challenges_of(
    rows: Iterable[Challenge], viewer: Viewer, company: Organization, *, today: date, now: datetime
) -> list[ChallengeLine]:
    """These challenges of one company, as the viewer stands in them. A few queries, whatever their number."""
    listed = list(rows)
    if not listed:
        return []
    mine = {
        one.challenge_id: one
        for one in Participant.objects.filter(challenge__in=listed, person_id=viewer.person_id or 0)
    }
    teams: dict[tuple[int, int | None], int] = defaultdict(int)
    own = [(one.challenge_id, one.team_id) for one in mine.values() if one.team_id]
    if own:
        told = Participant.objects.filter(challenge__in=[pk for pk, _team in own], team__in=[team for _pk, team in own])
        for challenge, team, reached in told.values_list("challenge_id", "team_id", "reached"):
            teams[challenge, team] += reached
    labels = labels_of([one.event_name for one in listed if one.event_name])
    rules = rules_of(company, now) if any(one.rule for one in listed) else {}
    return [_told(one, mine.get(one.pk), teams, labels, rules, today) for one in listed]


def _told(
    row: Challenge,
    mine: Participant | None,
    teams: dict[tuple[int, int | None], int],
    labels: Labels,
    rules: dict[str, str],
    today: date,
) -> ChallengeLine:
    reached = 0
    if mine is not None:
        reached = teams[row.pk, mine.team_id] if row.teams else mine.reached
    state = ChallengeState(row.state)
    running = state == ChallengeState.OPEN and today < row.until_date
    return ChallengeLine(
        row=row,
        name=row.name_in(language()),
        text=row.text_in(language()),
        goal=goal_of(row, labels, rules),
        state=str(state.label),
        tone=STATES[state],
        mine=mine,
        reached=reached,
        days_left=(row.until_date - today).days,
        running=running,
    )


def lines_of(row: Challenge, viewer: Viewer) -> Sequence[Line]:
    """Who takes part: departments for teams, else people, who may want no name; the furthest first."""
    joined = list(Participant.objects.visible_to(viewer).filter(challenge=row).select_related("team"))
    if row.teams:
        groups: dict[int, list[Participant]] = defaultdict(list)
        for one in joined:
            groups[one.team_id or 0].append(one)
        lines = [
            Line(
                name=group[0].team.name if group[0].team else "",
                reached=sum(one.reached for one in group),
                met=any(one.met_at for one in group),
                mine=any(one.person_id == viewer.person_id for one in group),
                prize=sum(one.prize for one in group),
            )
            for group in groups.values()
        ]
    else:
        hidden = set(
            Nameless.objects.filter(person__in=[one.person_id for one in joined]).values_list("person_id", flat=True)
        )
        people = [one.person_id for one in joined if one.person_id not in hidden or one.person_id == viewer.person_id]
        names = dict(Person.objects.filter(pk__in=people).values_list("pk", "name"))
        lines = [
            Line(
                names.get(one.person_id, ""),
                one.reached,
                one.met_at is not None,
                one.person_id == viewer.person_id,
                one.prize,
            )
            for one in joined
        ]
    return sorted(lines, key=lambda one: (-one.reached, one.name))


def closing_of(row: Challenge) -> datetime:
    """Until when late records of its time count."""
    return ends_at(row, BoardClock(row.company))
