"""The seats of a place: whose they are, what became of them, by company and department, and use without one."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings

from tests.cast import NOW, TODAY, Cast
from uptake.directory.define_product import define_product
from uptake.directory.issue_seats import SeatRow, issue_seats
from uptake.directory.models import Identity, Organization, Product
from uptake.directory.scope import EVERYTHING
from uptake.insight.feed.where import activity_log
from uptake.insight.metrics.activation import State
from uptake.insight.metrics.seats import Activation, activation, products_at
from uptake.insight.metrics.tests.world import happen

pytestmark = pytest.mark.django_db(transaction=True)
ISSUED = TODAY - timedelta(days=60)


@pytest.fixture(autouse=True)
def own_log(settings: LazySettings, tmp_path: Path) -> None:
    settings.DATA = tmp_path


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


@pytest.fixture
def erp(cast: Cast) -> Product:
    """Lin posts every working day, Hua only looked in two days, Ke stopped a month ago, Mo of Qinghe is there too."""
    working = [ago(n) for n in range(1, 50) if ago(n).weekday() < 5]
    happen(
        cast,
        [("lin", "order.processed", day) for day in working]
        + [("hua", "page.opened", ago(20)), ("hua", "page.opened", ago(2))]
        + [("ke", "order.processed", ago(n)) for n in (29, 30, 33)]
        + [("mo", "order.processed", ago(1))]
        + [("wei", "order.processed", ago(3))],
        TODAY,
    )
    return define_product(
        slug="erp", organization=cast.park, name_en="ERP", core_actions=["order.processed"], by=EVERYTHING, now=NOW
    )


def give(cast: Cast, *rows: SeatRow, place: Organization | None = None) -> None:
    fates = issue_seats(rows, place=place or cast.beiyuan, today=TODAY, by=EVERYTHING, now=NOW)
    assert {fate.fate for fate in fates} == {"new"}, [fate.reason for fate in fates]


def row(number: str, module: str = "") -> SeatRow:
    return SeatRow(2, "erp", staff_number=number, issued_date=ISSUED, module=module)


def stranger() -> int:
    """Wei in Beiyuan's source: nobody of the company has this id."""
    return -Identity.objects.get(source="erp-beiyuan", external_id="wei").pk


def told(found: Activation) -> dict[str, State]:
    return {one.seat.person.name if one.seat.person else one.seat.external_id: one.judged.state for one in found.seats}


def test_every_seat_stands_where_its_holder_is(cast: Cast, erp: Product) -> None:
    give(cast, row("B001"), row("B002"), row("B003"), SeatRow(2, "erp", person="ghost", issued_date=ISSUED))

    found = activation(activity_log(), cast.beiyuan, [erp], TODAY)

    assert told(found) == {
        "Lin Fang": State.HABITUAL, "Hua Jing": State.ACTIVATED, "Ke Ming": State.SILENT, "ghost": State.ISSUED,
    }  # fmt: skip
    assert [(part.place and part.place.slug, part.tally.seats) for part in found.parts] == [
        ("beiyuan-finance", 1), ("beiyuan-purchasing", 1), (None, 2),
    ]  # fmt: skip
    assert [one.code for one in found.unseated] == [stranger()]


def test_a_department_has_its_own_people_and_a_park_its_companies(cast: Cast, erp: Product) -> None:
    give(cast, row("B001"), row("B003"))
    give(cast, SeatRow(2, "erp", staff_number="Q001", issued_date=ISSUED), place=cast.qinghe)

    assert told(activation(activity_log(), cast.finance, [erp], TODAY)) == {"Ke Ming": State.SILENT}
    park = activation(activity_log(), cast.park, [erp], TODAY)
    assert [(part.place and part.place.slug, part.tally.seats) for part in park.parts] == [
        ("beiyuan", 2), ("qinghe", 1),
    ]  # fmt: skip


def test_a_seat_by_the_id_of_the_source_is_its_persons(cast: Cast, erp: Product) -> None:
    Identity.objects.filter(source="erp-beiyuan", external_id="ke").update(person=None, resolved_how="")
    give(cast, SeatRow(2, "erp", person="ke", issued_date=ISSUED))
    Identity.objects.filter(source="erp-beiyuan", external_id="ke").update(person=cast.ke)

    (seat,) = activation(activity_log(), cast.beiyuan, [erp], TODAY).seats

    assert seat.seat.person is None
    assert (seat.code, seat.judged.state) == (cast.ke.pk, State.SILENT)


def test_one_holder_given_twice_counts_once(cast: Cast, erp: Product) -> None:
    give(cast, SeatRow(2, "erp", person="ke-in-orders", issued_date=ISSUED), row("B003"))
    Identity.objects.create(
        source="orders", external_id="ke-in-orders", company=cast.beiyuan, person=cast.ke, first_seen_at=NOW
    )

    assert len(activation(activity_log(), cast.beiyuan, [erp], TODAY).seats) == 1


def test_the_sources_of_a_product_and_its_modules_are_kept_apart(cast: Cast, erp: Product) -> None:
    other = define_product(
        slug="crm", organization=cast.park, name_en="CRM", sources=["crm-beiyuan"], by=EVERYTHING, now=NOW
    )
    give(cast, row("B001", module="stock"), row("B001", module="sales"))
    give(cast, SeatRow(2, "crm", staff_number="B001", issued_date=ISSUED))

    assert activation(activity_log(), cast.beiyuan, [erp], TODAY).tally.habitual == 2
    assert told(activation(activity_log(), cast.beiyuan, [other], TODAY)) == {"Lin Fang": State.UNTOLD}
    assert [one.slug for one in products_at(cast.beiyuan)] == ["crm", "erp"]


def test_seats_taken_back_are_not_held_and_their_use_stands_apart(cast: Cast, erp: Product) -> None:
    give(cast, row("B002"), SeatRow(2, "erp", staff_number="B001", issued_date=ISSUED, until_date=ago(5)))

    found = activation(activity_log(), cast.beiyuan, [erp], TODAY)

    assert told(found) == {"Hua Jing": State.ACTIVATED}
    assert {one.code for one in found.unseated} == {cast.lin.pk, stranger()}


def test_where_the_source_is_down_nobody_is_silent(cast: Cast, erp: Product) -> None:
    give(cast, row("B001"), row("B003"), SeatRow(2, "erp", person="ghost", issued_date=ISSUED))
    later = TODAY + timedelta(days=30)

    found = activation(activity_log(), cast.beiyuan, [erp], later)

    assert set(told(found).values()) == {State.UNTOLD}
    assert (found.tally.judged, found.tally.silent, found.tally.rate) == (0, 0, None)
