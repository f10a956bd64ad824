"""A back-test of many events is shared among processes: its report is the same, and one that dies is told of."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Generator, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection

from tests.cast import NOW, Cast
from uptake.basics.canonical import canonical_json
from uptake.programme.backtest import crew, read
from uptake.programme.backtest.back_test import back_test
from uptake.programme.backtest.crew import WorkerLost, judged_by_crew
from uptake.programme.backtest.judging import Asked, Judged
from uptake.programme.backtest.read import Scope
from uptake.programme.backtest.tally import Tally
from uptake.programme.backtest.tests.test_as_paid import BOOKS, ORDERS, told
from uptake.programme.evaluate import Outcome
from uptake.programme.rulebook_reading import parse_rulebook
from uptake.programme.standing import JudgedEvent

UNTIL = date(2026, 12, 31)


@pytest.mark.django_db(transaction=True)
def test_report_is_the_same_however_many_processes_make_it(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    told(cast, BOOKS["history"], seed=3, considered=False)
    draft = parse_rulebook({"rules": [{**ORDERS, "when": [{"person": "department", "value": "Purchasing"}]}]})
    shared: list[int] = []
    heard: list[tuple[int, int]] = []

    def noted(asked: Asked, portions: Sequence[Sequence[int]], workers: int) -> Generator[Judged, None, None]:
        shared.append(workers)
        return judged_by_crew(asked, portions, workers)

    def report() -> dict[str, Any]:
        return back_test(
            organization=cast.beiyuan,
            rulebook=draft,
            until=UNTIL,
            days=365,
            progress=lambda done, total: not heard.append((done, total)),  # type: ignore[func-returns-value]
        )

    alone, heard_alone = report(), list(heard)
    heard.clear()
    monkeypatch.setattr(crew, "judged_by_crew", noted)
    monkeypatch.setattr(crew, "WORTH", 0)
    monkeypatch.setattr(read, "AT_ONCE", 1)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2})
    together = report()

    assert shared == [2]
    assert alone["cost"]["after"] > 0
    assert canonical_json(together) == canonical_json(alone)
    assert heard[0] == heard_alone[0]
    assert heard[-1] == heard_alone[-1]
    assert len(heard) == 3
    assert multiprocessing.active_children() == []


@pytest.mark.once
@pytest.mark.django_db
@pytest.mark.parametrize("dies", [True, False])
def test_process_that_dies_ends_the_back_test_and_none_outlives_it(cast: Cast, *, dies: bool) -> None:
    rulebook = parse_rulebook({"rules": [ORDERS]})
    scope = Scope((cast.beiyuan.pk,), None, UNTIL, frozenset({"order.processed"}))
    asked = Asked(scope, (rulebook,), NOW.date(), UNTIL)

    with closing(judged_by_crew(asked, [[cast.lin.pk]] * 1000, 1)) as portions:
        assert next(portions).events == 0
        if dies:
            (process,) = multiprocessing.active_children()
            process.kill()
            with pytest.raises(WorkerLost, match="ended before its time"):
                list(portions)

    assert multiprocessing.active_children() == []


@pytest.mark.django_db
def test_what_others_cannot_see_and_what_is_little_is_not_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2})
    assert connection.in_atomic_block
    assert crew.workers_for(1_000_000, 50) == 1
    monkeypatch.setattr(crew, "connection", SimpleNamespace(in_atomic_block=False, vendor="postgresql"))
    assert [crew.workers_for(*told) for told in ((1_000_000, 50), (1_000_000, 1), (1000, 2))] == [2, 1, 1]
    in_memory = SimpleNamespace(in_atomic_block=False, vendor="sqlite", settings_dict={"NAME": ":memory:"})
    monkeypatch.setattr(crew, "connection", in_memory)
    assert crew.workers_for(1_000_000, 50) == 1


@pytest.mark.once
@pytest.mark.parametrize("seed", range(5))
def test_parts_of_the_people_sum_up_to_the_whole(seed: int) -> None:
    chance, whole, joined = Random(seed), Tally(date(2026, 1, 1), UNTIL), Tally(date(2026, 1, 1), UNTIL)
    part = Tally(date(2026, 1, 1), UNTIL)
    for person in range(120):
        did = [outcome(chance, person, number) for number in range(chance.randrange(12))]
        whole.add(person, did)
        part.add(person, did)
        if chance.random() < 0.1:
            joined.take_in(part)
            part = Tally(date(2026, 1, 1), UNTIL)
    joined.take_in(part)

    assert joined == whole
    assert len(whole.fastest) == 10


def outcome(chance: Random, person: int, number: int) -> Outcome:
    """Few different points, so that many are equally fast."""
    at = datetime(2026, 5, chance.randrange(1, 3), 9, tzinfo=UTC) + timedelta(minutes=chance.randrange(30))
    event = JudgedEvent(100 * person + number, "order.processed", at, "orders", str(number), at.date())
    rule, points, cut = chance.choice("ab"), chance.choice((0, 2, 5)), chance.random() < 0.2
    return Outcome(event, 0, rule, 1, points, ("cap_day",) if cut else (), {"before_caps": 5})
