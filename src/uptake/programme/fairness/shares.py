"""Reads who earned what in a company and measures it: by department, by role, and against the work they did."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.db.models import Count, Sum

from uptake.directory.models import Kind, Membership, Organization, PersonKind
from uptake.directory.place import settings_at
from uptake.directory.viewer import ids_of
from uptake.events.models import Event
from uptake.programme.models import Award
from uptake.programme.rewards.models import TAKEN, Redemption

if TYPE_CHECKING:
    import numpy as np

    from uptake.statistics.fairness.measures import Expected, Ratio, Split
    from uptake.statistics.fairness.triggers import Trigger

FEWEST = 10
"""Fewer people than this are not told of: neither a company nor a group of it."""
NOWHERE = ""
"""The name of the group of those without department or role."""


@dataclass(frozen=True, slots=True)
class Group:
    """A department or role large enough to be shown. `against`: earned over what their work earns anybody else."""

    name: str
    people: int
    points: int
    reached: int
    expected: float
    against: Ratio | None
    redeemed: int = 0
    """How many of them asked for a reward that they have or may still get."""

    @property
    def per_head(self) -> float:
        return self.points / self.people

    @property
    def reach(self) -> float:
        return self.reached / self.people

    @property
    def redeeming(self) -> float:
        return self.redeemed / self.people


@dataclass(frozen=True, slots=True)
class Grouping:
    """Everybody by department, or by role. `hidden`: how many groups, and how many people in them, are not shown."""

    groups: tuple[Group, ...]
    hidden: int
    hidden_people: int
    triggers: tuple[Trigger, ...]


@dataclass(frozen=True, slots=True)
class Fairness:
    """A company over a period. `triggers`: of everybody, without regard to groups."""

    people: int
    points: int
    reached: int
    top_share: float | None
    gini: Ratio | None
    lorenz: Sequence[tuple[float, float]] | None
    """(share of people, share of points they hold), those with fewest first."""
    split: Split | None
    mobility: tuple[float, float] | None
    departments: Grouping
    roles: Grouping
    triggers: tuple[Trigger, ...]
    before_reached: int
    before_top_share: float | None


def fairness_of(company: Organization, first: date, last: date) -> Fairness | None:
    """Of all human members on `last`, what they earned by rules from `first` on, beside as many days before.

    None under 10 people. Points are those that stand now; special points and prizes are no matter of rules.
    """
    import numpy as np

    from uptake.statistics.fairness import measures, triggers

    places = groups_on(company, last)
    if len(places) < FEWEST:
        return None
    people = sorted(places)
    earlier = (first - timedelta(days=(last - first).days + 1), first - timedelta(days=1))
    earned, before = _earned(company, first, last), _earned(company, *earlier)
    points = np.array([sum(earned.get(one, {}).values()) for one in people], dtype=np.float64)
    formerly = np.array([sum(before.get(one, {}).values()) for one in people], dtype=np.float64)
    done, done_before = _done(company, first, last, earned), _done(company, *earlier, before)
    asked = _redeemed(company, first, last)
    groupings, worlds = [], []
    for at in (0, 1):
        names = [places[one][at] for one in people]
        told = _grouping(names, people, earned, done, points)
        past = _grouping(names, people, before, done_before, formerly)
        told = _with_redeemed(told, Counter(places[one][at] for one in people if one in asked))
        groupings.append(_with_triggers(told, past, names, points))
        worlds.append(names)
    everybody = triggers.of_points(points, ["" for _ in people], formerly if formerly.any() else None)
    return Fairness(
        people=len(people),
        points=int(points.sum()),
        reached=int((points > 0).sum()),
        top_share=measures.top_share(points),
        gini=measures.gini_interval(points),
        lorenz=measures.lorenz(points),
        split=measures.two_way_theil(points, worlds[0], worlds[1]),
        mobility=measures.rank_mobility(formerly, points),
        departments=groupings[0],
        roles=groupings[1],
        triggers=tuple(one for one in everybody if not one.group),
        before_reached=int((formerly > 0).sum()),
        before_top_share=measures.top_share(formerly),
    )


def groups_on(place: Organization, day: date) -> dict[int, tuple[str, str]]:
    """Person → (department right below the company, role) on a day; of several memberships the latest.

    Of a park: the company instead of the department.
    """
    parts = Kind.COMPANY if place.kind == Kind.PARK else Kind.DEPARTMENT
    names = dict(Organization.objects.filter(parent=place, kind=parts).values_list("pk", "name"))
    rows = Membership.objects.on(day).filter(organization__path__startswith=place.path)
    rows = rows.filter(person__kind=PersonKind.HUMAN).order_by("from_date", "-pk")
    found = {}
    for person, path, role in rows.values_list("person_id", "organization__path", "role"):
        department = next((names[key] for key in ids_of(path) if key in names), NOWHERE)
        found[person] = (department, role.strip() or NOWHERE)
    return found


def _earned(company: Organization, first: date, last: date) -> dict[int, dict[str, int]]:
    """Person → name of event → points that stand."""
    rows = Award.objects.filter(company=company, date__range=(first, last), points__gt=0).order_by()
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for person, name, points in rows.values_list("person_id", "event__name").annotate(sum=Sum("points")):
        found[person][name] = points
    return found


def _done(
    company: Organization, first: date, last: date, earned: Mapping[int, Mapping[str, int]]
) -> dict[int, dict[str, int]]:
    """Person → name of event → how often; only names that earned anybody something."""
    names = sorted({name for one in earned.values() for name in one})
    rows = Event.objects.filter(company=company, name__in=names, business_date__range=(first, last)).standing()
    rows = rows.filter(identity__person__isnull=False).order_by()
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for person, name, times in rows.values_list("identity__person_id", "name").annotate(times=Count("*")):
        found[person or 0][name] = times
    return found


def _redeemed(company: Organization, first: date, last: date) -> set[int]:
    """Who asked in the period for a reward that they have or may still get."""
    clock = settings_at(company)
    span = (clock.start_of(first), clock.start_of(last + timedelta(days=1)))
    rows = Redemption.objects.filter(company=company, requested_at__gte=span[0], requested_at__lt=span[1])
    return set(rows.filter(state__in=TAKEN).order_by().values_list("person_id", flat=True))


def _with_redeemed(of: Grouping, redeemed: Mapping[str, int]) -> Grouping:
    return replace(of, groups=tuple(replace(one, redeemed=redeemed.get(one.name, 0)) for one in of.groups))


def _grouping(
    names: Sequence[str],
    people: Sequence[int],
    earned: Mapping[int, Mapping[str, int]],
    done: Mapping[int, Mapping[str, int]],
    points: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> Grouping:
    import numpy as np

    from uptake.statistics.fairness import measures, triggers

    deeds = sorted({name for one in earned.values() for name in one})
    opportunities = np.array([[float(done.get(one, {}).get(deed, 0)) for deed in deeds] for one in people])
    given = np.array([[float(earned.get(one, {}).get(deed, 0)) for deed in deeds] for one in people])
    against = {}
    if deeds:
        # What one deed is worth on average is what is counted in: the points of a group stay exact.
        worth = given.sum(axis=0) / np.maximum(opportunities.sum(axis=0), 1)
        told, _ = measures.observed_over_expected(names, opportunities, given / worth, [float(one) for one in worth])
        against = {one.group: one for one in told}
    members = Counter(names)
    sums: dict[str, float] = defaultdict(float)
    for name, one in zip(names, points, strict=True):
        sums[name] += float(one)
    reached = measures.reach(points, names)
    shown = triggers.shown(members)
    groups = tuple(
        Group(
            name=name,
            people=members[name],
            points=round(sums[name]),
            reached=reached[name][0],
            expected=against[name].expected if name in against else 0.0,
            against=against[name].ratio if name in against else None,
        )
        for name in sorted(shown, key=lambda name: (-sums[name] / members[name], name))
    )
    rest = [count for name, count in members.items() if name not in shown]
    return Grouping(groups, len(rest), sum(rest), ())


def _with_triggers(
    now: Grouping,
    past: Grouping,
    names: Sequence[str],
    points: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> Grouping:
    """What fires for groups that are shown; an alert only where it fired in the period before, too."""
    from uptake.statistics.fairness import triggers

    mean = float(points.mean())
    raw = {one.name: one.per_head / mean for one in now.groups} if mean > 0 else {}
    fired = triggers.of_expected(_expected(now), raw, _far(past))
    shown = {one.name for one in now.groups}
    fired += triggers.of_reach({one.name: (one.reached, one.people) for one in now.groups}, _unreached(past))
    fired += triggers.of_redeemed({one.name: (one.redeemed, one.people) for one in now.groups})
    alike = {"GROUPS_DIFFER", "BETWEEN_GROUPS"}
    told = triggers.of_points(points, names)
    fired += [one for one in told if one.code in alike or one.group in shown - {NOWHERE}]
    return Grouping(now.groups, now.hidden, now.hidden_people, tuple(fired))


def _expected(of: Grouping) -> list[Expected]:
    from uptake.statistics.fairness.measures import Expected as Row

    return [
        Row(one.name, one.people, float(one.points), one.expected, one.against)
        for one in of.groups
        if one.against is not None
    ]


def _far(of: Grouping) -> Collection[str]:
    from uptake.statistics.fairness import triggers

    return {one.group for one in triggers.of_expected(_expected(of)) if one.level is not triggers.Level.EXPLAINED}


def _unreached(of: Grouping) -> Collection[str]:
    from uptake.statistics.fairness import triggers

    return {one.group for one in triggers.of_reach({one.name: (one.reached, one.people) for one in of.groups})}
