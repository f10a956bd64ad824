"""The widget of a connection: its keys, the pages that may show it, and the lines to put there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from uptake.connectors.models import IntakeProblem
from uptake.directory.scope import Deed, NotAllowed
from uptake.events.keys import origin_of
from uptake.events.models import BROWSER, Connection, WidgetKey
from uptake.events.widget_keys import OWN, NotAnOrigin, OriginsNeeded, make_widget_key, revoke_widget_key
from uptake.web.pages.data.keys import SHOWN_DAYS, Problem, problems_of
from uptake.web.viewing import needs, viewer_for
from uptake.web.widget.token import LONGEST


class WidgetKeyForm(forms.Form):
    """A new key of the widget."""

    label = forms.CharField(
        max_length=100,
        required=False,
        label=gettext_lazy("What it is for"),
        help_text=gettext_lazy("Such as: ERP server"),
    )
    origins = forms.CharField(
        widget=forms.Textarea({"rows": 2}),
        label=gettext_lazy("Pages that show it"),
        help_text=gettext_lazy("One address per line, such as https://erp.example.com. Pages of others are refused."),
    )

    def clean_origins(self) -> list[str]:
        """The addresses, each as a browser names it."""
        found = []
        for text in str(self.cleaned_data["origins"]).split():
            try:
                found.append(origin_of(text))
            except NotAnOrigin:
                raise ValidationError(_("%(text)s is not an address like https://host.") % {"text": text}) from None
        return found


def _connection(request: HttpRequest, slug: str) -> Connection:
    """One whose data the viewer manages and whose ids of people somebody vouches for. Http404 for others."""
    viewer = viewer_for(request)
    rows = Connection.objects.filter(viewer.within("organization__path", Deed.MANAGE_DATA))
    found: Connection = get_object_or_404(rows.select_related("organization"), slug=slug)
    if found.kind in (BROWSER, OWN):
        raise Http404("no widget here")
    return found


def problems_by_key(rows: Iterable[IntakeProblem]) -> list[tuple[WidgetKey, Problem]]:
    """Each sort of problem with its key, the latest first."""
    by_key: dict[WidgetKey, list[IntakeProblem]] = {}
    for row in rows:
        if row.widget_key is not None:
            by_key.setdefault(row.widget_key, []).append(row)
    found = [(key, problem) for key, held in by_key.items() for problem in problems_of(held)]
    return sorted(found, key=lambda one: one[1].last_at, reverse=True)


@needs(Deed.MANAGE_DATA)
@never_cache
def home(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The keys; with a POST, a new one, shown this one time."""
    found = _connection(request, slug)
    viewer = viewer_for(request)
    secret = None
    form = WidgetKeyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            _key, secret = make_widget_key(
                connection=found,
                by=viewer,
                now=timezone.now(),
                label=form.cleaned_data["label"],
                allowed_origins=form.cleaned_data["origins"],
            )
            form = WidgetKeyForm()
        except OriginsNeeded:
            form.add_error("origins", _("Name the pages one by one; * is not enough here."))
        except NotAllowed:
            form.add_error(None, _("You may not make keys here."))
    keys = WidgetKey.objects.visible_to(viewer).filter(connection=found).order_by("revoked_at", "-pk")
    since = timezone.localdate() - timedelta(days=SHOWN_DAYS)
    problems = IntakeProblem.objects.visible_to(viewer).filter(widget_key__connection=found, day__gt=since)
    context: dict[str, Any] = {
        "connection": found,
        "problems": problems_by_key(problems.select_related("widget_key").order_by("-day", "code")),
        "days": SHOWN_DAYS,
        "keys": keys,
        "any_valid": any(key.revoked_at is None for key in keys),
        "secret": secret,
        "form": form,
        "script": request.build_absolute_uri(reverse("widget:script")),
        "tokens": request.build_absolute_uri("/api/v1/widget/tokens"),
        "minutes": LONGEST.seconds // 60,
        "tab": "connections",
    }
    return render(request, "data/widget.html", context)


@needs(Deed.MANAGE_DATA)
@require_POST
def revoke(request: HttpRequest, slug: str, widget_key_id: int) -> HttpResponseBase:
    """Revokes a key: the pages that use it show nothing from then on."""
    found = _connection(request, slug)
    rows = WidgetKey.objects.visible_to(viewer_for(request)).filter(connection=found)
    key = get_object_or_404(rows, pk=widget_key_id)
    revoke_widget_key(key=key, by=viewer_for(request), now=timezone.now())
    messages.success(request, _("Key %(key)s revoked.") % {"key": key})
    return redirect("data:widget", slug)
