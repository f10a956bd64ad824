"""Imports: a file is uploaded, its columns are given a meaning, it is checked, run, and can be undone."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from uptake.connectors.files.begin_import import begin_import, kept_file
from uptake.connectors.files.formats import open_table
from uptake.connectors.files.map_import import OPEN_STATES, TooLate, map_import, queue_import
from uptake.connectors.files.mapping import PERSON_IS, TYPES, Mapping, Property, UnfitMapping
from uptake.connectors.files.preview_import import preview_import
from uptake.connectors.files.suggest import first_rows, guess_type, values_of
from uptake.connectors.files.table import UnreadableFile
from uptake.connectors.files.undo_import import NothingToUndo, undo_import
from uptake.connectors.files.words import why_failed, why_rejected, why_unfit, why_unreadable
from uptake.connectors.models import ImportRun, ImportState
from uptake.directory.place import settings_at
from uptake.directory.scope import Deed
from uptake.web import numbers, parts
from uptake.web.pages.data.connections import places
from uptake.web.pages.data.figures import waiting
from uptake.web.sheets import as_csv
from uptake.web.viewing import needs, viewer_for

MOST_MEGABYTES = 512
SAMPLE_ROWS = 200
SAMPLES_SHOWN = 3
TONES = {
    ImportState.DONE: "good",
    ImportState.RUNNING: "info",
    ImportState.QUEUED: "info",
    ImportState.FAILED: "bad",
    ImportState.UNDONE: "",
}


@needs(Deed.MANAGE_DATA)
def home(request: HttpRequest) -> HttpResponseBase:
    """The files imported so far, newest first, and the place to drop another."""
    viewer = viewer_for(request)
    runs = ImportRun.objects.visible_to(viewer).select_related("organization", "created_by").order_by("-pk")
    page = Paginator(runs.defer("errors", "preview"), 25).get_page(request.GET.get("page"))
    for one in page:
        one.tone = TONES.get(ImportState(one.state), "warn")  # type: ignore[attr-defined]
    context = {
        "page": page,
        "places": list(places(viewer)[:500]),
        "waiting": waiting(viewer),
        "megabytes": MOST_MEGABYTES,
        "tab": "imports",
    }
    return render(request, "data/imports.html", context)


@needs(Deed.MANAGE_DATA)
@require_POST
def upload(request: HttpRequest) -> HttpResponseBase:
    """Takes a file in; the answer leads to its mapping, or says why it cannot be read."""
    viewer = viewer_for(request)
    file = request.FILES.get("file")
    place = get_object_or_404(places(viewer), slug=request.POST.get("place", ""))
    if not isinstance(file, UploadedFile) or not file.size:
        return _refused(request, _("Choose a file that holds something."))
    if file.size > MOST_MEGABYTES << 20:
        return _refused(
            request,
            _("The file is larger than %(n)s MB. Split it, or import it on the server.") % {"n": MOST_MEGABYTES},
        )
    with tempfile.NamedTemporaryFile(prefix="uptake-") as kept:
        for chunk in file.chunks():
            kept.write(chunk)
        kept.flush()
        try:
            run = begin_import(
                file=Path(kept.name),
                file_name=file.name or "",
                organization=place,
                by=viewer,
                now=timezone.now(),
                needs_rows=True,
            )
        except UnreadableFile as refusal:
            return _refused(request, f"{file.name}: {why_unreadable(refusal)}")
    return _lead(request, reverse("data:import", args=[run.pk]))


@needs(Deed.MANAGE_DATA)
def run(request: HttpRequest, run_id: int) -> HttpResponseBase:
    """One import at its step: columns, check, progress, result."""
    found = _run(request, run_id)
    context: dict[str, Any] = {"run": found, "tab": "imports", "waiting": waiting(viewer_for(request))}
    context["step"] = _step(request, found)
    if found.state in OPEN_STATES and context["step"] == "columns":
        context |= _mapping_context(found, Mapping.from_json(found.mapping or {"name": [], "time": ""}))
    elif found.state in OPEN_STATES:
        context |= _check_context(found)
    else:
        context |= _result_context(found)
    return render(request, "data/import.html", context)


@needs(Deed.MANAGE_DATA)
@require_POST
def mapping(request: HttpRequest, run_id: int) -> HttpResponseBase:
    """Keeps what the columns mean, then leads to the check."""
    found = _run(request, run_id)
    wanted = _mapping_from(request, found.columns)
    earn = request.POST.get("earn") == "yes"
    try:
        map_import(run=found, mapping=wanted, earn=earn, by=viewer_for(request), now=timezone.now())
    except TooLate:
        return redirect("data:import", found.pk)
    except UnfitMapping as refusal:
        context = {"run": found, "tab": "imports", "step": "columns", "wrong": why_unfit(refusal), "earn": earn}
        return render(request, "data/import.html", context | _mapping_context(found, wanted), status=422)
    return redirect(f"{reverse('data:import', args=[found.pk])}?step=check")


@needs(Deed.MANAGE_DATA)
@require_POST
def check(request: HttpRequest, run_id: int) -> HttpResponseBase:
    """Tries the first rows and shows what would become of them."""
    found = _run(request, run_id)
    try:
        preview_import(run=found, by=viewer_for(request), now=timezone.now())
    except TooLate:
        pass
    except UnreadableFile as refusal:
        messages.error(request, why_unreadable(refusal), extra_tags="bad")
    except UnfitMapping as refusal:
        messages.error(request, why_unfit(refusal), extra_tags="bad")
    return _lead(request, f"{reverse('data:import', args=[found.pk])}?step=check")


@needs(Deed.MANAGE_DATA)
@require_POST
def start(request: HttpRequest, run_id: int) -> HttpResponseBase:
    """Lets the import run (or go on after it failed)."""
    found = _run(request, run_id)
    try:
        queue_import(run=found, by=viewer_for(request), now=timezone.now())
    except TooLate:
        messages.error(request, _("This import has run already."), extra_tags="bad")
    return redirect("data:import", found.pk)


@needs(Deed.MANAGE_DATA)
def progress(request: HttpRequest, run_id: int) -> HttpResponseBase:
    """How far an import is (a part of the page, asked for every second); the page is read anew when it has ended."""
    found = _run(request, run_id)
    if found.state not in (ImportState.QUEUED, ImportState.RUNNING):
        return HttpResponse(headers={"HX-Refresh": "true"})
    return render(request, "data/import_progress.html", _progress_context(found))


@needs(Deed.MANAGE_DATA)
@require_POST
def undo(request: HttpRequest, run_id: int) -> HttpResponseBase:
    """Takes back every event the import brought."""
    found = _run(request, run_id)
    try:
        undo_import(run=found, by=viewer_for(request), now=timezone.now())
    except NothingToUndo:
        messages.error(request, _("Only an import that has ended can be undone."), extra_tags="bad")
    else:
        messages.success(request, _("Import undone. Its events stay in the record and count no more."))
    return redirect("data:import", found.pk)


@needs(Deed.MANAGE_DATA)
def errors(request: HttpRequest, run_id: int) -> HttpResponseBase:
    """The rows that were rejected or wait, with their reasons, as CSV."""
    found = _run(request, run_id)
    kept = found.errors or (found.preview or {}).get("errors", [])
    rows = ((row, why_rejected(code), column, value) for row, code, column, value in kept)
    return as_csv(f"import-{found.pk}-rows", [_("Row"), _("Reason"), _("Column"), _("Value")], rows)


def _run(request: HttpRequest, run_id: int) -> ImportRun:
    runs = ImportRun.objects.visible_to(viewer_for(request)).select_related("organization", "created_by", "connection")
    found: ImportRun = get_object_or_404(runs, pk=run_id)
    return found


def _refused(request: HttpRequest, why: str) -> HttpResponseBase:
    messages.error(request, why, extra_tags="bad")
    return _lead(request, reverse("data:imports"))


def _lead(request: HttpRequest, address: str) -> HttpResponseBase:
    """To another page, also where htmx asked."""
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": address})
    return redirect(address)


def _step(request: HttpRequest, found: ImportRun) -> str:
    if found.state not in OPEN_STATES:
        return "run" if found.state in (ImportState.QUEUED, ImportState.RUNNING) else "result"
    return "check" if request.GET.get("step") == "check" else "columns"


def _mapping_from(request: HttpRequest, columns: Sequence[str]) -> Mapping:
    """The mapping as the form says it; fields of a column carry its place in the header."""
    said = request.POST
    facts = []
    for place, column in enumerate(columns):
        if said.get(f"keep-{place}"):
            kind = said.get(f"type-{place}", "text")
            facts.append(Property(said.get(f"fact-{place}", "").strip()[:100], column, kind))
    return Mapping(
        name=tuple(column for column in said.getlist("name") if column)[:4],
        time=said.get("time", ""),
        person=said.get("person", ""),
        person_is=said.get("person_is", "id"),
        person_name=said.get("person_name", ""),
        object=said.get("object", ""),
        company=said.get("company", ""),
        properties=tuple(facts),
        zone=said.get("zone", "").strip(),
        order=said.get("order", ""),
    )


def _mapping_context(found: ImportRun, chosen: Mapping) -> dict[str, Any]:
    context: dict[str, Any] = {"mapping": chosen, "types": _types(), "person_kinds": _person_kinds()}
    try:
        table = open_table(kept_file(found))
        rows = first_rows(table, SAMPLE_ROWS)
    except (UnreadableFile, FileNotFoundError):
        rows = []
    facts = {prop.column: prop for prop in chosen.properties}
    columns = []
    for place, column in enumerate(found.columns):
        values = values_of(column, found.columns, rows)
        filled = [str(value)[:60] for value in values if value not in (None, "")]
        fact = facts.get(column)
        columns.append(
            {
                "place": place,
                "name": column,
                "samples": list(dict.fromkeys(filled))[:SAMPLES_SHOWN],
                "kept": fact is not None,
                "fact": fact.name if fact else column.rpartition(":")[2] or column,
                "type": fact.type if fact else guess_type(values),
            }
        )
    names = [*chosen.name, "", "", ""][:3]
    context["columns"] = columns
    context["singles"] = _singles(chosen)
    context["names"] = names
    context["zone"] = chosen.zone
    context["place_zone"] = settings_at(found.organization).at(timezone.now()).zone
    context["zones"] = sorted(available_timezones())
    context["orders"] = [("", _("Year first, or not needed")), ("dmy", _("Day first")), ("mdy", _("Month first"))]
    context.setdefault("earn", found.earn)
    return context


def _singles(chosen: Mapping) -> list[dict[str, Any]]:
    """The parts of an event that one column gives."""
    return [
        {"field": "time", "label": _("Time"), "column": chosen.time, "need": True},
        {"field": "person", "label": _("Person"), "column": chosen.person, "need": False},
        {"field": "person_name", "label": _("Name of the person"), "column": chosen.person_name, "need": False},
        {"field": "object", "label": _("What it was about"), "column": chosen.object, "need": False},
        {"field": "company", "label": _("Company"), "column": chosen.company, "need": False},
    ]


def _types() -> list[tuple[str, str]]:
    words = {"text": _("Text"), "number": _("Number"), "boolean": _("Yes or no"), "date": _("Date")}
    return [(name, words[name]) for name in TYPES]


def _person_kinds() -> list[tuple[str, str]]:
    words = {"id": _("an id of the source"), "email": _("an e-mail address"), "staff_number": _("a staff number")}
    return [(name, words[name]) for name in PERSON_IS]


def _check_context(found: ImportRun) -> dict[str, Any]:
    again = (
        ImportRun.objects.filter(organization=found.organization, sha256=found.sha256, state=ImportState.DONE)
        .exclude(pk=found.pk)
        .order_by("-pk")
        .first()
    )
    preview = found.preview
    context: dict[str, Any] = {
        "preview": preview,
        "again": again,
        "other_mapping": again is not None and again.mapping != found.mapping,
    }
    if preview:
        context["reasons"] = _reasons(preview["reasons"])
        context["errors"] = _errors(preview["errors"][:20])
        context["samples"] = [{**one, "at": parse_datetime(one["at"])} for one in preview["samples"]]
        context["kpis"] = [
            parts.Kpi(_("Rows checked"), numbers.full(preview["rows"])),
            parts.Kpi(_("New"), numbers.full(preview["new"])),
            parts.Kpi(_("There already"), numbers.full(preview["replayed"])),
            parts.Kpi(_("Rejected"), numbers.full(preview["rejected"])),
            parts.Kpi(_("People"), numbers.full(preview["totals"]["people"])),
            parts.Kpi(_("Objects"), numbers.full(preview["totals"]["objects"])),
        ]
    return context


def _result_context(found: ImportRun) -> dict[str, Any]:
    totals = found.totals
    failure = found.failure or {}
    return _progress_context(found) | {
        "kpis": [
            parts.Kpi(_("Rows read"), numbers.full(found.rows)),
            parts.Kpi(_("New"), numbers.full(found.new)),
            parts.Kpi(_("There already"), numbers.full(found.replayed)),
            parts.Kpi(_("Rejected"), numbers.full(found.rejected)),
            parts.Kpi(_("People"), numbers.full(totals.get("people"))),
            parts.Kpi(_("Objects"), numbers.full(totals.get("objects"))),
        ],
        "totals": totals,
        "first_at": parse_datetime(totals["first_at"]) if totals.get("first_at") else None,
        "last_at": parse_datetime(totals["last_at"]) if totals.get("last_at") else None,
        "sums": list(totals.get("sums", {}).items()),
        "reasons": _reasons(found.reasons),
        "errors": _errors(found.errors[:20]),
        "why": why_failed(failure.get("code", ""), failure.get("row"), failure.get("detail", "")) if failure else "",
        "may_undo": found.state in (ImportState.DONE, ImportState.FAILED) and found.batch_id is not None,
    }


def _progress_context(found: ImportRun) -> dict[str, Any]:
    seconds = None
    if found.started_at and found.ended_at:
        seconds = (found.ended_at - found.started_at).total_seconds()
    expected = max(found.rows_expected, found.rows, 1)
    return {"run": found, "expected": expected, "share": found.rows / expected, "seconds": seconds}


def _reasons(counts: dict[str, int]) -> list[tuple[str, int]]:
    return [(why_rejected(code), n) for code, n in sorted(counts.items(), key=lambda item: -item[1])]


def _errors(kept: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
    return [
        {"row": row, "reason": why_rejected(code), "column": column, "value": value}
        for row, code, column, value in kept
    ]
