"""What people of Beiyuan are told, learn and say in the demo: announcements, trainings, and the feedback box."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

from django.utils import translation

from uptake.config.demo.names import Words
from uptake.config.demo.park import DemoPark
from uptake.directory.models import Membership, Organization, Person
from uptake.directory.scope import EVERYTHING
from uptake.directory.viewer import Grant, Viewer
from uptake.programme.adoption.announce import Wording, write_announcement
from uptake.programme.adoption.answer_feedback import answer_feedback, see_feedback
from uptake.programme.adoption.attend import mark_attended
from uptake.programme.adoption.enrol import enrol
from uptake.programme.adoption.finish_guides import finish_guides, look_at_points
from uptake.programme.adoption.give_feedback import give_feedback, rate_answer
from uptake.programme.adoption.mark_read import mark_read
from uptake.programme.adoption.models import About, Announcement, FeedbackState
from uptake.programme.adoption.plan_training import Plan, plan_training
from uptake.programme.adoption.progress import newcomers_at
from uptake.programme.adoption.publish_due import announce_rule_changes, publish_due
from uptake.programme.models import RulebookVersion

PLACE: Final = "beiyuan"
PEOPLE: Final = 14
NEW: Final = 3
# days ago (below 0: still to come), title, text, pinned
NEWS: Final = (
    (20, Words("Uptake on the phone", "手机上也能用活用"),
     Words("Points, ranking, rewards and rules fit your phone. Scan the code at the gate, sign in once.",
           "积分、排行、奖品和规则都能在手机上看。扫描门口的二维码，登录一次即可。"), False),
    (4, Words("Stocktaking on the 30th: what counts", "30 日盘点：哪些计分"),
     Words("Counts posted on the day earn as on any other day. Please post open receipts before 16:00 the day before.",
           "当天过账的盘点照常计分。请在前一天 16:00 前过账未清收货。"), True),
    (-3, Words("New rewards next week", "下周上新奖品"),
     Words("Two trainings and a day of leave come onto the shelf.", "将新增两个培训名额和一天假期。"), False),
)  # fmt: skip
# days ago, title, text, room, places, hour, how many were there
TRAININGS: Final = (
    (18, Words("Reason codes without guessing", "原因代码一次弄懂"),
     Words("Which code when, with the goods on the table.", "对着实物讲清每个代码。"),
     Words("Room 2.14", "2.14 会议室"), None, 7),
    (6, Words("Stock counting by scanner", "扫码盘点"),
     Words("From the first scan to the posted difference.", "从第一次扫码到差异过账。"),
     Words("Hall B", "B 库"), 12, 5),
    (-2, Words("Split orders and partial deliveries", "拆单与分批交货"),
     Words("For sales and the warehouse together.", "销售与仓储一起参加。"), Words("Room 2.14", "2.14 会议室"), 6, 0),
    (-9, Words("Excel reports from the ERP", "用 ERP 数据做 Excel 报表"),
     Words("Bring a report you make every month.", "请带一份你每月都做的报表。"),
     Words("https://meet.example/excel", "https://meet.example/excel"), None, 0),
)  # fmt: skip
# days ago, about, title, text, anonymous, open to all, days until the answer (None: none yet), state, answer, stars
BOX: Final = (
    (75, About.TOOL, Words("The label printer loses the queue", "标签打印机丢任务"),
     Words("Every Monday morning at gate 2.", "每周一早上在二号门。"), False, True, 2, FeedbackState.DONE,
     Words("The driver was replaced. Tell us if it comes back.", "驱动已更换，如再出现请告诉我们。"), 5),
    (62, About.PROGRAMME, Words("Night shift has no trainings", "夜班没有培训"),
     Words("All are between 14:00 and 16:00.", "全都安排在 14:00–16:00。"), True, True, 4, FeedbackState.PLANNED,
     Words("From next month one in three begins at 21:00.", "下个月起三次中有一次 21:00 开始。"), 4),
    (48, About.REWARD, Words("More rewards under 100 points", "增加 100 分以下的奖品"),
     Words("Part-timers hardly reach the others.", "兼职同事很难够到其他奖品。"),
     False, True, 9, FeedbackState.ANSWERED,
     Words("The committee takes it up in its next round.", "委员会下一轮讨论。"), 3),
    (33, About.PAGE, Words("Show pending points on the phone", "手机上显示待生效积分"),
     Words("I only find them on the PC.", "我只在电脑上找到。"), False, False, 1, FeedbackState.DONE,
     Words("They stand below the balance now.", "现在显示在余额下方。"), 5),
    (20, About.PROGRAMME, Words("Points for helping other departments", "帮助其他部门也应计分"),
     Words("We lend people at month end.", "月底我们会借调人手。"), False, True, 3, FeedbackState.DECLINED,
     Words("No event shows it; special points are for this. Ask your manager.",
           "没有对应的事件；可由经理申请特别积分。"), 2),
    (11, About.TOOL, Words("Search by customer's order number", "支持按客户订单号搜索"),
     Words("Customers never know ours.", "客户从不知道我们的单号。"), False, True, 4, FeedbackState.PLANNED,
     Words("Ordered from the vendor, due in spring.", "已向供应商下单，预计春季上线。"), 4),
    (9, About.PROGRAMME, Words("Daily cap on goods receipts is too low", "收货的每日上限太低"),
     Words("On truck days it is reached by ten.", "来车多的日子十点就到上限。"), True, False, None, FeedbackState.SEEN,
     Words("", ""), None),
    (3, About.PAGE, Words("Ranking by shift", "按班次排行"),
     Words("Early and late shift differ by volume.", "早晚班业务量不同。"), False, True, None, FeedbackState.NEW,
     Words("", ""), None),
    (1, About.OTHER, Words("A terminal at the break room", "休息室放一台终端"),
     Words("To look up points without a phone.", "不用手机也能查积分。"), False, False, None, FeedbackState.NEW,
     Words("", ""), None),
)  # fmt: skip


def bring_people_in(park: DemoPark, now: datetime) -> None:
    """The last three months of news, trainings and feedback, by the doors."""
    company = Organization.objects.get(slug=PLACE)
    people = _people(company)
    if len(people) < PEOPLE:
        return
    _announce(company, people, now)
    _train(company, people, park, now)
    _ask(company, people, park, now)
    for one in newcomers_at(company, now.date())[:NEW]:
        look_at_points(company=company, by=_viewer(one, company), now=now - timedelta(hours=5))
    finish_guides(now=now)


def _announce(company: Organization, people: Sequence[Viewer], now: datetime) -> None:
    for version in RulebookVersion.objects.filter(organization=company).order_by("published_at", "pk"):
        # Each at its own hour, as the job would have; the park's rules hold for others.
        announce_rule_changes(now=version.published_at + timedelta(seconds=5))
        publish_due(now=version.published_at + timedelta(seconds=5))
    for turn, (days, title, text, pinned) in enumerate(NEWS):
        at = now - timedelta(days=days)
        wording = Wording(
            title_en=title.en, title_zh=title.zh, text_en=text.en, text_zh=text.zh, pinned=pinned, publishes_at=at
        )
        write_announcement(organization=company, wording=wording, key=f"demo/{turn}", by=EVERYTHING, now=min(at, now))
        publish_due(now=min(at, now))
    told = list(Announcement.objects.filter(published_at__isnull=False).order_by("published_at", "pk"))
    for nth, one in enumerate(told[:-1]):
        at = (one.published_at or now) + timedelta(hours=4)
        for who in people[1 + nth % 3 : PEOPLE : 1 + nth % 2]:
            mark_read(announcement=one, by=who, now=min(at, now))


def _train(company: Organization, people: Sequence[Viewer], park: DemoPark, now: datetime) -> None:
    for turn, (days, title, text, room, places, came) in enumerate(TRAININGS):
        starts_at = (now - timedelta(days=days)).replace(hour=6, minute=0, second=0, microsecond=0)
        planned = min(starts_at, now) - timedelta(days=5)
        plan = Plan(
            title_en=title.en, title_zh=title.zh, text_en=text.en, text_zh=text.zh, starts_at=starts_at,
            minutes=60 + 30 * (turn % 2), where=room.in_(park.language), capacity=places,
        )  # fmt: skip
        made = plan_training(organization=company, plan=plan, key=f"demo/{turn}", by=EVERYTHING, now=planned)
        for nth, who in enumerate(people[turn : turn + 8]):
            enrol(training=made, by=who, now=planned + timedelta(hours=nth))
        if came:
            there = [who.person_id for who in people[turn : turn + came] if who.person_id]
            mark_attended(training=made, people=there, by=EVERYTHING, now=made.ends_at + timedelta(hours=1))


def _ask(company: Organization, people: Sequence[Viewer], park: DemoPark, now: datetime) -> None:
    manager = Viewer(None, None, "", (Grant("manager", company.path),), company.created_at.date())
    hua = Person.objects.filter(user__username="hua").first()
    if hua is not None:
        manager = Viewer(hua.user.pk, hua.pk, hua.name, manager.grants, manager.today)
    for turn, (days, about, title, text, anonymous, shared, later, state, answer, stars) in enumerate(BOX):
        at = now - timedelta(days=days, hours=2)
        if at.date() < park.first_day:
            continue
        who = people[0] if turn in (3, 5) else people[1 + turn % (PEOPLE - 1)]
        if who.person_id == manager.person_id:
            who = people[0]
        given = give_feedback(
            company=company, about=about, title=title.in_(park.language), text=text.in_(park.language),
            anonymous=anonymous, shared=shared, key=f"demo/{turn}", by=who, now=at,
        )  # fmt: skip
        if later is None:
            if state == FeedbackState.SEEN:
                see_feedback(feedback=given, by=manager, now=at + timedelta(hours=20))
            continue
        answered = at + timedelta(days=later)
        with translation.override(park.language):
            answer_feedback(feedback=given, state=state, answer=answer.in_(park.language), by=manager, now=answered)
        if stars and turn != 5:
            rate_answer(feedback=given, stars=stars, by=who, now=answered + timedelta(hours=6))


def _people(company: Organization) -> list[Viewer]:
    """Lin first, then others of the company with an open membership."""
    rows = Membership.objects.filter(organization__company=company, until_date=None, person__erased_at=None)
    rows = rows.exclude(person__kind="machine").select_related("person", "organization").order_by("person_id")
    found = {row.person_id: (row.person, row.organization) for row in rows[:80]}
    ordered = sorted(found.values(), key=lambda one: (one[0].staff_number != "B001", one[0].pk))[:PEOPLE]
    return [_viewer(who, at) for who, at in ordered]


def _viewer(who: Person, at: Organization) -> Viewer:
    today: date = at.created_at.date()
    return Viewer(None, who.pk, who.name, (), today, (at.path,))
