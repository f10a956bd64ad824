"""For whom: the effect by role and by size of department, beside the points that people of a role were given."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from uptake.directory.models import Membership, PersonKind
from uptake.insight.impact.metrics import metric_of
from uptake.insight.impact.models import Intervention, departments_of
from uptake.insight.impact.panel_of_departments import usual_roles
from uptake.insight.report.points_given import points_by_department
from uptake.web import numbers
from uptake.web.pages.fairness.words import named
from uptake.web.pages.impact.measures import change_of, p_of
from uptake.web.pages.transparency.words import Section

FEWEST = 10
SIZES: Mapping[str, str | Promise] = {
    "small": gettext_lazy("The smallest third of departments"),
    "middle": gettext_lazy("The middle third of departments"),
    "large": gettext_lazy("The largest third of departments"),
}


@dataclass(frozen=True)
class ForWhom:
    """rows: (group, change, its interval, p raised, departments, points a head); pointed: whether points are told."""

    rows: tuple[tuple[str, str, str, str, str, str], ...]
    pointed: bool


def for_whom(found: Intervention, kept: Mapping[str, Any]) -> ForWhom | None:
    """Of the first metric of a kept evaluation; None where it compares no groups, or claims nothing at all."""
    primary = kept["metrics"][0]
    result = primary["result"]
    segments = result.get("segments") or ()
    if not segments or result["verdict"] in ("description", "interim"):
        return None
    metric = metric_of(primary)
    a_head = _points_a_head(found, date.fromisoformat(kept["to"]))
    rows = []
    for one in segments:
        estimate = one["estimate"]
        change, low, high = (change_of(metric, estimate[end]) for end in ("value", "low", "high"))
        by_role = one["kind"] == "role"
        points = a_head.get(one["name"]) if by_role else None
        rows.append(
            (
                named(one["name"], by_role=True) if by_role else str(SIZES.get(one["name"], one["name"])),
                change,
                _("%(low)s to %(high)s") % {"low": low, "high": high},
                p_of(one["p"]),
                numbers.full(one["units"]),
                "–" if points is None else numbers.full(points, 1),
            )
        )
    return ForWhom(tuple(rows), any(a_head.values()))


def _points_a_head(found: Intervention, last: date) -> dict[str, float]:
    """Points given to people of departments that began, for each of them, by the role most of them have."""
    begun = [slug for slug, day in found.starts.items() if day]
    places = departments_of(begun)
    roles = usual_roles(places, found.starts)
    people: dict[str, int] = defaultdict(int)
    points: dict[str, int] = defaultdict(int)
    given = points_by_department(found, last=last)
    for place in places:
        role = roles.get(place.slug)
        if role is None:
            continue
        held = Membership.objects.on(last).filter(organization__path__startswith=place.path)
        people[role] += held.filter(person__kind=PersonKind.HUMAN).values("person").distinct().count()
        points[role] += given.get(place.slug, 0)
    return {role: points[role] / people[role] for role in people if people[role] >= FEWEST}


def lead() -> str:
    return _("A role is that of most people of a department; points a head are those given since its start.")


def for_whom_section(told: ForWhom) -> Section:
    """For print and sheets."""
    heads = [_("Role or size"), _("Change"), _("95% interval"), _("p, raised"), _("Departments")]
    heads += [_("Points a head")] if told.pointed else []
    rows = [row if told.pointed else row[:-1] for row in told.rows]
    return Section(pgettext("of an effect", "For whom"), lead(), heads, rows, "", frozenset(range(1, len(heads))))
