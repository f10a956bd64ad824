"""The demo's interventions: one that worked, two that changed nothing (one of them drawn by lot among people), and one
that could not be told.

Behind the coaching stand figures of the business by file (``OUTPUT``), which rise by ``OUTPUT_MORE`` where it began,
what it cost, and a monthly report of the park.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.contrib.auth import get_user_model

from uptake.config.demo.names import Words
from uptake.config.demo.park import (
    BEGAN_LATE,
    COACHED_COMPANIES,
    COACHED_DEPARTMENTS,
    INFORMED_COMPANIES,
    INFORMED_DEPARTMENTS,
    DemoPark,
    began_on,
    coached_on,
)
from uptake.directory.models import Organization
from uptake.directory.scope import Viewer, viewer_of
from uptake.events.models import EventType
from uptake.insight.impact.business_series import FileRow, placed
from uptake.insight.impact.draw_lots import Draw
from uptake.insight.impact.evaluate import evaluate
from uptake.insight.impact.keep_series import make_series, take_figures
from uptake.insight.impact.lot import Drawing
from uptake.insight.impact.metrics import Measure, Metric
from uptake.insight.impact.models import Chosen, Intervention, Series, What
from uptake.insight.impact.really_began import say_began
from uptake.insight.impact.refusals import Refused
from uptake.insight.impact.register import Wanted, lock, register_intervention
from uptake.insight.report.keep_schedule import WrongSchedule, keep_schedule
from uptake.insight.report.make_monthly import make_monthly
from uptake.insight.report.note_cost import note_cost
from uptake.statistics.plan import Direction

COACHING = Words("Coaching at the workplace", "现场辅导")
LEAFLET = Words("Leaflet about the new screens", "新界面宣传单")
REMINDER = Words("Reminder by mail, to half of the people by lot", "邮件提醒（抽签，一半人员）")
REMINDED_COMPANIES = COACHED_COMPANIES + INFORMED_COMPANIES
REMINDED_DAYS = 58
SMALL = Words("New screens for finance and planning", "财务部和计划部的新界面")
OUTPUT = Words("Output of each person a day", "人均日产出")
OUTPUT_UNIT = Words("pieces", "件")
OUTPUT_MORE = 2.5
"""Pieces a day more where the coaching began; about 40 are usual."""
OUTPUT_DAYS = 110
COST = Decimal(48_000)
"""Two coaches for six weeks."""
COACH_ILL = Words("The coach was ill in the first week.", "辅导老师第一周生病。")
AS_MEANT = Words("As the diary of the coaches says.", "以辅导老师的日志为准。")
SCHEDULED_DAYS = 70
"""So many days ago the monthly report was scheduled."""
PLANNED_DAYS = 7
"""So many days before the first start they were decided."""


def plant_impact(park: DemoPark, now: datetime) -> None:
    """Registers, locks and evaluates what the park planted, and leaves a draft that cannot be answered."""
    ren = viewer_of(get_user_model().objects.get(username="ren"), today=park.today)
    place = Organization.objects.get(slug="linjiang")
    output = _output(park, place, ren, now)
    for title, kind, companies, departments, smallest, beside, outcome in (
        (COACHING, What.COACHING, COACHED_COMPANIES, COACHED_DEPARTMENTS, 0.05, _beside(), output),
        (LEAFLET, What.OTHER, INFORMED_COMPANIES, INFORMED_DEPARTMENTS, 0.08, (), None),
    ):
        starts = _starts(park, companies, departments)
        first = min(day for day in starts.values() if day is not None)
        decided = now - timedelta(days=(park.today - first).days + PLANNED_DAYS)
        made = register_intervention(
            organization=place, title=title.in_(park.language), kind=kind, chosen=Chosen.MANAGEMENT, starts=starts,
            event="", smallest=smallest, until=park.today - timedelta(days=2), by=ren, now=decided, others=beside,
            outcome=outcome,
        )  # fmt: skip
        with suppress(Refused):  # a park of few days has no history: it stays a draft
            locked = lock(intervention=made, by=ren, now=decided)
            if kind == What.COACHING:
                _say_who_began(park, locked, ren, now)
            evaluate(intervention=locked, by=ren, now=now)
        if outcome is not None:
            note_cost(intervention=made, amount=COST, point_value=Decimal(0), currency="CNY", by=ren, now=now)
    _reminder(park, place, ren, now)
    _monthly(place, ren, now)
    beiyuan = Organization.objects.get(slug="beiyuan")
    soon = park.today + timedelta(days=14)
    register_intervention(
        organization=beiyuan, title=SMALL.in_(park.language), kind=What.RELEASE, chosen=Chosen.MANAGEMENT,
        starts={"beiyuan-finance": soon, "beiyuan-planning": soon, "beiyuan-it": None, "beiyuan-quality": None},
        event="", smallest=0.01, until=soon + timedelta(days=28), by=ren, now=now,
    )  # fmt: skip


def _say_who_began(park: DemoPark, intervention: Intervention, ren: Viewer, now: datetime) -> None:
    """Of each department that was to begin: when it did, said on the next day."""
    days: dict[tuple[date, bool], list[str]] = defaultdict(list)
    for slug, (_meant, really) in _coached(park).items():
        if really is not None:
            days[really, slug == "-".join(BEGAN_LATE)].append(slug)
    for (day, late), slugs in days.items():
        reason = COACH_ILL if late else AS_MEANT
        said = now - timedelta(days=(park.today - day).days - 1)
        say_began(
            intervention=intervention, departments=slugs, began_on=day, reason=reason.in_(park.language), by=ren,
            now=said,
        )  # fmt: skip


def _coached(park: DemoPark) -> dict[str, tuple[date | None, date | None]]:
    """Of each department of the coaching: when it was meant to begin, and when it did."""
    meant = _starts(park, COACHED_COMPANIES, COACHED_DEPARTMENTS)
    told = {}
    for slug, day in meant.items():
        company, _dash, department = slug.partition("-")
        told[slug] = (day, coached_on(company, department, park.today))
    return told


def _reminder(park: DemoPark, place: Organization, ren: Viewer, now: datetime) -> None:
    """A mail to half of the people of many departments, drawn by lot: it changes nothing."""
    departments = sorted(_starts(park, REMINDED_COMPANIES, COACHED_DEPARTMENTS))
    start = park.today - timedelta(days=REMINDED_DAYS)
    decided = now - timedelta(days=REMINDED_DAYS + PLANNED_DAYS)
    with suppress(Refused):  # a park of few people has too few to draw from
        made = register_intervention(
            organization=place, title=REMINDER.in_(park.language), kind=What.OTHER, chosen=Chosen.RANDOM,
            starts=dict.fromkeys(departments), event="", smallest=0.08, until=park.today - timedelta(days=2), by=ren,
            now=decided, draw=Draw(Drawing.PERSON, start, 0.5, seed=f"{park.seed:032x}"),
        )  # fmt: skip
        evaluate(intervention=lock(intervention=made, by=ren, now=decided), by=ren, now=now)


def _output(park: DemoPark, place: Organization, ren: Viewer, now: datetime) -> Wanted:
    """What files say of the departments that are coached or wait for it: a figure for each working day."""
    name, unit = OUTPUT.in_(park.language), OUTPUT_UNIT.in_(park.language)
    series = Series.objects.filter(organization=place, name=name).first()  # there, where the demo was stopped before
    series = series or make_series(organization=place, name=name, unit=unit, by=ren, now=now)
    rows: list[FileRow] = []
    last = park.today - timedelta(days=2)
    shared = {day: random.Random(f"{park.seed}/output/{day}").gauss(0, 1.5) for day in _days(last)}
    for slug, (_meant, start) in _coached(park).items():
        chance = random.Random(f"{park.seed}/output/{slug}")
        usual = chance.uniform(34, 46)
        for day, common in shared.items():
            if day not in park.rest:
                more = OUTPUT_MORE if start is not None and day >= start else 0.0
                value = usual + common + more + chance.gauss(0, 3)
                rows.append(FileRow(len(rows) + 2, slug, day, Decimal(f"{value:.1f}")))
    take_figures(series=series, rows=placed(rows, place, park.today), by=ren, now=now)
    return Metric("", Measure.SERIES, str(series.pk)), 1.0, Direction.HIGHER


def _days(last: date) -> list[date]:
    return [last - timedelta(days=ago) for ago in range(OUTPUT_DAYS, -1, -1)]


def _monthly(place: Organization, ren: Viewer, now: datetime) -> None:
    """The report of the park on the first of each month, and that of this one."""
    begun = now - timedelta(days=SCHEDULED_DAYS)
    readers = [ren.person_id] if ren.person_id is not None else []
    with suppress(WrongSchedule):  # who works here only since lately could not read a report then
        keep_schedule(organization=place, day=1, readers=readers, active=True, by=ren, now=begun)
    make_monthly(now=now)


def _beside() -> list[tuple[Metric, float]]:
    """Looked at beside: orders entered by each person, and the share that redeemed points."""
    wanted = ((Metric("order.created", Measure.PER_HEAD), 0.05), (Metric("reward.requested"), 0.05))
    there = set(EventType.objects.values_list("name", flat=True))
    return [(metric, size) for metric, size in wanted if metric.event in there]


def _starts(park: DemoPark, companies: Sequence[str], departments: Sequence[str]) -> dict[str, date | None]:
    there = {(one.company, one.department) for one in park.people}
    return {
        f"{company}-{department}": began_on(company, department, companies, departments, park.today)
        for company in companies
        for department in departments
        if (company, department) in there
    }
