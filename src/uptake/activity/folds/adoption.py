"""Seats and what became of them: who was given access, who ever used it, who does now.

A seat is one user's in one company (and module, where seats name one). In a period it counts if it is valid on any of
its days; it is activated by a core event up to the period's end, active by one in the period. Use without a seat is
listed apart and raises no rate.

With `judged_after_days`, seats too young to say anything at the period's end are left out of the rate of those that
came to life in time, and named beside; the median of the days it took counts those still waiting as waiting (`waits`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from uptake.activity.asking import Asked, Span
from uptake.activity.columns import Array
from uptake.activity.histories import Histories, each_history
from uptake.activity.owners import spread
from uptake.activity.periods import local_date
from uptake.activity.presence import bit_of
from uptake.activity.question import (
    COMMON,
    By,
    Question,
    QuestionRefused,
    Selector,
    read_list,
    read_moment,
    read_object,
    read_one_of,
    shown,
)
from uptake.activity.waits import days_to, median_wait, too_young

NAME = "adoption"
SELECTOR = Selector()
KEYS = (COMMON | {"seats", "judged_after_days"}) - {"interval", "count_by", "by", "limit"}
COUNTS = ("seats", "activated", "active", "dormant", "never")
STATES = COUNTS[1:]
JUDGED = ("too_young", "judged", "activated_in_time")
"""Counted where the question says after how many days a seat is judged. A seat without a first date is never judged."""
MOST_DAYS = 3650
SEAT_KEYS = ("company", "user", "module", "product", "valid_from", "valid_to")


@dataclass(frozen=True, order=True)
class Seat:
    """One user's right to use one thing, from a date to a date (both inclusive; None: open)."""

    company: str
    user: str
    module: str
    valid_from: date | None = None
    valid_to: date | None = None

    @property
    def places(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """Where use of it may stand: in its company, or in none."""
        return (self.company, self.user), ("", self.user)

    def valid_in(self, first: date, last: date) -> bool:
        return (self.valid_from is None or self.valid_from <= last) and (
            self.valid_to is None or self.valid_to >= first
        )


@dataclass(frozen=True)
class Adoption:
    """Seats, activated, active, dormant and never of each company and of all of them together."""

    companies: dict[str, dict[str, Any]]
    park: dict[str, Any]
    """Also activation_rate and active_rate: shares of the seats, None without any. With `judged_after_days` also
    too_young, judged, activated_in_time, in_time_rate (of the judged) and median_days_to_activate."""
    used_without_seat: tuple[tuple[str, str], ...]
    """(company, user) with a core event in the period and no seat in it."""
    counted: dict[str, Any]
    compare: dict[str, Any] | None = None

    def to_arrow(self) -> pa.Table:
        """Columns company, seats, activated, active, dormant, never."""
        columns: dict[str, list[Any]] = {"company": list(self.companies)}
        columns |= {name: [one[name] for one in self.companies.values()] for name in COUNTS}
        return pa.table(columns)


@dataclass(frozen=True)
class Use:
    """Who used what, as (company, user): up to the end of the period, and in it. Company "" stands for unassigned."""

    first: Mapping[tuple[str, str], int]
    """The instant of their first core event."""
    lately: frozenset[tuple[str, str]]

    def first_of(self, seat: Seat) -> int | None:
        """When the seat's holder first used it in its company, or where none is known."""
        found = [self.first[key] for key in seat.places if key in self.first]
        return min(found, default=None)


def answer(asked: Asked) -> Adoption:
    """The seats of the period and what became of them."""
    seats = read(asked.question)
    span = asked.span()
    if span is None:
        today = local_date(0, asked.question.timezone)
        span = Span(today, today, 0, 0)
    told = _told(asked, seats, span)
    compare = None
    then = asked.compared(span)
    if then is not None:
        compare = {"from": then.first.isoformat(), "to": then.last.isoformat(), **_told(asked, seats, then)}
    return Adoption(**told, counted=asked.counted(span), compare=compare)


def actors(asked: Asked, number: Mapping[str, Any]) -> Array:
    """The people of {"company": name (left out: all), "state": activated, active, dormant or never}."""
    for key in number:
        if key not in ("company", "state"):
            raise QuestionRefused(str(key), "one of company, state", "an unknown key")
    state = read_one_of(number.get("state"), ("seats", *STATES), "state")
    company = number.get("company")
    seats, span = read(asked.question), asked.span()
    if span is None:
        return np.zeros(0, np.int32)
    use = _use(asked, span)
    users = {
        seat.user
        for seat in _in_force(seats, span)
        if company in (None, seat.company) and (state == "seats" or state in _states(seat, use))
    }
    return np.unique(asked.snapshot.person_codes(sorted(users)))


def read(question: Question) -> tuple[Seat, ...]:
    """The seats; QuestionRefused names the one that is wrong."""
    expected = "a list of seats: company, user, valid_from, valid_to"
    several = read_list(question.own.get("seats"), "seats", expected)
    return tuple(_seat(read_object(one, f"seats[{place}]"), f"seats[{place}]") for place, one in enumerate(several))


def _seat(given: Mapping[str, Any], key: str) -> Seat:
    for inner in given:
        if inner not in SEAT_KEYS:
            raise QuestionRefused(f"{key}.{inner}", "one of " + ", ".join(SEAT_KEYS), "an unknown key")

    def text(name: str) -> str:
        value = given.get(name)
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise QuestionRefused(f"{key}.{name}", "a name or a number", shown(value))
        return str(value)

    def day(name: str) -> date | None:
        value = given.get(name)
        return None if value is None else read_moment(value, "UTC", f"{key}.{name}").day

    module = next((text(name) for name in ("module", "product") if given.get(name) is not None), "")
    seat = Seat(text("company"), text("user"), module, day("valid_from"), day("valid_to"))
    if seat.valid_from is not None and seat.valid_to is not None and seat.valid_from > seat.valid_to:
        raise QuestionRefused(f"{key}.valid_to", f"a date not before {seat.valid_from}", shown(given.get("valid_to")))
    return seat


def _in_force(seats: tuple[Seat, ...], span: Span) -> list[Seat]:
    """The seats of the period, each once though it was given anew, from when it was first given."""
    issued: dict[tuple[str, str, str], date | None] = {}
    for seat in seats:
        if seat.valid_in(span.first, span.last):
            key = (seat.company, seat.user, seat.module)
            known = issued.get(key, seat.valid_from)
            issued[key] = min(known, seat.valid_from) if known and seat.valid_from else None
    return [Seat(*key, valid_from=issued[key]) for key in sorted(issued)]


def _states(seat: Seat, use: Use) -> frozenset[str]:
    if use.first_of(seat) is None:
        return frozenset({"never"})
    return frozenset({"activated", "active" if use.lately.intersection(seat.places) else "dormant"})


def _told(asked: Asked, seats: tuple[Seat, ...], span: Span) -> dict[str, Any]:
    use, valid = _use(asked, span), _in_force(seats, span)
    after = _judged_after(asked.question)
    of_company: dict[str, list[Seat]] = {seat.company: [] for seat in valid}
    for seat in valid:
        of_company[seat.company].append(seat)

    def table(several: Sequence[Seat]) -> dict[str, Any]:
        counts = dict.fromkeys(COUNTS, 0)
        for seat in several:
            counts["seats"] += 1
            for state in _states(seat, use):
                counts[state] += 1
        judged = {} if after is None else _judged(several, use, span.last, after, asked.question.timezone)
        return {**counts, **_rates(counts), **judged}

    seated = {(seat.company, seat.user) for seat in valid}
    seated_anywhere = {seat.user for seat in valid}
    without = {
        (company, user) for company, user in use.lately
        if (company, user) not in seated and (company or user not in seated_anywhere)
    }  # fmt: skip
    return {
        "companies": {company: table(several) for company, several in of_company.items()},
        "park": table(valid),
        "used_without_seat": tuple(sorted(without)),
    }


def _judged_after(question: Question) -> int | None:
    given = question.own.get("judged_after_days")
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given <= MOST_DAYS:
        raise QuestionRefused("judged_after_days", f"a number of days from 0 to {MOST_DAYS}", shown(given))
    return given


def _judged(seats: Sequence[Seat], use: Use, on: date, after: int, zone: str) -> dict[str, Any]:
    """What came to life in time among the seats old enough to say so, and half of them within how many days."""
    counts = dict.fromkeys(JUDGED, 0)
    waits: list[tuple[int, bool]] = []
    for seat in seats:
        if seat.valid_from is None:
            continue
        first = use.first_of(seat)
        took = None if first is None else days_to(seat.valid_from, local_date(first, zone))
        waits.append(((on - seat.valid_from).days, False) if took is None else (took, True))
        if too_young(seat.valid_from, on, after):
            counts["too_young"] += 1
            continue
        counts["judged"] += 1
        counts["activated_in_time"] += took is not None and took <= after
    rate = round(counts["activated_in_time"] / counts["judged"], 4) if counts["judged"] else None
    return {**counts, "in_time_rate": rate, "median_days_to_activate": median_wait(waits)}


def _rates(table: Mapping[str, int]) -> dict[str, float | None]:
    seats = table["seats"]
    names = {"activation_rate": "activated", "active_rate": "active"}
    return {rate: round(table[state] / seats, 4) if seats else None for rate, state in names.items()}


def _use(asked: Asked, span: Span) -> Use:
    """Who did a core event where, first and in the period."""

    def of(history: Histories) -> list[tuple[tuple[str, str], int, bool]]:
        matching = (history.bits[history.codes] & bit_of(0)) != 0
        numbers = np.arange(1, len(history.actor) + 1, dtype=np.int32)
        slots = spread(history.starts, history.ends, numbers, len(history.at))  # 0: what lies between, nobody's
        people = np.insert(history.actor > 0, 0, False)
        rows = np.flatnonzero(matching & (history.at < span.high))
        rows = rows[people[slots[rows]]]
        width = max(1, len(history.labels))
        group = history.group[rows].astype(np.int64) if len(history.labels) else np.zeros(len(rows), np.int64)
        keys, first, slot = np.unique(slots[rows] * width + group, return_index=True, return_inverse=True)
        lately = np.bincount(slot, weights=history.at[rows] >= span.low, minlength=len(keys)) > 0
        names = asked.snapshot.person_names(history.actor[keys // width - 1].tolist())
        places = [history.labels[one] for one in (keys % width).tolist()]
        earliest = history.at[rows][first].tolist()
        return list(zip(zip(places, names, strict=True), earliest, lately.tolist(), strict=True))

    first: dict[tuple[str, str], int] = {}
    lately: set[tuple[str, str]] = set()
    for part in each_history(asked, [asked.question.selector], of, breakdown=By(place="company")):
        for key, at, now in part:
            first[key] = min(at, first.get(key, at))
            if now:
                lately.add(key)
    return Use(first, frozenset(lately))
