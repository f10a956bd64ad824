"""Trainings: to enrol, to say that one was there, and for those who run them to plan and to keep who came."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from uptake.directory.models import Organization, Person, PersonKind
from uptake.directory.place import settings_at
from uptake.directory.roster import NoNameColumn, NotText, TooManyRows, decode, read_roster
from uptake.directory.scope import Deed, NotAllowed, Viewer
from uptake.programme.adoption.attend import (
    CODE_AFTER,
    CODE_BEFORE,
    attend_by_code,
    find_rows,
    mark_attended,
    unmark_attended,
)
from uptake.programme.adoption.enrol import enrol, withdraw
from uptake.programme.adoption.hours import learned_by
from uptake.programme.adoption.models import Enrolment, Presence, Stand, Training, at_own_places
from uptake.programme.adoption.plan_training import LONGEST, Plan, cancel_training, change_training, plan_training
from uptake.programme.adoption.refusals import Refusal
from uptake.web.pages.adoption.places import as_typed, chosen, grouped, places_of, typed_time
from uptake.web.pages.adoption.words import in_words
from uptake.web.viewing import login_required, needs, viewer_for

A_PAGE: Final = 20
LARGEST_FILE: Final = 1_000_000
PEOPLE_LISTED: Final = 300
LONGEST_USUAL: Final = timedelta(hours=8)
TEXTS: Final = tuple(LONGEST)


@dataclass(frozen=True)
class Listed:
    """A training as lists show it."""

    row: Training
    title: str
    text: str
    state: str
    label: str
    tone: str
    free: int | None
    taken: int
    mine: Enrolment | None


@login_required
def home(request: HttpRequest) -> HttpResponseBase:
    """What is coming, what one learned, and with `?show=past` what was."""
    viewer, now = viewer_for(request), timezone.now()
    past = request.GET.get("show") == "past"
    rows = Training.objects.visible_to(viewer).select_related("organization")
    rows = rows.annotate(taken=Count("enrolments", filter=Q(enrolments__stand=Stand.ENROLLED)))
    # What began within a working day may still be going on, and is where one looks for it.
    border = now - LONGEST_USUAL
    if past:
        rows = rows.filter(starts_at__lt=border).order_by("-starts_at", "-pk")
    else:
        rows = rows.filter(starts_at__gte=border).order_by("starts_at", "pk")
    page = Paginator(rows, A_PAGE).get_page(request.GET.get("page"))
    mine = _mine(viewer, [one.pk for one in page])
    context: dict[str, Any] = {
        "page": page,
        "rows": [_listed(one, mine.get(one.pk), now) for one in page],
        "past": past,
        "runs": viewer.may(Deed.RUN_TRAININGS),
        "learned": learned_by(viewer.person_id, viewer=viewer) if viewer.person_id else None,
    }
    return render(request, "adoption/trainings.html", context)


@login_required
def one(request: HttpRequest, training_id: int) -> HttpResponseBase:
    """One training; a POST enrols, withdraws, tells the code, keeps who came, or calls it off."""
    viewer, now = viewer_for(request), timezone.now()
    rows = Training.objects.visible_to(viewer).select_related("organization")
    found = get_object_or_404(
        rows.annotate(taken=Count("enrolments", filter=Q(enrolments__stand=Stand.ENROLLED))), pk=training_id
    )
    runs = viewer.may(Deed.RUN_TRAININGS, found.organization)
    wrong = ""
    lines: list[Any] = []
    if request.method == "POST":
        wrong, lines = _do(request, found, viewer)
        if not wrong and not lines:
            return redirect("trainings:one", found.pk)
    enrolled = found.enrolments.select_related("person").order_by("person__name", "pk")
    meant = Training.objects.filter(at_own_places("organization", viewer), pk=found.pk).exists()
    context: dict[str, Any] = {
        "one": _listed(found, _mine(viewer, [found.pk]).get(found.pk), now),
        "training": found,
        "runs": runs,
        "meant": meant and viewer.person_id is not None,
        "open": found.cancelled_at is None and now < found.ends_at,
        "begun": now >= found.starts_at,
        "code_time": found.cancelled_at is None and found.starts_at - CODE_BEFORE <= now <= found.ends_at + CODE_AFTER,
        "enrolled": list(enrolled.exclude(stand=Stand.WITHDRAWN)) if runs else [],
        "attended": list(enrolled.filter(attended_at__isnull=False)) if runs else [],
        "others": _others(found, now) if runs and now >= found.starts_at else [],
        "lines": lines,
        "wrong": wrong,
    }
    with timezone.override(settings_at(found.organization).at(timezone.now()).zone):
        return render(request, "adoption/training.html", context, status=422 if wrong else 200)


@needs(Deed.RUN_TRAININGS)
def new(request: HttpRequest) -> HttpResponseBase:
    """The form of a new training."""
    viewer = viewer_for(request)
    places = places_of(viewer, Deed.RUN_TRAININGS)
    place = chosen(request, places)
    if request.method == "POST":
        place = next((found for found in places if found.slug == request.POST.get("place", "")), place)
        wrong, made = _keep(request, place, viewer, None)
        if made is not None:
            messages.success(request, _("Planned. Everybody of the place can enrol."))
            return redirect("trainings:one", made.pk)
        return _form(request, request.POST, place, places, None, wrong)
    return _form(request, {"minutes": "60"}, place, places, None, "")


@needs(Deed.RUN_TRAININGS)
def change(request: HttpRequest, training_id: int) -> HttpResponseBase:
    """The form of a training that is not over."""
    viewer, now = viewer_for(request), timezone.now()
    found = get_object_or_404(Training.objects.visible_to(viewer).select_related("organization"), pk=training_id)
    place = found.organization
    if not viewer.may(Deed.RUN_TRAININGS, place) or found.cancelled_at is not None or found.ends_at <= now:
        raise Http404("nothing to change")
    if request.method == "POST":
        wrong, made = _keep(request, place, viewer, found)
        if made is not None:
            return redirect("trainings:one", made.pk)
        return _form(request, request.POST, place, [place], found, wrong)
    typed = {name: getattr(found, name) for name in (*TEXTS, "minutes")}
    typed |= {"starts_at": as_typed(found.starts_at, place), "capacity": found.capacity or ""}
    return _form(request, typed, place, [place], found, "")


def _mine(viewer: Viewer, keys: list[int]) -> dict[int, Enrolment]:
    rows = Enrolment.objects.filter(person_id=viewer.person_id or 0, training_id__in=keys)
    return {one.training_id: one for one in rows}


def _listed(one: Training, mine: Enrolment | None, now: datetime) -> Listed:
    language = get_language() or "en"
    taken: int = getattr(one, "taken", 0)
    free = None if one.capacity is None else max(0, one.capacity - taken)
    if one.cancelled_at is not None:
        state, label, tone = "cancelled", _("Called off"), "warn"
    elif mine is not None and mine.attended_at is not None:
        state, label, tone = "attended", _("You were there"), "good"
    elif now >= one.ends_at:
        state, label, tone = "over", _("Over"), ""
    elif mine is not None and mine.stand == Stand.ENROLLED:
        state, label, tone = "enrolled", _("You are enrolled"), "good"
    elif mine is not None and mine.stand == Stand.WAITING:
        state, label, tone = "waiting", _("You are on the waiting list"), "info"
    elif free == 0:
        state, label, tone = "full", _("Full; there is a waiting list"), "warn"
    else:
        state, label, tone = "open", _("Enrolment open"), "info"
    return Listed(one, one.title_in(language), one.text_in(language), state, label, tone, free, taken, mine)


def _others(training: Training, now: datetime) -> list[Person]:
    """People of the place who did not enrol, to be marked as well."""
    day = settings_at(training.organization).date_of(training.starts_at)
    known = training.enrolments.exclude(stand=Stand.WITHDRAWN).values("person_id")
    rows = Person.objects.belonging(training.organization, day).filter(kind=PersonKind.HUMAN, erased_at__isnull=True)
    return list(rows.exclude(pk__in=known).order_by("name", "pk")[:PEOPLE_LISTED])


def _do(request: HttpRequest, found: Training, viewer: Viewer) -> tuple[str, list[Any]]:
    """(what is wrong, in words; lines of a list that were not understood)."""
    given, now = request.POST, timezone.now()
    deed = given.get("do", "")
    try:
        if deed == "enrol":
            row = enrol(training=found, by=viewer, now=now)
            waits = row.stand == Stand.WAITING
            messages.success(request, _("You are on the waiting list.") if waits else _("You are enrolled."))
        elif deed == "withdraw":
            withdraw(training=found, by=viewer, now=now)
        elif deed == "code":
            attend_by_code(training=found, code=given.get("code", ""), by=viewer, now=now)
            messages.success(request, _("Kept: you were there."))
        elif deed == "attended":
            people = {int(one) for one in given.getlist("person") if one.isdecimal() and len(one) < 18}
            said = given.get("minutes", "").strip()
            minutes = int(said) if said.isdecimal() and len(said) < 6 else found.minutes if not said else 0
            _marked(request, mark_attended(training=found, people=people, minutes=minutes, by=viewer, now=now))
        elif deed == "unmark":
            who = given.get("person", "")
            person = int(who) if who.isdecimal() and len(who) < 18 else 0
            if unmark_attended(training=found, person=person, why=given.get("why", ""), by=viewer, now=now):
                messages.success(request, _("Taken back. What rules paid for it is taken back too."))
        elif deed == "file":
            return _read_file(request, found, viewer)
        elif deed == "cancel":
            cancel_training(training=found, by=viewer, now=now)
        else:
            return _("Choose what to do."), []
    except (Refusal, NotAllowed) as refused:
        return in_words(refused), []
    return "", []


def _marked(request: HttpRequest, new: int) -> None:
    told = ngettext("%(n)s person was there.", "%(n)s people were there.", new) % {"n": new}
    messages.success(request, told if new else _("Nobody new: they were marked before."))


def _read_file(request: HttpRequest, found: Training, viewer: Viewer) -> tuple[str, list[Any]]:
    file = request.FILES.get("file")
    if file is None or (file.size or 0) > LARGEST_FILE:
        return _("Choose a CSV file of at most 1 MB."), []
    try:
        rows = read_roster(decode(file.read()))
    except (NoNameColumn, NotText, TooManyRows):
        return _("The first line must name the columns; one of them is the name. At most 5,000 lines of text."), []
    day = settings_at(found.organization).date_of(found.starts_at)
    lines = find_rows(found, rows, by=viewer, on=day)
    people = [one.person for one in lines if one.person is not None]
    _marked(request, mark_attended(training=found, people=people, by=viewer, now=timezone.now(), how=Presence.FILE))
    return "", [one for one in lines if one.person is None]


def _keep(
    request: HttpRequest, place: Organization, viewer: Viewer, known: Training | None
) -> tuple[str, Training | None]:
    given, now = request.POST, timezone.now()
    numbers = {name: given.get(name, "").strip() for name in ("minutes", "capacity")}
    if not all(not text or (text.isascii() and text.isdecimal() and len(text) < 7) for text in numbers.values()):
        return _("These are whole numbers."), None
    try:
        starts_at = typed_time(given.get("starts_at", ""), place)
    except ValueError:
        starts_at = None
    if starts_at is None:
        return _("This is not a date and time."), None
    plan = Plan(
        **{name: given.get(name, "") for name in TEXTS},
        starts_at=starts_at,
        minutes=int(numbers["minutes"] or 0),
        capacity=int(numbers["capacity"]) if numbers["capacity"] else None,
    )
    try:
        if known is not None:
            return "", change_training(training=known, plan=plan, by=viewer, now=now)
        key = given.get("key", "")[:100] or uuid.uuid4().hex
        return "", plan_training(organization=place, plan=plan, key=key, by=viewer, now=now)
    except (Refusal, NotAllowed) as refused:
        return in_words(refused), None


def _form(
    request: HttpRequest,
    typed: Mapping[str, Any],
    place: Organization,
    places: list[Organization],
    known: Training | None,
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
    }
    return render(request, "adoption/plan.html", context, status=422 if wrong else 200)
