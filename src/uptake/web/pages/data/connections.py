"""Connections: what is linked, whether it speaks, and the keys by which programs send events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from uptake.connectors.pull.connect_system import KIND as SYSTEM
from uptake.directory.models import Kind, Organization
from uptake.directory.scope import Deed, NotAllowed, Viewer
from uptake.events.connect import NotAName, SlugTaken, allow_page_events, connect, pause, resume
from uptake.events.keys import NotAnOrigin, OriginsNeeded, make_key, revoke_key
from uptake.events.models import BROWSER, ApiKey, Connection
from uptake.web import numbers, parts
from uptake.web.pages.data import systems
from uptake.web.pages.data.figures import SHOWN_AT_MOST, rates, waiting
from uptake.web.viewing import needs, viewer_for

KINDS: dict[str, str | Promise] = {
    "api": gettext_lazy("Events by HTTP"),
    BROWSER: gettext_lazy("Web pages"),
    "file": gettext_lazy("Files"),
    SYSTEM: gettext_lazy("Connected system"),
    "uptake": gettext_lazy("Uptake itself"),
    "demo": gettext_lazy("Demo"),
}
ICONS = {BROWSER: "world-www", "file": "file-spreadsheet", "uptake": "database"}
QUIET_AFTER_HOURS = 24
MADE_HERE = ("api", BROWSER)
"""Kinds of connections that are made on the page; files bring their own."""


@dataclass(frozen=True)
class Row:
    """A connection as the list shows it."""

    connection: Connection
    kind: str
    icon: str
    state: str
    tone: str
    today: int
    last_hour: int


@needs(Deed.MANAGE_DATA)
def home(request: HttpRequest) -> HttpResponseBase:
    """All sources the viewer manages, with their state and what waits."""
    viewer = viewer_for(request)
    found = list(_connections(viewer).select_related("organization").order_by("name", "pk"))
    now = timezone.now()
    speed = rates([one.slug for one in found], now)
    rows = [
        Row(
            connection=one,
            kind=str(KINDS.get(one.kind, one.kind)),
            icon=ICONS.get(one.kind, "plug"),
            today=speed.today.get(one.slug, 0),
            last_hour=speed.last_hour.get(one.slug, 0),
            **_state(one),
        )
        for one in found
    ]
    counts = waiting(viewer)
    live = sum(row.tone == "good" for row in rows)
    kpis = [
        parts.Kpi(_("Sources"), numbers.full(len(rows)), note=_("%(n)s sent events today") % {"n": live}),
        parts.Kpi(
            _("Events today"), numbers.compact(sum(speed.today.values())), note=_("in your zone, since midnight")
        ),
        parts.Kpi(_("Last hour"), numbers.compact(sum(speed.last_hour.values())), note=_("events received")),
        _waiting_kpi(_("In quarantine"), counts["quarantined"], "data:quarantine", _("wait for a decision")),
        _waiting_kpi(_("Conflicts"), counts["conflicts"], "data:conflicts", _("same key, other content")),
        _waiting_kpi(_("Unmapped people"), counts["unmapped"], "identities:home", _("ids without a person")),
    ]
    context = {"rows": rows, "kpis": kpis, "waiting": counts, "tab": "connections"}
    return render(request, "data/home.html", context)


class ConnectionForm(forms.Form):
    """A new source of events."""

    name = forms.CharField(
        max_length=200, label=pgettext_lazy("of a thing", "Name"), help_text=gettext_lazy("Such as: ERP of Beiyuan")
    )
    organization = forms.ModelChoiceField(
        Organization.objects.none(),
        label=gettext_lazy("Whose events come in"),
        empty_label=gettext_lazy("Choose a place"),
        help_text=gettext_lazy("At a park, each event may name its company."),
    )
    kind = forms.ChoiceField(
        choices=[(kind, KINDS[kind]) for kind in MADE_HERE],
        required=False,
        label=gettext_lazy("How they come"),
        help_text=gettext_lazy(
            "Programs send with a secret key. Web pages load a small script; what they send earns no points."
        ),
    )
    slug = forms.SlugField(
        max_length=100,
        required=False,
        label=gettext_lazy("Short name"),
        help_text=gettext_lazy(
            "Letters, digits and hyphens. It names the source in every event and cannot be changed."
        ),
    )

    def __init__(self, *args: Any, viewer: Viewer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["organization"]
        assert isinstance(field, forms.ModelChoiceField), "the organization is chosen from a list"
        field.queryset = places(viewer)

    def clean(self) -> dict[str, Any]:
        """A short name is made from the name where none is given; Chinese names need one typed."""
        cleaned = super().clean() or {}
        if not self.errors and not cleaned.get("slug"):
            cleaned["slug"] = slugify(cleaned["name"])[:100]
            if not cleaned["slug"]:
                raise ValidationError({"slug": _("Type a short name, such as erp-beiyuan.")})
        return cleaned


@needs(Deed.MANAGE_DATA)
def new(request: HttpRequest) -> HttpResponseBase:
    """Makes a connection."""
    viewer = viewer_for(request)
    form = ConnectionForm(request.POST or None, viewer=viewer)
    if request.method == "POST" and form.is_valid():
        try:
            made = connect(
                slug=form.cleaned_data["slug"],
                kind=form.cleaned_data["kind"] or "api",
                name=form.cleaned_data["name"],
                organization=form.cleaned_data["organization"],
                by=viewer,
                now=timezone.now(),
            )
        except SlugTaken:
            form.add_error("slug", _("Another connection has this short name."))
        else:
            messages.success(request, _("Connection added. Make a key to send events."))
            return redirect("data:connection", made.slug)
    return render(request, "data/connection_new.html", {"form": form, "tab": "connections"})


@needs(Deed.MANAGE_DATA)
@never_cache
def connection(request: HttpRequest, slug: str) -> HttpResponseBase:
    """One connection: its state, its keys, how to send events."""
    viewer = viewer_for(request)
    found = _connection(viewer, slug)
    if found.kind == SYSTEM:
        return systems.show(request, found)
    return _show(request, found, None, _key_form(request, found))


class KeyForm(forms.Form):
    """A new key of a connection."""

    label = forms.CharField(
        max_length=100,
        required=False,
        label=gettext_lazy("What it is for"),
        help_text=gettext_lazy("Such as: ERP server"),
    )
    origins = forms.CharField(
        required=False,
        widget=forms.Textarea({"rows": 2}),
        label=gettext_lazy("Web pages that may use it"),
        help_text=gettext_lazy(
            "Leave empty for servers. Otherwise one address per line, such as https://erp.example.com; what is sent "
            "with the key is then counted and earns no points."
        ),
    )


class PageKeyForm(KeyForm):
    """A new key of web pages: not without the pages."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["label"].help_text = _("Such as: customer portal")
        origins = self.fields["origins"]
        origins.required = True
        origins.help_text = _("One address per line, such as https://erp.example.com. Pages of others are refused.")


class PageEventsForm(forms.Form):
    """What web pages may send beside page views."""

    names = forms.CharField(
        required=False,
        widget=forms.Textarea({"rows": 3}),
        label=gettext_lazy("Names of events"),
        help_text=gettext_lazy("One per line, such as report.opened. Page views ($pageview) always come in."),
    )


def _key_form(request: HttpRequest, found: Connection) -> KeyForm:
    """The form for a new key, empty or as sent."""
    form = PageKeyForm if found.kind == BROWSER else KeyForm
    return form(request.POST) if request.method == "POST" else form()


@needs(Deed.MANAGE_DATA)
@require_POST
@never_cache
def new_key(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Makes a key and shows it, this one time."""
    viewer = viewer_for(request)
    found = _connection(viewer, slug)
    form = _key_form(request, found)
    secret = None
    if form.is_valid():
        try:
            _key, secret = make_key(
                connection=found,
                by=viewer,
                now=timezone.now(),
                label=form.cleaned_data["label"],
                allowed_origins=form.cleaned_data["origins"].split(),
            )
            form = PageKeyForm() if found.kind == BROWSER else KeyForm()
        except OriginsNeeded:
            form.add_error("origins", _("Name the pages one by one; * is not enough here."))
        except NotAnOrigin as refusal:
            form.add_error("origins", _("%(text)s is not an address like https://host.") % {"text": refusal})
        except NotAllowed:
            form.add_error(None, _("You may not make keys here."))
    return _show(request, found, secret, form)


@needs(Deed.MANAGE_DATA)
@require_POST
def revoke(request: HttpRequest, slug: str, key_id: int) -> HttpResponseBase:
    """Revokes a key: within seconds it opens nothing any more."""
    viewer = viewer_for(request)
    key = get_object_or_404(_keys(viewer), pk=key_id, connection__slug=slug)
    revoke_key(key=key, by=viewer, now=timezone.now())
    messages.success(request, _("Key %(key)s revoked.") % {"key": key})
    return redirect("data:connection", slug)


@needs(Deed.MANAGE_DATA)
@require_POST
def pause_or_resume(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Pauses a connection, or lets it speak again (`do=resume`)."""
    viewer = viewer_for(request)
    found = _connection(viewer, slug)
    if request.POST.get("do") == "resume":
        resume(connection=found, by=viewer, now=timezone.now())
        messages.success(request, _("The connection takes events again."))
    else:
        pause(connection=found, by=viewer, now=timezone.now())
        messages.success(request, _("Paused. What senders send now is refused; they send it again later."))
    return redirect("data:connection", slug)


@needs(Deed.MANAGE_DATA)
@require_POST
@never_cache
def page_events(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Says which events web pages may send."""
    viewer = viewer_for(request)
    found = _connection(viewer, slug)
    if found.kind != BROWSER:
        raise Http404
    form = PageEventsForm(request.POST)
    if form.is_valid():
        names = form.cleaned_data["names"].splitlines()
        try:
            allow_page_events(connection=found, names=names, by=viewer, now=timezone.now())
        except NotAName as refusal:
            form.add_error("names", _("%(text)s cannot be the name of an event.") % {"text": refusal})
        else:
            messages.success(request, _("Web pages may send these events from now on."))
            return redirect("data:connection", slug)
    return _show(request, found, None, PageKeyForm(), form)


@needs(Deed.MANAGE_DATA)
@never_cache
def demo(request: HttpRequest, slug: str) -> HttpResponseBase:
    """A page that the collector watches, and beside it what the collector sends."""
    viewer = viewer_for(request)
    found = _connection(viewer, slug)
    if found.kind != BROWSER:
        return redirect("data:connection", slug)
    origin = f"{request.scheme}://{request.get_host()}".lower()
    valid = _keys(viewer).valid().filter(connection=found).order_by("-pk")
    key = next((one for one in valid if origin in one.allowed_origins), None)
    context = {
        "row": found,
        "key": key,
        "origin": origin,
        "person": request.GET.get("person", "")[:100],
        "events": f"{reverse('events:home')}?source={found.slug}",
        "allowed": found.page_events,
        "tab": "connections",
    }
    return render(request, "data/collector_demo.html", context)


def _keys(viewer: Viewer) -> Any:
    return ApiKey.objects.visible_to(viewer).select_related("connection")


def places(viewer: Viewer) -> Any:
    """Open companies and parks whose data the viewer manages, parks first, by name."""
    allowed = Organization.objects.filter(viewer.within("path", Deed.MANAGE_DATA))
    return allowed.open().filter(kind__in=[Kind.PARK, Kind.COMPANY]).order_by("-kind", "name")


def _connections(viewer: Viewer) -> Any:
    return Connection.objects.visible_to(viewer).filter(viewer.within("organization__path", Deed.MANAGE_DATA))


def _connection(viewer: Viewer, slug: str) -> Connection:
    found: Connection = get_object_or_404(_connections(viewer).select_related("organization"), slug=slug)
    return found


def _state(one: Connection) -> dict[str, str]:
    """How the connection is, in words and as a tone."""
    if one.paused_at is not None:
        return {"state": _("Paused"), "tone": "off"}
    if one.last_event_at is None:
        return {"state": _("No event yet"), "tone": "off"}
    if one.kind == "file":
        return {"state": _("By hand"), "tone": "off"}
    silent = timezone.now() - one.last_event_at
    if silent.total_seconds() > QUIET_AFTER_HOURS * 3600:
        days = silent.days
        return {"state": ngettext("Silent for %(n)s day", "Silent for %(n)s days", days) % {"n": days}, "tone": "warn"}
    return {"state": _("Live"), "tone": "good"}


def _show(
    request: HttpRequest, found: Connection, secret: str | None, form: KeyForm, names: PageEventsForm | None = None
) -> HttpResponseBase:
    now = timezone.now()
    speed = rates([found.slug], now)
    row = Row(
        connection=found,
        kind=str(KINDS.get(found.kind, found.kind)),
        icon=ICONS.get(found.kind, "plug"),
        today=speed.today.get(found.slug, 0),
        last_hour=speed.last_hour.get(found.slug, 0),
        **_state(found),
    )
    viewer = viewer_for(request)
    keys = list(_keys(viewer).filter(connection=found).order_by("revoked_at", "-pk"))
    context = {
        "row": row,
        "of_pages": found.kind == BROWSER,
        "keys": keys,
        "page_key": next((key for key in keys if key.revoked_at is None), None) if found.kind == BROWSER else None,
        "script": request.build_absolute_uri(reverse("collector:script")),
        "names": names or PageEventsForm({"names": "\n".join(found.page_events)}),
        "secret": secret,
        "form": form,
        "address": request.build_absolute_uri("/api/v1/events"),
        "example_at": now.replace(microsecond=0).isoformat(),
        "events": f"{reverse('events:home')}?source={found.slug}",
        "takes_keys": found.kind not in ("file", "uptake"),
        "tab": "connections",
    }
    return render(request, "data/connection.html", context)


def _waiting_kpi(label: str, count: int, url: str, note: str) -> parts.Kpi:
    figure = f"{numbers.full(count)}+" if count >= SHOWN_AT_MOST else numbers.full(count)
    return parts.Kpi(label, figure, note=note, href=reverse(url) if count else "")
