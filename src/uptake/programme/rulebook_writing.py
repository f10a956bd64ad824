"""Writes a rulebook as the plain object and the canonical text of its file."""

from __future__ import annotations

from typing import Any

from uptake.basics.canonical import canonical_json, fingerprint
from uptake.programme.conditions.compare import PRESENCE
from uptake.programme.conditions.list import Condition
from uptake.programme.conditions.person import PersonCondition
from uptake.programme.rulebook import Cap, PointsPer, Rulebook, RuleVersion


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
            "expires": programme.expires,
        },
        "rules": [_rule_to_file(rule) for rule in rulebook.rules],
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
    }
    if rule.until_date is not None:
        plain["until"] = rule.until_date.isoformat()
    if rule.when:
        plain["when"] = [_condition_to_file(condition) for condition in rule.when]
    if rule.cap:
        plain["cap"] = [cap_to_file(cap) for cap in rule.cap]
    if rule.title:
        plain["title"] = rule.title
    return plain


def _points_to_file(points: PointsPer) -> dict[str, Any]:
    plain: dict[str, Any] = {"per": points.per, "each": points.each, "points": points.points}
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


def _condition_to_file(condition: Condition) -> dict[str, Any]:
    asked = condition.person if isinstance(condition, PersonCondition) else condition.fact
    plain: dict[str, Any] = {condition.key: asked, "op": condition.op}
    if condition.op not in PRESENCE:
        plain["value"] = list(condition.value) if isinstance(condition.value, tuple) else condition.value
    return plain
