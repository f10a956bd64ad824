"""How a place says each kind of message: the list, and one kind with its words, a preview, a test mail and versions."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from uptake.directory.models import Kind, Organization
from uptake.directory.scope import Deed, Viewer
from uptake.notify.models import Wording
from uptake.notify.own_words import from_above, held_at, own_at
from uptake.notify.word import ChangedMeanwhile, NoAddress, WordsRefused, proper, send_try, word
from uptake.notify.wordings import GAPS, gaps, kinds, label_of, slots_of, topic_in
from uptake.web.pages.wording.fields import fields_of, sentence
from uptake.web.pages.wording.preview import Sample, latest_of, previews
from uptake.web.viewing import needs, viewer_for

VERSIONS = 20


@needs(Deed.MANAGE_PEOPLE)
def home(request: HttpRequest) -> HttpResponseBase:
    """Every kind of message and whose words it is said in at one place (`?at=`)."""
    viewer = viewer_for(request)
    places = list(_places(viewer))
    place = _chosen(request, viewer, places)
    rows = []
    if place is not None:
        own, mine = own_at(place), {}
        for one in Wording.objects.visible_to(viewer).filter(organization=place).order_by("number"):
            mine[one.kind] = one
        for kind in kinds():
            last = mine.get(kind)
            held = "own" if last is not None and last.phrases else "above" if own.phrases.get(kind) else "shipped"
            rows.append(
                {"kind": kind, "label": label_of(kind), "topic": topic_in(kind).label, "held": held, "last": last}
            )
    groups = [(topic, list(some)) for topic, some in groupby(rows, key=lambda row: row["topic"])]
    return render(request, "wording/home.html", {"places": places, "place": place, "groups": groups})


@needs(Deed.MANAGE_PEOPLE)
def one(request: HttpRequest, slug: str, kind: str) -> HttpResponseBase:
    """One kind of message at one place: its words, saved (`do=save`), tried, taken back or shown before."""
    viewer = viewer_for(request)
    place = get_object_or_404(_places(viewer), slug=slug)
    if kind not in kinds():
        raise Http404("no such kind of message")
    held, wrong = held_at(place, kind), None
    written: dict[str, dict[str, str]] = held.phrases if held else {}
    if request.method == "POST":
        done = _do(request, viewer, place, kind)
        if not isinstance(done, WordsRefused | None):
            return done
        written, wrong = _written(request), done
    latest = latest_of(viewer, kind)
    sample = Sample(latest if request.POST.get("as") == "mine" else None, viewer.name, place)
    rows = Wording.objects.visible_to(viewer).filter(organization=place, kind=kind).order_by("-number")
    context = {
        "place": place,
        "kind": kind,
        "label": label_of(kind),
        "topic": topic_in(kind).label,
        "languages": fields_of(place, kind, written, wrong),
        "wrong": sentence(kind, wrong) if wrong else "",
        "previews": [] if wrong else previews(kind, _whole(place, kind, written), sample),
        "latest": latest,
        "mailed": "mail" in slots_of(kind),
        "all_gaps": [
            (f"{{{name}}}", GAPS[name]) for name in GAPS if any(name in gaps(kind, one) for one in slots_of(kind))
        ],
        "mine": sample.message is not None,
        "seen": request.POST.get("seen") or (held.number if held else 0),
        "held": held if held is not None and held.phrases else None,
        "above": bool(from_above(place, kind)),
        "versions": [
            (row, fields_of(place, kind, row.phrases, None)) for row in rows.select_related("by__person")[:VERSIONS]
        ],
    }
    return render(request, "wording/one.html", context, status=422 if wrong else 200)


def _do(request: HttpRequest, viewer: Viewer, place: Organization, kind: str) -> HttpResponseBase | WordsRefused | None:
    """What a button asks for: an answer, or None where the page is shown with what was written."""
    do, now, written = request.POST.get("do", ""), timezone.now(), _written(request)
    here = redirect("wording:one", place.slug, kind)
    try:
        if do == "save":
            made = word(place=place, kind=kind, phrases=written, by=viewer, now=now, seen=_number(request, "seen"))
            said = _("Saved. These words hold from now on.") if made else _("Nothing changed.")
            messages.success(request, said)
            return here
        if do == "shipped":
            word(place=place, kind=kind, phrases={}, by=viewer, now=now)
            messages.success(request, _("The own words are taken away. They stay in the versions below."))
            return here
        if do == "again":
            rows = Wording.objects.visible_to(viewer).filter(organization=place, kind=kind)
            row = get_object_or_404(rows, number=_number(request, "version"))
            word(place=place, kind=kind, phrases=row.phrases, by=viewer, now=now)
            messages.success(request, _("The words of version %(n)s hold again.") % {"n": row.number})
            return here
        proper(place, kind, written)
        if do == "try" and "mail" in slots_of(kind):
            latest = latest_of(viewer, kind) if request.POST.get("as") == "mine" else None
            shown = previews(kind, _whole(place, kind, written), Sample(latest, viewer.name, place))
            mails = {one.language: (one.subject, one.mail) for one in shown if one.mail}
            address = send_try(kind=kind, mails=mails, by=viewer, now=now)
            messages.success(
                request, _("A test mail in each language is on its way to %(address)s.") % {"address": address}
            )
    except WordsRefused as refused:
        return refused
    except ChangedMeanwhile:
        messages.error(request, _("Somebody else saved other words meanwhile. Look at the versions, then save again."))
    except NoAddress:
        messages.error(request, _("Your account has no e-mail address, so no test mail can be sent to you."))
    return None


def _written(request: HttpRequest) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for name, text in request.POST.items():
        language, _colon, slot = name.partition(":")
        if slot:
            found.setdefault(language, {})[slot] = str(text)
    return found


def _whole(place: Organization, kind: str, written: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """What would hold at the place, by language and slot: what is written, else what holds above."""
    found = from_above(place, kind)
    for language, slots in written.items():
        found[language] = {**found.get(language, {}), **{slot: text for slot, text in slots.items() if text.strip()}}
    return found


def _number(request: HttpRequest, name: str) -> int:
    said = request.POST.get(name, "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 9 else -1


def _places(viewer: Viewer) -> Any:
    """Open companies and parks whose people the viewer manages, from the root down."""
    allowed = Organization.objects.filter(viewer.within("path", Deed.MANAGE_PEOPLE))
    return allowed.open().filter(kind__in=[Kind.PARK, Kind.COMPANY]).order_by("-kind", "name")


def _chosen(request: HttpRequest, viewer: Viewer, places: list[Organization]) -> Organization | None:
    """`?at=`, or its company where it is a department; else the first. Http404 for a place one must not know of."""
    slug = request.GET.get("at", "")
    if not slug:
        return places[0] if places else None
    asked = Organization.objects.filter(viewer.within("path", Deed.MANAGE_PEOPLE), slug=slug).first()
    if asked is None:
        raise Http404("no such place")
    return next((one for one in places if one.pk in (asked.pk, asked.company_id)), places[0] if places else None)
