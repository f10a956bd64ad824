"""Special points: one asks, another approves, the receiver is neither, and a budget pays to its last point."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from tests.cast import NOW, Cast
from uptake.directory.scope import EVERYTHING, NotAllowed
from uptake.ledger.balances import balances_of
from uptake.ledger.models import Lot
from uptake.ledger.verify import verify
from uptake.notify.models import Delivery
from uptake.notify.subscribe import make_webhook
from uptake.programme.rewards.fund_budget import budget_of, fund_budget
from uptake.programme.rewards.grant_special import (
    approve_special,
    ask_special,
    grant_special,
    reject_special,
    withdraw_special,
)
from uptake.programme.rewards.leave_programme import leave_programme
from uptake.programme.rewards.models import Redemption, SpecialGrant
from uptake.programme.rewards.refusals import (
    AlreadyDecided,
    BudgetExhausted,
    Conflict,
    ReasonMissing,
    SelfDealing,
    UnknownGrant,
)
from uptake.programme.rewards.tests.world import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(cast: Cast) -> Shop:
    fund_budget(department=cast.purchasing, points=100, key="b", by=cast.viewer(cast.ren), now=NOW)
    return Shop(cast)


def asked(shop: Shop, **keys: Any) -> SpecialGrant:
    told = {
        "person": shop.cast.lin,
        "department": shop.cast.purchasing,
        "points": 30,
        "reason": "Fair stand",
        "key": "g",
        "by": shop.cast.viewer(shop.cast.hua),
        "now": NOW,
        **keys,
    }
    return ask_special(**told)


def left(shop: Shop) -> int:
    code = budget_of(shop.cast.purchasing)
    return balances_of(book=shop.book, codes=[code])[code]


def test_points_are_given_once_approved_and_the_budget_pays(shop: Shop) -> None:
    told: dict[str, Any] = {
        "name": "HR",
        "address": "https://hr.example/",
        "about": ["given"],
        "by": EVERYTHING,
        "now": NOW,
    }
    make_webhook(organization=shop.cast.beiyuan, **told)
    row = asked(shop)
    assert asked(shop).pk == row.pk
    assert (shop.points().available, left(shop)) == (0, 100)
    ke = shop.cast.viewer(shop.cast.ke)
    for _ in range(2):
        approve_special(grant_id=row.pk, by=ke, now=NOW)
    assert (shop.points().available, left(shop)) == (30, 70)
    lot = Lot.objects.get()
    assert (lot.key, lot.amount) == (f"special/{row.pk}", 30)
    assert list(Delivery.objects.values_list("kind", "key")) == [("points.special", row.lot)]
    with pytest.raises(AlreadyDecided):
        reject_special(grant_id=row.pk, by=ke, now=NOW)
    with pytest.raises(Conflict):
        asked(shop, points=31)
    assert verify().holds


@pytest.mark.parametrize("by", ["hua", "ke"])
def test_nobody_gives_themselves_or_what_they_asked_for(shop: Shop, by: str) -> None:
    people = shop.cast.people()
    row = asked(shop, person=people["ke" if by == "hua" else "lin"], by=shop.cast.viewer(people[by]))
    with pytest.raises(SelfDealing):
        approve_special(grant_id=row.pk, by=shop.cast.viewer(people["ke"]), now=NOW)
    with pytest.raises(SelfDealing):
        asked(shop, person=people[by], by=shop.cast.viewer(people[by]), key="own")
    assert not Lot.objects.exists()


def test_the_database_refuses_self_dealing_too(shop: Shop) -> None:
    row = asked(shop)
    for keys in (
        {"asked_by_person": row.person},
        {"state": "approved", "decided_at": NOW, "decided_by_person": row.person},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            SpecialGrant.objects.filter(pk=row.pk).update(**keys)


def test_a_budget_never_goes_below_zero(shop: Shop) -> None:
    ke = shop.cast.viewer(shop.cast.ke)
    first, second = asked(shop, points=60), asked(shop, points=41, key="h")
    approve_special(grant_id=first.pk, by=ke, now=NOW)
    with pytest.raises(BudgetExhausted):
        approve_special(grant_id=second.pk, by=ke, now=NOW)
    assert SpecialGrant.objects.get(pk=second.pk).state == "asked"
    with pytest.raises(BudgetExhausted):
        fund_budget(department=shop.cast.purchasing, points=-41, key="t", by=EVERYTHING, now=NOW)
    fund_budget(department=shop.cast.purchasing, points=-40, key="t", by=EVERYTHING, now=NOW)
    assert left(shop) == 0


def test_a_reason_is_needed_and_only_ones_own_people_get_points(shop: Shop) -> None:
    with pytest.raises(ReasonMissing):
        asked(shop, reason="  ")
    with pytest.raises(NotAllowed):
        asked(shop, person=shop.cast.mo)
    for who in ("lin", "mo", "wei"):
        with pytest.raises(NotAllowed):
            asked(shop, by=shop.cast.viewer(shop.cast.people()[who]), person=shop.cast.ke)


def test_who_may_decide_and_who_may_withdraw(shop: Shop) -> None:
    row = asked(shop)
    hua, mo = (shop.cast.viewer(one) for one in (shop.cast.hua, shop.cast.mo))
    with pytest.raises(NotAllowed):
        approve_special(grant_id=row.pk, by=hua, now=NOW)
    with pytest.raises(UnknownGrant):
        approve_special(grant_id=row.pk, by=mo, now=NOW)
    with pytest.raises(NotAllowed):
        withdraw_special(grant_id=row.pk, by=shop.cast.viewer(shop.cast.ke), now=NOW)
    withdraw_special(grant_id=row.pk, by=hua, now=NOW)
    with pytest.raises(AlreadyDecided):
        approve_special(grant_id=row.pk, by=shop.cast.viewer(shop.cast.ke), now=NOW)


@pytest.mark.parametrize("who", ["hua", "ke", "mo", "lin"])
def test_only_operators_and_administrators_fill_budgets(shop: Shop, who: str) -> None:
    by = shop.cast.viewer(shop.cast.people()[who])
    with pytest.raises(NotAllowed):
        fund_budget(department=shop.cast.purchasing, points=1, key="x", by=by, now=NOW)


def test_a_budget_is_filled_once_per_key(shop: Shop) -> None:
    fund_budget(department=shop.cast.purchasing, points=100, key="b", by=EVERYTHING, now=NOW)
    assert left(shop) == 100
    with pytest.raises(Conflict):
        fund_budget(department=shop.cast.purchasing, points=101, key="b", by=EVERYTHING, now=NOW)


def test_special_points_asked_and_approved_at_once(shop: Shop) -> None:
    told: dict[str, Any] = {"person": shop.cast.lin, "department": shop.cast.purchasing, "key": "g", "now": NOW}
    ke, hua = shop.cast.viewer(shop.cast.ke), shop.cast.viewer(shop.cast.hua)
    refused = [
        (ke, ke, "", 1000, SelfDealing),
        (hua, ke, "", 1000, ReasonMissing),
        (hua, ke, "R", 1000, BudgetExhausted),
    ]
    for by, approver, reason, points, refusal in refused:
        with pytest.raises(refusal):
            grant_special(**told, points=points, reason=reason, by=by, approved_by=approver)
    assert not SpecialGrant.objects.exists()
    for _ in range(2):
        grant_special(**told, points=5, reason="R", by=hua, approved_by=ke)
    assert shop.points().available == 5


def test_who_leaves_loses_what_is_open_and_what_is_left(shop: Shop) -> None:
    shop.earned(100)
    shop.requested(shop.reward(price=40))
    for _ in range(2):
        went = leave_programme(
            person=shop.cast.lin,
            company=shop.cast.beiyuan,
            key="2026",
            by=EVERYTHING,
            now=NOW,
            to_budget_of=shop.cast.purchasing,
        )
        assert went == 100
    assert (Redemption.objects.get().state, shop.points().available, left(shop)) == ("cancelled", 0, 200)
    assert verify().holds
