"""Finds or makes the identities a source names, and says which person each one is, where that is beyond doubt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models.functions import Lower

from uptake.directory.audit import note
from uptake.directory.models import Identity, Kind, Membership, Organization, Person
from uptake.directory.place import IDS_PER_QUERY, settings_at
from uptake.directory.update_each import update_each
from uptake.directory.viewer import Deed, NotAllowed, Viewer

MACHINE = re.compile(
    r"^(system|robot|bot|batch|cron|scheduler|daemon|service|svc|api|autopilot|interface|rpa|系统|机器人|接口|自动)"
    r"([\s._\-:@/0-9]|$)|[\s._\-](bot|robot|svc|service|daemon)$|(机器人|接口|系统账号)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Hints:
    """What a source says about one of its people, beside the id."""

    name: str = ""
    email: str = ""
    staff_number: str = ""
    since: date | None = None
    """The first business date known of them: a membership made now starts there."""


class AlreadySomebody(Exception):
    """The identity has a person; it must be freed before another is given."""


def looks_like_machine(*words: str) -> bool:
    """Whether an id or a name looks like that of a program (svc-erp, batch 7, 系统)."""
    return any(MACHINE.search(word.strip()) for word in words)


@transaction.atomic
def resolve(
    *,
    source: str,
    people: Mapping[str, Hints | None],
    company: Organization,
    now: datetime,
    make_people: bool = False,
) -> dict[str, Identity]:
    """The identity of each external id, made if missing, with its person where one is beyond doubt.

    `company` is the company the source speaks of, or the park where its connection belongs to the park and names
    none. Matching is by e-mail (any case), then by staff number, among the people of that company (a park: e-mail of
    anybody in the park, staff numbers of its own staff), and only where exactly one person fits. With `make_people` a
    person and a membership are made where nobody fits; who fits twice stays unresolved for a person to decide.
    A person once given is never changed here. Safe to repeat.
    """
    external_ids = sorted(people)
    found = _found(source, external_ids)
    missing = [key for key in external_ids if key not in found]
    if missing:
        hints = {key: people[key] or Hints() for key in missing}
        Identity.objects.bulk_create(
            [
                Identity(
                    source=source,
                    external_id=key,
                    company=company,
                    name=hints[key].name[:200],
                    email=hints[key].email.strip()[:254],
                    staff_number=hints[key].staff_number.strip()[:64],
                    first_seen_at=now,
                    looks_like_machine=looks_like_machine(key, hints[key].name),
                )
                for key in missing
            ],
            ignore_conflicts=True,
            batch_size=500,
        )
        found |= _found(source, missing)
    fresh = set(missing)
    open_ones = [
        found[key]
        for key in external_ids
        if found[key].person_id is None and (key in fresh or _news(found[key], people[key], make_people))
    ]
    if open_ones:
        found |= {one.external_id: one for one in _settle(open_ones, people, company, now, make_people)}
    return found


def matches(*, people: Mapping[str, Hints], company: Organization, now: datetime) -> dict[str, tuple[int | None, bool]]:
    """(person id, doubt) of each key, as `resolve` would match it; doubt: more than one person fits. Only reads."""
    asked = {
        key: Identity(external_id=key, email=one.email.strip()[:254], staff_number=one.staff_number.strip()[:64])
        for key, one in people.items()
    }
    neighbours = _Neighbours(company, list(asked.values()), settings_at(company).date_of(now))
    found = {}
    for key, one in asked.items():
        person_id, _how, doubt = neighbours.match(one)
        found[key] = (person_id, doubt)
    return found


def known_before(identities: Iterable[Identity], *, now: datetime) -> list[Identity]:
    """Of what `resolve` gave: those seen earlier that found their person only now; readers must be told of these."""
    return [one for one in identities if one.resolved_at == now and one.first_seen_at < now]


@transaction.atomic
def name_own_people(*, source: str, people: Iterable[int], company: Organization, now: datetime) -> None:
    """Gives each person the identity `person/<id>` at a source of our own, which knows people by their number."""
    names = {f"person/{key}": key for key in people}
    held = _found(source, sorted(names))
    there = set(
        Person.objects.filter(pk__in=[key for name, key in names.items() if name not in held]).values_list("pk")
    )
    Identity.objects.bulk_create(
        [
            Identity(
                source=source,
                external_id=name,
                company=company,
                person_id=key,
                first_seen_at=now,
                resolved_at=now,
                resolved_how="own",
            )
            for name, key in sorted(names.items())
            if (key,) in there
        ],
        ignore_conflicts=True,
        batch_size=500,
    )


@transaction.atomic
def match_again(*, company: Organization, now: datetime) -> list[Identity]:
    """Tries all unresolved identities of a company (or the park's own) again, after people came in.

    Gives those that found their person; the caller tells the readers of events about them.
    """
    open_ones = list(
        Identity.objects.unresolved().filter(company=company).select_for_update(of=("self",)).order_by("pk")
    )
    return [one for one in _settle(open_ones, {}, company, now, make_people=False) if one.person_id is not None]


@transaction.atomic
def map_identity(*, identity: Identity, person: Person | None, by: Viewer, now: datetime) -> Identity:
    """Gives an identity its person by hand (None: takes it back). Repeating it changes nothing.

    The identity's company and the person must both lie where the viewer may manage people or data. Raises NotAllowed,
    or AlreadySomebody for an identity that has another person. The caller writes the Correction for readers.
    """
    identity = Identity.objects.select_for_update(of=("self",)).select_related("company").get(pk=identity.pk)
    if identity.person_id == (person.pk if person else None):
        return identity
    if not may_map(by, identity) or (person is not None and not Person.objects.visible_to(by).filter(pk=person.pk)):
        raise NotAllowed
    if person is not None and identity.person_id is not None:
        raise AlreadySomebody
    was = identity.person_id
    identity.person = person
    identity.resolved_at = now if person else None
    identity.resolved_how = "hand" if person else ""
    identity.save(update_fields=["person", "resolved_at", "resolved_how"])
    note(
        deed="identity.mapped" if person else "identity.freed",
        actor=by,
        organization=identity.company,
        subject=str(identity),
        details={"identity": identity.pk, "person": person.pk if person else None, "person_was": was},
        now=now,
    )
    return identity


def may_map(viewer: Viewer, identity: Identity) -> bool:
    """Whether the viewer may say who an identity is."""
    if identity.company is None:
        return viewer.sees_everything(Deed.MANAGE_DATA)
    return viewer.may(Deed.MANAGE_DATA, identity.company) or viewer.may(Deed.MANAGE_PEOPLE, identity.company)


def _found(source: str, external_ids: Sequence[str]) -> dict[str, Identity]:
    found: dict[str, Identity] = {}
    for start in range(0, len(external_ids), IDS_PER_QUERY):
        chunk = external_ids[start : start + IDS_PER_QUERY]
        found |= {one.external_id: one for one in Identity.objects.filter(source=source, external_id__in=chunk)}
    return found


def _news(identity: Identity, hints: Hints | None, make_people: bool) -> bool:
    """Whether an identity known before, but not its person, is worth another try."""
    if make_people:
        return True
    return hints is not None and bool(
        (hints.email.strip() and hints.email.strip() != identity.email)
        or (hints.staff_number.strip() and hints.staff_number.strip() != identity.staff_number)
    )


def _settle(
    open_ones: Sequence[Identity],
    people: Mapping[str, Hints | None],
    company: Organization,
    now: datetime,
    make_people: bool,
) -> list[Identity]:
    """Matches the identities, makes people where asked, and saves; gives them all, still open or not."""
    if make_people:
        # Two imports at once must not both make the person they share (no_key: writers of foreign keys do not wait).
        Organization.objects.select_for_update(no_key=True).get(pk=company.pk)
    locked: list[Identity] = []
    keys = sorted(one.pk for one in open_ones)
    for start in range(0, len(keys), IDS_PER_QUERY):
        rows = Identity.objects.filter(pk__in=keys[start : start + IDS_PER_QUERY]).order_by("pk")
        locked.extend(rows.select_for_update(of=("self",)))
    waiting = [one for one in locked if one.person_id is None]
    for one in waiting:
        hints = people.get(one.external_id) or Hints()
        one.name = hints.name[:200] or one.name
        one.email = hints.email.strip()[:254] or one.email
        one.staff_number = hints.staff_number.strip()[:64] or one.staff_number
        one.looks_like_machine = looks_like_machine(one.external_id, one.name)
    people_here = _Neighbours(company, waiting, settings_at(company).date_of(now))
    for one in waiting:
        person_id, how, doubt = people_here.match(one)
        if person_id is None and make_people and not doubt:
            hints = people.get(one.external_id) or Hints()
            person_id, how = people_here.make(one, hints.since, now), "import"
        if person_id is not None:
            one.person_id, one.resolved_how, one.resolved_at = person_id, how, now
    update_each(
        waiting, ["name", "email", "staff_number", "looks_like_machine", "person", "resolved_how", "resolved_at"]
    )
    return locked


class _Neighbours:
    """The people of a company that some identities may turn out to be."""

    def __init__(self, company: Organization, identities: Sequence[Identity], today: date) -> None:
        self.company = company
        self.today = today
        self.by_email = self._read(
            "email_lower", {one.email.lower() for one in identities if one.email}, whole_park=True
        )
        self.by_number = self._read(
            "person__staff_number", {one.staff_number for one in identities if one.staff_number}, whole_park=False
        )

    def _read(self, column: str, values: set[str], *, whole_park: bool) -> dict[str, dict[int, bool]]:
        """value → {person id: belongs here today}."""
        found: dict[str, dict[int, bool]] = {}
        wanted = sorted(values)
        here = Membership.objects.annotate(email_lower=Lower("person__email"))
        if self.company.kind == Kind.PARK and not whole_park:
            here = here.filter(organization=self.company)
        else:
            here = here.filter(organization__path__startswith=self.company.path)
        for start in range(0, len(wanted), IDS_PER_QUERY):
            rows = here.filter(**{f"{column}__in": wanted[start : start + IDS_PER_QUERY]})
            for value, person_id, begin, end in rows.values_list(column, "person_id", "from_date", "until_date"):
                current = begin <= self.today and (end is None or self.today < end)
                held = found.setdefault(value, {})
                held[person_id] = held.get(person_id, False) or current
        return found

    def match(self, identity: Identity) -> tuple[int | None, str, bool]:
        """(person id, how, doubt): the one person both e-mail and staff number allow; doubt where they do not agree."""
        fits = []
        for how, candidates in (
            ("email", self.by_email.get(identity.email.lower(), {}) if identity.email else {}),
            ("staff_number", self.by_number.get(identity.staff_number, {}) if identity.staff_number else {}),
        ):
            if candidates:
                current = [key for key, is_current in candidates.items() if is_current]
                fits.append((how, set(current or candidates)))
        if not fits:
            return None, "", False
        agreed = set.intersection(*(keys for _, keys in fits))
        if len(agreed) == 1:
            return agreed.pop(), fits[0][0], False
        return None, "", True

    def make(self, identity: Identity, since: date | None, now: datetime) -> int:
        """A new person of the company; later identities of the same e-mail or staff number find it."""
        begin = min(since or self.today, self.today)
        person = Person.objects.create(
            name=identity.name or identity.external_id[:200],
            email=identity.email if "@" in identity.email else "",
            staff_number=identity.staff_number,
            created_at=now,
        )
        Membership.objects.create(person=person, organization=self.company, from_date=begin)
        if identity.email:
            self.by_email.setdefault(identity.email.lower(), {})[person.pk] = True
        if identity.staff_number:
            self.by_number.setdefault(identity.staff_number, {})[person.pk] = True
        return person.pk
