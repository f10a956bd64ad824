"""A business series out of a connected database: a query is tried, imported, and read every night."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from uptake.connectors.files.series import TooManyFigures
from uptake.connectors.models import Pull
from uptake.connectors.pull.figures import Columns, NoColumn, Told, figures_in
from uptake.connectors.pull.protocol import Problem
from uptake.connectors.pull.words import reason
from uptake.directory.place import settings_at
from uptake.directory.scope import Deed, NotAllowed, Viewer
from uptake.insight.impact.business_series import ROWS_READ, FileRow, Placed, placed
from uptake.insight.impact.keep_query import Asked, keep_query, stop_nights
from uptake.insight.impact.keep_series import NoFigures, take_figures
from uptake.insight.impact.models import MANAGING, Series, SeriesQuery
from uptake.insight.impact.read_queries import note_reading
from uptake.web import numbers
from uptake.web.pages.impact.series_words import WHY, database_of, pulls_for, too_many
from uptake.web.viewing import NotYours, needs, viewer_for

FIRST = 20
WRONG = 30
QUERY_LONGEST = 10_000


@dataclass(frozen=True)
class Line:
    """A row as it came, and as it would be taken."""

    number: int
    said: tuple[str, str, str]
    day: str
    place: str
    value: str
    why: str


@dataclass
class Read:
    """What a query gave, or why it gave nothing."""

    told: list[Told] = field(default_factory=list)
    rows: list[Placed] = field(default_factory=list)
    wrong: str = ""

    @property
    def right(self) -> int:
        return sum(1 for row in self.rows if not row.wrong)


@needs(Deed.MANAGE_DATA)
def database(request: HttpRequest, series_id: int) -> HttpResponseBase:
    """The form; POST tries a query, imports what it gives, has it read every night, or ends that."""
    viewer = viewer_for(request)
    found = get_object_or_404(Series.objects.visible_to(viewer).select_related("organization"), pk=series_id)
    if not any(viewer.may(deed, found.organization) for deed in MANAGING):
        raise NotYours(MANAGING[0])
    pulls = pulls_for(found, viewer)
    known = database_of(found, viewer)
    kept = known.query if known else None
    read = None
    if request.method == "POST":
        try:
            read = _posted(request, found, pulls, kept, viewer)
        except NotAllowed:
            raise NotYours(Deed.MANAGE_DATA) from None
        if read is None:
            return redirect("impact:series_database", found.pk)
    context = {
        "one": found,
        "pulls": pulls,
        "kept": kept,
        "failed": known.failed if known else "",
        "given": _given(request, kept),
        "most": ROWS_READ,
        "tried": read is not None and not read.wrong,
        "read": read,
        "wrong": read.wrong if read else "",
        "lines": _lines(read) if read else [],
        "left_out": len(read.rows) - read.right if read else 0,
    }
    return render(request, "impact/series_database.html", context, status=422 if read and read.wrong else 200)


def _given(request: HttpRequest, kept: SeriesQuery | None) -> dict[str, str]:
    """What stands in the form: what was typed, else what is kept."""
    names = ("connection", "query", "day", "place", "value")
    if request.method == "POST":
        return {name: request.POST.get(name, "").strip() for name in names}
    if kept is None:
        return {"query": "", "day": "", "place": "", "value": "", "connection": ""}
    return {"connection": kept.connection.slug} | {name: str(getattr(kept, name)) for name in names[1:]}


def _posted(
    request: HttpRequest, series: Series, pulls: list[Pull], kept: SeriesQuery | None, viewer: Viewer
) -> Read | None:
    """What is to be shown; None: it was done."""
    now, what = timezone.now(), request.POST.get("do", "try")
    if what == "stop":
        stop_nights(series=series, by=viewer, now=now)
        messages.success(request, _("It is no longer read at night. What was taken stays."))
        return None
    given = _given(request, None)
    pull = next((one for one in pulls if one.connection.slug == given["connection"]), None)
    if pull is None:
        return Read(wrong=_("Choose a database."))
    read = _read(series, pull, given)
    if read.wrong or what not in ("import", "nightly"):
        return read
    try:
        made = take_figures(series=series, rows=read.rows, by=viewer, now=now, source=pull.connection.slug)
    except NoFigures:
        read.wrong = _("No row of the query can be taken.")
        return read
    asked = Asked(given["query"], given["day"], given["place"], given["value"])
    nightly = what == "nightly" or (kept is not None and kept.next_at is not None)
    known = keep_query(series=series, connection=pull.connection, asked=asked, nightly=nightly, by=viewer, now=now)
    note_reading(known, rows=len(read.rows), left_out=len(read.rows) - read.right, now=now)
    messages.success(request, _("%(n)s figures taken.") % {"n": numbers.full(made.rows)})
    return None


def _read(series: Series, pull: Pull, given: dict[str, str]) -> Read:
    if not given["query"] or not given["day"] or not given["value"]:
        return Read(wrong=_("Give a query and the columns of the date and of the value."))
    if len(given["query"]) > QUERY_LONGEST or max(len(given[name]) for name in ("day", "place", "value")) > 100:
        return Read(wrong=_("The query or the name of a column is too long."))
    columns = Columns(given["day"], given["place"], given["value"])
    try:
        told = figures_in(pull, given["query"], columns, most=ROWS_READ)
    except Problem as problem:
        return Read(wrong=" ".join(part for part in (reason(problem.code), problem.detail) if part))
    except NoColumn as missing:
        there = ", ".join(missing.there)
        return Read(
            wrong=_("The query gives no column “%(name)s”. It gives: %(there)s.")
            % {"name": missing.name, "there": there}
        )
    except TooManyFigures:
        return Read(wrong=too_many())
    today = settings_at(series.organization).date_of(timezone.now())
    cells = [one.cells for one in told]
    rows = [FileRow(one.line, one.place, one.day, one.value, one.wrong) for one in cells]
    return Read(told, placed(rows, series.organization, today))


def _lines(read: Read) -> list[Line]:
    """The first rows, and after them the first that cannot be taken."""
    both = list(zip(read.told, read.rows, strict=True))
    wrong = islice((pair for pair in both[FIRST:] if pair[1].wrong), WRONG)
    return [_line(told, row) for told, row in [*both[:FIRST], *wrong]]


def _line(told: Told, row: Placed) -> Line:
    day, value = row.row.day, row.row.value
    return Line(
        number=row.row.line,
        said=told.said,
        day=numbers.day(day) if day else "",
        place=row.place.name if row.place and not row.wrong else "",
        value=numbers.full(value, 2) if value is not None else "",
        why=str(_("stands in the query already") if row.wrong == "twice" else WHY[row.wrong]) if row.wrong else "",
    )
