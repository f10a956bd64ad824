"""Where rules look beyond a date, all that a person did at a company is folded together: their lane.

Works on what was gathered, writes nothing. What is closed stands as the awards tell; the rest is folded anew.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any, NamedTuple

from uptake.programme.evaluate import DayRules, Key, Outcome, Question, plain
from uptake.programme.gather import AwardRow, Bucket, Gathered
from uptake.programme.kept import Kept, Needs, Order
from uptake.programme.person_fold import Folded, Keeping, Seasons, Special, Step, Stood, fold_person
from uptake.programme.standing import UNKNOWN, JudgedEvent, Standing

RulesOf = Callable[[date], tuple[int, DayRules] | None]
"""(id of the rulebook version, its rules on a date), at the company of the lane."""


COURSE = "course"
"""Under this an award's explanation keeps how it came to be along event time, where that took more than one step."""


class Lane(NamedTuple):
    person: int
    company: int


class LaneOutcome(NamedTuple):
    """An outcome with where it came about: the rulebook version's id and its rules of that date."""

    rulebook_id: int
    rules: DayRules
    outcome: Outcome


class LaneLevel(NamedTuple):
    """Where a person stands after all of it."""

    rank: int
    points: int


@dataclass(frozen=True, slots=True)
class Beside:
    """What a lane must know beside its own events and awards."""

    others: Sequence[Gathered] = ()
    """Events of other people that undo some of the lane's, or undo such."""
    leave: Collection[date] = ()
    seasons: Seasons | None = None
    """All ends of seasons that have come; a round looks at those that had come by then."""
    specials: Sequence[Special] = ()
    kept: Sequence[Gathered] = ()
    """Events that are another's now, but whose awards had closed before."""
    settled: Collection[Key] = ()
    """Awards of the lane's events that stand for who they were before."""
    fresh: Collection[int] = ()
    """Events that were not considered before."""
    granted: Sequence[tuple[str, int, int]] = ()
    """(rule, points, paid awards) of events before those given."""
    start: Kept | None = None
    """What was kept of all events before those given."""


NOTHING = Beside()


class LaneFolded(NamedTuple):
    """What the fold of a lane comes to."""

    outcomes: list[LaneOutcome]
    level: LaneLevel | None
    """None where there are no levels."""
    kept: Sequence[Kept]


@dataclass(slots=True)
class _Known:
    """An award as it is known: from its row, or from a round of this fold."""

    rulebook_id: int
    version: int
    points: int
    reasons: tuple[str, ...]
    explanation: dict[str, Any]


def fold_lane(
    lane: Lane,
    members: Sequence[Gathered],
    awards: Mapping[Key, AwardRow],
    rules_of: RulesOf,
    standings: Mapping[Bucket, Standing],
    *,
    beside: Beside = NOTHING,
    since: date,
    now: datetime,
    needs: Needs | None = None,
    open_days: int = 0,
) -> LaneFolded:
    """The outcomes of the events of a lane, as if each had been considered when it joined; the level, if there are any.

    `members`: its events that are not withheld. `awards`: by (event id, rule), other people's are left aside. `since`:
    outcomes from this date on are asked for; earlier events are only what those look back on. `needs`: what rules may
    ask later, if something is to be kept for them; awards of dates as many days ago have all closed.
    """
    fold = _LaneFold(lane, members, awards, rules_of, standings, beside, since, now, needs, open_days)
    return LaneFolded(fold.outcomes(), fold.level, fold.kept)


class _LaneFold:
    def __init__(
        self,
        lane: Lane,
        members: Sequence[Gathered],
        awards: Mapping[Key, AwardRow],
        rules_of: RulesOf,
        standings: Mapping[Bucket, Standing],
        beside: Beside,
        since: date,
        now: datetime,
        needs: Needs | None,
        open_days: int,
    ) -> None:
        self.needs, self.open_days = needs, open_days
        self.kept: Sequence[Kept] = ()
        self.beside, self.members, self.rules_of, self.since, self.now = beside, members, rules_of, since, now
        self.level: LaneLevel | None = None
        self.judged = {one.id: judged_of(one, standings.get(Bucket(*lane, one.date), UNKNOWN)) for one in members}
        self.former = {one.id: judged_of(one, standings.get(Bucket(*lane, one.date), UNKNOWN)) for one in beside.kept}
        self.others = {one.id: judged_of(one, UNKNOWN) for one in beside.others}
        self.superseded = [one for one in (*members, *beside.kept, *beside.others) if one.superseded]
        self.known: dict[Key, _Known] = {}
        for key, award in awards.items():
            mine = key[0] in self.judged or key[0] in self.former
            if mine and (award.person_id, award.company_id) == lane:
                self.known[key] = _Known(
                    award.rulebook_id, award.version, award.points, tuple(award.reasons), award.explanation
                )
        self.closings: dict[Key, datetime] = {}
        self.questions: dict[Key, Question] = {}
        for event in (*self.judged.values(), *self.former.values()):
            rules = self._rules_at(event)
            for question in rules.by_name.get(event.name, ()) if rules else ():
                key = (event.id, question.rule.rule)
                if event.id in self.former and key not in self.known:
                    continue
                self.questions[key] = question
                self.closings[key] = rules.closing(question, event.standing.role) if rules else now

    def outcomes(self) -> list[LaneOutcome]:
        found: list[LaneOutcome] = []
        rounds = self._rounds()
        for number, (clock, later) in enumerate(rounds, start=1):
            found = self._round(clock, later, last=number == len(rounds))
            for _, _, outcome in found:
                self.known[outcome.key] = self._as_known(outcome)
        return [one for one in found if one.outcome.event.date >= self.since]

    def _rounds(self) -> list[tuple[datetime, set[int]]]:
        """(clock, events that had not joined by then) of each fold that is needed, the last with everything.

        Events that are new join together unless awards closed between them, or one is late: what a late one is given
        stands at once. What undoes others joins when it arrived, whoever its person is.
        """
        considered = {event_id for event_id, _ in self.known}
        asked = {event_id for event_id, _ in self.questions}
        new = [
            (one.joined_at, one.id)
            for one in self.members
            if one.date >= self.since and one.id in asked and one.id not in considered
        ]
        begun = min(new, default=(None, 0))[0]
        fresh = self.beside.fresh
        for one in (*self.beside.others, *self.members):
            if one.id not in asked or one.id not in self.judged:
                at = one.arrived_at if self._undoes(one) else one.joined_at
                if one.id in fresh or (begun is not None and at > begun):
                    new.append((at, one.id))
        if not new:
            return [(self.now, set())]
        new.sort()
        closings = sorted(set(self.closings.values()))
        joined = {event_id: at for at, event_id in new}
        late = {key[0] for key, closing in self.closings.items() if key[0] in joined and closing <= joined[key[0]]}
        rounds: list[tuple[datetime, set[int]]] = []
        for place, (at, one_id) in enumerate(new[:-1]):
            next_at, next_id = new[place + 1]
            if at == next_at:
                continue
            between = bisect_right(closings, at) < bisect_right(closings, next_at)
            if between or one_id in late or next_id in late:
                rounds.append((at, {other for _, other in new[place + 1 :]}))
        return [*rounds, (new[-1][0], set())]

    def _undoes(self, one: Gathered) -> bool:
        found = self.rules_of(one.date)
        return found is not None and any(entry.event == one.name for entry in found[1].rulebook.reversals)

    def _round(self, clock: datetime, later: set[int], *, last: bool) -> list[LaneOutcome]:
        stood = {
            key: self._stood(key, known)
            for key, known in self.known.items()
            if key in self.questions and (self.closings[key] <= clock or key[0] in self.former)
        }
        for one in self.superseded:
            event = self.judged.get(one.id) or self.former.get(one.id) or self.others[one.id]
            event.reversed = one.withdrawn or last or (one.superseded_at is not None and one.superseded_at <= clock)
        seasons = self.beside.seasons
        ahead = [at for at, _ in seasons.ends if at > clock] if seasons else []
        ahead += [one.at for one in self.beside.specials if one.at > clock]
        folded = self._folded(clock, later, stood, keep=last)
        if last:
            self.kept = [one for one in folded.kept if not any(at <= one.until[0] for at in ahead)]
        if last and seasons is not None:
            if any(at <= self.now for at in ahead):
                after = self._folded(self.now, later, stood)
                self.level = LaneLevel(after.level, after.points)
                folded = self._folded(clock, later, stood)
            else:
                self.level = LaneLevel(folded.level, folded.points)
        found: list[LaneOutcome] = []
        for outcome in folded.outcomes:
            rules = self._rules_at(outcome.event)
            assert rules is not None, "what nobody ruled was given nothing"
            rulebook_id = rules.rulebook_id
            if outcome.key in stood:
                rulebook_id = self.known[outcome.key].rulebook_id
                outcome = self._told(outcome, stood[outcome.key])
            else:
                course = folded.courses.get(outcome.key, ())
                if len(course) > 1:
                    outcome = outcome._replace(explanation={**outcome.explanation, COURSE: course_to_plain(course)})
            found.append(LaneOutcome(rulebook_id, rules, outcome))
        return found

    def _folded(self, clock: datetime, later: set[int], stood: Mapping[Key, Stood], *, keep: bool = False) -> Folded:
        beside = self.beside
        keeping = None
        if keep and self.needs is not None and self.judged:
            days = {(clock - timedelta(days=self.open_days)).date(), max(one.date for one in self.judged.values())}
            keeping = Keeping(self.needs, sorted(days))
        seasons = beside.seasons
        if seasons is not None:
            seasons = replace(seasons, ends=tuple(end for end in seasons.ends if end[0] <= clock))
        return fold_person(
            [event for event in self.judged.values() if event.id not in later],
            self._rules_on,
            others=[event for event in self.others.values() if event.id not in later],
            stood=stood,
            leave=beside.leave,
            seasons=seasons,
            specials=[one for one in beside.specials if one.at <= clock],
            settled=beside.settled,
            granted=beside.granted,
            start=beside.start,
            keeping=keeping,
        )

    def _rules_on(self, day: date) -> DayRules | None:
        found = self.rules_of(day)
        return found[1] if found else None

    def _rules_at(self, event: JudgedEvent) -> DayRules | None:
        """The rules that judge the event."""
        found = self.rules_of(event.date)
        return found[1].at(event.at) if found else None

    def _as_known(self, outcome: Outcome) -> _Known:
        rules = self._rules_at(outcome.event)
        assert rules is not None
        known = self.known.get(outcome.key)
        return _Known(
            known.rulebook_id if known else rules.rulebook_id,
            outcome.version, outcome.points, outcome.reasons, outcome.explanation,
        )  # fmt: skip

    def _stood(self, key: Key, known: _Known) -> Stood:
        """The award as it was when it closed: what changed since is told beside it."""
        question, explanation = self.questions[key], known.explanation
        points, reasons = known.points, known.reasons
        part = Fraction(explanation.get("part", 0))
        closed = explanation.get("closed")
        if closed is not None:
            points, reasons, part = closed["points"], tuple(closed["reasons"]), Fraction(closed["part"])
            explanation = {name: value for name, value in explanation.items() if name not in ("closed", "part")}
            if part:
                explanation["part"] = plain(part)
        event = self.judged.get(key[0]) or self.former[key[0]]
        course = course_of(explanation.get(COURSE, ()))
        return Stood(
            event, question.rank, key[1], known.version, points, part, reasons, explanation, course
        )  # fmt: skip

    def _told(self, outcome: Outcome, stood: Stood) -> Outcome:
        """With what it was at closing, where it is otherwise now."""
        if outcome.points == stood.points and outcome.reasons == stood.reasons:
            return outcome
        explanation = {
            **stood.explanation,
            "closed": {"points": stood.points, "reasons": list(stood.reasons), "part": plain(stood.part)},
        }
        if outcome.event.part:
            explanation["part"] = plain(outcome.event.part)
        return outcome._replace(explanation=explanation)


def judged_of(one: Gathered, standing: Standing) -> JudgedEvent:
    """The event as rules that look back see it."""
    event = one.judged(late=one.accepted_late, standing=standing)
    event.object, event.joined_at = one.object, one.mapped_at or one.received_at
    return event


def course_to_plain(course: Sequence[Step]) -> list[list[Any]]:
    """How an award came to be along event time, as plain JSON."""
    return [
        [at.isoformat(), source, key, event_id, points, plain(part)]
        for (at, source, key, event_id), points, part in course
    ]


def course_of(told: Sequence[Sequence[Any]]) -> tuple[Step, ...]:
    """The same, read."""
    return tuple(
        Step((datetime.fromisoformat(at), source, key, event_id), points, Fraction(part))
        for at, source, key, event_id, points, part in told
    )


def members_of(since: Mapping[Lane, date | Order | None], events: Iterable[Gathered]) -> dict[Lane, list[Gathered]]:
    """The events of each lane that are not withheld, from a date on or behind a place (None: all)."""
    found: dict[Lane, list[Gathered]] = {lane: [] for lane in since}
    for one in events:
        bucket = one.bucket
        if bucket is None or one.withheld:
            continue
        lane = Lane(bucket.person, bucket.company)
        if lane in found and is_behind(one, since[lane]):
            found[lane].append(one)
    return found


def is_behind(event: Gathered, since: date | Order | None) -> bool:
    """Whether an event is of this date or later, or later than this place."""
    if since is None:
        return True
    return event.date >= since if isinstance(since, date) else event.order > since
