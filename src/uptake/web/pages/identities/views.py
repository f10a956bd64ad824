"""Who the unresolved identities are: mapped to somebody known, made somebody new, or marked as a machine."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count, Max, Min, Q, QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from uptake.directory.enrol import AlreadyKnown, enrol
from uptake.directory.likeness import most_alike
from uptake.directory.models import Identity, IdentityQuerySet, Membership, Person, PersonKind
from uptake.directory.place import settings_at
from uptake.directory.resolve import AlreadySomebody, may_map
from uptake.directory.scope import Deed, NotAllowed, Viewer
from uptake.events.identify import identify
from uptake.events.models import Event
from uptake.web.pages.data import figures
from uptake.web.viewing import NotYours, needs, place_asked, viewer_for

PEOPLE_COMPARED: Final = 5000


@needs(Deed.MANAGE_DATA, Deed.MANAGE_PEOPLE)
def home(request: HttpRequest) -> HttpResponseBase:
    """The identities nobody was found for (`?state=mapped`: those mapped by hand), with their events."""
    viewer = viewer_for(request)
    mapped = request.GET.get("state") == "mapped"
    identities = _manageable(viewer)
    waiting = identities.unresolved()
    shown = identities.filter(resolved_how="hand", person__isnull=False) if mapped else waiting
    sources = list(shown.order_by("source").values_list("source", flat=True).distinct())
    words, source = request.GET.get("q", "").strip(), request.GET.get("source", "")
    if words:
        shown = shown.filter(Q(external_id__icontains=words) | Q(name__icontains=words) | Q(email__icontains=words))
    if source:
        shown = shown.filter(source=source)
    place = place_asked(request, Deed.MANAGE_DATA, Deed.MANAGE_PEOPLE)
    if place:
        shown = shown.filter(company__path__startswith=place.path)
    order = ("-resolved_at", "-pk") if mapped else ("-first_seen_at", "-pk")
    page = Paginator(shown.select_related("company", "person").order_by(*order), 25).get_page(request.GET.get("page"))
    page.object_list = list(page.object_list)
    _count_events(page.object_list)
    context = {
        "page": page,
        "sources": sources,
        "mapped": mapped,
        "filtered": bool(words or source or place),
        "place": place,
        "unmapped": waiting.count(),
        "tab": "identities" if viewer.may(Deed.MANAGE_DATA) else "",
        "waiting": figures.waiting(viewer) if viewer.may(Deed.MANAGE_DATA) else {},
    }
    return render(request, "identities/home.html", context)


@needs(Deed.MANAGE_DATA, Deed.MANAGE_PEOPLE)
def suggestions(request: HttpRequest, identity_id: int) -> HttpResponseBase:
    """Who an identity may be: the most alike by name, or those a search finds (a part of the page, for htmx)."""
    viewer = viewer_for(request)
    identity = _identity(viewer, identity_id)
    here = _candidates(viewer, identity)
    words = request.GET.get("q", "").strip()
    if words:
        found = list(
            here.filter(Q(name__icontains=words) | Q(email__icontains=words) | Q(staff_number=words)).order_by("name")[
                :8
            ]
        )
    else:
        names = here.order_by("pk").values_list("pk", "name")[:PEOPLE_COMPARED]
        keys = [key for key, _score in most_alike((identity.name, identity.external_id), names)]
        by_key = here.in_bulk(keys)
        found = [by_key[key] for key in keys]
    context = {"identity": identity, "found": found, "words": words, "homes": _homes(viewer, found)}
    return render(request, "identities/suggestions.html", context)


@needs(Deed.MANAGE_DATA, Deed.MANAGE_PEOPLE)
@require_POST
def map_to(request: HttpRequest, identity_id: int) -> HttpResponseBase:
    """Maps an identity to the person chosen."""
    viewer = viewer_for(request)
    identity = _identity(viewer, identity_id)
    key = request.POST.get("person", "")
    person = get_object_or_404(_candidates(viewer, identity), pk=int(key) if key.isdecimal() else 0)
    return _say_who(request, viewer, identity, person)


@needs(Deed.MANAGE_PEOPLE)
@require_POST
def new_person(request: HttpRequest, identity_id: int) -> HttpResponseBase:
    """Makes a person of an identity, in its company."""
    return _make(request, identity_id, PersonKind.HUMAN)


@needs(Deed.MANAGE_PEOPLE)
@require_POST
def machine(request: HttpRequest, identity_id: int) -> HttpResponseBase:
    """Marks an identity as a program: it becomes a machine account, which is never counted as a person."""
    return _make(request, identity_id, PersonKind.MACHINE)


@needs(Deed.MANAGE_DATA, Deed.MANAGE_PEOPLE)
@require_POST
def free(request: HttpRequest, identity_id: int) -> HttpResponseBase:
    """Takes an identity back from its person."""
    viewer = viewer_for(request)
    return _say_who(request, viewer, _identity(viewer, identity_id), None)


def _make(request: HttpRequest, identity_id: int, kind: PersonKind) -> HttpResponseBase:
    viewer = viewer_for(request)
    identity = _identity(viewer, identity_id)
    place = identity.company
    if place is None or not viewer.may(Deed.MANAGE_PEOPLE, place):
        raise NotYours(Deed.MANAGE_PEOPLE)
    if identity.person_id is not None:
        return _answer(request, identity, _("This identity has a person already."), good=False)
    now = timezone.now()
    first = Event.objects.filter(identity=identity).aggregate(at=Min("business_date"))["at"]
    try:
        with transaction.atomic():
            person = enrol(
                name=identity.name or identity.external_id,
                organization=place,
                from_date=first or settings_at(place).date_of(now),
                email=identity.email if "@" in identity.email else "",
                staff_number=identity.staff_number,
                kind=kind,
                by=viewer,
                now=now,
            )
            identify(identity=identity, person=person, by=viewer, now=now)
    except AlreadyKnown as known:
        said = _("%(name)s has this e-mail or staff number: map the identity to them.") % {"name": known.person.name}
        return _answer(request, identity, said, good=False)
    said = _("%(id)s is a machine account now.") if kind == PersonKind.MACHINE else _("%(name)s was added.")
    return _answer(request, identity, said % {"id": identity.external_id, "name": person.name}, good=True)


def _say_who(request: HttpRequest, viewer: Viewer, identity: Identity, person: Person | None) -> HttpResponseBase:
    try:
        identify(identity=identity, person=person, by=viewer, now=timezone.now())
    except NotAllowed:
        raise NotYours(Deed.MANAGE_PEOPLE) from None
    except AlreadySomebody:
        return _answer(request, identity, _("This identity has a person already."), good=False)
    if person is None:
        return _answer(request, identity, _("%(id)s has no person any more.") % {"id": identity.external_id}, good=True)
    said = _("%(id)s is %(name)s, also in past events.") % {"id": identity.external_id, "name": person.name}
    return _answer(request, identity, said, good=True)


def _answer(request: HttpRequest, identity: Identity, said: str, *, good: bool) -> HttpResponseBase:
    """To htmx the row as it is now; else a message and the list."""
    if getattr(request, "htmx", False):
        return render(request, "identities/done.html", {"identity": identity, "said": said, "good": good})
    (messages.success if good else messages.error)(request, said)
    return redirect(reverse("identities:home"))


def _manageable(viewer: Viewer) -> IdentityQuerySet:
    """Of the visible identities, those the viewer may map."""
    identities = Identity.objects.visible_to(viewer)
    if viewer.sees_everything(Deed.MANAGE_DATA):
        return identities
    return identities.filter(viewer.within("company__path", Deed.MANAGE_DATA, Deed.MANAGE_PEOPLE))


def _identity(viewer: Viewer, identity_id: int) -> Identity:
    found = get_object_or_404(Identity.objects.visible_to(viewer).select_related("company"), pk=identity_id)
    if not may_map(viewer, found):
        raise Http404
    return found


def _candidates(viewer: Viewer, identity: Identity) -> QuerySet[Person]:
    """Who may be meant: visible people of the identity's company (of a park's identity: of the whole park)."""
    people = Person.objects.visible_to(viewer).filter(kind=PersonKind.HUMAN)
    if identity.company is None:
        return people
    here = Membership.objects.visible_to(viewer).filter(organization__path__startswith=identity.company.path)
    return people.filter(pk__in=here.values("person"))


def _homes(viewer: Viewer, people: list[Person]) -> dict[int, str]:
    """Where the people are today, in words, by person id."""
    memberships = (
        Membership.objects.visible_to(viewer).on(viewer.today).filter(person__in=people).select_related("organization")
    )
    return {one.person_id: one.organization.name for one in memberships.order_by("from_date", "pk")}


def _count_events(page: list[Identity]) -> None:
    """Writes how many events each identity of the page has, and when the last was, onto it."""
    counted: dict[int, Any] = {
        row["identity"]: row
        for row in Event.objects.filter(identity__in=page)
        .order_by()
        .values("identity")
        .annotate(number=Count("pk"), first=Min("happened_at"), last=Max("happened_at"))
    }
    for identity in page:
        row = counted.get(identity.pk, {})
        identity.events_number = row.get("number", 0)  # type: ignore[attr-defined]
        identity.first_event_at = row.get("first")  # type: ignore[attr-defined]
        identity.last_event_at = row.get("last")  # type: ignore[attr-defined]
