"""What a file says of the business, row by row, and the figures that stand of a series."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from uptake.directory.models import Organization
from uptake.insight.impact.models import Series

ROWS_READ = 5_000
"""Rows taken at a time."""
Figures = dict[str, dict[date, float]]
"""{slug of a place: {day: value}}."""


@dataclass(frozen=True)
class FileRow:
    """A row as the file has it; `wrong` says why it could not be read: bad_date or bad_value."""

    line: int
    place: str
    day: date | None
    value: Decimal | None
    wrong: str = ""


@dataclass(frozen=True)
class Placed:
    """A row with the place it means; `wrong`: bad_date, bad_value, no_place, two_places, in_future or twice."""

    row: FileRow
    place: Organization | None
    wrong: str = ""


def placed(rows: Sequence[FileRow], organization: Organization, today: date) -> list[Placed]:
    """Each row with its place at or below the organization, by slug or name; without one it is of the organization."""
    below = list(Organization.objects.filter(path__startswith=organization.path))
    by_slug = {one.slug.casefold(): one for one in below}
    named = Counter(one.name.casefold() for one in below)
    by_name = {one.name.casefold(): one for one in below}
    seen: set[tuple[int, date]] = set()
    found = []
    for row in rows:
        text = row.place.casefold()
        place = organization if not text else by_slug.get(text) or by_name.get(text)
        wrong = row.wrong
        if not wrong and place is None:
            wrong = "no_place"
        elif not wrong and text not in by_slug and named[text] > 1:
            wrong = "two_places"
        elif not wrong and row.day is not None and row.day > today:
            wrong = "in_future"
        if not wrong and place is not None and row.day is not None:
            wrong = "twice" if (place.pk, row.day) in seen else ""
            seen.add((place.pk, row.day))
        found.append(Placed(row, place, wrong))
    return found


def figures_of(series: Series) -> Figures:
    """What stands: of several versions that name a day of a place the last."""
    found: Figures = {}
    for told in series.versions.standing().values_list("figures", flat=True):
        for slug, days in told.items():
            found.setdefault(slug, {}).update({date.fromisoformat(day): float(value) for day, value in days.items()})
    return found


def series_for(organization: Organization, number: str) -> Series | None:
    """The series of that number, if it is of the organization or of what lies above it."""
    ids = [int(part) for part in organization.path.split("/") if part]
    return Series.objects.filter(pk=int(number), organization_id__in=ids).first() if number.isdigit() else None
