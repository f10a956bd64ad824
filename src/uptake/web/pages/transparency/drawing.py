"""Charts as drawings of a PDF: the same values that the page's script draws, in print's colours."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from uptake.web import numbers
from uptake.web.pages.transparency.letters import runs_of, width_of
from uptake.web.parts import Chart, Series

TONES: Final = {
    "c1": "#0B6E63", "c2": "#C9761F", "c3": "#2F57CC", "c4": "#3494D6", "c5": "#A50B42", "c6": "#7D888C",
}  # fmt: skip
GRID, AXIS, INK = "#E9EDED", "#C9D1D1", "#465655"
HEIGHT: Final = 150.0
"""Of a picture whose names stand below, in points; where bars lie it grows with the names."""
LINE_HEIGHT: Final = 17.0
LETTER: Final = 7.0
NAMES: Final = 130.0
"""Room for the names on the left."""
NUMBERS: Final = 34.0
GAP: Final = 34.0
"""Least room between the beginnings of two labels below."""
BAND: Final = 0.14
FEWEST_STEPS: Final = 4


class Field(NamedTuple):
    """Where values and positions lie on the paper, in points from the lower left corner."""

    low: float
    high: float
    """The ends of the axis of numbers."""
    ticks: Sequence[float]
    value: Callable[[float], float]
    place: Callable[[float], float]
    """The middle of a position of the other axis."""
    step: float
    """Between two positions."""
    left: float
    bottom: float
    right: float
    top: float
    lying: bool
    below: Sequence[tuple[float, float]] = ()
    """(x, number) of the ticks below, where the axis below is one of numbers."""

    def at(self, place: float, value: float) -> tuple[float, float]:
        """(x, y) of a value at a position."""
        pair = (self.place(place), self.value(value))
        return (pair[1], pair[0]) if self.lying else pair


def drawing_of(chart: Chart, width: float) -> Any:
    """The chart as a drawing of ReportLab, `width` points wide, with a legend where more than one thing is drawn."""
    from reportlab.graphics.shapes import Drawing

    drawn = [one for one in chart.series if one.shape != "along"]
    named = [(one.name, one.tone, one.shape in ("line", "dot", "dash")) for one in drawn]
    named += [(level.label, level.tone, True) for level in chart.levels]
    legend = 12.0 if len(named) > 1 else 0.0
    height = (len(chart.labels) * LINE_HEIGHT + 26 if chart.lying else HEIGHT) + legend
    drawing = Drawing(width, height)
    field = _field(chart, width, height - legend - (10 if chart.marks else 4))
    for shape in _shapes(chart, field):
        drawing.add(shape)
    if legend:
        for shape in _legend(named, field.left, height - 8):
            drawing.add(shape)
    return drawing


def steps_of(low: float, high: float) -> list[float]:
    """Round numbers over the whole span, four to eight of them, 0 among them if it lies within."""
    span = high - low or 1.0
    rough = span / FEWEST_STEPS
    unit = 10 ** math.floor(math.log10(rough))
    step = max(one * unit for one in (1, 2, 2.5, 5, 10) if one * unit <= rough * (1 + 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(number * step, 10) for number in range(first, last + 1)]


def _ends(chart: Chart) -> tuple[float, float]:
    """The smallest and the largest number drawn; 0 is always among them, stacks are added up."""
    found = [0.0, *(level.at for level in chart.levels)]
    stacks = [one for one in chart.series if one.shape == "stack"]
    for at in range(len(chart.labels)):
        for below in (False, True):
            total = sum(one.values[at] or 0 for one in stacks if one.below is below)
            found.append(-total if below else total)
    for one in chart.series:
        if one.shape not in ("stack", "along"):
            found += [value for values in (one.values, one.low, one.high) for value in values if value is not None]
    return min(found), max(found)


def _field(chart: Chart, width: float, top: float) -> Field:
    low, high = _ends(chart)
    if low == high:
        high = low + 1
    ticks = steps_of(low, high)
    low, high = min(ticks[0], low), max(ticks[-1], high)
    many = max(len(chart.labels), 1)
    widest = max(width_of(_tick(chart, tick), LETTER) for tick in ticks)
    left, bottom = NAMES if chart.lying else max(NUMBERS, widest + 6), 16.0
    right = width - (max(8.0, widest / 2) if chart.lying else 4.0)
    start, room = (left, right - left) if chart.lying else (bottom, top - bottom)
    step = (top - bottom if chart.lying else right - left) / many

    def value(number: float) -> float:
        return start + (number - low) / (high - low) * room

    along = _along(chart)
    x_ticks = steps_of(min(0.0, *along), max(0.0, *along)) if along else []
    x_low, x_high = min([0.0, *x_ticks, *along]), max([0.0, *x_ticks, *along])

    def stands(number: float) -> float:
        return left + (number - x_low) / (x_high - x_low or 1.0) * (right - left)

    def place(position: float) -> float:
        if along:
            return left if position < 0 else right if position > many - 1 else stands(along[int(position)])
        # Lying names are read from the top.
        return top - (position + 0.5) * step if chart.lying else left + (position + 0.5) * step

    below = [(stands(tick), tick) for tick in x_ticks]
    return Field(low, high, ticks, value, place, step, left, bottom, right, top, chart.lying, below)


def _along(chart: Chart) -> list[float]:
    """Where the dots stand from left to right, where that is an axis of numbers."""
    return [value or 0.0 for one in chart.series if one.shape == "along" for value in one.values]


def _shapes(chart: Chart, field: Field) -> Iterator[Any]:
    from reportlab.graphics.shapes import Line

    yield from _axes(chart, field)
    for one in chart.series:
        if one.low and one.shape != "dot":
            yield from _band(one, field)
    bars = [one for one in chart.series if one.shape == "bar"]
    under: dict[tuple[int, bool], float] = {}
    for one in chart.series:
        if one.shape == "bar":
            yield from _bars(one, field, bars.index(one), len(bars))
        elif one.shape == "stack":
            yield from _stack(one, field, under)
        elif one.shape in ("line", "dash"):
            yield from _line(one, field)
        elif one.shape != "along":
            yield from _points(one, field)
    for level in chart.levels:
        ends = field.at(-0.5, level.at), field.at(len(chart.labels) - 0.5, level.at)
        yield Line(*ends[0], *ends[1], strokeColor=_colour(level.tone), strokeWidth=0.8, strokeDashArray=[3, 2])
    for mark in chart.marks:
        ends = field.at(mark.at, field.low), field.at(mark.at, field.high)
        yield Line(*ends[0], *ends[1], strokeColor=_colour(AXIS), strokeWidth=0.8, strokeDashArray=[1, 2])
        half = width_of(mark.label, LETTER) / 2
        yield from _text(min(max(ends[1][0], half), field.right - half), field.top + 2, mark.label, "middle")


def _axes(chart: Chart, field: Field) -> Iterator[Any]:
    from reportlab.graphics.shapes import Line

    last = len(chart.labels) - 0.5
    for tick in field.ticks:
        begin, end = field.at(-0.5, tick), field.at(last, tick)
        zero = tick == 0
        yield Line(*begin, *end, strokeColor=_colour(AXIS if zero else GRID), strokeWidth=0.8 if zero else 0.5)
        written = _tick(chart, tick)
        if field.lying:
            yield from _text(begin[0], field.bottom - 10, written, "middle")
        else:
            yield from _text(field.left - 4, begin[1] - LETTER / 3, written, "end")
    for x, number in field.below:
        yield Line(x, field.bottom, x, field.top, strokeColor=_colour(AXIS if number == 0 else GRID), strokeWidth=0.5)
        yield from _text(x, field.bottom - 10, _tick(chart, number), "middle")
    if field.below:
        return
    widest = max((width_of(label, LETTER) for label in chart.labels), default=0.0)
    every = 1 if field.lying else max(1, math.ceil(max(GAP, widest + GAP / 4) / field.step))
    for at, label in enumerate(chart.labels):
        if at % every:
            continue
        x, y = field.at(at, field.low)
        if field.lying:
            yield from _text(field.left - 6, y - LETTER / 3, _fitting(label, NAMES - 8), "end")
        else:
            half = width_of(label, LETTER) / 2
            yield from _text(min(max(x, half), field.right - half), field.bottom - 10, label, "middle")


def _band(one: Series, field: Field) -> Iterator[Any]:
    """Between the ends of the interval, broken where one is unknown."""
    from reportlab.graphics.shapes import Polygon

    for run in _runs(
        [None if pair[0] is None or pair[1] is None else 1.0 for pair in zip(one.low, one.high, strict=True)]
    ):
        corners = [field.at(at, one.high[at] or 0.0) for at in run]
        corners += [field.at(at, one.low[at] or 0.0) for at in reversed(run)]
        if len(run) > 1:
            flat = [part for corner in corners for part in corner]
            yield Polygon(flat, fillColor=_colour(one.tone), fillOpacity=BAND, strokeColor=None)


def _line(one: Series, field: Field) -> Iterator[Any]:
    from reportlab.graphics.shapes import Circle, PolyLine

    dashes = [4, 2.5] if one.shape == "dash" else None
    for run in _runs(one.values):
        points = [part for at in run for part in field.at(at, one.values[at] or 0.0)]
        if len(run) == 1:
            yield Circle(*points, 1.6, fillColor=_colour(one.tone), strokeColor=None)
        else:
            yield PolyLine(points, strokeColor=_colour(one.tone), strokeWidth=1.4, strokeDashArray=dashes)


def _points(one: Series, field: Field) -> Iterator[Any]:
    """Dots with their whiskers; ticks as short strokes."""
    from reportlab.graphics.shapes import Circle, Line

    colour = _colour(one.tone)
    for at, value in enumerate(one.values):
        if value is None:
            continue
        x, y = field.at(at, value)
        if one.shape == "tick":
            half = min(field.step * 0.31, 9)
            yield Line(x - half, y, x + half, y, strokeColor=colour, strokeWidth=1.4)
            continue
        if one.low and one.low[at] is not None and one.high[at] is not None:
            ends = field.at(at, one.low[at] or 0.0), field.at(at, one.high[at] or 0.0)
            yield Line(*ends[0], *ends[1], strokeColor=colour, strokeWidth=1.2)
        yield Circle(x, y, 2.4, fillColor=colour, strokeColor=None)


def _bars(one: Series, field: Field, nth: int, many: int) -> Iterator[Any]:
    width = min(field.step * 0.68, 24.0) / many
    for at, value in enumerate(one.values):
        if value is not None:
            yield _bar(field, at, (nth - many / 2) * width, width * 0.92, 0.0, value, one.tone)


def _stack(one: Series, field: Field, under: dict[tuple[int, bool], float]) -> Iterator[Any]:
    width = min(field.step * 0.68, 24.0)
    for at, value in enumerate(one.values):
        if value is None:
            continue
        start = under.get((at, one.below), 0.0)
        end = start - value if one.below else start + value
        under[at, one.below] = end
        yield _bar(field, at, -width / 2, width, start, end, one.tone)


def _bar(field: Field, at: int, shift: float, width: float, start: float, end: float, tone: str) -> Any:
    from reportlab.graphics.shapes import Rect

    low, high = sorted((field.value(start), field.value(end)))
    side = field.place(at) + shift
    box = (low, side, high - low, width) if field.lying else (side, low, width, high - low)
    return Rect(*box, fillColor=_colour(tone), strokeColor=None)


def _legend(named: Sequence[tuple[str, str, bool]], x: float, y: float) -> Iterator[Any]:
    from reportlab.graphics.shapes import Line, Rect

    for name, tone, thin in named:
        if thin:
            yield Line(x, y + 2.5, x + 10, y + 2.5, strokeColor=_colour(tone), strokeWidth=1.4)
        else:
            yield Rect(x, y, 6, 6, fillColor=_colour(tone), strokeColor=None)
        yield from _text(x + 14, y, name, "start")
        x += 26 + width_of(name, LETTER)


def _text(x: float, y: float, text: str, anchor: str) -> Iterator[Any]:
    """A line of text, piece by piece where its letters are of two fonts."""
    from reportlab.graphics.shapes import String

    x -= width_of(text, LETTER) * {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor]
    for font, part in runs_of(text):
        yield String(x, y, part, fontName=font, fontSize=LETTER, fillColor=_colour(INK))
        x += width_of(part, LETTER)


def _colour(tone: str) -> Any:
    from reportlab.lib.colors import HexColor

    return HexColor(TONES.get(tone, tone))


def _tick(chart: Chart, tick: float) -> str:
    """A number of the axis, with as many places as it has, at most two."""
    if chart.format == "share":
        return f"{numbers.full(tick * 100)}%"
    return numbers.full(tick, next(count for count in range(3) if count == 2 or round(tick, count) == round(tick, 6)))


def _fitting(text: str, room: float) -> str:
    """Cut where it is wider than the room."""
    if width_of(text, LETTER) <= room:
        return text
    while text and width_of(f"{text}…", LETTER) > room:
        text = text[:-1]
    return f"{text.rstrip()}…"


def _runs(values: Sequence[float | None]) -> Iterator[list[int]]:
    """Positions that follow each other without a gap."""
    run: list[int] = []
    for at, value in enumerate(values):
        if value is not None:
            run.append(at)
        elif run:
            yield run
            run = []
    if run:
        yield run
