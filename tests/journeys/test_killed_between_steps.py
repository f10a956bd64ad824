"""kill -9 before every single statement of a door, and after its commit: what is done again is done once.

A forked process does the deed and kills itself before its first statement, the next time before its second, and so on
until it lives; nothing in the product knows of it. After each kill every promise holds and the deed was done wholly
or not at all; then it is done again under its key.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections

from tests.cast import NOW, Cast
from uptake.directory.scope import EVERYTHING
from uptake.events.models import Event
from uptake.jobs.whole_ledger import verify_everything
from uptake.ledger.elapse import expire
from uptake.ledger.grant import Grant, grant
from uptake.ledger.models import Entry, Hold, Refund, Resolution, Transfer
from uptake.notify.models import Message
from uptake.programme.consider import consider_new_events
from uptake.programme.models import Award
from uptake.programme.rewards.export_leave import export_leave
from uptake.programme.rewards.import_coupons import import_coupons
from uptake.programme.rewards.models import Code, Redemption, Reward, Step
from uptake.programme.rewards.resolve import approve, fulfil, refund, reject, time_out_redemptions
from uptake.programme.rewards.tests.world import Shop
from uptake.programme.tests.world import Desk

pytestmark = pytest.mark.django_db(transaction=True)

LATER = NOW + timedelta(days=16)
MOST = 200
SURVIVED, FAILED = 0, 3


def dies_before(statement: int, deed: Callable[[], Any]) -> bool:
    """Does the deed in a process that kills itself before its n-th statement, or (n = 0) after all of them, when it is
    committed and nobody has been told. Whether it died: a process with fewer statements lives."""
    leave_the_database()
    child = os.fork()
    if child == 0:
        try:
            _live(statement, deed)
        finally:
            os._exit(FAILED)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == SURVIVED, "the deed failed by itself"
    return False


def leave_the_database() -> None:
    """No connection stands open that two processes would share."""
    connections.close_all()
    if connection.vendor == "postgresql":
        pooled: Any = connection
        pooled.close_pool()


def _live(statement: int, deed: Callable[[], Any]) -> None:
    done = 0

    def count(execute: Callable[..., Any], *words: Any) -> Any:
        nonlocal done
        done += 1
        if done == statement:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(*words)

    with connection.execute_wrapper(count):
        deed()
    if not statement:
        os.kill(os.getpid(), signal.SIGKILL)
    os._exit(SURVIVED)


@dataclass
class Effects:
    """How often there is what a deed leaves behind."""

    rows: dict[str, int]

    @classmethod
    def now(cls) -> Effects:
        tables = (Redemption, Step, Hold, Resolution, Refund, Entry, Transfer, Award, Message, Event)
        asked = {one.__name__: f"SELECT COUNT(*) FROM {one._meta.db_table}" for one in tables}
        asked["codes"] = f"SELECT COUNT(redemption_id) FROM {Code._meta.db_table}"
        asked["taken"] = f"SELECT COALESCE(SUM(taken), 0) FROM {Reward._meta.db_table}"
        with connection.cursor() as cursor:
            cursor.execute("SELECT " + ", ".join(f"({one})" for one in asked.values()))
            return cls(dict(zip(asked, cursor.fetchone(), strict=True)))

    def since(self, before: Effects) -> dict[str, int]:
        return {name: more for name, count in self.rows.items() if (more := count - before.rows[name])}


def killed_everywhere(begin: Callable[[int], Callable[[], Any]]) -> tuple[int, dict[str, int]]:
    """Kills the deed that `begin(turn)` prepares before each of its statements and after its commit; gives at how
    many places, and what one deed leaves behind."""
    wanted: dict[str, int] | None = None
    for turn in range(MOST):
        deed = begin(turn)
        before = Effects.now()
        died = dies_before(turn, deed)
        left = Effects.now().since(before)
        if left:
            assert_everything_holds()
        if wanted is None:  # killed after the commit: this is what the whole deed leaves
            wanted = left
            assert wanted
        assert left in ({}, wanted), f"half a deed after a kill before statement {turn}"
        deed()
        assert Effects.now().since(before) == wanted, f"not once after a kill before statement {turn}"
        if not died:
            assert_everything_holds()
            return turn, wanted
    raise AssertionError("a deed of that many statements")


def assert_everything_holds() -> None:
    report = verify_everything()
    assert report.holds, report.problems


@pytest.fixture
def shop(cast: Cast) -> Shop:
    shop = Shop(cast)
    shop.earned(100_000)
    return shop


def test_a_request(shop: Shop) -> None:
    """Points held and a place in the stock taken: both or neither."""
    mug = shop.reward(stock=500)

    places, left = killed_everywhere(lambda turn: lambda: shop.redeem(mug, key=f"k{turn}"))

    assert places > 10
    assert left == {"Redemption": 1, "Step": 1, "Hold": 1, "Entry": 1, "Transfer": 1, "Event": 1, "taken": 1}


def test_a_request_that_a_code_answers_at_once(shop: Shop) -> None:
    gift = shop.reward(kind="coupon", with_codes=True, stock=0)
    import_coupons(reward=gift, codes=[f"CODE-{number:05}" for number in range(200)], by=EVERYTHING, now=NOW)

    _, left = killed_everywhere(lambda turn: lambda: shop.redeem(gift, key=f"k{turn}"))

    assert (left["codes"], left["Hold"], left["Resolution"], left["Step"], left["Event"]) == (1, 1, 1, 2, 2)
    assert len(set(Code.objects.filter(redemption__isnull=False).values_list("redemption", flat=True))) == (
        Code.objects.filter(redemption__isnull=False).count()
    )


@pytest.mark.parametrize("deed", [approve, fulfil, reject, refund])
def test_what_the_desk_does(shop: Shop, deed: Callable[..., Any]) -> None:
    mug = shop.reward(stock=500, needs_approval=deed is not reject)
    ke = shop.cast.viewer(shop.cast.ke)

    def begin(turn: int) -> Callable[[], Any]:
        asked = shop.requested(mug, key=f"k{turn}").pk
        if deed in (fulfil, refund):
            approve(redemption=asked, by=ke, key="a", now=NOW)
        if deed is refund:
            fulfil(redemption=asked, by=ke, key="f", now=NOW)
        return lambda: deed(redemption=asked, by=ke, key="d", now=NOW)

    _, left = killed_everywhere(begin)

    assert (left["Step"], left["Message"]) == (1, 1)
    assert left.get("Resolution", 0) == (deed in (fulfil, reject))
    assert left.get("Refund", 0) == (deed is refund)


def test_leave_that_is_handed_to_hr(shop: Shop) -> None:
    """What left in a file that nobody got is told again in the next, by the same number."""
    day = shop.reward(kind="leave", leave_days=1, price=1)
    ke = shop.cast.viewer(shop.cast.ke)
    asked = shop.requested(day, leave_from_date=ke.today)
    fulfil(redemption=asked.pk, by=ke, key="f", now=NOW)

    for turn in range(MOST):
        died = dies_before(turn, lambda: export_leave(company=shop.cast.beiyuan, now=NOW))
        told = export_leave(company=shop.cast.beiyuan, now=NOW)
        assert [one.id for one in told] == [asked.pk]
        if not died:
            break


def test_time(shop: Shop) -> None:
    """Points expire, and a request nobody answered times out, once each."""
    owner = str(shop.cast.hua.pk)

    def begin(turn: int) -> Callable[[], Any]:
        last = NOW.date() + timedelta(days=turn)
        ends = NOW + timedelta(days=turn, hours=20)
        lot = Grant(
            book=shop.book, key=f"short{turn}", lot=f"short{turn}", owner=owner, points=7, cause="time",
            happened_at=NOW, available_from=NOW, last_date=last, expires_at=ends,
        )  # fmt: skip
        grant([lot], now=NOW)
        return lambda: expire(now=ends)

    _, left = killed_everywhere(begin)
    assert left == {"Entry": 1, "Transfer": 1}

    mug = shop.reward(stock=500)
    for turn in range(1, MOST):
        asked = shop.requested(mug, key=f"t{turn}", now=NOW + timedelta(days=400 * turn))
        after = NOW + timedelta(days=400 * turn + 20)
        died = dies_before(turn, lambda after=after: time_out_redemptions(now=after))  # type: ignore[misc]
        time_out_redemptions(now=after)
        asked.refresh_from_db()
        assert (asked.state, Step.objects.filter(redemption=asked).count()) == ("timed_out", 2)
        assert Reward.objects.get(pk=mug.pk).taken == 0
        if not died:
            break
    assert_everything_holds()


def test_considering(cast: Cast) -> None:
    """An award, its entry, its message and the bookmark are written together."""
    desk = Desk(cast)

    def begin(turn: int) -> Callable[[], Any]:
        at = NOW + timedelta(minutes=turn)
        desk.processed(f"o{turn}", at, lines=1, now=at, consider=False)
        return lambda: consider_new_events(now=at)

    places, left = killed_everywhere(begin)

    assert places > 10
    assert left == {"Award": 1, "Entry": 1, "Transfer": 1, "Message": 1}
