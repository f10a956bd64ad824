"""How many people belong to a place with all below it on a date, counted once for all the places a page asks about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import date

from django.db.models import Count, Q

from uptake.directory.models import Kind, Membership, Organization, Person, PersonKind
from uptake.directory.viewer import ids_of, outermost

MOST_PATHS = 8
"""Places in more branches of the tree than this are counted by counting everybody."""
EVERYWHERE = ("/",)
AT_ONCE = 900


class Staff:
    """Human members on a date. What was read for one place serves all below it."""

    def __init__(self, today: date) -> None:
        self.today = today
        self._read: dict[tuple[str, ...], Counter[int]] = {}

    def of(self, places: Collection[Organization]) -> dict[int, int]:
        """Members of each place with all below it, everybody once, by organization id."""
        reading = self._read.items()
        counts = next((read for known, read in reading if all(one.path.startswith(known) for one in places)), None)
        if counts is None:
            paths = outermost(place.path for place in places)
            scope = EVERYWHERE if len(paths) > MOST_PATHS else paths
            most = scope == EVERYWHERE or any(place.kind == Kind.PARK for place in places)
            counts = self._read[scope] = self._counted(scope, most)
        return {place.pk: counts[place.pk] for place in places}

    def _counted(self, paths: tuple[str, ...], most: bool) -> Counter[int]:
        """Members by the id of every place under the paths; `most`: they are most of all people."""
        below = Q()
        for path in paths:
            below |= Q(path__startswith=path)
        inside = Organization.objects.filter(below).order_by()
        above = {key: ids_of(path) for key, path in inside.values_list("pk", "path")}
        everybody = Membership.objects.on(self.today).order_by()
        here = everybody if paths == EVERYWHERE else everybody.filter(organization__in=inside.values("pk"))
        counts: Counter[int] = Counter()
        for place, members in here.values_list("organization_id").annotate(held=Count("*")):
            for key in above[place]:
                counts[key] += members
        machines = set(Person.objects.filter(kind=PersonKind.MACHINE).values_list("pk", flat=True))
        for place in here.filter(person__in=machines).values_list("organization_id", flat=True) if machines else ():
            for key in above[place]:
                counts[key] -= 1
        # An index has all memberships in the order of people: counting through it costs less than sorting some.
        held = (everybody if most else here).values("person_id").annotate(held=Count("*")).filter(held__gt=1)
        several = list(held.values_list("person_id", flat=True))
        seen: set[tuple[int, int]] = set()
        for start in range(0, len(several), AT_ONCE):
            spells = here.filter(person__in=several[start : start + AT_ONCE])
            for person, place in spells.values_list("person_id", "organization_id"):
                for key in above[place] if person not in machines else ():
                    counts[key] -= (person, key) in seen
                    seen.add((person, key))
        return counts
