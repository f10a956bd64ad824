"""Seats and what became of them: who was given access, who ever used it, who does now.

A seat is one user's in one company (and module, where seats name one). In a period it counts if it is valid on any of
its days; it is activated by a core event up to the period's end, active by one in the period. Use without a seat is
listed apart and raises no rate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from uptake.activity.asking import Asked, Span
from uptake.activity.columns import Array
from uptake.activity.histories import Histories, each_history
from uptake.activity.periods import local_date
from uptake.activity.presence import LONG_AGO, Intervals, people_of, visits
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

NAME = "adoption"
SELECTOR = Selector()
KEYS = (COMMON | {"seats"}) - {"interval", "count_by", "by", "limit"}
COUNTS = ("seats", "activated", "active", "dormant", "never")
STATES = COUNTS[1:]
SEAT_KEYS = ("company", "user", "module", "product", "valid_from", "valid_to")


@dataclass(frozen=True, order=True)
class Seat:
    """One user's right to use one thing, from a date to a date (both inclusive; None: open)."""

    company: str
    user: str
    module: str
    valid_from: date | None = None
    valid_to: date | None = None

    def valid_in(self, first: date, last: date) -> bool:
        return (self.valid_from is None or self.valid_from <= last) and (
            self.valid_to is None or self.valid_to >= first
        )


@dataclass(frozen=True)
class Adoption:
    """Seats, activated, active, dormant and never of each company and of all of them together."""

    companies: dict[str, dict[str, Any]]
    park: dict[str, Any]
    """Also activation_rate and active_rate: shares of the seats, None without any."""
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

    ever: frozenset[tuple[str, str]]
    lately: frozenset[tuple[str, str]]


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
    """The seats of the period, each once though it was given anew."""
    valid = {(s.company, s.user, s.module) for s in seats if s.valid_in(span.first, span.last)}
    return [Seat(*one) for one in sorted(valid)]


def _states(seat: Seat, use: Use) -> frozenset[str]:
    keys = {(seat.company, seat.user), ("", seat.user)}
    if not keys & use.ever:
        return frozenset({"never"})
    return frozenset({"activated", "active" if keys & use.lately else "dormant"})


def _told(asked: Asked, seats: tuple[Seat, ...], span: Span) -> dict[str, Any]:
    use, valid = _use(asked, span), _in_force(seats, span)
    companies = {seat.company: dict.fromkeys(COUNTS, 0) for seat in valid}
    park = dict.fromkeys(COUNTS, 0)
    for seat in valid:
        for table in (companies[seat.company], park):
            table["seats"] += 1
            for state in _states(seat, use):
                table[state] += 1
    seated = {(seat.company, seat.user) for seat in valid}
    seated_anywhere = {seat.user for seat in valid}
    without = {
        (company, user) for company, user in use.lately
        if (company, user) not in seated and (company or user not in seated_anywhere)
    }  # fmt: skip
    return {
        "companies": {company: {**table, **_rates(table)} for company, table in companies.items()},
        "park": {**park, **_rates(park)},
        "used_without_seat": tuple(sorted(without)),
    }


def _rates(table: Mapping[str, int]) -> dict[str, float | None]:
    seats = table["seats"]
    names = {"activation_rate": "activated", "active_rate": "active"}
    return {rate: round(table[state] / seats, 4) if seats else None for rate, state in names.items()}


def _use(asked: Asked, span: Span) -> Use:
    """Who did a core event where, before the period and in it."""
    edges = np.array([LONG_AGO, span.low, span.high], np.int64)
    spans = Intervals(edges, np.array([0, 1], np.int64), 2, ("", ""), (span.low, span.high))

    def of(history: Histories) -> list[tuple[str, str, bool]]:
        starts, ends, actor = people_of(history)
        ranks = np.arange(max(1, len(history.labels)), dtype=np.int32)
        who, which, events = visits(history, starts, ends, 0, spans, ranks)
        names = asked.snapshot.person_names(actor[who].tolist())
        places = [history.labels[one] for one in which.tolist()]
        return list(zip(places, names, (events[:, 1] > 0).tolist(), strict=True))

    parts = each_history(asked, [asked.question.selector], of, breakdown=By(place="company"))
    used = [one for part in parts for one in part]
    return Use(
        frozenset((company, user) for company, user, _ in used),
        frozenset((company, user) for company, user, lately in used if lately),
    )
