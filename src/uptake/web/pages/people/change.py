"""What can be done to a person: added, described, moved, given a role, given a login. Each calls one door."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from uptake.directory.drop_second_step import drop_second_step
from uptake.directory.enrol import describe_person, enrol, join, leave, may_manage, move
from uptake.directory.grant_role import end_role, give_role
from uptake.directory.leave import add_leave, remove_leave
from uptake.directory.models import Leave, Membership, Organization, Person, PersonKind, Role, RoleAssignment, User
from uptake.directory.open_login import close_login, invite, open_login
from uptake.directory.scope import Deed, Viewer
from uptake.events.moved import follow_moved
from uptake.notify.models import Bounce
from uptake.notify.take_bounce import try_address_again
from uptake.web.pages.people.doing import done
from uptake.web.pages.people.forms import NewPersonForm, PersonForm, choices_of
from uptake.web.viewing import NotYours, login_required, needs, viewer_for

ONE_DAY = timedelta(days=1)


@needs(Deed.MANAGE_PEOPLE)
def new(request: HttpRequest) -> HttpResponseBase:
    """A form for a new person, at `?at=<slug>`."""
    viewer = viewer_for(request)
    places = Organization.objects.open().filter(viewer.within("path", Deed.MANAGE_PEOPLE))
    at = places.filter(slug=request.GET.get("at", "")).first()
    if at is not None and at.company_id is not None:
        places = places.filter(company=at.company_id)
    initial = {"place": at.slug if at else "", "from_date": viewer.today}
    form = NewPersonForm(request.POST or None, places=choices_of(places), initial=initial)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        made: list[Person] = []

        def deed() -> str:
            person = enrol(
                name=given["name"],
                organization=get_object_or_404(places, slug=given["place"]),
                from_date=given["from_date"],
                email=given["email"],
                staff_number=given["staff_number"],
                work=given["work"],
                kind=PersonKind(given["kind"]),
                by=viewer,
                now=timezone.now(),
            )
            made.append(person)
            return _("%(name)s was added.") % {"name": person.name}

        if done(request, deed, form):
            return redirect("people:person", made[0].pk)
    return render(request, "people/form.html", {"form": form, "person": None, "at": at})


@needs(Deed.MANAGE_PEOPLE)
def edit(request: HttpRequest, person_id: int) -> HttpResponseBase:
    """A form for what is known of a person."""
    viewer = viewer_for(request)
    person = _person(viewer, person_id)
    if not may_manage(viewer, person):
        raise NotYours(Deed.MANAGE_PEOPLE)
    initial = {field: getattr(person, field) for field in ("name", "email", "staff_number", "kind")}
    form = PersonForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data

        def deed() -> str:
            describe_person(
                person=person,
                name=given["name"],
                email=given["email"],
                staff_number=given["staff_number"],
                kind=PersonKind(given["kind"]),
                by=viewer,
                now=timezone.now(),
            )
            return _("%(name)s was changed.") % {"name": given["name"]}

        if done(request, deed, form):
            return redirect("people:person", person.pk)
    return render(request, "people/form.html", {"form": form, "person": person})


@login_required
@require_POST
def join_place(request: HttpRequest, person_id: int) -> HttpResponseBase:
    """A further membership."""
    viewer = viewer_for(request)
    person = _person(viewer, person_id)
    place, begin = _place(viewer, request.POST.get("place", "")), _date(request, "from_date")

    def deed() -> str:
        join(
            person=person,
            organization=place,
            from_date=begin,
            work=request.POST.get("work", "").strip()[:100],
            by=viewer,
            now=timezone.now(),
        )
        follow_moved(person=person, by=viewer, now=timezone.now())
        return _("%(name)s belongs to %(place)s now.") % {"name": person.name, "place": place.name}

    return _do(request, person, deed)


@login_required
@require_POST
def move_to(request: HttpRequest, membership_id: int) -> HttpResponseBase:
    """From one place to another, on a date."""
    viewer = viewer_for(request)
    held = _membership(viewer, membership_id)
    place, day = _place(viewer, request.POST.get("place", "")), _date(request, "on_date")

    def deed() -> str:
        move(
            membership=held,
            organization=place,
            on_date=day,
            work=request.POST.get("work", "").strip()[:100],
            by=viewer,
            now=timezone.now(),
        )
        follow_moved(person=held.person, by=viewer, now=timezone.now())
        return _("%(name)s was moved to %(place)s.") % {"name": held.person.name, "place": place.name}

    return _do(request, held.person, deed)


@login_required
@require_POST
def end_membership(request: HttpRequest, membership_id: int) -> HttpResponseBase:
    """Ends a membership; the date given is the last day there."""
    viewer = viewer_for(request)
    held = _membership(viewer, membership_id)
    day = date.fromordinal(_date(request, "last_date").toordinal() + 1)

    def deed() -> str:
        leave(membership=held, until_date=day, by=viewer, now=timezone.now())
        follow_moved(person=held.person, by=viewer, now=timezone.now())
        return _("The membership of %(name)s ends.") % {"name": held.person.name}

    return _do(request, held.person, deed)


@login_required
@require_POST
def give_leave(request: HttpRequest, person_id: int) -> HttpResponseBase:
    """Says that a person is away, from the first day to the last."""
    viewer = viewer_for(request)
    person = _person(viewer, person_id)
    begin, last = _date(request, "from_date"), _date(request, "last_date")

    def deed() -> str:
        now = timezone.now()
        add_leave(person=person, from_date=begin, until_date=last + ONE_DAY, by=viewer, now=now)
        follow_moved(person=person, by=viewer, now=now)
        return _("%(name)s is away on these days; a streak waits for them.") % {"name": person.name}

    return _do(request, person, deed)


@login_required
@require_POST
def end_leave(request: HttpRequest, leave_id: int) -> HttpResponseBase:
    """Takes leave back."""
    viewer = viewer_for(request)
    held = get_object_or_404(Leave.objects.visible_to(viewer).select_related("person"), pk=leave_id)

    def deed() -> str:
        now = timezone.now()
        remove_leave(leave=held, by=viewer, now=now)
        follow_moved(person=held.person, by=viewer, now=now)
        return _("The leave of %(name)s was taken out.") % {"name": held.person.name}

    return _do(request, held.person, deed)


@login_required
@require_POST
def give(request: HttpRequest, person_id: int) -> HttpResponseBase:
    """Gives a role at a place for a time."""
    viewer = viewer_for(request)
    person = _person(viewer, person_id)
    place = _place(viewer, request.POST.get("place", ""))
    role = request.POST.get("role", "")
    if role not in Role.values:
        raise Http404
    last = _date(request, "last_date") if request.POST.get("last_date") else None
    begin = _date(request, "from_date")

    def deed() -> str:
        made = give_role(
            person=person,
            role=Role(role),
            organization=place,
            from_date=begin,
            until_date=date.fromordinal(last.toordinal() + 1) if last else None,
            by=viewer,
            now=timezone.now(),
        )
        said = _("%(name)s is %(role)s at %(place)s.")
        return said % {"name": person.name, "role": Role(made.role).label, "place": place.name}

    return _do(request, person, deed)


@login_required
@require_POST
def end(request: HttpRequest, assignment_id: int) -> HttpResponseBase:
    """Ends a role today."""
    viewer = viewer_for(request)
    held = get_object_or_404(RoleAssignment.objects.visible_to(viewer).select_related("person"), pk=assignment_id)

    def deed() -> str:
        end_role(assignment=held, until_date=viewer.today, by=viewer, now=timezone.now())
        return _("The role of %(name)s ended.") % {"name": held.person.name}

    return _do(request, held.person, deed)


@login_required
@require_POST
def open_for(request: HttpRequest, person_id: int) -> HttpResponseBase:
    """Opens a login and shows the link by which its owner chooses a password."""
    viewer = viewer_for(request)
    person = _person(viewer, person_id)

    def deed() -> str:
        user = open_login(person=person, username=request.POST.get("username", "")[:150], by=viewer, now=timezone.now())
        if not user.has_usable_password():
            _hand_out_link(request, user, person)
        return _("%(name)s can sign in as %(login)s.") % {"name": person.name, "login": user.username}

    return _do(request, person, deed)


@login_required
@require_POST
def invite_again(request: HttpRequest, person_id: int) -> HttpResponseBase:
    """A new link to choose a password."""
    viewer = viewer_for(request)
    person = _person(viewer, person_id)
    user = get_object_or_404(User.objects.visible_to(viewer), person=person)

    def deed() -> str:
        invite(user=user, by=viewer, now=timezone.now())
        _hand_out_link(request, user, person)
        return _("The sign-in link of %(name)s is below.") % {"name": person.name}

    return _do(request, person, deed)


@login_required
@require_POST
def close_for(request: HttpRequest, person_id: int) -> HttpResponseBase:
    """Closes a login at once."""
    viewer = viewer_for(request)
    person = _person(viewer, person_id)
    user = get_object_or_404(User.objects.visible_to(viewer), person=person)

    def deed() -> str:
        close_login(user=user, by=viewer, now=timezone.now())
        return _("%(name)s cannot sign in any more.") % {"name": person.name}

    return _do(request, person, deed)


@login_required
@require_POST
def drop_second(request: HttpRequest, person_id: int) -> HttpResponseBase:
    """Removes a lost second step, once the form says that whoever asks was recognized."""
    viewer = viewer_for(request)
    person = _person(viewer, person_id)
    user = get_object_or_404(User.objects.visible_to(viewer), person=person)
    if request.POST.get("recognized") != "yes":
        messages.error(
            request, _("Nothing was removed: say first that you know it is %(name)s.") % {"name": person.name}
        )
        return redirect("people:person", person.pk)

    def deed() -> str:
        drop_second_step(user=user, by=viewer, now=timezone.now())
        return _("%(name)s signs in with the password alone now.") % {"name": person.name}

    return _do(request, person, deed)


def _do(request: HttpRequest, person: Person, deed: Callable[[], str]) -> HttpResponseBase:
    """Does the deed and goes back to the person; to the list where they are out of sight now."""
    done(request, deed)
    visible = Person.objects.visible_to(viewer_for(request)).filter(pk=person.pk).exists()
    return redirect("people:person", person.pk) if visible else redirect("people:home")


def _hand_out_link(request: HttpRequest, user: User, person: Person) -> None:
    """Keeps the link for the next page only: whoever opens the login hands it over, nobody can look it up later."""
    words = {"uidb36": user_pk_to_url_str(user), "key": default_token_generator.make_token(user)}
    path = reverse("account_reset_password_from_key", kwargs=words)
    request.session[f"sign-in-link-{person.pk}"] = request.build_absolute_uri(path)


def _person(viewer: Viewer, person_id: int) -> Person:
    return get_object_or_404(Person.objects.visible_to(viewer), pk=person_id)


def _membership(viewer: Viewer, membership_id: int) -> Membership:
    return get_object_or_404(
        Membership.objects.visible_to(viewer).select_related("person", "organization"), pk=membership_id
    )


def _place(viewer: Viewer, slug: str) -> Organization:
    return get_object_or_404(Organization.objects.visible_to(viewer), slug=slug)


def _date(request: HttpRequest, name: str) -> date:
    """A date of the form; today where none was given. Http404 for what no calendar asks for."""
    text = request.POST.get(name, "")
    if not text:
        return viewer_for(request).today
    try:
        found = parse_date(text)
    except ValueError:
        found = None
    if found is None or not 1900 <= found.year <= 2200:
        raise Http404
    return found


@require_POST
@login_required
def mail_again(request: HttpRequest, person_id: int) -> HttpResponseBase:
    """Mails are sent again to an address from which they came back."""
    viewer = viewer_for(request)
    person = get_object_or_404(Person.objects.visible_to(viewer), pk=person_id)
    found = get_object_or_404(Bounce.objects.visible_to(viewer).select_related("person"), person=person)

    def deed() -> str:
        try_address_again(bounce=found, by=viewer, now=timezone.now())
        return _("Mails are sent to this address again.")

    done(request, deed)
    if person.pk == viewer.person_id:
        return redirect("account:told")
    return redirect("people:person", person_id)
