"""Where rules look beyond a date, all that a person did at a company is folded together: their lane.

Works on what was gathered, writes nothing. What is closed stands as the awards tell; the rest is folded anew.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any, NamedTuple

from uptake.programme.evaluate import DayRules, Key, Outcome, Question, plain
from uptake.programme.gather import AwardRow, Bucket, Gathered
from uptake.programme.person_fold import Stood, fold_person
from uptake.programme.standing import UNKNOWN, JudgedEvent, Standing

RulesOf = Callable[[date], tuple[int, DayRules] | None]
"""(id of the rulebook version, its rules on a date), at the company of the lane."""


class Lane(NamedTuple):
    person: int
    company: int


class LaneOutcome(NamedTuple):
    """An outcome with where it came about: the rulebook version's id and its rules of that date."""

    rulebook_id: int
    rules: DayRules
    outcome: Outcome


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
    granted: Iterable[tuple[str, int, int]] = (),
    since: date,
    now: datetime,
) -> list[LaneOutcome]:
    """The outcomes of the events of a lane, as if each had been considered when it joined.

    `members`: its events that are not withheld. `awards`: by (event id, rule), other people's are left aside. `since`:
    outcomes from this date on are asked for; earlier events are only what those look back on. `granted`:
    (rule, points, paid awards) of events before those.
    """
    return _LaneFold(lane, members, awards, rules_of, standings, granted, since, now).outcomes()


class _LaneFold:
    def __init__(
        self,
        lane: Lane,
        members: Sequence[Gathered],
        awards: Mapping[Key, AwardRow],
        rules_of: RulesOf,
        standings: Mapping[Bucket, Standing],
        granted: Iterable[tuple[str, int, int]],
        since: date,
        now: datetime,
    ) -> None:
        self.granted = tuple(granted)
        self.members, self.rules_of, self.since, self.now = members, rules_of, since, now
        self.judged = {one.id: _judged(one, standings.get(Bucket(*lane, one.date), UNKNOWN)) for one in members}
        self.known: dict[Key, _Known] = {}
        for key, award in awards.items():
            if key[0] in self.judged and (award.person_id, award.company_id) == lane:
                self.known[key] = _Known(
                    award.rulebook_id, award.version, award.points, tuple(award.reasons), award.explanation
                )
        self.closings: dict[Key, datetime] = {}
        self.questions: dict[Key, Question] = {}
        for event in self.judged.values():
            found = rules_of(event.date)
            for question in found[1].by_name.get(event.name, ()) if found else ():
                key = (event.id, question.rule.rule)
                self.questions[key] = question
                self.closings[key] = found[1].closing(question, event.standing.role) if found else now

    def outcomes(self) -> list[LaneOutcome]:
        found: list[LaneOutcome] = []
        for clock, later in self._rounds():
            found = self._round(clock, later)
            for _, _, outcome in found:
                self.known[outcome.key] = self._as_known(outcome)
        return [one for one in found if one.outcome.event.date >= self.since]

    def _rounds(self) -> list[tuple[datetime, set[int]]]:
        """(clock, events that had not joined by then) of each fold that is needed, the last with everything.

        Events that are new join together unless awards closed between them, or one is late: what a late one is given
        stands at once.
        """
        considered = {event_id for event_id, _ in self.known}
        asked = {event_id for event_id, _ in self.questions}
        new = sorted(
            (one for one in self.members if one.date >= self.since and one.id in asked and one.id not in considered),
            key=lambda one: one.joined_at,
        )
        if not new:
            return [(self.now, set())]
        closings = sorted(set(self.closings.values()))
        late = {event_id for (event_id, _), closing in self.closings.items() if closing <= self.joined(event_id)}
        rounds: list[tuple[datetime, set[int]]] = []
        for place, one in enumerate(new[:-1]):
            following = new[place + 1]
            if one.joined_at == following.joined_at:
                continue
            between = bisect_right(closings, one.joined_at) < bisect_right(closings, following.joined_at)
            if between or one.id in late or following.id in late:
                rounds.append((one.joined_at, {other.id for other in new[place + 1 :]}))
        return [*rounds, (new[-1].joined_at, set())]

    def joined(self, event_id: int) -> datetime:
        joined_at = self.judged[event_id].joined_at
        assert joined_at is not None
        return joined_at

    def _round(self, clock: datetime, later: set[int]) -> list[LaneOutcome]:
        stood = {
            key: self._stood(key, known)
            for key, known in self.known.items()
            if key in self.questions and self.closings[key] <= clock
        }
        folded = fold_person(
            [event for event in self.judged.values() if event.id not in later],
            self._rules_on,
            stood=stood,
            granted=self.granted,
        )
        found: list[LaneOutcome] = []
        for outcome in folded.outcomes:
            in_force = self.rules_of(outcome.event.date)
            assert in_force is not None, "what nobody ruled was given nothing"
            rulebook_id = in_force[0]
            if outcome.key in stood:
                rulebook_id = self.known[outcome.key].rulebook_id
                outcome = self._told(outcome, stood[outcome.key])
            found.append(LaneOutcome(rulebook_id, in_force[1], outcome))
        return found

    def _rules_on(self, day: date) -> DayRules | None:
        found = self.rules_of(day)
        return found[1] if found else None

    def _as_known(self, outcome: Outcome) -> _Known:
        in_force = self.rules_of(outcome.event.date)
        assert in_force is not None
        known = self.known.get(outcome.key)
        return _Known(
            known.rulebook_id if known else in_force[0],
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
        return Stood(
            self.judged[key[0]], question.rank, key[1], known.version, points, part, reasons, explanation
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


def _judged(one: Gathered, standing: Standing) -> JudgedEvent:
    event = one.judged(late=one.accepted_late, standing=standing)
    event.object, event.joined_at = one.object, one.joined_at
    return event


def members_of(lanes: Iterable[Lane], events: Iterable[Gathered], since: date | None) -> dict[Lane, list[Gathered]]:
    """The events of each lane that are not withheld, from a date on (None: all)."""
    found: dict[Lane, list[Gathered]] = {lane: [] for lane in lanes}
    for one in events:
        bucket = one.bucket
        if bucket is not None and not one.withheld and (since is None or one.date >= since):
            lane = Lane(bucket.person, bucket.company)
            if lane in found:
                found[lane].append(one)
    return found
