"""Which rulebook applies to a company on a date: the nearest place at or above it that has one in force."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from functools import lru_cache, reduce
from operator import or_
from typing import NamedTuple

from uptake.basics.business_day import Clock
from uptake.directory.models import Organization
from uptake.directory.place import clocks_below
from uptake.directory.viewer import ids_of
from uptake.programme.evaluate import DayRules
from uptake.programme.kept import Needs, history_key, needs_of
from uptake.programme.models import RulebookVersion
from uptake.programme.rulebook import Reversal, Rulebook
from uptake.programme.rulebook_reading import read_rulebook

LONGEST_PERIOD = 33
"""Days of a month, of its last date, and of the widest time zone."""
PERIODS = {"day": 2, "week": 8, "month": LONGEST_PERIOD, "ever": 2}
"""The same of each period of caps."""


@lru_cache(maxsize=256)
def parsed(version_id: int, sha256: str) -> Rulebook:
    """The rulebook of a published version (they never change; the hash guards against another database's ids)."""
    return read_rulebook(RulebookVersion.objects.values_list("file", flat=True).get(pk=version_id))


class Window(NamedTuple):
    """How much of what a person did must be known to say what an event earns."""

    looks_back: bool = False
    """Whether more than the awards of the event's own date."""
    days: int | None = 0
    """How many dates before; None: all."""
    counts_ever: bool = False
    """Whether all that was ever granted counts."""
    open_days: int = 0
    """How many days after its date an award may still change."""
    needs: Needs = Needs()
    asks_person: bool = False
    streaks: bool = False
    levels: bool = False
    reversals: tuple[Reversal, ...] = ()
    inactive_days: frozenset[int] = frozenset()
    """After how many dates without any deed points of some rule expire."""


@lru_cache(maxsize=256)
def window_of(version_id: int, sha256: str) -> Window:
    """The window of a published version."""
    rulebook = parsed(version_id, sha256)
    return Window(
        rulebook.looks_back,
        rulebook.looks_back_days,
        rulebook.counts_ever,
        rulebook.programme.lateness_days + max((PERIODS[cap.every] for cap in rulebook.caps), default=PERIODS["day"]),
        needs_of(rulebook),
        rulebook.asks_person,
        any(rule.streak for rule in rulebook.rules),
        bool(rulebook.levels),
        rulebook.reversals,
        rulebook.inactive_days,
    )


@lru_cache(maxsize=256)
def parsed_at(version_id: int, sha256: str, clock: Clock) -> Rulebook:
    """The same where dates are read by the clock of a company, whatever the file says of its own."""
    return at_place(parsed(version_id, sha256), clock)


def at_place(rulebook: Rulebook, clock: Clock) -> Rulebook:
    """The rulebook where dates are read by the clock of a place."""
    return replace(rulebook, programme=replace(rulebook.programme, of_place=clock))


@lru_cache(maxsize=4096)
def day_rules(version_id: int, sha256: str, day: date, clock: Clock) -> DayRules:
    """The rules of a published version as they are on a date at a company with this clock."""
    return DayRules(parsed_at(version_id, sha256, clock), day, version_id)


class RulebooksInForce:
    """The rulebooks of some companies, read with three queries whatever their number."""

    def __init__(self, company_ids: Iterable[int]) -> None:
        companies = dict(Organization.objects.filter(pk__in=set(company_ids)).values_list("pk", "path"))
        self.paths = {key: tuple(reversed(ids_of(path))) for key, path in companies.items()}
        self.clocks = clocks_below(companies)
        places = {place for path in self.paths.values() for place in path}
        self.versions: dict[int, list[tuple[date, int, int, str]]] = {}
        self.lowered: dict[tuple[int, date], dict[int, datetime]] = {}
        """By place and first date: the versions that apply to it from an instant on only."""
        rows = RulebookVersion.objects.filter(organization_id__in=places)
        columns = ("organization_id", "in_force_date", "number", "pk", "sha256", "in_force_at")
        for place, begins, number, version_id, sha256, in_force_at in rows.values_list(*columns):
            self.versions.setdefault(place, []).append((begins, number, version_id, sha256))
            if in_force_at is not None:
                self.lowered.setdefault((place, begins), {})[version_id] = in_force_at
        for found in self.versions.values():
            found.sort(reverse=True)
        self._days: dict[tuple[int, date], tuple[int, DayRules] | None] = {}
        self._windows: dict[int, Window] = {}
        self._behind: dict[tuple[int, date], str] = {}

    def on(self, company_id: int, day: date) -> tuple[int, DayRules] | None:
        """(id of the rulebook version, its rules on that date), or None where no rulebook is in force.

        Where rules were lowered at once on this date it is the last version, whose rules know those before (`at`).
        """
        key = (company_id, day)
        if key not in self._days:
            self._days[key] = self._find(company_id, day)
        return self._days[key]

    def window(self, company_id: int) -> Window:
        """The widest of all rulebooks that apply to the company."""
        if company_id not in self._windows:
            self._windows[company_id] = self._window(company_id)
        return self._windows[company_id]

    def behind(self, company_id: int, day: date) -> str:
        """Names all that rulebooks say of dates up to this one, and what they ask of them later."""
        key = (company_id, day)
        if key not in self._behind:
            needs = self.window(company_id).needs
            places = [
                [(version, sha256) for begins, _, version, sha256 in self.versions.get(place, ()) if begins <= day]
                for place in self.paths.get(company_id, ())
            ]
            asked = [sorted(map(history_key, needs.histories)), sorted(needs.cooldowns.items())]
            self._behind[key] = repr((places, asked))
        return self._behind[key]

    def _window(self, company_id: int) -> Window:
        found = [
            window_of(version_id, sha256)
            for place in self.paths.get(company_id, ())
            for _, _, version_id, sha256 in self.versions.get(place, ())
        ]
        days = [one.days for one in found]
        return Window(
            any(one.looks_back for one in found),
            None if None in days else max((one for one in days if one is not None), default=0),
            any(one.counts_ever for one in found),
            max((one.open_days for one in found), default=0),
            reduce(or_, (one.needs for one in found), Needs()),
            any(one.asks_person for one in found),
            any(one.streaks for one in found),
            any(one.levels for one in found),
            tuple({entry: None for one in found for entry in one.reversals}),
            frozenset().union(*(one.inactive_days for one in found)),
        )

    def _find(self, company_id: int, day: date) -> tuple[int, DayRules] | None:
        rules = self._before(company_id, day, None)
        if rules is None:
            return None
        if self.lowered:
            places = self.paths[company_id]
            turns = sorted({at for place in places for at in self.lowered.get((place, day), {}).values()})
            earlier = [(at, before) for at in turns if (before := self._before(company_id, day, at)) is not None]
            if earlier:
                rules = rules.after(earlier)
        return rules.rulebook_id, rules

    def _before(self, company_id: int, day: date, instant: datetime | None) -> DayRules | None:
        """The rules that are in force on a date shortly before an instant of it; None: at its end."""
        for place in self.paths.get(company_id, ()):
            since = self.lowered.get((place, day), {})
            for in_force_date, _number, version_id, sha256 in self.versions.get(place, ()):
                begins_at = since.get(version_id)
                later = begins_at is not None and instant is not None and begins_at >= instant
                if in_force_date <= day and not later:
                    return day_rules(version_id, sha256, day, self.clocks[company_id])
        return None


def rulebook_version_on(place: Organization, day: date) -> RulebookVersion | None:
    """The rulebook that applies at a place (a company or any place inside it) on a date; of several, at its end."""
    versions: dict[int, RulebookVersion] = {}
    for version in RulebookVersion.objects.applying_to(place).filter(in_force_date__lte=day):
        best = versions.get(version.organization_id)
        if best is None or (best.in_force_date, best.number) < (version.in_force_date, version.number):
            versions[version.organization_id] = version
    for key in reversed(ids_of(place.path)):
        if key in versions:
            return versions[key]
    return None


def longest_open() -> int:
    """The most days after its event for which any published rulebook may keep an award open."""
    windows = [window_of(pk, sha256) for pk, sha256 in RulebookVersion.objects.values_list("pk", "sha256")]
    return max((one.open_days for one in windows), default=0)
