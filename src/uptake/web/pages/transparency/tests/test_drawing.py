"""Pictures on paper: nothing leaves the sheet, gaps stay gaps, and each letter is set in a font that has it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st
from reportlab.graphics.shapes import Circle, Line, Polygon, PolyLine, Rect, String

from uptake.web.pages.transparency.drawing import drawing_of, steps_of
from uptake.web.pages.transparency.letters import CHINESE, LATIN, marked_up, runs_of
from uptake.web.parts import Chart, Level, Mark, Series

WIDTH = 480.0
pytestmark = pytest.mark.once
numbers = st.floats(-1e6, 1e6) | st.none()


def chart(*series: Series, many: int = 6, **more: Any) -> Chart:
    return Chart(id="c", label="What is drawn", labels=[f"name {at}" for at in range(many)], series=series, **more)


def corners(shape: Any) -> list[tuple[float, float]]:
    if isinstance(shape, Line):
        return [(shape.x1, shape.y1), (shape.x2, shape.y2)]
    if isinstance(shape, Circle):
        return [(shape.cx, shape.cy)]
    if isinstance(shape, Rect):
        return [(shape.x, shape.y), (shape.x + shape.width, shape.y + shape.height)]
    if isinstance(shape, String):
        return [(shape.x, shape.y)]
    return list(zip(shape.points[::2], shape.points[1::2], strict=True))


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9))
def test_steps_are_even_cover_the_span_and_are_few(low: float, span: float) -> None:
    steps = steps_of(low, low + span)

    gaps = [after - before for before, after in pairwise(steps)]
    if abs(low) < span * 1e6:  # else a step is below what a float tells apart there
        assert max(gaps) - min(gaps) <= max(gaps) * 1e-6
        assert steps[0] <= low + span * 1e-6
        assert steps[-1] >= low + span - span * 1e-6
        assert 4 <= len(gaps) <= 12


def test_steps_are_round_numbers_with_nought_among_them() -> None:
    assert steps_of(0, 43) == [0, 10, 20, 30, 40, 50]
    assert steps_of(-8.6, 25.9) == [-10, -5, 0, 5, 10, 15, 20, 25, 30]
    assert steps_of(0, 0.61) == [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]


@given(
    st.lists(numbers, min_size=6, max_size=6),
    st.sampled_from(["bar", "line", "dash", "tick", "stack", "dot"]),
    st.booleans(),
)
def test_nothing_leaves_the_sheet(values: list[float | None], shape: Any, lying: bool) -> None:
    low = [None if value is None else value - abs(value) / 2 for value in values]
    high = [None if value is None else value + 1 for value in values]
    ends: dict[str, Any] = {"low": low, "high": high} if shape in ("line", "dot") else {}
    if shape == "stack":
        values = [None if value is None else abs(value) for value in values]

    drawn = drawing_of(
        chart(Series("one", values, shape, **ends), marks=[Mark(2, "Start")], levels=[Level(3, "least")], lying=lying),
        WIDTH,
    )

    for part in drawn.contents:
        for x, y in corners(part):
            assert -0.01 <= x <= WIDTH + 0.01, part
            assert -0.01 <= y <= drawn.height + 0.01, part


def test_a_line_and_its_band_are_broken_where_nothing_is_known() -> None:
    values = [1.0, 2.0, None, 4.0, 5.0, 6.0]
    low = [None if value is None else value - 1 for value in values]
    high = [None if value is None else value + 1 for value in values]

    drawn = drawing_of(chart(Series("one", values, "line", low=low, high=high)), WIDTH).contents

    assert [len(one.points) // 2 for one in drawn if isinstance(one, PolyLine)] == [2, 3]
    assert [len(one.points) // 2 for one in drawn if isinstance(one, Polygon)] == [4, 6]


def test_a_higher_number_stands_higher_and_a_lying_one_further_right() -> None:
    values = [1.0, 3.0, 2.0, 0.0, -1.0, 5.0]

    upright = [one for one in drawing_of(chart(Series("", values, "dot")), WIDTH).contents if isinstance(one, Circle)]
    lying = drawing_of(chart(Series("", values, "dot"), lying=True), WIDTH).contents
    across = [one for one in lying if isinstance(one, Circle)]

    order = sorted(range(6), key=lambda at: values[at])
    assert sorted(range(6), key=lambda at: upright[at].cy) == order
    assert sorted(range(6), key=lambda at: across[at].cx) == order
    assert [one.cy for one in across] == sorted((one.cy for one in across), reverse=True)


def test_stacks_stand_upon_each_other() -> None:
    drawn = drawing_of(chart(Series("a", [2, 3], "stack"), Series("b", [4, 1], "stack"), many=2), WIDTH).contents
    bars = [one for one in drawn if isinstance(one, Rect) and one.width > 10]

    assert bars[2].y == pytest.approx(bars[0].y + bars[0].height)
    assert bars[3].y == pytest.approx(bars[1].y + bars[1].height)
    assert bars[0].height + bars[2].height == pytest.approx((bars[1].height + bars[3].height) * 6 / 4)


def test_names_below_do_not_run_into_each_other() -> None:
    labels = [f"Beiyuan Precision · Department {at}" for at in range(30)]
    drawn = drawing_of(Chart(id="c", label="", labels=labels, series=[Series("", [1.0] * 30, "dot")]), WIDTH).contents
    written = [one for one in drawn if isinstance(one, String) and one.text.startswith("Beiyuan")]

    assert len(written) >= 2
    for before, after in pairwise(written):
        assert before.getEast() <= after.x


def test_latin_and_chinese_letters_are_set_in_fonts_that_have_them() -> None:
    with translation.override("en"):
        assert list(runs_of("Active: 北源精密 −4")) == [(LATIN, "Active: "), (CHINESE, "北源精密"), (LATIN, " –4")]
        assert list(runs_of("“a” – b…")) == [(LATIN, "“a” – b…")]
    with translation.override("zh-hans"):
        assert list(runs_of("“甲”4")) == [(CHINESE, "“甲”"), (LATIN, "4")]
    assert marked_up("a < b") == f'<font name="{LATIN}">a &lt; b</font>'


def test_dots_stand_by_numbers_where_the_axis_below_is_one() -> None:
    values = [2.0, -1.0, 1.0]
    chart = Chart(
        id="places", label="", labels=["a", "b", "c"], format="decimal",
        series=[Series("work", values, "dot", "c1"), Series("behaviour", [10.0, -5.0, 2.5], "along", "c6")],
    )  # fmt: skip

    dots = [one for one in drawing_of(chart, 400.0).contents if isinstance(one, Circle)]

    assert len(dots) == 3
    (a, b, c) = sorted(dots, key=lambda one: one.cx, reverse=True)
    assert (a.cx - b.cx) / (a.cx - c.cx) == pytest.approx(7.5 / 15)
    assert a.cy > b.cy > c.cy
