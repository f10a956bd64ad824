"""A back-test of the rulebook in force says what the rulebook really paid: it is the same code."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from itertools import groupby
from random import Random
from typing import Any

import pytest
from django.db.models import Sum

from tests.cast import NOW, Cast
from uptake.events.happening import Happening
from uptake.events.record import record
from uptake.programme.backtest.back_test import Stopped, back_test
from uptake.programme.consider import consider_new_events
from uptake.programme.models import Award
from uptake.programme.rulebook_reading import parse_rulebook, read_rulebook
from uptake.programme.tests.world import RULES, Desk

pytestmark = pytest.mark.django_db(transaction=True)

ORDERS = {**RULES[0], "cap": [{"points": 30, "every": "day"}]}
COUNTS: dict[str, Any] = {
    "rule": "counts", "version": 1, "from": "2026-01-01", "on": "stock.counted", "points": 5,
    "cap": [{"times": 2, "every": "day"}],
}  # fmt: skip
BOOKS: dict[str, list[dict[str, Any]]] = {
    "days": [ORDERS, COUNTS],
    "person": [{**ORDERS, "when": [{"person": "department", "op": "ne", "value": "Purchasing"}]}, COUNTS],
    "months": [{**ORDERS, "cap": [{"points": 90, "every": "month"}]}, {**COUNTS, "cooldown_seconds": 5400}],
    "history": [{**ORDERS, "when": [{"history": "count", "within_days": 3, "op": "lt", "value": 4}]}, COUNTS],
    "ever": [{**ORDERS, "cap": [{"points": 200, "every": "ever"}]}, COUNTS],
}
BEGAN = NOW - timedelta(days=20)


def told(cast: Cast, rules: list[dict[str, Any]], seed: int, *, considered: bool = True) -> Desk:
    """Three weeks of work, some of it told late, considered at the end of each day on which something came."""
    desk, chance = Desk(cast, rules), Random(seed)
    waiting: list[tuple[datetime, Happening]] = []
    for number in range(90):
        at = BEGAN + timedelta(minutes=chance.randrange(20 * 1440))
        arrives = at + timedelta(days=chance.choice((0, 0, 0, 0, 1, 3)), minutes=1)
        person = chance.choice(("lin", "lin", "hua"))
        waiting.append(
            (
                arrives,
                Happening(
                    event=chance.choice(("order.processed", "order.processed", "stock.counted", "page.opened")),
                    key=f"e{number}",
                    at=at,
                    person=cast.identities[person].external_id,
                    facts={"lines": chance.randrange(0, 25)},
                ),
            )
        )
    came = sorted((one for one in waiting if one[0] <= NOW), key=lambda one: one[0])
    for _, day in groupby(came, key=lambda one: one[0].date()):
        for arrives, happening in day:
            record([happening], connection=desk.connection, now=arrives)
        if considered:
            consider_new_events(now=arrives)
    return desk


@pytest.mark.parametrize("name", BOOKS)
def test_what_is_in_force_is_replayed_as_it_was_paid(cast: Cast, name: str) -> None:
    desk = told(cast, BOOKS[name], seed=7)
    until = date(2026, 12, 31)

    report = back_test(organization=cast.beiyuan, rulebook=read_rulebook(desk.rulebook.file), until=until, days=365)

    paid = Counter(
        dict(Award.objects.values_list("person_id").annotate(Sum("points")).filter(points__sum__gt=0).order_by())
    )
    by_rule = dict(Award.objects.values_list("rule").annotate(Sum("points")).order_by())
    assert sum(paid.values()) > 100
    for person, before, after in report["each"]:
        assert before == after == paid[person]
    assert report["cost"]["after"] == sum(paid.values())
    assert {one["rule"]: one["after"]["points"] for one in report["rules"]} == by_rule
    assert sum(after for _, _, after in report["by_day"]) == sum(paid.values())
    assert report["change"]["same"] == len(paid)


def test_report_tells_who_gains_and_loses_and_what_caps_cut(cast: Cast) -> None:
    desk = told(cast, BOOKS["days"], seed=3, considered=False)
    draft = parse_rulebook({"rules": [{**ORDERS, "cap": [{"points": 3, "every": "day"}]}, {**COUNTS, "points": 50}]})

    report = back_test(organization=cast.beiyuan, rulebook=draft, until=date(2026, 12, 31), days=365)

    assert report["in_force"] == desk.rulebook.sha256
    rules = {one["rule"]: one for one in report["rules"]}
    assert rules["orders"]["stays"] == rules["counts"]["stays"] == "changed"
    assert rules["counts"]["after"]["points"] == 10 * rules["counts"]["before"]["points"]
    orders = rules["orders"]["after"]
    assert 2 * orders["days"] < orders["points"] <= 3 * orders["days"]
    assert 0 < orders["clipped"] <= orders["asked"]
    assert orders["edge_days"] <= orders["days"]
    assert report["caps"]["after"]["events"] > report["caps"]["before"]["events"]
    change = report["change"]
    assert sum(change["bins"]) == change["more"] + change["fewer"] + change["same"] > 0
    assert sum(one["after"] for one in report["departments"]) == report["cost"]["after"]
    assert sum(one["after"] for one in report["roles"]) == report["cost"]["after"]


def test_back_test_stops_when_it_is_called_off_and_changes_nothing(cast: Cast) -> None:
    desk = told(cast, BOOKS["days"], seed=3, considered=False)
    consider_new_events(now=NOW)
    awards = list(Award.objects.order_by("pk").values())
    asked: list[tuple[int, int]] = []

    def enough(done: int, total: int) -> bool:
        asked.append((done, total))
        return len(asked) < 2

    with pytest.raises(Stopped):
        back_test(
            organization=cast.beiyuan,
            rulebook=read_rulebook(desk.rulebook.file),
            until=date(2026, 12, 31),
            days=365,
            progress=enough,
        )

    assert asked[0][0] == 0
    assert asked[1][0] == asked[1][1] > 0
    assert list(Award.objects.order_by("pk").values()) == awards


def test_other_companies_are_not_replayed(cast: Cast) -> None:
    desk = told(cast, BOOKS["days"], seed=3, considered=False)

    report = back_test(
        organization=cast.qinghe, rulebook=read_rulebook(desk.rulebook.file), until=date(2026, 12, 31), days=365
    )

    assert (report["events"], report["cost"]["after"], report["each"]) == (0, 0, [])


def test_sample_is_the_same_for_the_same_seed(cast: Cast) -> None:
    desk = told(cast, BOOKS["days"], seed=3, considered=False)

    def sampled() -> dict[str, Any]:
        return back_test(
            organization=cast.beiyuan,
            rulebook=read_rulebook(desk.rulebook.file),
            until=date(2026, 12, 31),
            days=365,
            sample=1,
            seed=5,
        )

    assert sampled() == sampled()
    assert sampled()["sample"] == sampled()["people"] == 1
