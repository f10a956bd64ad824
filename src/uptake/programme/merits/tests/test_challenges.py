"""A challenge holds its prizes in escrow, counts what was done, and is paid once a second person has verified it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cast import NOW, Cast, person
from uptake.directory.models import Organization, Person
from uptake.directory.viewer import NotAllowed
from uptake.events.models import Event
from uptake.ledger.accounts import ISSUED, budget, escrow
from uptake.ledger.balances import balances_of, points_of
from uptake.ledger.move import move
from uptake.programme.merits.join_challenge import join_challenge, leave_challenge
from uptake.programme.merits.keep_merits import keep_merits
from uptake.programme.merits.models import Challenge, ChallengeState, Participant
from uptake.programme.merits.plan_challenge import (
    ChallengeTerms,
    cancel_challenge,
    open_challenge,
    plan_challenge,
)
from uptake.programme.merits.refusals import (
    BudgetExhausted,
    Conflict,
    NotAMember,
    NotOpen,
    ReasonMissing,
    SelfDealing,
    Unusable,
)
from uptake.programme.merits.shares import Place, shares
from uptake.programme.merits.verify import problems_of
from uptake.programme.merits.verify_challenge import verify_challenge
from uptake.programme.tests.world import Desk

pytestmark = pytest.mark.django_db(transaction=True)
OVER = NOW + timedelta(days=20)


def fund(cast: Cast, points: int) -> None:
    where: dict[str, Any] = {"source": ISSUED, "target": budget(cast.beiyuan.pk)}
    move(book=cast.beiyuan.pk, key="fund", points=points, cause="budget/1", now=NOW, **where)


def planned(cast: Cast, *, place: Organization | None = None, key: str = "one", **terms: Any) -> Challenge:
    given: dict[str, Any] = {
        "name_en": "Twenty orders", "goal": 2, "event_name": "order.processed", "prize": 30, "pool": 50,
        "from_date": date(2026, 5, 13), "until_date": date(2026, 5, 20), "budget": cast.beiyuan,
    }  # fmt: skip
    made = ChallengeTerms(**{**given, **terms})
    return plan_challenge(place=place or cast.beiyuan, terms=made, key=key, by=cast.viewer(cast.hua), now=NOW)


def opened(cast: Cast, **terms: Any) -> Challenge:
    return open_challenge(challenge_id=planned(cast, **terms).pk, by=cast.viewer(cast.hua), now=NOW)


def join(cast: Cast, row: Challenge, *who: Person) -> None:
    for one in who:
        join_challenge(challenge_id=row.pk, by=cast.viewer(one), now=NOW)


def in_escrow(row: Challenge) -> int:
    return balances_of(book=row.company_id, codes=[escrow(row.pk)])[escrow(row.pk)]


def has(cast: Cast, who: Person, at: datetime = OVER) -> int:
    return points_of(book=cast.beiyuan.pk, owners=[str(who.pk)], now=at)[str(who.pk)].available


def test_who_reaches_the_goal_is_paid_from_escrow_and_the_rest_goes_back(cast: Cast) -> None:
    fund(cast, 80)
    desk = Desk(cast, [])
    row = opened(cast)
    assert open_challenge(challenge_id=row.pk, by=cast.viewer(cast.hua), now=NOW).state == ChallengeState.OPEN
    assert in_escrow(row) == 50
    join(cast, row, cast.lin, cast.lin, cast.ke)
    desk.processed("1")
    desk.processed("2")
    desk.processed("3", who="ke")
    keep_merits(now=NOW + timedelta(minutes=2))
    keep_merits(now=NOW + timedelta(minutes=3))
    assert {one.person_id: one.reached for one in row.participants.all()} == {cast.lin.pk: 2, cast.ke.pk: 1}
    with pytest.raises(NotOpen):
        verify_challenge(challenge_id=row.pk, by=cast.viewer(cast.ren), now=NOW)
    assert problems_of(cast.beiyuan.pk) == []
    keep_merits(now=OVER)
    row.refresh_from_db()
    assert row.state == ChallengeState.ENDED
    assert Event.objects.filter(name="challenge.met").count() == 1
    for by, refusal in ((cast.hua, SelfDealing), (cast.ke, SelfDealing), (cast.lin, NotAllowed), (cast.mo, NotAllowed)):
        with pytest.raises(refusal):
            verify_challenge(challenge_id=row.pk, by=cast.viewer(by), now=OVER)
    for _again in range(2):
        done = verify_challenge(challenge_id=row.pk, by=cast.viewer(cast.ren), now=OVER)
        assert done.state == ChallengeState.PAID
    assert (has(cast, cast.lin), has(cast, cast.ke), in_escrow(row)) == (30, 0, 0)
    assert balances_of(book=cast.beiyuan.pk, codes=[budget(cast.beiyuan.pk)]) == {budget(cast.beiyuan.pk): 50}
    assert problems_of(cast.beiyuan.pk) == []
    Participant.objects.filter(person=cast.lin).update(prize=31)
    assert [one.invariant for one in problems_of(cast.beiyuan.pk)] == ["I3"]


def test_where_the_pool_does_not_last_it_is_split_and_the_earliest_gets_the_remainder(cast: Cast) -> None:
    fund(cast, 51)
    desk = Desk(cast, [])
    row = opened(cast, goal=1, pool=51)
    join(cast, row, cast.lin, cast.ke)
    desk.processed("1", who="ke")
    desk.processed("2", at=NOW + timedelta(minutes=1))
    keep_merits(now=OVER)
    verify_challenge(challenge_id=row.pk, by=cast.viewer(cast.ren), now=OVER)
    assert (has(cast, cast.ke), has(cast, cast.lin)) == (26, 25)


def test_a_department_reaches_the_goal_together(cast: Cast) -> None:
    desk = Desk(cast, [])
    row = opened(cast, teams=True, prize=0, pool=0, budget=None, goal=3)
    mate = person(name="Mate", at=cast.purchasing)
    Participant.objects.create(challenge=row, person=mate, team=cast.purchasing, joined_at=NOW)
    join(cast, row, cast.lin, cast.ke)
    desk.processed("1")
    desk.processed("2")
    desk.processed("3", who="ke")
    keep_merits(now=NOW + timedelta(minutes=5))
    assert not row.participants.filter(met_at__isnull=False).exists()
    desk.processed("4", at=NOW + timedelta(minutes=6))
    keep_merits(now=OVER)
    assert set(row.participants.filter(met_at__isnull=False).values_list("person_id", flat=True)) == {cast.lin.pk}


def test_points_by_a_rule_can_be_the_goal_and_what_lies_outside_does_not_count(cast: Cast) -> None:
    desk = Desk(cast)
    row = opened(cast, event_name="", rule="orders", goal=40, prize=0, pool=0, budget=None)
    join(cast, row, cast.lin)
    desk.processed("0", at=NOW - timedelta(days=1), lines=60)
    desk.processed("1", lines=30)
    keep_merits(now=NOW + timedelta(minutes=5))
    assert row.participants.get().reached == 30
    desk.processed("2", lines=15, at=NOW + timedelta(minutes=6))
    keep_merits(now=NOW + timedelta(minutes=9))
    one = row.participants.get()
    assert (one.reached, one.met_at) == (45, NOW + timedelta(minutes=6))


def test_who_may_not_join_does_not_and_who_joined_may_leave(cast: Cast) -> None:
    fund(cast, 50)
    draft = planned(cast, place=cast.purchasing)
    with pytest.raises(NotAllowed):
        join(cast, draft, cast.lin)
    row = open_challenge(challenge_id=draft.pk, by=cast.viewer(cast.hua), now=NOW)
    for who, refusal in ((cast.hua, SelfDealing), (cast.ke, NotAMember), (cast.mo, NotAllowed), (cast.ren, NotAMember)):
        with pytest.raises(refusal):
            join(cast, row, who)
    join(cast, row, cast.lin)
    leave_challenge(challenge_id=row.pk, by=cast.viewer(cast.lin), now=NOW)
    assert not row.participants.exists()
    with pytest.raises(NotOpen):
        join_challenge(challenge_id=row.pk, by=cast.viewer(cast.lin), now=NOW + timedelta(days=9))


def test_what_is_called_off_gives_the_pool_back(cast: Cast) -> None:
    fund(cast, 50)
    row = opened(cast)
    hua = cast.viewer(cast.hua)
    with pytest.raises(ReasonMissing):
        cancel_challenge(challenge_id=row.pk, why=" ", by=hua, now=NOW)
    for _again in range(2):
        cancel_challenge(challenge_id=row.pk, why="Too early", by=hua, now=NOW)
    assert in_escrow(row) == 0
    assert balances_of(book=cast.beiyuan.pk, codes=[budget(cast.beiyuan.pk)]) == {budget(cast.beiyuan.pk): 50}
    with pytest.raises(NotOpen):
        open_challenge(challenge_id=row.pk, by=hua, now=NOW)
    assert problems_of(cast.beiyuan.pk) == []


def test_a_budget_that_is_too_small_opens_nothing(cast: Cast) -> None:
    fund(cast, 49)
    row = planned(cast)
    assert planned(cast) == row
    with pytest.raises(Conflict):
        planned(cast, goal=3)
    with pytest.raises(BudgetExhausted):
        open_challenge(challenge_id=row.pk, by=cast.viewer(cast.hua), now=NOW)
    row.refresh_from_db()
    assert row.state == ChallengeState.DRAFT


@pytest.mark.once
@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"name_en": ""}, "name_en"),
        ({"goal": 0}, "goal"),
        ({"rule": "orders"}, "event_name"),
        ({"until_date": date(2026, 5, 13)}, "until_date"),
        ({"from_date": date(2026, 4, 1), "until_date": date(2026, 5, 1)}, "until_date"),
        ({"prize": 60}, "pool"),
        ({"pool": 0}, "pool"),
        ({"budget": None}, "budget"),
    ],
)
def test_what_makes_no_challenge_is_refused(cast: Cast, terms: dict[str, Any], field: str) -> None:
    with pytest.raises(Unusable) as refused:
        planned(cast, **terms)
    assert refused.value.field == field


@pytest.mark.once
@pytest.mark.parametrize(
    ("prizes", "ranks", "budget_has", "expected"),
    [
        ([100, 60, 30], [1, 2, 3], 500, [100, 60, 30]),
        ([100, 60, 30], [1, 1, 3], 500, [100, 100, 30]),
        ([100, 60, 30], [1, 1, 3], 190, [80, 80, 30]),
        ([100, 60, 30], [1, 1, 3], 151, [76, 75, 0]),
        ([100, 60], [1, 2, 2, 2], 200, [100, 20, 20, 20]),
        ([100, 60], [1, 2, 2, 2], 280, [100, 60, 60, 60]),
        ([100, 60], [1, 2], 110, [100, 10]),
        ([100], [1, 2], 0, [0, 0]),
    ],
)
def test_tied_people_get_the_higher_prize_while_the_budget_lasts(
    prizes: list[int], ranks: list[int], budget_has: int, expected: list[int]
) -> None:
    places = [Place(number, rank) for number, rank in enumerate(ranks)]
    found = shares(prizes, places, budget_has)
    assert [found.get(number, 0) for number in range(len(ranks))] == expected


@pytest.mark.once
@given(
    st.lists(st.integers(1, 500), min_size=1, max_size=5),
    st.lists(st.integers(0, 3), max_size=12),
    st.integers(0, 2000),
)
def test_no_sharing_gives_more_than_the_budget_nor_less_to_the_higher(
    prizes: list[int], scores: list[int], has_points: int
) -> None:
    prizes = sorted(prizes, reverse=True)
    scores = sorted(scores, reverse=True)
    places = [Place(number, scores.index(score) + 1) for number, score in enumerate(scores)]
    found = shares(prizes, places, has_points)
    assert sum(found.values()) <= has_points
    by_rank: dict[int, list[int]] = {}
    for one in places:
        by_rank.setdefault(one.rank, []).append(found.get(one.person, 0))
    for points in by_rank.values():
        assert max(points) - min(points) < len(points)
        assert points[0] == max(points)
