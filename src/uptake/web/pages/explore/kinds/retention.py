"""Retention: who comes back, as a triangle of cohorts with the average of those old enough to judge."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from uptake.activity.asking import OTHER
from uptake.web import numbers
from uptake.web.pages.explore.bar import Bar
from uptake.web.pages.explore.kinds.beside import beside
from uptake.web.pages.explore.kinds.kind import Column, Entry, Kind, Shown, behind
from uptake.web.pages.explore.kinds.trends import TONES, value_name
from uptake.web.pages.explore.kinds.words import (
    INTERVALS,
    STARTS,
    as_of,
    event_label,
    event_of,
    few,
    hidden_note,
    one_of,
    whole,
)
from uptake.web.parts import Chart, Series

NAME = "retention"
MODES = ("recurring", "first_time", "first_ever", "first_in_range")
ANYTHING = "*"
MOST_ROWS, MOST_COLUMNS = 31, 15
Scale = tuple[float, float]
JUDGED_AT = {"day": 7, "week": 4, "month": 1}
"""The column that the sentence on top tells of."""


@dataclass(frozen=True)
class Heat:
    """A cell of the triangle; `shade` from 0 to 5 as the share grows within the shares shown, None: not shaded."""

    text: str
    shade: int | None = None
    href: str = ""
    open: bool = False
    told: str = ""
    """The count in words, for the pointer."""


@dataclass(frozen=True)
class Cohort:
    """A row of the triangle."""

    start: str
    size: Entry
    cells: Sequence[Heat]


@dataclass(frozen=True)
class Part:
    """A value of the breakdown: its averages, and who is behind them."""

    name: str
    href: str
    """Those who started with it."""
    cells: Sequence[Heat]


def question(bar: Bar) -> dict[str, Any]:
    """Those who did the first event, and did the second one in later intervals."""
    start, back = event_of(bar, "start"), event_of(bar, "back")
    least = whole(bar, "least", 1, 1000)
    return bar.question(
        "retention",
        start_event={"event": start or None},
        return_event={"event": start or None if not back else None if back == ANYTHING else back},
        mode=one_of(bar, "mode", MODES),
        cumulative=True if bar.request.GET.get("after") else None,
        min_return_count=least if least > 1 else None,
        as_of=as_of(),
        limit=5 if bar.by else None,
    )


def show(bar: Bar, asked: Mapping[str, Any], answer: Mapping[str, Any]) -> Shown:
    """The triangle, the averages as lines, and the counts as a table."""
    first = max(0, len(answer["starts"]) - MOST_ROWS)
    wide = min(MOST_COLUMNS, len(answer["starts"]))
    heads = [COLUMNS[bar.every] % {"n": column} for column in range(1, wide)]
    cohorts, rows = [], []
    scale = scale_of(answer["matrix"][first:], wide)
    for row in range(first, len(answer["starts"])):
        counts, marks = answer["matrix"][row][:wide], answer["unfinished"][row]
        start = date.fromisoformat(answer["starts"][row])
        doors = [behind(bar, NAME, row=row, column=column) if counts[column] else "" for column in range(len(counts))]
        cells = [
            _heat(counts, column, marks[column], doors[column], scale, few(None, answer, "matrix", row, column))
            for column in range(1, len(counts))
        ]
        size = Entry(few(counts[0], answer, "matrix", row, 0), counts[0], doors[0], open=marks[0])
        cohorts.append(Cohort(numbers.day(start, year=False), size, cells))
        told = [Entry(numbers.day(start), start, open=marks[0]), replace(size, open=False)]
        told += [
            Entry(
                few(counts[column], answer, "matrix", row, column) + ("*" if marks[column] else ""),
                counts[column],
                doors[column],
            )
            for column in range(1, len(counts))
        ]
        rows.append([*told, *[Entry("")] * (wide - len(counts))])
    average = answer["weighted_average"]
    park = beside(bar, asked)
    middle = park.row("average", average[:wide]) if park else []
    return Shown(
        words=_words(bar, asked),
        context={
            "heads": heads,
            "cohorts": cohorts,
            "average": [
                Heat(numbers.share(one, 0), None if one is None else shade_of(one, scale)) for one in average[1:wide]
            ],
            "median": [
                Heat(numbers.share(one, 0), None if one is None else shade_of(one, scale)) for one in middle[1:]
            ],
            "parts": _parts(bar, answer, wide),
            "lines": _lines(bar, answer, heads, park.series(middle[1:]) if park else []),
            "legend": range(6),
            "starts": str(STARTS[bar.every]),
            "scale": [numbers.share(end, 0) for end in scale],
        },
        columns=[
            Column(str(STARTS[bar.every]), numeric=False),
            Column(_("Companies") if asked.get("count_by") else _("People")),
            *map(Column, heads),
        ],
        rows=rows,
        verdict=_verdict(bar, average),
        notes=_notes(bar, asked, answer, first, wide) + ([park.note] if park else []),
        empty=not any(size != 0 for size in (row[0] for row in answer["matrix"])),
    )  # fmt: skip


def _heat(counts: Sequence[int | None], column: int, unfinished: bool, href: str, scale: Scale, hidden: str) -> Heat:
    size, came = counts[0], counts[column]
    if size == 0:
        return Heat("", open=unfinished)
    if came is None:
        return Heat(hidden, None, href, unfinished, hidden)
    if size is None:
        return Heat("–", None, href, unfinished)
    told = _("%(came)s of %(size)s") % {"came": numbers.full(came), "size": numbers.full(size)}
    return Heat(numbers.share(came / size, 0), shade_of(came / size, scale), href, unfinished, told)


def _parts(bar: Bar, answer: Mapping[str, Any], wide: int) -> list[Part]:
    """The averages of each value of the breakdown, shaded by a scale of their own."""
    averages = {value: one["weighted_average"][:wide] for value, one in answer.get("by_value", {}).items()}
    known = [share for row in averages.values() for share in row[1:] if share is not None]
    scale = scale_of([[1, *known]], len(known) + 1)
    found = []
    for value, row in averages.items():
        cells = [Heat(numbers.share(share, 0), None if share is None else shade_of(share, scale),
                      _people_of(bar, value, column) if share else "")
                 for column, share in enumerate(row[1:], start=1)]  # fmt: skip
        found.append(Part(value_name(bar, value), _people_of(bar, value, 0), cells))
    return found


def _people_of(bar: Bar, value: str, column: int) -> str:
    """The address of those of all cohorts who started with a value and came back in a column."""
    return "" if value == OTHER else behind(bar, NAME, column=column, value=value)


def scale_of(matrix: Sequence[Sequence[float | None]], wide: int) -> Scale:
    """The shares at which the shades begin and end: whole tenths around those shown, at least three of them."""
    tenths = [
        10 * came / row[0]
        for row in matrix
        for came in row[1:wide]
        if row[0] and came is not None
    ]  # fmt: skip
    high = min(10, max(3, math.ceil(max(tenths, default=10))))
    low = min(math.floor(min(tenths, default=0)), high - 3)
    return low / 10, high / 10


def shade_of(share: float, scale: Scale) -> int:
    """0 at the lower end of the scale, 5 at the upper one."""
    low, high = scale
    return min(5, max(0, int((share - low) / (high - low) * 6)))


def _lines(bar: Bar, answer: Mapping[str, Any], heads: Sequence[str], more: Sequence[Series]) -> Chart | None:
    """The averages: of everybody beside the period before, or of each value of the breakdown."""
    wide = len(heads) + 1
    if "by_value" in answer:
        series = [
            Series(value_name(bar, value), one["weighted_average"][1:wide], "line", TONES[place] if place < 5 else "c6")
            for place, (value, one) in enumerate(answer["by_value"].items())
        ]
    else:
        series = [Series(_("Average"), answer["weighted_average"][1:wide], "line")]
        if "compare" in answer:
            before = list(answer["compare"]["weighted_average"][1:wide])
            series.append(Series(_("Period before"), before + [None] * (wide - 1 - len(before)), "dash", "c6"))
        series += more
    if not any(value is not None for one in series for value in one.values):
        return None
    return Chart(
        id="averages", label=_("Share of those who come back"), labels=heads, series=series, format="share",
        axis=_("After"), height="low",
    )  # fmt: skip


def _words(bar: Bar, asked: Mapping[str, Any]) -> str:
    start, back = (asked[key]["event"] or "" for key in ("start_event", "return_event"))
    named = {
        "place": bar.place.name,
        "start": event_label(start),
        "back": event_label(back),
        "every": INTERVALS[bar.every],
    }
    if asked["mode"] == "recurring" and not start and not back:
        return _("Of those at %(place)s who are active in a %(every)s, how many come back in later ones?") % named
    if asked["mode"] == "recurring":
        return (
            _(
                "Of those at %(place)s who did %(start)s in a %(every)s, how many come back and do %(back)s "
                "in later ones?"
            )
            % named
        )
    return (
        _(
            "Of those at %(place)s who did %(start)s for the first time, how many come back and do %(back)s, "
            "%(every)s by %(every)s?"
        )
        % named
    )  # fmt: skip


def _verdict(bar: Bar, average: Sequence[float | None]) -> str:
    """In natural frequencies: of 100 who start, so many come back."""
    known = [n for n in range(1, min(JUDGED_AT[bar.every], len(average) - 1) + 1) if average[n] is not None]
    if not known:
        return _("No cohort is old enough to say how many come back.")
    after = known[-1]
    share = average[after]
    assert share is not None
    of = {"n": after, "come": numbers.full(share * 100)}
    if bar.every == "day":
        return (
            ngettext(
                "Of 100 people who start, about %(come)s come back the next day.",
                "Of 100 people who start, about %(come)s come back after %(n)s days.",
                after,
            )
            % of
        )
    if bar.every == "week":
        return (
            ngettext(
                "Of 100 people who start, about %(come)s come back the next week.",
                "Of 100 people who start, about %(come)s come back after %(n)s weeks.",
                after,
            )
            % of
        )
    return ngettext(
        "Of 100 people who start, about %(come)s come back the next month.",
        "Of 100 people who start, about %(come)s come back after %(n)s months.",
        after,
    ) % of  # fmt: skip


def _notes(bar: Bar, asked: Mapping[str, Any], answer: Mapping[str, Any], first: int, wide: int) -> list[str]:
    notes = [_("* The interval is not over; the average leaves such cells out."), *hidden_note(answer)]
    if asked.get("cumulative"):
        notes.append(_("Counted is who comes back then or at any time later in the period."))
    if asked.get("min_return_count"):
        notes.append(
            _("Coming back means doing it at least %(n)s times in the interval.") % {"n": asked["min_return_count"]}
        )
    if first or wide < len(answer["starts"]):
        notes.append(
            _("Shown are the newest %(rows)s rows and the first %(columns)s columns; the average is over all.")
            % {"rows": MOST_ROWS, "columns": MOST_COLUMNS}
        )
    return notes


def fields(bar: Bar) -> dict[str, Any]:
    """What the form offers, and what is chosen."""
    return {
        "events": bar.names,
        "start": event_of(bar, "start"),
        "back": event_of(bar, "back"),
        "mode": one_of(bar, "mode", MODES),
        "modes": MODE_NAMES.items(),
        "after": bool(bar.request.GET.get("after")),
        "least": whole(bar, "least", 1, 1000),
    }


COLUMNS = {
    "day": gettext_lazy("Day %(n)s"),
    "week": gettext_lazy("Week %(n)s"),
    "month": gettext_lazy("Month %(n)s"),
}
MODE_NAMES = {
    "recurring": gettext_lazy("every time"),
    "first_time": gettext_lazy("the first time, with these conditions"),
    "first_ever": gettext_lazy("the first time ever"),
    "first_in_range": gettext_lazy("the first time in the period"),
}
KIND = Kind(
    name=NAME,
    title=gettext_lazy("Retention"),
    lead=gettext_lazy("Who starts, and how many of them come back."),
    definition=gettext_lazy(
        "A row holds the people who started in that interval; a column says which share of them came back so many "
        "intervals later. The average weighs cohorts by size and leaves out those too young for the column."
    ),
    icon="history",
    beside=True,
    question=question,
    show=show,
    fields=fields,
    usual="week",
    days=90,
)
