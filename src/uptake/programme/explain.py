"""Why an event earned what it did, or nothing: in sentences of the language that is active, rule by rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from uptake.events.models import Correction, CorrectionKind, Event, QuarantineReason
from uptake.programme.conditions.compare import ORDER, Value
from uptake.programme.conditions.fact import FactCondition
from uptake.programme.conditions.history import HistoryCondition
from uptake.programme.conditions.person import PersonCondition
from uptake.programme.evaluate import (
    CAPS,
    CONDITION,
    COOLDOWN,
    HISTORY_ONLY,
    LATE,
    NO_NUMBER,
    NOT_POSITIVE,
    PARTIAL_REVERSAL,
    REVERSED,
    STREAK,
    ZERO,
    DayRules,
)
from uptake.programme.gather import Gathered, gather
from uptake.programme.in_force import RulebooksInForce
from uptake.programme.models import Award
from uptake.programme.sentences import Labels, condition_clause, day, joined_sentences, number, quoted, shown, span


@dataclass(frozen=True, slots=True)
class Line:
    """One rule's answer for one event."""

    award: int | None
    """Id of the award; None while the event was not yet considered."""
    rule: str
    version: int
    title: str
    """The rule's title, else its name."""
    points: int
    codes: tuple[str, ...]
    sentence: str
    next_date: date | None = None
    """From when there is room again, where a limit cut the points."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer for one event: a sentence on the event itself (empty: all is as usual) and a line for each rule."""

    event: int
    code: str
    """awarded, nothing, no_rule, no_rulebook, not_considered, quarantined, declined, nobody, unresolved, machine,
    unplaced, withdrawn, superseded or own."""
    sentence: str
    points: int
    lines: tuple[Line, ...]


def explain_event(event: Event | int, labels: Labels) -> Explanation:
    """Why (not), for one event. The caller has made sure that the reader may see it."""
    pk = event if isinstance(event, int) else event.pk
    return explain_events([pk], labels)[pk]


def explain_events(event_ids: Sequence[int], labels: Labels) -> dict[int, Explanation]:
    """The same for many, in a few queries whatever their number."""
    gathered = gather(event_ids)
    awards: dict[int, list[Award]] = {}
    for award in Award.objects.filter(event_id__in=list(event_ids)):
        awards.setdefault(award.event_id, []).append(award)
    books = RulebooksInForce(one.company for one in gathered.values() if one.company is not None)
    declined = set(
        Correction.objects.filter(kind=CorrectionKind.DECLINED, event_id__in=list(event_ids)).values_list(
            "event_id", flat=True
        )
    )
    return {
        one.id: _explain(one, awards.get(one.id, []), books, one.id in declined, labels) for one in gathered.values()
    }


def _explain(
    event: Gathered, awards: Sequence[Award], books: RulebooksInForce, declined: bool, labels: Labels
) -> Explanation:
    found = books.on(event.company, event.date) if event.company is not None else None
    rules = found[1].at(event.happened_at) if found else None
    ranks = {rule.rule: rank for rank, rule in enumerate(rules.rules)} if rules else {}
    titles = {rule.rule: rule.title for rule in rules.rules} if rules else {}
    lines = tuple(
        _line(award, titles.get(award.rule, ""), labels)
        for award in sorted(awards, key=lambda award: (ranks.get(award.rule, len(ranks)), award.rule))
    )
    points = sum(line.points for line in lines)
    code = _code(event, rules, declined, lines)
    return Explanation(event.id, code, _event_sentence(code, event, labels), points, lines)


def _code(event: Gathered, rules: DayRules | None, declined: bool, lines: Sequence[Line]) -> str:
    """What there is to say of the event itself, the weightiest first."""
    answers: tuple[tuple[bool, str], ...] = (
        (event.own, "own"),
        (event.withheld and declined, "declined"),
        (event.withheld, "quarantined"),
        (event.withdrawn, "withdrawn"),
        (event.superseded, "superseded"),
        (event.identity is None, "nobody"),
        (event.person is None, "unresolved"),
        (not event.human, "machine"),
        (event.company is None, "unplaced"),
        (rules is None, "no_rulebook"),
        (rules is not None and event.name not in rules.by_name, "no_rule"),
        (not lines, "not_considered"),
        (any(line.points for line in lines), "awarded"),
    )
    return next((code for holds, code in answers if holds), "nothing")


def _event_sentence(code: str, event: Gathered, labels: Labels) -> str:
    fields = {"event": quoted(labels.event(event.name)), "date": day(event.date)}
    if code == "quarantined":
        return {
            QuarantineReason.LATE.value: _("It came too late and waits for a decision."),
            QuarantineReason.FUTURE.value: _("It lies in the future and waits for a decision."),
        }.get(event.quarantine or "", _("It does not fit the catalogue and waits for a decision."))
    sentences: Mapping[str, Callable[[], str]] = {
        "own": lambda: _("The programme's own records earn no points."),
        "declined": lambda: _("It was declined, so it does not count."),
        "withdrawn": lambda: _("The import it came with was undone, so it does not count."),
        "superseded": lambda: _("A later revision has taken its place."),
        "nobody": lambda: _("No person did this."),
        "unresolved": lambda: _("It is not known yet who did this. Once it is, the points are added."),
        "machine": lambda: _("A machine did this; only people earn points."),
        "unplaced": lambda: _("It belongs to no company yet. Once it does, the points are added."),
        "no_rulebook": lambda: _("No rulebook was in force on %(date)s.") % fields,
        "no_rule": lambda: _("No rule names %(event)s.") % fields,
        "not_considered": lambda: _("It has just come in and is being considered."),
    }
    return sentences[code]() if code in sentences else ""


def _line(award: Award, title: str, labels: Labels) -> Line:
    following = award.explanation.get("next")
    return Line(
        award=award.pk,
        rule=award.rule,
        version=award.version,
        title=title or award.rule,
        points=award.points,
        codes=tuple(award.reasons),
        sentence=award_sentence(award.points, award.reasons, award.explanation, labels),
        next_date=date.fromisoformat(following) if following else None,
    )


def award_sentence(points: int, codes: Sequence[str], explanation: Mapping[str, Any], labels: Labels) -> str:
    """Why one rule gave these points: from the reasons and the explanation that an award or an entry carries."""
    told: list[str] = []
    if REVERSED in codes:
        return _("The event does not count any more, so its points were taken back.")
    if HISTORY_ONLY in codes:
        return _("It was brought in as history only, which earns no points.")
    if CONDITION in codes:
        return _condition_sentence(explanation.get("condition", {}), labels)
    if NO_NUMBER in codes:
        fact = quoted(labels.fact(str(explanation.get("fact", ""))))
        return _("The rule counts %(fact)s, but the event gives no number for it.") % {"fact": fact}
    if STREAK in codes:
        return _streak_sentence(explanation.get("streak", {}))
    told += _factor_sentences(explanation, labels)
    closed = explanation.get("closed")
    if closed and PARTIAL_REVERSAL in codes:
        before = ngettext(
            "When its time closed, it stood at %(points)s point.",
            "When its time closed, it stood at %(points)s points.",
            closed["points"],
        )
        told.append(before % {"points": number(closed["points"])})
        fields = {"part": _percent(explanation.get("part", 0)), "points": number(points)}
        told.append(
            ngettext(
                "Since then %(part)s of the event was undone; %(points)s point is left.",
                "Since then %(part)s of the event was undone; %(points)s points are left.",
                points,
            )
            % fields
        )
    if NOT_POSITIVE in codes:
        told.append(_("Only a number above 0 earns points."))
    elif ZERO in codes:
        told.append(_("That comes to 0 points."))
    if COOLDOWN in codes:
        told.append(
            _("Less than %(time)s lie between it and another that was paid.")
            % {"time": span(explanation["cooldown_seconds"])}
        )
    for cap in explanation.get("caps", ()):
        if cap.get("clipped"):
            told.append(_cap_sentence(cap))
    if LATE in codes:
        told.append(_("It came after its day had closed, so it gets only what was left of the limits."))
    if any(code in CAPS for code in codes):
        counted = ngettext("So %(points)s point counts.", "So %(points)s points count.", points)
        told.append(counted % {"points": number(points)})
        if explanation.get("next"):
            told.append(
                _("There is room again from %(date)s.") % {"date": day(date.fromisoformat(explanation["next"]))}
            )
    return joined_sentences(told)


def _factor_sentences(explanation: Mapping[str, Any], labels: Labels) -> list[str]:
    told = []
    for factor in explanation.get("factors", ()):
        what = factor["what"]
        points = factor.get("points", 0)
        if what == "fixed":
            pattern = ngettext(
                "The rule gives %(points)s point each time.", "The rule gives %(points)s points each time.", points
            )
            told.append(pattern % {"points": number(points)})
        elif what == "per":
            fields = {name: number(factor[name]) for name in ("value", "each", "points")}
            fields["fact"] = quoted(labels.fact(factor["fact"]))
            pattern = ngettext(
                "%(fact)s is %(value)s, and every %(each)s of it makes %(points)s point.",
                "%(fact)s is %(value)s, and every %(each)s of it makes %(points)s points.",
                factor["points"],
            )
            told.append(pattern % fields)
        elif what == "step":
            fields = {"value": number(factor["value"]), "fact": quoted(labels.fact(factor["fact"]))}
            if "at_least" in factor:
                fields |= {"at_least": number(factor["at_least"]), "points": number(points)}
                pattern = ngettext(
                    "%(fact)s is %(value)s, and from %(at_least)s on it makes %(points)s point.",
                    "%(fact)s is %(value)s, and from %(at_least)s on it makes %(points)s points.",
                    points,
                )
                told.append(pattern % fields)
            else:
                told.append(_("%(fact)s is %(value)s, which is below the first step.") % fields)
        elif what == "multiplier":
            fields = {"name": quoted(factor["name"]), "factor": number(factor["factor"]), "points": number(points)}
            told.append(_("%(name)s makes it %(factor)s times as much: %(points)s.") % fields)
        elif what == "ceiling":
            fields = {"factor": number(factor["factor"]), "points": number(points)}
            told.append(_("All multipliers together make at most %(factor)s times as much: %(points)s.") % fields)
        elif what == "part_reversed":
            left = factor["left"]
            pattern = ngettext(
                "%(part)s of it was undone, which leaves %(points)s point.",
                "%(part)s of it was undone, which leaves %(points)s points.",
                left,
            )
            told.append(pattern % {"part": _percent(factor["part"]), "points": number(left)})
        elif what == "whole_units":
            told.append(_("Only whole steps count: %(units)s.") % {"units": number(factor["units"])})
        elif what == "min":
            told.append(_("The rule gives at least %(points)s points.") % {"points": number(points)})
        elif what == "max":
            told.append(_("The rule gives at most %(points)s points.") % {"points": number(points)})
    return told


def _streak_sentence(told: Mapping[str, Any]) -> str:
    """Why a streak did not pay here."""
    length = told.get("length", 1)
    if told.get("every") == "week":
        pattern = ngettext(
            "It keeps the streak, but pays only once a week.",
            "It keeps the streak, which pays at every %(length)sth week in a row.",
            length,
        )
    else:
        pattern = ngettext(
            "It keeps the streak, but pays only once a day.",
            "It keeps the streak, which pays at every %(length)sth day in a row.",
            length,
        )
    return pattern % {"length": number(length)}


def _percent(part: Any) -> str:
    """A part of 1, as a per cent with at most one decimal."""
    exact = Fraction(part) * 100
    rounded = Decimal(exact.numerator * 10 // exact.denominator) / 10
    return f"{number(int(rounded) if rounded == int(rounded) else rounded)} %"


def _cap_sentence(told: Mapping[str, Any]) -> str:
    """How much of a limit was used, and whose limit it is."""
    cap = told["cap"]
    limit = cap.get("times", cap.get("points", 0))
    used = _used(cap["every"], "times" in cap, limit) % {"used": number(told["used"]), "limit": number(limit)}
    whose = told.get("whose")
    if whose == "*":
        return _("All rules together: %(used)s") % {"used": used}
    if whose:
        return _("%(group)s together: %(used)s") % {"group": quoted(whose), "used": used}
    return used


def _used(every: str, times: bool, n: int) -> str:
    if times:
        return {
            "day": ngettext(
                "Of %(limit)s time a day, %(used)s was used.", "Of %(limit)s times a day, %(used)s were used.", n
            ),
            "week": ngettext(
                "Of %(limit)s time a week, %(used)s was used.", "Of %(limit)s times a week, %(used)s were used.", n
            ),
            "month": ngettext(
                "Of %(limit)s time a month, %(used)s was used.", "Of %(limit)s times a month, %(used)s were used.", n
            ),
            "ever": ngettext(
                "Of %(limit)s time in all, %(used)s was used.", "Of %(limit)s times in all, %(used)s were used.", n
            ),
        }[every]
    return {
        "day": ngettext(
            "Of %(limit)s point a day, %(used)s was used.", "Of %(limit)s points a day, %(used)s were used.", n
        ),
        "week": ngettext(
            "Of %(limit)s point a week, %(used)s was used.", "Of %(limit)s points a week, %(used)s were used.", n
        ),
        "month": ngettext(
            "Of %(limit)s point a month, %(used)s was used.", "Of %(limit)s points a month, %(used)s were used.", n
        ),
        "ever": ngettext(
            "Of %(limit)s point in all, %(used)s was used.", "Of %(limit)s points in all, %(used)s were used.", n
        ),
    }[every]


def _condition_sentence(told: Mapping[str, Any], labels: Labels) -> str:
    """What was asked and what the event has."""
    if not told:
        return _("A condition of the rule does not hold.")
    given, actual = told.get("value"), told.get("actual")
    if told["op"] in ORDER:  # exact decimals were written down as texts
        given, actual = _as_number(given), _as_number(actual)
    value: Value = tuple(given) if isinstance(given, list) else given
    if "history" in told:
        asked = HistoryCondition(
            told["history"],
            told["op"],
            value,
            tuple(told.get("of", ())),
            told.get("within_days"),
            "same" in told,
            tuple(FactCondition(one["fact"], one["op"], one.get("value")) for one in told.get("where", ())),
        )
        return _("The rule pays only if %(condition)s; here it is not so.") % {
            "condition": condition_clause(asked, labels)
        }
    if "person" in told:
        clause = condition_clause(PersonCondition(told["person"], told["op"], value), labels)
    else:
        clause = condition_clause(FactCondition(told["fact"], told["op"], value), labels)
    if "actual" not in told:
        return _("The rule pays only if %(condition)s; here it is not known.") % {"condition": clause}
    return _("The rule pays only if %(condition)s; here it is %(actual)s.") % {
        "condition": clause,
        "actual": shown(actual),
    }


def _as_number(value: Any) -> Any:
    try:
        return Decimal(value) if isinstance(value, str) else value
    except InvalidOperation:
        return value
