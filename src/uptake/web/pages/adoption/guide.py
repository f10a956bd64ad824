"""The starter guide: one's own steps, the newcomers and how far they are, and the steps a place sets."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from uptake.directory.models import Organization, Person, Role
from uptake.directory.place import settings_at
from uptake.directory.scope import HIDE_BELOW, Deed, NotAllowed, Viewer
from uptake.programme.adoption.finish_guides import set_guide
from uptake.programme.adoption.guides import GUIDES, LONGEST_NAME, MOST_STEPS, WEEKS, Step
from uptake.programme.adoption.models import Guide
from uptake.programme.adoption.progress import (
    Progress,
    departments_of,
    is_new,
    newcomers_at,
    progress_of,
    progress_of_all,
    steps_at,
)
from uptake.programme.adoption.refusals import Refusal
from uptake.programme.adoption.welcome import with_welcome
from uptake.programme.drafting.begin import begin_draft
from uptake.programme.in_force import rulebook_version_on
from uptake.programme.publish import OtherClock
from uptake.programme.rulebook_reading import load_text
from uptake.programme.rulebook_refusals import RulebookRefused
from uptake.web.catalogue import labels_of
from uptake.web.pages.adoption.places import chosen, companies_for, own_company
from uptake.web.pages.adoption.words import in_words
from uptake.web.viewing import login_required, needs, viewer_for

MOST: Final = 200


@dataclass(frozen=True)
class Line:
    """A newcomer as the list shows them."""

    person: Person
    department: str
    progress: Progress
    next: str


@dataclass(frozen=True)
class Group:
    """Newcomers of one department, counted; None where they are too few to tell."""

    name: str
    people: int | None
    finished: int | None


@login_required
def home(request: HttpRequest) -> HttpResponseBase:
    """One's own steps."""
    viewer, now = viewer_for(request), timezone.now()
    company = own_company(viewer)
    if company is None or viewer.person_id is None:
        return render(request, "adoption/no_guide.html", {"newcomers": viewer.may(Deed.RUN_TRAININGS)})
    person = Person.objects.get(pk=viewer.person_id)
    clock = settings_at(company)
    progress = progress_of(person, company, clock.date_of(now))
    context: dict[str, Any] = {"progress": progress, "lines": told(progress), "company": company, **_rights(viewer)}
    with timezone.override(clock.at(now).zone):
        return render(request, "adoption/guide.html", context)


@needs(Deed.RUN_TRAININGS, Deed.MANAGE_RULES)
def newcomers(request: HttpRequest) -> HttpResponseBase:
    """Who began in the last weeks and has not finished; POST begins a draft with the welcome bonus."""
    viewer, now = viewer_for(request), timezone.now()
    companies = companies_for(viewer, Deed.RUN_TRAININGS, Deed.MANAGE_RULES)
    if not companies:
        return render(request, "adoption/no_guide.html", {"newcomers": False})
    company = chosen(request, companies)
    manages = viewer.may(Deed.MANAGE_RULES, company)
    wrong = ""
    if request.method == "POST" and manages:
        wrong, draft = _welcome(company, viewer)
        if draft is not None:
            messages.success(request, _("The draft is begun. Nobody is paid by it until it is published."))
            return redirect("building:draft", draft)
    today = settings_at(company).date_of(now)
    people = newcomers_at(company, today)
    progress = progress_of_all(people, company, today) if people else {}
    departments = departments_of(people, company, today)
    sees = viewer.may(Deed.SEE_PEOPLE, company)
    language = get_language() or "en"
    lines = [
        Line(
            one,
            departments[one.pk].name if one.pk in departments else "",
            progress[one.pk],
            following.name_in(language) if (following := progress[one.pk].following) else "",
        )
        for one in people[:MOST]
    ]
    lines.sort(key=lambda one: one.progress.finished)
    enough = sees or len(people) >= HIDE_BELOW
    finished = sum(one.finished for one in progress.values())
    context: dict[str, Any] = {
        "company": company,
        "companies": companies,
        "sees": sees,
        "manages": manages,
        "lines": lines if sees else [],
        "groups": _groups(people, progress, {key: one.name for key, one in departments.items()}) if not sees else [],
        "people": len(people) if enough else None,
        "finished": finished if enough else None,
        "weeks": WEEKS,
        "none": not people,
        "wrong": wrong,
    }
    with timezone.override(settings_at(company).at(timezone.now()).zone):
        return render(request, "adoption/newcomers.html", context, status=422 if wrong else 200)


@needs(Deed.MANAGE_RULES)
def steps(request: HttpRequest) -> HttpResponseBase:
    """The steps of a place for one role; POST sets them, none of them: those of the house again."""
    viewer, now = viewer_for(request), timezone.now()
    companies = companies_for(viewer, Deed.MANAGE_RULES)
    company = chosen(request, companies)
    role = request.GET.get("role", "employee")
    role = role if role in GUIDES else "employee"
    wrong = ""
    rows = _padded([one.plain() for one in steps_at(company, role)])
    if request.method == "POST":
        rows = _padded(_typed(request))
        try:
            filled = [row for row in rows if row["en"] or row["zh"] or row["events"]]
            given = [_step(row, nth) for nth, row in enumerate(filled)]
            if request.POST.get("do") == "default":
                given = []
            set_guide(organization=company, role=role, steps=given, by=viewer, now=now)
        except (Refusal, NotAllowed) as refused:
            wrong = in_words(refused)
        else:
            messages.success(request, _("Steps set."))
            return redirect(f"{request.path}?{urlencode({'at': company.slug, 'role': role})}")
    context: dict[str, Any] = {
        "company": company,
        "companies": companies,
        "role": role,
        "roles": [(value, Role(value).label) for value in GUIDES],
        "rows": rows,
        "own": Guide.objects.filter(organization=company, role=role).exists(),
        "longest": LONGEST_NAME,
        "most": MOST_STEPS,
        "wrong": wrong,
    }
    return render(request, "adoption/steps.html", context, status=422 if wrong else 200)


def told(progress: Progress) -> list[dict[str, Any]]:
    """The steps with their names in the reader's language, and those of the events that tick them."""
    language = get_language() or "en"
    labels = labels_of({name for one in progress.steps for name in one.step.events}).events
    return [
        {
            "name": one.step.name_in(language),
            "events": [labels.get(name, name) for name in one.step.events if name in labels][:4],
            "at": one.at,
            "href": one.step.href,
        }
        for one in progress.steps
    ]


def card_of(person: Person, company: Organization, viewer: Viewer) -> dict[str, Any] | None:
    """What My points shows of the guide; None for who is not new, and where it is finished."""
    today = settings_at(company).date_of(timezone.now())
    if not is_new(person, today):
        return None
    progress = progress_of(person, company, today)
    if progress.finished:
        return None
    following = progress.following
    return {
        "done": progress.done,
        "whole": progress.whole,
        "next": following.name_in(get_language() or "en") if following else "",
    }


def _rights(viewer: Viewer) -> dict[str, bool]:
    return {"newcomers": viewer.may(Deed.RUN_TRAININGS) or viewer.may(Deed.MANAGE_RULES)}


def _groups(people: list[Person], progress: dict[int, Progress], names: dict[int, str]) -> list[Group]:
    """By department, those too small together at the end; nothing at all is told of fewer than five in all."""
    if len(people) < HIDE_BELOW:
        return []
    heads = Counter(names.get(one.pk, "") for one in people)
    done = Counter(names.get(one.pk, "") for one in people if progress[one.pk].finished)
    large = sorted(name for name, count in heads.items() if name and count >= HIDE_BELOW)
    groups = [Group(name, heads[name], done[name]) for name in large]
    rest = len(people) - sum(heads[name] for name in large)
    if 0 < rest < HIDE_BELOW and large:
        # Else the few could be counted: all, less those of the departments that are told.
        large.remove(min(large, key=lambda name: (heads[name], name)))
        rest = len(people) - sum(heads[name] for name in large)
    if rest:
        told = rest >= HIDE_BELOW
        left = sum(done.values()) - sum(done[name] for name in large)
        groups.append(Group(_("Other departments"), rest if told else None, left if told else None))
    return groups


def _welcome(company: Organization, viewer: Viewer) -> tuple[str, int | None]:
    """Begins a draft of the rulebook in force with the welcome bonus in it."""
    now = timezone.now()
    today = settings_at(company).date_of(now)
    version = rulebook_version_on(company, today)
    if version is None:
        return _("No rulebook is in force here yet. Begin a draft from a template first."), None
    file = with_welcome(load_text(version.file), since=today, title=_("Starter guide finished"))
    try:
        draft = begin_draft(
            organization=company, title=_("Welcome bonus for the first weeks"), rulebook=file, by=viewer, now=now
        )
    except (RulebookRefused, OtherClock, NotAllowed):
        return _("The rulebook in force does not take the bonus as it is; add it in the rule builder."), None
    return "", draft.pk


def _padded(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = [{**row, "events": ", ".join(row["events"]) if isinstance(row["events"], list) else row["events"]}
            for row in rows[:MOST_STEPS]]  # fmt: skip
    empty = {"key": "", "en": "", "zh": "", "events": "", "href": ""}
    return rows + [dict(empty) for _number in range(MOST_STEPS - len(rows))]


def _typed(request: HttpRequest) -> list[dict[str, Any]]:
    return [
        {name: request.POST.get(f"{name}-{nth}", "").strip() for name in ("en", "zh", "events", "href")}
        for nth in range(MOST_STEPS)
    ]


def _step(row: dict[str, Any], nth: int) -> Step:
    names = tuple(one for one in re.split(r"[\s,，、;]+", row["events"]) if one)
    href = row["href"] if re.fullmatch(r"/[\w/?=&.-]*", row["href"]) and not row["href"].startswith("//") else ""
    return Step(f"step-{nth + 1}", row["en"], row["zh"], names, href)
