"""For those who manage the rules: what was reported, circles of recognition, and how much may be given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from uptake.directory.models import Organization, Person
from uptake.directory.place import settings_at
from uptake.directory.scope import Deed, NotAllowed, Viewer
from uptake.programme.community.models import Outcome, Report
from uptake.programme.community.recognise import set_terms, terms_at
from uptake.programme.community.refusals import Refusal
from uptake.programme.community.rings import Ring
from uptake.programme.community.suspicious import DAYS, suspicious_rings
from uptake.web.pages.community.places import company_for, nobody
from uptake.web.pages.community.words import in_words
from uptake.web.viewing import needs, viewer_for

MOST: Final = 100
NUMBERS: Final = ("allowance", "smallest", "largest", "to_same", "mutual")


@dataclass(frozen=True)
class Circle:
    """A ring with its people's names."""

    ring: Ring
    names: str


@needs(Deed.MANAGE_RULES)
def home(request: HttpRequest) -> HttpResponseBase:
    """The desk of a company; POST sets the terms."""
    viewer, now = viewer_for(request), timezone.now()
    company, companies = company_for(request, desk=True)
    if company is None:
        return nobody(request)
    wrong = ""
    if request.method == "POST":
        wrong = _set(request, company, viewer)
        if not wrong:
            messages.success(request, _("Terms of recognition set."))
            return redirect(f"{request.path}?at={company.slug}")
    rows = Report.objects.visible_to(viewer).filter(company=company)
    rows = rows.select_related("post__person", "reply__person", "reply__post", "person")
    terms = terms_at(company, now)
    values = request.POST if wrong else {name: getattr(terms, name) for name in NUMBERS}
    labels = {
        "allowance": _("Points to give per month"),
        "smallest": _("Smallest portion"),
        "largest": _("Largest portion"),
        "to_same": _("Times to the same person per month"),
        "mutual": _("Times two may return it per month"),
    }
    context: dict[str, Any] = {
        "company": company,
        "companies": companies,
        "open": rows.filter(outcome=Outcome.OPEN).order_by("at", "pk")[:MOST],
        "decided": rows.exclude(outcome=Outcome.OPEN).order_by("-decided_at", "-pk")[:20],
        "circles": _named(suspicious_rings(company, now)),
        "days": DAYS,
        "fields": [(name, labels[name], values.get(name, "")) for name in NUMBERS],
        "wrong": wrong,
    }
    with timezone.override(settings_at(company).at(timezone.now()).zone):
        return render(request, "community/desk.html", context, status=422 if wrong else 200)


def _named(rings: list[Ring]) -> list[Circle]:
    names = dict(Person.objects.filter(pk__in={one for ring in rings for one in ring.people}).values_list("pk", "name"))
    return [Circle(ring, " → ".join(names.get(one, "–") for one in (*ring.people, ring.people[0]))) for ring in rings]


def _set(request: HttpRequest, company: Organization, viewer: Viewer) -> str:
    texts = {name: request.POST.get(name, "").strip() for name in NUMBERS}
    if not all(text.isascii() and text.isdecimal() and len(text) < 7 for text in texts.values()):
        return _("These are whole numbers.")
    numbers = {name: int(text) for name, text in texts.items()}
    try:
        set_terms(company=company, by=viewer, now=timezone.now(), **numbers)
    except (Refusal, NotAllowed) as refused:
        return in_words(refused)
    return ""
