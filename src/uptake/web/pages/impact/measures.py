"""Metrics by name, definition and unit, and all that were measured as rows, tables and pictures of one report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from uptake.directory.models import Organization
from uptake.insight.impact.metrics import Measure, Metric, metric_of
from uptake.insight.impact.models import Intervention, Series
from uptake.statistics.plan import Kind
from uptake.web import numbers, parts
from uptake.web.catalogue import labels_of
from uptake.web.pages.impact.named_words import WORDS as NAMED_WORDS
from uptake.web.pages.impact.words import HELD, VERDICTS
from uptake.web.pages.transparency.words import Section

MEASURES: Mapping[Measure, tuple[str | Promise, str | Promise]] = {
    Measure.SHARE: (
        gettext_lazy("Share of people"),
        gettext_lazy("People with such an event that working day, of everybody the directory has in the department."),
    ),
    Measure.PER_HEAD: (
        gettext_lazy("Number per person"),
        gettext_lazy("Such events that working day, divided by everybody the directory has in the department."),
    ),
    Measure.RATIO: (
        gettext_lazy("Ratio of two events"),
        gettext_lazy("Such events that working day for each of the others; days without the others are unknown."),
    ),
    Measure.HOURS: (
        gettext_lazy("Hours between two events"),
        gettext_lazy(
            "Hours from the first of one event to the last of the other of the same object, counted where it ended."
        ),
    ),
    Measure.YES: (
        gettext_lazy("Share of events that say yes"),
        gettext_lazy("Of such events that tell this fact that working day, those of which it is true."),
    ),
    Measure.NO: (
        gettext_lazy("Share of events that say no"),
        gettext_lazy("Of such events that tell this fact that working day, those of which it is not true."),
    ),
    Measure.MEAN: (
        gettext_lazy("Mean of a number events tell"),
        gettext_lazy("The mean of the numbers such events tell as this fact that working day."),
    ),
    Measure.SERIES: (
        gettext_lazy("Business series"),
        gettext_lazy("What a file says of the department that day; days it says nothing of are unknown."),
    ),
    Measure.FAILED: (
        gettext_lazy("Share of failed operations"),
        gettext_lazy("Of all that counts as activity that working day but page views, what says that it failed."),
    ),
}
DECLARED = tuple(measure for measure in Measure if measure not in (Measure.FAILED, Measure.SERIES))
"""What can be chosen for an event of one's own."""
"""Name and definition. Version 1: `insight.impact.metrics.VERSION`."""
BINS = 16
WEEKS_BEFORE = 4
FEWEST_PLACES = 3
STRIP_EDGE = 3
"""Hundredths left free on either side."""
DAYS = 7


@dataclass(frozen=True)
class Measured:
    """One metric of a report, already written; `word` and `tone` are what is said of it."""

    name: str
    definition: str
    change: str
    interval: str
    relative: str
    raised: str
    grade: str
    word: str
    tone: str
    ends: tuple[float, float, float] | None = None
    """Low end, effect and high end as multiples of the smallest change that matters; None: nothing is claimed."""
    strip: Strip | None = None


@dataclass(frozen=True)
class Strip:
    """An effect with its interval on the scale that all metrics of a report share: positions in hundredths of it."""

    low: float
    value: float
    high: float
    zero: float


def metric_name(metric: Metric) -> str:
    """In the reader's language."""
    if metric.named in NAMED_WORDS:
        return str(NAMED_WORDS[metric.named].name)
    labels = labels_of(list(metric.events)).events
    names = {"event": labels.get(metric.event, metric.event), "of": labels.get(metric.of, metric.of)}
    if metric.measure is Measure.PER_HEAD:
        return _("Each person a working day: %(event)s") % names
    if metric.measure is Measure.RATIO:
        return _("%(event)s, for each: %(of)s") % names
    if metric.measure is Measure.HOURS:
        return _("Hours from “%(of)s” to “%(event)s”") % names
    if metric.measure is Measure.YES:
        return _("%(event)s: share with “%(of)s”") % names
    if metric.measure is Measure.SERIES:
        known = Series.objects.filter(pk=int(metric.of)).first()
        return known.name if known else _("Business series")
    if metric.measure is Measure.NO:
        return _("%(event)s: share without “%(of)s”") % names
    if metric.measure is Measure.MEAN:
        return _("%(event)s: mean of “%(of)s”") % names
    if metric.measure is Measure.FAILED:
        return str(NAMED_WORDS["failed"].name)
    if not metric.event:
        return _("Active people a working day")
    return _("People a working day: %(event)s") % names


def size_of(metric: Metric, value: Any) -> str:
    """Without a sign, in the metric's unit."""
    if metric.kind is Kind.RATE:
        return f"{numbers.full(float(value) * 100, 1)} {_('pp')}"
    return f"{numbers.full(float(value), 2)} {unit_of(metric)}".strip()


def change_of(metric: Metric, value: Any) -> str:
    """With its sign, in the metric's unit."""
    if metric.kind is Kind.RATE:
        return numbers.points_apart(float(value))
    return f"{numbers.signed(float(value), 2)} {unit_of(metric)}".strip()


def p_of(value: float) -> str:
    """A p-value: never nought, which it never is."""
    return _("below %(p)s") % {"p": numbers.full(0.001, 3)} if value < 0.001 else numbers.full(value, 3)


def unit_of(metric: Metric) -> str:
    return _("h") if metric.measure is Measure.HOURS else ""


def measured(told: Mapping[str, Any]) -> list[Measured]:
    """The primary metric, those looked at beside, and what must not rise."""
    rows = [_row(one, one["result"]["verdict"]) for one in told["metrics"]]
    for one in told.get("others", ()):
        if one["result"] is None:
            rows.append(_row(one, ""))
        else:
            claimed = one["result"]["verdict"] in ("increase", "decrease")
            rows.append(_row(one, "cannot_tell" if claimed and not one.get("holds") else one["result"]["verdict"]))
    for rail in told["guardrails"]:
        word, tone = HELD[rail["held"]]
        row = _row(rail, rail["result"]["verdict"])
        rows.append(replace(row, word=str(word), tone=tone))
    return _on_one_scale(rows)


def _on_one_scale(rows: Sequence[Measured]) -> list[Measured]:
    """With the strips of those that claim something."""
    known = [end for row in rows if row.ends is not None for end in row.ends]
    low, high = min(known, default=0.0), max(known, default=0.0)
    low, high = min(low, -1.0), max(high, 1.0)

    def place(value: float) -> float:
        return round(STRIP_EDGE + (value - low) / (high - low) * (100 - 2 * STRIP_EDGE), 2)

    return [
        row
        if row.ends is None
        else replace(row, strip=Strip(place(row.ends[0]), place(row.ends[1]), place(row.ends[2]), place(0)))
        for row in rows
    ]


def by_ratio(result: Mapping[str, Any]) -> bool:
    """Whether only a relative change is estimated: a rule changed everywhere, held against what it does not pay."""
    return bool(result["design"] == "action_contrast")


def _row(one: Mapping[str, Any], verdict: str) -> Measured:
    metric, result = metric_of(one), one["result"]
    name, definition = metric_name(metric), str(MEASURES[metric.measure][1])
    if result is None:
        return Measured(name, definition, "–", "–", "–", "–", "–", _("Not measured: no such event was recorded"), "")
    estimate, relative = result["estimate"], result["relative"]
    stated = estimate is not None and estimate["low"] is not None and verdict not in ("description", "interim", "")
    share = relative["value"] if stated and relative else None
    raised = one.get("adjusted")
    plain = stated and not by_ratio(result)
    word, tone = VERDICTS[verdict]
    least = one.get("smallest") or one.get("margin")
    ends = [estimate[end] / least for end in ("low", "value", "high")] if plain and least else None
    return Measured(
        name,
        definition,
        change_of(metric, estimate["value"]) if plain else "–",
        f"{change_of(metric, estimate['low'])} … {change_of(metric, estimate['high'])}" if plain else "–",
        "–" if share is None else f"{numbers.signed(share * 100)}%",
        "–" if raised is None or not stated else p_of(raised),
        result["grade"],
        str(word) if stated or verdict == "cannot_tell" else _("Not measured causally"),
        tone,
        (ends[0], ends[1], ends[2]) if ends else None,
    )


def forest(told: Mapping[str, Any]) -> parts.Chart | None:
    """All metrics on one scale: how many times the smallest change that matters."""
    lines = []
    for one in (*told["metrics"], *told.get("others", ())):
        estimate = one["result"] and one["result"]["estimate"]
        plain = estimate and estimate["low"] is not None and not by_ratio(one["result"])
        if plain and one["result"]["verdict"] not in ("description", "interim"):
            ends = [estimate[part] / one["smallest"] for part in ("low", "value", "high")]
            lines.append((metric_name(metric_of(one)), ends))
    if len(lines) < 2:
        return None
    low, value, high = ([ends[at] for _name, ends in lines] for at in range(3))
    return parts.Chart(
        id="impact-forest",
        label=_("Effects with their 95% intervals, as multiples of the smallest that matters"),
        axis=_("Metric"),
        labels=[name for name, _ends in lines],
        series=[parts.Series(_("Effect"), value, "dot", "c1", low=low, high=high)],
        levels=[parts.Level(1, _("Smallest that matters"), "c2")],
        format="decimal",
        lying=True,
    )


def placebo(one: Mapping[str, Any]) -> parts.Chart | None:
    """What came out when the starts were dealt out anew, and where the estimate stands among it."""
    drawn, estimate = one["result"]["placebo"], one["result"]["estimate"]
    drawn = [value for value in drawn if value is not None]
    if len(drawn) < BINS or estimate is None or estimate["value"] is None:
        return None
    metric = metric_of(one)
    scale = 100 if metric.kind is Kind.RATE else 1
    low, high = min(*drawn, estimate["value"]), max(*drawn, estimate["value"])
    width = (high - low) / BINS or 1.0
    where = Counter(min(int((value - low) / width), BINS - 1) for value in drawn)
    return parts.Chart(
        id="impact-placebo",
        label=_("How often each size of effect came out when the starts were dealt out anew"),
        axis=_("Effect"),
        labels=[numbers.signed((low + (at + 0.5) * width) * scale, 1) for at in range(BINS)],
        series=[parts.Series(_("Times"), [where[at] for at in range(BINS)], "bar", "c3")],
        marks=[parts.Mark(min(int((estimate["value"] - low) / width), BINS - 1), _("As it was"))],
    )


def left_out(one: Mapping[str, Any], names: Mapping[str, Organization]) -> parts.Chart | None:
    """The estimate without each department in turn."""
    strip = [(unit, value) for unit, value in one["result"]["leave_one_out"] if value is not None]
    if len(strip) < 3:
        return None
    whole = one["result"]["estimate"] and one["result"]["estimate"]["value"]
    scale = 100 if metric_of(one).kind is Kind.RATE else 1
    return parts.Chart(
        id="impact-left-out",
        label=_("The effect when one department is left out"),
        axis=_("Left out"),
        labels=[place_name(unit, names) for unit, _value in strip],
        series=[parts.Series(_("Effect"), [value * scale for _unit, value in strip], "dot", "c1")],
        levels=[] if whole is None else [parts.Level(whole * scale, _("With all departments"))],
        format="decimal",
    )


def calendar(intervention: Intervention) -> parts.Chart:
    """How many departments had begun and how many waited, week by week."""
    starts = sorted(date.fromisoformat(day) for day in intervention.starts.values() if day)
    week = starts[0] - timedelta(days=starts[0].weekday() + WEEKS_BEFORE * DAYS)
    weeks: list[date] = []
    while week <= intervention.until:
        weeks.append(week)
        week += timedelta(days=DAYS)
    begun = [sum(day < week + timedelta(days=DAYS) for day in starts) for week in weeks]
    if intervention.by_people:
        return _people_calendar(intervention, weeks, [min(many, 1) for many in begun])
    return parts.Chart(
        id="impact-calendar",
        label=_("Departments that had begun and departments that waited, by week"),
        axis=_("Week of"),
        labels=[numbers.day(week, year=False) for week in weeks],
        series=[
            parts.Series(_("Already begun"), begun, "stack", "c1"),
            parts.Series(_("Still waiting"), [len(intervention.starts) - many for many in begun], "stack", "c4"),
        ],
    )


def _people_calendar(intervention: Intervention, weeks: Sequence[date], begun: Sequence[int]) -> parts.Chart:
    """How many people drawn by lot had begun and how many waited, week by week."""
    lot = intervention.plan["lot"]
    return parts.Chart(
        id="impact-calendar",
        label=_("People that had begun and people that waited, by week"),
        axis=_("Week of"),
        labels=[numbers.day(week, year=False) for week in weeks],
        series=[
            parts.Series(_("Already begun"), [lot["begin"] * on for on in begun], "stack", "c1"),
            parts.Series(_("Still waiting"), [lot["of"] - lot["begin"] * on for on in begun], "stack", "c4"),
        ],
    )


def place_name(slug: str, names: Mapping[str, Organization]) -> str:
    place = names.get(slug)
    if place is None:
        return slug
    return f"{place.company.name} · {place.name}" if place.company else place.name


def metrics_section(rows: Sequence[Measured]) -> Section:
    """All metrics as a table of a file."""
    heads = (_("Metric"), _("Change"), _("95% interval"), _("Relative"), _("p, raised"), _("Grade"), _("Result"))
    cells = [(row.name, row.change, row.interval, _shared(row), row.raised, row.grade, row.word) for row in rows]
    lead = _("Changes of shares are in percentage points. Relative: of what would have been without it.")
    return Section(_("All metrics"), lead, heads, cells, "", frozenset({1, 2, 3, 4}))


def _shared(row: Measured) -> str:
    """The relative change with the word: out of its table a bare percentage would be taken for percentage points."""
    return _("%(share)s relative") % {"share": row.relative} if "%" in row.relative else row.relative


def checks_section(checks: Iterable[Any]) -> Section:
    cells = [(one.name, one.light, one.number, one.reason) for one in checks]
    heads = (_("Check"), _("Result"), _("Number"), _("Why"))
    return Section(_("Checks"), "", heads, cells, "", frozenset({2}))


def side_by_side(told: Mapping[str, Any], names: Mapping[str, Organization]) -> parts.Chart | None:
    """How behaviour and the work behind it changed, place by place; None where fewer than three places are large enough
    or no work was registered."""
    outcome = told.get("outcome") or {}
    places = outcome.get("places", ())
    if len(places) < FEWEST_PLACES:
        return None
    behaviour, work = metric_of(told["metrics"][0]), metric_of(outcome)
    scales = [100 if metric.kind is Kind.RATE else 1 for metric in (behaviour, work)]

    def of(began: bool) -> list[float | None]:
        return [one["outcome"] * scales[1] if one["began"] is began else None for one in places]

    return parts.Chart(
        id="impact-places",
        label=_("Change since the start, place by place: to the right of “%(behaviour)s”, upwards of “%(work)s”")
        % {"behaviour": _in_unit(behaviour), "work": _in_unit(work)},
        axis=_("Place"),
        labels=[_point_name(one, names) for one in places],
        series=[
            parts.Series(_("Work, where it began"), of(True), "dot", "c1"),
            parts.Series(_("Work, where it waited"), of(False), "dot", "c4"),
            parts.Series(_("Behaviour"), [one["behaviour"] * scales[0] for one in places], "along", "c6"),
        ],
        format="decimal",
        height="high",
    )


def _in_unit(metric: Metric) -> str:
    unit = _("pp") if metric.kind is Kind.RATE else unit_of(metric)
    return f"{metric_name(metric)} ({unit})" if unit else metric_name(metric)


def _point_name(one: Mapping[str, Any], names: Mapping[str, Organization]) -> str:
    people = ngettext("%(n)s person", "%(n)s people", one["people"]) % {"n": numbers.full(one["people"])}
    if len(one["units"]) == 1:
        return f"{place_name(one['units'][0], names)} · {people}"
    known = names.get(one["units"][0])
    company = known.company.name if known is not None and known.company is not None else one["company"]
    many = len(one["units"])
    departments = ngettext("%(n)s department", "%(n)s departments", many) % {"n": numbers.full(many)}
    return f"{company} · {departments} · {people}"


def chart_section(chart: parts.Chart) -> Section:
    """A picture with the table under it."""
    heads = (str(chart.axis), *chart.columns)
    cells = [(label, *written) for label, _href, written in chart.rows()]
    return Section(str(chart.label), "", heads, cells, "", frozenset(range(1, len(heads))), chart)


def lines_section(title: str, lines: Sequence[str]) -> Section:
    return Section(title, "", (_("In words"),), [(line,) for line in lines], "")
