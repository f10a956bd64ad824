"""What the model of the points programme says: our own case files, the design's, and what must always hold.

The model is the oracle of the product's fold, so here only the model is on trial. A case is also told otherwise
(shuffled, with copies, in batches); what differs names the transformation and the seed.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uptake.programme.tests.model.play import SEEDS, World, played, run
from uptake.programme.tests.model.reading import Cap

pytestmark = pytest.mark.once

OWN = Path(__file__).parent / "cases"
DESIGN = Path(__file__).resolve().parents[5] / "shared" / "design" / "cases" / "points"
UNTRANSFORMED_ONLY = {"entries"}


def load(file: Path) -> dict[str, Any]:
    case: dict[str, Any] = json.loads(file.read_text(), parse_float=Decimal)
    return case


def differences(case: dict[str, Any]) -> dict[str, Any]:
    """What the model says otherwise than the case, by transformation and seed."""
    found: dict[str, Any] = {}
    told: list[tuple[str | None, int]] = [(None, 0), *((name, seed) for name in case["also"] for seed in SEEDS)]
    for name, seed in told:
        said = run(case, name, seed)
        for part in {**case["expected"], **said}:
            wanted = case["expected"].get(part)
            if said.get(part) != wanted and not (name and part in UNTRANSFORMED_ONLY):
                found[f"{name or 'as told'} (seed {seed}) {part}"] = {"expected": wanted, "found": said.get(part)}
    return found


@pytest.mark.parametrize("file", sorted(OWN.glob("*.json")), ids=lambda file: file.stem)
def test_case_of_ours_holds(file: Path) -> None:
    assert differences(load(file)) == {}


@pytest.mark.parametrize("file", sorted(OWN.glob("*.json")), ids=lambda file: file.stem)
def test_case_of_ours_has_the_form(file: Path) -> None:
    case = load(file)

    assert case["id"] == file.stem
    assert case["title"].endswith(".")
    assert case["expected"], "a case pins something down"
    assert set(case["also"]) <= {"shuffle", "duplicate", "batch"}


def test_worked_cases_of_the_design_hold() -> None:
    files = sorted(DESIGN.glob("*.json"))
    if not files:
        pytest.skip("the design's worked cases are not beside this checkout (../shared/design)")

    assert {file.stem: found for file in files if (found := differences(load(file)))} == {}


# Always, whatever the rulebook and whatever happens.

BEGAN = datetime(2026, 6, 1, tzinfo=UTC)
HOURS = 24 * 6
"""All events lie within six days, so that none is late whatever the order of arrival."""
TOTALS = ("qualifying", "level", "debt", "available", "pending")
EVERY = st.sampled_from(["day", "week", "month", "ever"])
CAPS = st.one_of(
    st.fixed_dictionaries({"points": st.integers(0, 40), "every": EVERY}),
    st.fixed_dictionaries({"times": st.integers(0, 3), "every": EVERY}),
)
SOME_CAPS = st.lists(CAPS, max_size=2)
CONDITIONS: st.SearchStrategy[list[dict[str, Any]]] = st.lists(
    st.sampled_from(
        [
            {"fact": "lines", "op": "gt", "value": 3},
            {"history": "first", "within_days": 2},
            {"history": "count", "of": ["order", "move"], "op": "lt", "value": 4},
            {"history": "days_since", "op": "gte", "value": 1},
            {"history": "first", "same": "object"},
            {"person": "level", "op": "gte", "value": "silver"},
            {"person": "role", "value": "clerk"},
        ]
    ),
    max_size=1,
)
LEVELS = [{"name": "bronze", "at": 5}, {"name": "silver", "at": 20}, {"name": "gold", "at": 60}]
REVERSALS = [
    {"event": "cancel", "undoes": ["order", "move"], "fraction": "part"},
    {"event": "restore", "undoes": ["cancel"]},
]


@st.composite
def rulebooks(draw: st.DrawFn) -> dict[str, Any]:
    levels = draw(st.sampled_from([[], [], LEVELS]))

    def rule(name: str, on: Any, points: Any, **keys: Any) -> dict[str, Any]:
        return {
            "rule": name, "version": 1, "from": "2026-01-01", "on": on, "points": points, "cap": draw(SOME_CAPS),
            "when": [asked for asked in draw(CONDITIONS) if levels or asked.get("person") != "level"], **keys,
        }  # fmt: skip

    return {
        "programme": {
            "lateness_days": draw(st.sampled_from([7, 9])),
            "season_ends": ["2026-06-04"],
            "expires": draw(st.sampled_from(["never", {"inactive_days": 1}, {"inactive_days": 3}])),
            **draw(st.sampled_from([{}, {"stacking": {"at_most": 2}}, {"stacking": {"at_most": Decimal("2.6")}}])),
        },
        "rules": [
            rule(
                "orders", "order", {"per": "lines", "each": 2, "points": 3},
                cooldown_seconds=draw(st.sampled_from([0, 7200])),
                expires=draw(st.sampled_from([{"days": 4}, {"inactive_days": 2}])),
            ),
            rule("stock", ["move", "order"], 7, available_after_days=draw(st.integers(0, 2))),
            rule(
                "streak", ["order", "move"], 5,
                streak={"every": "day", "length": 2, "freezes_per_month": draw(st.integers(0, 1))},
            ),
        ],
        "groups": [{"group": "g", "rules": ["stock", "streak"], "cap": draw(SOME_CAPS)}],
        "person_cap": draw(SOME_CAPS),
        "multipliers": [
            {"multiplier": "some", "factor": Decimal("1.5"), "on": "move"},
            {"multiplier": "others", "factor": Decimal("1.7"), "when": [{"fact": "lines", "op": "lt", "value": 9}]},
        ][: draw(st.integers(0, 2))],
        "reversals": REVERSALS,
        "levels": levels,
    }  # fmt: skip


def without_levels(rulebook: dict[str, Any]) -> dict[str, Any]:
    rules = [
        {**rule, "when": [asked for asked in rule["when"] if asked.get("person") != "level"]}
        for rule in rulebook["rules"]
    ]
    return {**rulebook, "rules": rules, "levels": []}


def events(number: int) -> st.SearchStrategy[list[dict[str, Any]]]:
    one = st.builds(
        lambda name, hour, person, thing, lines, part: {
            "event": name,
            "person": person,
            "at": (BEGAN + timedelta(hours=hour)).isoformat(),
            "object": thing,
            "facts": {"lines": lines, **({"part": Decimal(part)} if part else {})},
        },
        st.sampled_from(["order", "order", "move", "cancel", "restore"]),
        st.integers(0, HOURS),
        st.sampled_from(["lin", "hua"]),
        st.sampled_from(["A", "B", "C"]),
        st.integers(-1, 25),
        st.sampled_from([None, "0.5", "0.3"]),
    )
    return st.lists(one, max_size=number).map(
        lambda told: [{**event, "key": f"e{place}"} for place, event in enumerate(told)]
    )


DEEDS = st.lists(
    st.tuples(
        st.integers(0, 24 * 30),
        st.sampled_from(["redeem", "redeem", "fulfil", "reject", "refund", "special_grant"]),
        st.integers(1, 30),
    ),
    max_size=6,
)


@st.composite
def stories(draw: st.DrawFn) -> dict[str, Any]:
    """Events and deeds of one person and another over a month, some too late."""
    inputs: list[tuple[float, dict[str, Any]]] = []
    for event in draw(events(8)):
        at = datetime.fromisoformat(event["at"])
        arrives = at + timedelta(hours=draw(st.sampled_from([0, 0, 0, 30, 24 * 9])))
        inputs.append((arrives.timestamp(), {**event, "received_at": arrives.isoformat()}))
        if draw(st.booleans()):
            accepted = arrives + timedelta(hours=1)
            deed = {"do": "accept", "key": f"accept {event['key']}", "event": event["key"], "at": accepted.isoformat()}
            inputs.append((accepted.timestamp(), deed))
    for place, (hour, do, points) in enumerate(draw(DEEDS)):
        at = BEGAN + timedelta(hours=hour)
        deed = {"do": do, "key": f"d{place}", "at": at.isoformat()}
        if do == "redeem":
            deed |= {"person": "lin", "price": points}
        elif do == "special_grant":
            deed |= {"person": "lin", "by": "a", "approved_by": "b", "points": points, "budget": "b", "reason": "why"}
        else:
            deed |= {"redemption": f"d{points % 6}"}
        inputs.append((at.timestamp(), deed))
    return case_of(draw(rulebooks()), [told for _at, told in sorted(inputs, key=lambda entry: entry[0])])


def case_of(rulebook: dict[str, Any], inputs: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "rulebook": rulebook,
        "people": [{"id": "lin", "role": "clerk"}, {"id": "hua"}],
        "budgets": {"b": 40},
        "board": {"from": "2026-06-01", "until": "2026-06-08"},
        "inputs": inputs,
        "as_of": "2026-06-07T12:00:00Z",
        "expected": {},
        "also": [],
    }


def outcome(world: World) -> dict[str, Any]:
    """What may not depend on the order of arrival: awards with their codes, totals, levels and the board."""
    return {
        "awards": {key: (award.points, award.codes) for key, award in world.fold.awards.items()},
        "people": {person: {part: world.figures(person)[part] for part in TOTALS} for person in world.people},
        "board": world.board_now(),
    }  # fmt: skip


@given(rulebook=rulebooks(), told=events(10), seed=st.integers(0, 9))
@settings(max_examples=20)
@pytest.mark.parametrize("name", ["shuffle", "duplicate", "batch"])
def test_arrival_does_not_matter_inside_the_lateness(
    name: str, rulebook: dict[str, Any], told: list[dict[str, Any]], seed: int
) -> None:
    for rule in rulebook["rules"]:
        rule["expires"] = "never"  # which lot a take-back empties follows ledger time, and so does what expires
    case = case_of(rulebook, sorted(told, key=lambda event: event["at"]))

    assert outcome(played(case, name, seed)) == outcome(played(case))


@given(
    days=st.integers(1, 4),
    after=st.integers(0, 2),
    told=events(10),
    seed=st.integers(0, 9),
    late=st.booleans(),
)
@settings(max_examples=30)
@pytest.mark.parametrize("name", ["shuffle", "duplicate", "batch"])
def test_what_expires_by_inactivity_does_not_depend_on_arrival(
    name: str, days: int, after: int, told: list[dict[str, Any]], seed: int, late: bool
) -> None:
    """Where nothing is taken back, to the lot: only that empties lots by ledger time."""
    paid = {"rule": "orders", "version": 1, "from": "2026-01-01", "on": "order", "points": 5}
    rulebook = {"rules": [{**paid, "available_after_days": after, "expires": {"inactive_days": days}}]}
    told = sorted(told, key=lambda event: event["at"])
    if late:  # all of it comes to be known at the end
        told = [{**event, "received_at": (BEGAN + timedelta(hours=HOURS)).isoformat()} for event in told]
    case = {**case_of(rulebook, told), "board": None}

    def found(world: World) -> Any:
        return [(world.figures(one), world.ledger.expiring(one)) for one in ("lin", "hua")]

    assert found(played(case, name, seed)) == found(played(case))


@given(case=stories())
@settings(max_examples=20)
def test_books_balance_after_every_step(case: dict[str, Any]) -> None:
    def watch(world: World) -> None:
        for person in world.people:
            has = world.figures(person)
            lots = world.ledger.of(person)
            nothing_moved = sum(lot.absorbed for lot in lots)
            assert all(has[part] >= 0 for part in ("available", "pending", "held", "debt", "expired", "redeemed"))
            assert not (has["debt"] and has["available"]), "debt and available never stand together"
            assert has["qualifying"] + nothing_moved == (
                has["available"] + has["pending"] + has["held"] + has["redeemed"] + has["expired"] - has["debt"]
            )
        assert sum(change for _key, change in world.entries) == sum(award.points for award in world.posted.values())
        assert 0 <= world.budgets["b"] == 40 - sum(grant.points for grant in world.grants)
        scored = [(one.event.date, one.points) for one in world.posted.values()]
        scored += [(grant.date, grant.points) for grant in world.grants]
        assert sum(score for _rank, _person, score in world.board_now()) == sum(
            points for day, points in scored if date(2026, 6, 1) <= day < date(2026, 6, 8)
        )

    played(case, watch=watch)


@given(case=stories())
@settings(max_examples=20)
def test_no_cap_is_ever_exceeded(case: dict[str, Any]) -> None:
    def watch(world: World) -> None:
        book = world.book
        capped: list[tuple[tuple[str, ...], Cap]] = [((rule.lineage,), cap) for rule in book.rules for cap in rule.cap]
        capped += [(group.rules, cap) for group in book.groups for cap in group.cap]
        capped += [(book.lineages, cap) for cap in book.person_cap]
        for lineages, cap in capped:
            found: dict[Any, list[int]] = {}
            for award in world.posted.values():
                if award.lineage in lineages and award.points:
                    period = book.programme.calendar.period(award.event.date, cap.every)
                    found.setdefault((award.person, period), []).append(award.points)
            for points in found.values():
                assert cap.points is None or sum(points) <= cap.points
                assert cap.times is None or len(points) <= cap.times

    played({**case, "inputs": [one for one in case["inputs"] if one.get("event") != "restore"]}, watch=watch)


@given(rulebook=rulebooks(), told=events(10))
@settings(max_examples=20)
def test_level_falls_at_a_season_end_only_and_by_one(rulebook: dict[str, Any], told: list[dict[str, Any]]) -> None:
    levels: list[tuple[datetime, dict[str, int]]] = []
    case = case_of({**rulebook, "levels": LEVELS}, sorted(told, key=lambda event: event["at"]))
    season_end = datetime(2026, 6, 4, tzinfo=UTC)

    played(case, watch=lambda world: levels.append((world.clock, dict(world.fold.levels))))

    for (before, then), (after, now) in pairwise(levels):
        for person, level in now.items():
            assert level >= then[person] - (before < season_end <= after)


@given(rulebook=rulebooks(), told=events(8))
@settings(max_examples=20)
def test_what_is_added_and_undone_never_happened(rulebook: dict[str, Any], told: list[dict[str, Any]]) -> None:
    rulebook = without_levels(rulebook)  # a level remembers
    at = (BEGAN + timedelta(hours=30)).isoformat()
    added = {"event": "order", "key": "added", "person": "lin", "at": at, "object": "Z", "facts": {"lines": 9}}
    undone = {**added, "event": "cancel", "key": "undone", "at": (BEGAN + timedelta(hours=31)).isoformat()}
    told = sorted(told, key=lambda event: event["at"])

    without = outcome(played(case_of(rulebook, told)))
    between = outcome(played(case_of(rulebook, sorted([*told, added, undone], key=lambda event: event["at"]))))

    between["awards"] = {key: award for key, award in between["awards"].items() if key[0][1] not in ("added", "undone")}
    for part in ("awards", "board"):
        assert between[part] == without[part]
    for person in ("lin", "hua"):
        assert between["people"][person]["qualifying"] == without["people"][person]["qualifying"]


@given(rulebook=rulebooks(), told=events(8))
@settings(max_examples=15)
def test_swapped_ids_swap_the_ranks(rulebook: dict[str, Any], told: list[dict[str, Any]]) -> None:
    for rule in rulebook["rules"]:
        rule["when"] = [asked for asked in rule["when"] if "person" not in asked]
    other = {"lin": "hua", "hua": "lin"}
    told = sorted(told, key=lambda event: event["at"])
    swapped = [{**event, "person": other[event["person"]]} for event in told]

    scores = {person: (rank, score) for rank, person, score in played(case_of(rulebook, told)).board_now()}
    mirrored = {person: (rank, score) for rank, person, score in played(case_of(rulebook, swapped)).board_now()}

    assert mirrored == {other[person]: score for person, score in scores.items()}


@given(rulebook=rulebooks(), told=events(8), times=st.integers(2, 9))
@settings(max_examples=15)
def test_points_told_in_smaller_units_are_as_many_times_as_many(
    rulebook: dict[str, Any], told: list[dict[str, Any]], times: int
) -> None:
    """Where nothing is rounded: parts, halves, ceilings within a factor and uneven amounts are left out."""
    rulebook = without_levels(rulebook)
    if "stacking" in rulebook["programme"]:
        rulebook["programme"] = {**rulebook["programme"], "stacking": {"at_most": 2}}
    rulebook["rules"][0]["points"] = {"per": "lines", "points": 3}
    rulebook["multipliers"] = [{**one, "factor": 2} for one in rulebook["multipliers"]]
    told = [{**event, "facts": {"lines": event["facts"]["lines"]}} for event in told]
    told = sorted(told, key=lambda event: event["at"])

    def in_smaller_units(found: Any) -> Any:
        if isinstance(found, list):
            return [in_smaller_units(one) for one in found]
        if isinstance(found, dict):
            return {
                key: one * times if key == "points" and isinstance(one, int) else in_smaller_units(one)
                for key, one in found.items()
            }
        return found

    plain = outcome(played(case_of(rulebook, told)))
    scaled = outcome(played(case_of(in_smaller_units(rulebook), told)))

    assert scaled["awards"] == {key: (points * times, codes) for key, (points, codes) in plain["awards"].items()}
    assert scaled["board"] == [type(line)((line[0], line[1], line[2] * times)) for line in plain["board"]]
    for person, figures in plain["people"].items():
        for part in ("qualifying", "debt", "available", "pending"):
            assert scaled["people"][person][part] == figures[part] * times


def test_case_that_is_wrong_differs() -> None:
    case = load(OWN / "cap_01_clip.json")
    case["expected"]["awards"]["a"] = 79

    assert len(differences(case)) == 1 + len(SEEDS) * len(case["also"])
