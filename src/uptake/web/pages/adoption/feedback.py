"""The feedback box: to say something and rate the answer, and the queue of those who answer."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import F
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from uptake.directory.models import Organization
from uptake.directory.place import settings_at
from uptake.directory.scope import HIDE_BELOW, Deed, NotAllowed, Viewer
from uptake.programme.adoption.answer_feedback import NEXT, answer_feedback, see_feedback, uncover_author
from uptake.programme.adoption.give_feedback import WORKING_DAYS, give_feedback, rate_answer
from uptake.programme.adoption.models import About, Feedback, FeedbackState
from uptake.programme.adoption.refusals import Refusal
from uptake.programme.adoption.satisfaction import Month, satisfaction_at
from uptake.web import parts
from uptake.web.numbers import full, share
from uptake.web.pages.adoption.places import chosen, companies_for, own_company
from uptake.web.pages.adoption.words import in_words
from uptake.web.viewing import login_required, needs, viewer_for

A_PAGE: Final = 20
STARS: Final = (1, 2, 3, 4, 5)
PERCENT_FROM: Final = 20
"""Of fewer no percentage is told."""
TONES: Final = {"new": "info", "seen": "info", "planned": "warn", "answered": "good", "done": "good", "declined": ""}
WAITING: Final = (FeedbackState.NEW, FeedbackState.SEEN)


@dataclass(frozen=True)
class Listed:
    """Feedback as lists show it; `who` is empty where it is not to be known."""

    row: Feedback
    who: str
    tone: str
    overdue: bool
    days: int
    """Since it was given, in whole days."""


@login_required
def home(request: HttpRequest) -> HttpResponseBase:
    """One's own feedback and what colleagues opened to all; POST gives some."""
    viewer, now = viewer_for(request), timezone.now()
    company = own_company(viewer)
    answers = companies_for(viewer, Deed.ANSWER_FEEDBACK)
    if company is None and answers:
        return redirect("feedback_desk:home")
    if company is None:
        return render(request, "adoption/nobody.html")
    wrong = ""
    if request.method == "POST":
        wrong, made = _give(request, company, viewer)
        if made is not None:
            messages.success(request, _("It stands in the box. You hear of the answer here."))
            return redirect("feedback:one", made.pk)
    rows = Feedback.objects.visible_to(viewer).filter(company=company).select_related("person")
    own = rows.filter(person_id=viewer.person_id or 0).order_by("-given_at", "-pk")
    open_to_all = rows.filter(shared=True, answered_at__isnull=False).exclude(person_id=viewer.person_id or 0)
    page = Paginator(open_to_all.order_by("-answered_at", "-pk"), A_PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "company": company,
        "own": [_listed(one, viewer, now) for one in own[:50]],
        "page": page,
        "shared": [_listed(one, viewer, now) for one in page],
        "answers": bool(answers),
        "subjects": About.choices,
        "days": WORKING_DAYS,
        "typed": request.POST,
        "wrong": wrong,
        "key": request.POST.get("key") or uuid.uuid4().hex,
    }
    with timezone.override(settings_at(company).at(timezone.now()).zone):
        return render(request, "adoption/feedback.html", context, status=422 if wrong else 200)


@login_required
def one(request: HttpRequest, feedback_id: int) -> HttpResponseBase:
    """One feedback; a POST rates, answers or uncovers. Opened by somebody who answers, it is marked as seen."""
    viewer, now = viewer_for(request), timezone.now()
    rows = Feedback.objects.visible_to(viewer).select_related("company", "person", "answered_by__person")
    found = get_object_or_404(rows, pk=feedback_id)
    own = viewer.person_id is not None and viewer.person_id == found.person_id
    answers = viewer.may(Deed.ANSWER_FEEDBACK, found.company) and not own
    wrong = ""
    if request.method == "POST":
        wrong = _do(request, found, viewer)
        if not wrong:
            return redirect("feedback:one", found.pk)
    elif answers and found.state == FeedbackState.NEW:
        see_feedback(feedback=found, by=viewer, now=now)
        found = rows.get(pk=found.pk)
    following = NEXT[FeedbackState(found.state)]
    context: dict[str, Any] = {
        "one": _listed(found, viewer, now),
        "own": own,
        "answers": answers,
        "states": [(state, FeedbackState(state).label) for state in following],
        "stars": STARS,
        "may_uncover": found.anonymous and not found.uncovered_at and viewer.may(Deed.SEE_AUDIT, found.company),
        "typed": request.POST,
        "wrong": wrong,
    }
    with timezone.override(settings_at(found.company).at(timezone.now()).zone):
        return render(request, "adoption/one_feedback.html", context, status=422 if wrong else 200)


@needs(Deed.ANSWER_FEEDBACK)
def desk(request: HttpRequest) -> HttpResponseBase:
    """The queue of a company, the most urgent first, and how satisfied people are; `?show=decided` tells the rest."""
    viewer, now = viewer_for(request), timezone.now()
    companies = companies_for(viewer, Deed.ANSWER_FEEDBACK)
    if not companies:
        return render(request, "adoption/nobody.html")
    if not request.GET.get("at"):
        waiting = Feedback.objects.filter(company__in=companies, answered_at__isnull=True).order_by("due_at")
        first = waiting.values_list("company_id", flat=True).first()
        companies.sort(key=lambda one: one.pk != first)
    company = chosen(request, companies)
    decided = request.GET.get("show") == "decided"
    rows = Feedback.objects.visible_to(viewer).filter(company=company).select_related("person")
    if decided:
        rows = rows.exclude(state__in=WAITING).order_by(F("answered_at").desc(nulls_last=True), "-pk")
    else:
        rows = rows.filter(state__in=WAITING).order_by("due_at", "pk")
    page = Paginator(rows, A_PAGE).get_page(request.GET.get("page"))
    months = satisfaction_at(company, viewer=viewer, now=now)
    waiting_rows = Feedback.objects.visible_to(viewer).filter(company=company, state__in=WAITING)
    context: dict[str, Any] = {
        "company": company,
        "companies": sorted(companies, key=lambda one: one.name),
        "page": page,
        "rows": [_listed(one, viewer, now) for one in page],
        "decided": decided,
        "kpis": _kpis(months, waiting_rows.count(), waiting_rows.filter(due_at__lte=now).count()),
        "charts": _charts(months),
        "months": [(one, _mean(one)) for one in reversed(months)],
        "days": WORKING_DAYS,
    }
    with timezone.override(settings_at(company).at(timezone.now()).zone):
        return render(request, "adoption/desk.html", context)


def _listed(one: Feedback, viewer: Viewer, now: datetime) -> Listed:
    own = viewer.person_id is not None and viewer.person_id == one.person_id
    covered = one.anonymous and not own
    if covered and one.uncovered_at is not None and viewer.may(Deed.ANSWER_FEEDBACK, one.company):
        covered = False
    who = "" if covered else one.person.name
    return Listed(one, who, TONES[one.state], one.overdue(now), (now - one.given_at) // timedelta(days=1))


def _give(request: HttpRequest, company: Organization, viewer: Viewer) -> tuple[str, Feedback | None]:
    given = request.POST
    about = given.get("about", "")
    if about not in About.values:
        return _("Choose what it is about."), None
    try:
        return "", give_feedback(
            company=company,
            about=About(about),
            title=given.get("title", ""),
            text=given.get("text", ""),
            anonymous=bool(given.get("anonymous")),
            shared=bool(given.get("shared")),
            key=given.get("key", "")[:100] or uuid.uuid4().hex,
            by=viewer,
            now=timezone.now(),
        )
    except (Refusal, NotAllowed) as refused:
        return in_words(refused), None


def _do(request: HttpRequest, found: Feedback, viewer: Viewer) -> str:
    given, now = request.POST, timezone.now()
    deed = given.get("do", "")
    try:
        if deed == "rate":
            stars = given.get("stars", "")
            rate_answer(feedback=found, stars=int(stars) if stars in "12345" and stars else 0, by=viewer, now=now)
            messages.success(request, _("Kept. It counts in the satisfaction with feedback."))
        elif deed == "answer" and given.get("state") in FeedbackState.values:
            state = FeedbackState(given["state"])
            answer_feedback(feedback=found, state=state, answer=given.get("answer", ""), by=viewer, now=now)
            messages.success(request, _("Kept. The author is told."))
        elif deed == "uncover":
            uncover_author(feedback=found, why=given.get("why", ""), by=viewer, now=now)
        else:
            return _("Choose what to do.")
    except (Refusal, NotAllowed) as refused:
        return in_words(refused)
    return ""


def _kpis(months: list[Month], waiting: int, overdue: int) -> list[parts.Kpi]:
    rated, stars = sum(one.rated for one in months), sum(one.stars for one in months)
    decided, in_time = sum(one.decided for one in months), sum(one.in_time for one in months)
    enough = rated >= HIDE_BELOW
    told = f"{full(in_time)} / {full(decided)}" if decided else "–"
    if decided >= PERCENT_FROM:
        told = share(in_time / decided)
    return [
        parts.Kpi(_("To be answered"), full(waiting), note=_("without an answer")),
        parts.Kpi(_("Overdue"), full(overdue), note=_("of those that wait")),
        parts.Kpi(
            _("Answered in time"),
            told,
            note=_("%(n)s of %(all)s") % {"n": in_time, "all": decided},
            hint=_("Of the feedback of six months that was answered or is overdue: answered within %(days)s working "
                   "days of the company.") % {"days": WORKING_DAYS},
        ),
        parts.Kpi(
            _("Rating of answers"),
            full(stars / rated, 1) if rated and enough else "–",
            unit=_("of 5"),
            note=_("%(n)s ratings in six months") % {"n": rated} if enough else _("fewer than 5 ratings"),
            hint=_("The mean of what authors gave the answers, 1 to 5. Fewer than 5 ratings are not told."),
        ),
    ]  # fmt: skip


def _charts(months: list[Month]) -> list[parts.Chart]:
    """Two units, so two pictures on one axis: the share answered in time, and the mean rating."""
    if not any(one.given for one in months):
        return []
    labels = [date_format(one.month, "YEAR_MONTH_FORMAT") for one in months]
    running = [len(months) - 1]
    shares = [float(one.share_in_time) if one.share_in_time is not None else None for one in months]
    means = [_mean(one) for one in months]
    charts = [
        parts.Chart(
            id="in-time",
            label=_("Share of feedback answered in time, by month"),
            labels=labels,
            series=[parts.Series(_("Answered in time"), shares, open=running)],
            format="share",
            height="low",
            axis=_("Month"),
        ),
        parts.Chart(
            id="rating",
            label=_("Mean rating of answers, 1 to 5, by month; months with fewer than 5 ratings are left out"),
            labels=labels,
            series=[parts.Series(_("Rating of answers"), means, open=running)],
            format="decimal",
            height="low",
            axis=_("Month"),
        ),
    ]
    return charts if any(one is not None for one in means) else charts[:1]


def _mean(month: Month) -> float | None:
    return float(month.mean_rating) if month.mean_rating is not None and month.rated >= HIDE_BELOW else None
