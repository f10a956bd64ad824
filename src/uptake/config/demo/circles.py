"""Recognition at Qinghe over twelve weeks: that of many colleagues, and planted in it what the search looks for.

- R: two people (``PAIR``) thank each other every ``EVERY_DAYS`` days in turn, just as often as the terms allow;
- S: somebody of the committee (``APPROVER``) approves special points for a buyer (``LOOP``), who recognises them each
  time a few days later.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth import get_user_model

from uptake.config.demo.names import Words
from uptake.config.demo.park import DemoPark, DemoPerson
from uptake.directory.grant_role import give_role
from uptake.directory.models import Membership, Organization, Person, Role
from uptake.directory.open_login import open_login
from uptake.directory.scope import EVERYTHING, Viewer, viewer_of
from uptake.programme.community.recognise import recognise
from uptake.programme.community.refusals import Refusal
from uptake.programme.rewards.fund_budget import fund_budget
from uptake.programme.rewards.grant_special import approve_special, ask_special

PLACE: Final = "qinghe"
PAIR: Final = ("warehouse", "finance")
LOOP: Final = "purchasing"
APPROVER: Final = "planning"
"""Departments of those who do it: the first there who is at work most days and never stops."""
DAYS: Final = 83
"""So long ago it began, where the demo is that old."""
EVERY_DAYS: Final = 16
COLLEAGUES_DAYS: Final = 2
"""Every so many days a colleague thanks another."""
EAGER: Final = 0.4
SPECIAL: Final = ((72, Words("Renegotiated the yarn contract", "重新谈定纱线合同")),
                  (44, Words("Cleared old purchase orders", "清理历史采购订单")),
                  (16, Words("Prepared the supplier day", "筹备供应商大会")))  # fmt: skip
SPECIAL_POINTS: Final = 150
THANKS: Final = (
    Words("Stayed late so that the lorry could leave.", "加班到很晚，保证货车按时出发。"),
    Words("Showed me the short way to the stock report.", "教会我快速打开库存报表的办法。"),
    Words("Found the wrong lot number before the customer did.", "抢在客户之前发现了错误批号。"),
    Words("Answered all my questions in my first week.", "在我入职第一周耐心解答所有问题。"),
    Words("Took over the count when half the team was ill.", "团队一半人生病时顶上了盘点。"),
    Words("Explained the new screen to the whole shift.", "给整个班组讲解了新界面。"),
    Words("Good idea about the labels at gate 2.", "二号门标签的主意很好。"),
)
SHORT: Final = Words("Thanks as always!", "一如既往，谢谢！")
WELL_LED: Final = Words("Always there for us.", "一直支持我们的工作。")


@dataclass(frozen=True, slots=True)
class Thanked:
    """One recognition: so many days ago at that hour, who to whom (staff numbers), points, and the words."""

    days: int
    hour: int
    giver: str
    receiver: str
    points: int
    words: Words


def plant_circles(park: DemoPark, now: datetime) -> None:
    """Recognition and special points at Qinghe, each at its own time, by the doors."""
    company = Organization.objects.get(slug=PLACE)
    people = [one for one in park.people if one.company == PLACE and one.zeal > EAGER and one.silent_from is None]
    known = Person.objects.filter(staff_number__in=[one.staff_number for one in people])
    rows = Membership.objects.filter(organization__company=company, person__in=known).select_related("organization")
    paths = {row.person_id: row.organization.path for row in rows}
    by_number = {one.staff_number: one for one in known}
    _special(park, company, by_number[_first(people, LOOP)], by_number[_first(people, APPROVER)], now)
    for number, one in enumerate(thanked(park, people)):
        at = now - timedelta(days=one.days) + timedelta(hours=one.hour - 12)
        giver = by_number[one.giver]
        by = Viewer(None, giver.pk, giver.name, (), company.created_at.date(), (paths[giver.pk],))
        try:
            recognise(
                company=company, receiver=by_number[one.receiver], points=one.points,
                text=one.words.in_(park.language), key=f"demo/circle/{number}", by=by, now=at,
            )  # fmt: skip
        except Refusal:
            continue  # a limit of the month stands in the way of colleagues now and then


def thanked(park: DemoPark, people: Sequence[DemoPerson]) -> list[Thanked]:
    """All recognition in order of time."""
    days = _days(park)
    pair = [_first(people, place) for place in PAIR]
    buyer, approver = _first(people, LOOP), _first(people, APPROVER)
    told = [*_colleagues(park, [one.staff_number for one in people if one.staff_number not in pair], days)]
    told += [
        Thanked(ago - 2 * turn, 9 + turn, pair[turn], pair[not turn], 25, SHORT)
        for ago in range(days, 2, -EVERY_DAYS)
        for turn in (0, 1)
    ]
    told += [Thanked(ago - 3, 10, buyer, approver, 40, WELL_LED) for ago, _why in SPECIAL if ago <= days]
    return sorted(told, key=lambda one: (-one.days, one.hour, one.giver))


def _colleagues(park: DemoPark, numbers: Sequence[str], days: int) -> Iterator[Thanked]:
    """Everybody thanks somebody in turn, never the same one twice."""
    chance = random.Random(f"{park.seed}/thanks")
    order = chance.sample(numbers, len(numbers))
    for turn, ago in enumerate(range(days, 0, -COLLEAGUES_DAYS)):
        giver, step = order[turn % len(order)], 1 + turn // len(order)
        receiver = order[(turn + step * 5) % len(order)]
        yield Thanked(ago, chance.randint(8, 11), giver, receiver, chance.choice((10, 15, 20)), THANKS[turn % 7])


def _special(park: DemoPark, company: Organization, buyer: Person, approver: Person, now: datetime) -> None:
    """What the manager asks for, the approver approves: with a login by which nobody can sign in."""
    first = now - timedelta(days=park.days)
    give_role(
        person=approver, role=Role.COMMITTEE, organization=company, from_date=park.first_day, by=EVERYTHING, now=first
    )
    login = open_login(person=approver, username=approver.staff_number.lower(), by=EVERYTHING, now=first)
    mo = get_user_model().objects.get(username="mo")
    asks, approves = (viewer_of(one, today=park.today) for one in (mo, login))
    place, days = Organization.objects.get(slug=f"{PLACE}-{LOOP}"), _days(park)
    begun = now - timedelta(days=days)
    fund_budget(department=place, points=600, key="demo/circle", by=EVERYTHING, now=begun, reason="Q4")
    for ago, why in SPECIAL:
        if ago <= days:
            at = now - timedelta(days=ago)
            row = ask_special(
                person=buyer, department=place, points=SPECIAL_POINTS, reason=why.in_(park.language),
                key=f"demo/circle/{ago}", by=asks, now=at,
            )  # fmt: skip
            approve_special(grant_id=row.pk, by=approves, now=at + timedelta(hours=2))


def _days(park: DemoPark) -> int:
    return min(DAYS, park.days - 2)


def _first(people: Sequence[DemoPerson], department: str) -> str:
    return next(one.staff_number for one in people if one.department == department)
