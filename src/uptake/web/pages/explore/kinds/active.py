"""Active users: on each day, in the last 7 and 30 days up to it, and in whole weeks and months of the calendar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from uptake.activity.asking import OTHER
from uptake.directory.calendar import day_kinds_between
from uptake.web import numbers
from uptake.web.pages.explore.bar import Bar
from uptake.web.pages.explore.kinds.beside import Beside, beside
from uptake.web.pages.explore.kinds.kind import Column, Entry, Kind, Shown, behind
from uptake.web.pages.explore.kinds.restated import restated_at
from uptake.web.pages.explore.kinds.trends import TONES, value_name
from uptake.web.pages.explore.kinds.words import INTERVALS, STARTS, event_label, event_of, few, hidden_note
from uptake.web.parts import Chart, Series
from uptake.web.usage import shades_of

NAME = "active"
ROLLING = (("dau", 1, "day"), ("wau_rolling_7", 7, "week"), ("mau_rolling_30", 30, "month"))
"""(key of the answer, days it looks at, name of the median)"""
CALENDAR = {"week": "calendar_weeks", "month": "calendar_months"}
WHOLE = "whole"


def question(bar: Bar) -> dict[str, Any]:
    """The active people, by a chosen event (none chosen: by any that counts as activity)."""
    return bar.question(
        "active_users",
        interval=None,
        event_sel={"event": event_of(bar) or None},
        limit=5 if bar.by else None,
    )


def opened(bar: Bar) -> dict[str, Any] | None:
    """The question whose number is opened; of a whole week or month, the people of its days."""
    of, _colon, text = bar.request.GET.get("of", "").partition(":")
    asked = question(bar)
    if of != WHOLE or bar.every not in CALENDAR:
        return asked
    try:
        start = date.fromisoformat(text)
    except ValueError:
        return None
    first, last = start.isoformat(), _last_of(start, bar.every).isoformat()
    return asked | {"analysis": "pv_uv", "interval": bar.every, "from": first, "to": last}


def _last_of(start: date, every: str) -> date:
    """The last day of the week or month that begins on a day."""
    after = start + timedelta(days=7) if every == "week" else (start + timedelta(days=32)).replace(day=1)
    return after - timedelta(days=1)


def show(bar: Bar, asked: Mapping[str, Any], answer: Mapping[str, Any]) -> Shown:
    """By day: bars of the day with the lines of 7 and 30 days, and the share of the month on a day; else whole ones."""
    park = beside(bar, asked)
    calendar = bar.every in CALENDAR
    charts, columns, rows, unfinished = (_whole if calendar else _by_day)(bar, answer, park)
    notes = [_("The last period is not over.")] if unfinished else []
    if calendar:
        notes.append(_("Weeks and months are whole ones: days before and after the period belong to them."))
    return Shown(
        words=_("How many people at %(place)s were active per %(every)s, by %(what)s?")
        % {
            "place": bar.place.name,
            "every": INTERVALS[bar.every],
            "what": event_label(asked["event_sel"]["event"] or ""),
        },
        context={"charts": charts, "restated": restated_at(bar)},
        columns=columns,
        rows=rows,
        verdict=_verdict(bar, answer),
        notes=[*notes, *hidden_note(answer), *([park.note] if park else [])],
        empty=not any(count != 0 for count in answer["mau_rolling_30"]),
    )


Told = tuple[list[Chart], list[Column], list[list[Entry]], list[int]]


def _by_day(bar: Bar, answer: Mapping[str, Any], park: Beside | None) -> Told:
    days = [date.fromisoformat(day) for day in answer["days"]]
    labels = [numbers.day(day, year=False) for day in days]
    unfinished = [len(days) - 1] if days and days[-1] >= bar.chosen.period.today else []
    kinds = day_kinds_between(bar.place, days[0], days[-1]) if days else {}
    pale = [at for at, day in enumerate(days) if not kinds[day].works]
    names = {"dau": _("On the day"), "wau_rolling_7": _("In 7 days"), "mau_rolling_30": _("In 30 days")}
    if "by_value" in answer:
        series = _by_value(bar, answer, "dau")
        ratio = _by_value(bar, answer, "dau_over_mau")
    else:
        series = [
            Series(names["dau"], answer["dau"], pale=pale, open=unfinished),
            Series(names["wau_rolling_7"], answer["wau_rolling_7"], "line", "c3"),
            Series(names["mau_rolling_30"], answer["mau_rolling_30"], "line", "c2"),
        ]
        ratio = [Series(_("On a day, of those of 30 days"), answer["dau_over_mau"], "line")]
        ratio += _before(answer, "dau_over_mau", len(days))
    columns = [Column(_("Day"), numeric=False), *(Column(name) for name in names.values())]
    columns += [Column(value_name(bar, value)) for value in answer.get("by_value", {})]
    columns.append(Column(_("Day of 30 days")))
    middle: list[list[float | None]] = []
    if park:
        middle = [park.row("day", answer["dau"], per_head=True), park.row("ratio", answer["dau_over_mau"])]
        series += park.series(middle[0])
        ratio += park.series(middle[1])
        columns += [Column(_("On the day, median of the park")), Column(_("Day of 30 days, median of the park"))]
    rows = []
    for at, day in enumerate(days):
        row = [Entry(numbers.day(day), day, open=at in unfinished)]
        for key, window, _median in ROLLING:
            count = answer[key][at]
            door = behind(bar, NAME, day=answer["days"][at], window=window) if count else ""
            row.append(Entry(few(count, answer, key, at), count, door))
        for value, one in answer.get("by_value", {}).items():
            count = one["dau"][at]
            door = behind(bar, NAME, day=answer["days"][at], window=1, value=value) if count and value != OTHER else ""
            row.append(Entry(few(count, answer, "by_value", value, "dau", at), count, door))
        share = answer["dau_over_mau"][at]
        row.append(Entry(numbers.share(share), share))
        if park:
            row += [Entry(numbers.full(middle[0][at], 1), middle[0][at])]
            row += [Entry(numbers.share(middle[1][at]), middle[1][at])]
        rows.append(row)
    shades, retold = shades_of(kinds, days) if kinds else [], restated_at(bar)
    charts = [
        Chart(
            "people", _("Active users"), labels, series, shades=shades, axis=_("Day"), height="high",
            marks=retold.marks(days) if retold and days else [],
        ),
        Chart(
            "ratio", _("How many of the people of 30 days come on a day"), labels, ratio, shades=shades,
            format="share", axis=_("Day"), height="low",
        ),
    ]  # fmt: skip
    return charts, columns, rows, unfinished


def _whole(bar: Bar, answer: Mapping[str, Any], park: Beside | None) -> Told:
    key = CALENDAR[bar.every]
    starts = [date.fromisoformat(start) for start, _count in answer[key]]
    counts = [count for _start, count in answer[key]]
    labels = [numbers.day(start, year=False) for start in starts]
    unfinished = [at for at, start in enumerate(starts) if _last_of(start, bar.every) >= bar.chosen.period.today]
    if "by_value" in answer:
        cut = {value: {key: [count for _start, count in one[key]]} for value, one in answer["by_value"].items()}
        series = _by_value(bar, {"by_value": cut}, key)
    else:
        series = [Series(_("Active users"), counts, open=unfinished)]
    columns = [Column(str(STARTS[bar.every]), numeric=False), Column(_("People"))]
    middle: list[float | None] = []
    if park:
        middle = park.row(key, counts, per_head=True)
        series += park.series(middle)
        columns.append(Column(_("Median of the park")))
    rows = []
    for at, start in enumerate(starts):
        door = behind(bar, NAME, of=f"{WHOLE}:{start.isoformat()}") if counts[at] else ""
        row = [Entry(numbers.day(start), start, open=at in unfinished)]
        row.append(Entry(few(counts[at], answer, key, at, 1), counts[at], door))
        rows.append([*row, *([Entry(numbers.full(middle[at], 1), middle[at])] if park else [])])
    return (
        [Chart("people", _("Active users"), labels, series, axis=str(STARTS[bar.every]), height="high")],
        columns,
        rows,
        unfinished,
    )


def _by_value(bar: Bar, answer: Mapping[str, Any], key: str) -> list[Series]:
    return [
        Series(value_name(bar, value), one[key], "line", TONES[at] if at < len(TONES) else "c6")
        for at, (value, one) in enumerate(answer["by_value"].items())
        if value != OTHER
    ]


def _before(answer: Mapping[str, Any], key: str, wide: int) -> list[Series]:
    if "compare" not in answer:
        return []
    values = [*answer["compare"][key], *[None] * wide][:wide]
    return [Series(_("Period before"), values, "dash", "c6")]


def _verdict(bar: Bar, answer: Mapping[str, Any]) -> str:
    """The mean of the working days that are over, and what share of the month's people that is."""
    days = [date.fromisoformat(day) for day in answer["days"]]
    kinds = day_kinds_between(bar.place, days[0], days[-1]) if days else {}
    over = [at for at, day in enumerate(days) if kinds[day].works and day < bar.chosen.period.today]
    daily: Sequence[int | None] = [answer["dau"][at] for at in over]
    month = answer["mau_rolling_30"][over[-1]] if over else None
    known = [count for count in daily if count is not None]
    if not month or len(known) < len(daily) or not known:
        return ""
    mean = sum(known) / len(known)
    return _(
        "%(day)s people on a working day, %(month)s in the last 30 days: "
        "of 100 who come in a month, about %(share)s are there on a working day."
    ) % {
        "day": numbers.full(mean, 1), "month": numbers.full(month), "share": numbers.full(min(mean / month, 1) * 100),
    }  # fmt: skip


def fields(bar: Bar) -> dict[str, Any]:
    """What the form offers, and what is chosen."""
    return {"events": bar.names, "event": event_of(bar)}


KIND = Kind(
    name=NAME,
    title=gettext_lazy("Active users"),
    lead=gettext_lazy("How many are there on a day, in a week, in a month."),
    definition=gettext_lazy(
        "Different people with at least one event that counts as activity: on the day, in the 7 and the 30 days that "
        "end with it, or in whole weeks (from Monday) and months. Somebody who comes daily counts once in each."
    ),
    icon="users",
    question=question,
    show=show,
    fields=fields,
    opened=opened,
    beside=True,
)
