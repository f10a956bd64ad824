"""Points that expire by inactivity: what is asked of the database, what is known late, whether the record agrees."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.cast import NOW, Cast
from uptake.directory.models import Identity
from uptake.directory.scope import EVERYTHING
from uptake.events.happening import Happening
from uptake.events.identify import identify
from uptake.events.models import Connection, Event
from uptake.events.read import Position, move_bookmark, positions_of
from uptake.events.record import record
from uptake.events.record_own import OwnDeed, record_own
from uptake.ledger.balances import outlook_of
from uptake.ledger.elapse import expire
from uptake.ledger.models import Entry, Lot
from uptake.ledger.verify import verify
from uptake.programme.consider import consider_new_events
from uptake.programme.publish import READER
from uptake.programme.tests.world import RULES, Desk
from uptake.programme.verify_living import problems_of

pytestmark = pytest.mark.django_db(transaction=True)

STAYING: list[dict[str, Any]] = [{**RULES[0], "expires": {"inactive_days": 7}}]
ONE_DAY = timedelta(days=1)


def days(number: float) -> datetime:
    return NOW + timedelta(days=number)


def last_dates(cast: Cast, who: str = "lin") -> list[date | None]:
    rows: Any = Lot.objects.filter(owner=str(getattr(cast, who).pk)).order_by("happened_at", "pk")
    return list(rows.values_list("last_date", flat=True))


def available(cast: Cast, now: datetime, who: str = "lin") -> int:
    return outlook_of(book=cast.beiyuan.pk, owner=str(getattr(cast, who).pk), now=now).points.available


def begun(cast: Cast) -> date:
    """The business date of NOW at Beiyuan."""
    day: date = Event.objects.order_by("happened_at").values_list("business_date", flat=True)[0]
    return day


def test_a_backlog_gives_lots_the_last_date_they_have_by_all_that_is_recorded(cast: Cast) -> None:
    desk = Desk(cast, STAYING)
    for number in range(6):
        desk.processed(f"o{number}", days(5 * number), now=days(5 * number), consider=False)

    while consider_new_events(now=days(30)):
        pass

    assert last_dates(cast) == [begun(cast) + timedelta(days=32)] * 6
    assert not Entry.objects.filter(kind__in=("expired", "revived")).exists()
    assert available(cast, days(30)) == 60
    assert problems_of(cast.beiyuan.pk) == []


def test_one_by_one_comes_to_the_same_as_a_backlog(cast: Cast) -> None:
    desk = Desk(cast, STAYING)
    for number in range(6):
        desk.processed(f"o{number}", days(5 * number), now=days(5 * number))

    assert last_dates(cast) == [begun(cast) + timedelta(days=32)] * 6
    assert problems_of(cast.beiyuan.pk) == []


def test_a_gap_ends_what_was_before_it_and_a_late_event_in_it_repairs_that(cast: Cast) -> None:
    desk = Desk(cast, STAYING)
    desk.processed("first", days(0), now=days(0))
    desk.processed("after", days(9), now=days(9))
    while expire(now=days(9)):
        pass
    assert available(cast, days(9)) == 10

    late = desk.processed("between", days(5), now=days(10))

    assert available(cast, days(10)) == 30
    assert last_dates(cast) == [begun(cast) + timedelta(days=16)] * 3
    assert Entry.objects.get(kind="revived").cause == f"event/{late.pk}"
    assert verify().holds
    assert problems_of(cast.beiyuan.pk) == []


def test_what_no_rule_names_counts_and_what_our_own_modules_record_does_not(cast: Cast) -> None:
    desk = Desk(cast, STAYING)
    desk.processed("first", days(0), now=days(0))
    record_own([OwnDeed(cast.beiyuan.pk, cast.lin.pk, "vote.cast", "v", days(3))], now=days(3))
    desk.consider(days(3))
    assert last_dates(cast) == [begun(cast) + timedelta(days=7)]

    external = cast.identities["lin"].external_id
    record([Happening("page.viewed", "page", days(4), external)], connection=desk.connection, now=days(4))
    desk.consider(days(4))
    assert last_dates(cast) == [begun(cast) + timedelta(days=11)]


def test_who_is_known_later_was_active_all_the_same(cast: Cast) -> None:
    desk = Desk(cast, STAYING)
    desk.processed("first", days(0), now=days(0))
    desk.processed("theirs", days(5), who="unknown", now=days(5))
    while expire(now=days(9)):
        pass
    assert available(cast, days(9)) == 0

    identify(identity=Identity.objects.get(external_id="unknown"), person=cast.lin, by=EVERYTHING, now=days(9))
    desk.consider(days(9))

    assert available(cast, days(9)) == 20
    assert verify().holds
    assert problems_of(cast.beiyuan.pk) == []


def test_what_is_another_s_by_now_shortens_nothing(cast: Cast) -> None:
    desk = Desk(cast, STAYING)
    desk.processed("first", days(0), now=days(0))
    desk.processed("theirs", days(5), who="unknown", now=days(5))
    identity = Identity.objects.get(external_id="unknown")
    identify(identity=identity, person=cast.lin, by=EVERYTHING, now=days(5))
    desk.consider(days(5))
    identify(identity=identity, person=None, by=EVERYTHING, now=days(6))
    identify(identity=identity, person=cast.hua, by=EVERYTHING, now=days(6))
    desk.consider(days(6))

    assert last_dates(cast)[0] == begun(cast) + timedelta(days=12)
    assert last_dates(cast, "hua") == [begun(cast) + timedelta(days=12)]
    assert verify().holds
    assert problems_of(cast.beiyuan.pk) == []


def lives_too_long(cast: Cast) -> None:
    """The database lets lots live on, whoever says so."""
    lot = Lot.objects.get()
    assert lot.last_date is not None
    assert lot.expires_at is not None
    Lot.objects.update(last_date=lot.last_date + 3 * ONE_DAY, expires_at=lot.expires_at + 3 * ONE_DAY)


def a_deed_is_passed_over(cast: Cast) -> None:
    external = cast.identities["lin"].external_id
    desk = Connection.objects.get(slug="orders")
    record([Happening("page.viewed", "page", days(4), external)], connection=desk, now=days(4))
    latest = Event.objects.latest("pk")
    with transaction.atomic():
        move_bookmark(READER, now=days(4), events=Position(latest.txid, latest.pk), corrections=positions_of(READER)[1])


@pytest.mark.parametrize("spoil", [lives_too_long, a_deed_is_passed_over])
def test_verify_finds_a_lot_that_ends_otherwise_than_its_owner_did_something(
    cast: Cast, spoil: Callable[[Cast], None]
) -> None:
    desk = Desk(cast, STAYING)
    desk.processed("first", days(0), now=days(0))
    assert problems_of(cast.beiyuan.pk) == []

    spoil(cast)

    (found,) = problems_of(cast.beiyuan.pk)
    assert found.invariant == "I13"
    assert f"lot {Lot.objects.get().key} can be spent through" in found.what


@pytest.mark.parametrize(
    ("rules", "statements"), [(RULES, 0), ([{**RULES[0], "expires": {"days": 7}}], 0), (STAYING, 1)]
)
def test_a_book_without_the_policy_is_asked_nothing_and_one_with_it_one_statement(
    cast: Cast, rules: list[dict[str, Any]], statements: int
) -> None:
    """Also where many come at once; the dates are those of the batch, as nothing later can be known."""
    desk = Desk(cast, rules)
    desk.processed("before", days(0), now=days(0))
    for number in range(20):
        desk.processed(f"o{number}", days(1), who=("lin", "hua")[number % 2], now=days(1), consider=False)

    with CaptureQueriesContext(connection) as queries:
        desk.consider(days(1))

    asked = [one["sql"] for one in queries]
    assert len([one for one in asked if "inactive_days" in one and "UPDATE" in one]) == statements
    assert not [one for one in asked if "MIN(e.received_at)" in one]
