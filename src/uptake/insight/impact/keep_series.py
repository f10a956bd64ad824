"""Makes series of business figures, takes what a file or a database says of them, and withdraws it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from django.db import IntegrityError, transaction

from uptake.directory.audit import note
from uptake.directory.models import Organization
from uptake.directory.viewer import NotAllowed, Viewer
from uptake.insight.impact.business_series import Figures, Placed, figures_of
from uptake.insight.impact.models import MANAGING, Series, SeriesVersion


class SeriesRefused(Exception):
    """It was not done; the class says why."""


class NoSeriesName(SeriesRefused):
    """It has no name, or one that is too long or taken at the place."""


class NoFigures(SeriesRefused):
    """No row says anything."""


def make_series(*, organization: Organization, name: str, unit: str, by: Viewer, now: datetime) -> Series:
    """Raises NotAllowed or NoSeriesName."""
    _allowed(organization, by)
    name, unit = name.strip(), unit.strip()
    if not 0 < len(name) <= 100 or len(unit) > 40:
        raise NoSeriesName
    try:
        with transaction.atomic():
            made = Series.objects.create(organization=organization, name=name, unit=unit, made_at=now)
            details = {"id": made.pk}
            note(deed="series.made", actor=by, organization=organization, subject=name, details=details, now=now)
    except IntegrityError:
        raise NoSeriesName from None
    return made


@transaction.atomic
def take_figures(
    *, series: Series, rows: Sequence[Placed], by: Viewer, now: datetime, source: str = ""
) -> SeriesVersion:
    """A new version of the rows that are right; those that are wrong are left out. The same again: the one there is.
    `source`: the connection whose database says it. Raises NotAllowed or NoFigures."""
    _allowed(series.organization, by)
    figures = _said(rows)
    last = series.versions.standing().last()
    if last is not None and last.figures == figures:
        return last
    return _taken(series, figures, by, by, source, now)


@transaction.atomic
def take_changes(
    *, series: Series, rows: Sequence[Placed], by: Viewer, now: datetime, source: str
) -> SeriesVersion | None:
    """What a job read for somebody: a version of the days that are new or differ from what stands; none: None.
    Raises NotAllowed or NoFigures."""
    _allowed(series.organization, by)
    stands = figures_of(series)
    figures = {
        slug: changed
        for slug, days in _said(rows).items()
        if (changed := {day: text for day, text in days.items() if not _stands(stands, slug, day, text)})
    }
    return _taken(series, figures, by, "job series", source, now) if figures else None


def _stands(stands: Figures, slug: str, day: str, text: str) -> bool:
    return stands.get(slug, {}).get(date.fromisoformat(day)) == float(text)


def _said(rows: Sequence[Placed]) -> dict[str, dict[str, str]]:
    figures: dict[str, dict[str, str]] = {}
    for one in rows:
        if not one.wrong and one.place is not None and one.row.day is not None and one.row.value is not None:
            figures.setdefault(one.place.slug, {})[one.row.day.isoformat()] = str(one.row.value)
    if not figures:
        raise NoFigures
    return figures


def _taken(
    series: Series,
    figures: dict[str, dict[str, str]],
    by: Viewer,
    actor: Viewer | str,
    source: str,
    now: datetime,
) -> SeriesVersion:
    rows = sum(len(days) for days in figures.values())
    made = SeriesVersion.objects.create(
        series=series, figures=figures, rows=rows, made_at=now, made_by_id=by.user_id, source=source
    )
    details = {"id": series.pk, "version": made.pk, "rows": rows} | ({"connection": source} if source else {})
    deed = "series.read" if source else "series.taken"
    note(deed=deed, actor=actor, organization=series.organization, subject=series.name, details=details, now=now)
    return made


@transaction.atomic
def withdraw_figures(*, version: SeriesVersion, by: Viewer, now: datetime) -> SeriesVersion:
    """What was said before holds again. Safe to repeat. Raises NotAllowed."""
    found = SeriesVersion.objects.select_for_update().select_related("series__organization").get(pk=version.pk)
    place = found.series.organization
    _allowed(place, by)
    if found.withdrawn_at is None:
        found.withdrawn_at = now
        found.save(update_fields=["withdrawn_at"])
        details = {"id": found.series_id, "version": found.pk}
        note(deed="series.withdrawn", actor=by, organization=place, subject=found.series.name, details=details, now=now)
    return found


def _allowed(organization: Organization, by: Viewer) -> None:
    if not any(by.may(deed, organization) for deed in MANAGING):
        raise NotAllowed
