"""Webhooks: which software is told what happens at a place, what was delivered to it, and what was given up."""

from __future__ import annotations

import json
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone, translation
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from uptake.directory.models import Organization
from uptake.directory.place import settings_at
from uptake.directory.scope import Deed, Viewer
from uptake.notify.models import About, Chat, Delivery, Fate, Webhook
from uptake.notify.notices import line_of
from uptake.notify.post import NotAnAddress
from uptake.notify.subscribe import (
    SAID_IN_CHATS,
    TOLD_TO_SOFTWARE,
    NotEncrypted,
    make_channel,
    make_webhook,
    pause_webhook,
    remove_webhook,
    renew_secret,
    resume_webhook,
    send_again,
    test_webhook,
)
from uptake.notify.tell_week import KIND, NothingToTell, monday_before, send_week, set_weekly
from uptake.web.pages.data.connections import places
from uptake.web.pages.data.figures import waiting
from uptake.web.pages.data.week import figures_of
from uptake.web.viewing import needs, viewer_for

ON_A_PAGE = 25
TONES = {Fate.WAITING: "warn", Fate.DELIVERED: "good", Fate.DEAD: "bad"}


WRONG_ADDRESS = gettext_lazy("This is not the address of such a robot. Copy it whole from the settings of the group.")


class WebhookForm(forms.Form):
    """A new webhook."""

    name = forms.CharField(
        max_length=100, label=gettext_lazy("Name of the webhook"), help_text=gettext_lazy("Such as: payroll, HR system")
    )
    organization = forms.ModelChoiceField(
        Organization.objects.none(),
        label=gettext_lazy("What happens where"),
        empty_label=gettext_lazy("Choose a place"),
        help_text=gettext_lazy("It hears of this place and of all below it, and of nothing else."),
    )
    address = forms.CharField(
        max_length=1000,
        label=gettext_lazy("Address"),
        help_text=gettext_lazy("Such as: https://hr.example.com/uptake"),
    )
    plain_http = forms.BooleanField(
        required=False,
        label=gettext_lazy("Allow http:// here, which everybody on the way can read"),
    )
    about = forms.MultipleChoiceField(
        choices=[(one.value, one.label) for one in TOLD_TO_SOFTWARE],
        widget=forms.CheckboxSelectMultiple,
        label=gettext_lazy("What it is told of"),
        error_messages={"required": gettext_lazy("Choose at least one.")},
    )

    def __init__(self, *args: Any, viewer: Viewer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        place = self.fields["organization"]
        assert isinstance(place, forms.ModelChoiceField), "the organization is chosen from a list"
        place.queryset = places(viewer)


class ChannelForm(forms.Form):
    """A new robot of a group chat."""

    name = forms.CharField(
        max_length=100,
        label=gettext_lazy("Name of the group"),
        help_text=gettext_lazy("Such as: everybody in the park"),
    )
    organization = forms.ModelChoiceField(
        Organization.objects.none(),
        label=gettext_lazy("What happens where"),
        empty_label=gettext_lazy("Choose a place"),
        help_text=gettext_lazy("The group hears of this place and of all below it, and of nothing else."),
    )
    chat = forms.ChoiceField(choices=Chat.choices, label=gettext_lazy("Platform"))
    address = forms.CharField(
        max_length=1000,
        label=gettext_lazy("Address of the robot"),
        help_text=gettext_lazy("As the platform shows it. Kept encrypted and not shown again."),
        widget=forms.PasswordInput({"autocomplete": "off"}),
    )
    secret = forms.CharField(
        max_length=200,
        required=False,
        label=gettext_lazy("Secret"),
        help_text=gettext_lazy("DingTalk only, where the robot is protected by a signature."),
        widget=forms.PasswordInput({"autocomplete": "off"}),
    )
    language = forms.ChoiceField(choices=settings.LANGUAGES, label=gettext_lazy("Language of the group"))
    about = forms.MultipleChoiceField(
        choices=[(one.value, one.label) for one in SAID_IN_CHATS],
        widget=forms.CheckboxSelectMultiple,
        label=gettext_lazy("What it is told of"),
        error_messages={"required": gettext_lazy("Choose at least one.")},
    )

    def __init__(self, *args: Any, viewer: Viewer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        place = self.fields["organization"]
        assert isinstance(place, forms.ModelChoiceField), "the organization is chosen from a list"
        place.queryset = places(viewer)


@needs(Deed.MANAGE_DATA)
@never_cache
def chats(request: HttpRequest) -> HttpResponseBase:
    """All group chats the viewer manages; a new one is made below."""
    viewer = viewer_for(request)
    form = ChannelForm(request.POST or None, viewer=viewer, initial={"language": get_language()})
    if request.method == "POST" and form.is_valid():
        told = {**form.cleaned_data, "chat": Chat(form.cleaned_data["chat"])}
        try:
            made = make_channel(**told, by=viewer, now=timezone.now())
        except NotAnAddress:
            form.add_error("address", WRONG_ADDRESS)
        else:
            messages.success(request, _("The group is connected. Send a test to see whether it hears."))
            return redirect("data:webhook", made.pk)
    rows = [_row(one) for one in _webhooks(viewer).exclude(chat="").order_by("name", "pk")]
    context = {"rows": rows, "form": form, "tab": "chats", "waiting": waiting(viewer)}
    return render(request, "data/chats.html", context)


@needs(Deed.MANAGE_DATA)
@never_cache
def home(request: HttpRequest) -> HttpResponseBase:
    """All webhooks the viewer manages, with what waits and what was given up; a new one is made below."""
    viewer = viewer_for(request)
    form = WebhookForm(request.POST or None, viewer=viewer)
    if request.method == "POST" and form.is_valid():
        try:
            made, secret = make_webhook(
                organization=form.cleaned_data["organization"],
                name=form.cleaned_data["name"],
                address=form.cleaned_data["address"],
                about=form.cleaned_data["about"],
                plain_http=form.cleaned_data["plain_http"],
                by=viewer,
                now=timezone.now(),
            )
        except NotAnAddress:
            form.add_error("address", _("This is no address that anything is sent to."))
        except NotEncrypted:
            form.add_error("address", _("This address is not encrypted. Use https://, or allow http:// below."))
        else:
            return _show(request, made, secret)
    rows = _webhooks(viewer).filter(chat="").order_by("name", "pk")
    context = {
        "rows": [_row(one) for one in rows],
        "form": form,
        "tab": "webhooks",
        "waiting": waiting(viewer),
    }
    return render(request, "data/webhooks.html", context)


@needs(Deed.MANAGE_DATA)
def webhook(request: HttpRequest, webhook_id: int) -> HttpResponseBase:
    """One webhook and its deliveries; `?fate=dead` shows what was given up."""
    return _show(request, get_object_or_404(_webhooks(viewer_for(request)), pk=webhook_id))


@needs(Deed.MANAGE_DATA)
def delivery(request: HttpRequest, webhook_id: int, delivery_id: int) -> HttpResponseBase:
    """One delivery: what was sent, byte for byte, and what was answered last."""
    viewer = viewer_for(request)
    rows = Delivery.objects.visible_to(viewer).select_related("webhook__organization", "company")
    found = get_object_or_404(rows, pk=delivery_id, webhook_id=webhook_id)
    body = json.dumps(json.loads(found.body), ensure_ascii=False, indent=2)
    context = {
        "row": found,
        "tone": TONES[Fate(found.fate)],
        "body": body,
        "tab": "chats" if found.webhook.chat else "webhooks",
        "waiting": waiting(viewer),
    }
    return render(request, "data/delivery.html", context)


@needs(Deed.MANAGE_DATA)
@never_cache
@require_POST
def steer(request: HttpRequest, webhook_id: int) -> HttpResponseBase:
    """Pauses, lets go on (`do=resume`), tests (`do=test`), sends again what was given up (`do=again`), makes the secret
    anew (`do=renew`) or takes it away (`do=remove`)."""
    viewer, now = viewer_for(request), timezone.now()
    hook = get_object_or_404(Webhook.objects.visible_to(viewer), pk=webhook_id)
    match request.POST.get("do"):
        case "pause":
            pause_webhook(webhook=hook, by=viewer, now=now)
            messages.success(request, _("Paused. What happens meanwhile waits and is not lost."))
        case "resume":
            resume_webhook(webhook=hook, by=viewer, now=now)
            messages.success(request, _("It is told again, beginning with what waited."))
        case "test":
            test_webhook(webhook=hook, by=viewer, now=now)
            messages.success(request, _("A test is on its way. Look here again in a few seconds."))
        case "again":
            count = send_again(webhook=hook, by=viewer, now=now)
            _told_again(request, count)
        case "week_on" | "week_off" as do if hook.chat:
            set_weekly(webhook=hook, wanted=do == "week_on", by=viewer, now=now)
            messages.success(request, _("Saved."))
        case "week_now" if hook.chat:
            try:
                send_week(webhook=hook, figures=figures_of, by=viewer, now=now)
                messages.success(request, _("The week is on its way. Look here again in a few seconds."))
            except NothingToTell:
                messages.error(request, _("Fewer than five people belong to this place: nothing is told of them."))
        case "renew" if not hook.chat:
            return _show(request, hook, renew_secret(webhook=hook, by=viewer, now=now))
        case "remove":
            remove_webhook(webhook=hook, by=viewer, now=now)
            messages.success(request, _("%(name)s is removed, with all its deliveries.") % {"name": hook.name})
            return redirect("data:chats" if hook.chat else "data:webhooks")
    return redirect("data:webhook", webhook_id)


@needs(Deed.MANAGE_DATA)
@require_POST
def again(request: HttpRequest, webhook_id: int, delivery_id: int) -> HttpResponseBase:
    """Sends one delivery once more."""
    viewer = viewer_for(request)
    rows = Delivery.objects.visible_to(viewer).select_related("webhook")
    found = get_object_or_404(rows, pk=delivery_id, webhook_id=webhook_id)
    _told_again(request, send_again(webhook=found.webhook, delivery_id=found.pk, by=viewer, now=timezone.now()))
    return redirect("data:delivery", webhook_id, delivery_id)


def _told_again(request: HttpRequest, count: int) -> None:
    said = ngettext("%(n)s delivery is sent again.", "%(n)s deliveries are sent again.", count)
    messages.success(request, said % {"n": count})


def _show(request: HttpRequest, hook: Webhook, secret: str = "") -> HttpResponseBase:
    viewer = viewer_for(request)
    found = _webhooks(viewer).get(pk=hook.pk)
    rows = Delivery.objects.visible_to(viewer).filter(webhook=found).order_by("-pk")
    fate = request.GET.get("fate", "")
    if fate in Fate.values:
        rows = rows.filter(fate=fate)
    page = Paginator(rows, ON_A_PAGE).get_page(request.GET.get("page"))
    context = {
        **_row(found),
        "week": _week(found) if found.chat else None,
        "secret": secret,
        "page": page,
        "rows": [{"row": one, "tone": TONES[Fate(one.fate)]} for one in page.object_list],
        "fate": fate,
        "fates": Fate.choices,
        "both_valid": found.old_until is not None and found.old_until > timezone.now(),
        "tab": "chats" if found.chat else "webhooks",
        "waiting": waiting(viewer),
    }
    return render(request, "data/webhook.html", context)


def _week(hook: Webhook) -> dict[str, Any]:
    """What the group would be told of the last week, in its language; `text` is empty for too few people."""
    zone = ZoneInfo(settings_at(hook.organization).at(timezone.now()).zone)
    content = figures_of(hook.organization, monday_before(timezone.localdate(timezone=zone)))
    found = {"on": About.WEEK in hook.about, "language": hook.language, "text": ""}
    if content is not None:
        with translation.override(hook.language):
            line = line_of(KIND, content)
        address = f"{settings.URL.geturl().rstrip('/')}{line['href']}"
        found["text"] = f"Uptake 活用 · {line['title']}\n{line['sub']}\n{address}"
    return found


def _webhooks(viewer: Viewer) -> QuerySet[Webhook, Any]:
    still = Count("deliveries", filter=Q(deliveries__fate=Fate.WAITING))
    dead = Count("deliveries", filter=Q(deliveries__fate=Fate.DEAD))
    rows = Webhook.objects.visible_to(viewer).select_related("organization")
    return rows.annotate(still=still, dead=dead)


def _row(hook: Any) -> dict[str, Any]:
    if hook.stopped_at:
        tone, state = ("bad", _("Gone (410)")) if hook.why_stopped == "gone" else ("off", _("Paused"))
    elif hook.failures:
        tone, state = "bad", _("Does not take anything now")
    elif hook.dead:
        tone, state = "warn", _("Some were given up")
    else:
        tone, state = ("good", _("Takes everything")) if hook.last_sent_at else ("off", _("Not told of anything yet"))
    return {"hook": hook, "tone": tone, "state": state, "about": [About(one).label for one in hook.about]}
