"""Rewards as a person meets them: what is on offer, what one asked for, and what came of it."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.http import content_disposition_header
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from uptake.directory.models import Organization, Person
from uptake.directory.scope import Deed, Viewer
from uptake.programme.rewards import resolve
from uptake.programme.rewards.give_code import show_code
from uptake.programme.rewards.line import join_line, leave_line, place_of
from uptake.programme.rewards.models import (
    OPEN,
    Attachment,
    Code,
    Picture,
    Redemption,
    Reward,
    RewardKind,
    Standing,
    State,
    Wait,
)
from uptake.programme.rewards.redeem import redeem
from uptake.programme.rewards.refusals import Refusal
from uptake.programme.rewards.shelf import OnShelf, shelf
from uptake.web.pages.points.read import home_of
from uptake.web.pages.rewards.words import ICONS, SAID, TONES, in_words
from uptake.web.viewing import login_required, viewer_for

LINES_PER_PAGE = 25


@login_required
def home(request: HttpRequest) -> HttpResponseBase:
    """What is on offer to the viewer, by kind, with what is missing."""
    viewer = viewer_for(request)
    company = company_of(viewer)
    context: dict[str, Any] = {"keeps": keeps_desk(viewer), "asks": asks_special(viewer)}
    if company is None or viewer.person_id is None:
        return render(request, "rewards/nobody.html", context)
    found = shelf(company, viewer.person_id, now=timezone.now())
    kind, only = request.GET.get("kind", ""), request.GET.get("only", "")
    kinds = [one for one in RewardKind if any(item.reward.kind == one for item in found.items)]
    items = [
        told(item)
        for item in found.items
        if (not kind or item.reward.kind == kind) and (only != "now" or not item.why_not)
    ]
    context |= {
        "company": company,
        "points": found.points,
        "items": items,
        "kind": kind,
        "only": only,
        "kinds": [(one.value, one.label) for one in kinds],
        "any": bool(found.items),
        "open": Redemption.objects.filter(person_id=viewer.person_id, state__in=OPEN).count(),
    }
    return render(request, "rewards/home.html", context)


def told(item: OnShelf) -> dict[str, Any]:
    """A reward on the shelf as the templates show it."""
    reward = item.reward
    language = get_language() or "en"
    return {
        "reward": reward,
        "name": reward.name_in(language),
        "text": reward.text_in(language),
        "icon": ICONS.get(reward.kind, "gift"),
        "pictured": hasattr(reward, "picture"),
        "why_not": item.why_not,
        "why_not_in_words": SAID.get(item.why_not, ""),
        "missing": item.missing,
        "reached": reward.price - item.missing,
        "has": item.has,
        "wait": item.wait,
        "is_kept": item.is_kept,
    }


@login_required
def reward(request: HttpRequest, reward_id: int) -> HttpResponseBase:
    """One reward, and the request for it with what it means; POST asks for it."""
    viewer = viewer_for(request)
    row = get_object_or_404(Reward.objects.visible_to(viewer).select_related("company", "picture"), pk=reward_id)
    now = timezone.now()
    if viewer.person_id is None or not any(place.startswith(row.company.path) for place in viewer.places):
        return redirect("rewards:edit", reward_id=row.pk)
    if request.method == "POST":
        key = request.POST.get("key", "")[:100] or uuid.uuid4().hex
        try:
            asked = redeem(
                reward=row,
                by=viewer,
                key=f"page/{key}",
                now=now,
                wish=request.POST.get("wish", "").strip()[:500],
                leave_from_date=_date(request.POST.get("from", "")) if row.kind == RewardKind.LEAVE else None,
            )
        except Refusal as refused:
            messages.error(request, in_words(refused))
            return redirect("rewards:reward", reward_id=row.pk)
        if asked.redemption.state == State.FULFILLED:
            messages.success(request, _("Your code is here. It is shown to you only."))
        else:
            messages.success(request, _("Asked for. Your points are reserved until it is decided."))
        return redirect("rewards:redemption", redemption_id=asked.redemption.pk)
    found = shelf(row.company, viewer.person_id, now=now, reward=row)
    context = {
        **told(found.items[0]),
        "company": row.company,
        "points": found.points,
        "after": found.points.available - row.price,
        "until": found.terms.times_out_at,
        "today": found.terms.today,
        "keeps": viewer.may(Deed.MANAGE_RULES, row.company),
        "key": uuid.uuid4().hex,
        "place": place_of(found.items[0].wait) if found.items[0].wait and not found.items[0].is_kept else 0,
        "in_line": Wait.objects.filter(reward=row, standing=Standing.WAITING).count() if row.has_line else 0,
        "may_wait": row.has_line and found.items[0].why_not == "out_of_stock" and not found.items[0].wait,
    }
    return render(request, "rewards/reward.html", context)


@require_POST
@login_required
def line(request: HttpRequest, reward_id: int) -> HttpResponseBase:
    """Join the waiting line of a reward, or leave it (`do`)."""
    viewer = viewer_for(request)
    row = get_object_or_404(Reward.objects.visible_to(viewer).select_related("company"), pk=reward_id)
    if viewer.person_id is None or not any(place.startswith(row.company.path) for place in viewer.places):
        raise Http404("not of this company")
    now = timezone.now()
    if request.POST.get("do") == "leave":
        if leave_line(reward=row, person=viewer.person_id, now=now):
            messages.success(request, _("You wait no more."))
        return redirect("rewards:reward", reward_id=row.pk)
    try:
        place = place_of(join_line(reward=row, by=viewer, now=now))
    except Refusal as refused:
        messages.error(request, in_words(refused))
    else:
        messages.success(
            request, _("You wait in line, at place %(n)s. You are told when it is your turn.") % {"n": place}
        )
    return redirect("rewards:reward", reward_id=row.pk)


def waits_of(viewer: Viewer, now: datetime) -> list[dict[str, Any]]:
    """What the viewer waits for, what is kept for them first; with the place in line."""
    rows = Wait.objects.visible_to(viewer).in_line().filter(person_id=viewer.person_id or 0)
    rows = rows.exclude(standing=Standing.KEPT, kept_until__lte=now).select_related("reward")
    language = get_language() or "en"
    return [
        {
            "wait": one,
            "name": one.reward.name_in(language),
            "icon": ICONS.get(one.reward.kind, "gift"),
            "is_kept": one.standing == Standing.KEPT,
            "place": 0 if one.standing == Standing.KEPT else place_of(one),
        }
        for one in rows.order_by("standing", "pk")
    ]


@login_required
def mine(request: HttpRequest) -> HttpResponseBase:
    """What the viewer asked for, newest first."""
    viewer = viewer_for(request)
    rows = Redemption.objects.visible_to(viewer).filter(person_id=viewer.person_id or 0)
    rows = rows.select_related("reward").order_by("-requested_at", "-pk")
    page = Paginator(rows, LINES_PER_PAGE).get_page(request.GET.get("page"))
    now = timezone.now()
    return render(
        request,
        "rewards/mine.html",
        {"page": page, "rows": [line_of(row, now) for row in page.object_list], "waits": waits_of(viewer, now)},
    )


def line_of(row: Redemption, now: Any) -> dict[str, Any]:
    """A redemption as lists show it."""
    state = State(row.state_at(now))
    return {
        "row": row,
        "name": row.reward.name_in(get_language() or "en"),
        "icon": ICONS.get(row.reward.kind, "gift"),
        "state": state.label,
        "is_open": state in OPEN,
        "tone": TONES[state],
    }


@login_required
def redemption(request: HttpRequest, redemption_id: int, shown: str = "") -> HttpResponseBase:
    """One's own redemption: where it stands, all that was done, its code or file."""
    row = _own(viewer_for(request), redemption_id)
    now = timezone.now()
    state = State(row.state_at(now))
    context = {
        **line_of(row, now),
        "steps": [(State(step.deed).label, step) for step in row.steps.order_by("number")],
        "has_code": state == State.FULFILLED and Code.objects.filter(redemption=row).exists(),
        "code": shown,
        "file": Attachment.objects.filter(redemption=row).defer("content").first(),
        "fulfilled": state == State.FULFILLED,
    }
    return render(request, "rewards/redemption.html", context)


@require_POST
@login_required
def code(request: HttpRequest, redemption_id: int) -> HttpResponseBase:
    """The page with the code on it; nothing on the way may keep it."""
    viewer = viewer_for(request)
    _own(viewer, redemption_id)
    try:
        shown = show_code(redemption=redemption_id, by=viewer, now=timezone.now())
    except Refusal as refused:
        messages.error(request, in_words(refused))
        return redirect("rewards:redemption", redemption_id=redemption_id)
    answer = redemption(request, redemption_id, shown)
    answer["Cache-Control"] = "no-store"
    return answer


@require_POST
@login_required
def cancel(request: HttpRequest, redemption_id: int) -> HttpResponseBase:
    """The points go back."""
    viewer = viewer_for(request)
    row = _own(viewer, redemption_id)
    try:
        resolve.cancel(redemption=row.pk, by=viewer, key="page", now=timezone.now())
    except Refusal as refused:
        messages.error(request, in_words(refused))
    else:
        messages.success(request, _("Cancelled. Your points are back."))
    return redirect("rewards:redemption", redemption_id=row.pk)


@login_required
def file(request: HttpRequest, redemption_id: int) -> HttpResponseBase:
    """The file sent with a redemption, for its person and the desk."""
    viewer = viewer_for(request)
    row = get_object_or_404(Redemption.objects.visible_to(viewer), pk=redemption_id)
    found = get_object_or_404(Attachment, redemption=row)
    answer = HttpResponse(bytes(found.content), content_type=found.media_type)
    disposition = content_disposition_header(as_attachment=True, filename=found.name)
    if disposition:
        answer["Content-Disposition"] = disposition
    answer["Cache-Control"] = "private, no-store"
    return answer


@login_required
def picture(request: HttpRequest, reward_id: int) -> HttpResponseBase:
    """The picture of a reward the viewer may see."""
    row = get_object_or_404(Reward.objects.visible_to(viewer_for(request)), pk=reward_id)
    found = get_object_or_404(Picture, reward=row)
    answer = HttpResponse(bytes(found.content), content_type=found.media_type)
    answer["Cache-Control"] = "private, max-age=300"
    answer["ETag"] = f'"{found.sha256}"'
    return answer


def company_of(viewer: Viewer) -> Organization | None:
    """The company whose rewards the viewer can ask for; None for one who belongs to none today."""
    if viewer.person_id is None:
        return None
    where = home_of(Person.objects.get(pk=viewer.person_id), timezone.now())
    if where is None or not any(place.startswith(where.company.path) for place in viewer.places):
        return None
    return where.company


def keeps_desk(viewer: Viewer) -> bool:
    """Whether the viewer keeps the desk of any company."""
    return viewer.may(Deed.MANAGE_RULES)


def asks_special(viewer: Viewer) -> bool:
    """Whether the viewer may ask for special points anywhere."""
    return viewer.may(Deed.MANAGE_PEOPLE) or viewer.may(Deed.MANAGE_RULES)


def _own(viewer: Viewer, redemption_id: int) -> Redemption:
    if viewer.person_id is None:
        raise Http404("no such redemption")
    rows = Redemption.objects.visible_to(viewer).filter(person_id=viewer.person_id)
    return get_object_or_404(rows.select_related("reward", "company"), pk=redemption_id)


def _date(text: str) -> Any:
    try:
        return parse_date(text)
    except ValueError:
        return None


def back_to(name: str, company: Organization, *args: Any) -> str:
    """The address of a page of the desk, for the company."""
    return f"{reverse(f'rewards:{name}', args=args)}?at={company.slug}"
