"""The tree of places with the number of people in each, as one viewer sees it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from uptake.directory.models import Kind, Membership, Organization
from uptake.directory.scope import Deed, Viewer
from uptake.directory.viewer import ids_of

SEEING = (Deed.MANAGE_PEOPLE, Deed.GIVE_ROLES, Deed.SEE_PEOPLE)


@dataclass
class Node:
    """A place, how many people belong to it or below it today, and the places below it that are shown."""

    place: Organization
    people: int
    children: list[Node] = field(default_factory=list)
    here: bool = False


def tree_for(viewer: Viewer, chosen: Organization | None, today: date) -> list[Node]:
    """The places whose people the viewer may see, opened down to the chosen one; a lone company is opened."""
    places = list(Organization.objects.filter(viewer.within("path", *SEEING)).order_by("name", "pk"))
    lone = sum(place.kind == Kind.COMPANY for place in places) <= 1
    nodes = {place.pk: Node(place, count, here=place == chosen) for place, count in _counted(viewer, places, today)}
    roots = []
    for place in places:
        parent = nodes.get(place.parent_id or 0)
        if parent is None:
            roots.append(nodes[place.pk])
        elif lone or parent.place.kind == Kind.PARK or (chosen and chosen.path.startswith(parent.place.path)):
            parent.children.append(nodes[place.pk])
    return roots


def _counted(viewer: Viewer, places: Iterable[Organization], today: date) -> list[tuple[Organization, int]]:
    people: dict[int, set[int]] = {}
    held = Membership.objects.visible_to(viewer).on(today)
    for person_id, path in held.values_list("person_id", "organization__path"):
        for key in ids_of(path):
            people.setdefault(key, set()).add(person_id)
    return [(place, len(people.get(place.pk, ()))) for place in places]
