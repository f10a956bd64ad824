"""Everybody sees their own events, coaches and operators those of their places; lists narrow and are exported."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse

from tests.cast import NOW, QINGHE_MARKS, Cast
from uptake.directory.models import User
from uptake.directory.scope import EVERYTHING
from uptake.events.connect import connect
from uptake.events.happening import Happening
from uptake.events.models import Connection, Event, EventType
from uptake.events.record import record
from uptake.web.pages.data.tests.test_connections import signed_in
from uptake.web.pages.events import views
from uptake.web.pages.events.filters import EventFilter


@pytest.fixture
def orders(cast: Cast) -> Connection:
    """A source of the park whose identities are those of the cast."""
    made = connect(slug="orders", kind="api", name="Orders", organization=cast.park, by=EVERYTHING, now=NOW)
    beiyuan, qinghe = cast.beiyuan.slug, cast.qinghe.slug
    at = NOW - timedelta(hours=1)
    sent = [
        Happening("order.made", "1", at, "lin-at-beiyuan", "BY-4500", {"amount": 12.5}, beiyuan),
        Happening("order.made", "2", at, "hua-at-beiyuan", "BY-4501", {"note": "=HYPERLINK(1)"}, beiyuan),
        Happening("order.seen", "3", at - timedelta(days=2), None, "=cmd", {}, beiyuan),
        Happening("dye.mixed", "4", at, "mo-at-qinghe", "QH-7001", {}, qinghe),
    ]
    record(sent, connection=made, now=NOW)
    return made


def text_of(cast: Cast, who: str, query: str = "") -> str:
    person = cast.people()[who]
    return signed_in(cast, person).get(reverse("events:home") + query).text


@pytest.mark.parametrize(
    ("who", "sees"),
    [
        ("lin", {"BY-4500"}),
        ("hua", {"BY-4501"}),
        ("mo", {"QH-7001"}),
        ("wei", {"BY-4500", "BY-4501", "=cmd"}),
        ("ren", {"BY-4500", "BY-4501", "=cmd", "QH-7001"}),
        ("shu", {"BY-4500", "BY-4501", "=cmd", "QH-7001"}),
        ("ke", set()),
    ],
)
def test_who_sees_which_events_in_list_export_and_one_by_one(
    cast: Cast, orders: Connection, who: str, sees: set[str]
) -> None:
    client = signed_in(cast, cast.people()[who])
    listed = client.get(reverse("events:home")).text
    exported = client.get(reverse("events:export", args=["csv"])).content.decode("utf-8-sig")
    for event in Event.objects.all():
        seen = event.object in sees
        assert (f">{event.object}</a>" in listed) == seen
        assert (event.object in exported) == seen
        assert (client.get(reverse("events:event", args=[event.pk])).status_code == 200) == seen
        assert (client.get(reverse("events:home"), {"open": event.pk}).status_code == 200) == seen
    if who == "wei":
        assert not any(mark in listed + exported for mark in QINGHE_MARKS)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?name=order.made", {"1", "2"}),
        ("?person=lin", {"1"}),
        ("?person=lin&name=order.made", {"1"}),
        ("?person=lin&name=order.lost", set()),
        ("?person=Hua+Jing", {"2"}),
        ("?company=qinghe-textile", {"4"}),
        ("?source=orders&object=BY-4500", {"1"}),
        ("?source=elsewhere", set()),
        ("?from=2026-05-12", {"1", "2", "4"}),
        ("?until=2026-05-12", {"3"}),
        ("?from=nonsense&until=2026-99-99", {"1", "2", "3", "4"}),
        ("?person=%00", {"1", "2", "3", "4"}),
        ("?company=no-such-place", set()),
        ("?person=99999999999999999999999999", set()),
    ],
)
def test_a_list_narrows_to_what_is_asked(cast: Cast, orders: Connection, query: str, found: set[str]) -> None:
    query = query.replace("qinghe-textile", cast.qinghe.slug)
    client = signed_in(cast, cast.ren)
    rows = client.get(reverse("events:home") + query).context["rows"]
    assert {row.event.key for row in rows} == found


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (EventFilter(name="order.lost"), "event_by_name"),
        (EventFilter(name="order.made", person="lin"), "event_by_identity"),
    ],
)
def test_few_events_are_found_without_looking_at_the_others(cast: Cast, wanted: EventFilter, index: str) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL plans by how many rows there are")
    newest = wanted.apply(Event.objects.all(), EVERYTHING).order_by("-pk")[:50]
    assert f"USING INDEX {index}" in newest.explain()


def test_a_filter_is_written_as_the_address_it_was_read_from() -> None:
    asked = {"name": "a b", "person": "lin", "company": "by", "source": "s", "object": "o&1", "from": "2026-05-01"}
    wanted = EventFilter.of(asked)
    from urllib.parse import parse_qsl

    assert EventFilter.of(dict(parse_qsl(wanted.query()))) == wanted
    assert not EventFilter.of({}).narrows


def test_a_long_list_goes_on_without_gap_or_double(
    cast: Cast, orders: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "SHOWN", 3)
    client = signed_in(cast, cast.ren)
    first = client.get(reverse("events:home"))
    second = client.get(reverse("events:home"), {"before": first.context["more"]})
    seen = [row.event.pk for page in (first, second) for row in page.context["rows"]]
    assert seen == sorted(Event.objects.values_list("pk", flat=True), reverse=True)
    assert second.context["more"] is None
    assert 'hx-trigger="uptake:live' in first.text
    assert 'hx-trigger="uptake:live' not in second.text, "earlier events do not move"
    assert 'hx-trigger="uptake:live' not in client.get(reverse("events:home"), {"live": "off"}).text


def test_exported_cells_are_never_formulas(cast: Cast, orders: Connection) -> None:
    client = signed_in(cast, cast.ren)
    text = client.get(reverse("events:export", args=["csv"])).content.decode("utf-8-sig")
    assert ",'=cmd," in text
    assert ",=cmd," not in text
    assert client.get(reverse("events:export", args=["xlsx"])).content.startswith(b"PK")
    assert client.get(reverse("events:export", args=["exe"])).status_code == 404


def test_an_event_shows_its_facts_identity_dates_and_what_was_said_afterwards(cast: Cast, orders: Connection) -> None:
    late = Happening("order.made", "9", NOW - timedelta(days=30), "lin-at-beiyuan", company=cast.beiyuan.slug)
    record([late], connection=orders, now=NOW)
    client = signed_in(cast, cast.ren)
    one = client.get(reverse("events:event", args=[Event.objects.get(key="1").pk])).text
    for word in ("12.5", "lin-at-beiyuan", "Lin Fang", "13 May 2026", "Beiyuan Precision", "Orders"):
        assert word in one
    waits = client.get(reverse("events:event", args=[Event.objects.get(key="9").pk])).text
    assert "Came too late" in waits
    part = client.get(
        reverse("events:event", args=[Event.objects.get(key="1").pk]), headers={"HX-Request": "true"}
    ).text
    assert "<html" not in part


def test_own_events_say_why_they_earned_and_those_of_others_only_to_who_sees_the_ledger(
    cast: Cast, orders: Connection
) -> None:
    address = reverse("events:event", args=[Event.objects.get(key="1").pk])
    assert "Points, and why" in signed_in(cast, cast.lin).get(address).text
    assert "Points, and why" in signed_in(cast, cast.shu).get(address).text
    assert "Points, and why" not in signed_in(cast, cast.wei).get(address).text


def test_labels_of_the_catalogue_stand_in_the_readers_language(cast: Cast, orders: Connection) -> None:
    EventType.objects.filter(name="order.made").update(label_en="Order entered", label_zh="录入订单")
    assert "Order entered" in text_of(cast, "ren")
    User.objects.filter(person=cast.ren).update(language="zh-hans")
    assert "录入订单" in text_of(cast, "ren")


def test_the_number_of_queries_does_not_grow_with_the_list(cast: Cast, orders: Connection) -> None:
    from django.db import connection as database
    from django.test.utils import CaptureQueriesContext

    client = signed_in(cast, cast.ren)
    client.get(reverse("events:home"))
    with CaptureQueriesContext(database) as few:
        client.get(reverse("events:home"))
    more = [Happening(f"n{i % 7}", f"m{i}", NOW, f"p{i % 9}", company=cast.beiyuan.slug) for i in range(60)]
    record(more, connection=orders, now=NOW)
    with CaptureQueriesContext(database) as many:
        client.get(reverse("events:home"))
    assert len(many) <= len(few)


def test_the_catalogue_is_described_in_both_languages_and_kept(cast: Cast, orders: Connection) -> None:
    client = signed_in(cast, cast.ren)
    opened = client.get(reverse("events:catalogue"), {"name": "order.made"}).text
    assert 'value="amount"' in opened, "facts seen are offered"
    client.post(
        reverse("events:describe"),
        {
            "name": "order.made",
            "label_en": "Order entered",
            "label_zh": "录入订单",
            "category": "Sales",
            "object_type": "order",
            "fact": ["amount", "", "note"],
            "type": ["number", "", ""],
            "fact_en": ["Amount", "", ""],
            "fact_zh": ["金额", "", ""],
        },
    )
    kind = EventType.objects.get(name="order.made")
    assert (kind.label_zh, kind.category, kind.counts_as_active, kind.declared) == ("录入订单", "Sales", False, True)
    assert kind.properties == {"amount": {"type": "number", "label_en": "Amount", "label_zh": "金额"}}
    assert "order.seen" in client.get(reverse("events:catalogue"), {"state": "new"}).text
    assert client.get(reverse("events:catalogue"), {"name": "no.such"}).status_code == 404
    assert signed_in(cast, cast.hua).post(reverse("events:describe"), {"name": "order.made"}).status_code == 403
