"""Where people stand by level: written beside the points, told once, looked at again when a season ends."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.cast import NOW, Cast
from uptake.directory.scope import EVERYTHING
from uptake.ledger.grant import Grant, grant
from uptake.notify.models import Message
from uptake.programme.consider import consider_new_events
from uptake.programme.hold_levels import FALLEN, REACHED, level_may_change
from uptake.programme.models import PersonLevel
from uptake.programme.publish import publish
from uptake.programme.standing_of import standing_of
from uptake.programme.tests.world import RULES, Desk

pytestmark = pytest.mark.django_db(transaction=True)

DAY = timedelta(days=1)
LEVELS = [{"name": "bronze", "at": 0}, {"name": "silver", "at": 15}, {"name": "gold", "at": 40}]


class Levelled(Desk):
    def __init__(self, cast: Cast, **programme: Any) -> None:
        self.levels = {"rules": RULES, "levels": LEVELS, "programme": programme}
        super().__init__(cast)

    def follow_levels(self) -> None:
        publish(
            rulebook=self.levels, organization=self.cast.beiyuan, in_force_date=(NOW + 2 * DAY).date(), by=EVERYTHING,
            now=NOW,
        )  # fmt: skip


LATER = NOW + 3 * DAY


def test_a_level_is_reached_once_and_told_once(cast: Cast) -> None:
    desk = Levelled(cast)
    desk.follow_levels()
    desk.processed("a", LATER, now=LATER)
    before = standing_of([cast.lin.pk], company=cast.beiyuan.pk, now=LATER)[cast.lin.pk]
    desk.processed("b", LATER + DAY, now=LATER + DAY)
    desk.processed("c", LATER + DAY, now=LATER + DAY, lines=1)
    after = standing_of([cast.lin.pk], company=cast.beiyuan.pk, now=LATER + DAY)[cast.lin.pk]

    assert (before.level, before.next_level, before.missing) == ("bronze", "silver", 5)
    assert (after.level, after.qualifying, after.next_level, after.missing) == ("silver", 21, "gold", 19)
    (told,) = Message.objects.filter(kind=REACHED)
    assert (told.person_id, told.content) == (cast.lin.pk, {"level": "silver", "was": "bronze"})


def test_a_season_ends_by_time_alone(cast: Cast) -> None:
    end = (LATER + 10 * DAY).date()
    desk = Levelled(cast, season_ends=[end.isoformat()], levels_from="season")
    desk.follow_levels()
    desk.processed("a", LATER, now=LATER, lines=50)
    then = LATER + 12 * DAY
    asked = standing_of([cast.lin.pk], company=cast.beiyuan.pk, now=then)[cast.lin.pk]
    desk.consider(then)

    assert asked.level == "gold"  # at the end the points reached it; what counts begins anew
    assert (asked.counted, asked.qualifying) == (0, 50)
    row = PersonLevel.objects.get(person=cast.lin)
    assert (row.rank, row.points, row.due_at) == (2, 0, None)
    assert not Message.objects.filter(kind=FALLEN).exists()


def test_special_points_raise_the_level_at_once(cast: Cast) -> None:
    desk = Levelled(cast)
    desk.follow_levels()
    desk.processed("a", LATER, now=LATER)
    at = LATER + DAY
    grant(
        [
            Grant(
                book=cast.beiyuan.pk, key="special/1", lot="special/1", owner=str(cast.lin.pk), points=30,
                cause="special/1", happened_at=at, available_from=at,
            )
        ],
        now=at,
    )  # fmt: skip
    level_may_change(person=cast.lin.pk, company=cast.beiyuan.pk, now=at)
    at_once = standing_of([cast.lin.pk], company=cast.beiyuan.pk, now=at)[cast.lin.pk]
    desk.consider(at)

    assert at_once.level == "gold"
    assert PersonLevel.objects.get(person=cast.lin).rank == 2
    assert Message.objects.filter(kind=REACHED).count() == 1


def test_where_there_are_no_levels_nothing_is_due_twice(cast: Cast) -> None:
    Desk(cast)
    level_may_change(person=cast.lin.pk, company=cast.beiyuan.pk, now=NOW)

    assert consider_new_events(now=NOW) == 1
    assert consider_new_events(now=NOW) == 0
