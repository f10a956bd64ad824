"""Give a colleague points of one's allowance, and read who recognised whom and why."""

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

from uptake.directory.models import Organization, Person, PersonKind
from uptake.directory.place import settings_at
from uptake.directory.scope import Deed, NotAllowed, Viewer
from uptake.programme.community.models import Recognition
from uptake.programme.community.recognise import allowance_of, recognise, terms_at
from uptake.programme.community.refusals import Refusal
from uptake.programme.community.write import belongs
from uptake.web.pages.community.places import company_for, nobody
from uptake.web.pages.community.words import in_words
from uptake.web.viewing import login_required, viewer_for

A_PAGE: Final = 20


@login_required
def home(request: HttpRequest) -> HttpResponseBase:
    """The recognitions of a company; POST gives one."""
    viewer, now = viewer_for(request), timezone.now()
    company, companies = company_for(request)
    if company is None:
        return nobody(request)
    gives = belongs(viewer, company)
    people = _people(company, viewer) if gives else []
    wrong = ""
    if request.method == "POST":
        wrong = _give(request, company, viewer, dict(people))
        if not wrong:
            messages.success(request, _("Given. Your colleague is told."))
            return redirect(f"{request.path}?at={company.slug}")
    rows = Recognition.objects.visible_to(viewer).filter(company=company).select_related("giver", "receiver")
    context: dict[str, Any] = {
        "company": company,
        "companies": companies,
        "page": Paginator(rows.order_by("-given_at", "-pk"), A_PAGE).get_page(request.GET.get("page")),
        "people": people,
        "gives": gives,
        "moderates": viewer.may(Deed.MANAGE_RULES, company),
        "terms": terms_at(company, now),
        "allowance": allowance_of(viewer.person_id, company, now) if gives and viewer.person_id else None,
        "wrong": wrong,
        "typed": request.POST,
        "key": uuid.uuid4().hex,
    }
    with timezone.override(settings_at(company).at(timezone.now()).zone):
        return render(request, "community/recognition.html", context, status=422 if wrong else 200)


def _people(company: Organization, viewer: Viewer) -> list[tuple[int, str]]:
    """The colleagues one may choose: names only; everybody of a company may know who works there."""
    rows = Person.objects.belonging(company, viewer.today).filter(erased_at__isnull=True)
    rows = rows.exclude(kind=PersonKind.MACHINE).exclude(pk=viewer.person_id or 0)
    return list(rows.order_by("name", "pk").values_list("pk", "name"))


def _give(request: HttpRequest, company: Organization, viewer: Viewer, people: dict[int, str]) -> str:
    given = request.POST
    number, points = given.get("person", ""), given.get("points", "").strip()
    receiver = Person.objects.filter(pk=int(number)).first() if number.isdecimal() and len(number) < 18 else None
    if receiver is None or receiver.pk not in people:
        return _("Choose a colleague.")
    if not (points.isascii() and points.isdecimal() and len(points) < 7 and int(points)):
        return _("Points are a whole number above 0.")
    if not given.get("text", "").strip():
        return _("Say what for: the text is what your colleague reads.")
    try:
        recognise(
            company=company, receiver=receiver, points=int(points), text=given.get("text", ""),
            key=given.get("key", "")[:100] or uuid.uuid4().hex, by=viewer, now=timezone.now(),
        )  # fmt: skip
    except (Refusal, NotAllowed) as refused:
        return in_words(refused)
    return ""
