"""The parts of pages: small drawings stay in their box, charts cannot break out of their script element."""

from __future__ import annotations

import json

from django.template import Context, Template
from django.test import RequestFactory
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from uptake.web.parts import Chart, Series, sparkline


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(st.none(), st.floats(-1e9, 1e9)), max_size=40))
@example([0.0, 2.225073858507203e-309])
def test_a_sparkline_stays_in_its_box(values: list[float | None]) -> None:
    line, _area, _x, _y = sparkline(values, 72, 20)

    for point in line.removeprefix("M").split("L") if line else ():
        x, y = map(float, point.split())
        assert 0 <= x <= 72
        assert 0 <= y <= 20


def test_nothing_at_all_lies_at_the_bottom_and_what_is_alike_in_the_middle() -> None:
    assert sparkline([0, 0, 0], 72, 20)[3] == "17.0"
    assert sparkline([4, 4, 4], 72, 20)[3] == "10.0"


def test_a_chart_cannot_close_its_script_and_says_the_same_as_table() -> None:
    name = "</script><script>alert(1)</script>"
    chart = Chart(
        id="daily", label=name, labels=["14 May"], series=[Series(name, [3.0, None][:1], "bar")], links=["/events/"]
    )

    page = Template('{% include "parts/chart.html" %}').render(
        Context({"chart": chart, "request": RequestFactory().get("/")})
    )

    assert page.count("</script>") == 1
    assert "<script>alert" not in page
    held = page[page.index('data-chart-values="daily">') + 26 : page.index("</script>")]
    assert json.loads(held)["series"][0]["name"] == name
    assert '<a class="lk" href="/events/">14 May</a>' in page
    assert '<td class="n">3</td>' in page


def test_a_head_sorts_the_other_way_when_it_sorts_already() -> None:
    template = Template('{% load face %}{% sort_head "people" "People" numeric=True %}')

    first = template.render(Context({"request": RequestFactory().get("/?at=park&page=3")}))
    again = template.render(Context({"request": RequestFactory().get("/?sort=-people")}))

    assert 'href="?at=park&amp;sort=-people"' in first
    assert "aria-sort" not in first
    assert 'aria-sort="descending"' in again
    assert 'href="?sort=people"' in again
