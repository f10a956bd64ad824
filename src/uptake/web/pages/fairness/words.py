"""What stands out, in plain sentences, and what to look at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from uptake.programme.fairness.shares import NOWHERE
from uptake.web import numbers

if TYPE_CHECKING:
    from uptake.statistics.fairness.triggers import Trigger


@dataclass(frozen=True)
class Finding:
    """A sentence, what to look at, and how grave: the word of its tag and the tag's tone."""

    text: str
    look: str
    word: str
    tone: str


def finding(trigger: Trigger, *, by_role: bool | None) -> Finding:
    """One trigger in words. by_role: of the grouping by role, by department, or (None) of everybody."""
    level = trigger.level.value
    word, tone = {
        "warn": (_("Look at this"), "warn"),
        "alert": (_("Lasting"), "bad"),
        "explained": (_("Explained by the work"), "info"),
    }[level]
    name = named(trigger.group, by_role=bool(by_role))
    if trigger.code == "OBSERVED_EXPECTED":
        return Finding(*_of_expected(name, trigger.number, level), word, tone)
    text, look = SAID[trigger.code](name, trigger.number, bool(by_role))
    return Finding(text, look, word, tone)


def named(group: str, *, by_role: bool) -> str:
    """The name of a group, or that there is none."""
    if group != NOWHERE:
        return group
    return _("Without a role") if by_role else _("Without a department")


def _of_expected(name: str, number: float, level: str) -> tuple[str, str]:
    written = numbers.full(number, 2)
    if level == "explained":
        return (
            _("%(group)s has %(times)s times everybody's points a head; the work they did explains it.")
            % {"group": name, "times": written},
            _("Whether this work comes to everybody who could do it."),
        )
    if number < 1:
        return (
            _("%(group)s earns %(times)s times what the same work earns others.") % {"group": name, "times": written},
            _("Caps, conditions and late data that hit this group; then who is given which work."),
        )
    return (
        _("%(group)s earns %(times)s times what the same work earns others.") % {"group": name, "times": written},
        _("Rules that only this group meets, and multipliers."),
    )


def _zeros(name: str, number: float, by_role: bool) -> tuple[str, str]:
    share = numbers.share(number, 0)
    look = _("Rules for the work that earns nothing yet, and people nobody has told.")
    if name in (named(NOWHERE, by_role=False), named(NOWHERE, by_role=True)):
        return _("%(share)s of the people have no points at all.") % {"share": share}, look
    return _("%(share)s of %(group)s have no points at all.") % {"share": share, "group": name}, look


def _top(name: str, number: float, by_role: bool) -> tuple[str, str]:
    return (
        _("The top tenth of the people hold %(share)s of the points.") % {"share": numbers.share(number, 0)},
        _("Daily caps, and rules that few people can meet."),
    )


def _differ(name: str, number: float, by_role: bool) -> tuple[str, str]:
    share = {"share": numbers.share(number, 0)}
    look = _("What each of them can earn an hour by the rules as they are.")
    if by_role:
        return _("Which role one has explains %(share)s of who stands where by points.") % share, look
    return _("Which department one is in explains %(share)s of who stands where by points.") % share, look


def _between(name: str, number: float, by_role: bool) -> tuple[str, str]:
    share = {"share": numbers.share(number, 0)}
    look = _("Which of them have rules for their daily work, and which have none.")
    if by_role:
        return _("Of the inequality of points %(share)s lies between roles, the rest within them.") % share, look
    return _("Of the inequality of points %(share)s lies between departments, the rest within them.") % share, look


def _reach(name: str, number: float, by_role: bool) -> tuple[str, str]:
    return (
        _("In %(group)s people reach points at %(share)s of the rate of the best group.")
        % {"group": name, "share": numbers.share(number, 0)},
        _("Whether a rule fits their work, and whether its events arrive."),
    )


def _redeemed(name: str, number: float, by_role: bool) -> tuple[str, str]:
    return (
        _("In %(group)s people redeem points at %(share)s of the rate of the best group.")
        % {"group": name, "share": numbers.share(number, 0)},
        _("Prices against what they can earn, and whether the rewards are of use on their shift."),
    )


def _winners(name: str, number: float, by_role: bool) -> tuple[str, str]:
    return (
        _("The same people are in front as in the period before (rank correlation %(rho)s).")
        % {"rho": numbers.full(number, 2)},
        _("Seasons, challenges of another kind, and boards that compare with oneself."),
    )


SAID: dict[str, Callable[[str, float, bool], tuple[str, str]]] = {
    "ZEROS": _zeros,
    "TOP_TENTH": _top,
    "GROUPS_DIFFER": _differ,
    "BETWEEN_GROUPS": _between,
    "REACH": _reach,
    "REDEEMED": _redeemed,
    "SAME_WINNERS": _winners,
}
