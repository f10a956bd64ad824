"""Sessions: how many, how long, of how many actions, and how many were left at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from uptake.directory.calendar import day_kinds_between
from uptake.web import numbers
from uptake.web.pages.explore.bar import Bar
from uptake.web.pages.explore.kinds.beside import Beside, beside
from uptake.web.pages.explore.kinds.kind import Column, Entry, Kind, Shown, behind
from uptake.web.pages.explore.kinds.trends import value_name
from uptake.web.pages.explore.kinds.words import INTERVALS, STARTS, event_label, event_of, few, hidden_note
from uptake.web.parts import Change, Chart, Kpi, Series
from uptake.web.usage import shades_of

NAME = "sessions"
GAPS = ("30", "15", "60", "120")
"""Minutes of silence after which a session is over; the first is usual."""
FIGURES = ("median_seconds", "events_per_session", "bounce_rate")
"""What stands beside the park's median in the strip."""
BINS = (1, 60, 300, 900, 1800, 3600)
"""Seconds at which a bar of the histogram begins, after the one of sessions with a single event."""


def question(bar: Bar) -> dict[str, Any]:
    """The sessions of everything one does, or of a chosen event."""
    return bar.question(
        "sessions",
        event_sel={"event": event_of(bar) or None},
        timeout_seconds=60 * int(gap_of(bar)),
        duration_bins=list(BINS),
        limit=10 if bar.by else None,
    )


def gap_of(bar: Bar) -> str:
    """The minutes of silence after which a session is over."""
    said = bar.request.GET.get("gap", "")
    return said if said in GAPS else GAPS[0]


def show(bar: Bar, asked: Mapping[str, Any], answer: Mapping[str, Any]) -> Shown:
    """A strip of figures, sessions by day, and how long they last."""
    starts = [date.fromisoformat(start[:10]) for start in answer["starts"]]
    labels = [numbers.day(start, year=False) for start in starts]
    unfinished = [len(starts) - 1] if starts and bar.chosen.period.shown_last >= bar.chosen.period.today else []
    kinds = day_kinds_between(bar.place, starts[0], starts[-1]) if starts and bar.every == "day" else {}
    pale = [place for place, start in enumerate(starts) if kinds and not kinds[start].works]
    each = answer["per_interval"]
    series = [Series(_("Sessions"), each["sessions"], pale=pale, open=unfinished)]
    if "compare" in answer:
        before = list(answer["compare"]["per_interval"]["sessions"])
        series.append(Series(_("Period before"), (before + [None] * len(labels))[: len(labels)], "dash", "c6"))
    park = beside(bar, asked)
    middle = park.row("sessions", each["sessions"], per_head=True) if park else []
    series += park.series(middle) if park else []
    columns, rows = _by_interval(bar, answer, starts, unfinished, middle)
    if "by_value" in answer:
        columns, rows = _by_value(bar, answer)
    return Shown(
        words=_("How often, and for how long, do people at %(place)s work? Counted: %(what)s, per %(every)s.")
        % {
            "place": bar.place.name,
            "what": event_label(asked["event_sel"]["event"] or ""),
            "every": INTERVALS[bar.every],
        },
        context={
            "kpis": _kpis(answer, answer.get("compare"), park),
            "chart": Chart(
                id="sessions", label=_("Sessions"), labels=labels, series=series, axis=str(STARTS[bar.every]),
                shades=shades_of(kinds, starts) if kinds else [],
            ),
            "durations": _durations(bar, answer["by_duration"]) if "by_duration" in answer else None,
        },
        columns=columns,
        rows=rows,
        verdict=_verdict(answer),
        notes=[
            *([_("The last period is not over.")] if unfinished else []), *hidden_note(answer),
            *([park.note] if park else []),
        ],
        empty=answer["sessions"] == 0,
    )  # fmt: skip


def _by_interval(
    bar: Bar, answer: Mapping[str, Any], starts: list[date], unfinished: list[int], middle: Sequence[float | None]
) -> tuple[list[Column], list[list[Entry]]]:
    each = answer["per_interval"]
    rows = []
    for place, start in enumerate(starts):
        people, sessions = each["people"][place], each["sessions"][place]
        href = behind(bar, NAME, start=answer["starts"][place]) if people else ""
        rows.append([
            Entry(numbers.day(start), start, open=place in unfinished),
            Entry(few(sessions, answer, "per_interval", "sessions", place), sessions, href),
            Entry(few(people), people, href),
            _long(each["average_seconds"][place]),
            *([Entry(numbers.full(middle[place], 1), middle[place])] if middle else []),
        ])  # fmt: skip
    heads = [_("Sessions"), _("People"), _("Average length")]
    heads += [_("Sessions, median of the park")] if middle else []
    return [Column(str(STARTS[bar.every]), numeric=False), *map(Column, heads)], rows


def _by_value(bar: Bar, answer: Mapping[str, Any]) -> tuple[list[Column], list[list[Entry]]]:
    rows = []
    for value, one in answer["by_value"].items():
        href = behind(bar, NAME, value=value) if one["people"] else ""
        rows.append([
            Entry(value_name(bar, value), value_name(bar, value)),
            Entry(few(one["sessions"], answer, "by_value", value, "sessions"), one["sessions"], href),
            Entry(few(one["people"], answer, "by_value", value, "people"), one["people"], href),
            _long(one["median_seconds"]),
            Entry(_decimal(one["events_per_session"]), one["events_per_session"]),
            Entry(numbers.share(one["bounce_rate"]), one["bounce_rate"]),
        ])  # fmt: skip
    heads = [_("Sessions"), _("People"), _("Median length"), _("Actions per session"), _("Bounces")]
    return [Column(_("Value"), numeric=False), *map(Column, heads)], rows


def _long(seconds: float | None) -> Entry:
    return Entry("–" if seconds is None else numbers.span(seconds), seconds)


def _decimal(value: float | None) -> str:
    return "–" if value is None else numbers.full(value, 1)


def _kpis(now: Mapping[str, Any], before: Mapping[str, Any] | None, park: Beside | None) -> list[Kpi]:
    own = [now.get(name) for name in FIGURES]
    middle = dict(zip(FIGURES, park.row("figures", own), strict=True)) if park else {}

    def beside_it(key: str, written: Callable[[float], str]) -> str:
        value = middle.get(key)
        return "" if value is None else _("median of the park: %(figure)s") % {"figure": written(value)}

    def change(key: str, good: bool | None) -> Change | None:
        if before is None or not before.get(key) or now.get(key) is None:
            return None
        part = now[key] / before[key] - 1
        up = None if abs(part) < 0.0005 else part > 0
        text = numbers.signed(part * 100, 1) + "%" if up is not None else "±0.0%"
        return Change(text, _("period before"), up, None if up is None or good is None else up is good)

    median = now.get("median_seconds")
    bounces, bounces_before = now.get("bounce_rate"), before.get("bounce_rate") if before is not None else None
    return [
        Kpi(
            _("Sessions"),
            few(now["sessions"], now, "sessions"),
            change=change("sessions", True),
            note=_("in the period"),
        ),
        Kpi(_("People"), few(now["people"], now, "people"), change=change("people", True), note=_("in the period")),
        Kpi(
            _("Median length"),
            "–" if median is None else numbers.span(median),
            change=change("median_seconds", None),
            note=beside_it("median_seconds", numbers.span),
            hint=_("Half of the sessions are shorter. From the first event of a session to the last."),
        ),
        Kpi(
            _("Actions per session"),
            _decimal(now.get("events_per_session")),
            change=change("events_per_session", None),
            note=beside_it("events_per_session", _decimal),
        ),
        Kpi(
            _("Bounces"),
            numbers.share(bounces),
            change=None if bounces is None or bounces_before is None else _points(bounces - bounces_before),
            note=beside_it("bounce_rate", numbers.share),
            hint=_("The share of sessions with at most one page view; work without page views counts as such."),
        ),
    ]


def _points(gap: float) -> Change:
    """The change of a share, in percentage points; fewer bounces are better."""
    up = None if abs(gap) < 0.0005 else gap > 0
    return Change(numbers.points_apart(gap), _("period before"), up, None if up is None else not up)


def _durations(bar: Bar, binned: Mapping[str, Any]) -> Chart:
    doors = [behind(bar, NAME, duration=place) if people else "" for place, people in enumerate(binned["people"])]
    edges = [*binned["from_seconds"], None]
    return Chart(
        id="durations",
        label=_("Sessions by length"),
        labels=[_bin(low, high) for low, high in pairwise(edges)],
        series=[Series(_("Sessions"), binned["sessions"]), Series(_("People"), binned["people"], "tick", "c3")],
        axis=_("Length"),
        height="low",
        links=doors if any(doors) else (),
    )


def _bin(low: int, high: int | None) -> str:
    """One event; under 1 min; 5 min – 15 min; 1 h and more."""
    if low == 0:
        return _("a moment")
    if high is None:
        return _("%(span)s and more") % {"span": numbers.span(low)}
    if low == 1:
        return _("under %(span)s") % {"span": numbers.span(high)}
    return _("%(low)s – %(high)s") % {"low": numbers.span(low), "high": numbers.span(high)}


def _verdict(answer: Mapping[str, Any]) -> str:
    if answer.get("median_seconds") is None or answer.get("events_per_session") is None:
        return ""
    if answer["median_seconds"] < 1:
        return _("More than half of the sessions are a single moment; a session has %(events)s actions on average.") % {
            "events": numbers.full(answer["events_per_session"], 1)
        }
    return _("Half of the sessions last longer than %(median)s; a session has %(events)s actions on average.") % {
        "median": numbers.span(answer["median_seconds"]),
        "events": numbers.full(answer["events_per_session"], 1),
    }


def fields(bar: Bar) -> dict[str, Any]:
    """What the form offers, and what is chosen."""
    return {"events": bar.names, "event": event_of(bar), "gap": gap_of(bar), "gaps": sorted(GAPS, key=int)}


KIND = Kind(
    name=NAME,
    title=gettext_lazy("Sessions"),
    lead=gettext_lazy("How often and how long people are at work in the system."),
    definition=gettext_lazy(
        "A session is a person's events with no longer pause between them than the one chosen. It lasts from its "
        "first event to its last; one with a single event lasts a moment. Bounces are sessions with at most one page "
        "view."
    ),
    icon="clock-play",
    question=question,
    show=show,
    fields=fields,
    beside=True,
)
