"""The posts of a company, and one of them with what is said about it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from uptake.directory.models import Organization
from uptake.directory.place import settings_at
from uptake.directory.scope import Deed, NotAllowed, Viewer
from uptake.programme.community import write
from uptake.programme.community.models import Post, PostKind, Reaction, ReactionKind, Recognition, Reply
from uptake.programme.community.moderate import hide, keep, report
from uptake.programme.community.refusals import Refusal
from uptake.programme.merits.models import GivenBadge
from uptake.web.pages.community.places import company_for, nobody
from uptake.web.pages.community.words import in_words
from uptake.web.viewing import login_required, viewer_for

A_PAGE: Final = 20
SIDE: Final = 5


@dataclass(frozen=True)
class Said:
    """A reply as its page shows it."""

    reply: Reply
    accepted: bool
    may_accept: bool
    may_change: bool


@login_required
def home(request: HttpRequest) -> HttpResponseBase:
    """What is said at a company: searched by `q`, filtered by `kind`; POST writes."""
    viewer = viewer_for(request)
    company, companies = company_for(request)
    if company is None:
        return nobody(request)
    wrong = ""
    if request.method == "POST":
        wrong, made = _write(request, company, viewer)
        if made is not None:
            messages.success(request, _("It stands here now. You can change it for 15 minutes."))
            return redirect("community:post", post_id=made.pk)
    kind, asked = request.GET.get("kind", ""), request.GET.get("q", "").strip()[:100]
    rows = Post.objects.visible_to(viewer).filter(company=company)
    if kind in PostKind.values:
        rows = rows.filter(kind=kind)
    if asked:
        # What is hidden is not found by its words.
        found = Q(title__icontains=asked) | Q(text__icontains=asked)
        rows = rows.filter(found, hidden_at__isnull=True)
    counts = {"answers": Count("replies", distinct=True, filter=Q(replies__hidden_at__isnull=True)),
              "thanks": Count("reactions", distinct=True)}  # fmt: skip
    rows = rows.select_related("person").annotate(**counts).order_by("-written_at", "-pk")
    given = Recognition.objects.visible_to(viewer).filter(company=company).select_related("giver", "receiver")
    context: dict[str, Any] = {
        "company": company,
        "companies": companies,
        "page": Paginator(rows, A_PAGE).get_page(request.GET.get("page")),
        "kinds": [(value, label, _address(company, value, asked)) for value, label in _kinds()],
        "kind": kind,
        "asked": asked,
        "writes": write.belongs(viewer, company),
        "moderates": viewer.may(Deed.MANAGE_RULES, company),
        "recognitions": given.order_by("-given_at", "-pk")[:SIDE],
        "badges": _badges(company, viewer),
        "wrong": wrong,
        "typed": request.POST,
        "post_kinds": PostKind.choices,
        "key": uuid.uuid4().hex,
    }
    with timezone.override(settings_at(company).at(timezone.now()).zone):
        return render(request, "community/home.html", context, status=422 if wrong else 200)


@login_required
def post(request: HttpRequest, post_id: int) -> HttpResponseBase:
    """One post; a POST replies, accepts, reacts, changes, reports or moderates."""
    viewer = viewer_for(request)
    rows = Post.objects.visible_to(viewer).select_related("company", "person")
    found = get_object_or_404(rows, pk=post_id)
    wrong = ""
    if request.method == "POST":
        wrong = _do(request, found, viewer)
        if not wrong:
            return redirect("community:post", post_id=found.pk)
    now = timezone.now()
    writes = write.belongs(viewer, found.company)
    moderates = viewer.may(Deed.MANAGE_RULES, found.company)
    asker = viewer.person_id is not None and found.person_id == viewer.person_id
    replies = [
        Said(
            one,
            one.pk == found.accepted_id,
            asker and found.kind == PostKind.QUESTION and not found.accepted_id and one.person_id != found.person_id,
            write.may_change(one, viewer, now) and one.pk != found.accepted_id,
        )
        for one in Reply.objects.filter(post=found).select_related("person").order_by("written_at", "pk")
    ]
    replies.sort(key=lambda one: not one.accepted)
    context: dict[str, Any] = {
        "post": found,
        "replies": replies,
        "reactions": _reactions(found, viewer),
        "writes": writes and found.hidden_at is None,
        "reports": writes,
        "moderates": moderates,
        "person": viewer.person_id,
        "may_change": write.may_change(found, viewer, now),
        "wrong": wrong,
        "typed": request.POST,
        "key": uuid.uuid4().hex,
    }
    with timezone.override(settings_at(found.company).at(timezone.now()).zone):
        return render(request, "community/post.html", context, status=422 if wrong else 200)


def _badges(company: Organization, viewer: Viewer) -> list[tuple[GivenBadge, str]]:
    """The latest badges of colleagues, with their names in the reader's language."""
    rows = GivenBadge.objects.told_at(viewer, company).select_related("badge", "person")
    language = get_language() or "en"
    return [(one, one.badge.name_in(language)) for one in rows.order_by("-given_at", "-pk")[:SIDE]]


def _kinds() -> list[tuple[str, str]]:
    return [
        ("", _("All")),
        (PostKind.QUESTION, _("Q&A")),
        (PostKind.TIP, _("Tips")),
        (PostKind.POST, _("Posts")),
    ]


def _address(company: Organization, kind: str, asked: str) -> str:
    told = {"at": company.slug, "kind": kind, "q": asked}
    return f"{reverse('community:home')}?{urlencode({name: value for name, value in told.items() if value})}"


def _write(request: HttpRequest, company: Organization, viewer: Viewer) -> tuple[str, Post | None]:
    given = request.POST
    kind = given.get("kind", "")
    if kind not in PostKind.values:
        return _("Choose whether it is a question, a tip or a post."), None
    try:
        return "", write.write_post(
            company=company, kind=PostKind(kind), title=given.get("title", ""), text=given.get("text", ""),
            key=_key(request), by=viewer, now=timezone.now(),
        )  # fmt: skip
    except (Refusal, NotAllowed) as refused:
        return in_words(refused), None


def _key(request: HttpRequest) -> str:
    return request.POST.get("key", "")[:100] or uuid.uuid4().hex


def _reactions(found: Post, viewer: Viewer) -> list[tuple[str, str, int, bool]]:
    """(kind, label, how many, whether one's own is among them)."""
    rows = list(Reaction.objects.filter(post=found).values_list("kind", "person_id"))
    own = {kind for kind, person in rows if person == viewer.person_id}
    return [
        (kind, str(label), sum(one == kind for one, _who in rows), kind in own) for kind, label in ReactionKind.choices
    ]


def _do(request: HttpRequest, found: Post, viewer: Viewer) -> str:
    """Does what the form asks for; gives what is wrong, in words."""
    given, now = request.POST, timezone.now()
    deed = given.get("do", "")
    number = given.get("reply", "")
    reply = None
    if number:
        reply = Reply.objects.filter(
            post=found, pk=int(number) if number.isdecimal() and len(number) < 18 else 0
        ).first()
        if reply is None:
            return _("That reply is not there any more.")
    about = reply or found
    try:
        if deed == "answer":
            write.write_reply(post=found, text=given.get("text", ""), key=_key(request), by=viewer, now=now)
            messages.success(request, _("It stands here now. You can change it for 15 minutes."))
        elif deed == "accept" and reply:
            write.accept_answer(reply=reply, by=viewer, now=now)
            messages.success(request, _("Accepted. The question now counts as solved."))
        elif deed == "react" and given.get("kind") in ReactionKind.values:
            write.react(post=found, kind=ReactionKind(given["kind"]), by=viewer, now=now)
        elif deed == "change" and reply:
            write.edit_reply(reply=reply, text=given.get("text", ""), by=viewer, now=now)
        elif deed == "change":
            write.edit_post(post=found, title=given.get("title", ""), text=given.get("text", ""), by=viewer, now=now)
        elif deed == "report":
            report(about=about, why=given.get("why", ""), by=viewer, now=now)
            messages.success(request, _("Reported. Somebody of the committee looks at it."))
        elif deed == "hide":
            hide(about=about, why=given.get("why", ""), by=viewer, now=now)
            messages.success(request, _("Hidden. Its author is told why."))
        elif deed == "keep":
            keep(about=about, by=viewer, now=now)
            messages.success(request, _("It can be read by everybody, and its reports are settled."))
        else:
            return _("Choose what to do.")
    except (Refusal, NotAllowed) as refused:
        return in_words(refused)
    return ""
