"""The demo park as plain values: companies, people and what they do each day. Seeded: same seed, same park.

Planted facts, so that one can check what the product finds:
- two companies fall silent (``SILENT_COMPANIES``: slug → days before today); the people of ``STOPPED_BY_FAULT`` right
  after labels could not be printed, while its ERP still sends at night (see ``odd``), that of the other sends nothing;
- label printing fails in the warehouses from ``LABEL_FAULT_DAYS`` before today on, and most of those it hits stop
  coming within days (event ``label.print_failed`` is their last or next to last);
- the last two working days of a month bring three times the postings in finance and planning;
- one storekeeper of Beiyuan moves one piece of stock to and fro at the end of many days to farm points;
- one order processed in twenty is cancelled days later, by whoever processed it (``CANCELLED_AFTER``);
- nearly everybody has a seat of the ERP, some use it without one, some have one they never used (see ``seats``);
- one company started late, one department of Qinghe never took the tool up;
- departments of ``COACHED_COMPANIES`` were coached from two dates on and use the tool more since, others wait; in
  ``BEGAN_LATE`` the coaching really began later than it was registered;
  in ``INFORMED_COMPANIES`` a leaflet was handed out the same way, and changed nothing (see ``impact``).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from uptake.config.demo.gamers import SINCE_DAYS, gamed, gamers
from uptake.config.demo.names import COMPANIES, DEPARTMENTS, GIVEN, JOBS, SURNAMES
from uptake.events.happening import Happening

ZONE = ZoneInfo("Asia/Shanghai")
SILENT_COMPANIES = {"huaxin": 52, "fulin": 24}
STOPPED_BY_FAULT = "fulin"
LATE_STARTERS = {"siyuan": 45}
LABEL_FAULT_DAYS = 40
SHARES = {
    "shopfloor": 0.30,
    "warehouse": 0.20,
    "sales": 0.14,
    "purchasing": 0.09,
    "quality": 0.09,
    "finance": 0.07,
    "planning": 0.06,
    "it": 0.05,
}
CAST = (
    # staff number, company, department, name, name in Chinese
    ("B001", "beiyuan", "sales", "Lin Jie", "林洁"),
    ("B002", "beiyuan", "it", "Hua Guoqing", "华国庆"),
    ("Q001", "qinghe", "sales", "Mo Yan", "莫妍"),
    ("B003", "beiyuan", "warehouse", "Zhou Min", "周敏"),
    ("B004", "beiyuan", "warehouse", "Diao Kai", "刁凯"),
)
FARMER = "B004"
COACHED_COMPANIES = ("beiyuan", "qinghe", "mingzhou", "yusheng", "lantai", "hengda", "guangming", "xinhai")
COACHED_DEPARTMENTS = ("shopfloor", "sales", "purchasing", "quality")
INFORMED_COMPANIES = ("tianhe", "jiangnan", "haoyu", "rongcheng", "kaida", "shuiyun", "zhongke", "yongan")
INFORMED_DEPARTMENTS = (*COACHED_DEPARTMENTS, "finance", "planning")
BEGAN_DAYS = (49, 42)
"""Days before today on which half of those that began did."""
BEGAN_LATE, LATE_DAYS = ("lantai", "shopfloor"), 7
"""A department that was really coached so many days later than it was meant to be."""
COACHED_MORE = 0.18
"""By so much the chance of a coached person using the tool on a working day rises."""
CANCELLED = 0.05
CANCELLED_AFTER = (5, 10)
"""Days after which an order is cancelled: before and after the points for it can be spent."""


@dataclass(frozen=True)
class DemoCompany:
    slug: str
    name: str
    trade: str
    started: date
    silent_from: date | None


@dataclass(frozen=True)
class DemoPerson:
    """`zeal` is the chance of using the tool on a working day; `pace` scales how much is done on such a day."""

    staff_number: str
    name: str
    company: str
    department: str
    job: str
    started: date
    zeal: float
    pace: float
    silent_from: date | None = None
    meets_fault: date | None = None
    coached_from: date | None = None

    @property
    def login(self) -> str:
        """The person's id in the ERP."""
        return self.staff_number.lower()


@dataclass(frozen=True)
class DemoPark:
    seed: int
    today: date
    days: int
    language: str
    companies: tuple[DemoCompany, ...]
    people: tuple[DemoPerson, ...]
    rest: frozenset[date] = field(default_factory=frozenset)
    """Dates nobody has to work."""

    @property
    def first_day(self) -> date:
        return self.today - timedelta(days=self.days)


def make_park(*, seed: int, today: date, days: int, language: str, rest: frozenset[date]) -> DemoPark:
    """The park with about 800 people in two dozen companies, as of `today`."""
    chance = random.Random(seed)
    first = today - timedelta(days=days)
    companies = tuple(
        DemoCompany(
            slug,
            name.in_(language),
            trade.in_(language),
            today - timedelta(days=LATE_STARTERS[slug]) if slug in LATE_STARTERS else first,
            today - timedelta(days=SILENT_COMPANIES[slug]) if slug in SILENT_COMPANIES else None,
        )
        for slug, name, trade, _ in COMPANIES
    )
    people: list[DemoPerson] = []
    for company, (_, _, _, size) in zip(companies, COMPANIES, strict=True):
        people += _staff(chance, company, size, today, language)
    return DemoPark(seed, today, days, language, companies, tuple(people), rest)


def _staff(chance: random.Random, company: DemoCompany, size: int, today: date, language: str) -> Iterator[DemoPerson]:
    fixed = [entry for entry in CAST if entry[1] == company.slug]
    departments = _departments(size - len(fixed))
    taken = {entry[3] for entry in CAST}
    care = chance.uniform(0.42, 0.74)  # some companies care more than others
    for number, slug, department, name, name_zh in fixed:
        shown = name_zh if language.startswith("zh") else name
        yield DemoPerson(number, shown, slug, department, JOBS[department].in_(language), company.started, 0.97, 1.4)
    for index, department in enumerate(departments):
        name, shown = _name(chance, taken, language)
        taken.add(name)
        started = company.started + timedelta(days=chance.choice([0, 0, 0, 0, 0, 7, 14, 30, 60]))
        zeal = min(0.98, max(0.05, chance.gauss(care, 0.15)))
        silent = company.silent_from
        if silent is not None:
            silent += timedelta(days=chance.randint(-6, 3))
        elif chance.random() < 0.07:
            silent = today - timedelta(days=chance.randint(15, 80))
        fault = None
        if department == "warehouse" and chance.random() < 0.35 and silent is None:
            fault = today - timedelta(days=chance.randint(16, LABEL_FAULT_DAYS))
            if chance.random() < 0.75:
                silent = fault + timedelta(days=chance.randint(1, 3))
        if company.slug == STOPPED_BY_FAULT and silent is not None:
            fault = silent - timedelta(days=1)
        if company.slug == "qinghe" and department == "quality":
            zeal = 0.0
        if chance.random() < 0.06:
            zeal = 0.0  # got an account, never used it
        yield DemoPerson(
            f"{company.slug[:2].upper()}{index + 101}",
            shown,
            company.slug,
            department,
            JOBS[department].in_(language),
            started,
            zeal,
            chance.uniform(0.6, 1.5),
            silent,
            fault,
            coached_on(company.slug, department, today),
        )


def began_on(
    company: str, department: str, companies: Sequence[str], departments: Sequence[str], today: date
) -> date | None:
    """When something began in a department; None: it waits, or takes no part. Every other department begins."""
    if company not in companies or department not in departments:
        return None
    row, column = companies.index(company), departments.index(department)
    if (row + column) % 2:
        return None
    return today - timedelta(days=BEGAN_DAYS[(row // 2 + column // 2) % 2])


def coached_on(company: str, department: str, today: date) -> date | None:
    """When coaching really began in a department; None: it waits, or takes no part."""
    meant = began_on(company, department, COACHED_COMPANIES, COACHED_DEPARTMENTS, today)
    if meant is None or (company, department) != BEGAN_LATE:
        return meant
    return meant + timedelta(days=LATE_DAYS)


def _departments(size: int) -> list[str]:
    places = [name for name, share in SHARES.items() for _ in range(max(1, round(share * size)))]
    while len(places) < size:
        places.append("shopfloor")
    return places[:size] if size >= len(SHARES) else list(SHARES)[:size]


def _name(chance: random.Random, taken: set[str], language: str) -> tuple[str, str]:
    while True:
        surname, given = chance.choice(SURNAMES), chance.choice(GIVEN)
        latin = f"{surname[0]} {given[0]}"
        if latin not in taken or chance.random() < 0.02:
            return latin, f"{surname[1]}{given[1]}" if language.startswith("zh") else latin


def day_of(park: DemoPark, day: date) -> dict[str, list[Happening]]:
    """What happened on one date, per company slug, in order of time. Same park and date: same happenings."""
    result: dict[str, list[Happening]] = {company.slug: [] for company in park.companies}
    begin, end = (datetime.combine(one, time(), tzinfo=ZONE).astimezone(UTC) for one in (day, day + timedelta(days=1)))
    today = _Day(day, day.isoformat(), begin, end, day in park.rest, _month_end(park, day))
    planted = gamers(park.people) if day >= park.today - timedelta(days=SINCE_DAYS) else {}
    for person in park.people:
        if day < person.started or (person.silent_from is not None and day >= person.silent_from):
            continue
        done = _person_day(person, today, _chance(park, person, day))
        if done and person.department == "sales":
            done += _cancelled(park, person, today)
        if done and person.staff_number in planted:
            done = gamed(park, person, planted[person.staff_number], day, begin, done)
        result[person.company] += done
    for happenings in result.values():
        happenings.sort(key=lambda happening: (happening.at, happening.key))
    return result


def _chance(park: DemoPark, person: DemoPerson, day: date) -> random.Random:
    return random.Random(f"{park.seed}/{person.staff_number}/{day.isoformat()}")


class _Day(NamedTuple):
    """What is the same for everybody on a date; it lies in [begin, end)."""

    date: date
    text: str
    begin: datetime
    end: datetime
    rest: bool
    month_end: bool


def _person_day(person: DemoPerson, today: _Day, chance: random.Random) -> list[Happening]:
    day = today.date
    zeal = person.zeal
    if zeal and person.coached_from is not None and day >= person.coached_from:
        zeal = min(zeal + COACHED_MORE, 1.0)
    if chance.random() >= zeal * (0.12 if today.rest else 1.0):
        return []
    clock = today.begin + timedelta(hours=8, minutes=chance.gauss(35, 22))
    start, login = f"{today.text}/{person.staff_number}", person.login
    done: list[Happening] = []

    def add(event: str, object_: str = "", **facts: Any) -> None:
        nonlocal clock
        clock += timedelta(seconds=chance.randint(60, 7200))
        done.append(
            Happening(
                event=event,
                key=f"{start}/{len(done)}",
                at=clock,
                person=login,
                object=object_,
                facts=facts,
                person_staff_number=person.staff_number,
            )
        )

    add("auth.login", client=chance.choice(["desktop", "desktop", "phone"]))
    for _ in range(1 if chance.random() < 0.8 else 3):
        add("$pageview", path=chance.choice(PATHS[person.department]))
    if person.meets_fault == day:
        for _ in range(chance.randint(2, 4)):
            add("label.print_failed", f"LB-{day:%m%d}-{chance.randint(1, 99):02}", code="E-407")
        return done
    amount = person.pace * (0.4 if today.rest else 1.0)
    if today.month_end and person.department in {"finance", "planning"}:
        amount *= 3
    for _ in range(max(0, round(chance.gauss(1.2, 0.8) * amount))):
        deed(person.department, day, chance, add)
    if person.staff_number == FARMER and chance.random() < 0.7:
        for turn in range(chance.randint(8, 14)):
            clock += timedelta(seconds=-30)
            add("stock.moved", f"SM-{day:%m%d}-F", lines=1, quantity=1, direction="out" if turn % 2 else "in")
    return [happening for happening in done if today.begin <= happening.at < today.end]


def _cancelled(park: DemoPark, person: DemoPerson, today: _Day) -> list[Happening]:
    """The orders cancelled today, of those somebody processed some days ago."""
    ago = timedelta(days=CANCELLED_AFTER[int(person.staff_number[-1]) % 2])
    day = today.date - ago
    if day < person.started:
        return []
    then = _Day(day, day.isoformat(), today.begin - ago, today.end - ago, day in park.rest, _month_end(park, day))
    chance = _chance(park, person, today.date)
    return [
        Happening(
            event="order.cancelled",
            key=f"{today.text}/{person.staff_number}/cancelled/{number}",
            at=today.begin + timedelta(hours=10, seconds=chance.randint(1, 18000)),
            person=person.login,
            object=one.object,
            facts={"reason": "customer"},
            person_staff_number=person.staff_number,
        )
        for number, one in enumerate(_person_day(person, then, _chance(park, person, day)))
        if one.event == "order.processed" and chance.random() < CANCELLED
    ]


PATHS: dict[str, list[str]] = {
    "shopfloor": ["/work-orders", "/work-orders/today", "/home"],
    "warehouse": ["/stock", "/goods-receipts", "/stock/counts", "/home"],
    "sales": ["/orders", "/orders/new", "/customers", "/home"],
    "purchasing": ["/purchase-orders", "/suppliers", "/home"],
    "quality": ["/quality/checks", "/quality/reports", "/home"],
    "finance": ["/invoices", "/reports", "/home"],
    "planning": ["/plans", "/reports", "/home"],
    "it": ["/admin/people", "/reports", "/home"],
}


def deed(department: str, day: date, chance: random.Random, add: Any) -> None:
    """One piece of work of a department; `add(event, object, **facts)` takes it."""
    number = f"{day:%m%d}-{chance.randint(1, 9999):04}"
    match department:
        case "shopfloor":
            add("work_order.completed", f"WO-{number}", pieces=chance.randint(5, 240), scrap=chance.randint(0, 6))
        case "warehouse":
            kind = chance.random()
            if kind < 0.4:
                minutes = round(chance.expovariate(1 / 110)) + 4
                add("goods_receipt.posted", f"GR-{number}", minutes=minutes, lines=chance.randint(1, 12))
            elif kind < 0.8:
                add("stock.moved", f"SM-{number}", lines=chance.randint(1, 9), quantity=chance.randint(1, 400))
            else:
                add("stock.counted", f"IC-{number}", lines=chance.randint(5, 60), correct=chance.random() < 0.93)
        case "sales":
            if chance.random() < 0.55:
                add("order.created", f"SO-{number}", lines=chance.randint(1, 14), amount=chance.randint(3, 900) * 100)
            else:
                on_time = chance.random() < 0.86
                add("order.processed", f"SO-{number}", lines=chance.randint(1, 14), on_time=on_time)
        case "purchasing":
            add("purchase_order.approved", f"PO-{number}", lines=chance.randint(1, 20))
        case "quality":
            add("quality.checked", f"QC-{number}", on_time=chance.random() < 0.9, findings=chance.randint(0, 3))
        case "finance":
            add("invoice.posted", f"IN-{number}", amount=chance.randint(2, 700) * 100)
        case "planning":
            if chance.random() < 0.7:
                add("work_order.released", f"WO-{number}", pieces=chance.randint(20, 900))
            else:
                add("report.submitted", f"RP-{number}", kind="plan")
        case _:
            add("report.submitted", f"RP-{number}", kind="usage")


def _month_end(park: DemoPark, day: date) -> bool:
    """Whether `day` is one of the last two working dates of its month."""
    left = 0
    step = day + timedelta(days=1)
    while step.month == day.month:
        left += step not in park.rest
        step += timedelta(days=1)
    return left < 2


def department_name(department: str, language: str) -> str:
    return DEPARTMENTS[department].in_(language)
