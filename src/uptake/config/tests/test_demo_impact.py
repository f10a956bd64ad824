"""What the demo plants is what an evaluation of it finds: coaching helped, the leaflet did not."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from uptake.config.demo.build import DAYS, SEED
from uptake.config.demo.circles import EAGER, LOOP, PLACE, thanked
from uptake.config.demo.gamers import AGAIN, APPROVED, EVENINGS, PADDED, SINCE_DAYS, gamers
from uptake.config.demo.park import (
    COACHED_COMPANIES,
    COACHED_DEPARTMENTS,
    COACHED_MORE,
    INFORMED_COMPANIES,
    INFORMED_DEPARTMENTS,
    began_on,
    day_of,
    make_park,
)
from uptake.config.demo.rules import MANY_LINES
from uptake.statistics.evaluate import evaluate
from uptake.statistics.gaming.detectors import bunches
from uptake.statistics.gaming.rings import LOOP_TIMES, rings
from uptake.statistics.panel import panel_of
from uptake.statistics.plan import Kind, Plan
from uptake.statistics.result import Result

TODAY = date(2026, 11, 23)
REST = frozenset(day for ago in range(-40, 160) if (day := TODAY - timedelta(days=ago)).weekday() > 4)


def told(companies: tuple[str, ...], departments: tuple[str, ...], smallest: float) -> Result:
    """The evaluation of what the plan of the park says these departments did."""
    park = make_park(seed=SEED, today=TODAY, days=DAYS, language="en", rest=REST)
    chosen = [one for one in park.people if one.company in companies and one.department in departments]
    people = [replace(one, pace=0.0) for one in chosen]  # whether they come is all that matters here
    park = replace(park, people=tuple(people))
    unit = {one.login: f"{one.company}-{one.department}" for one in people}
    heads: dict[str, int] = defaultdict(int)
    for one in people:
        heads[unit[one.login]] += 1
    rows: dict[str, list[object]] = defaultdict(list)
    for ago in range(DAYS, 1, -1):
        day = TODAY - timedelta(days=ago)
        if day in REST:
            continue
        seen: dict[str, set[str]] = defaultdict(set)
        for happenings in day_of(park, day).values():
            for happening in happenings:
                seen[unit[str(happening.person)]].add(str(happening.person))
        for name, count in heads.items():
            rows["unit"].append(name)
            rows["day"].append(np.datetime64(day))
            rows["numerator"].append(len(seen[name]))
            rows["denominator"].append(count)
    starts = {
        f"{company}-{department}": began_on(company, department, companies, departments, TODAY)
        for company in companies
        for department in departments
    }
    return evaluate(panel_of(rows, starts), Plan("active", Kind.RATE, smallest=smallest), draws=19)


@pytest.mark.once
def test_coaching_is_found_and_the_leaflet_is_not() -> None:
    coached = told(COACHED_COMPANIES, COACHED_DEPARTMENTS, 0.05)
    informed = told(INFORMED_COMPANIES, INFORMED_DEPARTMENTS, 0.08)

    assert (coached.verdict, coached.grade) == ("increase", "B")
    assert coached.estimate is not None
    assert 0.05 < coached.estimate.value <= COACHED_MORE + 0.03
    assert (informed.verdict, informed.grade) == ("no_meaningful_change", "B")


@pytest.mark.once
def test_those_planted_for_the_search_begin_within_one_window_and_do_what_it_looks_for() -> None:
    park = make_park(seed=SEED, today=TODAY, days=DAYS, language="en", rest=REST)
    chosen = gamers(park.people)
    park = replace(park, people=tuple(one for one in park.people if one.staff_number in chosen))
    late, again = ([who for who, where in chosen.items() if where == one] for one in (EVENINGS, AGAIN))
    told: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for ago in range(56, 0, -1):
        for happenings in day_of(park, TODAY - timedelta(days=ago)).values():
            for one in happenings:
                told[str(one.person).upper()].append((ago, one.object if one.at.hour < 14 else "late"))

    evenings = [ago for ago, thing in told[late[0]] if thing == "late"]
    told_of = told[again[0]]
    checks = [[thing for ago, thing in told_of if thing and (ago <= SINCE_DAYS) == now] for now in (False, True)]

    assert len(evenings) >= 20
    assert len(set(evenings)) >= 5
    assert max(evenings) <= SINCE_DAYS
    assert len(checks[1]) > 1.5 * len(checks[0])
    assert len(set(checks[1])) < len(set(checks[0]))


@pytest.mark.once
def test_one_buyer_and_nobody_else_has_orders_of_just_as_many_lines_as_pay_more() -> None:
    park = make_park(seed=SEED, today=TODAY, days=DAYS, language="en", rest=REST)
    who = {number for number, where in gamers(park.people).items() if where == PADDED}
    found = set()
    for company in {one.company for one in park.people if one.department == "purchasing"}:
        people = tuple(one for one in park.people if one.company == company and one.department == "purchasing")
        lines: dict[int, list[int]] = {at: [] for at in range(len(people))}
        numbers = {one.login: at for at, one in enumerate(people)}
        for ago in range(28, 0, -1):
            for one in day_of(replace(park, people=people), TODAY - timedelta(days=ago))[company]:
                if one.event == APPROVED:
                    lines[numbers[str(one.person)]].append(one.facts["lines"])
        amounts = {at: np.array(told, dtype=np.int64) for at, told in lines.items()}
        found |= {people[one.person].staff_number for one in bunches(amounts, MANY_LINES, 2, None)}

    assert len(who) == 1
    assert found == who


@pytest.mark.once
@pytest.mark.parametrize("later", [0, 11, 150])
def test_two_who_thank_each_other_stand_out_among_their_colleagues_whenever_the_demo_is_made(later: int) -> None:
    park = make_park(seed=SEED, today=TODAY + timedelta(days=later), days=DAYS, language="en", rest=REST)
    people = [one for one in park.people if one.company == PLACE and one.zeal > EAGER and one.silent_from is None]
    numbers = {one.staff_number: at for at, one in enumerate(people)}
    given = np.zeros((len(people), len(people)), dtype=np.int64)
    for one in thanked(park, people):
        given[numbers[one.giver], numbers[one.receiver]] += 1

    found = rings(given, [one.department for one in people])

    assert [len(ring.people) for ring in found] == [2]
    assert found[0].p < 0.03
    pair = set(found[0].people)
    often = {(int(a), int(b)) for a, b in np.argwhere(given >= LOOP_TIMES) if {int(a), int(b)} != pair}
    assert [people[a].department for a, _b in often] == [LOOP], "only the buyer thanks one and the same often beside"
