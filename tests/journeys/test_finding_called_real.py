"""A finding called real takes what waits in redemptions, and the level with it; an upheld appeal gives all back."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone

from tests.cast import NOW, Cast
from uptake.directory.models import AuditEntry
from uptake.events.happening import Happening
from uptake.events.models import Connection
from uptake.events.record import record
from uptake.insight.gaming.decide import give_opinion
from uptake.insight.gaming.find import find_signs
from uptake.insight.gaming.models import Finding, Outcome, Verdict
from uptake.jobs.whole_ledger import verify_everything
from uptake.ledger.balances import Points
from uptake.notify.models import Message
from uptake.programme.consider import consider_new_events
from uptake.programme.governance.appeal import decide_appeal, file_appeal
from uptake.programme.levels import by_points_alone
from uptake.programme.lower_standing import LOWERED, RAISED, would_lower
from uptake.programme.merits.keep_boards import keep_boards
from uptake.programme.merits.models import Score
from uptake.programme.models import Award, KeptFold, PersonLevel, StandingChange
from uptake.programme.rewards.models import Redemption, State
from uptake.programme.rewards.redeem import redeem
from uptake.programme.rewards.resolve import fulfil
from uptake.programme.rewards.tests.world import Shop
from uptake.programme.rulebook import Level
from uptake.programme.standing_of import LevelOf, standing_of
from uptake.web.pages.appeals.lines import entry_of
from uptake.web.pages.gaming.follows import FOLLOWS, would_follow

from .test_points_under_review import LAST, LATER, farm, points

pytestmark = pytest.mark.django_db(transaction=True)
LEVELS = [{"name": "bronze", "at": 0}, {"name": "silver", "at": 15}, {"name": "gold", "at": 30}]
HOUR = timedelta(hours=1)


@pytest.fixture
def golden(cast: Cast) -> Cast:
    """Lin's 32 points, 28 of them farmed, reach gold."""
    farm(cast, levels=LEVELS)
    assert level(cast).level == "gold"
    return cast


def _orders() -> Connection:
    return Connection.objects.get(slug="orders")


def level(cast: Cast, now: datetime = LATER) -> LevelOf:
    return standing_of([cast.lin.pk], company=cast.beiyuan.pk, now=now)[cast.lin.pk]


def asked_for(cast: Cast, price: int, **keys: Any) -> Redemption:
    reward = Shop(cast).reward(price=price, stock=1, per_person=1, **keys)
    return redeem(reward=reward, by=cast.viewer(cast.lin), key=f"mug/{price}", now=NOW + HOUR / 2).redemption


def found(cast: Cast) -> Finding:
    (one,) = find_signs(company=cast.beiyuan, last=LAST, now=LATER)
    return one


def called_real(cast: Cast, one: Finding, now: datetime = LATER + HOUR) -> Outcome:
    for who in (cast.ren, cast.an):
        outcome = give_opinion(
            finding=one, verdict=Verdict.REAL, reason="Same order", by=cast.viewer(who), follows=FOLLOWS,
            now=now,
        )  # fmt: skip
    assert outcome is not None
    return outcome


def everything_holds(cast: Cast) -> None:
    while keep_boards(now=LATER + HOUR):
        pass
    assert list(verify_everything().problems) == []


def test_what_waits_in_redemptions_is_taken_with_its_place_and_limit(golden: Cast) -> None:
    waiting = asked_for(golden, 20)
    one = found(golden)
    assert (one.points, one.held, points(golden)) == (28, 12, Points(held=32))
    would = would_follow(one, LATER)

    outcome = called_real(golden, one)

    assert (would.taken, [row.pk for row in would.redemptions]) == (28, [waiting.pk])
    assert outcome.taken == 28
    assert points(golden) == Points(available=4), "what the redemption held beyond that is the person's again"
    waiting.refresh_from_db()
    assert (waiting.state, waiting.cause, waiting.reward.taken) == (State.REJECTED, one.hold, 0)
    kinds = set(Message.objects.filter(person=golden.lin).values_list("kind", flat=True))
    assert {"redemption.voided", "gaming.taken", LOWERED} <= kinds
    assert "redemption.rejected" not in kinds
    assert AuditEntry.objects.get(deed="redemption.rejected").details["for"] == one.hold
    everything_holds(golden)


def test_a_redemption_of_other_points_is_left_alone(golden: Cast) -> None:
    """What is asked for after it was found holds points that the hold left, and where all is on hold none is needed."""
    one = found(golden)
    kept = asked_for(golden, 4)
    Redemption.objects.filter(pk=kept.pk).update(requested_at=LATER + HOUR / 2)

    outcome = called_real(golden, one)

    kept.refresh_from_db()
    assert (outcome.taken, kept.state, points(golden)) == (28, State.REQUESTED, Points(held=4))


def test_ordinary_work_voids_nothing(golden: Cast) -> None:
    waiting = asked_for(golden, 20)
    give_opinion(
        finding=found(golden), verdict=Verdict.NOT, reason="Recounted", by=golden.viewer(golden.ren), follows=FOLLOWS,
        now=LATER + HOUR,
    )  # fmt: skip

    waiting.refresh_from_db()
    assert (waiting.state, points(golden)) == (State.REQUESTED, Points(available=12, held=20))
    assert not StandingChange.objects.exists()
    assert level(golden, LATER + 2 * HOUR).level == "gold"


def test_the_level_falls_at_once_and_folds_agree(golden: Cast) -> None:
    one = found(golden)
    would = would_lower(person=golden.lin.pk, company=golden.beiyuan.pk, events=one.events, now=LATER)
    called_real(golden, one)

    at_once = level(golden, LATER + 2 * HOUR)
    assert (would.was_called, would.is_called, would.total) == ("gold", "bronze", 28)
    assert (at_once.level, at_once.qualifying, at_once.counted) == ("bronze", 4, 4)
    consider_new_events(now=LATER + 2 * HOUR)
    row = PersonLevel.objects.get(person=golden.lin, company=golden.beiyuan)
    assert (row.rank, row.points) == (0, 4)
    assert Award.objects.filter(person=golden.lin, points__gt=0).count() == 16, "awards stay as they were"
    everything_holds(golden)
    total = Score.objects.get(person=golden.lin, place=golden.beiyuan, period="ever")
    assert total.points == 4, "boards count it no more"
    KeptFold.objects.all().delete()
    golden_after_new_work(golden)
    assert Message.objects.filter(person=golden.lin, kind=LOWERED).count() == 1
    assert not Message.objects.filter(person=golden.lin, kind="level_fallen").exists()


def golden_after_new_work(cast: Cast) -> None:
    """Twelve honest points more: silver from the reduced sum, folded from the first event."""
    at = LATER + 3 * HOUR
    who = cast.identities["lin"].external_id
    record(
        [Happening("order.processed", "honest", at, who, "BY-9", {"lines": 12})], connection=_orders(), now=at
    )  # fmt: skip
    consider_new_events(now=at)
    row = PersonLevel.objects.get(person=cast.lin, company=cast.beiyuan)
    assert (row.rank, row.points) == (1, 16)


def test_an_upheld_appeal_gives_points_and_level_back(golden: Cast, client: Client) -> None:
    one = found(golden)
    called_real(golden, one)
    consider_new_events(now=LATER + 2 * HOUR)
    lin = golden.viewer(golden.lin)
    line = entry_of(lin, golden.beiyuan, f"{one.hold}/forfeit")
    assert line is not None
    appeal = file_appeal(line=line, text="We count twice.", by=lin, now=LATER + 2 * HOUR)
    golden.sign_in(golden.ke, client)
    page = client.get(f"/appeals/{appeal.pk}/").content.decode()
    assert 'value="28"' in page, "what was taken is suggested"

    decide_appeal(
        appeal=appeal, upheld=True, answer="True.", points=28, by=golden.viewer(golden.ke), now=LATER + 3 * HOUR
    )

    consider_new_events(now=LATER + 4 * HOUR)
    stands = level(golden, LATER + 4 * HOUR)
    assert (stands.level, stands.qualifying, points(golden).available) == ("gold", 32, 32)
    assert PersonLevel.objects.get(person=golden.lin).rank == 2
    assert Message.objects.filter(person=golden.lin, kind=RAISED).count() == 1
    everything_holds(golden)


def test_points_long_spent_count_no_more_and_that_can_be_appealed(golden: Cast, client: Client) -> None:
    gone = asked_for(golden, 32)
    fulfil(redemption=gone.pk, by=golden.viewer(golden.ke), key="f", now=NOW + HOUR / 2)
    one = found(golden)
    assert (one.points, one.held) == (28, 0)

    outcome = called_real(golden, one)

    assert (outcome.taken, points(golden)) == (0, Points())
    assert level(golden, LATER + 2 * HOUR).level == "bronze"
    told = Message.objects.get(person=golden.lin, kind="gaming.taken")
    golden.sign_in(golden.lin, client)
    asked = {"entry": told.content["entry"], "company": told.content["company"]}
    page = client.get("/appeals/new/", asked)
    assert page.status_code == 200
    assert "Counts no more after a review" in page.content.decode()
    lin = golden.viewer(golden.lin)
    line = entry_of(lin, golden.beiyuan, told.content["entry"])
    assert line is not None
    assert sorted(line.parties) == sorted([golden.ren.pk, golden.an.pk])
    assert entry_of(golden.viewer(golden.hua), golden.beiyuan, told.content["entry"]) is None, "only one's own"
    appeal = file_appeal(line=line, text="No.", by=lin, now=LATER + 2 * HOUR)
    decide_appeal(appeal=appeal, upheld=True, answer="Yes.", by=golden.viewer(golden.ke), now=LATER + 3 * HOUR)
    assert level(golden, LATER + 4 * HOUR).level == "gold"
    everything_holds(golden)


def test_deciders_see_what_would_follow_and_others_do_not(golden: Cast, client: Client) -> None:
    waiting = asked_for(golden, 20, name_zh="杯子")
    one = found(golden)
    Redemption.objects.update(times_out_at=timezone.now() + HOUR)
    golden.sign_in(golden.ren, client)
    page = client.get(f"/gaming/{one.pk}/").content.decode()
    assert f"/rewards/desk/redemptions/{waiting.pk}/" in page
    assert "falls at once from gold to bronze" in page
    golden.sign_in(golden.wei, client)
    assert f"/rewards/desk/redemptions/{waiting.pk}/" not in client.get(f"/gaming/{one.pk}/").content.decode()
    called_real(golden, one)
    golden.sign_in(golden.ren, client)
    assert "Redemptions turned down for it" in client.get(f"/gaming/{one.pk}/").content.decode()
    assert f"/gaming/{one.pk}/" in client.get(f"/rewards/desk/redemptions/{waiting.pk}/").content.decode()
    golden.sign_in(golden.lin, client)
    assert "earned by pretence" in client.get(f"/rewards/mine/{waiting.pk}/").content.decode()


def test_what_was_decided_stays_and_is_checked(golden: Cast) -> None:
    called_real(golden, found(golden))
    for deed in (lambda: StandingChange.objects.update(points=-1), lambda: StandingChange.objects.all().delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            deed()
    row = StandingChange.objects.latest("pk")
    row.pk, row.cause, row.about = None, "gaming/999", "gaming/999"
    row.save(force_insert=True)
    assert any("gaming/999" in problem.what for problem in verify_everything().problems)


def test_a_level_that_honest_seasons_earned_stays() -> None:
    levels = [Level("bronze", 0), Level("silver", 15), Level("gold", 30)]
    spring, summer, autumn = date(2026, 3, 1), date(2026, 6, 1), date(2026, 9, 1)
    earned = {spring: 40, summer: 3}
    assert by_points_alone(levels, earned, [date(2026, 4, 1)], of_season=True) == 2
    assert by_points_alone(levels, earned, [date(2026, 4, 1), date(2026, 7, 1)], of_season=True) == 1
    assert by_points_alone(levels, {spring: 10, summer: 9}, [date(2026, 4, 1)], of_season=False) == 1
    assert by_points_alone(levels, {autumn: 14}, [], of_season=False) == 0
