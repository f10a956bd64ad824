"""The drafts of rulebooks: the list, a new one, one with its rules in sentences, and its deeds."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import yaml
from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.http import require_POST

from uptake.directory.models import Organization
from uptake.directory.place import settings_at
from uptake.directory.scope import Deed
from uptake.programme.backtest.replay import as_of
from uptake.programme.changes import changes_of, events_of
from uptake.programme.drafting.ask_back_test import LONGEST_DAYS, ask_back_test, call_off_back_test
from uptake.programme.drafting.begin import LONGEST_TITLE, begin_draft
from uptake.programme.drafting.examples import try_examples
from uptake.programme.drafting.find_exploits import exploits_of
from uptake.programme.drafting.hand_on import back_test_of, withdraw_draft
from uptake.programme.drafting.models import Draft, Run, RunState
from uptake.programme.drafting.publish_draft import ExamplesFail, publish_draft
from uptake.programme.drafting.save import ChangedMeanwhile, NotOpen
from uptake.programme.drafting.shadow import set_shadow
from uptake.programme.fairness.earnable import earnable
from uptake.programme.governance.committee import members_of
from uptake.programme.governance.streak_guard import StreaksUnbounded, check_streaks
from uptake.programme.in_force import rulebook_version_on
from uptake.programme.publish import OtherClock, TooSoon
from uptake.programme.rulebook import Rulebook, RuleVersion
from uptake.programme.rulebook_reading import read_rulebook
from uptake.programme.rulebook_refusals import RulebookRefused
from uptake.programme.sentences import joined_sentences, refusal_sentence, rule_sentences
from uptake.programme.templates.list import TEMPLATES
from uptake.web import numbers
from uptake.web.catalogue import labels_of
from uptake.web.clock_words import CLOCK_REFUSALS, clock_refused, other_hours
from uptake.web.pages.building.fields import jsonable
from uptake.web.pages.building.place import draft_for, places_for, plain_of
from uptake.web.pages.building.sections import SECTIONS
from uptake.web.pages.rules.publish import LONGEST
from uptake.web.streaks import streak_warnings, streaks_refused
from uptake.web.viewing import needs, viewer_for

QUICK_PEOPLE = 200
DAYS = (30, 90, 180)
IN_FORCE, EMPTY = "in_force", "empty"


class NewForm(forms.Form):
    """Where a draft begins: the rulebook in force, a template, nothing, or a file."""

    place = forms.ModelChoiceField(
        Organization.objects.none(), label=gettext_lazy("For"), to_field_name="slug", empty_label=None
    )
    title = forms.CharField(label=gettext_lazy("What is to change"), max_length=LONGEST_TITLE)
    start = forms.ChoiceField(label=gettext_lazy("Start from"))
    upload = forms.FileField(label=gettext_lazy("Rulebook file (JSON or YAML)"), required=False)
    text = forms.CharField(required=False, strip=False, max_length=LONGEST, label=gettext_lazy("The file"),
                           widget=forms.Textarea(attrs={"rows": 14, "class": "form-control mono"}))  # fmt: skip

    def __init__(self, *args: Any, places: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["place"].queryset = places  # type: ignore[attr-defined]
        self.fields["start"].choices = [  # type: ignore[attr-defined]
            (IN_FORCE, _("the rulebook in force")),
            *((one.slug, _("Template: %(title)s") % {"title": one.title}) for one in TEMPLATES),
            (EMPTY, pgettext("to begin with", "nothing")),
        ]

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
        return given


@needs(Deed.MANAGE_RULES)
def home(request: HttpRequest) -> HttpResponseBase:
    """All drafts of the places whose rules one manages."""
    drafts = (
        Draft.objects.visible_to(viewer_for(request))
        .select_related("organization", "author__person", "published")
        .defer("file", "examples")
        .order_by("-saved_at", "-pk")[:200]
    )
    return render(request, "building/home.html", {"drafts": drafts, "templates": TEMPLATES})


@needs(Deed.MANAGE_RULES)
def new(request: HttpRequest) -> HttpResponseBase:
    """The form of a new draft; a refused file comes back as text, with the reason."""
    places = places_for(viewer_for(request))
    start = request.GET.get("start", IN_FORCE)
    if request.method != "POST":
        form = NewForm(places=places, initial={"start": start, "title": _("A better rulebook")})
        return render(request, "building/new.html", {"form": form})
    form = NewForm(request.POST, request.FILES, places=places)
    if not form.is_valid():
        return render(request, "building/new.html", {"form": form, "text": request.POST.get("text", "")}, status=422)
    told = form.cleaned_data
    try:
        draft = begin_draft(
            organization=told["place"],
            title=told["title"],
            rulebook=told["text"] or _start(told["start"], told["place"]),
            by=viewer_for(request),
            now=timezone.now(),
        )
    except RulebookRefused as refused:
        failed = refusal_sentence(refused)
    except OtherClock as refused:
        failed = _("The file's clock is %(theirs)s, that of the place %(ours)s. Leave timezone and day_start out.") % {
            "theirs": " ".join(refused.theirs),
            "ours": " ".join(refused.ours),
        }
    else:
        messages.success(request, _("The draft is begun. Nobody is paid by it until it is published."))
        return redirect("building:draft", draft.pk)
    again = NewForm(places=places, initial=told)
    return render(request, "building/new.html", {"form": again, "failed": failed, "text": told["text"]}, status=422)


def _start(wanted: str, place: Organization) -> Any:
    for template in TEMPLATES:
        if template.slug == wanted:
            return template.rulebook
    if wanted == IN_FORCE:
        version = rulebook_version_on(place, settings_at(place).date_of(timezone.now()))
        if version is not None:
            return version.file
    return {"rules": []}


@needs(Deed.MANAGE_RULES)
def draft(request: HttpRequest, draft_id: int) -> HttpResponseBase:
    """One draft: its rules in sentences, what it changes, its back-tests and what can be done with it."""
    found = draft_for(request, draft_id)
    rulebook = read_rulebook(found.file)
    base = read_rulebook(found.base.file) if found.base else None
    today = settings_at(found.organization).date_of(timezone.now())
    always = as_of(rulebook, today)
    labels = labels_of(events_of(rulebook, base))
    tried = try_examples(always, found.examples, today)
    context = {
        "draft": found,
        "rules": [
            {"index": index, "rule": rule, "title": rule.title or rule.rule, "pays": _pays(rule),
             "sentence": joined_sentences(rule_sentences(rule, labels, rulebook))}
            for index, rule in enumerate(rulebook.rules)
        ],
        "sections": [(one, _count(rulebook, one.key)) for one in SECTIONS],
        "changes": changes_of(base, always, today, labels),
        "failing": [one for one in tried if not one.holds],
        "tried": tried,
        "tested": back_test_of(found),
        "exploits": exploits_of(found),
        "streaks": streak_warnings(rulebook, today) if found.is_open else [],
        "earnable": earnable(always, found.organization, today),
        "committee": bool(members_of(found.organization, today)),
        "tomorrow": today + timedelta(days=1),
        "other": other_hours(rulebook, found.organization, today + timedelta(days=1)) if found.is_open else None,
        "days": DAYS,
        "saves": found.history.select_related("saved_by__person").order_by("-number").defer("file", "examples")[:8],
        "runs": _runs(found),
        "new_index": len(rulebook.rules),
        "reports": found.reports.order_by("-made_at", "-pk").defer("content")[:8],
        "steps": _steps(found),
    }  # fmt: skip
    return render(request, "building/draft.html", context)


def _pays(rule: RuleVersion) -> str:
    return f"+{rule.points}" if isinstance(rule.points, int) else ""


def _count(rulebook: Rulebook, key: str) -> str:
    return "" if key == "programme" else str(len(getattr(rulebook, key)))


def _runs(found: Draft) -> list[Run]:
    """Those that wait or run, and the last one if it failed."""
    latest = list(found.runs.order_by("-pk").defer("file")[:3])
    open_ones = [one for one in latest if not one.is_over]
    return open_ones or [one for one in latest[:1] if one.state == RunState.FAILED]


def _steps(found: Draft) -> list[tuple[str, str]]:
    """(name, how far) of the way of a draft."""
    names = [_("Draft"), _("Back-test"), _("Proposal and vote"), _("In force")]
    at = {"draft": 0, "tested": 2, "proposed": 2, "published": 4, "withdrawn": 0}[found.state]
    return [(name, "ok" if place < at else "now" if place == at else "") for place, name in enumerate(names)]


@needs(Deed.MANAGE_RULES)
@require_POST
def do(request: HttpRequest, draft_id: int) -> HttpResponseBase:
    """One deed on a draft: back-test, call off, shadow, withdraw, publish."""
    found = draft_for(request, draft_id)
    viewer, now = viewer_for(request), timezone.now()
    what = request.POST.get("what", "")
    try:
        if what == "back-test":
            _ask(request, found)
        elif what == "call-off":
            run = found.runs.filter(pk=_number(request.POST.get("run", ""))).first()
            if run is not None:
                call_off_back_test(run=run, by=viewer, now=now)
                messages.success(request, _("The back-test is called off."))
        elif what == "shadow":
            set_shadow(draft=found, on=request.POST.get("on") == "1", by=viewer, now=now)
        elif what == "withdraw":
            withdraw_draft(draft=found, by=viewer, now=now)
            messages.success(request, _("The draft is withdrawn. Nothing of it is lost."))
        elif what == "publish":
            return _publish(request, found)
        else:
            raise Http404("no such deed")
    except NotOpen:
        messages.error(request, _("This draft is closed: it is proposed, published or withdrawn."))
    return redirect("building:draft", found.pk)


def _ask(request: HttpRequest, found: Draft) -> None:
    days = _number(request.POST.get("days", ""))
    days = days if 1 <= days <= LONGEST_DAYS else DAYS[1]
    sample = QUICK_PEOPLE if request.POST.get("sample") else None
    ask_back_test(draft=found, days=days, sample=sample, by=viewer_for(request), now=timezone.now())
    messages.success(request, _("The back-test waits for its turn; this page tells how far it is."))


def _number(typed: str) -> int:
    return int(typed) if typed.isdigit() and len(typed) < 18 else 0


def _publish(request: HttpRequest, found: Draft) -> HttpResponseBase:
    try:
        day = date.fromisoformat(request.POST.get("in_force", ""))
    except ValueError:
        messages.error(request, _("Choose the first date in force."))
        return redirect("building:draft", found.pk)
    today = settings_at(found.organization).date_of(timezone.now())
    if members_of(found.organization, today):
        messages.error(request, _("The committee of this place decides on rulebooks: propose the draft."))
        return redirect("building:draft", found.pk)
    try:
        check_streaks(found.organization, read_rulebook(found.file), max(day, today))
        version = publish_draft(
            draft=found,
            seen=_number(request.POST.get("seen", "")),
            in_force_date=day,
            by=viewer_for(request),
            now=timezone.now(),
            changes_clock=request.POST.get("changes_clock") == "1",
        )
    except ExamplesFail as refused:
        messages.error(
            request,
            _("Example %(number)s earns %(points)s points and must earn %(expected)s. Nothing was published.")
            % {"number": refused.tried[0].number, "points": refused.tried[0].points,
               "expected": refused.tried[0].expected},
        )  # fmt: skip
    except StreaksUnbounded as refused:
        messages.error(request, streaks_refused(refused))
    except ChangedMeanwhile:
        messages.error(request, _("Somebody saved this draft meanwhile. Look at it again before you publish it."))
    except TooSoon as refused:
        messages.error(
            request,
            _("A changed rulebook applies from %(day)s at the earliest.") % {"day": numbers.day(refused.earliest)},
        )
    except (RulebookRefused, OtherClock):
        messages.error(request, _("The file cannot be published as it is: its clock is not that of the place."))
    except CLOCK_REFUSALS as refused:
        messages.error(request, clock_refused(refused))
    else:
        messages.success(
            request,
            _("Rulebook %(number)s is published; it is in force from %(day)s.")
            % {"number": version.number, "day": numbers.day(version.in_force_date)},
        )
    return redirect("building:draft", found.pk)


@needs(Deed.MANAGE_RULES)
def export(request: HttpRequest, draft_id: int, kind: str) -> HttpResponseBase:
    """The file as JSON or YAML."""
    found = draft_for(request, draft_id)
    plain = jsonable(plain_of(found))
    if kind == "json":
        text, sort = json.dumps(plain, indent=2, ensure_ascii=False) + "\n", "application/json"
    elif kind == "yaml":
        text, sort = yaml.safe_dump(plain, allow_unicode=True, sort_keys=False), "application/yaml"
    else:
        raise Http404("no such format")
    response = HttpResponse(text, content_type=f"{sort}; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="rulebook-{found.organization.slug}-{found.pk}.{kind}"'
    return response
