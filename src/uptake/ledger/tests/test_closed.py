"""A closed book refuses at every door, and goes on being read."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from uptake import ledger
from uptake.ledger.balances import points_of
from uptake.ledger.close import close_book, closed_books, open_book
from uptake.ledger.elapse import expire, mature, time_out
from uptake.ledger.grant import granting
from uptake.ledger.models import ChainHead, Transfer
from uptake.ledger.move import forfeit, move
from uptake.ledger.post import BookClosed
from uptake.ledger.postpone import Active, postpone
from uptake.ledger.tests.world import (
    BEIYUAN,
    DAY_0,
    LIN,
    QINGHE,
    at,
    earns,
    holds,
    loses,
    refunds,
    releases,
    settles,
    start,
)
from uptake.ledger.verify import verify
from uptake.ledger.write_off import write_off

pytestmark = pytest.mark.django_db(transaction=True)


def _granting() -> None:
    with granting([(BEIYUAN, LIN)], lots=1, now=at(1)):
        pass


DOORS: dict[str, Callable[[], object]] = {
    "grant.grant": lambda: earns("b", 5, now=at(1)),
    "grant.granting": _granting,
    "grant.take_back": lambda: loses("a", 5, day=1),
    "hold.hold": lambda: holds("h2", 5, day=1),
    "hold._resolve settle": lambda: settles("h", day=1),
    "hold._resolve release": lambda: releases("h", day=1),
    "hold.refund": lambda: refunds("settled", day=1),
    "move.move": lambda: move(
        book=BEIYUAN, key="m", source="programme/issued", target="budget/1", points=5, cause="budget/1", now=at(1)
    ),
    "move.forfeit": lambda: forfeit(book=BEIYUAN, key="f", owner=LIN, cause="leave/1", now=at(1)),
    "write_off.write_off": lambda: write_off(book=BEIYUAN, key="w", owner=LIN, most=5, cause="terms/1", now=at(1)),
    "postpone.postpone": lambda: postpone(
        [Active(BEIYUAN, LIN, 30, DAY_0, DAY_0, start(31), "event/1")], now=at(1)
    ),
}  # fmt: skip
BY_THEMSELVES = {"elapse._elapse"}
"""What time alone does leaves closed books out: the jobs go on with the others."""


def test_every_door_is_walked_here() -> None:
    """Whoever writes in a book opens a sheet, and only a sheet makes transfers: a new door is named here."""
    found = set()
    for file in Path(str(ledger.__file__)).parent.glob("*.py"):
        for function in (one for one in ast.walk(ast.parse(file.read_text())) if isinstance(one, ast.FunctionDef)):
            calls = [one.func for one in ast.walk(function) if isinstance(one, ast.Call)]
            called = {one.id for one in calls if isinstance(one, ast.Name)}
            if "open_sheet" in called:
                found.add(f"{file.stem}.{function.name}")
    assert found == {name.partition(" ")[0] for name in DOORS} | BY_THEMSELVES


@pytest.mark.parametrize("name", DOORS)
def test_a_closed_book_refuses(name: str) -> None:
    earns("a", 50)
    holds("h", 10)
    holds("settled", 10)
    settles("settled", key="s")
    before = Transfer.objects.count()
    assert close_book(book=BEIYUAN, why="I3: a balance is wrong", now=at(1))
    assert not close_book(book=BEIYUAN, why="again", now=at(2))

    with pytest.raises(BookClosed):
        DOORS[name]()

    assert Transfer.objects.count() == before
    assert points_of(book=BEIYUAN, owners=[LIN], now=at(1))[LIN].available == 30
    assert verify(book=BEIYUAN).holds
    assert closed_books()[BEIYUAN].why == "I3: a balance is wrong"
    earns("other", 5, book=QINGHE)
    assert open_book(book=BEIYUAN)
    assert not open_book(book=BEIYUAN)
    earns("b", 5, now=at(1))


def test_time_goes_on_in_the_other_books() -> None:
    for book in (BEIYUAN, QINGHE):
        earns("ready", 5, ready=3, book=book)
        earns("old", 5, last=3, book=book)
    holds("out", 5, out=3)
    close_book(book=BEIYUAN, why="I3", now=at(1))

    for job in (mature, expire, time_out):
        job(now=at(9))
    assert ChainHead.objects.get(book=BEIYUAN).clock_at == at(0)
    assert points_of(book=QINGHE, owners=[LIN], now=at(9))[LIN].available == 5

    open_book(book=BEIYUAN)
    for job in (mature, expire, time_out):
        job(now=at(9))
    assert verify().holds
