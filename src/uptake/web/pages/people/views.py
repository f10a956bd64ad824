"""The list of people beside the tree of places, and the page of one person."""

from __future__ import annotations

from datetime import timedelta

from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from uptake.directory.drop_second_step import has_second_step, may_drop_second_step
from uptake.directory.enrol import may_manage
from uptake.directory.erase import may_erase
from uptake.directory.models import (
    Identity,
    Kind,
    Leave,
    Membership,
    Organization,
    Person,
    Role,
    RoleAssignment,
    User,
)
from uptake.directory.open_login import may_open_login
from uptake.directory.scope import Deed, Viewer
from uptake.directory.viewer import ROLES_GIVEN_BY
from uptake.notify.models import Bounce
from uptake.web.pages.people.forms import choices_of
from uptake.web.pages.people.tree import SEEING, tree_for
from uptake.web.viewing import login_required, needs, viewer_for

LEAVE_SHOWN = 50


@needs(*SEEING)
def home(request: HttpRequest) -> HttpResponseBase:
    """People of a place (`?at=<slug>`), searched and filtered, beside the tree."""
    viewer = viewer_for(request)
    chosen = _chosen(viewer, request.GET.get("at", ""))
    people = _filtered(request, viewer, chosen)
    order = {"-name": "-name", "staff_number": "staff_number", "-staff_number": "-staff_number"}
    page = Paginator(people.order_by(order.get(request.GET.get("sort", ""), "name"), "pk"), 50).get_page(
        request.GET.get("page")
    )
    shown = list(page.object_list)
    context = {
        "page": page,
        "place": chosen,
        "tree": tree_for(viewer, chosen, viewer.today),
        "homes": _homes(viewer, shown),
        "roles_of": _roles(viewer, shown),
        "logins": dict(User.objects.visible_to(viewer).filter(person__in=shown).values_list("person_id", "is_active")),
        "roles": [(role.value, role.label) for role in Role],
        "state": request.GET.get("state", ""),
        "filtered": any(request.GET.get(name) for name in ("q", "role", "login", "state")),
        "may_add": viewer.may(Deed.MANAGE_PEOPLE, chosen) if chosen else viewer.may(Deed.MANAGE_PEOPLE),
        "waiting": _waiting(viewer),
        "may_sign_on": viewer.may(Deed.MANAGE_DATA),
        "may_edit_place": chosen is not None and viewer.may(Deed.MANAGE_PEOPLE, chosen),
    }
    return render(request, "people/home.html", context)


@login_required
def person(request: HttpRequest, person_id: int) -> HttpResponseBase:
    """One person: where they belong, what they may do, by which ids sources know them, whether they can sign in."""
    viewer = viewer_for(request)
    found = get_object_or_404(Person.objects.visible_to(viewer), pk=person_id)
    memberships = list(
        Membership.objects.visible_to(viewer)
        .filter(person=found)
        .select_related("organization", "organization__company")
        .order_by("-from_date", "-pk")
    )
    assignments = list(
        RoleAssignment.objects.visible_to(viewer)
        .filter(person=found)
        .select_related("organization", "given_by__person")
        .order_by("-from_date", "-pk")
    )
    manages = may_manage(viewer, found)
    login = User.objects.visible_to(viewer).filter(person=found).first()
    context = {
        "person": found,
        "memberships": [
            (one, _state(one, viewer), viewer.may(Deed.MANAGE_PEOPLE, one.organization)) for one in memberships
        ],
        "assignments": [
            (one, _state(one, viewer), viewer.may_give(one.role, one.organization.path)) for one in assignments
        ],
        "leave": [
            (one.from_date, one.until_date - timedelta(days=1), one.pk, one.until_date <= viewer.today)
            for one in Leave.objects.visible_to(viewer).filter(person=found).order_by("-from_date")[:LEAVE_SHOWN]
        ],
        "sees_leave": manages or viewer.person_id == found.pk,
        "identities": Identity.objects.visible_to(viewer).filter(person=found).order_by("source", "external_id"),
        "login": login,
        "bounce": Bounce.objects.visible_to(viewer).filter(person=found, address=found.email).first(),
        "knows_login": manages or login is not None,
        "manages": manages,
        "erases": may_erase(viewer, found),
        "opens_login": may_open_login(viewer, found) and viewer.person_id != found.pk,
        "second_step": login is not None and may_drop_second_step(viewer, found) and has_second_step(login),
        "roles": roles_to_give(viewer) if found.pk != viewer.person_id else [],
        "role_places": choices_of(role_places(viewer)),
        "places": choices_of(joinable(viewer, memberships)),
        "today": viewer.today,
        "tomorrow": viewer.today + timedelta(days=1),
        "links": _links(viewer, found, memberships),
        "suggested_login": found.email.split("@")[0] or found.staff_number.lower(),
        "secret": request.session.pop(f"sign-in-link-{found.pk}", ""),
    }
    return render(request, "people/person.html", context)


def roles_to_give(viewer: Viewer) -> list[tuple[str, str]]:
    """The roles the viewer may give anywhere."""
    given = {role for grant in viewer.grants for role in ROLES_GIVEN_BY.get(grant.role, ())}
    return [(role.value, str(role.label)) for role in Role if role in given]


def role_places(viewer: Viewer) -> list[Organization]:
    """Open places at which the viewer may give roles: all of one company, or parks and companies."""
    places = Organization.objects.open().filter(viewer.within("path", Deed.GIVE_ROLES))
    if viewer.companies(Deed.GIVE_ROLES).count() > 1:
        places = places.filter(kind__in=(Kind.PARK, Kind.COMPANY))
    return list(places)


def joinable(viewer: Viewer, memberships: list[Membership]) -> list[Organization]:
    """Open places one may be moved to: those of the companies one belongs to, and parks and companies."""
    companies = {one.organization.company_id for one in memberships}
    places = Organization.objects.open().filter(viewer.within("path", Deed.MANAGE_PEOPLE))
    return list(places.filter(Q(company__in=companies - {None}) | Q(kind__in=(Kind.PARK, Kind.COMPANY))))


def _waiting(viewer: Viewer) -> int:
    """How many ids of sources wait for the viewer to say who they are."""
    mappable = viewer.within("company__path", Deed.MANAGE_DATA, Deed.MANAGE_PEOPLE)
    return Identity.objects.visible_to(viewer).unresolved().filter(mappable).count()


def _chosen(viewer: Viewer, slug: str) -> Organization | None:
    if not slug:
        return None
    chosen = Organization.objects.filter(viewer.within("path", *SEEING), slug=slug).first()
    if chosen is None:
        raise Http404
    return chosen


def _filtered(request: HttpRequest, viewer: Viewer, chosen: Organization | None) -> QuerySet[Person]:
    people = Person.objects.visible_to(viewer)
    state, role, login = (request.GET.get(name, "") for name in ("state", "role", "login"))
    held = Membership.objects.visible_to(viewer).filter(person=OuterRef("pk"))
    if chosen is not None:
        held = held.filter(organization__path__startswith=chosen.path)
        people = people.filter(Exists(held))
    now = Exists(held.on(viewer.today))
    if state == "left":
        people = people.filter(~now)
    elif state != "all":
        people = people.filter(now)
    words = request.GET.get("q", "").strip()
    if words:
        people = people.filter(
            Q(name__icontains=words) | Q(email__icontains=words) | Q(staff_number__istartswith=words)
        )
    if role in Role.values:
        given = RoleAssignment.objects.visible_to(viewer).on(viewer.today).filter(person=OuterRef("pk"), role=role)
        people = people.filter(Exists(given))
    if login in ("yes", "no"):
        open_ones = Exists(User.objects.visible_to(viewer).filter(person=OuterRef("pk"), is_active=True))
        people = people.filter(open_ones if login == "yes" else ~open_ones)
    return people


def _homes(viewer: Viewer, people: list[Person]) -> dict[int, list[Membership]]:
    """Where the people belong today, by person id."""
    found: dict[int, list[Membership]] = {}
    held = Membership.objects.visible_to(viewer).on(viewer.today).filter(person__in=people)
    for one in held.select_related("organization", "organization__company").order_by("from_date", "pk"):
        found.setdefault(one.person_id, []).append(one)
    return found


def _roles(viewer: Viewer, people: list[Person]) -> dict[int, list[RoleAssignment]]:
    found: dict[int, list[RoleAssignment]] = {}
    given = RoleAssignment.objects.visible_to(viewer).on(viewer.today).filter(person__in=people)
    for one in given.select_related("organization").order_by("pk"):
        found.setdefault(one.person_id, []).append(one)
    return found


def _state(one: Membership | RoleAssignment, viewer: Viewer) -> str:
    """now, past or future."""
    if one.until_date is not None and one.until_date <= viewer.today:
        return "past"
    return "now" if one.from_date <= viewer.today else "future"


def _links(viewer: Viewer, found: Person, memberships: list[Membership]) -> list[tuple[str, str]]:
    """Where the person's events and points are, for those who may see them."""
    own = viewer.person_id == found.pk
    links = []
    for name, said, deed in (
        ("activity:person", _("Events and activity"), Deed.SEE_EVENTS),
        ("points:person", _("Points"), Deed.SEE_LEDGER),
    ):
        if own or any(viewer.may(deed, one.organization) for one in memberships):
            try:
                links.append((reverse(name, args=[found.pk]), said))
            except NoReverseMatch:
                continue
    return links
