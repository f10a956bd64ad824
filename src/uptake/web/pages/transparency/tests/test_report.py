"""The monthly report: what it counts, whom it hides, who may read it, and as a file."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from tests.cast import NOW, Cast, person
from uptake.programme.governance.transparency import TOGETHER, ByGroup, merged, report_of_month
from uptake.programme.tests.world import Desk

MAY = date(2026, 5, 1)


@pytest.mark.once
@pytest.mark.parametrize(
    ("people", "shown"),
    [
        ([9, 8], [9, 8]),
        ([9, 8, 2], [9, 10]),  # one small group would follow from the total
        ([9, 8, 3, 2], [9, 8, 5]),
        ([9, 1, 1], [11]),
        ([3], []),
        ([], []),
    ],
)
def test_small_groups_are_merged_until_nobody_can_be_worked_out(people: list[int], shown: list[int]) -> None:
    groups = [ByGroup(nth, str(nth), n, 100 * n) for nth, n in enumerate(people)]
    found = merged(groups)

    assert [one.people for one in found] == shown
    assert all(one.people >= 5 for one in found)
    assert all(one.key != TOGETHER for one in found[:-1])


@pytest.mark.django_db(transaction=True)
def test_the_report_counts_what_stood_in_the_month(cast: Cast) -> None:
    desk = Desk(cast)
    for nth in range(5):
        who = person(name=f"Buyer {nth}", at=cast.purchasing, email=f"b{nth}@beiyuan.example")
        cast.identities[f"b{nth}"] = type(cast.identities["lin"]).objects.create(
            source="orders", external_id=f"b{nth}", company=cast.beiyuan, person=who, first_seen_at=NOW
        )
        desk.processed(f"B{nth}", NOW, who=f"b{nth}", lines=3)
    desk.processed("K", NOW, who="ke", lines=8)
    desk.processed("April", datetime(2026, 4, 29, 2, tzinfo=UTC), lines=50, now=NOW)
    report = report_of_month(cast.beiyuan, MAY, now=NOW + timedelta(hours=1))

    assert (report.points, report.people, report.running) == (23, 6, True)
    assert [(one.title, one.points, one.times, one.people) for one in report.rules] == [("Order processed", 23, 6, 6)]
    assert [(one.key, one.people, one.points) for one in report.departments] == [(TOGETHER, 6, 23)]
    assert report.liability.outstanding == report.liability.granted
    assert [one.version.number for one in report.published] == [1]
    april = report_of_month(cast.beiyuan, date(2026, 4, 1), now=NOW + timedelta(hours=1))
    assert april.liability.outstanding == 0, "posted in May"
    assert (april.running, april.published) == (False, ())
    assert report_of_month(cast.qinghe, MAY, now=NOW).points == 0


@pytest.mark.django_db
@pytest.mark.once
def test_everybody_of_the_company_reads_it_and_nobody_of_another(cast: Cast) -> None:
    Desk(cast).processed("A", timezone.now() - timedelta(minutes=5), now=timezone.now())
    today = timezone.localdate()

    page = cast.sign_in(cast.lin).get("/transparency/").content.decode()
    assert "Order processed" in page
    assert "Points by department" in page
    mo = cast.sign_in(cast.mo)
    assert "Order processed" not in mo.get("/transparency/").content.decode()
    assert mo.get("/transparency/?at=beiyuan").status_code == 404
    assert mo.get(f"/transparency/{today:%Y-%m}.pdf?at=beiyuan").status_code == 404
    assert cast.sign_in(cast.ren).get("/transparency/?at=beiyuan").status_code == 200
    assert cast.sign_in(cast.lin).get("/transparency/?month=2999-01").status_code == 404
    assert cast.sign_in(cast.lin).get("/transparency/?month=nonsense").status_code == 200


@pytest.mark.django_db
@pytest.mark.once
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_same_as_a_file(cast: Cast, language: str) -> None:
    Desk(cast).processed("A", timezone.now() - timedelta(minutes=5), now=timezone.now())
    client = cast.sign_in(cast.lin)
    client.cookies["django_language"] = language
    answer = client.get(f"/transparency/{timezone.localdate():%Y-%m}.pdf")

    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")
    assert (b"STSong-Light" in answer.content) is (language == "zh-hans"), "the font that has the letters, no other"
