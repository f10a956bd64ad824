"""The catalogue of metrics: what each means, where its events come from at a place, today's figure and ninety days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from uptake.activity import ActivityLog
from uptake.activity.summaries.measured import sources_of
from uptake.directory.models import Kind, Organization
from uptake.directory.place import settings_at
from uptake.directory.privacy import hide_small, may_see_group
from uptake.directory.scope import Deed, Viewer
from uptake.events.models import Connection
from uptake.insight.feed.where import activity_log
from uptake.insight.impact.days_of_metrics import LENGTH, Days, Split, days_of_metrics, parts_of, roles_of, whole
from uptake.insight.impact.metrics import Measure, says_failed
from uptake.insight.impact.named import BY_KEY, Named, Special
from uptake.insight.metrics.usage import reach, staff_of
from uptake.statistics.plan import Direction
from uptake.web import numbers, parts
from uptake.web.catalogue import labels_of
from uptake.web.pages.impact.named_words import SPECIALS, WORDS, Words
from uptake.web.viewing import needs, place_for, viewer_for

PLACES_SHOWN = 200


@dataclass(frozen=True)
class Line:
    """A metric of the catalogue as the page writes it; without a figure it is not measurable here."""

    named: Named
    words: Words
    figure: str
    recent: str
    day: str
    line: list[float | None]
    events: list[str]
    sources: list[str]
    good: str


@dataclass(frozen=True)
class Part:
    """A company, department or role; figures are None where its group is too small to be shown."""

    name: str
    people: int | None
    recent: str | None
    line: list[float | None]
    href: str


@needs(Deed.SEE_TOTALS)
def metrics(request: HttpRequest) -> HttpResponseBase:
    """All ready-made metrics at a place (`?at=`)."""
    viewer = viewer_for(request)
    place = place_for(request, Deed.SEE_TOTALS)
    last = _yesterday(place)
    if not _shown(viewer, place, last):
        return render(request, "impact/metrics.html", {"place": place, "hidden": True, "places": _places(viewer)})
    told = days_of_metrics(activity_log(), place, whole(place), last=last)
    sources = _sources(place)
    lines = [_line(one, last, sources) for one in told]
    context = {
        "place": place,
        "places": _places(viewer),
        "measured": [line for line, one in zip(lines, told, strict=True) if one.measurable],
        "missing": [line for line, one in zip(lines, told, strict=True) if not one.measurable],
        "days": LENGTH,
    }
    return render(request, "impact/metrics.html", context)


@needs(Deed.SEE_TOTALS)
def metric(request: HttpRequest, key: str) -> HttpResponseBase:
    """One ready-made metric at a place: ninety days, by company or department, and by role."""
    named = BY_KEY.get(key)
    if named is None:
        raise Http404("no such metric")
    viewer = viewer_for(request)
    place = place_for(request, Deed.SEE_TOTALS)
    last = _yesterday(place)
    context: dict[str, object] = {"place": place, "places": _places(viewer), "words": WORDS[key], "named": named}
    if not _shown(viewer, place, last):
        return render(request, "impact/metric.html", {**context, "hidden": True})
    log = activity_log()
    one = days_of_metrics(log, place, whole(place), last=last, named=[named])[0]
    context |= {"line": _line(one, last, _sources(place)), "measurable": one.measurable}
    if one.measurable:
        context["chart"] = _chart(one, last)
        context["places_of"] = _parts(log, viewer, place, parts_of(place), named, last)
        context["roles_of"] = _parts(log, viewer, place, roles_of(place, last), named, last)
    return render(request, "impact/metric.html", context)


def name_of(named: Named) -> str:
    return str(WORDS[named.key].name)


def written(named: Named, value: float | None) -> str:
    """A figure in the unit of its metric."""
    if value is None:
        return "–"
    if named.is_share:
        return numbers.share(value)
    if any(one.measure is Measure.HOURS for one in named.recipes):
        return f"{numbers.full(value, 1)} {_('h')}"
    return numbers.full(value, 2)


def _yesterday(place: Organization) -> date:
    return settings_at(place).date_of(timezone.now()) - timedelta(days=1)


def _shown(viewer: Viewer, place: Organization, day: date) -> bool:
    return may_see_group(viewer, place, staff_of([place], day)[place.pk])


def _places(viewer: Viewer) -> list[Organization]:
    """Parks and companies whose totals the viewer sees."""
    rows = Organization.objects.filter(viewer.within("path", Deed.SEE_TOTALS), kind__in=(Kind.PARK, Kind.COMPANY))
    return list(rows.open().order_by("path")[:PLACES_SHOWN])


def _sources(place: Organization) -> dict[str, tuple[str, ...]]:
    return sources_of(activity_log(), companies=reach(place)["companies"])


def _line(one: Days, last: date, sources: dict[str, tuple[str, ...]]) -> Line:
    named = one.named
    names = _events(one, sources)
    latest = one.latest()
    told = sorted({source for name in names for source in sources.get(name, ())})
    links = dict(Connection.objects.filter(slug__in=told).values_list("slug", "name"))
    labels = labels_of(names).events
    first = last - timedelta(days=LENGTH - 1)
    return Line(
        named,
        WORDS[named.key],
        written(named, latest[1]) if latest else "–",
        written(named, one.recent()),
        numbers.day(first + timedelta(days=latest[0]), year=False) if latest else "",
        one.values() if one.measurable else [],
        [_from(named)] if named.special or not names else [labels.get(name, name) for name in names],
        list(dict.fromkeys(links.get(source, source) for source in told)),
        _("higher is better") if named.good is Direction.HIGHER else _("lower is better"),
    )


def _from(named: Named) -> str:
    return str(SPECIALS[named.special or Special.RETURNED])


def _events(one: Days, sources: dict[str, tuple[str, ...]]) -> list[str]:
    """The names it is made of here."""
    if one.metric is None:
        return []
    if one.metric.measure is Measure.FAILED:
        return sorted(filter(says_failed, sources))
    return list(one.metric.events)


def _chart(one: Days, last: date) -> parts.Chart:
    first = last - timedelta(days=LENGTH - 1)
    share = one.named.is_share
    return parts.Chart(
        id="impact-metric",
        label=_("%(metric)s by working day") % {"metric": name_of(one.named)},
        axis=_("Day"),
        labels=[numbers.day(first + timedelta(days=at), year=False) for at in range(LENGTH)],
        series=[parts.Series(name_of(one.named), one.values(), "line", "c1")],
        format="share" if share else "decimal",
    )


def _parts(
    log: ActivityLog, viewer: Viewer, place: Organization, split: Split, named: Named, last: date
) -> Sequence[Part]:
    """The groups with their figures; small ones hidden, and one more where it would give them away."""
    if not split.groups.many:
        return []
    one = days_of_metrics(log, place, split, last=last, named=[named])[0]
    people = {at: int(many) for at, many in enumerate(one.people.tolist())}
    known: Mapping[int, int | None] = people if viewer.may(Deed.SEE_PEOPLE, place) else hide_small(people).counts
    found = []
    for at, name in enumerate(split.names):
        many = known[at]
        if many == 0 or (many is not None and one.against[at].sum() == 0):
            continue
        where = split.places[at] if split.places else None
        found.append(
            Part(
                name, many, None if many is None else written(named, one.recent(at)),
                [] if many is None else one.values(at),
                f"?at={where.slug}" if where is not None and where.kind == Kind.COMPANY else "",
            )
        )  # fmt: skip
    return sorted(found, key=lambda part: (part.people is None, -(part.people or 0), part.name))
