"""The seats of a place with what became of them, and those who use a product without one."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Min

from uptake.activity import ActivityLog
from uptake.activity.summaries.use import Use, use
from uptake.directory.models import Identity, Kind, Organization, Person, Product, Seat
from uptake.directory.place import IDS_PER_QUERY, memberships_of, span_on
from uptake.directory.viewer import Viewer, ids_of
from uptake.insight.metrics.activation import Held, Judged, Tally, Terms, judge, tally
from uptake.insight.metrics.coverage import Covered, coverage, told_at, working_days

LATELY = timedelta(days=28)
"""Use without a seat counts if it is not longer ago than this."""


@dataclass(frozen=True)
class SeatUse:
    """A seat, whose it is, and how it stands."""

    seat: Seat
    code: int
    """A person's number, an unclaimed identity's as a negative one; 0: nobody the record knows."""
    department: int
    """Id of the highest place below the company that the holder belongs to; 0: none."""
    judged: Judged
    last: date | None


@dataclass(frozen=True)
class Unseated:
    """Somebody who used a product in a company without having a seat of it."""

    product: Product
    company: Organization
    code: int
    first: date
    last: date
    days: int


@dataclass(frozen=True)
class Part:
    """A company of a park, or a department of a company (None: no department)."""

    place: Organization | None
    tally: Tally


@dataclass(frozen=True)
class Activation:
    """All that the page of activation tells of a place."""

    place: Organization
    today: date
    seats: tuple[SeatUse, ...]
    tally: Tally
    parts: tuple[Part, ...]
    unseated: tuple[Unseated, ...]
    covered: tuple[Covered, ...]


def products_at(place: Organization) -> list[Product]:
    """The products of which anybody at the place has had a seat, or that the place may give."""
    given = Seat.objects.filter(company__path__startswith=_company_path(place)).values("product")
    return list((Product.objects.filter(pk__in=given) | Product.objects.for_company(place)).distinct().order_by("slug"))


def activation(log: ActivityLog, place: Organization, products: Sequence[Product], today: date) -> Activation:
    """The seats of these products held today at a place, judged. Whoever asks may see totals there."""
    covered = coverage(log, place, today)
    held = list(
        Seat.objects.filter(company__path__startswith=_company_path(place), product__in=products)
        .on(today)
        .select_related("company", "person", "product")
        .order_by("issued_date", "pk")
    )
    codes = _codes(held, products)
    companies = {seat.company_id: seat.company for seat in held}
    begun = held[0].issued_date if held else today
    began = Seat.objects.filter(company__in=companies).aggregate(Min("issued_date"))["issued_date__min"] or begun
    calendars = working_days(companies.values(), min(began, today - timedelta(days=400)), today)
    departments = _Departments(today)
    seats: list[SeatUse] = []
    unseated: list[Unseated] = []
    for product in products:
        own = [seat for seat in held if seat.product_id == product.pk]
        if not own:
            continue
        found = _use(log, product, {seat.company_id for seat in own}, today)
        told = told_at(covered, product.sources)
        departments.learn({codes[seat.pk] for seat in own} | {person for person, _company in found if person > 0})
        terms = Terms(today, product.judged_after_days, product.habitual_weeks)
        seated: set[tuple[int, int]] = set()
        once: set[tuple[int, str, int]] = set()
        for seat in own:
            code = codes[seat.pk]
            key = (seat.company_id, seat.module.casefold(), code or -seat.pk)
            seated.add((code, seat.company_id))
            if key in once:
                continue
            once.add(key)
            done = found.get((code, seat.company_id)) if code else None
            judged = judge(
                _held(seat, done), terms, down=seat.company_id not in told,
                worked_since=_worked_since(calendars[seat.company_id], today),
            )  # fmt: skip
            place_of = departments.of(code, seat.company)
            seats.append(SeatUse(seat, code, place_of, judged, done.last if done else None))
        unseated += [
            Unseated(product, companies[one.company], one.person, one.first, one.last, one.days)
            for key, one in found.items()
            if key not in seated and one.last >= today - LATELY
        ]
    if place.kind not in (Kind.PARK, Kind.COMPANY):
        seats = [one for one in seats if departments.inside(one.code, place)]
        unseated = [one for one in unseated if departments.inside(one.code, place)]
    return Activation(
        place, today, tuple(seats), tally((one.judged for one in seats), today), tuple(_parts(place, seats, today)),
        tuple(sorted(unseated, key=lambda one: (one.company.name, -one.last.toordinal(), one.code))), tuple(covered),
    )  # fmt: skip


def names_of(viewer: Viewer, codes: Iterable[int]) -> Mapping[int, tuple[str, str]]:
    """(name, staff number or id in the source) of people and unclaimed identities the viewer may see, by code."""
    people = sorted({code for code in codes if code > 0})
    unclaimed = sorted({-code for code in codes if code < 0})
    found: dict[int, tuple[str, str]] = {}
    for start in range(0, len(people), IDS_PER_QUERY):
        some = Person.objects.visible_to(viewer).filter(pk__in=people[start : start + IDS_PER_QUERY])
        found |= {key: (name, number) for key, name, number in some.values_list("pk", "name", "staff_number")}
    for start in range(0, len(unclaimed), IDS_PER_QUERY):
        open_ones = Identity.objects.visible_to(viewer).filter(pk__in=unclaimed[start : start + IDS_PER_QUERY])
        found |= {
            -key: (name or external, external)
            for key, name, external in open_ones.values_list("pk", "name", "external_id")
        }
    return found


def _company_path(place: Organization) -> str:
    return place.path if place.kind in (Kind.PARK, Kind.COMPANY) or place.company is None else place.company.path


def _codes(seats: Sequence[Seat], products: Sequence[Product]) -> dict[int, int]:
    """Whose each seat is, by its id: the person's, or that of the id in the product's source."""
    by_key = {product.pk: product for product in products}
    wanted = sorted({seat.external_id for seat in seats if seat.person_id is None})
    known: dict[str, list[tuple[str, int | None, int]]] = {}
    for start in range(0, len(wanted), IDS_PER_QUERY):
        some = Identity.objects.filter(external_id__in=wanted[start : start + IDS_PER_QUERY]).order_by("pk")
        for key, external, source, company, person in some.values_list(
            "pk", "external_id", "source", "company_id", "person_id"
        ):
            known.setdefault(external, []).append((source, company, person or -key))
    found = {}
    for seat in seats:
        if seat.person_id is not None:
            found[seat.pk] = seat.person_id
            continue
        sources = by_key[seat.product_id].sources
        fits = [
            code
            for source, company, code in known.get(seat.external_id, [])
            if company in (seat.company_id, None, *ids_of(seat.company.path)) and (not sources or source in sources)
        ]
        found[seat.pk] = max(fits, default=0)
    return found


def _use(log: ActivityLog, product: Product, companies: set[int], today: date) -> dict[tuple[int, int], Use]:
    rows = use(
        log,
        last=today,
        companies=sorted(companies),
        sources=sorted(product.sources) or None,
        core=sorted(product.core_actions) or None,
        weeks=product.habitual_of_weeks,
    ).rows()
    return {(row.person, row.company): row for row in rows}


def _held(seat: Seat, done: Use | None) -> Held:
    if done is None:
        return Held(seat.issued_date, seat.invited_date, None, None, None, None, 0)
    return Held(seat.issued_date, seat.invited_date, done.first, done.value, done.last, done.gap, done.weeks)


def _worked_since(days: Sequence[date], today: date) -> Callable[[date], int]:
    end = bisect_right(days, today)
    return lambda day: end - bisect_right(days, day)


class _Departments:
    """Which place below a company people belong to today."""

    def __init__(self, today: date) -> None:
        self.today = today
        self.paths: dict[int, list[str]] = {}

    def learn(self, people: Iterable[int]) -> None:
        new = {one for one in people if one > 0} - self.paths.keys()
        found = memberships_of(new)
        for one in new:
            spans = [span for span in found.get(one, []) if span.holds_on(self.today)]
            latest = span_on(spans, self.today)
            self.paths[one] = ([latest.path] if latest else []) + [span.path for span in spans if span is not latest]

    def of(self, code: int, company: Organization) -> int:
        path = next((path for path in self.paths.get(code, []) if path.startswith(company.path)), company.path)
        below = ids_of(path.removeprefix(company.path))
        return below[0] if below else 0

    def inside(self, code: int, place: Organization) -> bool:
        return any(path.startswith(place.path) for path in self.paths.get(code, []))


def _parts(place: Organization, seats: Sequence[SeatUse], today: date) -> list[Part]:
    """By company of a park, by department of a company; in the order of names, nowhere last."""
    if place.kind not in (Kind.PARK, Kind.COMPANY):
        return []
    park = place.kind == Kind.PARK
    groups: dict[int, list[SeatUse]] = {}
    for one in seats:
        groups.setdefault(one.seat.company_id if park else one.department, []).append(one)
    known = Organization.objects.in_bulk([key for key in groups if key])
    listed = [Part(known.get(key), tally((one.judged for one in several), today)) for key, several in groups.items()]
    return sorted(listed, key=lambda part: (part.place is None, part.place.name if part.place else ""))
