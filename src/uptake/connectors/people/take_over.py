"""Makes of what a source of people says places, people and dated memberships; the one door of all sources.

It acts as an operator of the source's own company and of nothing else, so the directory's own doors keep the wall.
Nobody is deleted: whoever leaves has their memberships ended and their login closed. People who never came through a
source are left alone. Departments first, then people, a hundred in a transaction; what is done already is not done
again, so a run that was cut short is finished by the next.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import F

from uptake.connectors.people.look import look
from uptake.connectors.people.models import PeopleRun, PeopleSource, SaidPerson, SaidPlace
from uptake.connectors.people.plan import Line, PlaceLine, Plan, too_many_leave
from uptake.connectors.people.snapshot import Snapshot, tidied
from uptake.directory.audit import note
from uptake.directory.enrol import (
    AlreadyKnown,
    AlreadyThere,
    NameMissing,
    PlaceClosed,
    WrongDates,
    describe_person,
    enrol,
    join,
    leave,
    move,
)
from uptake.directory.models import Identity, Kind, Membership, Organization, Person, User
from uptake.directory.open_login import close_login, open_login
from uptake.directory.organize import (
    NameTaken,
    StillInUse,
    WrongPlace,
    close_organization,
    make_organization,
    move_organization,
    rename_organization,
    reopen_organization,
)
from uptake.directory.place import settings_at
from uptake.directory.resolve import Hints, match_again, resolve
from uptake.directory.viewer import Grant, NotAllowed, Viewer
from uptake.events.follow import follow_identified
from uptake.events.identify import identify
from uptake.events.moved import follow_moved

AT_ONCE = 100
REFUSALS = (AlreadyKnown, AlreadyThere, NameMissing, PlaceClosed, WrongDates, NotAllowed)


class TakenOver(Exception):
    """Somebody else took the source up meanwhile; whoever held it may write no more."""


@dataclass(frozen=True)
class Outcome:
    """The plan, and what came of it: done, or held because too many would leave."""

    plan: Plan
    outcome: str
    counts: Mapping[str, int]


def viewer_of(source: PeopleSource, today: date) -> Viewer:
    """As whom a source acts: an operator of its company alone, without a login."""
    grants = (Grant("operator", source.company.path),)
    return Viewer(None, None, f"{source.get_sort_display()}: {source.name}", grants, today)


def today_at(source: PeopleSource, now: datetime) -> date:
    """The business date at the source's company."""
    return settings_at(source.company).date_of(now)


def take_over(*, source: PeopleSource, said: Snapshot, now: datetime, held: bool = False) -> Outcome:
    """Takes over what a source says. Safe to repeat: said twice, the second time changes nothing.

    Where too many would leave nothing at all is done; with `held` (SCIM, which speaks of one person at a time) only
    nobody leaves. Raises TakenOver.
    """
    said = tidied(said)
    plan = look(source=source, said=said, now=now)
    stopped = too_many_leave(plan, source.confirmed)
    if stopped and not held:
        return Outcome(plan, "held", plan.counts)
    by = viewer_of(source, today_at(source, now))
    counts: Counter[str] = Counter()
    if plan.places:
        with transaction.atomic():
            _still_ours(source)
            _take_places(source, plan, said, by, now, counts)
    lines = [one for one in plan.people if not (stopped and one.deed == "leaves")]
    places = _places_now(source)
    for start in range(0, len(lines), AT_ONCE):
        with transaction.atomic():
            _still_ours(source)
            _take_people(source, lines[start : start + AT_ONCE], places, by, now, counts)
    with transaction.atomic():
        _still_ours(source)
        _close_places(source, plan, by, now, counts)
        if counts["new"] or counts["found"]:
            found = match_again(company=source.company, now=now)
            follow_identified(found, was=None, by=by, now=now)
    return Outcome(plan, "held" if stopped else "done", dict(counts))


def _still_ours(source: PeopleSource) -> None:
    if not PeopleSource.objects.filter(pk=source.pk, attempt=source.attempt).update(attempt=F("attempt")):
        raise TakenOver


def _take_places(
    source: PeopleSource, plan: Plan, said: Snapshot, by: Viewer, now: datetime, counts: Counter[str]
) -> None:
    rows = {one.key: one for one in SaidPlace.objects.filter(source=source)}
    made: dict[str, Organization] = {
        one.key: one.place
        for one in SaidPlace.objects.filter(source=source, place__isnull=False).select_related("place")
        if one.place is not None
    }
    for line in plan.places:
        if line.deed == "gone":
            continue
        parent = made.get(line.parent_key) if line.parent_key else source.company
        row = rows.get(line.key) or SaidPlace(source=source, key=line.key, created_at=now, changed_at=now)
        if line.deed != "refused" and parent is not None:
            place = _place(line, parent, by, now)
            if place is not None:
                made[line.key] = place
                row.place = place
                if line.deed != "same":
                    counts[f"places_{line.deed}"] += 1
        was = (row.name, row.parent_key, row.gone_at, row.pk)
        row.name, row.parent_key, row.gone_at = line.name, line.parent_key, None
        if (row.name, row.parent_key, row.gone_at, row.pk) != was or line.deed != "same" or row.pk is None:
            row.changed_at = now
            row.save()


def _place(line: PlaceLine, parent: Organization, by: Viewer, now: datetime) -> Organization | None:
    try:
        with transaction.atomic():
            if line.place_id is None:
                return make_organization(kind=Kind.DEPARTMENT, name=line.name, parent=parent, by=by, now=now)
            place = Organization.objects.get(pk=line.place_id)
            if "open" in line.changes:
                place = reopen_organization(organization=place, by=by, now=now)
            if "parent" in line.changes:
                place = move_organization(organization=place, parent=parent, by=by, now=now)
            if "name" in line.changes:
                place = rename_organization(organization=place, name=line.name, by=by, now=now)
            return place
    except (NameTaken, WrongPlace, NotAllowed):
        return Organization.objects.filter(pk=line.place_id).first() if line.place_id else None


def _places_now(source: PeopleSource) -> dict[str, Organization]:
    rows = SaidPlace.objects.filter(source=source, place__isnull=False).select_related("place")
    return {one.key: one.place for one in rows if one.place is not None}


def _close_places(source: PeopleSource, plan: Plan, by: Viewer, now: datetime, counts: Counter[str]) -> None:
    """Departments that are gone are closed once nobody is there; until then they stay open."""
    gone = [one for one in plan.places if one.deed == "gone"]
    places = Organization.objects.in_bulk([one.place_id for one in gone if one.place_id])
    for line in sorted(gone, key=lambda one: -places[one.place_id or 0].path.count("/")):
        try:
            with transaction.atomic():
                close_organization(organization=places[line.place_id or 0], by=by, now=now)
        except (StillInUse, NotAllowed):
            continue
        SaidPlace.objects.filter(source=source, key=line.key, gone_at__isnull=True).update(gone_at=now)
        counts["places_gone"] += 1


def _take_people(
    source: PeopleSource,
    lines: Sequence[Line],
    places: Mapping[str, Organization],
    by: Viewer,
    now: datetime,
    counts: Counter[str],
) -> None:
    rows = {one.key: one for one in SaidPerson.objects.filter(source=source, key__in=[line.key for line in lines])}
    others = set(
        SaidPerson.objects.filter(
            source__company=source.company,
            belongs=True,
            person__in=[line.person_id for line in lines if line.person_id],
        )
        .exclude(source=source)
        .values_list("person_id", flat=True)
    )
    named = {}
    for line in lines:
        row = rows.get(line.key) or SaidPerson(source=source, key=line.key, created_at=now, changed_at=now)
        before = _values(row)
        if line.said is not None:
            _write_down(row, line)
        else:
            row.active = False
        row.trouble = line.why
        done = line.deed
        try:
            with transaction.atomic():
                _take_person(row, line, places, others, by, now)
        except REFUSALS as refusal:
            row.trouble, done = _trouble(refusal), "refused"
        counts[done] += 1
        if row.pk is None or _values(row) != before:
            row.changed_at = now
            row.save()
        if row.person_id is not None and line.deed in ("new", "found", "back"):
            named[line.key] = row
    _name(source, named, by, now)


def _values(row: SaidPerson) -> tuple[object, ...]:
    return (
        row.person_id, row.name, row.email, row.staff_number, row.work, row.place_key, row.manager_key,
        row.active, row.belongs, row.left_at, row.closed_login, row.trouble,
    )  # fmt: skip


def _write_down(row: SaidPerson, line: Line) -> None:
    said = line.said
    assert said is not None
    row.name, row.email, row.staff_number, row.work = said.name, said.email, said.staff_number, said.work
    row.place_key, row.manager_key, row.active = said.place_key, said.manager_key[:255], said.active


def _take_person(
    row: SaidPerson,
    line: Line,
    places: Mapping[str, Organization],
    others: set[int],
    by: Viewer,
    now: datetime,
) -> None:
    said, company = line.said, row.source.company
    place = places.get(said.place_key, company) if said else company
    match line.deed:
        case "new" if said is not None:
            row.person = enrol(
                name=said.name,
                organization=place,
                from_date=by.today,
                by=by,
                now=now,
                email=said.email,
                staff_number=said.staff_number,
                work=said.work,
            )
            row.belongs, row.left_at = True, None
        case "found" | "back" | "changed" | "same" if said is not None:
            person = Person.objects.get(pk=line.person_id or 0)
            row.person = person
            if {"name", "email", "staff_number"} & set(line.changes):
                describe_person(
                    person=person,
                    name=said.name if "name" in line.changes else person.name,
                    email=said.email if "email" in line.changes else person.email,
                    staff_number=said.staff_number if "staff_number" in line.changes else person.staff_number,
                    by=by,
                    now=now,
                    kind=person.kind,  # type: ignore[arg-type]
                )
            if line.deed == "back":
                join(person=person, organization=place, from_date=by.today, by=by, now=now, work=said.work)
                follow_moved(person=person, by=by, now=now)
            elif "place" in line.changes:
                _move(person, company, place, by, now)
            _open_login(person, row, by, now)
            row.belongs, row.left_at = True, None
        case "other_id":
            row.belongs = False
        case "leaves":
            row.belongs, row.left_at = False, now
            person = Person.objects.get(pk=line.person_id or 0)
            row.person = person
            if person.pk in others:
                return  # they belong through another source still
            _leave(person, company, by, now)
            row.closed_login, row.trouble = _close_login(person, by, now)


def _move(person: Person, company: Organization, place: Organization, by: Viewer, now: datetime) -> None:
    held = _spans(person, company, by.today)
    if not held or any(one.organization_id == place.pk for one in held):
        return
    move(membership=held[-1], organization=place, on_date=by.today, by=by, now=now)
    follow_moved(person=person, by=by, now=now)


def _leave(person: Person, company: Organization, by: Viewer, now: datetime) -> None:
    lasting = Membership.objects.filter(person=person, organization__path__startswith=company.path)
    ended = False
    for one in lasting.exclude(until_date__lte=by.today):
        # a membership holds a day at least: who came today is gone tomorrow
        leave(membership=one, until_date=max(by.today, one.from_date + timedelta(days=1)), by=by, now=now)
        ended = True
    if ended:
        follow_moved(person=person, by=by, now=now)


def _spans(person: Person, company: Organization, today: date) -> list[Membership]:
    """Where they belong in the company today, the one that counts last."""
    held = Membership.objects.filter(person=person, organization__path__startswith=company.path).on(today)
    return sorted(held, key=lambda one: (one.from_date, -one.pk))


def _close_login(person: Person, by: Viewer, now: datetime) -> tuple[bool, str]:
    """(closed by us, trouble). A login stays open where its person belongs to another company or holds a role above."""
    user = User.objects.filter(person=person, is_active=True).first()
    if user is None:
        return False, ""
    if Membership.objects.filter(person=person).on(by.today + timedelta(days=1)).exists():
        return False, "login_kept"
    try:
        close_login(user=user, by=by, now=now)
    except NotAllowed:
        return False, "login_kept"
    return True, ""


def _open_login(person: Person, row: SaidPerson, by: Viewer, now: datetime) -> None:
    """Opens the login that was closed because they left, by whichever id; one that a person closed stays closed."""
    closed = SaidPerson.objects.filter(person=person, source__company=row.source.company, closed_login=True)
    if not closed.exists():
        return
    user = User.objects.filter(person=person, is_active=False).first()
    if user is not None:
        open_login(person=person, username=user.username, by=by, now=now)
    closed.update(closed_login=False)
    row.closed_login = False


def _name(source: PeopleSource, named: Mapping[str, SaidPerson], by: Viewer, now: datetime) -> None:
    """The ids of the source become identities of their people: by `resolve`, and where it is not sure, as planned."""
    if not named:
        return
    hints: dict[str, Hints | None] = {
        key: Hints(name=row.name, email=row.email, staff_number=row.staff_number) for key, row in named.items()
    }
    found: dict[str, Identity] = resolve(source=source.label, people=hints, company=source.company, now=now)
    for key, row in named.items():
        identity = found[key]
        if identity.person_id is None:
            identify(identity=identity, person=row.person, by=by, now=now)


def _trouble(refusal: Exception) -> str:
    if isinstance(refusal, AlreadyKnown):
        return "taken"
    if isinstance(refusal, NotAllowed):
        return "not_allowed"
    return "place" if isinstance(refusal, PlaceClosed) else "dates"


@transaction.atomic
def write_run(
    *,
    source: PeopleSource,
    outcome: str,
    counts: Mapping[str, int],
    now: datetime,
    problem: Mapping[str, str] | None = None,
) -> PeopleRun:
    """Writes down what came of a run; in the audit log only where something changed or was stopped."""
    run = PeopleRun.objects.create(
        source=source, at=now, outcome=outcome, counts=dict(counts), problem=dict(problem) if problem else None
    )
    changed = {what: n for what, n in counts.items() if what not in ("same", "unknown_inactive") and n}
    if outcome != "failed" and changed:
        note(
            deed="people_source.held" if outcome == "held" else "people_source.taken",
            actor=source.name,
            organization=source.company,
            subject=source.name,
            details={"source": source.pk, **changed},
            now=now,
        )
    return run
