"""The front door: each viewer lands on the page that answers the own first question."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from uptake.directory.scope import Deed
from uptake.web.menu import menu_for
from uptake.web.viewing import login_required, viewer_for


@login_required
def home(request: HttpRequest) -> HttpResponseBase:
    """Overview for those who see totals, else the own points; whatever exists of it."""
    viewer = viewer_for(request)
    entries = menu_for(viewer, request)
    first = ("overview:home", "points:home") if viewer.may(Deed.SEE_TOTALS) else ("points:home",)
    for name in first:
        for entry in entries:
            if entry.item.url == name:
                return redirect(entry.address)
    return redirect(entries[0].address if entries else "account:home")
