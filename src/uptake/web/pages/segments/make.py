"""Makes, changes, freezes and deletes segments: conditions chosen in the address, looked at, then saved."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from uptake.activity.question import QuestionRefused
from uptake.directory.models import Organization
from uptake.directory.scope import Deed, NotAllowed, Viewer
from uptake.insight.feed.where import activity_log
from uptake.insight.metrics.belonging import members_of, reckoned
from uptake.insight.metrics.keep_segment import (
    TooMany,
    change_segment,
    checked,
    drop_segment,
    freeze_segment,
    make_segment,
    may_change,
)
from uptake.insight.metrics.kept import NoName, NotARole
from uptake.insight.models import Segment
from uptake.web.pages.explore.bar import bar_of
from uptake.web.pages.segments.criteria import (
    FIELDS,
    KINDS,
    MOST_ROWS,
    Row,
    address,
    in_words,
    places_below,
    rows_from,
    rows_of,
    written,
)
from uptake.web.pages.segments.views import named, refusal_of, segment_of, share_choices, today_at
from uptake.web.viewing import needs, place_for, viewer_for

PREVIEWED = 20


@needs(Deed.SEE_PEOPLE)
def new(request: HttpRequest) -> HttpResponseBase:
    """The form of a new segment of the place `?at=`, with who would belong; saved by POST."""
    place = place_for(request, Deed.SEE_PEOPLE)
    if request.method == "POST":
        return _save(request, place, None)
    return render(request, "segments/form.html", _frame(request, place, rows_of(request), None))


@needs(Deed.SEE_PEOPLE)
def edit(request: HttpRequest, segment_id: int) -> HttpResponseBase:
    """The same form for a segment that is there."""
    viewer = viewer_for(request)
    found = segment_of(viewer, segment_id)
    if not may_change(viewer, found):
        raise Http404("not yours to change")
    if request.method == "POST":
        return _save(request, found.organization, found)
    if "match" not in request.GET:
        rows = rows_from(found.criteria)
        if rows is not None:
            kept = {"match": found.criteria.get("match", "all"), "of": found.criteria.get("of", "person")}
            query = {"at": found.organization.slug, **address(rows, **kept)}
            return redirect(f"{reverse('segments:edit', args=[found.pk])}?{urlencode(query)}")
        messages.warning(request, _("This segment says more than the form can show: saving replaces its conditions."))
    return render(request, "segments/form.html", _frame(request, found.organization, rows_of(request), found))


@needs(Deed.SEE_PEOPLE)
@require_POST
def freeze(request: HttpRequest, segment_id: int) -> HttpResponseBase:
    """Keeps who belongs today."""
    viewer = viewer_for(request)
    found = segment_of(viewer, segment_id)
    today = today_at(found.organization)
    try:
        members = members_of(activity_log(), viewer, found, today)
        freeze_segment(segment=found, members=members, taken_date=today, by=viewer, now=timezone.now())
    except NotAllowed:
        raise Http404("not yours to change") from None
    except TooMany:
        messages.error(request, _("More belong than a list can keep. Narrow the segment first."))
    except QuestionRefused as refused:
        messages.error(request, refusal_of(refused))
    else:
        messages.success(request, _("The segment is now the list of today; it does not change any more."))
    return redirect("segments:segment", found.pk)


@needs(Deed.SEE_PEOPLE)
@require_POST
def delete(request: HttpRequest, segment_id: int) -> HttpResponseBase:
    """Deletes a segment."""
    viewer = viewer_for(request)
    found = segment_of(viewer, segment_id)
    try:
        drop_segment(segment=found, by=viewer, now=timezone.now())
    except NotAllowed:
        raise Http404("not yours to delete") from None
    messages.success(request, _("Segment “%(name)s” deleted.") % {"name": found.name})
    return redirect("segments:home")


def _save(request: HttpRequest, place: Organization, found: Segment | None) -> HttpResponseBase:
    """Saves what was looked at; what is wrong is said on the form, which keeps its rows."""
    viewer = viewer_for(request)
    name, roles = request.POST.get("name", ""), request.POST.getlist("roles")
    try:
        criteria = json.loads(request.POST.get("criteria", ""))
        if not isinstance(criteria, dict):
            raise ValueError("not criteria")
        now = timezone.now()
        if found is None:
            saved = make_segment(name=name, organization=place, criteria=criteria, roles=roles, by=viewer, now=now)
        else:
            changed = None if criteria == found.criteria else criteria
            saved = change_segment(segment=found, name=name, criteria=changed, roles=roles, by=viewer, now=now)
    except NoName:
        return _again(request, place, found, _("Give the segment a name."))
    except NotARole:
        return _again(request, place, found, _("It can be shared only with roles that see single people."))
    except QuestionRefused as refused:
        return _again(request, place, found, refusal_of(refused))
    except (ValueError, NotAllowed):
        raise Http404("nothing to save") from None
    messages.success(request, _("Segment “%(name)s” saved.") % {"name": saved.name})
    return redirect("segments:segment", saved.pk)


def _again(request: HttpRequest, place: Organization, found: Segment | None, error: str) -> HttpResponseBase:
    context = _frame(request, place, rows_of(request), found)
    context |= {"error": error, "name": request.POST.get("name", ""), "shared": request.POST.getlist("roles")}
    return render(request, "segments/form.html", context, status=422)


def _frame(request: HttpRequest, place: Organization, rows: list[Row], found: Segment | None) -> dict[str, Any]:
    """The form: what can be chosen, the rows so far and one more, and who belongs."""
    bar = bar_of(request)
    match = "any" if request.GET.get("match") == "any" else "all"
    of = "company" if request.GET.get("of") == "company" and place.kind == "park" else "person"
    more = [Row(len(rows), "")] if len(rows) < MOST_ROWS else []
    context: dict[str, Any] = {
        "place": place,
        "segment": found,
        "rows": rows,
        "more": more,
        "match": match,
        "of": of,
        "kinds": list(KINDS.items()),
        "fields": FIELDS,
        "events": bar.names,
        "properties": bar.properties,
        "places": [*places_below(place), *((f"source:{slug}", label) for slug, label in bar.sources)],
        "roles": share_choices(),
        "name": found.name if found else "",
        "shared": found.shared_roles if found else (),
        "may_be_companies": place.kind == "park",
        "error": "",
    }
    open_ = [row.number + 1 for row in rows if not row.complete]
    if open_:
        context["missing"] = _("Condition %(n)s is not complete yet.") % {"n": open_[0]}
    elif rows:
        context |= _preview(viewer_for(request), place, written(rows, match=match, of=of))
    return context


def _preview(viewer: Viewer, place: Organization, criteria: dict[str, Any]) -> dict[str, Any]:
    """Who would belong today, or what is still missing."""
    today = today_at(place)
    try:
        checked(criteria, place, today)
        ids = reckoned(activity_log(), viewer, criteria, place, today)
    except QuestionRefused as refused:
        return {"missing": refusal_of(refused)}
    members = named(viewer, ids, criteria.get("of") == "company", place, today)
    names = [row.name for row in members.people] + [one.name for one in members.companies]
    return {
        "criteria": json.dumps(criteria, ensure_ascii=False),
        "words": in_words(criteria),
        "count": members.count,
        "people": names[:PREVIEWED],
        "further": max(0, members.count - PREVIEWED),
    }
