"""Systems that are asked: connecting one, how its streams stand, what they mean, and what was not understood."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Max, OuterRef, Subquery
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import get_language, gettext_lazy, ngettext, pgettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from uptake.connectors.models import BadRecord, Pull, PullStream
from uptake.connectors.pull.connect_system import SettingMissing, change_system, connect_system, leads_as_before
from uptake.connectors.pull.declaration import BadDeclaration, Declaration, read_yaml
from uptake.connectors.pull.mapping import Reading
from uptake.connectors.pull.opening import access, declared, reading_of, zone_of
from uptake.connectors.pull.presets import NAMES, Preset
from uptake.connectors.pull.presets import preset as shipped
from uptake.connectors.pull.protocol import Problem
from uptake.connectors.pull.read_page import plain_json
from uptake.connectors.pull.secrets import opened
from uptake.connectors.pull.steer import read_again, set_aside, try_again, understand_again
from uptake.connectors.pull.try_out import Outcome, try_out
from uptake.connectors.pull.words import reason
from uptake.directory.models import Identity, Kind, Organization
from uptake.directory.scope import Deed
from uptake.events.connect import SlugTaken
from uptake.events.models import Connection, Event
from uptake.web.pages.data.figures import rates
from uptake.web.viewing import needs, viewer_for

SHOWN = 20
PEOPLE = 50
SILENT_AFTER = timedelta(days=7)


@dataclass(frozen=True)
class StreamRow:
    """A stream as the page shows it."""

    name: str
    state: PullStream | None
    tone: str
    words: str


@dataclass(frozen=True)
class Coverage:
    """Whom the source has named."""

    seen: int
    unmapped: int
    silent: list[tuple[str, str, datetime | None]]
    """Those who were heard last long ago: id there, name here, when."""


@needs(Deed.MANAGE_DATA)
def choose(request: HttpRequest) -> HttpResponseBase:
    """The kinds of systems that can be asked."""
    language = get_language() or "en"
    offered = [
        {"name": name, "title": shipped(name).words(language), "about": shipped(name).words(language, "about")}
        for name in NAMES
    ]
    return render(request, "data/systems.html", {"offered": offered, "tab": "connections"})


class SystemForm(forms.Form):
    """A new system: the settings its declaration asks for, and what every connection has."""

    name = forms.CharField(max_length=200, label=pgettext_lazy("of a thing", "Name"))
    slug = forms.SlugField(max_length=100, label=gettext_lazy("Short name"))
    organization = forms.ModelChoiceField(
        Organization.objects.none(),
        label=gettext_lazy("Whose events come in"),
        empty_label=gettext_lazy("Choose a place"),
    )
    history_from = forms.DateField(
        required=False,
        label=gettext_lazy("Read back to"),
        widget=forms.DateInput({"type": "date"}),
        help_text=gettext_lazy("What happened before today is looked at and earns no points. Empty: from now on."),
    )

    def __init__(self, *args: Any, chosen: Preset, places: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.chosen = chosen
        place = self.fields["organization"]
        assert isinstance(place, forms.ModelChoiceField), "the organization is chosen from a list"
        place.queryset = places
        slug = self.fields["slug"]
        slug.required = False
        if not chosen.declaration.streams:
            place.label = _("Whose figures are read")
            del self.fields["history_from"]
        slug.help_text = _("Letters, digits and hyphens. It names the source in every event and cannot be changed.")
        add_settings(self, chosen.declaration)

    def clean(self) -> dict[str, Any]:
        """A short name is made from the name where none is given; Chinese names need one typed."""
        cleaned = super().clean() or {}
        if not self.errors and not cleaned.get("slug"):
            cleaned["slug"] = slugify(cleaned["name"])[:100]
            if not cleaned["slug"]:
                raise ValidationError({"slug": _("Type a short name, such as erp-beiyuan.")})
        return cleaned


class SettingsForm(forms.Form):
    """What a system is asked with. Secrets are never filled in: what is typed takes the place of what is kept."""

    def __init__(self, *args: Any, declaration: Declaration, kept: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        add_settings(self, declaration, kept=kept)


def add_settings(form: forms.Form, declaration: Declaration, kept: dict[str, str] | None = None) -> None:
    """The fields of a declaration's settings, named `set-<name>`."""
    language = get_language() or "en"
    for one in declaration.settings:
        needed = not one.optional and not one.default and not (one.secret and kept is not None)
        label = one.label.get(language) or one.label.get("en") or one.name
        attributes = {"autocomplete": "new-password" if one.secret else "off"}
        widget = forms.PasswordInput(attributes) if one.secret else forms.TextInput(attributes)
        field = forms.CharField(required=needed, label=label, max_length=2000, widget=widget, strip=not one.secret)
        if one.secret:
            field.help_text = (
                _("Kept encrypted and never shown again. Leave empty to keep it.")
                if kept is not None
                else _("Kept encrypted and never shown again.")
            )
        elif one.example:
            field.help_text = _("Such as: %(example)s") % {"example": one.example}
        field.initial = "" if one.secret else (kept or {}).get(one.name, one.default)
        form.fields[f"set-{one.name}"] = field


def given(form: forms.Form, declaration: Declaration) -> tuple[dict[str, str], dict[str, str]]:
    """(settings, secrets) as typed."""
    settings: dict[str, str] = {}
    secrets: dict[str, str] = {}
    for one in declaration.settings:
        text = str(form.cleaned_data.get(f"set-{one.name}") or "")
        if text:
            (secrets if one.secret else settings)[one.name] = text
    return settings, secrets


@needs(Deed.MANAGE_DATA)
@never_cache
def new(request: HttpRequest, preset: str) -> HttpResponseBase:
    """Connects a system; `do=check` asks it first and shows what it says, and writes nothing."""
    if preset not in NAMES:
        raise Http404
    viewer, chosen = viewer_for(request), shipped(preset)
    allowed = Organization.objects.filter(viewer.within("path", Deed.MANAGE_DATA)).open()
    places = allowed.filter(kind__in=[Kind.PARK, Kind.COMPANY]).order_by("-kind", "name")
    form = SystemForm(request.POST or None, chosen=chosen, places=places)
    outcome: Outcome | None = None
    if request.method == "POST" and form.is_valid():
        settings, secrets = given(form, chosen.declaration)
        place, now = form.cleaned_data["organization"], timezone.now()
        since = form.cleaned_data.get("history_from")
        back = datetime(since.year, since.month, since.day, tzinfo=timezone.get_current_timezone()) if since else None
        if request.POST.get("do") == "check":
            draft = Connection(slug=form.cleaned_data["slug"], organization=place)
            filled = access(draft, chosen.declaration, settings, secrets)
            reading = Reading(chosen.declaration, draft.slug, zone_of(draft), filled.settings)
            outcome = try_out(reading=reading, access=filled, since=back or now - timedelta(days=7))
        else:
            try:
                made = connect_system(
                    slug=form.cleaned_data["slug"],
                    name=form.cleaned_data["name"],
                    organization=place,
                    declaration=chosen.text,
                    preset=preset,
                    settings=settings,
                    secrets=secrets,
                    history_from=back,
                    by=viewer,
                    now=now,
                )
            except SlugTaken:
                form.add_error("slug", _("Another connection has this short name."))
            except SettingMissing as missing:
                form.add_error(f"set-{missing}", _("This is needed."))
            else:
                messages.success(request, _("Connected. It is asked from now on."))
                return redirect("data:connection", made.connection.slug)
    context = {
        "form": form,
        "preset": preset,
        "title": chosen.words(get_language() or "en"),
        "about": chosen.words(get_language() or "en", "about"),
        "outcome": outcome and shown(outcome),
        "tab": "connections",
    }
    return render(request, "data/system_new.html", context)


def show(
    request: HttpRequest,
    found: Connection,
    *,
    outcome: Outcome | None = None,
    text: str | None = None,
    wrong: str = "",
    form: SettingsForm | None = None,
) -> HttpResponseBase:
    """The page of a connected system."""
    pull = get_object_or_404(Pull.objects.visible_to(viewer_for(request)), connection=found)
    now = timezone.now()
    try:
        declaration: Declaration | None = declared(pull)
    except BadDeclaration as refusal:
        declaration, wrong = None, wrong or str(refusal)
    states = {one.name: one for one in pull.streams.all()}
    names = [one.name for one in declaration.streams] if declaration else list(states)
    bad = BadRecord.objects.visible_to(viewer_for(request)).filter(stream__pull=pull).waiting().select_related("stream")
    speed = rates([found.slug], now)
    latest = max((one.high_at for one in states.values() if one.high_at), default=None)
    context = {
        "row": found,
        "pull": pull,
        "streams": [_stream_row(name, states.get(name)) for name in names],
        "state": _state(pull),
        "why": pull.attention and reason(pull.attention["code"]),
        "failing": pull.failure and not pull.attention and reason(pull.failure["code"]),
        "latest": latest,
        "today": speed.today.get(found.slug, 0),
        "last_hour": speed.last_hour.get(found.slug, 0),
        "bad": [
            {"row": one, "reason": reason(one.code), "raw": json.dumps(one.raw, ensure_ascii=False, indent=2)}
            for one in bad.order_by("-pk")[:SHOWN]
        ],
        "bad_count": bad.count(),
        "coverage": _coverage(found, now),
        "hook": request.build_absolute_uri(reverse("hooks:take", args=[found.slug]))
        if declaration and declaration.webhook
        else "",
        "hook_ready": bool(declaration and declaration.webhook and _keeps(pull, declaration.webhook.secret)),
        "typed": pull.declaration if text is None else text,
        "wrong": wrong,
        "outcome": outcome and shown(outcome),
        "form": form or (SettingsForm(declaration=declaration, kept=pull.settings) if declaration else None),
        "tab": "connections",
    }
    return render(request, "data/system.html", context)


def _keeps(pull: Pull, secret: str) -> bool:
    """Whether a secret of this name is kept and can be opened."""
    try:
        return bool(opened(pull.secrets).get(secret))
    except Problem:
        return False


@needs(Deed.MANAGE_DATA)
@require_POST
def again(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Asks at once; with a date, reads everything since then again."""
    pull, now = _pull(request, slug), timezone.now()
    since = forms.DateField(required=False).clean(request.POST.get("since") or None) if _date(request) else None
    if since is None:
        try_again(pull=pull, by=viewer_for(request), now=now)
        messages.success(request, _("It is asked again now."))
    else:
        at = datetime(since.year, since.month, since.day, tzinfo=timezone.get_current_timezone())
        read_again(pull=pull, since=min(at, now), by=viewer_for(request), now=now)
        messages.success(request, _("It is read again from that day. What is there already stays as it is."))
    return redirect("data:connection", slug)


@needs(Deed.MANAGE_DATA)
@require_POST
def records(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Reads what was not understood once more, or puts it away for good (`do=aside`)."""
    pull, viewer, now = _pull(request, slug), viewer_for(request), timezone.now()
    if request.POST.get("do") == "aside":
        count = set_aside(pull=pull, by=viewer, now=now)
        messages.success(request, ngettext("%(n)s record put away.", "%(n)s records put away.", count) % {"n": count})
        return redirect("data:connection", slug)
    try:
        made, still = understand_again(pull=pull, by=viewer, now=now)
    except (Problem, BadDeclaration):
        messages.error(request, _("The declaration or the password must be put right first."))
    else:
        messages.success(
            request, _("Events made: %(made)s. Still not understood: %(still)s.") % {"made": made, "still": still}
        )
    return redirect("data:connection", slug)


@needs(Deed.MANAGE_DATA)
@require_POST
@never_cache
def change(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Tries a declaration on real records (`do=try`) or saves it; with `do=settings` saves address and password."""
    pull, viewer, now = _pull(request, slug), viewer_for(request), timezone.now()
    found, do = pull.connection, request.POST.get("do")
    if do == "settings":
        return _change_settings(request, pull)
    text = request.POST.get("declaration", "").replace("\r\n", "\n")
    try:
        declaration = read_yaml(text)[0]
        if do == "save":
            change_system(pull=pull, declaration=text, by=viewer, now=now)
            messages.success(request, _("Saved. It is asked by the new declaration from now on."))
            return redirect("data:connection", slug)
        secrets = opened(pull.secrets) if leads_as_before(pull, declaration, None) else {}
        filled = access(found, declaration, pull.settings, secrets)
    except BadDeclaration as refusal:
        return show(request, found, text=text, wrong=str(refusal))
    except SettingMissing as missing:
        return show(request, found, text=text, wrong=_("The setting %(name)s is missing.") % {"name": missing})
    except Problem as problem:
        return show(request, found, text=text, wrong=reason(problem.code))
    reading = reading_of(pull, declaration, filled.settings)
    latest = pull.streams.aggregate(last=Max("high_at"))["last"] or now
    outcome = try_out(reading=reading, access=filled, since=latest - timedelta(days=7))
    return show(request, found, text=text, outcome=outcome)


def _change_settings(request: HttpRequest, pull: Pull) -> HttpResponseBase:
    declaration = declared(pull)
    form = SettingsForm(request.POST, declaration=declaration, kept=pull.settings)
    if not form.is_valid():
        return show(request, pull.connection, form=form)
    settings, secrets = given(form, declaration)
    try:
        change_system(pull=pull, settings=settings, secrets=secrets, by=viewer_for(request), now=timezone.now())
    except SettingMissing as missing:
        form.add_error(f"set-{missing}", _("Type it again: it does not follow to another address or user."))
        return show(request, pull.connection, form=form)
    messages.success(request, _("Saved. It is asked with these from now on."))
    return redirect("data:connection", pull.connection.slug)


def shown(outcome: Outcome) -> dict[str, Any]:
    """A dry run as the page shows it."""
    return {
        "who": outcome.health.who if outcome.health else "",
        "warnings": outcome.health.warnings if outcome.health else (),
        "problem": outcome.problem and reason(outcome.problem.code),
        "detail": outcome.problem.detail if outcome.problem else "",
        "streams": [
            {
                "name": one.stream.name,
                "problem": one.problem and reason(one.problem.code),
                "detail": one.problem.detail if one.problem else "",
                "rows": [
                    {
                        "raw": json.dumps(plain_json(record.raw), ensure_ascii=False, indent=2),
                        "told": told,
                        "bad": code and reason(code),
                    }
                    for record, told, code in one.rows
                ],
            }
            for one in outcome.streams
        ],
    }


def _pull(request: HttpRequest, slug: str) -> Pull:
    visible = Pull.objects.visible_to(viewer_for(request)).select_related("connection__organization")
    found: Pull = get_object_or_404(visible, connection__slug=slug)
    return found


def _date(request: HttpRequest) -> bool:
    try:
        forms.DateField(required=False).clean(request.POST.get("since") or None)
    except ValidationError:
        return False
    return True


def _state(pull: Pull) -> dict[str, str]:
    if pull.connection.paused_at is not None:
        return {"words": _("Paused"), "tone": "off"}
    if pull.attention is not None:
        return {"words": _("Needs attention"), "tone": "bad"}
    if pull.failures:
        words = ngettext("Failed %(n)s time in a row", "Failed %(n)s times in a row", pull.failures)
        return {"words": words % {"n": pull.failures}, "tone": "warn"}
    if pull.read_at is None:
        return {"words": _("Reading for the first time"), "tone": "warn"}
    return {"words": _("Up to date"), "tone": "good"}


def _stream_row(name: str, state: PullStream | None) -> StreamRow:
    if state is None:
        return StreamRow(name, None, "off", _("Not read yet"))
    if state.attention is not None:
        return StreamRow(name, state, "bad", reason(state.attention["code"]))
    if state.reread_from is not None or state.place is not None:
        return StreamRow(name, state, "warn", _("Being read"))
    return StreamRow(name, state, "good", _("Read to its end"))


def _coverage(found: Connection, now: datetime) -> Coverage:
    people = Identity.objects.filter(source=found.slug)
    last = Event.objects.filter(identity=OuterRef("pk")).order_by("-happened_at").values("happened_at")[:1]
    heard = people.annotate(last=Subquery(last)).order_by("last")
    silent = [
        (there, here or "", at)
        for there, here, at in heard.values_list("external_id", "person__name", "last")[:PEOPLE]
        if at is None or at < now - SILENT_AFTER
    ]
    return Coverage(people.count(), people.filter(person__isnull=True).count(), silent)
