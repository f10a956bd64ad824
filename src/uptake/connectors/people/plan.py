"""What becomes of the departments and people a source names: values in, values out. Nothing is written here.

A plan says for each what would be done, and why not where it cannot be done. The same plan is the preview and the
deed. `too_many_leave` is the guard against a source that suddenly knows only half of its people.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from uptake.connectors.people.snapshot import Department, Snapshot, Somebody

MOST_LEAVING = 0.2
"""Of the people who belong through a source, more than this (and more than one person) leave only if confirmed."""


@dataclass(frozen=True, slots=True)
class Place:
    """An open or closed department of the company."""

    id: int
    name: str
    parent_id: int
    open: bool = True
    may_hold_departments: bool = True


@dataclass(frozen=True, slots=True)
class Here:
    """Somebody of the directory: what is known of them, and where in the company they belong today (None: nowhere)."""

    id: int
    name: str
    email: str
    staff_number: str
    place_id: int | None
    elsewhere: bool = False
    """They belong to another company, too: what is known of them is not this source's to change."""


@dataclass(frozen=True, slots=True)
class Known:
    """What we made of a person the source named before."""

    person_id: int | None
    belongs: bool
    left_lately: bool = False


@dataclass(frozen=True)
class Directory:
    """The company as it stands."""

    company_id: int
    places: Mapping[int, Place]
    people: Mapping[int, Here]
    place_of: Mapping[str, int]
    """key → place, of departments named before."""
    known: Mapping[str, Known]
    matched: Mapping[str, tuple[int | None, bool]]
    """key → (person, doubt) of keys without a person: by e-mail and staff number."""
    held_by_others: frozenset[int] = frozenset()
    """People who belong through another source of the company."""


@dataclass(frozen=True, slots=True)
class PlaceLine:
    """What becomes of a department: new, adopted, changed, same, gone or refused."""

    key: str
    name: str
    deed: str
    place_id: int | None = None
    parent_key: str = ""
    changes: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """What becomes of a person: new, found (taken over by e-mail or staff number), back, changed, same, leaves,
    other_id (they are here by another id now), unknown_inactive (never was here and is not active) or refused, with
    why."""

    key: str
    name: str
    deed: str
    person_id: int | None = None
    said: Somebody | None = None
    changes: tuple[str, ...] = ()
    """name, email, staff_number, place."""
    why: str = ""


@dataclass(frozen=True)
class Plan:
    """Departments with parents before children, people by name; `base`: how many belonged at the beginning."""

    places: tuple[PlaceLine, ...]
    people: tuple[Line, ...]
    base: int = 0
    left_lately: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def leaving(self) -> list[str]:
        return [one.key for one in self.people if one.deed == "leaves"]


def too_many_leave(plan: Plan, confirmed: Collection[str]) -> bool:
    """Whether the guard stops the plan: those who left within a day count with those who would leave now."""
    leaving = [key for key in plan.leaving if key not in confirmed]
    gone = len(leaving) + plan.left_lately
    return bool(leaving) and gone > 1 and gone > MOST_LEAVING * (plan.base + plan.left_lately)


def planned(said: Snapshot, here: Directory, *, confirmed: Collection[str] = ()) -> Plan:
    """The plan for what a source says (tidied) in a company as it stands."""
    places = _places(said, here)
    people = _people(said, here, {one.key: one for one in places})
    counts = Counter(f"places_{one.deed}" for one in places if one.deed != "same")
    counts.update(one.deed for one in people)
    lately = [key for key, one in here.known.items() if one.left_lately and key not in confirmed]
    base = sum(one.belongs for one in here.known.values())
    return Plan(tuple(places), tuple(people), base, len(lately), dict(counts))


def _places(said: Snapshot, here: Directory) -> list[PlaceLine]:
    named = {one.key: one for one in said.departments}
    lines: dict[str, PlaceLine] = {}
    taken = {here.place_of[key] for key in named if key in here.place_of}
    for department in _parents_first(said.departments):
        parent = department.parent_key
        if parent and parent not in named and parent in here.place_of:
            parent_id: int | None = here.place_of[parent]
            above: PlaceLine | None = None
        else:
            above = lines.get(parent)
            parent_id = above.place_id if above else here.company_id
        if parent and (above is None or above.deed == "refused") and (parent in named or parent not in here.place_of):
            lines[department.key] = _refused(department, "parent")
            continue
        holder = here.places.get(parent_id or 0)
        if holder is not None and not holder.may_hold_departments:
            lines[department.key] = _refused(department, "parent")
            continue
        lines[department.key] = _place(department, parent_id, here, taken)
    gone = []
    if said.complete:
        gone = [
            PlaceLine(key, here.places[at].name, "gone", at)
            for key, at in sorted(here.place_of.items())
            if key not in named and at in here.places and here.places[at].open
        ]
        # the innermost first, so that what held only closed places can be closed
        gone.reverse()
    return [*lines.values(), *gone]


def _place(department: Department, parent_id: int | None, here: Directory, taken: set[int]) -> PlaceLine:
    at = here.place_of.get(department.key)
    beside = (
        [one for one in here.places.values() if one.parent_id == parent_id and one.open]
        if parent_id is not None
        else []
    )
    same_name = next((one for one in beside if one.name.casefold() == department.name.casefold()), None)
    if at is None or at not in here.places:
        if same_name is not None and same_name.id not in taken:
            taken.add(same_name.id)
            return PlaceLine(department.key, department.name, "adopted", same_name.id, department.parent_key)
        if same_name is not None:
            return _refused(department, "name_taken")
        return PlaceLine(department.key, department.name, "new", None, department.parent_key)
    place = here.places[at]
    if same_name is not None and same_name.id != at:
        return PlaceLine(department.key, place.name, "same", at, department.parent_key, why="name_taken")
    changes = tuple(
        what
        for what, differs in (
            ("name", place.name != department.name),
            ("parent", place.parent_id != parent_id),
            ("open", not place.open),
        )
        if differs
    )
    return PlaceLine(
        department.key, department.name, "changed" if changes else "same", at, department.parent_key, changes
    )


def _refused(department: Department, why: str) -> PlaceLine:
    return PlaceLine(department.key, department.name, "refused", None, department.parent_key, why=why)


def _parents_first(departments: Sequence[Department]) -> list[Department]:
    """In the order in which they can be made; what hangs in a ring comes last and finds no parent."""
    named = {one.key: one for one in departments}
    depths: dict[str, int] = {}
    for one in departments:
        seen, at = [one.key], one
        while at.parent_key in named and at.parent_key not in seen:
            at = named[at.parent_key]
            seen.append(at.key)
        ring = at.parent_key in seen
        depths[one.key] = len(departments) + 1 if ring else len(seen)
    return sorted(departments, key=lambda one: depths[one.key])


def _people(said: Snapshot, here: Directory, places: Mapping[str, PlaceLine]) -> list[Line]:
    nobody = Known(None, False)
    active = {one.key for one in said.people if one.active}
    named = {one.key for one in said.people}
    strangers = [one for one in said.people if one.active and here.known.get(one.key, nobody).person_id is None]
    emails = Counter(one.email.lower() for one in strangers if one.email)
    numbers = Counter(one.staff_number for one in strangers if one.staff_number)
    by_email = {one.email.lower(): one.id for one in here.people.values() if one.email}
    by_number = {one.staff_number: one.id for one in here.people.values() if one.staff_number}
    # by which key a person is here: an id that is gone, or not active, gives way to a new one of the same person
    owners = {
        one.person_id: key
        for key, one in sorted(here.known.items())
        if one.person_id is not None and (key in active or (one.belongs and key not in named and not said.complete))
    }
    lines = []
    # who is known already comes first: nobody new takes their place
    for one in sorted(said.people, key=lambda one: (here.known.get(one.key, nobody).person_id is None, one.key)):
        known = here.known.get(one.key, nobody)
        person_id, doubt = (known.person_id, False) if known.person_id else here.matched.get(one.key, (None, False))
        if not one.active:
            continue
        refusal = _refusal(one, person_id, doubt, known, here, owners, emails, numbers)
        if refusal:
            lines.append(Line(one.key, one.name, "refused", known.person_id, one, why=refusal))
        elif person_id is None:
            why = "place" if one.place_key and _lost(one, here, places) else ""
            lines.append(Line(one.key, one.name, "new", None, one, why=why))
        else:
            owners[person_id] = one.key
            lines.append(_line(one, here.people[person_id], known, here, places, by_email, by_number))
    gone = [one.key for one in said.people if not one.active]
    if said.complete:
        gone += sorted(key for key, known in here.known.items() if key not in named and known.belongs)
    told = {one.key: one for one in said.people}
    for key in gone:
        known = here.known.get(key, nobody)
        person = here.people.get(known.person_id or 0)
        name = told[key].name if key in told else person.name if person else ""
        if not known.belongs or known.person_id is None:
            deed = "unknown_inactive"
        else:
            deed = "leaves" if owners.get(known.person_id, key) == key else "other_id"
        lines.append(Line(key, name, deed, known.person_id, told.get(key)))
    return lines


def _refusal(
    one: Somebody,
    person_id: int | None,
    doubt: bool,
    known: Known,
    here: Directory,
    owners: Mapping[int, str],
    emails: Mapping[str, int],
    numbers: Mapping[str, int],
) -> str:
    """Why nothing can be done for somebody; empty: it can."""
    if known.person_id is None and (emails.get(one.email.lower(), 0) > 1 or numbers.get(one.staff_number, 0) > 1):
        return "twice"
    if doubt:
        return "two_people"
    if person_id is None:
        return "" if one.name else "no_name"
    if owners.get(person_id, one.key) != one.key:
        return "same_person"
    return "" if person_id in here.people else "erased"


def _line(
    one: Somebody,
    person: Here,
    known: Known,
    here: Directory,
    places: Mapping[str, PlaceLine],
    by_email: Mapping[str, int],
    by_number: Mapping[str, int],
) -> Line:
    changes, why = [], ""
    told = (
        ("name", one.name, person.name),
        ("email", one.email, person.email),
        ("staff_number", one.staff_number, person.staff_number),
    )
    for what, new, old in told:
        if not new or new == old:
            continue
        taken = by_email.get(new.lower()) if what == "email" else by_number.get(new) if what == "staff_number" else None
        if person.elsewhere:
            why = why or "elsewhere"
        elif taken not in (None, person.id):
            why = "taken"
        else:
            changes.append(what)
    if one.place_key and _lost(one, here, places):
        why = why or "place"
    elif one.place_key:
        line = places.get(one.place_key)
        target = line.place_id if line else here.place_of.get(one.place_key)
        if person.place_id is not None and target != person.place_id:
            changes.append("place")
    if person.place_id is None:
        deed = "back"
    elif known.person_id is None:
        deed = "found"
    else:
        deed = "changed" if changes else "same"
    return Line(one.key, one.name or person.name, deed, person.id, one, tuple(changes), why)


def _lost(one: Somebody, here: Directory, places: Mapping[str, PlaceLine]) -> bool:
    """Whether the department a person is said to be in cannot be found."""
    line = places.get(one.place_key)
    if line is None:
        return one.place_key not in here.place_of
    return line.deed in ("refused", "gone")
