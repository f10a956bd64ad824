"""What a rulebook pays, from the intake of an event to the ledger, as case files run through the real doors.

At the end of every run it is also seen that the sums told to boards are the points that stand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from hypothesis import given, settings

from uptake.programme import cases
from uptake.programme.tests.model.play import played
from uptake.programme.tests.test_model import stories
from uptake.programme.throwaway import throwaway_database

pytestmark = pytest.mark.django_db
once = pytest.mark.once
"""A case runs on a SQLite database of its own, whatever the run's, but for those that are given the run's."""

UNTOLD = """
    SELECT person_id, date, SUM(points) FROM (
        SELECT person_id, date, points FROM programme_award
        UNION ALL SELECT person_id, date, points FROM rewards_specialgrant WHERE state = 'approved'
        UNION ALL SELECT person_id, date, -points FROM programme_meritchange
    ) AS told GROUP BY person_id, date HAVING SUM(points) <> 0
"""
"""By person and date: awards and special points that stand, less what boards were told of them."""


@contextmanager
def compared(database: AbstractContextManager[None]) -> Iterator[None]:
    """The database of one run, in which the sums told to boards are at the end the points that stand."""
    with database:
        yield
        with connection.cursor() as cursor:
            cursor.execute(UNTOLD)
            assert cursor.fetchall() == [], "boards were told other sums than stand"


@pytest.fixture(autouse=True, scope="module")
def _every_run_is_compared() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cases, "throwaway_database", lambda: compared(throwaway_database()))
        yield


DESIGN = Path(__file__).resolve().parents[5] / "shared" / "design" / "cases" / "points"
OWN = Path(__file__).parent / "cases"
ALL = ["shuffle", "duplicate", "batch"]
UNSHUFFLED = ["duplicate", "batch"]
"""For events more than a week apart: shuffled, the first would arrive late."""


def rule(name: str = "orders", **keys: Any) -> dict[str, Any]:
    return {"rule": name, "version": 1, "from": "2026-01-01", "on": "order.processed", "points": 10, **keys}


def event(key: str, at: str, person: str = "lin", **keys: Any) -> dict[str, Any]:
    when = at if "T" in at else f"2026-06-01T{at}:00Z"
    return {"event": "order.processed", "key": key, "person": person, "at": when, **keys}


def lines(number: Any) -> dict[str, Any]:
    return {"facts": {"lines": number}}


PER_LINE = {"per": "lines"}
POINTS_100 = [{"points": 100, "every": "day"}]
LIN = [{"id": "lin"}]


def case(
    rules: list[dict[str, Any]],
    inputs: list[dict[str, Any]],
    expected: dict[str, Any],
    *,
    people: list[dict[str, Any]] | None = None,
    programme: dict[str, Any] | None = None,
    also: list[str] | None = None,
) -> dict[str, Any]:
    return {
        "rulebook": {"programme": programme or {}, "rules": rules},
        "people": people or LIN,
        "inputs": inputs,
        "as_of": "2026-12-31T00:00:00Z",
        "expected": expected,
        "also": ALL if also is None else also,
    }


def condition(**keys: Any) -> list[dict[str, Any]]:
    """One order with these facts under one condition."""
    return [rule(when=[keys])]


CASES: dict[str, dict[str, Any]] = {
    "a day's points are clipped at the cap in canonical order": case(
        [rule(points=PER_LINE, cap=POINTS_100)],
        [event("a", "09:00", **lines(80)), event("b", "10:00", **lines(50)), event("c", "11:00", **lines(10))],
        {
            "awards": {"a": 80, "b": 20, "c": 0},
            "reasons": {"a": [], "b": ["cap_day"], "c": ["cap_day"]},
            "people": {"lin": {"available": 100, "debt": 0, "qualifying": 100}},
        },
    ),
    "an event that comes later but happened earlier takes the room of the cap": case(
        [rule(points=PER_LINE, cap=POINTS_100)],
        [
            event("b", "10:00", **lines(50)),
            event("c", "11:00", **lines(60)),
            event("a", "09:00", received_at="2026-06-03T09:00:00Z", **lines(80)),
        ],
        {
            "awards": {"a": 80, "b": 20, "c": 0},
            "entries": [["b", 50], ["c", 50], ["b", -30], ["c", -50], ["a", 80]],
        },
    ),
    "a cap by times counts paid awards only": case(
        [rule(points=PER_LINE, cap=[{"times": 1, "every": "day"}])],
        [event("a", "09:00", **lines(0)), event("b", "10:00", **lines(3)), event("c", "11:00", **lines(9))],
        {"awards": {"a": 0, "b": 3, "c": 0}, "reasons": {"a": ["not_positive"], "c": ["cap_day"]}},
    ),
    "all caps that fit hold at once and each that clips says so": case(
        [rule(points=PER_LINE, cap=[{"points": 30, "every": "day"}, {"points": 20, "every": "day"}])],
        [event("a", "09:00", **lines(40)), event("b", "10:00", **lines(1))],
        {"awards": {"a": 20, "b": 0}, "reasons": {"a": ["cap_day", "cap_day"], "b": ["cap_day"]}},
    ),
    "a cap for a role limits nobody else": case(
        [rule(cap=[{"times": 1, "every": "day", "role": "clerk"}])],
        [event("a", "09:00"), event("b", "10:00"), event("c", "09:00", "hua"), event("d", "10:00", "hua")],
        {"awards": {"a": 10, "b": 0, "c": 10, "d": 10}},
        people=[{"id": "lin", "role": "clerk"}, {"id": "hua", "role": "manager"}],
    ),
    "a cap with dates holds from its first date and no longer from its last": case(
        [rule(cap=[{"times": 0, "every": "day", "from": "2026-06-02", "until": "2026-06-03"}])],
        [
            event("a", "2026-06-01T23:59:59Z"),
            event("b", "2026-06-02T00:00:00Z"),
            event("c", "2026-06-02T23:59:59Z"),
            event("d", "2026-06-03T00:00:00Z"),
        ],
        {"awards": {"a": 10, "b": 0, "c": 0, "d": 10}},
    ),
    "the version in force on the event's date pays, and versions share the cap": case(
        [
            rule(points=60, cap=POINTS_100, until="2026-06-02"),
            rule(version=2, points=70, cap=POINTS_100, **{"from": "2026-06-01"}),
            rule(version=3, points=5, **{"from": "2026-06-02"}),
        ],
        [
            event("a", "2026-05-31T10:00:00Z"),
            event("b", "2026-06-01T10:00:00Z"),
            event("c", "2026-06-01T11:00:00Z"),
            event("d", "2026-06-02T10:00:00Z"),
        ],
        {"awards": {"a": 60, "b": 70, "c": 30, "d": 5}},
    ),
    "a version that has ended is not replaced by an earlier one": case(
        [rule(points=1), rule(version=2, points=2, **{"from": "2026-03-01", "until": "2026-05-01"})],
        [
            event("a", "2026-02-01T10:00:00Z"),
            event("b", "2026-04-01T10:00:00Z"),
            event("c", "2026-05-01T10:00:00Z"),
            event("d", "2025-12-31T10:00:00Z"),
        ],
        {"awards": {"a": 1, "b": 2, "c": 0, "d": 0}, "reasons": {"c": [], "d": []}},
        also=UNSHUFFLED,
    ),
    "every rule that names an event pays, each with its own cap": case(
        [rule(cap=[{"times": 1, "every": "day"}]), rule("again", points=3, on=["stock.moved", "order.processed"])],
        [event("a", "09:00"), event("b", "10:00")],
        {
            "awards": {"a": {"orders": 10, "again": 3}, "b": {"orders": 0, "again": 3}},
            "reasons": {"b": {"orders": ["cap_day"], "again": []}},
            "entries": [["a", 10], ["a", 3], ["b", 3]],
        },
    ),
    "the role and the department are those of the event's date": case(
        [rule(when=[{"person": "role", "value": "clerk"}, {"person": "department", "op": "ne", "value": "finance"}])],
        [event("a", "2026-05-31T10:00:00Z"), event("b", "2026-06-01T10:00:00Z"), event("c", "2026-07-01T10:00:00Z")],
        {"awards": {"a": 10, "b": 0, "c": 0}, "reasons": {"b": ["condition"], "c": ["condition"]}},
        also=UNSHUFFLED,
        people=[
            {
                "id": "lin",
                "memberships": [
                    {"until": "2026-06-01", "department": "purchasing", "role": "clerk"},
                    {"from": "2026-06-01", "until": "2026-07-01", "department": "finance", "role": "clerk"},
                    {"from": "2026-07-01", "role": "buyer"},
                ],
            }
        ],
    ),
    "who has no department satisfies only what a missing fact does": case(
        [
            rule("is", when=[{"person": "department", "value": "x"}]),
            rule("isnt", when=[{"person": "role", "op": "ne", "value": "x"}]),
        ],
        [event("a", "09:00")],
        {"awards": {"a": {"is": 0, "isnt": 10}}},
    ),
    "tenure is counted in days since joining": case(
        [rule(when=[{"person": "tenure_days", "op": "lt", "value": 30}])],
        [event("a", "2026-05-30T10:00:00Z"), event("b", "2026-05-31T10:00:00Z"), event("c", "09:00", "hua")],
        {"awards": {"a": 10, "b": 0, "c": 0}},
        people=[{"id": "lin", "joined": "2026-05-01"}, {"id": "hua"}],
    ),
    "a late event waits, and pays nothing when it is declined": case(
        [rule()],
        [
            event("a", "09:00", received_at="2026-06-08T23:59:59Z"),
            event("b", "09:00", received_at="2026-06-09T00:00:00Z"),
            event("c", "09:00", received_at="2026-06-09T00:00:00Z"),
            {"do": "decline", "key": "no", "at": "2026-06-10T00:00:00Z", "event": "b"},
            {"do": "accept", "key": "too late", "at": "2026-06-11T00:00:00Z", "event": "b"},
            {"do": "accept", "key": "nothing", "at": "2026-06-11T00:00:00Z", "event": "a"},
        ],
        {
            "awards": {"a": 10, "b": 0, "c": 0},
            "quarantined": {"c": "late"},
            "refusals": {"too late": "not_quarantined", "nothing": "not_quarantined"},
        },
        also=["duplicate"],
    ),
    "lateness is that of the rulebook": case(
        [rule()],
        [
            event("b", "09:00", received_at="2026-06-02T23:59:00Z"),
            event("a", "09:00", received_at="2026-06-03T00:00:00Z"),
        ],
        {"awards": {"a": 0, "b": 10}, "quarantined": {"a": "late"}, "reasons": {"a": []}},
        programme={"lateness_days": 1},
        also=["duplicate"],
    ),
    "an event ahead of its arrival by more than five minutes waits": case(
        [rule()],
        [
            event("a", "09:05", received_at="2026-06-01T09:00:00Z"),
            event("b", "2026-06-01T09:05:01Z", received_at="2026-06-01T09:00:00Z"),
            event("c", "2026-06-01T12:00:00Z", received_at="2026-06-01T09:00:00Z"),
            {"do": "accept", "key": "ok", "at": "2026-06-01T13:00:00Z", "event": "c"},
        ],
        {"awards": {"a": 10, "b": 0, "c": 10}, "quarantined": {"b": "future"}, "reasons": {"c": []}},
        also=["duplicate"],
    ),
    "late events share what room is left in the order of being accepted": case(
        [rule(points=PER_LINE, cap=POINTS_100)],
        [
            event("b", "10:00", **lines(70)),
            event("a", "09:00", received_at="2026-06-12T09:00:00Z", **lines(20)),
            event("c", "11:00", received_at="2026-06-12T09:00:00Z", **lines(20)),
            {"do": "accept", "key": "1", "at": "2026-06-12T10:00:00Z", "event": "c"},
            {"do": "accept", "key": "2", "at": "2026-06-12T11:00:00Z", "event": "a"},
        ],
        {
            "awards": {"a": 10, "b": 70, "c": 20},
            "reasons": {"a": ["late", "cap_day"], "c": ["late"]},
            "entries": [["b", 70], ["c", 20], ["a", 10]],
        },
        also=["duplicate"],
    ),
    "the same key with other content changes nothing and is shown": case(
        [rule(points=PER_LINE)],
        [event("a", "09:00", **lines(5)), event("a", "09:00", **lines(6)), event("a", "09:00", **lines(5))],
        {"awards": {"a": 5}, "conflicts": ["a"], "entries": [["a", 5]]},
        also=["batch"],
    ),
    "a revision takes the place of the one before, also on another date": case(
        [rule(points=PER_LINE, cap=POINTS_100)],
        [
            event("a", "09:00", **lines(80)),
            event("b", "10:00", **lines(50)),
            event("a", "2026-06-02T09:00:00Z", revision=2, **lines(30)),
        ],
        {
            "awards": {"a": 30, "b": 50},
            "people": {"lin": {"available": 80}},
            "entries": [["a", 80], ["b", 20], ["a", -80], ["b", 30], ["a", 30]],
        },
    ),
    "a lower revision that comes after a higher one changes nothing": case(
        [rule(points=PER_LINE)],
        [event("a", "09:00", revision=2, **lines(30)), event("a", "09:00", **lines(80))],
        {"awards": {"a": 30}, "entries": [["a", 30]]},
    ),
    "a late revision, once accepted, gets the room that its own first left": case(
        [rule(points=PER_LINE, cap=POINTS_100)],
        [
            event("a", "09:00", **lines(80)),
            event("b", "10:00", **lines(50)),
            event("a", "09:00", revision=2, received_at="2026-06-12T09:00:00Z", **lines(90)),
            {"do": "accept", "key": "ok", "at": "2026-06-12T10:00:00Z", "event": "a"},
        ],
        {"awards": {"a": 80, "b": 20}, "reasons": {"a": ["late", "cap_day"]}, "people": {"lin": {"available": 100}}},
        also=["duplicate"],
    ),
    "who is identified later earns for what happened before": case(
        [rule(cap=[{"times": 1, "every": "day"}])],
        [
            event("a", "09:00", "L-7"),
            event("b", "10:00", "lin"),
            event("c", "10:00", "nobody"),
            {"do": "map", "key": "m", "at": "2026-06-02T00:00:00Z", "identity": "L-7", "person": "lin"},
        ],
        {"awards": {"a": 10, "b": 0, "c": 0}, "unresolved": ["c"], "entries": [["b", 10], ["b", -10], ["a", 10]]},
        also=["duplicate", "batch"],
    ),
    "who is identified after the closing is treated as late": case(
        [rule(points=PER_LINE, cap=POINTS_100)],
        [
            event("a", "09:00", "L-7", **lines(50)),
            event("b", "10:00", "lin", **lines(70)),
            {"do": "map", "key": "m", "at": "2026-06-20T00:00:00Z", "identity": "L-7", "person": "lin"},
        ],
        {"awards": {"a": 30, "b": 70}, "reasons": {"a": ["late", "cap_day"], "b": []}},
        also=["duplicate", "batch"],
    ),
    "several identities of a person share the person's caps": case(
        [rule(cap=[{"times": 1, "every": "day"}])],
        [
            event("a", "09:00", "L-7"),
            event("b", "10:00", "lin"),
            event("c", "11:00", "lin@beiyuan.example", source="crm"),
        ],
        {"awards": {"a": 10, "b": 0, "c": 0}},
        people=[{"id": "lin", "identities": ["L-7", "lin@beiyuan.example"]}],
    ),
    "of two events at one instant the order is by source, then key": case(
        [rule(cap=[{"times": 1, "every": "day"}])],
        [event("b", "09:00", source="a"), event("a", "09:00", source="b"), event("c", "09:00", source="a")],
        {"awards": {"b": 10, "a": 0, "c": 0}},
    ),
    "a date starts at day_start in the rulebook's zone": case(
        [rule(cap=[{"times": 1, "every": "day"}])],
        [
            event("a", "2026-05-31T19:59:59Z"),
            event("b", "2026-05-31T20:00:00Z"),
            event("c", "2026-06-01T19:59:59Z"),
            event("d", "2026-06-01T20:00:00Z"),
        ],
        {"awards": {"a": 10, "b": 10, "c": 0, "d": 10}},
        programme={"timezone": "Asia/Shanghai", "day_start": "04:00"},
    ),
    "a day_start that the clock skips is the end of the gap": case(
        [rule(cap=[{"times": 1, "every": "day"}])],
        [event("a", "2026-03-29T00:59:59Z"), event("b", "2026-03-29T01:00:00Z"), event("c", "2026-03-29T05:00:00Z")],
        {"awards": {"a": 10, "b": 10, "c": 0}},
        programme={"timezone": "Europe/Amsterdam", "day_start": "02:30"},
    ),
    "a half point is rounded up, once, after min and max": case(
        [rule(points={"per": "lines", "each": 4, "points": 3, "min": 1, "max": 7.5})],
        [
            event("a", "09:00", **lines(2)),
            event("b", "09:10", **lines(0.66)),
            event("c", "09:20", **lines(3)),
            event("d", "09:30", **lines(1000)),
            event("e", "09:40", **lines(10.0)),
        ],
        {"awards": {"a": 2, "b": 1, "c": 2, "d": 8, "e": 8}},
    ),
    "decimals are exact": case(
        [rule(points={"per": "lines", "each": 0.1, "points": 0.05})],
        [event("a", "09:00", **lines(2.9)), event("b", "09:10", **lines(0.3)), event("c", "09:20", **lines(0.28))],
        {"awards": {"a": 1, "b": 0, "c": 0}, "reasons": {"b": ["zero"], "c": ["zero"]}},
    ),
    "only whole units count where the rule says so": case(
        [rule(points={"per": "lines", "each": 10, "points": 5, "whole_units": True})],
        [event("a", "09:00", **lines(29.9)), event("b", "09:10", **lines(30)), event("c", "09:20", **lines(9))],
        {"awards": {"a": 10, "b": 15, "c": 0}, "reasons": {"c": ["zero"]}},
    ),
    "what is no number above zero pays nothing and says why": case(
        [rule(points={"per": "lines", "min": 1})],
        [
            event("a", "09:00"),
            event("b", "09:10", **lines("5")),
            event("c", "09:20", **lines(True)),
            event("d", "09:30", **lines(0)),
            event("e", "09:40", **lines(-3)),
        ],
        {
            "awards": {"a": 0, "b": 0, "c": 0, "d": 0, "e": 0},
            "reasons": {
                "a": ["no_number"],
                "b": ["no_number"],
                "c": ["no_number"],
                "d": ["not_positive"],
                "e": ["not_positive"],
            },
            "entries": [],
        },
    ),
    "a rule of zero points pays zero": case(
        [rule(points=0)], [event("a", "09:00")], {"awards": {"a": 0}, "reasons": {"a": ["zero"]}}
    ),
    "history only pays nothing, however old, and takes no room": case(
        [rule(cap=[{"times": 1, "every": "day"}])],
        [
            event("a", "09:00", history_only=True, received_at="2026-06-30T00:00:00Z"),
            event("b", "2026-06-30T01:00:00Z"),
        ],
        {"awards": {"a": 0, "b": 10}, "reasons": {"a": ["history_only"]}, "quarantined": {}},
        also=UNSHUFFLED,
    ),
    "nobody's events pay nobody": case(
        [rule()], [{**event("a", "09:00"), "person": None}], {"awards": {"a": 0}, "unresolved": [], "entries": []}
    ),
    "a deed's key counts once, and with other content is refused": case(
        [rule()],
        [
            event("a", "09:00", received_at="2026-06-20T00:00:00Z"),
            event("b", "09:00", received_at="2026-06-20T00:00:00Z"),
            {"do": "accept", "key": "k", "at": "2026-06-21T00:00:00Z", "event": "a"},
            {"do": "accept", "key": "k", "at": "2026-06-22T00:00:00Z", "event": "a"},
        ],
        {"awards": {"a": 10, "b": 0}, "refusals": {}, "quarantined": {"b": "late"}},
        also=["duplicate"],
    ),
    "a deed's key with other content is refused": case(
        [rule()],
        [
            event("a", "09:00", received_at="2026-06-20T00:00:00Z"),
            event("b", "09:00", received_at="2026-06-20T00:00:00Z"),
            {"do": "accept", "key": "k", "at": "2026-06-21T00:00:00Z", "event": "a"},
            {"do": "accept", "key": "k", "at": "2026-06-22T00:00:00Z", "event": "b"},
        ],
        {"refusals": {"k": "conflict"}, "quarantined": {"b": "late"}},
        also=[],
    ),
}

# What each condition says about facts {"n": 5, "t": "5 bolts", "yes": true, "nil": null}.
CONDITIONS: list[tuple[dict[str, Any], bool]] = [
    ({"fact": "n", "value": 5}, True),
    ({"fact": "n", "value": 5.0}, True),
    ({"fact": "n", "value": "5"}, False),
    ({"fact": "n", "op": "ne", "value": "5"}, True),
    ({"fact": "n", "value": [1, 5]}, True),
    ({"fact": "n", "op": "ne", "value": [1, 5]}, False),
    ({"fact": "n", "op": "ne", "value": [1, 6]}, True),
    ({"fact": "n", "op": "gt", "value": 5}, False),
    ({"fact": "n", "op": "gte", "value": 5}, True),
    ({"fact": "n", "op": "lt", "value": 5.01}, True),
    ({"fact": "n", "op": "lte", "value": 4.99}, False),
    ({"fact": "n", "op": "contains", "value": "5"}, False),
    ({"fact": "n", "op": "not_contains", "value": "5"}, True),
    ({"fact": "t", "value": "5 bolts"}, True),
    ({"fact": "t", "value": ["nuts", "5 bolts"]}, True),
    ({"fact": "t", "op": "gt", "value": 1}, False),
    ({"fact": "t", "op": "lt", "value": 100}, False),
    ({"fact": "t", "op": "contains", "value": "bolt"}, True),
    ({"fact": "t", "op": "not_contains", "value": "bolt"}, False),
    ({"fact": "t", "op": "is_set"}, True),
    ({"fact": "t", "op": "is_not_set"}, False),
    ({"fact": "yes", "value": True}, True),
    ({"fact": "yes", "value": False}, False),
    ({"fact": "yes", "value": 1}, False),
    ({"fact": "yes", "op": "gte", "value": 1}, False),
    ({"fact": "yes", "op": "ne", "value": 1}, True),
    ({"fact": "none", "value": 5}, False),
    ({"fact": "none", "op": "ne", "value": 5}, True),
    ({"fact": "none", "op": "ne", "value": [5, "a"]}, True),
    ({"fact": "none", "op": "gt", "value": 5}, False),
    ({"fact": "none", "op": "lte", "value": 5}, False),
    ({"fact": "none", "op": "contains", "value": "5"}, False),
    ({"fact": "none", "op": "not_contains", "value": "5"}, True),
    ({"fact": "none", "op": "is_set"}, False),
    ({"fact": "none", "op": "is_not_set"}, True),
    ({"fact": "nil", "op": "is_set"}, False),
]
FACTS = {"n": 5, "t": "5 bolts", "yes": True, "nil": None}


@once
@pytest.mark.parametrize("title", CASES)
def test_case_holds(title: str) -> None:
    assert cases.run(CASES[title]) == []


OWN_FILES = sorted(OWN.glob("*.json"))
EVERY_SO_MANY = 5
"""So many files apart are those that also run on PostgreSQL, where emptying the tables takes longer than a case."""


def loaded(file: Path) -> dict[str, Any]:
    return cases.load(file.read_bytes())


@once
@pytest.mark.parametrize("file", OWN_FILES, ids=lambda file: file.stem)
def test_case_file_of_ours_holds(file: Path) -> None:
    """The transformations are the model's to try (test_model.py); here the product meets the same truths."""
    assert cases.run({**loaded(file), "also": []}) == []


@pytest.mark.skipif("config.getoption('--database') != 'postgresql'", reason="the others run on SQLite anyway")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("file", OWN_FILES[::EVERY_SO_MANY], ids=lambda file: file.stem)
def test_case_file_of_ours_holds_on_postgresql(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cases, "throwaway_database", lambda: compared(nullcontext()))

    assert cases.run({**loaded(file), "also": []}) == []


@once
def test_conditions_say_what_the_table_says() -> None:
    rules = [rule(f"rule {number}", when=[asked]) for number, (asked, _) in enumerate(CONDITIONS)]
    expected = {f"rule {number}": 10 if holds else 0 for number, (_, holds) in enumerate(CONDITIONS)}
    one = case(rules, [event("a", "09:00", facts=FACTS)], {"awards": {"a": expected}}, also=[])

    assert cases.run(one) == []


@once
def test_worked_cases_of_the_design_hold_however_they_are_told() -> None:
    files = sorted(DESIGN.glob("*.json"))
    if not files:
        pytest.skip("the design's worked cases are not beside this checkout (../shared/design)")

    assert {file.stem: found for file in files if (found := cases.run(loaded(file)))} == {}


@once
def test_case_that_differs_says_where_and_under_which_seed() -> None:
    wrong = case([rule()], [event("a", "09:00")], {"awards": {"a": 11}}, also=["duplicate"])

    assert cases.run(wrong) == [
        "awards.a: expected 11, found 10",
        "duplicate (seed 1): awards.a: expected 11, found 10",
        "duplicate (seed 2): awards.a: expected 11, found 10",
    ]


@once
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"rulebook": {"rules": [rule(strike={})]}}, "rules[0].strike"),
        ({"inputs": [{"do": "steal", "key": "r", "at": "2026-06-01T00:00:00Z"}]}, "steal"),
        ({"expected": {"bored": []}}, "bored"),
        ({"also": ["reversed"]}, "reversed"),
    ],
)
def test_case_that_asks_for_what_is_not_built_names_it(changed: dict[str, Any], said: str) -> None:
    (difference,) = cases.run({**case([rule()], [], {}, also=[]), **changed})

    assert said in difference


@once
def test_case_that_expects_a_refusal_holds_only_if_the_rulebook_is_wrong() -> None:
    refused = {"rulebook": {"rules": [rule(points=-1)]}, "expected": {"error": True}}
    fine = {"rulebook": {"rules": [rule()]}, "expected": {"error": True}}

    assert cases.run(refused) == []
    assert len(cases.run(fine)) == 1


@once
def test_case_reads_the_same_from_its_text() -> None:
    text = json.dumps(CASES["decimals are exact"])

    assert cases.run(cases.load(text)) == []


def through_the_doors(told: dict[str, Any]) -> dict[str, Any]:
    """The story with what the model says of it as what is expected."""
    world = played(told)
    keys = {key[0][1] for key in world.fold.awards}
    expected = {
        "awards": {key: {one.lineage: one.points for one in world.awards_of(key)} for key in keys},
        "reasons": {key: {one.lineage: list(one.codes) for one in world.awards_of(key)} for key in keys},
        "people": {one: world.figures(one) for one in world.people},
        **{part: world.answer(part, ()) for part in ("refusals", "entries", "redemptions", "board", "board_adjusted")},
    }
    return {**told, "expected": expected}


@once
@given(stories())
@settings(max_examples=5)
def test_random_story_goes_through_the_doors_as_the_model_says(told: dict[str, Any]) -> None:
    assert cases.run(through_the_doors(told)) == []


@once
@pytest.mark.parametrize("file", sorted(OWN.glob("inactivity_*.json")), ids=lambda file: file.stem)
def test_what_expires_by_inactivity_does_so_however_it_is_told(file: Path) -> None:
    """Here the order of arrival is the product's to bear: what expired meanwhile must be valid again."""
    assert cases.run(loaded(file)) == []
