"""The one door by which people and programs ask the activity engine: their scope is added, small groups are hidden."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from uptake.activity import ActivityLog
from uptake.activity.analyses import actors_behind, ask
from uptake.activity.question import QuestionRefused
from uptake.directory.models import Kind, Organization
from uptake.directory.scope import Deed, Viewer
from uptake.insight.metrics.hiding import (
    Path,
    also_hidden,
    beside_people,
    counts_of,
    hidden_counts,
    lifecycle_sums,
    parts_and_wholes,
    session_sums,
    under,
)

COUNTS: Mapping[str, frozenset[str]] = {
    "pv_uv": frozenset({"uv", "total_uv"}),
    "active_users": frozenset({"dau", "wau_rolling_7", "mau_rolling_30", "calendar_weeks", "calendar_months"}),
    "funnel": frozenset({"counts"}),
    "funnel_trends": frozenset({"entered", "converted"}),
    "time_to_convert": frozenset({"bins"}),
    "retention": frozenset({"matrix"}),
    "lifecycle": frozenset({"new", "returning", "resurrecting", "dormant"}),
    "stickiness": frozenset({"by_active_intervals"}),
    "sessions": frozenset({"people", "sessions", "bounces"}),
}
"""The keys of an answer that count people (or their sessions), by analysis. An analysis that is not here is not told to
those who may see totals only: its answers name people, or walks so rare that they would."""

EVERYWHERE: frozenset[str] = frozenset({"segment_people"})
"""Keys that count people in the answers of all analyses."""

TIED: frozenset[str] = frozenset(
    {
        "pv", "total_pv", "dau_over_mau", "avg_seconds", "median_seconds", "average_seconds", "rate",
        "weighted_average", "events", "bounce_rate", "events_per_session", "sessions_per_person",
    }
)  # fmt: skip
"""Figures of the same people: hidden where one of the counts beside them is."""

BY_STEP: frozenset[str] = frozenset({"from_start", "from_previous", "avg_seconds", "median_seconds"})
"""Figures of a funnel's steps, hidden where the count of the step is, or the one it is a share of."""

SHARE_OF: Mapping[str, Callable[[int], int]] = {"from_start": lambda step: 0, "from_previous": lambda step: step - 1}
"""The step whose count the share of a step is of (for the first: none, -1)."""

BY_INTERVAL: frozenset[str] = frozenset({"average_seconds"})
"""Figures of sessions in a row of intervals, hidden where the sessions are."""

NAMING: frozenset[str] = frozenset(
    {"actors_by_step", "cohort", "silent", "people", "each", "durations", "session_number_of_event"}
)
"""Keys that name people, or hold a figure of each."""


class TotalsOnly(QuestionRefused):
    """Whoever asks may see totals only, and the question would tell of single people."""


def told(
    log: ActivityLog,
    viewer: Viewer,
    question: Mapping[str, Any],
    *,
    asking: Callable[[ActivityLog, Mapping[str, Any]], dict[str, Any]] = ask,
) -> dict[str, Any]:
    """The answer to a question for a viewer. QuestionRefused says what is wrong with it.

    `scope` names organizations the viewer may see totals of (left out: all of these). Counts of 1 to 4 people are None
    for those who may not see single people there, and so are the figures of the same people. `asking` asks the engine;
    it needs no database.
    """
    asked, places = scoped(viewer, question)
    open_ = all(viewer.may(Deed.SEE_PEOPLE, place) for place in places)
    if not open_:
        _only_totals(question)
    answer = asking(log, asked)
    return answer if open_ else without_few(str(question.get("analysis")), answer)


def people_behind(
    log: ActivityLog, viewer: Viewer, question: Mapping[str, Any], number: Mapping[str, Any]
) -> list[int]:
    """Codes of the people behind one number (positive: ids of people; negative: identities nobody has claimed).

    TotalsOnly where the viewer may not see single people at every place of the question's scope.
    """
    asked, places = scoped(viewer, question)
    if not all(viewer.may(Deed.SEE_PEOPLE, place) for place in places):
        raise TotalsOnly("scope", "a place whose people you may see")
    return actors_behind(log, asked, number)


def scoped(viewer: Viewer, question: Mapping[str, Any]) -> tuple[dict[str, Any], list[Organization]]:
    """The question with its scope as companies and departments of the log, and the places it stands for."""
    wanted = question.get("scope")
    if wanted is None:
        if viewer.sees_everything(Deed.SEE_TOTALS):
            tops = list(Organization.objects.filter(parent=None))
            return {key: value for key, value in question.items() if key != "scope"}, tops
        places = list(Organization.objects.filter(path__in=viewer.paths(Deed.SEE_TOTALS)))
    else:
        several = wanted if isinstance(wanted, list) else [wanted]
        if not several or not all(isinstance(one, int) and not isinstance(one, bool) for one in several):
            raise QuestionRefused("scope", "the number of an organization, or a list of them")
        places = list(Organization.objects.filter(viewer.within("path", Deed.SEE_TOTALS), pk__in=several))
        if len(places) != len(set(several)):
            raise QuestionRefused("scope", "organizations whose totals you may see")
    return {**question, "scope": sorted(_numbers(places)) or [-1]}, places


def _numbers(places: Collection[Organization]) -> set[int]:
    """The companies and departments whose events are these places'."""
    found: set[int] = set()
    for place in places:
        if place.kind == Kind.COMPANY:
            found.add(place.pk)
            continue
        kind = Kind.COMPANY if place.kind == Kind.PARK else Kind.DEPARTMENT
        found |= set(Organization.objects.filter(path__startswith=place.path, kind=kind).values_list("pk", flat=True))
    return found


def _only_totals(question: Mapping[str, Any]) -> None:
    """Refuses what would single people out."""
    if question.get("analysis") not in COUNTS:
        raise TotalsOnly(
            "analysis", "one that tells totals: " + ", ".join(sorted(COUNTS)), repr(question.get("analysis"))
        )
    for key in ("only_persons", "not_persons", "segment"):
        if question.get(key):
            raise TotalsOnly(key, "nothing: you may see totals only")
    if question.get("count_by") not in (None, "person"):
        raise TotalsOnly("count_by", '"person": you may see totals only')


def without_few(analysis: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    """The answer without counts of 1 to 4 people and what they could be reckoned from; None stands in their place.

    `also_hidden` names the places of the latter, such as "returning/3": there None does not mean few.
    """
    keys = COUNTS[analysis] | EVERYWHERE
    counts = dict(counts_of(answer, keys))
    sums = parts_and_wholes(counts)
    if analysis == "lifecycle":
        sums += lifecycle_sums(counts)
    if analysis == "sessions":
        sums += session_sums(counts)
    hidden = hidden_counts(counts, sums, beside_people(counts) if analysis == "sessions" else {})

    def of(part: Mapping[str, Any], path: Path) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        few = any(under(hidden, (*path, key)) for key in keys & part.keys())
        for key, value in part.items():
            here = (*path, key)
            if key in keys:
                shown[key] = _masked(value, here, hidden)
            elif key in NAMING:
                continue
            elif few and analysis == "funnel" and key in BY_STEP:
                shown[key] = _cells_of(value, (*path, "counts"), hidden, SHARE_OF.get(key))
            elif few and isinstance(value, list) and key in BY_INTERVAL:
                shown[key] = _cells_of(value, (*path, "sessions"), hidden)
            elif few and key in TIED and "counted" not in path:
                shown[key] = _emptied(value)
            elif isinstance(value, Mapping):
                shown[key] = of(value, here)
            elif isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
                shown[key] = [of(one, (*here, place)) for place, one in enumerate(value)]
            else:
                shown[key] = value
        return shown

    shown = of(answer, ())
    beside = also_hidden(counts, hidden)
    return shown | {"also_hidden": beside} if beside else shown


def _masked(value: Any, path: Path, hidden: Collection[Path]) -> Any:
    if isinstance(value, list | tuple):
        return [_masked(one, (*path, place), hidden) for place, one in enumerate(value)]
    return None if path in hidden else value


def _cells_of(
    value: Any, counts: Path, hidden: Collection[Path], share_of: Callable[[int], int] | None = None
) -> list[Any]:
    """The figures of a row, hidden where the count beside them is, or the one they are a share of."""
    shown = []
    for place, one in enumerate(value):
        whole = place if share_of is None else share_of(place)
        shown.append(None if (*counts, place) in hidden or (*counts, whole) in hidden else one)
    return shown


def _emptied(value: Any) -> Any:
    return [None] * len(value) if isinstance(value, list) else None
