"""The desk: what waits to be approved and handed over, what was, and the extra leave for HR."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from uptake.directory.models import Organization
from uptake.directory.scope import Deed, Viewer
from uptake.programme.rewards import resolve
from uptake.programme.rewards.export_leave import export_leave, leave_requests
from uptake.programme.rewards.files import LARGEST_FILE, File
from uptake.programme.rewards.models import OPEN, Attachment, Redemption, State
from uptake.programme.rewards.refusals import Refusal, Unusable
from uptake.web.pages.rewards.views import back_to, line_of
from uptake.web.pages.rewards.words import TONES, in_words
from uptake.web.sheets import Cell, as_csv, as_xlsx
from uptake.web.viewing import NotYours, needs, viewer_for

LINES_PER_PAGE: Final = 30
SHOWN: Final = ("open", *State.values)


def company_for(request: HttpRequest, *deeds: Deed) -> tuple[Organization, list[Organization]]:
    """(the company of the page, all the viewer may choose): `?at=<slug>`, else the first with redemptions.

    Http404 for one the viewer must not know of; NotYours for one who may do the deed at no company.
    """
    viewer = viewer_for(request)
    wanted = deeds or (Deed.MANAGE_RULES,)
    allowed = Organization.objects.filter(viewer.within("path", *wanted), kind="company", closed_at__isnull=True)
    companies = list(allowed.order_by("name", "pk"))
    if not companies:
        raise NotYours(wanted[0])
    slug = request.GET.get("at") or request.POST.get("at")
    if slug:
        found = next((one for one in companies if one.slug == slug), None)
        if found is None:
            raise Http404("no such company")
        return found, companies
    busiest = (
        Redemption.objects.filter(company__in=companies)
        .values("company")
        .annotate(open=Count("pk", filter=Q(state__in=OPEN)), n=Count("pk"))
        .order_by("-open", "-n", "company")
        .values_list("company", flat=True)
        .first()
    )
    return next((one for one in companies if one.pk == busiest), companies[0]), companies


def frame(company: Organization, companies: list[Organization], viewer: Viewer, here: str) -> dict[str, Any]:
    """What the head of every page of the desk shows."""
    keeps = viewer.may(Deed.MANAGE_RULES, company)
    tabs = [
        ("desk", _("Queue"), keeps),
        ("catalogue", _("Catalogue"), keeps),
        ("leave", _("Extra leave"), keeps),
        ("special", _("Special points"), True),
        ("leaving", _("Leaving"), keeps),
        ("liability", _("Budgets & liability"), keeps),
    ]
    return {
        "company": company,
        "companies": companies,
        "here": here,
        "tabs": [(name, words, back_to(name, company)) for name, words, shown in tabs if shown],
    }


def _rows(request: HttpRequest, company: Organization) -> tuple[Any, str]:
    show = request.GET.get("show", "open")
    show = show if show in SHOWN else "open"
    rows = Redemption.objects.at_desk_of(viewer_for(request)).filter(company=company)
    now = timezone.now()
    if show == "open":
        rows = rows.filter(state__in=OPEN, times_out_at__gt=now).order_by("requested_at", "pk")
    elif show in OPEN:
        rows = rows.filter(state=show, times_out_at__gt=now).order_by("requested_at", "pk")
    else:
        late = Q(state__in=OPEN, times_out_at__lte=now) if show == State.TIMED_OUT else Q(pk__in=())
        rows = rows.filter(Q(state=show) | late).order_by("-requested_at", "-pk")
    return rows.select_related("reward", "person"), show


@needs(Deed.MANAGE_RULES)
def queue(request: HttpRequest) -> HttpResponseBase:
    """Redemptions of a company, those that wait first."""
    viewer = viewer_for(request)
    company, companies = company_for(request)
    rows, show = _rows(request, company)
    page = Paginator(rows, LINES_PER_PAGE).get_page(request.GET.get("page"))
    now = timezone.now()
    states = [("open", _("To do"))] + [(one.value, one.label) for one in State]
    context = {
        **frame(company, companies, viewer, "desk"),
        "page": page,
        "rows": [line_of(row, now) for row in page.object_list],
        "show": show,
        "states": states,
    }
    return render(request, "rewards/queue.html", context)


@needs(Deed.MANAGE_RULES)
def export(request: HttpRequest, kind: str) -> HttpResponseBase:
    """The same list as CSV or XLSX, without codes."""
    if kind not in ("csv", "xlsx"):
        raise Http404("no such format")
    company, _companies = company_for(request)
    rows, show = _rows(request, company)
    now = timezone.now()
    language = get_language() or "en"
    heads = [
        pgettext("of a line", "Number"), _("Person"), _("Staff number"), _("Reward"), _("Kind"), _("Price"),
        _("Redeemed"), _("Status"), _("Requested on"), _("Decided"),
    ]  # fmt: skip
    cells: list[list[Cell]] = [
        [
            row.pk,
            row.person.name,
            row.person.staff_number,
            row.reward.name_in(language),
            str(row.reward.get_kind_display()),
            row.price,
            row.points,
            str(State(row.state_at(now)).label),
            row.requested_at,
            row.resolved_at,
        ]
        for row in rows
    ]
    name = f"redemptions-{company.slug}-{show}"
    return as_csv(name, heads, cells) if kind == "csv" else as_xlsx(name, heads, cells)


@needs(Deed.MANAGE_RULES)
def redemption(request: HttpRequest, redemption_id: int) -> HttpResponseBase:
    """One redemption and what can be done with it; POST does it."""
    viewer = viewer_for(request)
    rows = Redemption.objects.at_desk_of(viewer).select_related("reward", "person", "company")
    row = get_object_or_404(rows, pk=redemption_id)
    if request.method == "POST":
        return _do(request, viewer, row)
    now = timezone.now()
    state = State(row.state_at(now))
    context = {
        **frame(row.company, [], viewer, "desk"),
        **line_of(row, now),
        "steps": [(State(step.deed).label, step) for step in row.steps.select_related("by__person").order_by("number")],
        "file": Attachment.objects.filter(redemption=row).defer("content").first(),
        "own": row.person_id == viewer.person_id,
        "may_approve": state == State.REQUESTED and row.reward.needs_approval,
        "may_fulfil": state == State.APPROVED or (state == State.REQUESTED and not row.reward.needs_approval),
        "may_refund": state == State.FULFILLED,
        "review": f"/{row.cause}/",
        "may_see_review": viewer.may(Deed.SEE_EVENTS, row.company),
        "key": uuid.uuid4().hex,
    }
    return render(request, "rewards/handle.html", context)


def _do(request: HttpRequest, viewer: Viewer, row: Redemption) -> HttpResponseBase:
    now = timezone.now()
    key = f"page/{request.POST.get('key', '')[:100]}"
    answer = request.POST.get("answer", "").strip()
    deeds: dict[str, tuple[Callable[[], object], str]] = {
        "approve": (lambda: resolve.approve(redemption=row.pk, by=viewer, key=key, now=now), _("Approved.")),
        "fulfil": (
            lambda: resolve.fulfil(
                redemption=row.pk,
                by=viewer,
                key=key,
                now=now,
                points=_points(request),
                answer=answer,
                file=_file(request),
            ),
            _("Handed over. The points are redeemed."),
        ),
        "reject": (
            lambda: resolve.reject(redemption=row.pk, by=viewer, key=key, now=now, answer=answer),
            _("Rejected. The points are back."),
        ),
        "refund": (
            lambda: resolve.refund(redemption=row.pk, by=viewer, key=key, now=now, answer=answer),
            _("Refunded. The points are back."),
        ),
    }
    if request.POST.get("do") not in deeds:
        raise Http404("no such deed")
    deed, said = deeds[request.POST["do"]]
    try:
        deed()
    except Refusal as refused:
        messages.error(request, in_words(refused))
    else:
        messages.success(request, said)
    return redirect("rewards:handle", redemption_id=row.pk)


def _points(request: HttpRequest) -> int | None:
    text = request.POST.get("points", "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Unusable("points", _("Points are a whole number, 0 or more"))
    return int(text)


def _file(request: HttpRequest) -> File | None:
    upload = request.FILES.get("file")
    if not isinstance(upload, UploadedFile):
        return None
    if (upload.size or 0) > LARGEST_FILE:
        raise Unusable("file", _("The file is larger than 4 MB"))
    return File((upload.name or "file")[:120], upload.read())


@needs(Deed.MANAGE_RULES)
def leave(request: HttpRequest) -> HttpResponseBase:
    """Extra leave asked for at a company, and what HR has of it."""
    viewer = viewer_for(request)
    company, companies = company_for(request)
    found = leave_requests(company, now=timezone.now())
    context = {
        **frame(company, companies, viewer, "leave"),
        "rows": [(one, State(one.state).label, TONES[State(one.state)]) for one in reversed(found)],
        "fresh": sum(one.exported_at is None for one in found),
    }
    return render(request, "rewards/leave.html", context)


@require_POST
@needs(Deed.MANAGE_RULES)
def leave_csv(request: HttpRequest) -> HttpResponseBase:
    """The list for HR, and from now on it is known that HR has it."""
    company, _companies = company_for(request)
    found = export_leave(company=company, now=timezone.now())
    heads = ["id", "person", "staff_number", "email", "days", "from_date", "state", "requested_at", "resolved_at"]
    rows: list[list[Cell]] = [
        [
            one.id,
            one.person,
            one.staff_number,
            one.email,
            one.days,
            one.from_date,
            one.state,
            one.requested_at,
            one.resolved_at,
        ]
        for one in found
    ]
    return as_csv(f"leave-{company.slug}", heads, rows)
