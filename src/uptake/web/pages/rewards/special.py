"""Special points: asked for by one who leads people, decided by one who keeps the desk."""

from __future__ import annotations

import uuid
from typing import Any, Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from uptake.directory.models import Kind, Organization, Person
from uptake.directory.scope import Deed, NotAllowed
from uptake.programme.rewards.grant_special import approve_special, ask_special, reject_special, withdraw_special
from uptake.programme.rewards.liability import budgets_of
from uptake.programme.rewards.models import GrantState, SpecialGrant
from uptake.programme.rewards.refusals import Refusal, Unusable
from uptake.web import numbers
from uptake.web.pages.rewards.desk import company_for, frame
from uptake.web.pages.rewards.views import back_to
from uptake.web.pages.rewards.words import in_words
from uptake.web.viewing import NotYours, needs, viewer_for

LINES_PER_PAGE: Final = 30
MOST_POINTS: Final = 1_000_000
TONES: Final = {
    GrantState.ASKED: "warn",
    GrantState.APPROVED: "good",
    GrantState.REJECTED: "bad",
    GrantState.WITHDRAWN: "",
}


@needs(Deed.MANAGE_PEOPLE, Deed.MANAGE_RULES)
def home(request: HttpRequest) -> HttpResponseBase:
    """Requests at a company, those that wait first, and the form for another; POST asks."""
    viewer = viewer_for(request)
    company, companies = company_for(request, Deed.MANAGE_PEOPLE, Deed.MANAGE_RULES)
    wrong = ""
    if request.method == "POST":
        try:
            _ask(request, company)
        except Refusal as refused:
            wrong = in_words(refused)
        else:
            messages.success(request, _("Asked for. Somebody else decides."))
            return redirect(back_to("special", company))
    rows = SpecialGrant.objects.visible_to(viewer).filter(company=company)
    rows = rows.select_related("person", "department", "asked_by_person", "decided_by_person")
    waiting = list(rows.filter(state=GrantState.ASKED).order_by("asked_at", "pk"))
    page = Paginator(rows.exclude(state=GrantState.ASKED).order_by("-decided_at", "-pk"), LINES_PER_PAGE)
    decides = viewer.may(Deed.MANAGE_RULES, company)
    context: dict[str, Any] = {
        **frame(company, companies, viewer, "special"),
        "waiting": [
            {
                "row": row,
                "decides": decides and viewer.person_id not in (row.person_id, row.asked_by_person_id),
                "own": row.asked_by_id == viewer.user_id,
            }
            for row in waiting
        ],
        "page": page.get_page(request.GET.get("page")),
        "tones": TONES,
        "people": _people(company),
        "budgets": budgets_of(company),
        "given": request.POST,
        "wrong": wrong,
        "key": uuid.uuid4().hex,
    }
    return render(request, "rewards/special.html", context, status=422 if wrong else 200)


def _people(company: Organization) -> list[tuple[int, str]]:
    """Those who belong to the company today: whoever may ask sees their names anyway."""
    today = timezone.localdate()
    rows = Person.objects.belonging(company, today).filter(erased_at__isnull=True).order_by("name", "pk")
    return [(row.pk, f"{row.name} · {row.staff_number}" if row.staff_number else row.name) for row in rows]


def _ask(request: HttpRequest, company: Organization) -> None:
    people = dict(_people(company))
    number = request.POST.get("person", "")
    if not (number.isdigit() and int(number) in people):
        raise Unusable("person", _("Choose whom the points are for"))
    places = Organization.objects.filter(company=company, kind__in=(Kind.COMPANY, Kind.DEPARTMENT))
    department = places.filter(slug=request.POST.get("department", "")).first()
    if department is None:
        raise Unusable("department", _("Choose whose budget pays"))
    points = request.POST.get("points", "").strip()
    if not (points.isascii() and points.isdigit() and points.strip("0")):
        raise Unusable("points", _("Points are a whole number above 0"))
    if len(points) > 9 or int(points) > MOST_POINTS:
        raise Unusable("points", _("At most %(n)s points at once") % {"n": numbers.full(MOST_POINTS)})
    try:
        ask_special(
            person=Person.objects.get(pk=int(number)),
            department=department,
            points=int(points),
            reason=request.POST.get("reason", ""),
            key=f"page/{request.POST.get('key', '')[:100] or uuid.uuid4().hex}",
            by=viewer_for(request),
            now=timezone.now(),
        )
    except NotAllowed:
        raise NotYours(Deed.MANAGE_PEOPLE) from None


@require_POST
@needs(Deed.MANAGE_PEOPLE, Deed.MANAGE_RULES)
def decide(request: HttpRequest, grant_id: int) -> HttpResponseBase:
    """Approve, reject or withdraw one request."""
    viewer = viewer_for(request)
    row = get_object_or_404(SpecialGrant.objects.visible_to(viewer).select_related("company"), pk=grant_id)
    deeds = {
        "approve": (approve_special, _("The points were given.")),
        "reject": (reject_special, _("Rejected.")),
        "withdraw": (withdraw_special, _("Withdrawn.")),
    }
    if request.POST.get("do") not in deeds:
        raise Http404("no such deed")
    deed, said = deeds[request.POST["do"]]
    try:
        deed(grant_id=row.pk, by=viewer, now=timezone.now())
    except NotAllowed:
        raise NotYours(Deed.MANAGE_RULES) from None
    except Refusal as refused:
        messages.error(request, in_words(refused))
    else:
        messages.success(request, said)
    return redirect(back_to("special", row.company))
