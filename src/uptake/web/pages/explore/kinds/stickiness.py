"""Stickiness: how many people were active on so many days (weeks, months) of the period."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from uptake.directory.calendar import day_kinds_between
from uptake.web import numbers
from uptake.web.pages.explore.bar import Bar
from uptake.web.pages.explore.kinds.beside import beside
from uptake.web.pages.explore.kinds.kind import Column, Entry, Kind, Shown, behind
from uptake.web.pages.explore.kinds.trends import TONES, value_name
from uptake.web.pages.explore.kinds.words import event_label, event_of, few, hidden_note, whole
from uptake.web.parts import Chart, Mark, Series

NAME = "stickiness"


def question(bar: Bar) -> dict[str, Any]:
    """People by their active intervals of the period, without today, which is not over."""
    least = whole(bar, "least", 1, 1000)
    event = event_of(bar)
    return bar.question(
        "stickiness",
        event_sel={"event": event or None},
        to=bar.chosen.period.last.isoformat(),
        compare="previous" if bar.chosen.compare and not bar.by else None,
        criteria={"op": "gte", "value": least} if least > 1 else None,
        limit=5 if bar.by else None,
    )


def show(bar: Bar, asked: Mapping[str, Any], answer: Mapping[str, Any]) -> Shown:
    """A bar per number of active intervals; every bar opens its people."""
    every = answer["by_active_intervals"]
    period = bar.chosen.period
    working = sum(day.works for day in day_kinds_between(bar.place, period.first, period.last).values())
    reached = max((place for place, count in enumerate(every, 1) if count != 0), default=0)
    bars = every[: max(reached, working) if bar.every == "day" else len(every)]
    labels = [numbers.full(place) for place in range(1, len(bars) + 1)]
    doors = [behind(bar, NAME, intervals=place + 1) if count else "" for place, count in enumerate(bars)]
    series, heads, parts, values = [], [_("People")], [bars], [""]
    if "by_value" in answer:
        for place, (value, one) in enumerate(answer["by_value"].items()):
            name = value_name(bar, value)
            heads.append(name)
            parts.append(one["by_active_intervals"][: len(bars)])
            values.append(value)
            series.append(Series(name, parts[-1], "line", TONES[place] if place < 5 else "c6"))
    else:
        series.append(Series(_("People"), bars))
        if "compare" in answer:
            before = answer["compare"]["by_active_intervals"][: len(bars)]
            heads.append(_("Period before"))
            parts.append(before)
            values.append("")
            series.append(Series(_("Period before"), [*before, *[None] * (len(bars) - len(before))], "tick", "c6"))
    park, middle = beside(bar, asked), []
    if park:
        total = sum(count or 0 for count in bars)
        row = park.row("shares", bars)
        middle = [None if one is None or None in bars else round(one * total, 1) for one in row]
        heads.append(_("Median of the park"))
        series += park.series(middle)
    by_day = bar.every == "day" and 0 < working <= len(bars)
    marks = [Mark(working - 1, _("all working days"))] if by_day and working < len(bars) else []
    rows = [
        [
            Entry(labels[place], place + 1),
            Entry(few(bars[place], answer, "by_active_intervals", place), bars[place], doors[place]),
            *(
                Entry(few(part[place], answer, "by_value", value, "by_active_intervals", place), part[place])
                if place < len(part)
                else Entry("–")
                for value, part in zip(values[1:], parts[1:], strict=True)
            ),
            *([Entry(numbers.full(middle[place], 1), middle[place])] if park else []),
        ]
        for place in range(len(bars))
    ]
    notes = [
        ngettext("The period has %(n)s working day.", "The period has %(n)s working days.", working) % {"n": working}
    ]
    notes += hidden_note(answer) + ([park.note] if park else [])
    if asked.get("criteria"):
        notes.append(_("An interval counts as active from %(n)s events on.") % {"n": asked["criteria"]["value"]})
    return Shown(
        words=_words(bar, asked),
        context={
            "chart": Chart(
                id="stickiness", label=_("People by active %(every)s") % {"every": PLURALS[bar.every]}, labels=labels,
                series=series, axis=_("Active %(every)s") % {"every": PLURALS[bar.every]}, marks=marks,
                links=doors if all(doors) or any(doors) else (), height="middle",
            ),
        },
        columns=[Column(_("Active %(every)s") % {"every": PLURALS[bar.every]}, numeric=False), *map(Column, heads)],
        rows=rows,
        verdict=_verdict(bar, bars, working if by_day else len(bars)),
        notes=notes,
        empty=not any(count != 0 for count in bars),
    )  # fmt: skip


def _words(bar: Bar, asked: Mapping[str, Any]) -> str:
    event = asked["event_sel"]["event"]
    named = {"every": PLURALS[bar.every], "place": bar.place.name, "what": event_label(event or "")}
    if event:
        return _("On how many %(every)s of the period did people at %(place)s do %(what)s?") % named
    return _("On how many %(every)s of the period were people at %(place)s active?") % named


def _verdict(bar: Bar, bars: list[int | None], all_of_them: int) -> str:
    """Of 100 active people so many were active on at least half of the days."""
    known = [count for count in bars if count is not None]
    total = sum(known)
    if len(known) < len(bars) or not total:
        return ""
    half = max(1, -(-all_of_them // 2))
    often = sum(known[half - 1 :])
    told = {"n": half, "often": numbers.full(often / total * 100), "every": PLURALS[bar.every], "all": all_of_them}
    if bar.every == "day":
        return (
            _(
                "Of 100 people who were active at all, about %(often)s were on %(n)s days or more "
                "(%(all)s working days)."
            )
            % told
        )
    return _("Of 100 people who were active at all, about %(often)s were in %(n)s of %(all)s %(every)s or more.") % told


def fields(bar: Bar) -> dict[str, Any]:
    """What the form offers, and what is chosen."""
    return {"events": bar.names, "event": event_of(bar), "least": whole(bar, "least", 1, 1000)}


PLURALS = {"day": gettext_lazy("days"), "week": gettext_lazy("weeks"), "month": gettext_lazy("months")}
KIND = Kind(
    name=NAME,
    title=gettext_lazy("Stickiness"),
    lead=gettext_lazy("On how many days people come: is it a habit?"),
    definition=gettext_lazy(
        "A bar holds the people who were active on exactly so many days of the period. Days are local days of the "
        "place; weeks and months count as active with one event in them."
    ),
    icon="chart-histogram",
    beside=True,
    question=question,
    show=show,
    fields=fields,
)
