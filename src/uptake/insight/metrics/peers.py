"""How the middle company of the park fares: medians of its companies, told only where five or more make them up.

The same question is asked of every company of the park. No company's answer leaves this file, whoever asks: only the
median of each figure, over companies with at least five people behind it. Counts are taken per head or as shares, so
that large and small companies stand beside each other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from functools import partial
from statistics import median
from typing import Any

from uptake.activity import ActivityLog, ask
from uptake.directory.models import Kind, Organization
from uptake.directory.scope import HIDE_BELOW
from uptake.insight.metrics.staff import Staff

LEAST_COMPANIES = 5
"""A median of fewer companies would tell of single ones."""
MOST_COMPANIES = 1000

Figures = Mapping[str, Sequence[float | None]]
Medians = dict[str, list[float | None]]


def park_of(place: Organization) -> Organization | None:
    """The park a place belongs to, or is."""
    numbers = [int(part) for part in place.path.split("/") if part]
    return Organization.objects.filter(pk__in=numbers, kind=Kind.PARK).order_by("-path").first()


def medians_of(
    log: ActivityLog, question: Mapping[str, Any], park: Organization, *, today: date, without: Collection[int] = ()
) -> Medians:
    """Rows of medians by name, as the analysis of the question has them (see `MEASURES`); None: too few companies.

    `without`: companies (ids) that are left out, as no data comes from them. Raises QuestionRefused.
    """
    companies = list(
        Organization.objects.open().filter(path__startswith=park.path, kind=Kind.COMPANY).exclude(pk__in=without)
    )
    staff = Staff(today).of(companies) if companies else {}
    measure = MEASURES[str(question["analysis"])]
    kept = {key: value for key, value in question.items() if key not in ("compare", "breakdown")}
    asked = kept | {"scope": sorted(staff) or [-1], "by": "company", "limit": MOST_COMPANIES}
    answers = ask(log, asked, named=False).get("by_value") or {}
    return middle(
        [measure(one, staff[int(key)]) for key, one in answers.items() if key.isdecimal() and int(key) in staff]
    )


def middle(companies: Sequence[Figures]) -> Medians:
    """The median of each figure over the companies that have it."""
    found: Medians = {}
    for name in dict.fromkeys(name for one in companies for name in one):
        rows = [one[name] for one in companies if name in one]
        found[name] = [_middle([row[at] for row in rows if at < len(row)]) for at in range(max(map(len, rows)))]
    return found


def _middle(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if len(known) >= LEAST_COMPANIES else None


def _of(count: float | None, base: float | None) -> float | None:
    """A share; None: of fewer than five."""
    return None if count is None or base is None or base < HIDE_BELOW else count / base


def _per_head(names: Mapping[str, str], answer: Mapping[str, Any], staff: int) -> Figures:
    return {name: [_of(count, staff) for count in answer[key]] for name, key in names.items()}


def _active(answer: Mapping[str, Any], staff: int) -> Figures:
    """As many people per head on each day, in 7 and 30 days, in calendar weeks and months; and day ÷ 30 days."""
    rolling = {"day": "dau", "week": "wau_rolling_7", "month": "mau_rolling_30"}
    found = dict(_per_head(rolling, answer, staff))
    for name in ("calendar_weeks", "calendar_months"):
        found[name] = [_of(people, staff) for _start, people in answer[name]]
    return found | {"ratio": list(map(_of, answer["dau"], answer["mau_rolling_30"]))}


def _retention(answer: Mapping[str, Any], _staff: int) -> Figures:
    """The average of each column, of companies of which five people or more began in one interval."""
    largest = max((row[0] for row in answer["matrix"]), default=0)
    return {"average": list(answer["weighted_average"])} if largest >= HIDE_BELOW else {}


def _funnel(answer: Mapping[str, Any], _staff: int) -> Figures:
    """The share of those at the first step who get to each."""
    return {"shares": [_of(count, answer["counts"][0]) for count in answer["counts"]]}


def _lifecycle(answer: Mapping[str, Any], _staff: int) -> Figures:
    """Of those active in the interval before, the share that fell silent; of those active, the share that is new."""
    new, stayed, back, silent = (answer[state] for state in ("new", "returning", "resurrecting", "dormant"))
    return {
        "dormant": [_of(gone, gone + kept) for gone, kept in zip(silent, stayed, strict=True)],
        "new": [_of(fresh, fresh + kept + again) for fresh, kept, again in zip(new, stayed, back, strict=True)],
    }


def _stickiness(answer: Mapping[str, Any], _staff: int) -> Figures:
    """The share of the active who were so on exactly so many intervals."""
    bars = answer["by_active_intervals"]
    return {"shares": [_of(count, sum(bars)) for count in bars]}


def _sessions(answer: Mapping[str, Any], staff: int) -> Figures:
    """Sessions per head and interval; and of companies with five people at it or more: the median length in seconds,
    the actions in a session and the share of bounces."""
    told = answer["people"] >= HIDE_BELOW
    figures = [answer[name] if told else None for name in ("median_seconds", "events_per_session", "bounce_rate")]
    return {"sessions": [_of(count, staff) for count in answer["per_interval"]["sessions"]], "figures": figures}


MEASURES: Mapping[str, Callable[[Mapping[str, Any], int], Figures]] = {
    "pv_uv": partial(_per_head, {"people": "uv", "events": "pv"}),
    "active_users": _active,
    "retention": _retention,
    "funnel": _funnel,
    "lifecycle": _lifecycle,
    "stickiness": _stickiness,
    "sessions": _sessions,
}
"""What is compared, by analysis: (answer about one company, people who belong to it) → its figures, by name."""
