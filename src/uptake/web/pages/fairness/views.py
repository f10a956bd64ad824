"""How points fall on the departments and roles of a company; never on single people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from uptake.directory.models import Kind, Organization
from uptake.directory.place import settings_at
from uptake.directory.scope import Deed, Viewer
from uptake.programme.fairness.afford import Affordable, affordable
from uptake.programme.fairness.shares import FEWEST, Fairness, Group, Grouping, fairness_of, groups_on
from uptake.web import numbers, parts
from uptake.web.largest import largest
from uptake.web.pages.fairness.words import finding, named
from uptake.web.usage import chosen_period
from uptake.web.viewing import needs, place_for, viewer_for

USUAL_DAYS = 90


@dataclass(frozen=True)
class Row:
    """A group as the table writes it."""

    name: str
    people: int
    per_head: str
    reach: str
    redeemed: str
    against: str
    interval: str
    tone: str


@needs(Deed.SEE_TOTALS)
def home(request: HttpRequest) -> HttpResponseBase:
    """`?at=` a company whose totals one sees, and a period: the last 90 days unless named."""
    viewer = viewer_for(request)
    companies = list(
        Organization.objects.filter(viewer.within("path", Deed.SEE_TOTALS), kind=Kind.COMPANY)
        .open()
        .order_by("name", "pk")
    )
    company = _company(request, viewer, companies)
    if company is None:
        return render(request, "fairness/home.html", {"company": None})
    chosen = chosen_period(request, company, usual=USUAL_DAYS)
    found = fairness_of(company, chosen.period.first, chosen.period.last)
    context: dict[str, Any] = {
        "company": company,
        "companies": companies,
        "chosen": chosen,
        "kind": {"comparison": False},
        "found": found,
        "fewest": FEWEST,
    }
    if found and found.points:
        context |= _told(found)
        today = settings_at(company).date_of(timezone.now())
        context["kpis"] += [_redeemable(affordable(company, list(groups_on(company, today)), timezone.now()))]
    return render(request, "fairness/home.html", context)


def _company(request: HttpRequest, viewer: Viewer, companies: list[Organization]) -> Organization | None:
    """The company of the place asked for; of several the one with most people, of which most can be said."""
    if not request.GET.get("at"):
        return largest(companies)
    place = place_for(request, Deed.SEE_TOTALS)
    if place.kind == Kind.PARK:
        return largest([one for one in companies if one.path.startswith(place.path)])
    found = next((one for one in companies if one.pk in (place.pk, place.company_id)), None)
    if found is None:
        raise Http404("no company whose totals one sees")
    return found


def _told(found: Fairness) -> dict[str, Any]:
    said = [finding(one, by_role=None) for one in found.triggers]
    said += [finding(one, by_role=False) for one in found.departments.triggers]
    said += [finding(one, by_role=True) for one in found.roles.triggers]
    grave = {"bad": 0, "warn": 1, "info": 2}
    return {
        "kpis": _kpis(found),
        "findings": sorted(said, key=lambda one: grave[one.tone]),
        "groupings": [
            (_("By department"), "departments", *_grouping(found.departments, by_role=False)),
            (_("By role"), "roles", *_grouping(found.roles, by_role=True)),
        ],
        "split": _split(found),
        "lorenz": _lorenz(found),
        "comparable": any(len(one.groups) > 1 for one in (found.departments, found.roles)),
    }


def _kpis(found: Fairness) -> list[parts.Kpi]:
    gini = found.gini
    interval = (
        _("95%% interval %(low)s to %(high)s") % {"low": numbers.full(gini.low, 2), "high": numbers.full(gini.high, 2)}
        if gini
        else _("from 30 people on")
    )
    stayed = found.mobility
    return [
        parts.Kpi(
            _("Have points"),
            numbers.share(found.reached / found.people),
            note=_("%(now)s of %(people)s; period before %(before)s")
            % {
                "now": numbers.full(found.reached),
                "people": numbers.full(found.people),
                "before": numbers.share(found.before_reached / found.people),
            },
            hint=_("People with any points of the period, over everybody who belongs to the company on its last day."),
        ),
        parts.Kpi(
            _("Held by the top tenth"),
            numbers.share(found.top_share),
            note=_("period before %(before)s") % {"before": numbers.share(found.before_top_share)},
            hint=_("Points of the tenth of the people with the most points, over all points."),
        ),
        parts.Kpi(
            _("Inequality (Gini)"),
            numbers.full(gini.value, 2) if gini else "–",
            note=interval,
            hint=_("0: everybody has the same; 1: one person has all. People without points count."),
        ),
        parts.Kpi(
            _("Same order as before"),
            numbers.full(stayed[0], 2) if stayed else "–",
            note=_("%(share)s of the top tenth stayed") % {"share": numbers.share(stayed[1], 0)} if stayed else "",
            hint=_("Rank correlation of people's points with the period before: 1 is the same order."),
        ),
    ]


def _redeemable(found: Affordable | None) -> parts.Kpi:
    return parts.Kpi(
        _("Could redeem something"),
        numbers.share(found.share) if found else "–",
        note=_("the cheapest costs %(price)s") % {"price": numbers.full(found.price)}
        if found
        else _("nothing is on offer"),
        hint=_("People whose points suffice today for the cheapest reward on offer, over everybody at the company."),
    )


def _split(found: Fairness) -> parts.Chart | None:
    if found.split is None:
        return None
    return parts.Chart(
        id="fairness-split",
        label=_("Where the inequality of points lies"),
        labels=[_("Between departments"), _("Between roles"), _("Within both")],
        series=[
            parts.Series(_("Share of the inequality"), [found.split.first, found.split.second, found.split.within])
        ],
        format="share",
        height="low",
        axis=_("Part"),
        lying=True,
    )


def _lorenz(found: Fairness) -> parts.Chart | None:
    """How much is held by how many; where people have nothing the line lies on the axis, and that is said."""
    if not found.lorenz:
        return None
    people, held = zip(*found.lorenz, strict=True)
    none = 1 - found.reached / found.people
    flat = max((at for at, one in enumerate(people) if one <= none), default=0)
    marks = [parts.Mark(flat, _("%(share)s have none") % {"share": numbers.share(none, 0)})] if flat else []
    return parts.Chart(
        id="fairness-lorenz",
        label=_("Points held by the people with fewest, as shares"),
        labels=[numbers.share(one, 0) for one in people],
        series=[
            parts.Series(_("Points they hold"), held, "line", "c1"),
            parts.Series(_("If all had the same"), people, "dash", "c6"),
        ],
        marks=marks,
        format="share",
        height="low",
        axis=_("People with fewest"),
    )


def _grouping(of: Grouping, *, by_role: bool) -> tuple[list[Row], int, int, parts.Chart | None]:
    rows = [_row(one, by_role=by_role) for one in of.groups]
    return rows, of.hidden, of.hidden_people, _chart(of, by_role=by_role)


def _row(one: Group, *, by_role: bool) -> Row:
    ratio = one.against
    tone = "" if ratio is None or ratio.low <= 1 <= ratio.high or 0.8 <= ratio.value <= 1.25 else "warn"
    return Row(
        name=named(one.name, by_role=by_role),
        people=one.people,
        per_head=numbers.full(one.per_head, 1),
        reach=numbers.share(one.reach, 0),
        redeemed=numbers.share(one.redeeming, 0),
        against="–" if ratio is None else numbers.full(ratio.value, 2),
        interval="" if ratio is None else f"{numbers.full(ratio.low, 2)} – {numbers.full(ratio.high, 2)}",
        tone=tone,
    )


def _chart(of: Grouping, *, by_role: bool) -> parts.Chart | None:
    told = [(one, one.against) for one in of.groups if one.against is not None]
    if len(told) < 2:
        return None
    return parts.Chart(
        id="fairness-roles" if by_role else "fairness-departments",
        label=_("Earned over what the same work earns others, by role")
        if by_role
        else _("Earned over what the same work earns others, by department"),
        labels=[named(one.name, by_role=by_role) for one, _ratio in told],
        series=[
            parts.Series(
                _("Earned over expected"),
                [ratio.value for _one, ratio in told],
                "dot",
                "c1",
                low=[ratio.low for _one, ratio in told],
                high=[ratio.high for _one, ratio in told],
            )
        ],
        levels=[parts.Level(1, _("As everybody else for the same work"))],
        format="decimal",
        lying=True,
        height="low" if len(told) < 5 else "middle",
        axis=_("Role") if by_role else _("Department"),
    )
