"""The rows of the form for metrics beside the first: what each is for, what it is and how much of it matters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from uptake.directory.models import Organization
from uptake.insight.impact import refusals
from uptake.insight.impact.days_of_metrics import catalogue
from uptake.insight.impact.metrics import Measure, Metric
from uptake.insight.impact.models import Series
from uptake.insight.impact.named import BY_KEY, NAMED, recipe
from uptake.insight.impact.register import Wanted
from uptake.statistics.plan import Direction, Kind
from uptake.web.pages.impact.metrics_page import name_of

ROWS = 6
LOOKS = 3
NAMED_AS = "named:"
SERIES_AS = "series:"
FACTS = (Measure.YES, Measure.NO, Measure.MEAN)
DECIDES, BESIDE, RAIL, OUTCOME = "decides", "beside", "rail", "outcome"
USES: Mapping[str, str | Promise] = {
    BESIDE: _("Looked at beside"),
    DECIDES: _("Decides too"),
    RAIL: _("Must not get worse"),
    OUTCOME: _("The work behind it"),
}


@dataclass(frozen=True)
class Asked:
    """What was typed, sorted by what it is for."""

    others: list[tuple[Metric, float]]
    further: list[Wanted]
    rails: list[Wanted]
    outcome: Wanted | None


def typed(request: HttpRequest, at: int) -> dict[str, str]:
    """What was typed into a row."""
    names = ("use", "event", "measure", "of", "fact", "smallest", "good")
    return {"at": str(at), **{name: request.POST.get(f"{name}-{at}", "") for name in names}}


def rows(request: HttpRequest) -> list[dict[str, str]]:
    return [typed(request, at) for at in range(ROWS)]


def ready_made() -> list[tuple[str, str]]:
    """(value, name) of the ready-made metrics for which events are known here."""
    known = catalogue()
    return [(f"{NAMED_AS}{one.key}", name_of(one)) for one in NAMED if recipe(one, known) is not None]


def series_at(place: Organization) -> list[tuple[str, str]]:
    """(value, name) of the business series that can be used at a place."""
    ids = [int(part) for part in place.path.split("/") if part]
    rows = Series.objects.filter(organization_id__in=ids).order_by("name", "pk")
    return [(f"{SERIES_AS}{one.pk}", one.name) for one in rows]


def asked(request: HttpRequest) -> Asked:
    """Raises refusals: a size that is none, an event that is not known, two works behind it."""
    found = Asked([], [], [], None)
    outcome: Wanted | None = None
    for row in rows(request):
        if not row["event"]:
            continue
        one = _wanted(row)
        if row["use"] == DECIDES:
            found.further.append(one)
        elif row["use"] == RAIL:
            found.rails.append(one)
        elif row["use"] == OUTCOME:
            if outcome is not None:
                raise refusals.TooMany
            outcome = one
        else:
            found.others.append(one[:2])
    return Asked(found.others, found.further, found.rails, outcome)


def looks(request: HttpRequest) -> list[date]:
    """The days agreed for a reading."""
    found = []
    for at in range(LOOKS):
        text = request.POST.get(f"look-{at}", "")
        try:
            found += [date.fromisoformat(text)] if text else []
        except ValueError:
            raise refusals.WrongLook from None
    return found


def typed_looks(request: HttpRequest) -> list[tuple[int, str]]:
    return [(at, request.POST.get(f"look-{at}", "")) for at in range(LOOKS)]


def _wanted(row: Mapping[str, str]) -> Wanted:
    if row["event"].startswith(SERIES_AS):
        number = row["event"].removeprefix(SERIES_AS)
        metric = Metric("", Measure.SERIES, number if number.isdigit() else "")
        good = Direction(row["good"]) if row["good"] in list(Direction) else Direction.HIGHER
    elif row["event"].startswith(NAMED_AS):
        named = BY_KEY.get(row["event"].removeprefix(NAMED_AS))
        made = recipe(named, catalogue()) if named else None
        if named is None or made is None:
            raise refusals.UnknownEvent
        metric, good = made, named.good
    else:
        measure = Measure(row["measure"]) if row["measure"] in list(Measure) else Measure.SHARE
        part = "fact" if measure in FACTS else "of"
        of = row[part].strip() if measure in (*FACTS, Measure.RATIO, Measure.HOURS) else ""
        metric = Metric(row["event"], measure, of)
        # What must not get worse is, unless said otherwise, what must not rise.
        usual = Direction.LOWER if row["use"] == RAIL else Direction.HIGHER
        good = Direction(row["good"]) if row["good"] in list(Direction) else usual
    return metric, size(row["smallest"]) * (0.01 if metric.kind is Kind.RATE else 1), good


def size(text: str) -> float:
    try:
        return float(text) if text.strip() else 0.0
    except ValueError:
        raise refusals.WrongSize from None


def context(request: HttpRequest, place: Organization) -> dict[str, Any]:
    return {
        "beside": rows(request),
        "ready": ready_made(),
        "series": series_at(place),
        "uses": list(USES.items()),
        "looks": typed_looks(request),
        "ways_good": [(Direction.HIGHER.value, _("higher is better")), (Direction.LOWER.value, _("lower is better"))],
    }
