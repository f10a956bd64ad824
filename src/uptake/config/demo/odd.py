"""What goes wrong in any real park, so that its pages are not empty: people nobody knows, late and odd events."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from uptake.config.demo.names import Words
from uptake.config.demo.park import SILENT_COMPANIES, ZONE, DemoPark
from uptake.events.happening import Happening

STRANGERS = (
    ("beiyuan", "temp-07", Words("Zhou Mi", "周蜜")),
    ("beiyuan", "scanner-2", Words("", "")),
    ("qinghe", "m.yan", Words("Mo Yan", "莫妍")),
    ("mingzhou", "driver_14", Words("He Gang", "何刚")),
    ("yusheng", "yu.jing", Words("Yu Jing", "于静")),
    ("lantai", "svc-batch", Words("", "")),
)
"""Company, id in its ERP and the name the ERP shows: nobody has these ids or staff numbers."""
STILL_SENDS = "fulin"
"""The silent company whose ERP goes on sending what it does at night: its people are silent, its data is there. Of the
other one nothing comes any more, and nobody can tell."""
KNOWN = ("b001", "b003")
"""Whose late and odd events come in: these have their staff number as id."""
ODD_DAYS = 5
"""How many days before today the late and odd events come in."""


def odd_ones(park: DemoPark, company: str, first: date, last: date, now: datetime) -> list[Happening]:
    """The strangers' happenings of a stretch of days in a company, and on one day some that go to quarantine."""
    found = []
    day = first
    while day <= last:
        if day not in park.rest:
            for place, login, name in STRANGERS:
                if place == company:
                    found.append(
                        _happening(
                            day,
                            9,
                            "stock.moved",
                            f"{day}/{login}",
                            login,
                            name.in_(park.language),
                            lines=2,
                            quantity=40,
                        )
                    )
        if company == STILL_SENDS and day >= park.today - timedelta(days=SILENT_COMPANIES[company]):
            found.append(_happening(day, 22, "interface.ran", f"night/{day}", None, ""))
        if company == "beiyuan" and day == park.today - timedelta(days=ODD_DAYS):
            late = day - timedelta(days=25)
            found.append(_happening(late, 15, "order.processed", "late/1", "b001", "", lines=3, on_time=True))
            found.append(_happening(late, 16, "order.processed", "late/2", "b001", "", lines=5, on_time=True))
            found.append(_happening(day, 14, "goods_receipt.posted", "odd/1", "b003", "", minutes="soon", lines=2))
            ahead = _happening(
                day + timedelta(days=60), 9, "stock.counted", "future/1", "b003", "", lines=9, correct=True
            )
            found.append(ahead)
            found.append(_happening(day, 11, "order.created", "twice/1", "b001", "", lines=4, amount=1200))
            found.append(_happening(day, 11, "order.created", "twice/1", "b001", "", lines=4, amount=1250))
        day += timedelta(days=1)
    return [one for one in found if one.at <= now or one.key.startswith("odd/future/")]


def _happening(day: date, hour: int, event: str, key: str, login: str | None, name: str, **facts: object) -> Happening:
    at = datetime.combine(day, time(hour), tzinfo=ZONE).astimezone(UTC)
    about = f"{event.split('.')[0].upper()[:2]}-{day:%m%d}-{key[-1].upper()}1"
    return Happening(
        event=event,
        key=f"odd/{key}",
        at=at,
        person=login,
        object=about,
        facts=facts,
        person_name=name,
        person_staff_number=login.upper() if login and login in KNOWN else "",
    )
