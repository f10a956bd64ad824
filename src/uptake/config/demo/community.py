"""What people of Beiyuan say to each other in the demo: questions with answers, tips, one report, and recognition."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from uptake.config.demo.names import Words
from uptake.config.demo.park import DemoPark
from uptake.directory.models import Membership, Organization, Person
from uptake.directory.viewer import Viewer
from uptake.programme.community.models import PostKind, ReactionKind
from uptake.programme.community.moderate import report
from uptake.programme.community.recognise import recognise
from uptake.programme.community.refusals import Refusal
from uptake.programme.community.write import accept_answer, react, write_post, write_reply

PLACE: Final = "beiyuan"
PEOPLE: Final = 9
# days ago, kind, title, text, replies; the first answer of a question is accepted where its days are above 1
POSTS: Final = (
    (9, PostKind.TIP, Words("Scan the pallet before you move it", "先扫托盘再移库"),
     Words("Then the place in the ERP is right at once and nobody searches in the evening.",
           "这样 ERP 里的库位马上就对，晚上不用再找货。"),
     (Words("Works at gate 2 as well.", "二号门也适用。"),)),
    (6, PostKind.QUESTION, Words("Which reason code for a damaged carton?", "外箱破损用哪个原因代码？"),
     Words("The goods inside are fine, only the carton is wet.", "里面的货没问题，只是纸箱受潮。"),
     (Words("Code 14, repacking. Code 11 blocks the whole lot.", "用 14（重新包装）。11 会冻结整批。"),
      Words("Take a photo as well, the supplier asks for it.", "顺便拍张照，供应商会要。"))),
    (3, PostKind.POST, Words("Stocktaking on the 30th", "30 日盘点"),
     Words("Please post all open receipts by 16:00 the day before.", "请在前一天 16:00 前过账所有未清收货。"),
     (Words("Does this hold for returns too?", "退货也一样吗？"),)),
    (2, PostKind.QUESTION, Words("How do I split an order over two deliveries?", "一张订单怎么分两次交货？"),
     Words("The customer wants half of it this week.", "客户要求本周先送一半。"),
     (Words("Change the date of the line, then “Split line”.", "先改行项目日期，再点“拆分行”。"),)),
    (1, PostKind.QUESTION, Words("Is there a report of my open tasks?", "有我的未清任务报表吗？"),
     Words("I only find the one for the whole department.", "我只找到了整个部门的。"), ()),
)  # fmt: skip
# days ago, who to whom (places in the list of people), points, what for
GIVEN: Final = (
    (8, 1, 0, 20, Words("Found the missing pallet before the truck left.", "发车前找到了丢失的托盘。")),
    (6, 0, 2, 15, Words("Explained the reason codes with patience.", "耐心讲解原因代码。")),
    (5, 3, 4, 30, Words("Stayed for the stocktaking of a colleague.", "替同事完成盘点。")),
    (4, 4, 3, 30, Words("Returned the favour at the gate.", "在收货口帮了回来。")),
    (3, 3, 4, 20, Words("Helped again with the count.", "又帮忙清点。")),
    (2, 4, 3, 20, Words("Took my shift.", "替我值班。")),
    (1, 5, 6, 10, Words("Clear handover notes.", "交接写得清楚。")),
)  # fmt: skip


def let_people_talk(park: DemoPark, now: datetime) -> None:
    """Posts and recognition of the last days, by the doors."""
    company = Organization.objects.get(slug=PLACE)
    people = _people(company)
    if len(people) < PEOPLE:
        return
    for turn, (days, kind, title, text, replies) in enumerate(POSTS):
        at = now - timedelta(days=days, hours=3)
        asker = people[turn % 4]
        words = {"title": title.in_(park.language), "text": text.in_(park.language)}
        post = write_post(company=company, kind=kind, key=f"demo/{turn}", by=asker, now=at, **words)
        said = [
            write_reply(
                post=post, text=one.in_(park.language), key=f"demo/{turn}/{nth}", by=people[4 + (turn + nth) % 5],
                now=at + timedelta(minutes=20 * (nth + 1)),
            )
            for nth, one in enumerate(replies)
        ]  # fmt: skip
        if kind == PostKind.QUESTION and said:
            accept_answer(reply=said[0], by=asker, now=at + timedelta(hours=1))
        for nth in range(turn % 3 + 1):
            react(post=post, kind=list(ReactionKind)[nth % 3], by=people[4 + nth], now=at + timedelta(hours=2))
        if kind == PostKind.POST:
            why = Words("Asked before, answered before.", "之前问过，也答过。").in_(park.language)
            report(about=said[0], why=why, by=people[0], now=at + timedelta(hours=2))
    for turn, (days, giver, receiver, points, what) in enumerate(GIVEN):
        to = Person.objects.get(pk=people[receiver].person_id or 0)
        try:
            recognise(
                company=company, receiver=to, points=points, text=what.in_(park.language), key=f"demo/{turn}",
                by=people[giver], now=now - timedelta(days=days, hours=1),
            )  # fmt: skip
        except Refusal:
            continue  # where a month begins in between, a limit may stand in the way


def _people(company: Organization) -> Sequence[Viewer]:
    """Lin first, then others of the company with an open membership."""
    rows = Membership.objects.filter(organization__company=company, until_date=None, person__erased_at=None)
    rows = rows.exclude(person__kind="machine").select_related("person", "organization").order_by("person_id")
    found = {row.person_id: (row.person, row.organization) for row in rows[:60]}
    lin = Person.objects.filter(staff_number="B001").first()
    ordered = sorted(found.values(), key=lambda one: (lin is None or one[0].pk != lin.pk, one[0].pk))[:PEOPLE]
    return [Viewer(None, who.pk, who.name, (), company.created_at.date(), (at.path,)) for who, at in ordered]
