"""What two companies of the demo offer for points, a pool of codes, redemptions in every state, budgets and special
points: so that every page of rewards has something to show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from uptake.config.demo.names import Words
from uptake.config.demo.park import DemoPark
from uptake.config.demo.pictures import picture
from uptake.config.demo.rules import LEVELS
from uptake.directory.models import Kind, Organization, Person, User
from uptake.directory.scope import EVERYTHING, Viewer, viewer_of
from uptake.ledger.balances import points_of
from uptake.programme.rewards.files import File
from uptake.programme.rewards.fund_budget import fund_budget
from uptake.programme.rewards.grant_special import approve_special, ask_special
from uptake.programme.rewards.import_coupons import import_coupons
from uptake.programme.rewards.models import Redemption, Reward
from uptake.programme.rewards.offer import Offer, offer
from uptake.programme.rewards.redeem import redeem
from uptake.programme.rewards.refusals import Refusal
from uptake.programme.rewards.resolve import approve, cancel, fulfil, refund, reject, time_out_redemptions


@dataclass(frozen=True)
class Planted:
    """One reward of the demo."""

    slug: str
    name: Words
    text: Words
    kind: str
    price: int
    drawn: str = ""
    codes: int = 0
    keys: tuple[tuple[str, Any], ...] = ()
    level: Words | None = None
    """Who may have it: whoever has reached this level."""


REWARDS: Final = (
    Planted(
        "snack",
        Words("Afternoon snack box", "下午茶点心盒"),
        Words("Fruit and nuts, from the canteen between 14:00 and 16:00.", "水果和坚果，14:00 至 16:00 到食堂领取。"),
        "goods",
        60,
        keys=(("stock", 200),),
    ),
    Planted(
        "mug",
        Words("Thermos mug", "保温杯"),
        Words(
            "Steel, 450 ml, keeps tea hot for six hours. Say which colour: green or grey.",
            "不锈钢，450 毫升，保温六小时。请注明颜色：绿或灰。",
        ),
        "goods",
        180,
        "mug",
        keys=(("stock", 40), ("per_person", 2)),
    ),
    Planted(
        "canteen",
        Words("Canteen voucher ¥20", "食堂代金券 20 元"),
        Words("A code for the till of the canteen, valid for 12 months.", "食堂收银台使用的券码，12 个月内有效。"),
        "coupon",
        400,
        "voucher",
        60,
    ),
    Planted(
        "parking",
        Words("Covered parking space, one month", "室内车位一个月"),
        Words("A space in hall 2, from the first of next month.", "二号车库固定车位，自下月 1 日起。"),
        "privilege",
        500,
        keys=(("stock", 6), ("needs_approval", True)),
    ),
    Planted(
        "bike",
        Words("Bike pass, one month", "共享单车月卡"),
        Words("For the green bicycles at both gates.", "可骑行园区两个大门的绿色单车。"),
        "service",
        600,
        "bicycle",
        keys=(("stock", 12), ("per_person", 1)),
    ),
    Planted(
        "cinema",
        Words("Cinema gift card ¥50", "电影卡 50 元"),
        Words("For all cinemas of the city.", "全市影院通用。"),
        "gift_card",
        750,
        "voucher",
        20,
    ),
    Planted(
        "excel",
        Words("Training seat: Excel for stock keepers", "培训名额：仓管 Excel 实务"),
        Words("Two afternoons with the coach of the park.", "园区顾问授课，两个下午。"),
        "service",
        900,
        "book",
        keys=(("stock", 8), ("needs_approval", True)),
    ),
    Planted(
        "lunch",
        Words("Lunch with the plant manager", "与厂长共进午餐"),
        Words("Bring your questions.", "带着问题来。"),
        "privilege",
        1000,
        keys=(("stock", 2), ("per_person", 1)),
        level=LEVELS[-1][0],
    ),
    Planted(
        "half-day",
        Words("Half a day of leave", "半天带薪假"),
        Words("Booked by HR once the desk has approved it.", "审批后由人事登记。"),
        "leave",
        1200,
        "sunshade",
        keys=(("leave_days", Decimal("0.5")), ("needs_approval", True), ("per_person", 4)),
    ),
    Planted(
        "day",
        Words("A day of leave", "一天带薪假"),
        Words("Booked by HR once the desk has approved it.", "审批后由人事登记。"),
        "leave",
        2200,
        keys=(("leave_days", Decimal(1)), ("needs_approval", True), ("per_person", 2)),
    ),
    Planted(
        "chair",
        Words("Ergonomic chair", "人体工学椅"),
        Words("Yours to keep at your desk.", "放在工位，归你使用。"),
        "goods",
        2600,
        keys=(("stock", 3),),
    ),
    Planted(
        "calendar",
        Words("Spring calendar", "新春台历"),
        Words("Was on offer in spring.", "春季限时。"),
        "goods",
        30,
        keys=(("stock", 100), ("hidden", True)),
    ),
)
PLAN: Final = (
    # reward, days ago, what came of it
    ("mug", 25, "timed out"), ("mug", 12, "fulfilled"), ("snack", 11, "fulfilled"), ("canteen", 9, "at once"),
    ("bike", 8, "fulfilled"), ("snack", 8, "cancelled"), ("canteen", 6, "at once"), ("half-day", 6, "fulfilled"),
    ("mug", 5, "refunded"), ("parking", 5, "rejected"), ("canteen", 3, "at once"), ("excel", 3, "approved"),
    ("half-day", 2, "requested"), ("mug", 2, "requested"), ("parking", 1, "requested"), ("snack", 1, "requested"),
)  # fmt: skip
CAST: Final = ("B001", "B003")
AT_QINGHE: Final = ("snack", "mug", "canteen")


def offer_rewards(park: DemoPark, now: datetime) -> None:
    """Puts everything on offer, and has people of Beiyuan redeem some of it in the last days."""
    first = datetime.combine(park.first_day, now.timetz()) + timedelta(days=1)
    beiyuan, qinghe = (Organization.objects.get(slug=slug) for slug in ("beiyuan", "qinghe"))
    drawn: dict[str, File] = {}
    shop = {one.slug: _offer(beiyuan, one, park.language, drawn, first) for one in REWARDS}
    for one in REWARDS:
        if one.slug in AT_QINGHE:
            _offer(qinghe, replace(one, codes=one.codes // 3), park.language, drawn, first)
    _special(park, beiyuan, now)
    _redeem(park, beiyuan, shop, now)


def _offer(company: Organization, one: Planted, language: str, drawn: dict[str, File], at: datetime) -> Reward:
    if one.drawn and one.drawn not in drawn:
        drawn[one.drawn] = File(f"{one.drawn}.png", picture(one.drawn))
    told = Offer(
        kind=one.kind,
        name_en=one.name.en,
        name_zh=one.name.zh,
        text_en=one.text.en,
        text_zh=one.text.zh,
        price=one.price,
        with_codes=bool(one.codes),
        level=one.level.in_(language) if one.level else "",
        **dict(one.keys),
    )
    made = offer(company=company, offer=told, picture=drawn.get(one.drawn), by=EVERYTHING, now=at)
    if one.codes:
        codes = [
            f"{one.slug.upper()}-{company.pk:02}-{number * 7919 % 100_000:05}" for number in range(1, one.codes + 1)
        ]
        import_coupons(reward=made, codes=codes, by=EVERYTHING, now=at)
    return made


def _special(park: DemoPark, beiyuan: Organization, now: datetime) -> None:
    """Budgets of three departments, special points given and asked for."""
    ren, hua, ke = (_login(name, now) for name in ("ren", "hua", "ke"))
    departments = list(Organization.objects.filter(company=beiyuan, kind=Kind.DEPARTMENT).order_by("pk")[:3])
    for place, points in zip(departments, (2000, 1200, 600), strict=False):
        fund_budget(department=place, points=points, key=f"demo/{place.pk}", by=ren, now=now, reason="Q4")
    told = (
        (Words("Stood in at the trade fair on a Saturday", "周六参加展会值守"), 120, True),
        (Words("Showed four newcomers how labels are printed", "教会四位新同事打印标签"), 80, True),
        (Words("Found the doubled supplier numbers", "发现重复的供应商编号"), 60, False),
    )
    people = _people(beiyuan, now)
    for number, (reason, points, decided) in enumerate(told):
        row = ask_special(
            person=people[number * 2], department=departments[number], points=points, reason=reason.in_(park.language),
            key=f"demo/{number}", by=hua, now=now,
        )  # fmt: skip
        if decided:
            approve_special(grant_id=row.pk, by=ke, now=now)


def _redeem(park: DemoPark, beiyuan: Organization, shop: Mapping[str, Reward], now: datetime) -> None:
    """Redemptions in every state; whoever has too few points is passed over."""
    ke = _login("ke", now)
    people = _people(beiyuan, now)
    points = points_of(book=beiyuan.pk, owners=[str(one.pk) for one in people], now=now)
    for number, (slug, days, end) in enumerate(PLAN):
        at = now - timedelta(days=days, hours=days % 5)
        asking = people[number % len(people) :] + people[: number % len(people)]
        able = [one for one in asking if points[str(one.pk)].available >= shop[slug].price]
        row = _asked(able, shop[slug], number, at)
        if row is None:
            continue
        key, later = "demo", at + timedelta(hours=20)
        if end in ("approved", "fulfilled") and shop[slug].needs_approval:
            approve(redemption=row.pk, by=ke, key="demo/approve", now=later)
        if end in ("fulfilled", "refunded"):
            fulfil(redemption=row.pk, by=ke, key=key, now=later)
        if end == "refunded":
            refund(redemption=row.pk, by=ke, key="demo/refund", now=later)
        if end == "rejected":
            answer = Words("All spaces are given until January.", "车位到一月前已全部分配。").in_(park.language)
            reject(redemption=row.pk, by=ke, key=key, answer=answer, now=later)
        if end == "cancelled":
            cancel(redemption=row.pk, by=ke, key=key, now=later)
    while time_out_redemptions(now=now):
        pass


def _asked(people: list[Person], reward: Reward, number: int, at: datetime) -> Redemption | None:
    """The first of the people who can asks for it."""
    wish = {"mug": "green"}.get(reward.name_en.split()[-1], "")
    leave = (at + timedelta(days=12)).date() if reward.kind == "leave" else None
    for person in people:
        who = Viewer(None, person.pk, person.name, (), at.date(), (reward.company.path,))
        try:
            return redeem(
                reward=reward, by=who, key=f"demo/{number}", now=at, wish=wish, leave_from_date=leave
            ).redemption
        except Refusal:
            continue
    return None


def _people(company: Organization, now: datetime) -> list[Person]:
    """The cast first, then those who have most points; not the manager and the committee, who decide."""
    places = Organization.objects.filter(company=company)
    members = Person.objects.filter(memberships__organization__in=places, memberships__until_date__isnull=True)
    found = {str(one.pk): one for one in members.order_by("staff_number") if one.staff_number not in ("", "B002")}
    points = points_of(book=company.pk, owners=list(found), now=now)
    ranked = sorted(found, key=lambda owner: (found[owner].staff_number not in CAST, -points[owner].available, owner))
    return [found[owner] for owner in ranked[:20]]


def _login(name: str, now: datetime) -> Viewer:
    return viewer_of(User.objects.get(username=name), today=now.date())
