"""What the demo plants is what an evaluation of it finds: coaching helped, the leaflet did not."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from uptake.config.demo.build import DAYS, SEED
from uptake.config.demo.gamers import AGAIN, EVENINGS, SINCE_DAYS, gamers
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
from uptake.statistics.evaluate import evaluate
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
