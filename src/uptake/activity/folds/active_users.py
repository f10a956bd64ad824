"""Distinct people per day, in the rolling 7 and 30 days that end with it, per calendar week and per calendar month.

dau(d): distinct on the local date d; wau_rolling_7(d): on [d-6, d]; mau_rolling_30(d): on [d-29, d], so days before
the range are looked at too. Calendar weeks and months are the whole ones that touch the range, named by their first
date: their people are counted over all of their days, also those before and after the range (in `active_01` the
range begins on Saturday the 7th, and the week from Monday the 2nd has three people, not the two of the weekend).
dau_over_mau is rounded to 4 places, and None on days whose last 30 had nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from uptake.activity.asking import Asked, Groups, Rows, Span
from uptake.activity.columns import Array
from uptake.activity.compile import compiled
from uptake.activity.histories import KEPT, Histories
from uptake.activity.periods import buckets_between, first_of, midnight, next_first
from uptake.activity.presence import Intervals, people_between
from uptake.activity.question import QuestionRefused, Selector, read_moment, shown
from uptake.activity.visits import each_visit

NAME = "active_users"
SELECTOR = Selector()
WEEK, MONTH = 7, 30
SERIES = ("dau", "wau_rolling_7", "mau_rolling_30", "dau_over_mau")


@dataclass(frozen=True)
class ActiveUsers:
    """One row per day of the range; weeks and months as (first date, people)."""

    days: tuple[str, ...]
    dau: tuple[int, ...]
    wau_rolling_7: tuple[int, ...]
    mau_rolling_30: tuple[int, ...]
    dau_over_mau: tuple[float | None, ...]
    calendar_weeks: tuple[tuple[str, int], ...]
    calendar_months: tuple[tuple[str, int], ...]
    counted: dict[str, Any]
    by_value: dict[str, dict[str, Any]] | None = None
    compare: dict[str, Any] | None = None

    def to_arrow(self) -> pa.Table:
        """Columns day, dau, wau_rolling_7, mau_rolling_30, dau_over_mau (and value, first, with a breakdown)."""
        whole = {name: getattr(self, name) for name in SERIES}
        groups = self.by_value if self.by_value is not None else {"": whole}
        columns: dict[str, list[Any]] = {"value": [], "day": [], **{name: [] for name in SERIES}}
        for value, one in groups.items():
            columns["value"] += [value] * len(self.days)
            columns["day"] += self.days
            for name in SERIES:
                columns[name] += one[name]
        if self.by_value is None:
            del columns["value"]
        return pa.table(columns)


@dataclass(frozen=True)
class Calendar:
    """The days a question looks at: before the range for the rolling counts, around it for whole weeks and months."""

    edges: Array
    """Instants at which the days start, one more than days."""
    week_of: Array
    """For every day the number of its week among `weeks`, -1: none of them."""
    month_of: Array
    weeks: tuple[date, ...]
    months: tuple[date, ...]
    skipped: int
    """Days before the range."""
    days: int
    """Days of the range."""


def answer(asked: Asked) -> ActiveUsers:
    """The active people of every day of the range."""
    span = asked.span()
    if span is None:
        empty: dict[str, dict[str, Any]] | None = {} if asked.question.by else None
        return ActiveUsers((), (), (), (), (), (), (), asked.counted(None), empty)
    groups = asked.groups(_looked_at(span, asked.question.timezone, asked.question.week_start))
    whole = _series(asked, span, None)[""]
    by_value = None if groups is None else _series(asked, span, groups)
    compare = None
    then = asked.compared(span)
    if then is not None:
        compare = {"from": then.first.isoformat(), "to": then.last.isoformat(), **_series(asked, then, None)[""]}
        if groups is not None:
            compare["by_value"] = _series(asked, then, groups)
    frozen: dict[str, Any] = {
        name: tuple(tuple(one) if isinstance(one, list) else one for one in whole[name]) for name in whole
    }
    return ActiveUsers(**frozen, counted=asked.counted(span), by_value=by_value, compare=compare)


def actors(asked: Asked, number: Mapping[str, Any]) -> Array:
    """The people of {"day": date, "window": 1, 7 or 30}: active in so many days up to it; with "value" those of a
    value of `by`."""
    for key in number:
        if key not in ("day", "window", "value"):
            raise QuestionRefused(str(key), "one of day, window, value", "an unknown key")
    day = read_moment(number.get("day"), asked.question.timezone, "day").day
    window = number.get("window", 1)
    if isinstance(window, bool) or window not in (1, WEEK, MONTH):
        raise QuestionRefused("window", f"1, {WEEK} or {MONTH}", shown(window))
    span, zone = asked.span(), asked.question.timezone
    if span is None or not span.first <= day <= span.last:
        raise QuestionRefused("day", "a day of the answer", shown(number.get("day")))
    low, high = midnight(day - timedelta(days=window - 1), zone), midnight(day + timedelta(days=1), zone)
    groups = asked.groups(_looked_at(span, zone, asked.question.week_start))
    spans = Intervals(np.array([low, high], np.int64), np.zeros(1, np.int64), 1, (), ())
    return people_between(asked, spans, number.get("value"), groups)


def _looked_at(span: Span, zone: str, week_start: str) -> Span:
    calendar = calendar_of(span.first, span.last, zone, week_start)
    return Span(span.first, span.last, int(calendar.edges[0]), int(calendar.edges[-1]))


def calendar_of(first: date, last: date, zone: str, week_start: str) -> Calendar:
    """The days around a range."""
    weeks, months = _firsts(first, last, "week", week_start), _firsts(first, last, "month", week_start)
    begin = min(first - timedelta(days=MONTH - 1), weeks[0], months[0])
    end = max(next_first(weeks[-1], "week"), next_first(months[-1], "month")) - timedelta(days=1)
    days = [begin + timedelta(days=number) for number in range((end - begin).days + 1)]
    week_number = {week: number for number, week in enumerate(weeks)}
    month_number = {month: number for number, month in enumerate(months)}
    return Calendar(
        edges=buckets_between(begin, end, "day", zone).edges,
        week_of=np.array([week_number.get(first_of(day, "week", week_start), -1) for day in days], dtype=np.int64),
        month_of=np.array([month_number.get(first_of(day, "month"), -1) for day in days], dtype=np.int64),
        weeks=weeks,
        months=months,
        skipped=(first - begin).days,
        days=(last - first).days + 1,
    )


def _firsts(first: date, last: date, interval: str, week_start: str) -> tuple[date, ...]:
    starts = [first_of(first, interval, week_start)]
    while next_first(starts[-1], interval) <= last:
        starts.append(next_first(starts[-1], interval))
    return tuple(starts)


def _series(asked: Asked, span: Span, groups: Groups | None) -> dict[str, dict[str, Any]]:
    calendar = calendar_of(span.first, span.last, asked.question.timezone, asked.question.week_start)
    labels = ("",) if groups is None else groups.labels
    known = _of_visits(asked, calendar) if groups is None else None
    days, weeks, months = known or asked.sum(lambda rows: fold(rows, calendar, len(labels)), groups)
    return {text: _one(calendar, days[g], weeks[g], months[g], span) for g, text in enumerate(labels)}


def _of_visits(asked: Asked, calendar: Calendar) -> list[Array] | None:
    """The same as of rows, of everybody's visits, where the question is one of any activity; None: it is not."""

    def of(visits: Histories, days: Array) -> tuple[Array, Array, Array]:
        many = visits.ends - visits.starts
        rows = np.repeat(visits.starts - np.cumsum(many) + many, many) + np.arange(int(many.sum()))
        wanted = KEPT | np.uint32(1)
        keep = (visits.bits & wanted == wanted)[visits.codes[rows]]
        found: tuple[Array, Array, Array] = count(
            np.repeat(visits.actor, many), visits.at[rows].astype(np.int64), keep, np.zeros(len(rows), np.int32),
            days.astype(np.int64), calendar.week_of, calendar.month_of,
            1, len(calendar.weeks), len(calendar.months), WEEK, MONTH,
        )  # fmt: skip
        return found

    parts = each_visit(asked, (asked.question.selector,), calendar.edges, of)
    return [np.sum(one, axis=0) for one in zip(*parts, strict=True)] if parts else None


def _one(calendar: Calendar, days: Array, weeks: Array, months: Array, span: Span) -> dict[str, Any]:
    shown = slice(calendar.skipped, calendar.skipped + calendar.days)
    dau, wau, mau = days[0, shown], days[1, shown], days[2, shown]
    return {
        "days": [(span.first + timedelta(days=number)).isoformat() for number in range(calendar.days)],
        "dau": dau.tolist(),
        "wau_rolling_7": wau.tolist(),
        "mau_rolling_30": mau.tolist(),
        "dau_over_mau": [
            round(day / month, 4) if month else None for day, month in zip(dau.tolist(), mau.tolist(), strict=True)
        ],
        "calendar_weeks": [
            [first.isoformat(), people] for first, people in zip(calendar.weeks, weeks.tolist(), strict=True)
        ],
        "calendar_months": [
            [first.isoformat(), people] for first, people in zip(calendar.months, months.tolist(), strict=True)
        ],
    }


def fold(rows: Rows, calendar: Calendar, groups: int) -> list[Array]:
    """[(groups, 3, days) on the day, in 7 days, in 30 days; (groups, weeks); (groups, months)] distinct people."""
    sizes = (len(calendar.edges) - 1, len(calendar.weeks), len(calendar.months))
    if not groups:
        return [np.zeros((0, 3, sizes[0]), np.int64), np.zeros((0, sizes[1]), np.int64),
                np.zeros((0, sizes[2]), np.int64)]  # fmt: skip
    days, weeks, months = count(
        rows.actor, rows.at, rows.keep, rows.group,
        calendar.edges, calendar.week_of, calendar.month_of, groups, sizes[1], sizes[2], WEEK, MONTH,
    )  # fmt: skip
    return [days, weeks, months]


@compiled
def count(
    actor: Array, at: Array, keep: Array, group: Array, edges: Array, week_of: Array, month_of: Array,
    groups: int, weeks: int, months: int, short: int, long: int,
) -> tuple[Array, Array, Array]:  # fmt: skip
    """Distinct actors above 0 per group: on each day and in the `short` and `long` days up to it, per week, month.

    An active day adds its actor to the days it reaches; a later one only to the days the earlier ones did not."""
    days = len(edges) - 1
    on = np.zeros((groups, 3, days), np.int64)
    more = np.zeros((groups, 2, days + 1), np.int64)  # changes of the rolling counts from one day to the next
    in_week = np.zeros((groups, weeks), np.int64)
    in_month = np.zeros((groups, months), np.int64)
    run = -1
    seen = np.full(groups, -1, np.int64)
    last_day = np.zeros(groups, np.int64)
    place = 0
    for i in range(len(actor)):
        if i == 0 or actor[i] != actor[i - 1]:
            run += 1
            place = 0
        t = at[i]
        if not keep[i] or actor[i] <= 0 or t < edges[0] or t >= edges[days]:
            continue
        if t >= edges[place + 1]:
            under, over = place + 1, days - 1
            while under < over:
                middle = (under + over + 1) // 2
                if edges[middle] <= t:
                    under = middle
                else:
                    over = middle - 1
            place = under
        d, g = place, group[i]
        new = seen[g] != run
        if not new and last_day[g] == d:
            continue
        before = last_day[g]
        on[g, 0, d] += 1
        for window in range(2):
            width = short if window == 0 else long
            start = d if new else max(d, before + width)
            if start < min(d + width, days):
                more[g, window, start] += 1
                more[g, window, min(d + width, days)] -= 1
        w, m = week_of[d], month_of[d]
        if w >= 0 and (new or week_of[before] != w):
            in_week[g, w] += 1
        if m >= 0 and (new or month_of[before] != m):
            in_month[g, m] += 1
        seen[g] = run
        last_day[g] = d
    for g in range(groups):
        for window in range(2):
            total = 0
            for d in range(days):
                total += more[g, window, d]
                on[g, 1 + window, d] = total
    return on, in_week, in_month
