"""A chain of window functions gives the same funnels: the second oracle of the semantics, where DuckDB is installed."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uptake.activity import ask
from uptake.activity.tests.oracle import Act
from uptake.activity.tests.test_funnels_agree_with_the_oracle import days, histories, log_of

duckdb: Any = pytest.importorskip("duckdb", reason="DuckDB is not installed: no second oracle")


@cache
def database() -> Any:
    """One for all examples: to open another takes longer than to ask."""
    return duckdb.connect(config={"threads": 1})


def counts(acts: list[Act], names: list[str], window: int) -> list[int]:
    """Each level is the latest entry that has reached the one before, in the order of time and step."""
    rows = [
        (act.person, int(act.at.timestamp()), names.index(act.event)) for act in acts if act.event in names
    ]  # fmt: skip
    if not rows:
        return [0] * len(names)
    values = ", ".join(f"('{actor}', {t}, {step})" for actor, t, step in rows)
    query = f"select actor, t, step, case when step = 0 then t end as m0 from (values {values}) as m (actor, t, step)"
    for level in range(1, len(names)):
        earlier = (
            f"max(m{level - 1}) over (partition by actor order by t, step "
            "rows between unbounded preceding and 1 preceding)"
        )
        kept = ", ".join(f"m{k}" for k in range(level))
        query = (
            f"select actor, t, step, {kept}, case when step = {level} and t - p <= {window} then p end as m{level} "
            f"from (select *, {earlier} as p from ({query}))"
        )
    columns = ", ".join(f"count(distinct case when m{k} is not null then actor end)" for k in range(len(names)))
    found: tuple[int, ...] = database().execute(f"select {columns} from ({query})").fetchone()
    return list(found)


@settings(max_examples=150, deadline=None)
@given(histories(most=20), st.permutations(["a", "b", "c"]), st.sampled_from([60, 120, 300, 3600, 86_400]))
def test_ordered_funnels_of_different_steps(acts: list[Act], names: list[str], window: int) -> None:
    question = {"analysis": "funnel", "steps": names, "window_seconds": window, **days}

    assert ask(log_of(acts), question)["counts"] == counts(acts, names, window)
