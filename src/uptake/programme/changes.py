"""What a rulebook changes in another, rule by rule, in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from uptake.programme.conditions.history import HistoryCondition
from uptake.programme.rulebook import Rulebook, RuleVersion
from uptake.programme.sentences import Labels, rule_sentences


@dataclass(frozen=True)
class Part:
    """A sentence, and whether the other side has it too."""

    text: str
    same: bool


@dataclass(frozen=True)
class Changed:
    """One rule before and after; empty where it is not there."""

    rule: str
    title: str
    before: Sequence[Part]
    after: Sequence[Part]


@dataclass(frozen=True)
class Changes:
    rules: Sequence[Changed]
    of: int
    """How many rules there are in both together."""


def changes_of(before: Rulebook | None, after: Rulebook, day: date, labels: Labels) -> Changes:
    """The rules that differ on `day`, in the order of the new rulebook, then those that are gone."""
    old = {rule.rule: rule for rule in before.in_force(day)} if before else {}
    new = {rule.rule: rule for rule in after.in_force(day)}
    found = []
    for lineage in [*new, *(one for one in old if one not in new)]:
        was = _told(old.get(lineage), before, labels)
        becomes = _told(new.get(lineage), after, labels)
        if was != becomes:
            named = new.get(lineage) or old[lineage]
            found.append(
                Changed(
                    lineage,
                    named.title or lineage,
                    [Part(text, text in becomes) for text in was],
                    [Part(text, text in was) for text in becomes],
                )
            )
    return Changes(found, len(old.keys() | new.keys()))


def _told(rule: RuleVersion | None, rulebook: Rulebook | None, labels: Labels) -> list[str]:
    """Its sentences without the last, which says from when it is in force."""
    return rule_sentences(rule, labels, rulebook)[:-1] if rule else []


def events_of(*rulebooks: Rulebook | None) -> set[str]:
    """The names of events any of them mentions: what pays, what takes back, and what is asked of the days before."""
    found: set[str] = set()
    for one in rulebooks:
        if one is None:
            continue
        for rule in one.rules:
            found.update(rule.on)
            for condition in rule.when:
                if isinstance(condition, HistoryCondition):
                    found.update(condition.of)
        found.update(reversal.event for reversal in one.reversals)
    return found
