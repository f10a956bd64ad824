"""The one list of analyses, and the door by which every question is asked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields
from typing import Any

from uptake.activity.asking import Asked
from uptake.activity.columns import Array
from uptake.activity.folds import (
    active_users,
    adoption,
    cohort,
    funnel,
    funnel_trends,
    lifecycle,
    paths,
    pv_uv,
    retention,
    sessions,
    silence,
    stickiness,
    time_to_convert,
    transitions,
    trends,
)
from uptake.activity.funnels import Actors
from uptake.activity.log import ActivityLog
from uptake.activity.question import COMMON, QuestionRefused, Selector, read_question


@dataclass(frozen=True)
class Analysis:
    """One kind of question: the keys it takes, what it counts when not told, and the fold that answers it."""

    name: str
    answer: Callable[[Asked], Any]
    selector: Selector
    keys: frozenset[str] = COMMON
    """The keys it takes; those beyond the common ones it reads itself, from `Question.own`."""
    actors: Callable[[Asked, Mapping[str, Any]], Array] | None = None
    """Who is behind one number of the answer: the codes of the people, sorted. The mapping names the number, such as
    {"step": 2} or {"row": 0, "column": 3}; each analysis says how. None: its numbers cannot be opened."""


ANALYSES: tuple[Analysis, ...] = (
    Analysis(pv_uv.NAME, pv_uv.answer, pv_uv.SELECTOR, actors=pv_uv.actors),
    Analysis(active_users.NAME, active_users.answer, active_users.SELECTOR, actors=active_users.actors),
    Analysis(retention.NAME, retention.answer, retention.SELECTOR, retention.KEYS, retention.actors),
    Analysis(lifecycle.NAME, lifecycle.answer, lifecycle.SELECTOR, lifecycle.KEYS, lifecycle.actors),
    Analysis(stickiness.NAME, stickiness.answer, stickiness.SELECTOR, stickiness.KEYS, stickiness.actors),
    Analysis(cohort.NAME, cohort.answer, cohort.SELECTOR, cohort.KEYS, cohort.actors),
    Analysis(adoption.NAME, adoption.answer, adoption.SELECTOR, adoption.KEYS, adoption.actors),
    Analysis(funnel.NAME, funnel.answer, funnel.SELECTOR, funnel.KEYS, funnel.actors),
    Analysis(
        funnel_trends.NAME, funnel_trends.answer, funnel_trends.SELECTOR, funnel_trends.KEYS, funnel_trends.actors
    ),
    Analysis(
        time_to_convert.NAME,
        time_to_convert.answer,
        time_to_convert.SELECTOR,
        time_to_convert.KEYS,
        time_to_convert.actors,
    ),
    Analysis(paths.NAME, paths.answer, paths.SELECTOR, paths.KEYS, paths.actors),
    Analysis(transitions.NAME, transitions.answer, transitions.SELECTOR, transitions.KEYS, transitions.actors),
    Analysis(sessions.NAME, sessions.answer, sessions.SELECTOR, sessions.KEYS, sessions.actors),
    Analysis(silence.NAME, silence.answer, silence.SELECTOR, silence.KEYS, silence.actors),
    Analysis(trends.NAME, trends.answer, trends.SELECTOR, trends.KEYS, trends.actors),
)

NAMES = "actors_by_step"
"""The key of an answer that holds lists of who is at each step."""
OF_MESSAGES = ("skew", "ingest", "dedupe")
"""Kinds of case files about what comes in, before it is events; as questions they are refused by name."""


class AboutMessages(QuestionRefused):
    """A kind of case that is no question to a log."""

    def __init__(self, name: str) -> None:
        built = ", ".join(analysis.name for analysis in ANALYSES)
        super().__init__("analysis", f"one of {built}", f"{name!r}, which is about messages and asks no log")


def ask(
    log: ActivityLog, question: Mapping[str, Any], *, companies: Collection[int] | None = None, named: bool = True
) -> dict[str, Any]:
    """The answer to a question, as plain values. QuestionRefused says what is wrong with it.

    `companies`: numbers of the companies whoever asks may see (None: all); the question's own `scope` only narrows.
    `named`: False leaves out the lists of who is at each step of a funnel, which take longer than the funnel.
    """
    answer = answer_to(log, question, companies=companies)
    return _plain({field.name: getattr(answer, field.name) for field in fields(answer)}, named)


def answer_to(log: ActivityLog, question: Mapping[str, Any], *, companies: Collection[int] | None = None) -> Any:
    """The answer to a question, as a frozen dataclass with `to_arrow()`."""
    analysis = _analysis_of(question)
    read = read_question(question, keys=analysis.keys, selector=analysis.selector)
    return log.reading(lambda snapshot: analysis.answer(Asked(snapshot, read, companies)))


def actors_behind(
    log: ActivityLog,
    question: Mapping[str, Any],
    number: Mapping[str, Any],
    *,
    companies: Collection[int] | None = None,
) -> list[int]:
    """The codes of the people behind one number of the answer to a question, sorted (negative: not yet resolved)."""
    analysis = _analysis_of(question)
    find = analysis.actors
    if find is None:
        raise QuestionRefused("analysis", "one whose numbers can be opened", repr(analysis.name))
    read = read_question(question, keys=analysis.keys, selector=analysis.selector)
    found: list[int] = log.reading(lambda snapshot: find(Asked(snapshot, read, companies), number)).tolist()
    return found


def _analysis_of(question: Any) -> Analysis:
    if not isinstance(question, Mapping):
        raise QuestionRefused("question", "an object")
    name = question.get("analysis")
    for analysis in ANALYSES:
        if analysis.name == name:
            return analysis
    if name in OF_MESSAGES:
        raise AboutMessages(str(name))
    raise QuestionRefused("analysis", "one of " + ", ".join(one.name for one in ANALYSES), repr(name)[:80])


def _plain(answer: dict[str, Any], named: bool) -> dict[str, Any]:
    """Without what was not asked for; tuples as lists."""
    kept = {name: value for name, value in answer.items() if value is not None}
    found: dict[str, Any] = _lists(kept, named)
    return found


PLAIN = frozenset({int, float, str, bool, type(None)})


def _lists(value: Any, named: bool) -> Any:
    if isinstance(value, Actors):
        return value.tolist()
    if isinstance(value, dict):
        return {name: _lists(one, named) for name, one in value.items() if named or name != NAMES}
    if isinstance(value, tuple | list):
        return [one if type(one) in PLAIN else _lists(one, named) for one in value]
    return value
