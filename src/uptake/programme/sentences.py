"""Rules in plain sentences, in the language that is active: made from the rule itself, so they say what it does.

Each sentence is one pattern with named fields, never glued from pieces, so that every language can order its words.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from uptake.programme.conditions.compare import Scalar, Value
from uptake.programme.conditions.fact import FactCondition
from uptake.programme.conditions.history import COUNT, FIRST, HistoryCondition
from uptake.programme.conditions.list import Condition
from uptake.programme.conditions.person import DEPARTMENT, LEVEL, ROLE
from uptake.programme.evaluate import plain
from uptake.programme.rulebook import (
    NEVER_EXPIRES,
    Cap,
    Multiplier,
    PointsBySteps,
    PointsPer,
    Reversal,
    Rulebook,
    RuleVersion,
)
from uptake.programme.rulebook_refusals import RulebookRefused
from uptake.programme.standing import Number

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Labels:
    """The catalogue's words in the reader's language: of event names and of facts. What has none is shown as it is."""

    events: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)

    def event(self, name: str) -> str:
        return self.events.get(name) or name

    def fact(self, name: str) -> str:
        return self.facts.get(name) or name


def rule_sentence(rule: RuleVersion, labels: Labels, rulebook: Rulebook | None = None) -> str:
    """The whole rule in words: what it pays for, conditions, caps and dates."""
    return joined_sentences(rule_sentences(rule, labels, rulebook))


def rule_sentences(rule: RuleVersion, labels: Labels, rulebook: Rulebook | None = None) -> list[str]:
    """The same, sentence by sentence; with its rulebook also what it shares with other rules."""
    told = points_sentences(rule, labels)
    told += condition_sentences(rule.when, labels)
    told += streak_sentences(rule)
    told += [cap_sentence(cap) for cap in rule.cap]
    told += cooldown_sentences(rule)
    if rulebook is not None:
        told += shared_sentences(rule, rulebook, labels)
    told += spending_sentences(rule, rulebook)
    told.append(validity_sentence(rule))
    return told


def shared_sentences(rule: RuleVersion, rulebook: Rulebook, labels: Labels) -> list[str]:
    """The caps of its groups and of the person, and the multipliers that concern it."""
    titles = {one.rule: one.title or one.rule for one in rulebook.rules}
    told = []
    for group in rulebook.groups:
        if rule.rule in group.rules:
            others = [quoted(titles[lineage]) for lineage in group.rules if lineage != rule.rule]
            told += [cap_sentence(cap, listed(others) if others else "") for cap in group.cap]
    told += [cap_sentence(cap, all_rules=True) for cap in rulebook.person_cap]
    concerned = [one for one in rulebook.multipliers if not one.on or set(one.on) & set(rule.on)]
    told += [multiplier_sentence(multiplier, labels) for multiplier in concerned]
    if concerned:
        told += stacking_sentences(rulebook)
    told += [reversal_sentence(one, labels, rule.on) for one in rulebook.reversals if set(one.undoes) & set(rule.on)]
    return told


def reversal_sentence(reversal: Reversal, labels: Labels, on: Collection[str] = ()) -> str:
    """What an event takes back: what was earned before by events of the same object or fact (of `on`, if given)."""
    undone = [name for name in reversal.undoes if not on or name in on]
    fields = {
        "event": quoted(labels.event(reversal.event)),
        "undone": either([quoted(labels.event(name)) for name in undone]),
        "fact": quoted(labels.fact(reversal.same)),
    }
    if reversal.fraction is None:
        if reversal.same == "object":
            return _("%(event)s takes back what %(undone)s of the same object earned before.") % fields
        return _("%(event)s takes back what %(undone)s with the same %(fact)s earned before.") % fields
    fields["part"] = quoted(labels.fact(reversal.fraction))
    if reversal.same == "object":
        pattern = _("%(event)s takes back the part %(part)s of what %(undone)s of the same object earned before.")
    else:
        pattern = _("%(event)s takes back the part %(part)s of what %(undone)s with the same %(fact)s earned before.")
    return pattern % fields


def streak_sentences(rule: RuleVersion) -> list[str]:
    """When a streak pays, what it leaves out, and how many missed days or weeks a month it forgives."""
    streak = rule.streak
    if streak is None:
        return []
    fields = {"length": number(streak.length), "freezes": number(streak.freezes_per_month)}
    if streak.every == "week":
        pattern = ngettext(
            "It pays for every week in which it happens.",
            "It pays for every %(length)s weeks in a row in which it happens.",
            streak.length,
        )
    elif streak.working_days:
        pattern = ngettext(
            "It pays for every working day on which it happens.",
            "It pays for every %(length)s working days in a row on which it happens.",
            streak.length,
        )
    else:
        pattern = ngettext(
            "It pays for every day on which it happens.",
            "It pays for every %(length)s days in a row on which it happens.",
            streak.length,
        )
    told = [pattern % fields]
    if streak.working_days:
        told.append(_("Days off and leave neither count nor break the row."))
    if streak.freezes_per_month:
        if streak.every == "week":
            pattern = ngettext(
                "%(freezes)s missed week a month is forgiven.",
                "%(freezes)s missed weeks a month are forgiven.",
                streak.freezes_per_month,
            )
        else:
            pattern = ngettext(
                "%(freezes)s missed day a month is forgiven.",
                "%(freezes)s missed days a month are forgiven.",
                streak.freezes_per_month,
            )
        told.append(pattern % fields)
    return told


def level_sentences(rulebook: Rulebook) -> list[str]:
    """The levels, what reaches them, and when they may fall."""
    if not rulebook.levels:
        return []
    named = [
        ngettext("%(level)s from %(points)s point", "%(level)s from %(points)s points", level.at)
        % {"level": quoted(level.name), "points": number(level.at)}
        for level in rulebook.levels
    ]
    told = [_("Levels: %(levels)s.") % {"levels": listed(named)}]
    of_season = rulebook.programme.levels_from == "season"
    told.append(_("Points of the season count.") if of_season else _("All points ever earned count, spent or not."))
    if rulebook.programme.season_ends:
        told.append(_("A level never falls within a season; at its end by one at most, if the points reach less."))
    else:
        told.append(_("A level that was reached never falls."))
    return told


def multiplier_sentence(multiplier: Multiplier, labels: Labels) -> str:
    """What is worth more, when and for whom; where several hold, only the greatest counts."""
    fields = {"name": quoted(multiplier.multiplier), "factor": number(multiplier.factor)}
    if multiplier.on:
        fields["events"] = either([quoted(labels.event(name)) for name in multiplier.on])
        told = [_("%(name)s: points for %(events)s × %(factor)s.") % fields]
    else:
        told = [_("%(name)s: points × %(factor)s.") % fields]
    told += condition_sentences(multiplier.when, labels)
    first, last = multiplier.from_date, multiplier.until_date
    dates = {"from": day(first) if first else "", "last": day(last - ONE_DAY) if last else ""}
    if first and last:
        told.append(_("This holds from %(from)s to %(last)s.") % dates)
    elif first:
        told.append(_("This holds from %(from)s.") % dates)
    elif last:
        told.append(_("This holds to %(last)s.") % dates)
    return joined_sentences(told)


def stacking_sentences(rulebook: Rulebook) -> list[str]:
    """How many times as much all multipliers together may make, where they are multiplied with one another."""
    stacking = rulebook.programme.stacking
    if stacking is None:
        return []
    told = _("Multipliers that hold at once are multiplied, together by at most %(factor)s.")
    return [told % {"factor": number(stacking.at_most)}]


def cooldown_sentences(rule: RuleVersion) -> list[str]:
    """The gap between two events that are paid."""
    if not rule.cooldown_seconds:
        return []
    return [_("At least %(time)s must lie between two that are paid.") % {"time": span(rule.cooldown_seconds)}]


def span(seconds: int) -> str:
    """A span of time in the largest unit that tells it exactly."""
    if seconds % 3600 == 0:
        hours = seconds // 3600
        return ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": number(hours)}
    if seconds % 60 == 0:
        minutes = seconds // 60
        return ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": number(minutes)}
    return ngettext("%(n)s second", "%(n)s seconds", seconds) % {"n": number(seconds)}


def spending_sentences(rule: RuleVersion, rulebook: Rulebook | None = None) -> list[str]:
    """When the points can be spent and until when."""
    told = []
    if rule.available_after_days:
        pattern = ngettext(
            "The points can be spent %(days)s day later.",
            "The points can be spent %(days)s days later.",
            rule.available_after_days,
        )
        told.append(pattern % {"days": number(rule.available_after_days)})
    expiry = rule.expires or (rulebook.programme.expires if rulebook else NEVER_EXPIRES)
    if expiry.days is not None:
        pattern = ngettext(
            "They can be spent for %(days)s more day.", "They can be spent for %(days)s more days.", expiry.days
        )
        told.append(pattern % {"days": number(expiry.days)})
    elif expiry.inactive_days is not None:
        pattern = ngettext(
            "They expire when the person has done nothing for %(days)s day; everything they do postpones it.",
            "They expire when the person has done nothing for %(days)s days; everything they do postpones it.",
            expiry.inactive_days,
        )
        told.append(pattern % {"days": number(expiry.inactive_days)})
    elif expiry.end_of == "month":
        told.append(_("They expire at the end of the month."))
    elif expiry.end_of == "year":
        told.append(_("They expire at the end of the fiscal year."))
    return told


def joined_sentences(sentences: Sequence[str]) -> str:
    """Sentences one after another, as the language sets them."""
    # Translators: what stands between two sentences: a space in English, nothing in Chinese.
    between = _("%(first)s %(second)s")
    text = ""
    for sentence in sentences:
        text = between % {"first": text, "second": sentence} if text else sentence
    return text


def points_sentences(rule: RuleVersion, labels: Labels) -> list[str]:
    """What the rule pays for."""
    events = either([quoted(labels.event(name)) for name in rule.on])
    if isinstance(rule.points, int):
        return [
            ngettext("%(points)s point for each %(event)s.", "%(points)s points for each %(event)s.", rule.points)
            % {"points": number(rule.points), "event": events}
        ]
    if isinstance(rule.points, PointsBySteps):
        return [_step_sentence(rule.points, events, labels), *_bounds_sentences(rule.points)]
    return _per_sentences(rule.points, events, labels)


def _step_sentence(points: PointsBySteps, events: str, labels: Labels) -> str:
    steps = []
    for at_least, given in points.steps:
        pattern = ngettext("%(points)s point from %(at_least)s", "%(points)s points from %(at_least)s", _plural(given))
        steps.append(pattern % {"points": number(given), "at_least": number(at_least)})
    # Translators: the steps are such as "5 points from 10, 8 points from 20".
    return _("For each %(event)s, by %(fact)s: %(steps)s.") % {
        "event": events,
        "fact": quoted(labels.fact(points.per)),
        "steps": listed(steps),
    }


def _per_sentences(per: PointsPer, events: str, labels: Labels) -> list[str]:
    fields = {
        "points": number(per.points),
        "each": number(per.each),
        "fact": quoted(labels.fact(per.per)),
        "event": events,
    }
    if per.each == 1:
        told = [
            ngettext(
                "For each %(event)s: %(points)s point for every 1 of %(fact)s.",
                "For each %(event)s: %(points)s points for every 1 of %(fact)s.",
                _plural(per.points),
            )
            % fields
        ]
    else:
        told = [
            ngettext(
                "For each %(event)s: %(points)s point for every %(each)s of %(fact)s.",
                "For each %(event)s: %(points)s points for every %(each)s of %(fact)s.",
                _plural(per.points),
            )
            % fields
        ]
    if per.whole_units:
        told.append(_("Only whole steps of %(each)s count.") % fields)
    return [*told, *_bounds_sentences(per)]


def _bounds_sentences(per: PointsPer | PointsBySteps) -> list[str]:
    if per.min is not None and per.max is not None:
        return [
            _("At least %(min)s and at most %(max)s points each time.")
            % {"min": number(per.min), "max": number(per.max)}
        ]
    if per.min is not None:
        return [_("At least %(min)s points each time.") % {"min": number(per.min)}]
    if per.max is not None:
        return [_("At most %(max)s points each time.") % {"max": number(per.max)}]
    return []


def condition_sentences(conditions: Sequence[Condition], labels: Labels) -> list[str]:
    """One sentence for all conditions, or none."""
    if not conditions:
        return []
    clauses = [condition_clause(condition, labels) for condition in conditions]
    if len(clauses) == 1:
        return [_("Only if %(condition)s.") % {"condition": clauses[0]}]
    # Translators: what stands between two conditions that must both hold.
    between = _("%(first)s, and %(second)s")
    text = clauses[0]
    for clause in clauses[1:]:
        text = between % {"first": text, "second": clause}
    return [_("Only if %(conditions)s.") % {"conditions": text}]


def condition_clause(condition: Condition, labels: Labels) -> str:
    """One condition as a clause that follows "only if"."""
    if isinstance(condition, FactCondition):
        pattern = _fact_pattern(condition.op, condition.value)
        what = quoted(labels.fact(condition.fact))
    elif isinstance(condition, HistoryCondition):
        return _history_clause(condition, labels)
    elif condition.person == LEVEL:
        pattern, what = _fact_pattern(condition.op, condition.value), _("the person's level")
    elif condition.person in (DEPARTMENT, ROLE):
        pattern = _fact_pattern(condition.op, condition.value)
        what = _("the person's department") if condition.person == DEPARTMENT else _("the person's role")
    else:
        pattern = _tenure_pattern(condition.op)
        what = ""
    return pattern % {"what": what, "value": shown(condition.value)}


def _fact_pattern(op: str, value: Value) -> str:
    if isinstance(value, tuple) and len(value) > 1:
        return _("%(what)s is one of %(value)s") if op == "eq" else _("%(what)s is none of %(value)s")
    patterns: Mapping[str, Callable[[], str]] = {
        "eq": lambda: _("%(what)s is %(value)s"),
        "ne": lambda: _("%(what)s is not %(value)s"),
        "gt": lambda: _("%(what)s is more than %(value)s"),
        "gte": lambda: _("%(what)s is at least %(value)s"),
        "lt": lambda: _("%(what)s is less than %(value)s"),
        "lte": lambda: _("%(what)s is at most %(value)s"),
        "contains": lambda: _("%(what)s contains %(value)s"),
        "not_contains": lambda: _("%(what)s does not contain %(value)s"),
        "is_set": lambda: _("%(what)s is given"),
        "is_not_set": lambda: _("%(what)s is not given"),
    }
    return patterns[op]()


def _tenure_pattern(op: str) -> str:
    patterns: Mapping[str, Callable[[], str]] = {
        "eq": lambda: _("the person joined exactly %(value)s days before"),
        "ne": lambda: _("the person did not join exactly %(value)s days before"),
        "gt": lambda: _("the person joined more than %(value)s days before"),
        "gte": lambda: _("the person joined at least %(value)s days before"),
        "lt": lambda: _("the person joined less than %(value)s days before"),
        "lte": lambda: _("the person joined at most %(value)s days before"),
        "is_set": lambda: _("it is known when the person joined"),
        "is_not_set": lambda: _("it is not known when the person joined"),
    }
    return patterns[op]()


def _history_clause(condition: HistoryCondition, labels: Labels) -> str:
    """A question about what came before, as a clause that follows "only if"."""
    fields = {"events": _history_events(condition, labels)}
    if condition.history == FIRST:
        first = (condition.op == "eq") == (condition.value is True)
        return (_("there was no %(events)s") if first else _("there was %(events)s")) % fields
    if condition.history == COUNT:
        what = _("the count of %(events)s") % fields
    else:
        what = _("the number of days since the last %(events)s") % fields
    return _fact_pattern(condition.op, condition.value) % {"what": what, "value": shown(condition.value)}


def _history_events(condition: HistoryCondition, labels: Labels) -> str:
    """Which events before are meant."""
    told = either([quoted(labels.event(name)) for name in condition.of]) if condition.of else _("such event")
    if condition.same_object:
        told = _("%(events)s of the same object") % {"events": told}
    if condition.where:
        clauses = listed([condition_clause(one, labels) for one in condition.where])
        told = _("%(events)s where %(conditions)s") % {"events": told, "conditions": clauses}
    if condition.within_days == 1:
        return _("%(events)s on the same day before") % {"events": told}
    if condition.within_days is not None:
        return ngettext(
            "%(events)s within %(days)s day before", "%(events)s within %(days)s days before", condition.within_days
        ) % {"events": told, "days": number(condition.within_days)}
    return _("%(events)s before") % {"events": told}


def cap_sentence(cap: Cap, together_with: str = "", *, all_rules: bool = False) -> str:
    """One cap in words, with the role and the dates it is for, and the rules it is shared with."""
    fields = {
        "limit": number(cap.limit),
        "role": quoted(cap.role or ""),
        "rules": together_with,
        "from": day(cap.from_date) if cap.from_date else "",
        "last": day(cap.until_date - ONE_DAY) if cap.until_date else "",
    }
    if not (cap.role or together_with or all_rules):
        told = _at_most(cap) % fields
    else:
        fields["limit"] = _at_most(cap, clause=True) % fields
        told = _who_shares(cap, together_with, all_rules) % fields
    if cap.from_date and cap.until_date:
        dates = _("This limit holds from %(from)s to %(last)s.") % fields
    elif cap.from_date:
        dates = _("This limit holds from %(from)s.") % fields
    elif cap.until_date:
        dates = _("This limit holds to %(last)s.") % fields
    else:
        return told
    return joined_sentences([told, dates])


def _who_shares(cap: Cap, together_with: str, all_rules: bool) -> str:
    # Translators: %(limit)s is such as "at most 50 points a day".
    if all_rules:
        if cap.role:
            return _("Whoever is %(role)s, all rules together: %(limit)s.")
        return _("All rules together: %(limit)s.")
    if together_with:
        if cap.role:
            return _("Whoever is %(role)s, together with %(rules)s: %(limit)s.")
        return _("Together with %(rules)s: %(limit)s.")
    return _("Whoever is %(role)s: %(limit)s.")


def _at_most(cap: Cap, *, clause: bool = False) -> str:
    """How much in which period: a sentence, or a clause within one."""
    n = cap.limit
    if cap.times:
        if clause:
            return {
                "day": ngettext("at most %(limit)s time a day", "at most %(limit)s times a day", n),
                "week": ngettext("at most %(limit)s time a week", "at most %(limit)s times a week", n),
                "month": ngettext("at most %(limit)s time a month", "at most %(limit)s times a month", n),
                "ever": ngettext("at most %(limit)s time in all", "at most %(limit)s times in all", n),
            }[cap.every]
        return {
            "day": ngettext("At most %(limit)s time a day.", "At most %(limit)s times a day.", n),
            "week": ngettext("At most %(limit)s time a week.", "At most %(limit)s times a week.", n),
            "month": ngettext("At most %(limit)s time a month.", "At most %(limit)s times a month.", n),
            "ever": ngettext("At most %(limit)s time in all.", "At most %(limit)s times in all.", n),
        }[cap.every]
    if clause:
        return {
            "day": ngettext("at most %(limit)s point a day", "at most %(limit)s points a day", n),
            "week": ngettext("at most %(limit)s point a week", "at most %(limit)s points a week", n),
            "month": ngettext("at most %(limit)s point a month", "at most %(limit)s points a month", n),
            "ever": ngettext("at most %(limit)s point in all", "at most %(limit)s points in all", n),
        }[cap.every]
    return {
        "day": ngettext("At most %(limit)s point a day.", "At most %(limit)s points a day.", n),
        "week": ngettext("At most %(limit)s point a week.", "At most %(limit)s points a week.", n),
        "month": ngettext("At most %(limit)s point a month.", "At most %(limit)s points a month.", n),
        "ever": ngettext("At most %(limit)s point in all.", "At most %(limit)s points in all.", n),
    }[cap.every]


def validity_sentence(rule: RuleVersion) -> str:
    """From when to when the version is in force; the last day is named, not the first day after it."""
    if rule.until_date is None:
        return _("In force from %(from)s.") % {"from": day(rule.from_date)}
    return _("In force from %(from)s to %(last)s.") % {
        "from": day(rule.from_date),
        "last": day(rule.until_date - ONE_DAY),
    }


def refusal_sentence(refused: RulebookRefused, label: str = "") -> str:
    """Why a rulebook was refused, with the place of the key; or by the `label` of the input it is shown at."""
    fields = refused.fields | ({"key": label} if label else {})
    said = _(refused.pattern) % fields
    if label:
        return said
    return _("%(path)s: %(problem)s") % {"path": refused.path, "problem": said} if refused.path else said


def number(value: Number | int | str) -> str:
    """A number as the language writes it."""
    if isinstance(value, Decimal):
        value = plain(value)
    if isinstance(value, str):
        return value if "/" in value else number_format(Decimal(value), use_l10n=True)
    return number_format(value, use_l10n=True, force_grouping=True)


def day(value: date) -> str:
    """A date as the language writes it."""
    return date_format(value, "DATE_FORMAT")


def quoted(text: str) -> str:
    """A word of the catalogue or of a system, set apart."""
    return _("“%(text)s”") % {"text": text}


def shown(value: Value) -> str:
    """What a condition compares with, in words."""
    if isinstance(value, tuple):
        return either([_shown_one(one) for one in value])
    return "" if value is None else _shown_one(value)


def _shown_one(value: Scalar) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return quoted(value) if isinstance(value, str) else number(value)


def listed(words: Sequence[str]) -> str:
    """A, B, C."""
    # Translators: what stands between the parts of a list.
    between = _("%(first)s, %(second)s")
    text = words[0]
    for word in words[1:]:
        text = between % {"first": text, "second": word}
    return text


def either(words: Sequence[str]) -> str:
    """A, B or C."""
    if len(words) == 1:
        return words[0]
    # Translators: what stands between the names of a list, before the last.
    between = _("%(first)s, %(second)s")
    text = words[0]
    for word in words[1:-1]:
        text = between % {"first": text, "second": word}
    return _("%(first)s or %(last)s") % {"first": text, "last": words[-1]}


def _plural(value: Any) -> int:
    """The number that decides between singular and plural."""
    return int(value) if value == int(value) else 2
