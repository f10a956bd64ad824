"""Where park operators and administrators set up that people sign in with the login they have."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from uptake.connectors.people.models import PeopleSource
from uptake.directory.scope import Deed, NotAllowed
from uptake.directory.sign_on import set_up as doors
from uptake.directory.sign_on.let_in import Why
from uptake.directory.sign_on.models import Protocol, SignOn, SignOnLink
from uptake.web.pages.sign_on import saml
from uptake.web.pages.sign_on.answers import REASONS, TRIAL
from uptake.web.pages.sign_on.by_saml import ours
from uptake.web.pages.sign_on.forms import FORMS, REFUSALS, tell
from uptake.web.viewing import NotYours, needs, viewer_for

SHOWN = 100
"""Links that a page shows."""


@needs(Deed.MANAGE_DATA)
def home(request: HttpRequest) -> HttpResponseBase:
    """All ways in that the viewer manages."""
    viewer = viewer_for(request)
    rows = SignOn.objects.visible_to(viewer).select_related("organization").annotate(accounts=Count("links"))
    context = {
        "rows": [(one, *_state(one)) for one in rows.order_by("organization__path", "pk")],
        "protocols": [(one.value, one.label) for one in FORMS],
    }
    return render(request, "sign_on/home.html", context)


@needs(Deed.MANAGE_DATA)
@never_cache
def new(request: HttpRequest, protocol: str) -> HttpResponseBase:
    """Sets one up."""
    viewer = viewer_for(request)
    if protocol not in FORMS:
        raise Http404("no such protocol")
    kind = Protocol(protocol)
    form = FORMS[kind](request.POST or None, viewer=viewer, sign_on=None)
    if request.method == "POST" and form.is_valid():
        try:
            made = doors.set_up(
                protocol=kind,
                organization=form.cleaned_data["organization"],
                setup=form.setup(),
                by=viewer,
                now=timezone.now(),
            )
        except REFUSALS as refusal:
            tell(form, refusal)
        else:
            messages.success(request, _("Set up. Tell the other system the address below, then test it."))
            return redirect("sign_on:one", made.pk)
    lacking = saml.missing() if kind == Protocol.SAML else ""
    return render(request, "sign_on/form.html", {"form": form, "protocol": kind, "way": None, "lacking": lacking})


@needs(Deed.MANAGE_DATA)
@never_cache
def change_it(request: HttpRequest, sign_on_id: int) -> HttpResponseBase:
    """Changes one."""
    viewer = viewer_for(request)
    held = _held(request, sign_on_id)
    kind = Protocol(held.protocol)
    form = FORMS[kind](request.POST or None, viewer=viewer, sign_on=held)
    if request.method == "POST" and form.is_valid():
        try:
            doors.change(sign_on=held, setup=form.setup(), by=viewer, now=timezone.now())
        except NotAllowed as refusal:
            raise NotYours(Deed.RUN_PLATFORM) from refusal
        except REFUSALS as refusal:
            tell(form, refusal)
        else:
            messages.success(request, _("Changed. Test it again if you changed how people are told apart."))
            return redirect("sign_on:one", held.pk)
    return render(request, "sign_on/form.html", {"form": form, "protocol": kind, "way": held})


@needs(Deed.MANAGE_DATA)
@never_cache
def one(request: HttpRequest, sign_on_id: int) -> HttpResponseBase:
    """One way in: what to tell the other system, its test, whose accounts came in by it."""
    held = _held(request, sign_on_id)
    trial = request.session.get(TRIAL)
    if not isinstance(trial, dict) or trial.get("sign_on") != held.pk:
        trial = None
    viewer = viewer_for(request)
    links = SignOnLink.objects.visible_to(viewer).filter(sign_on=held).select_related("user__person")
    tone, state = _state(held)
    is_saml = held.protocol == Protocol.SAML
    context = {
        "way": held,
        "tone": tone,
        "saml": ours(request, held) if is_saml else None,
        "certificates": saml.certificates(held) if is_saml else [],
        "source_name": _source_name(held),
        "lacking": saml.missing() if is_saml else "",
        "state": state,
        "callback": request.build_absolute_uri(reverse("sign_on_with:callback", args=[held.slug])),
        "own_address": request.build_absolute_uri(reverse("sign_on_with:begin", args=[held.slug])),
        "trial": trial,
        "reason": REASONS[Why(trial["why"])] if trial and trial["why"] else "",
        "links": links.order_by("-last_at")[:SHOWN],
        "count": links.count(),
        "may": not held.for_administrators or viewer.may(Deed.RUN_PLATFORM, held.organization),
    }
    return render(request, "sign_on/one.html", context)


@needs(Deed.MANAGE_DATA)
@require_POST
def steer(request: HttpRequest, sign_on_id: int) -> HttpResponseBase:
    """Pauses, lets go on (`do=resume`), makes it the only way (`do=demand`), or not (`do=free`), removes it."""
    viewer, now = viewer_for(request), timezone.now()
    held = _held(request, sign_on_id)
    try:
        match request.POST.get("do"):
            case "pause":
                doors.pause(sign_on=held, paused=True, by=viewer, now=now)
                messages.success(request, _("Paused. Nobody comes in by it; passwords do."))
            case "resume":
                doors.pause(sign_on=held, paused=False, by=viewer, now=now)
                messages.success(request, _("People can sign in with it again."))
            case "demand":
                doors.demand(sign_on=held, only_way=True, by=viewer, now=now)
                messages.success(
                    request, _("From now on the people of this place sign in with it and not with a password.")
                )
            case "free":
                doors.demand(sign_on=held, only_way=False, by=viewer, now=now)
                messages.success(request, _("Passwords do again."))
            case "forget":
                request.session.pop(TRIAL, None)
            case "remove":
                doors.remove(sign_on=held, by=viewer, now=now)
                messages.success(request, _("Removed. Logins and people stay as they are."))
                return redirect("sign_on:home")
    except doors.NotTried:
        messages.error(request, _("Test it first: nobody should be locked out by a way in that does not work."))
    except NotAllowed as refusal:
        raise NotYours(Deed.RUN_PLATFORM) from refusal
    return redirect("sign_on:one", sign_on_id)


@needs(Deed.MANAGE_DATA)
@require_POST
def unlink_it(request: HttpRequest, sign_on_id: int, link_id: int) -> HttpResponseBase:
    """Forgets whose login an account is."""
    held = _held(request, sign_on_id)
    links = SignOnLink.objects.visible_to(viewer_for(request)).select_related("sign_on")
    link = get_object_or_404(links, pk=link_id, sign_on=held)
    try:
        doors.unlink(link=link, by=viewer_for(request), now=timezone.now())
    except NotAllowed as refusal:
        raise NotYours(Deed.RUN_PLATFORM) from refusal
    messages.success(request, _("Unlinked. At the next sign-in the account is matched anew."))
    return redirect("sign_on:one", sign_on_id)


def _source_name(held: SignOn) -> str:
    """The name of the source whose ids people are known by; its label where it is gone."""
    number = held.source.removeprefix("people/")
    found = PeopleSource.objects.filter(pk=number).first() if number.isdecimal() else None
    return found.name if found else held.source


def _held(request: HttpRequest, sign_on_id: int) -> SignOn:
    rows = SignOn.objects.visible_to(viewer_for(request)).select_related("organization")
    return get_object_or_404(rows, pk=sign_on_id)


def _state(held: SignOn) -> tuple[str, str]:
    if held.paused_at is not None:
        return "off", _("Paused")
    if held.tried_at is None:
        return "warn", _("Not tested yet")
    return ("good", _("The only way in")) if held.only_way else ("good", pgettext("of a way to sign in", "Open"))
