"""Seats are issued once by a list, found again by whose they are, invited to and taken back; odd rows are refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from tests.cast import NOW, TODAY, Cast
from uptake.directory.define_product import NoName, SlugTaken, WrongNumbers, define_product
from uptake.directory.issue_seats import SeatRow, WrongDate, invite_to_seat, issue_seats, preview_seats, revoke_seat
from uptake.directory.models import AuditEntry, Product, Seat
from uptake.directory.scope import EVERYTHING, NotAllowed

ISSUED = date(2026, 3, 2)
LIN = SeatRow(2, "erp", staff_number="B001", issued_date=ISSUED)


@pytest.fixture
def erp(cast: Cast) -> Product:
    return define_product(
        slug="erp", organization=cast.park, name_en="ERP", name_zh="企业系统", sources=["orders"],
        core_actions=["order.processed"], by=EVERYTHING, now=NOW,
    )  # fmt: skip


def issue(cast: Cast, *rows: SeatRow, **other: Any) -> list[tuple[str, str]]:
    given: dict[str, Any] = {"place": cast.beiyuan, "today": TODAY, "by": EVERYTHING, "now": NOW} | other
    return [(fate.fate, fate.reason) for fate in issue_seats(rows, **given)]


@pytest.mark.parametrize(
    ("row", "fate"),
    [
        (LIN, ("new", "")),
        (SeatRow(2, "企业系统", email="LIN@beiyuan.example"), ("new", "")),
        (SeatRow(2, "erp", person="lin-at-beiyuan"), ("new", "")),
        (SeatRow(2, "erp", person="not-seen-yet"), ("new", "")),
        (SeatRow(2, "erp", staff_number="B001", company="Beiyuan Precision"), ("new", "")),
        (SeatRow(2, "nothing", staff_number="B001"), ("refused", "no_product")),
        (SeatRow(2, "erp", staff_number="B001", company="qinghe"), ("refused", "no_company")),
        (SeatRow(2, "erp", staff_number="Q001"), ("refused", "nobody")),
        (SeatRow(2, "erp", name="Lin Fang"), ("refused", "nobody")),
        (SeatRow(2, "erp", staff_number="B001", email="hua@beiyuan.example"), ("refused", "two_people")),
        (replace(LIN, unreadable=True), ("refused", "bad_date")),
        (replace(LIN, until_date=ISSUED - timedelta(days=1)), ("refused", "ends_early")),
        (replace(LIN, invited_date=ISSUED - timedelta(days=1)), ("refused", "ends_early")),
    ],
)
def test_what_becomes_of_a_row(cast: Cast, erp: Product, row: SeatRow, fate: tuple[str, str]) -> None:
    foreseen = preview_seats([row], place=cast.beiyuan, today=TODAY, by=EVERYTHING)

    assert [(one.fate, one.reason) for one in foreseen] == [fate]
    assert not Seat.objects.exists()
    assert issue(cast, row) == [fate]
    assert Seat.objects.count() == (fate[0] == "new")


def test_a_list_a_second_time_changes_nothing(cast: Cast, erp: Product) -> None:
    rows = [LIN, SeatRow(3, "erp", person="stranger", issued_date=ISSUED), SeatRow(4, "erp", person="hua-at-beiyuan")]

    first = issue(cast, *rows)
    again = issue(cast, *rows)

    assert first == [("new", "")] * 3
    assert again == [("known", "")] * 3
    assert Seat.objects.get(external_id="hua-at-beiyuan").person == cast.hua
    assert Seat.objects.get(external_id="hua-at-beiyuan").issued_date == TODAY
    assert AuditEntry.objects.get(deed="seats.issued").details == {"new": 3, "changed": 0, "products": ["erp"]}


def test_the_same_holder_by_another_mark_has_one_seat(cast: Cast, erp: Product) -> None:
    issue(cast, LIN)

    fates = issue(cast, SeatRow(2, "erp", person="lin-at-beiyuan"), SeatRow(3, "erp", email="lin@beiyuan.example"))

    assert fates == [("known", ""), ("refused", "twice")]
    assert Seat.objects.count() == 1


def test_a_known_seat_takes_invitation_end_and_an_earlier_issue(cast: Cast, erp: Product) -> None:
    issue(cast, LIN)
    earlier = ISSUED - timedelta(days=7)

    fates = issue(cast, replace(LIN, issued_date=earlier, invited_date=TODAY, until_date=TODAY + timedelta(days=30)))

    assert fates == [("changed", "")]
    seat = Seat.objects.get()
    assert (seat.issued_date, seat.invited_date) == (earlier, TODAY)
    assert seat.until_date == TODAY + timedelta(days=30)


def test_a_seat_taken_back_may_be_given_again(cast: Cast, erp: Product) -> None:
    issue(cast, replace(LIN, until_date=date(2026, 4, 1)))

    fates = issue(cast, LIN, replace(LIN, issued_date=date(2026, 4, 20)))

    assert fates == [("known", ""), ("new", "")]
    assert [seat.until_date for seat in Seat.objects.order_by("issued_date")] == [date(2026, 4, 1), None]
    assert Seat.objects.on(date(2026, 3, 31)).count() == 1
    assert not Seat.objects.on(date(2026, 4, 1)).exists()


def test_a_list_of_a_park_names_its_companies(cast: Cast, erp: Product) -> None:
    rows = [replace(LIN, company="beiyuan"), SeatRow(3, "erp", staff_number="Q001", company="Qinghe Textile"), LIN]

    fates = issue(cast, *rows, place=cast.park)

    assert fates == [("new", ""), ("new", ""), ("refused", "no_company")]
    assert {seat.company for seat in Seat.objects.all()} == {cast.beiyuan, cast.qinghe}


def test_a_company_gives_no_product_of_another(cast: Cast, erp: Product) -> None:
    define_product(slug="looms", organization=cast.qinghe, name_en="Looms", by=EVERYTHING, now=NOW)

    assert issue(cast, replace(LIN, product="looms")) == [("refused", "no_product")]


def test_a_manager_gives_seats_of_the_own_company_only(cast: Cast, erp: Product) -> None:
    hua, wei = cast.viewer(cast.hua), cast.viewer(cast.wei)

    assert issue(cast, LIN, by=hua) == [("new", "")]
    for by, place in ((hua, cast.qinghe), (wei, cast.beiyuan), (hua, cast.park)):
        with pytest.raises(NotAllowed):
            issue(cast, LIN, by=by, place=place)


def test_an_invitation_and_the_end_are_written_once(cast: Cast, erp: Product) -> None:
    issue(cast, LIN)
    seat = Seat.objects.get()
    with pytest.raises(WrongDate):
        revoke_seat(seat=seat, on=ISSUED - timedelta(days=1), by=EVERYTHING, now=NOW)
    with pytest.raises(NotAllowed):
        revoke_seat(seat=seat, on=TODAY, by=cast.viewer(cast.mo), now=NOW)

    for day in (TODAY, TODAY + timedelta(days=1)):
        invite_to_seat(seat=seat, on=day, by=EVERYTHING, now=NOW)
        revoke_seat(seat=seat, on=day, by=EVERYTHING, now=NOW)

    seat.refresh_from_db()
    assert (seat.invited_date, seat.until_date) == (TODAY, TODAY)
    assert AuditEntry.objects.filter(deed="seat.invited").count() == 1
    assert AuditEntry.objects.filter(deed="seat.revoked", subject="Lin Fang").count() == 1


def test_the_table_itself_holds_one_open_seat_of_a_thing(cast: Cast, erp: Product) -> None:
    issue(cast, LIN)
    for odd in (
        Seat(company=cast.beiyuan, product=erp, person=cast.lin, issued_date=TODAY, created_at=NOW),
        Seat(company=cast.beiyuan, product=erp, issued_date=TODAY, created_at=NOW),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            odd.save()


def test_seats_and_products_are_seen_by_whom_they_concern(cast: Cast, erp: Product) -> None:
    issue(cast, LIN)
    define_product(slug="looms", organization=cast.qinghe, name_en="Looms", by=EVERYTHING, now=NOW)

    seen = {name: Seat.objects.visible_to(cast.viewer(who)).count() for name, who in cast.people().items()}

    assert seen == {"lin": 1, "hua": 1, "ke": 0, "mo": 0, "wei": 1, "ren": 1, "shu": 1, "an": 1}
    assert [one.slug for one in Product.objects.visible_to(cast.viewer(cast.hua))] == ["erp"]
    assert {one.slug for one in Product.objects.visible_to(cast.viewer(cast.mo))} == {"erp", "looms"}


def test_a_product_is_said_anew_and_belongs_to_one_place(cast: Cast, erp: Product) -> None:
    given: dict[str, Any] = {"slug": "erp", "organization": cast.park, "by": EVERYTHING, "now": NOW}
    define_product(name_en="ERP two", sources=["orders"], core_actions=["order.processed"], **given)
    define_product(name_en="ERP two", sources=["orders"], core_actions=["order.processed"], **given)

    assert Product.objects.get().name_en == "ERP two"
    assert AuditEntry.objects.filter(deed="product.defined").count() == 2
    with pytest.raises(SlugTaken):
        define_product(**given | {"organization": cast.beiyuan}, name_en="Ours")
    with pytest.raises(NoName):
        define_product(**given, name_en=" ")
    with pytest.raises(WrongNumbers):
        define_product(**given, name_en="ERP", habitual_weeks=5)
    with pytest.raises(NotAllowed):
        define_product(**given | {"by": cast.viewer(cast.hua)}, name_en="ERP")
