"""Runs a points case file through the real doors on a throw-away database, and says what differs."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from uptake.basics.canonical import canonical_json
from uptake.directory.leave import add_leave
from uptake.directory.models import Identity, Kind, Membership, Organization, Person
from uptake.directory.scope import EVERYTHING
from uptake.events.decide import NotQuarantined, accept, decline
from uptake.events.happening import Happening
from uptake.events.identify import identify
from uptake.events.models import Connection, Event, Quarantine
from uptake.events.record import record
from uptake.ledger.accounts import person as account_of
from uptake.ledger.elapse import expire, mature, time_out
from uptake.ledger.models import Account, Entry, Lot
from uptake.ledger.models import Kind as Deed
from uptake.programme.beyond_a_date import specials_of
from uptake.programme.boards import Earned, board
from uptake.programme.consider import consider_new_events
from uptake.programme.gather import Bucket, standings_of
from uptake.programme.lanes import Lane
from uptake.programme.models import Award
from uptake.programme.publish import publish
from uptake.programme.rewards.cases import DEEDS as REWARD_DEEDS
from uptake.programme.rewards.cases import RewardsOfCase
from uptake.programme.rewards.models import GrantState, SpecialGrant
from uptake.programme.rulebook import Programme
from uptake.programme.rulebook_reading import load_text, parse_rulebook
from uptake.programme.rulebook_refusals import RulebookRefused
from uptake.programme.standing_of import standing_of
from uptake.programme.throwaway import throwaway_database

SEEDS = (1, 2)
"""Each transformation is tried with these."""
TRANSFORMATIONS = ("shuffle", "duplicate", "batch")
BEGINNING = date(1970, 1, 1)
BEGAN_AT = datetime(1970, 1, 1, tzinfo=UTC)
BUILT_DEEDS = ("accept", "decline", "map", *REWARD_DEEDS)
BUILT_EXPECTATIONS = (
    "awards", "reasons", "people", "expiring", "refusals", "quarantined", "conflicts", "unresolved", "entries",
    "board", "board_adjusted", "redemptions", "budgets",
)  # fmt: skip
ACTING = ("person", "by", "approved_by")
"""Whom a deed names."""
BALANCES = ("available", "pending", "held", "debt")


class CaseUnusable(Exception):
    """The file is no points case, or asks for what is not built yet; the sentence says what."""


def load(text: str | bytes) -> dict[str, Any]:
    """The case of a JSON text, its numbers exact. CaseUnusable if it is no object."""
    case = load_text(text)
    if not isinstance(case, dict):
        raise CaseUnusable("a case file is an object")
    return case


def run(case: Mapping[str, Any]) -> list[str]:
    """The differences between what the case expects and what the doors do, one line each; none: it holds.

    Also tries the transformations under `also`, naming the seed of one that differs. Touches no installation.
    """
    plain = _exact(case)
    expected = plain.get("expected", {})
    try:
        if expected.get("error"):
            return _must_be_refused(plain.get("rulebook"))
        differences = _run_once(plain, _steps(plain), untransformed=True)
        for name in plain.get("also", ()):
            if name not in TRANSFORMATIONS:
                raise CaseUnusable(f"also: {name!r} is not one of {', '.join(TRANSFORMATIONS)}")
            for seed in SEEDS:
                steps = _transformed(_steps(plain), name, random.Random(seed))
                found = _run_once(plain, steps, untransformed=False)
                differences += [f"{name} (seed {seed}): {difference}" for difference in found]
    except RulebookRefused as refused:
        return [f"rulebook refused: {refused}"]
    except CaseUnusable as unusable:
        return [str(unusable)]
    return differences


def _must_be_refused(rulebook: Any) -> list[str]:
    try:
        parse_rulebook(rulebook)
    except RulebookRefused:
        return []
    return ["error: expected that the rulebook is refused, found that it is read"]


@dataclass(frozen=True, slots=True)
class Step:
    """One input with the instant at which it arrives; `rests` postpones considering to a later step."""

    input: Mapping[str, Any]
    arrives_at: datetime
    rests: bool = False

    @property
    def is_event(self) -> bool:
        return "event" in self.input and "do" not in self.input


def _steps(case: Mapping[str, Any]) -> list[Step]:
    """The inputs with their clocks: never before the clock of the one above."""
    steps: list[Step] = []
    clock = BEGAN_AT
    for one in case.get("inputs", ()):
        clock = max(clock, _instant(one.get("received_at", one["at"])))
        steps.append(Step(one, clock))
    return steps


def _transformed(steps: Sequence[Step], name: str, chance: random.Random) -> list[Step]:
    """The same case told otherwise, in a way that must not matter."""
    if name == "duplicate":
        return _duplicated(steps, chance)
    told: list[Step] = []
    for run_of_events in _runs(steps):
        if not run_of_events[0].is_event:
            told += run_of_events
        elif name == "shuffle":
            last = run_of_events[-1].arrives_at
            shuffled = [replace(step, arrives_at=last) for step in run_of_events]
            chance.shuffle(shuffled)
            told += shuffled
        else:
            told += [
                replace(step, rests=number < len(run_of_events) - 1 and chance.random() < 0.6)
                for number, step in enumerate(run_of_events)
            ]
    return told


def _duplicated(steps: Sequence[Step], chance: random.Random) -> list[Step]:
    """Each event one to three times, the copies at random later places."""
    placed: list[tuple[float, int, Step]] = []
    for number, step in enumerate(steps):
        placed.append((number, 0, step))
        if step.is_event:
            copies = chance.randint(0, 2)
            placed += [(chance.uniform(number, len(steps)), copy + 1, step) for copy in range(copies)]
    told: list[Step] = []
    clock = BEGAN_AT
    for _place, _copy, step in sorted(placed, key=lambda entry: entry[:2]):
        clock = max(clock, step.arrives_at)
        told.append(replace(step, arrives_at=clock))
    return told


def _runs(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """Runs of events between deeds; each deed by itself."""
    current: list[Step] = []
    for step in steps:
        if step.is_event:
            current.append(step)
            continue
        if current:
            yield current
            current = []
        yield [step]
    if current:
        yield current


def _run_once(case: Mapping[str, Any], steps: Sequence[Step], *, untransformed: bool) -> list[str]:
    expected = case.get("expected", {})
    for key in expected:
        if key not in BUILT_EXPECTATIONS:
            raise CaseUnusable(f"expected.{key} is not built yet")
    with throwaway_database():
        world = _World(case)
        for step in steps:
            world.take(step)
        world.rest(max(_instant(case["as_of"]), world.clock) if "as_of" in case else world.clock)
        return _Comparison(world, expected, untransformed).differences()


@dataclass
class _World:
    """A company, its people and its rulebook, made from the case; and what happened in it so far."""

    case: Mapping[str, Any]
    clock: datetime = BEGAN_AT
    refusals: dict[str, str] = field(default_factory=dict)
    conflicts: list[str] = field(default_factory=list)
    _deeds: dict[str, bytes] = field(default_factory=dict)
    known_as: dict[str, Person] = field(default_factory=dict)
    """Everybody by each of their ids, those who only act in deeds as well."""
    closed_board: list[list[Any]] | None = None
    """The board as it stood when it closed."""

    def __post_init__(self) -> None:
        programme = self.programme = parse_rulebook(self.case.get("rulebook")).programme
        self.company = Organization.objects.create(
            kind=Kind.COMPANY,
            name="Case",
            slug="case",
            timezone=programme.timezone,
            day_start=programme.day_start,
            created_at=BEGAN_AT,
        )
        self.company.path = f"/{self.company.pk}/"
        self.company.company = self.company
        self.company.save()
        self.departments: dict[str, Organization] = {}
        self.people: dict[str, Person] = {}
        sources = {str(one.get("source", "")) for one in self.case.get("inputs", ()) if "do" not in one} or {""}
        self.connections = {source: self._connection(source, programme) for source in sources}
        for one in self.case.get("people", ()):
            self._person(one)
        publish(
            rulebook=self.case["rulebook"],
            organization=self.company,
            in_force_date=BEGINNING,
            by=EVERYTHING,
            now=BEGAN_AT,
        )
        self.known_as = {
            name: self.people[one["id"]]
            for one in self.case.get("people", ())
            for name in (*one.get("identities", ()), one["id"])
        }
        for one in self.case.get("inputs", ()):
            if "do" in one:  # who acts and is not told of is somebody all the same
                for name in {one.get(who) for who in ACTING} - {None, *self.known_as}:
                    self.known_as[name] = Person.objects.create(name=name, created_at=BEGAN_AT)
        self.rewards = RewardsOfCase(self.company, self.known_as, self._department, BEGAN_AT)
        self.rewards.stock_up(list(self.case.get("rewards", ())), self.case.get("budgets", {}))

    def _connection(self, source: str, programme: Programme) -> Connection:
        return Connection.objects.create(
            slug=source,
            kind="api",
            name=source,
            organization=self.company,
            lateness_days=programme.lateness_days,
            created_at=BEGAN_AT,
        )

    def _person(self, told: Mapping[str, Any]) -> None:
        person = Person.objects.create(
            name=told["id"],
            joined_date=date.fromisoformat(told["joined"]) if told.get("joined") else None,
            created_at=BEGAN_AT,
        )
        self.people[told["id"]] = person
        for source in self.connections:
            for external in (told["id"], *told.get("identities", ())):
                Identity.objects.create(
                    source=source,
                    external_id=external,
                    company=self.company,
                    person=person,
                    first_seen_at=BEGAN_AT,
                    resolved_at=BEGAN_AT,
                    resolved_how="hand",
                )
        for span in told.get("leave", ()):
            begin, until = date.fromisoformat(span["from"]), date.fromisoformat(span["until"])
            add_leave(person=person, from_date=begin, until_date=until, by=EVERYTHING, now=BEGAN_AT)
        for span in _spans_told(told):
            Membership.objects.create(
                person=person,
                organization=self._department(span.get("department")),
                role=span.get("role") or "",
                from_date=date.fromisoformat(span["from"]) if span.get("from") else BEGINNING,
                until_date=date.fromisoformat(span["until"]) if span.get("until") else None,
            )

    def _department(self, name: str | None) -> Organization:
        if not name:
            return self.company
        if name not in self.departments:
            made = Organization.objects.create(
                kind=Kind.DEPARTMENT,
                name=name,
                slug=f"case-{len(self.departments) + 1}",
                parent=self.company,
                company=self.company,
                created_at=BEGAN_AT,
            )
            made.path = f"{self.company.path}{made.pk}/"
            made.save()
            self.departments[name] = made
        return self.departments[name]

    def take(self, step: Step) -> None:
        """One input at its clock, and what follows from it."""
        self.clock = max(self.clock, step.arrives_at)
        if step.is_event:
            self._event(step.input)
        else:
            self._deed(step.input)
        if not step.rests:
            self.consider(self.clock)

    def consider(self, now: datetime) -> None:
        """What follows from what came in; the board closes before that, as time alone closes it."""
        self.close_board(now)
        while consider_new_events(now=now):
            pass

    def close_board(self, now: datetime) -> None:
        asked = self.case.get("board")
        if asked and self.closed_board is None:
            day = date.fromisoformat(asked["until"]) + timedelta(days=self.programme.lateness_days)
            if self.programme.clock.start_of(day) <= now:
                self.closed_board = self.board()

    def board(self) -> list[list[Any]]:
        """[[rank, id, score]] of the board that the case asks for, from what stands now."""
        asked = self.case.get("board") or {}
        begin, until = date.fromisoformat(asked["from"]), date.fromisoformat(asked["until"])
        awards = Award.objects.filter(date__gte=begin, date__lt=until, points__gt=0)
        given = [
            (one.person_id, one.date, Earned("", one.points, one.happened_at))
            for one in awards.order_by("happened_at", "id")
        ]
        for (person, _), specials in specials_of(self.lanes()).items():
            given += [(person, one.date, Earned("", one.points, one.at)) for one in specials]
        given = [entry for entry in given if begin <= entry[1] < until]
        standings = standings_of({Bucket(person, self.company.pk, day) for person, day, _ in given})
        names = {person.pk: name for name, person in self.people.items()}
        wanted = asked.get("department")
        earned = [
            one._replace(person=names[person])
            for person, day, one in given
            if not wanted or standings[Bucket(person, self.company.pk, day)].department == wanted
        ]
        return [list(place) for place in board(earned)]

    def lanes(self) -> list[Lane]:
        return [Lane(person.pk, self.company.pk) for person in self.people.values()]

    def rest(self, now: datetime) -> None:
        """What is left to do, and what time alone does up to now."""
        self.clock = max(self.clock, now)
        self.consider(now)
        for elapse in (mature, expire, time_out):
            while elapse(now=now):
                pass
        self.rewards.elapse(now)

    def _event(self, told: Mapping[str, Any]) -> None:
        happening = Happening(
            event=told["event"],
            key=told["key"],
            at=_instant(told["at"]),
            person=told.get("person"),
            object=told.get("object", "") or "",
            facts=told.get("facts", {}),
            revision=int(told.get("revision", 1)),
            history_only=bool(told.get("history_only", False)),
        )
        (fate,) = record([happening], connection=self.connections[str(told.get("source", ""))], now=self.clock)
        if fate.fate == "conflict":
            self.conflicts.append(told["key"])
        elif fate.fate == "rejected":
            raise CaseUnusable(f"event {told['key']} was rejected: {fate.reason}")

    def _deed(self, told: Mapping[str, Any]) -> None:
        deed, key = told["do"], told["key"]
        if deed not in BUILT_DEEDS:
            raise CaseUnusable(f"the deed {deed!r} is not built yet")
        content = canonical_json({name: value for name, value in told.items() if name != "at"})
        if key in self._deeds:
            if self._deeds[key] != content:
                self.refusals[key] = "conflict"
            return
        self._deeds[key] = content
        if deed == "special_grant" and None in [told.get(who) for who in ACTING]:
            self.refusals[key] = "self_dealing"  # two of the three are nobody, or one is: they are not all different
            return
        if deed in REWARD_DEEDS:
            if refusal := self.rewards.do(told, self.clock):
                self.refusals[key] = refusal
            return
        if deed == "map":
            self._map(told["identity"], told["person"])
            return
        event = Event.objects.filter(key=told["event"]).order_by("-revision").first()
        if event is None or not Quarantine.objects.waiting().filter(event=event).exists():
            self.refusals[key] = "not_quarantined"
            return
        try:
            (accept if deed == "accept" else decline)(event=event, by=EVERYTHING, now=self.clock)
        except NotQuarantined:
            self.refusals[key] = "not_quarantined"

    def _map(self, external: str, person: str) -> None:
        for source in self.connections:
            identity, _made = Identity.objects.get_or_create(
                source=source,
                external_id=external,
                defaults={"company": self.company, "first_seen_at": self.clock},
            )
            given = self.known_as[person]
            if identity.person_id not in (None, given.pk):
                # By hand one frees it first, so that nobody takes what is another's by a slip.
                identify(identity=identity, person=None, by=EVERYTHING, now=self.clock)
            identify(identity=identity, person=given, by=EVERYTHING, now=self.clock)
        self.known_as[external] = self.known_as[person]


def _spans_told(told: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Memberships as told; what stands beside the id holds where none does (it begins first, so it counts last)."""
    spans = list(told.get("memberships", ()))
    if told.get("department") or told.get("role") or not spans:
        spans.insert(0, {"department": told.get("department"), "role": told.get("role")})
    return spans


class _Comparison:
    """What the world holds at the end beside what the case expects."""

    def __init__(self, world: _World, expected: Mapping[str, Any], untransformed: bool) -> None:
        self.world = world
        self.expected = expected
        self.untransformed = untransformed
        self.events = {event.pk: event for event in Event.objects.order_by("source", "key", "revision")}
        highest: dict[tuple[str, str], int] = {}
        standing = set(Event.objects.standing().values_list("pk", flat=True))
        for event in self.events.values():
            if event.pk in standing:
                highest[event.source, event.key] = event.pk
        order = {lineage: rank for rank, lineage in enumerate(parse_rulebook(world.case["rulebook"]).lineages)}
        self.awards: dict[str, list[Award]] = defaultdict(list)
        for pk in highest.values():
            found = sorted(Award.objects.filter(event_id=pk), key=lambda award: order[award.rule])
            self.awards[self.events[pk].key] += found

    def differences(self) -> list[str]:
        found: list[str] = []
        for part in self.expected:
            found += getattr(self, f"_{part}")(self.expected[part])
        return found

    def _awards(self, expected: Mapping[str, Any]) -> Iterator[str]:
        special = dict(SpecialGrant.objects.filter(state=GrantState.APPROVED).values_list("key", "points"))
        for key, wanted in expected.items():
            by_rule = {award.rule: award.points for award in self.awards.get(key, [])}
            if key in special:
                by_rule[key] = special[key]
            if isinstance(wanted, Mapping):
                for rule, points in wanted.items():
                    yield from _unequal(f"awards.{key}.{rule}", points, by_rule.get(rule, 0))
            else:
                yield from _unequal(f"awards.{key}", wanted, sum(by_rule.values()))

    def _reasons(self, expected: Mapping[str, Any]) -> Iterator[str]:
        for key, wanted in expected.items():
            given = self.awards.get(key, [])
            if isinstance(wanted, Mapping):
                by_rule = {award.rule: award.reasons for award in given}
                for rule, codes in wanted.items():
                    yield from _unequal(f"reasons.{key}.{rule}", codes, by_rule.get(rule, []))
            else:
                yield from _unequal(f"reasons.{key}", wanted, [code for award in given for code in award.reasons])

    def _people(self, expected: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
        for name, wanted in expected.items():
            owner = str(self.world.people[name].pk)
            for part, points in wanted.items():
                yield from _unequal(f"people.{name}.{part}", points, self._part(owner, part))

    def _part(self, owner: str, part: str) -> int | str | None:
        if part in ("qualifying", "level"):
            stands = standing_of([int(owner)], company=self.world.company.pk, now=self.world.clock)[int(owner)]
            return stands.qualifying if part == "qualifying" else stands.level
        lots = Lot.objects.filter(book=self.world.company.pk, owner=owner)
        if part in BALANCES:
            account = Account.objects.filter(book=self.world.company.pk, code=account_of(owner, part)).first()
            return account.balance if account else 0
        if part in ("expired", "redeemed"):
            return sum(int(points) for points in lots.values_list(part, flat=True))
        raise CaseUnusable(f"expected.people.{part} is not built yet")

    def _expiring(self, expected: Mapping[str, Any]) -> Iterator[str]:
        for name, wanted in expected.items():
            lots = Lot.objects.filter(owner=str(self.world.people[name].pk), last_date__isnull=False).order_by(
                "last_date"
            )
            found: dict[str, int] = defaultdict(int)
            for lot in lots:
                if lot.last_date and lot.available + lot.pending:  # what is held does not expire
                    found[lot.last_date.isoformat()] += lot.available + lot.pending
            yield from _unequal(f"expiring.{name}", wanted, [list(entry) for entry in found.items()])

    def _board(self, expected: Any) -> Iterator[str]:
        found = self.world.board() if self.world.closed_board is None else self.world.closed_board
        yield from _unequal("board", [list(place) for place in expected], found)

    def _board_adjusted(self, expected: bool) -> Iterator[str]:
        closed = self.world.closed_board
        yield from _unequal("board_adjusted", expected, closed is not None and closed != self.world.board())

    def _redemptions(self, expected: Mapping[str, str]) -> Iterator[str]:
        yield from _unequal("redemptions", dict(expected), self.world.rewards.states())

    def _budgets(self, expected: Mapping[str, int]) -> Iterator[str]:
        for name, points in expected.items():
            yield from _unequal(f"budgets.{name}", points, self.world.rewards.budget(name))

    def _refusals(self, expected: Mapping[str, str]) -> Iterator[str]:
        yield from _unequal("refusals", dict(expected), self.world.refusals)

    def _quarantined(self, expected: Mapping[str, str]) -> Iterator[str]:
        rows = Quarantine.objects.waiting().values_list("event__key", "reason")
        yield from _unequal("quarantined", dict(expected), dict(rows))

    def _conflicts(self, expected: Any) -> Iterator[str]:
        found = sorted(set(self.world.conflicts))
        yield from _unequal("conflicts", *_alike(expected, found))

    def _unresolved(self, expected: Any) -> Iterator[str]:
        rows = Event.objects.filter(identity__isnull=False, identity__person__isnull=True)
        found = sorted(set(rows.values_list("key", flat=True)))
        people = sorted(set(rows.values_list("identity__external_id", flat=True)))
        wanted, keys = _alike(expected, found)
        if wanted != keys and wanted != _alike(expected, people)[1]:
            yield from _unequal("unresolved", wanted, keys)

    def _entries(self, expected: Sequence[Sequence[Any]]) -> Iterator[str]:
        if not self.untransformed:
            return
        found = []
        for kind, points, cause in Entry.objects.order_by("id").values_list("kind", "points", "cause"):
            sign = {Deed.GRANTED.value: 1, Deed.TAKEN_BACK.value: -1}.get(kind)
            if sign is not None and cause.startswith("event/"):
                found.append([self.events[int(cause[6:])].key, sign * points])
        yield from _unequal("entries", [list(entry) for entry in expected], found)


def _alike(expected: Any, found: list[str]) -> tuple[Any, Any]:
    """Both as sorted lists, or both as numbers where the case tells how many."""
    if isinstance(expected, int):
        return expected, len(found)
    return sorted(expected), found


def _unequal(what: str, expected: Any, found: Any) -> Iterator[str]:
    if expected != found:
        yield f"{what}: expected {_shown(expected)}, found {_shown(found)}"


def _shown(value: Any) -> str:
    return canonical_json(value).decode()


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _exact(value: Any) -> Any:
    """The same with decimals for binary floats: the digits that were written."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, Mapping):
        return {key: _exact(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_exact(item) for item in value]
    return value
