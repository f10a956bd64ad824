"""What reaches one by which way and when, and the address in a mail that stops more of its kind."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from uptake.notify.choose import choose_rhythm, choose_ways, stop_mails
from uptake.notify.models import Bounce, Pace, Rhythm, Topic, Way
from uptake.notify.topics import CANNOT_WAIT
from uptake.notify.unsubscribe import NotOurs, read_token
from uptake.notify.wishes import wanted_by, zones_of
from uptake.web.viewing import login_required, user_of, viewer_for

WAYS = (Way.PAGE, Way.MAIL)


class RhythmForm(forms.Form):
    """When mails come."""

    pace = forms.ChoiceField(choices=Pace.choices, label=gettext_lazy("Mails come"))
    quiet_from = forms.TimeField(
        required=False,
        label=gettext_lazy("Quiet hours from"),
        widget=forms.TimeInput({"type": "time"}, format="%H:%M"),
    )
    quiet_until = forms.TimeField(
        required=False, label=gettext_lazy("until"), widget=forms.TimeInput({"type": "time"}, format="%H:%M")
    )
    zone = forms.ChoiceField(required=False, label=gettext_lazy("Time zone"))

    def __init__(self, *args: Any, place_zone: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone = self.fields["zone"]
        assert isinstance(zone, forms.ChoiceField), "the zone is chosen from a list"
        names = sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))
        here = _("As at my place (%(zone)s)") % {"zone": place_zone}
        zone.choices = [("", here), *((name, name.replace("_", " ")) for name in names)]

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        if (found.get("quiet_from") is None) != (found.get("quiet_until") is None) and not self.errors:
            self.add_error("quiet_until", _("Quiet hours have a beginning and an end. Leave both empty for none."))
        return found


def choices_of(person: int | None) -> list[dict[str, Any]]:
    """One row of the table: a topic, and for each way whether it is wanted."""
    wanted = {way: wanted_by(person, way) for way in WAYS}
    return [
        {
            "topic": topic.value,
            "label": topic.label,
            "urgent": topic in CANNOT_WAIT,
            "ways": [(way.value, way.label, topic in wanted[way]) for way in WAYS],
        }
        for topic in Topic
    ]


@login_required
def home(request: HttpRequest) -> HttpResponseBase:
    """What reaches one; `do=when` keeps the hours, all else the table."""
    person, now = user_of(request).person_id, timezone.now()
    if person is None:
        raise Http404("a login of nobody gets no messages")
    kept = Rhythm.objects.filter(person_id=person).first() or Rhythm(person_id=person)
    zone = zones_of([person], viewer_for(request).today)[person]
    when = request.method == "POST" and request.POST.get("do") == "when"
    first = {name: getattr(kept, name) for name in ("pace", "quiet_from", "quiet_until", "zone")}
    form = RhythmForm(request.POST if when else None, initial=first, place_zone=zone)
    if when and form.is_valid():
        told = form.cleaned_data
        quiet = (told["quiet_from"], told["quiet_until"]) if told["quiet_from"] is not None else None
        choose_rhythm(person_id=person, pace=Pace(told["pace"]), quiet=quiet, zone=told["zone"], now=now)
        messages.success(request, _("Kept. Mails come when you want them."))
        return redirect("account:told")
    if request.method == "POST" and not when:
        wanted = {way: [topic for topic in Topic if f"{topic}/{way}" in request.POST] for way in WAYS}
        choose_ways(person_id=person, wanted=wanted, now=now)
        messages.success(request, _("Kept. From now on you get what you chose."))
        return redirect("account:told")
    user = user_of(request)
    context = {
        "rows": choices_of(person),
        "ways": [way.label for way in WAYS],
        "form": form,
        "address": user.person.email if user.person else "",
        "bounce": Bounce.objects.visible_to(viewer_for(request)).filter(person_id=person).first(),
    }
    return render(request, "you/told.html", context)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def stop_mail(request: HttpRequest, token: str) -> HttpResponseBase:
    """Asks whether to stop (GET), and stops (POST): also for the one click of a mail program, which has no cookie."""
    try:
        person, topic = read_token(token)
    except NotOurs as wrong:
        raise Http404("no such address") from wrong
    done = request.method == "POST"
    if done:
        stop_mails(person_id=person, topic=topic, now=timezone.now())
    return render(request, "account/mail_stop.html", {"topic": topic.label if topic else "", "done": done})
