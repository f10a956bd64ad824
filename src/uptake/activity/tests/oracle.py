"""Slow and plain: the analyses again, by sets of people over lists of events, to compare the folds with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Act:
    """One event. `person` None: nobody's."""

    person: str | None
    event: str
    at: datetime
    properties: tuple[tuple[str, Any], ...] = ()

    def local(self, zone: str) -> datetime:
        return self.at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def week_of(day: date, week_start: str) -> date:
    while day.strftime("%A").lower() != week_start:
        day -= timedelta(days=1)
    return day


def bucket_of(at: datetime, interval: str, week_start: str) -> str:
    day = at.date()
    if interval == "hour":
        return at.replace(minute=0, second=0, microsecond=0).isoformat(timespec="minutes")
    if interval == "week":
        day = week_of(day, week_start)
    elif interval == "month":
        day = day.replace(day=1)
    elif interval == "quarter":
        day = date(day.year, {1: 1, 2: 1, 3: 1, 4: 4, 5: 4, 6: 4, 7: 7, 8: 7, 9: 7}.get(day.month, 10), 1)
    return day.isoformat()


def buckets(first: date, last: date, interval: str, week_start: str) -> list[str]:
    found: list[str] = []
    day = first
    while day <= last:
        for hour in range(24):
            label = bucket_of(datetime(day.year, day.month, day.day, hour), interval, week_start)
            if label not in found[-1:]:
                found.append(label)
        day += timedelta(days=1)
    return found


def people(acts: Iterable[Act]) -> int:
    return len({act.person for act in acts})


def pv_uv(
    acts: Sequence[Act], first: date, last: date, *, zone: str, interval: str = "day", week_start: str = "monday"
) -> dict[str, Any]:
    counted = [act for act in acts if act.person is not None and first <= act.local(zone).date() <= last]
    starts = buckets(first, last, interval, week_start)
    parts = [[act for act in counted if bucket_of(act.local(zone), interval, week_start) == start] for start in starts]
    return {
        "starts": starts,
        "pv": [len(part) for part in parts],
        "uv": [people(part) for part in parts],
        "total_pv": len(counted),
        "total_uv": people(counted),
    }


def active_users(
    acts: Sequence[Act], first: date, last: date, *, zone: str, week_start: str = "monday"
) -> dict[str, Any]:
    known = [(act.person, act.local(zone).date()) for act in acts if act.person is not None]

    def between(low: date, high: date) -> int:
        return len({person for person, day in known if low <= day <= high})

    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    dau = [between(day, day) for day in days]
    mau = [between(day - timedelta(days=29), day) for day in days]
    weeks = sorted({week_of(day, week_start) for day in days})
    months = sorted({day.replace(day=1) for day in days})
    return {
        "days": [day.isoformat() for day in days],
        "dau": dau,
        "wau_rolling_7": [between(day - timedelta(days=6), day) for day in days],
        "mau_rolling_30": mau,
        "dau_over_mau": [round(d / m, 4) if m else None for d, m in zip(dau, mau, strict=True)],
        "calendar_weeks": [[week.isoformat(), between(week, week + timedelta(days=6))] for week in weeks],
        "calendar_months": [
            [month.isoformat(), len({person for person, day in known if day.replace(day=1) == month})]
            for month in months
        ],
    }


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
