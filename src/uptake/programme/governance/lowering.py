"""Whether a rulebook only lowers another, and how a rule is lowered or switched off. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from uptake.programme.rulebook import Cap, PointsBySteps, PointsPer, Rulebook, RuleVersion

OTHER_PARTS = ("programme", "groups", "person_cap", "multipliers", "reversals", "levels")


class NotLower(Exception):
    """The rulebook does more than lower: `what` names a rule, or a part of the file; empty: it changes nothing."""

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(what)


class UnknownRule(Exception):
    """No such rule is in force."""


def check_only_lowers(old: Rulebook, new: Rulebook, day: date) -> list[str]:
    """The rules that `new` lowers or switches off from `day` on; NotLower if it does anything else, or nothing."""
    for part in OTHER_PARTS:
        if getattr(old, part) != getattr(new, part):
            raise NotLower(part)
    lowered: list[str] = []
    for at in _turns(old, new, day):
        before = {rule.rule: rule for rule in old.in_force(at)}
        after = {rule.rule: rule for rule in new.in_force(at)}
        for lineage, rule in after.items():
            if lineage not in before or not _not_above(rule, before[lineage]):
                raise NotLower(lineage)
        changed = [lineage for lineage, rule in before.items() if _pays(after.get(lineage)) != _pays(rule)]
        lowered += [lineage for lineage in changed if lineage not in lowered]
    if not lowered:
        raise NotLower("")
    return lowered


def lowered(
    rulebook: Rulebook, lineage: str, day: date, *, points: int | None = None, per_day: int | None = None
) -> Rulebook:
    """The rulebook in which from `day` on the rule gives at most `points` each time and `per_day` a day.

    Without either it is switched off, its coming versions too. Raises UnknownRule, NotLower.
    """
    current = next((rule for rule in rulebook.in_force(day) if rule.rule == lineage), None)
    if current is None:
        raise UnknownRule(lineage)
    if points is None and per_day is None:
        new = _switched_off(rulebook, lineage, day)
    else:
        version = max(rule.version for rule in rulebook.rules if rule.rule == lineage) + 1
        given = current.points if points is None else _at_most(current.points, points)
        cap = current.cap if per_day is None else _capped(current.cap, per_day)
        made = replace(current, version=version, from_date=day, points=given, cap=cap)
        new = replace(rulebook, rules=(*rulebook.rules, made))
    check_only_lowers(rulebook, new, day)
    return new


def _switched_off(rulebook: Rulebook, lineage: str, day: date) -> Rulebook:
    rules: list[RuleVersion] = []
    for rule in rulebook.rules:
        if rule.rule != lineage:
            rules.append(rule)
        elif rule.from_date < day:
            rules.append(replace(rule, until_date=min(rule.until_date or day, day)))
    if not any(rule.rule == lineage for rule in rules):
        # It began today: its name stays, as groups may mention it, and it gives nothing.
        began = next(rule for rule in rulebook.rules if rule.rule == lineage and rule.from_date <= day)
        rules.append(replace(began, points=0))
    return replace(rulebook, rules=tuple(rules))


def _turns(old: Rulebook, new: Rulebook, day: date) -> list[date]:
    """The dates from `day` on at which anything may change."""
    dates = {day}
    for rule in (*old.rules, *new.rules):
        ends = [one for cap in rule.cap for one in (cap.from_date, cap.until_date)]
        dates |= {one for one in (rule.from_date, rule.until_date, *ends) if one is not None and one > day}
    return sorted(dates)


def _pays(rule: RuleVersion | None) -> RuleVersion | None:
    """What of a wording decides what it gives."""
    if rule is None or rule.points == 0:
        return None
    return replace(rule, version=0, from_date=date.min, until_date=None, title="")


def _not_above(new: RuleVersion, old: RuleVersion) -> bool:
    same = (new.streak, new.expires, new.available_after_days) == (old.streak, old.expires, old.available_after_days)
    return (
        same
        and set(new.on) <= set(old.on)
        and all(condition in new.when for condition in old.when)
        and new.cooldown_seconds >= old.cooldown_seconds
        and _points_not_above(new.points, old.points)
        and _caps_not_above(new.cap, old.cap)
    )


def _points_not_above(new: int | PointsPer | PointsBySteps, old: int | PointsPer | PointsBySteps) -> bool:
    if new == old or new == 0:
        return True
    if isinstance(new, int) or isinstance(old, int):
        return isinstance(new, int) and isinstance(old, int) and new <= old
    if isinstance(new, PointsPer) and isinstance(old, PointsPer):
        same = (new.per, new.whole_units) == (old.per, old.whole_units)
        less = new.points <= old.points and new.each >= old.each and (not new.whole_units or new.each == old.each)
        return same and less and _bounds_not_above(new, old)
    if isinstance(new, PointsBySteps) and isinstance(old, PointsBySteps):
        return (new.per, new.steps) == (old.per, old.steps) and _bounds_not_above(new, old)
    return False


def _bounds_not_above(new: PointsPer | PointsBySteps, old: PointsPer | PointsBySteps) -> bool:
    if new.min is not None and (old.min is None or new.min > old.min):
        return False
    return old.max is None or (new.max is not None and new.max <= old.max)


def _caps_not_above(new: Sequence[Cap], old: Sequence[Cap]) -> bool:
    """Every old cap must be there still, as low or lower; further ones only take."""
    return all(any(replace(cap, limit=was.limit) == was and cap.limit <= was.limit for cap in new) for was in old)


def _at_most(points: int | PointsPer | PointsBySteps, most: int) -> int | PointsPer | PointsBySteps:
    if isinstance(points, int):
        return most
    least = points.min if points.min is None or points.min <= most else most
    return replace(points, max=most, min=least)


def _capped(caps: tuple[Cap, ...], limit: int) -> tuple[Cap, ...]:
    plain = Cap(limit)
    kept = tuple(cap for cap in caps if replace(cap, limit=limit) != plain)
    mine = [cap for cap in caps if replace(cap, limit=limit) == plain]
    if any(cap.limit < limit for cap in mine):
        return caps  # it is lower already; what asks for this lowers nothing
    return (*kept, plain)
