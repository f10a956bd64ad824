"""Makes the monthly reports whose day has come, and tells their readers."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime, timedelta

from django.db import transaction

from uptake.directory.place import settings_at
from uptake.insight.impact.evaluate import evaluate
from uptake.insight.impact.models import Intervention
from uptake.insight.impact.refusals import NothingYet
from uptake.insight.report.keep_schedule import readers_of
from uptake.insight.report.models import MonthlyReport, Schedule
from uptake.notify.tell import Telling, tell

MOST = 40
"""Interventions in a report: the latest."""


def make_monthly(*, now: datetime) -> int:
    """How many were made. What has not reached its registered end is read once more, as interim."""
    made = 0
    for one in Schedule.objects.filter(active=True).select_related("organization").order_by("pk"):
        today = settings_at(one.organization).date_of(now)
        month = today.replace(day=1)
        there = MonthlyReport.objects.filter(organization=one.organization, month=month, asked=False).exists()
        if one.wanted_at is not None:
            made += _make(one, month, today, asked=True, now=now)
        if not there and _has_come(one, today):
            made += _make(one, month, today, asked=False, now=now)
    return made


def _has_come(schedule: Schedule, today: date) -> bool:
    """Whether its day of this month is here, and was not past already when it was kept."""
    kept = settings_at(schedule.organization).date_of(schedule.made_at)
    return kept <= today.replace(day=schedule.day) <= today


def _make(schedule: Schedule, month: date, today: date, *, asked: bool, now: datetime) -> int:
    place = schedule.organization
    found = []
    rows = Intervention.objects.filter(locked_at__isnull=False, organization__path__startswith=place.path)
    for one in rows.select_related("organization").order_by("-made_at", "-pk")[:MOST]:
        latest = one.evaluations.order_by("-made_at", "-pk").first()
        running = one.first_start < today and one.until >= today - timedelta(days=1)
        if running or latest is None:
            with suppress(NothingYet):
                latest = evaluate(intervention=one, by=None, now=now)
        if latest is not None:
            found.append(latest.pk)
    people = [person for person in readers_of(place, today) if person in schedule.readers]
    with transaction.atomic():
        Schedule.objects.filter(pk=schedule.pk).update(wanted_at=None)
        report = MonthlyReport.objects.create(
            organization=place, month=month, evaluations=found, asked=asked, told=len(people), made_at=now
        )
        content = {"report": report.pk, "title": place.name}
        key = f"impact.monthly:{report.pk}"
        tell([Telling(person_id=one, key=key, kind="impact.monthly", content=content) for one in people], now=now)
    return 1
