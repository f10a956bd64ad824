"""What a result may say, as patterns with named fields: the pages translate the pattern and put the numbers in.

A change of a rate is told in percentage points; where its relative change is told too it says of what it is a share.
Verbs follow the grade: A and B "raised", B- "probably raised", C "rose more than its trend", D none; warnings that ask
for care take one step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from uptake.statistics.plan import Kind
from uptake.statistics.result import Check, Design, Grade, Light, Result, Verdict


def gettext_noop(message: str) -> str:
    """Marks a pattern for the translators; it is translated where it is shown."""
    return message


@dataclass(frozen=True, slots=True)
class Sentence:
    """`pattern` is an English msgid with {named} fields; `fields` are numbers already written, or words of the data."""

    pattern: str
    fields: Mapping[str, str | int] = field(default_factory=dict)

    def said(self, translate: Callable[[str], str] = str) -> str:
        return translate(self.pattern).format(**self.fields)


STRENGTHS = (Grade.A, Grade.B, Grade.B_MINUS, Grade.C, Grade.D)

RAISED = {
    Grade.B: (gettext_noop("It raised “{metric}”."), gettext_noop("It lowered “{metric}”.")),
    Grade.B_MINUS: (gettext_noop("It probably raised “{metric}”."), gettext_noop("It probably lowered “{metric}”.")),
    Grade.C: (
        gettext_noop("“{metric}” rose more than its trend; the cause is not established."),
        gettext_noop("“{metric}” fell more than its trend; the cause is not established."),
    ),
    Grade.D: (gettext_noop("“{metric}” is described only; nothing is said of causes."),) * 2,
}

REASONS = {
    "NO_CONTROL": gettext_noop("Nobody was still waiting after the start, so there is nothing to compare with."),
    "TOO_FEW_UNITS": gettext_noop("Too few departments began or waited."),
    "ONE_TREATED": gettext_noop("Only one department began, and too few others waited to tell it from chance."),
    "TOO_SHORT": gettext_noop("There are fewer than 28 days before or after the start."),
    "PRETREND": gettext_noop("Departments that began were already moving differently before the start."),
    "PRETREND_SIZE": gettext_noop("It is not shown that trends before the start were alike enough."),
    "PLACEBO_TIME": gettext_noop("The same method finds an effect 28 days before anything began."),
    "PLACEBO_UNIT": gettext_noop("Dealing out the starts anew gives as much in too many cases."),
    "HONEST": gettext_noop("A small difference of trends after the start would undo the answer."),
    "SELECTED_ON_OUTCOME": gettext_noop(
        "Departments were chosen for how they had just done; what fell comes back by itself."
    ),
    "COINCIDENT_EVENT": gettext_noop("Something else happened within 14 days of the start."),
    "METRIC_BREAK": gettext_noop("The metric itself jumped, also where nothing began."),
    "SPILLOVER": gettext_noop("Waiting departments moved too where others of their company had begun."),
    "ATTRITION": gettext_noop("People left one group more than the other."),
    "SRM": gettext_noop("The groups have other sizes than were drawn."),
    "PEEKING": gettext_noop("This is an interim reading before the registered end; it has no verdict."),
    "NOVELTY_DECAY": gettext_noop("The effect wears off; what counts is the last 28 days."),
    "LEAVE_ONE_OUT": gettext_noop("The answer hangs on a single department."),
    "HETEROGENEITY": gettext_noop("The effect differs between groups of people."),
    "DENOMINATOR": gettext_noop("The number of people does not come from the directory."),
    "SURVEY_RESPONSE": gettext_noop("Fewer than half answered, or other people than before."),
    "MULTIPLE": gettext_noop("Several metrics were asked at once; for their number this change may be chance."),
    "UNDERPOWERED": gettext_noop("The data cannot tell an effect of this size from none."),
}

REMEDIES = {
    "NO_CONTROL": gettext_noop("Let some departments wait next time."),
    "TOO_FEW_UNITS": gettext_noop("Let at least four departments begin and four wait."),
    "ONE_TREATED": gettext_noop("Let more departments begin, or compare with at least 19 others."),
    "TOO_SHORT": gettext_noop("Wait until 28 days before and after the start are known."),
    "DENOMINATOR": gettext_noop("Take the headcount from the directory."),
    "UNDERPOWERED": gettext_noop("Wait longer, or let more take part."),
    "SELECTED_ON_OUTCOME": gettext_noop("Draw by lot who begins first."),
    "COINCIDENT_EVENT": gettext_noop("Start at least two weeks apart from other changes."),
}

ASSUMPTIONS = {
    "drawn_by_lot": gettext_noop("Who began was drawn by lot."),
    "no_spillover": gettext_noop("Nobody changed because a colleague had begun."),
    "department_level": gettext_noop("Departments are compared, not their people one by one."),
    "parallel_trends": gettext_noop("Without it, departments that began and those that waited would have moved alike."),
    "exchangeable": gettext_noop("Any of the departments could have been the one to begin."),
    "mix_follows": gettext_noop("A weighted mix of the others follows the department that began."),
    "actions_share_trend": gettext_noop("The paid and the unpaid action would have moved alike."),
    "nothing_else_changed": gettext_noop("Nothing else changed at that time."),
    "trend_continues": gettext_noop("The trend before the start would have gone on."),
}

TREATED = {
    Kind.RATE: gettext_noop("“{metric}” was {seen} % where it had begun; without it we estimate {counterfactual} %."),
    Kind.MEAN: gettext_noop("“{metric}” was {seen} where it had begun; without it we estimate {counterfactual}."),
}
DIFFERENCE = {
    Kind.RATE: gettext_noop("Difference: {difference} percentage points (95 % interval {low} to {high})."),
    Kind.MEAN: gettext_noop("Difference: {difference} (95 % interval {low} to {high})."),
}
RELATIVE = gettext_noop("Relative to what would have been: {relative} % (95 % interval {low} to {high}).")
BASIS = gettext_noop("Grade {grade}: {treated} of {units} departments began, at {starts} different dates.")
BASIS_AT_ONCE = gettext_noop("Grade {grade}: {treated} of {units} departments began, all on one date.")
BASIS_PEOPLE = gettext_noop("Grade {grade}: {treated} of {units} people were drawn by lot to begin, all on one date.")
NAIVE = {
    Kind.RATE: gettext_noop(
        "The plain before/after figure is {naive} percentage points; it holds whatever else moved."
    ),
    Kind.MEAN: gettext_noop("The plain before/after figure is {naive}; it holds whatever else moved."),
}
CANNOT = gettext_noop("It cannot be told whether “{metric}” changed because of it.")
NO_CHANGE = gettext_noop("“{metric}” did not change by as much as matters.")
INTERIM = gettext_noop("“{metric}” is still being measured; this reading is interim.")
WEARS = {
    Kind.RATE: gettext_noop(
        "It wears off: the same departments differed by {early} percentage points in the first 28 days "
        "and by {late} in the last 28."
    ),
    Kind.MEAN: gettext_noop(
        "It wears off: the same departments differed by {early} in the first 28 days and by {late} in the last 28."
    ),
}
LASTS = {
    Kind.RATE: gettext_noop(
        "It is not shown to wear off: the same departments differed by {early} percentage points in the first 28 days "
        "and by {late} in the last 28."
    ),
    Kind.MEAN: gettext_noop(
        "It is not shown to wear off: the same departments differed by {early} in the first 28 days "
        "and by {late} in the last 28."
    ),
}
TOO_EARLY = gettext_noop(
    "Too few days to say whether it lasts: at least two departments need 84 days since their start."
)
MATTERS = gettext_noop("The whole interval is as large as was registered to matter.")


def verdict_sentence(result: Result) -> Sentence:
    """The first line: never stronger than the grade, one step weaker where care is asked for."""
    fields = {"metric": result.metric}
    if result.verdict is Verdict.CANNOT_TELL:
        return Sentence(CANNOT, fields)
    if result.verdict is Verdict.INTERIM:
        return Sentence(INTERIM, fields)
    if result.verdict is Verdict.NO_MEANINGFUL_CHANGE:
        return Sentence(NO_CHANGE, fields)
    return Sentence(RAISED[strength(result)][int(result.verdict is Verdict.DECREASE)], fields)


def strength(result: Result) -> Grade:
    """The grade whose verb is used."""
    if result.verdict is Verdict.DESCRIPTION or result.grade is Grade.NONE:
        return Grade.D
    grade = Grade.B if result.grade is Grade.A else result.grade
    at = STRENGTHS.index(grade)
    lowest = STRENGTHS.index(Grade.C)
    return grade if at >= lowest else STRENGTHS[min(at + result.steps, lowest)]


def sentences(result: Result) -> tuple[Sentence, ...]:
    """The paragraph: verdict, levels, difference, relative change, basis, the plain figure, what stands against it."""
    told = [verdict_sentence(result)]
    estimate = result.estimate
    causal = result.verdict in (Verdict.INCREASE, Verdict.DECREASE, Verdict.NO_MEANINGFUL_CHANGE)
    kind = Kind.RATE if result.kind == Kind.RATE else Kind.MEAN
    log = result.design is Design.ACTION_CONTRAST
    if causal and estimate is not None and estimate.usable:
        if result.seen is not None and result.counterfactual is not None:
            levels = {"seen": figure(result.seen, kind), "counterfactual": figure(result.counterfactual, kind)}
            told.append(Sentence(TREATED[kind], {"metric": result.metric, **levels}))
        if not log:
            ends = {"low": figure(estimate.low, kind), "high": figure(estimate.high, kind)}
            told.append(Sentence(DIFFERENCE[kind], {"difference": signed(estimate.value, kind), **ends}))
        if result.relative is not None:
            share = result.relative
            ends = {"low": signed(share.low, Kind.RATE, 0), "high": signed(share.high, Kind.RATE, 0)}
            told.append(Sentence(RELATIVE, {"relative": signed(share.value, Kind.RATE, 0), **ends}))
        if result.matters:
            told.append(Sentence(MATTERS))
        counts = {"treated": result.n_treated, "units": result.n_units, "starts": result.n_starts}
        basis = BASIS if result.n_starts > 1 else BASIS_AT_ONCE
        basis = BASIS_PEOPLE if result.design is Design.PEOPLE_DRAWN else basis
        told.append(Sentence(basis, {"grade": result.grade.value, **counts}))
        if result.naive is not None:
            told.append(Sentence(NAIVE[kind], {"naive": signed(result.naive, kind)}))
    if result.verdict is Verdict.DESCRIPTION and result.naive is not None:
        told.append(Sentence(NAIVE[kind], {"naive": signed(result.naive, kind)}))
    told += [Sentence(REASONS[check.code]) for check in against(result)]
    if result.verdict is Verdict.CANNOT_TELL:
        told += [Sentence(REMEDIES[check.code]) for check in against(result) if check.code in REMEDIES]
    return tuple(told)


def against(result: Result) -> tuple[Check, ...]:
    """Checks that did not pass: those that stop first."""
    order = {Light.STOP: 0, Light.WARN: 1}
    failed = [check for check in result.checks if check.light is not Light.PASS]
    return tuple(sorted(failed, key=lambda check: order[check.light]))


def lasting_sentence(result: Result) -> Sentence | None:
    """Whether it lasts; None where no such rows exist, or where the answer is stopped."""
    check = result.check("NOVELTY_DECAY")
    if not result.spans or result.stops or check is None:
        return None
    if check.number is None:
        return Sentence(TOO_EARLY)
    kind = Kind.RATE if result.kind == Kind.RATE else Kind.MEAN
    fields = {name: signed(float(check.facts[name]), kind) for name in ("early", "late")}
    return Sentence((WEARS if check.light is Light.WARN else LASTS)[kind], fields)


def assumption_sentences(result: Result) -> tuple[Sentence, ...]:
    return tuple(Sentence(ASSUMPTIONS[name]) for name in result.assumptions)


def figure(value: float, kind: Kind, digits: int = 1) -> str:
    """Rates in hundredths, everything else as it is; never a bare minus zero."""
    number = round(value * (100 if kind is Kind.RATE else 1), digits) + 0.0
    return f"{number:.{digits}f}"


def signed(value: float, kind: Kind, digits: int = 1) -> str:
    told = figure(value, kind, digits)
    return told if told.startswith("-") or float(told) == 0 else f"+{told}"
