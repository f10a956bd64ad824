"""Badges, challenges in every state, prizes of the ranking and privileges of levels of one company of the demo."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from uptake.config.demo.names import Words
from uptake.config.demo.park import ZONE, DemoPark
from uptake.directory.models import Organization, Person, User
from uptake.directory.scope import EVERYTHING, Viewer, viewer_of
from uptake.programme.beyond_a_date import rulebook_now
from uptake.programme.in_force import RulebooksInForce
from uptake.programme.merits.deeds import deeds_of
from uptake.programme.merits.define_badge import BadgeTerms, define_badge
from uptake.programme.merits.give_badge import give_by_hand
from uptake.programme.merits.join_challenge import join_challenge
from uptake.programme.merits.keep_boards import keep_boards
from uptake.programme.merits.keep_merits import keep_merits
from uptake.programme.merits.models import Challenge, ChallengeState
from uptake.programme.merits.name_privilege import name_privilege
from uptake.programme.merits.offer_prizes import offer_prizes
from uptake.programme.merits.plan_challenge import ChallengeTerms, open_challenge, plan_challenge
from uptake.programme.merits.refusals import Refusal
from uptake.programme.merits.verify_challenge import verify_challenge
from uptake.programme.models import MeritChange
from uptake.programme.rewards.fund_budget import fund_budget

POINTS: Final = 4000
AT_ONCE: Final = 20_000
"""Changes that go onto the boards in one transaction."""
AT_WORK: Final = 14
"""So many of those who do most of what counts take part."""


@dataclass(frozen=True)
class Planned:
    """One challenge: its days are counted from today."""

    name: Words
    text: Words
    begins: int
    ends: int
    end: str
    """Where it stands: draft, open, ended or paid."""
    terms: tuple[tuple[str, Any], ...]


BADGES: Final[tuple[tuple[Words, Words, dict[str, Any]], ...]] = (
    (
        Words("First stock count", "首次盘点"),
        Words("Whoever counts knows what is there.", "盘过才知道有什么。"),
        {"kind": "deed", "event_name": "stock.counted", "icon": "checks"},
    ),
    (
        Words("Twenty orders", "二十单"),
        Words("Twenty orders, every one from start to end.", "二十张订单，张张有始有终。"),
        {"kind": "deed", "event_name": "order.processed", "count": 20, "icon": "building-factory-2"},
    ),
    (
        Words("Five in a row", "连续五天"),
        Words("Receipts posted on five working days in a row.", "连续五个工作日收货入账。"),
        {"kind": "streak", "event_name": "goods_receipt.posted", "count": 5, "icon": "activity"},
    ),
    (
        Words("Podium of the month", "月度前三"),
        Words("Among the first three when the month closed.", "月度排名关闭时位列前三。"),
        {"kind": "rank", "period": "month", "count": 3, "icon": "trophy"},
    ),
    (
        Words("Challenge met", "挑战达成"),
        Words("Reached the goal of a challenge.", "达成一次挑战目标。"),
        {"kind": "challenge", "icon": "gauge"},
    ),
    (
        Words("Helping hand", "援手"),
        Words("For help that no event shows.", "感谢系统里看不到的帮助。"),
        {"kind": "hand", "icon": "thumb-up"},
    ),
)
BY_HAND: Final = (
    Words("Stayed an hour to show the label printer", "下班后留下一小时，教会大家用标签打印机"),
    Words("Found why the night interface stopped", "找到夜间接口停跑的原因"),
    Words("Took two newcomers along for a week", "带教两位新同事一周"),
)
CHALLENGES: Final = (
    Planned(
        Words("Orders without arrears", "订单不积压"),
        Words("Six orders each before the fortnight is over.", "两周内每人处理六张订单。"),
        -8,
        6,
        "open",
        (("event_name", "order.processed"), ("goal", 6), ("prize", 60), ("pool", 600)),
    ),
    Planned(
        Words("Count together", "一起盘点"),
        Words("Departments count their stock together.", "各部门合力完成盘点。"),
        -12,
        9,
        "open",
        (("event_name", "stock.counted"), ("goal", 12), ("teams", True)),
    ),
    Planned(
        Words("Receipts on the day", "当天收货"),
        Words("Five receipts in two weeks.", "两周内完成五次收货。"),
        -26,
        -12,
        "ended",
        (("event_name", "goods_receipt.posted"), ("goal", 5), ("prize", 50), ("pool", 400)),
    ),
    Planned(
        Words("Tidy before the holiday", "节前清单"),
        Words("Four orders before the holiday.", "节前处理四张订单。"),
        -48,
        -34,
        "paid",
        (("event_name", "order.processed"), ("goal", 4), ("prize", 80), ("pool", 500)),
    ),
    Planned(
        Words("Quality week", "质量周"),
        Words("Twenty checks each.", "每人二十次质检。"),
        5,
        12,
        "draft",
        (("event_name", "quality.checked"), ("goal", 20), ("prize", 40), ("pool", 400)),
    ),
)
PRIVILEGES: Final = (
    # code, the level that opens it (0 is the first), name, text, days
    ("early-choice", 1, Words("First choice of shifts", "优先选班"),
     Words("Before the plan is out.", "排班公布前可先选。"), None),
    ("try-first", 2, Words("New screens first", "抢先试用新界面"),
     Words("Tries them a month before all others.", "比大家早一个月试用。"), None),
    ("mentor", 3, Words("Guide of newcomers", "新人导师"),
     Words("May take newcomers along.", "可带教新同事。"), 180),
    ("committee-guest", 4, Words("Guest of the committee", "列席委员会"),
     Words("May listen and speak when it meets.", "可列席会议并发言。"), None),
)  # fmt: skip


def plant_merits(park: DemoPark, now: datetime) -> None:
    """All of it, by the doors, each at its own time."""
    company = Organization.objects.get(slug="beiyuan")
    hua, ren = (viewer_of(User.objects.get(username=name), today=now.date()) for name in ("hua", "ren"))
    begun = datetime.combine(park.first_day, time(9), tzinfo=ZONE).astimezone(UTC)
    for name, text, terms in BADGES:
        told = BadgeTerms(name_en=name.en, name_zh=name.zh, text_en=text.en, text_zh=text.zh, **terms)
        badge = define_badge(company=company, terms=told, by=EVERYTHING, now=begun)
    people = _people(company)
    for number, reason in enumerate(BY_HAND):
        at = max(now - timedelta(days=3 + 9 * number, hours=2), begun + timedelta(days=1, hours=number))
        give_by_hand(badge_id=badge.pk, person=people[number * 2], reason=reason.in_(park.language), by=hua, now=at)
    _levels(company, begun, now)
    fund_budget(department=company, points=POINTS, key="demo/merits", by=ren, now=begun, reason="Q4")
    offer_prizes(
        company=company, period="month", places=(150, 100, 60), budget=company, by=hua, now=now - timedelta(days=75)
    )
    for number, one in enumerate(CHALLENGES):
        _challenge(company, one, number, people, hua, now)
    _keep_boards(company, now)
    keep_merits(now=now)
    for row in Challenge.objects.filter(company=company, state=ChallengeState.ENDED, key="demo/3"):
        verify_challenge(challenge_id=row.pk, by=ren, now=now)
    keep_merits(now=now)


def _keep_boards(company: Organization, now: datetime) -> None:
    """The ranking of this company stands when the doors open; the jobs bring that of the others."""
    others = MeritChange.objects.exclude(company=company).values_list("company_id", flat=True).distinct()
    without = set(others)
    while keep_boards(now=now, limit=AT_ONCE, without=without):
        pass


def _challenge(
    company: Organization, one: Planned, number: int, people: list[Person], by: Viewer, now: datetime
) -> None:
    today = now.astimezone(ZONE).date()
    at = now + timedelta(days=min(one.begins, 0) - 2)
    terms = dict(one.terms)
    told = ChallengeTerms(
        name_en=one.name.en,
        name_zh=one.name.zh,
        text_en=one.text.en,
        text_zh=one.text.zh,
        from_date=today + timedelta(days=one.begins),
        until_date=today + timedelta(days=one.ends),
        budget=company if terms.get("pool") else None,
        **terms,
    )
    row = plan_challenge(place=company, terms=told, key=f"demo/{number}", by=by, now=at)
    if one.end == "draft":
        return
    open_challenge(challenge_id=row.pk, by=by, now=at)
    done = deeds_of(company.pk, terms["event_name"])
    at_work = sorted(done, key=lambda person: (-len(done[person]), person))[:AT_WORK]
    joining = dict.fromkeys([people[0].pk, *at_work])
    for person in Person.objects.filter(pk__in=joining).order_by("pk"):
        who = Viewer(None, person.pk, person.name, (), at.date(), (company.path,))
        try:
            join_challenge(challenge_id=row.pk, by=who, now=at + timedelta(hours=3))
        except Refusal:
            continue


def _levels(company: Organization, begun: datetime, now: datetime) -> None:
    """A badge and privileges of the levels that the rules in force have."""
    rules = rulebook_now(RulebooksInForce([company.pk]), company.pk, now)
    levels = [level.name for level in rules.rulebook.levels] if rules else []
    if len(levels) < 2:
        return
    told = BadgeTerms(kind="level", level=levels[-1], icon="crown", name_en="At the top", name_zh="登顶")
    define_badge(company=company, terms=told, by=EVERYTHING, now=begun)
    for code, rank, name, text, days in PRIVILEGES:
        name_privilege(
            company=company, code=code, level=levels[min(rank, len(levels) - 1)], days=days, by=EVERYTHING, now=begun,
            name_en=name.en, name_zh=name.zh, text_en=text.en, text_zh=text.zh,
        )  # fmt: skip


def _people(company: Organization) -> list[Person]:
    """Lin first; not the manager, who plans."""
    places = Organization.objects.filter(company=company)
    members = Person.objects.filter(memberships__organization__in=places, memberships__until_date__isnull=True)
    found = members.exclude(staff_number__in=("", "B002")).distinct().order_by("staff_number", "pk")
    cast = Person.objects.filter(pk=User.objects.get(username="lin").person_id or 0)
    return [*cast, *found.exclude(pk__in=cast)[:18]]
