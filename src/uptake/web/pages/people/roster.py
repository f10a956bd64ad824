"""A list of people is read, shown with what would become of each row, and enrolled."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from uptake.directory.enrol_many import enrol_many, preview
from uptake.directory.models import Kind, Organization
from uptake.directory.resolve import match_again
from uptake.directory.roster import ROWS_READ, NoNameColumn, NotText, TooManyRows, decode, read_roster
from uptake.directory.scope import Deed
from uptake.events.follow import follow_identified
from uptake.web.pages.people.forms import choices_of
from uptake.web.viewing import needs, viewer_for

BYTES_READ: Final = 2_000_000
SHOWN: Final = 200
WHY: Final = {
    "no_name": gettext_lazy("no name"),
    "bad_email": gettext_lazy("not an e-mail address"),
    "twice": gettext_lazy("stands in the list already"),
    "two_people": gettext_lazy("e-mail and staff number belong to different people"),
}


@needs(Deed.MANAGE_PEOPLE)
def home(request: HttpRequest) -> HttpResponseBase:
    """Upload, preview, enrol: the text of the list travels in the form, nothing is kept before the last step."""
    viewer = viewer_for(request)
    companies = Organization.objects.open().filter(
        viewer.within("path", Deed.MANAGE_PEOPLE), kind__in=(Kind.COMPANY, Kind.PARK)
    )
    context = {"companies": choices_of(companies), "at": request.GET.get("at", ""), "most": ROWS_READ}
    if request.method != "POST":
        return render(request, "people/import.html", context)
    company = get_object_or_404(companies, slug=request.POST.get("company", ""))
    context |= {"company": company, "at": company.slug}
    upload = request.FILES.get("file")
    try:
        if upload is not None:
            if (upload.size or 0) > BYTES_READ:
                raise TooManyRows
            text = decode(upload.read())
        else:
            text = request.POST.get("text", "")[:BYTES_READ]
        rows = read_roster(text)
    except NotText:
        return _wrong(request, context, _("This is not a text file. Save the list as CSV and choose it again."))
    except NoNameColumn:
        said = _("The first line needs a heading for the name, such as “Name” or “姓名”.")
        return _wrong(request, context, said)
    except TooManyRows:
        return _wrong(request, context, _("The list is too long: at most %(n)s rows at a time.") % {"n": ROWS_READ})
    if request.POST.get("confirm") != "yes":
        fates = preview(rows, company=company, by=viewer)
        counts = {fate: sum(one.fate == fate for one in fates) for fate in ("new", "known", "refused")}
        shown = [(one, WHY.get(one.reason, "")) for one in fates[:SHOWN]]
        context |= {"text": text, "fates": shown, "counts": counts, "rows": len(fates), "shown": SHOWN}
        return render(request, "people/import.html", context)
    now = timezone.now()
    with transaction.atomic():
        fates = enrol_many(rows, company=company, from_date=viewer.today, by=viewer, now=now)
        found = match_again(company=company, now=now)
        follow_identified(found, was=None, by=viewer, now=now)
    added = sum(one.fate == "new" for one in fates)
    messages.success(request, ngettext("%(n)s person was added.", "%(n)s people were added.", added) % {"n": added})
    if found:
        said = ngettext(
            "%(n)s id of a source found its person.", "%(n)s ids of sources found their person.", len(found)
        )
        messages.success(request, said % {"n": len(found)})
    return redirect(f"{reverse('people:home')}?{urlencode({'at': company.slug})}")


def _wrong(request: HttpRequest, context: dict[str, object], said: str) -> HttpResponseBase:
    return render(request, "people/import.html", {**context, "wrong": said}, status=422)
