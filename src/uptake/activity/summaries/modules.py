"""How many people of each place did something of each group of events in a period, and anything at all."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from uptake.activity.asking import Asked
from uptake.activity.columns import Array
from uptake.activity.compile import compiled
from uptake.activity.conditions import Numbers, Sieve
from uptake.activity.log import ActivityLog, Snapshot, asked, each_bucket
from uptake.activity.periods import day_number
from uptake.activity.question import COMMON, Selector, read_question


@dataclass(frozen=True)
class Modules:
    """Distinct people by place and group."""

    groups: tuple[str, ...]
    places: tuple[int, ...]
    people: tuple[tuple[int, ...], ...]
    """By place and group."""
    active: tuple[int, ...]
    """By place: people with any activity."""

    def to_arrow(self) -> pa.Table:
        """One row per place; a column per group."""
        columns = {name: [row[index] for row in self.people] for index, name in enumerate(self.groups)}
        return pa.table({"place": list(self.places), "active": list(self.active), **columns})


def modules(
    log: ActivityLog,
    *,
    first: date,
    last: date,
    groups: Mapping[str, str],
    companies: Collection[int],
    within: int | None = None,
    sources: Collection[str] | None = None,
    narrowed: Mapping[str, Any] | None = None,
) -> Modules:
    """By business date, of these companies, or with `within` of these departments of that company. `groups` maps the
    name of an event to its group; other events count as activity only. Somebody may be counted at two places.

    `narrowed`: keys of a question (filters, segment, only_persons) that every row counted has to meet; a segment is as
    of `last`. Raises QuestionRefused."""
    titles = tuple(sorted(set(groups.values())))
    listed = sorted(set(companies))

    def fold_all(snapshot: Snapshot) -> tuple[Array, ...]:
        where = {title: number for number, title in enumerate(titles)}
        # One more than there are texts: the code of no text is -1.
        texts = snapshot.texts("event").to_pylist()
        group_of = np.array([*(where.get(groups.get(str(one), ""), -1) for one in texts), -1], np.int64)
        ids = Numbers(listed)
        column = "company" if within is None else "department"
        inside = listed if within is None else [within]
        sieve = Sieve(snapshot, companies=inside, sources=sources)
        if narrowed:
            own = {
                "analysis": "modules",
                "to": last.isoformat(),
                "scope": inside,
                "sources": None if sources is None else list(sources),
            }
            question = {key: value for key, value in {**narrowed, **own}.items() if value is not None}
            sieve = Asked(snapshot, read_question(question, keys=COMMON, selector=Selector())).sieve

        def of(bucket: int) -> Array:
            columns = snapshot.columns(bucket, ["person", "business_day", "event", column])
            return fold(
                columns["person"], columns["business_day"], ids.places(columns[column]), columns["event"], group_of,
                sieve.mask(bucket), day_number(first), day_number(last), len(listed), len(titles),
            )  # fmt: skip

        return (np.sum(each_bucket(snapshot, of), axis=0),)

    def tell(snapshot: Snapshot, sums: tuple[Array, ...]) -> Modules:
        counts = sums[0].reshape(len(listed), len(titles) + 1).tolist()
        return Modules(
            titles, tuple(listed), tuple(tuple(row[:-1]) for row in counts), tuple(row[-1] for row in counts)
        )

    if narrowed:  # who is in a segment is not told by sums over people
        return log.reading(lambda snapshot: tell(snapshot, fold_all(snapshot)))
    key = asked("modules", first, last, sorted(groups.items()), listed, within, sources)
    return log.summing(fold_all, tell, key)


@compiled
def fold(
    person: Array, day: Array, place: Array, code: Array, group_of: Array, keep: Array, first: int, last: int,
    places: int, groups: int,
) -> Array:  # fmt: skip
    """(places × (groups + 1),) distinct identified people, the last of each place: of anything. Sorted by person."""
    width = groups + 1
    found = np.zeros(places * width, np.int64)
    seen = np.zeros(places * width, np.int32)
    for i in range(len(person)):
        if not keep[i] or place[i] < 0 or day[i] < first or day[i] > last or person[i] <= 0:
            continue
        own = np.int64(place[i]) * width
        group = group_of[code[i]]
        if group >= 0 and seen[own + group] != person[i]:
            seen[own + group] = person[i]
            found[own + group] += 1
        if seen[own + groups] != person[i]:
            seen[own + groups] = person[i]
            found[own + groups] += 1
    return found
