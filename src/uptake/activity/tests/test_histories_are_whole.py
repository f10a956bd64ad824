"""What a fold over histories sees: everybody's rows that count, in time order, with the selectors each one matches."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from uptake.activity import ActivityLog
from uptake.activity.asking import Asked
from uptake.activity.cases import log_of
from uptake.activity.histories import KEPT, Histories, each_history
from uptake.activity.log import TableSnapshot
from uptake.activity.owners import starts_of
from uptake.activity.question import By, Condition, Selector, read_question

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
SELECTORS = (
    Selector(("open",)),
    Selector(("open", "save")),
    Selector(None),
    Selector(("save",), (Condition("module", "eq", "AP"),)),
)
PLAIN = SELECTORS[:3]
Row = tuple[int, frozenset[int], str]


@st.composite
def events(draw: st.DrawFn) -> list[dict[str, Any]]:
    one = st.builds(
        lambda user, name, at, module, company: {
            "user": user,
            "event": name,
            "timestamp": (BEGIN + timedelta(minutes=at)).isoformat(),
            "properties": {"module": module} if module else {},
            "company": company,
        },
        st.sampled_from(["ann", "bob", "cat", None]),
        st.sampled_from(["open", "save", "login_failed"]),
        st.integers(0, 5),
        st.sampled_from(["", "AP", "GL"]),
        st.sampled_from([0, 1, 2]),
    )
    return draw(st.lists(one, max_size=14))


def log_with(rows: list[dict[str, Any]], machine: str | None) -> ActivityLog:
    """A log in which failed logins are bookkeeping, and one of the people may be a machine."""
    table = log_of(rows, {}).snapshot()
    assert isinstance(table, TableSnapshot)
    machines = table.person_codes([machine] if machine else []).tolist()
    return ActivityLog(None, replace(table, not_activity=("login_failed",), machines=machines, _codes={}))


def seen(
    log: ActivityLog, question: dict[str, Any], selectors: tuple[Selector, ...], companies: list[int] | None = None
) -> dict[str, list[Row]]:
    """By actor the rows that count: instant, selectors matched, value of the module."""
    read = read_question({"analysis": "any", **question})
    asked = Asked(log.snapshot(), read, companies)
    found: dict[str, list[Row]] = {}

    def fold(rows: Histories) -> None:
        for number, code in enumerate(rows.actor.tolist()):
            own = []
            for row in range(int(rows.starts[number]), int(rows.ends[number])):
                bits = int(rows.bits[rows.codes[row]])
                if bits & int(KEPT):
                    matched = frozenset(k for k in range(len(selectors)) if bits >> k & 1)
                    own.append((int(rows.at[row]), matched, str(rows.labels[rows.group[row]])))
                else:
                    assert bits == 0
            name = rows.names[code - 1] if read.count_by != By() else log.snapshot().person_names([code])[0]
            assert name not in found
            if own:
                found[name] = own

    each_history(asked, selectors, fold, breakdown=By(property="module"))
    return found


def plainly(
    rows: list[dict[str, Any]], selectors: tuple[Selector, ...], actor: str = "user", named: bool = False
) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: str(row["timestamp"])):
        if row["user"] is None or (row["event"] == "login_failed" and not named):
            continue
        module = row["properties"].get("module", "")
        who = row["user"] if actor == "user" else module
        matched = frozenset(
            k
            for k, one in enumerate(selectors)
            if (row["event"] in one.events if one.events is not None else row["event"] != "login_failed")
            and all(module == condition.value for condition in one.where)
        )
        at = int(datetime.fromisoformat(row["timestamp"]).timestamp()) * 1_000_000
        if who:
            found.setdefault(who, []).append((at, matched, module))
    return found


@settings(max_examples=150, deadline=None)
@given(events(), st.sampled_from([SELECTORS, PLAIN]), st.sampled_from([None, "bob"]))
def test_everybody_but_machines_nobody_and_bookkeeping(
    rows: list[dict[str, Any]], selectors: tuple[Selector, ...], machine: str | None
) -> None:
    found = seen(log_with(rows, machine), {}, selectors)

    assert found == plainly([row for row in rows if row["user"] != machine or machine is None], selectors)


@settings(max_examples=80, deadline=None)
@given(events(), st.sampled_from([SELECTORS, PLAIN]))
def test_bookkeeping_that_is_named_counts(rows: list[dict[str, Any]], selectors: tuple[Selector, ...]) -> None:
    selectors = (*selectors, Selector(("login_failed",)))

    assert seen(log_with(rows, None), {}, selectors) == plainly(rows, selectors, named=True)


@settings(max_examples=150, deadline=None)
@given(events(), st.sampled_from([SELECTORS, PLAIN]), st.sampled_from([None, ["ann", "cat"], ["dan"], []]),
       st.sampled_from([[], ["ann"]]), st.booleans(), st.sampled_from([None, [1], [1, 2]]),
       st.sampled_from([None, 2]))  # fmt: skip
def test_filters_people_companies_and_scope_come_first(
    rows: list[dict[str, Any]], selectors: tuple[Selector, ...], only: list[str] | None, never: list[str],
    filtered: bool, companies: list[int] | None, scope: int | None,
) -> None:  # fmt: skip
    question: dict[str, Any] = {"only_persons": only, "not_persons": never, "scope": scope}
    if filtered:
        question["filters"] = [{"property": "module", "op": "is_set"}]

    found = seen(log_with(rows, None), question, selectors, companies)

    kept = [
        row for row in rows
        if (only is None or row["user"] in only) and row["user"] not in never
        and (not filtered or row["properties"]) and (companies is None or row["company"] in companies)
        and (scope is None or row["company"] == scope)
    ]  # fmt: skip
    assert found == plainly(kept, selectors)


@settings(max_examples=100, deadline=None)
@given(events(), st.sampled_from([SELECTORS, PLAIN]))
def test_other_things_than_people_have_histories(rows: list[dict[str, Any]], selectors: tuple[Selector, ...]) -> None:
    found = seen(log_with(rows, None), {"count_by": {"property": "module"}}, selectors)

    assert found == plainly(rows, selectors, actor="module")


def test_where_everybody_begins() -> None:
    person = np.array([1, 1, 2, 5, 5, 5], np.int32)

    assert starts_of(person).tolist() == [0, 2, 3, 6]
    assert starts_of(person[:0]).tolist() == [0]
