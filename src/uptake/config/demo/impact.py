"""The demo's interventions: one that worked, one that changed nothing, and one that could not be told."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta

from django.contrib.auth import get_user_model

from uptake.config.demo.names import Words
from uptake.config.demo.park import (
    COACHED_COMPANIES,
    COACHED_DEPARTMENTS,
    INFORMED_COMPANIES,
    INFORMED_DEPARTMENTS,
    DemoPark,
    began_on,
)
from uptake.directory.models import Organization
from uptake.directory.scope import viewer_of
from uptake.events.models import EventType
from uptake.insight.impact.evaluate import evaluate
from uptake.insight.impact.metrics import Measure, Metric
from uptake.insight.impact.models import Chosen, What
from uptake.insight.impact.refusals import Refused
from uptake.insight.impact.register import lock, register_intervention

COACHING = Words("Coaching at the workplace", "现场辅导")
LEAFLET = Words("Leaflet about the new screens", "新界面宣传单")
SMALL = Words("New screens for finance and planning", "财务部和计划部的新界面")
PLANNED_DAYS = 7
"""So many days before the first start they were decided."""


def plant_impact(park: DemoPark, now: datetime) -> None:
    """Registers, locks and evaluates what the park planted, and leaves a draft that cannot be answered."""
    ren = viewer_of(get_user_model().objects.get(username="ren"), today=park.today)
    place = Organization.objects.get(slug="linjiang")
    for title, kind, companies, departments, smallest, beside in (
        (COACHING, What.COACHING, COACHED_COMPANIES, COACHED_DEPARTMENTS, 0.05, _beside()),
        (LEAFLET, What.OTHER, INFORMED_COMPANIES, INFORMED_DEPARTMENTS, 0.08, ()),
    ):
        starts = _starts(park, companies, departments)
        first = min(day for day in starts.values() if day is not None)
        decided = now - timedelta(days=(park.today - first).days + PLANNED_DAYS)
        made = register_intervention(
            organization=place, title=title.in_(park.language), kind=kind, chosen=Chosen.MANAGEMENT, starts=starts,
            event="", smallest=smallest, until=park.today - timedelta(days=2), by=ren, now=decided, others=beside,
        )  # fmt: skip
        with suppress(Refused):  # a park of few days has no history: it stays a draft
            evaluate(intervention=lock(intervention=made, by=ren, now=decided), by=ren, now=now)
    beiyuan = Organization.objects.get(slug="beiyuan")
    soon = park.today + timedelta(days=14)
    register_intervention(
        organization=beiyuan, title=SMALL.in_(park.language), kind=What.RELEASE, chosen=Chosen.MANAGEMENT,
        starts={"beiyuan-finance": soon, "beiyuan-planning": soon, "beiyuan-it": None, "beiyuan-quality": None},
        event="", smallest=0.01, until=soon + timedelta(days=28), by=ren, now=now,
    )  # fmt: skip


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
