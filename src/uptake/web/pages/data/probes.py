"""Probes: which systems are asked whether they answer, what was seen last, and until when their certificates hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from uptake.connectors.models import Probe
from uptake.connectors.probes.allowed import LONGEST_ADDRESS, WrongAddress, allowed_from
from uptake.connectors.probes.keep import (
    EVERY_MINUTES,
    MOST,
    NoSystemName,
    NotOnTheList,
    TooMany,
    declare_probe,
    end_probe,
)
from uptake.connectors.probes.words import CODES
from uptake.directory.models import Kind, Organization
from uptake.directory.scope import Deed, NotAllowed, Viewer
from uptake.web import numbers
from uptake.web.pages.data.connections import places
from uptake.web.pages.data.figures import waiting
from uptake.web.viewing import NotYours, needs, viewer_for

NEAR, URGENT = timedelta(days=30), timedelta(days=7)
"""So long before a certificate ends it is warned of."""
LATE = timedelta(minutes=30)
"""Not looked at for so long: the job does not run, or the list was emptied."""


class ProbeForm(forms.Form):
    """A new probe."""

    system = forms.CharField(
        max_length=100, label=gettext_lazy("System"), help_text=gettext_lazy("Such as: ERP, warehouse scanners")
    )
    organization = forms.ModelChoiceField(
        Organization.objects.none(),
        label=gettext_lazy("Company"),
        empty_label=gettext_lazy("Choose a company"),
        help_text=gettext_lazy("Its uptime is told of this company. What several use is declared for each."),
    )
    address = forms.CharField(
        max_length=LONGEST_ADDRESS,
        label=gettext_lazy("Address"),
        help_text=gettext_lazy("A page that needs no signing in, such as: https://erp.example.com/health"),
    )
    minutes = forms.TypedChoiceField(
        choices=[(one, str(one)) for one in EVERY_MINUTES], coerce=int, initial=5, label=gettext_lazy("How often")
    )

    def __init__(self, *args: Any, viewer: Viewer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        place = self.fields["organization"]
        assert isinstance(place, forms.ModelChoiceField), "the organization is chosen from a list"
        place.queryset = places(viewer).filter(kind=Kind.COMPANY)
        often = self.fields["minutes"]
        assert isinstance(often, forms.ChoiceField), "chosen from a list"
        often.choices = [
            (one, ngettext("every minute", "every %(n)s minutes", one) % {"n": one}) for one in EVERY_MINUTES
        ]


@dataclass(frozen=True, slots=True)
class Row:
    """One probe as it is shown. tone: of the dot; ends: the certificate in words, with the tone of its tag."""

    probe: Probe
    state: str
    tone: str
    why: str | Promise
    took: str
    ends: str
    ends_tone: str


@needs(Deed.MANAGE_DATA)
def home(request: HttpRequest) -> HttpResponseBase:
    """All probes of places the viewer manages; POST declares another."""
    viewer, now = viewer_for(request), timezone.now()
    allowed = allowed_from(settings.PROBE_HOSTS)
    form = ProbeForm(request.POST or None, viewer=viewer)
    if request.method == "POST" and form.is_valid():
        try:
            declare_probe(
                organization=form.cleaned_data["organization"],
                system=form.cleaned_data["system"],
                address=form.cleaned_data["address"],
                minutes=form.cleaned_data["minutes"],
                allowed=allowed,
                by=viewer,
                now=now,
            )
        except WrongAddress:
            form.add_error("address", _("This is no address of a page: it begins with https:// and holds no password."))
        except NotOnTheList:
            form.add_error("address", _("This host is not on the list of the installation (UPTAKE_PROBE_HOSTS)."))
        except NoSystemName:
            form.add_error("system", _("Name the system in at most 100 characters."))
        except TooMany:
            form.add_error(None, _("A company has at most %(n)s probes.") % {"n": MOST})
        except NotAllowed:
            raise NotYours(Deed.MANAGE_DATA) from None
        else:
            messages.success(request, _("Declared. The first look follows within seconds."))
            return redirect("data:probes")
    rows = Probe.objects.visible_to(viewer).standing().select_related("organization").order_by("system", "pk")
    context = {
        "rows": [row_of(one, now) for one in rows],
        "form": form,
        "on": bool(allowed),
        "tab": "probes",
        "waiting": waiting(viewer),
    }
    return render(request, "data/probes.html", context, status=422 if form.errors else 200)


@needs(Deed.MANAGE_DATA)
@require_POST
def end(request: HttpRequest, probe_id: int) -> HttpResponseBase:
    """The system is not asked any more."""
    viewer = viewer_for(request)
    found = get_object_or_404(Probe.objects.visible_to(viewer), pk=probe_id)
    end_probe(probe=found, by=viewer, now=timezone.now())
    messages.success(request, _("It is not asked any more. What was seen stays in the record."))
    return redirect("data:probes")


def row_of(probe: Probe, now: datetime) -> Row:
    """What was seen last, in words."""
    states = {True: (_("Answers"), "good"), False: (_("Does not answer"), "bad"), None: (_("Not asked"), "warn")}
    state, tone = states[probe.up]
    if probe.looked_at is None:
        state, tone = _("Waits for its first look"), "off"
    elif now - probe.looked_at > LATE:
        state, tone = _("Not asked lately"), "warn"
    why = CODES.get(probe.code, "") if probe.code != "answered" else ""
    if probe.code == "status":
        why = _("It answers with the error %(status)s.") % {"status": probe.status}
    took = "" if probe.milliseconds is None else f"{numbers.full(probe.milliseconds)} {_('ms')}"
    return Row(probe, state, tone, why, took, *_certificate(probe.certificate_until, now))


def _certificate(ends: datetime | None, now: datetime) -> tuple[str, str]:
    if ends is None:
        return "", ""
    days = (ends - now).days
    tone = "bad" if ends - now <= URGENT else "warn" if ends - now <= NEAR else ""
    return ngettext("%(n)s day left", "%(n)s days left", days) % {"n": numbers.full(max(days, 0))}, tone
