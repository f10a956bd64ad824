"""The audit log, filtered, and the same as a file."""

from __future__ import annotations

import json
from datetime import date
from typing import Final

from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from uptake.basics.business_day import start_of
from uptake.directory.models import AuditEntry
from uptake.directory.scope import Deed
from uptake.web.pages.audit.words import actor_in_words, deed_in_words
from uptake.web.sheets import as_csv, as_xlsx
from uptake.web.viewing import needs, viewer_for

ROWS_EXPORTED: Final = 50_000


@needs(Deed.SEE_AUDIT)
def home(request: HttpRequest) -> HttpResponseBase:
    """The entries the viewer may audit, newest first."""
    visible = AuditEntry.objects.visible_to(viewer_for(request))
    entries = _filtered(request, visible).select_related("organization").order_by("-at", "-pk")
    page = Paginator(entries, 50).get_page(request.GET.get("page"))
    for entry in page:
        entry.who = actor_in_words(entry)  # type: ignore[attr-defined]
        entry.deed_label = deed_in_words(entry.deed)  # type: ignore[attr-defined]
    deeds = sorted((deed_in_words(deed), deed) for deed in visible.order_by().values_list("deed", flat=True).distinct())
    context = {
        "page": page,
        "deeds": deeds,
        "filtered": any(request.GET.get(name) for name in ("q", "deed", "from", "until")),
        "query": request.GET.urlencode(),
    }
    return render(request, "audit/home.html", context)


@needs(Deed.SEE_AUDIT)
def export(request: HttpRequest, kind: str) -> HttpResponseBase:
    """The filtered entries as XLSX or CSV, newest first, at most `ROWS_EXPORTED`."""
    writers = {"xlsx": as_xlsx, "csv": as_csv}
    if kind not in writers:
        raise Http404
    entries = _filtered(request, AuditEntry.objects.visible_to(viewer_for(request))).select_related("organization")
    heads = [_("When"), _("Who"), _("Deed"), _("Place"), _("What"), _("Details"), _("Address")]
    rows = (
        (
            entry.at,
            entry.actor_name,
            entry.deed,
            entry.organization.name if entry.organization else "",
            entry.subject,
            json.dumps(entry.details, ensure_ascii=False, sort_keys=True),
            entry.address,
        )
        for entry in entries.order_by("-at", "-pk")[:ROWS_EXPORTED]
    )
    return writers[kind](f"audit-{timezone.localdate().isoformat()}", heads, rows)


def _filtered(request: HttpRequest, entries: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
    words, deed = request.GET.get("q", "").strip(), request.GET.get("deed", "")
    if words:
        entries = entries.filter(
            Q(actor_name__icontains=words) | Q(subject__icontains=words) | Q(organization__name__icontains=words)
        )
    if deed:
        entries = entries.filter(deed=deed)
    first, last = _date(request.GET.get("from", "")), _date(request.GET.get("until", ""))
    zone = timezone.get_current_timezone_name()
    if first:
        entries = entries.filter(at__gte=start_of(first, zone))
    if last and last < date.max:
        entries = entries.filter(at__lt=start_of(date.fromordinal(last.toordinal() + 1), zone))
    return entries


def _date(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None
