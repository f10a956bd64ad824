"""Plays a case: input by input at its clock, or told otherwise by a transformation that must not matter."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from uptake.programme.tests.model.asking import Person
from uptake.programme.tests.model.dates import DAY
from uptake.programme.tests.model.folding import Award, Closed, Fold, Grant, Key
from uptake.programme.tests.model.intake import Store, instant
from uptake.programme.tests.model.lots import Ledger, Redemption
from uptake.programme.tests.model.reading import Refused, Rulebook, read

SEEDS = (1, 2, 3)
BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
Step = list[tuple[dict[str, Any], datetime]]
"""Inputs considered together, each with its clock at intake."""


def run(case: Mapping[str, Any], transformation: str | None = None, seed: int = 0) -> dict[str, Any]:
    """What the case's `expected` names, in its shape; {"error": True} for a rulebook that must be refused."""
    try:
        world = played(case, transformation, seed)
    except Refused:
        return {"error": True}
    return {name: world.answer(name, asked) for name, asked in exact(case["expected"]).items()}


def played(
    case: Mapping[str, Any],
    transformation: str | None = None,
    seed: int = 0,
    watch: Callable[[World], None] = lambda world: None,
) -> World:
    """The world at the end of the case; `watch` sees it after every step. Refused if the rulebook is."""
    case = exact(case)
    steps = [[one] for one in clocks(case)]
    if transformation:
        steps = told_otherwise(steps, transformation, random.Random(seed))
    world = World(case, read(case.get("rulebook")))
    for step in steps:
        world.take(step)
        watch(world)
    if "as_of" in case:
        world.rest(instant(case["as_of"]))
        watch(world)
    return world


def clocks(case: Mapping[str, Any]) -> Step:
    """Each input with its clock: received_at, else at; never before the clock above it."""
    found: Step = []
    clock = BEGINNING
    for one in case.get("inputs", ()):
        clock = max(clock, instant(one.get("received_at") or one["at"]))
        found.append((one, clock))
    return found


def told_otherwise(steps: Sequence[Step], name: str, chance: random.Random) -> list[Step]:
    """The steps shuffled, with copies, or cut into batches."""
    if name == "duplicate":
        return _with_copies(steps, chance)
    told: list[Step] = []
    for part in _runs(steps):
        if "do" in part[0][0]:
            told.append(part)
        elif name == "shuffle":
            told += [[(one, part[-1][1])] for one, _clock in chance.sample(part, len(part))]
        else:
            assert name == "batch", f"{name} is no transformation"
            while part:
                size = chance.randint(1, len(part))
                told.append(part[:size])
                part = part[size:]
    return told


def _runs(steps: Sequence[Step]) -> list[Step]:
    """Runs of events between two deeds, and each deed by itself."""
    found: list[Step] = []
    for step in steps:
        for one in step:
            if found and "do" not in one[0] and "do" not in found[-1][0][0]:
                found[-1].append(one)
            else:
                found.append([one])
    return found


def _with_copies(steps: Sequence[Step], chance: random.Random) -> list[Step]:
    placed: list[tuple[float, dict[str, Any], datetime]] = []
    for place, ((one, clock),) in enumerate(steps):
        placed.append((place, one, clock))
        if "do" not in one:
            placed += [(chance.uniform(place + 0.1, len(steps)), one, clock) for _copy in range(chance.randint(0, 2))]
    found: list[Step] = []
    latest = BEGINNING
    for _place, one, clock in sorted(placed, key=lambda entry: entry[0]):
        latest = max(latest, clock)
        found.append([(one, latest)])
    return found


@dataclass
class World:
    """All that is known at a clock."""

    case: Mapping[str, Any]
    book: Rulebook
    clock: datetime = BEGINNING
    grants: list[Grant] = field(default_factory=list)
    closed: dict[Key, Closed] = field(default_factory=dict)
    refusals: dict[str, str] = field(default_factory=dict)
    entries: list[list[Any]] = field(default_factory=list)
    posted: dict[tuple[str, Key], Award] = field(default_factory=dict)
    """What each award of a person stands at in the ledger."""
    snapshot: list[list[Any]] | None = None
    """The board as it was closed."""

    def __post_init__(self) -> None:
        self.people = {told["id"]: Person(told["id"], told) for told in self.case.get("people", ())}
        names = {name: one.id for one in self.people.values() for name in (*one.told.get("identities", ()), one.id)}
        self.store = Store(self.book, names)
        self.ledger = Ledger(self.book.programme)
        self.budgets: dict[str, int] = dict(self.case.get("budgets") or {})
        self.rewards = {reward["id"]: reward for reward in self.case.get("rewards", ())}
        self.board_asked = self.case.get("board")
        self.deeds: dict[str, dict[str, Any]] = {}
        self.fold = self._folded()

    def take(self, step: Step) -> None:
        """Time, closing, the inputs, fold, postings."""
        self._pass_time(step[-1][1])
        for told, clock in step:
            if "do" in told:
                self._deed(told)
            else:
                self.store.take(told, clock)
        self._post()

    def rest(self, until: datetime) -> None:
        self._pass_time(max(until, self.clock))
        self._post()

    def _pass_time(self, until: datetime) -> None:
        others: list[tuple[datetime, Callable[[], None]]] = []
        if self.board_asked and self.snapshot is None:
            day = date.fromisoformat(self.board_asked["until"]) + self.book.programme.lateness_days * DAY
            others.append((self.book.programme.calendar.start(day), self._close_board))
        self.ledger.pass_time(until, others)
        self.clock = until
        for key, award in self.fold.awards.items():
            if key not in self.closed and award.closes_at <= until:
                self.closed[key] = Closed(award, self.fold.parts[key[0]], tuple(self.fold.course[key]))

    def _folded(self) -> Fold:
        return Fold(self.book, self.people, self.store, self.closed, self.grants, self.clock)

    def _post(self) -> None:
        """The differences: decreases in canonical order, then increases."""
        self.fold = self._folded()
        wanted = {(award.person, key): award for key, award in self.fold.awards.items()}
        differences = []
        for place in {**self.posted, **wanted}:
            award = wanted.get(place) or self.posted[place]
            before = self.posted[place].points if place in self.posted else 0
            change = (wanted[place].points if place in wanted else 0) - before
            if change:
                differences.append((change > 0, award.event.canon, award.rank, place[0], award, change))
        self.ledger.learn(self.store.active_dates(), self.clock)
        for increases, _canon, _rank, person, award, change in sorted(differences, key=lambda one: one[:4]):
            lot = self._lot(person, award)
            if increases:
                self.ledger.increase(lot, change, self.clock)
            else:
                self.ledger.take_back(lot, -change)
            self.entries.append([award.event.key, change])
        self.posted = wanted

    def _lot(self, person: str, award: Award) -> Any:
        rule = self.book.in_force(award.lineage, award.event.date)
        assert rule
        event = award.event
        return self.ledger.open(
            (person, award.key), person, event.date, event.at, rule.after_days, rule.expires, (event.canon, award.rank)
        )

    # Deeds

    def _deed(self, told: dict[str, Any]) -> None:
        content = {name: value for name, value in told.items() if name != "at"}
        if told["key"] in self.deeds:
            if self.deeds[told["key"]] != content:
                self.refusals[told["key"]] = "conflict"
            return
        self.deeds[told["key"]] = content
        refusal = getattr(self, f"_{told['do']}")(told)
        if refusal:
            self.refusals[told["key"]] = refusal

    def _accept(self, told: dict[str, Any]) -> str | None:
        return None if self.store.decide(told["event"], accept=True) else "not_quarantined"

    def _decline(self, told: dict[str, Any]) -> str | None:
        return None if self.store.decide(told["event"], accept=False) else "not_quarantined"

    def _map(self, told: dict[str, Any]) -> None:
        self.store.map(told["identity"], self.store.people.get(told["person"], told["person"]), self.clock)

    def _redeem(self, told: dict[str, Any]) -> str | None:
        person = self.store.people[told["person"]]
        reward = self.rewards[told["reward"]] if told.get("reward") else None
        price = reward["price"] if reward else told["price"]
        balances = self.ledger.balances(person)
        if balances["debt"] > 0:
            return "in_debt"
        if reward:
            names = [name for name, _at in self.book.levels]
            if reward.get("level") and self._folded().levels[person] < names.index(reward["level"]):
                return "level_too_low"
            taken = [
                one
                for one in self.ledger.redemptions.values()
                if one.reward == reward["id"] and one.state in ("requested", "fulfilled")
            ]
            most = reward.get("per_person")
            if most is not None and len([one for one in taken if one.person == person]) >= most:
                return "limit_reached"
            if reward.get("stock") is not None and len(taken) >= reward["stock"]:
                return "out_of_stock"
        if balances["available"] < price:
            return "not_enough_points"
        programme = self.book.programme
        times_out = programme.calendar.date_of(self.clock) + (1 + programme.timeout_days) * DAY
        redemption = Redemption(told["key"], person, told.get("reward"), programme.calendar.start(times_out))
        self.ledger.hold(redemption, price)
        return None

    def _unresolved(self, told: dict[str, Any]) -> tuple[Redemption | None, str | None]:
        redemption = self.ledger.redemptions.get(told["redemption"])
        if redemption is None:
            return None, "unknown_redemption"
        return (redemption, None) if redemption.state == "requested" else (None, "already_resolved")

    def _fulfil(self, told: dict[str, Any]) -> str | None:
        redemption, refusal = self._unresolved(told)
        if redemption is None:
            return refusal
        held = self.ledger.held(redemption)
        points = told.get("points", held)
        if points > held:
            return "more_than_held"
        self.ledger.resolve(redemption, "fulfilled", self.clock, points)
        return None

    def _reject(self, told: dict[str, Any], state: str = "rejected") -> str | None:
        redemption, refusal = self._unresolved(told)
        if redemption:
            self.ledger.resolve(redemption, state, self.clock)
        return refusal

    def _cancel(self, told: dict[str, Any]) -> str | None:
        return self._reject(told, "cancelled")

    def _refund(self, told: dict[str, Any]) -> str | None:
        redemption = self.ledger.redemptions.get(told["redemption"])
        if redemption is None:
            return "unknown_redemption"
        if redemption.state != "fulfilled":
            return "not_fulfilled"
        self.ledger.refund(redemption, self.clock)
        return None

    def _special_grant(self, told: dict[str, Any]) -> str | None:
        three = [told.get(name) for name in ("person", "by", "approved_by")]
        if len({self.store.people.get(name, name) if name else None for name in three}) < 3:
            return "self_dealing"
        if not str(told.get("reason") or "").strip():
            return "reason_missing"
        if self.budgets.get(told["budget"], 0) < told["points"]:
            return "budget_exhausted"
        self.budgets[told["budget"]] -= told["points"]
        person = self.store.people[told["person"]]
        day = self.book.programme.calendar.date_of(self.clock)
        grant = Grant(told["key"], person, self.clock, day, int(told["points"]))
        self.grants.append(grant)
        order = ((self.clock, "", grant.key), len(self.book.lineages))
        lot = self.ledger.open(("grant", grant.key), person, day, self.clock, 0, self.book.programme.expires, order)
        self.ledger.increase(lot, grant.points, self.clock)
        return None

    # Boards

    def _close_board(self) -> None:
        self.snapshot = self.board_now()

    def board_now(self) -> list[list[Any]]:
        """[[rank, id, score]] of the board that the case asks for, from what is posted now."""
        asked = self.board_asked or {}
        begin, until = date.fromisoformat(asked["from"]), date.fromisoformat(asked["until"])
        given = [(one.person, one.event.date, one.event.at, one.points) for one in self.posted.values()]
        given += [(one.person, one.date, one.at, one.points) for one in self.grants]
        scores: dict[str, tuple[int, datetime]] = {}
        for person, day, at, points in given:
            department = asked.get("department")
            if not (begin <= day < until) or not points:
                continue
            if department and self.people[person].on(day, "department") != department:
                continue
            score, latest = scores.get(person, (0, at))
            scores[person] = (score + points, max(latest, at))
        ordered = sorted(scores, key=lambda one: (-scores[one][0], scores[one][1], one))
        return [
            [1 + sum(scores[other][0] > scores[one][0] for other in scores), one, scores[one][0]] for one in ordered
        ]

    # Answers

    def qualifying(self, person: str) -> int:
        return sum(award.points for award in self.posted.values() if award.person == person) + sum(
            grant.points for grant in self.grants if grant.person == person
        )

    def level(self, person: str) -> str | None:
        rank = self.fold.levels[person]
        return self.book.levels[rank][0] if rank >= 0 else None

    def figures(self, person: str) -> dict[str, Any]:
        """Every figure a case may name of a person."""
        return {
            **self.ledger.balances(person), "qualifying": self.qualifying(person), "level": self.level(person),
        }  # fmt: skip

    def awards_of(self, key: str) -> list[Award]:
        return sorted((one for one in self.fold.awards.values() if one.event.key == key), key=lambda one: one.rank)

    def answer(self, name: str, asked: Any) -> Any:
        """One part of `expected`, in the shape in which it was asked."""
        return getattr(self, f"_said_{name}")(asked)

    def _said_awards(self, asked: Any) -> Any:
        found: dict[str, Any] = {}
        for key, wanted in asked.items():
            by_rule = {award.lineage: award.points for award in self.awards_of(key)}
            by_rule |= {grant.key: grant.points for grant in self.grants if grant.key == key}
            found[key] = (
                {rule: by_rule.get(rule, 0) for rule in wanted} if isinstance(wanted, dict) else sum(by_rule.values())
            )
        return found

    def _said_reasons(self, asked: Any) -> Any:
        found: dict[str, Any] = {}
        for key, wanted in asked.items():
            by_rule = {award.lineage: list(award.codes) for award in self.awards_of(key)}
            found[key] = (
                {rule: by_rule.get(rule, []) for rule in wanted}
                if isinstance(wanted, dict)
                else [code for codes in by_rule.values() for code in codes]
            )
        return found

    def _said_people(self, asked: Any) -> Any:
        return {person: {part: self.figures(person)[part] for part in parts} for person, parts in asked.items()}

    def _said_expiring(self, asked: Any) -> Any:
        return {person: self.ledger.expiring(person) for person in asked}

    def _said_budgets(self, asked: Any) -> Any:
        return {name: self.budgets.get(name, 0) for name in asked}

    def _said_refusals(self, _asked: Any) -> Any:
        return self.refusals

    def _said_quarantined(self, _asked: Any) -> Any:
        return {one.key: one.waits for one in self.store.events.values() if one.waits and not one.declined}

    def _said_conflicts(self, _asked: Any) -> Any:
        return sorted(self.store.conflicts)

    def _said_unresolved(self, _asked: Any) -> Any:
        waiting = [one for one in self.store.events.values() if one.sent and not self.store.person_of(one)]
        return sorted({one.key for one in waiting})

    def _said_redemptions(self, _asked: Any) -> Any:
        return {one.key: one.state for one in self.ledger.redemptions.values()}

    def _said_board(self, _asked: Any) -> Any:
        return self.board_now() if self.snapshot is None else self.snapshot

    def _said_board_adjusted(self, _asked: Any) -> Any:
        return self.snapshot is not None and self.snapshot != self.board_now()

    def _said_entries(self, _asked: Any) -> Any:
        return self.entries


def exact(value: Any) -> Any:
    """The same with the decimals that were written for binary floats."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, Mapping):
        return {key: exact(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [exact(one) for one in value]
    return value
