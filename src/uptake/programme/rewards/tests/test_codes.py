"""Codes come from a pool, each to one redemption only, are kept encrypted, and are shown to their owner alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from tests.cast import NOW, Cast
from uptake.directory.models import AuditEntry
from uptake.directory.scope import EVERYTHING, NotAllowed
from uptake.programme.rewards.give_code import show_code
from uptake.programme.rewards.import_coupons import codes_of, import_coupons
from uptake.programme.rewards.models import Code, Redemption, Reward, State
from uptake.programme.rewards.refusals import NotFulfilled, OutOfStock, UnknownRedemption, Unusable
from uptake.programme.rewards.resolve import approve, fulfil, refund
from uptake.programme.rewards.tests.world import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(cast: Cast) -> Shop:
    return Shop(cast)


def pool(shop: Shop, *codes: str, **keys: object) -> Reward:
    told = {"kind": "coupon", "name_en": "Canteen voucher", "price": 10, "with_codes": True, **keys}
    reward = shop.reward(**told)
    import_coupons(reward=reward, codes=codes, by=EVERYTHING, now=NOW)
    return reward


def test_a_code_is_given_at_once_and_never_twice(shop: Shop) -> None:
    shop.earned(100)
    reward = pool(shop, "AAA-1", "BBB-2")
    lin = shop.cast.viewer(shop.cast.lin)
    first, second = (shop.requested(reward, key=key) for key in ("1", "2"))
    assert (first.state, second.state) == (State.FULFILLED, State.FULFILLED)
    assert [show_code(redemption=one.pk, by=lin, now=NOW) for one in (first, second)] == ["AAA-1", "BBB-2"]
    with pytest.raises(OutOfStock):
        shop.redeem(reward, key="3")
    code = Code.objects.get(redemption=first)
    for change in ({"redemption_id": None, "given_at": None}, {"sealed": b"other"}):
        with pytest.raises((DatabaseError, IntegrityError)), transaction.atomic():
            Code.objects.filter(pk=code.pk).update(**change)
    with pytest.raises((DatabaseError, IntegrityError)), transaction.atomic():
        Code.objects.filter(redemption=second).delete()


def test_only_its_owner_sees_a_code_and_only_once_it_is_fulfilled(shop: Shop) -> None:
    shop.earned(100)
    asked = shop.requested(pool(shop, "AAA-1", needs_approval=True))
    lin = shop.cast.viewer(shop.cast.lin)
    with pytest.raises(UnknownRedemption):
        show_code(redemption=asked.pk, by=lin, now=NOW)
    approve(redemption=asked.pk, by=EVERYTHING, key="a", now=NOW)
    fulfil(redemption=asked.pk, by=EVERYTHING, key="f", now=NOW)
    later = NOW + timedelta(hours=1)
    assert [show_code(redemption=asked.pk, by=lin, now=at) for at in (NOW, later)] == ["AAA-1", "AAA-1"]
    assert Code.objects.get().shown_at == NOW
    for who in (shop.cast.ke, shop.cast.ren, shop.cast.an):
        with pytest.raises(UnknownRedemption):
            show_code(redemption=asked.pk, by=shop.cast.viewer(who), now=NOW)
    refund(redemption=asked.pk, by=EVERYTHING, key="r", now=NOW)
    with pytest.raises(NotFulfilled):
        show_code(redemption=asked.pk, by=lin, now=NOW)


def test_a_refunded_code_goes_to_nobody_else(shop: Shop) -> None:
    shop.earned(100)
    reward = pool(shop, "AAA-1")
    refund(redemption=shop.requested(reward).pk, by=EVERYTHING, key="r", now=NOW)
    reward.refresh_from_db()
    assert (reward.stock, reward.taken) == (0, 0)
    with pytest.raises(OutOfStock):
        shop.redeem(reward, key="2")
    assert import_coupons(reward=reward, codes=["AAA-1", "CCC-3"], by=EVERYTHING, now=NOW).known == 1
    assert shop.requested(reward, key="2").code.pk != Code.objects.order_by("pk")[0].pk
    assert shop.points().available == 90


def test_a_list_is_imported_once(shop: Shop) -> None:
    reward = pool(shop, "AAA-1")
    again = import_coupons(reward=reward, codes=["BBB-2", "AAA-1", "BBB-2"], by=EVERYTHING, now=NOW)
    assert (again.added, again.known, Reward.objects.get().stock) == (1, 2, 2)
    with pytest.raises(NotAllowed):
        import_coupons(reward=reward, codes=["X"], by=shop.cast.viewer(shop.cast.hua), now=NOW)
    with pytest.raises(Unusable):
        import_coupons(reward=shop.reward(), codes=["X"], by=EVERYTHING, now=NOW)


def test_no_code_stands_readable_in_the_database_or_in_the_log(shop: Shop) -> None:
    shop.earned(100)
    shop.redeem(pool(shop, "SECRET-4711"))
    tables = [
        name for name in connection.introspection.table_names() if name.startswith(("rewards", "notify", "events"))
    ]
    for table in tables:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {table}")
            for row in cursor.fetchall():
                assert not any(b"4711" in bytes(cell) for cell in row if isinstance(cell, bytes | memoryview)), table
                assert "4711" not in str(row), table
    assert not any("4711" in str(entry.details) + entry.subject for entry in AuditEntry.objects.all())
    assert Redemption.objects.get().code.sealed != b""


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("A-1\nB-2\n", ["A-1", "B-2"]),
        ("\ufeffcode,valid until\nA-1,2027\n\n  B-2 ,2027\n", ["A-1", "B-2"]),
        ("兑换码\r\nA-1\r\n", ["A-1"]),
    ],
)
def test_a_list_is_one_code_a_line_or_the_first_column(text: str, codes: list[str]) -> None:
    assert codes_of(text) == codes


@pytest.mark.parametrize("text", ["", "code\n", "x" * 201])
def test_a_list_that_cannot_be_used_says_so_without_its_codes(text: str) -> None:
    with pytest.raises(Unusable) as refused:
        codes_of(text)
    assert "xxx" not in refused.value.sentence
