"""Leave of many people from a file of HR, as a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from uptake.directory.import_leave import LeaveImported, NoColumns, TooManyRows
from uptake.directory.models import Kind, Organization
from uptake.directory.scope import Deed, NotAllowed
from uptake.events.moved import take_leave_in
from uptake.web.viewing import NotYours, needs, viewer_for

LARGEST_FILE = 4 * 1024 * 1024
SHOWN = 50
WHY: Mapping[str, Callable[[], str]] = {
    "unknown_person": lambda: _("nobody at the company has this number or e-mail"),
    "ambiguous": lambda: _("number and e-mail belong to different people"),
    "no_dates": lambda: _("the dates cannot be read"),
    "overlaps": lambda: _("other leave of the person lies on these days"),
    "no_days": lambda: _("it ends before it begins, or lasts more than two years"),
}


@needs(Deed.MANAGE_PEOPLE)
def imported(request: HttpRequest) -> HttpResponseBase:
    """The form for a file; POST adds its leave and says what became of each row."""
    viewer = viewer_for(request)
    companies = list(
        Organization.objects.filter(
            viewer.within("path", Deed.MANAGE_PEOPLE), kind=Kind.COMPANY, closed_at=None
        ).order_by("path")
    )
    asked = request.GET.get("at", "") or request.POST.get("at", "")
    company = next((one for one in companies if one.slug == asked), companies[0] if companies else None)
    wrong, found = "", None
    if request.method == "POST" and company is not None:
        upload = request.FILES.get("file")
        text = _text(upload.read()) if upload is not None and (upload.size or 0) <= LARGEST_FILE else None
        if text is None:
            wrong = _("Choose a CSV file of at most 4 MB.")
        else:
            try:
                found = take_leave_in(text=text, company=company, by=viewer, now=timezone.now())
            except NoColumns:
                wrong = _("The first line must name the columns: staff_number or email, from, to.")
            except TooManyRows:
                wrong = _("The file has more than 20,000 rows.")
            except NotAllowed:
                raise NotYours(Deed.MANAGE_PEOPLE) from None
            else:
                messages.success(request, _said(found))
    context = {
        "company": company,
        "companies": companies,
        "wrong": wrong,
        "found": found,
        "refused": [(line, WHY[why]()) for line, why in found.refused[:SHOWN]] if found else [],
    }
    return render(request, "calendar/leave.html", context, status=422 if wrong else 200)


def _said(found: LeaveImported) -> str:
    return ngettext("%(n)s leave was added.", "%(n)s leaves were added.", found.added) % {"n": found.added}


def _text(content: bytes) -> str | None:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None
