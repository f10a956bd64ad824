"""Gives badges by their conditions to whoever fulfilled them, and takes back what turned out not to be earned."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, F

from uptake.directory.leave import days_of_leave
from uptake.directory.models import Identity, Organization, Person
from uptake.events.models import Event
from uptake.events.read import Position, corrections_after, events_after, move_bookmark, positions_of
from uptake.programme.beyond_a_date import rulebook_now
from uptake.programme.gather import many
from uptake.programme.in_force import RulebooksInForce
from uptake.programme.merits.deeds import Done, deeds_of, earned_by
from uptake.programme.merits.give_badge import Earned, give, take_back
from uptake.programme.merits.keep_boards import BoardClock
from uptake.programme.merits.models import Badge, BadgeKind, ChallengeState, GivenBadge, Participant, Score
from uptake.programme.models import MeritChange, PersonLevel

READER = "badges"
PAGE = 5000
PAGES = 20
"""Of events that one run reads."""
COUNTED = (BadgeKind.DEED, BadgeKind.STREAK)
Touched = Mapping[str, Collection[int]]
"""Who did something new, by the name of the event."""


def read_new_deeds(*, now: datetime, pages: int = PAGES) -> dict[int, dict[str, set[int]]]:
    """Who did what since the last time, by company and name, as far as badges ask for it; moves the bookmark.

    Call it in the transaction that gives the badges.
    """
    names: dict[int, set[str]] = defaultdict(set)
    asked = Badge.objects.filter(kind__in=COUNTED, retired_at__isnull=True).values_list("company_id", "event_name")
    for company, name in asked:
        names[company].add(name)
    event_at, correction_at = positions_of(READER)
    found: dict[int, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    columns = ("txid", "id", "name", "company_id", "identity__person_id")
    begun = (event_at, correction_at)
    for _page in range(pages):
        rows = list(events_after(event_at, limit=PAGE).values_list(*columns))
        for _txid, _id, name, company, person in rows:
            if person is not None and company is not None and name in names.get(company, ()):
                found[company][name].add(person)
        if rows:
            event_at = Position(*rows[-1][:2])
        if len(rows) < PAGE:
            break
    corrections = list(corrections_after(correction_at, limit=PAGE))
    if corrections:
        correction_at = Position(corrections[-1].txid, corrections[-1].pk)
        mapped = {one.identity_id for one in corrections if one.identity_id is not None}
        people = set(Identity.objects.filter(pk__in=many(mapped)).values_list("person_id", flat=True))
        for company, asked_names in names.items():
            for name in asked_names:
                found[company][name] |= {person for person in people if person is not None}
        events = {one.event_id for one in corrections if one.event_id is not None}
        told = Event.objects.filter(pk__in=many(events)).placed()
        placed = told.annotate(placed_at=F("place_id"))
        for name, company, person in placed.values_list("name", "placed_at", "identity__person_id"):
            if person is not None and company is not None and name in names.get(company, ()):
                found[company][name].add(person)
    if (event_at, correction_at) != begun:
        move_bookmark(READER, now=now, events=event_at, corrections=correction_at)
    return {company: dict(touched) for company, touched in found.items()}


@transaction.atomic
def give_badges(company_id: int, touched: Touched, *, now: datetime) -> int:
    """Gives the badges of one company by their conditions and looks again at those still open; how many changed hands.

    `touched`: who did what since the last time. A badge that is new is looked for in all there is. Safe to repeat.
    """
    company = Organization.objects.select_for_update(of=("self",), no_key=True).get(pk=company_id)
    badges = list(Badge.objects.filter(company=company, retired_at__isnull=True).order_by("pk"))
    clock = BoardClock(company)
    changed = 0
    for badge in badges:
        if badge.kind in COUNTED:
            earned = _counted(badge, touched, clock)
        elif badge.kind == BadgeKind.LEVEL:
            earned = _levels(badge, now)
        elif badge.kind == BadgeKind.RANK:
            earned = _ranks(badge, clock, now)
        elif badge.kind == BadgeKind.CHALLENGE:
            earned = _challenges(badge)
        else:
            continue
        changed += len(give(badge, earned, now=now))
        if badge.looked_at is None:
            badge.looked_at = now
            badge.save(update_fields=["looked_at"])
    return changed + _look_again(company, clock, now)


def _counted(badge: Badge, touched: Touched, clock: BoardClock) -> list[Earned]:
    people: set[int] | None = None
    if badge.looked_at is not None:
        people = set(touched.get(badge.event_name, ()))
        people -= set(badge.given.held().filter(person_id__in=many(people)).values_list("person_id", flat=True))
        if not people:
            return []
    done = deeds_of(badge.company_id, badge.event_name, people=people)
    return [Earned(person, _closes(clock, one)) for person, one in _earners(badge, done, clock).items()]


def _earners(badge: Badge, done: Mapping[int, Sequence[Done]], clock: BoardClock) -> dict[int, Done]:
    leave = days_of_leave(done.keys()) if badge.kind == BadgeKind.STREAK else {}
    found: dict[int, Done] = {}
    for person, deeds in done.items():
        if len(deeds) < badge.count:
            continue
        one = earned_by(badge.kind, badge.count, deeds, clock.programme_on(deeds[-1].date), leave.get(person, ()))
        if one is not None:
            found[person] = one
    return found


def _closes(clock: BoardClock, deed: Done) -> datetime:
    """From when on the deed stands: as its awards do."""
    late = clock.programme_on(deed.date).lateness_days
    return clock.clock.start_of(deed.date + timedelta(days=1 + late))


def _levels(badge: Badge, now: datetime) -> list[Earned]:
    rules = rulebook_now(RulebooksInForce([badge.company_id]), badge.company_id, now)
    names = [level.name for level in rules.rulebook.levels] if rules else []
    if badge.level not in names:
        return []
    rows = PersonLevel.objects.filter(company_id=badge.company_id, rank__gte=names.index(badge.level))
    return _without(badge, rows.values_list("person_id", flat=True))


def _challenges(badge: Badge) -> list[Earned]:
    rows = Participant.objects.filter(
        challenge__company_id=badge.company_id, challenge__state=ChallengeState.PAID, met_at__isnull=False
    )
    counted = rows.values_list("person_id").annotate(n=Count("pk")).filter(n__gte=badge.count).order_by()
    return _without(badge, [person for person, _n in counted])


def _ranks(badge: Badge, clock: BoardClock, now: datetime) -> list[Earned]:
    """Those on the latest board that has closed since the badge is there."""
    today = clock.clock.date_of(now)
    starts = clock.start_of(badge.period, today)
    closed = clock.closes_at(badge.period, starts) if starts else None
    while starts is not None and (closed is None or closed > now):
        starts = clock.before(badge.period, starts)
        closed = clock.closes_at(badge.period, starts) if starts else None
    if starts is None or closed is None or closed < badge.made_at:
        return []
    if MeritChange.objects.filter(company_id=badge.company_id, changed_at__lt=closed).exists():
        return []
    rows = Score.objects.filter(place_id=badge.company_id, period=badge.period, starts=starts, shown__gt=0)
    last = rows.order_by("-shown").values_list("shown", flat=True)[badge.count - 1 : badge.count].first()
    first = rows.filter(shown__gte=last) if last is not None else rows
    return _without(badge, first.values_list("person_id", flat=True))


def _without(badge: Badge, people: Iterable[int]) -> list[Earned]:
    """Those who have not got it, and are somebody."""
    held = set(badge.given.held().values_list("person_id", flat=True))
    some = [person for person in people if person not in held]
    living = Person.objects.filter(pk__in=many(some), erased_at__isnull=True).values_list("pk", flat=True)
    return [Earned(person, None) for person in sorted(living)]


def _look_again(company: Organization, clock: BoardClock, now: datetime) -> int:
    """Badges whose deeds may still be undone are counted again; what has closed stays."""
    rows = GivenBadge.objects.held().filter(badge__company=company, open_until__isnull=False)
    rows.filter(open_until__lte=now).update(open_until=None)
    by_badge: dict[int, list[GivenBadge]] = defaultdict(list)
    for row in rows.select_related("badge"):
        by_badge[row.badge_id].append(row)
    gone: list[GivenBadge] = []
    for given in by_badge.values():
        badge = given[0].badge
        done = deeds_of(company.pk, badge.event_name, people={row.person_id for row in given})
        earners = _earners(badge, done, clock)
        gone += [row for row in given if row.person_id not in earners]
    take_back(gone, now=now)
    return len(gone)
