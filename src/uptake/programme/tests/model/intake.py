"""What arrives: keys, revisions, quarantine, conflicts; which events stand and which are undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from uptake.programme.tests.model.dates import DAY
from uptake.programme.tests.model.reading import Rulebook

Canon = tuple[datetime, str, str]
"""(at, source, key)."""
Id = tuple[str, str, int]
"""(source, key, revision)."""


def instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


@dataclass(eq=False)
class Event:
    """One stored revision. `waits` says why it is in quarantine; `declined` that it stays there for ever."""

    name: str
    source: str
    key: str
    revision: int
    sent: str | None
    at: datetime
    date: date
    object: str
    facts: dict[str, Any]
    history_only: bool
    fingerprint: Any
    waits: str | None = None
    declined: bool = False
    accepted_late: bool = False
    mapped_at: datetime | None = None
    in_time: bool = True
    """Whether it was received while awards of its date could still change."""

    @property
    def id(self) -> Id:
        return (self.source, self.key, self.revision)

    @property
    def canon(self) -> Canon:
        return (self.at, self.source, self.key)


@dataclass
class Store:
    """All that came in, in order of arrival."""

    book: Rulebook
    people: dict[str, str]
    """Person of each id or identity as it is known now."""
    events: dict[Id, Event] = field(default_factory=dict)
    conflicts: set[str] = field(default_factory=set)

    def take(self, told: dict[str, Any], received_at: datetime) -> None:
        at = instant(told["at"])
        facts = {name: value for name, value in (told.get("facts") or {}).items() if value is not None}
        content = (
            told["event"], told.get("person"), at, told.get("object") or "", facts, bool(told.get("history_only"))
        )  # fmt: skip
        calendar = self.book.programme.calendar
        event = Event(
            name=told["event"],
            source=str(told.get("source", "")),
            key=told["key"],
            revision=int(told.get("revision", 1)),
            sent=told.get("person"),
            at=at,
            date=calendar.date_of(at),
            object=told.get("object") or "",
            facts=facts,
            history_only=bool(told.get("history_only")),
            fingerprint=_typed(content),
        )
        known = self.events.get(event.id)
        if known:
            if known.fingerprint != event.fingerprint:
                self.conflicts.add(event.key)
            return
        closes_at = calendar.start(event.date + (1 + self.book.programme.lateness_days) * DAY)
        event.in_time = received_at < closes_at
        if not event.history_only:
            if at > received_at + timedelta(minutes=5):
                event.waits = "future"
            elif not event.in_time:
                event.waits = "late"
        self.events[event.id] = event

    def decide(self, key: str, accept: bool) -> bool:
        """Accepts or declines the waiting event of this key; False if none waits."""
        waiting = [event for event in self.events.values() if event.key == key and event.waits and not event.declined]
        if not waiting:
            return False
        event = max(waiting, key=lambda one: one.revision)
        if accept:
            event.accepted_late = event.waits == "late"
            event.waits = None
        else:
            event.declined = True
        return True

    def map(self, identity: str, person: str, now: datetime) -> None:
        for event in self.events.values():
            if event.sent == identity and self.people.get(identity) != person:
                event.mapped_at = now
        self.people[identity] = person

    def person_of(self, event: Event) -> str | None:
        return self.people.get(event.sent) if event.sent is not None else None

    def active_dates(self) -> dict[str, list[date]]:
        """The dates on which each person did something, rising: of all revisions in time and out of quarantine."""
        found: dict[str, set[date]] = {}
        for event in self.events.values():
            person = self.person_of(event)
            if person and event.in_time and not event.waits:
                found.setdefault(person, set()).add(event.date)
        return {person: sorted(days) for person, days in found.items()}

    def standing(self) -> list[Event]:
        """The highest revision of each event that is out of quarantine, in canonical order."""
        highest: dict[tuple[str, str], Event] = {}
        for event in self.events.values():
            known = highest.get((event.source, event.key))
            if not event.waits and (known is None or known.revision < event.revision):
                highest[event.source, event.key] = event
        return sorted(highest.values(), key=lambda event: event.canon)


def parts(book: Rulebook, events: Sequence[Event]) -> dict[Id, Fraction]:
    """Which part of each of these events (in canonical order) is reversed by those of them that come later."""
    found = {event.id: Fraction(0) for event in events}
    for place in range(len(events) - 1, -1, -1):  # from the last one, so that whether R counts is known
        reversal = events[place]
        entries = [entry for entry in book.reversals if entry.event == reversal.name]
        if found[reversal.id] == 1 or not entries:
            continue
        for earlier in events[:place]:
            shares = [
                _share(reversal, entry.fraction)
                for entry in entries
                if earlier.name in entry.undoes
                and _value(reversal, entry.same) is not None
                and _value(reversal, entry.same) == _value(earlier, entry.same)
            ]
            found[earlier.id] = min(Fraction(1), found[earlier.id] + max(shares, default=Fraction(0)))
    return found


def number(value: Any) -> Fraction | None:
    """The exact number of a fact; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | Fraction):
        return None
    return Fraction(value)


def _share(reversal: Event, fact: str | None) -> Fraction:
    told = number(reversal.facts.get(fact)) if fact else None
    return Fraction(1) if told is None else min(Fraction(1), max(Fraction(0), told))


def _value(event: Event, same: str) -> Any:
    value = event.object or None if same == "object" else event.facts.get(same)
    return None if value is None else _typed(value)


def _typed(value: Any) -> Any:
    """The same so that a number equals neither a text nor a yes or no."""
    if isinstance(value, dict):
        return ("object", tuple(sorted((key, _typed(one)) for key, one in value.items())))
    if isinstance(value, list | tuple):
        return ("list", tuple(_typed(one) for one in value))
    exact = number(value)
    return (type(value).__name__, value) if exact is None else ("number", exact)
