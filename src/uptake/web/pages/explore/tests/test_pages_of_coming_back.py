"""Who comes back, who falls silent, how often people come and how long they stay: pages over one small world."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.utils import timezone

from tests.cast import Cast, person
from uptake.insight.metrics.tests.world import ZONE, happen
from uptake.web.pages.explore.kinds.retention import scale_of, shade_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def own_log(settings: LazySettings, tmp_path: Path) -> None:
    settings.DATA = tmp_path


@pytest.fixture
def weeks(cast: Cast) -> Cast:
    """Four begin three weeks ago; two of them are there a week later, one of these also last week; nobody this week."""
    today = timezone.now().astimezone(ZONE).date()
    monday = today - timedelta(days=today.weekday())
    for number in range(5):
        person(name=f"Buyer {number}", at=cast.purchasing)
    came = [("lin", 3), ("hua", 3), ("ke", 3), ("mo", 3), ("lin", 2), ("hua", 2), ("lin", 1)]
    deeds = [(who, "order.created", monday - timedelta(weeks=ago)) for who, ago in came]
    happen(cast, [*deeds, ("lin", "stock.counted", monday - timedelta(weeks=1))], today)
    return cast


def page_of(cast: Cast, who: str, address: str) -> str:
    return cast.sign_in(cast.people()[who]).get(f"/activity/ask/{address}").content.decode()


def table_of(cast: Cast, address: str) -> list[list[str]]:
    """The exported table without its head."""
    kind, _, query = address.partition("?")
    answer = cast.sign_in(cast.ren).get(f"/activity/ask/{kind}/export.csv?{query}")
    return [line.split(",") for line in answer.content.decode("utf-8-sig").splitlines()[1:]]


def doors_of(page: str, number: str) -> list[str]:
    """Addresses of people behind a number that is told like this."""
    doors = map(html.unescape, re.findall(r'href="([^"]+/people/\?[^"]+)"', page))
    return [door for door in doors if number in door]


def names_behind(cast: Cast, door: str) -> set[str]:
    page = cast.sign_in(cast.ren).get(door).content.decode()
    return {name for name in ("Lin Fang", "Hua Jing", "Mo Yun") if name in page}


def test_the_triangle_holds_who_came_back_and_the_average_only_what_is_over(weeks: Cast) -> None:
    rows = table_of(weeks, "retention?start=order.created")
    page = page_of(weeks, "ren", "retention/?start=order.created")

    cohorts = [[cell for cell in row[1:] if cell] for row in rows[-4:]]
    assert cohorts == [["4", "2", "1", "0"], ["2", "1", "0"], ["1", "0"], ["0"]]
    assert "who did order.created in a week, how many come back and do order.created" in page
    assert "Of 100 people who start, about 25 come back after 2 weeks." in page
    average = page.partition('class="avg"')[2].partition("</tr>")[0]
    assert re.findall(r">([\d]+%|–)<", average)[:3] == ["50%", "25%", "–"]


def test_a_cell_opens_the_people_of_it(weeks: Cast) -> None:
    page = page_of(weeks, "ren", "retention/")
    row = len(table_of(weeks, "retention")) - 4

    assert names_behind(weeks, doors_of(page, f"%22row%22%3A{row}%2C%22column%22%3A0")[0]) == {
        "Lin Fang",
        "Hua Jing",
        "Mo Yun",
    }
    assert names_behind(weeks, doors_of(page, f"%22row%22%3A{row}%2C%22column%22%3A2")[0]) == {"Lin Fang"}


@pytest.mark.parametrize(
    ("query", "first_cohorts"),
    [
        ("mode=first_time", [["4", "2", "1", "0"], ["0", "0", "0"], ["0", "0"], ["0"]]),
        ("after=1", [["4", "2", "1", "0"], ["2", "1", "0"], ["1", "0"], ["0"]]),
        ("back=stock.counted", [["4", "0", "1", "0"], ["2", "1", "0"], ["1", "0"], ["0"]]),
        ("least=2", [["4", "0", "1", "0"], ["2", "1", "0"], ["1", "0"], ["0"]]),
    ],
)
def test_what_counts_as_starting_and_coming_back_can_be_chosen(
    weeks: Cast, query: str, first_cohorts: list[list[str]]
) -> None:
    rows = table_of(weeks, f"retention?{query}")

    assert [[cell for cell in row[1:] if cell] for row in rows[-4:]] == first_cohorts


def test_a_breakdown_draws_an_average_for_each_value(weeks: Cast) -> None:
    page = page_of(weeks, "ren", "retention/?by=organization")

    values = page.partition('data-chart-values="averages"')[2].partition("</script>")[0]
    assert weeks.beiyuan.name in values
    assert weeks.qinghe.name in values


def test_the_averages_of_a_breakdown_open_their_people(weeks: Cast) -> None:
    page = page_of(weeks, "ren", "retention/?by=organization")

    doors = [door for door in doors_of(page, f"%22value%22%3A%22{weeks.beiyuan.pk}%22") if "row" not in door]
    behind = {
        column: names_behind(weeks, door) for door in doors for column in "012" if f"column%22%3A{column}" in door
    }
    assert behind == {"0": {"Lin Fang", "Hua Jing"}, "1": {"Lin Fang", "Hua Jing"}, "2": {"Lin Fang"}}


@pytest.mark.parametrize("address", ["retention/?every=day", "retention/?every=month", "lifecycle/?every=month",
                                     "stickiness/?every=week&by=department", "sessions/?every=month&by=source",
                                     "sessions/?gap=15&event=order.created"])  # fmt: skip
def test_other_lengths_and_breakdowns_are_answered(weeks: Cast, address: str) -> None:
    page = page_of(weeks, "ren", address)

    assert "The figures" in page


def test_who_is_new_stays_and_falls_silent(weeks: Cast) -> None:
    rows = table_of(weeks, "lifecycle")
    page = page_of(weeks, "ren", "lifecycle/")

    assert [row[1:5] for row in rows[-4:]] == [["4", "0", "0", "0"], ["0", "2", "0", "2"], ["0", "1", "0", "1"],
                                               ["0", "0", "0", "1"]]  # fmt: skip
    assert {row[5] for row in rows} == {"–"}, "no share is told of fewer than five"
    assert "0 new, 1 stayed, 0 came back, 1 fell silent." in page
    door = doors_of(page, "dormant")[1]
    assert names_behind(weeks, door) == {"Hua Jing"}


def test_the_companies_that_fell_silent_are_named(weeks: Cast) -> None:
    page = page_of(weeks, "ren", "lifecycle/?who=companies")

    assert f"1 · {weeks.qinghe.name}" in page
    assert [row[1:] for row in table_of(weeks, "lifecycle?who=companies")[-4:]] == [
        ["2", "0", "0", "0"],
        ["0", "1", "0", "1"],
        ["0", "1", "0", "0"],
        ["0", "0", "0", "1"],
    ]


def test_companies_are_not_counted_for_who_sees_totals_only(weeks: Cast) -> None:
    assert "who=companies" not in page_of(weeks, "hua", "lifecycle/")
    assert "People in the week" in page_of(weeks, "hua", "lifecycle/?who=companies")


def test_on_how_many_days_people_came(weeks: Cast) -> None:
    rows = table_of(weeks, "stickiness?compare=none")
    page = page_of(weeks, "ren", "stickiness/")

    assert rows[:4] == [["1", "2"], ["2", "1"], ["3", "1"], ["4", "0"]]
    assert re.search(r"The period has \d+ working days\.", page)
    assert names_behind(weeks, doors_of(page, "%22intervals%22%3A1%7D")[0]) == {"Mo Yun"}


def test_sessions_and_their_length(weeks: Cast) -> None:
    page = page_of(weeks, "ren", "sessions/")

    figures = re.findall(r"<dd><b>([^<]+)</b>", page)
    assert figures == ["7", "4", "0 s", "1.1", "100.0%"]
    assert names_behind(weeks, doors_of(page, "%22duration%22%3A0")[0]) == {"Lin Fang", "Hua Jing", "Mo Yun"}


@pytest.mark.parametrize("kind", ["retention", "lifecycle", "stickiness", "sessions"])
def test_who_sees_totals_only_finds_small_numbers_hidden(weeks: Cast, kind: str) -> None:
    page = page_of(weeks, "hua", f"{kind}/")

    assert "&lt; 5" in page
    assert "/people/?" not in page


def test_shades_grow_between_the_shares_shown() -> None:
    scale = scale_of([[100, 97, 82], [200, None, 0], [0, 0]], wide=2)

    assert scale == (0.7, 1.0)
    assert [shade_of(share, scale) for share in (0.7, 0.82, 0.97, 1.0, 0.2)] == [0, 2, 5, 5, 0]
    assert scale_of([[0, 0]], wide=2) == (0.0, 1.0)
