"""Boards say what people earned in a period, rank ties alike, close once, and keep to their company."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.cast import NOW, TODAY, Cast, person
from uptake.directory.models import Membership, Organization, Person
from uptake.directory.scope import EVERYTHING
from uptake.events.moved import follow_moved
from uptake.programme.boards import Earned, board
from uptake.programme.merit import Gain, note_merit
from uptake.programme.merits.board import read_board, read_departments
from uptake.programme.merits.hide_name import hide_name
from uptake.programme.merits.keep_boards import BoardClock, keep_boards
from uptake.programme.merits.models import Band, Score
from uptake.programme.merits.periods import BEGAN, EVER, MONTH, QUARTER, SEASON, WEEK, YEAR, start_of
from uptake.programme.merits.verify import problems_of
from uptake.programme.models import MeritChange
from uptake.programme.publish import publish
from uptake.programme.tests.world import Desk

pytestmark = pytest.mark.django_db

MAY = date(2026, 5, 1)


def gained(cast: Cast, who: Person, points: int, *, day: date = TODAY, minute: int = 0, now: datetime = NOW) -> None:
    at = datetime(day.year, day.month, day.day, 3, minute, tzinfo=UTC)
    note_merit([Gain(cast.beiyuan.pk, who.pk, day, points, at)], now=now)


def lines(cast: Cast, viewer: Person | None = None, **more: Any) -> list[tuple[int, str, int]]:
    found = read_board(
        more.pop("place", cast.beiyuan), MONTH, MAY, viewer=cast.viewer(viewer or cast.lin), now=NOW, **more
    )
    return [(line.rank, line.name, line.points) for line in found.lines]


@pytest.mark.django_db(transaction=True)
def test_points_of_a_day_stand_on_the_boards_of_its_company_and_department(cast: Cast) -> None:
    desk = Desk(cast)
    desk.processed("1", lines=30)
    desk.processed("2", lines=200)
    assert keep_boards(now=NOW) > 0
    assert lines(cast) == lines(cast, place=cast.purchasing) == [(1, "Lin Fang", 100)]
    assert lines(cast, place=cast.finance) == []
    assert problems_of(cast.beiyuan.pk) == []


WRONG: dict[str, tuple[Callable[[], object], str]] = {
    "a line of a closed month": (
        lambda: Score.objects.filter(place__kind="company", period=MONTH).update(points=99, shown=99),
        "99 points on the board month 2026-05-01",
    ),
    "a line of a department": (
        lambda: Score.objects.filter(place__kind="department", period=WEEK).update(points=1, shown=1),
        "1 points on the board week 2026-05-11",
    ),
    "a line that is not there": (lambda: Score.objects.filter(period=QUARTER).delete(), "has 0 points on the board"),
    "a line of nobody's": (
        lambda: Score.objects.create(
            place=Organization.objects.get(kind="company", slug="beiyuan"), period=YEAR, starts=date(2025, 1, 1),
            person=Person.objects.get(name="Hua Jing"), points=7, shown=7,
        ),
        "has 7 points on the board year 2025-01-01",
    ),
    "what is not on it yet": (
        lambda: MeritChange.objects.create(
            company=Organization.objects.get(slug="beiyuan"), person=Person.objects.get(name="Lin Fang"), date=TODAY,
            points=-3, changed_at=NOW,
        ),
        "100 points on the board ever",
    ),
    "an open board that shows something else": (
        lambda: Score.objects.filter(period=YEAR).update(shown=90),
        "the open board year 2026-01-01",
    ),
    "a band": (lambda: Band.objects.filter(period=EVER).update(people=2), "have 96 to 111 points, 2 are counted"),
}  # fmt: skip


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_on_any_board_is_found(cast: Cast, what: str) -> None:
    desk = Desk(cast)
    desk.processed("1", lines=30)
    desk.processed("2", lines=200)
    keep_boards(now=NOW)
    spoil, sentence = WRONG[what]
    spoil()
    found = problems_of(cast.beiyuan.pk)
    assert {(one.invariant, one.book) for one in found} == {("I21", cast.beiyuan.pk)}
    assert any(sentence in one.what for one in found), found


@pytest.mark.django_db(transaction=True)
def test_a_corrected_membership_leaves_boards_as_they_stood(cast: Cast) -> None:
    desk = Desk(cast)
    desk.processed("1", lines=30)
    keep_boards(now=NOW)
    Membership.objects.filter(person=cast.lin).update(organization=cast.finance)
    assert {one.invariant for one in problems_of(cast.beiyuan.pk)} == {"I21"}
    follow_moved(person=cast.lin, by=EVERYTHING, now=NOW)
    assert problems_of(cast.beiyuan.pk) == []


@pytest.mark.django_db(transaction=True)
def test_taken_back_points_leave_and_the_tie_goes_by_what_is_left(cast: Cast) -> None:
    desk = Desk(cast)
    first = desk.processed("1", at=NOW - timedelta(hours=3), lines=10)
    desk.processed("2", at=NOW, lines=90)
    keep_boards(now=NOW)
    desk.processed("2", at=NOW, lines=0, revision=2)
    keep_boards(now=NOW)
    [score] = Score.objects.filter(place=cast.beiyuan, period=MONTH)
    assert (score.points, score.shown, score.latest_at) == (10, 10, first.happened_at)


def test_equal_scores_share_a_rank_and_the_earlier_stands_first(cast: Cast) -> None:
    for who, points, minute in ((cast.lin, 5, 9), (cast.hua, 5, 3), (cast.ke, 4, 0)):
        gained(cast, who, points, minute=minute)
    keep_boards(now=NOW)
    assert lines(cast) == [(1, "Hua Jing", 5), (1, "Lin Fang", 5), (3, cast.ke.name, 4)]


def test_a_board_closes_once_and_later_changes_only_mark_it(cast: Cast) -> None:
    gained(cast, cast.lin, 5)
    keep_boards(now=NOW)
    closes = datetime(2026, 6, 7, 16, 0, tzinfo=UTC)
    gained(cast, cast.hua, 7, now=closes - timedelta(seconds=1))
    gained(cast, cast.lin, 50, now=closes)
    # The job comes late: what came after closing does not enter all the same.
    keep_boards(now=closes + timedelta(days=2))
    found = read_board(cast.beiyuan, MONTH, MAY, viewer=cast.viewer(cast.lin), now=closes)
    assert [(line.name, line.points) for line in found.lines] == [("Hua Jing", 7), ("Lin Fang", 5)]
    assert (found.final, found.adjusted) == (True, True)
    before = read_board(cast.beiyuan, MONTH, MAY, viewer=cast.viewer(cast.lin), now=closes - timedelta(seconds=1))
    assert (before.final, before.adjusted, before.closes_at) == (False, False, closes)
    ever = read_board(cast.beiyuan, EVER, start_of(EVER, TODAY), viewer=cast.viewer(cast.lin), now=closes)
    assert [line.points for line in ever.lines] == [55, 7]


def test_who_is_not_among_the_first_reads_the_neighbours_with_true_ranks(cast: Cast) -> None:
    people = [person(name=f"Worker {number:02}", at=cast.purchasing) for number in range(30)]
    for number, who in enumerate(people):
        gained(cast, who, 100 - number // 3, minute=number)
    gained(cast, cast.lin, 93, minute=22)
    keep_boards(now=NOW)
    found = read_board(cast.beiyuan, MONTH, MAY, viewer=cast.viewer(cast.lin), now=NOW, top=3, beside=2)
    assert [line.rank for line in found.lines] == [1, 1, 1]
    told = [(line.rank, line.name, line.points) for line in found.neighbours]
    # Two more have 94 and are not read; 18 have more than that.
    assert told == [
        (19, "Worker 20", 94),
        (22, "Worker 21", 93),
        (22, "Lin Fang", 93),
        (22, "Worker 22", 93),
        (22, "Worker 23", 93),
    ]
    assert found.people == 31


def test_nameless_to_others_but_not_to_oneself(cast: Cast) -> None:
    gained(cast, cast.lin, 5)
    keep_boards(now=NOW)
    hide_name(hidden=True, by=cast.viewer(cast.lin), now=NOW)
    assert (lines(cast), lines(cast, cast.hua)) == ([(1, "Lin Fang", 5)], [(1, "", 5)])
    hide_name(hidden=False, by=cast.viewer(cast.lin), now=NOW)
    assert lines(cast, cast.hua) == [(1, "Lin Fang", 5)]


def test_nobody_reads_the_board_of_another_company(cast: Cast) -> None:
    gained(cast, cast.lin, 5)
    keep_boards(now=NOW)
    assert lines(cast, cast.mo) == []
    assert lines(cast, cast.wei) == [(1, "Lin Fang", 5)]


def test_departments_go_by_points_per_head_and_small_ones_are_left_out(cast: Cast) -> None:
    for number in range(5):
        gained(cast, person(name=f"P{number}", at=cast.purchasing), 6)
    gained(cast, cast.ke, 500)
    keep_boards(now=NOW)
    found = read_departments(cast.beiyuan, MONTH, MAY, viewer=cast.viewer(cast.lin), today=TODAY)
    assert [(line.place, line.points, line.people, line.mine) for line in found] == [(cast.purchasing, 30, 6, True)]


def test_points_go_where_the_person_belonged_on_their_date(cast: Cast) -> None:
    Membership.objects.filter(person=cast.lin).update(until_date=date(2026, 5, 10))
    Membership.objects.create(person=cast.lin, organization=cast.finance, from_date=date(2026, 5, 10))
    gained(cast, cast.lin, 5, day=date(2026, 5, 9))
    gained(cast, cast.lin, 7, day=date(2026, 5, 11))
    keep_boards(now=NOW)
    assert (lines(cast, place=cast.purchasing)[0][2], lines(cast, place=cast.finance)[0][2]) == (5, 7)


@settings(max_examples=10, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(1, 9), st.integers(0, 8), st.integers(0, 59)), min_size=1, max_size=25
    ),
    st.lists(st.booleans(), min_size=25, max_size=25),
)
def test_whatever_the_batches_a_board_is_the_plain_sum(
    gains: list[tuple[int, int, int, int]], kept: list[bool]
) -> None:
    company, people = _company()
    plain: dict[date, list[Earned]] = defaultdict(list)
    for (who, points, day_number, minute), keep in zip(gains, kept, strict=False):
        day = TODAY - timedelta(days=day_number)
        at = datetime(day.year, day.month, day.day, 3, minute, tzinfo=UTC)
        note_merit([Gain(company.pk, people[who].pk, day, points, at)], now=NOW)
        plain[start_of(WEEK, day)].append(Earned(f"{people[who].pk:09}", points, at))
        if keep:
            keep_boards(now=NOW, limit=2)
    while keep_boards(now=NOW, limit=3):
        pass
    for starts, earned in plain.items():
        rows = Score.objects.on(company, WEEK, starts).values_list("person_id", "shown")
        assert list(rows) == [(int(one.person), one.score) for one in board(earned)]
        counted = sum(Band.objects.filter(period=WEEK, starts=starts).values_list("people", flat=True))
        assert counted == Score.objects.filter(period=WEEK, starts=starts, shown__gt=0).count()
    assert not MeritChange.objects.exists()


def _company() -> tuple[Organization, list[Person]]:
    number = Organization.objects.count()
    company = Organization.objects.create(kind="company", name="C", slug=f"c{number}", created_at=NOW)
    company.path, company.company = f"/{company.pk}/", company
    company.save()
    return company, [person(name=f"{nth}", at=company) for nth in range(4)]


def with_seasons(cast: Cast, *ends: str) -> None:
    file = {"programme": {"season_ends": list(ends)}, "rules": []}
    publish(rulebook=file, organization=cast.beiyuan, in_force_date=date(2025, 1, 1), by=EVERYTHING, now=NOW)


def season_lines(cast: Cast, starts: date) -> list[tuple[int, str, int]]:
    found = read_board(cast.beiyuan, SEASON, starts, viewer=cast.viewer(cast.lin), now=NOW)
    return [(line.rank, line.name, line.points) for line in found.lines]


def test_a_season_has_a_board_of_its_own(cast: Cast) -> None:
    with_seasons(cast, "2026-04-10", "2026-07-01")
    gained(cast, cast.lin, 5, day=date(2026, 4, 9), now=NOW - timedelta(days=33))
    gained(cast, cast.lin, 6, day=date(2026, 4, 10))
    gained(cast, cast.hua, 8)
    keep_boards(now=NOW)
    assert season_lines(cast, date(2026, 4, 10)) == [(1, "Hua Jing", 8), (2, "Lin Fang", 6)]
    assert season_lines(cast, BEGAN) == [(1, "Lin Fang", 5)]
    assert BoardClock(cast.beiyuan).closes_at(SEASON, date(2026, 4, 10)) is not None


def test_a_season_told_of_later_begins_with_what_its_months_hold(cast: Cast) -> None:
    gained(cast, cast.lin, 5, day=date(2026, 3, 31))
    gained(cast, cast.lin, 6, day=date(2026, 4, 1))
    keep_boards(now=NOW)
    with_seasons(cast, "2026-04-01", "2026-07-01")
    gained(cast, cast.lin, 2)
    keep_boards(now=NOW)
    assert season_lines(cast, date(2026, 4, 1)) == [(1, "Lin Fang", 8)]
