"""Recording happenings: what becomes of each, where it belongs, and what is kept beside it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from tests.cast import NOW, Cast, person
from uptake.directory.models import Identity, Membership, Person
from uptake.directory.scope import EVERYTHING
from uptake.events import wake
from uptake.events.connect import pause
from uptake.events.describe import describe
from uptake.events.happening import Happening
from uptake.events.models import Conflict, Correction, Event, EventType, Quarantine
from uptake.events.record import BatchWithdrawn, ConnectionPaused, record
from uptake.events.tests.world import EARLIER, batch_of, connection_of, said
from uptake.events.withdraw import withdraw

pytestmark = pytest.mark.django_db


def fates(*happenings: Happening, connection: Any, now: datetime = NOW, **more: Any) -> list[tuple[str, str]]:
    return [(one.fate, one.reason) for one in record(happenings, connection=connection, now=now, **more)]


def test_a_happening_becomes_an_event_with_all_it_said(cast: Cast) -> None:
    erp = connection_of(cast.beiyuan)
    [fate] = record(
        [said("SO-1/done", person="lin", object="SO-1", facts={"amount": 12.5, "urgent": True})],
        connection=erp,
        now=NOW,
    )
    event = Event.objects.get()
    assert (fate.fate, fate.key, fate.event_id) == ("new", "SO-1/done", event.pk)
    assert (event.source, event.key, event.revision, event.name) == ("erp", "SO-1/done", 1, "order.processed")
    assert event.identity is not None
    assert (event.identity.external_id, event.object) == ("lin", "SO-1")
    assert event.facts == {"amount": Decimal("12.5"), "urgent": True}
    assert (event.company, event.happened_at, event.received_at) == (cast.beiyuan, EARLIER, NOW)
    assert (event.business_date, event.history_only, event.batch) == (date(2026, 5, 13), False, None)
    assert event.tzdb


def test_the_same_again_is_replayed_and_other_content_is_a_conflict_kept_once(cast: Cast) -> None:
    erp = connection_of(cast.beiyuan)
    first = record([said(facts={"n": 10})], connection=erp, now=NOW)[0]
    again = record([said(facts={"n": 10.0}), said(facts={"n": 11}), said(facts={"n": 11})], connection=erp, now=NOW)
    assert [one.fate for one in again] == ["replayed", "conflict", "conflict"]
    assert {one.event_id for one in again} == {first.event_id}
    conflict = Conflict.objects.get()
    assert (conflict.event_id, conflict.content["facts"], conflict.event.facts) == (
        first.event_id,
        {"n": 11},
        {"n": 10},
    )
    assert Event.objects.count() == 1


@pytest.mark.parametrize(
    "other",
    [
        {"event": "order.closed"},
        {"person": "hua"},
        {"at": EARLIER + timedelta(microseconds=1)},
        {"object": "SO-2"},
        {"facts": {"n": "1"}},
        {"facts": {"n": True}},
        {"history_only": True},
        {"company": "beiyuan"},
    ],
)
def test_every_part_of_the_content_is_in_the_fingerprint(cast: Cast, other: dict[str, Any]) -> None:
    erp = connection_of(cast.beiyuan)
    record([said(person="lin", facts={"n": 1})], connection=erp, now=NOW)
    assert (
        record([said(**{"person": "lin", "facts": {"n": 1}, **other})], connection=erp, now=NOW)[0].fate == "conflict"
    )


def test_what_does_not_belong_to_the_content_is_not_in_the_fingerprint(cast: Cast) -> None:
    erp = connection_of(cast.beiyuan)
    record([said(person="lin", facts={"b": 1, "a": 2})], connection=erp, now=NOW)
    elsewhere = EARLIER.astimezone(timezone(timedelta(hours=8)))
    again = said(at=elsewhere, person="lin", facts={"a": Decimal("2.0"), "b": 1}, person_email="lin@beiyuan.example")
    assert record([again], connection=erp, now=NOW + timedelta(days=30))[0].fate == "replayed"


def test_the_same_key_of_another_source_is_another_event(cast: Cast) -> None:
    assert fates(said(), connection=connection_of(cast.beiyuan)) == [("new", "")]
    assert fates(said(), connection=connection_of(cast.beiyuan, "mes")) == [("new", "")]


def test_a_higher_revision_supersedes_whatever_the_order_of_arrival(cast: Cast) -> None:
    erp = connection_of(cast.beiyuan)
    record([said("a", revision=2, facts={"n": 2}), said("a", facts={"n": 1})], connection=erp, now=NOW)
    record([said("b", facts={"n": 1})], connection=erp, now=NOW)
    record([said("b", revision=3, facts={"n": 3})], connection=erp, now=NOW)
    assert {(one.key, one.revision) for one in Event.objects.standing()} == {("a", 2), ("b", 3)}


def test_a_superseding_revision_in_quarantine_does_not_stand(cast: Cast) -> None:
    erp = connection_of(cast.beiyuan)
    record([said(), said(revision=2, at=NOW + timedelta(days=1))], connection=erp, now=NOW)
    assert [one.revision for one in Event.objects.standing()] == [1]


@pytest.mark.parametrize(
    ("what", "fate", "reason"),
    [
        ({"at": NOW + timedelta(minutes=5)}, "new", ""),
        ({"at": NOW + timedelta(minutes=5, microseconds=1)}, "quarantined", "future"),
        ({"at": NOW + timedelta(days=1), "history_only": True}, "new", ""),
        # Received on 13 May; a date of 6 May closes when 14 May starts in Shanghai.
        ({"at": datetime(2026, 5, 5, 16, 0, tzinfo=UTC)}, "new", ""),
        ({"at": datetime(2026, 5, 5, 15, 59, 59, tzinfo=UTC)}, "quarantined", "late"),
        ({"at": datetime(2026, 5, 5, 15, 59, 59, tzinfo=UTC), "history_only": True}, "new", ""),
        ({"at": datetime(1989, 12, 31, tzinfo=UTC)}, "quarantined", "odd"),
        ({"facts": {"amount": "12"}}, "quarantined", "odd"),
        ({"facts": {"amount": True}}, "quarantined", "odd"),
        ({"facts": {"amount": Decimal("12.5"), "due": "2026-05-13", "note": "x", "paid": False}}, "new", ""),
        ({"facts": {"due": "soon"}}, "quarantined", "odd"),
        ({"facts": {"paid": "yes"}, "history_only": True}, "quarantined", "odd"),
        ({"facts": {"amount": None, "undeclared": "12"}}, "new", ""),
    ],
)
def test_what_is_future_late_or_odd_is_stored_and_waits(
    cast: Cast, what: dict[str, Any], fate: str, reason: str
) -> None:
    types = {"amount": "number", "due": "date", "note": "text", "paid": "boolean"}
    properties = {name: {"type": kind} for name, kind in types.items()}
    describe(name="order.processed", properties=properties, by=EVERYTHING, now=NOW)
    assert fates(said(**what), connection=connection_of(cast.beiyuan)) == [(fate, reason)]
    event = Event.objects.get()
    assert Event.objects.standing().exists() == (fate == "new")
    if fate == "quarantined":
        assert Quarantine.objects.get(event=event).reason == reason


def test_what_does_not_fit_is_named_and_a_replay_of_what_waits_is_a_replay(cast: Cast) -> None:
    describe(name="order.processed", properties={"amount": {"type": "number"}}, by=EVERYTHING, now=NOW)
    erp = connection_of(cast.beiyuan)
    odd = said(at=datetime(1970, 1, 1, tzinfo=UTC), facts={"amount": "12"})
    assert fates(odd, odd, connection=erp) == [("quarantined", "odd"), ("replayed", "")]
    assert Quarantine.objects.get().note == "at, amount"


def test_lateness_is_the_connection_s_own(cast: Cast) -> None:
    patient = connection_of(cast.beiyuan, lateness_days=30)
    assert fates(said(at=NOW - timedelta(days=29)), connection=patient) == [("new", "")]
    strict = connection_of(cast.beiyuan, "mes", lateness_days=0)
    assert fates(said(at=NOW - timedelta(days=1)), connection=strict) == [("quarantined", "late")]


DEEP: dict[str, Any] = {}
for _level in range(8):
    DEEP = {"in": DEEP}


@pytest.mark.parametrize(
    "what",
    [
        {"event": ""},
        {"event": "  "},
        {"event": "x" * 201},
        {"event": "a\0b"},
        {"event": 7},
        {"key": ""},
        {"key": "k" * 256},
        {"key": "half \ud83d"},
        {"at": datetime(2026, 5, 13)},
        {"at": datetime.min.replace(tzinfo=timezone(timedelta(hours=14)))},
        {"at": datetime.max.replace(tzinfo=timezone(timedelta(hours=-14)))},
        {"at": "2026-05-13"},
        {"person": "p" * 256},
        {"person": "p\0"},
        {"object": "o" * 256},
        {"object": 7},
        {"company": "qinghe"},
        {"company": "linjiang"},
        {"company": "nowhere"},
        {"company": "\0"},
        {"revision": 0},
        {"revision": 2**31},
        {"revision": True},
        {"facts": {"a": "\0"}},
        {"facts": {"a\0": 1}},
        {"facts": {"a": "\ud800"}},
        {"facts": {"a": ["\ud800"]}},
        {"facts": {"a": float("nan")}},
        {"facts": {"a": Decimal("Infinity")}},
        {"facts": {"a": 10**40}},
        {"facts": {"a": Decimal("1e41")}},
        {"facts": {"a": Decimal("1e-999999")}},
        {"facts": {"a": "x" * 65536}},
        {"facts": DEEP},
        {"facts": ["a"]},
        {"facts": {1: "a"}},
        {"facts": {"a": {1, 2}}},
        {"person_email": "e" * 256},
    ],
)
def test_what_cannot_be_stored_is_rejected_by_itself_and_the_rest_goes_in(cast: Cast, what: dict[str, Any]) -> None:
    bad = said(**{"key": "bad", **what})
    told = record([said("a"), bad, said("b")], connection=connection_of(cast.beiyuan), now=NOW)
    assert [one.fate for one in told] == ["new", "rejected", "new"]
    assert told[1].reason.endswith(".")
    assert told[1].event_id is None
    assert Event.objects.count() == 2


def test_odd_but_honest_content_goes_in_exactly(cast: Cast) -> None:
    facts = {
        "text": '\\u0000 \u2028 订单 😀 "quoted"',
        "big": 2**70,
        "cents": Decimal("123456789012345678.01"),
        "tiny": Decimal("0.00000001"),
        "third": 0.1,
        "list": [1, {"a": [None, True]}],
        "day": date(2026, 5, 13),
    }
    erp = connection_of(cast.beiyuan)
    what = said("键 1", person=" 林 芳", object="单\u3000号", facts=facts)
    assert fates(what, what, connection=erp) == [("new", ""), ("replayed", "")]
    event = Event.objects.get()
    assert event.facts == {**facts, "third": Decimal("0.1"), "day": "2026-05-13"}
    assert isinstance(event.facts["cents"], Decimal)
    assert (event.key, event.object) == ("键 1", "单\u3000号")


def test_the_company_is_the_one_named_else_the_connection_s_else_that_of_the_person_then(cast: Cast) -> None:
    park = connection_of(cast.park, "portal")
    Identity.objects.create(source="portal", external_id="mo", person=cast.mo, company=cast.park, first_seen_at=NOW)
    moved = person(name="Moved", at=cast.qinghe)
    Membership.objects.filter(person=moved).update(until_date=date(2026, 5, 10))
    Membership.objects.create(person=moved, organization=cast.finance, from_date=date(2026, 5, 10))
    Identity.objects.create(source="portal", external_id="mv", person=moved, company=cast.park, first_seen_at=NOW)
    record(
        [
            said("named", company="beiyuan", person="mo"),
            said("department", company="beiyuan-purchasing"),
            said("person", person="mo"),
            said("before", person="mv", at=datetime(2026, 5, 9, 15, 59, tzinfo=UTC)),
            said("after", person="mv", at=datetime(2026, 5, 9, 16, 0, tzinfo=UTC)),
            said("unknown", person="who"),
            said("nobody"),
        ],
        connection=park,
        now=NOW,
    )
    record([said("own", person="mo")], connection=connection_of(cast.receiving, "scanner"), now=NOW)
    found = {one.key: one.company and one.company.slug for one in Event.objects.select_related("company")}
    assert found == {
        "named": "beiyuan",
        "department": "beiyuan",
        "person": "qinghe",
        "before": "qinghe",
        "after": "beiyuan",
        "unknown": None,
        "nobody": None,
        "own": "beiyuan",
    }


def test_the_business_date_is_that_of_the_company_s_clock(cast: Cast) -> None:
    cast.qinghe.timezone, cast.qinghe.day_start = "Europe/Berlin", time(4)
    cast.qinghe.save()
    park = connection_of(cast.park, "portal")
    at = datetime(2026, 5, 13, 1, 30, tzinfo=UTC)  # 03:30 in Berlin, 09:30 in Shanghai
    record([said("q", at=at, company="qinghe"), said("b", at=at, company="beiyuan")], connection=park, now=NOW)
    found = {one.key: one.business_date for one in Event.objects.all()}
    assert found == {"q": date(2026, 5, 12), "b": date(2026, 5, 13)}


def test_names_not_seen_before_join_the_catalogue_undeclared(cast: Cast) -> None:
    describe(name="order.processed", label_en="Order processed", by=EVERYTHING, now=NOW)
    record([said("1"), said("2", event="订单.已处理")], connection=connection_of(cast.beiyuan), now=NOW)
    assert dict(EventType.objects.values_list("name", "declared")) == {"order.processed": True, "订单.已处理": False}


def test_people_are_made_only_when_asked(cast: Cast) -> None:
    before = Person.objects.count()
    erp = connection_of(cast.beiyuan)
    record([said("1", person="new-1", person_name="New One")], connection=erp, now=NOW)
    assert Person.objects.count() == before
    record([said("2", person="new-1", person_name="New One")], connection=erp, now=NOW, make_people=True)
    identity = Identity.objects.get(source="erp")
    assert identity.person is not None
    assert identity.person.name == "New One"


def test_an_identity_recognised_later_tells_readers_and_places_its_events(cast: Cast) -> None:
    park = connection_of(cast.park, "portal")
    record([said("1", person="m7")], connection=park, now=NOW)
    later = NOW + timedelta(minutes=1)
    record([said("2", person="m7", person_email="Mo@Qinghe.example")], connection=park, now=later)
    assert set(Correction.objects.values_list("kind", "event__key", "company__slug")) == {
        ("identified", None, None),
        ("placed", "1", "qinghe"),
    }
    assert {(one.key) for one in Event.objects.of_company(cast.qinghe)} == {"1", "2"}
    assert {one.key for one in Event.objects.of_person(cast.mo)} == {"1", "2"}


def test_an_undone_import_can_be_imported_again_and_again(cast: Cast) -> None:
    erp = connection_of(cast.beiyuan)
    rows = [said("1", facts={"n": 1}), said("2")]
    for turn in (1, 2, 3):
        batch = batch_of(erp)
        told = record(rows, connection=erp, now=NOW, batch=batch)
        assert [one.fate for one in told] == ["new", "new"]
        again = record(rows, connection=erp, now=NOW, batch=batch_of(erp))
        assert [one.fate for one in again] == ["replayed", "replayed"]
        assert [one.event_id for one in again] == [one.event_id for one in told]
        assert {one.revision for one in Event.objects.standing()} == {turn}
        withdraw(batch=batch, by=EVERYTHING, now=NOW)
        assert not Event.objects.standing().exists()
    corrected = record([said("1", facts={"n": 2})], connection=erp, now=NOW)
    assert [one.fate for one in corrected] == ["new"]


def test_a_withdrawn_batch_and_a_paused_connection_take_nothing(cast: Cast) -> None:
    erp = connection_of(cast.beiyuan)
    batch = batch_of(erp)
    withdraw(batch=batch, by=EVERYTHING, now=NOW)
    with pytest.raises(BatchWithdrawn):
        record([said()], connection=erp, now=NOW, batch=batch)
    with pytest.raises(ConnectionPaused):
        record([said()], connection=pause(connection=erp, by=EVERYTHING, now=NOW), now=NOW)
    assert not Event.objects.exists()


def test_the_number_of_statements_does_not_grow_with_the_batch(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uptake.events.record.MANY", 1000)  # many have a few statements more, few and many alike

    def statements(count: int, tag: str) -> int:
        rows = [
            said(f"{tag}{n}", person=f"{tag}{n % 50}", company=["beiyuan", "qinghe"][n % 2], event=f"e{n % 7}")
            for n in range(count)
        ]
        rows += [said(rows[0].key, facts={"other": n}) for n in range(count // 10)]
        with CaptureQueriesContext(
            database,
        ) as made:
            record(rows, connection=park, now=NOW)
        return len(made)

    park = connection_of(cast.park, "portal")
    record([said(f"w{n}", event=f"e{n}") for n in range(7)], connection=park, now=NOW)
    assert statements(400, "b") <= statements(40, "a") + 2


def test_those_who_wait_are_woken_by_the_commit(cast: Cast, django_capture_on_commit_callbacks: Any) -> None:
    erp = connection_of(cast.beiyuan)
    heard = wake.rung()
    with django_capture_on_commit_callbacks(execute=True):
        record([said()], connection=erp, now=NOW)
        assert not wake.wait(heard, 0)
    assert wake.wait(heard, 0)
    heard = wake.rung()
    with django_capture_on_commit_callbacks(execute=True):
        record([said()], connection=erp, now=NOW)
    assert not wake.wait(heard, 0), "a replay is no news"


def test_a_connection_tells_when_it_was_last_heard(cast: Cast) -> None:
    erp = connection_of(cast.beiyuan)
    record([said()], connection=erp, now=NOW)
    erp.refresh_from_db()
    assert erp.last_event_at == NOW
