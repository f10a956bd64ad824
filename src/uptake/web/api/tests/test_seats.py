"""Seats come in over HTTP by the key of a connection: once each, with the fate of every one, or not at all."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.cast import Cast
from uptake.directory.define_product import define_product
from uptake.directory.models import AuditEntry, Seat
from uptake.directory.scope import EVERYTHING
from uptake.events.connect import connect
from uptake.events.keys import forget, make_key
from uptake.events.models import Connection

pytestmark = pytest.mark.django_db
SEAT = {"product": "erp", "staff_number": "B001", "issued": "2026-03-02"}


@pytest.fixture
def secret(cast: Cast) -> str:
    """A key of Beiyuan's connection, and a product of the park."""
    forget()
    now = timezone.now()
    define_product(slug="erp", organization=cast.park, name_en="ERP", by=EVERYTHING, now=now)
    link = connect(slug="b-erp", kind="api", name="ERP", organization=cast.beiyuan, by=EVERYTHING, now=now)
    return make_key(connection=link, by=EVERYTHING, now=now)[1]


def send(secret: str, body: Any, kind: str = "application/json", **headers: str) -> Any:
    return Client().post(
        "/api/v1/seats", body, content_type=kind, headers={"authorization": f"Bearer {secret}"} | headers
    )


def test_seats_are_issued_once_and_each_is_answered(cast: Cast, secret: str) -> None:
    body = {"seats": [SEAT, {"product": "erp", "person": 4711, "name": "Temp"}, {"product": "crm", "person": "x"}]}

    first, again = send(secret, body).json(), send(secret, body).json()

    assert first["counts"] == {"new": 2, "changed": 0, "known": 0, "refused": 1}
    assert first["fates"][2] == {"fate": "refused", "reason": "No such product here."}
    assert again["counts"] == {"new": 0, "changed": 0, "known": 2, "refused": 1}
    assert Seat.objects.get(person=cast.lin).issued_date == date(2026, 3, 2)
    assert Seat.objects.get(external_id="4711").company == cast.beiyuan
    assert AuditEntry.objects.get(deed="seats.issued").actor_name == "key of b-erp"


@pytest.mark.parametrize("body", [SEAT, [SEAT], {"seats": [SEAT]}])
def test_one_seat_a_list_or_an_object_of_them(cast: Cast, secret: str, body: Any) -> None:
    assert send(secret, body).json()["counts"]["new"] == 1


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ("{", 400, "malformed_json"),
        ("7", 400, "not_seats"),
        ('{"seats": 7}', 400, "not_seats"),
        ("[7]", 400, "not_a_seat"),
        ([SEAT, {"staff_number": "B002"}], 400, "not_a_seat"),
        ([SEAT, {**SEAT, "colour": "red"}], 400, "not_a_seat"),
        ([SEAT, {**SEAT, "issued": "soon"}], 400, "not_a_seat"),
        ([SEAT, {**SEAT, "issued": 7}], 400, "not_a_seat"),
        ([SEAT, {**SEAT, "name": True}], 400, "not_a_seat"),
        ([SEAT] * 5001, 413, "too_many_seats"),
        (" " * 5_000_001, 413, "body_too_large"),
    ],
)
def test_what_is_no_seat_is_refused_and_nothing_stored(
    cast: Cast, secret: str, body: Any, status: int, error: str
) -> None:
    answer = send(secret, body)

    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert not Seat.objects.exists()


def test_a_sender_without_a_right_is_refused(cast: Cast, secret: str) -> None:
    assert send("upk_0000", SEAT).status_code == 401
    assert Client().post("/api/v1/seats", SEAT, content_type="application/json").status_code == 401
    assert send(secret, SEAT, origin="https://page.example").status_code == 403
    assert send(secret, "a=b", "text/plain").status_code == 415
    Connection.objects.update(paused_at=timezone.now())
    forget()
    assert send(secret, SEAT).json()["error"] == "connection_paused"
    assert not Seat.objects.exists()


def test_a_key_of_a_park_names_the_company(cast: Cast, secret: str) -> None:
    link = connect(slug="p", kind="api", name="P", organization=cast.park, by=EVERYTHING, now=timezone.now())
    wide = make_key(connection=link, by=EVERYTHING, now=timezone.now())[1]

    counts = send(wide, [SEAT, {**SEAT, "company": "beiyuan"}]).json()["counts"]

    assert counts == {"new": 1, "changed": 0, "known": 0, "refused": 1}


def test_who_sends_too_fast_waits(cast: Cast, secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uptake.web.api.seats.time", SimpleNamespace(monotonic=lambda: 1000.0))
    answers = [send(secret, SEAT).status_code for _ in range(25)]

    assert answers[0] == 200
    assert answers[-1] == 429
