"""New events and what is said about them become awards, transfers and messages, once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from tests.cast import NOW, Cast
from uptake.directory.models import Identity, PersonKind
from uptake.directory.scope import EVERYTHING
from uptake.events.happening import Happening
from uptake.events.identify import identify
from uptake.events.models import Batch, Bookmark, Connection, Correction, CorrectionKind
from uptake.events.record import record
from uptake.events.withdraw import withdraw
from uptake.ledger.models import Account, Entry
from uptake.ledger.verify import verify
from uptake.notify.models import Message
from uptake.programme.consider import consider_new_events
from uptake.programme.models import Award
from uptake.programme.tests.world import RULES, Desk, points_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk(cast: Cast) -> Iterator[Desk]:
    yield Desk(cast)
    assert verify().holds


def available(cast: Cast, who: str = "lin") -> int:
    person = cast.people()[who]
    account = Account.objects.filter(book=cast.beiyuan.pk, code=f"person/{person.pk}/available").first()
    return account.balance if account else 0


def test_event_becomes_award_transfer_and_message(cast: Cast, desk: Desk) -> None:
    event = desk.processed("A", lines=12)

    award = Award.objects.get(event=event)
    assert (award.points, award.rule, award.version, award.reasons) == (12, "orders", 1, [])
    assert (award.person, award.company, award.rulebook) == (cast.lin, cast.beiyuan, desk.rulebook)
    entry = Entry.objects.get(book=cast.beiyuan.pk)
    assert (entry.points, entry.cause, entry.owner) == (12, f"event/{event.pk}", str(cast.lin.pk))
    assert available(cast) == 12
    (message,) = Message.objects.filter(person=cast.lin)
    assert message.content["points"] == 12
    assert message.content["awards"][0] | {"labels": {}} == {
        "award": award.pk,
        "event": event.pk,
        "points": 12,
        "rule": "orders",
        "title": "Order processed",
        "name": "order.processed",
        "labels": {},
        "object": "A",
        "happened_at": NOW.isoformat(),
    }


def test_considering_again_changes_nothing(desk: Desk) -> None:
    desk.processed("A")
    desk.processed("B", NOW - timedelta(hours=1))
    Bookmark.objects.filter(reader="programme").update(event_id=0, event_txid=0, correction_id=0, correction_txid=0)
    before = (list(Award.objects.values()), Entry.objects.count(), Message.objects.count())

    assert desk.consider() == 2

    assert (list(Award.objects.values()), Entry.objects.count(), Message.objects.count()) == before


def test_undone_import_gives_its_points_back_and_its_room_to_others(cast: Cast, desk: Desk) -> None:
    batch = Batch.objects.create(connection=desk.connection, label="file", created_at=NOW)
    imported = desk.processed("A", NOW - timedelta(hours=2), lines=80, batch=batch)
    other = desk.processed("B", lines=50)
    assert (points_of(imported), points_of(other)) == (80, 20)

    withdraw(batch=batch, by=EVERYTHING, now=NOW)
    desk.consider()

    assert (points_of(imported), points_of(other)) == (0, 50)
    assert Award.objects.get(event=imported).reasons == ["reversed"]
    assert available(cast) == 50


def test_undone_import_of_a_closed_day_takes_only_its_own_points(desk: Desk) -> None:
    batch = Batch.objects.create(connection=desk.connection, label="file", created_at=NOW)
    imported = desk.processed("A", NOW - timedelta(hours=2), lines=80, batch=batch)
    other = desk.processed("B", lines=50)
    later = NOW + timedelta(days=20)

    withdraw(batch=batch, by=EVERYTHING, now=later)
    desk.consider(later)

    assert (points_of(imported), points_of(other)) == (0, 20)


def test_identity_given_to_another_person_takes_its_points_along(cast: Cast, desk: Desk) -> None:
    event = desk.processed("A", who="L-7", lines=30)
    assert points_of(event) == 0
    identity = Identity.objects.get(external_id="L-7")
    identify(identity=identity, person=cast.lin, by=EVERYTHING, now=NOW)
    desk.consider()
    assert (available(cast, "lin"), available(cast, "hua")) == (30, 0)

    identify(identity=identity, person=None, by=EVERYTHING, now=NOW)
    desk.consider()
    assert (available(cast, "lin"), points_of(event)) == (0, 0)
    identify(identity=identity, person=cast.hua, by=EVERYTHING, now=NOW)
    desk.consider()

    assert (available(cast, "lin"), available(cast, "hua")) == (0, 30)
    assert Award.objects.get(event=event).person == cast.hua


def test_machines_and_the_programme_itself_earn_nothing(cast: Cast) -> None:
    desk = Desk(cast, [{**RULES[0], "on": ["order.processed", "programme.level_reached"]}])
    cast.hua.kind = PersonKind.MACHINE
    cast.hua.save()
    own = Connection.objects.create(slug="uptake", kind="uptake", organization=cast.beiyuan, created_at=NOW)
    Identity.objects.create(source="uptake", external_id="lin", person=cast.lin, first_seen_at=NOW)
    record([Happening("programme.level_reached", "1", NOW, "lin", facts={"lines": 5})], connection=own, now=NOW)

    desk.processed("A", who="hua")

    assert not Award.objects.exists()


def test_no_points_where_no_rulebook_is_in_force(cast: Cast, desk: Desk) -> None:
    qinghe = Connection.objects.create(slug="qinghe", kind="api", organization=cast.qinghe, created_at=NOW)
    Identity.objects.create(source="qinghe", external_id="mo", person=cast.mo, first_seen_at=NOW)

    record([Happening("order.processed", "1", NOW, "mo", facts={"lines": 5})], connection=qinghe, now=NOW)
    desk.consider()

    assert not Award.objects.exists()


def test_moved_membership_is_asked_anew_for_open_days_only(cast: Cast) -> None:
    desk = Desk(cast, [{**RULES[0], "when": [{"person": "role", "value": "clerk"}]}])
    old = desk.processed("A", NOW - timedelta(days=30), now=NOW - timedelta(days=30))
    new = desk.processed("B")
    cast.lin.memberships.update(role="buyer")

    Correction.objects.create(kind=CorrectionKind.MOVED, person_id_was=cast.lin.pk, at=NOW)
    desk.consider()

    assert (points_of(old), points_of(new)) == (10, 0)


@pytest.mark.parametrize(
    ("at", "more"),
    [(NOW - timedelta(days=2), {}), (NOW, {"history_only": True})],
    ids=["older than a day", "history only"],
)
def test_old_and_history_only_events_are_no_news(desk: Desk, at: datetime, more: dict[str, Any]) -> None:
    desk.processed("A", at, **more)

    assert Award.objects.count() == 1
    assert not Message.objects.exists()


def test_message_tells_all_that_was_earned_since_the_last(desk: Desk) -> None:
    for number in range(5):
        desk.processed(f"A{number}", NOW + timedelta(seconds=number), lines=3, consider=False)
    desk.consider()

    (message,) = Message.objects.all()
    assert (message.content["points"], message.content["count"]) == (15, 5)


def test_points_that_only_pass_to_an_earlier_event_are_no_news(desk: Desk) -> None:
    desk.processed("B", lines=100)
    assert Message.objects.count() == 1

    desk.processed("A", NOW - timedelta(hours=1), lines=100)

    assert Message.objects.count() == 1


def test_number_of_queries_does_not_grow_with_history(cast: Cast, desk: Desk) -> None:
    """Each kind of batch is told twice: soon after the beginning, and after two hundred events of many days."""

    def told(number: int, at: datetime) -> tuple[int, int]:
        desk.processed(f"last {number}", at, now=at, consider=False)
        with CaptureQueriesContext(connection) as in_order:
            desk.consider(at)
        desk.processed(f"first {number}", at - timedelta(hours=1), now=at, consider=False)
        with CaptureQueriesContext(connection) as out_of_order:
            desk.consider(at)
        return len(in_order), len(out_of_order)

    told(0, NOW - timedelta(days=60))
    early = told(1, NOW - timedelta(days=59))
    for day in range(40):
        at = NOW - timedelta(days=50 - day)
        happenings = [
            Happening(
                "order.processed", f"{day} {one}", at + timedelta(minutes=one), cast.identities["lin"].external_id
            )
            for one in range(5)
        ]
        record(happenings, connection=desk.connection, now=at)
        consider_new_events(now=at)

    late = told(2, NOW)

    assert late == early
    assert max(late) <= 60


def test_number_of_queries_does_not_grow_with_the_batch(cast: Cast, desk: Desk) -> None:
    def queries(count: int, begin: datetime) -> int:
        happenings = [
            Happening(
                "order.processed",
                f"{begin} {one}",
                begin + timedelta(seconds=one),
                cast.identities[("lin", "hua")[one % 2]].external_id,
                facts={"lines": 1},
            )
            for one in range(count)
        ]
        record(happenings, connection=desk.connection, now=begin)
        with CaptureQueriesContext(connection) as captured:
            consider_new_events(now=begin + timedelta(hours=1))
        return len([query for query in captured if "SAVEPOINT" not in query["sql"]])

    queries(2, NOW - timedelta(days=3))
    few = queries(2, NOW - timedelta(days=2))
    many = queries(200, NOW - timedelta(days=1))

    assert Award.objects.count() == 204
    assert many <= few + 12  # the ledger reads and writes in pieces


def test_two_who_consider_at_once_pay_once(cast: Cast, desk: Desk) -> None:
    for number in range(40):
        desk.processed(f"A{number}", NOW + timedelta(seconds=number), lines=1, consider=False)

    def considering(_: int) -> int:
        try:
            done = 0
            for _round in range(6):
                done += consider_new_events(now=NOW + timedelta(minutes=5), limit=10)
            return done
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        considered = list(pool.map(considering, range(4)))

    assert sum(considered) == 40
    assert available(cast) == 40
    assert Entry.objects.count() == 40


def test_events_before_the_first_rulebook_earn_by_it_if_it_applies_to_their_date(cast: Cast) -> None:
    early = Connection.objects.create(slug="orders", kind="api", organization=cast.beiyuan, created_at=NOW)
    lin = cast.identities["lin"].external_id
    record([Happening("order.processed", "A", NOW, lin, facts={"lines": 4})], connection=early, now=NOW)
    assert consider_new_events(now=NOW) == 1
    assert not Award.objects.exists()

    desk = Desk(cast)
    desk.consider()

    assert Award.objects.get().points == 4


def test_far_away_clock_is_no_matter(desk: Desk) -> None:
    """Considering long after an event arrived in time gives what considering at once would have given."""
    late = NOW + timedelta(days=90)
    first = desk.processed("B", lines=70)
    second = desk.processed("A", NOW - timedelta(hours=1), lines=50, consider=False)

    desk.consider(late)

    assert (points_of(first), points_of(second)) == (50, 50)
    assert Award.objects.get(event=second).reasons == []
