"""Trends: events and distinct people per period, by place, source, event or property, beside the period before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from uptake.activity.asking import OTHER
from uptake.directory.calendar import day_kinds_between
from uptake.directory.models import Kind as Level
from uptake.directory.models import Organization
from uptake.web import numbers
from uptake.web.pages.explore.bar import Bar
from uptake.web.pages.explore.kinds.beside import beside
from uptake.web.pages.explore.kinds.kind import Column, Entry, Kind, Shown, behind
from uptake.web.pages.explore.kinds.restated import restated_at
from uptake.web.pages.explore.kinds.words import STARTS
from uptake.web.parts import Chart, Series
from uptake.web.usage import labels_of, shades_of

TONES = ("c1", "c2", "c3", "c4", "c5")
NAME = "trends"


def question(bar: Bar) -> dict[str, Any]:
    """Events and people of the chosen events (none chosen: any that counts as activity)."""
    chosen = [name for name in bar.request.GET.getlist("event") if name]
    return bar.question("pv_uv", event_sel={"event": chosen or None}, limit=5 if bar.by else None)


def show(bar: Bar, asked: Mapping[str, Any], answer: Mapping[str, Any]) -> Shown:
    """A chart of people, one of events, and the table of both."""
    starts = [date.fromisoformat(start[:10]) for start in answer["starts"]]
    labels = [numbers.day(start, year=False) for start in starts]
    today = bar.chosen.period.today
    unfinished = [len(starts) - 1] if starts and bar.chosen.period.shown_last >= today else []
    series = _series(bar, answer, labels_count=len(labels))
    park = beside(bar, asked)
    middle = (
        [park.row(name, answer[own], per_head=True) for name, own in (("people", "uv"), ("events", "pv"))]
        if park
        else []
    )
    if park:
        for one, row in zip(("uv", "pv"), middle, strict=True):
            series[one] += park.series(row)
    kinds = day_kinds_between(bar.place, starts[0], starts[-1]) if starts and bar.every == "day" else {}
    pale = [index for index, start in enumerate(starts) if kinds and not kinds[start].works]
    shades = shades_of(kinds, starts) if kinds else []
    names = asked["event_sel"]["event"]
    what = ", ".join(labels_of(names).values()) if names else _("any activity")
    parts = answer.get("by_value", {})
    rows = []
    for index, start in enumerate(starts):
        people, events = answer["uv"][index], answer["pv"][index]
        door = behind(bar, NAME, start=answer["starts"][index])
        rows.append(
            [
                Entry(numbers.day(start), start, open=index in unfinished),
                Entry(_few(people), people, door if people else ""),
                Entry(_few(events), events, door if events else ""),
                *(Entry(numbers.full(row[index], 1), row[index]) for row in middle),
                *(_part(bar, value, one["uv"][index], answer["starts"][index]) for value, one in parts.items()),
            ]
        )
    if starts:
        everybody = behind(bar, NAME) if answer["total_uv"] else ""
        rows.append(
            [
                Entry(_("Whole period")),
                Entry(_few(answer["total_uv"]), answer["total_uv"], everybody),
                Entry(_few(answer["total_pv"]), answer["total_pv"], everybody),
                *(Entry("–") for _row in middle),
                *(_part(bar, value, one["total_uv"]) for value, one in parts.items()),
            ]
        )
    retold = restated_at(bar)
    notes = [_("The last period is not over.")] if unfinished else []
    if OTHER in parts:
        notes.append(_("“Other” is not drawn; it stands in the table."))
    return Shown(
        words=_("How many people did %(what)s per %(every)s at %(place)s, and how often?")
        % {"what": what, "every": INTERVALS[bar.every], "place": bar.place.name},
        context={
            "people": Chart(
                id="uv", label=_("People"), labels=labels, axis=str(STARTS[bar.every]), shades=shades,
                series=[_marked(one, unfinished, pale) for one in series["uv"]],
                marks=retold.marks(starts) if retold and starts else [],
            ),
            "restated": retold,
            "events": Chart(
                id="pv", label=_("Events"), labels=labels, axis=str(STARTS[bar.every]), height="low",
                series=[_marked(one, unfinished, pale) for one in series["pv"]],
            ),
        },
        columns=[
            Column(str(STARTS[bar.every]), numeric=False), Column(_("People")), Column(_("Events")),
            *([Column(_("People, median of the park")), Column(_("Events, median of the park"))] if park else []),
            *(Column(_("%(value)s, people") % {"value": value_name(bar, value)}) for value in parts),
        ],
        rows=rows,
        verdict=_("%(people)s different people, %(events)s events in the whole period.")
        % {"people": _few(answer["total_uv"]), "events": _few(answer["total_pv"])},
        notes=[*notes, *([park.note] if park else [])],
        empty=not answer["total_pv"] and answer["total_pv"] is not None,
    )  # fmt: skip


def _part(bar: Bar, value: str, people: int | None, start: str = "") -> Entry:
    """The people of one value of the breakdown, in an interval or in the whole period."""
    door = behind(bar, NAME, **({"start": start} if start else {}), value=value) if people and value != OTHER else ""
    return Entry(_few(people), people, door)


def _series(bar: Bar, answer: Mapping[str, Any], labels_count: int) -> dict[str, list[Series]]:
    found: dict[str, list[Series]] = {"uv": [], "pv": []}
    for key, label, tone in (("uv", _("People"), "c1"), ("pv", _("Events"), "c3")):
        if "by_value" in answer:
            drawn = {value: one for value, one in answer["by_value"].items() if value != OTHER}
            for index, (value, one) in enumerate(drawn.items()):
                found[key].append(
                    Series(value_name(bar, value), one[key], shape="line", tone=TONES[index] if index < 5 else "c6")
                )
            continue
        found[key].append(Series(label, answer[key], tone=tone))
        before = answer.get("compare")
        if before is not None:
            values = (list(before[key]) + [None] * labels_count)[:labels_count]
            found[key].append(Series(_("Period before"), values, shape="dash", tone="c6"))
    return found


def _marked(one: Series, unfinished: list[int], pale: list[int]) -> Series:
    return replace(one, open=unfinished, pale=pale) if one.shape == "bar" else one


def value_name(bar: Bar, value: str) -> str:
    """What a value of the breakdown is called."""
    if value == OTHER:
        return _("Other")
    if value == "":
        return _("(none)")
    if bar.by in ("organization", "company", "department") and value.isdecimal():
        return bar_names(bar).get(int(value), _("(none)"))
    if bar.by == "event":
        return labels_of([value])[value]
    return value


def bar_names(bar: Bar) -> dict[int, str]:
    """Names of the companies and departments at and below the place; in a park, departments with their company."""
    below = Organization.objects.filter(path__startswith=bar.place.path).values_list("pk", "name", "company__name")
    of_park = bar.place.kind == Level.PARK
    return {
        pk: f"{company} · {name}" if of_park and company and company != name else name for pk, name, company in below
    }


def _few(count: int | None) -> str:
    return "< 5" if count is None else numbers.full(count)


INTERVALS = {
    "hour": gettext_lazy("hour"),
    "day": gettext_lazy("day"),
    "week": gettext_lazy("week"),
    "month": gettext_lazy("month"),
}
KIND = Kind(
    name=NAME,
    title=gettext_lazy("Trends"),
    lead=gettext_lazy("How many people did what, how often, over time."),
    definition=gettext_lazy(
        "People are different persons with at least one event in the period; they do not add up from period to period. "
        "Days are local days of the place."
    ),
    icon="chart-line",
    beside=True,
    question=question,
    show=show,
    fields=lambda bar: {"events": bar.names, "chosen_events": bar.request.GET.getlist("event")},
)
