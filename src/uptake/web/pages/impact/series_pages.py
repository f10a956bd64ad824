"""Business series: the list, one with its versions, and a file that is looked through before it counts."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from uptake.connectors.files.formats import open_table
from uptake.connectors.files.series import NoSeriesColumns, TooManyFigures, series_in
from uptake.connectors.files.table import UnreadableFile
from uptake.connectors.files.words import why_unreadable
from uptake.directory.place import settings_at
from uptake.directory.scope import Deed, NotAllowed
from uptake.insight.impact.business_series import ROWS_READ, FileRow, figures_of, placed
from uptake.insight.impact.keep_series import NoFigures, NoSeriesName, make_series, take_figures, withdraw_figures
from uptake.insight.impact.models import MANAGING, Series, SeriesVersion
from uptake.web import numbers, parts
from uptake.web.pages.impact.places import place_chosen, places_managed
from uptake.web.pages.impact.series_words import WHY, database_of
from uptake.web.viewing import NotYours, needs, viewer_for

BYTES_READ: Final = 5_000_000
SHOWN: Final = 50
DAYS_SHOWN: Final = 120


@needs(Deed.SEE_TOTALS)
def home(request: HttpRequest) -> HttpResponseBase:
    """The series of places the viewer sees; POST makes another."""
    viewer = viewer_for(request)
    places = places_managed(viewer)
    wrong = ""
    if request.method == "POST":
        place = place_chosen(request, places)
        told = {name: request.POST.get(name, "") for name in ("name", "unit")}
        try:
            made = make_series(organization=place, **told, by=viewer, now=timezone.now())
        except NoSeriesName:
            wrong = _("Give it a name of its own, of at most 100 characters.")
        else:
            return redirect("impact:one_series", made.pk)
    rows = Series.objects.visible_to(viewer).select_related("organization").order_by("name", "pk")
    context = {
        "lines": [(one, one.versions.standing().count()) for one in rows[:200]],
        "places": places,
        "given": request.POST,
        "wrong": wrong,
    }
    return render(request, "impact/series.html", context, status=422 if wrong else 200)


@needs(Deed.SEE_TOTALS)
def one(request: HttpRequest, series_id: int) -> HttpResponseBase:
    """One series; POST looks through a file, or takes what was looked through."""
    viewer = viewer_for(request)
    found = get_object_or_404(Series.objects.visible_to(viewer).select_related("organization"), pk=series_id)
    may = any(viewer.may(deed, found.organization) for deed in MANAGING)
    context: dict[str, Any] = {"one": found, "may": may, "most": ROWS_READ}
    wrong = ""
    if request.method == "POST":
        if not may:
            raise NotYours(MANAGING[0])
        try:
            file_rows = _rows(request)
            now = timezone.now()
            today = settings_at(found.organization).date_of(now)
            looked = placed(file_rows, found.organization, today)
            if request.POST.get("confirm") == "yes":
                made = take_figures(series=found, rows=looked, by=viewer, now=now)
                messages.success(request, _("%(n)s figures taken.") % {"n": numbers.full(made.rows)})
                return redirect("impact:one_series", found.pk)
            context |= _preview(looked, file_rows)
        except UnreadableFile as refusal:
            wrong = why_unreadable(refusal)
        except NoSeriesColumns:
            wrong = _("The first line needs headings: “date”, “value”, and “department” where there are several.")
        except TooManyFigures:
            wrong = _("The file is too long: at most %(n)s rows at a time.") % {"n": numbers.full(ROWS_READ)}
        except NoFigures:
            wrong = _("No row of the file can be taken.")
        except NotAllowed:
            raise NotYours(MANAGING[0]) from None
    context |= {
        "wrong": wrong,
        "database": database_of(found, viewer),
        "versions": found.versions.order_by("-pk")[:50],
        "chart": _chart(found),
    }
    return render(request, "impact/one_series.html", context, status=422 if wrong else 200)


@needs(*MANAGING)
@require_POST
def withdraw(request: HttpRequest, series_id: int, version_id: int) -> HttpResponseBase:
    """Takes back what one file said."""
    viewer = viewer_for(request)
    rows = SeriesVersion.objects.visible_to(viewer).filter(series_id=series_id)
    version = get_object_or_404(rows, pk=version_id)
    try:
        withdraw_figures(version=version, by=viewer, now=timezone.now())
    except NotAllowed:
        raise NotYours(MANAGING[0]) from None
    messages.success(request, _("Withdrawn. What was said before holds again."))
    return redirect("impact:one_series", series_id)


def _rows(request: HttpRequest) -> list[FileRow]:
    upload = request.FILES.get("file")
    if isinstance(upload, UploadedFile):
        if (upload.size or 0) > BYTES_READ:
            raise TooManyFigures
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "series"
            file.write_bytes(upload.read())
            read = series_in(open_table(file), most=ROWS_READ)
        return [FileRow(row.line, row.place, row.day, row.value, row.wrong) for row in read]
    try:
        given = json.loads(request.POST.get("rows", "") or "[]")
        return [
            FileRow(int(line), str(place), date.fromisoformat(day), Decimal(value))
            for line, place, day, value in given[:ROWS_READ]
        ]
    except (ValueError, TypeError, InvalidOperation):
        raise UnreadableFile("empty") from None


def _preview(looked: Sequence[Any], rows: Sequence[FileRow]) -> dict[str, Any]:
    right = [item for item in looked if not item.wrong]
    wrong = [(item.row.line, item.row.place, WHY[item.wrong]) for item in looked if item.wrong]
    days = sorted(item.row.day for item in right)
    plain = [[item.row.line, item.row.place, item.row.day.isoformat(), str(item.row.value)] for item in right]
    return {
        "looked": True,
        "right": len(right),
        "rows": len(rows),
        "bad": wrong[:SHOWN],
        "bad_count": len(wrong),
        "places": len({item.place.pk for item in right}),
        "first": days[0] if days else None,
        "last": days[-1] if days else None,
        "total": numbers.full(sum(item.row.value for item in right), 2) if right else "–",
        "text": json.dumps(plain, ensure_ascii=False),
    }


def _chart(series: Series) -> parts.Chart | None:
    """The mean of the places, day by day."""
    by_day: dict[date, list[float]] = {}
    for figures in figures_of(series).values():
        for day, value in figures.items():
            by_day.setdefault(day, []).append(value)
    days = sorted(by_day)[-DAYS_SHOWN:]
    if len(days) < 2:
        return None
    return parts.Chart(
        id="impact-series",
        label=_("%(metric)s, mean of the places") % {"metric": series.name},
        axis=_("Day"),
        labels=[numbers.day(day, year=False) for day in days],
        series=[parts.Series(series.name, [sum(by_day[day]) / len(by_day[day]) for day in days], "line", "c1")],
        format="decimal",
    )
