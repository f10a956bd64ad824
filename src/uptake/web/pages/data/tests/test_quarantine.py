"""What waits is decided one by one or together, with a note; conflicts show both contents."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from tests.cast import NOW, Cast
from uptake.directory.models import AuditEntry
from uptake.directory.scope import EVERYTHING
from uptake.events.connect import connect
from uptake.events.happening import Happening
from uptake.events.models import Conflict, Connection, Event, Quarantine
from uptake.events.record import record
from uptake.web.pages.data.tests.test_connections import manages_beiyuan, signed_in


@pytest.fixture
def erp(cast: Cast) -> Connection:
    made = connect(slug="erp", kind="api", name="ERP", organization=cast.beiyuan, by=EVERYTHING, now=NOW)
    sent = [
        Happening(event="order.made", key="late", at=NOW - timedelta(days=40), facts={"amount": 41}),
        Happening(event="order.made", key="future", at=NOW + timedelta(days=3), facts={"amount": 42}),
        Happening(event="order.made", key="fine", at=NOW, facts={"amount": 43}),
    ]
    record(sent, connection=made, now=NOW)
    record([Happening(event="order.made", key="fine", at=NOW, facts={"amount": 44})], connection=made, now=NOW)
    return made


@pytest.fixture
def ren(cast: Cast) -> Client:
    return signed_in(cast, cast.ren)


def waiting() -> set[str]:
    return set(Quarantine.objects.waiting().values_list("event__key", flat=True))


def keys(*names: str) -> list[int]:
    return list(Event.objects.filter(key__in=names).values_list("pk", flat=True))


def test_what_waits_is_shown_with_what_was_sent_and_filtered_by_reason(ren: Client, erp: Connection) -> None:
    everything = ren.get(reverse("data:quarantine")).text
    assert "&#x27;amount&#x27;: 41" in everything
    assert "&#x27;amount&#x27;: 42" in everything
    late = ren.get(reverse("data:quarantine"), {"reason": "late"}).text
    assert "&#x27;amount&#x27;: 41" in late
    assert "&#x27;amount&#x27;: 42" not in late
    assert "Nothing waits for this reason" in ren.get(reverse("data:quarantine"), {"reason": "odd"}).text


@pytest.mark.parametrize(("do", "standing"), [("accept", 3), ("decline", 1)])
def test_several_are_decided_at_once_with_a_note_for_the_audit_log(
    ren: Client, erp: Connection, do: str, standing: int
) -> None:
    said = {"event": keys("late", "future"), "do": do, "why": "agreed with  Hua"}
    ren.post(reverse("data:decide"), said)
    assert waiting() == set()
    assert Event.objects.standing().count() == standing
    entries = AuditEntry.objects.filter(deed=f"event.{do}{'ed' if do == 'accept' else 'd'}")
    assert [entry.details["why"] for entry in entries] == ["agreed with Hua"] * 2
    ren.post(reverse("data:decide"), {**said, "do": "decline" if do == "accept" else "accept"})
    assert Event.objects.standing().count() == standing, "the first decision stands"


def test_nothing_chosen_decides_nothing(ren: Client, erp: Connection) -> None:
    ren.post(reverse("data:decide"), {"do": "accept"})
    ren.post(reverse("data:decide"), {"do": "explode", "event": keys("late")})
    assert waiting() == {"late", "future"}


def test_a_conflict_shows_what_stands_beside_what_came(ren: Client, erp: Connection) -> None:
    assert Conflict.objects.count() == 1
    text = ren.get(reverse("data:conflicts")).text
    assert "&quot;amount&quot;: 43" in text
    assert "&quot;amount&quot;: 44" in text
    assert text.count("differs</span>") == 1, "only the facts differ"


def test_a_conflict_looked_at_waits_no_more_and_only_where_one_manages_the_data(cast: Cast, erp: Connection) -> None:
    key = Conflict.objects.get().pk
    manages = signed_in(cast, cast.ren)
    signed_in(cast, cast.wei).post(reverse("data:conflicts_seen"), {"conflict": key})
    assert Conflict.objects.unseen().count() == 1
    manages.post(reverse("data:conflicts_seen"), {"conflict": key})
    manages.post(reverse("data:conflicts_seen"), {"conflict": key})
    assert Conflict.objects.unseen().count() == 0
    assert AuditEntry.objects.filter(deed="conflict.seen").count() == 1
    assert "Mark these conflicts" not in manages.get(reverse("data:conflicts")).text


def test_nobody_decides_about_a_place_whose_data_they_do_not_manage(cast: Cast, erp: Connection) -> None:
    other = connect(slug="qh", kind="api", name="MES", organization=cast.qinghe, by=EVERYTHING, now=NOW)
    record([Happening(event="secret.dye", key="qh", at=NOW + timedelta(days=3))], connection=other, now=NOW)
    manages_beiyuan(cast, cast.ke)
    ke = signed_in(cast, cast.ke)
    assert "secret.dye" not in ke.get(reverse("data:quarantine")).text
    ke.post(reverse("data:decide"), {"event": keys("qh", "late"), "do": "accept"})
    assert waiting() == {"qh", "future"}
    assert signed_in(cast, cast.lin).post(reverse("data:decide"), {"event": keys("qh")}).status_code == 403
