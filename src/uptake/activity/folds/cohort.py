"""Who belongs to a set of criteria as of an instant: people, or companies where `count_by` says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from uptake.activity.asking import Asked
from uptake.activity.columns import Array
from uptake.activity.criteria import Segment, last_of, narrowed, read_segment
from uptake.activity.question import COMMON, By, QuestionRefused, Scalar, Selector, read_list, shown

NAME = "cohort"
SELECTOR = Selector()
KEYS = (COMMON | {"as_of", "criteria", "match", "known_people"}) - {
    "from", "to", "event_sel", "interval", "by", "limit", "compare", "filters", "sources",
}  # fmt: skip


@dataclass(frozen=True)
class Cohort:
    """Who belongs, by name and in order."""

    people: tuple[str, ...]
    """Names in a table's log, numbers of people (or of companies) in a server's."""
    counted: dict[str, Any]

    def to_arrow(self) -> pa.Table:
        """Column person."""
        return pa.table({"person": pa.array(list(self.people), pa.string())})


def answer(asked: Asked) -> Cohort:
    """The people (or companies) the criteria hold of."""
    segment, known = _read(asked)
    names = {str(one): asked.snapshot.person_codes([one]) for one in known} if segment.of == "person" else {}
    codes = [code for found in names.values() for code in found.tolist()]
    belonging = asked.belonging(segment, np.array(codes, np.int64))
    chosen = _wanted(asked, segment, belonging.codes).tolist()
    people = [str(code) for code in chosen] if segment.of == "company" else asked.snapshot.person_names(chosen)
    if belonging.strangers and asked.question.only_persons is None and asked.question.segment is None:
        people += [name for name, found in names.items() if not len(found)]
    return Cohort(
        people=tuple(sorted(set(people), key=_order)),
        counted={
            "actor": segment.of, "as_of": segment.as_of, "timezone": asked.question.timezone, "people": len(people),
        },
    )  # fmt: skip


def actors(asked: Asked, number: Mapping[str, Any]) -> Array:
    """The people of {}: all who belong."""
    if number:
        raise QuestionRefused(str(next(iter(number))), "nothing: a cohort is one number")
    segment, known = _read(asked)
    if segment.of != "person":
        raise QuestionRefused("count_by", '"person" where people are asked for')
    return _wanted(asked, segment, asked.belonging(segment, asked.snapshot.person_codes(known)).codes)


def _wanted(asked: Asked, segment: Segment, codes: Array) -> Array:
    """Without those the question leaves out by name or by its segment."""
    if segment.of == "company":
        return codes if asked.visible is None else codes[np.isin(codes, list(asked.visible))]
    narrow = narrowed(asked.only, codes)
    assert narrow is not None, "a cohort is a set"
    gone = asked.snapshot.person_codes(asked.question.not_persons)
    kept: Array = narrow[~np.isin(narrow, gone) & ~np.isin(narrow, list(asked.snapshot.machines))]
    return kept


def _read(asked: Asked) -> tuple[Segment, tuple[Scalar, ...]]:
    question, own = asked.question, asked.question.own
    if question.count_by not in (By(), By(place="company")):
        raise QuestionRefused("count_by", '"person" or "company"')
    given = {key: own[key] for key in ("criteria", "match", "as_of") if key in own}
    given["of"] = "company" if question.count_by.place else "person"
    zone = question.timezone
    known = read_list(own.get("known_people") or [], "known_people", "a list of people")
    for one in known:
        if not isinstance(one, str | int) or isinstance(one, bool):
            raise QuestionRefused("known_people", "a list of people", shown(one))
    segment = read_segment(given, "", zone=zone, as_of=lambda: last_of(asked.snapshot, zone))
    return segment, tuple(known)


def _order(name: str) -> tuple[int, int, str]:
    return (0, int(name), "") if name.isdecimal() else (1, 0, name)
