"""What a rulebook gives for all that one person did: the live fold, over events that were not paid by it.

Pure: values in, values out. Each event counts from when it joined, so what came late is judged as late, as it was then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from fractions import Fraction

from uptake.programme.evaluate import DayRules, Key, Outcome, Used, fold
from uptake.programme.person_fold import Seasons, Stood, fold_person
from uptake.programme.rulebook import Rulebook, RuleVersion
from uptake.programme.standing import JudgedEvent

RulesOn = Callable[[date], DayRules | None]


def as_of(rulebook: Rulebook, today: date) -> Rulebook:
    """The rulebook as if each of its rules, in the latest wording that has not ended, had always been in force.

    Limits and multipliers keep their dates.
    """
    latest: dict[str, RuleVersion] = {}
    for rule in rulebook.rules:
        if rule.until_date is not None and rule.until_date <= today:
            continue
        known = latest.get(rule.rule)
        if known is None or (known.from_date, known.version) < (rule.from_date, rule.version):
            latest[rule.rule] = rule
    always = tuple(
        replace(latest[lineage], from_date=date.min, until_date=None)
        for lineage in rulebook.lineages
        if lineage in latest
    )
    return replace(rulebook, rules=always)


def in_force_on(rulebook: Rulebook, today: date) -> Rulebook:
    """The rulebook as if what is in force today had always been."""
    always = tuple(replace(rule, from_date=date.min, until_date=None) for rule in rulebook.in_force(today))
    return replace(rulebook, rules=always)


def names_of(rulebook: Rulebook) -> set[str]:
    """The names of all events that can matter to it."""
    names = {name for rule in rulebook.rules for name in rule.on}
    conditions = [one for rule in rulebook.rules for one in rule.when]
    conditions += [one for multiplier in rulebook.multipliers for one in multiplier.when]
    for condition in conditions:
        names |= set(getattr(condition, "of", ()))
    for reversal in rulebook.reversals:
        names |= {reversal.event, *reversal.undoes}
    return names


def seasons_of(rulebook: Rulebook, until: date) -> Seasons | None:
    """What its levels need, with the seasons that ended by then; None: it has no levels."""
    if not rulebook.levels:
        return None
    programme = rulebook.programme
    ends = tuple((programme.clock.start_of(day), day) for day in programme.season_ends if day <= until)
    return Seasons(rulebook.levels, programme.levels_from == "season", ends)


def replay(
    events: Sequence[JudgedEvent],
    rules_on: RulesOn,
    *,
    looks_back: bool,
    others: Iterable[JudgedEvent] = (),
    leave: Collection[date] = (),
    seasons: Seasons | None = None,
) -> list[Outcome]:
    """The outcome of every rule that names one of the person's events.

    `events`: those out of quarantine, each with when it joined. `looks_back`: whether any rule asks for more than the
    awards of the event's own date. `others`: events of other people that may undo some of these.
    """
    if looks_back:
        return _whole(events, rules_on, others, leave, seasons)
    by_day: dict[date, list[JudgedEvent]] = defaultdict(list)
    for event in events:
        by_day[event.date].append(event)
    found: list[Outcome] = []
    for day, members in by_day.items():
        rules = rules_on(day)
        if rules is not None:
            found += _one_day(rules, members)
    return found


def _one_day(rules: DayRules, members: Sequence[JudgedEvent]) -> list[Outcome]:
    """Those in time together, then the late ones by when they joined."""
    late = [one for one in members if _is_late(one, rules)]
    if not late:
        return fold(rules, members)
    used = Used()
    late_ids = {one.id for one in late}
    found = fold(rules, [one for one in members if one.id not in late_ids], used)
    groups: dict[datetime, list[JudgedEvent]] = defaultdict(list)
    for one in late:
        assert one.joined_at is not None
        groups[one.joined_at].append(one)
    for joined_at in sorted(groups):
        found += fold(rules, groups[joined_at], used)
    return found


def _is_late(event: JudgedEvent, rules: DayRules) -> bool:
    return event.late or (event.joined_at is not None and event.joined_at >= rules.closes_at)


def _whole(
    events: Sequence[JudgedEvent],
    rules_on: RulesOn,
    others: Iterable[JudgedEvent],
    leave: Collection[date],
    seasons: Seasons | None,
) -> list[Outcome]:
    """All a person did, folded together; once more for each instant at which something joined that came too late."""
    aside = list(others)

    def folded(members: Sequence[JudgedEvent], stood: Mapping[Key, Stood]) -> tuple[list[Outcome], dict[Key, Stood]]:
        found = fold_person(members, rules_on, others=aside, stood=stood, leave=leave, seasons=seasons)
        standing = {
            one.key: _stood(one) if one.key not in stood else stood[one.key]
            for one in found.outcomes
            if one.key in stood or found.closings[one.key] <= clock
        }
        return found.outcomes, standing

    clocks = set()
    for event in events:
        rules = rules_on(event.date)
        if rules is not None and event.joined_at is not None and event.joined_at >= rules.closes_at:
            clocks.add(event.joined_at)
    stood: dict[Key, Stood] = {}
    for clock in sorted(clocks):
        _, stood = folded([one for one in events if one.joined_at is None or one.joined_at < clock], stood)
        _, stood = folded([one for one in events if one.joined_at is None or one.joined_at <= clock], stood)
    found = fold_person(events, rules_on, others=aside, stood=stood, leave=leave, seasons=seasons)
    return found.outcomes


def _stood(outcome: Outcome) -> Stood:
    part = Fraction(outcome.event.part)
    return Stood(
        outcome.event, outcome.rank, outcome.rule, outcome.version, outcome.points, part, outcome.reasons,
        outcome.explanation,
    )  # fmt: skip
