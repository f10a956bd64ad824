"""Drawing by lot: the part of the form, what is said of a drawing, and the list for those who act on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from uptake.directory.models import Organization
from uptake.directory.place import settings_at
from uptake.directory.scope import NotAllowed
from uptake.insight.impact import refusals
from uptake.insight.impact.draw_lots import Draw
from uptake.insight.impact.lot import Drawing, lot_of
from uptake.insight.impact.models import MANAGING, DrawnPerson, Intervention
from uptake.insight.impact.take_list import take_list
from uptake.web import numbers
from uptake.web.pages.transparency.words import Section
from uptake.web.sheets import as_csv, as_xlsx
from uptake.web.viewing import NotYours, needs, viewer_for

UNITS: Mapping[str, str | Promise] = {
    "": gettext_lazy("Nothing: the dates below hold"),
    Drawing.DEPARTMENT.value: gettext_lazy("Departments: some begin, the others wait"),
    Drawing.PERSON.value: gettext_lazy("People: some of each department begin, the others wait"),
}
USUAL_SHARE = 50


@dataclass(frozen=True)
class Told:
    """What is said of a drawing. count: who begins and who waits, in words."""

    by_people: bool
    begin: int
    wait: int
    count: str
    role: str
    seed: str
    sha: str
    before: int


def asked(request: HttpRequest) -> Draw | None:
    """What the form asks to be drawn; None where nothing is. Raises refusals."""
    unit = request.POST.get("lot", "")
    if unit not in list(Drawing):
        return None
    try:
        start = date.fromisoformat(request.POST.get("lot-start", ""))
    except ValueError:
        raise refusals.NoLotStart from None
    try:
        share = float(request.POST.get("lot-share", "") or USUAL_SHARE) / 100
    except ValueError:
        raise refusals.WrongSize from None
    role = request.POST.get("lot-role", "") if unit == Drawing.PERSON else ""
    return Draw(Drawing(unit), start, share, role)


def context(given: Mapping[str, Any], place: Organization, departments: Sequence[Organization]) -> dict[str, Any]:
    """The choices of the form."""
    from uptake.insight.impact.drawn_people import roles_in  # its libraries are loaded where they are needed

    today = settings_at(place).date_of(timezone.now())
    return {
        "lots": [(value, label, value == given.get("lot", "")) for value, label in UNITS.items()],
        "lot_start": given.get("lot-start", ""),
        "lot_share": given.get("lot-share", USUAL_SHARE),
        "lot_roles": roles_in(departments, today),
        "lot_role": given.get("lot-role", ""),
    }


def told_of_lot(intervention: Intervention) -> Told | None:
    lot = lot_of(intervention.plan)
    if lot is None:
        return None
    by_people = lot.unit is Drawing.PERSON
    return Told(
        by_people, lot.begin, lot.of - lot.begin, _count(by_people, lot.begin, lot.of), lot.role, lot.seed, lot.sha,
        lot.drawn_before,
    )  # fmt: skip


def _count(by_people: bool, begin: int, of: int) -> str:
    fields = {"begin": numbers.full(begin, 0), "of": numbers.full(of, 0)}
    if by_people:
        return ngettext("%(begin)s of %(of)s person begins", "%(begin)s of %(of)s people begin", of) % fields
    return ngettext("%(begin)s of %(of)s department begins", "%(begin)s of %(of)s departments begin", of) % fields


def lot_lines(told: Mapping[str, Any]) -> list[str]:
    """What a kept evaluation says of its drawing; empty where nothing was drawn."""
    lot = told.get("lot")
    if lot is None:
        return []
    by_people = lot["unit"] == Drawing.PERSON
    found = [
        _("Drawn by lot: %(count)s. Drawing again with the seed gave the same.")
        % {"count": _count(by_people, lot["begin"], lot["of"])}
    ]
    if lot["role"]:
        found.append(_("Only people of this work: %(role)s") % {"role": lot["role"]})
    if by_people:
        fields = {"of": numbers.full(lot["compared"], 0)}
        found.append(
            _("The %(of)s people are those of the drawing; whoever came later is not counted.") % fields
        )  # fmt: skip
    found.append(_("Seed %(seed)s") % {"seed": lot["seed"]})
    if lot["drawn_before"]:
        times = lot["drawn_before"]
        found.append(
            ngettext(
                "It had been drawn %(times)s time before among some of these, and not been locked.",
                "It had been drawn %(times)s times before among some of these, and not been locked.",
                times,
            )
            % {"times": numbers.full(times, 0)}
        )
    return found


def lot_section(lines: Sequence[str]) -> Section:
    return Section(_("How it was drawn"), "", (_("In words"),), [(line,) for line in lines], "")


@needs(*MANAGING)
def drawn(request: HttpRequest, intervention_id: int, kind: str) -> HttpResponseBase:
    """The list of those drawn in departments the viewer manages; that it was taken is noted."""
    viewer = viewer_for(request)
    seen = DrawnPerson.objects.visible_to(viewer).filter(intervention=intervention_id)
    found = Intervention.objects.filter(pk=intervention_id, pk__in=seen.values("intervention")).first()
    if found is None:
        raise Http404("no such list")
    try:
        lines = take_list(intervention=found, by=viewer, now=timezone.now())
    except NotAllowed:
        raise NotYours(MANAGING[0]) from None
    heads = (_("Company"), _("Department"), _("Name"), _("Staff number"), _("Begins on"))
    rows = [
        (one.company, one.department, one.name, one.staff_number, one.starts.isoformat() if one.starts else _("Waits"))
        for one in lines
    ]
    write = as_xlsx if kind == "xlsx" else as_csv
    return write(f"drawn-{found.pk}", heads, rows)
