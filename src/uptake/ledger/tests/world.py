"""The world of the ledger's tests: one book, one clock, and short ways to say who got what."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from uptake.ledger.balances import Points, points_of
from uptake.ledger.grant import Grant, Granted, Taken, Taking, grant, take_back
from uptake.ledger.hold import Grace, Held, hold, refund, release, settle
from uptake.ledger.verify import verify

BEIYUAN = 7
QINGHE = 8
LIN = "lin"
HUA = "hua"
DAY_0 = date(2026, 6, 1)


def at(day: int, hour: int = 9) -> datetime:
    """The hour of the day that many days after 2026-06-01 (UTC)."""
    return datetime(2026, 6, 1, hour, tzinfo=UTC) + timedelta(days=day)


def start(day: int) -> datetime:
    return at(day, 0)


def grace_from(day: int, days: int = 7) -> Grace:
    return Grace(DAY_0 + timedelta(days=day + days), start(day + days + 1))


def a_grant(lot: str, points: int, **more: Any) -> Grant:
    """A grant to Lin on day 0. `last`: the last day to spend it; `ready`: the day it becomes available."""
    day = more.pop("day", 0)
    last = more.pop("last", None)
    ready = more.pop("ready", None)
    filled: dict[str, Any] = {
        "book": BEIYUAN,
        "key": lot,
        "lot": lot,
        "owner": LIN,
        "points": points,
        "cause": "event/1",
        "happened_at": at(day),
        "event_key": lot,
        "available_from": at(day) if ready is None else start(ready),
        "last_date": None if last is None else DAY_0 + timedelta(days=last),
        "expires_at": None if last is None else start(last + 1),
    }
    return Grant(**(filled | more))


def earns(lot: str, points: int, **more: Any) -> Granted:
    now = more.pop("now", at(more.get("day", 0)))
    return grant([a_grant(lot, points, **more)], now=now)[0]


def loses(lot: str, points: int, *, day: int = 0, key: str = "", **more: Any) -> Taken:
    taking = Taking(book=BEIYUAN, key=key or f"back-{lot}", lot=lot, points=points, cause="event/2", **more)
    return take_back([taking], now=at(day))[0]


def holds(key: str, points: int, *, day: int = 0, out: int | None = None, owner: str = LIN, cause: str = "") -> Held:
    """Hold points; `out` is the day on which the hold times out."""
    return hold(
        book=BEIYUAN,
        key=key,
        owner=owner,
        points=points,
        cause=cause or f"request/{key}",
        now=at(day),
        times_out_at=None if out is None else start(out),
        grace=None if out is None else grace_from(out),
    )


def settles(hold_key: str, points: int | None = None, *, day: int = 0, key: str = "", cause: str = "request/s") -> Held:
    return settle(
        book=BEIYUAN,
        key=key or f"settle-{hold_key}",
        hold=hold_key,
        points=points,
        cause=cause,
        now=at(day),
        grace=grace_from(day),
    )


def releases(hold_key: str, *, day: int = 0, key: str = "") -> Held:
    return release(
        book=BEIYUAN,
        key=key or f"release-{hold_key}",
        hold=hold_key,
        cause="request/r",
        now=at(day),
        grace=grace_from(day),
    )


def refunds(hold_key: str, *, day: int = 0, key: str = "") -> Held:
    return refund(
        book=BEIYUAN,
        key=key or f"refund-{hold_key}",
        hold=hold_key,
        cause="request/f",
        now=at(day),
        grace=grace_from(day, 30),
    )


def points(day: int = 0, owner: str = LIN) -> Points:
    return points_of(book=BEIYUAN, owners=[owner], now=at(day))[owner]


def assert_ledger_holds() -> None:
    report = verify()
    assert report.holds, report.problems
