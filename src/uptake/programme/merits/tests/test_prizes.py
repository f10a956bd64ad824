"""Prizes of a board are paid once, after it closed, whatever changes later; levels open privileges until they end."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.cast import NOW, TODAY, Cast
from uptake.directory.models import Person
from uptake.directory.scope import EVERYTHING
from uptake.directory.viewer import NotAllowed
from uptake.ledger.accounts import ISSUED, budget
from uptake.ledger.balances import points_of
from uptake.ledger.move import move
from uptake.notify.models import Delivery
from uptake.notify.subscribe import make_webhook
from uptake.programme.merit import Gain, note_merit
from uptake.programme.merits.keep_boards import keep_boards
from uptake.programme.merits.keep_merits import keep_merits
from uptake.programme.merits.models import BoardPrize, PaidBoard, Privilege
from uptake.programme.merits.name_privilege import end_privilege, name_privilege
from uptake.programme.merits.offer_prizes import offer_prizes, stop_prizes
from uptake.programme.merits.periods import WEEK
from uptake.programme.merits.privileges import privileges_of
from uptake.programme.merits.refusals import Unusable
from uptake.programme.merits.verify import problems_of
from uptake.programme.rulebook import Level, Programme, Rulebook

pytestmark = pytest.mark.django_db
CLOSED = NOW + timedelta(days=14)


def gained(cast: Cast, who: Person, points: int, now: datetime = NOW, minute: int = 0) -> None:
    note_merit([Gain(cast.beiyuan.pk, who.pk, TODAY, points, NOW + timedelta(minutes=minute))], now=now)
    keep_boards(now=now)


def offered(cast: Cast, by: Person, places: tuple[int, ...] = (40, 20), has: int = 100) -> BoardPrize:
    where: dict[str, Any] = {"source": ISSUED, "target": budget(cast.beiyuan.pk)}
    move(book=cast.beiyuan.pk, key="fund", points=has, cause="budget/1", now=NOW, **where)
    return offer_prizes(
        company=cast.beiyuan, period=WEEK, places=places, budget=cast.beiyuan, by=cast.viewer(by), now=NOW
    )


def has(cast: Cast, who: Person) -> int:
    return points_of(book=cast.beiyuan.pk, owners=[str(who.pk)], now=CLOSED)[str(who.pk)].available


def test_a_closed_board_is_paid_once_and_later_changes_change_nothing(cast: Cast) -> None:
    told: dict[str, Any] = {
        "name": "HR",
        "address": "https://hr.example/",
        "about": ["given"],
        "by": EVERYTHING,
        "now": NOW,
    }
    make_webhook(organization=cast.beiyuan, **told)
    offered(cast, cast.ren)
    gained(cast, cast.lin, 9)
    gained(cast, cast.ke, 5)
    keep_merits(now=NOW + timedelta(days=5))
    assert not PaidBoard.objects.exists()
    keep_merits(now=CLOSED)
    gained(cast, cast.ke, 50, now=CLOSED)
    keep_merits(now=CLOSED + timedelta(hours=1))
    assert sorted(Delivery.objects.values_list("kind", "person__name")) == [
        ("points.prize", "Ke Ming"), ("points.prize", "Lin Fang")
    ]  # fmt: skip
    assert (has(cast, cast.lin), has(cast, cast.ke)) == (40, 20)
    assert PaidBoard.objects.get().points == 60
    assert problems_of(cast.beiyuan.pk) == [] or all(one.invariant == "I21" for one in problems_of(cast.beiyuan.pk))


def test_a_board_that_still_waits_for_changes_in_time_is_not_paid_yet(cast: Cast) -> None:
    offered(cast, cast.ren)
    note_merit([Gain(cast.beiyuan.pk, cast.lin.pk, TODAY, 9, NOW)], now=NOW)
    keep_merits(now=CLOSED)
    assert not PaidBoard.objects.exists()
    keep_boards(now=CLOSED)
    keep_merits(now=CLOSED)
    assert has(cast, cast.lin) == 40


def test_whoever_offers_the_prizes_gets_none_and_ties_share_a_small_budget(cast: Cast) -> None:
    offered(cast, cast.hua, places=(40, 20), has=35)
    gained(cast, cast.hua, 99)
    gained(cast, cast.ke, 9, minute=1)
    gained(cast, cast.lin, 9, minute=2)
    keep_merits(now=CLOSED)
    assert (has(cast, cast.hua), has(cast, cast.ke), has(cast, cast.lin)) == (0, 18, 17)


def test_prizes_that_were_stopped_before_the_board_closed_are_not_paid(cast: Cast) -> None:
    row = offered(cast, cast.ren)
    gained(cast, cast.lin, 9)
    for _again in range(2):
        stop_prizes(prize_id=row.pk, by=cast.viewer(cast.ren), now=NOW)
    keep_merits(now=CLOSED)
    assert has(cast, cast.lin) == 0
    for who in (cast.lin, cast.mo):
        with pytest.raises(NotAllowed):
            stop_prizes(prize_id=row.pk, by=cast.viewer(who), now=NOW)


@pytest.mark.once
@pytest.mark.parametrize(("places", "why"), [((), "places"), ((0,), "places"), ((10, 20), "places_rise")])
def test_what_makes_no_prizes_is_refused(cast: Cast, places: tuple[int, ...], why: str) -> None:
    with pytest.raises(Unusable) as refused:
        offered(cast, cast.ren, places)
    assert refused.value.why == why


def test_a_level_opens_its_privileges_until_the_season_or_their_days_end(cast: Cast) -> None:
    hua = cast.viewer(cast.hua)
    for code, level, days in (("early", "Novice", None), ("parking", "Skilled", 30), ("council", "Master", None)):
        name_privilege(company=cast.beiyuan, code=code, level=level, days=days, name_en=code.title(), by=hua, now=NOW)
    levels = tuple(Level(name, at) for name, at in (("Novice", 0), ("Skilled", 50), ("Master", 99)))

    def held(rank: int, today: date, *ends: date) -> list[tuple[str, date | None]]:
        rulebook = Rulebook(programme=Programme(timezone="Asia/Shanghai", season_ends=ends), levels=levels)
        since = datetime(2026, 5, 1, 2, tzinfo=UTC)
        found = privileges_of(cast.beiyuan.pk, rulebook=rulebook, rank=rank, since=since, today=today)
        return [(one.privilege.code, one.until) for one in found]

    assert held(-1, TODAY) == []
    assert held(1, TODAY) == [("early", None), ("parking", date(2026, 5, 31))]
    assert held(1, date(2026, 5, 31)) == [("early", None)]
    assert held(0, TODAY, date(2026, 5, 20), date(2026, 6, 20)) == [("early", date(2026, 5, 20))]
    assert held(1, TODAY, date(2026, 5, 20))[1] == ("parking", date(2026, 5, 20))
    row = Privilege.objects.get(code="early")
    end_privilege(privilege_id=row.pk, by=hua, now=NOW)
    assert held(0, TODAY) == []
    with pytest.raises(Unusable):
        name_privilege(company=cast.beiyuan, code="No Spaces", level="Novice", name_en="x", by=hua, now=NOW)
    assert not Privilege.objects.visible_to(cast.viewer(cast.mo))
