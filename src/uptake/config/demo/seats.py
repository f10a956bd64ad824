"""Who was given a seat of the ERP: nearly everybody who works with it, some who never came in, some only just now."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from uptake.config.demo.names import GIVEN, SURNAMES
from uptake.config.demo.park import DemoPark
from uptake.directory.define_product import define_product
from uptake.directory.issue_seats import SeatRow, issue_seats
from uptake.directory.models import Organization
from uptake.directory.scope import EVERYTHING

PRODUCT = "erp"
CORE = (
    "goods_receipt.posted", "invoice.posted", "order.created", "order.processed", "purchase_order.approved",
    "quality.checked", "report.submitted", "stock.counted", "stock.moved", "work_order.completed",
    "work_order.released",
)  # fmt: skip
WITHOUT = 0.03
"""Share of the people who use the ERP although nobody gave them a seat."""
INVITED = 0.9
JUST_ISSUED = ("mingzhou", 9)
"""A company that gave seats to so many people who have just begun; they are too young to judge."""


def name_of(number: int, language: str) -> str:
    """What a newcomer is called."""
    chinese = language.startswith("zh")
    family, given = SURNAMES[-3 * number], GIVEN[5 * number % len(GIVEN)]
    return f"{family[1]}{given[1]}" if chinese else f"{family[0]} {given[0]}"


def give_seats(park: DemoPark, now: datetime) -> int:
    """Issues the seats as one list of the park; gives how many. The same list again changes nothing."""
    place = Organization.objects.get(slug="linjiang")
    define_product(
        slug=PRODUCT,
        organization=place,
        name_en="Park ERP",
        name_zh="园区 ERP",
        core_actions=CORE,
        by=EVERYTHING,
        now=now,
    )
    chance = random.Random(f"{park.seed}/seats")
    rows = []
    for line, one in enumerate(park.people, start=2):
        without, invited = chance.random() < WITHOUT, chance.random() < INVITED
        issued = max(park.first_day, one.started - timedelta(days=chance.choice((0, 0, 1, 3, 7))))
        asked = issued + timedelta(days=chance.choice((0, 1, 2, 5)))
        if (without and one.zeal) or issued > park.today:
            continue
        rows.append(
            SeatRow(
                line, PRODUCT, company=one.company, staff_number=one.staff_number, issued_date=issued,
                invited_date=asked if invited and asked <= park.today else None,
            )
        )  # fmt: skip
    company, several = JUST_ISSUED
    rows += [
        SeatRow(
            0, PRODUCT, company=company, person=f"new-{number}", name=name_of(number, park.language),
            issued_date=park.today - timedelta(days=number),
        )
        for number in range(1, several + 1)
    ]  # fmt: skip
    return len(issue_seats(rows, place=place, today=park.today, by=EVERYTHING, now=now))
