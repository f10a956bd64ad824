"""Refusals and conditions of badges, challenges and prizes, in words of the language that is active."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext, gettext_lazy, ngettext

from uptake.programme.merits.models import Badge, BadgeKind, Challenge, ChallengeState
from uptake.programme.merits.refusals import Refusal, Unusable
from uptake.programme.sentences import Labels
from uptake.web import numbers

SAID: Final[Mapping[str, str | Promise]] = {
    "conflict": gettext_lazy("This form was sent before with other words. Nothing was changed."),
    "self_dealing": gettext_lazy("Who sets a prize, who verifies it and who receives it are different people."),
    "budget_exhausted": gettext_lazy("The budget has fewer points than that."),
    "reason_missing": gettext_lazy("Give a reason."),
    "not_open": gettext_lazy("It does not stand where this could be done. Nothing was changed."),
    "not_a_member": gettext_lazy("Only those who belong there can take part or receive it."),
}
WRONG: Final[Mapping[str, str | Promise]] = {
    "name_missing": gettext_lazy("Give it a name in at least one language"),
    "name_taken": gettext_lazy("There is another badge of this name"),
    "too_long": gettext_lazy("This is too long"),
    "choose": gettext_lazy("Choose what it is about"),
    "whole_number": gettext_lazy("This must be a whole number above 0"),
    "not_a_span": gettext_lazy("The end comes after the beginning, and at most 400 days later"),
    "is_over": gettext_lazy("The end lies in the past"),
    "pool_below_prize": gettext_lazy("The pool pays at least one prize; without prizes leave both empty"),
    "places": gettext_lazy("Name 1 to 20 prizes, such as 100, 60, 30"),
    "places_rise": gettext_lazy("A lower place gets no higher prize"),
    "prizes_there": gettext_lazy("This board has other prizes; stop those first"),
    "code": gettext_lazy("Small letters, digits and hyphens only"),
    "code_taken": gettext_lazy("There is another privilege of this code"),
}
STATES: Final[Mapping[str, str]] = {
    ChallengeState.DRAFT: "",
    ChallengeState.OPEN: "info",
    ChallengeState.ENDED: "warn",
    ChallengeState.VERIFIED: "info",
    ChallengeState.PAID: "good",
    ChallengeState.CANCELLED: "",
}
PERIODS: Final[Mapping[str, str | Promise]] = {
    "week": gettext_lazy("Week"),
    "month": gettext_lazy("Month"),
    "quarter": gettext_lazy("Quarter"),
    "year": gettext_lazy("Year"),
    "season": gettext_lazy("Season"),
}


def language() -> str:
    return get_language() or "en"


def in_words(refusal: Refusal) -> str:
    """What to tell whoever asked."""
    if isinstance(refusal, Unusable):
        return str(WRONG.get(refusal.why, refusal.why))
    return str(SAID.get(refusal.code, refusal.code))


def condition_of(badge: Badge, labels: Labels) -> str:
    """What a badge is given for, in a sentence."""
    n = badge.count
    fields = {"n": numbers.full(n), "event": labels.event(badge.event_name)}
    if badge.kind == BadgeKind.DEED:
        return ngettext("%(event)s for the first time.", "%(event)s %(n)s times.", n) % fields
    if badge.kind == BadgeKind.STREAK:
        return ngettext("%(event)s on %(n)s working day.", "%(event)s on %(n)s working days in a row.", n) % fields
    if badge.kind == BadgeKind.LEVEL:
        return gettext("The level %(level)s reached.") % {"level": badge.level}
    if badge.kind == BadgeKind.RANK:
        period = str(PERIODS.get(badge.period, badge.period))
        pattern = ngettext(
            "First on the ranking when it closes (%(period)s).",
            "Among the first %(n)s on the ranking when it closes (%(period)s).",
            n,
        )
        return pattern % {"n": numbers.full(n), "period": period}
    if badge.kind == BadgeKind.CHALLENGE:
        return ngettext("%(n)s challenge met.", "%(n)s challenges met.", n) % fields
    return gettext("Given by hand, with a reason.")


def goal_of(row: Challenge, labels: Labels, rules: Mapping[str, str]) -> str:
    """What is to be reached, in a sentence."""
    n = {"n": numbers.full(row.goal)}
    if row.rule:
        said = gettext("%(n)s points by the rule “%(rule)s”") % {**n, "rule": rules.get(row.rule, row.rule)}
    else:
        said = gettext("%(event)s, %(n)s times") % {**n, "event": labels.event(row.event_name)}
    if row.teams:
        return gettext("%(goal)s, as a department together") % {"goal": said}
    return said
