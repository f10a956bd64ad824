"""Writes a rulebook as the plain object and the canonical text of its file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

from uptake.basics.canonical import canonical_json, fingerprint
from uptake.programme.conditions.compare import PRESENCE
from uptake.programme.conditions.history import HistoryCondition
from uptake.programme.conditions.list import Condition
from uptake.programme.rulebook import (
    Cap,
    Expiry,
    Group,
    Level,
    Multiplier,
    PointsBySteps,
    PointsPer,
    Reversal,
    Rulebook,
    RuleVersion,
)


def to_file(rulebook: Rulebook) -> dict[str, Any]:
    """The rulebook as the plain object of its file, every key spelled out that is not its default."""
    programme = rulebook.programme
    return {
        "programme": {
            "timezone": programme.timezone,
            "day_start": programme.day_start.strftime("%H:%M"),
            "week_start": programme.week_start,
            "lateness_days": programme.lateness_days,
            "rest_days": list(programme.rest_days),
            "holidays": [day.isoformat() for day in programme.holidays],
            "work_days": [day.isoformat() for day in programme.work_days],
            "expires": _expiry_to_file(programme.expires),
            **_others(_PROGRAMME, programme),
            **({"stacking": {"at_most": programme.stacking.at_most}} if programme.stacking else {}),
        },
        "rules": [_rule_to_file(rule) for rule in rulebook.rules],
        **{key: [write(one) for one in found] for key, write in _LISTS.items() if (found := getattr(rulebook, key))},
    }


def to_text(rulebook: Rulebook) -> str:
    """The canonical text of the file: JSON, sorted keys, no spaces, exact numbers. Equal rulebooks, equal texts."""
    return canonical_json(to_file(rulebook)).decode()


def hash_of(rulebook: Rulebook) -> str:
    """SHA-256 of the canonical text, as 64 hexadecimal digits."""
    return fingerprint(to_file(rulebook))


def _rule_to_file(rule: RuleVersion) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "rule": rule.rule,
        "version": rule.version,
        "from": rule.from_date.isoformat(),
        "on": rule.on[0] if len(rule.on) == 1 else list(rule.on),
        "points": rule.points if isinstance(rule.points, int) else _points_to_file(rule.points),
        **_others(("cooldown_seconds", "available_after_days"), rule),
    }
    if rule.until_date is not None:
        plain["until"] = rule.until_date.isoformat()
    if rule.when:
        plain["when"] = [condition_to_file(condition) for condition in rule.when]
    if rule.cap:
        plain["cap"] = [cap_to_file(cap) for cap in rule.cap]
    if rule.expires is not None:
        plain["expires"] = _expiry_to_file(rule.expires)
    if rule.streak is not None:
        streak = rule.streak
        plain["streak"] = {
            "every": streak.every,
            "length": streak.length,
            **_others(("working_days", "freezes_per_month"), streak),
        }
    if rule.title:
        plain["title"] = rule.title
    return plain


def _others(names: Sequence[str], value: Any) -> dict[str, Any]:
    """These of its keys that are not as they are by themselves."""
    defaults = {one.name: one.default for one in fields(value)}
    found = {name: getattr(value, name) for name in names if getattr(value, name) != defaults[name]}
    return {name: [day.isoformat() for day in one] if isinstance(one, tuple) else one for name, one in found.items()}


def _expiry_to_file(expiry: Expiry) -> str | dict[str, Any]:
    if expiry.end_of is not None:
        return {"end_of": expiry.end_of}
    if expiry.inactive_days is not None:
        return {"inactive_days": expiry.inactive_days}
    return "never" if expiry.days is None else {"days": expiry.days}


def _points_to_file(points: PointsPer | PointsBySteps) -> dict[str, Any]:
    plain: dict[str, Any] = {"per": points.per}
    if isinstance(points, PointsBySteps):
        plain["steps"] = [{"at_least": at_least, "points": given} for at_least, given in points.steps]
    else:
        plain |= {"each": points.each, "points": points.points}
        if points.whole_units:
            plain["whole_units"] = True
    if points.min is not None:
        plain["min"] = points.min
    if points.max is not None:
        plain["max"] = points.max
    return plain


def cap_to_file(cap: Cap) -> dict[str, Any]:
    """One cap as in the file."""
    plain: dict[str, Any] = {"times" if cap.times else "points": cap.limit, "every": cap.every}
    if cap.role is not None:
        plain["role"] = cap.role
    if cap.from_date is not None:
        plain["from"] = cap.from_date.isoformat()
    if cap.until_date is not None:
        plain["until"] = cap.until_date.isoformat()
    return plain


def condition_to_file(condition: Condition) -> dict[str, Any]:
    """One condition as in the file."""
    plain: dict[str, Any] = {condition.key: getattr(condition, condition.key), "op": condition.op}
    if condition.op not in PRESENCE:
        plain["value"] = list(condition.value) if isinstance(condition.value, tuple) else condition.value
    if isinstance(condition, HistoryCondition):
        if condition.of:
            plain["of"] = list(condition.of)
        if condition.within_days is not None:
            plain["within_days"] = condition.within_days
        if condition.same_object:
            plain["same"] = "object"
        if condition.where:
            plain["where"] = [condition_to_file(one) for one in condition.where]
    return plain


def _group_to_file(group: Group) -> dict[str, Any]:
    return {"group": group.group, "rules": list(group.rules), "cap": [cap_to_file(cap) for cap in group.cap]}


def _multiplier_to_file(multiplier: Multiplier) -> dict[str, Any]:
    plain: dict[str, Any] = {"multiplier": multiplier.multiplier, "factor": multiplier.factor}
    if multiplier.from_date is not None:
        plain["from"] = multiplier.from_date.isoformat()
    if multiplier.until_date is not None:
        plain["until"] = multiplier.until_date.isoformat()
    if multiplier.on:
        plain["on"] = list(multiplier.on)
    if multiplier.when:
        plain["when"] = [condition_to_file(condition) for condition in multiplier.when]
    return plain


def _reversal_to_file(reversal: Reversal) -> dict[str, Any]:
    plain: dict[str, Any] = {"event": reversal.event, "undoes": list(reversal.undoes), "same": reversal.same}
    if reversal.fraction is not None:
        plain["fraction"] = reversal.fraction
    return plain


def _level_to_file(level: Level) -> dict[str, Any]:
    return {"name": level.name, "at": level.at}


_PROGRAMME = ("fiscal_year_start", "redemption_timeout_days", "season_ends", "levels_from")
_LISTS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "groups": _group_to_file,
    "person_cap": cap_to_file,
    "multipliers": _multiplier_to_file,
    "reversals": _reversal_to_file,
    "levels": _level_to_file,
}
