"""Whom a rulebook's rules could reach, by what people did lately: asked before it is published."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import date, timedelta

from uptake.directory.models import Kind, Organization
from uptake.events.models import Event
from uptake.programme.fairness.an_hour import BestHour, best_hours
from uptake.programme.fairness.shares import FEWEST, groups_on
from uptake.programme.rulebook import Rulebook

DAYS = 90


@dataclass(frozen=True, slots=True)
class Able:
    """A department (of a park: a company) or role. `able`: who had an event that a rule listens to; `rules`: how many
    rules listened to any of theirs; `behind`: certainly under four fifths of the best group."""

    name: str
    people: int
    able: int
    rules: int
    behind: bool
    hour: BestHour | None = None
    """Of a role: what its best hour could earn."""

    @property
    def share(self) -> float:
        return self.able / self.people


@dataclass(frozen=True, slots=True)
class Earnable:
    """A rulebook at a place. `unheard`: rules for which nobody had an event; `hidden`: groups too small to show."""

    rules: int
    unheard: tuple[str, ...]
    departments: tuple[Able, ...]
    roles: tuple[Able, ...]
    hidden: int


def earnable(rulebook: Rulebook, place: Organization, today: date) -> Earnable | None:
    """By the standing events of the 90 days before `today`; conditions and caps are left to the back-test.

    None where the place has under 10 people or the rulebook no rule in force on `today`.
    """
    rules = rulebook.in_force(today)
    where = groups_on(place, today)
    if not rules or len(where) < FEWEST:
        return None
    listening: dict[str, set[str]] = defaultdict(set)
    for rule in rules:
        for name in rule.on:
            listening[name].add(rule.rule)
    below = Organization.objects.filter(path__startswith=place.path, kind=Kind.COMPANY).values("pk")
    rows = Event.objects.filter(company__in=below, name__in=sorted(listening)).standing()
    rows = rows.filter(business_date__range=(today - timedelta(days=DAYS), today - timedelta(days=1)))
    did: dict[int, set[str]] = defaultdict(set)
    for person, name in rows.order_by().values_list("identity__person_id", "name").distinct():
        if person in where:
            did[person or 0] |= listening[name]
    heard = {rule for several in did.values() for rule in several}
    departments, few = _able({one: names[0] for one, names in where.items()}, did)
    roles, fewer = _able({one: names[1] for one, names in where.items()}, did)
    unheard = tuple(rule.title or rule.rule for rule in rules if rule.rule not in heard)
    role_of = {one: names[1] for one, names in where.items()}
    hours = best_hours(rulebook, today, role_of, {one.name for one in roles}, rows)
    told = tuple(replace(one, hour=hours.get(one.name)) for one in roles)
    return Earnable(len(rules), unheard, departments, told, few + fewer)


def _able(names: dict[int, str], did: dict[int, set[str]]) -> tuple[tuple[Able, ...], int]:
    from uptake.statistics.fairness import triggers  # its libraries are loaded where they are needed

    people = Counter(names.values())
    able = Counter(name for person, name in names.items() if did.get(person))
    met: dict[str, set[str]] = defaultdict(set)
    for person, name in names.items():
        met[name] |= did.get(person, set())
    shown = triggers.shown(people)
    behind = {one.group for one in triggers.of_reach({name: (able[name], people[name]) for name in shown})}
    told = tuple(
        Able(name, people[name], able[name], len(met[name]), name in behind)
        for name in sorted(shown, key=lambda name: (able[name] / people[name], name))
    )
    return told, len(people) - len(shown)
