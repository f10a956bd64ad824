"""Putting a draft to the vote, lowering a rule at once, and the terms of a place's committee."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from uptake.directory.models import Kind, Organization
from uptake.directory.place import settings_at
from uptake.directory.scope import Deed, NotAllowed, Viewer
from uptake.programme.drafting.hand_on import NotBackTested, back_test_of
from uptake.programme.drafting.models import Draft
from uptake.programme.drafting.save import NotOpen
from uptake.programme.governance.committee import Terms, is_member, members_of, terms_of
from uptake.programme.governance.configure import TermsRefused, configure_committee
from uptake.programme.governance.lower_at_once import NotLower, UnknownRule, lower_at_once
from uptake.programme.governance.models import Majority
from uptake.programme.governance.propose import (
    LONGEST_TEXT,
    NoCommittee,
    NothingChanges,
    WhyMissing,
    open_proposal,
)
from uptake.programme.governance.streak_guard import StreaksUnbounded
from uptake.programme.in_force import parsed, rulebook_version_on
from uptake.programme.rulebook import RuleVersion
from uptake.web.streaks import streaks_refused
from uptake.web.viewing import needs, viewer_for


class ProposeForm(forms.Form):
    draft = forms.ModelChoiceField(Draft.objects.none(), label=gettext_lazy("Draft"), empty_label=None)
    why = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("Everybody of the company reads it."),
    )


class LowerForm(forms.Form):
    rule = forms.ChoiceField(label=gettext_lazy("Rule"))
    points = forms.IntegerField(
        label=gettext_lazy("At most so many points each time"), required=False, min_value=0, max_value=1_000_000
    )
    per_day = forms.IntegerField(
        label=gettext_lazy("At most so many points a day"), required=False, min_value=0, max_value=1_000_000,
        help_text=gettext_lazy("Leave both empty to switch the rule off."),
    )  # fmt: skip
    why = forms.CharField(
        label=gettext_lazy("Why"), max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 3})
    )  # fmt: skip


class TermsForm(forms.Form):
    quorum_percent = forms.IntegerField(
        label=gettext_lazy("Quorum, percent of the members"), min_value=1, max_value=100,
        help_text=gettext_lazy("So many must vote at least; abstaining is voting."),
    )  # fmt: skip
    majority = forms.ChoiceField(label=gettext_lazy("Majority"), choices=Majority.choices)
    voting_days = forms.IntegerField(label=gettext_lazy("Days to vote"), min_value=1, max_value=60)
    notice_days = forms.IntegerField(
        label=gettext_lazy("Days of notice"), min_value=0, max_value=60,
        help_text=gettext_lazy("Between the result and the first day in force."),
    )  # fmt: skip
    appeal_days = forms.IntegerField(label=gettext_lazy("Days to answer an appeal"), min_value=1, max_value=60)
    debt_most = forms.IntegerField(
        label=gettext_lazy("Write off debts of at most so many points"), min_value=0, max_value=1_000_000,
        help_text=gettext_lazy("0: no debt is written off. The monthly report tells what was."),
    )  # fmt: skip
    debt_days = forms.IntegerField(
        label=gettext_lazy("Days after which a debt is written off"), min_value=1, max_value=366,
        help_text=gettext_lazy("Counted from when it last grew."),
    )  # fmt: skip
    bounded_streaks = forms.BooleanField(
        label=gettext_lazy("Refuse streaks that pay without end"), required=False,
        help_text=gettext_lazy("A rule for a streak then needs a limit of a week, a month or in all, or a last date."),
    )  # fmt: skip
    secret = forms.BooleanField(
        label=gettext_lazy("Secret ballot"), required=False,
        help_text=gettext_lazy("Only the count is told, and only at the end; no reasons are kept."),
    )  # fmt: skip


@needs(Deed.MANAGE_RULES)
def new(request: HttpRequest) -> HttpResponseBase:
    """The back-tested drafts one may put to the vote; `?draft=` chooses one."""
    viewer = viewer_for(request)
    ready = [one.pk for one in Draft.objects.visible_to(viewer).open() if back_test_of(one) is not None]
    drafts = Draft.objects.filter(pk__in=ready).select_related("organization").order_by("-saved_at")
    form = ProposeForm(request.POST or None, initial={"draft": request.GET.get("draft")})
    form.fields["draft"].queryset = drafts  # type: ignore[attr-defined]
    form.fields["draft"].label_from_instance = lambda one: f"{one.title} · {one.organization.name}"  # type: ignore[attr-defined]
    if request.method == "POST" and form.is_valid():
        try:
            made = open_proposal(
                draft=form.cleaned_data["draft"], why=form.cleaned_data["why"], by=viewer, now=timezone.now()
            )
            messages.success(request, _("The vote has begun; the members are told."))
            return redirect("committee:proposal", proposal_id=made.pk)
        except NoCommittee:
            form.add_error(None, _("Nobody there holds the role of a committee member."))
        except NothingChanges:
            form.add_error("draft", _("This rulebook is in force already."))
        except (NotBackTested, NotOpen):
            form.add_error("draft", _("The draft must be open and back-tested as it stands."))
        except StreaksUnbounded as refused:
            form.add_error("draft", streaks_refused(refused))
        except WhyMissing:
            form.add_error("why", _("Say why."))
        except NotAllowed:
            form.add_error(None, _("You may not do this here."))
    status = 422 if form.errors else 200
    return render(request, "committee/new.html", {"form": form, "drafts": drafts}, status=status)


@needs(Deed.MANAGE_RULES)
def lower(request: HttpRequest) -> HttpResponseBase:
    """One rule lowered or switched off, from now on."""
    viewer = viewer_for(request)
    now = timezone.now()
    places = _places(viewer, Deed.MANAGE_RULES)
    place = _chosen(request, viewer, places)
    rules = _rules(place, now)
    form = LowerForm(request.POST or None)
    titles = {rule.rule: rule.title or rule.rule for rule in rules}
    form.fields["rule"].choices = list(titles.items())  # type: ignore[attr-defined]
    if request.method == "POST" and form.is_valid() and place is not None:
        given = form.cleaned_data
        name = titles[given["rule"]]
        try:
            made = lower_at_once(
                organization=place, rule=given["rule"], title=name, why=given["why"],
                points=given["points"], per_day=given["per_day"], by=viewer, now=now,
            )  # fmt: skip
            messages.success(request, _("%(rule)s is lowered from now on. The vote on it has begun.") % {"rule": name})
            return redirect("committee:proposal", proposal_id=made.pk)
        except NotLower:
            form.add_error(None, _("That does not lower the rule. More, or something else, takes a proposal."))
        except UnknownRule:
            form.add_error("rule", _("This rule is not in force."))
        except NoCommittee:
            form.add_error(None, _("Nobody there holds the role of a committee member."))
        except WhyMissing:
            form.add_error("why", _("Say why."))
        except NotAllowed:
            form.add_error(None, _("You may not do this here."))
    context = {"form": form, "place": place, "places": places, "rules": rules}
    return render(request, "committee/lower.html", context, status=422 if form.errors else 200)


@needs(Deed.GIVE_ROLES)
def terms(request: HttpRequest) -> HttpResponseBase:
    """How the committee of a place votes, and who sits on it."""
    viewer = viewer_for(request)
    now = timezone.now()
    places = _places(viewer, Deed.GIVE_ROLES)
    place = _chosen(request, viewer, places)
    if place is None:
        return render(request, "committee/settings.html", {"place": None}, status=200)
    today = settings_at(place).date_of(now)
    set_ = terms_of(place)
    form = TermsForm(request.POST or None, initial=asdict(set_))
    if request.method == "POST" and form.is_valid():
        try:
            configure_committee(organization=place, terms=Terms(**form.cleaned_data), by=viewer, now=now)
            messages.success(request, _("Saved. Votes that are open go on by their own terms."))
            return redirect(f"{request.path}?at={place.slug}")
        except TermsRefused as refused:
            form.add_error(refused.term, _("This is out of bounds."))
        except NotAllowed:
            form.add_error(None, _("You may not do this here."))
    members = members_of(place, today)
    context: dict[str, Any] = {"form": form, "place": place, "places": places, "members": members}
    return render(request, "committee/settings.html", context, status=422 if form.errors else 200)


def _places(viewer: Viewer, deed: Deed) -> QuerySet[Organization]:
    kinds = (Kind.PARK, Kind.COMPANY)
    return Organization.objects.filter(viewer.within("path", deed), kind__in=kinds, closed_at=None).order_by(
        "-kind", "name"
    )


def _chosen(request: HttpRequest, viewer: Viewer, places: QuerySet[Organization]) -> Organization | None:
    """`?at=`, else a place whose committee one sits on, else the first that has a committee, else the first."""
    asked = request.GET.get("at", "")
    if asked:
        found = places.filter(slug=asked).first()
        if found is not None:
            return found
    every = list(places)
    own = next((one for one in every if is_member(viewer, one)), None)
    seated = places.filter(role_assignments__role="committee").first()
    return own or seated or (every[0] if every else None)


def _rules(place: Organization | None, now: Any) -> list[RuleVersion]:
    if place is None:
        return []
    today = settings_at(place).date_of(now)
    version = rulebook_version_on(place, today)
    return list(parsed(version.pk, version.sha256).in_force(today)) if version else []
