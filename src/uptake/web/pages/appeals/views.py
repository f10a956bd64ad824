"""One's own appeals, the desk of those who answer, and one appeal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from uptake.directory.models import Organization
from uptake.directory.place import settings_at
from uptake.directory.scope import Deed, NotAllowed, Viewer
from uptake.insight.gaming.models import Finding
from uptake.programme.governance.appeal import (
    AlreadyDecided,
    AlreadyOpen,
    EntryLine,
    NoSuchLine,
    SelfDealing,
    TextMissing,
    WrongPoints,
    decide_appeal,
    decision_of,
    file_appeal,
    may_decide,
    take_appeal,
    withdraw_appeal,
)
from uptake.programme.governance.committee import terms_of
from uptake.programme.governance.models import Appeal, AppealState
from uptake.programme.models import Award
from uptake.web.pages.appeals.lines import (
    Told,
    award_of,
    entry_of,
    suggested_points,
    told_of,
    told_of_award,
    told_of_entry,
)
from uptake.web.pages.gaming.words import NAMES
from uptake.web.viewing import login_required, needs, viewer_for

A_PAGE = 25
TONES = {"open": "info", "upheld": "good", "refused": "warn", "withdrawn": ""}


@dataclass(frozen=True)
class Listed:
    """An appeal as lists show it."""

    appeal: Appeal
    told: Told
    tone: str
    overdue: bool
    left: float
    """Seconds until it must be answered."""


@login_required
def home(request: HttpRequest) -> HttpResponseBase:
    """What one questioned oneself."""
    viewer = viewer_for(request)
    rows = Appeal.objects.visible_to(viewer).filter(person_id=viewer.person_id or 0)
    page = _page(request, rows, "-filed_at")
    context = {"page": page, "rows": _listed(page), "may_answer": viewer.may(Deed.MANAGE_RULES), "own": True}
    return render(request, "appeals/home.html", context)


@needs(Deed.MANAGE_RULES)
def desk(request: HttpRequest) -> HttpResponseBase:
    """All appeals of the places whose rules one manages, the most urgent first."""
    viewer = viewer_for(request)
    rows = Appeal.objects.filter(viewer.within("company__path", Deed.MANAGE_RULES))
    page = _page(request, rows, "due_at")
    context = {"page": page, "rows": _listed(page), "own": False, "viewer_person": viewer.person_id}
    return render(request, "appeals/home.html", context)


@login_required
def new(request: HttpRequest) -> HttpResponseBase:
    """Questions one line: `?award=<id>`, or `?entry=<key>&company=<slug>` for another entry of one's ledger."""
    viewer = viewer_for(request)
    line = _line(request, viewer)
    if line is None:
        raise Http404("no such line")
    problem = ""
    if request.method == "POST":
        try:
            made = file_appeal(line=line, text=request.POST.get("text", ""), by=viewer, now=timezone.now())
            messages.success(request, _("Your appeal is filed. You are told as soon as it is answered."))
            return redirect("appeals:appeal", appeal_id=made.pk)
        except TextMissing:
            problem = _("Say what is wrong, in at most 4,000 characters.")
        except AlreadyOpen:
            problem = _("This line is being looked at already.")
        except (NoSuchLine, NotAllowed):
            raise Http404("no such line") from None
    told = told_of_award(line) if isinstance(line, Award) else told_of_entry(line, viewer.person_id or 0)
    context = {"told": told, "days": terms_of(line.company).appeal_days, "problem": problem, "typed": request.POST}
    return render(request, "appeals/new.html", context, status=422 if problem else 200)


@login_required
def appeal(request: HttpRequest, appeal_id: int) -> HttpResponseBase:
    """One appeal; a POST takes it over, decides it or takes it back."""
    viewer = viewer_for(request)
    rows = Appeal.objects.visible_to(viewer).select_related(
        "company", "person", "award__event", "award__rulebook", "award__company", "assigned", "decided_by"
    )
    found = get_object_or_404(rows, pk=appeal_id)
    problem = ""
    if request.method == "POST":
        problem = _do(request, found, viewer)
        if not problem:
            return redirect("appeals:appeal", appeal_id=found.pk)
    now = timezone.now()
    is_open = found.state == AppealState.OPEN
    decides = is_open and may_decide(found, viewer)
    with timezone.override(settings_at(found.company).at(timezone.now()).zone):
        context: dict[str, Any] = {
            "appeal": found,
            "listed": _one(found, now),
            "own": found.person_id == viewer.person_id,
            "may_decide": decides,
            "barred": is_open and viewer.may(Deed.MANAGE_RULES, found.company) and not decides,
            "findings": _under_review(found, viewer) if decides else [],
            "suggested": suggested_points(found),
            "lifts": bool(decision_of(found.entry_key)),
            "mine": found.assigned_id is not None and found.assigned_id == viewer.person_id,
            "problem": problem,
            "typed": request.POST,
        }
        return render(request, "appeals/appeal.html", context, status=422 if problem else 200)


def _under_review(found: Appeal, viewer: Viewer) -> list[tuple[Finding, str | Promise]]:
    """What is under review at the same person, for who decides and sees events there; with the detector's name."""
    rows = Finding.objects.visible_to(viewer).open().filter(company=found.company, person=found.person)
    return [(one, NAMES[one.detector]) for one in rows.order_by("-found_at", "-pk")]


def _do(request: HttpRequest, found: Appeal, viewer: Viewer) -> str:
    """Does what the form asks for; gives what is wrong, in words."""
    now = timezone.now()
    given = request.POST
    try:
        if "withdraw" in given:
            withdraw_appeal(appeal=found, by=viewer, now=now)
        elif "take" in given:
            take_appeal(appeal=found, by=viewer, now=now)
        elif given.get("decide") in ("uphold", "refuse"):
            upheld = given["decide"] == "uphold"
            asked = given.get("points", "").strip() or "0"
            if upheld and (not asked.isdecimal() or len(asked) > 9):
                return _("Points are a whole number of at least 0.")
            points = int(asked) if upheld else 0
            answer = given.get("answer", "")
            decide_appeal(appeal=found, upheld=upheld, answer=answer, points=points, by=viewer, now=now)
            messages.success(request, _("Decided. The person is told."))
        else:
            return _("Choose to uphold or to refuse.")
    except TextMissing:
        return _("Say why, in at most 4,000 characters: the person reads it.")
    except WrongPoints:
        return _("An upheld appeal gives 0 to 100,000 points, a refused one none.")
    except SelfDealing:
        return _("Nobody decides on their own points, or on what they decided before.")
    except AlreadyDecided:
        return _("It was decided in the meantime.")
    except NotAllowed:
        return _("You may not do this here.")
    return ""


def _line(request: HttpRequest, viewer: Viewer) -> Award | EntryLine | None:
    if viewer.person_id is None:
        return None
    if request.GET.get("award"):
        return award_of(viewer, request.GET["award"])
    company = Organization.objects.filter(slug=request.GET.get("company", "")).first()
    return entry_of(viewer, company, request.GET.get("entry", "")) if company else None


def _page(request: HttpRequest, rows: QuerySet[Appeal], order: str) -> Any:
    first = Case(When(state=AppealState.OPEN, then=Value(0)), default=Value(1), output_field=IntegerField())
    rows = rows.select_related("company", "person", "award__event", "award__rulebook", "assigned")
    return Paginator(rows.order_by(first, order, "-pk"), A_PAGE).get_page(request.GET.get("page"))


def _listed(page: Any) -> list[Listed]:
    now = timezone.now()
    return [_one(one, now) for one in page]


def _one(appeal: Appeal, now: datetime) -> Listed:
    left = (appeal.due_at - now).total_seconds()
    overdue = appeal.state == AppealState.OPEN and left < 0
    return Listed(appeal, told_of(appeal), TONES[appeal.state], overdue, abs(left))
