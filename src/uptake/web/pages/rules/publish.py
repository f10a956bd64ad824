"""Publishing a rulebook by page: the file goes in, its sentences come back, and only then it is published."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from uptake.directory.models import Kind, Organization
from uptake.directory.place import settings_at
from uptake.directory.scope import Deed
from uptake.programme.changes import events_of
from uptake.programme.governance.committee import must_vote
from uptake.programme.governance.streak_guard import StreaksUnbounded, check_streaks
from uptake.programme.models import RulebookVersion
from uptake.programme.publish import OtherClock, TooSoon, publish, with_clock
from uptake.programme.rulebook import Rulebook
from uptake.programme.rulebook_reading import load_text, parse_rulebook
from uptake.programme.rulebook_refusals import RulebookRefused
from uptake.programme.rulebook_writing import hash_of
from uptake.programme.sentences import refusal_sentence
from uptake.programme.templates.list import TEMPLATES
from uptake.web import numbers
from uptake.web.catalogue import labels_of
from uptake.web.clock_words import CLOCK_REFUSALS, OtherHours, clock_refused, other_hours
from uptake.web.pages.rules.read import cards_of
from uptake.web.streaks import streak_warnings, streaks_refused
from uptake.web.viewing import needs, viewer_for

LONGEST = 500_000


class RulebookForm(forms.Form):
    """The text of the file (typed, or from an upload) and the first date."""

    place = forms.ModelChoiceField(
        Organization.objects.none(), label=gettext_lazy("For"), to_field_name="slug", empty_label=None
    )
    in_force = forms.DateField(
        label=gettext_lazy("First date in force"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    upload = forms.FileField(label=gettext_lazy("Rulebook file (JSON or YAML)"), required=False)
    changes_clock = forms.BooleanField(
        label=gettext_lazy("Where the file names another clock, the place goes by that from the first date on"),
        required=False,
    )
    text = forms.CharField(
        label=gettext_lazy("Rulebook"),
        required=False,
        strip=False,
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 18, "spellcheck": "false", "class": "form-control mono"}),
    )

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        upload = given.get("upload")
        if upload is not None:
            if upload.size > LONGEST:
                raise forms.ValidationError(_("The file is longer than any rulebook should be."))
            try:
                given["text"] = upload.read().decode("utf-8-sig")
            except UnicodeDecodeError:
                raise forms.ValidationError(_("The file is not text in UTF-8.")) from None
        if not (given.get("text") or "").strip():
            raise forms.ValidationError(_("Choose a file or write the rulebook below."))
        return given


@needs(Deed.MANAGE_RULES)
def home(request: HttpRequest) -> HttpResponseBase:
    """The form; `check` shows the sentences, `publish` publishes what was checked."""
    viewer = viewer_for(request)
    places = Organization.objects.filter(
        viewer.within("path", Deed.MANAGE_RULES), kind__in=(Kind.PARK, Kind.COMPANY), closed_at=None
    ).order_by("-kind", "name")
    first = places.first()
    now = timezone.now()
    context: dict[str, Any] = {"templates": TEMPLATES}
    if request.method != "POST":
        tomorrow = settings_at(first).date_of(now) + timedelta(days=1)
        form = RulebookForm(initial={"in_force": tomorrow, "text": _start(request, first)})
        form.fields["place"].queryset = places  # type: ignore[attr-defined]
        return render(request, "rules/publish.html", {**context, "form": form})
    form = RulebookForm(request.POST, request.FILES)
    form.fields["place"].queryset = places  # type: ignore[attr-defined]
    if not form.is_valid():
        return render(request, "rules/publish.html", {**context, "form": form}, status=422)
    text, place, day = form.cleaned_data["text"], form.cleaned_data["place"], form.cleaned_data["in_force"]
    other_clock = form.cleaned_data["changes_clock"]
    try:
        rulebook = parse_rulebook(load_text(text))
        if "publish" in request.POST and must_vote(viewer, place, settings_at(place).date_of(now)):
            form.add_error(None, _("Here the committee decides: put a draft to the vote."))
        elif "publish" in request.POST:
            check_streaks(place, rulebook, day)
            version = publish(
                rulebook=text, organization=place, in_force_date=day, by=viewer, now=now, changes_clock=other_clock
            )
            messages.success(
                request,
                _("Rulebook %(number)s is published; it is in force from %(day)s.")
                % {"number": version.number, "day": numbers.day(version.in_force_date)},
            )
            return redirect("rules:home")
    except RulebookRefused as refused:
        form.add_error("text", refusal_sentence(refused))
    except StreaksUnbounded as refused:
        form.add_error("text", streaks_refused(refused))
    except TooSoon as refused:
        form.add_error(
            "in_force",
            _("A changed rulebook applies from %(day)s at the earliest.") % {"day": numbers.day(refused.earliest)},
        )
    except OtherClock as refused:
        form.add_error(
            "text",
            _("The file's clock is %(theirs)s, that of the place %(ours)s. Leave timezone and day_start out, or let the"
              " place go by it from a date to come.")
            % {"theirs": " ".join(refused.theirs), "ours": " ".join(refused.ours)},
        )  # fmt: skip
        context["asks_clock"] = True
    except CLOCK_REFUSALS as refused:
        form.add_error("in_force", clock_refused(refused))
        context["asks_clock"] = True
    else:
        context["cards"] = _cards(rulebook, day)
        context["streaks"] = streak_warnings(rulebook, day)
        context["other"] = other_hours_of(text, place, day)
        context["checked"] = True
    # an upload cannot be shown again by a browser: what it held goes on in the text
    shown = RulebookForm(initial={"place": place, "in_force": day, "text": text, "changes_clock": other_clock})
    shown.fields["place"].queryset = places  # type: ignore[attr-defined]
    failed = {name: list(errors) for name, errors in form.errors.items()}
    return render(
        request, "rules/publish.html", {**context, "form": shown, "failed": failed}, status=422 if failed else 200
    )


def other_hours_of(text: str, place: Organization, day: date) -> OtherHours | None:
    """The clock that the file brings to the place; None: it names none, or the one the place has."""
    return other_hours(parse_rulebook(with_clock(text, place, on=day, other=True)), place, day)


def _cards(rulebook: Rulebook, day: Any) -> Any:
    return cards_of(rulebook, day, labels_of(events_of(rulebook)), None)


def _start(request: HttpRequest, place: Organization | None) -> str:
    """What stands in the form at first: the template asked for, else the latest rulebook of the place, else nothing."""
    wanted = request.GET.get("template", "")
    for template in TEMPLATES:
        if template.slug == wanted:
            return template.text
    latest = RulebookVersion.objects.filter(organization=place).order_by("-number").first() if place else None
    return _readable(latest) if latest else ""


def _readable(version: RulebookVersion) -> str:
    """The file with a line for each key, where that says exactly the same."""
    text = json.dumps(json.loads(version.file), indent=2, ensure_ascii=False)
    return text if hash_of(parse_rulebook(load_text(text))) == version.sha256 else version.file
