"""Erasing a person: what will happen to every sort of row, a policy, and the name typed to confirm."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from uptake.directory.erase import AlreadyErased, erase, may_erase, subject_of
from uptake.directory.models import Person, Policy
from uptake.directory.scope import Deed
from uptake.events.models import Connection, Event
from uptake.web.erasing import TREATMENTS
from uptake.web.pages.people.doing import done
from uptake.web.viewing import NotYours, login_required, viewer_for

EXPLAINED = {
    Policy.ANONYMISE: gettext_lazy(
        "Past figures stay as they are; nobody can find out whose they were. For statistics kept for good reason."
    ),
    Policy.DROP: gettext_lazy(
        "Past figures change as if the person had never been there, and their points are taken back."
    ),
}


@login_required
def erase_person(request: HttpRequest, person_id: int) -> HttpResponseBase:
    """The page that shows what erasing would do, and does it."""
    viewer = viewer_for(request)
    person = get_object_or_404(Person.objects.visible_to(viewer), pk=person_id)
    if not may_erase(viewer, person):
        raise NotYours(Deed.MANAGE_DATA)
    chosen = next((one for one in Policy if one.value == request.POST.get("policy")), Policy.ANONYMISE)
    name = person.name
    if request.method == "POST":

        def deed() -> str:
            erase(
                person=person,
                policy=chosen,
                name=request.POST.get("name", ""),
                treatments=TREATMENTS,
                by=viewer,
                now=timezone.now(),
            )
            return _("%(name)s was erased. The audit log keeps the number and who did it.") % {"name": name}

        try:
            if done(request, deed):
                return redirect("people:home")
        except AlreadyErased:
            return redirect("people:home")
    subject = subject_of(person, chosen, by=viewer, now=timezone.now())
    sources = Event.objects.filter(identity_id__in=subject.identities).values("source").distinct()
    context = {
        "person": person,
        "policies": [(one, EXPLAINED[one]) for one in Policy],
        "chosen": chosen,
        "rows": [(one, one.count(subject), [(policy, one.means[policy]) for policy in Policy]) for one in TREATMENTS],
        "sources": Connection.objects.filter(slug__in=sources).open().order_by("name"),
    }
    return render(request, "people/erase.html", context)
