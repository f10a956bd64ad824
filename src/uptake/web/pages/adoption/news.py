"""What is said to everybody at a place: to read, and for those who manage the rules to write."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, F
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from uptake.directory.models import Organization
from uptake.directory.place import settings_at
from uptake.directory.scope import HIDE_BELOW, Deed, NotAllowed, Viewer
from uptake.programme.adoption import announce
from uptake.programme.adoption.mark_read import mark_read
from uptake.programme.adoption.models import Announcement, NewsKind, ReadMark
from uptake.programme.adoption.publish_due import before_and_after, publish_due
from uptake.programme.adoption.refusals import Refusal
from uptake.programme.changes import Changes, changes_of, events_of
from uptake.web.catalogue import labels_of
from uptake.web.pages.adoption.places import as_typed, chosen, grouped, places_of, typed_time
from uptake.web.pages.adoption.words import in_words
from uptake.web.viewing import login_required, needs, viewer_for

A_PAGE: Final = 20
TONES: Final = {"draft": "", "planned": "info", "published": "good", "ended": ""}
TEXTS: Final = ("title_en", "title_zh", "text_en", "text_zh")


@dataclass(frozen=True)
class Listed:
    """An announcement as lists show it."""

    row: Announcement
    title: str
    text: str
    state: str
    label: str
    tone: str
    unread: bool
    readers: str
    """Of those who were told, how many opened it; empty where that is not to be known."""


@login_required
def home(request: HttpRequest) -> HttpResponseBase:
    """What holds now, pinned first; `?show=ended` and, for writers, `?show=waiting` tell the rest."""
    viewer, now = viewer_for(request), timezone.now()
    writes = viewer.may(Deed.MANAGE_RULES)
    show = request.GET.get("show", "")
    rows = Announcement.objects.visible_to(viewer)
    if show == "ended":
        rows = rows.filter(published_at__isnull=False, ends_at__lte=now)
    elif show == "waiting" and writes:
        rows = rows.filter(published_at__isnull=True)
    else:
        show = ""
        rows = rows.current(now)
    rows = rows.select_related("organization").annotate(readers=Count("marks"))
    page = Paginator(
        rows.order_by("-pinned", F("published_at").desc(nulls_last=True), "publishes_at", "-pk"), A_PAGE
    ).get_page(request.GET.get("page"))
    read = _read_by(viewer, [one.pk for one in page])
    context: dict[str, Any] = {
        "page": page,
        "rows": [_listed(one, viewer, one.pk not in read) for one in page],
        "writes": writes,
        "show": show,
        "shows": [("", _("Now")), ("ended", _("Over")), *([("waiting", _("Drafts and planned"))] if writes else [])],
    }
    return render(request, "adoption/news.html", context)


@login_required
def one(request: HttpRequest, announcement_id: int) -> HttpResponseBase:
    """One announcement, which marks it as read; a POST of a writer pins, ends, publishes or deletes it."""
    viewer, now = viewer_for(request), timezone.now()
    rows = Announcement.objects.visible_to(viewer).select_related("organization", "rulebook__organization")
    found = get_object_or_404(rows.annotate(readers=Count("marks")), pk=announcement_id)
    writes = viewer.may(Deed.MANAGE_RULES, found.organization)
    wrong = ""
    if request.method == "POST":
        wrong = _do(request, found, viewer)
        if not wrong:
            gone = not Announcement.objects.filter(pk=found.pk).exists()
            return redirect("announcements:home") if gone else redirect("announcements:one", found.pk)
    elif mark_read(announcement=found, by=viewer, now=now):
        found = rows.annotate(readers=Count("marks")).get(pk=found.pk)
    context: dict[str, Any] = {
        "one": _listed(found, viewer, False),
        "writes": writes,
        "wrong": wrong,
        "changes": _changes(found),
        "state": found.state(now),
    }
    with timezone.override(settings_at(found.organization).at(timezone.now()).zone):
        return render(request, "adoption/announcement.html", context, status=422 if wrong else 200)


@needs(Deed.MANAGE_RULES)
def new(request: HttpRequest) -> HttpResponseBase:
    """The form of a new announcement."""
    viewer = viewer_for(request)
    places = places_of(viewer, Deed.MANAGE_RULES)
    place = chosen(request, places)
    if request.method == "POST":
        place = next((found for found in places if found.slug == request.POST.get("place", "")), place)
        wrong, made = _write(request, place, viewer, None)
        if made is not None:
            return redirect("announcements:one", made.pk)
        return _form(request, request.POST, place, places, None, wrong)
    return _form(request, {"publishes_at": as_typed(timezone.now(), place)}, place, places, None, "")


@needs(Deed.MANAGE_RULES)
def change(request: HttpRequest, announcement_id: int) -> HttpResponseBase:
    """The form of one nobody was told yet."""
    viewer = viewer_for(request)
    rows = Announcement.objects.visible_to(viewer).select_related("organization")
    found = get_object_or_404(rows, pk=announcement_id)
    place = found.organization
    if not viewer.may(Deed.MANAGE_RULES, place):
        raise Http404("nothing to change")
    if found.published_at is not None:
        return redirect("announcements:one", found.pk)
    if request.method == "POST":
        wrong, made = _write(request, place, viewer, found)
        if made is not None:
            return redirect("announcements:one", made.pk)
        return _form(request, request.POST, place, [place], found, wrong)
    typed = {name: getattr(found, name) for name in (*TEXTS, "pinned", "by_mail")}
    typed |= {name: as_typed(getattr(found, name), place) for name in ("publishes_at", "ends_at")}
    return _form(request, typed, place, [place], found, "")


def unread_for(viewer: Viewer) -> Announcement | None:
    """The pinned or newest announcement meant for the viewer that they have not opened; None: nothing is new."""
    if viewer.person_id is None:
        return None
    read = ReadMark.objects.filter(person_id=viewer.person_id).values("announcement_id")
    rows = Announcement.objects.for_places(viewer).current(timezone.now()).exclude(pk__in=read)
    return rows.order_by("-pinned", "-published_at", "-pk").first()


def _read_by(viewer: Viewer, keys: list[int]) -> set[int]:
    rows = ReadMark.objects.filter(person_id=viewer.person_id or 0, announcement_id__in=keys)
    return set(rows.values_list("announcement_id", flat=True))


def _listed(one: Announcement, viewer: Viewer, unread: bool) -> Listed:
    state = one.state(timezone.now())
    language = get_language() or "en"
    labels = {
        "draft": _("Draft"),
        "planned": _("Planned"),
        "published": _("Published"),
        "ended": _("Over"),
    }
    readers = ""
    count: int = getattr(one, "readers", 0)
    if one.published_at is not None and viewer.may(Deed.MANAGE_RULES, one.organization) and one.told >= HIDE_BELOW:
        readers = _("read by %(n)s of %(all)s") % {"n": count, "all": one.told}
    return Listed(
        one, one.title_in(language), one.text_in(language), state, labels[state], TONES[state],
        unread and one.published_at is not None, readers,
    )  # fmt: skip


def _changes(found: Announcement) -> Changes | None:
    """Of a rule change: what changes, in the reader's words."""
    if found.kind != NewsKind.RULES or found.rulebook is None:
        return None
    before, after = before_and_after(found.rulebook)
    if before is None:
        return None
    return changes_of(before, after, found.rulebook.in_force_date, labels_of(events_of(before, after)))


def _do(request: HttpRequest, found: Announcement, viewer: Viewer) -> str:
    deed, now = request.POST.get("do", ""), timezone.now()
    told: dict[str, Any] = {"announcement": found, "by": viewer, "now": now}
    try:
        if deed in ("pin", "unpin"):
            announce.pin_announcement(pinned=deed == "pin", **told)
        elif deed == "end":
            announce.end_announcement(**told)
        elif deed == "drop":
            announce.drop_announcement(**told)
            messages.success(request, _("Deleted. Nobody was told."))
        else:
            return _("Choose what to do.")
    except (Refusal, NotAllowed) as refused:
        return in_words(refused)
    return ""


def _write(
    request: HttpRequest, place: Organization, viewer: Viewer, known: Announcement | None
) -> tuple[str, Announcement | None]:
    given, now = request.POST, timezone.now()
    draft = given.get("do") == "draft"
    try:
        wording = announce.Wording(
            **{name: given.get(name, "") for name in TEXTS},
            pinned=bool(given.get("pinned")),
            by_mail=bool(given.get("by_mail")),
            publishes_at=None if draft else typed_time(given.get("publishes_at", ""), place) or now,
            ends_at=None if draft else typed_time(given.get("ends_at", ""), place),
        )
    except ValueError:
        return _("This is not a date and time."), None
    try:
        if known is not None:
            made = announce.change_announcement(announcement=known, wording=wording, by=viewer, now=now)
        else:
            key = given.get("key", "")[:100] or uuid.uuid4().hex
            made = announce.write_announcement(organization=place, wording=wording, key=key, by=viewer, now=now)
    except (Refusal, NotAllowed) as refused:
        return in_words(refused), None
    if made.publishes_at is None:
        messages.success(request, _("Kept as a draft. Only those who manage the rules see it."))
    elif made.publishes_at <= now:
        publish_due(now=now)
        messages.success(request, _("Published. Everybody it is for is told."))
    else:
        messages.success(request, _("Planned. It is published by itself."))
    return "", made


def _form(
    request: HttpRequest,
    typed: Mapping[str, Any],
    place: Organization,
    places: list[Organization],
    known: Announcement | None,
    wrong: str,
) -> HttpResponseBase:
    context: dict[str, Any] = {
        "typed": typed,
        "place": place,
        "places": grouped(places),
        "known": known,
        "wrong": wrong,
        "key": typed.get("key") or uuid.uuid4().hex,
        "zone": settings_at(place).at(timezone.now()).zone,
        "longest_title": announce.LONGEST_TITLE,
        "longest_text": announce.LONGEST_TEXT,
    }
    return render(request, "adoption/write.html", context, status=422 if wrong else 200)
