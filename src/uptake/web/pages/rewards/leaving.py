"""Somebody leaves the company: what becomes of their points is decided here, once and for good."""

from __future__ import annotations

import uuid
from typing import Any, Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from uptake.directory.models import Kind, Membership, Organization, Person
from uptake.directory.scope import Deed, NotAllowed
from uptake.ledger.balances import points_of
from uptake.programme.rewards.leave_programme import FORFEIT, PAY_OUT, TO_BUDGET, leave_programme
from uptake.programme.rewards.models import OPEN, Redemption
from uptake.programme.rewards.refusals import Refusal, Unusable
from uptake.web import numbers
from uptake.web.pages.rewards.desk import company_for, frame
from uptake.web.pages.rewards.views import back_to
from uptake.web.pages.rewards.words import in_words
from uptake.web.viewing import NotYours, needs, viewer_for

A_PAGE: Final = 30


@needs(Deed.MANAGE_RULES)
def home(request: HttpRequest) -> HttpResponseBase:
    """Who left or leaves with points; one chosen with what stands open; POST decides."""
    viewer = viewer_for(request)
    company, companies = company_for(request)
    wrong = ""
    if request.method == "POST":
        try:
            person, moved = _decide(request, company)
        except Refusal as refused:
            wrong = in_words(refused)
        else:
            messages.success(
                request,
                _("%(name)s left the programme; %(points)s points went.")
                % {"name": person.name, "points": numbers.full(moved)},
            )
            return redirect(back_to("leaving", company))
    now = timezone.now()
    ever = Membership.objects.filter(organization__path__startswith=company.path).values("person_id")
    people = Person.objects.filter(pk__in=ever, erased_at__isnull=True).order_by("name", "pk")
    search = request.GET.get("q", "").strip()[:100]
    if search:
        people = people.filter(name__icontains=search) | people.filter(staff_number__icontains=search)
    here = set(Person.objects.belonging(company, timezone.localdate()).values_list("pk", flat=True))
    page = Paginator(people if search else people.exclude(pk__in=here), A_PAGE).get_page(request.GET.get("page"))
    points = points_of(book=company.pk, owners=[str(one.pk) for one in page.object_list], now=now)
    chosen = people.filter(pk=int(request.GET["person"])).first() if request.GET.get("person", "").isdigit() else None
    context: dict[str, Any] = {
        **frame(company, companies, viewer, "leaving"),
        "page": page,
        "rows": [(one, points.get(str(one.pk)), one.pk in here) for one in page.object_list],
        "search": search,
        "chosen": chosen,
        "points": points_of(book=company.pk, owners=[str(chosen.pk)], now=now).get(str(chosen.pk)) if chosen else None,
        "open": Redemption.objects.filter(company=company, person=chosen, state__in=OPEN).count() if chosen else 0,
        "departments": Organization.objects.filter(
            company=company, kind__in=(Kind.COMPANY, Kind.DEPARTMENT), closed_at=None
        ).order_by("path"),
        "wrong": wrong,
        "key": uuid.uuid4().hex,
    }
    return render(request, "rewards/leaving.html", context, status=422 if wrong else 200)


def _decide(request: HttpRequest, company: Organization) -> tuple[Person, int]:
    number, policy = request.POST.get("person", ""), request.POST.get("policy", "")
    person = None
    if number.isdigit() and len(number) < 18:
        ever = Membership.objects.filter(organization__path__startswith=company.path).values("person_id")
        person = Person.objects.filter(pk=int(number), pk__in=ever, erased_at__isnull=True).first()
    if person is None:
        raise Unusable("person", _("Choose who leaves"))
    if policy not in (FORFEIT, PAY_OUT, TO_BUDGET):
        raise Unusable("policy", _("Choose what becomes of the points"))
    if request.POST.get("sure") != "yes":
        raise Unusable("sure", _("Confirm it: this cannot be undone"))
    budget = None
    if policy == TO_BUDGET:
        budget = Organization.objects.filter(company=company, slug=request.POST.get("department", "")).first()
        if budget is None:
            raise Unusable("department", _("Choose whose budget receives the points"))
    try:
        moved = leave_programme(
            person=person,
            company=company,
            key=f"page/{request.POST.get('key', '')[:100] or uuid.uuid4().hex}",
            by=viewer_for(request),
            now=timezone.now(),
            to_budget_of=budget,
            pay_out=policy == PAY_OUT,
        )
    except NotAllowed:
        raise NotYours(Deed.MANAGE_RULES) from None
    return person, moved
