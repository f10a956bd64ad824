"""Which own words hold for a reader or a group: those of its company, else of the park, slot by slot. Reads."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

from uptake.directory.models import Organization, Person
from uptake.directory.place import memberships_of, span_on
from uptake.directory.viewer import ids_of
from uptake.notify.models import Wording
from uptake.notify.wordings import NOBODYS, Own

Phrases = Mapping[str, Mapping[str, str]]
"""By language and slot."""


def owns_of(people: Collection[int], day: date, kinds: Collection[str] | None = None) -> dict[int, Own]:
    """The own words for each of these people, by where they belong on a day. One question where no place has any."""
    told = _in_force(kinds)
    if not told:
        return dict.fromkeys(people, NOBODYS)
    spans = {person: span_on(mine, day) for person, mine in memberships_of(people).items()}
    paths = {person: ids_of(span.path) for person, span in spans.items() if span is not None}
    places = {key for path in paths.values() for key in path}
    if not places & {place for place, _kind in told}:
        return dict.fromkeys(people, NOBODYS)
    named = dict(Organization.objects.filter(pk__in=places, kind__in=("park", "company")).values_list("pk", "name"))
    readers = dict(Person.objects.filter(pk__in=paths).values_list("pk", "name"))
    merged: dict[tuple[int, ...], Own] = {path: _own(told, path, named) for path in set(paths.values())}
    return {
        person: Own(own.phrases, readers.get(person, ""), own.company)
        if (own := merged.get(paths.get(person, ()))) is not None
        else NOBODYS
        for person in people
    }


def own_of(person: int | None, day: date, kinds: Collection[str] | None = None) -> Own:
    """The own words for one person."""
    return NOBODYS if person is None else owns_of([person], day, kinds)[person]


def own_at(place: Organization, kinds: Collection[str] | None = None) -> Own:
    """The own words of a place, for what is said to nobody in particular."""
    return owns_at([place], kinds)[place.pk]


def owns_at(places: Collection[Organization], kinds: Collection[str] | None = None) -> dict[int, Own]:
    told = _in_force(kinds)
    if not told:
        return {place.pk: NOBODYS for place in places}
    ids = {key for place in places for key in ids_of(place.path)}
    named = dict(Organization.objects.filter(pk__in=ids, kind__in=("park", "company")).values_list("pk", "name"))
    return {place.pk: _own(told, ids_of(place.path), named) for place in places}


def held_at(place: Organization, kind: str) -> Wording | None:
    """The newest version of a place's words for a kind, if it ever had any."""
    return Wording.objects.filter(organization=place, kind=kind).order_by("-number").first()


def from_above(place: Organization, kind: str) -> dict[str, dict[str, str]]:
    """What holds above a place, by language and slot; what is not there is shipped."""
    return _merged(_in_force([kind]), ids_of(place.path)[:-1], kind)


def _in_force(kinds: Collection[str] | None) -> dict[tuple[int, str], Phrases]:
    """(place, kind) → phrases of the newest versions; those that took all words back are left out."""
    rows = Wording.objects.order_by("number")
    if kinds is not None:
        rows = rows.filter(kind__in=kinds)
    newest = {(place, kind): phrases for place, kind, phrases in rows.values_list("organization_id", "kind", "phrases")}
    return {key: phrases for key, phrases in newest.items() if phrases}


def _merged(told: Mapping[tuple[int, str], Phrases], path: tuple[int, ...], kind: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for place in path:
        for language, slots in told.get((place, kind), {}).items():
            found.setdefault(language, {}).update(slots)
    return found


def _own(told: Mapping[tuple[int, str], Phrases], path: tuple[int, ...], named: Mapping[int, str]) -> Own:
    kinds = {kind for place, kind in told if place in path}
    phrases = {kind: _merged(told, path, kind) for kind in kinds}
    company = next((named[place] for place in reversed(path) if place in named), "")
    return Own(phrases, company=company)
