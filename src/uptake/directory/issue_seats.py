"""Gives people of companies seats of products, a whole list at once; and invites them, and takes seats back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.db import transaction
from django.db.models.functions import Lower

from uptake.directory.audit import AT_ONCE, note
from uptake.directory.models import Identity, Kind, Membership, Organization, Product, Seat
from uptake.directory.place import IDS_PER_QUERY
from uptake.directory.update_each import update_each
from uptake.directory.viewer import Deed, NotAllowed, Viewer, ids_of


class WrongDate(ValueError):
    """Nobody is invited, and no seat is taken back, before it was issued."""


@dataclass(frozen=True, slots=True)
class SeatRow:
    """One line of a list of seats. Whose it is: `person` (the id in the product's source), staff number or e-mail."""

    line: int
    product: str
    company: str = ""
    """Slug or name; empty: the company the whole list is for."""
    person: str = ""
    staff_number: str = ""
    email: str = ""
    name: str = ""
    module: str = ""
    issued_date: date | None = None
    """None: the day the list comes in, for a seat that is not known yet."""
    invited_date: date | None = None
    until_date: date | None = None
    """The first day without the seat; None: held."""
    unreadable: bool = False
    """One of its dates cannot be read."""


@dataclass(frozen=True, slots=True)
class SeatFate:
    """What becomes of a row: new, changed, known, or refused.

    Reasons: no_company, no_product, nobody, two_people, bad_date, ends_early, twice.
    """

    row: SeatRow
    fate: str
    reason: str = ""
    company: Organization | None = None
    product: Product | None = None
    person_id: int | None = None
    seat: Seat | None = None
    """The seat there is already."""


def preview_seats(rows: Sequence[SeatRow], *, place: Organization, today: date, by: Viewer) -> list[SeatFate]:
    """What `issue_seats` would make of each row; writes nothing. Raises NotAllowed."""
    if not by.may(Deed.MANAGE_PEOPLE, place):
        raise NotAllowed
    places = _Places(place)
    found = [_placed(row, places) for row in rows]
    people = _People({one.company.pk: one.company for one in found if one.company}, rows)
    seen: set[tuple[object, ...]] = set()
    fates = []
    for one in (_found(one, people) for one in found):
        fate = _judged(one, people, today)
        key = (
            fate.company and fate.company.pk, fate.product and fate.product.pk, fate.row.module.casefold(),
            fate.person_id or fate.row.person, fate.row.issued_date,
        )  # fmt: skip
        if fate.fate != "refused" and key in seen:
            fate = replace(fate, fate="refused", reason="twice")
        seen.add(key)
        fates.append(fate)
    return fates


@transaction.atomic
def issue_seats(
    rows: Sequence[SeatRow], *, place: Organization, today: date, by: Viewer, now: datetime
) -> list[SeatFate]:
    """Issues the seats of a list at a company, or at the companies of a park that its rows name.

    A seat there already takes the row's invitation and end, and its date of issue where that is earlier; the same list
    again changes nothing. The number of statements does not grow with the number of rows. Raises NotAllowed.
    """
    place = Organization.objects.select_for_update(no_key=True).get(pk=place.pk)
    fates = preview_seats(rows, place=place, today=today, by=by)
    Seat.objects.bulk_create(
        [
            Seat(
                company=fate.company,
                product=fate.product,
                module=fate.row.module,
                person_id=fate.person_id,
                external_id=fate.row.person,
                name=fate.row.name,
                issued_date=fate.row.issued_date or today,
                invited_date=fate.row.invited_date,
                until_date=fate.row.until_date,
                created_at=now,
            )
            for fate in fates
            if fate.fate == "new"
        ],
        batch_size=AT_ONCE,
    )
    changed = [_with(fate.seat, fate.row) for fate in fates if fate.fate == "changed" and fate.seat]
    update_each(changed, ["issued_date", "invited_date", "until_date"])
    done = [fate for fate in fates if fate.fate in ("new", "changed")]
    for company in {fate.company.pk: fate.company for fate in done if fate.company}.values():
        of_it = [fate for fate in done if fate.company == company]
        details = {
            "new": sum(fate.fate == "new" for fate in of_it),
            "changed": sum(fate.fate == "changed" for fate in of_it),
            "products": sorted({fate.product.slug for fate in of_it if fate.product}),
        }
        note(deed="seats.issued", actor=by, organization=company, subject=company.name, details=details, now=now)
    return fates


@transaction.atomic
def invite_to_seat(*, seat: Seat, on: date, by: Viewer, now: datetime) -> Seat:
    """Writes down that the holder was asked to come in. The first time counts. Raises NotAllowed, WrongDate."""
    seat = _held(seat, by)
    if seat.invited_date is not None:
        return seat
    if on < seat.issued_date:
        raise WrongDate
    seat.invited_date = on
    seat.save(update_fields=["invited_date"])
    _note("seat.invited", seat, on, by, now)
    return seat


@transaction.atomic
def revoke_seat(*, seat: Seat, on: date, by: Viewer, now: datetime) -> Seat:
    """Takes a seat back from a date on. One taken back already stays as it is. Raises NotAllowed, WrongDate."""
    seat = _held(seat, by)
    if seat.until_date is not None:
        return seat
    if on < seat.issued_date:
        raise WrongDate
    seat.until_date = on
    seat.save(update_fields=["until_date"])
    _note("seat.revoked", seat, on, by, now)
    return seat


def _held(seat: Seat, by: Viewer) -> Seat:
    found = Seat.objects.select_for_update(of=("self",)).select_related("company", "product", "person").get(pk=seat.pk)
    if not by.may(Deed.MANAGE_PEOPLE, found.company):
        raise NotAllowed
    return found


def _note(deed: str, seat: Seat, on: date, by: Viewer, now: datetime) -> None:
    whose = seat.person.name if seat.person else seat.name or seat.external_id
    details = {"seat": seat.pk, "product": seat.product.slug, "date": on.isoformat()}
    note(deed=deed, actor=by, organization=seat.company, subject=whose, details=details, now=now)


class _Places:
    """The companies and products a list may name."""

    def __init__(self, place: Organization) -> None:
        self.only = place if place.kind == Kind.COMPANY else None
        companies = list(Organization.objects.open().filter(path__startswith=place.path, kind=Kind.COMPANY))
        self.companies = {one.name.casefold(): one for one in companies} | {one.slug: one for one in companies}
        above = {key for one in (place, *companies) for key in ids_of(one.path)}
        self.products = {one.slug: one for one in Product.objects.filter(organization__in=above)}
        named: dict[str, list[Product]] = {}
        for one in self.products.values():
            for name in {one.name_en.casefold(), one.name_zh.casefold()} - {""}:
                named.setdefault(name, []).append(one)
        self.by_name = {name: several[0] for name, several in named.items() if len(several) == 1}

    def company(self, text: str) -> Organization | None:
        return self.companies.get(text) or self.companies.get(text.casefold()) if text else self.only

    def product(self, text: str, company: Organization) -> Product | None:
        found = self.products.get(text) or self.by_name.get(text.casefold())
        return found if found and found.organization_id in ids_of(company.path) else None


def _placed(row: SeatRow, places: _Places) -> SeatFate:
    row = replace(
        row,
        person=row.person.strip()[:255],
        staff_number=row.staff_number.strip(),
        email=row.email.strip().lower(),
        name=" ".join(row.name.split())[:200],
        module=" ".join(row.module.split())[:100],
    )
    company = places.company(row.company.strip())
    if company is None:
        return SeatFate(row, "refused", "no_company")
    product = places.product(row.product.strip(), company)
    return SeatFate(row, "" if product else "refused", "" if product else "no_product", company, product)


class _People:
    """Who the rows may mean, and the seats there are."""

    def __init__(self, companies: dict[int, Organization], rows: Sequence[SeatRow]) -> None:
        emails = {row.email.strip().lower() for row in rows} - {""}
        numbers = {row.staff_number.strip() for row in rows} - {""}
        ids = {row.person.strip()[:255] for row in rows} - {""}
        self.by_email = self._members(companies, "email_lower", emails)
        self.by_number = self._members(companies, "person__staff_number", numbers)
        self.identities: dict[str, list[tuple[str, int | None, int]]] = {}
        for some in _chunks(ids):
            held = Identity.objects.filter(external_id__in=some, person__isnull=False)
            for key, source, company, person in held.values_list("external_id", "source", "company_id", "person_id"):
                self.identities.setdefault(key, []).append((source, company, person or 0))
        self.seats: dict[tuple[int, int, str], list[Seat]] = {}
        for seat in Seat.objects.filter(company__in=companies).order_by("issued_date", "pk"):
            self.seats.setdefault((seat.company_id, seat.product_id, seat.module.casefold()), []).append(seat)

    def _members(
        self, companies: Collection[int], column: str, values: Iterable[str]
    ) -> dict[tuple[int, str], set[int]]:
        found: dict[tuple[int, str], set[int]] = {}
        rows = Membership.objects.filter(organization__company__in=companies).annotate(
            email_lower=Lower("person__email")
        )
        for some in _chunks(values):
            held = rows.filter(**{f"{column}__in": some})
            for company, value, person in held.values_list("organization__company_id", column, "person_id"):
                found.setdefault((company, value), set()).add(person)
        return found

    def of(self, fate: SeatFate) -> set[int]:
        """The people a row means: those its e-mail and staff number agree on, else whose the id is."""
        row, company = fate.row, fate.company
        assert company is not None
        assert fate.product is not None
        marks = [
            found.get((company.pk, value), set())
            for found, value in ((self.by_number, row.staff_number), (self.by_email, row.email))
            if value
        ]
        known = [people for people in marks if people]
        if known:
            agreed = set.intersection(*known)
            return agreed or set.union(*known)
        sources = fate.product.sources
        return {
            person
            for source, place, person in self.identities.get(row.person, [])
            if (source in sources if sources else place == company.pk)
        }


def _chunks(values: Iterable[str]) -> Iterable[list[str]]:
    several = sorted(values)
    return (several[start : start + IDS_PER_QUERY] for start in range(0, len(several), IDS_PER_QUERY))


def _found(fate: SeatFate, people: _People) -> SeatFate:
    """With the person of the row."""
    if fate.fate == "refused":
        return fate
    if fate.row.unreadable:
        return replace(fate, fate="refused", reason="bad_date")
    persons = people.of(fate)
    if len(persons) > 1:
        return replace(fate, fate="refused", reason="two_people")
    if not persons and not fate.row.person:
        return replace(fate, fate="refused", reason="nobody")
    return replace(fate, person_id=next(iter(persons), None))


def _judged(fate: SeatFate, people: _People, today: date) -> SeatFate:
    """With what is to be done."""
    if fate.fate == "refused":
        return fate
    assert fate.company is not None
    assert fate.product is not None
    row = fate.row
    begin = row.issued_date or today
    if any(day is not None and day < begin for day in (row.until_date, row.invited_date)) and row.issued_date:
        return replace(fate, fate="refused", reason="ends_early")
    there = [
        seat
        for seat in people.seats.get((fate.company.pk, fate.product.pk, row.module.casefold()), [])
        if (fate.person_id is not None and seat.person_id == fate.person_id)
        or (row.person != "" and seat.external_id == row.person and (not seat.person_id or not fate.person_id))
    ]
    same = next((seat for seat in there if seat.until_date is None), None)
    if row.issued_date is not None:
        held = [seat for seat in there if seat.issued_date == begin or (seat.until_date and begin < seat.until_date)]
        same = next((seat for seat in held if seat.issued_date <= begin), same)
    if same is None:
        return replace(fate, fate="new")
    new = _with(same, row)
    if new.until_date is not None and new.until_date < new.issued_date:
        return replace(fate, fate="refused", reason="ends_early")
    was = (same.issued_date, same.invited_date, same.until_date)
    news = (new.issued_date, new.invited_date, new.until_date) != was
    return replace(fate, fate="changed" if news else "known", seat=same)


def _with(seat: Seat, row: SeatRow) -> Seat:
    """The seat as the row has it (a copy)."""
    made = Seat(pk=seat.pk, issued_date=seat.issued_date, invited_date=seat.invited_date, until_date=seat.until_date)
    if seat.until_date is None and row.issued_date is not None:
        made.issued_date = min(seat.issued_date, row.issued_date)
    if row.invited_date is not None and seat.invited_date is None:
        made.invited_date = row.invited_date
    if row.until_date is not None and seat.until_date is None:
        made.until_date = row.until_date
    return made
