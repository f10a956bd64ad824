"""Which company uses which module: shares of the active people by category, beside the park's median."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import Any

from uptake.activity import ActivityLog
from uptake.activity.summaries.modules import modules
from uptake.directory.models import Kind, Organization
from uptake.directory.privacy import hide_small, may_see_group
from uptake.directory.scope import HIDE_BELOW, Deed, Viewer
from uptake.events.models import EventType
from uptake.insight.metrics.peers import LEAST_COMPANIES
from uptake.insight.metrics.staff import Staff
from uptake.insight.metrics.told import TotalsOnly


@dataclass(frozen=True)
class Row:
    """A company (or department): distinct people active in the period, and those of each module.

    None: hidden from the viewer, as are the counts of 1 to 4 people."""

    place: Organization
    active: int | None
    people: tuple[int | None, ...]
    hidden: bool = False

    def share(self, module: int) -> float | None:
        """Of the active people; None: hidden, or nobody was active."""
        count = self.people[module]
        return None if count is None or not self.active else count / self.active


@dataclass(frozen=True)
class Matrix:
    """Rows by name of the place."""

    modules: tuple[str, ...]
    rows: tuple[Row, ...]
    median: tuple[float | None, ...]
    """By module, the median share of the park's companies with 5 active people or more; None: too few companies, or the
    place's own count is hidden from the viewer: in a small park the median could be the very same."""


def modules_of() -> dict[str, str]:
    """Name of an event → its category, of what counts as activity and has one."""
    listed = EventType.objects.filter(counts_as_active=True).exclude(category="").order_by("name")
    return dict(listed.values_list("name", "category"))


def matrix(
    log: ActivityLog,
    viewer: Viewer,
    place: Organization,
    first: date,
    last: date,
    *,
    today: date,
    sources: Sequence[str] | None = None,
    narrowed: Mapping[str, Any] | None = None,
) -> Matrix:
    """The companies of a park, or the departments of a company, as far as the viewer may see totals there.

    `narrowed`: keys of a question (filters, segment, only_persons). Raises TotalsOnly where a segment is asked for and
    the viewer may not see single people; QuestionRefused."""
    only_totals = not viewer.may(Deed.SEE_PEOPLE, place)
    for key in ("segment", "only_persons"):
        if only_totals and narrowed and narrowed.get(key):
            raise TotalsOnly(key, "nothing: you may see totals only")
    groups = modules_of()
    titles = tuple(sorted(set(groups.values())))
    company = place if place.kind == Kind.COMPANY else place.company
    park = place if place.kind == Kind.PARK else (company.parent if company else None)
    known: Mapping[int, tuple[int, tuple[int, ...]]] = {}
    every_row = known
    middle: tuple[float | None, ...] = (None,) * len(titles)
    if park is not None:
        all_of = Organization.objects.filter(path__startswith=park.path, kind=Kind.COMPANY)
        every = all_of.values_list("pk", flat=True)
        found = modules(
            log, first=first, last=last, groups=groups, companies=list(every), sources=sources, narrowed=narrowed
        )
        known = {key: (n, row) for key, n, row in zip(found.places, found.active, found.people, strict=True)}
        every_row = known
        middle = _median(list(known.values()), len(titles))
    if place.kind == Kind.PARK:
        listed = list(viewer.companies(Deed.SEE_TOTALS).filter(path__startswith=place.path))
    else:
        listed = list(Organization.objects.filter(parent=place)) if place.kind == Kind.COMPANY else [place]
        found = modules(
            log, first=first, last=last, groups=groups, companies=[one.pk for one in listed],
            within=company.pk if company else 0, sources=sources, narrowed=narrowed,
        )  # fmt: skip
        known = {key: (n, row) for key, n, row in zip(found.places, found.active, found.people, strict=True)}
    if only_totals:
        own = _own(place, company, every_row, known)
        middle = tuple(None if _few(count) is None else one for one, count in zip(middle, own, strict=True))
    hidden = _hidden(viewer, place, listed, today)
    rows = []
    for one in sorted(listed, key=lambda one: one.name):
        active, counts = known.get(one.pk, (0, (0,) * len(titles)))
        if one.closed_at and not active:
            continue
        if one.pk in hidden:
            rows.append(Row(one, None, (None,) * len(titles), hidden=True))
        elif viewer.may(Deed.SEE_PEOPLE, one):
            rows.append(Row(one, active, counts))
        else:
            rows.append(Row(one, _few(active), tuple(map(_few, counts))))
    return Matrix(titles, tuple(rows), middle)


def _hidden(viewer: Viewer, place: Organization, listed: Sequence[Organization], today: date) -> frozenset[int]:
    if not listed or viewer.may(Deed.SEE_PEOPLE, place):
        return frozenset()  # nobody needs to be counted
    staff = Staff(today).of(listed)
    if place.kind == Kind.PARK:
        return frozenset(one.pk for one in listed if not may_see_group(viewer, one, staff[one.pk]))
    return hide_small(dict(staff)).hidden


def _own(
    place: Organization,
    company: Organization | None,
    companies: Mapping[int, tuple[int, tuple[int, ...]]],
    below: Mapping[int, tuple[int, tuple[int, ...]]],
) -> Sequence[int]:
    """The place's own people by module; of a park all its companies' together."""
    if place.kind == Kind.PARK:
        return [sum(column) for column in zip(*(counts for _active, counts in companies.values()), strict=True)]
    found = companies if company is not None and place.pk == company.pk else below
    nobody = (0,) * len(next(iter(companies.values()), (0, ()))[1])
    return found.get(place.pk, (0, nobody))[1]


def _few(count: int) -> int | None:
    return None if 0 < count < HIDE_BELOW else count


def _median(companies: Sequence[tuple[int, tuple[int, ...]]], width: int) -> tuple[float | None, ...]:
    judged = [(active, counts) for active, counts in companies if active >= HIDE_BELOW]
    if len(judged) < LEAST_COMPANIES:
        return (None,) * width
    return tuple(median(counts[module] / active for active, counts in judged) for module in range(width))
