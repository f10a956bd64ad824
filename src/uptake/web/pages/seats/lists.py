"""A list of seats (CSV or XLSX) is read, shown with the fate of each row and its control totals, and issued."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from uptake.connectors.files.formats import open_table
from uptake.connectors.files.seats import NoSuchColumns, TooManySeats, row_of, seats_in
from uptake.connectors.files.table import UnreadableFile
from uptake.connectors.files.words import why_unreadable
from uptake.directory.issue_seats import SeatFate, SeatRow, issue_seats, preview_seats
from uptake.directory.models import Kind, Organization, Product
from uptake.directory.scope import Deed
from uptake.web.pages.seats.views import companies_of, name_of
from uptake.web.viewing import needs, viewer_for

BYTES_READ: Final = 5_000_000
ROWS_READ: Final = 5_000
SHOWN: Final = 200
WHY: Final = {
    "no_company": gettext_lazy("no such company here"),
    "no_product": gettext_lazy("no such product here"),
    "nobody": gettext_lazy("nobody here has this staff number or e-mail"),
    "two_people": gettext_lazy("means more than one person"),
    "bad_date": gettext_lazy("a date cannot be read"),
    "ends_early": gettext_lazy("invited or ended before it was issued"),
    "twice": gettext_lazy("stands in the list already"),
}
"""Why a row is refused."""
FIELDS: Final = (
    "product", "company", "person", "staff_number", "email", "name", "module", "issued_date", "invited_date",
    "until_date",
)  # fmt: skip


@needs(Deed.MANAGE_PEOPLE)
def home(request: HttpRequest) -> HttpResponseBase:
    """Upload, preview, issue: the rows travel in the form, nothing is kept before the last step."""
    viewer = viewer_for(request)
    places = Organization.objects.open().filter(
        viewer.within("path", Deed.MANAGE_PEOPLE), kind__in=(Kind.COMPANY, Kind.PARK)
    )
    products = Product.objects.visible_to(viewer).order_by("slug")
    context: dict[str, Any] = {
        "companies": companies_of(viewer),
        "products": [(one.slug, name_of(one)) for one in products],
        "at": request.GET.get("at", ""),
        "most": ROWS_READ,
    }
    if request.method != "POST":
        return render(request, "seats/import.html", context)
    place = get_object_or_404(places, slug=request.POST.get("company", ""))
    context |= {"place": place, "at": place.slug}
    try:
        rows = _rows(request)
    except UnreadableFile as refusal:
        return _wrong(request, context, why_unreadable(refusal))
    except NoSuchColumns:
        said = _("The first line needs a heading for whose the seats are: “Staff number”, “E-mail” or “Account”.")
        return _wrong(request, context, said)
    except TooManySeats:
        said = _("The list is too long: at most %(n)s rows at a time. The command line takes longer ones.")
        return _wrong(request, context, said % {"n": ROWS_READ})
    if request.POST.get("confirm") != "yes":
        fates = preview_seats(rows, place=place, today=viewer.today, by=viewer)
        context |= {
            "fates": [(one, WHY.get(one.reason, "")) for one in fates[:SHOWN]],
            "rows": len(fates),
            "shown": SHOWN,
            "text": json.dumps([_plain(row) for row in rows], ensure_ascii=False),
            **totals(fates),
        }
        return render(request, "seats/import.html", context)
    fates = issue_seats(rows, place=place, today=viewer.today, by=viewer, now=timezone.now())
    counts = totals(fates)["counts"]
    messages.success(
        request,
        _("%(new)s seats issued, %(changed)s changed, %(known)s known, %(refused)s refused.") % counts,
    )
    return redirect(f"{reverse('seats:home')}?{urlencode({'at': place.slug})}")


def totals(fates: Sequence[SeatFate]) -> dict[str, Any]:
    """What to compare with the list at hand: how many of each fate, of each product and company, and the dates."""
    taken = [fate for fate in fates if fate.fate != "refused"]
    issued = sorted(fate.row.issued_date for fate in taken if fate.row.issued_date)
    return {
        "counts": {name: sum(one.fate == name for one in fates) for name in ("new", "changed", "known", "refused")},
        "by_product": Counter(name_of(fate.product) for fate in taken if fate.product).most_common(),
        "by_company": Counter(fate.company.name for fate in taken if fate.company).most_common(20),
        "first": issued[0] if issued else None,
        "last": issued[-1] if issued else None,
    }


def _rows(request: HttpRequest) -> list[SeatRow]:
    upload = request.FILES.get("file")
    if isinstance(upload, UploadedFile):
        if (upload.size or 0) > BYTES_READ:
            raise TooManySeats
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "list"
            file.write_bytes(upload.read())
            return seats_in(open_table(file), product=request.POST.get("product", ""), most=ROWS_READ)
    try:
        given = json.loads(request.POST.get("rows", "") or "[]")
        return [_read(one) for one in given[:ROWS_READ]]
    except (ValueError, TypeError, KeyError, AttributeError):
        raise UnreadableFile("empty") from None


def _read(given: dict[str, Any]) -> SeatRow:
    row = row_of(int(given["line"]), {name: given[name] for name in FIELDS if given.get(name) is not None})
    return row if not given.get("unreadable") else SeatRow(row.line, row.product, unreadable=True)


def _plain(row: SeatRow) -> dict[str, Any]:
    held = {name: getattr(row, name) for name in FIELDS}
    texts = {name: value if isinstance(value, str) else value.isoformat() for name, value in held.items() if value}
    return {"line": row.line, **texts, **({"unreadable": True} if row.unreadable else {})}


def _wrong(request: HttpRequest, context: dict[str, Any], said: str) -> HttpResponseBase:
    return render(request, "seats/import.html", {**context, "wrong": said}, status=422)
